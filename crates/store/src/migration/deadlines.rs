//! Clocks, what happened to them, late submissions, and matters of approval. All are projections.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use super::{Schema, flag, index, number, text};

/// Clocks and approvals.
pub(super) struct Deadlines;

impl MigrationName for Deadlines {
    fn name(&self) -> &'static str {
        "m20261125_000003_deadlines"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Deadlines {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let schema = Schema { sqlite: manager.get_database_backend() == DbBackend::Sqlite };
        for table in tables(&schema) {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        // Most clocks have ended; a list is of those that have not.
        for columns in ["owed_by, due_on, rule, seq", "due_on, rule, seq"] {
            let name = columns.replace(", ", "_");
            manager
                .get_connection()
                .execute_unprepared(&format!(
                    "CREATE INDEX deadline_open_by_{name} ON deadline ({columns}) WHERE ended_on IS NULL"
                ))
                .await?;
        }
        Ok(())
    }
}

fn tables(schema: &Schema) -> Vec<TableCreateStatement> {
    vec![
        Table::create()
            .table("deadline")
            .col(schema.key("rule").not_null())
            .col(number("seq").not_null())
            .col(text("kind").not_null())
            .col(schema.key("match_key").not_null())
            .col(schema.key("enterprise"))
            .col(schema.key("owed_by").not_null())
            .col(text("started_on").not_null())
            .col(text("done_on"))
            .col(schema.key("due_on").not_null())
            .col(flag("provisional"))
            .col(text("paused_on"))
            .col(text("ended_on"))
            .col(flag("in_time"))
            .col(schema.key("yellow_on").not_null())
            .col(schema.key("red_on").not_null())
            .primary_key(Index::create().col("seq").col("rule"))
            .extra(schema.without_rowid())
            .take(),
        Table::create()
            .table("deadline_event")
            .col(schema.key("match_key").not_null())
            .col(number("seq").not_null())
            .col(schema.key("effect").not_null())
            .col(text("happened_on").not_null())
            .col(schema.key("enterprise"))
            .primary_key(Index::create().col("match_key").col("seq").col("effect"))
            .extra(schema.without_rowid())
            .take(),
        Table::create()
            .table("late_submission")
            .col(schema.place("seq").primary_key())
            .col(schema.key("kind").not_null())
            .col(schema.key("unit").not_null())
            .col(text("formed_on").not_null())
            .col(text("due_on").not_null())
            .col(schema.key("received_on").not_null())
            .col(number("days_late").not_null())
            .col(flag("provisional"))
            .take(),
        // Which rulebook the clocks were computed with: another one, or a new holiday notice, may move them.
        Table::create()
            .table("projection_basis")
            .col(schema.key("projection").not_null().primary_key())
            .col(text("rulebook").not_null())
            .take(),
        Table::create()
            .table("matter")
            .col(schema.place("number").primary_key())
            .col(schema.key("procedure").not_null())
            .col(text("subject").not_null())
            .col(schema.key("unit").not_null())
            .col(number("handler").not_null())
            .col(schema.key("stage").not_null())
            .col(number("opened_at").not_null())
            .col(number("last").not_null())
            .col(text("proposal").not_null())
            .take(),
        Table::create()
            .table("matter_step")
            .col(schema.place("seq").primary_key())
            .col(number("matter").not_null())
            .col(text("action").not_null())
            .col(schema.key("capacity").not_null())
            .col(text("stage").not_null())
            .col(number("person").not_null())
            .col(number("at").not_null())
            .col(text("opinion"))
            .take(),
        Table::create()
            .table("matter_target")
            .col(schema.key("target").not_null())
            .col(number("matter").not_null())
            .primary_key(Index::create().col("target").col("matter"))
            .extra(schema.without_rowid())
            .take(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("deadline", &["match_key"]),
        index("deadline_event", &["seq"]),
        index("late_submission", &["unit", "kind"]),
        index("late_submission", &["received_on"]),
        index("matter", &["stage", "unit", "number"]),
        index("matter_step", &["matter"]),
        index("matter_step", &["person", "matter"]),
        index("matter_target", &["matter"]),
    ]
}
