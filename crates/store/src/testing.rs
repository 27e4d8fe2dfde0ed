//! For tests of this and other crates: a fresh database of each kind, and randomness that repeats.

use std::str::FromStr;

use sea_orm::{ConnectionTrait, Database, EntityTrait};
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;
use xinheng_core::ledger::Hash;
use xinheng_core::record::RecordId;

use crate::entity::{
    current_level, current_record, deadline, deadline_event, enterprise, late_submission, level, matched, matter,
    matter_step, matter_target, stale_enterprise, waiting,
};
use crate::error::Result;
use crate::keys::Keys;
use crate::seal::{Randomness, SaltSource};
use crate::store::Store;

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

impl Store {
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
        self.dump::<stale_enterprise::Entity>(&mut lines).await?;
        self.dump::<level::Entity>(&mut lines).await?;
        self.dump::<current_level::Entity>(&mut lines).await?;
        self.dump::<deadline::Entity>(&mut lines).await?;
        self.dump::<deadline_event::Entity>(&mut lines).await?;
        self.dump::<late_submission::Entity>(&mut lines).await?;
        self.dump::<matter::Entity>(&mut lines).await?;
        self.dump::<matter_step::Entity>(&mut lines).await?;
        self.dump::<matter_target::Entity>(&mut lines).await?;
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
