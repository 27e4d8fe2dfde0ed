//! The directory of inspectors.

use sea_orm_migration::prelude::*;

use super::{Schema, bytes};

/// Inspectors.
pub(super) struct Inspectors;

impl MigrationName for Inspectors {
    fn name(&self) -> &'static str {
        "m20261125_000006_inspectors"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Inspectors {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let schema = Schema::of(manager);
        let inspector = Table::create()
            .table("inspector")
            .col(schema.place("staff").primary_key())
            .col(bytes("sealed").not_null())
            .take();
        manager.create_table(inspector).await
    }
}
