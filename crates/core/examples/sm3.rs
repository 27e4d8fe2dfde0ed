<<<<<<< HEAD
//! Prints the SM3 digest of each line of hex digits on standard input. Outside implementations' digests
//! are compared with these (tools/checks).

use std::io::{self, BufRead, BufWriter, Write};
=======
//! For `tools/checks/sm3.py`: bytes in hex on stdin, one input a line; their SM3 digest in hex on stdout.

use std::io::{self, BufRead, Write};
>>>>>>> main

use xinheng_core::ledger::Hash;

fn main() -> io::Result<()> {
<<<<<<< HEAD
    let mut digests = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let bytes = hex::decode(line?.trim()).map_err(io::Error::other)?;
        writeln!(digests, "{}", Hash::of(&[&bytes]))?;
    }
    digests.flush()
=======
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let bytes = hex::decode(line?.trim()).map_err(io::Error::other)?;
        writeln!(out, "{}", Hash::of(&[&bytes]))?;
    }
    out.flush()
>>>>>>> main
}
