//! Clocks (期限) as they are kept: the projection `deadline`, what happened to them, and late submissions.

use xinheng_core::deadline::{Clock, Event, LateSubmission};
use xinheng_core::record::{Day, Seq};

use crate::error::Result;
use crate::store::Store;
use crate::writing::Writing;

/// Which open clocks are wanted.
#[derive(Clone, Debug, Default)]
pub struct OpenClocks<'a> {
    /// Only those that this unit owes; absent: the whole bureau's.
    pub unit: Option<&'a str>,
    /// Only those of this rule.
    pub rule: Option<&'a str>,
    /// Those after this place in the order.
    pub after: Option<ClockPlace>,
    /// How many at most.
    pub limit: u64,
}

/// Place in the order of open clocks: by last day, then rule and record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockPlace {
    /// Last day.
    pub due_on: Day,
    /// Rule.
    pub rule: String,
    /// Record.
    pub seq: Seq,
}

/// An open clock with what a list shows beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedClock {
    /// The clock.
    pub clock: Clock,
    /// Name of the enterprise, once known.
    pub enterprise_name: Option<String>,
    /// 文号 of the record.
    pub document_number: Option<String>,
}

/// How many open clocks there are of each colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockCounts {
    /// With time left, or paused.
    pub green: u64,
    /// Soon due.
    pub yellow: u64,
    /// Due or overdue.
    pub red: u64,
}

/// Late submissions of a unit and kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LateCount {
    /// Unit.
    pub unit: String,
    /// Kind.
    pub kind: String,
    /// How many.
    pub records: u64,
    /// The longest delay, in working days.
    pub longest: u32,
}

impl Store {
    /// Open clocks by their last day. One query.
    pub async fn open_clocks(&self, wanted: &OpenClocks<'_>) -> Result<Vec<ListedClock>> { todo!() }
    /// How many open clocks of each colour a unit, or the bureau, has on a day. One query.
    pub async fn clock_counts(&self, unit: Option<&str>, day: Day) -> Result<ClockCounts> { todo!() }
    /// All clocks of records of an enterprise.
    pub async fn clocks_of_enterprise(&self, enterprise: xinheng_core::credit_code::CreditCode) -> Result<Vec<Clock>> { todo!() }
    /// Late submissions received in an interval, by unit and kind. One query.
    pub async fn late_counts(&self, unit: Option<&str>, from: Day, until: Day) -> Result<Vec<LateCount>> { todo!() }
    /// Late submissions one by one, the newest first.
    pub async fn late_submissions(&self, unit: Option<&str>, before: Option<Seq>, limit: u64) -> Result<Vec<LateSubmission>> { todo!() }
}
