//! Units, staff, sessions and the audit log.

use sea_orm_migration::prelude::*;

use super::{Schema, bytes, flag, index, number, postgres_guard, sqlite_guard, text};

pub(super) struct People;

impl MigrationName for People {
    fn name(&self) -> &'static str {
        "m20261125_000002_people"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for People {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let schema = Schema::of(manager);
        for table in tables(&schema) {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        for statement in guards(&schema) {
            manager.get_connection().execute_unprepared(&statement).await?;
        }
        Ok(())
    }
}

fn tables(schema: &Schema) -> Vec<TableCreateStatement> {
    vec![
        Table::create()
            .table("bureau_setting")
            .col(schema.key("name").not_null().primary_key())
            .col(text("value").not_null())
            .take(),
        Table::create()
            .table("unit")
            .col(schema.key("code").not_null().primary_key())
            .col(text("name").not_null())
            .col(text("other_names").not_null())
            .col(text("kind").not_null())
            .col(flag("in_use"))
            .take(),
        Table::create()
            .table("staff")
            .col(schema.place("number").primary_key())
            .col(schema.key("account").not_null())
            .col(text("name").not_null())
            .col(schema.key("unit"))
            .col(schema.key("roles").not_null())
            .col(text("proposed").not_null())
            .col(flag("in_use"))
            .col(text("password"))
            .col(number("password_set_at"))
            .col(number("secret_until"))
            .col(flag("must_change"))
            .col(text("previous").not_null())
            .col(bytes("second_factor"))
            .col(flag("second_factor_confirmed"))
            .col(number("last_step").not_null())
            .col(bytes("tag").not_null())
            .take(),
        Table::create()
            .table("session")
            .col(schema.place("number").primary_key())
            .col(bytes("token").not_null())
            .col(number("staff").not_null())
            .col(number("started").not_null())
            .col(number("last_seen").not_null())
            .col(text("source").not_null())
            .col(text("agent").not_null())
            .col(number("ended"))
            .take(),
        Table::create()
            .table("attempt")
            .col(schema.key("name").not_null().primary_key())
            .col(number("failures").not_null())
            .col(number("since").not_null())
            .col(number("last").not_null())
            .col(number("locks").not_null())
            .col(number("locked_until"))
            .take(),
        Table::create()
            .table("audit")
            .col(schema.place("seq").primary_key())
            .col(number("at").not_null())
            .col(number("staff"))
            .col(schema.key("account").not_null())
            .col(text("roles").not_null())
            .col(text("unit").not_null())
            .col(text("source").not_null())
            .col(schema.key("event").not_null())
            .col(schema.key("object").not_null())
            .col(text("outcome").not_null())
            .col(text("detail").not_null())
            .col(text("request").not_null())
            .col(bytes("hash").not_null())
            .col(bytes("mark").not_null())
            .take(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("staff", &["account"]).unique().take(),
        index("staff", &["unit"]),
        index("session", &["token"]).unique().take(),
        index("session", &["staff"]),
        index("audit", &["at"]),
        index("audit", &["account", "seq"]),
        index("audit", &["event", "seq"]),
        index("audit", &["object", "seq"]),
    ]
}

/// The audit log is append-only as the ledger is: there is no way to shorten or mend it.
fn guards(schema: &Schema) -> Vec<String> {
    let audit = "审计日志只能追加，不能改动或删除";
    if schema.sqlite {
        vec![
            sqlite_guard("audit", "update", "UPDATE", "TRUE", audit),
            sqlite_guard("audit", "delete", "DELETE", "TRUE", audit),
            sqlite_guard(
                "audit",
                "insert",
                "INSERT",
                "NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit)",
                audit,
            ),
        ]
    } else {
        vec![
            postgres_guard("audit", "UPDATE OR DELETE OR TRUNCATE", audit),
            "REVOKE UPDATE, DELETE, TRUNCATE ON audit FROM PUBLIC".into(),
        ]
    }
}
