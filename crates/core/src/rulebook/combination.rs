//! Combination of the key field's level with the general level, folder `combinations/`:
//! the field leads, the general level assists (重点领域为主、通用为辅).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Head;

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
}
