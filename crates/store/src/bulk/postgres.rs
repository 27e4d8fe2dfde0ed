//! PostgreSQL: one advisory lock, one writer.

use std::time::Duration;

use sea_orm::{SqlxPostgresConnector, Value};
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Arguments, AssertSqlSafe, ConnectOptions, Connection, PgConnection, Postgres, Transaction};

use super::{Batch, Connections, Extent, Present, Queue, Row};
use crate::error::{Result, StoreError};

/// Waits for the lock that a writer holds until its transaction ends. The number names it among the
/// advisory locks of the database: "XINHENG" in ASCII.
pub(super) const TAKE_TURN: &str = "SELECT pg_advisory_xact_lock(24850398519316039)";
/// How long a writer waits for those before it.
const PATIENCE: Duration = Duration::from_secs(60);
/// A connection that was used so lately is not asked whether it is still there: the journey takes as long as a statement.
const LATELY: Duration = Duration::from_secs(1);

pub(super) async fn connect(url: &str) -> Result<Connections> {
    let options: PgConnectOptions = url.parse().map_err(|_| StoreError::Address(without_password(url)))?;
    let options = options
        .options([
            ("lock_timeout", "60s"),
            // Tables grow from nothing to millions of rows under one prepared statement.
            ("plan_cache_mode", "force_custom_plan"),
            // Some thousand keys are looked up one by one, as long as a table fits in memory or lies on
            // a solid-state disk; the planner's own measure would read it whole each time.
            ("random_page_cost", "1.1"),
            // Nothing here computes long enough to be worth a compilation.
            ("jit", "off"),
        ])
        .disable_statement_logging();
    let place = format!("{}/{}", options.get_host(), options.get_database().unwrap_or_default());
    let open = |error: sqlx::Error| StoreError::Open { place: place.clone(), reason: error.to_string() };
    // Once at first without a pool, which would go on trying for the whole of its patience.
    PgConnection::connect_with(&options).await.map_err(open)?.close().await?;
    // All joins of the writer are look-ups of keys.
    let writing = options.clone().options([("enable_hashjoin", "off"), ("enable_mergejoin", "off")]);
    let pool = |connections, options| {
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(PATIENCE)
            .test_before_acquire(false)
            .before_acquire(|connection, used| {
                Box::pin(async move { Ok(used.idle_for < LATELY || connection.ping().await.is_ok()) })
            });
        SqlxPostgresConnector::from_sqlx_postgres_pool(pool.connect_lazy_with(options))
    };
    Ok(Connections { writer: pool(1, writing), readers: pool(4, options), place, queue: Queue::default() })
}

/// An address that cannot be parsed is shown as far as that is safe.
fn without_password(url: &str) -> String {
    match (url.split_once("//"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}//…@{rest}"),
        _ => url.to_owned(),
    }
}

pub(super) async fn begin(writer: &PgPool, extent: Extent) -> Result<Transaction<'static, Postgres>> {
    // What is planned once may turn out to be slow in a table that has grown since: of a few rows that is bearable, and to
    // plan them each time takes longer than all else.
    let planned_once = match extent {
        Extent::Few => "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off; ",
        Extent::Many => "",
    };
    // Read committed: what is read after the lock has come is what the writer before has left.
    let begin = format!("BEGIN ISOLATION LEVEL READ COMMITTED; {planned_once}{TAKE_TURN}");
    match writer.begin_with(AssertSqlSafe(begin.clone())).await {
        // Nothing was done yet over the connection that is gone, and the writer has no other: the next is a new one.
        Err(error) if is_cut(&error) => Ok(writer.begin_with(AssertSqlSafe(begin)).await?),
        begun => Ok(begun?),
    }
}

/// Whether the server, or whoever is between, has cut the connection.
fn is_cut(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        // The server says so before it goes: admin_shutdown and those beside it.
        sqlx::Error::Database(said) => said.code().is_some_and(|code| code.starts_with("57P0")),
        _ => false,
    }
}

/// Has the planner learn how large the tables have become, while the writer goes on: plans that were made before are made
/// anew.
pub(super) fn take_stock(readers: &PgPool) {
    let readers = readers.clone();
    tokio::spawn(async move {
        // What this cannot do, the server does by itself some time.
        if let Ok(mut connection) = readers.acquire().await {
            sqlx::query("ANALYZE").execute(&mut *connection).await.ok();
        }
    });
}

/// `COPY` in the binary format: a signature, rows of counted cells, an end mark.
pub(super) struct Copy {
    statement: String,
    data: Vec<u8>,
}

impl Copy {
    pub(super) fn ready(batch: Batch) -> Self {
        let width = batch.columns.len();
        let mut data = Vec::with_capacity(batch.cells.len() * 24);
        data.extend_from_slice(b"PGCOPY\n\xff\r\n\0");
        data.extend_from_slice(&[0; 8]);
        for row in batch.cells.chunks_exact(width) {
            data.extend_from_slice(&i16::try_from(width).expect("tables are narrow").to_be_bytes());
            for value in row {
                match value {
                    Value::Bool(flag) => cell(&mut data, flag.map(|flag| [u8::from(flag)])),
                    Value::SmallInt(number) => cell(&mut data, number.map(i16::to_be_bytes)),
                    Value::BigInt(number) => cell(&mut data, number.map(i64::to_be_bytes)),
                    Value::String(text) => cell(&mut data, text.as_ref()),
                    Value::Bytes(bytes) => cell(&mut data, bytes.as_ref()),
                    other => unreachable!("no table has a column for {other:?}"),
                }
            }
        }
        data.extend_from_slice(&(-1_i16).to_be_bytes());
        let columns = batch.columns.join(", ");
        Self { statement: format!("COPY {} ({columns}) FROM STDIN (FORMAT binary)", batch.table), data }
    }
}

pub(super) async fn copy(connection: &mut PgConnection, Copy { statement, data }: Copy) -> Result<()> {
    let mut copy = connection.copy_in_raw(&statement).await?;
    copy.send(data).await?;
    copy.finish().await?;
    Ok(())
}

fn cell(data: &mut Vec<u8>, cell: Option<impl AsRef<[u8]>>) {
    match cell {
        None => data.extend_from_slice(&(-1_i32).to_be_bytes()),
        Some(cell) => {
            let bytes = cell.as_ref();
            let length = i32::try_from(bytes.len()).expect("a cell is far shorter than 2 GiB");
            data.extend_from_slice(&length.to_be_bytes());
            data.extend_from_slice(bytes);
        }
    }
}

/// One statement for rows of several tables: `COPY` cannot change what is there, and is slow to begin.
pub(super) async fn put(connection: &mut PgConnection, batches: Vec<(Batch, Present)>) -> Result<()> {
    let mut arguments = PgArguments::default();
    let mut inserts = Vec::with_capacity(batches.len());
    for (batch, present) in batches {
        inserts.push(insert(batch, present, &mut arguments)?);
    }
    let Some(last) = inserts.pop() else { return Ok(()) };
    let others: Vec<String> =
        inserts.iter().enumerate().map(|(place, insert)| format!("put{place} AS ({insert})")).collect();
    let with = if others.is_empty() { String::new() } else { format!("WITH {} ", others.join(", ")) };
    sqlx::query_with(AssertSqlSafe(with + &last), arguments).execute(connection).await?;
    Ok(())
}

/// So many rows are spelt out, each its own statement to be prepared; more come as arrays, which take PostgreSQL longer to
/// begin with.
const SPELT_OUT: usize = 4;

/// `INSERT … ON CONFLICT`, the rows spelt out or from an array per column.
fn insert(batch: Batch, present: Present, arguments: &mut PgArguments) -> Result<String> {
    let (end, columns) = (batch.on_conflict(present), batch.columns.join(", "));
    let (table, width) = (batch.table, batch.columns.len());
    if batch.rows() > SPELT_OUT {
        return Ok(format!("INSERT INTO {table} ({columns}) SELECT * FROM {}{end}", unnested(batch, arguments)?));
    }
    let mut places = Vec::with_capacity(batch.cells.len());
    for cell in batch.cells {
        match cell {
            Value::Bool(flag) => arguments.add(flag),
            Value::SmallInt(number) => arguments.add(number),
            Value::BigInt(number) => arguments.add(number),
            Value::String(text) => arguments.add(text),
            Value::Bytes(bytes) => arguments.add(bytes),
            other => unreachable!("no table has a column for {other:?}"),
        }
        .map_err(sqlx::Error::Encode)?;
        places.push(format!("${}", arguments.len()));
    }
    let rows: Vec<String> = places.chunks_exact(width).map(|row| format!("({})", row.join(", "))).collect();
    Ok(format!("INSERT INTO {table} ({columns}) VALUES {}{end}", rows.join(", ")))
}

/// Rows from an array per column.
fn unnested(batch: Batch, arguments: &mut PgArguments) -> Result<String> {
    let width = batch.columns.len();
    let mut columns = vec![Vec::with_capacity(batch.cells.len() / width); width];
    for (place, cell) in batch.cells.into_iter().enumerate() {
        columns[place % width].push(cell);
    }
    let mut arrays = Vec::with_capacity(width);
    for column in columns {
        macro_rules! array {
            ($variant:ident, $sql_type:literal) => {{
                let cells = column.into_iter().map(|cell| match cell {
                    Value::$variant(value) => value,
                    other => unreachable!("{other:?} in a column of {}", $sql_type),
                });
                arguments.add(cells.collect::<Vec<_>>()).map_err(sqlx::Error::Encode)?;
                arrays.push(format!("${}::{}[]", arguments.len(), $sql_type));
            }};
        }
        match &column[0] {
            Value::Bool(_) => array!(Bool, "boolean"),
            Value::SmallInt(_) => array!(SmallInt, "smallint"),
            Value::BigInt(_) => array!(BigInt, "bigint"),
            Value::String(_) => array!(String, "text"),
            Value::Bytes(_) => array!(Bytes, "bytea"),
            other => unreachable!("no table has a column for {other:?}"),
        }
    }
    Ok(format!("unnest({})", arrays.join(", ")))
}

pub(super) async fn look_up<R: Row>(
    connection: &mut PgConnection,
    sql: &str,
    numbers: &[i64],
    keys: &[String],
) -> Result<Vec<R>> {
    let (sql, arguments) = prepare(sql, numbers, keys)?;
    Ok(sqlx::query_as_with(sql, arguments).fetch_all(connection).await?)
}

pub(super) async fn execute(connection: &mut PgConnection, sql: &str, numbers: &[i64], keys: &[String]) -> Result<()> {
    let (sql, arguments) = prepare(sql, numbers, keys)?;
    sqlx::query_with(sql, arguments).execute(connection).await?;
    Ok(())
}

/// The keys travel as one array.
fn prepare(sql: &str, numbers: &[i64], keys: &[String]) -> Result<(AssertSqlSafe<String>, PgArguments)> {
    let mut arguments = PgArguments::default();
    for number in numbers {
        arguments.add(number).map_err(sqlx::Error::Encode)?;
    }
    if !keys.is_empty() {
        arguments.add(keys).map_err(sqlx::Error::Encode)?;
    }
    let set = format!("(SELECT value FROM unnest(${}::text[]) AS given(value))", numbers.len() + 1);
    let sql = sql.replace("{keys}", &set).replace("{bytes}", "decode(k.value, 'hex')");
    Ok((AssertSqlSafe(sql), arguments))
}
