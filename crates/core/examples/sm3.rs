//! For `tools/checks/sm3.py`: bytes in hex on stdin, one input a line; their SM3 digest in hex on stdout.

use std::io::{self, BufRead, Write};

use xinheng_core::ledger::Hash;

fn main() -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let bytes = hex::decode(line?.trim()).map_err(io::Error::other)?;
        writeln!(out, "{}", Hash::of(&[&bytes]))?;
    }
    out.flush()
}
