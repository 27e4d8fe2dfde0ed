//! What certificates are written with: lines of text, times, numbers of strata. Each has one spelling only, because
//! the spelling is what is hashed.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Timelike};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::record::Moment;

/// One line of text: not empty, without control characters, which would change the lines that are hashed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Line(String);

/// Why a text is not a line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("“{}”不是一行文字：不能为空，不能含换行、制表符等控制字符", .0.escape_debug())]
pub struct NotALine(pub String);

impl Line {
    /// Takes a text that fits in one line.
    ///
    /// # Errors
    /// When it is empty or has control characters.
    pub fn new(text: impl Into<String>) -> Result<Self, NotALine> {
        let text = text.into();
        if text.is_empty() || text.chars().any(|character| character.is_ascii_control()) {
            return Err(NotALine(text));
        }
        Ok(Self(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Line {
    type Error = NotALine;

    fn try_from(text: String) -> Result<Self, NotALine> {
        Self::new(text)
    }
}

impl From<Line> for String {
    fn from(line: Line) -> Self {
        line.0
    }
}

impl FromStr for Line {
    type Err = NotALine;

    fn from_str(text: &str) -> Result<Self, NotALine> {
        Self::new(text)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A moment in China's time, in whole seconds: `2026-11-24T09:00:00+08:00`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(NaiveDateTime);

/// Why a text is not a time.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("“{0}”不是时刻：应写作 2026-11-24T09:00:00+08:00（北京时间，精确到秒）")]
pub struct NotATime(pub String);

/// How a time begins; what follows is the offset.
const PATTERN: &str = "%Y-%m-%dT%H:%M:%S";
/// China has one zone and no daylight saving.
const OFFSET: &str = "+08:00";
const OFFSET_HOURS: TimeDelta = TimeDelta::hours(8);

impl Time {
    /// The second in which a moment lies.
    ///
    /// # Panics
    /// Never within the calendar of a ledger.
    #[must_use]
    pub fn of(moment: Moment) -> Self {
        let utc = DateTime::from_timestamp_micros(moment.micros()).expect("a moment is within the calendar");
        let local = (utc + OFFSET_HOURS).naive_utc();
        Self(local.with_nanosecond(0).expect("zero is a nanosecond"))
    }

    /// The moment at which that second begins.
    #[must_use]
    pub fn moment(self) -> Moment {
        Moment::new((self.0 - OFFSET_HOURS).and_utc())
    }

    /// So many hours later.
    #[must_use]
    pub fn hours_later(self, hours: u32) -> Self {
        Self(self.0 + TimeDelta::hours(hours.into()))
    }
}

impl FromStr for Time {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let begins_with_a_year = text.bytes().next().is_some_and(|first| matches!(first, b'1'..=b'9'));
        text.strip_suffix(OFFSET)
            .filter(|_| begins_with_a_year)
            .and_then(|local| NaiveDateTime::parse_from_str(local, PATTERN).ok())
            // A leap second, or digits left out, would be a second spelling.
            .filter(|local| local.nanosecond() == 0)
            .map(Self)
            .filter(|time| time.to_string() == text)
            .ok_or_else(|| NotATime(text.to_owned()))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{OFFSET}", self.0.format(PATTERN))
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Number of a stratum (组号), from 1; in JSON a text. It says nothing of the item or the level.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StratumNumber(u32);

/// More digits than this are no number of a stratum.
const MOST_DIGITS: usize = 6;

impl StratumNumber {
    /// The number at a place counted from zero.
    pub(super) fn at(place: usize) -> Self {
        Self(u32::try_from(place + 1).expect("far fewer strata than candidates"))
    }

    /// Its place counted from zero.
    pub(super) fn place(self) -> usize {
        self.0 as usize - 1
    }
}

impl fmt::Display for StratumNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for StratumNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for StratumNumber {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        let number = text.parse().ok().filter(|_| digits && text.len() <= MOST_DIGITS).map(Self);
        number.ok_or_else(|| format!("“{text}”不是组号：应写作 \"1\"、\"2\" 的样子"))
    }
}

impl Serialize for StratumNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StratumNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_one_spelling() {
        let text = "2026-11-24T09:00:00+08:00";
        let time: Time = text.parse().expect(text);
        assert_eq!(time.to_string(), text);
        assert_eq!(Time::of(time.moment()), time);
        assert_eq!(time.hours_later(15).to_string(), "2026-11-25T00:00:00+08:00");
        for wrong in [
            "2026-11-24T01:00:00Z",
            "2026-11-24T09:00:00+0800",
            "2026-11-24T09:00:00.0+08:00",
            "2026-11-24T9:00:00+08:00",
            "2026-11-31T09:00:00+08:00",
            "2026-11-24T09:00:60+08:00",
            "2026-11-24 09:00:00+08:00",
            "0026-11-24T09:00:00+08:00",
            "+2026-11-24T09:00:00+08:00",
            "",
        ] {
            assert!(wrong.parse::<Time>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_line_is_one_line() {
        assert!(Line::new("2026年第1号").is_ok());
        for wrong in ["", "a\tb", "a\n", "\u{7f}"] {
            assert!(Line::new(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_stratum_has_a_plain_number() {
        assert_eq!("12".parse::<StratumNumber>().map(StratumNumber::place), Ok(11));
        for wrong in ["0", "01", "+1", "1 ", "", "1000000", "一"] {
            assert!(wrong.parse::<StratumNumber>().is_err(), "{wrong}");
        }
    }
}
