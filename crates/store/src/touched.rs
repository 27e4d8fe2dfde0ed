//! Enterprises with records newer than the last run of levels: they wait for theirs. Nothing is kept of them but the ledger,
//! in which every run is a record, and has its levels by all records before it.

use std::collections::{BTreeSet, HashSet};

use xinheng_core::credit_code::CreditCode;
use xinheng_core::record::{Record, Seq};

use crate::bulk::{Reading, Transaction};
use crate::entry::Entry;
use crate::error::Result;
use crate::projection::{CLASSIFICATION, MATCHING};
use crate::reading::code;
use crate::store::Store;

/// So many enterprises that wait for their level are few: a transaction gives it to them itself.
const FEW_TOUCHED: usize = 20;

/// Newer records than these are not looked through for few enterprises.
const FEW_RECORDS: usize = 200;

/// So many records after the newest run every transaction looks through as it begins. Any number that wait for an
/// enterprise may lie between: those further on are looked through once somebody's level depends on it.
const NEAR: i64 = 512;

/// Records looked through at a time.
const WINDOW: i64 = 16_384;

/// The seq of the newest run, as an expression over all or part of the ledger.
fn newest_run(part: &str) -> String {
    format!("coalesce({}, 0)", newest_of_kind(CLASSIFICATION, part))
}

/// The seq of the newest of the system's own records of a kind, none when there is none. As the first in their order: of a
/// greatest seq PostgreSQL believes that there are few to choose from, and reads them all.
pub(crate) fn newest_of_kind(kind: &str, part: &str) -> String {
    format!("(SELECT seq FROM record WHERE enterprise IS NULL AND kind = '{kind}'{part} ORDER BY seq DESC LIMIT 1)")
}

/// The seq of the newest run.
pub(crate) fn run() -> String {
    newest_run("")
}

/// The records right after a run that are an enterprise's: their enterprises, no more than there may be of few.
pub(crate) fn few(run: &str) -> String {
    of_enterprises(&format!("seq > {run} AND seq <= {run} + {NEAR}"), FEW_RECORDS)
}

/// The enterprises of the first records of a part of the ledger that have one. In the ledger's order: asked merely whether
/// there are any, PostgreSQL would forget it and read the whole ledger.
fn of_enterprises(part: &str, limit: usize) -> String {
    format!("SELECT enterprise FROM record WHERE {part} AND enterprise IS NOT NULL ORDER BY seq LIMIT {limit}")
}

/// All enterprises that wait for their level, as far as a transaction knows.
pub(crate) struct Touched {
    /// As long as they are few.
    few: Option<BTreeSet<CreditCode>>,
    /// The records that were not looked through: after one, and up to the newest before this transaction.
    unseen: Option<(i64, i64)>,
}

impl Touched {
    /// By what [`few`] found after the newest run, when the ledger ends at a head.
    pub(crate) fn found(found: &str, run: i64, head: i64) -> Result<Self> {
        Ok(Self { few: among(found.split_whitespace())?, unseen: (head > run + NEAR).then_some((run, head)) })
    }

    /// Those of records that the transaction appends.
    pub(crate) fn add(&mut self, enterprises: impl Iterator<Item = CreditCode>) {
        if let Some(few) = &mut self.few {
            few.extend(enterprises);
        }
        self.few = self.few.take().filter(|few| few.len() <= FEW_TOUCHED);
    }

    /// All of them; none when there are many, or nobody was found nor added.
    pub(crate) async fn all(&mut self, transaction: &mut Transaction) -> Result<Option<&BTreeSet<CreditCode>>> {
        let anybody = self.few.as_ref().is_some_and(|few| !few.is_empty());
        // What may take long is done for the sake of somebody, whose run has the next transaction begin behind it.
        if anybody && let Some((run, head)) = self.unseen.take() {
            let sql = of_enterprises("seq > $1 AND seq <= $2", FEW_RECORDS);
            let found: Vec<(String,)> = transaction.look_up(&sql, &[run, head], &[]).await?;
            match among(found.iter().map(|(found,)| found.as_str()))? {
                Some(found) => self.add(found.into_iter()),
                None => self.few = None,
            }
        }
        Ok(self.few.as_ref().filter(|few| !few.is_empty()))
    }
}

/// What a transaction has appended itself and need not ask the database for.
pub(crate) struct Own {
    /// The head as it began.
    pub(crate) before: Seq,
    /// Its records, while they are few and none says whose an earlier one is.
    pub(crate) records: Option<Vec<Record>>,
}

impl Own {
    pub(crate) fn add(&mut self, entries: &[Entry]) {
        let Some(mut records) = self.records.take() else { return };
        let are_few = records.len() + entries.len() <= FEW_RECORDS;
        if are_few && entries.iter().all(|entry| entry.record.kind != MATCHING) {
            records.extend(entries.iter().map(|entry| entry.record.clone()));
            self.records = Some(records);
        }
    }
}

/// The enterprises of records; none when there are too many of either.
fn among<'a>(records: impl Iterator<Item = &'a str>) -> Result<Option<BTreeSet<CreditCode>>> {
    let records: Vec<&str> = records.collect();
    if records.len() == FEW_RECORDS {
        return Ok(None);
    }
    let enterprises: BTreeSet<&str> = records.into_iter().collect();
    let few = (enterprises.len() <= FEW_TOUCHED).then(|| enterprises.into_iter().map(code).collect());
    few.transpose()
}

/// In the order of their codes, those that a run by all records up to a seq has to take up.
pub(crate) async fn touched(mut reading: Reading<'_>, known_up_to: Seq) -> Result<Vec<CreditCode>> {
    let newest_run = format!("SELECT {}", newest_run(" AND seq <= $1"));
    let rows: Vec<(i64,)> = reading.look_up(&newest_run, &[known_up_to.0], &[]).await?;
    let mut after = rows.first().map_or(0, |(run,)| *run);
    // Most have one record or few: a set is quicker than having the database sort them.
    let mut touched = HashSet::new();
    while after < known_up_to.0 {
        let until = known_up_to.0.min(after + WINDOW);
        let found: Vec<(String,)> = reading
            .look_up(
                "SELECT enterprise FROM record WHERE seq > $1 AND seq <= $2 AND enterprise IS NOT NULL",
                &[after, until],
                &[],
            )
            .await?;
        for (found,) in found {
            touched.insert(code(&found)?);
        }
        after = until;
    }
    let mut touched: Vec<CreditCode> = touched.into_iter().collect();
    touched.sort_unstable();
    Ok(touched)
}

impl Store {
    /// Whether any enterprise has records newer than the last run of levels.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn any_touched(&self) -> Result<bool> {
        let sql = of_enterprises(&format!("seq > {}", run()), 1);
        let rows: Vec<(String,)> = Reading::Committed(&self.connections.readers).look_up(&sql, &[], &[]).await?;
        Ok(!rows.is_empty())
    }

    /// How many records are newer than the last run of levels.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn records_since_run(&self) -> Result<u64> {
        let sql = format!("SELECT coalesce(max(seq), 0) - {} FROM record", newest_run(""));
        let rows: Vec<(i64,)> = Reading::Committed(&self.connections.readers).look_up(&sql, &[], &[]).await?;
        Ok(rows.first().map_or(0, |(records,)| records.unsigned_abs()))
    }
}
