//! Reading: the ledger as the bureau knew it at any point, and the projections.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sea_orm::{
    ColumnTrait, DatabaseConnection, EntityTrait, FromQueryResult, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Select,
};
use sqlx::{ColumnIndex, Decode, FromRow, Type};
use tokio::sync::oneshot;
use xinheng_core::credit_code::CreditCode;
use xinheng_core::record::{Record, Seq, Statement};

use crate::bulk::{Reading, Transaction};
use crate::entity::{self, current_level, enterprise, past_level};
use crate::entry::{
    Entry, RECORD_COLUMNS, RecordColumns, STATEMENT_COLUMNS, StatementColumns, fixed, record, statement,
};
use crate::error::{Result, StoreError};
use crate::level::{KeptLevel, LevelCount};
use crate::statement::Sql;
use crate::store::Store;
use crate::touched::touched;

/// Most enterprises of a page: their codes are the places of one statement.
const MOST_ENTERPRISES: i64 = 5_000;

/// Which enterprises a run of levels takes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All that are registered, and those touched.
    All,
    /// Those with records newer than the run before.
    Touched,
}

/// The enterprises of a run, page by page in the order of their codes.
pub struct Roll {
    scope: Scope,
    touched: Vec<CreditCode>,
    /// Most enterprises of a page.
    page: u64,
    /// The last of the page before.
    after: Option<CreditCode>,
    /// Whether there may be more.
    more: bool,
    /// How many there are; of all, those registered.
    total: u64,
}

impl Roll {
    /// How many enterprises there are; of all, those registered.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }
}

/// Enterprises in the order of their codes, each with its records in ledger order.
pub type Histories = Vec<(CreditCode, Vec<Record>)>;

/// The same with what their records say alone.
pub type Statements = Vec<(CreditCode, Vec<Statement>)>;

/// Some enterprises with their records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Enterprises of which nothing was known yet are left out.
    pub histories: Histories,
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
    pub(crate) readers: DatabaseConnection,
    pub(crate) codes: Vec<String>,
    pub(crate) matched: oneshot::Receiver<Matched>,
    pub(crate) known_up_to: Seq,
}

/// Records of which a later one has told the enterprise, and that enterprise.
pub(crate) type Matched = HashMap<i64, String>;

/// A page as the database gave it. Making statements of its rows takes longer than fetching them, and can
/// be done on another thread.
pub struct UnreadPage {
    rows: Vec<OwnedRow<StatementColumns>>,
}

/// Columns of a record, and the enterprise whose history it is in.
struct OwnedRow<C> {
    columns: C,
    owner: String,
}

impl<'r, R, C> FromRow<'r, R> for OwnedRow<C>
where
    R: sqlx::Row,
    C: FromRow<'r, R>,
    String: Decode<'r, R::Database> + Type<R::Database>,
    &'static str: ColumnIndex<R>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        Ok(Self { columns: C::from_row(row)?, owner: row.try_get("owner")? })
    }
}

impl UnfetchedPage {
    /// Fetches the records.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fetch(self) -> Result<UnreadPage> {
        let Self { readers, codes, matched, known_up_to } = self;
        let own = format!(
            "SELECT {STATEMENT_COLUMNS}, r.enterprise AS owner FROM {{keys}} AS k CROSS JOIN record AS r \
             WHERE r.enterprise = k.value AND r.seq <= $1"
        );
        let mut rows: Vec<OwnedRow<StatementColumns>> =
            Reading::Committed(&readers).look_up(&own, &[known_up_to.0], &codes).await?;
        let mut matched = matched.await.map_err(|_| StoreError::Broken)?;
        let of_matched = format!(
            "SELECT {STATEMENT_COLUMNS}, k.value AS owner FROM {{keys}} AS k CROSS JOIN record AS r \
             WHERE r.seq = CAST(k.value AS BIGINT)"
        );
        let seqs: Vec<String> = matched.keys().map(ToString::to_string).collect();
        let others: Vec<OwnedRow<StatementColumns>> =
            Reading::Committed(&readers).look_up(&of_matched, &[], &seqs).await?;
        rows.extend(others.into_iter().filter_map(|row| {
            let owner = matched.remove(&row.columns.0)?;
            Some(OwnedRow { owner, ..row })
        }));
        Ok(UnreadPage { rows })
    }
}

impl UnreadPage {
    /// Makes statements of the rows: the enterprises in the order of the codes, each with its records in ledger order;
    /// enterprises of which nothing was known yet are left out.
    ///
    /// # Errors
    /// When a row is damaged.
    pub fn read(self) -> Result<Statements> {
        histories_of(self.rows, statement)
    }
}

/// Makes histories of rows.
fn histories_of<C, S: AsRef<Statement>>(
    rows: Vec<OwnedRow<C>>,
    read: impl Fn(C) -> Result<S>,
) -> Result<Vec<(CreditCode, Vec<S>)>> {
    let owned = rows.into_iter().map(|OwnedRow { columns, owner }| Ok((code(&owner)?, read(columns)?)));
    let mut owned = owned.collect::<Result<Vec<(CreditCode, S)>>>()?;
    // The database has read them in this order, but for those of which a later record has told the enterprise.
    owned.sort_by_key(|(owner, record)| (*owner, record.as_ref().seq));
    let mut histories: Vec<(CreditCode, Vec<S>)> = Vec::new();
    for (owner, record) in owned {
        match histories.last_mut() {
            Some((last, records)) if *last == owner => records.push(record),
            _ => histories.push((owner, vec![record])),
        }
    }
    Ok(histories)
}

/// Codes of a page, and where the next starts after.
async fn codes(
    reading: &mut Reading<'_>,
    after: Option<CreditCode>,
    limit: u64,
) -> Result<(Vec<String>, Option<CreditCode>)> {
    let limit = i64::try_from(limit).unwrap_or(MOST_ENTERPRISES).min(MOST_ENTERPRISES);
    let sql =
        "SELECT e.code FROM enterprise AS e WHERE e.code > (SELECT k.value FROM {keys} AS k) ORDER BY e.code LIMIT $1";
    let after = after.map(|code| code.to_string()).unwrap_or_default();
    let codes: Vec<(String,)> = reading.look_up(sql, &[limit], &[after]).await?;
    let codes: Vec<String> = codes.into_iter().map(|(code,)| code).collect();
    let next = match codes.last() {
        Some(last) if codes.len() as i64 == limit => Some(code(last)?),
        _ => None,
    };
    Ok((codes, next))
}

/// The enterprises of a run by all records up to a seq.
pub(crate) async fn roll(
    transaction: &mut Transaction,
    readers: &DatabaseConnection,
    scope: Scope,
    page: u64,
    known_up_to: Seq,
) -> Result<Roll> {
    let touched = touched(Reading::Committed(readers), known_up_to).await?;
    let total = match scope {
        Scope::All => count(transaction).await?,
        Scope::Touched => touched.len() as u64,
    };
    Ok(Roll { scope, touched, page, after: None, more: true, total })
}

/// Codes of the next page; none after the last.
pub(crate) async fn next_codes(transaction: &mut Transaction, roll: &mut Roll) -> Result<Option<Vec<String>>> {
    if !roll.more {
        return Ok(None);
    }
    let first = roll.after.map_or(0, |after| roll.touched.partition_point(|code| *code <= after));
    let touched = &roll.touched[first..];
    let (codes, last) = match roll.scope {
        Scope::All => {
            let (registered, last) = codes(&mut Reading::Within(transaction), roll.after, roll.page).await?;
            let beside = touched.iter().take_while(|code| last.is_none_or(|last| **code <= last));
            let all: BTreeSet<String> = registered.into_iter().chain(beside.map(ToString::to_string)).collect();
            (all.into_iter().collect(), last)
        }
        Scope::Touched => {
            let page = &touched[..touched.len().min(usize::try_from(roll.page).unwrap_or(usize::MAX))];
            let last = page.last().copied().filter(|_| page.len() < touched.len());
            (page.iter().map(ToString::to_string).collect(), last)
        }
    };
    roll.after = last;
    roll.more = last.is_some();
    Ok(Some(codes))
}

/// Records of which a later one, up to a seq, has told that they are of one of the enterprises.
pub(crate) async fn matched(transaction: &mut Transaction, codes: &[String], known_up_to: Seq) -> Result<Matched> {
    let matched: Vec<(i64, String)> = transaction
        .look_up(
            "SELECT m.record, m.enterprise FROM {keys} AS k CROSS JOIN matched AS m \
             WHERE m.enterprise = k.value AND m.seq <= $1",
            &[known_up_to.0],
            codes,
        )
        .await?;
    Ok(matched.into_iter().collect())
}

/// Some enterprises with all that the database has of them up to a seq, and with records that it need not have yet.
pub(crate) async fn statements_with(
    transaction: &mut Transaction,
    enterprises: &BTreeSet<CreditCode>,
    known_up_to: Seq,
    newer: impl Iterator<Item = &Record>,
) -> Result<Statements> {
    let codes: Vec<String> = enterprises.iter().map(ToString::to_string).collect();
    let rows = transaction.look_up_stored(&sql_of_histories(STATEMENT_COLUMNS), &[known_up_to.0], &codes).await?;
    let mut histories: BTreeMap<CreditCode, Vec<Statement>> = histories_of(rows, statement)?.into_iter().collect();
    for record in newer {
        if let Some(enterprise) = record.enterprise.filter(|code| enterprises.contains(code)) {
            histories.entry(enterprise).or_default().push(record.statement.clone());
        }
    }
    Ok(histories.into_iter().collect())
}

/// Records of enterprises up to a seq, those among them of which a later one up to it says whose they are.
fn sql_of_histories(columns: &str) -> String {
    format!(
        "SELECT {columns}, k.value AS owner FROM {{keys}} AS k CROSS JOIN record AS r \
         WHERE r.enterprise = k.value AND r.seq <= $1 \
         UNION ALL \
         SELECT {columns}, k.value AS owner FROM {{keys}} AS k CROSS JOIN matched AS m CROSS JOIN record AS r \
         WHERE m.enterprise = k.value AND m.seq <= $1 AND r.seq = m.record"
    )
}

async fn histories(readers: &DatabaseConnection, codes: &[String], known_up_to: Seq) -> Result<Histories> {
    let sql = sql_of_histories(RECORD_COLUMNS);
    let rows: Vec<OwnedRow<RecordColumns>> = Reading::Committed(readers).look_up(&sql, &[known_up_to.0], codes).await?;
    histories_of(rows, record)
}

/// How many enterprises are registered, with what a writing transaction has changed.
pub(crate) async fn count(transaction: &mut Transaction) -> Result<u64> {
    let counts: Vec<(i64,)> = transaction.look_up("SELECT count(*) FROM enterprise", &[], &[]).await?;
    Ok(counts.into_iter().map(|(count,)| count.unsigned_abs()).sum())
}

impl Store {
    /// A page of the registered enterprises with everything about them that was on record at a seq, those records
    /// among it that had been matched by then.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn histories(&self, after: Option<CreditCode>, limit: u64, known_up_to: Seq) -> Result<Page> {
        let readers = &self.connections.readers;
        let (codes, next) = codes(&mut Reading::Committed(readers), after, limit).await?;
        Ok(Page { histories: histories(readers, &codes, known_up_to).await?, next })
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
        Ok(histories(&self.connections.readers, &codes, known_up_to).await?.into_iter().collect())
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
        rows.into_iter().map(|row| past_level::Model::from(row).try_into()).collect()
    }

    /// Every change of an enterprise's levels, from the earliest.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn level_history(&self, enterprise: CreditCode) -> Result<Vec<KeptLevel>> {
        let columns = "enterprise, scope, run, as_of, level, total_milli, in_force, model";
        let mut sql = Sql::new(&format!("SELECT {columns} FROM past_level WHERE enterprise = "));
        sql.bind(enterprise.as_str());
        sql.push(&format!(" UNION ALL SELECT {columns} FROM current_level WHERE enterprise = "))
            .bind(enterprise.as_str());
        let rows = sql.push(" ORDER BY run, scope").all(&self.connections.readers).await?;
        rows.iter().map(|row| past_level::Model::from_query_result(row, "")?.try_into()).collect()
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
