//! Results on stdout. Whoever reads them may stop (`xinheng explain … | head`): the work goes on to its
//! end, the exit code stays true, and nothing more is said.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use anyhow::Context as _;
use serde::Serialize;

/// Prints a text as it stands.
pub fn say(text: impl Display) -> anyhow::Result<()> {
    match write_out(text) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("结果写不到标准输出"),
    }
}

/// Prints a line.
pub fn say_line(text: impl Display) -> anyhow::Result<()> {
    say(format_args!("{text}\n"))
}

/// Prints a value for machines, on one line.
pub fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    say_line(serde_json::to_string(value)?)
}

fn write_out(text: impl Display) -> io::Result<()> {
    let mut output = io::stdout().lock();
    write!(output, "{text}")?;
    output.flush()
}
