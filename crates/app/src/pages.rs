//! What the desk's pages of collection, classification and ledger read.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use xinheng_core::classify::{COMBINED, Graded, RECEIVED_LEVEL};
use xinheng_core::credit_code::CreditCode;
use xinheng_core::history::Facts;
use xinheng_core::record::{Day, Moment, Record, Seq};
use xinheng_core::rulebook::load::Rulebook;
use xinheng_core::staff;
pub use xinheng_store::DayHead;
use xinheng_store::{CLASSIFICATION, Differing, KeptSubmission, LastMove, SIGNATURE, TownLevelCount};

use crate::act::Actor;
use crate::classify::{RunRecord, Tools};
use crate::enterprises::PageSize;
use crate::profile::known_at;
use crate::rules::Signatures;
use crate::{Bureau, WrongInput, words};

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
    pub edition: Option<Day>,
    /// When it was first received.
    #[serde(serialize_with = "crate::as_text")]
    pub received_at: Moment,
    /// Whether it was taken in whole.
    pub finished: bool,
    /// What came of it ([`crate::collect::Outcome`] as it was kept); none while it is not finished.
    pub outcome: Option<serde_json::Value>,
}

impl SubmissionLine {
    /// A number of [`crate::collect::Outcome`] by its name, such as `accepted`.
    #[must_use]
    pub fn tally(&self, name: &str) -> u64 {
        self.outcome.as_ref().and_then(|outcome| outcome.get(name)?.as_u64()).unwrap_or_default()
    }
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

/// An enterprise whose received level differs from our own general one.
#[derive(Clone, Debug, Serialize)]
pub struct DifferingLine {
    /// Whose.
    pub code: CreditCode,
    /// 名称
    pub name: Option<String>,
    /// The province's level.
    pub received: String,
    /// Its month, `2026-10`.
    pub month: Option<String>,
    /// Ours.
    pub own: String,
    /// What ours comes from, the heaviest first, a sentence each.
    pub why: Vec<String>,
}

/// Indicators told of a level.
const HEAVIEST: usize = 3;

/// What a level mostly comes from.
fn heaviest(graded: &Graded) -> Vec<String> {
    let Graded { model, assessment, .. } = graded;
    let mut indicators: Vec<_> = assessment.indicators.iter().collect();
    indicators.sort_by_key(|one| std::cmp::Reverse(one.points.milli().abs()));
    let points = indicators.into_iter().take(HEAVIEST).map(|one| {
        let title = &model.dimensions[one.place.0].indicators[one.place.1].title;
        format!("{title} {} 分", one.points)
    });
    let overrides = assessment.overrides.iter().map(|one| format!("适用“{}”", model.overrides[one.place].title));
    let total = format!("合计 {} 分", assessment.total);
    std::iter::once(total).chain(overrides).chain(points).collect()
}

impl Bureau {
    /// Submissions that the person may see, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn submissions(&self, actor: &Actor, before: Option<i64>, size: PageSize) -> anyhow::Result<Submissions> {
        let unit = (actor.duties.scope() == staff::Scope::Unit).then_some(actor.unit.as_str());
        let kept = self.store.submissions(SIGNATURE, unit, before, size.rows() as u64).await?;
        let next = kept.last().filter(|_| kept.len() == size.rows()).map(|last| last.number);
        Ok(Submissions { lines: kept.into_iter().map(|kept| self.submission_line(kept)).collect(), next })
    }

    /// One of them; none when there is no such or it is another unit's.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn submission_seen(&self, actor: &Actor, number: i64) -> anyhow::Result<Option<SubmissionLine>> {
        let kept = self.store.submission(number).await?.filter(|kept| actor.sees_unit(&kept.unit));
        Ok(kept.map(|kept| self.submission_line(kept)))
    }

    /// Of some tables (id and title) the one that a unit handed in last.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_table(&self, unit: &str, tables: &[(String, String)]) -> anyhow::Result<Option<String>> {
        let tables: Vec<&str> = tables.iter().map(|(table, _)| table.as_str()).collect();
        Ok(self.store.last_table(unit, &tables).await?)
    }

    fn submission_line(&self, kept: KeptSubmission) -> SubmissionLine {
        let table = self.rulebook.table(&kept.table_id, self.today());
        SubmissionLine {
            number: kept.number,
            file_name: kept.file_name,
            table_title: table.map_or(kept.table_id.as_str(), |table| &table.rule.title).to_owned(),
            unit: kept.unit,
            edition: kept.edition,
            received_at: kept.received_at,
            finished: kept.finished,
            outcome: kept.counts,
        }
    }

    /// Enterprises at each level by scope and town.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn level_table(&self) -> anyhow::Result<LevelTable> {
        let mut scopes: BTreeMap<String, LevelTableScope> = BTreeMap::new();
        for TownLevelCount { scope, town, level, enterprises } in self.store.level_counts().await? {
            let of_scope = scopes.entry(scope.clone()).or_insert_with(|| LevelTableScope {
                title: words::scope_title(&self.rulebook, &scope, self.today()),
                scope,
                towns: BTreeMap::new(),
                total: BTreeMap::new(),
            });
            *of_scope.total.entry(level.clone()).or_default() += enterprises;
            of_scope.towns.entry(town).or_default().insert(level, enterprises);
        }
        Ok(LevelTable { scopes: scopes.into_values().collect() })
    }

    /// Classification runs, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn runs(&self, before: Option<Seq>, size: PageSize) -> anyhow::Result<Vec<RunLine>> {
        let runs = self.store.newest_system_records(CLASSIFICATION, before, size.rows() as u64).await?;
        runs.iter().map(run_line).collect()
    }

    /// What moved in a run, in a scope (the combined level when none is given), and why: the points of
    /// each indicator when the level last moved, against those of the run.
    ///
    /// # Errors
    /// [`WrongInput`] when there is no such run.
    pub async fn changes(
        &self,
        run: Seq,
        scope: Option<&str>,
        after: Option<CreditCode>,
        size: PageSize,
    ) -> anyhow::Result<Changes> {
        let scope = scope.unwrap_or(COMBINED);
        let record = self.store.record(run).await?.map(|(entry, _)| entry.record);
        let record = record
            .filter(|record| record.kind == CLASSIFICATION)
            .ok_or_else(|| WrongInput(format!("第 {run} 条不是一次分类。请从分类结果页选择")))?;
        let run = run_line(&record)?;
        let moved = self.store.level_changes(run.seq, scope, after, size.rows() as u64).await?;
        let codes: Vec<CreditCode> = moved.iter().map(|(change, _)| change.enterprise).collect();
        let histories = self.store.histories_for(&codes, run.known_up_to).await?;
        let earlier = self.store.last_moves_before(run.seq, scope, &codes).await?;
        let signatures = Signatures::default();
        let mut comparison = Comparison { rulebook: &self.rulebook, signatures: &signatures, days: HashMap::new() };
        let mut lines = Vec::with_capacity(moved.len());
        for (change, name) in moved {
            let records = histories.get(&change.enterprise).map(Vec::as_slice).unwrap_or_default();
            let mut why = match earlier.get(&change.enterprise) {
                _ if change.from.is_none() => vec!["首次分类，或重新纳入分类".to_owned()],
                Some(before) => comparison.differences(scope, records, before, (run.as_of, run.known_up_to)),
                None => Vec::new(),
            };
            if why.is_empty() {
                why.push("规则库有变化：按现行规则库看，两次分类的计分相同".to_owned());
            }
            let (from, to) = (change.from.map(String::from), change.to.map(String::from));
            lines.push(ChangeLine { code: change.enterprise, name, from, to, why });
        }
        let next = lines.last().filter(|_| lines.len() == size.rows()).map(|last| last.code);
        Ok(Changes { run, lines, next })
    }

    /// Enterprises whose received level differs from our own general one, by code, with what ours comes from.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn received_against_own(
        &self,
        after: Option<CreditCode>,
        size: PageSize,
    ) -> anyhow::Result<Vec<DifferingLine>> {
        let differing = self.store.differing(after, size.rows() as u64).await?;
        let codes: Vec<CreditCode> = differing.iter().map(|one| one.code).collect();
        let head = self.store.head().await?.seq;
        let histories = self.store.histories_for(&codes, head).await?;
        let today = self.today();
        let ready = self.ready(today, head).await?;
        let tools = ready.tools();
        let line = |Differing { code, name, received, own }: Differing| {
            let records = histories.get(&code).map(Vec::as_slice).unwrap_or_default();
            let facts = Facts::new(records, today, &tools.kinds);
            DifferingLine {
                month: tools.classifier.received(&facts).map(|received| received.month.format("%Y-%m").to_string()),
                why: tools.classifier.general(&facts).as_ref().map(heaviest).unwrap_or_default(),
                code,
                name,
                received,
                own,
            }
        };
        Ok(differing.into_iter().map(line).collect())
    }

    /// The last head of each day, the newest first. A head of today may still be followed by others.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn day_heads(&self, before: Option<Day>, size: PageSize) -> anyhow::Result<Vec<DayHead>> {
        Ok(self.store.day_heads(before, size.rows() as u64).await?)
    }
}

fn run_line(record: &Record) -> anyhow::Result<RunLine> {
    let run = RunRecord::parse(&record.payload)?;
    Ok(RunLine {
        seq: record.seq,
        as_of: run.as_of,
        known_up_to: Seq(run.known_up_to),
        scope: run.scope,
        rulebook: run.rulebook,
        enterprises: run.enterprises.unsigned_abs(),
        at: record.received_at,
    })
}

/// Compares what the rulebook of today says of one enterprise at two points.
struct Comparison<'a> {
    rulebook: &'a Rulebook,
    /// None: points and levels do not depend on what is signed.
    signatures: &'a Signatures,
    days: HashMap<Day, Tools<'a>>,
}

impl<'a> Comparison<'a> {
    fn differences(
        &mut self,
        scope: &str,
        records: &[Record],
        before: &LastMove,
        (as_of, known_up_to): (Day, Seq),
    ) -> Vec<String> {
        // A run knows everything before its own record.
        let earlier = known_at(records.to_vec(), Seq(before.run.0 - 1));
        let now = known_at(records.to_vec(), known_up_to);
        let old = self.points(scope, &earlier, before.as_of);
        let new = self.points(scope, &now, as_of);
        let named: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let differences = named.into_iter().filter_map(|name| {
            let (from, to) = (old.get(name), new.get(name));
            let said = |value: Option<&String>| value.map_or("无", String::as_str).to_owned();
            (from != to).then(|| format!("{name}：{} → {}", said(from), said(to)))
        });
        differences.collect()
    }

    /// What the level comes from, by name: points of indicators, overrides, the province's level.
    fn points(&mut self, scope: &str, records: &[Record], day: Day) -> BTreeMap<String, String> {
        let (rulebook, signatures) = (self.rulebook, self.signatures);
        let tools = self.days.entry(day).or_insert_with(|| Tools::new(rulebook, day, signatures));
        let classification = tools.classifier.classify(&Facts::new(records, day, &tools.kinds));
        let mut said = BTreeMap::new();
        if let Some(received) =
            classification.received.as_ref().filter(|_| scope == COMBINED || scope == RECEIVED_LEVEL)
        {
            said.insert("省级下发等级".to_owned(), received.level.clone());
        }
        let lead = classification.lead;
        let counted = classification.graded.iter().enumerate().filter(|(place, graded)| match scope {
            COMBINED => Some(*place) == lead,
            scope => graded.model.field == scope,
        });
        for (_, graded) in counted {
            let model = &graded.model;
            if scope == COMBINED {
                said.insert("主导模型".to_owned(), model.rule.title.clone());
            }
            for indicator in &graded.assessment.indicators {
                let dimension = &model.dimensions[indicator.place.0];
                let title = &dimension.indicators[indicator.place.1].title;
                said.insert(format!("{}·{title}", dimension.title), format!("{}分", indicator.points));
            }
            for applied in &graded.assessment.overrides {
                said.insert(model.overrides[applied.place].title.clone(), "适用".to_owned());
            }
        }
        said
    }
}
