//! The store: one database, opened.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use sea_orm_migration::MigratorTrait;
use sea_orm_migration::sea_query::Query;
use xinheng_core::ledger::{Hash, Head};
use xinheng_core::record::{Day, Moment, Seq};

use crate::bulk::Connections;
use crate::entity::{record, rulebook, submission};
use crate::entry::fixed;
use crate::error::{Result, StoreError};
use crate::keys::Keys;
use crate::migration::Migrator;
use crate::writing::Writing;

/// A database with the keys to its personal values.
pub struct Store {
    pub(crate) connections: Connections,
    pub(crate) keys: Keys,
    /// What the readers were asked, for tests.
    #[cfg(feature = "testing")]
    pub(crate) asked: crate::testing::Asked,
}

/// A file or form that is handed in.
#[derive(Clone, Debug)]
pub struct NewSubmission {
    /// Name of the file.
    pub file_name: String,
    /// SHA-256 of its bytes, by which an interrupted import is recognised.
    pub file_digest: [u8; 32],
    /// The exchange table it is.
    pub table_id: String,
    /// Code of the unit that hands it in.
    pub unit: String,
    /// The day that the edition is of, when the file itself does not say.
    pub edition: Option<Day>,
    /// Now.
    pub received_at: Moment,
}

/// A submission that is being taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Its number, dense from 1.
    pub number: i64,
    /// When it was first received: the moment of all its records.
    pub received_at: Moment,
    /// Whether an earlier attempt was broken off and is carried on.
    pub resumed: bool,
}

impl Store {
    /// Opens a database, `sqlite:PATH` or `postgres://…`, and brings its tables up to date. An SQLite
    /// file is made when there is none.
    ///
    /// # Errors
    /// When it cannot be opened or was made by a newer version.
    pub async fn open(url: &str, keys: Keys) -> Result<Self> {
        #[cfg_attr(not(feature = "testing"), allow(unused_mut, reason = "tests listen to the readers"))]
        let mut connections = Connections::open(url).await?;
        migrate(&connections).await?;
        Ok(Self {
            #[cfg(feature = "testing")]
            asked: crate::testing::Asked::listen(&mut connections.readers),
            connections,
            keys,
        })
    }

    /// The newest record.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn head(&self) -> Result<Head> {
        let newest: Option<(i64, Vec<u8>)> = record::Entity::find()
            .select_only()
            .column(record::Column::Seq)
            .column(record::Column::Hash)
            .order_by_desc(record::Column::Seq)
            .limit(1)
            .into_tuple()
            .one(&self.connections.readers)
            .await?;
        newest.map_or(Ok(Head::EMPTY), |(seq, hash)| {
            let seq = Seq(seq);
            let hash = fixed(Some(&hash)).ok_or(StoreError::Damaged { seq, column: "hash" })?;
            Ok(Head { seq, hash: Hash(hash) })
        })
    }

    /// Whether a file was ever taken in whole, of any table but one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_import(&self, but: &str) -> Result<bool> {
        let found = submission::Entity::find()
            .filter(submission::Column::Finished.eq(true))
            .filter(submission::Column::TableId.ne(but))
            .one(&self.connections.readers)
            .await?;
        Ok(found.is_some())
    }

    /// Keeps a version of the rulebook for good. Its name comes from its content, so that putting it
    /// again changes nothing.
    ///
    /// # Errors
    /// When the version is there with other content, or the database fails.
    pub async fn put_rulebook(&self, version: &str, bundle: &[u8]) -> Result<()> {
        let transaction = self.connections.begin().await?;
        match rulebook_in(&transaction, version).await? {
            Some(kept) if kept == bundle => return Ok(()),
            Some(_) => return Err(StoreError::RulebookDiffers(version.to_owned())),
            None => {}
        }
        let row = rulebook::Model { version: version.to_owned(), bundle: zstd::encode_all(bundle, 0)? };
        rulebook::Entity::insert(row.into_active_model()).exec_without_returning(&transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// A version of the rulebook.
    ///
    /// # Errors
    /// When the database fails or the row is damaged.
    pub async fn rulebook(&self, version: &str) -> Result<Option<Vec<u8>>> {
        rulebook_in(&self.connections.readers, version).await
    }
}

async fn rulebook_in(connection: &impl ConnectionTrait, version: &str) -> Result<Option<Vec<u8>>> {
    let row = rulebook::Entity::find_by_id(version).one(connection).await?;
    row.map(|row| zstd::decode_all(&*row.bundle).map_err(|_| StoreError::DamagedProjection { table: "rulebook" }))
        .transpose()
}

impl Writing {
    /// Opens a submission, or carries on the unfinished one of the same file, table, unit and edition.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_submission(&mut self, new: &NewSubmission) -> Result<Submission> {
        type Unfinished = (i64, i64, String, String, Option<String>);
        let edition = new.edition.map(|day| day.to_string());
        let unfinished: Vec<Unfinished> = self
            .transaction
            .look_up(
                "SELECT s.number, s.received_at, s.table_id, s.unit, s.edition FROM {keys} AS k \
                 CROSS JOIN submission AS s WHERE s.file_digest = {bytes} AND NOT s.finished ORDER BY s.number",
                &[],
                &[hex::encode(new.file_digest)],
            )
            .await?;
        let same =
            |(_, _, table, unit, of): &&Unfinished| *table == new.table_id && *unit == new.unit && *of == edition;
        if let Some((number, received_at, ..)) = unfinished.iter().find(same) {
            let received_at =
                Moment::from_micros(*received_at).ok_or(StoreError::DamagedProjection { table: "submission" })?;
            return Ok(Submission { number: *number, received_at, resumed: true });
        }
        let last: Vec<(i64,)> =
            self.transaction.look_up("SELECT coalesce(max(number), 0) FROM submission", &[], &[]).await?;
        let number = last.first().map_or(0, |(last,)| *last) + 1;
        let row = submission::Model {
            number,
            file_name: new.file_name.clone(),
            file_digest: new.file_digest.to_vec(),
            table_id: new.table_id.clone(),
            unit: new.unit.clone(),
            edition,
            received_at: new.received_at.micros(),
            finished: false,
            counts: None,
        };
        self.transaction.insert(vec![row]).await?;
        Ok(Submission { number, received_at: new.received_at, resumed: false })
    }

    /// Marks a submission as taken in whole, with what came of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish_submission(&mut self, number: i64, counts: &serde_json::Value) -> Result<()> {
        let sql = "UPDATE submission SET finished = TRUE, counts = (SELECT k.value FROM {keys} AS k) WHERE number = $1";
        self.transaction.execute(sql, &[number], &[counts.to_string()]).await
    }
}

/// Brings the tables up to date, in one transaction, so that a broken start leaves nothing half made.
/// A database that is up to date is not locked: reading goes on while another process writes.
async fn migrate(connections: &Connections) -> Result<()> {
    let refuse =
        |error: StoreError| StoreError::Migrate { place: connections.place.clone(), reason: error.to_string() };
    let applied = Query::select().column("version").from("seaql_migrations").to_owned();
    let known: Vec<String> = Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
    // No such table: a new database.
    let rows = connections.readers.query_all(&applied).await.unwrap_or_default();
    let versions: Vec<String> = rows.iter().filter_map(|row| row.try_get("", "version").ok()).collect();
    if versions.len() == known.len() && versions.iter().all(|version| known.contains(version)) {
        return Ok(());
    }
    let transaction = connections.begin().await.map_err(refuse)?;
    Migrator::up(&transaction, None).await.map_err(|error| refuse(error.into()))?;
    transaction.commit().await.map_err(|error| refuse(error.into()))
}
