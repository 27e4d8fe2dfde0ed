//! What the public reads: search, profile, bulletins of lists. Whether, since when, until when and with
//! which fields a record is public is the publicity decision's word alone; no level is ever here.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use xinheng_core::credit_code::CreditCode;
use xinheng_core::history::{Facts, Kinds};
use xinheng_core::publicity::{Decision, public_records};
use xinheng_core::record::{Day, Record, Seq, Statement};
pub use xinheng_store::BulletinPlace;
use xinheng_store::{ListingKind, REGISTRATION};

use crate::enterprises::{PageSize, wanted};
use crate::profile::{LICENSE, LISTS, ShownField};
use crate::{Bureau, words};

/// Kind of record of a penalty (行政处罚).
const PENALTY: &str = "penalty";
/// Kind of record of an inspection (监督检查).
const INSPECTION: &str = "inspection";

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

/// Entries looked at for each line of a bulletin: many old ones are no longer public.
const LOOKED_AT: usize = 4;

/// What is public of one enterprise today.
struct PublicView(Vec<PublicRecord>);

impl PublicView {
    fn registration(&self) -> Option<&PublicRecord> {
        self.0.iter().rfind(|record| record.kind == REGISTRATION)
    }

    /// The public text of a field of the registration.
    fn registered(&self, field: &str) -> Option<String> {
        self.registration()?.fields.iter().find(|shown| shown.name == field)?.value.clone()
    }

    fn name(&self) -> String {
        self.registered("name").unwrap_or_default()
    }

    fn take(&mut self, wanted: impl Fn(&str) -> bool) -> Vec<PublicRecord> {
        let mut taken: Vec<PublicRecord> = self.0.extract_if(.., |record| wanted(&record.kind)).collect();
        taken.sort_by_key(|record| std::cmp::Reverse((record.occurred_on, record.seq)));
        taken
    }
}

impl Bureau {
    /// The public search.
    ///
    /// # Errors
    /// [`crate::WrongInput`] when there is too little to look for.
    pub async fn public_search(&self, text: &str, skip: usize, size: PageSize) -> anyhow::Result<PublicFound> {
        let found = self.store.search(&wanted(text)?, skip, size.rows()).await?;
        let codes: Vec<CreditCode> = found.hits.iter().map(|hit| hit.code).collect();
        let views = self.public_views(&codes).await?;
        let hits = codes.iter().filter_map(|code| Some((code, views.get(code)?))).filter_map(|(code, view)| {
            Some(PublicHit { code: *code, name: view.registered("name")?, status: view.registered("status") })
        });
        Ok(PublicFound { hits: hits.collect(), next: found.next, too_many: found.too_many })
    }

    /// The public profile; none when the registration is not public.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn public_profile(&self, code: CreditCode) -> anyhow::Result<Option<PublicProfile>> {
        let Some(mut view) = self.public_views(&[code]).await?.remove(&code) else { return Ok(None) };
        let name = view.name();
        let Some(base) = view.take(|kind| kind == REGISTRATION).into_iter().next() else { return Ok(None) };
        Ok(Some(PublicProfile {
            code,
            name,
            base,
            licenses: view.take(|kind| kind == LICENSE),
            penalties: view.take(|kind| kind == PENALTY),
            inspections: view.take(|kind| kind == INSPECTION),
            lists: view.take(|kind| LISTS.contains(&kind)),
            others: view.take(|_| true),
        }))
    }

    /// A page of a list's bulletin. Old entries are mostly over, so that a page far back may hold fewer
    /// lines than asked for, and still have a next.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bulletin(
        &self,
        list: PublicList,
        after: Option<BulletinPlace>,
        size: PageSize,
    ) -> anyhow::Result<Bulletin> {
        let kind = match list {
            PublicList::Abnormal => ListingKind::Abnormal,
            PublicList::Serious => ListingKind::Serious,
        };
        let most = size.rows() * LOOKED_AT;
        let (entries, mut next) = self.store.list_entries(kind, after, most as u64).await?;
        let codes: BTreeSet<CreditCode> = entries.iter().map(|(_, code)| *code).collect();
        let views = self.public_views(&codes.into_iter().collect::<Vec<_>>()).await?;
        let mut lines: Vec<BulletinLine> = Vec::new();
        for (place, code) in entries {
            if lines.len() == size.rows() {
                next = lines.last().map(|line| BulletinPlace { on: line.entry.occurred_on, seq: line.entry.seq });
                break;
            }
            let Some(view) = views.get(&code) else { continue };
            let Some(entry) = view.0.iter().find(|record| record.seq == place.seq) else { continue };
            lines.push(BulletinLine { code, name: view.name(), entry: entry.clone() });
        }
        Ok(Bulletin { list, lines, next })
    }

    /// What is public of some enterprises today: the publicity decision's word, record by record.
    async fn public_views(&self, codes: &[CreditCode]) -> anyhow::Result<BTreeMap<CreditCode, PublicView>> {
        let today = self.today();
        let kinds = Kinds::new(self.rulebook.kinds(today));
        let histories = self.store.histories_for(codes, Seq(i64::MAX)).await?;
        let view = |records: &[Record]| {
            let facts = Facts::new(records, today, &kinds);
            let whole = |said: &Statement| records.iter().find(|record| record.seq == said.seq);
            let public = public_records(&facts, &kinds).into_iter();
            PublicView(public.filter_map(|(record, said)| Some(shown(whole(record)?, &said, &kinds))).collect())
        };
        Ok(histories.iter().map(|(code, records)| (*code, view(records))).collect())
    }
}

fn shown(record: &Record, said: &Decision<'_>, kinds: &Kinds<'_>) -> PublicRecord {
    let kind = kinds.get(&record.kind);
    let public = |field: &ShownField| said.fields.contains(&field.name.as_str()) && field.value.is_some();
    PublicRecord {
        seq: record.seq,
        kind: record.kind.to_string(),
        kind_title: kind.map(|kind| kind.rule.title.clone()).unwrap_or_default(),
        occurred_on: record.occurred_on,
        fields: words::fields(record, kind).into_iter().filter(public).collect(),
        source_unit: record.source_unit.to_string(),
        basis: said.basis.to_string(),
        since: said.since.unwrap_or(record.occurred_on),
        until: said.until,
    }
}
