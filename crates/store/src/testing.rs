//! For tests of this and other crates: a fresh database of each kind, and randomness that repeats.

use std::str::FromStr;
use std::sync::{Arc, Mutex};

use sea_orm::{
    ColumnTrait, ConnectionTrait, Database, DatabaseConnection, DbBackend, EntityTrait, QueryFilter, Statement,
    TransactionTrait,
};
use sea_orm_migration::MigratorTrait;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;
use xinheng_core::credit_code::CreditCode;
use xinheng_core::ledger::Hash;
use xinheng_core::record::RecordId;

use crate::entity::{
    current_level, current_record, day_head, deadline, deadline_event, differing, draw, enterprise, graded,
    late_submission, level_change, level_count, matched, matter, matter_step, matter_target, past_level, plan,
    searched, visit, waiting,
};
use crate::error::Result;
use crate::keys::Keys;
use crate::migration::Migrator;
use crate::seal::{Randomness, SaltSource};
use crate::store::{NewSubmission, Store, Submission};

/// Records whose projections are written together, part by part.
pub const WRITTEN_TOGETHER: usize = crate::pending::TOGETHER;

/// Environment variable with the address of a PostgreSQL server on which tests may create databases.
pub const SERVER: &str = "XINHENG_TEST_POSTGRES";

/// An empty database, for one test alone.
pub struct TestDatabase {
    /// `SQLite` or `PostgreSQL`.
    pub name: &'static str,
    /// What [`Store::open`] takes.
    pub url: String,
    folder: Option<TempDir>,
}

impl TestDatabase {
    /// Opens it with the test keys.
    ///
    /// # Panics
    /// When it cannot be opened.
    pub async fn open(&self) -> Store {
        Store::open(&self.url, keys()).await.expect("a fresh database opens")
    }

    /// An address under which a driver by itself makes the database when there is none.
    #[must_use]
    pub fn new_url(&self) -> String {
        if self.folder.is_some() { format!("{}?mode=rwc", self.url) } else { self.url.clone() }
    }

    /// The database's file and what lies beside it, for SQLite.
    #[must_use]
    pub fn folder(&self) -> Option<&std::path::Path> {
        self.folder.as_ref().map(TempDir::path)
    }
}

/// A fresh SQLite file and a fresh PostgreSQL database.
///
/// # Panics
/// When there is no PostgreSQL server to be had: a test that is skipped proves nothing.
pub async fn databases() -> [TestDatabase; 2] {
    let server = std::env::var(SERVER)
        .unwrap_or_else(|_| panic!("no PostgreSQL server in {SERVER}: run the tests with `cargo xtask test`"));
    [sqlite(), postgres(&server).await]
}

fn sqlite() -> TestDatabase {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    TestDatabase {
        name: "SQLite",
        url: format!("sqlite:{}", folder.path().join("xinheng.db").display()),
        folder: Some(folder),
    }
}

async fn postgres(server: &str) -> TestDatabase {
    let options = PgConnectOptions::from_str(server).expect("the address of the test server is one of PostgreSQL");
    let name = format!("test_{}", hex::encode(crate::keys::random::<8>().expect("the system has randomness")));
    let administrator = Database::connect(server).await.expect("the test server answers");
    administrator.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("tests may create databases");
    administrator.close().await.expect("the connection closes");
    TestDatabase { name: "PostgreSQL", url: options.database(&name).to_url_lossy().to_string(), folder: None }
}

/// The statements that readers were asked.
#[derive(Clone, Default)]
pub(crate) struct Asked(Arc<Mutex<Vec<Statement>>>);

impl Asked {
    pub(crate) fn listen(readers: &mut DatabaseConnection) -> Self {
        let asked = Self::default();
        let heard = asked.clone();
        readers.set_metric_callback(move |info| {
            heard.0.lock().expect("no listener panics").push(info.statement.clone());
        });
        asked
    }
}

impl Store {
    /// What somebody does who gets at the database past the system.
    ///
    /// # Errors
    /// What the database answers.
    pub async fn tamper(&self, sql: &str) -> Result<()> {
        self.connections.writer.execute_unprepared(sql).await?;
        Ok(())
    }

    /// Opens a submission in a transaction of its own.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_submission(&self, new: NewSubmission) -> Result<Submission> {
        let mut writing = self.begin().await?;
        let submission = writing.open_submission(&new).await?;
        writing.commit().await?;
        Ok(submission)
    }

    /// Finishes it in a transaction of its own.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish_submission(&self, number: i64, counts: &serde_json::Value) -> Result<()> {
        let mut writing = self.begin().await?;
        writing.finish_submission(number, counts).await?;
        writing.commit().await
    }

    /// What any system at least has to do: a row is inserted and another read by its index, in one transaction. The first is
    /// number 0.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bare_record(&self, enterprise: &CreditCode, number: i64, payload: &str) -> Result<()> {
        let writer = &self.connections.writer;
        if number == 0 {
            writer
                .execute_unprepared(
                    "CREATE TABLE IF NOT EXISTS bare (number BIGINT PRIMARY KEY, enterprise TEXT, payload TEXT)",
                )
                .await?;
        }
        let backend = writer.get_database_backend();
        let transaction = writer.begin().await?;
        let values = [number.into(), enterprise.to_string().into(), payload.into()];
        let insert = Statement::from_sql_and_values(backend, "INSERT INTO bare VALUES ($1, $2, $3)", values);
        transaction.execute_raw(insert).await?;
        let levels = current_level::Entity::find().filter(current_level::Column::Enterprise.eq(enterprise.to_string()));
        levels.all(&transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// From now on the database takes no line of the audit log.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn break_audit(&self) -> Result<()> {
        self.tamper(match self.connections.writer.get_database_backend() {
            DbBackend::Sqlite => {
                "CREATE TRIGGER broken BEFORE INSERT ON audit BEGIN SELECT RAISE(FAIL, 'no space left'); END"
            }
            _ => {
                "CREATE TRIGGER broken BEFORE INSERT ON audit FOR EACH STATEMENT \
                 EXECUTE FUNCTION refuse_change('no space left')"
            }
        })
        .await
    }

    /// From now on the database no longer refuses to change the audit log.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unguard_audit(&self) -> Result<()> {
        let sqlite = self.connections.writer.get_database_backend() == DbBackend::Sqlite;
        let guards: &[&str] = if sqlite {
            &["audit_refuse_update", "audit_refuse_delete", "audit_refuse_insert"]
        } else {
            &["refuse_change ON audit"]
        };
        for guard in guards {
            self.tamper(&format!("DROP TRIGGER {guard}")).await?;
        }
        Ok(())
    }

    /// The statements that were read with since the last call: how many a page needs, and which.
    ///
    /// # Panics
    /// When a thread that read has panicked.
    #[allow(clippy::must_use_candidate, reason = "also called to begin counting anew")]
    pub fn take_statements(&self) -> Vec<Statement> {
        std::mem::take(&mut *self.asked.0.lock().expect("no listener panics"))
    }

    /// The plan of a statement, a step a line, as the database means to carry it out. PostgreSQL is told
    /// to scan a table only when there is no other way, as if it were great.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn query_plan(&self, statement: &Statement) -> Result<String> {
        let reader = self.connections.readers.begin().await?;
        let sqlite = reader.get_database_backend() == sea_orm::DbBackend::Sqlite;
        let explain = if sqlite {
            "EXPLAIN QUERY PLAN "
        } else {
            reader.execute_unprepared("SET LOCAL enable_seqscan = off").await?;
            "EXPLAIN "
        };
        let mut asked = statement.clone();
        asked.sql.insert_str(0, explain);
        let rows = reader.query_all_raw(asked).await?;
        let column = if sqlite { "detail" } else { "QUERY PLAN" };
        let lines = rows.iter().map(|row| row.try_get::<String>("", column));
        Ok(lines.collect::<std::result::Result<Vec<_>, _>>()?.join("\n"))
    }

    /// Carries a statement out again and returns how many rows it gives: what a page's own queries cost.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn run_again(&self, statement: &Statement) -> Result<usize> {
        Ok(self.connections.readers.query_all_raw(statement.clone()).await?.len())
    }

    /// Looks for a part of a name in every row: what the index saves.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn scan_names(&self, part: &str) -> Result<i64> {
        let mut sql = crate::statement::Sql::new("SELECT count(*) FROM enterprise WHERE name LIKE ");
        sql.bind(format!("%{part}%")).number(&self.connections.readers).await
    }

    /// Every row of every projection as text, sorted: equal texts are equal projections.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dump_projections(&self) -> Result<String> {
        let mut lines = Vec::new();
        self.dump::<current_record::Entity>(&mut lines).await?;
        self.dump::<enterprise::Entity>(&mut lines).await?;
        self.dump::<waiting::Entity>(&mut lines).await?;
        self.dump::<matched::Entity>(&mut lines).await?;
        self.dump::<past_level::Entity>(&mut lines).await?;
        self.dump::<current_level::Entity>(&mut lines).await?;
        self.dump::<searched::Entity>(&mut lines).await?;
        self.dump::<graded::Entity>(&mut lines).await?;
        self.dump::<level_count::Entity>(&mut lines).await?;
        self.dump::<differing::Entity>(&mut lines).await?;
        self.dump::<level_change::Entity>(&mut lines).await?;
        self.dump::<day_head::Entity>(&mut lines).await?;
        self.dump::<deadline::Entity>(&mut lines).await?;
        self.dump::<deadline_event::Entity>(&mut lines).await?;
        self.dump::<late_submission::Entity>(&mut lines).await?;
        self.dump::<matter::Entity>(&mut lines).await?;
        self.dump::<matter_step::Entity>(&mut lines).await?;
        self.dump::<matter_target::Entity>(&mut lines).await?;
        self.dump::<plan::Entity>(&mut lines).await?;
        self.dump::<draw::Entity>(&mut lines).await?;
        self.dump::<visit::Entity>(&mut lines).await?;
        lines.sort_unstable();
        Ok(lines.join("\n"))
    }

    async fn dump<E: EntityTrait>(&self, lines: &mut Vec<String>) -> Result<()> {
        let table = sea_orm::EntityName::table_name(&E::default());
        let rows = E::find().all(&self.connections.readers).await?;
        lines.extend(rows.iter().map(|row| format!("{table} {row:?}")));
        Ok(())
    }
}

/// The names of all migrations, in order: after each of them the schema is in a state of its own.
#[must_use]
pub fn migrations() -> Vec<String> {
    Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect()
}

/// Brings an empty database to the state after so many migrations, with no rows in it.
///
/// # Errors
/// When the database fails.
pub async fn bring_to_state(database: &DatabaseConnection, migrations: u32) -> Result<()> {
    Ok(Migrator::up(database, Some(migrations)).await?)
}

/// The same keys in every test.
#[must_use]
pub fn keys() -> Keys {
    Keys::new(b"0123456789abcdef", b"fedcba9876543210fedcba9876543210")
}

/// Salts and nonces that are the same for the same record and field, so that two ledgers can be
/// compared byte by byte. Never outside tests: who knows the record could open its commitments.
pub struct FixedSalts;

impl SaltSource for FixedSalts {
    fn randomness(&self, id: RecordId, field: &str) -> Result<Randomness> {
        let bytes = Hash::of(&[id.to_string().as_bytes(), &[0], field.as_bytes()]).0;
        let (salt, rest) = bytes.split_first_chunk().expect("16 of 32 bytes");
        let (nonce, _) = rest.split_first_chunk().expect("12 of 16 bytes");
        Ok(Randomness { salt: *salt, nonce: *nonce })
    }
}
