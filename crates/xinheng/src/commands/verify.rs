//! `xinheng verify`: recomputes draw certificates from what they say. Needs no books.

use std::path::Path;

use serde::Serialize;
use xinheng_app::WrongInput;
use xinheng_core::draw::{Certificate, Published, PublishedNames, Verification, verify};

use super::{Ending, read_text};
use crate::arguments::{Options, Verify};
use crate::output::{print_json, say_line};

/// What one file came to.
#[derive(Serialize)]
struct Verified<'a> {
    file: &'a Path,
    ok: bool,
    /// Why the file is no certificate at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    verification: Option<Verification>,
}

pub fn run(options: &Options, command: &Verify) -> anyhow::Result<Ending> {
    let names = command.names.as_deref().map(names).transpose()?;
    let published = Published { freeze_hash: command.freeze_hash, certificate_hash: command.certificate_hash, names };
    let mut all = Vec::new();
    for file in &command.certificates {
        all.push(match Certificate::parse(&read_text(file)?) {
            Ok(certificate) => {
                let verification = verify(&certificate, &published);
                Verified { file, ok: verification.holds(), refused: None, verification: Some(verification) }
            }
            Err(refused) => Verified { file, ok: false, refused: Some(refused.to_string()), verification: None },
        });
    }
    if options.json {
        print_json(&all)?;
    } else {
        all.iter().try_for_each(tell)?;
    }
    Ok(Ending::findings_if(all.iter().any(|one| !one.ok)))
}

fn tell(verified: &Verified<'_>) -> anyhow::Result<()> {
    let verdict = if verified.ok { "核验通过" } else { "核验不通过" };
    say_line(format_args!("{}：{verdict}", verified.file.display()))?;
    if let Some(refused) = &verified.refused {
        say_line(format_args!("  ✗ {refused}"))?;
    }
    let Some(Verification { steps, unproven }) = &verified.verification else { return Ok(()) };
    for step in steps {
        let mark = if step.faults.is_empty() { "✓" } else { "✗" };
        say_line(format_args!("  {mark} {}", step.sentence))?;
        for fault in &step.faults {
            say_line(format_args!("      {fault}"))?;
        }
    }
    if verified.ok {
        say_line("  以下各项不能由证书证明：")?;
        for one in unproven {
            say_line(format_args!("    · {one}"))?;
        }
    }
    Ok(())
}

fn names(file: &Path) -> anyhow::Result<PublishedNames> {
    let read = serde_json::from_str(&read_text(file)?);
    Ok(read.map_err(|_| {
        WrongInput(format!(
            "“{}”不是公布的名单。应为 {{\"nonce\": \"64 位十六进制\", \"names\": [\"统一社会信用代码\"]}}",
            file.display()
        ))
    })?)
}
