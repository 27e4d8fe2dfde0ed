//! Levels (风险等级) as they are kept: the newest of each enterprise and scope, and those before it.

use std::collections::{BTreeMap, HashMap};

use xinheng_core::classify::LevelLine;
use xinheng_core::credit_code::CreditCode;
use xinheng_core::points::Points;
use xinheng_core::record::{Day, Seq, Text};

use crate::bulk::Transaction;
use crate::entity::{current_level, level_change, past_level};
use crate::entry::day;
use crate::error::{Result, StoreError};
use crate::graded::{self, Standard};

/// What a run found for one enterprise in one scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// Whose.
    pub enterprise: CreditCode,
    /// `general`, a key field, or the combination of both.
    pub scope: String,
    /// `A`, `B`, …; `None` when the enterprise is no longer graded in this scope.
    pub level: Option<String>,
    /// Total of points, where the level comes from points.
    pub total_milli: Option<i64>,
    /// Whether the rules it comes from are in force (signed), or it is only shown beside.
    pub in_force: bool,
    /// Model and version that it was computed with, or where it was received from.
    pub model: String,
}

/// A level with the run that found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptLevel {
    /// The level.
    pub level: Level,
    /// Seq of the run's record.
    pub run: Seq,
    /// The day it is of.
    pub as_of: Day,
}

/// A level that moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelChange {
    /// Whose.
    pub enterprise: CreditCode,
    /// In which scope.
    pub scope: Text,
    /// Before; `None` when it was not graded.
    pub from: Option<Text>,
    /// Now; `None` when it is no longer graded.
    pub to: Option<Text>,
}

/// How many enterprises stand at a level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelCount {
    /// Scope.
    pub scope: String,
    /// Level.
    pub level: String,
    /// Enterprises.
    pub enterprises: u64,
}

/// What a run's levels change.
#[derive(Default)]
pub(crate) struct LevelChanges {
    /// Enterprises that had levels, whose levels change.
    pub(crate) graded_before: Vec<String>,
    /// Levels that another takes the place of.
    pub(crate) past: Vec<past_level::Model>,
    pub(crate) newest: Vec<current_level::Model>,
    pub(crate) moves: Vec<level_change::Model>,
    /// Where the enterprises whose levels change stand now.
    pub(crate) standards: BTreeMap<String, Vec<Standard>>,
}

impl LevelChanges {
    pub(crate) async fn write(mut self, transaction: &mut Transaction) -> Result<()> {
        if self.newest.is_empty() {
            return Ok(());
        }
        // In the order of its key, as the others are by themselves.
        self.moves.sort_unstable_by(|one, other| (&one.scope, &one.enterprise).cmp(&(&other.scope, &other.enterprise)));
        graded::take_out(transaction, &self.graded_before).await?;
        transaction.insert(self.past).await?;
        transaction.insert(self.moves).await?;
        transaction.replace(self.newest).await?;
        graded::put_in(transaction, self.standards).await
    }
}

/// A row of `current_level`.
type Row = (String, String, i64, String, Option<String>, Option<i64>, bool, String);

/// The current levels of enterprises, by scope.
pub(crate) type CurrentLevels = HashMap<String, BTreeMap<String, current_level::Model>>;

/// Those of some enterprises.
pub(crate) async fn current_levels(transaction: &mut Transaction, enterprises: &[String]) -> Result<CurrentLevels> {
    let rows: Vec<Row> = transaction
        .look_up(
            "SELECT c.enterprise, c.scope, c.run, c.as_of, c.level, c.total_milli, c.in_force, c.model \
             FROM {keys} AS k CROSS JOIN current_level AS c WHERE c.enterprise = k.value",
            &[],
            enterprises,
        )
        .await?;
    let mut levels = CurrentLevels::new();
    for (enterprise, scope, run, as_of, level, total_milli, in_force, model) in rows {
        let row = current_level::Model { enterprise, scope, run, as_of, level, total_milli, in_force, model };
        levels.entry(row.enterprise.clone()).or_default().insert(row.scope.clone(), row);
    }
    Ok(levels)
}

impl current_level::Model {
    /// What a run gives an enterprise in a scope; without a line: nothing any more.
    pub(crate) fn new(enterprise: &str, scope: &str, line: Option<&LevelLine>, run: Seq, as_of: Day) -> Self {
        Self {
            enterprise: enterprise.to_owned(),
            scope: scope.to_owned(),
            run: run.0,
            as_of: as_of.to_string(),
            level: line.map(|line| line.level.to_string()),
            total_milli: line.and_then(|line| Some(line.total?.milli())),
            in_force: line.is_some_and(|line| line.in_force),
            model: line.and_then(|line| line.model.as_ref()).map(ToString::to_string).unwrap_or_default(),
        }
    }

    /// Whether the line says nothing else.
    pub(crate) fn says(&self, line: Option<&LevelLine>) -> bool {
        let Some(line) = line else { return self.level.is_none() };
        self.level.as_deref() == Some(line.level.as_str())
            && self.total_milli == line.total.map(Points::milli)
            && self.in_force == line.in_force
            && self.model == line.model.as_deref().unwrap_or_default()
    }
}

/// Once another has taken its place.
impl From<current_level::Model> for past_level::Model {
    fn from(row: current_level::Model) -> Self {
        Self {
            enterprise: row.enterprise,
            scope: row.scope,
            run: row.run,
            as_of: row.as_of,
            level: row.level,
            total_milli: row.total_milli,
            in_force: row.in_force,
            model: row.model,
        }
    }
}

impl TryFrom<past_level::Model> for KeptLevel {
    type Error = StoreError;

    fn try_from(row: past_level::Model) -> Result<Self> {
        let damaged = || StoreError::DamagedProjection { table: "past_level" };
        Ok(Self {
            level: Level {
                enterprise: CreditCode::parse(&row.enterprise).map_err(|_| damaged())?,
                scope: row.scope,
                level: row.level,
                total_milli: row.total_milli,
                in_force: row.in_force,
                model: row.model,
            },
            run: Seq(row.run),
            as_of: day(&row.as_of).ok_or_else(damaged)?,
        })
    }
}
