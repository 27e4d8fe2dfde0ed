//! What the ledger itself says is no longer kept beside it: who waits for a level, and what a current record is besides its
//! place.

use sea_orm_migration::prelude::*;

pub(super) struct SaidByLedger;

impl MigrationName for SaidByLedger {
    fn name(&self) -> &'static str {
        "m20261128_000009_said_by_ledger"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for SaidByLedger {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("stale_enterprise").take()).await?;
        for column in ["content", "version", "withdrawn"] {
            manager.alter_table(Table::alter().table("current_record").drop_column(column).take()).await?;
        }
        Ok(())
    }
}
