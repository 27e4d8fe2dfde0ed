//! Graded enterprises: a projection of `current_level` and `enterprise` in the orders in which pages
//! list them, with the counts of the level table and the differences from the province's levels.
//!
//! Both sides may change: a run writes levels, a registration moves an enterprise to another town. Either
//! takes the enterprises out before, and puts them in again after.

use std::collections::BTreeMap;

use xinheng_core::classify::{GENERAL, RECEIVED_LEVEL};
use xinheng_core::record::Text;

use crate::bulk::Transaction;
use crate::entity::{differing, graded, level_count};
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
    count_out(transaction, enterprises).await?;
    let rows = format!(
        "DELETE FROM graded WHERE (scope, level, points, enterprise) IN \
         (SELECT c.scope, c.level, coalesce(c.total_milli, {NO_POINTS}), c.enterprise FROM {OF_KEYS})"
    );
    transaction.execute(&rows, &[], enterprises).await?;
    transaction.execute("DELETE FROM differing WHERE enterprise IN {keys}", &[], enterprises).await
}

/// Where an enterprise stands in one scope: scope, level and points, when it was given by points.
pub(crate) type Standard = (Text, Text, Option<i64>);

/// Puts those of the enterprises in that are registered, with all that they stand at.
pub(crate) async fn put_in(
    transaction: &mut Transaction,
    mut enterprises: BTreeMap<String, Vec<Standard>>,
) -> Result<()> {
    let codes: Vec<String> = enterprises.keys().cloned().collect();
    let registered: Vec<(String, String, String)> = transaction
        .look_up(
            "SELECT e.code, coalesce(e.town, ''), coalesce(e.status, '') FROM {keys} AS k \
             CROSS JOIN enterprise AS e WHERE e.code = k.value",
            &[],
            &codes,
        )
        .await?;
    let (mut rows, mut differences) = (Vec::new(), Vec::new());
    let mut counts: BTreeMap<(String, String, String), i64> = BTreeMap::new();
    for (enterprise, town, status) in registered {
        let standards = enterprises.remove(&enterprise).unwrap_or_default();
        let in_scope = |wanted: &str| standards.iter().find(|(scope, ..)| scope == wanted).map(|(_, level, _)| level);
        if let (Some(received), Some(own)) = (in_scope(RECEIVED_LEVEL), in_scope(GENERAL))
            && received != own
        {
            let (received, own) = (received.to_string(), own.to_string());
            differences.push(differing::Model { enterprise: enterprise.clone(), received, own });
        }
        for (scope, level, points) in standards {
            let (scope, level) = (scope.to_string(), level.to_string());
            *counts.entry((scope.clone(), town.clone(), level.clone())).or_default() += 1;
            rows.push(graded::Model {
                scope,
                level,
                points: points.unwrap_or(NO_POINTS),
                enterprise: enterprise.clone(),
                town: town.clone(),
                status: status.clone(),
            });
        }
    }
    rows.sort_unstable_by(|one, other| key(one).cmp(&key(other)));
    transaction.insert(rows).await?;
    transaction.insert(differences).await?;
    let count = |((scope, town, level), enterprises)| level_count::Model { scope, town, level, enterprises };
    transaction.add(counts.into_iter().map(count).collect()).await?;
    transaction.execute("DELETE FROM level_count WHERE enterprises = 0", &[], &[]).await
}

fn key(row: &graded::Model) -> (&str, &str, i64, &str) {
    (&row.scope, &row.level, row.points, &row.enterprise)
}

/// Puts enterprises in again, by the levels on record.
pub(crate) async fn put_back(transaction: &mut Transaction, enterprises: &[String]) -> Result<()> {
    let levels: Vec<(String, String, String, Option<i64>)> = transaction
        .look_up(
            &format!("SELECT c.enterprise, c.scope, c.level, c.total_milli FROM {OF_KEYS} AND c.level IS NOT NULL"),
            &[],
            enterprises,
        )
        .await?;
    if levels.is_empty() {
        return Ok(());
    }
    let mut standards: BTreeMap<String, Vec<Standard>> = BTreeMap::new();
    for (enterprise, scope, level, points) in levels {
        standards.entry(enterprise).or_default().push((scope.into(), level.into(), points));
    }
    put_in(transaction, standards).await
}

/// Of enterprises that are going to be taken out, how many stood where.
async fn count_out(transaction: &mut Transaction, enterprises: &[String]) -> Result<()> {
    let counts = format!(
        "INSERT INTO level_count (scope, town, level, enterprises) \
         SELECT c.scope, coalesce(e.town, '') AS of_town, c.level, -count(*) FROM {GRADED_OF_KEYS} \
         GROUP BY c.scope, of_town, c.level \
         ON CONFLICT (scope, town, level) DO UPDATE SET enterprises = level_count.enterprises + excluded.enterprises"
    );
    transaction.execute(&counts, &[], enterprises).await
}

/// Graded and registered enterprises among some rows `c` of `current_level`.
pub(crate) fn enter(levels: &str) -> String {
    let levels = levels.replacen(" WHERE ", " CROSS JOIN enterprise AS e WHERE ", 1);
    format!(
        "INSERT INTO graded (scope, level, points, enterprise, town, status) \
         SELECT c.scope, c.level, coalesce(c.total_milli, {NO_POINTS}), c.enterprise, coalesce(e.town, ''), \
         coalesce(e.status, '') FROM {levels} AND c.level IS NOT NULL AND e.code = c.enterprise"
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
