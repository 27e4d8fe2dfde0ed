//! What the system itself put on record: classification runs, signatures. They belong to no enterprise.

use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder};
use xinheng_core::credit_code::CreditCode;
use xinheng_core::record::{Record, Seq};

use crate::entity::{current_level, record};
use crate::error::Result;
use crate::reading::{code, entries};
use crate::store::Store;

impl Store {
    /// Records of a kind that belong to no enterprise, in ledger order, as known at a seq. There are
    /// few: an index holds nothing else.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn system_records(&self, kind: &str, after: Seq, known_up_to: Seq) -> Result<Vec<Record>> {
        let found = record::Entity::find()
            .filter(record::Column::Enterprise.is_null())
            .filter(record::Column::Kind.eq(kind))
            .filter(record::Column::Seq.gt(after.0))
            .filter(record::Column::Seq.lte(known_up_to.0))
            .order_by_asc(record::Column::Seq);
        Ok(entries(found, &self.connections.readers).await?.into_iter().map(|entry| entry.record).collect())
    }

    /// The enterprise with the greatest risk in a scope: the worst level, and the most points within it.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn riskiest(&self, scope: &str) -> Result<Option<CreditCode>> {
        use current_level::Column;
        let worst = current_level::Entity::find()
            .filter(Column::Scope.eq(scope))
            .filter(Column::Level.is_not_null())
            .filter(Column::TotalMilli.is_not_null())
            .order_by_desc(Column::Level)
            .order_by_desc(Column::TotalMilli)
            .one(&self.connections.readers)
            .await?;
        worst.map(|row| code(&row.enterprise)).transpose()
    }

    /// After very many new records: has PostgreSQL learn how many belong together before it is asked for them, without which
    /// it reads the whole ledger for every page. SQLite plans without.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_stock(&self) -> Result<()> {
        if self.connections.writer.get_database_backend() == DbBackend::Postgres {
            // None that may be empty and grow: the writer's plans would be made for an empty one.
            self.connections.writer.execute_unprepared("ANALYZE record, enterprise").await?;
        }
        Ok(())
    }
}
