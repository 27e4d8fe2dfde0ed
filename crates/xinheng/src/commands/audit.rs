//! `xinheng audit`

use xinheng_app::act::Act;
use xinheng_core::ledger::Head;

use super::ledger::{print_head, print_verified, read_head, read_heads};
use super::{Ending, open};
use crate::arguments::{Audit, Options};
use crate::output::{print_json, say_line};
use crate::progress::Progress;

pub async fn run(options: &Options, command: &Audit) -> anyhow::Result<Ending> {
    let bureau = open(options).await?;
    match command {
        Audit::Head => print_head(options, bureau.audit_head().await?),
        Audit::Verify { against } => {
            let progress = Progress::new();
            let verified = bureau.verify_audit(&read_heads(against)?, &|stage| progress.show(&stage)).await?;
            drop(progress);
            print_verified(options, &verified)
        }
        Audit::Export { file, after } => {
            let after = after.as_deref().map(read_head).transpose()?.unwrap_or(Head::EMPTY);
            let export = bureau.export_audit(&Act::on_command_line("audit.export"), file, after).await?;
            if options.json {
                print_json(&export)?;
            } else {
                let Head { seq, hash } = export.head;
                say_line(format_args!(
                    "已导出 {} 条到 {}，到第 {seq} 条为止\n账头 {hash}",
                    export.lines,
                    file.display()
                ))?;
            }
            Ok(Ending::Done)
        }
    }
}
