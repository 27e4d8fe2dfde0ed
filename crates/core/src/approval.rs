//! Approval (审批): handle → review → approve, or back with a reason. A pure state machine: what a person
//! may do follows from the steps taken so far.
//!
//! Nobody acts in two capacities in one matter. Whoever handled it handles it again when it comes back;
//! whoever reviewed it reviews it again; no other step is theirs.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::record::Moment;
use crate::rulebook::approvals::Procedure;
use crate::staff::Permission;

/// Fewest characters of a reason for sending back or withdrawing.
pub const LEAST_REASON: usize = 5;

/// What a person does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// 经办提交: hands the matter in, or in again after it came back.
    Submit,
    /// 审核通过
    Review,
    /// 审批通过
    Approve,
    /// 退回, with a reason.
    SendBack,
    /// 撤回 by whoever handled it, with a reason.
    Withdraw,
}

/// Where a matter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// 经办: sent back, to be mended and handed in again.
    Handling,
    /// 待审核
    Reviewing,
    /// 待审批
    Approving,
    /// 已通过: what was proposed is on record.
    Passed,
    /// 已撤回
    Withdrawn,
}

/// A step that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was done.
    pub action: Action,
    /// Number of the staff member.
    pub person: i64,
    /// When.
    pub at: Moment,
    /// 意见
    pub opinion: Option<String>,
    /// Where the matter stood afterwards.
    pub stage: Stage,
}

/// Why a step is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The stage does not allow it.
    #[error("事项{stage}，不能{action}。请刷新页面查看最新进展")]
    NotNow {
        /// Where the matter stands.
        stage: Stage,
        /// What was tried.
        action: Action,
    },
    /// The person has another part in it.
    #[error("您在本事项中已经{0}，同一事项不能再由您办理其他环节。请由其他人员办理")]
    OtherCapacity(Capacity),
    /// It was handled by somebody else.
    #[error("本事项由他人经办，请由原经办人重新提交或撤回")]
    NotYours,
    /// Too short a reason.
    #[error("请写明理由，至少 {LEAST_REASON} 个字")]
    Reason,
}

/// A person's part in a matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capacity {
    /// 经办
    Handler,
    /// 审核
    Reviewer,
    /// 审批
    Approver,
}

impl Capacity {
    /// The permission that it takes.
    #[must_use]
    pub fn permission(self) -> Permission {
        match self {
            Self::Handler => Permission::Handle,
            Self::Reviewer => Permission::Review,
            Self::Approver => Permission::Approve,
        }
    }
}

impl Capacity {
    /// Its name in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Handler => "handler",
            Self::Reviewer => "reviewer",
            Self::Approver => "approver",
        }
    }
}

impl Stage {
    /// Whether somebody still has to do something.
    #[must_use]
    pub fn is_open(self) -> bool {
        self.capacity().is_some()
    }

    /// In what capacity somebody has to act next.
    #[must_use]
    pub fn capacity(self) -> Option<Capacity> {
        match self {
            Self::Handling => Some(Capacity::Handler),
            Self::Reviewing => Some(Capacity::Reviewer),
            Self::Approving => Some(Capacity::Approver),
            Self::Passed | Self::Withdrawn => None,
        }
    }

    /// By its name in the database.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Handling, Self::Reviewing, Self::Approving, Self::Passed, Self::Withdrawn]
            .into_iter()
            .find(|stage| stage.name() == name)
    }

    /// Its name in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Handling => "handling",
            Self::Reviewing => "reviewing",
            Self::Approving => "approving",
            Self::Passed => "passed",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl Action {
    /// By its name in the database.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Submit, Self::Review, Self::Approve, Self::SendBack, Self::Withdraw]
            .into_iter()
            .find(|action| action.name() == name)
    }

    /// Its name in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Review => "review",
            Self::Approve => "approve",
            Self::SendBack => "send_back",
            Self::Withdraw => "withdraw",
        }
    }

    /// In what capacity a person does it at a stage; none before the matter is opened.
    #[must_use]
    pub fn capacity(self, stage: Option<Stage>) -> Capacity {
        match self {
            Self::Submit | Self::Withdraw => Capacity::Handler,
            Self::Review => Capacity::Reviewer,
            Self::Approve => Capacity::Approver,
            Self::SendBack if stage == Some(Stage::Approving) => Capacity::Approver,
            Self::SendBack => Capacity::Reviewer,
        }
    }

    /// Whether it takes a reason.
    #[must_use]
    pub fn needs_reason(self) -> bool {
        matches!(self, Self::SendBack | Self::Withdraw)
    }
}

/// What follows when a person does something: the stage that the matter then has.
///
/// # Errors
/// With the sentence that the person reads.
pub fn advance(
    procedure: &Procedure,
    steps: &[Step],
    action: Action,
    person: i64,
    opinion: Option<&str>,
) -> Result<Stage, Refusal> {
    let stage = steps.last().map(|step| step.stage);
    let capacity = action.capacity(stage);
    let next = match (stage, action) {
        (None | Some(Stage::Handling), Action::Submit) if procedure.review => Stage::Reviewing,
        (None | Some(Stage::Handling), Action::Submit) => Stage::Approving,
        (Some(Stage::Reviewing), Action::Review) if procedure.approve => Stage::Approving,
        (Some(Stage::Reviewing), Action::Review) | (Some(Stage::Approving), Action::Approve) => Stage::Passed,
        (Some(Stage::Reviewing | Stage::Approving), Action::SendBack) => Stage::Handling,
        (Some(Stage::Handling | Stage::Reviewing | Stage::Approving), Action::Withdraw) => Stage::Withdrawn,
        _ => return Err(Refusal::NotNow { stage: stage.unwrap_or(Stage::Handling), action }),
    };
    if let Some(other) = parts(steps).find(|(who, part)| *who == person && *part != capacity).map(|(_, part)| part) {
        return Err(Refusal::OtherCapacity(other));
    }
    if capacity == Capacity::Handler && steps.first().is_some_and(|step| step.person != person) {
        return Err(Refusal::NotYours);
    }
    if action.needs_reason() && opinion.is_none_or(|opinion| opinion.trim().chars().count() < LEAST_REASON) {
        return Err(Refusal::Reason);
    }
    Ok(next)
}

/// Who had which part so far.
fn parts(steps: &[Step]) -> impl Iterator<Item = (i64, Capacity)> {
    let before = std::iter::once(None).chain(steps.iter().map(|step| Some(step.stage)));
    steps.iter().zip(before).map(|(step, stage)| (step.person, step.action.capacity(stage)))
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Submit => "提交",
            Self::Review => "审核通过",
            Self::Approve => "审批通过",
            Self::SendBack => "退回",
            Self::Withdraw => "撤回",
        })
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Handling => "已退回经办",
            Self::Reviewing => "待审核",
            Self::Approving => "待审批",
            Self::Passed => "已通过",
            Self::Withdrawn => "已撤回",
        })
    }
}

impl fmt::Display for Capacity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Handler => "经办",
            Self::Reviewer => "审核",
            Self::Approver => "审批",
        })
    }
}
