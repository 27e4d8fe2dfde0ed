//! `xinheng rulebook`

use std::path::Path;

use chrono::Utc;
use serde_json::json;
use xinheng_app::WrongInput;
use xinheng_app::act::Act;
use xinheng_app::rules::{embedded, from_folder};
use xinheng_core::record::{Day, Moment};
use xinheng_core::rulebook::Status;
use xinheng_core::rulebook::check_case::run_cases;
use xinheng_core::rulebook::load::Rulebook;

use super::{Ending, open, rulebook};
use crate::arguments::{Options, Rulebook as Command};
use crate::output::{print_json, say, say_line};

pub async fn run(options: &Options, command: &Command) -> anyhow::Result<Ending> {
    match command {
        Command::Check { folder } => check(options, folder.as_deref()),
        Command::Test { folder } => test(options, folder.as_deref()),
        Command::Show { id, on } => {
            let on = on.unwrap_or_else(|| Moment::new(Utc::now()).day_in_china());
            show(options, id.as_deref(), on)
        }
        Command::Sign { id, by, unit } => {
            let bureau = open(options).await?;
            let signed = bureau.sign(&Act::on_command_line("rule.sign"), id, by, unit).await?;
            if options.json {
                print_json(&signed)?;
            } else {
                say_line(&signed)?;
            }
            Ok(Ending::Done)
        }
    }
}

fn load_folder(options: &Options, folder: Option<&Path>) -> anyhow::Result<Result<Rulebook, Vec<String>>> {
    let files = match folder.or(options.rulebook.as_deref()) {
        Some(folder) => from_folder(folder)?,
        None => embedded(),
    };
    Ok(Rulebook::load(&files).map_err(|errors| errors.iter().map(ToString::to_string).collect()))
}

fn check(options: &Options, folder: Option<&Path>) -> anyhow::Result<Ending> {
    match load_folder(options, folder)? {
        Ok(rulebook) => {
            let count = rulebook.rules().count();
            if options.json {
                print_json(&json!({ "rules": count, "version": rulebook.version(), "errors": [] }))?;
            } else {
                say_line(format_args!("规则库检查通过：{count} 条规则，版本 {}", rulebook.version()))?;
            }
            Ok(Ending::Done)
        }
        Err(errors) => {
            if options.json {
                print_json(&json!({ "errors": errors }))?;
            } else {
                errors.iter().try_for_each(say_line)?;
                say_line(format_args!("规则库有 {} 处问题", errors.len()))?;
            }
            Ok(Ending::Findings)
        }
    }
}

fn test(options: &Options, folder: Option<&Path>) -> anyhow::Result<Ending> {
    let rulebook = match load_folder(options, folder)? {
        Ok(rulebook) => rulebook,
        Err(errors) => return Err(WrongInput(errors.join("\n")).into()),
    };
    let outcome = run_cases(&rulebook);
    if options.json {
        print_json(&outcome)?;
    } else {
        for failure in &outcome.failures {
            say_line(format_args!("✗ {}：{}", failure.rule, failure.name))?;
            failure.mismatches.iter().try_for_each(|mismatch| say_line(format_args!("    {mismatch}")))?;
        }
        say_line(format_args!("{} passed, {} failed", outcome.passed, outcome.failed))?;
    }
    Ok(Ending::findings_if(outcome.failed > 0))
}

fn show(options: &Options, id: Option<&str>, on: Day) -> anyhow::Result<Ending> {
    let rulebook = rulebook(options)?;
    let Some(id) = id else {
        for rule in rulebook.rules().filter(|rule| rule.head.in_force(on)) {
            let status = if rule.head.status == Status::Confirmed { "依据已核实" } else { "本系统缺省" };
            say_line(format_args!("{}\t{}\t{status}\t{}", rule.id, rule.head.title, rule.digest))?;
        }
        return Ok(Ending::Done);
    };
    let rule = rulebook.rule(id, on).ok_or_else(|| {
        WrongInput(format!("{on} 没有规则“{id}”。用 rulebook show 列出全部规则；{}", near(&rulebook, id)))
    })?;
    say(rule.text)?;
    Ok(Ending::Done)
}

/// The rules whose id contains what was asked for.
fn near(rulebook: &Rulebook, id: &str) -> String {
    let near: Vec<_> = rulebook.rules().map(|rule| rule.id).filter(|known| known.contains(id)).collect();
    if near.is_empty() {
        "编号形如 models/general".to_owned()
    } else {
        format!("相近的有：{}", near.join("、"))
    }
}
