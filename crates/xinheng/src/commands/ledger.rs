//! `xinheng ledger`

use std::path::Path;

use xinheng_app::WrongInput;
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
            let head = bureau.head().await?;
            if options.json {
                print_json(&head)?;
            } else {
                say_line(format_args!("第 {} 条\n{}", head.seq, head.hash))?;
            }
            Ok(Ending::Done)
        }
        Ledger::Verify { against } => {
            let earlier = against.iter().map(|path| read_head(path)).collect::<anyhow::Result<Vec<_>>>()?;
            let verification = bureau.verify(&earlier, &show).await?;
            drop(progress);
            if options.json {
                print_json(&verification)?;
            } else {
                say(&verification)?;
            }
            Ok(Ending::findings_if(!verification.findings.is_empty()))
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

/// Reads a head, or the head within a receipt.
fn read_head(path: &Path) -> anyhow::Result<Head> {
    let wrong = |why: String| WrongInput(format!("“{}”不是账头或回执：{why}", path.display()));
    let text = read_text(path)?;
    let mut value: serde_json::Value = serde_json::from_str(&text)
        .map_err(|_| wrong("不是 JSON。请用 ledger head --json 的输出或导入回执".to_owned()))?;
    let head = if value.get("head").is_some() { value["head"].take() } else { value };
    Ok(serde_json::from_value(head).map_err(|_| wrong("缺少 seq 或 hash".to_owned()))?)
}
