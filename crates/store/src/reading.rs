//! Reading: the ledger as the bureau knew it at any point, and the projections.

use std::collections::{BTreeMap, HashMap};

use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use xinheng_core::credit_code::CreditCode;
use xinheng_core::record::{Record, Seq};

use crate::entity::{current_level, enterprise, level, matched, record, stale_enterprise};
use crate::entry::Entry;
use crate::error::{Result, StoreError};
use crate::level::{KeptLevel, LevelCount};
use crate::store::Store;

/// Most enterprises of a page: their codes are the places of one statement.
const MOST_ENTERPRISES: u64 = 5_000;

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
        let limit = limit.min(MOST_ENTERPRISES);
        let after = after.map(|code| code.to_string());
        let codes: Vec<String> = match scope {
            Scope::All => self.codes::<enterprise::Entity>(enterprise::Column::Code, after, limit).await?,
            Scope::Stale => {
                self.codes::<stale_enterprise::Entity>(stale_enterprise::Column::Code, after, limit).await?
            }
        };
        let next = match codes.last() {
            Some(last) if codes.len() as u64 == limit => Some(code(last)?),
            _ => None,
        };
        let histories = self.histories_of(codes, known_up_to).await?;
        Ok(Page { histories: histories.into_iter().collect(), next })
    }

    async fn codes<E: EntityTrait>(&self, column: E::Column, after: Option<String>, limit: u64) -> Result<Vec<String>> {
        let mut page = E::find().select_only().column(column).order_by_asc(column).limit(limit);
        if let Some(after) = after {
            page = page.filter(column.gt(after));
        }
        Ok(page.into_tuple().all(&self.connections.readers).await?)
    }

    /// What was on record about one enterprise at a seq.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn history(&self, enterprise: CreditCode, known_up_to: Seq) -> Result<Vec<Record>> {
        let mut histories = self.histories_of(vec![enterprise.to_string()], known_up_to).await?;
        Ok(histories.remove(&enterprise).unwrap_or_default())
    }

    /// What was on record about some enterprises at a seq.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn histories_for(
        &self,
        enterprises: &[CreditCode],
        known_up_to: Seq,
    ) -> Result<BTreeMap<CreditCode, Vec<Record>>> {
        self.histories_of(enterprises.iter().map(ToString::to_string).collect(), known_up_to).await
    }

    /// Three queries, however many enterprises and records.
    async fn histories_of(&self, codes: Vec<String>, known_up_to: Seq) -> Result<BTreeMap<CreditCode, Vec<Record>>> {
        let readers = &self.connections.readers;
        let mut histories: BTreeMap<CreditCode, Vec<Record>> = BTreeMap::new();
        let own = record::Entity::find()
            .filter(record::Column::Enterprise.is_in(codes.iter().cloned()))
            .filter(record::Column::Seq.lte(known_up_to.0));
        for entry in entries(own, readers).await? {
            if let Some(enterprise) = entry.record.enterprise {
                histories.entry(enterprise).or_default().push(entry.record);
            }
        }
        let matches =
            Condition::all().add(matched::Column::Enterprise.is_in(codes)).add(matched::Column::Seq.lte(known_up_to.0));
        let matched_to: HashMap<i64, String> = matched::Entity::find()
            .filter(matches.clone())
            .all(readers)
            .await?
            .into_iter()
            .map(|row| (row.record, row.enterprise))
            .collect();
        if !matched_to.is_empty() {
            let found =
                Query::select().column(matched::Column::Record).from(matched::Entity).cond_where(matches).take();
            let waited = record::Entity::find().filter(record::Column::Seq.in_subquery(found));
            for entry in entries(waited, readers).await? {
                if let Some(enterprise) = matched_to.get(&entry.record.seq.0) {
                    histories.entry(code(enterprise)?).or_default().push(entry.record);
                }
            }
        }
        for records in histories.values_mut() {
            records.sort_unstable_by_key(|record| record.seq);
        }
        Ok(histories)
    }

    /// Consecutive records of the ledger.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn records(&self, from: Seq, limit: u64) -> Result<Vec<Entry>> {
        let page = record::Entity::find()
            .filter(record::Column::Seq.gte(from.0))
            .order_by_asc(record::Column::Seq)
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
    rows: Select<record::Entity>,
    connection: &sea_orm::DatabaseConnection,
) -> Result<Vec<Entry>> {
    rows.all(connection).await?.into_iter().map(Entry::read).collect()
}

pub(crate) fn code(text: &str) -> Result<CreditCode> {
    CreditCode::parse(text).map_err(|_| StoreError::DamagedProjection { table: "enterprise" })
}
