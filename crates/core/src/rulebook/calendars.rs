//! Holidays and make-up days of a year, folder `calendars/` (国务院办公厅关于节假日安排的通知).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Head;
use crate::record::Day;

/// One year's holiday notice.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CalendarYear {
    /// Head of the rule; valid from 1 January to 31 December of the year.
    pub rule: Head,
    /// The year.
    pub year: i32,
    /// Spans of days off, both ends inclusive, weekends within them too.
    pub off: Vec<OffSpan>,
    /// Saturdays and Sundays that are worked (调休上班).
    pub makeup: Vec<Day>,
}

/// A holiday.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OffSpan {
    /// 节日
    pub title: String,
    /// First day off.
    pub from: Day,
    /// Last day off.
    pub until: Day,
}
