//! Stored states of the schema: for each migration a small database as rows of text, so that whatever a
//! later version makes of the tables, a database of that time is at hand to be opened by it.
#![allow(clippy::unwrap_used, dead_code, reason = "the generator and the test each use their own part")]

use std::path::PathBuf;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

/// File of a state, in the folder that cargo says now: what was built may have been built by another clone.
pub fn file(migration: &str) -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the test and the generator");
    PathBuf::from(here).join(format!("tests/states/{migration}.jsonl"))
}

/// Tables of an SQLite database with their columns. What a virtual table keeps is made by triggers.
async fn tables(database: &DatabaseConnection) -> Vec<(String, Vec<String>)> {
    let sql = "SELECT s.name AS name, c.name AS col FROM sqlite_schema AS s JOIN pragma_table_list AS l \
               ON l.name = s.name AND l.schema = 'main' AND l.type = 'table' JOIN pragma_table_info(s.name) AS c \
               WHERE s.name NOT LIKE 'sqlite%' AND s.name NOT LIKE 'seaql%' ORDER BY s.rowid, c.cid";
    let mut tables: Vec<(String, Vec<String>)> = Vec::new();
    for row in database.query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.unwrap() {
        let (name, column): (String, String) = (row.try_get("", "name").unwrap(), row.try_get("", "col").unwrap());
        match tables.last_mut().filter(|(last, _)| *last == name) {
            Some((_, columns)) => columns.push(column),
            None => tables.push((name, vec![column])),
        }
    }
    tables
}

/// The rows of a full SQLite database, as far as the tables and columns of an empty one of an earlier
/// state could hold them: a line for each, `table {json}`, bytes as `\x…`.
pub async fn dump(full: &DatabaseConnection, empty: &DatabaseConnection) -> String {
    let mut text = String::new();
    for (table, columns) in tables(empty).await {
        let cells = columns.iter().map(|column| {
            format!(
                "'{column}', CASE typeof({column}) WHEN 'blob' THEN '\\x' || lower(hex({column})) ELSE {column} END"
            )
        });
        let cells = cells.collect::<Vec<_>>().join(", ");
        let sql = format!("SELECT json_object({cells}) AS line FROM {table} ORDER BY {}", columns[0]);
        for row in full.query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.unwrap() {
            let line: String = row.try_get("", "line").unwrap();
            text.push_str(&format!("{table} {line}\n"));
        }
    }
    text
}

/// Puts the rows into an empty database of that state.
pub async fn load(database: &DatabaseConnection, rows: &str) {
    let backend = database.get_database_backend();
    for line in rows.lines() {
        let (table, json) = line.split_once(' ').unwrap();
        let cells: serde_json::Map<String, serde_json::Value> = serde_json::from_str(json).unwrap();
        let columns = cells.keys().cloned().collect::<Vec<_>>();
        let values = columns.iter().map(|column| match backend {
            DbBackend::Sqlite => {
                let cell = format!("json_extract($1, '$.{column}')");
                format!("CASE WHEN {cell} LIKE '\\x%' THEN unhex(substr({cell}, 3)) ELSE {cell} END")
            }
            _ => format!("r.{column}"),
        });
        let values = values.collect::<Vec<_>>().join(", ");
        let from = if backend == DbBackend::Sqlite {
            String::new()
        } else {
            // With its schema: `record` alone is PostgreSQL's own word.
            format!(" FROM json_populate_record(NULL::public.{table}, $1::json) AS r")
        };
        let sql = format!("INSERT INTO {table} ({}) SELECT {values}{from}", columns.join(", "));
        database.execute_raw(Statement::from_sql_and_values(backend, sql, [json.into()])).await.unwrap();
    }
}
