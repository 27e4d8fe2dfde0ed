//! Deadline (期限), folder `deadlines/`: what starts a clock, how long it runs, what ends it, who owes it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Head;
use super::kind::{EndedBy, Term};
use super::model::Condition;

/// A rule that starts clocks. It holds for records formed while it is in force.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeadlineRule {
    /// Head of the rule.
    pub rule: Head,
    /// What has to be done, as people read it: 「在国家企业信用信息公示系统公示」.
    pub duty: String,
    /// What starts a clock.
    pub starts: Start,
    /// How long it runs. The day it starts from is not counted.
    pub term: Term,
    /// What ends it: the earliest counts. All events of a rule match on the same fields of the record that
    /// started the clock.
    #[serde(default)]
    pub ends: Vec<EndedBy>,
    /// Own field with the day on which it was done, for records that bring it with them.
    #[serde(default)]
    pub done_on: Option<String>,
    /// What makes it pause. The days of a pause are not counted.
    #[serde(default)]
    pub pauses: Vec<EndedBy>,
    /// What makes it go on.
    #[serde(default)]
    pub resumes: Vec<EndedBy>,
    /// Unit that owes it; absent: the unit that the record came from.
    #[serde(default)]
    pub owed_by: Option<String>,
    /// From how few working days left it is yellow and red.
    pub alerts: Alerts,
}

/// What starts a clock.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// Kind of record.
    pub kind: String,
    /// Conditions that must all hold.
    #[serde(default, rename = "where")]
    pub conditions: Vec<Condition>,
    /// Only records that the publicity rule of the kind has published.
    #[serde(default)]
    pub published: bool,
    /// Field with the day it is counted from; absent: the day on which the record was formed.
    #[serde(default)]
    pub from: Option<String>,
    /// Counted from the day on which the record reached us.
    #[serde(default)]
    pub from_received: bool,
}

/// Thresholds of the colours, in working days left.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alerts {
    /// Yellow with so many left, or fewer.
    pub yellow: u32,
    /// Red with so many left, or fewer. Zero: on the last day and after it.
    pub red: u32,
}

impl DeadlineRule {
    /// Everything that happens to its clocks.
    pub fn events(&self) -> impl Iterator<Item = &EndedBy> {
        self.ends.iter().chain(&self.pauses).chain(&self.resumes)
    }
}
