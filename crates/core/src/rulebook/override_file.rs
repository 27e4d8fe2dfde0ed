//! Override file (下级改动): how a lower jurisdiction changes single values of an upper rule, as far as
//! that rule permits.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Citation;
use crate::record::Day;

/// Changed values of a rule of an upper jurisdiction, for a time.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OverrideFile {
    /// The rule that is changed: `kinds/penalty`.
    pub overrides: String,
    /// First day of the change.
    pub from: Day,
    /// Last day of the change; absent while it holds.
    #[serde(default)]
    pub until: Option<Day>,
    /// Where the change is written; at least one.
    pub cite: Vec<Citation>,
    /// Dotted path of a key that the rule's `may_override` names → its value here.
    pub set: BTreeMap<String, serde_json::Value>,
}
