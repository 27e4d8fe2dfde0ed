//! The use cases, one module per line of the mission. Opens the transaction, asks the core, appends,
//! derives. The command line, and later pages and jobs, call only this.

pub mod act;
pub mod adjustment;
pub mod alert;
pub mod approval;
pub mod audit;
pub mod backtest;
pub mod classify;
pub mod collect;
pub mod deadline;
pub mod enterprises;
pub mod evidence;
pub mod explain;
pub mod facts;
pub mod grading;
pub mod inspect;
pub mod ledger;
pub mod measures;
pub mod outlook;
pub mod pages;
pub mod people;
mod prepared;
pub mod profile;
pub mod public;
mod relation;
pub mod rules;
pub mod setup;
pub mod sign_in;
pub mod todo;
mod words;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use collect::TURN;
use prepared::Prepared;
use sign_in::{PasswordCost, Passwords};
use thiserror::Error;
use xinheng_core::ledger::Head;
use xinheng_core::record::{Day, Moment};
use xinheng_core::rulebook::load::Rulebook;
use xinheng_store::{Keys, SaltSource, Sealer, Store, SystemSalts};

/// What the user gave cannot be used: a sentence that says what it is and what to do.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct WrongInput(pub String);

/// Whether whoever gave the input can mend it.
#[must_use]
pub fn is_wrong_input(error: &anyhow::Error) -> bool {
    error.is::<WrongInput>() || error.is::<collect::WhichTable>()
}

/// Whether an act failed because the very same form was carried out before: nothing was done again.
#[must_use]
pub fn is_carried_out(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(xinheng_store::StoreError::CarriedOut))
}

/// What a use case takes from outside besides its input. Tests fix both.
#[derive(Clone)]
pub struct Surroundings {
    /// The clock.
    pub now: Arc<dyn Fn() -> Moment + Send + Sync>,
    /// Where salts come from.
    pub salts: Arc<dyn SaltSource>,
    /// Random bytes for secrets of people and sessions.
    pub chance: Arc<dyn Fn() -> anyhow::Result<[u8; 32]> + Send + Sync>,
    /// What hashing a password costs.
    pub password_cost: PasswordCost,
    /// For about so long an import writes in one transaction.
    pub turn: Duration,
}

impl Surroundings {
    /// The machine's clock and randomness.
    #[must_use]
    pub fn real() -> Self {
        Self {
            now: Arc::new(|| Moment::new(Utc::now())),
            salts: Arc::new(SystemSalts),
            chance: Arc::new(|| Ok(xinheng_store::random()?)),
            password_cost: PasswordCost::default(),
            turn: TURN,
        }
    }
}

/// How far a long job is.
#[derive(Clone, Debug)]
pub struct Stage {
    /// What is being done, in Chinese.
    pub name: String,
    /// Done so far, in the stage's own unit.
    pub done: u64,
    /// Of so much.
    pub total: u64,
}

/// Who wants to know how far a job is.
pub type Watcher<'a> = &'a (dyn Fn(Stage) + Sync);

/// For what JSON writes as people read it.
fn as_text<T: std::fmt::Display, S: serde::Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// A bureau's books: its ledger, its rulebook, its clock.
pub struct Bureau {
    store: Store,
    sealer: Sealer,
    rulebook: Arc<Rulebook>,
    surroundings: Surroundings,
    passwords: Passwords,
    prepared: Prepared,
}

impl Bureau {
    /// Opens the books, creating and migrating the database when needed.
    ///
    /// # Errors
    /// When the database or the key file cannot be used.
    pub async fn open(
        database: &str,
        key_file: &Path,
        rulebook: Rulebook,
        surroundings: Surroundings,
    ) -> anyhow::Result<Self> {
        let keys = Keys::load_or_create(key_file)?;
        let sealer = Sealer::new(keys.clone(), Arc::clone(&surroundings.salts));
        let store = Store::open(database, keys).await?;
        let passwords = Passwords::new(surroundings.password_cost)?;
        Ok(Self { store, sealer, rulebook: Arc::new(rulebook), surroundings, passwords, prepared: Prepared::default() })
    }

    /// The rulebook in use.
    #[must_use]
    pub fn rulebook(&self) -> &Rulebook {
        &self.rulebook
    }

    /// The store, for those who measure and test.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The moment it is.
    #[must_use]
    pub fn now(&self) -> Moment {
        (self.surroundings.now)()
    }

    /// A token that nobody can guess, as 64 hexadecimal digits.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn token(&self) -> anyhow::Result<String> {
        Ok(hex::encode(self.chance()?))
    }

    /// Random bytes that nobody can foresee.
    fn chance(&self) -> anyhow::Result<[u8; 32]> {
        (self.surroundings.chance)()
    }

    /// The day it is in China.
    #[must_use]
    pub fn today(&self) -> Day {
        self.now().day_in_china()
    }

    /// The newest record's place and hash.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn head(&self) -> anyhow::Result<Head> {
        Ok(self.store.head().await?)
    }
}
