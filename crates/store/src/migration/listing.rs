//! Indexes that an import pays for with every enterprise, as small as the lists of enterprises allow.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use super::index;

/// Indexes by which enterprises are listed and found.
pub(super) struct Listing;

impl MigrationName for Listing {
    fn name(&self) -> &'static str {
        "m20261129_000011_listing"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Listing {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for replaced in ["enterprise_by_town_code_status", "enterprise_by_status_code"] {
            manager.drop_index(Index::drop().name(replaced).table("enterprise").to_owned()).await?;
        }
        manager.create_index(index("enterprise", &["town", "code"])).await?;
        let connection = manager.get_connection();
        // Most enterprises are in operation, and are met by walking the codes: indexes of the status hold the others.
        for columns in ["status, code", "town, status, code"] {
            let name = columns.replace(", ", "_");
            let index = format!(
                "CREATE INDEX enterprise_not_operating_by_{name} ON enterprise ({columns}) WHERE status <> 'operating'"
            );
            connection.execute_unprepared(&index).await?;
        }
        if manager.get_database_backend() == DbBackend::Sqlite {
            // Each statement leaves a segment of the index over pairs. Merged by sixteen, not by four, a row is written
            // anew half as often.
            let merged = "INSERT INTO searched_pairs (searched_pairs, rank) VALUES ('automerge', 16)";
            connection.execute_unprepared(merged).await?;
        }
        Ok(())
    }
}
