//! Visit (检查任务): an enterprise that a plan sends a team to. Its number within the plan goes into the task number,
//! which is published with the result; so the numbers follow the credit codes and tell neither level nor stratum.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::credit_code::CreditCode;
use crate::record::Seq;

/// A visit as the seal, or a replacement, gives it out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignedVisit {
    /// Its place within the plan, from one.
    pub place: u32,
    /// Whom it goes to.
    pub enterprise: CreditCode,
    /// Whether it was drawn; otherwise it was listed by its rule (covered in full, due).
    pub drawn: bool,
    /// Who goes; none until somebody is named, for those that were listed.
    pub team: Option<Team>,
}

/// Staff numbers of the two who go (检查组).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    /// 组长
    pub lead: i64,
    /// The other.
    pub second: i64,
}

/// How a visit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VisitState {
    /// 待检查: no result yet.
    Open,
    /// 已替换: another enterprise came in its place.
    Replaced,
    /// 已办结: its result is on record.
    Done,
}

impl VisitState {
    /// By its name in the database.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Open, Self::Replaced, Self::Done].into_iter().find(|state| state.name() == name)
    }

    /// Its name in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Replaced => "replaced",
            Self::Done => "done",
        }
    }
}

impl fmt::Display for VisitState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "待检查",
            Self::Replaced => "已替换",
            Self::Done => "已办结",
        })
    }
}

/// What is done in an approved plan, one step a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum DrawStep {
    /// 冻结
    Freeze {
        /// Last moment to seal it, as certificates print times.
        deadline: String,
    },
    /// 见证: the freeze hash stood outside the bureau.
    Witness,
    /// 抽取
    Seal {
        /// Issue of the lottery.
        issue: String,
        /// The visits that follow.
        visits: Vec<AssignedVisit>,
    },
    /// 替换
    Replace {
        /// Place of the visit that gives way.
        removed: u32,
        /// The one that comes.
        visit: AssignedVisit,
    },
    /// 作废
    Void,
    /// 指派: the team of a visit is named, or another than before.
    Assign {
        /// Place of the visit.
        place: u32,
        /// Who goes.
        team: Team,
        /// Why it is not the team that was drawn; none for a visit that had none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// 结果: the result of a visit is on record.
    Result {
        /// Place of the visit.
        place: u32,
        /// The record of the inspection.
        record: Seq,
    },
    /// 公布名单: whom the plan visited is published.
    Names,
}

impl DrawStep {
    /// Its name in payloads.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Freeze { .. } => "freeze",
            Self::Witness => "witness",
            Self::Seal { .. } => "seal",
            Self::Replace { .. } => "replace",
            Self::Void => "void",
            Self::Assign { .. } => "assign",
            Self::Result { .. } => "result",
            Self::Names => "names",
        }
    }
}
