//! Who is no longer graded, found by the scope that once did.

use sea_orm_migration::prelude::*;

/// Ended levels.
pub(super) struct Ended;

impl MigrationName for Ended {
    fn name(&self) -> &'static str {
        "m20261128_000008_ended"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Ended {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Nearly every level is one: the index holds the few that have ended, and costs the others nothing.
        let index = "CREATE INDEX current_level_ended ON current_level (scope, enterprise) WHERE level IS NULL";
        manager.get_connection().execute_unprepared(index).await?;
        Ok(())
    }
}
