//! `xinheng demo`: a whole synthetic county through the same files and the same import as a user's.

use std::path::PathBuf;

use anyhow::Context as _;
use chrono::Months;
use serde::Serialize;
use xinheng_app::Bureau;
use xinheng_app::act::Act;
use xinheng_app::classify::Run;
use xinheng_app::collect::{ImportRequest, Outcome};
use xinheng_core::rulebook::Status;

use super::{Ending, open_at};
use crate::arguments::{Demo, Options};
use crate::demo::office::{self, Account};
use crate::demo::{county, write};
use crate::output::{print_json, say, say_line};
use crate::progress::Progress;

/// Who signs in the demonstration county; nobody's name.
const SIGNER: &str = "演示签署人";
/// The unit that signs.
const SIGNING_UNIT: &str = "信用监管股";
/// Months of levels behind the last day.
const MONTHS: u32 = 12;

/// What the demonstration left behind.
#[derive(Serialize)]
struct Summary {
    folder: PathBuf,
    enterprises: usize,
    seed: u64,
    files: Vec<Outcome>,
    runs: Vec<Run>,
    head: xinheng_core::ledger::Head,
}

pub async fn run(options: &Options, command: &Demo) -> anyhow::Result<Ending> {
    let folder = options.data.clone().unwrap_or_else(|| PathBuf::from("demo-data"));
    let database = folder.join("xinheng.db");
    anyhow::ensure!(
        options.database.is_some() || !database.exists(),
        "“{}”已经存在。演示县要在空文件夹里生成：请换一个 --data 文件夹，或先删除它",
        database.display()
    );
    let bureau = open_at(options, &folder).await?;
    let until = command.until.unwrap_or_else(|| bureau.today());
    let files = county::generate(command.seed, command.enterprises, until);
    let sources = folder.join("files");
    std::fs::create_dir_all(&sources).with_context(|| format!("建不了文件夹“{}”", sources.display()))?;
    write(&sources, &files)?;

    let accounts = office::set_up(&bureau, command.seed).await?;
    sign_defaults(&bureau).await?;
    let mut outcomes = Vec::new();
    for file in &files {
        let path = sources.join(&file.file_name);
        let request = ImportRequest {
            path: &path,
            table: None,
            unit: file.unit,
            edition: file.edition,
            mapping: None,
            errors: None,
            dry_run: false,
            act: None,
        };
        let progress = Progress::new();
        let outcome = bureau.import(&request, &|stage| progress.show(&stage)).await?;
        drop(progress);
        if !options.json {
            say(&outcome)?;
        }
        outcomes.push(outcome);
    }
    let mut runs = Vec::new();
    for back in (0..=MONTHS).rev() {
        let as_of = until.checked_sub_months(Months::new(back)).context("日期过早")?;
        let progress = Progress::new();
        let run = bureau.classify_all(as_of, &|stage| progress.show(&stage)).await?;
        drop(progress);
        if !options.json {
            say(&run)?;
        }
        runs.push(run);
    }
    let head = bureau.head().await?;
    let receipt = folder.join("账头.json");
    std::fs::write(&receipt, serde_json::to_string(&head)?)
        .with_context(|| format!("写不了“{}”", receipt.display()))?;
    if options.json {
        print_json(&Summary {
            folder: folder.clone(),
            enterprises: command.enterprises,
            seed: command.seed,
            files: outcomes,
            runs,
            head,
        })?;
    } else {
        let shown = folder.display();
        let refused: u64 = outcomes.iter().map(|outcome| outcome.refused).sum();
        say_line(format_args!("\n演示县（全部数据由程序生成）已就绪：{shown}"))?;
        say_line(format_args!("  交来的文件      {shown}/files（退回的 {refused} 行在 *.错误.xlsx）"))?;
        say_line(format_args!("  账头            第 {} 条 {}（{}）", head.seq, head.hash, receipt.display()))?;
        say_line("接着可以：")?;
        if let Some(code) = riskiest(&bureau).await? {
            say_line(format_args!("  xinheng --data {shown} explain {code}"))?;
        }
        say_line(format_args!("  xinheng --data {shown} classify"))?;
        say_line(format_args!("  xinheng --data {shown} ledger verify --against {}", receipt.display()))?;
        say_line("演示账号（角色、账号、口令）：")?;
        for Account { account, duty, password } in &accounts {
            say_line(format_args!("  {duty}  {account}  {password}"))?;
        }
    }
    if !command.no_serve {
        super::serve::site(bureau, &folder, &command.serve).await?;
    }
    Ok(Ending::Done)
}

/// The demonstration county's leader signs every default, so that it acts.
async fn sign_defaults(bureau: &Bureau) -> anyhow::Result<()> {
    let today = bureau.today();
    let defaults: Vec<String> = bureau
        .rulebook()
        .rules()
        .filter(|rule| rule.head.status == Status::Default && rule.head.in_force(today))
        .map(|rule| rule.id)
        .collect();
    for rule in defaults {
        bureau.sign(&Act::on_command_line("rule.sign"), &rule, SIGNER, SIGNING_UNIT).await?;
    }
    Ok(())
}

/// An enterprise worth explaining: the one with the most points among the worst.
async fn riskiest(bureau: &Bureau) -> anyhow::Result<Option<xinheng_core::credit_code::CreditCode>> {
    Ok(bureau.store().riskiest(xinheng_core::classify::COMBINED).await?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use clap::Parser as _;
    use xinheng_core::record::Seq;
    use xinheng_store::Scope;

    use super::*;
    use crate::arguments::{Arguments, Command};
    use crate::demo::people::CANARIES;

    /// The demonstration as a user sees it, small: through files and import, verified, rebuilt, explained.
    #[tokio::test]
    async fn the_demonstration_is_sound_and_every_contribution_sums_to_its_total() {
        let folder = tempfile::tempdir().unwrap();
        let options = Options {
            database: None,
            data: Some(folder.path().to_owned()),
            key_file: None,
            rulebook: None,
            json: true,
            help: None,
            version: None,
        };
        let until = Some("2026-11-24".parse().unwrap());
        let words = ["xinheng", "demo", "--enterprises", "400", "--seed", "1", "--no-serve"];
        let Command::Demo(command) = Arguments::parse_from(words).command else { unreachable!("said so just above") };
        let command = Demo { until, ..command };
        assert_eq!(run(&options, &command).await.unwrap(), Ending::Done);

        let bureau = open_at(&options, folder.path()).await.unwrap();
        let head = bureau.head().await.unwrap();
        assert!(bureau.verify(&[head], &|_| ()).await.unwrap().findings.is_empty());
        assert_eq!(bureau.rebuild(&|_| ()).await.unwrap().findings, Vec::<String>::new());

        let page = bureau.store().histories(Scope::All, None, 5_000, Seq(i64::MAX)).await.unwrap();
        assert!(page.histories.len() > 300);
        let mut graded = 0;
        for (code, _) in page.histories {
            let explanation = bureau.explain(code, command.until.unwrap(), None, None).await.unwrap();
            let sum: i64 = explanation.contributions.iter().map(|one| one.milli).sum();
            assert_eq!(sum, explanation.total_milli, "{code}");
            for assessment in &explanation.assessments {
                let sum: i64 = assessment.contributions.iter().map(|one| one.milli).sum();
                assert_eq!(sum, assessment.total_milli, "{code} {}", assessment.model);
                for one in &assessment.contributions {
                    let records: i64 = one.records.iter().map(|record| record.milli).sum();
                    assert_eq!(records, one.milli, "{code} {}", one.indicator);
                }
            }
            graded += usize::from(explanation.level.is_some_and(|_| explanation.in_force));
        }
        assert!(graded > 80, "the demonstration signs its rules, so that levels are in force");

        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
                for secret in CANARIES.iter().flatten() {
                    assert!(!text.contains(secret), "{secret} is in clear in {}", path.display());
                }
            }
        }
    }
}
