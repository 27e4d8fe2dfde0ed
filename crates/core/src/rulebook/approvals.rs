//! Approval (审批), folder `approvals/`: which steps a matter takes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Head;

/// The steps that matters of a type take after they are handled. At least one is needed.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Procedure {
    /// Head of the rule; its id is the type of the matters.
    pub rule: Head,
    /// Whether another person reviews (审核).
    pub review: bool,
    /// Whether a further person approves (审批).
    pub approve: bool,
}
