<<<<<<< HEAD
//! Says of each line of standard input whether it is a credit code: `ok` or `no`. An outside library's
//! answers are compared with these (tools/checks).

use std::io::{self, BufRead, BufWriter, Write};
=======
//! For `tools/checks/credit_codes.py`: codes on stdin, one a line; `ok` or `no` for each on stdout.

use std::io::{self, BufRead, Write};
>>>>>>> main

use xinheng_core::credit_code::CreditCode;

fn main() -> io::Result<()> {
<<<<<<< HEAD
    let mut answers = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let answer = if CreditCode::parse(&line?).is_ok() { "ok" } else { "no" };
        writeln!(answers, "{answer}")?;
    }
    answers.flush()
=======
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        writeln!(out, "{}", if CreditCode::parse(&line?).is_ok() { "ok" } else { "no" })?;
    }
    out.flush()
>>>>>>> main
}
