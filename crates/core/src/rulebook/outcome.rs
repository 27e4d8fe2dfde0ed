//! Outcome (检验结果) of a back-test: which records are visits, and which of them found something. A file of
//! the user's, outside of the rulebook.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Head;
use super::kind::Kind;
use super::model::Condition;
use crate::record::Payload;
use crate::score::fulfils;

/// What a back-test looks for.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Head of the rule.
    pub rule: Head,
    /// Kind of the records that are visits. Of nature `event`: what happened on a day.
    pub kind: String,
    /// Which of them are looked at: all of these must hold. Empty: every one.
    #[serde(default, rename = "where")]
    pub conditions: Vec<Condition>,
    /// A visit found something when all of these hold.
    pub found: Vec<Condition>,
}

impl Outcome {
    /// Whether a record of the kind found something; none when it is not looked at.
    #[must_use]
    pub fn of(&self, kind: &Kind, payload: &Payload) -> Option<bool> {
        let hold = |conditions: &[Condition]| conditions.iter().all(|one| fulfils(one, kind, payload));
        hold(&self.conditions).then(|| hold(&self.found))
    }
}
