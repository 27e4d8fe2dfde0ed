//! Writing (记账): the one transaction at a time that appends to the ledger and carries every record
//! into the projections.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use sea_orm::DatabaseConnection;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use xinheng_core::classify::LevelLine;
use xinheng_core::collect::{Content, Identity, Standing};
use xinheng_core::credit_code::CreditCode;
use xinheng_core::ledger::{CanonicalText, Hash, Head, chain};
use xinheng_core::points::Points;
use xinheng_core::record::{
    Commitments, Day, EnterpriseKeys, Moment, Payload, Record, RecordId, Seq, Statement, Text, Value,
};

use crate::ahead::Ahead;
use crate::audit::Audited;
use crate::bulk::{Batch, Extent, Transaction};
use crate::entity::{self, current_level, level_change, past_level, personal};
use crate::entry::{Entry, day, fixed};
use crate::error::{Result, StoreError};
use crate::keys::Keys;
use crate::level::{CurrentLevels, LevelChange, LevelChanges, current_levels};
use crate::newest::{Newest, NewestRecord, newest};
use crate::pending::Pending;
use crate::projection::{self, Changes, KEY_COLUMNS, MATCHED_RECORD, MATCHING, Part, identifying};
use crate::reading::{self, Roll, Scope, Statements, UnfetchedPage, count, next_codes, roll, statements_with};
use crate::seal::{SealedDraft, SealedField};
use crate::store::Store;
use crate::touched::{Own, Touched};

/// So many records that it is worth while to go on before the database has them.
const MANY: usize = 256;

/// Batches of records on their way to the database, while the next is made ready.
const UNDER_WAY: usize = 2;

/// So many rows that checkpoints are better made beside the writer.
const VERY_MANY: usize = 10_000;

/// A record to be appended.
pub struct NewRecord {
    /// What it says.
    pub body: Body,
    /// Whose it is, when that is known.
    pub enterprise: Option<CreditCode>,
    /// The record it replaces as current.
    pub supersedes: Option<Seq>,
    /// The moment we knew.
    pub received_at: Moment,
    /// The unit that handed it in.
    pub source_unit: Text,
}

/// What a new record says.
#[allow(clippy::large_enum_variant, reason = "nearly all are drafts")]
pub enum Body {
    /// A row or form, sealed.
    Draft(SealedDraft),
    /// Something the system itself puts on record. Its id is `0.seq.0`: submission 0 is the system's.
    System {
        /// Kind of record.
        kind: Text,
        /// The day in the world.
        occurred_on: Day,
        /// Fields.
        payload: Payload,
    },
}

impl NewRecord {
    /// A record that says whose an earlier record is.
    #[must_use]
    pub fn matching(record: Seq, enterprise: CreditCode, received_at: Moment, source_unit: Text) -> Self {
        Self {
            body: Body::System {
                kind: MATCHING.into(),
                occurred_on: received_at.day_in_china(),
                payload: Payload::from_iter([(MATCHED_RECORD, Value::Integer(record.0))]),
            },
            enterprise: Some(enterprise),
            supersedes: None,
            received_at,
            source_unit,
        }
    }
}

/// The exclusive writing transaction. Dropped without [`Writing::commit`], it leaves no trace.
pub struct Writing {
    pub(crate) transaction: Transaction,
    pub(crate) keys: Keys,
    readers: DatabaseConnection,
    head: Head,
    /// The newest line of the audit log.
    pub(crate) audited: Audited,
    /// The rulebook that clocks were computed with, once it has been named.
    pub(crate) basis_of_clocks: Option<String>,
    /// The newest signature before this transaction.
    signed: Option<Seq>,
    /// What the newest records make of the projections; written before anything asks, and with the commit.
    pending: Pending,
    /// What was asked ahead about the records to come, those first that come first.
    foreseen: Ahead<Identity, Foreseen>,
    /// The current levels of pages of a run, asked ahead, those first that come first.
    levels_ahead: Ahead<String, oneshot::Receiver<CurrentLevels>>,
    /// Each says when the database has a batch of records, the earliest first.
    under_way: VecDeque<oneshot::Receiver<()>>,
    /// No record waits for an enterprise, as far as records have been appended.
    none_waits: bool,
    touched: Touched,
    own: Own,
    /// Records and levels so far.
    rows: usize,
    /// The form that this transaction carries out.
    pub(crate) form: Option<String>,
}

impl Store {
    /// Waits until no one else writes, and begins.
    ///
    /// # Errors
    /// When the wait is too long, or the newest record was written with another key.
    pub async fn begin(&self) -> Result<Writing> {
        self.begin_to(Extent::Few).await
    }

    /// As [`Self::begin`], to write as many records or levels as there may be.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub async fn begin_many(&self) -> Result<Writing> {
        self.begin_to(Extent::Many).await
    }

    async fn begin_to(&self, extent: Extent) -> Result<Writing> {
        let mut transaction = Transaction::begin(&self.connections, extent).await?;
        let Newest { record, audited, last_day, basis_of_clocks, signed, touched } = newest(&mut transaction).await?;
        let head = match record {
            None => Head::EMPTY,
            Some(NewestRecord { seq, id, digests, mark, hash }) => {
                if self.keys.mark(id, digests) != *mark {
                    return Err(StoreError::WrongKey(seq));
                }
                let hash = fixed(Some(&hash)).ok_or(StoreError::Damaged { seq, column: "hash" })?;
                Head { seq, hash: Hash(hash) }
            }
        };
        let (keys, readers) = (self.keys.clone(), self.connections.readers.clone());
        Ok(Writing {
            transaction,
            keys,
            readers,
            head,
            audited,
            basis_of_clocks,
            signed,
            touched,
            own: Own { before: head.seq, records: Some(Vec::new()) },
            pending: Pending::after(last_day),
            foreseen: Ahead::default(),
            levels_ahead: Ahead::default(),
            under_way: VecDeque::new(),
            none_waits: false,
            rows: 0,
            form: None,
        })
    }
}

impl Writing {
    /// The newest record, those appended in this transaction among them. The next has the next seq.
    #[must_use]
    pub fn head(&self) -> Head {
        self.head
    }

    /// The newest signature of a rule before this transaction.
    #[must_use]
    pub fn newest_signature(&self) -> Option<Seq> {
        self.signed
    }

    /// Whether someone of this process waits for this transaction to end.
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        self.transaction.is_awaited()
    }

    /// Makes everything lasting.
    ///
    /// # Errors
    /// When the database cannot; then nothing of it is.
    pub async fn commit(mut self) -> Result<()> {
        self.settle().await?;
        self.transaction.commit().await?;
        if self.rows >= VERY_MANY {
            Transaction::write_back(&self.readers);
        }
        Ok(())
    }

    /// Brings the projections up to the head.
    pub(crate) async fn settle(&mut self) -> Result<()> {
        let so_far = self.transaction.leave_whole();
        for part in self.pending.take_all() {
            self.none_waits &= !part.waits();
            part.write(&mut self.transaction).await?;
        }
        self.transaction.whole_again(so_far);
        self.transaction.catch_up().await
    }

    /// Has projections written while the caller goes on.
    fn write_later(&mut self, part: Part) {
        self.none_waits &= !part.waits();
        self.transaction.later(|mut transaction| async move {
            part.write(&mut transaction).await?;
            Ok(transaction)
        });
    }

    /// Puts chained records into the ledger, while the caller goes on.
    async fn put_later(&mut self, rows: Batch, personal: Batch) {
        // No more than these wait in memory.
        if self.under_way.len() >= UNDER_WAY
            && let Some(taken) = self.under_way.pop_front()
        {
            taken.await.ok();
        }
        let (taken, has_taken) = oneshot::channel();
        self.under_way.push_back(has_taken);
        self.transaction.later(|mut transaction| async move {
            transaction.insert_batch(rows).await?;
            transaction.insert_batch(personal).await?;
            transaction.come_back().await?;
            taken.send(()).ok();
            Ok(transaction)
        });
    }

    /// The registered enterprise that each set of keys identifies: the first key that is present
    /// decides; a main identity or registration number only when it is one enterprise's alone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn match_enterprises(&mut self, keys: &[EnterpriseKeys]) -> Result<Vec<Option<CreditCode>>> {
        let identifying: Vec<_> = keys.iter().map(identifying).collect();
        if identifying.iter().any(Option::is_some) && self.pending.registers() {
            self.settle().await?;
        }
        let mut wanted: BTreeMap<&'static str, BTreeSet<&String>> = BTreeMap::new();
        for (column, key) in identifying.iter().flatten() {
            wanted.entry(*column).or_default().insert(key);
        }
        let mut found = HashMap::new();
        for (column, keys) in wanted {
            let keys: Vec<String> = keys.into_iter().cloned().collect();
            let rows: Vec<(String, String)> = self
                .transaction
                .look_up(
                    &format!(
                        "SELECT k.value, min(e.code) FROM {{keys}} AS k CROSS JOIN enterprise AS e \
                         WHERE e.{column} = k.value GROUP BY k.value HAVING count(*) = 1"
                    ),
                    &[],
                    &keys,
                )
                .await?;
            for (key, code) in rows {
                found.insert((column, key), enterprise_code(&code)?);
            }
        }
        Ok(identifying.into_iter().map(|key| key.and_then(|key| found.get(&key).copied())).collect())
    }

    /// Asks ahead for what [`Self::standings`] will be asked for later, in the same order: the database answers before it
    /// takes the records that are appended from now on, and whoever decides need not wait for it to have them.
    pub fn foresee(&mut self, identities: &[Identity]) {
        let (answer, stored) = oneshot::channel();
        let mut newer = HashMap::new();
        let mut unknown = Vec::with_capacity(identities.len());
        for identity in identities {
            match self.pending.standing(*identity) {
                Some(standing) => drop(newer.insert(*identity, standing)),
                None => unknown.push(*identity),
            }
        }
        self.foreseen.note(identities, Foreseen { newer, stored });
        self.transaction.later(|mut transaction| async move {
            let standings = stored_standings(&mut transaction, unknown).await?;
            // Nobody hears it when the records did not come to be decided.
            answer.send(standings).ok();
            Ok(transaction)
        });
    }

    /// The current row of each identity that has one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn standings(&mut self, identities: &[Identity]) -> Result<HashMap<Identity, Standing>> {
        if identities.is_empty() {
            return Ok(HashMap::new());
        }
        if let Some(Foreseen { newer, stored }) = self.foreseen.take(identities) {
            let mut standings = self.heard(stored).await?;
            standings.extend(newer);
            return Ok(standings);
        }
        let (pending, stored): (Vec<Identity>, Vec<Identity>) =
            identities.iter().copied().partition(|one| self.pending.standing(*one).is_some());
        let mut standings = stored_standings(&mut self.transaction, stored).await?;
        standings.extend(pending.into_iter().filter_map(|one| Some((one, self.pending.standing(one)?))));
        Ok(standings)
    }

    /// Which records (line, part) of a stretch of a submission are in the ledger already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn places_present(
        &mut self,
        submission: i64,
        first_line: i64,
        last_line: i64,
    ) -> Result<HashSet<(i64, i16)>> {
        let rows: Vec<(i64, i16)> = self
            .transaction
            .look_up(
                "SELECT line, part FROM record WHERE submission = $1 AND line BETWEEN $2 AND $3",
                &[submission, first_line, last_line],
                &[],
            )
            .await?;
        Ok(rows.into_iter().collect())
    }

    /// Appends records in the order given: each takes the next seq and its place in the chain, its
    /// personal values are put away, and the projections follow.
    ///
    /// # Errors
    /// When the database fails; then the transaction is of no more use.
    pub async fn append(&mut self, records: Vec<NewRecord>) -> Result<Head> {
        self.append_entries(records).await?;
        Ok(self.head)
    }

    /// As [`Self::append`], with the records as they entered the ledger, for whoever derives more from them.
    ///
    /// Many records are chained while the database still takes those before them, and when this returns it has yet to
    /// take these: should it refuse one, whatever is asked of the transaction next fails.
    ///
    /// # Errors
    /// When the database fails; then the transaction is of no more use.
    pub async fn append_entries(&mut self, records: Vec<NewRecord>) -> Result<Vec<Entry>> {
        // Not worth waiting for what the database still takes.
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let so_far = self.transaction.leave_whole();
        let many = records.len() >= MANY;
        self.rows += records.len();
        let changes = self.pending.lend();
        let (head, keys) = (self.head, self.keys.clone());
        let chained = if many {
            let chaining = spawn_blocking(move || Chained::of(head, changes, &keys, records));
            chaining.await.map_err(|_| StoreError::Broken)?
        } else {
            Chained::of(head, changes, &keys, records)
        };
        let Chained { head, entries, changes, rows, personal } = chained;
        self.head = head;
        self.pending.give_back(changes);
        for (asked, foreseen) in self.foreseen.iter_mut() {
            foreseen.take(asked, &entries);
        }
        self.touched.add(entries.iter().filter_map(|entry| entry.record.enterprise));
        self.own.add(&entries);
        if many {
            self.put_later(rows, personal).await;
        } else {
            // A task of its own would cost more than it spares.
            self.transaction.insert_batch(rows).await?;
            self.transaction.insert_batch(personal).await?;
        }
        if let Some(part) = self.pending.next_part() {
            self.write_later(part);
        }
        if self.pending.are_enough() {
            while let Some(part) = self.pending.next_part() {
                self.write_later(part);
            }
            self.pending.divide();
        }
        if !many {
            self.transaction.come_back().await?;
        }
        self.transaction.whole_again(so_far);
        Ok(entries)
    }

    /// Waiting records that the given enterprises, just registered, now identify, in ledger order.
    /// The caller puts a [`NewRecord::matching`] on record for each.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn waiting_for(&mut self, enterprises: &[CreditCode]) -> Result<Vec<(Seq, CreditCode)>> {
        let mut found = BTreeMap::new();
        if self.pending.waits() {
            self.settle().await?;
        }
        if self.none_waits {
            return Ok(Vec::new());
        }
        let waiting: Vec<(i64,)> =
            self.transaction.look_up("SELECT seq FROM waiting WHERE given IS NOT NULL LIMIT 1", &[], &[]).await?;
        if waiting.is_empty() {
            self.none_waits = true;
            return Ok(Vec::new());
        }
        self.settle().await?;
        let codes: Vec<String> = enterprises.iter().map(ToString::to_string).collect();
        for column in KEY_COLUMNS {
            let rows: Vec<(i64, String)> = self
                .transaction
                .look_up(
                    &format!(
                        "SELECT w.seq, e.code FROM {{keys}} AS k CROSS JOIN enterprise AS e CROSS JOIN waiting AS w \
                         WHERE e.code = k.value AND w.given = e.{column} AND w.key_column = '{column}' \
                         AND NOT EXISTS (SELECT 1 FROM enterprise AS o WHERE o.{column} = e.{column} AND o.code <> e.code)"
                    ),
                    &[],
                    &codes,
                )
                .await?;
            for (seq, code) in rows {
                found.insert(Seq(seq), enterprise_code(&code)?);
            }
        }
        Ok(found.into_iter().collect())
    }

    /// The enterprises that a run takes up, with those that this transaction has changed: a run by all records up to a seq,
    /// in pages of so many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn roll(&mut self, scope: Scope, page: u64, known_up_to: Seq) -> Result<Roll> {
        self.settle().await?;
        self.levels_ahead.clear();
        roll(&mut self.transaction, &self.readers, scope, page, known_up_to).await
    }

    /// The next page of a run; none after the last. Of the records only those that were in the ledger before this
    /// transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_page(&mut self, roll: &mut Roll, known_up_to: Seq) -> Result<Option<UnfetchedPage>> {
        // The pages before are still being written: nobody waits for them.
        if !self.pending.is_empty() {
            self.settle().await?;
        }
        let Some(codes) = next_codes(&mut self.transaction, roll).await? else { return Ok(None) };
        let (answer, matched) = oneshot::channel();
        let (answer_levels, levels) = oneshot::channel();
        let asked = codes.clone();
        self.transaction.later(move |mut transaction| async move {
            answer.send(reading::matched(&mut transaction, &asked, known_up_to).await?).ok();
            answer_levels.send(current_levels(&mut transaction, &asked).await?).ok();
            Ok(transaction)
        });
        self.levels_ahead.note(&codes, levels);
        Ok(Some(UnfetchedPage { readers: self.readers.clone(), codes, matched, known_up_to }))
    }

    /// The current levels of enterprises: asked ahead, if they are those of a page.
    async fn current_levels(&mut self, enterprises: &[String]) -> Result<CurrentLevels> {
        let Some(levels) = self.levels_ahead.take(enterprises) else {
            return current_levels(&mut self.transaction, enterprises).await;
        };
        self.heard(levels).await
    }

    /// The answer to what was asked ahead; when none comes, why.
    async fn heard<T>(&mut self, answer: oneshot::Receiver<T>) -> Result<T> {
        if let Ok(answer) = answer.await {
            return Ok(answer);
        }
        self.transaction.catch_up().await?;
        Err(StoreError::Broken)
    }

    /// How many enterprises are registered, with what this transaction has changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn enterprise_count(&mut self) -> Result<u64> {
        self.settle().await?;
        count(&mut self.transaction).await
    }

    /// Puts the levels that a run gives to enterprises on record where they differ from the current ones, and says which
    /// have moved. An enterprise may occur once; in a scope of which it has no line it is no longer graded. Many are
    /// written while the caller goes on: should the database refuse one, whatever is asked of the transaction next fails.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write_levels(
        &mut self,
        run: Seq,
        as_of: Day,
        given: &[(CreditCode, Vec<LevelLine>)],
    ) -> Result<Vec<LevelChange>> {
        if self.pending.registers() {
            self.settle().await?;
        }
        let codes: Vec<String> = given.iter().map(|(code, _)| code.to_string()).collect();
        let mut standing = self.current_levels(&codes).await?;
        let (mut changes, mut moved) = (LevelChanges::default(), Vec::new());
        for ((enterprise, lines), code) in given.iter().zip(codes) {
            let mut current = standing.remove(&code).unwrap_or_default();
            let was_graded = !current.is_empty();
            let mut now: BTreeMap<&str, Option<&LevelLine>> = BTreeMap::new();
            for line in lines {
                now.entry(&line.scope).or_insert(Some(line));
            }
            let ended: Vec<String> =
                current.keys().filter(|scope| !now.contains_key(scope.as_str())).cloned().collect();
            now.extend(ended.iter().map(|scope| (scope.as_str(), None)));
            let so_far = changes.newest.len();
            let mut standards = Vec::with_capacity(now.len());
            for (scope, line) in now {
                let before = current.remove(scope);
                if let Some(line) = line {
                    standards.push((line.scope.clone(), line.level.clone(), line.total.map(Points::milli)));
                }
                if before.as_ref().is_some_and(|before| before.says(line)) {
                    continue;
                }
                let row = current_level::Model::new(&code, scope, line, run, as_of);
                let from = before.as_ref().and_then(|before| before.level.clone());
                changes.past.extend(before.map(past_level::Model::from));
                if from != row.level {
                    let text = |level: &Option<String>| level.as_deref().map(Text::from);
                    let (from_level, to) = (text(&from), text(&row.level));
                    moved.push(LevelChange { enterprise: *enterprise, scope: scope.into(), from: from_level, to });
                    changes.moves.push(level_change::Model {
                        run: run.0,
                        scope: scope.to_owned(),
                        enterprise: code.clone(),
                        before: from,
                        after: row.level.clone(),
                    });
                }
                changes.newest.push(row);
            }
            if changes.newest.len() > so_far {
                changes.graded_before.extend(was_graded.then(|| code.clone()));
                changes.standards.insert(code, standards);
            }
        }
        self.rows += changes.newest.len();
        if changes.newest.len() >= MANY {
            self.transaction.later(|mut transaction| async move {
                changes.write(&mut transaction).await?;
                Ok(transaction)
            });
        } else {
            let so_far = self.transaction.leave_whole();
            changes.write(&mut self.transaction).await?;
            self.transaction.whole_again(so_far);
        }
        Ok(moved)
    }

    /// The enterprises that wait for their level, with all that this transaction knows of them; none when there are more than
    /// so many, or no such.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn few_touched(&mut self, known_up_to: Seq) -> Result<Option<Statements>> {
        let transaction = &mut self.transaction;
        let Some(touched) = self.touched.all(transaction).await? else { return Ok(None) };
        if let Some(own) = &self.own.records {
            let own = own.iter().filter(|record| record.seq <= known_up_to);
            return statements_with(transaction, touched, known_up_to.min(self.own.before), own).await.map(Some);
        }
        let touched = touched.clone();
        if self.pending.waits() {
            self.settle().await?;
        }
        self.transaction.catch_up().await?;
        statements_with(&mut self.transaction, &touched, known_up_to, std::iter::empty()).await.map(Some)
    }

    /// Empties all projections, to be filled again by [`Self::project`] (and levels by whoever
    /// classifies), in the same transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn clear_projections(&mut self) -> Result<()> {
        self.pending = Pending::after(None);
        self.basis_of_clocks = None;
        for table in projection::TABLES {
            self.transaction.execute(&format!("DELETE FROM {table}"), &[], &[]).await?;
        }
        Ok(())
    }

    /// For a comparison: the records appended last stay in the ledger alone.
    #[cfg(feature = "testing")]
    pub fn forget_projections(&mut self) {
        self.pending = Pending::after(self.pending.last_day());
    }

    /// Returns when the database has everything that was given to it while the caller went on.
    ///
    /// # Errors
    /// What the database refused, if it did.
    pub async fn taken(&mut self) -> Result<()> {
        self.transaction.catch_up().await
    }

    /// Carries consecutive records of the ledger into the projections, as the append did.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn project(&mut self, entries: &[Entry]) -> Result<()> {
        entries.iter().for_each(|entry| self.pending.take(entry));
        if self.pending.are_enough() {
            self.settle().await?;
        }
        Ok(())
    }
}

/// The standings that were asked ahead.
struct Foreseen {
    /// Of records that the database did not have yet when it was asked.
    newer: HashMap<Identity, Standing>,
    stored: oneshot::Receiver<HashMap<Identity, Standing>>,
}

impl Foreseen {
    /// Keeps in step with the records that have been appended since.
    fn take(&mut self, asked: &HashSet<Identity>, entries: &[Entry]) {
        for Entry { record, digests, .. } in entries {
            if let Some((identity, content)) = *digests
                && asked.contains(&identity)
            {
                let Statement { seq, version, withdrawn, .. } = record.statement;
                self.newer.insert(identity, Standing { seq, content, version, withdrawn });
            }
        }
    }
}

/// The current row of each identity that has one in the database.
async fn stored_standings(
    transaction: &mut Transaction,
    mut identities: Vec<Identity>,
) -> Result<HashMap<Identity, Standing>> {
    // In the order of the tree that they are looked up in.
    identities.sort_unstable();
    let keys: Vec<String> = identities.into_iter().map(|identity| hex::encode(identity.0)).collect();
    type Current = (Vec<u8>, i64, Vec<u8>, Option<String>, bool);
    let rows: Vec<Current> = transaction
        .look_up(
            "SELECT c.identity, c.seq, r.content, r.version, r.withdrawn FROM {keys} AS k \
             CROSS JOIN current_record AS c CROSS JOIN record AS r WHERE c.identity = {bytes} AND r.seq = c.seq",
            &[],
            &keys,
        )
        .await?;
    let standing = |(identity, seq, content, version, withdrawn): Current| {
        let seq = Seq(seq);
        let damaged = |column| StoreError::Damaged { seq, column };
        let standing = Standing {
            seq,
            content: Content(fixed(Some(&content)).ok_or_else(|| damaged("content"))?),
            version: version.map(|version| day(&version).ok_or_else(|| damaged("version"))).transpose()?,
            withdrawn,
        };
        Ok((Identity(fixed(Some(&identity)).ok_or_else(|| damaged("identity"))?), standing))
    };
    rows.into_iter().map(standing).collect()
}

/// Consecutive records with their places in the chain.
struct Chained {
    /// The newest of them.
    head: Head,
    /// As they enter the ledger.
    entries: Vec<Entry>,
    /// What they make of the projections, with those before them.
    changes: Changes,
    rows: Batch,
    personal: Batch,
}

impl Chained {
    fn of(mut head: Head, mut changes: Changes, keys: &Keys, records: Vec<NewRecord>) -> Self {
        let (mut entries, mut rows) = (Vec::with_capacity(records.len()), Vec::with_capacity(records.len()));
        let mut personal = Vec::new();
        for record in records {
            let (entry, row, fields) = entered(head, keys, record);
            head = Head { seq: entry.record.seq, hash: entry.hash };
            personal.extend(fields.into_iter().map(|field| personal_row(head.seq, field)));
            rows.push(row);
            changes.take(&entry);
            entries.push(entry);
        }
        Self { head, entries, changes, rows: Batch::of(rows), personal: Batch::of(personal) }
    }
}

/// The record after the head.
fn entered(head: Head, keys: &Keys, new: NewRecord) -> (Entry, entity::record::Model, Vec<SealedField>) {
    let seq = Seq(head.seq.0 + 1);
    let (record, written, digests, mark, fields) = match new.body {
        Body::Draft(sealed) => {
            let draft = sealed.draft;
            let record = Record {
                statement: Statement {
                    seq,
                    kind: draft.kind,
                    occurred_on: draft.occurred_on,
                    version: draft.version,
                    document_number: draft.document_number,
                    supersedes: new.supersedes,
                    withdrawn: draft.withdrawn,
                    payload: draft.payload,
                },
                id: sealed.id,
                enterprise: new.enterprise,
                received_at: new.received_at,
                source_unit: new.source_unit,
                commitments: sealed.commitments,
            };
            let digests = Some((sealed.identity, sealed.content));
            (record, sealed.payload, digests, sealed.mark, sealed.fields)
        }
        Body::System { kind, occurred_on, payload } => {
            let id = RecordId { submission: 0, line: seq.0, part: 0 };
            let record = Record {
                statement: Statement {
                    seq,
                    kind,
                    occurred_on,
                    version: None,
                    document_number: None,
                    supersedes: new.supersedes,
                    withdrawn: false,
                    payload,
                },
                id,
                enterprise: new.enterprise,
                received_at: new.received_at,
                source_unit: new.source_unit,
                commitments: Commitments::default(),
            };
            let written = CanonicalText::of_payload(&record.payload);
            (record, written, None, keys.mark(id, None), Vec::new())
        }
    };
    let commitments = CanonicalText::of_commitments(&record.commitments);
    let hash = chain(head.hash, &record, &written, &commitments);
    let entry = Entry { record, digests, hash };
    let row = entry.row(written, commitments, mark);
    (entry, row, fields)
}

fn personal_row(seq: Seq, sealed: SealedField) -> personal::Model {
    personal::Model {
        seq: seq.0,
        field: sealed.field,
        nonce: sealed.nonce.to_vec(),
        ciphertext: sealed.ciphertext,
        lookup: sealed.lookup.to_vec(),
    }
}

fn enterprise_code(code: &str) -> Result<CreditCode> {
    CreditCode::parse(code).map_err(|_| StoreError::DamagedProjection { table: "enterprise" })
}
