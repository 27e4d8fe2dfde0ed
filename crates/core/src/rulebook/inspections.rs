//! Inspection item (抽查事项), folder `inspections/`: whom it is about, who is not drawn, what each level means for the
//! ratio, the frequency and the method. `plan.rs` carries it out.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

use super::model::Requirement;
use super::{Citation, Head};

/// An item of the list of inspection items (抽查事项清单). An item that is not published may not be carried out
/// (国办发〔2024〕54号): the public page of items shows those that act, and only those may stand in a plan.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InspectionItem {
    /// Head of the rule.
    pub rule: Head,
    /// 抽查类别
    pub category: String,
    /// 检查对象, in words.
    pub object: String,
    /// General or key.
    pub class: ItemClass,
    /// Whose levels: `combined`, `general` or a key field. Its objects are the enterprises with such a level.
    pub scope: String,
    /// What must hold of an object besides: all of these.
    #[serde(default)]
    pub objects: Vec<Requirement>,
    /// Who is not drawn. The first that matches is the reason.
    #[serde(default)]
    pub exclusions: Vec<Ground>,
    /// What keeps a low level from being left out (特殊情形). The first that matches is the reason.
    #[serde(default)]
    pub circumstances: Vec<Circumstance>,
    /// What each level of the scope means, from the least to the greatest risk.
    pub measures: Vec<Measure>,
    /// Least ratio of a plan, per 10,000 of all objects.
    pub least_ratio: u32,
    /// Ratio that a plan proposes, per 10,000 of all objects.
    pub usual_ratio: u32,
    /// Share of the quota that is drawn without regard to level, per 10,000, so that the levels themselves can be
    /// checked.
    pub exploration: u32,
    /// What its inspectors must have.
    #[serde(default)]
    pub needs: Needs,
    /// Whether a visit covers all check points (全项目检查).
    #[serde(default)]
    pub full_check: bool,
    /// Fields of an inspection of type `share` that its form asks for (各章节): failed of applicable weight.
    #[serde(default)]
    pub chapters: Vec<String>,
    /// How many inspectors a visit takes.
    pub team: u32,
    /// How long one visit takes the team, for the preview of a plan.
    pub minutes: u32,
    /// Contents and standards of the check (检查内容与标准).
    pub checklist: Vec<ChecklistLine>,
    /// Grounds on which a pick may be replaced (替换情形).
    pub replacement_grounds: Vec<String>,
}

/// Class of an item (事项类别).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ItemClass {
    /// 一般检查事项: the ratio is strictly limited.
    General,
    /// 重点检查事项: safety, quality, public interest; no upper limit.
    Key,
}

/// Why an enterprise is not drawn (不抽取的情形).
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ground {
    /// Stable name.
    #[schemars(with = "String")]
    pub id: Spanned<String>,
    /// What people read: 「本年度已达检查频次上限」.
    pub title: String,
    /// Only these levels; empty: any.
    #[serde(default)]
    pub levels: Vec<String>,
    /// All of these must hold.
    pub when: Vec<Requirement>,
    /// Where it is written; absent when ours.
    #[serde(default)]
    pub cite: Option<Citation>,
}

/// A circumstance in which an enterprise of low risk is not left out (特殊情形).
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Circumstance {
    /// Stable name.
    #[schemars(with = "String")]
    pub id: Spanned<String>,
    /// What people read: 「两年内未进行全项目检查」.
    pub title: String,
    /// Only these levels; empty: any.
    #[serde(default)]
    pub levels: Vec<String>,
    /// All of these must hold; empty: nothing else is asked.
    #[serde(default)]
    pub when: Vec<Requirement>,
    /// Whether such enterprises are listed by rule and not drawn, when the plan says so.
    #[serde(default)]
    pub listed: bool,
    /// Whether it acts (default: it does). A circumstance without conditions holds for everybody: it is a switch that
    /// a province turns on where nobody may be left out.
    #[serde(default = "yes")]
    pub acts: bool,
    /// Where it is written; absent when ours.
    #[serde(default)]
    pub cite: Option<Citation>,
}

const fn yes() -> bool {
    true
}

/// What a level means for the inspection (差异化监管措施).
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// Level.
    pub level: String,
    /// Its ratio, per 10,000 of that of the general level (信用风险一般).
    pub weight: u32,
    /// Whether all of the level are listed by rule and not drawn (全覆盖).
    #[serde(default)]
    pub full: bool,
    /// How often in a year.
    pub visits: VisitsPerYear,
    /// In which ways.
    pub methods: Vec<Method>,
    /// Whether a plan may leave the level out, apart from special circumstances.
    #[serde(default)]
    pub may_leave_out: bool,
    /// Where it is written; absent when ours.
    #[serde(default)]
    pub cite: Option<Citation>,
}

/// Visits in a year (年检查频次).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VisitsPerYear {
    /// At least.
    pub least: u32,
    /// At most, in the normal course.
    pub most: u32,
}

/// Way of inspecting (检查方式).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// 书面检查
    DeskReview,
    /// 实地检查
    OnSite,
    /// 网络监测
    OnlineMonitoring,
    /// 委托专业机构
    Commissioned,
}

/// What an item asks of its inspectors (检查人员要求).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Needs {
    /// A key field that they must be qualified for.
    #[serde(default)]
    pub qualification: Option<String>,
    /// Whether they need a professional certificate (专业证).
    #[serde(default)]
    pub professional: bool,
}

/// A line of the checklist (检查表).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChecklistLine {
    /// 检查内容
    pub content: String,
    /// 检查标准
    pub standard: String,
    /// Where it is written; absent when ours.
    #[serde(default)]
    pub cite: Option<Citation>,
}

/// What all weights are per.
pub const WHOLE: u32 = 10_000;

impl InspectionItem {
    /// The measure of a level.
    #[must_use]
    pub fn measure(&self, level: &str) -> Option<&Measure> {
        self.measures.iter().find(|measure| measure.level == level)
    }
}

impl Measure {
    /// Whether the level's risk is over the general one (信用风险较高、高): more often, always on site, never left out.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.weight > WHOLE
    }
}

impl ItemClass {
    /// What people read.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::General => "一般检查事项",
            Self::Key => "重点检查事项",
        }
    }
}

impl Method {
    /// What people read.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::DeskReview => "书面检查",
            Self::OnSite => "实地检查",
            Self::OnlineMonitoring => "网络监测",
            Self::Commissioned => "委托专业机构",
        }
    }
}

impl fmt::Display for Method {
    /// As rule files write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
