//! Enterprise profile (企业360°): everything on record about one enterprise, as of a day and as known up
//! to a seq, in one timeline; and a single record with where it came from.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use xinheng_core::credit_code::CreditCode;
use xinheng_core::history::{Fact, Facts, Kinds};
use xinheng_core::ledger::Hash;
use xinheng_core::record::{Day, Moment, Record, Seq, Statement};
use xinheng_store::{KeptLevel, Level, MATCHED_RECORD, MATCHING, REGISTRATION};

use crate::explain::{Explanation, Known};
use crate::outlook::Outlook;
use crate::{Bureau, WrongInput, words};

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

/// An enterprise as its page shows it.
#[derive(Debug)]
pub struct EnterpriseView {
    /// What is on record.
    pub profile: Profile,
    /// Why it is at its level; none when nothing was known at the cut, or its rules cannot be read.
    pub explanation: Option<Explanation>,
    /// What is to come; only of the present.
    pub outlook: Option<Outlook>,
}

/// Kind of record of a licence (行政许可).
pub(crate) const LICENSE: &str = "license";
/// Kinds of record that enter an enterprise in a list (名录、名单).
pub(crate) const LISTS: [&str; 2] = ["abnormal_entry", "serious_entry"];

impl Bureau {
    /// The profile of an enterprise, as of a day (today) and as known up to a seq (now). Five statements,
    /// whatever is on record.
    ///
    /// # Errors
    /// [`WrongInput`] when the ledger has nothing on it.
    pub async fn profile(
        &self,
        code: CreditCode,
        as_of: Option<Day>,
        known_up_to: Option<Seq>,
    ) -> anyhow::Result<Profile> {
        Ok(self.profile_and_known(code, as_of, known_up_to).await?.0)
    }

    /// All that an enterprise's page shows, from its history read once.
    ///
    /// # Errors
    /// [`WrongInput`] when the ledger has nothing on it.
    pub async fn enterprise(
        &self,
        code: CreditCode,
        as_of: Option<Day>,
        known_up_to: Option<Seq>,
    ) -> anyhow::Result<EnterpriseView> {
        let (profile, known) = self.profile_and_known(code, as_of, known_up_to).await?;
        let is_present = profile.as_of == self.today() && known_up_to.is_none();
        let explanation = match known.as_slice() {
            [] => None,
            records => {
                let (at, is_cut) = (profile.known_up_to, known_up_to.is_some());
                let known = Known { enterprise: code, records, at, is_cut };
                match self.explanation(&known, profile.as_of, None).await {
                    // The rules of then can no longer be read: the rest of the page can.
                    Err(error) if error.is::<WrongInput>() => None,
                    explained => Some(explained?),
                }
            }
        };
        let outlook = if is_present { Some(self.outlook_of(&known).await?) } else { None };
        Ok(EnterpriseView { profile, explanation, outlook })
    }

    /// With what was known, of which it is made.
    async fn profile_and_known(
        &self,
        code: CreditCode,
        as_of: Option<Day>,
        known_up_to: Option<Seq>,
    ) -> anyhow::Result<(Profile, Vec<Record>)> {
        let today = self.today();
        let as_of = as_of.unwrap_or(today);
        let head = self.store.head().await?.seq;
        let known_up_to = known_up_to.unwrap_or(head).min(head);
        let all = self.store.history(code, head).await?;
        if all.is_empty() {
            return Err(nothing_on(code));
        }
        let runs = self.store.level_history(code).await?;
        let kinds = Kinds::new(self.rulebook.kinds(today));
        let steps = steps(&all, &runs, &kinds, today);
        let known = known_at(all, known_up_to);
        let states = States::new(&known, as_of, &kinds);
        let mut timeline: Vec<_> = known.iter().map(|record| self.item(record, states.of(record))).collect();
        timeline.sort_by_key(|item| std::cmp::Reverse((item.occurred_on, item.seq)));
        let registered_by = states.facts.get(REGISTRATION, &kinds).last().map(|fact| fact.record.seq);
        let registration = registered_by.and_then(|seq| known.iter().find(|record| record.seq == seq));
        let mut level_history: Vec<LevelStep> = runs
            .into_iter()
            .filter(|kept| kept.run <= known_up_to && kept.as_of <= as_of)
            .map(|kept| self.level_step(kept))
            .collect();
        level_history.reverse();
        let mut scopes = BTreeSet::new();
        let mut levels: Vec<LevelStep> =
            level_history.iter().filter(|step| scopes.insert(&step.scope)).cloned().collect();
        levels.retain(|step| step.level.is_some());
        let profile = Profile {
            code,
            as_of,
            known_up_to,
            name: registration.and_then(|record| record.payload.text("name")).map(str::to_owned),
            base: registration.map(|record| words::fields(record, kinds.get(REGISTRATION))).unwrap_or_default(),
            lists: lists(&states.facts, &kinds),
            licenses: licenses(&states.facts, &kinds),
            timeline,
            levels,
            level_history,
            steps,
        };
        Ok((profile, known))
    }

    /// A record in full.
    ///
    /// # Errors
    /// [`WrongInput`] when there is no such record.
    pub async fn record(&self, seq: Seq) -> anyhow::Result<RecordPage> {
        let (entry, enterprise) = self
            .store
            .record(seq)
            .await?
            .ok_or_else(|| WrongInput(format!("台账中没有第 {seq} 条记录。请核对编号")))?;
        let record = entry.record;
        let today = self.today();
        let kinds = Kinds::new(self.rulebook.kinds(today));
        let known = match enterprise {
            Some(code) => self.store.history(code, Seq(i64::MAX)).await?,
            None => vec![record.clone()],
        };
        let handed_in = match record.id.submission {
            0 => None,
            number => self.store.submission(number).await?,
        };
        Ok(RecordPage {
            enterprise,
            item: self.item(&record, States::new(&known, today, &kinds).of(&record)),
            fields: words::fields(&record, kinds.get(&record.kind)),
            provenance: Provenance {
                submission: handed_in.as_ref().map(|kept| kept.number),
                file_name: handed_in.map(|kept| kept.file_name),
                line: record.id.line,
                part: record.id.part,
            },
            hash: entry.hash,
        })
    }

    fn item(&self, record: &Record, state: State) -> TimelineItem {
        let today = self.today();
        TimelineItem {
            seq: record.seq,
            kind: record.kind.to_string(),
            kind_title: words::kind_title(&self.rulebook, &record.kind, today),
            occurred_on: record.occurred_on,
            summary: words::summary(record, self.rulebook.kind(&record.kind, today)),
            document_number: record.document_number.clone(),
            source_unit: record.source_unit.to_string(),
            received_at: record.received_at,
            state,
            supersedes: record.supersedes,
        }
    }

    fn level_step(&self, kept: KeptLevel) -> LevelStep {
        let KeptLevel { level, run, as_of } = kept;
        let scope_title = words::scope_title(&self.rulebook, &level.scope, self.today());
        let Level { scope, level, total_milli, in_force, .. } = level;
        LevelStep { run, as_of, scope, scope_title, level, total_milli, in_force }
    }
}

pub(crate) fn nothing_on(code: CreditCode) -> anyhow::Error {
    WrongInput(format!("账上没有 {code} 的记录。请核对代码，或先导入市场主体登记信息")).into()
}

/// Those of an enterprise's records that were on record about it at a seq: what waited then is left out,
/// until the record that told whose it is.
pub(crate) fn known_at(records: Vec<Record>, known_up_to: Seq) -> Vec<Record> {
    let told: BTreeMap<Seq, Seq> = records
        .iter()
        .filter(|record| record.kind == MATCHING)
        .filter_map(|record| Some((Seq(record.payload.integer(MATCHED_RECORD)?), record.seq)))
        .collect();
    let known = |record: &Record| match record.enterprise {
        Some(_) => record.seq <= known_up_to,
        None => told.get(&record.seq).is_some_and(|told| *told <= known_up_to),
    };
    records.into_iter().filter(known).collect()
}

/// What became of each record.
struct States<'a> {
    facts: Facts<'a>,
    in_effect: BTreeMap<Seq, Fact<'a>>,
    superseded_by: BTreeMap<Seq, &'a Record>,
}

impl<'a> States<'a> {
    fn new(records: &'a [Record], day: Day, kinds: &Kinds) -> Self {
        let facts = Facts::new(records, day, kinds);
        let in_effect =
            (0..kinds.count()).flat_map(|kind| facts.of(kind)).map(|fact| (fact.record.seq, *fact)).collect();
        let superseded_by = records.iter().filter_map(|record| Some((record.supersedes?, record))).collect();
        Self { facts, in_effect, superseded_by }
    }

    fn of(&self, record: &Record) -> State {
        if let Some(fact) = self.in_effect.get(&record.seq) {
            return match (fact.ended_on, fact.repaired_on) {
                (Some(day), _) => State::Ended(day),
                (None, Some(day)) => State::Repaired(day),
                (None, None) => State::InEffect,
            };
        }
        match self.superseded_by.get(&record.seq) {
            _ if record.withdrawn => State::Withdrawn(record.seq),
            Some(later) if later.withdrawn => State::Withdrawn(later.seq),
            Some(later) => State::Superseded(later.seq),
            None if record.occurred_on > self.facts.day || record.version > Some(self.facts.day) => State::NotYet,
            // Records of the system itself, which no rule ends.
            None => State::InEffect,
        }
    }
}

fn lists(facts: &Facts, kinds: &Kinds) -> Vec<ListLine> {
    let mut lines: Vec<ListLine> = LISTS
        .iter()
        .filter_map(|id| kinds.get(id))
        .flat_map(|kind| facts.get(&kind.rule.id.value, kinds).iter().map(move |fact| (kind, fact)))
        .map(|(kind, Fact { record, ended_on, .. })| ListLine {
            kind: record.kind.to_string(),
            title: kind.rule.title.clone(),
            seq: record.seq,
            since: record.occurred_on,
            until: *ended_on,
            reason: record.payload.text("reason").map(str::to_owned),
            authority: record.payload.text("authority").map(str::to_owned),
        })
        .collect();
    lines.sort_by_key(|line| (line.until.is_some(), std::cmp::Reverse(line.since), line.seq));
    lines
}

fn licenses(facts: &Facts, kinds: &Kinds) -> Vec<LicenseLine> {
    let text = |record: &Statement, field| record.payload.text(field).map(str::to_owned);
    facts
        .get(LICENSE, kinds)
        .iter()
        .map(|Fact { record, ended_on, .. }| LicenseLine {
            seq: record.seq,
            number: record.document_number.clone(),
            name: text(record, "name"),
            authority: text(record, "authority"),
            valid_from: record.payload.day("valid_from"),
            valid_until: record.payload.day("valid_until"),
            valid: ended_on.is_none(),
        })
        .collect()
}

fn steps(records: &[Record], runs: &[KeptLevel], kinds: &Kinds, today: Day) -> Steps {
    let facts = Facts::new(records, today, kinds);
    let facts = (0..kinds.count()).flat_map(|kind| facts.of(kind));
    // Earlier versions of a state have ends of their own, which count before the newer version does.
    let written = records.iter().filter_map(|record| {
        let last_day = kinds.get(&record.kind)?.ends.as_ref()?.on.as_ref()?;
        record.payload.day(last_day)?.succ_opt()
    });
    let ends = facts.flat_map(|fact| [fact.ended_on, fact.repaired_on]).flatten().chain(written);
    let begins = records.iter().flat_map(|record| [Some(record.occurred_on), record.version]).flatten();
    let days: BTreeSet<Day> =
        begins.chain(ends).chain(runs.iter().map(|kept| kept.as_of)).filter(|day| *day <= today).collect();
    let known =
        records.iter().filter(|record| record.enterprise.is_some()).map(|record| (record.seq, record.received_at));
    // Of what came at one moment only the last counts: nobody ever saw the state between.
    let moments: BTreeMap<_, Seq> = known.map(|(seq, moment)| (moment, seq)).collect();
    let known = moments.into_iter().map(|(moment, seq)| (seq, moment.day_in_china()));
    let known: BTreeMap<Seq, Day> = known.chain(runs.iter().map(|kept| (kept.run, kept.as_of))).collect();
    Steps { days: days.into_iter().collect(), known: known.into_iter().collect() }
}
