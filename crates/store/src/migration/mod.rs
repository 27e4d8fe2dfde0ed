//! The schema, one set of migrations for both databases. A migration that has been released is never
//! edited; the next change is a new one.

mod deadlines;
mod draws;
mod ended;
mod forms;
mod inspectors;
mod listing;
mod past_levels;
mod people;
mod record_path;
mod said_by_ledger;
mod search;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;
use sea_orm_migration::sea_query::ColumnDef;

/// The migrations, in order.
pub(crate) struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(record_path::RecordPath),
            Box::new(people::People),
            Box::new(deadlines::Deadlines),
            Box::new(search::Search),
            Box::new(forms::Forms),
            Box::new(inspectors::Inspectors),
            Box::new(draws::Draws),
            Box::new(ended::Ended),
            Box::new(said_by_ledger::SaidByLedger),
            Box::new(past_levels::PastLevels),
            Box::new(listing::Listing),
        ]
    }
}

/// What the two databases write differently.
struct Schema {
    sqlite: bool,
}

impl Schema {
    fn of(manager: &SchemaManager) -> Self {
        Self { sqlite: manager.get_database_backend() == DbBackend::Sqlite }
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
