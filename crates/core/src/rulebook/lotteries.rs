//! Public lottery (公开彩票开奖), folder `lotteries/`: where a draw takes its randomness from, and how its numbers are
//! written. `draw/entropy.rs` reads them.

use chrono::Datelike;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Head;
use crate::draw::Line;
use crate::record::Day;

/// A lottery, and the one spelling of what it drew.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lottery {
    /// Head of the rule.
    pub rule: Head,
    /// Its name as certificates give it.
    #[schemars(with = "String")]
    pub source: Line,
    /// How its value is written, as certificates give it: each `{…}` stands for the next of `parts` and says to people
    /// what it is, everything else stands for itself.
    #[schemars(with = "String")]
    pub format: Line,
    /// What stands in place of each `{…}`, in order. Exactly one of them is the issue.
    pub parts: Vec<Part>,
    /// On which days of the week it is drawn.
    pub drawn_on: Vec<Weekday>,
    /// When its numbers are announced, `21:15`: a draw that waits for them is due then.
    pub announced_at: String,
    /// Where its numbers are announced, for whoever checks them.
    pub announced_in: String,
    /// How many hours after that a draw that waits for it must be sealed; later it is void.
    pub seal_within_hours: u32,
}

impl Lottery {
    /// Whether it is drawn on a day.
    #[must_use]
    pub fn is_drawn_on(&self, day: Day) -> bool {
        self.drawn_on.iter().any(|on| chrono::Weekday::from(*on) == day.weekday())
    }
}

impl From<Weekday> for chrono::Weekday {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Monday => Self::Mon,
            Weekday::Tuesday => Self::Tue,
            Weekday::Wednesday => Self::Wed,
            Weekday::Thursday => Self::Thu,
            Weekday::Friday => Self::Fri,
            Weekday::Saturday => Self::Sat,
            Weekday::Sunday => Self::Sun,
        }
    }
}

/// Numbers of so many digits each, with one space between them.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// What it is, as people read it: 「红球」.
    pub title: String,
    /// It is the number of the issue (期号), which has digits only.
    #[serde(default)]
    pub issue: bool,
    /// How many numbers.
    #[serde(default = "one")]
    pub count: u32,
    /// How many digits each has.
    pub digits: u32,
    /// Least number.
    #[serde(default)]
    pub from: u32,
    /// Greatest number. An issue has none.
    #[serde(default)]
    pub to: u32,
    /// None comes twice.
    #[serde(default)]
    pub distinct: bool,
    /// They are written from the least to the greatest.
    #[serde(default)]
    pub ascending: bool,
}

const fn one() -> u32 {
    1
}

/// Day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}
