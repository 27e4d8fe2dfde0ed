//! What the public reads: search, profile, bulletins of lists. Whether, since when, until when and with
//! which fields a record is public is the publicity decision's word alone; no level is ever here.

use serde::Serialize;
use xinheng_core::credit_code::CreditCode;
use xinheng_core::record::{Day, Seq};
pub use xinheng_store::BulletinPlace;

use crate::Bureau;
use crate::enterprises::PageSize;
use crate::profile::ShownField;

/// An enterprise that the public search finds.
#[derive(Clone, Debug, Serialize)]
pub struct PublicHit {
    /// 统一社会信用代码
    pub code: CreditCode,
    /// 名称
    pub name: String,
    /// 登记状态, as people read it.
    pub status: Option<String>,
}

/// Results of the public search.
#[derive(Clone, Debug, Serialize)]
pub struct PublicFound {
    /// This page.
    pub hits: Vec<PublicHit>,
    /// `skip` of the next page.
    pub next: Option<usize>,
    /// More were found than anybody pages through: type more.
    pub too_many: bool,
}

/// A public record.
#[derive(Clone, Debug, Serialize)]
pub struct PublicRecord {
    /// The record.
    pub seq: Seq,
    /// Kind of record.
    pub kind: String,
    /// 名称
    pub kind_title: String,
    /// The day in the world.
    pub occurred_on: Day,
    /// The public fields.
    pub fields: Vec<ShownField>,
    /// Code of the unit that it comes from.
    pub source_unit: String,
    /// The rule that makes it public, with its citation.
    pub basis: String,
    /// Public since.
    pub since: Day,
    /// Public until, that day included; none: without end.
    pub until: Option<Day>,
}

/// What the public reads of an enterprise.
#[derive(Clone, Debug, Serialize)]
pub struct PublicProfile {
    /// 统一社会信用代码
    pub code: CreditCode,
    /// 名称
    pub name: String,
    /// The registration.
    pub base: PublicRecord,
    /// 行政许可
    pub licenses: Vec<PublicRecord>,
    /// 行政处罚
    pub penalties: Vec<PublicRecord>,
    /// 监督检查
    pub inspections: Vec<PublicRecord>,
    /// 名录、名单
    pub lists: Vec<PublicRecord>,
    /// Whatever else the rulebook makes public.
    pub others: Vec<PublicRecord>,
}

/// A list whose bulletin is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PublicList {
    /// 经营异常名录
    Abnormal,
    /// 严重违法失信名单
    Serious,
}

/// A line of a bulletin.
#[derive(Clone, Debug, Serialize)]
pub struct BulletinLine {
    /// 统一社会信用代码
    pub code: CreditCode,
    /// 名称
    pub name: String,
    /// The entry.
    pub entry: PublicRecord,
}

/// A page of a bulletin, the newest entry first.
#[derive(Clone, Debug, Serialize)]
pub struct Bulletin {
    /// Which list.
    pub list: PublicList,
    /// Lines.
    pub lines: Vec<BulletinLine>,
    /// Where the next page starts after.
    pub next: Option<BulletinPlace>,
}

impl Bureau {
    /// The public search.
    pub async fn public_search(&self, text: &str, skip: usize, size: PageSize) -> anyhow::Result<PublicFound> { todo!() }

    /// The public profile; none when the registration is not public.
    pub async fn public_profile(&self, code: CreditCode) -> anyhow::Result<Option<PublicProfile>> { todo!() }

    /// A page of a list's bulletin.
    pub async fn bulletin(&self, list: PublicList, after: Option<BulletinPlace>, size: PageSize) -> anyhow::Result<Bulletin> { todo!() }
}
