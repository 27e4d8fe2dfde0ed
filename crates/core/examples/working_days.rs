<<<<<<< HEAD
//! Prints every day of the years that the outside calendars cover too, as `YYYY-MM-DD work` or
//! `YYYY-MM-DD off`, by the rulebook in the folder that is named.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use xinheng_core::record::Day;
use xinheng_core::rulebook::load::{RuleFile, Rulebook};

fn main() -> Result<(), String> {
    let root = PathBuf::from(env::args().nth(1).ok_or("usage: working_days REGULATIONS_FOLDER")?);
    let mut files = Vec::new();
    collect(&root, &root, &mut files).map_err(|error| format!("{}: {error}", root.display()))?;
    let rulebook = Rulebook::load(&files).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        lines.join("\n")
    })?;
    let calendar = rulebook.calendar();
    let day = |year, month, day| Day::from_ymd_opt(year, month, day).expect("a day of the calendar");
    let last = day(2026, 12, 31);
    for day in day(2019, 1, 1).iter_days().take_while(|day| *day <= last) {
        let working = calendar.is_working_day(day);
        if working.provisional {
            return Err(format!("{day}: the rulebook has no holiday notice for this year"));
        }
        println!("{day} {}", if working.working { "work" } else { "off" });
    }
    Ok(())
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<RuleFile>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else {
            let relative = path.strip_prefix(root).expect("found below the root");
            files.push(RuleFile {
                path: relative.to_string_lossy().replace('\\', "/"),
                text: fs::read_to_string(&path)?,
            });
        }
    }
    Ok(())
=======
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
>>>>>>> main
}
