//! Classifying (分类): all enterprises on a day, or those touched since the last run.
//!
//! A run is one record of the ledger: its day, what was known, the rulebook's version and a digest over
//! every level it gave. The levels are a projection: a rebuild computes them again from the same day,
//! knowledge and version, and must meet the same digest. What a run finds that an officer must look at
//! ([`crate::alert`]) enters the ledger with it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use sm3_digest::LevelDigest;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use xinheng_core::alert::{Moved, Watch};
use xinheng_core::classify::{COMBINED, Classifier, LevelLine, RECEIVED_LEVEL};
use xinheng_core::credit_code::CreditCode;
use xinheng_core::history::{Facts, Kinds};
use xinheng_core::ledger::Hash;
use xinheng_core::record::{Day, Payload, Seq, Statement, Text};
use xinheng_core::rulebook::load::Rulebook;
use xinheng_core::rulebook::model::Model;
use xinheng_store::{Body, CLASSIFICATION, LevelChange, NewRecord, Scope, UnreadPage, Writing};

use crate::alert::Alarm;
use crate::collect::UNSPECIFIED_UNIT;
use crate::explain::{Context, Explanation, Known};
use crate::prepared::Ready;
use crate::profile::nothing_on;
use crate::rules::Signatures;
use crate::{Bureau, Stage, Watcher};

/// Enterprises classified at a time.
pub(crate) const PAGE: u64 = 2_000;
/// Scope of a run over all enterprises, as its record says it.
pub(crate) const OVER_ALL: &str = "all";
/// Pages on their way from being listed to being written: two are fetched, one is computed.
const AHEAD: usize = 3;

/// What a run gave.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// The day.
    pub as_of: Day,
    /// What was known.
    pub known_up_to: Seq,
    /// The single model tried, when one was named.
    pub model: Option<String>,
    /// Version of the rulebook.
    pub rulebook: String,
    /// Combined level → enterprises.
    pub levels: BTreeMap<Text, u64>,
    /// Enterprises that nothing grades.
    pub unclassified: u64,
    /// Enterprises whose combined level changed.
    pub changed: u64,
    /// Enterprises whose level rests on a rule that nobody signed.
    pub trial: u64,
    /// The run's record; none when it was only tried.
    pub seq: Option<Seq>,
    /// Digest over all lines.
    #[serde(serialize_with = "crate::as_text")]
    pub digest: Hash,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let model = self.model.as_ref().map(|model| format!("，只用模型 {model}")).unwrap_or_default();
        writeln!(f, "信用风险分类（截至 {}{model}，规则库版本 {}）", self.as_of, self.rulebook)?;
        for (level, count) in &self.levels {
            writeln!(f, "  {level}  {count} 户")?;
        }
        if self.unclassified > 0 {
            writeln!(f, "  未分类  {} 户", self.unclassified)?;
        }
        if self.trial > 0 {
            writeln!(
                f,
                "  其中 {} 户所依规则未经本局签署，仅供试算。签署：xinheng rulebook sign 编号 --by 姓名",
                self.trial
            )?;
        }
        match self.seq {
            Some(seq) => writeln!(f, "  等级有变化 {} 户；已入账为第 {seq} 条", self.changed),
            None => writeln!(f, "  只作试算，没有入账"),
        }
    }
}

/// What a run's record says, enough to compute it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunRecord {
    pub as_of: Day,
    pub known_up_to: i64,
    /// `all` or `touched`.
    pub scope: String,
    pub rulebook: String,
    pub digest: String,
    pub enterprises: i64,
}

impl RunRecord {
    fn payload(&self) -> anyhow::Result<Payload> {
        Ok(serde_json::from_value(serde_json::to_value(self)?)?)
    }

    pub(crate) fn parse(payload: &Payload) -> anyhow::Result<Self> {
        Ok(serde_json::from_value(serde_json::to_value(payload)?)?)
    }
}

mod sm3_digest {
    //! A digest over levels that does not depend on how they are paged.

    use std::fmt::Write as _;

    use xinheng_core::classify::LevelLine;
    use xinheng_core::credit_code::CreditCode;
    use xinheng_core::ledger::Hash;

    /// Chains enterprises in the order of their codes.
    pub struct LevelDigest(Hash);

    impl Default for LevelDigest {
        fn default() -> Self {
            Self(Hash::GENESIS)
        }
    }

    impl LevelDigest {
        pub fn add(&mut self, enterprise: CreditCode, lines: &[LevelLine]) {
            let mut text = String::with_capacity(64 * (1 + lines.len()));
            text.push_str(enterprise.as_str());
            for LevelLine { scope, level, total, in_force, .. } in lines {
                let written = match total {
                    Some(total) => write!(text, "\n{scope} {level} {} {in_force}", total.milli()),
                    None => write!(text, "\n{scope} {level}  {in_force}"),
                };
                written.expect("a text takes whatever is written");
            }
            self.0 = Hash::of(&[&self.0.0, text.as_bytes()]);
        }

        pub fn finish(self) -> Hash {
            self.0
        }
    }
}

/// What happens to the levels of a page of enterprises.
pub(crate) type Lines = Vec<(CreditCode, Vec<LevelLine>)>;

impl Bureau {
    /// Classifies the enterprises touched since the last run, as of today; `None` when there are none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn classify_touched(&self, watcher: Watcher<'_>) -> anyhow::Result<Option<Run>> {
        if !self.store.any_touched().await? {
            return Ok(None);
        }
        self.run(self.today(), Scope::Touched, watcher).await.map(Some)
    }

    /// Classifies all enterprises when a day has begun since they last were: what ends, fades or comes due by itself shows in
    /// levels and alerts that same day. Nothing before the first time that somebody has it done.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn classify_new_day(&self) -> anyhow::Result<Option<Run>> {
        let today = self.today();
        match self.runs_so_far().await?.over_all {
            Some(last) if last < today => self.classify_all(today, &|_| ()).await.map(Some),
            _ => Ok(None),
        }
    }

    /// Classifies all enterprises, after their relations have been put on record. A day before that of the last recorded
    /// run is only tried: what was decided then stands.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn classify_all(&self, as_of: Day, watcher: Watcher<'_>) -> anyhow::Result<Run> {
        if self.runs_so_far().await?.latest > Some(as_of) {
            let signatures = self.signatures(Seq(i64::MAX)).await?;
            return self.trial(&Tools::new(&self.rulebook, as_of, &signatures), as_of, None, watcher).await;
        }
        self.relate(as_of, watcher).await?;
        self.run(as_of, Scope::All, watcher).await
    }

    /// Tries one model on all enterprises, by itself; nothing is recorded.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn try_model(&self, model: &Model, as_of: Day, watcher: Watcher<'_>) -> anyhow::Result<Run> {
        let tools = Tools::alone(&self.rulebook, as_of, model);
        self.trial(&tools, as_of, Some(model.rule.id.value.clone()), watcher).await
    }

    async fn trial(
        &self,
        tools: &Tools<'_>,
        as_of: Day,
        model: Option<String>,
        watcher: Watcher<'_>,
    ) -> anyhow::Result<Run> {
        let known_up_to = self.store.head().await?.seq;
        let mut tally = Tally::default();
        let total = self.store.enterprise_count().await?;
        let mut after = None;
        loop {
            let page = self.store.histories(after, PAGE, known_up_to).await?;
            tally.add(&tools.compute(&page.histories, as_of)?.0);
            watcher(Stage { name: format!("试算 {as_of}"), done: tally.enterprises, total });
            if page.next.is_none() {
                break;
            }
            after = page.next;
        }
        Ok(tally.run(as_of, known_up_to, model, self.rulebook.version(), 0, None))
    }

    async fn run(&self, as_of: Day, scope: Scope, watcher: Watcher<'_>) -> anyhow::Result<Run> {
        self.keep_rulebook().await?;
        if scope == Scope::All || self.store.records_since_run().await? > PAGE {
            self.store.take_stock().await?;
        }
        let mut writing = self.store.begin_many().await?;
        let known_up_to = writing.head().seq;
        let ready = self.ready_within(as_of, &writing).await?;
        let found = classify_into(&mut writing, Arc::clone(&ready), scope, known_up_to, watcher).await?;
        let run = self.record_run(&mut writing, &ready, scope, known_up_to, found).await?;
        writing.commit().await?;
        Ok(run)
    }

    /// Commits; enterprises that wait for their level get it in the same transaction when they are few, otherwise from the
    /// next run.
    pub(crate) async fn commit_with_levels(&self, mut writing: Writing) -> anyhow::Result<()> {
        let known_up_to = writing.head().seq;
        let histories = match self.rulebook_is_kept() {
            true => writing.few_touched(known_up_to).await?,
            false => None,
        };
        let Some(histories) = histories else {
            writing.commit().await?;
            return Ok(());
        };
        let as_of = self.today();
        let ready = self.ready_within(as_of, &writing).await?;
        let mut found = Found::default();
        let computed = ready.tools().compute(&histories, as_of)?;
        found.take(&mut writing, &ready, computed, known_up_to).await?;
        self.record_run(&mut writing, &ready, Scope::Touched, known_up_to, found).await?;
        writing.commit().await?;
        Ok(())
    }

    /// Puts on record that levels were given, by what, and what an officer must look at.
    async fn record_run(
        &self,
        writing: &mut Writing,
        ready: &Ready,
        scope: Scope,
        known_up_to: Seq,
        found: Found,
    ) -> anyhow::Result<Run> {
        let Found { tally, changed, alarms } = found;
        let (as_of, seq) = (ready.borrow_owner().as_of, run_after(known_up_to));
        let run = tally.run(as_of, known_up_to, None, self.rulebook.version(), changed, Some(seq));
        let record = RunRecord {
            as_of,
            known_up_to: known_up_to.0,
            scope: if scope == Scope::All { OVER_ALL } else { "touched" }.to_owned(),
            rulebook: run.rulebook.clone(),
            digest: run.digest.to_string(),
            enterprises: i64::try_from(tally_count(&run)).context("企业数量过大")?,
        };
        writing
            .append(vec![NewRecord {
                body: Body::System { kind: CLASSIFICATION.into(), occurred_on: as_of, payload: record.payload()? },
                enterprise: None,
                supersedes: None,
                received_at: self.now(),
                source_unit: UNSPECIFIED_UNIT.into(),
            }])
            .await?;
        self.raise(writing, seq, as_of, alarms).await?;
        Ok(run)
    }

    /// Says why an enterprise is at its level, as of a day and, when given, as known at a seq; then with
    /// the rulebook of the last run that was known.
    ///
    /// # Errors
    /// [`crate::WrongInput`] when the ledger has nothing on the enterprise.
    pub async fn explain(
        &self,
        code: CreditCode,
        as_of: Day,
        known_up_to: Option<Seq>,
        model: Option<&Model>,
    ) -> anyhow::Result<Explanation> {
        let head = self.store.head().await?.seq;
        let seq = known_up_to.unwrap_or(head).min(head);
        let records = self.store.history(code, seq).await?;
        if records.is_empty() {
            return Err(nothing_on(code));
        }
        let known = Known { enterprise: code, records: &records, at: seq, is_cut: known_up_to.is_some() };
        self.explanation(&known, as_of, model).await
    }

    /// As [`Self::explain`], of records that were read before.
    pub(crate) async fn explanation(
        &self,
        known: &Known<'_>,
        as_of: Day,
        model: Option<&Model>,
    ) -> anyhow::Result<Explanation> {
        let Known { enterprise, records, at: seq, is_cut } = *known;
        let kept = if is_cut { self.rulebook_known_at(seq).await? } else { None };
        let rulebook = kept.as_ref().unwrap_or(&self.rulebook);
        let (ready, signatures, other);
        let tools = match (model, &kept) {
            (Some(model), _) => {
                other = Tools::alone(rulebook, as_of, model);
                &other
            }
            (None, Some(rulebook)) => {
                signatures = self.signatures(seq).await?;
                other = Tools::new(rulebook, as_of, &signatures);
                &other
            }
            (None, None) => {
                ready = self.ready(as_of, seq).await?;
                ready.tools()
            }
        };
        let classification = tools.classifier.classify(&Facts::new(records, as_of, &tools.kinds));
        let title = |kind: &str| tools.kinds.get(kind).map_or(kind, |kind| &kind.rule.title).to_owned();
        Ok(Explanation::new(
            &classification,
            &Context {
                enterprise,
                records,
                as_of,
                known_up_to: seq,
                rulebook: rulebook.version(),
                kind_title: &title,
                combination_reason: rulebook.combination(as_of).map(|rule| rule.reason.as_str()),
            },
        ))
    }
}

/// What a run found.
#[derive(Default)]
pub(crate) struct Found {
    pub tally: Tally,
    /// Enterprises whose combined level changed.
    changed: u64,
    /// What records, and levels that moved, make an officer look at.
    alarms: Vec<Alarm>,
}

/// The seq that a run's record has, by what is known when it begins.
fn run_after(known_up_to: Seq) -> Seq {
    Seq(known_up_to.0 + 1)
}

/// What was computed of a page: levels, and what an officer must look at.
type Computed = (Lines, Vec<Alarm>);

impl Found {
    /// Writes the levels of a page that changed, under the run that follows what is known.
    async fn take(
        &mut self,
        writing: &mut Writing,
        ready: &Ready,
        (lines, alarms): Computed,
        known_up_to: Seq,
    ) -> anyhow::Result<()> {
        self.tally.add(&lines);
        self.alarms.extend(alarms);
        let run = run_after(known_up_to);
        for LevelChange { enterprise, scope, from, to } in
            writing.write_levels(run, ready.borrow_owner().as_of, &lines).await?
        {
            self.changed += u64::from(scope == COMBINED);
            if let (Some(from), Some(to)) = (from, to) {
                let raised = ready.tools().watch.of_level(Moved { scope: &scope, from: &from, to: &to, run });
                self.alarms.extend(raised.iter().map(|raised| Alarm::new(enterprise, raised)));
            }
        }
        Ok(())
    }
}

/// Computes the levels of a scope and writes those that changed, under the run's seq. While pages are fetched, the one
/// before them is computed on a thread of its own, and the one before that is written.
pub(crate) async fn classify_into(
    writing: &mut Writing,
    ready: Arc<Ready>,
    scope: Scope,
    known_up_to: Seq,
    watcher: Watcher<'_>,
) -> anyhow::Result<Found> {
    let as_of = ready.borrow_owner().as_of;
    let mut roll = writing.roll(scope, PAGE, known_up_to).await?;
    let total = roll.total();
    let (pages, mut unread) = mpsc::channel::<JoinHandle<xinheng_store::Result<UnreadPage>>>(AHEAD);
    let (results, mut computed) = mpsc::channel::<anyhow::Result<Computed>>(1);
    let (computing, runtime) = (Arc::clone(&ready), Handle::current());
    tokio::task::spawn_blocking(move || {
        while let Some(page) = unread.blocking_recv() {
            let page = runtime.block_on(page).context("读取履历的任务意外结束");
            let histories = page.and_then(|page| Ok(page?.read()?));
            let computed = histories.and_then(|histories| computing.tools().compute(&histories, as_of));
            if results.blocking_send(computed).is_err() {
                return;
            }
        }
    });
    let mut found = Found::default();
    let (mut listed_all, mut ahead) = (false, 0);
    loop {
        while !listed_all && ahead < AHEAD {
            let Some(page) = writing.next_page(&mut roll, known_up_to).await? else {
                listed_all = true;
                break;
            };
            // When the other thread has ended, its silence below says so.
            pages.send(tokio::spawn(page.fetch())).await.ok();
            ahead += 1;
        }
        if ahead == 0 {
            return Ok(found);
        }
        let computed = match computed.recv().await.context("计算等级的线程意外结束")? {
            Ok(computed) => computed,
            Err(error) => {
                // What the transaction was refused says more than that its answer did not come.
                writing.taken().await?;
                return Err(error);
            }
        };
        ahead -= 1;
        found.take(writing, &ready, computed, known_up_to).await?;
        watcher(Stage { name: format!("分类 {as_of}"), done: found.tally.enterprises, total });
    }
}

fn tally_count(run: &Run) -> u64 {
    run.levels.values().sum::<u64>() + run.unclassified
}

/// A rulebook made ready for a day.
pub(crate) struct Tools<'a> {
    pub kinds: Kinds<'a>,
    pub classifier: Classifier<'a>,
    watch: Watch<'a>,
}

impl<'a> Tools<'a> {
    pub fn new(rulebook: &'a Rulebook, day: Day, signatures: &'a Signatures) -> Self {
        let kinds = Kinds::new(rulebook.kinds(day));
        let acting = move |rule: &str| signatures.act(rulebook, rule, day);
        let classifier = Classifier::new(rulebook.models(day), rulebook.combination(day), &kinds, acting);
        let watch = Watch::new(rulebook.alerts(day), rulebook.models(day), &kinds, acting);
        Self { kinds, classifier, watch }
    }

    /// What every enterprise of a page is given, and what its records make an officer look at. A level whose parts do not
    /// sum to it is given to nobody.
    fn compute<S: AsRef<Statement>>(&self, histories: &[(CreditCode, Vec<S>)], as_of: Day) -> anyhow::Result<Computed> {
        let mut alarms = Vec::new();
        let each = histories.iter().map(|(code, records)| {
            let facts = Facts::new(records, as_of, &self.kinds);
            let classification = self.classifier.classify(&facts);
            if !self.watch.is_idle() {
                let raised = self.watch.of_records(&facts, &classification);
                alarms.extend(raised.iter().map(|raised| Alarm::new(*code, raised)));
            }
            anyhow::ensure!(
                classification.adds_up(),
                "{code} 的逐条分值之和与总分不符（截至 {as_of}），等级没有入账。这是程序的错误，请保留数据库并报告"
            );
            Ok((*code, classification.lines()))
        });
        let lines = each.collect::<anyhow::Result<Lines>>()?;
        Ok((lines, alarms))
    }

    /// One model by itself, as a trial.
    fn alone(rulebook: &'a Rulebook, day: Day, model: &'a Model) -> Self {
        let kinds = Kinds::new(rulebook.kinds(day).filter(|kind| kind.rule.id.value != RECEIVED_LEVEL));
        let classifier = Classifier::new([model], None, &kinds, |_: &str| false);
        let watch = Watch::new([], [], &kinds, |_: &str| false);
        Self { kinds, classifier, watch }
    }
}

/// Counts levels as pages go by.
#[derive(Default)]
pub(crate) struct Tally {
    levels: BTreeMap<Text, u64>,
    unclassified: u64,
    trial: u64,
    pub enterprises: u64,
    digest: LevelDigest,
}

impl Tally {
    fn add(&mut self, page: &Lines) {
        for (code, lines) in page {
            self.enterprises += 1;
            self.digest.add(*code, lines);
            match lines.iter().find(|line| line.scope == COMBINED) {
                Some(line) => {
                    *self.levels.entry(line.level.clone()).or_default() += 1;
                    self.trial += u64::from(!line.in_force);
                }
                None => self.unclassified += 1,
            }
        }
    }

    fn run(
        self,
        as_of: Day,
        known_up_to: Seq,
        model: Option<String>,
        rulebook: &str,
        changed: u64,
        seq: Option<Seq>,
    ) -> Run {
        let Self { levels, unclassified, trial, digest, .. } = self;
        let rulebook = rulebook.to_owned();
        Run { as_of, known_up_to, model, rulebook, levels, unclassified, changed, trial, seq, digest: digest.finish() }
    }

    pub fn digest(self) -> Hash {
        self.digest.finish()
    }
}
