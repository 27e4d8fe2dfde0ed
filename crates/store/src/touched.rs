//! Enterprises with records newer than the last run of levels: they wait for theirs. Nothing is kept of them but the ledger,
//! in which every run is a record, and has its levels by all records before it.

use std::collections::BTreeSet;

use xinheng_core::credit_code::CreditCode;
use xinheng_core::record::Seq;

use crate::bulk::Reading;
use crate::error::Result;
use crate::projection::CLASSIFICATION;
use crate::reading::code;
use crate::store::Store;

/// So many enterprises that wait for their level are few: a transaction gives it to them itself.
pub(crate) const FEW_TOUCHED: usize = 20;

/// Newer records than these are not looked through for few enterprises.
const FEW_RECORDS: usize = 200;

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

/// The newest records that are an enterprise's and that no run has seen: their enterprises, no more than there may be of few.
pub(crate) fn few() -> String {
    format!(
        "SELECT enterprise FROM record WHERE seq > {} AND enterprise IS NOT NULL ORDER BY seq LIMIT {FEW_RECORDS}",
        newest_run("")
    )
}

/// The enterprises among what [`few`] finds; none when there are too many.
pub(crate) fn among_few(found: &str) -> Result<Option<BTreeSet<CreditCode>>> {
    let found: Vec<&str> = found.split_whitespace().collect();
    if found.len() == FEW_RECORDS {
        return Ok(None);
    }
    let enterprises: BTreeSet<&str> = found.into_iter().collect();
    let few = (enterprises.len() <= FEW_TOUCHED).then(|| enterprises.into_iter().map(code).collect());
    few.transpose()
}

/// In the order of their codes, those that a run by all records up to a seq has to take up.
pub(crate) async fn touched(mut reading: Reading<'_>, known_up_to: Seq) -> Result<Vec<CreditCode>> {
    let newest_run = format!("SELECT {}", newest_run(" AND seq <= $1"));
    let rows: Vec<(i64,)> = reading.look_up(&newest_run, &[known_up_to.0], &[]).await?;
    let mut after = rows.first().map_or(0, |(run,)| *run);
    let mut touched = BTreeSet::new();
    while after < known_up_to.0 {
        let until = known_up_to.0.min(after + WINDOW);
        let found: Vec<(String,)> = reading
            .look_up(
                "SELECT DISTINCT enterprise FROM record WHERE seq > $1 AND seq <= $2 AND enterprise IS NOT NULL",
                &[after, until],
                &[],
            )
            .await?;
        for (found,) in found {
            touched.insert(code(&found)?);
        }
        after = until;
    }
    Ok(touched.into_iter().collect())
}

impl Store {
    /// Whether any enterprise has records newer than the last run of levels.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn any_touched(&self) -> Result<bool> {
        // Asked whether such rows exist, PostgreSQL would forget their order and read the whole ledger.
        let rows: Vec<(String,)> = Reading::Committed(&self.connections.readers).look_up(&few(), &[], &[]).await?;
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
