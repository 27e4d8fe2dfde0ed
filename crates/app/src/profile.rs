//! Enterprise profile (企业360°): everything on record about one enterprise, as of a day and as known up
//! to a seq, in one timeline; and a single record with where it came from.

use serde::Serialize;
use xinheng_core::credit_code::CreditCode;
use xinheng_core::ledger::Hash;
use xinheng_core::record::{Day, Moment, Seq};

use crate::Bureau;

/// A field with what people read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownField {
    /// Name in payloads.
    pub name: String,
    /// 名称
    pub title: String,
    /// What people read; none for a personal value, which is shown masked and never leaves the store here.
    pub value: Option<String>,
}

/// What has become of a record, as of the day and as known then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// 有效
    InEffect,
    /// 尚未发生: its day is after the day looked at.
    NotYet,
    /// 已被更新或更正, by that record.
    Superseded(Seq),
    /// 已撤销, by that record (its own seq for the withdrawal itself).
    Withdrawn(Seq),
    /// 已结束, the first day on which it was no longer in effect.
    Ended(Day),
    /// 已修复, the day of the repair.
    Repaired(Day),
}

/// One record in the timeline.
#[derive(Clone, Debug, Serialize)]
pub struct TimelineItem {
    /// The record.
    pub seq: Seq,
    /// Kind of record.
    pub kind: String,
    /// 名称 of the kind.
    pub kind_title: String,
    /// The day in the world.
    pub occurred_on: Day,
    /// What happened, in a short sentence from the kind's fields.
    pub summary: String,
    /// 文号
    pub document_number: Option<String>,
    /// Code of the unit that handed it in.
    pub source_unit: String,
    /// When we knew.
    #[serde(serialize_with = "crate::as_text")]
    pub received_at: Moment,
    /// What has become of it.
    pub state: State,
    /// The record that it supersedes.
    pub supersedes: Option<Seq>,
}

/// A list that the enterprise is or was on (名录、名单).
#[derive(Clone, Debug, Serialize)]
pub struct ListLine {
    /// Kind of the entry: `abnormal_entry`, `serious_entry`.
    pub kind: String,
    /// 名称
    pub title: String,
    /// The entry.
    pub seq: Seq,
    /// 列入日期
    pub since: Day,
    /// The first day on which it was no longer on it.
    pub until: Option<Day>,
    /// 原因
    pub reason: Option<String>,
    /// 决定机关
    pub authority: Option<String>,
}

/// A licence with its validity.
#[derive(Clone, Debug, Serialize)]
pub struct LicenseLine {
    /// The record.
    pub seq: Seq,
    /// 许可证编号
    pub number: Option<String>,
    /// 名称
    pub name: Option<String>,
    /// 许可机关
    pub authority: Option<String>,
    /// 有效期自
    pub valid_from: Option<Day>,
    /// 有效期至; none: without end.
    pub valid_until: Option<Day>,
    /// Whether it is valid on the day.
    pub valid: bool,
}

/// A level from a run on.
#[derive(Clone, Debug, Serialize)]
pub struct LevelStep {
    /// The run's record.
    pub run: Seq,
    /// The day it is of.
    pub as_of: Day,
    /// Scope.
    pub scope: String,
    /// 名称 of the scope.
    pub scope_title: String,
    /// Level; none: no longer graded.
    pub level: Option<String>,
    /// Points, in thousandths.
    pub total_milli: Option<i64>,
    /// Whether it may act.
    pub in_force: bool,
}

/// Where the as-of slider can stand: what changed when.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Steps {
    /// Days in the world on which something began, ended or was repaired, in order.
    pub days: Vec<Day>,
    /// Seqs after which the bureau knew more, in order, each with the day on which it came to know.
    pub known: Vec<(Seq, Day)>,
}

/// Everything about one enterprise.
#[derive(Clone, Debug, Serialize)]
pub struct Profile {
    /// 统一社会信用代码
    pub code: CreditCode,
    /// The day looked at.
    pub as_of: Day,
    /// What was known.
    pub known_up_to: Seq,
    /// 名称
    pub name: Option<String>,
    /// Base fields of the registration, in the order in which people read them; empty when the
    /// registration was not known.
    pub base: Vec<ShownField>,
    /// Everything on record, the newest day first.
    pub timeline: Vec<TimelineItem>,
    /// Lists, those that it is on first.
    pub lists: Vec<ListLine>,
    /// Licences.
    pub licenses: Vec<LicenseLine>,
    /// The level in each scope at the cut.
    pub levels: Vec<LevelStep>,
    /// Every change of a level up to the cut, the newest first.
    pub level_history: Vec<LevelStep>,
    /// Steps of the slider: of everything on record today, not only up to the cut.
    pub steps: Steps,
}

/// Where a record came from.
#[derive(Clone, Debug, Serialize)]
pub struct Provenance {
    /// Number of the submission; none for a record of the system itself.
    pub submission: Option<i64>,
    /// Name of its file.
    pub file_name: Option<String>,
    /// Line of the file.
    pub line: i64,
    /// Which of the line's records, from 0.
    pub part: i16,
}

/// One record in full.
#[derive(Clone, Debug, Serialize)]
pub struct RecordPage {
    /// Whose; also when a later record told it. None while it waits.
    pub enterprise: Option<CreditCode>,
    /// As in the timeline, as of today.
    pub item: TimelineItem,
    /// All fields, personal ones masked.
    pub fields: Vec<ShownField>,
    /// Where it came from.
    pub provenance: Provenance,
    /// Its hash in the chain.
    #[serde(serialize_with = "crate::as_text")]
    pub hash: Hash,
}

impl Bureau {
    /// The profile of an enterprise, as of a day (today) and as known up to a seq (now).
    ///
    /// # Errors
    /// [`crate::WrongInput`] when the ledger has nothing on it.
    pub async fn profile(&self, code: CreditCode, as_of: Option<Day>, known_up_to: Option<Seq>) -> anyhow::Result<Profile> { todo!() }

    /// A record in full.
    ///
    /// # Errors
    /// [`crate::WrongInput`] when there is no such record.
    pub async fn record(&self, seq: Seq) -> anyhow::Result<RecordPage> { todo!() }
}
