//! `xinheng import`

use xinheng_app::collect::{ImportRequest, Outcome};
use xinheng_app::rules::refused;
use xinheng_app::{WrongInput, is_wrong_input};

use super::{Ending, open};
use crate::arguments::{Import, Options};
use crate::output::{print_json, say, say_line};
use crate::progress::Progress;

pub async fn run(options: &Options, command: &Import) -> anyhow::Result<Ending> {
    let bureau = open(options).await?;
    let mapping = match &command.mapping {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| WrongInput(format!("读不出列对照文件“{}”：{error}", path.display())))?;
            let table = bureau.rulebook().parse_table(&path.to_string_lossy(), &text);
            Some(table.map_err(|errors| refused(&errors))?)
        }
    };
    let mut outcomes = Vec::new();
    let mut unreadable: Option<anyhow::Error> = None;
    for file in &command.files {
        let request = ImportRequest {
            table: command.table.as_deref(),
            edition: command.edition,
            mapping: mapping.as_ref(),
            errors: command.errors.as_deref(),
            dry_run: command.dry_run,
            ..ImportRequest::new(file, &command.unit)
        };
        let progress = Progress::new();
        let outcome = bureau.import(&request, &|stage| progress.show(&stage)).await;
        drop(progress);
        match outcome {
            Ok(outcome) => {
                if !options.json {
                    say(&outcome)?;
                }
                outcomes.push(outcome);
            }
            Err(error) if is_wrong_input(&error) => {
                // The last is said once all are through: when nothing was taken, by whoever ends this program.
                if let Some(earlier) = unreadable.replace(error) {
                    eprintln!("错误：{earlier}");
                }
            }
            Err(error) => return Err(error),
        }
    }
    if !command.dry_run && outcomes.iter().any(|outcome| outcome.accepted > 0) {
        let progress = Progress::new();
        let run = bureau.classify_touched(&|stage| progress.show(&stage)).await?;
        drop(progress);
        if let (Some(run), false) = (&run, options.json) {
            say(run)?;
        }
    }
    if options.json {
        print_json(&serde_json::json!({ "files": outcomes, "head": bureau.head().await? }))?;
    } else if !command.dry_run {
        let head = bureau.head().await?;
        say_line(format_args!("账头：第 {} 条，{}", head.seq, head.hash))?;
    }
    match unreadable {
        Some(error) if outcomes.is_empty() => Err(error),
        Some(error) => {
            eprintln!("错误：{error}");
            Ok(Ending::findings_if(true))
        }
        None => Ok(Ending::findings_if(outcomes.iter().any(Outcome::has_findings))),
    }
}
