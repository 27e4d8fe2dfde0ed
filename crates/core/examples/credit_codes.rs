//! For `tools/checks/credit_codes.py`: codes on stdin, one a line; `ok` or `no` for each on stdout.

use std::io::{self, BufRead, Write};

use xinheng_core::credit_code::CreditCode;

fn main() -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        writeln!(out, "{}", if CreditCode::parse(&line?).is_ok() { "ok" } else { "no" })?;
    }
    out.flush()
}
