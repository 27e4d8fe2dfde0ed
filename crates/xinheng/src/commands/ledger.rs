//! `xinheng ledger`

use std::path::{Path, PathBuf};

use xinheng_app::WrongInput;
use xinheng_app::ledger::Verified;
use xinheng_core::ledger::Head;

use super::{Ending, open, read_text};
use crate::arguments::{Ledger, Options};
use crate::output::{print_json, say, say_line};
use crate::progress::Progress;

pub async fn run(options: &Options, command: &Ledger) -> anyhow::Result<Ending> {
    let bureau = open(options).await?;
    let progress = Progress::new();
    let show = |stage| progress.show(&stage);
    match command {
        Ledger::Head => {
            drop(progress);
            print_head(options, bureau.head().await?)
        }
        Ledger::Verify { against } => {
            let verified = bureau.verify(&read_heads(against)?, &show).await?;
            drop(progress);
            print_verified(options, &verified)
        }
        Ledger::Rebuild => {
            let rebuilt = bureau.rebuild(&show).await?;
            drop(progress);
            if options.json {
                print_json(&rebuilt)?;
            } else {
                say(&rebuilt)?;
            }
            Ok(Ending::findings_if(!rebuilt.findings.is_empty()))
        }
        Ledger::Export { file } => {
            let head = bureau.export(file, &show).await?;
            drop(progress);
            if options.json {
                print_json(&head)?;
            } else {
                say_line(format_args!("已导出 {} 条到 {}\n账头 {}", head.seq, file.display(), head.hash))?;
            }
            Ok(Ending::Done)
        }
    }
}

/// Prints where a chain ends.
pub(super) fn print_head(options: &Options, head: Head) -> anyhow::Result<Ending> {
    if options.json {
        print_json(&head)?;
    } else {
        say_line(format_args!("第 {} 条\n{}", head.seq, head.hash))?;
    }
    Ok(Ending::Done)
}

/// Prints whether a chain holds.
pub(super) fn print_verified(options: &Options, verified: &Verified) -> anyhow::Result<Ending> {
    if options.json {
        print_json(verified)?;
    } else {
        say(verified)?;
    }
    Ok(Ending::findings_if(!verified.findings.is_empty()))
}

/// Reads the heads of several files.
pub(super) fn read_heads(files: &[PathBuf]) -> anyhow::Result<Vec<Head>> {
    files.iter().map(|file| read_head(file)).collect()
}

/// Reads a head, or the head within a receipt.
pub(super) fn read_head(path: &Path) -> anyhow::Result<Head> {
    let wrong = |why: String| WrongInput(format!("“{}”不是账头或回执：{why}", path.display()));
    let text = read_text(path)?;
    let mut value: serde_json::Value = serde_json::from_str(&text)
        .map_err(|_| wrong("不是 JSON。请用 ledger head --json 或 audit head --json 的输出，或导入回执".to_owned()))?;
    let head = if value.get("head").is_some() { value["head"].take() } else { value };
    Ok(serde_json::from_value(head).map_err(|_| wrong("缺少 seq 或 hash".to_owned()))?)
}
