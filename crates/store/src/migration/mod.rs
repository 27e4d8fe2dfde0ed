//! The schema, one set of migrations for both databases. A migration that has been released is never
//! edited; the next change is a new one.

mod deadlines;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;
use sea_orm_migration::sea_query::ColumnDef;

/// The migrations, in order.
pub(crate) struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(RecordPath), Box::new(deadlines::Deadlines)]
    }
}

/// Ledger, projections, submissions and rulebook versions.
struct RecordPath;

impl MigrationName for RecordPath {
    fn name(&self) -> &'static str {
        "m20261124_000001_record_path"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for RecordPath {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let schema = Schema { sqlite: manager.get_database_backend() == DbBackend::Sqlite };
        for table in schema.tables() {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        // The system's own records are few among many: an index that holds nothing else finds them.
        manager
            .get_connection()
            .execute_unprepared("CREATE INDEX record_without_enterprise ON record (kind, seq) WHERE enterprise IS NULL")
            .await?;
        for statement in schema.guards() {
            manager.get_connection().execute_unprepared(&statement).await?;
        }
        Ok(())
    }
}

struct Schema {
    sqlite: bool,
}

impl Schema {
    fn tables(&self) -> Vec<TableCreateStatement> {
        vec![
            Table::create()
                .table("record")
                .col(self.place("seq").primary_key())
                .col(number("submission").not_null())
                .col(number("line").not_null())
                .col(ColumnDef::new("part").small_integer().not_null())
                .col(self.key("enterprise"))
                .col(text("kind").not_null())
                .col(text("occurred_on").not_null())
                .col(text("version"))
                .col(number("received_at").not_null())
                .col(text("source_unit").not_null())
                .col(text("document_number"))
                .col(number("supersedes"))
                .col(flag("withdrawn"))
                .col(text("payload").not_null())
                .col(text("commitments").not_null())
                .col(bytes("identity"))
                .col(bytes("content"))
                .col(bytes("mark").not_null())
                .col(bytes("hash").not_null())
                .take(),
            Table::create()
                .table("personal")
                .col(number("seq").not_null())
                .col(self.key("field").not_null())
                .col(bytes("nonce").not_null())
                .col(bytes("ciphertext").not_null())
                .col(bytes("lookup").not_null())
                .primary_key(Index::create().col("seq").col("field"))
                .extra(self.without_rowid())
                .take(),
            Table::create()
                .table("current_record")
                .col(bytes("identity").not_null().primary_key())
                .col(number("seq").not_null())
                .col(bytes("content").not_null())
                .col(text("version"))
                .col(flag("withdrawn"))
                .extra(self.without_rowid())
                .take(),
            Table::create()
                .table("enterprise")
                .col(self.key("code").not_null().primary_key())
                .col(text("name"))
                .col(text("status"))
                .col(text("type_class"))
                .col(text("region"))
                .col(text("town"))
                .col(text("established_on"))
                .col(self.key("main_identity"))
                .col(self.key("registration_number"))
                .col(number("seq").not_null())
                .take(),
            Table::create()
                .table("waiting")
                .col(self.place("seq").primary_key())
                .col(text("key_column"))
                .col(self.key("given"))
                .take(),
            Table::create()
                .table("matched")
                .col(self.place("record").primary_key())
                .col(self.key("enterprise").not_null())
                .col(number("seq").not_null())
                .take(),
            Table::create()
                .table("stale_enterprise")
                .col(self.key("code").not_null().primary_key())
                .col(number("seq").not_null())
                .extra(self.without_rowid())
                .take(),
            self.levels("level").primary_key(Index::create().col("enterprise").col("scope").col("run")).take(),
            self.levels("current_level").primary_key(Index::create().col("enterprise").col("scope")).take(),
            Table::create()
                .table("submission")
                .col(self.place("number").primary_key())
                .col(text("file_name").not_null())
                .col(bytes("file_digest").not_null())
                .col(text("table_id").not_null())
                .col(text("unit").not_null())
                .col(text("edition"))
                .col(number("received_at").not_null())
                .col(flag("finished"))
                .col(text("counts"))
                .take(),
            Table::create()
                .table("rulebook")
                .col(self.key("version").not_null().primary_key())
                .col(bytes("bundle").not_null())
                .take(),
        ]
    }

    /// Columns that `level` and `current_level` have in common: all.
    fn levels(&self, table: &'static str) -> TableCreateStatement {
        Table::create()
            .table(table)
            .col(self.key("enterprise").not_null())
            .col(self.key("scope").not_null())
            .col(number("run").not_null())
            .col(text("as_of").not_null())
            .col(text("level"))
            .col(number("total_milli"))
            .col(flag("in_force"))
            .col(text("model").not_null())
            .extra(self.without_rowid())
            .take()
    }

    /// A dense number that names the row. SQLite's own row number must be spelt `integer`.
    fn place(&self, name: &'static str) -> ColumnDef {
        let mut column = ColumnDef::new(name);
        if self.sqlite {
            column.custom("integer");
        } else {
            column.big_integer();
        }
        column.not_null().take()
    }

    /// Text that is searched and sorted: by bytes on both databases, whatever the server's locale.
    fn key(&self, name: &'static str) -> ColumnDef {
        let mut column = text(name);
        if !self.sqlite {
            column.extra("COLLATE \"C\"");
        }
        column
    }

    /// SQLite keeps a table with a key of its own in the order of that key, without a second tree.
    fn without_rowid(&self) -> &'static str {
        if self.sqlite { "WITHOUT ROWID" } else { "" }
    }

    /// The database itself refuses to change what is append-only.
    fn guards(&self) -> Vec<String> {
        let ledger = "台账只能追加，不能改动或删除";
        let personal = "个人信息只能写入或依法删除，不能改动";
        let rulebook = "规则库的历史版本不能改动或删除";
        if !self.sqlite {
            return vec![
                // One function for all; the trigger says what is refused.
                "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0]; END $$"
                    .into(),
                postgres_guard("record", "UPDATE OR DELETE OR TRUNCATE", ledger),
                postgres_guard("personal", "UPDATE OR TRUNCATE", personal),
                postgres_guard("rulebook", "UPDATE OR DELETE OR TRUNCATE", rulebook),
                "REVOKE UPDATE, DELETE, TRUNCATE ON record, rulebook FROM PUBLIC".into(),
                "REVOKE UPDATE, TRUNCATE ON personal FROM PUBLIC".into(),
            ];
        }
        vec![
            sqlite_guard("record", "update", "UPDATE", "TRUE", ledger),
            sqlite_guard("record", "delete", "DELETE", "TRUE", ledger),
            // INSERT OR REPLACE deletes without asking a DELETE trigger: refuse what it would replace.
            sqlite_guard(
                "record",
                "insert",
                "INSERT",
                "NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM record) OR EXISTS (SELECT 1 FROM record \
                 WHERE submission = NEW.submission AND line = NEW.line AND part = NEW.part)",
                ledger,
            ),
            sqlite_guard("personal", "update", "UPDATE", "TRUE", personal),
            sqlite_guard(
                "personal",
                "insert",
                "INSERT",
                "EXISTS (SELECT 1 FROM personal WHERE seq = NEW.seq AND field = NEW.field)",
                personal,
            ),
            sqlite_guard("rulebook", "update", "UPDATE", "TRUE", rulebook),
            sqlite_guard("rulebook", "delete", "DELETE", "TRUE", rulebook),
            sqlite_guard(
                "rulebook",
                "insert",
                "INSERT",
                "EXISTS (SELECT 1 FROM rulebook WHERE version = NEW.version)",
                rulebook,
            ),
        ]
    }
}

fn postgres_guard(table: &str, events: &str, message: &str) -> String {
    format!(
        "CREATE TRIGGER refuse_change BEFORE {events} ON {table} \
         FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('{message}')"
    )
}

/// `FAIL` and not `ABORT`, which would have every insert note how to undo itself; the row that is
/// refused is not touched either way.
fn sqlite_guard(table: &str, name: &str, event: &str, condition: &str, message: &str) -> String {
    format!(
        "CREATE TRIGGER {table}_refuse_{name} BEFORE {event} ON {table} FOR EACH ROW WHEN {condition} \
         BEGIN SELECT RAISE(FAIL, '{message}'); END"
    )
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        // The same line of the same submission enters once.
        index("record", &["submission", "line", "part"]).unique().take(),
        index("record", &["enterprise", "seq"]),
        index("enterprise", &["main_identity"]),
        index("enterprise", &["registration_number"]),
        index("waiting", &["given"]),
        index("matched", &["enterprise"]),
    ]
}

fn index(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create().name(format!("{table}_by_{}", columns.join("_"))).table(table).take();
    for column in columns {
        index.col(*column);
    }
    index
}

fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().take()
}

fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().take()
}

fn bytes(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).blob().take()
}

/// SQLite has no type for a flag; the check keeps anything else out.
fn flag(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).boolean().not_null().check(Expr::col(name).is_in([true, false])).take()
}
