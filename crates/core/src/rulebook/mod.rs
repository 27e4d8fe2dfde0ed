//! Rulebook (规则库): the regulations as dated, cited data. The types of the rule files are here and
//! beside; reading and checking them is in [`load`].

pub mod alerts;
mod amend;
pub mod approvals;
pub mod calendars;
pub mod cases;
mod check;
pub mod check_case;
pub mod combination;
pub mod deadlines;
mod fault;
pub mod inspections;
pub mod kind;
pub mod load;
pub mod lotteries;
pub mod measures;
pub mod model;
mod node;
pub mod outcome;
pub mod override_file;
mod read;
pub mod relations;
pub mod schema;
mod shelf;
pub mod table;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

use crate::record::Day;

/// The head that every rule file begins with.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Stable name; together with the folder it names the rule: `models/general`.
    #[schemars(with = "String")]
    pub id: Spanned<String>,
    /// 名称, as people read it.
    pub title: String,
    /// First day of validity.
    pub from: Day,
    /// Last day of validity; absent while in force.
    #[serde(default)]
    pub until: Option<Day>,
    /// Whether the rule is law or our default, which acts only after the bureau has signed it.
    pub status: Status,
    /// How many different persons have to sign a default of ours before it acts.
    #[serde(default = "one_signature")]
    pub signatures: usize,
    /// Where it is written. Required for a confirmed rule.
    #[serde(default)]
    pub cite: Vec<Citation>,
    /// What a lower jurisdiction may change, and in which direction. Default: nothing.
    #[serde(default)]
    pub may_override: Vec<OverridePermission>,
    /// Remarks for those who keep the rule.
    #[serde(default)]
    pub note: Option<String>,
}

fn one_signature() -> usize {
    1
}

/// Whether a rule is law or ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Read in the cited document.
    Confirmed,
    /// Our default, to be replaced or signed by the bureau (本系统缺省，待本局签署).
    Default,
}

/// 法律依据
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Citation {
    /// 文件名称
    pub document: String,
    /// 文号
    #[serde(default)]
    pub number: Option<String>,
    /// 条款
    #[serde(default)]
    pub article: Option<String>,
}

/// Who may change what, and which way.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OverridePermission {
    /// Dotted path of the key within the file; a list element is named by its id or name.
    pub key: String,
    /// Jurisdictions that may.
    pub by: Vec<Jurisdiction>,
    /// Which way the number may move.
    pub direction: Direction,
}

/// Level of government whose folder a rule file is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Jurisdiction {
    /// 国家
    National,
    /// 省
    Province,
    /// 县
    County,
}

/// Permitted direction of an override.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Only a smaller number.
    Lower,
    /// Only a larger number.
    Higher,
    /// Any other value.
    Any,
}

impl Head {
    /// Whether the rule is valid on the day.
    #[must_use]
    pub fn in_force(&self, day: Day) -> bool {
        self.from <= day && self.until.is_none_or(|until| day <= until)
    }
}

impl std::fmt::Display for Jurisdiction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::National => "国家级",
            Self::Province => "省级",
            Self::County => "县级",
        })
    }
}

impl std::fmt::Display for Citation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "《{}》", self.document)?;
        if let Some(number) = &self.number {
            write!(f, "（{number}）")?;
        }
        f.write_str(self.article.as_deref().unwrap_or_default())
    }
}
