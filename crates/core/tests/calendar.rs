//! Working days by the holiday notices in `regulations/`.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::LazyLock;

use chrono::{Datelike, Days};
use proptest::prelude::*;
use xinheng_core::calendar::{Calendar, CalendarDays, Due, Months, Working, WorkingDays, Years};
use xinheng_core::record::Day;
use xinheng_core::rulebook::kind::Term;

fn calendar() -> &'static Calendar {
    static CALENDAR: LazyLock<Calendar> =
        LazyLock::new(|| common::load(&common::folder("../../regulations")).calendar());
    &CALENDAR
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// The vectors of regulations-classification.md §9.
#[test]
fn terms_of_working_days_skip_holidays_and_count_make_up_days() {
    let calendar = calendar();
    for (start, days, due) in [
        ("2026-09-18", 20, "2026-10-22"),
        ("2026-02-10", 20, "2026-03-16"),
        ("2025-09-25", 7, "2025-10-11"),
        ("2025-12-30", 10, "2026-01-14"),
        ("2024-02-05", 10, "2024-02-23"),
        ("2024-09-13", 3, "2024-09-19"),
        ("2023-09-28", 20, "2023-11-01"),
        ("2022-12-29", 20, "2023-02-01"),
        ("2026-04-30", 5, "2026-05-11"),
        ("2025-01-24", 10, "2025-02-13"),
    ] {
        let settled = Due { day: day(due), provisional: false };
        assert_eq!(calendar.after_working_days(day(start), WorkingDays(days)), settled, "{start} + {days}");
    }
    assert!(calendar.after_working_days(day("2026-12-20"), WorkingDays(20)).provisional, "2027 is not announced");
}

#[test]
fn each_year_has_as_many_working_days_as_announced() {
    let calendar = calendar();
    for (year, announced) in [(2022, 249), (2023, 249), (2024, 251), (2025, 248), (2026, 248)] {
        let days = Day::from_ymd_opt(year, 1, 1).unwrap().iter_days().take_while(|day| day.year() == year);
        assert_eq!(days.filter(|day| calendar.is_working_day(*day).working).count(), announced, "{year}");
    }
}

#[test]
fn a_year_without_a_notice_goes_by_the_weekday_and_is_provisional() {
    let calendar = calendar();
    let friday = Working { working: true, provisional: true };
    assert_eq!(calendar.is_working_day(day("2027-01-01")), friday);
    assert_eq!(calendar.is_working_day(day("2027-01-02")), Working { working: false, provisional: true });
    assert_eq!(calendar.is_working_day(day("2026-12-31")), Working { working: true, provisional: false });
    let due = calendar.after_working_days(day("2026-12-30"), WorkingDays(1));
    assert_eq!(due, Due { day: day("2026-12-31"), provisional: false }, "2027 is not reached");
}

#[test]
fn the_other_terms_end_on_the_corresponding_day() {
    assert_eq!(CalendarDays(60).after(day("2026-01-31")), day("2026-04-01"));
    assert_eq!(Months(1).after(day("2026-01-31")), day("2026-02-28"));
    assert_eq!(Months(6).after(day("2026-08-31")), day("2027-02-28"));
    assert_eq!(Years(3).after(day("2024-02-29")), day("2027-02-28"));
    assert_eq!(Years(u32::MAX).after(day("2024-02-29")), Day::MAX);
    let term: Term = serde_saphyr::from_str("{value: 7, unit: working_days}").unwrap();
    assert_eq!(calendar().due(day("2025-09-25"), &term).day, day("2025-10-11"));
    let term: Term = serde_saphyr::from_str("{value: 3, unit: years}").unwrap();
    assert_eq!(calendar().due(day("2026-12-20"), &term), Due { day: day("2029-12-20"), provisional: false });
}

proptest! {
    #[test]
    fn a_term_ends_on_the_working_day_that_makes_the_count_full(offset in 0_u64..2_500, days in 0_u32..300) {
        let calendar = calendar();
        let start = day("2019-06-01") + Days::new(offset);
        let due = calendar.after_working_days(start, WorkingDays(days)).day;
        let counted = start.iter_days().skip(1).take_while(|day| *day <= due);
        let worked = counted.filter(|day| calendar.is_working_day(*day).working).count();
        prop_assert_eq!(worked, days as usize);
        prop_assert!(days == 0 || calendar.is_working_day(due).working);
    }
}
