//! `xinheng demo`: a whole synthetic county through the same files and the same import as a user's.

use std::path::PathBuf;

use anyhow::Context as _;
use chrono::Months;
use serde::Serialize;
use xinheng_app::act::Act;
use xinheng_app::classify::Run;
use xinheng_app::collect::{ImportRequest, Outcome};
use xinheng_app::{Bureau, Surroundings};
use xinheng_core::record::Day;
use xinheng_core::rulebook::Status;

use super::{Ending, open_in};
use crate::arguments::{Demo, Options};
use crate::demo::clock::{Clock, at};
use crate::demo::inspections::{self, Inspections};
use crate::demo::office::{self, Account};
use crate::demo::{county, write};
use crate::output::{print_json, say, say_line};
use crate::progress::Progress;

/// Who signs in the demonstration county; nobody's name.
const SIGNERS: [&str; 2] = ["演示签署人甲", "演示签署人乙"];
/// The unit that signs.
const SIGNING_UNIT: &str = "信用监管股";
/// Hours in China: the books open in the morning, levels are given when the day's files are in.
const MORNING: i64 = 9;
const EVENING: i64 = 19;

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
    run_in(options, command, Surroundings::real()).await
}

async fn run_in(options: &Options, command: &Demo, surroundings: Surroundings) -> anyhow::Result<Ending> {
    let folder = options.data.clone().unwrap_or_else(|| PathBuf::from("demo-data"));
    let database = folder.join("xinheng.db");
    anyhow::ensure!(
        options.database.is_some() || !database.exists(),
        "“{}”已经存在。演示县要在空文件夹里生成：请换一个 --data 文件夹，或先删除它",
        database.display()
    );
    let clock = Clock::default();
    let bureau = open_in(options, &folder, clock.within(surroundings)).await?;
    let until = command.until.unwrap_or_else(|| bureau.today());
    let files = county::generate(command.seed, command.enterprises, until);
    let sources = folder.join("files");
    std::fs::create_dir_all(&sources).with_context(|| format!("建不了文件夹“{}”", sources.display()))?;
    write(&sources, &files)?;

    // The county lives through its year: every file and every run at its time.
    clock.show(at(county::opening(until), MORNING, 0));
    office::open(&bureau).await?;
    office::staff(&bureau).await?;
    office::inspectors(&bureau, &sources).await?;
    sign_defaults(&bureau).await?;
    let mut inspections = Inspections::new(command.seed, until);
    let mut outcomes = Vec::new();
    let mut runs = Vec::new();
    let mut months = (0..=county::MONTHS).rev().map(|back| until - Months::new(back)).peekable();
    for file in &files {
        while let Some(as_of) = months.next_if(|as_of| at(*as_of, EVENING, 0) < file.handed_in) {
            inspections.go_on(&bureau, &clock, at(as_of, EVENING, 0)).await?;
            runs.push(classify(&bureau, &clock, as_of, options).await?);
            office::answer_alerts(&bureau).await?;
        }
        inspections.go_on(&bureau, &clock, file.handed_in).await?;
        clock.show(file.handed_in);
        let path = sources.join(&file.file_name);
        let request =
            ImportRequest { table: Some(file.table), edition: file.edition, ..ImportRequest::new(&path, file.unit) };
        let progress = Progress::new();
        let outcome = bureau.import(&request, &|stage| progress.show(&stage)).await?;
        drop(progress);
        if !options.json {
            say(&outcome)?;
        }
        outcomes.push(outcome);
    }
    // Rules that came into force meanwhile.
    sign_defaults(&bureau).await?;
    for as_of in months {
        runs.push(classify(&bureau, &clock, as_of, options).await?);
    }
    inspections.go_on(&bureau, &clock, at(until, EVENING, 0)).await?;
    let certificates = folder.join("certificates");
    inspections::leave_certificates(&bureau, &certificates).await?;
    clock.show(at(until, EVENING, 30));
    office::propose_and_decide(&bureau, until).await?;
    clock.release();
    let accounts = office::accounts(&bureau, command.seed).await?;
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
        say_line(format_args!("  摇号证书        {}/*.json", certificates.display()))?;
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
        super::serve::site(bureau, &folder, &command.serve, false).await?;
    }
    Ok(Ending::Done)
}

/// The levels of a month, at its end.
async fn classify(bureau: &Bureau, clock: &Clock, as_of: Day, options: &Options) -> anyhow::Result<Run> {
    clock.show(at(as_of, EVENING, 0));
    let progress = Progress::new();
    let run = bureau.classify_all(as_of, &|stage| progress.show(&stage)).await?;
    drop(progress);
    if !options.json {
        say(&run)?;
    }
    Ok(run)
}

/// The demonstration county's leaders sign every default, so that it acts.
async fn sign_defaults(bureau: &Bureau) -> anyhow::Result<()> {
    let today = bureau.today();
    let defaults =
        bureau.rulebook().rules().filter(|rule| rule.head.status == Status::Default && rule.head.in_force(today));
    for rule in defaults {
        for signer in SIGNERS.iter().take(rule.head.signatures) {
            bureau.sign(&Act::on_command_line("rule.sign"), &rule.id, signer, SIGNING_UNIT).await?;
        }
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

    use std::collections::{BTreeSet, HashSet};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use clap::Parser as _;
    use xinheng_app::evidence::PUBLICATION_EVIDENCE;
    use xinheng_core::draw::{Certificate, Published, verify};
    use xinheng_core::record::Seq;
    use xinheng_core::visit::VisitState;
    use xinheng_store::APPROVAL_STEP;
    use xinheng_store::testing::FixedSalts;

    use super::*;
    use crate::arguments::{Arguments, Command};
    use crate::demo::people::CANARIES;

    fn options(folder: &tempfile::TempDir) -> Options {
        Options {
            database: None,
            data: Some(folder.path().to_owned()),
            key_file: None,
            rulebook: None,
            json: true,
            help: None,
            version: None,
        }
    }

    fn command(enterprises: &str, seed: &str) -> Demo {
        let words = ["xinheng", "demo", "--enterprises", enterprises, "--seed", seed, "--no-serve"];
        let Command::Demo(command) = Arguments::parse_from(words).command else { unreachable!("said so just above") };
        Demo { until: Some("2026-11-24".parse().unwrap()), ..command }
    }

    /// The morning after the last day, the same salts for the same record, and the same chance for the same draw.
    fn surroundings() -> Surroundings {
        let now = at("2026-11-25".parse().unwrap(), 9, 0);
        let asked = AtomicU64::new(0);
        let chance = move || {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&asked.fetch_add(1, Ordering::Relaxed).to_be_bytes());
            Ok(bytes)
        };
        Surroundings {
            now: Arc::new(move || now),
            salts: Arc::new(FixedSalts),
            chance: Arc::new(chance),
            ..Surroundings::real()
        }
    }

    #[tokio::test]
    async fn the_county_reports_and_publishes_in_time_but_for_a_few() {
        let folder = tempfile::tempdir().unwrap();
        let (options, command) = (options(&folder), command("400", "1"));
        let until = command.until.unwrap();
        run_in(&options, &command, surroundings()).await.unwrap();
        let bureau = open_in(&options, folder.path(), surroundings()).await.unwrap();
        let store = bureau.store();

        let clocks = store.clock_counts(None, until).await.unwrap();
        let open = clocks.green + clocks.yellow + clocks.red;
        assert!(clocks.red * 100 <= open * 15, "{clocks:?}");
        assert!(clocks.yellow > 0 && clocks.green > 0, "{clocks:?}");

        let year_ago = until - Months::new(12);
        let late = store.late_counts(None, year_ago, until).await.unwrap();
        let late: u64 = late.iter().map(|late| late.records).sum();
        let records = store.records(Seq(1), 100_000).await.unwrap();
        let received = records.iter().filter(|entry| entry.record.received_at.day_in_china() >= year_ago).count();
        assert!(late > 0 && late * 10 < received as u64, "{late} of {received}");

        let mut days_known = BTreeSet::new();
        for (code, _) in store.histories(None, 20, Seq(i64::MAX)).await.unwrap().histories {
            let known = bureau.profile(code, None, None).await.unwrap().steps.known;
            days_known.insert(known.into_iter().map(|(_, day)| day).collect::<BTreeSet<_>>().len());
        }
        assert!(days_known.last() > Some(&5), "{days_known:?}");

        let steps = store.system_records(APPROVAL_STEP, Seq(0), Seq(i64::MAX)).await.unwrap();
        let of_proofs = steps.iter().filter(|step| {
            let matter = step.payload.integer("matter");
            steps.iter().any(|first| {
                Some(first.seq.0) == matter && first.payload.text("procedure") == Some(PUBLICATION_EVIDENCE)
            })
        });
        let actions: Vec<_> = of_proofs.filter_map(|step| step.payload.text("action")).collect();
        // What the inspections of the year published, then three proofs under way.
        let (of_results, under_way) = actions.split_at(actions.len() - 5);
        assert_eq!(under_way, ["submit", "review", "submit", "submit", "send_back"]);
        assert!(of_results.chunks(2).all(|proof| proof == ["submit", "review"]), "{of_results:?}");

        // A year of draws: some carried out, one thrown away, one that waits; each verifies as it was left.
        let mut states = HashSet::new();
        for entry in std::fs::read_dir(folder.path().join("certificates")).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            let certificate = Certificate::parse(text.trim_end()).unwrap();
            assert!(verify(&certificate, &Published::default()).holds(), "{}", certificate.draw);
            states.insert(std::mem::discriminant(&certificate.state));
        }
        assert_eq!(states.len(), 3, "frozen, sealed and void");
        let plans = store.plans(None, 100).await.unwrap();
        assert!(plans.iter().any(|plan| plan.names.is_some()), "whom a plan visited is published");
        let visits = store.visit_counts(&plans.iter().map(|plan| plan.seq).collect::<Vec<_>>()).await.unwrap();
        assert!(visits.iter().any(|(_, state, _)| *state == VisitState::Done), "{visits:?}");
    }

    #[tokio::test]
    async fn the_same_seed_gives_the_same_ledger() {
        let mut heads = BTreeSet::new();
        for _ in 0..2 {
            let folder = tempfile::tempdir().unwrap();
            let options = options(&folder);
            run_in(&options, &command("60", "1"), surroundings()).await.unwrap();
            let bureau = open_in(&options, folder.path(), surroundings()).await.unwrap();
            heads.insert(bureau.head().await.unwrap().hash.to_string());
        }
        assert_eq!(heads.len(), 1);
    }

    /// The demonstration as a user sees it, small: through files and import, verified, rebuilt, explained.
    #[tokio::test]
    async fn the_demonstration_is_sound_and_every_contribution_sums_to_its_total() {
        let folder = tempfile::tempdir().unwrap();
        let options = options(&folder);
        let command = command("400", "1");
        assert_eq!(run(&options, &command).await.unwrap(), Ending::Done);

        let bureau = open_in(&options, folder.path(), Surroundings::real()).await.unwrap();
        let head = bureau.head().await.unwrap();
        assert!(bureau.verify(&[head], &|_| ()).await.unwrap().findings.is_empty());
        assert_eq!(bureau.rebuild(&|_| ()).await.unwrap().findings, Vec::<String>::new());

        let page = bureau.store().histories(None, 5_000, Seq(i64::MAX)).await.unwrap();
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
