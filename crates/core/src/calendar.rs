//! Working days (工作日) by the yearly holiday notices of the State Council.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Weekday};

use crate::record::Day;
use crate::rulebook::calendars::CalendarYear;

/// A number of working days. Never to be mixed with calendar days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkingDays(pub u32);

/// Holidays and make-up days of the years that have a notice.
#[derive(Clone, Debug, Default)]
pub struct Calendar {
    years: BTreeMap<i32, Year>,
}

#[derive(Clone, Debug, Default)]
struct Year {
    off: BTreeSet<Day>,
    makeup: BTreeSet<Day>,
}

/// Whether a day is worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Working {
    /// Whether it is worked.
    pub working: bool,
    /// No notice for the year yet: by the weekday alone, to be computed again.
    pub provisional: bool,
}

/// The last day of a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The day.
    pub day: Day,
    /// A year without a notice was crossed: to be computed again.
    pub provisional: bool,
}

impl Calendar {
    /// From the notices of all years.
    pub fn new<'a>(notices: impl IntoIterator<Item = &'a CalendarYear>) -> Self {
        let mut years: BTreeMap<i32, Year> = BTreeMap::new();
        for notice in notices {
            years.entry(notice.year).or_default().makeup.extend(&notice.makeup);
            for span in &notice.off {
                // A new year's holiday may begin in the year before, which its notice then says too.
                for day in span.from.iter_days().take_while(|day| *day <= span.until) {
                    years.entry(notice.year).or_default().off.insert(day);
                }
            }
        }
        Self { years }
    }

    /// Whether a day is worked.
    #[must_use]
    pub fn is_working_day(&self, day: Day) -> Working {
        let weekday = !matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        let notice = self.years.get(&day.year());
        let off = self.years.values().any(|year| year.off.contains(&day));
        let makeup = notice.is_some_and(|year| year.makeup.contains(&day));
        Working { working: makeup || (weekday && !off), provisional: notice.is_none() && !off }
    }

    /// The day a term of working days ends: the day it starts from is not counted.
    #[must_use]
    pub fn after_working_days(&self, start: Day, term: WorkingDays) -> Due {
        let mut due = Due { day: start, provisional: false };
        let mut left = term.0;
        for day in start.iter_days().skip(1) {
            if left == 0 {
                break;
            }
            let working = self.is_working_day(day);
            due.provisional |= working.provisional;
            left -= u32::from(working.working);
            due.day = day;
        }
        due
    }
}
