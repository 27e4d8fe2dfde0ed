//! Clocks (期限) at work: what each appended record starts, ends, pauses and resumes, in the transaction
//! that appends it.

use std::collections::{BTreeSet, HashMap, HashSet};

use anyhow::Context as _;
use xinheng_core::credit_code::CreditCode;
use xinheng_core::deadline::{Clock, Deadlines, Effects, Event, Started};
use xinheng_core::ledger::Head;
use xinheng_core::record::Seq;
use xinheng_core::rulebook::Citation;
use xinheng_core::rulebook::load::Rulebook;
use xinheng_store::{Entry, MATCHED_RECORD, MATCHING, NewRecord, Writing};

use crate::{Bureau, Stage, Watcher};

/// Records followed at a time.
const PAGE: u64 = 5_000;

/// Appends records and keeps the clocks in step. Whoever appends records of enterprises does it by this.
pub struct ClockKeeper<'a> {
    deadlines: Deadlines<'a>,
    rulebook: &'a Rulebook,
    named: bool,
}

/// What a batch of records does.
#[derive(Default)]
struct Changes {
    starts: Vec<Started>,
    events: Vec<Event>,
    late: Vec<xinheng_core::deadline::LateSubmission>,
    /// Records that are no longer current: what they did is taken back.
    superseded: HashSet<Seq>,
    /// Records whose enterprise became known.
    matched: HashMap<Seq, CreditCode>,
}

impl<'a> ClockKeeper<'a> {
    /// Makes the rules ready, once for many batches.
    #[must_use]
    pub fn new(rulebook: &'a Rulebook) -> Self {
        Self { deadlines: Deadlines::new(rulebook), rulebook, named: false }
    }

    /// The rules.
    #[must_use]
    pub fn deadlines(&self) -> &Deadlines<'a> {
        &self.deadlines
    }

    /// Appends records, with what they do to clocks.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn append(&mut self, writing: &mut Writing, records: Vec<NewRecord>) -> anyhow::Result<Head> {
        let entries = writing.append_entries(records).await?;
        self.follow(writing, &entries).await?;
        Ok(writing.head())
    }

    /// Carries consecutive records of the ledger into the clocks. A few statements for each batch that has
    /// something to do with clocks, none for others.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn follow(&mut self, writing: &mut Writing, entries: &[Entry]) -> anyhow::Result<()> {
        if !self.named {
            writing.name_basis_of_clocks(self.rulebook.version()).await?;
            self.named = true;
        }
        let changes = self.changes(entries);
        let Changes { mut starts, mut events, late, superseded, matched } = changes;
        writing.write_late(late).await?;
        let touched: Vec<Seq> = superseded.iter().chain(matched.keys()).copied().collect();
        let touched_clocks = writing.clocks_started_by(&touched).await?;
        let touched_events = writing.clock_events_of(&touched).await?;
        let mut keys: BTreeSet<String> = starts.iter().map(|start| start.key.clone()).collect();
        keys.extend(events.iter().map(|event| event.key.clone()));
        keys.extend(touched_clocks.into_iter().map(|clock| clock.start.key));
        keys.extend(touched_events.into_iter().map(|event| event.key));
        if keys.is_empty() {
            return Ok(());
        }
        let keys: Vec<String> = keys.into_iter().collect();
        writing.forget_clocks_of(&superseded.iter().copied().collect::<Vec<_>>()).await?;
        let known: HashMap<(String, Seq), Clock> = writing
            .clocks(&keys)
            .await?
            .into_iter()
            .map(|clock| ((clock.start.rule.clone(), clock.start.seq), clock))
            .collect();
        let mut happened = writing.clock_events(&keys).await?;
        for event in &mut happened {
            if let (None, Some(code)) = (event.enterprise, matched.get(&event.seq)) {
                event.enterprise = Some(*code);
                events.push(event.clone());
            }
        }
        starts.extend(known.values().map(|clock| clock.start.clone()));
        for start in &mut starts {
            start.enterprise = start.enterprise.or_else(|| matched.get(&start.seq).copied());
        }
        happened.extend(events.iter().cloned());
        let mut by_key: HashMap<&str, Vec<Event>> = HashMap::new();
        for event in &happened {
            by_key.entry(&event.key).or_default().push(event.clone());
        }
        let none = Vec::new();
        let mut clocks: Vec<Clock> = starts
            .into_iter()
            .filter_map(|start| {
                let events = by_key.get(start.key.as_str()).unwrap_or(&none);
                self.deadlines.clock(start, events)
            })
            .filter(|clock| known.get(&(clock.start.rule.clone(), clock.start.seq)) != Some(clock))
            .collect();
        clocks.sort_by(|one, other| (one.start.seq, &one.start.rule).cmp(&(other.start.seq, &other.start.rule)));
        writing.write_clock_events(events).await?;
        writing.write_clocks(clocks).await?;
        Ok(())
    }

    fn changes(&self, entries: &[Entry]) -> Changes {
        let mut changes = Changes::default();
        for record in entries.iter().map(|entry| &entry.record) {
            if record.kind == MATCHING {
                let matched = record.payload.integer(MATCHED_RECORD).map(Seq);
                changes.matched.extend(matched.zip(record.enterprise));
                continue;
            }
            if !self.deadlines.concern(&record.kind) {
                continue;
            }
            changes.superseded.extend(record.supersedes);
            let Effects { starts, events, late } = self.deadlines.effects(record);
            changes.starts.extend(starts);
            changes.events.extend(events);
            changes.late.extend(late);
        }
        let Changes { starts, events, superseded, matched, .. } = &mut changes;
        starts.retain(|start| !superseded.contains(&start.seq));
        events.retain(|event| !superseded.contains(&event.seq));
        for event in events {
            event.enterprise = event.enterprise.or_else(|| matched.get(&event.seq).copied());
        }
        changes
    }
}

/// A rule on deadlines as lists and pages show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadlineLine {
    /// Id, as clocks name it.
    pub id: String,
    /// 名称
    pub title: String,
    /// What has to be done.
    pub duty: String,
    /// Where it is written.
    pub cite: Vec<Citation>,
    /// Whether it is confirmed or signed; otherwise its clocks are for trial only (未经签署).
    pub in_force: bool,
}

impl Bureau {
    /// The rules on deadlines that are in force today.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deadline_rules(&self) -> anyhow::Result<Vec<DeadlineLine>> {
        let today = self.today();
        let signatures = self.signatures(Seq(i64::MAX)).await?;
        let rules = self.rulebook().all_deadlines().filter(|rule| rule.rule.in_force(today));
        Ok(rules
            .map(|rule| DeadlineLine {
                id: rule.rule.id.value.clone(),
                title: rule.rule.title.clone(),
                duty: rule.duty.clone(),
                cite: rule.rule.cite.clone(),
                in_force: signatures.act(self.rulebook(), &format!("deadlines/{}", rule.rule.id.value), today),
            })
            .collect())
    }

    /// Computes all clocks again when they were computed with another rulebook, because a term changed or a
    /// holiday notice came, or not at all yet. Says whether it did.
    ///
    /// # Errors
    /// When the database fails; then they are as before.
    pub async fn refresh_clocks(&self, watcher: Watcher<'_>) -> anyhow::Result<bool> {
        if self.store().clocks_computed_with().await?.as_deref() == Some(self.rulebook().version()) {
            return Ok(false);
        }
        let mut writing = self.store().begin_many().await?;
        let last = writing.head().seq;
        writing.clear_clocks().await?;
        let mut keeper = ClockKeeper::new(self.rulebook());
        let mut next = Seq(1);
        while next <= last {
            let page = self.store().records(next, PAGE).await?;
            let end = page.last().context("台账中间缺少记录，请先核验台账")?.record.seq;
            keeper.follow(&mut writing, &page).await?;
            next = Seq(end.0 + 1);
            let (done, total) = (end.0.unsigned_abs(), last.0.unsigned_abs());
            watcher(Stage { name: "重算期限".to_owned(), done, total });
        }
        writing.name_basis_of_clocks(self.rulebook().version()).await?;
        writing.commit().await?;
        Ok(true)
    }
}
