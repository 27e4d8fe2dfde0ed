//! Working days (工作日) by the State Council's yearly holiday notices, and the ends of terms (期限).

use std::collections::BTreeSet;

use chrono::{Datelike, Days, Weekday};

use crate::record::Day;
use crate::rulebook::calendars::CalendarYear;
use crate::rulebook::kind::{Term, TermUnit};

/// 工作日. Never to be mixed with calendar days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkingDays(pub u32);

/// 日, days off among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CalendarDays(pub u32);

/// 月
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Months(pub u32);

/// 年
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Years(pub u32);

/// Whether a day is worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Working {
    /// Whether it is.
    pub working: bool,
    /// The year has no notice yet: by the weekday alone, to be computed again.
    pub provisional: bool,
}

/// The last day of a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The day.
    pub day: Day,
    /// A day of a year without a notice was counted or passed over: to be computed again.
    pub provisional: bool,
}

/// A number of working days, counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// How many; below zero when counted backwards.
    pub count: i32,
    /// A day of a year without a notice was counted or passed over.
    pub provisional: bool,
}

/// Holidays and make-up days of the years that have a notice.
#[derive(Clone, Debug, Default)]
pub struct Calendar {
    years: BTreeSet<i32>,
    off: BTreeSet<Day>,
    makeup: BTreeSet<Day>,
}

impl Calendar {
    /// From the notices of all years.
    pub fn new<'a>(notices: impl IntoIterator<Item = &'a CalendarYear>) -> Self {
        let mut calendar = Self::default();
        for notice in notices {
            calendar.years.insert(notice.year);
            calendar.makeup.extend(&notice.makeup);
            for span in &notice.off {
                let days = span.from.iter_days().take_while(|day| *day <= span.until);
                calendar.off.extend(days);
            }
        }
        calendar
    }

    /// Whether a day is worked.
    #[must_use]
    pub fn is_working_day(&self, day: Day) -> Working {
        let (off, makeup) = (self.off.contains(&day), self.makeup.contains(&day));
        let weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        Working {
            working: makeup || !(weekend || off),
            // A notice reaches a few days into the next year: those are settled.
            provisional: !(off || makeup || self.years.contains(&day.year())),
        }
    }

    /// The last day of a term of working days. The day it starts from is not counted.
    #[must_use]
    pub fn after_working_days(&self, start: Day, term: WorkingDays) -> Due {
        let mut due = Due { day: start, provisional: false };
        let mut left = term.0;
        while let Some(next) = due.day.succ_opt().filter(|_| left > 0) {
            let Working { working, provisional } = self.is_working_day(next);
            due.day = next;
            due.provisional |= provisional;
            left -= u32::from(working);
        }
        due
    }

    /// The working days after a day up to and including another; below zero when that is earlier.
    #[must_use]
    pub fn working_days(&self, from: Day, to: Day) -> Counted {
        let (first, last, sign) = if from <= to { (from, to, 1) } else { (to, from, -1) };
        let mut counted = Counted { count: 0, provisional: false };
        for day in first.iter_days().skip(1).take_while(|day| *day <= last) {
            let Working { working, provisional } = self.is_working_day(day);
            counted.count += sign * i32::from(working);
            counted.provisional |= provisional;
        }
        counted
    }

    /// The first day on which no more than so many working days are left until the last day.
    #[must_use]
    pub fn first_day_with_at_most(&self, left: WorkingDays, last: Day) -> Day {
        let mut first = last;
        let mut count = 0;
        while let Some(before) = first.pred_opt() {
            count += u32::from(self.is_working_day(first).working);
            if count > left.0 {
                break;
            }
            first = before;
        }
        first
    }

    /// The last day of a term of any unit. The day it starts from is not counted.
    #[must_use]
    pub fn due(&self, start: Day, term: &Term) -> Due {
        let settled = |day| Due { day, provisional: false };
        match term.unit {
            TermUnit::WorkingDays => self.after_working_days(start, WorkingDays(term.value)),
            TermUnit::CalendarDays => settled(CalendarDays(term.value).after(start)),
            TermUnit::Months => settled(Months(term.value).after(start)),
            TermUnit::Years => settled(Years(term.value).after(start)),
        }
    }
}

impl CalendarDays {
    /// The day so many days later.
    #[must_use]
    pub fn after(self, start: Day) -> Day {
        start.checked_add_days(Days::new(self.0.into())).unwrap_or(Day::MAX)
    }
}

impl Months {
    /// The same day of the month so many months later or, where that month has none, its last day
    /// (民法典第二百零二条).
    #[must_use]
    pub fn after(self, start: Day) -> Day {
        start.checked_add_months(chrono::Months::new(self.0)).unwrap_or(Day::MAX)
    }
}

impl Years {
    /// The same day so many years later; 29 February becomes the 28th where there is none.
    #[must_use]
    pub fn after(self, start: Day) -> Day {
        Months(self.0.saturating_mul(12)).after(start)
    }
}
