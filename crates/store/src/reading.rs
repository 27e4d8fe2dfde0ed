//! Reading: the ledger as the bureau knew it at any point, and the projections.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sea_orm::{
    ColumnTrait, DatabaseConnection, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use sqlx::{ColumnIndex, Decode, FromRow, Type};
use xinheng_core::credit_code::CreditCode;
use xinheng_core::record::{Record, Seq};

use crate::bulk::{Reading, Transaction};
use crate::entity::{self, current_level, enterprise, level};
use crate::entry::{Entry, RECORD_COLUMNS, RecordColumns, fixed, record};
use crate::error::{Result, StoreError};
use crate::level::{KeptLevel, LevelCount};
use crate::store::Store;

/// Most enterprises of a page: their codes are the places of one statement.
const MOST_ENTERPRISES: i64 = 5_000;

/// Which enterprises' histories are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All that are registered.
    All,
    /// Those with a record newer than their last classification.
    Stale,
}

/// Some enterprises with their records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// In the order of the codes, each with its records in ledger order; enterprises of which nothing
    /// was known yet are left out.
    pub histories: Vec<(CreditCode, Vec<Record>)>,
    /// Where the next page starts after; `None` when this was the last.
    pub next: Option<CreditCode>,
}

/// A registered enterprise (企业).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enterprise {
    /// 统一社会信用代码
    pub code: CreditCode,
    /// 名称
    pub name: Option<String>,
    /// 登记状态
    pub status: Option<String>,
    /// Class of its type (企业、个体工商户、农民专业合作社 …).
    pub type_class: Option<String>,
    /// 行政区划代码
    pub region: Option<String>,
    /// 乡镇、街道
    pub town: Option<String>,
    /// 成立日期, ISO text as on record.
    pub established_on: Option<String>,
    /// 主体身份代码
    pub main_identity: Option<String>,
    /// 注册号
    pub registration_number: Option<String>,
    /// The registration that says so.
    pub seq: Seq,
}

/// Enterprises whose records are to be fetched, as a writing transaction sees them. The ledger is read by
/// another connection, while the transaction writes on.
pub struct UnfetchedPage {
    readers: DatabaseConnection,
    codes: Vec<String>,
    /// Records of which a later one has told the enterprise, and that enterprise.
    matched: HashMap<i64, String>,
    known_up_to: Seq,
    next: Option<CreditCode>,
}

/// A page as the database gave it. Making records of its rows takes longer than fetching them, and can
/// be done on another thread.
pub struct UnreadPage {
    rows: Vec<OwnedRow>,
    next: Option<CreditCode>,
}

/// A record's columns, and the enterprise whose history it is in.
struct OwnedRow {
    record: RecordColumns,
    owner: String,
}

impl<'r, R> FromRow<'r, R> for OwnedRow
where
    R: sqlx::Row,
    RecordColumns: FromRow<'r, R>,
    String: Decode<'r, R::Database> + Type<R::Database>,
    &'static str: ColumnIndex<R>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        Ok(Self { record: RecordColumns::from_row(row)?, owner: row.try_get("owner")? })
    }
}

impl UnfetchedPage {
    /// Where the next page starts after; `None` when this is the last.
    #[must_use]
    pub fn next(&self) -> Option<CreditCode> {
        self.next
    }

    /// Fetches the records.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fetch(self) -> Result<UnreadPage> {
        let Self { readers, codes, mut matched, known_up_to, next } = self;
        let own = format!(
            "SELECT {RECORD_COLUMNS}, k.value AS owner FROM {{keys}} AS k CROSS JOIN record AS r \
             WHERE r.enterprise = k.value AND r.seq <= $1"
        );
        let mut rows: Vec<OwnedRow> = Reading::Committed(&readers).look_up(&own, &[known_up_to.0], &codes).await?;
        let of_matched = format!(
            "SELECT {RECORD_COLUMNS}, k.value AS owner FROM {{keys}} AS k CROSS JOIN record AS r \
             WHERE r.seq = CAST(k.value AS BIGINT)"
        );
        let seqs: Vec<String> = matched.keys().map(ToString::to_string).collect();
        let others: Vec<OwnedRow> = Reading::Committed(&readers).look_up(&of_matched, &[], &seqs).await?;
        rows.extend(others.into_iter().filter_map(|row| {
            let owner = matched.remove(&row.record.0)?;
            Some(OwnedRow { owner, ..row })
        }));
        Ok(UnreadPage { rows, next })
    }
}

impl UnreadPage {
    /// Makes records of the rows.
    ///
    /// # Errors
    /// When a row is damaged.
    pub fn read(self) -> Result<Page> {
        let mut histories: BTreeMap<String, Vec<Record>> = BTreeMap::new();
        for row in self.rows {
            histories.entry(row.owner).or_default().push(record(row.record)?);
        }
        let histories = histories.into_iter().map(|(owner, mut records)| {
            records.sort_unstable_by_key(|record| record.seq);
            Ok((code(&owner)?, records))
        });
        Ok(Page { histories: histories.collect::<Result<_>>()?, next: self.next })
    }
}

/// Codes of a page, and where the next starts after.
async fn codes(
    reading: &mut Reading<'_>,
    scope: Scope,
    after: Option<CreditCode>,
    limit: u64,
) -> Result<(Vec<String>, Option<CreditCode>)> {
    let limit = i64::try_from(limit).unwrap_or(MOST_ENTERPRISES).min(MOST_ENTERPRISES);
    let sql = format!(
        "SELECT e.code FROM {} AS e WHERE e.code > (SELECT k.value FROM {{keys}} AS k) ORDER BY e.code LIMIT $1",
        scope.table()
    );
    let after = after.map(|code| code.to_string()).unwrap_or_default();
    let codes: Vec<(String,)> = reading.look_up(&sql, &[limit], &[after]).await?;
    let codes: Vec<String> = codes.into_iter().map(|(code,)| code).collect();
    let next = match codes.last() {
        Some(last) if codes.len() as i64 == limit => Some(code(last)?),
        _ => None,
    };
    Ok((codes, next))
}

/// A page of a writing transaction, its records still to be fetched.
pub(crate) async fn page_within(
    transaction: &mut Transaction,
    readers: DatabaseConnection,
    scope: Scope,
    after: Option<CreditCode>,
    limit: u64,
    known_up_to: Seq,
) -> Result<UnfetchedPage> {
    let (codes, next) = codes(&mut Reading::Within(transaction), scope, after, limit).await?;
    let matched: Vec<(i64, String)> = transaction
        .look_up(
            "SELECT m.record, m.enterprise FROM {keys} AS k CROSS JOIN matched AS m \
             WHERE m.enterprise = k.value AND m.seq <= $1",
            &[known_up_to.0],
            &codes,
        )
        .await?;
    Ok(UnfetchedPage { readers, codes, matched: matched.into_iter().collect(), known_up_to, next })
}

/// Some enterprises with all that a writing transaction knows of them, the records that it has appended among it.
pub(crate) async fn histories_within(
    transaction: &mut Transaction,
    enterprises: &BTreeSet<CreditCode>,
    known_up_to: Seq,
) -> Result<Page> {
    let codes: Vec<String> = enterprises.iter().map(ToString::to_string).collect();
    let rows = rows_of(Reading::Within(transaction), &codes, known_up_to).await?;
    UnreadPage { rows, next: None }.read()
}

async fn rows_of(mut reading: Reading<'_>, codes: &[String], known_up_to: Seq) -> Result<Vec<OwnedRow>> {
    let sql = format!(
        "SELECT {RECORD_COLUMNS}, k.value AS owner FROM {{keys}} AS k CROSS JOIN record AS r \
         WHERE r.enterprise = k.value AND r.seq <= $1 \
         UNION ALL \
         SELECT {RECORD_COLUMNS}, k.value AS owner FROM {{keys}} AS k CROSS JOIN matched AS m CROSS JOIN record AS r \
         WHERE m.enterprise = k.value AND m.seq <= $1 AND r.seq = m.record"
    );
    reading.look_up(&sql, &[known_up_to.0], codes).await
}

impl Scope {
    fn table(self) -> &'static str {
        match self {
            Self::All => "enterprise",
            Self::Stale => "stale_enterprise",
        }
    }
}

/// How many enterprises a scope has.
pub(crate) async fn count(mut reading: Reading<'_>, scope: Scope) -> Result<u64> {
    let counts: Vec<(i64,)> = reading.look_up(&format!("SELECT count(*) FROM {}", scope.table()), &[], &[]).await?;
    Ok(counts.into_iter().map(|(count,)| count.unsigned_abs()).sum())
}

impl Store {
    /// A page of enterprises with everything about them that was on record at a seq, those records
    /// among it that had been matched by then.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn histories(
        &self,
        scope: Scope,
        after: Option<CreditCode>,
        limit: u64,
        known_up_to: Seq,
    ) -> Result<Page> {
        let readers = &self.connections.readers;
        let (codes, next) = codes(&mut Reading::Committed(readers), scope, after, limit).await?;
        let rows = rows_of(Reading::Committed(readers), &codes, known_up_to).await?;
        UnreadPage { rows, next }.read()
    }

    /// What was on record about one enterprise at a seq.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn history(&self, enterprise: CreditCode, known_up_to: Seq) -> Result<Vec<Record>> {
        let mut histories = self.histories_for(&[enterprise], known_up_to).await?;
        Ok(histories.remove(&enterprise).unwrap_or_default())
    }

    /// What was on record about some enterprises at a seq. One query.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn histories_for(
        &self,
        enterprises: &[CreditCode],
        known_up_to: Seq,
    ) -> Result<BTreeMap<CreditCode, Vec<Record>>> {
        let codes: Vec<String> = enterprises.iter().map(ToString::to_string).collect();
        let rows = rows_of(Reading::Committed(&self.connections.readers), &codes, known_up_to).await?;
        let page = UnreadPage { rows, next: None }.read()?;
        Ok(page.histories.into_iter().collect())
    }

    /// Records by their places in the ledger, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn records_at(&self, seqs: &[Seq]) -> Result<Vec<Record>> {
        let wanted = seqs.iter().map(|seq| seq.0);
        let found = entity::record::Entity::find()
            .filter(entity::record::Column::Seq.is_in(wanted))
            .order_by_asc(entity::record::Column::Seq);
        Ok(entries(found, &self.connections.readers).await?.into_iter().map(|entry| entry.record).collect())
    }

    /// What stands for personal values of some records: equal for equal values of a field. One query.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn personal_indexes(
        &self,
        records: &BTreeSet<Seq>,
        fields: &BTreeSet<&str>,
    ) -> Result<BTreeMap<Seq, BTreeMap<String, [u8; 32]>>> {
        use entity::personal::Column;
        let mut indexes: BTreeMap<Seq, BTreeMap<String, [u8; 32]>> = BTreeMap::new();
        if records.is_empty() || fields.is_empty() {
            return Ok(indexes);
        }
        let found: Vec<(i64, String, Vec<u8>)> = entity::personal::Entity::find()
            .select_only()
            .columns([Column::Seq, Column::Field, Column::Lookup])
            .filter(Column::Seq.is_in(records.iter().map(|seq| seq.0)))
            .filter(Column::Field.is_in(fields.iter().copied()))
            .into_tuple()
            .all(&self.connections.readers)
            .await?;
        for (seq, field, lookup) in found {
            let lookup = fixed(Some(&lookup)).ok_or(StoreError::Damaged { seq: Seq(seq), column: "lookup" })?;
            indexes.entry(Seq(seq)).or_default().insert(field, lookup);
        }
        Ok(indexes)
    }

    /// Consecutive records of the ledger.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn records(&self, from: Seq, limit: u64) -> Result<Vec<Entry>> {
        let page = entity::record::Entity::find()
            .filter(entity::record::Column::Seq.gte(from.0))
            .order_by_asc(entity::record::Column::Seq)
            .limit(limit);
        entries(page, &self.connections.readers).await
    }

    /// A registered enterprise.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn enterprise(&self, enterprise: CreditCode) -> Result<Option<Enterprise>> {
        let row = enterprise::Entity::find_by_id(enterprise.as_str()).one(&self.connections.readers).await?;
        Ok(row.map(|row| Enterprise {
            code: enterprise,
            name: row.name,
            status: row.status,
            type_class: row.type_class,
            region: row.region,
            town: row.town,
            established_on: row.established_on,
            main_identity: row.main_identity,
            registration_number: row.registration_number,
            seq: Seq(row.seq),
        }))
    }

    /// Names of some enterprises; those without one are left out.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn names_of(&self, enterprises: &[CreditCode]) -> Result<HashMap<CreditCode, String>> {
        let rows: Vec<(String, Option<String>)> = enterprise::Entity::find()
            .select_only()
            .column(enterprise::Column::Code)
            .column(enterprise::Column::Name)
            .filter(enterprise::Column::Code.is_in(enterprises.iter().map(|code| code.as_str())))
            .into_tuple()
            .all(&self.connections.readers)
            .await?;
        rows.into_iter().filter_map(|(of, name)| name.map(|name| Ok((code(&of)?, name)))).collect()
    }

    /// How many enterprises are registered.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn enterprise_count(&self) -> Result<u64> {
        Ok(enterprise::Entity::find().count(&self.connections.readers).await?)
    }

    /// How many enterprises stand at each level, by scope and level.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn current_levels(&self) -> Result<Vec<LevelCount>> {
        use current_level::Column;
        let rows: Vec<(String, String, i64)> = current_level::Entity::find()
            .select_only()
            .column(Column::Scope)
            .column(Column::Level)
            .column_as(Column::Enterprise.count(), "enterprises")
            .filter(Column::Level.is_not_null())
            .group_by(Column::Scope)
            .group_by(Column::Level)
            .order_by_asc(Column::Scope)
            .order_by_asc(Column::Level)
            .into_tuple()
            .all(&self.connections.readers)
            .await?;
        Ok(rows
            .into_iter()
            .map(|(scope, level, enterprises)| LevelCount { scope, level, enterprises: enterprises.unsigned_abs() })
            .collect())
    }

    /// The current level of an enterprise in each scope.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn levels_of(&self, enterprise: CreditCode) -> Result<Vec<KeptLevel>> {
        let rows = current_level::Entity::find()
            .filter(current_level::Column::Enterprise.eq(enterprise.as_str()))
            .order_by_asc(current_level::Column::Scope)
            .all(&self.connections.readers)
            .await?;
        rows.into_iter().map(|row| level::Model::from(row).try_into()).collect()
    }

    /// Every change of an enterprise's levels, from the earliest.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn level_history(&self, enterprise: CreditCode) -> Result<Vec<KeptLevel>> {
        let rows = level::Entity::find()
            .filter(level::Column::Enterprise.eq(enterprise.as_str()))
            .order_by_asc(level::Column::Run)
            .order_by_asc(level::Column::Scope)
            .all(&self.connections.readers)
            .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }
}

pub(crate) async fn entries(
    rows: Select<entity::record::Entity>,
    connection: &sea_orm::DatabaseConnection,
) -> Result<Vec<Entry>> {
    rows.all(connection).await?.into_iter().map(Entry::read).collect()
}

pub(crate) fn code(text: &str) -> Result<CreditCode> {
    CreditCode::parse(text).map_err(|_| StoreError::DamagedProjection { table: "enterprise" })
}
