//! Graded enterprises: a projection of `current_level` and `enterprise` in the orders in which pages
//! list them, with the counts of the level table and the differences from the province's levels.
//!
//! Both sides may change: a run writes levels, a registration moves an enterprise to another town. Either
//! takes the enterprises out before, and puts them in again after.

use xinheng_core::classify::{GENERAL, RECEIVED_LEVEL};

use crate::bulk::Transaction;
use crate::error::Result;

/// Points of a level that was not given by points.
pub(crate) const NO_POINTS: i64 = -1;

const OF_KEYS: &str = "{keys} AS k CROSS JOIN current_level AS c WHERE c.enterprise = k.value";

/// Graded and registered enterprises among some keys. Not read from `graded` itself: PostgreSQL, which has
/// no statistics of a table that has just grown, reads it whole for every row.
const GRADED_OF_KEYS: &str = "{keys} AS k CROSS JOIN enterprise AS e CROSS JOIN current_level AS c \
     WHERE e.code = k.value AND c.enterprise = e.code AND c.level IS NOT NULL";

/// Takes enterprises out.
pub(crate) async fn take_out(transaction: &mut Transaction, enterprises: &[String]) -> Result<()> {
    count(transaction, "-", enterprises).await?;
    let rows = format!(
        "DELETE FROM graded WHERE (scope, level, points, enterprise) IN \
         (SELECT c.scope, c.level, coalesce(c.total_milli, {NO_POINTS}), c.enterprise FROM {OF_KEYS})"
    );
    transaction.execute(&rows, &[], enterprises).await?;
    transaction.execute("DELETE FROM differing WHERE enterprise IN {keys}", &[], enterprises).await
}

/// Puts registered enterprises in.
pub(crate) async fn put_in(transaction: &mut Transaction, enterprises: &[String]) -> Result<()> {
    if enterprises.is_empty() {
        return Ok(());
    }
    transaction.execute(&enter_from(GRADED_OF_KEYS), &[], enterprises).await?;
    let received = "{keys} AS k CROSS JOIN current_level AS r WHERE r.enterprise = k.value";
    transaction.execute(&differ(received), &[], enterprises).await?;
    count(transaction, "", enterprises).await?;
    transaction.execute("DELETE FROM level_count WHERE enterprises = 0", &[], &[]).await
}

async fn count(transaction: &mut Transaction, sign: &str, enterprises: &[String]) -> Result<()> {
    let counts = format!(
        "INSERT INTO level_count (scope, town, level, enterprises) \
         SELECT c.scope, coalesce(e.town, '') AS of_town, c.level, {sign}count(*) FROM {GRADED_OF_KEYS} \
         GROUP BY c.scope, of_town, c.level \
         ON CONFLICT (scope, town, level) DO UPDATE SET enterprises = level_count.enterprises + excluded.enterprises"
    );
    transaction.execute(&counts, &[], enterprises).await
}

/// Graded and registered enterprises among some rows `c` of `current_level`.
pub(crate) fn enter(levels: &str) -> String {
    let levels = levels.replacen(" WHERE ", " CROSS JOIN enterprise AS e WHERE ", 1);
    enter_from(&format!("{levels} AND c.level IS NOT NULL AND e.code = c.enterprise"))
}

fn enter_from(levels: &str) -> String {
    format!(
        "INSERT INTO graded (scope, level, points, enterprise, town, status) \
         SELECT c.scope, c.level, coalesce(c.total_milli, {NO_POINTS}), c.enterprise, coalesce(e.town, ''), \
         coalesce(e.status, '') FROM {levels}"
    )
}

/// Enterprises whose received level is another than our general one, among some rows `r` of `current_level`.
pub(crate) fn differ(received: &str) -> String {
    let received = received.replacen(" WHERE ", " CROSS JOIN current_level AS o CROSS JOIN enterprise AS e WHERE ", 1);
    format!(
        "INSERT INTO differing (enterprise, received, own) SELECT r.enterprise, r.level, o.level FROM {received} \
         AND r.scope = '{RECEIVED_LEVEL}' AND o.enterprise = r.enterprise AND o.scope = '{GENERAL}' \
         AND r.level <> o.level AND e.code = r.enterprise"
    )
}
