//! What the pages read: search, lists of graded enterprises, changes of a run, heads of past days.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, Statement};
use xinheng_core::search::Searchable;

use super::{Schema, bytes, index, number, text};
use crate::graded;

/// Enterprises whose names are made searchable at a time.
const PAGE: u64 = 1_000;

pub(super) struct Search;

impl MigrationName for Search {
    fn name(&self) -> &'static str {
        "m20261125_000004_search"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Search {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let schema = Schema { sqlite: manager.get_database_backend() == DbBackend::Sqlite };
        for table in tables(&schema) {
            manager.create_table(table).await?;
        }
        let connection = manager.get_connection();
        fill_searched(connection).await?;
        for statement in fillings(&schema).iter().chain(&searches(&schema)) {
            connection.execute_unprepared(statement).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn tables(schema: &Schema) -> Vec<TableCreateStatement> {
    vec![
        Table::create()
            .table("searched")
            .col(schema.place("seq").primary_key())
            .col(schema.key("code").not_null())
            .col(schema.key("name").not_null())
            .col(text("pairs").not_null())
            .take(),
        Table::create()
            .table("graded")
            .col(schema.key("scope").not_null())
            .col(schema.key("level").not_null())
            .col(number("points").not_null())
            .col(schema.key("enterprise").not_null())
            .col(schema.key("town").not_null())
            .col(schema.key("status").not_null())
            .primary_key(Index::create().col("scope").col("level").col("points").col("enterprise"))
            .extra(schema.without_rowid())
            .take(),
        Table::create()
            .table("level_count")
            .col(schema.key("scope").not_null())
            .col(schema.key("town").not_null())
            .col(schema.key("level").not_null())
            .col(number("enterprises").not_null())
            .primary_key(Index::create().col("scope").col("town").col("level"))
            .extra(schema.without_rowid())
            .take(),
        Table::create()
            .table("differing")
            .col(schema.key("enterprise").not_null().primary_key())
            .col(text("received").not_null())
            .col(text("own").not_null())
            .extra(schema.without_rowid())
            .take(),
        Table::create()
            .table("level_change")
            .col(number("run").not_null())
            .col(schema.key("scope").not_null())
            .col(schema.key("enterprise").not_null())
            .col(text("before"))
            .col(text("after"))
            .primary_key(Index::create().col("run").col("scope").col("enterprise"))
            .extra(schema.without_rowid())
            .take(),
        Table::create()
            .table("day_head")
            .col(schema.key("day").not_null().primary_key())
            .col(number("seq").not_null())
            .col(bytes("hash").not_null())
            .extra(schema.without_rowid())
            .take(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("searched", &["name", "code"]),
        index("enterprise", &["town", "code", "status"]),
        index("enterprise", &["status", "code"]),
        index("graded", &["scope", "town", "level", "points", "enterprise", "status"]),
        index("submission", &["unit", "number"]),
    ]
}

/// Indexes that only raw statements can say.
fn searches(schema: &Schema) -> Vec<String> {
    // Spelt with OR: of an IN, SQLite does not see that a query for one of the kinds is within it.
    let bulletin = "CREATE INDEX record_of_list ON record (kind, occurred_on, seq) \
                    WHERE kind = 'abnormal_entry' OR kind = 'serious_entry'";
    let pairs: &[&str] = if schema.sqlite {
        // Every sign that is not ASCII belongs to a word; the text is already cut into words, and nobody asks how many.
        &[
            "CREATE VIRTUAL TABLE searched_pairs USING fts5(pairs, content='searched', content_rowid='seq', tokenize='ascii', columnsize=0)",
            "INSERT INTO searched_pairs (searched_pairs) VALUES ('rebuild')",
            "CREATE TRIGGER searched_pairs_insert AFTER INSERT ON searched BEGIN \
             INSERT INTO searched_pairs (rowid, pairs) VALUES (NEW.seq, NEW.pairs); END",
            "CREATE TRIGGER searched_pairs_delete AFTER DELETE ON searched BEGIN \
             INSERT INTO searched_pairs (searched_pairs, rowid, pairs) VALUES ('delete', OLD.seq, OLD.pairs); END",
        ]
    } else {
        &["CREATE INDEX searched_pairs ON searched USING gin (array_to_tsvector(string_to_array(pairs, ' ')))"]
    };
    std::iter::once(bulletin).chain(pairs.iter().copied()).map(str::to_owned).collect()
}

/// Fills the other tables from what is there.
fn fillings(schema: &Schema) -> Vec<String> {
    let china = |moment: &str| {
        if schema.sqlite {
            format!("date({moment} / 1000000 + 28800, 'unixepoch')")
        } else {
            format!("to_char(to_timestamp({moment} / 1000000 + 28800) AT TIME ZONE 'UTC', 'YYYY-MM-DD')")
        }
    };
    vec![
        graded::enter("current_level AS c WHERE TRUE"),
        graded::differ("current_level AS r WHERE TRUE"),
        "INSERT INTO level_count (scope, town, level, enterprises) \
         SELECT scope, town, level, count(*) FROM graded GROUP BY scope, town, level"
            .to_owned(),
        "INSERT INTO level_change (run, scope, enterprise, before, after) \
         SELECT run, scope, enterprise, before, after FROM (SELECT run, scope, enterprise, level AS after, \
         lag(level) OVER (PARTITION BY enterprise, scope ORDER BY run) AS before FROM level) AS moves \
         WHERE before IS DISTINCT FROM after"
            .to_owned(),
        format!(
            "INSERT INTO day_head (day, seq, hash) SELECT last.day, last.seq, r.hash FROM \
             (SELECT day, max(seq) AS seq FROM (SELECT seq, {} AS day FROM \
             (SELECT seq, max(received_at) OVER (ORDER BY seq) AS received FROM record) AS moments) AS days \
             GROUP BY day) AS last JOIN record AS r ON r.seq = last.seq",
            china("received")
        ),
    ]
}

async fn fill_searched(connection: &impl ConnectionTrait) -> Result<(), DbErr> {
    let backend = connection.get_database_backend();
    let mut after = String::new();
    loop {
        let page = Statement::from_sql_and_values(
            backend,
            format!("SELECT code, name, seq FROM enterprise WHERE code > $1 ORDER BY code LIMIT {PAGE}"),
            [after.clone().into()],
        );
        let rows = connection.query_all_raw(page).await?;
        let mut insert = Query::insert().into_table("searched").columns(["seq", "code", "name", "pairs"]).to_owned();
        let mut named = false;
        for row in &rows {
            let (code, name, seq): (String, Option<String>, i64) =
                (row.try_get("", "code")?, row.try_get("", "name")?, row.try_get("", "seq")?);
            if let Some(name) = name {
                let Searchable { name, pairs } = Searchable::new(&name);
                named = true;
                insert
                    .values([seq.into(), code.clone().into(), name.into(), pairs.into()])
                    .map_err(|error| DbErr::Custom(error.to_string()))?;
            }
            after = code;
        }
        if named {
            connection.execute(&insert).await?;
        }
        if rows.is_empty() {
            return Ok(());
        }
    }
}
