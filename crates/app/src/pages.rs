//! What the desk's pages of collection, classification and ledger read.

use std::collections::BTreeMap;

use serde::Serialize;
use xinheng_core::credit_code::CreditCode;
use xinheng_core::ledger::Head;
use xinheng_core::record::{Day, Moment, Seq};
pub use xinheng_store::{DayHead, Differing, LevelCount};

use crate::Bureau;
use crate::act::Actor;
use crate::enterprises::PageSize;

/// Something handed in.
#[derive(Clone, Debug, Serialize)]
pub struct SubmissionLine {
    /// Number.
    pub number: i64,
    /// File.
    pub file_name: String,
    /// 名称 of the table it was recognised as.
    pub table_title: String,
    /// Code of the unit that handed it in.
    pub unit: String,
    /// The day the edition is of.
    pub edition: Option<String>,
    /// When it was first received.
    #[serde(serialize_with = "crate::as_text")]
    pub received_at: Moment,
    /// Whether it was taken in whole.
    pub finished: bool,
    /// What came of it ([`crate::collect::Outcome`] as it was kept); none while it is not finished.
    pub outcome: Option<serde_json::Value>,
}

/// A page of submissions, the newest first.
#[derive(Clone, Debug, Serialize)]
pub struct Submissions {
    /// Lines.
    pub lines: Vec<SubmissionLine>,
    /// `before` of the next page.
    pub next: Option<i64>,
}

/// Enterprises at each level, by scope and town.
#[derive(Clone, Debug, Serialize)]
pub struct LevelTable {
    /// Scope, its title, and its counts.
    pub scopes: Vec<LevelTableScope>,
}

/// One scope of a level table.
#[derive(Clone, Debug, Serialize)]
pub struct LevelTableScope {
    /// Scope.
    pub scope: String,
    /// 名称
    pub title: String,
    /// Levels that occur, in order.
    pub levels: Vec<String>,
    /// Town → level → enterprises; an empty town: not given.
    pub towns: BTreeMap<String, BTreeMap<String, u64>>,
    /// Level → enterprises.
    pub total: BTreeMap<String, u64>,
}

/// A classification run.
#[derive(Clone, Debug, Serialize)]
pub struct RunLine {
    /// Its record.
    pub seq: Seq,
    /// The day.
    pub as_of: Day,
    /// What was known.
    pub known_up_to: Seq,
    /// `all` or `touched`.
    pub scope: String,
    /// Version of the rulebook.
    pub rulebook: String,
    /// Enterprises classified.
    pub enterprises: u64,
    /// When.
    #[serde(serialize_with = "crate::as_text")]
    pub at: Moment,
}

/// A level that moved in a run.
#[derive(Clone, Debug, Serialize)]
pub struct ChangeLine {
    /// Whose.
    pub code: CreditCode,
    /// 名称
    pub name: Option<String>,
    /// Before; none: not graded.
    pub from: Option<String>,
    /// After; none: no longer graded.
    pub to: Option<String>,
    /// Why, a sentence each.
    pub why: Vec<String>,
}

/// A page of a run's changes, by code.
#[derive(Clone, Debug, Serialize)]
pub struct Changes {
    /// The run.
    pub run: RunLine,
    /// Lines.
    pub lines: Vec<ChangeLine>,
    /// `after` of the next page.
    pub next: Option<CreditCode>,
}

impl Bureau {
    /// Submissions that the person may see.
    pub async fn submissions(&self, actor: &Actor, before: Option<i64>, size: PageSize) -> anyhow::Result<Submissions> { todo!() }

    /// One of them; none when there is no such or it is another unit's.
    pub async fn submission(&self, actor: &Actor, number: i64) -> anyhow::Result<Option<SubmissionLine>> { todo!() }

    /// Enterprises at each level by scope and town.
    pub async fn level_table(&self) -> anyhow::Result<LevelTable> { todo!() }

    /// Classification runs, the newest first.
    pub async fn runs(&self, before: Option<Seq>, size: PageSize) -> anyhow::Result<Vec<RunLine>> { todo!() }

    /// What moved in a run, in a scope (the combined level when none is given), and why.
    pub async fn changes(&self, run: Seq, scope: Option<&str>, after: Option<CreditCode>, size: PageSize) -> anyhow::Result<Changes> { todo!() }

    /// Enterprises whose received level differs from our own general one.
    pub async fn received_against_own(&self, after: Option<CreditCode>, size: PageSize) -> anyhow::Result<Vec<Differing>> { todo!() }

    /// The last head of each day, the newest first.
    pub async fn day_heads(&self, before: Option<Day>, size: PageSize) -> anyhow::Result<Vec<DayHead>> { todo!() }
}
