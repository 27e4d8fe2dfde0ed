//! SQLite: one file, one writer.

use std::time::Duration;

use sea_orm::{EntityName, SqlxSqliteConnector, Value};
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Arguments, AssertSqlSafe, ConnectOptions, Sqlite, SqliteConnection, Transaction};

use super::{Batch, Connections, Present, Queue, Row};
use crate::entity::searched;
use crate::error::{Result, StoreError};

/// Rows of one statement. A few sizes and no others, so that every statement is prepared once.
const ROWS: [usize; 5] = [1_024, 256, 32, 4, 1];
/// The most rows of one statement: longer programs take SQLite longer for each row, and our widest table must stay below
/// its 32,766 places.
const MOST_ROWS: usize = 256;
/// The same where names are made searchable: each statement leaves a segment of the index, to be merged with others.
const MOST_SEARCHED_ROWS: usize = 1_024;
/// So many statements as long as may be go to SQLite's thread together: it need not wait for the next.
const MOST_TOGETHER: usize = 4;
/// How long a writer waits for those before it: of this process by the pool, of others by SQLite itself.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) async fn connect(path: &str) -> Result<Connections> {
    let options = SqliteConnectOptions::new()
        // Of a new file; one that is there keeps its own. An import writes every page of most trees, the fewer the better.
        .page_size(8_192)
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        // Bytes of the log that stay on the disk when it begins anew.
        .pragma("journal_size_limit", "268435456")
        .busy_timeout(PATIENCE)
        .row_buffer_size(1_000)
        .disable_statement_logging();
    let open = |error: sqlx::Error| StoreError::Open { place: path.to_owned(), reason: error.to_string() };
    // An import touches whole trees at random: a cache of 64 MiB. Checkpoints are made beside it, see `write_back`; only
    // when they cannot keep up, and the log has grown to 1 GiB, does it make its own.
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options.clone().pragma("cache_size", "-65536").pragma("wal_autocheckpoint", "131072"))
        .await
        .map_err(open)?;
    let readers = SqlitePoolOptions::new()
        .max_connections(4)
        .connect_with(options.pragma("query_only", "TRUE"))
        .await
        .map_err(open)?;
    Ok(Connections {
        writer: SqlxSqliteConnector::from_sqlx_sqlite_pool(writer),
        readers: SqlxSqliteConnector::from_sqlx_sqlite_pool(readers),
        place: path.to_owned(),
        queue: Queue::default(),
    })
}

pub(super) async fn begin(writer: &SqlitePool) -> Result<Transaction<'static, Sqlite>> {
    Ok(writer.begin_with("BEGIN IMMEDIATE").await?)
}

/// Carries what is committed from the log into the file, while the writer goes on.
pub(super) fn write_back(readers: &SqlitePool) {
    let readers = readers.clone();
    tokio::spawn(async move {
        // What this cannot do, because another does it or the disk is full, the next checkpoint does or says.
        if let Ok(mut connection) = readers.acquire().await {
            sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&mut *connection).await.ok();
        }
    });
}

/// Multi-row `INSERT`s. `OR FAIL`: whoever fails gives the whole transaction up, so SQLite need not
/// note how to undo the single statement, which would copy every page it touches.
pub(super) async fn put(connection: &mut SqliteConnection, mut statements: Statements) -> Result<()> {
    // What a statement was given is freed here when the next has run, and not on SQLite's thread, which has the most to do.
    let mut spent = SqliteArguments::default();
    let mut next = statements.next()?;
    while let Some((sql, arguments)) = next {
        let given = arguments.clone();
        // While SQLite's thread runs one statement, the next is made ready on this.
        let running = sqlx::query_with(AssertSqlSafe(sql), arguments).execute(&mut *connection);
        let (done, prepared) = tokio::join!(running, async { statements.next() });
        done?;
        drop(std::mem::replace(&mut spent, given));
        next = prepared?;
    }
    Ok(())
}

/// The statements that put a batch of rows.
pub(super) struct Statements {
    start: String,
    row: String,
    end: String,
    width: usize,
    most_rows: usize,
    cells: std::vec::IntoIter<Value>,
    first: Option<(String, SqliteArguments)>,
}

impl Statements {
    pub(super) fn new(batch: Batch, present: Present) -> Self {
        let width = batch.columns.len();
        Self {
            start: format!("INSERT OR FAIL INTO {} ({}) VALUES ", batch.table, batch.columns.join(", ")),
            row: format!("({})", vec!["?"; width].join(",")),
            end: batch.on_conflict(present),
            width,
            most_rows: if batch.table == searched::Entity.table_name() { MOST_SEARCHED_ROWS } else { MOST_ROWS },
            cells: batch.cells.into_iter(),
            first: None,
        }
    }

    /// With the first of them made ready, for a connection that still has other work.
    pub(super) fn ready(batch: Batch, present: Present) -> Result<Self> {
        let mut statements = Self::new(batch, present);
        statements.first = statements.next()?;
        Ok(statements)
    }

    fn next(&mut self) -> Result<Option<(String, SqliteArguments)>> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        let left = self.cells.len() / self.width;
        let Some(rows) = ROWS.into_iter().find(|rows| *rows <= self.most_rows.min(left)) else { return Ok(None) };
        let together = (left / rows).min(if rows == self.most_rows { MOST_TOGETHER } else { 1 });
        let mut arguments = SqliteArguments::default();
        arguments.reserve(together * rows * self.width, 0);
        for cell in self.cells.by_ref().take(together * rows * self.width) {
            bind(&mut arguments, cell)?;
        }
        let statement = format!("{}{}{}", self.start, vec![self.row.as_str(); rows].join(","), self.end);
        Ok(Some((vec![statement.as_str(); together].join(";"), arguments)))
    }
}

fn bind(arguments: &mut SqliteArguments, cell: Value) -> Result<()> {
    match cell {
        Value::Bool(flag) => arguments.add(flag),
        Value::SmallInt(number) => arguments.add(number),
        Value::BigInt(number) => arguments.add(number),
        Value::String(text) => arguments.add(text),
        Value::Bytes(bytes) => arguments.add(bytes),
        other => unreachable!("no table has a column for {other:?}"),
    }
    .map_err(|error| sqlx::Error::Encode(error).into())
}

pub(super) async fn look_up<R: Row>(
    connection: &mut SqliteConnection,
    sql: &str,
    numbers: &[i64],
    keys: &[String],
) -> Result<Vec<R>> {
    let (sql, arguments) = prepare(sql, numbers, keys)?;
    Ok(sqlx::query_as_with(sql, arguments).fetch_all(connection).await?)
}

pub(super) async fn execute(
    connection: &mut SqliteConnection,
    sql: &str,
    numbers: &[i64],
    keys: &[String],
) -> Result<()> {
    let (sql, arguments) = prepare(sql, numbers, keys)?;
    sqlx::query_with(sql, arguments).execute(connection).await?;
    Ok(())
}

/// The keys travel as one JSON array.
fn prepare(sql: &str, numbers: &[i64], keys: &[String]) -> Result<(AssertSqlSafe<String>, SqliteArguments)> {
    let mut arguments = SqliteArguments::default();
    for &number in numbers {
        bind(&mut arguments, Value::BigInt(Some(number)))?;
    }
    if !keys.is_empty() {
        let keys = serde_json::to_string(keys).expect("texts are JSON");
        bind(&mut arguments, Value::String(Some(keys)))?;
    }
    let set = format!("(SELECT value FROM json_each(${}))", numbers.len() + 1);
    let sql = sql.replace("{keys}", &set).replace("{bytes}", "unhex(k.value)");
    Ok((AssertSqlSafe(sql), arguments))
}
