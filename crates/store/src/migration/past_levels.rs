//! A level stands in one place: while it is the newest with the current ones, and then with those that were.

use sea_orm_migration::prelude::*;

/// Past levels.
pub(super) struct PastLevels;

impl MigrationName for PastLevels {
    fn name(&self) -> &'static str {
        "m20261129_000010_past_levels"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for PastLevels {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let newest = "DELETE FROM level WHERE EXISTS (SELECT 1 FROM current_level AS c \
                      WHERE c.enterprise = level.enterprise AND c.scope = level.scope AND c.run = level.run)";
        manager.get_connection().execute_unprepared(newest).await?;
        manager.rename_table(Table::rename().table("level", "past_level").take()).await
    }
}
