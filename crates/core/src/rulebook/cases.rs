//! Cases (算例), folder `tests/`: given records, on a day, expect a result, with the article.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::points::Points;
use crate::record::{Day, Value};

/// A file of cases for one rule.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseFile {
    /// Rule under test: a model (`models/general`), the publicity of a kind (`kinds/penalty`), a rule on deadlines
    /// (`deadlines/penalty_publication`), or whom an inspection item draws (`inspections/annual_report`).
    pub rule: String,
    /// The cases.
    pub cases: Vec<Case>,
}

/// A case: a sentence that a legal officer can sign.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The sentence.
    pub name: String,
    /// Article, or section of the domain notes, it is from.
    #[serde(default)]
    pub cite: Option<String>,
    /// Day of the question.
    pub on: Day,
    /// Of an inspection item: the level that the enterprise has in its scope.
    #[serde(default)]
    pub level: Option<String>,
    /// Records of one enterprise, in ledger order.
    pub given: Vec<GivenRecord>,
    /// What must come out.
    pub expect: Expectation,
}

/// A record of a case.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GivenRecord {
    /// Kind.
    pub kind: String,
    /// The day in the world.
    pub occurred_on: Day,
    /// The day on which it reached us; absent: the same.
    #[serde(default)]
    pub received_on: Option<Day>,
    /// Fields.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub fields: BTreeMap<String, Value>,
}

/// What a case expects; whatever is absent is not compared.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// Whether the model grades the enterprise at all.
    #[serde(default)]
    pub applies: Option<bool>,
    /// Final level.
    #[serde(default)]
    pub level: Option<String>,
    /// Level by points alone.
    #[serde(default)]
    pub level_by_points: Option<String>,
    /// Total.
    #[serde(default)]
    pub total: Option<Points>,
    /// Points of indicators after their caps.
    #[serde(default)]
    pub indicators: BTreeMap<String, Points>,
    /// Overrides that apply, in order.
    #[serde(default)]
    pub overrides: Option<Vec<String>>,
    /// Of the publicity of a kind: what is decided of the last record of the kind.
    #[serde(default)]
    pub publicity: Option<ExpectedPublicity>,
    /// Of an inspection item: where the enterprise stands in a plan that leaves low levels out and lists who is due.
    #[serde(default)]
    pub placement: Option<ExpectedPlacement>,
    /// Of a rule on deadlines: the clock of the last record that the rule is about.
    #[serde(default)]
    pub clock: Option<ExpectedClock>,
}

/// What must be decided of publicity; of what is absent, only `public` is compared.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectedPublicity {
    /// Whether it is public on the day.
    pub public: bool,
    /// The first day.
    #[serde(default)]
    pub since: Option<Day>,
    /// The last day.
    #[serde(default)]
    pub until: Option<Day>,
    /// Id of the term that decides.
    #[serde(default)]
    pub term: Option<String>,
    /// Fields that must be public.
    #[serde(default)]
    pub shows: Vec<String>,
    /// Fields that must not be.
    #[serde(default)]
    pub hides: Vec<String>,
}

/// Where an enterprise must stand in a plan.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectedPlacement {
    /// `not_an_object`, `excluded`, `listed`, `drawn` or `left_out`.
    pub state: PlacementState,
    /// Id of the exclusion or circumstance that decides.
    #[serde(default)]
    pub by: Option<String>,
}

/// Where an enterprise stands in a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlacementState {
    /// The item is not about it.
    NotAnObject,
    /// Not drawn.
    Excluded,
    /// Visited by rule.
    Listed,
    /// Drawn from by its level.
    Drawn,
    /// Drawn for exploration only.
    LeftOut,
}

/// How a clock must stand.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectedClock {
    /// Whether there is one (default: there is).
    #[serde(default)]
    pub started: Option<bool>,
    /// The last day.
    #[serde(default)]
    pub due_on: Option<Day>,
    /// `running`, `paused`, `in_time` or `late`.
    #[serde(default)]
    pub state: Option<ClockState>,
    /// Working days left on the day.
    #[serde(default)]
    pub left: Option<i32>,
    /// `green`, `yellow` or `red`, of a clock that has not ended.
    #[serde(default)]
    pub colour: Option<ClockColour>,
}

/// State of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClockState {
    /// It runs.
    Running,
    /// It stands still.
    Paused,
    /// It ended in time.
    InTime,
    /// It ended too late.
    Late,
}

/// Colour of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClockColour {
    /// There is time.
    Green,
    /// Soon due.
    Yellow,
    /// Due or overdue.
    Red,
}
