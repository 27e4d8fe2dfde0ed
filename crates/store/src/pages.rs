//! What pages read besides enterprises: what was handed in, what runs moved, bulletins, past heads. Every
//! page goes on after a row, and none reads more than it shows.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;
use xinheng_core::credit_code::CreditCode;
use xinheng_core::ledger::Hash;
use xinheng_core::record::{Day, Moment, Record, Seq, Text};

use crate::entity::{day_head, level_count, matched, record, submission};
use crate::entry::{Entry, day, fixed};
use crate::error::{Result, StoreError};
use crate::level::LevelChange;
use crate::reading::{code, entries};
use crate::statement::Sql;
use crate::store::Store;

/// Something handed in, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptSubmission {
    /// Number.
    pub number: i64,
    /// Name of the file.
    pub file_name: String,
    /// The exchange table it is.
    pub table_id: String,
    /// Code of the unit that handed it in.
    pub unit: String,
    /// The day that the edition is of.
    pub edition: Option<Day>,
    /// When it was first received.
    pub received_at: Moment,
    /// Whether it was taken in whole.
    pub finished: bool,
    /// What came of it; none while it is not finished.
    pub counts: Option<serde_json::Value>,
}

/// How many enterprises of a town stand at a level in a scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TownLevelCount {
    /// Scope.
    pub scope: String,
    /// 乡镇; empty when the registration says none.
    pub town: String,
    /// Level.
    pub level: String,
    /// Enterprises.
    pub enterprises: u64,
}

/// An enterprise whose received level is another than our general one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Differing {
    /// Whose.
    pub code: CreditCode,
    /// 名称
    pub name: Option<String>,
    /// The province's level.
    pub received: String,
    /// Ours.
    pub own: String,
}

/// The run before another that last changed a level or its points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastMove {
    /// Its record.
    pub run: Seq,
    /// The day it is of.
    pub as_of: Day,
}

/// The last record of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DayHead {
    /// The day in China.
    pub day: Day,
    /// Its last record.
    pub seq: Seq,
    /// That record's hash.
    #[serde(serialize_with = "as_text")]
    pub hash: Hash,
}

fn as_text<S: serde::Serializer>(hash: &Hash, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_str(hash)
}

/// Kinds of record that enter an enterprise in a published list, for which there is a bulletin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListingKind {
    /// 列入经营异常名录
    Abnormal,
    /// 列入严重违法失信名单
    Serious,
}

impl ListingKind {
    /// The kind of record.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Abnormal => "abnormal_entry",
            Self::Serious => "serious_entry",
        }
    }
}

/// A row of a bulletin. Its text goes into the address of the next page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BulletinPlace {
    /// The day of the entry.
    pub on: Day,
    /// The entry.
    pub seq: Seq,
}

impl fmt::Display for BulletinPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}~{}", self.on, self.seq)
    }
}

impl FromStr for BulletinPlace {
    type Err = crate::NoSuchTurn;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        let parsed = text.split_once('~').and_then(|(on, seq)| Some((day(on)?, seq.parse().ok()?)));
        parsed.map(|(on, seq)| Self { on, seq: Seq(seq) }).ok_or(crate::NoSuchTurn)
    }
}

impl Store {
    /// Submissions, the newest first, of one unit or of all; without those of one table, which are the
    /// system's own.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn submissions(
        &self,
        besides: &str,
        unit: Option<&str>,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Vec<KeptSubmission>> {
        use submission::Column;
        let handed_in = submission::Entity::find().filter(Column::TableId.ne(besides));
        let mut page = handed_in.order_by_desc(Column::Number).limit(limit);
        if let Some(unit) = unit {
            page = page.filter(Column::Unit.eq(unit));
        }
        if let Some(before) = before {
            page = page.filter(Column::Number.lt(before));
        }
        page.all(&self.connections.readers).await?.into_iter().map(TryInto::try_into).collect()
    }

    /// Of some tables the one that a unit handed in last.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_table(&self, unit: &str, among: &[&str]) -> Result<Option<String>> {
        use submission::Column;
        let newest = submission::Entity::find()
            .select_only()
            .column(Column::TableId)
            .filter(Column::Unit.eq(unit))
            .filter(Column::TableId.is_in(among.iter().copied()))
            .order_by_desc(Column::Number)
            .limit(1);
        Ok(newest.into_tuple().one(&self.connections.readers).await?)
    }

    /// A submission.
    ///
    /// # Errors
    /// When the database fails or the row is damaged.
    pub async fn submission(&self, number: i64) -> Result<Option<KeptSubmission>> {
        let row = submission::Entity::find_by_id(number).one(&self.connections.readers).await?;
        row.map(TryInto::try_into).transpose()
    }

    /// Some records with their places in the chain. One query.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn entries_at(&self, seqs: &[Seq]) -> Result<HashMap<Seq, Entry>> {
        let found = record::Entity::find().filter(record::Column::Seq.is_in(seqs.iter().map(|seq| seq.0)));
        let found = entries(found, &self.connections.readers).await?;
        Ok(found.into_iter().map(|entry| (entry.record.seq, entry)).collect())
    }

    /// A record, and whose it is: its own enterprise, or that which a later record told.
    ///
    /// # Errors
    /// When the database fails or the row is damaged.
    pub async fn record(&self, seq: Seq) -> Result<Option<(Entry, Option<CreditCode>)>> {
        let readers = &self.connections.readers;
        let found = record::Entity::find_by_id(seq.0);
        let told = matched::Entity::find_by_id(seq.0).one(readers).await?;
        let told = told.map(|row| code(&row.enterprise)).transpose()?;
        Ok(entries(found, readers).await?.pop().map(|entry| {
            let enterprise = entry.record.enterprise.or(told);
            (entry, enterprise)
        }))
    }

    /// Enterprises at each level, by scope and town.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn level_counts(&self) -> Result<Vec<TownLevelCount>> {
        let rows = level_count::Entity::find().all(&self.connections.readers).await?;
        Ok(rows
            .into_iter()
            .map(|level_count::Model { scope, town, level, enterprises }| TownLevelCount {
                scope,
                town,
                level,
                enterprises: enterprises.unsigned_abs(),
            })
            .collect())
    }

    /// Records of a kind that belong to no enterprise, the newest first.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn newest_system_records(&self, kind: &str, before: Option<Seq>, limit: u64) -> Result<Vec<Record>> {
        use record::Column;
        let found = record::Entity::find()
            .filter(Column::Enterprise.is_null())
            .filter(Column::Kind.eq(kind))
            .filter(Column::Seq.lt(before.map_or(i64::MAX, |seq| seq.0)))
            .order_by_desc(Column::Seq)
            .limit(limit);
        Ok(entries(found, &self.connections.readers).await?.into_iter().map(|entry| entry.record).collect())
    }

    /// Levels that moved in a run, by code, with the enterprise's name.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn level_changes(
        &self,
        run: Seq,
        scope: &str,
        after: Option<CreditCode>,
        limit: u64,
    ) -> Result<Vec<(LevelChange, Option<String>)>> {
        let mut sql = Sql::new(
            "SELECT m.enterprise, m.before, m.after, e.name FROM \
             (SELECT enterprise, before, after FROM level_change WHERE run = ",
        );
        sql.bind(run.0).push(" AND scope = ").bind(scope);
        sql.push(" AND enterprise > ").bind(after.map(|code| code.to_string()).unwrap_or_default());
        sql.push(" ORDER BY enterprise LIMIT ").bind(limit as i64);
        sql.push(") AS m LEFT JOIN enterprise AS e ON e.code = m.enterprise ORDER BY m.enterprise");
        let rows = sql.all(&self.connections.readers).await?;
        rows.iter()
            .map(|row| {
                let change = LevelChange {
                    enterprise: code(&row.try_get::<String>("", "enterprise")?)?,
                    scope: scope.into(),
                    from: row.try_get::<Option<String>>("", "before")?.map(Text::from),
                    to: row.try_get::<Option<String>>("", "after")?.map(Text::from),
                };
                Ok((change, row.try_get("", "name")?))
            })
            .collect()
    }

    /// When the level of some enterprises in a scope had last moved before a run.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn last_moves_before(
        &self,
        run: Seq,
        scope: &str,
        enterprises: &[CreditCode],
    ) -> Result<HashMap<CreditCode, LastMove>> {
        let mut sql = Sql::new("SELECT l.enterprise, l.run, l.as_of FROM past_level AS l WHERE l.scope = ");
        sql.bind(scope).push(" AND l.run < ").bind(run.0).push(" AND l.enterprise IN ");
        sql.bind_all(enterprises.iter().map(CreditCode::as_str));
        sql.push(
            " AND NOT EXISTS (SELECT 1 FROM past_level AS n WHERE n.enterprise = l.enterprise AND n.scope = l.scope \
             AND n.run > l.run AND n.run < ",
        );
        let rows = sql.bind(run.0).push(")").all(&self.connections.readers).await?;
        let damaged = || StoreError::DamagedProjection { table: "past_level" };
        rows.iter()
            .map(|row| {
                let as_of = day(&row.try_get::<String>("", "as_of")?).ok_or_else(damaged)?;
                let last = LastMove { run: Seq(row.try_get("", "run")?), as_of };
                Ok((code(&row.try_get::<String>("", "enterprise")?)?, last))
            })
            .collect()
    }

    /// Enterprises whose received level is another than our general one, by code.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn differing(&self, after: Option<CreditCode>, limit: u64) -> Result<Vec<Differing>> {
        let mut sql = Sql::new(
            "SELECT d.enterprise, d.received, d.own, e.name FROM (SELECT * FROM differing WHERE enterprise > ",
        );
        sql.bind(after.map(|code| code.to_string()).unwrap_or_default());
        sql.push(" ORDER BY enterprise LIMIT ").bind(limit as i64);
        sql.push(") AS d LEFT JOIN enterprise AS e ON e.code = d.enterprise ORDER BY d.enterprise");
        let rows = sql.all(&self.connections.readers).await?;
        rows.iter()
            .map(|row| {
                Ok(Differing {
                    code: code(&row.try_get::<String>("", "enterprise")?)?,
                    name: row.try_get("", "name")?,
                    received: row.try_get("", "received")?,
                    own: row.try_get("", "own")?,
                })
            })
            .collect()
    }

    /// The last record of each day, the newest day first.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn day_heads(&self, before: Option<Day>, limit: u64) -> Result<Vec<DayHead>> {
        use day_head::Column;
        let mut page = day_head::Entity::find().order_by_desc(Column::Day).limit(limit);
        if let Some(before) = before {
            page = page.filter(Column::Day.lt(before.to_string()));
        }
        let damaged = || StoreError::DamagedProjection { table: "day_head" };
        let rows = page.all(&self.connections.readers).await?;
        rows.into_iter()
            .map(|row| {
                Ok(DayHead {
                    day: day(&row.day).ok_or_else(damaged)?,
                    seq: Seq(row.seq),
                    hash: Hash(fixed(Some(&row.hash)).ok_or_else(damaged)?),
                })
            })
            .collect()
    }

    /// Entries in a list, the newest day first, each with its enterprise; those of nobody yet are left
    /// out of what is returned, but not out of the page: the place is that of the last row read.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn list_entries(
        &self,
        list: ListingKind,
        after: Option<BulletinPlace>,
        limit: u64,
    ) -> Result<(Vec<(BulletinPlace, CreditCode)>, Option<BulletinPlace>)> {
        let mut sql =
            Sql::new("SELECT r.seq, r.occurred_on, coalesce(r.enterprise, m.enterprise) AS enterprise FROM (");
        // The kind is spelt out: only so SQLite knows that the partial index holds all of it.
        sql.push(&format!("SELECT seq, occurred_on, enterprise FROM record WHERE kind = '{}'", list.kind()));
        if let Some(after) = after {
            sql.push(" AND (occurred_on, seq) < (").bind(after.on.to_string()).push(", ").bind(after.seq.0).push(")");
        }
        sql.push(" ORDER BY occurred_on DESC, seq DESC LIMIT ").bind(limit as i64);
        sql.push(") AS r LEFT JOIN matched AS m ON m.record = r.seq ORDER BY r.occurred_on DESC, r.seq DESC");
        let rows = sql.all(&self.connections.readers).await?;
        let mut found = Vec::with_capacity(rows.len());
        let mut last = None;
        for row in &rows {
            let seq = Seq(row.try_get("", "seq")?);
            let on: String = row.try_get("", "occurred_on")?;
            let on = day(&on).ok_or(StoreError::Damaged { seq, column: "occurred_on" })?;
            let place = BulletinPlace { on, seq };
            last = Some(place);
            if let Some(enterprise) = row.try_get::<Option<String>>("", "enterprise")? {
                found.push((place, code(&enterprise)?));
            }
        }
        Ok((found, last.filter(|_| rows.len() as u64 == limit)))
    }
}

impl TryFrom<submission::Model> for KeptSubmission {
    type Error = StoreError;

    fn try_from(row: submission::Model) -> Result<Self> {
        let damaged = || StoreError::DamagedProjection { table: "submission" };
        Ok(Self {
            number: row.number,
            file_name: row.file_name,
            table_id: row.table_id,
            unit: row.unit,
            edition: row.edition.map(|text| day(&text).ok_or_else(damaged)).transpose()?,
            received_at: Moment::from_micros(row.received_at).ok_or_else(damaged)?,
            finished: row.finished,
            counts: row.counts.map(|text| serde_json::from_str(&text).map_err(|_| damaged())).transpose()?,
        })
    }
}
