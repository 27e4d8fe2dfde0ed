//! Relations between enterprises (关联关系), folder `relations/`: which of them share an address or a person, and what that
//! makes of a record of each. They are derived before scoring, so that a model still looks at one enterprise alone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Head;
use super::model::Requirement;

/// A rule that derives one relation.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RelationRule {
    /// Head of the rule.
    pub rule: Head,
    /// The value of `relation` in the records that it makes.
    pub relation: String,
    /// Which enterprises are looked at: all of these must hold.
    pub among: Vec<Requirement>,
    /// What those that belong together have in common.
    pub shared: Shared,
    /// Which of the others are counted: any of these must hold. Absent: all, and the enterprise itself.
    #[serde(default)]
    pub counting: Vec<Requirement>,
    /// Smaller counts make no record.
    pub at_least: i64,
}

/// Values that belong together are equal in any of these fields.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shared {
    /// Kind of record; its latest record counts.
    pub kind: String,
    /// Fields. Either all are personal, then they are compared sealed as they are, or none is.
    pub fields: Vec<String>,
    /// Shorter values, signs and spaces left out, say nothing (“无”, a town's name).
    #[serde(default)]
    pub least_characters: usize,
}
