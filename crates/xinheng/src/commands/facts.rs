//! `xinheng facts`

use std::fs::File;
use std::io::BufWriter;

use anyhow::Context as _;

use super::{Ending, open};
use crate::arguments::{Facts, Options};
use crate::output::say_line;
use crate::progress::Progress;

pub async fn run(options: &Options, command: &Facts) -> anyhow::Result<Ending> {
    let bureau = open(options).await?;
    let as_of = command.as_of.unwrap_or_else(|| bureau.today());
    let progress = Progress::new();
    let show = |stage| progress.show(&stage);
    let unwritable = || format!("写不了文件“{}”", command.file.display());
    let mut out = BufWriter::new(File::create(&command.file).with_context(unwritable)?);
    let written = bureau.write_facts(as_of, &mut out, &show).await?;
    drop(progress);
    say_line(format_args!("已写出 {written} 户企业截至 {as_of} 的记录：{}", command.file.display()))?;
    Ok(Ending::Done)
}
