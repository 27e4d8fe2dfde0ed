//! Holiday notices.

use std::collections::BTreeMap;

use chrono::{Datelike, Weekday};

use super::super::calendars::{CalendarYear, OffSpan};
use super::super::node::Node;
use super::super::shelf::Edition;
use super::Checking;
use crate::record::Day;

pub(super) fn calendars(checking: &mut Checking) {
    let all = &checking.book.calendars.0;
    let mut years: BTreeMap<i32, &Edition<CalendarYear>> = BTreeMap::new();
    for edition in all {
        let CalendarYear { rule, year, off, makeup } = &edition.rule;
        let node = &edition.node;
        let first_and_last = (Day::from_ymd_opt(*year, 1, 1), Day::from_ymd_opt(*year, 12, 31));
        if (Some(rule.from), rule.until) != first_and_last {
            let mend = format!("from 写 {year}-01-01，until 写 {year}-12-31");
            checking.tell(node.at("year").fault(format!("有效期不是 {year} 年全年")).mend(mend));
        }
        if let Some(earlier) = years.insert(*year, edition) {
            let message = format!("{year} 年已有一份放假通知");
            let mend = format!("另一份在 {}，每年只留一份", earlier.node.file);
            checking.tell(node.at("year").fault(message).mend(mend));
        }
        for (place, span) in off.iter().enumerate() {
            self::off(checking, *year, span, &off[..place], node.at("off").item(place));
        }
        let days: Vec<String> = makeup.iter().map(ToString::to_string).collect();
        let days = days.iter().enumerate().map(|(place, day)| (day.as_str(), node.at("makeup").item(place)));
        checking.unique("调休上班日", days);
        for (place, day) in makeup.iter().enumerate() {
            self::makeup(checking, *year, *day, node.at("makeup").item(place));
        }
    }
}

fn off(checking: &mut Checking, year: i32, span: &OffSpan, earlier: &[OffSpan], node: &Node) {
    let OffSpan { title, from, until } = span;
    if until < from {
        let message = format!("“{title}”的末日 {until} 早于首日 {from}");
        checking.tell(node.at("until").fault(message).mend("请核对通知中的日期"));
        return;
    }
    if from.year() != year && until.year() != year {
        outside(checking, year, *from, node.at("from"));
    }
    for (key, day) in [("from", from), ("until", until)] {
        if !is_near(*day, year) {
            outside(checking, year, *day, node.at(key));
        }
    }
    if let Some(other) = earlier.iter().find(|other| other.from <= *until && *from <= other.until) {
        let message = format!("“{title}”与“{}”的放假日期重叠", other.title);
        checking.tell(node.fault(message).mend("相连的假期合写为一段，或核对日期"));
    }
}

fn makeup(checking: &mut Checking, year: i32, day: Day, node: &Node) {
    if !is_near(day, year) {
        outside(checking, year, day, node);
    }
    if !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
        checking.tell(node.fault(format!("调休上班日 {day} 不是周六或周日")).mend("请核对通知中的日期"));
    }
    let spans = checking.book.calendars.0.iter().flat_map(|edition| &edition.rule.off);
    let off = spans.clone().find(|span| (span.from..=span.until).contains(&day));
    if let Some(span) = off {
        let message = format!("调休上班日 {day} 又在“{}”放假期内", span.title);
        checking.tell(node.fault(message).mend("请核对通知中的日期"));
    }
}

/// A year's notice reaches into the December before and the January after it.
fn is_near(day: Day, year: i32) -> bool {
    day.year() == year || (day.year() == year - 1 && day.month() == 12) || (day.year() == year + 1 && day.month() == 1)
}

fn outside(checking: &mut Checking, year: i32, day: Day, node: &Node) {
    let mend = "只可跨到上年十二月或下年一月，请核对日期，或移到那一年的通知里";
    checking.tell(node.fault(format!("{day} 不在 {year} 年")).mend(mend));
}
