//! Prints the SM3 digest of each line of hex digits on standard input. Outside implementations' digests
//! are compared with these (tools/checks).

use std::io::{self, BufRead, BufWriter, Write};

use xinheng_core::ledger::Hash;

fn main() -> io::Result<()> {
    let mut digests = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let bytes = hex::decode(line?.trim()).map_err(io::Error::other)?;
        writeln!(digests, "{}", Hash::of(&[&bytes]))?;
    }
    digests.flush()
}
