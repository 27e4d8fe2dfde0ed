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
    /// Rule under test, `models/general`.
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
    /// Day of scoring.
    pub on: Day,
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
}
