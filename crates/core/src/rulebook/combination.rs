//! Combination of the key field's level with the general level, folder `combinations/`:
//! the field leads, the general level assists (重点领域为主、通用为辅).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Head;
use super::kind::Period;

/// Combination table.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Combination {
    /// Head of the rule.
    pub rule: Head,
    /// Field's level → general level → level of the enterprise.
    pub table: BTreeMap<String, BTreeMap<String, String>>,
    /// Why the table says so, printed in explanations.
    pub reason: String,
    /// How far a person may move the level (人工调整); absent: not at all.
    #[serde(default)]
    pub adjustment: Option<AdjustmentLimits>,
}

/// How far a person may move a level, and for how long. What a direct determination decided is never moved down.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdjustmentLimits {
    /// Most levels, up or down.
    pub most_levels: u32,
    /// Longest time from the day on which it was decided.
    pub lasts_at_most: Period,
}
