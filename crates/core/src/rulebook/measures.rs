//! Differentiated measures (差异化监管措施), folder `measures/`: beyond ratio, frequency and method of inspections, what an
//! officer may do with an enterprise of a level. They guide, warn and ease; none of them takes a right away.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

use super::{Citation, Head};

/// Measures of a field, by level.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelMeasures {
    /// Head of the rule.
    pub rule: Head,
    /// Whose level: `combined`, `general`, or a key field.
    pub field: String,
    /// Level → measures.
    pub levels: BTreeMap<String, Vec<LevelMeasure>>,
}

/// A measure that may be taken.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelMeasure {
    /// Stable name.
    #[schemars(with = "String")]
    pub id: Spanned<String>,
    /// 名称: 约谈、告诫、行政指导…
    pub title: String,
    /// Of what sort it is.
    pub nature: MeasureNature,
    /// What it consists of, as people read it.
    pub what: String,
    /// Where it is written; absent when ours.
    #[serde(default)]
    pub cite: Option<Citation>,
}

/// What a level may lead to. The list is closed: a file cannot make a level decide a licence, a penalty or anything else that
/// gives or takes a right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MeasureNature {
    /// 监督检查的安排: how often, how and where it is looked.
    Supervision,
    /// 指导帮扶
    Guidance,
    /// 约谈
    Interview,
    /// 告诫
    Admonition,
    /// 便利: less disturbance, reminders.
    Convenience,
}

impl MeasureNature {
    /// As files and records write it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Supervision => "supervision",
            Self::Guidance => "guidance",
            Self::Interview => "interview",
            Self::Admonition => "admonition",
            Self::Convenience => "convenience",
        }
    }
}
