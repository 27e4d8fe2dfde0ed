//! `xinheng draw`: freezes, enters the lottery's numbers, shows. What two people do on the site two people do here.

use std::path::PathBuf;

use anyhow::Context as _;
use serde::Serialize;
use xinheng_app::act::Act;
use xinheng_app::{Bureau, WrongInput};
use xinheng_core::credit_code::CreditCode;
use xinheng_core::draw::Time;

use super::{Ending, open};
use crate::arguments::{Draw, Options, View};
use crate::output::{print_json, say_line};

/// What a step came to.
#[derive(Serialize)]
struct Stepped<'a> {
    draw: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    freeze_hash: Option<String>,
    sealed: bool,
}

pub async fn run(options: &Options, command: &Draw) -> anyhow::Result<Ending> {
    let bureau = open(options).await?;
    match command {
        Draw::Freeze { plan, lottery, day, by } => {
            let act = bureau.act_of(by, "draw.freeze").await?;
            let kept = bureau.store().plan_numbered(plan).await?;
            let kept = kept.ok_or_else(|| WrongInput(format!("没有编号为“{plan}”的抽查计划")))?;
            let choices = bureau.lottery_choices();
            let is_wanted =
                |id: &str, on| lottery.as_ref().is_none_or(|one| one == id) && day.is_none_or(|day| day == on);
            let choice = choices.iter().find(|one| is_wanted(&one.id, one.day));
            let choice = choice.ok_or_else(|| WrongInput("今后两周没有这样的随机来源，请换一种或换一天".to_owned()))?;
            let number = bureau.freeze_draw(&act, kept.seq, &choice.id, choice.day).await?;
            let hash = freeze_hash(&bureau, &number).await?;
            if options.json {
                print_json(&Stepped { draw: &number, freeze_hash: Some(hash), sealed: false })?;
            } else {
                say_line(format_args!("已冻结抽查 {number}；随机来源 {}，{} 开奖", choice.source, choice.due))?;
                say_line(format_args!("冻结校验值 {hash}"))?;
                say_line("请在开奖以前把冻结校验值公布在局外，并登记：xinheng draw witness")?;
            }
        }
        Draw::Witness { draw, place, at, by } => {
            let act = bureau.act_of(by, "draw.witness").await?;
            let at: Time = at.parse().map_err(|wrong: xinheng_core::draw::NotATime| WrongInput(wrong.to_string()))?;
            bureau.witness_draw(&act, draw, place, at).await?;
            say_line(format_args!("已登记抽查 {draw} 的见证"))?;
        }
        Draw::Seal { draw, entropy, by } => seal(&bureau, options, draw, entropy, by).await?,
        Draw::Show { draw, view, of, out } => show(&bureau, draw, (*view, *of), out.as_ref()).await?,
    }
    Ok(Ending::Done)
}

/// The first of two people enters the numbers; the second enters them again, and the draw is sealed.
async fn seal(bureau: &Bureau, options: &Options, draw: &str, entropy: &str, by: &str) -> anyhow::Result<()> {
    let act = bureau.act_of(by, "draw.seal").await?;
    let detail = bureau.draw(&Act::on_command_line("draw.show"), draw).await?;
    let detail = detail.ok_or_else(|| WrongInput(format!("没有编号为“{draw}”的抽查")))?;
    let sealed = match detail.entered {
        Some(matter) => bureau.confirm_numbers(&act, matter.number, entropy).await.map(|()| true)?,
        None => bureau.enter_numbers(&act, draw, entropy).await.map(|_| false)?,
    };
    if options.json {
        return print_json(&Stepped { draw, freeze_hash: None, sealed });
    }
    match sealed {
        true => say_line(format_args!("两遍录入一致，抽查 {draw} 已抽取")),
        false => say_line(format_args!("第一遍已录入。请另一人再录一遍：xinheng draw seal {draw} --entropy … --by …")),
    }
}

async fn show(
    bureau: &Bureau,
    draw: &str,
    (view, of): (View, Option<CreditCode>),
    out: Option<&PathBuf>,
) -> anyhow::Result<()> {
    let json = match view {
        View::Opening => {
            let of = of.context("没有写是哪一家企业")?;
            serde_json::to_string_pretty(&bureau.opening(&Act::on_command_line("draw.open"), draw, of).await?)?
        }
        View::Public => {
            let found = bureau.public_draw(draw).await?;
            found.ok_or_else(|| WrongInput(format!("没有编号为“{draw}”的公开抽查")))?.certificate.to_json()
        }
        View::Auditor => {
            let act = Act::on_command_line("draw.audit");
            serde_json::to_string_pretty(&bureau.auditor_view(&act, draw).await?)?
        }
    };
    match out {
        Some(file) => std::fs::write(file, json + "\n").with_context(|| format!("写不成“{}”", file.display())),
        None => say_line(json),
    }
}

async fn freeze_hash(bureau: &Bureau, draw: &str) -> anyhow::Result<String> {
    let found = bureau.draw(&Act::on_command_line("draw.show"), draw).await?;
    Ok(found.context("刚冻结的抽查不见了")?.certificate.freeze_hash.to_string())
}
