//! What a draw refuses, each with the sentence that the person at the desk reads.

use thiserror::Error;

use super::words::{Line, Time};
use crate::credit_code::CreditCode;

/// Why a draw cannot be frozen, witnessed, sealed, or a pick not replaced.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// There is nothing to draw from.
    #[error("没有可抽取的分组。请先确定抽查事项和抽查对象")]
    NoStratum,
    /// Two strata have one label.
    #[error("分组“{0}”出现了两次，请合并")]
    LabelTwice(Line),
    /// A quota is zero.
    #[error("分组“{0}”的抽取数为零。请至少抽取一家，或去掉这一分组")]
    NoQuota(Line),
    /// What is covered in full is not drawn.
    #[error("分组“{label}”共{candidates}家，抽取数{quota}不少于家数。全数检查的不抽取，应按规则直接列入名单")]
    NotLargerThanQuota {
        /// Its label.
        label: Line,
        /// How many stand in it.
        candidates: usize,
        /// How many were to be picked.
        quota: u64,
    },
    /// An enterprise stands in one stratum of a draw.
    #[error("企业{code}同时在分组“{one}”和“{other}”中。一次抽查中每家企业只在一个分组")]
    InTwoStrata {
        /// The enterprise.
        code: CreditCode,
        /// A stratum.
        one: Line,
        /// Another, or the same.
        other: Line,
    },
    /// Numbers of draws are used once.
    #[error("抽查编号“{0}”已经用过，请换一个")]
    NumberUsed(Line),
    /// One open freeze per plan.
    #[error("本计划的抽查“{0}”已冻结而尚未抽取。请先完成抽取或公布作废")]
    StillOpen(Line),
    /// The chain of a plan's draws has no gap.
    #[error("本计划已有抽查“{0}”，本次抽查必须写明接续它")]
    FollowsMissing(Line),
    /// It follows something else than the plan's draw before it.
    #[error("接续的抽查“{named}”不是本计划的上一次抽查{}", .previous.as_ref().map(|one| format!("（上一次是“{one}”）")).unwrap_or_default())]
    FollowsUnknown {
        /// What was named.
        named: Line,
        /// What should have been.
        previous: Option<Line>,
    },
    /// The numbers may be known already.
    #[error("随机来源“{source_name}”于{due}开奖，不晚于冻结时间{frozen_at}。请选用冻结之后开奖的一期")]
    EntropyNotAhead {
        /// Lottery.
        source_name: Line,
        /// When it is drawn.
        due: Time,
        /// When the draw was to be frozen.
        frozen_at: Time,
    },
    /// One seed for all rounds lets whoever chooses the size steer the result.
    #[error("随机来源“{source_name}”的这一期已用于本计划的抽查“{draw}”。补充抽取、重新抽取必须用新的一期")]
    OldEntropy {
        /// Lottery.
        source_name: Line,
        /// The earlier draw.
        draw: Line,
    },
    /// It was published before it existed.
    #[error("见证时间{at}早于冻结时间{frozen_at}，请核对")]
    WitnessedBeforeFreeze {
        /// When it was said to be published.
        at: Time,
        /// When it was frozen.
        frozen_at: Time,
    },
    /// Nobody outside could see what was fixed.
    #[error("冻结校验值还没有在局外公布。开奖前没有公布的，本次抽查只能作废")]
    NotWitnessed,
    /// It was published when the numbers may have been known.
    #[error("冻结校验值于{at}公布，不早于开奖时间{due}。本次抽查只能作废")]
    WitnessedTooLate {
        /// When it was published.
        at: Time,
        /// When the lottery was drawn.
        due: Time,
    },
    /// The lottery is not drawn yet.
    #[error("随机来源于{due}开奖，现在是{at}，还不能抽取")]
    BeforeItsTime {
        /// When it is drawn.
        due: Time,
        /// When it was to be sealed.
        at: Time,
    },
    /// An unwelcome outcome cannot be thrown away in silence.
    #[error("抽取期限是{deadline}，现在是{at}，已经超过。本次抽查只能公布作废")]
    PastDeadline {
        /// Last moment.
        deadline: Time,
        /// When it was to be sealed.
        at: Time,
    },
    /// The value is of another lottery, or written in another way.
    #[error("本次抽查冻结的随机来源是“{frozen}”，填写的是“{given}”")]
    OtherLottery {
        /// Source and format that were frozen.
        frozen: String,
        /// Those of the value.
        given: String,
    },
    /// A replacement for a ground that the plan did not foresee.
    #[error("“{0}”不是计划中预定的替换情形。可另行发起补充抽取")]
    GroundNotForeseen(Line),
    /// What is to be replaced is not on the list of picks.
    #[error("要替换的对象不在现有的抽中名单上，请核对")]
    NotStanding,
    /// The stratum is used up.
    #[error("这一分组已经没有可以递补的对象")]
    NobodyLeft,
    /// Records go forward in time.
    #[error("替换时间{at}早于前一步的时间{previous}，请核对")]
    OutOfOrder {
        /// When it was to be recorded.
        at: Time,
        /// What came before it.
        previous: Time,
    },
    /// Inspectors are told apart by their id.
    #[error("检查人员编号“{0}”出现了两次")]
    InspectorTwice(Line),
    /// No team may go to some enterprise, whoever is free.
    #[error(
        "分组“{label}”中有{enterprises}家企业派不出检查组：至少要有两名具备事项资格、不需回避的检查人员，其中一名可任组长"
    )]
    NoPair {
        /// Its label.
        label: Line,
        /// How many enterprises have none.
        enterprises: u64,
    },
    /// The plan asks for more visits than the inspectors can make.
    #[error(
        "检查力量不足：最不利时有{needed}人次只能由{inspectors}承担，而他们合计只能承担{capacity}人次。请减少抽取数、增加人员或延长检查期限"
    )]
    OverCapacity {
        /// How many seats nobody else can take in the worst outcome.
        needed: u64,
        /// Who would have to take them.
        inspectors: String,
        /// How many they can take.
        capacity: u64,
    },
    /// Recusals are too many for a proof that whatever is picked can be staffed.
    #[error("回避情形过多、检查力量过紧，不能确认无论抽中哪些对象都能组成检查组。请增加人员或减少抽取数")]
    NotShown,
    /// The teams of this outcome cannot be formed.
    #[error("现有检查人员不能为全部抽中对象组成检查组")]
    NoTeams,
}
