//! Alert (预警), folder `alerts/`: what an officer must look at, and at which desk. `alert.rs` carries it out; how soon it
//! must be answered is a rule of `deadlines/`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::Filter;
use super::{Citation, Head};

/// An alert. Exactly one of `worse_level`, `determined`, `expiring` and `several` is given.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alert {
    /// Head of the rule.
    pub rule: Head,
    /// A level got worse.
    #[serde(default)]
    pub worse_level: Option<WorseLevel>,
    /// A direct determination (直接判定) of a model holds.
    #[serde(default)]
    pub determined: Option<Determined>,
    /// Something ends soon.
    #[serde(default)]
    pub expiring: Option<Expiring>,
    /// Several records of a kind came together.
    #[serde(default)]
    pub several: Option<Several>,
    /// Units that it may go to, by name: the first that the bureau has.
    pub desk: Vec<String>,
    /// What the desk should do, as people read it.
    pub advice: String,
    /// Where it is written; absent when ours.
    #[serde(default)]
    pub cite: Option<Citation>,
}

/// A level that got worse.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorseLevel {
    /// Whose level: `combined`, `general`, `received_level` or a key field.
    pub scope: String,
    /// By so many levels or more.
    pub by: u32,
    /// Only when it is now one of these; empty: any.
    #[serde(default)]
    pub to: Vec<String>,
}

/// A direct determination that holds.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Determined {
    /// Id of the model.
    pub model: String,
    /// Which of its direct determinations; empty: any.
    #[serde(default)]
    pub ids: Vec<String>,
}

/// Something that ends soon.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expiring {
    /// Which records.
    pub records: Filter,
    /// Field with the day on which it ends.
    pub field: String,
    /// So many days before it, or fewer.
    pub within_days: u32,
}

/// Several records that came together, within the window of the filter.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Several {
    /// Which records.
    pub records: Filter,
    /// So many or more.
    pub at_least: u32,
}
