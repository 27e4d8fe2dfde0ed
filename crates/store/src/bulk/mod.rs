//! The fast paths, and the only place where the two databases differ at work: many rows in by one
//! statement, and look-ups of many keys at once.

mod postgres;
mod sqlite;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, EntityName, EntityTrait,
    IdenStatic, IntoActiveModel, IsolationLevel, Iterable, PrimaryKeyToColumn, SqliteTransactionMode,
    TransactionOptions, TransactionTrait, Value,
};
use sqlx::FromRow;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use tokio::task::JoinHandle;

use self::postgres::Copy;
use self::sqlite::Statements;
use crate::error::{Result, StoreError};

/// A row that both databases' drivers can read, such as a tuple of columns.
pub(crate) trait Row: Send + Unpin + for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> {}

impl<R: Send + Unpin + for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow>> Row for R {}

/// One connection that writes, and some that read.
pub(crate) struct Connections {
    pub(crate) writer: DatabaseConnection,
    pub(crate) readers: DatabaseConnection,
    /// File, or host and database: for messages, never with a password.
    pub(crate) place: String,
    queue: Queue,
}

/// Those of this process who wait for their turn to write.
#[derive(Clone, Default)]
struct Queue(Arc<AtomicUsize>);

/// One of them, until the turn has come or is given up.
struct Waiting<'a>(&'a Queue);

impl Queue {
    fn join(&self) -> Waiting<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Waiting(self)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Connections {
    pub(crate) async fn open(url: &str) -> Result<Self> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            sqlite::connect(path.strip_prefix("//").unwrap_or(path)).await
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            postgres::connect(url).await
        } else {
            Err(StoreError::Address(url.to_owned()))
        }
    }
}

impl Connections {
    /// A transaction for ordinary statements that writes, in its turn with [`Transaction`].
    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction> {
        let sqlite = self.writer.get_database_backend() == DbBackend::Sqlite;
        let options = TransactionOptions {
            sqlite_transaction_mode: sqlite.then_some(SqliteTransactionMode::Immediate),
            isolation_level: (!sqlite).then_some(IsolationLevel::ReadCommitted),
            ..Default::default()
        };
        let _waiting = self.queue.join();
        let transaction = self.writer.begin_with_options(options).await?;
        if !sqlite {
            transaction.execute_unprepared(postgres::TAKE_TURN).await?;
        }
        Ok(transaction)
    }
}

/// So many rows wait until something else is asked, to be put in with those of other tables: each statement is a journey to
/// the database. PostgreSQL is given more of them as a copy, which takes longer to begin than to insert a few.
const FEW: usize = 64;

/// Few rows each, of different tables, and what to do with them.
type Few = Vec<(Batch, Present)>;

/// The transaction that writes. There is one at a time for a database, whoever opens it.
pub(crate) struct Transaction {
    held: Held,
    /// Of the two databases.
    sqlite: bool,
    queue: Queue,
    /// What waits to be put in together.
    few: Few,
    /// Whether every change so far was made in whole. A statement that failed, or was given up while
    /// it ran, leaves a transaction that must not be committed.
    whole: bool,
}

/// How much a transaction is going to write.
#[derive(Clone, Copy)]
pub(crate) enum Extent {
    /// What a person does.
    Few,
    /// A file, or the levels of many.
    Many,
}

/// Where the connection is.
enum Held {
    Here(Connection),
    /// With work that was put off, and comes back from it, perhaps with few rows that wait.
    Away(JoinHandle<Result<(Connection, Few)>>),
    /// It did not come back.
    Lost,
}

enum Connection {
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

impl Transaction {
    /// Waits for its turn and begins.
    pub(crate) async fn begin(connections: &Connections, extent: Extent) -> Result<Self> {
        let Connections { writer, queue, .. } = connections;
        let _waiting = queue.join();
        let sqlite = writer.get_database_backend() == DbBackend::Sqlite;
        let connection = match sqlite {
            true => Connection::Sqlite(sqlite::begin(writer.get_sqlite_connection_pool()).await?),
            false => Connection::Postgres(postgres::begin(writer.get_postgres_connection_pool(), extent).await?),
        };
        Ok(Self { held: Held::Here(connection), sqlite, queue: queue.clone(), few: Vec::new(), whole: true })
    }

    /// Has work done by a task of its own; meanwhile the caller makes the next ready. What the work asks of its transaction
    /// waits for all that was put off before, and what it makes ready first it makes ready while others are at work.
    /// Whatever else is asked of the transaction waits for it, and fails when it has.
    pub(crate) fn later<W, F>(&mut self, work: W)
    where
        W: FnOnce(Self) -> F + Send + 'static,
        F: Future<Output = Result<Self>> + Send,
    {
        let held = std::mem::replace(&mut self.held, Held::Lost);
        let lent = Self { held, few: std::mem::take(&mut self.few), whole: true, queue: self.queue.clone(), ..*self };
        self.held = Held::Away(tokio::spawn(async move {
            let mut back = work(lent).await?;
            // What the work itself has put off.
            back.here().await?;
            match back {
                Self { held: Held::Here(connection), whole: true, few, .. } => Ok((connection, few)),
                _ => Err(StoreError::Broken),
            }
        }));
    }

    /// The connection, once everything that was put off is done.
    async fn here(&mut self) -> Result<&mut Connection> {
        if let Held::Away(work) = &mut self.held {
            let back = work.await.map_err(|_| StoreError::Broken).flatten();
            self.held = match back {
                Ok((connection, few)) => {
                    self.few = few;
                    Held::Here(connection)
                }
                Err(error) => {
                    self.held = Held::Lost;
                    self.whole = false;
                    return Err(error);
                }
            };
        }
        match &mut self.held {
            Held::Here(connection) => Ok(connection),
            _ => Err(StoreError::Broken),
        }
    }

    /// The connection, once the database has everything.
    async fn caught_up(&mut self) -> Result<&mut Connection> {
        self.here().await?;
        if !self.few.is_empty() {
            let few = std::mem::take(&mut self.few);
            let so_far = self.leave_whole();
            match self.here().await? {
                Connection::Sqlite(connection) => {
                    for (batch, present) in few {
                        sqlite::put(connection, Statements::new(batch, present)).await?;
                    }
                }
                Connection::Postgres(connection) => postgres::put(connection, few).await?,
            }
            self.whole_again(so_far);
        }
        self.here().await
    }

    /// Waits until the database has everything.
    pub(crate) async fn catch_up(&mut self) -> Result<()> {
        self.caught_up().await.map(|_| ())
    }

    /// Waits for everything that was put off, but for few rows.
    pub(crate) async fn come_back(&mut self) -> Result<()> {
        self.here().await.map(|_| ())
    }

    /// After a commit of very many rows: brings the database file up to date, or what the planner knows of the tables,
    /// beside whoever writes next.
    pub(crate) fn write_back(readers: &DatabaseConnection) {
        match readers.get_database_backend() {
            DbBackend::Sqlite => sqlite::write_back(readers.get_sqlite_connection_pool()),
            _ => postgres::take_stock(readers.get_postgres_connection_pool()),
        }
    }

    /// Whether someone of this process waits for it to end.
    pub(crate) fn is_awaited(&self) -> bool {
        self.queue.0.load(Ordering::Relaxed) > 0
    }

    /// Makes sure that nothing of it is ever committed.
    pub(crate) fn give_up(&mut self) {
        self.whole = false;
    }

    pub(crate) async fn commit(mut self) -> Result<()> {
        self.caught_up().await?;
        match self.held {
            Held::Here(connection) if self.whole => match connection {
                Connection::Sqlite(transaction) => transaction.commit().await?,
                Connection::Postgres(transaction) => transaction.commit().await?,
            },
            _ => return Err(StoreError::Broken),
        }
        Ok(())
    }

    /// Puts new rows into a table; fails when a key is there already.
    pub(crate) async fn insert<A: ActiveModelTrait>(&mut self, rows: Vec<impl IntoActiveModel<A>>) -> Result<()> {
        self.put(Batch::of(rows), Present::Refuse).await
    }

    /// As [`Self::insert`], of rows that were made ready elsewhere.
    pub(crate) async fn insert_batch(&mut self, batch: Batch) -> Result<()> {
        self.put(batch, Present::Refuse).await
    }

    /// Begins a change of several statements: until [`Self::whole_again`] nothing can be committed.
    pub(crate) fn leave_whole(&mut self) -> bool {
        std::mem::replace(&mut self.whole, false)
    }

    /// Ends it, with what [`Self::leave_whole`] gave.
    pub(crate) fn whole_again(&mut self, so_far: bool) {
        self.whole = so_far;
    }

    /// Puts rows into a table in place of those with the same keys.
    pub(crate) async fn replace<A: ActiveModelTrait>(&mut self, rows: Vec<impl IntoActiveModel<A>>) -> Result<()> {
        self.put(Batch::of(rows), Present::Replace).await
    }

    /// As [`Self::replace`], of rows that were made ready elsewhere.
    pub(crate) async fn replace_batch(&mut self, batch: Batch) -> Result<()> {
        self.put(batch, Present::Replace).await
    }

    /// Puts rows into a table; where one with the same key is, their other columns are added to its.
    pub(crate) async fn add<A: ActiveModelTrait>(&mut self, rows: Vec<impl IntoActiveModel<A>>) -> Result<()> {
        self.put(Batch::of(rows), Present::Add).await
    }

    async fn put(&mut self, batch: Batch, present: Present) -> Result<()> {
        if batch.cells.is_empty() {
            return Ok(());
        }
        if batch.rows() > FEW {
            self.put_many(batch, present);
            return Ok(());
        }
        self.here().await?;
        match self.few.iter_mut().find(|(waiting, _)| waiting.table == batch.table) {
            Some((waiting, Present::Refuse)) if present == Present::Refuse && waiting.rows() + batch.rows() <= FEW => {
                waiting.cells.extend(batch.cells);
                return Ok(());
            }
            // One statement must not change a row twice.
            Some(_) => drop(self.caught_up().await?),
            None => {}
        }
        self.few.push((batch, present));
        Ok(())
    }

    /// While the database takes them the caller makes the next ready.
    fn put_many(&mut self, batch: Batch, present: Present) {
        let sqlite = self.sqlite;
        self.later(move |mut transaction| async move {
            let ready = match (sqlite, present) {
                (true, _) => Ready::Statements(Statements::ready(batch, present)?),
                (false, Present::Refuse) => Ready::Copy(Copy::ready(batch)),
                (false, _) => Ready::Rows(batch),
            };
            match (transaction.caught_up().await?, ready) {
                (Connection::Sqlite(connection), Ready::Statements(ready)) => sqlite::put(connection, ready).await?,
                (Connection::Postgres(connection), Ready::Copy(ready)) => postgres::copy(connection, ready).await?,
                (Connection::Postgres(connection), Ready::Rows(batch)) => {
                    postgres::put(connection, vec![(batch, present)]).await?;
                }
                _ => unreachable!("made ready for the database that it is"),
            }
            Ok(transaction)
        });
    }

    /// Changes by numbers and a set of keys, as [`Self::look_up`] reads.
    pub(crate) async fn execute(&mut self, sql: &str, numbers: &[i64], keys: &[String]) -> Result<()> {
        if nothing_asked(sql, keys) {
            return Ok(());
        }
        let so_far = self.leave_whole();
        match self.caught_up().await? {
            Connection::Sqlite(connection) => sqlite::execute(connection, sql, numbers, keys).await?,
            Connection::Postgres(connection) => postgres::execute(connection, sql, numbers, keys).await?,
        }
        self.whole_again(so_far);
        Ok(())
    }

    /// Reads with numbers, `$1`, `$2` …, and a set of keys: in the statement `{keys}` stands for a table
    /// with the column `value`, and `{bytes}` for `k.value` read as hex. No keys, no rows.
    ///
    /// `CROSS JOIN` makes the keys the outer loop on SQLite; PostgreSQL plans for itself.
    pub(crate) async fn look_up<R: Row>(&mut self, sql: &str, numbers: &[i64], keys: &[String]) -> Result<Vec<R>> {
        if nothing_asked(sql, keys) {
            return Ok(Vec::new());
        }
        self.here().await?;
        // Whatever reads a table spells its name.
        if self.few.iter().any(|(waiting, _)| sql.contains(waiting.table)) {
            self.caught_up().await?;
        }
        self.look_up_stored(sql, numbers, keys).await
    }

    /// As [`Self::look_up`], without the few rows that still wait for the database: for who knows them.
    pub(crate) async fn look_up_stored<R: Row>(
        &mut self,
        sql: &str,
        numbers: &[i64],
        keys: &[String],
    ) -> Result<Vec<R>> {
        match self.here().await? {
            Connection::Sqlite(connection) => sqlite::look_up(connection, sql, numbers, keys).await,
            Connection::Postgres(connection) => postgres::look_up(connection, sql, numbers, keys).await,
        }
    }
}

/// Where look-ups read.
pub(crate) enum Reading<'a> {
    /// What is committed.
    Committed(&'a DatabaseConnection),
    /// What the writing transaction sees.
    Within(&'a mut Transaction),
}

impl Reading<'_> {
    /// As [`Transaction::look_up`].
    pub(crate) async fn look_up<R: Row>(&mut self, sql: &str, numbers: &[i64], keys: &[String]) -> Result<Vec<R>> {
        let readers = match self {
            Self::Within(transaction) => return transaction.look_up(sql, numbers, keys).await,
            Self::Committed(_) if nothing_asked(sql, keys) => return Ok(Vec::new()),
            Self::Committed(readers) => *readers,
        };
        match readers.get_database_backend() {
            DbBackend::Sqlite => {
                let mut connection = readers.get_sqlite_connection_pool().acquire().await?;
                sqlite::look_up(&mut connection, sql, numbers, keys).await
            }
            _ => {
                let mut connection = readers.get_postgres_connection_pool().acquire().await?;
                postgres::look_up(&mut connection, sql, numbers, keys).await
            }
        }
    }
}

fn nothing_asked(sql: &str, keys: &[String]) -> bool {
    keys.is_empty() && sql.contains("{keys}")
}

/// What to do with a row whose key is there already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Present {
    Refuse,
    Replace,
    Add,
}

/// Rows as a database is given them.
enum Ready {
    Statements(Statements),
    Copy(Copy),
    Rows(Batch),
}

/// Rows of one table, cell after cell.
pub(crate) struct Batch {
    table: &'static str,
    columns: Vec<&'static str>,
    key: Vec<&'static str>,
    cells: Vec<Value>,
}

impl Batch {
    pub(crate) fn of<A, M>(rows: Vec<M>) -> Self
    where
        A: ActiveModelTrait,
        M: IntoActiveModel<A>,
    {
        let columns = || <A::Entity as EntityTrait>::Column::iter();
        let mut cells = Vec::with_capacity(rows.len() * columns().count());
        for row in rows {
            let mut row = row.into_active_model();
            cells.extend(columns().map(|column| row.take(column).into_value().expect("a model has all its columns")));
        }
        Self {
            table: A::Entity::default().table_name(),
            columns: columns().map(|column| column.as_str()).collect(),
            key: <A::Entity as EntityTrait>::PrimaryKey::iter().map(|key| key.into_column().as_str()).collect(),
            cells,
        }
    }

    fn rows(&self) -> usize {
        self.cells.len() / self.columns.len()
    }

    /// The end of a statement that changes what is there.
    fn on_conflict(&self, present: Present) -> String {
        let table = self.table;
        let change = |column: &&str| match present {
            Present::Add => format!("{column} = {table}.{column} + excluded.{column}"),
            _ => format!("{column} = excluded.{column}"),
        };
        if present == Present::Refuse {
            return String::new();
        }
        let replaced: Vec<String> =
            self.columns.iter().filter(|column| !self.key.contains(column)).map(change).collect();
        format!(" ON CONFLICT ({}) DO UPDATE SET {}", self.key.join(", "), replaced.join(", "))
    }
}
