//! Plans of inspections, their draws and visits, which are projections; and what draws keep secret, which is not.

use sea_orm_migration::prelude::*;

use super::{Schema, bytes, flag, index, number, text};

/// Plans, draws and visits.
pub(super) struct Draws;

impl MigrationName for Draws {
    fn name(&self) -> &'static str {
        "m20261127_000007_draws"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Draws {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let schema = Schema::of(manager);
        for table in tables(&schema) {
            manager.create_table(table).await?;
        }
        for index in [
            index("plan", &["number"]).unique().take(),
            index("draw", &["plan", "step"]),
            index("visit", &["enterprise", "plan"]),
            index("visit", &["lead", "state"]),
            index("visit", &["second", "state"]),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn tables(schema: &Schema) -> [TableCreateStatement; 4] {
    [
        Table::create()
            .table("plan")
            .col(schema.place("seq").primary_key())
            .col(schema.key("number").not_null())
            .col(text("title").not_null())
            .col(schema.key("item").not_null())
            .col(schema.key("unit").not_null())
            .col(schema.key("window_from").not_null())
            .col(schema.key("window_until").not_null())
            .col(text("proposal").not_null())
            .col(number("names"))
            .take(),
        Table::create()
            .table("draw")
            .col(schema.key("number").not_null().primary_key())
            .col(number("plan").not_null())
            .col(schema.key("state").not_null())
            .col(text("deadline").not_null())
            .col(text("issue"))
            .col(number("frozen").not_null())
            .col(number("step").not_null())
            .extra(schema.without_rowid())
            .take(),
        Table::create()
            .table("visit")
            .col(number("plan").not_null())
            .col(number("place").not_null())
            .col(schema.key("enterprise").not_null())
            .col(flag("drawn"))
            .col(number("lead"))
            .col(number("second"))
            .col(schema.key("state").not_null())
            .col(number("result"))
            .primary_key(Index::create().col("plan").col("place"))
            .extra(schema.without_rowid())
            .take(),
        Table::create()
            .table("draw_secret")
            .col(schema.key("draw").not_null().primary_key())
            .col(bytes("sealed").not_null())
            .extra(schema.without_rowid())
            .take(),
    ]
}
