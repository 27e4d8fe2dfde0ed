//! Levels (风险等级) as they are kept: a history of changes, and the newest of each enterprise and scope.

use xinheng_core::credit_code::CreditCode;
use xinheng_core::record::{Day, Seq};

use crate::entity::{current_level, level};
use crate::entry::day;
use crate::error::{Result, StoreError};

/// What a classification found for one enterprise in one scope.
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
    pub scope: String,
    /// Before; `None` when it was not graded.
    pub from: Option<String>,
    /// Now; `None` when it is no longer graded.
    pub to: Option<String>,
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

impl Level {
    pub(crate) fn row(self, run: Seq, as_of: Day) -> current_level::Model {
        current_level::Model {
            enterprise: self.enterprise.to_string(),
            scope: self.scope,
            run: run.0,
            as_of: as_of.to_string(),
            level: self.level,
            total_milli: self.total_milli,
            in_force: self.in_force,
            model: self.model,
        }
    }
}

impl From<current_level::Model> for level::Model {
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

impl TryFrom<level::Model> for KeptLevel {
    type Error = StoreError;

    fn try_from(row: level::Model) -> Result<Self> {
        let damaged = || StoreError::DamagedProjection { table: "level" };
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
