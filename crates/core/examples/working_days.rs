//! For `tools/checks/working_days.py`: every day of 2019 to 2026 with `work` or `off`, by the calendars
//! of the regulations folder given as the argument.

use std::io::{self, Write};
use std::path::Path;

use xinheng_core::calendar::Calendar;
use xinheng_core::record::Day;
use xinheng_core::rulebook::calendars::CalendarYear;

fn main() -> io::Result<()> {
    let folder = std::env::args().nth(1).ok_or_else(|| io::Error::other("usage: working_days FOLDER"))?;
    let mut years: Vec<CalendarYear> = Vec::new();
    for entry in std::fs::read_dir(Path::new(&folder).join("national/calendars"))? {
        let text = std::fs::read_to_string(entry?.path())?;
        years.push(serde_saphyr::from_str(&text).map_err(io::Error::other)?);
    }
    let calendar = Calendar::new(&years);
    let mut out = io::BufWriter::new(io::stdout().lock());
    let first = Day::from_ymd_opt(2019, 1, 1).expect("a day");
    for day in first.iter_days().take_while(|day| *day <= Day::from_ymd_opt(2026, 12, 31).expect("a day")) {
        writeln!(out, "{day} {}", if calendar.is_working_day(day).working { "work" } else { "off" })?;
    }
    out.flush()
}
