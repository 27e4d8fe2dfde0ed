//! The store: one append-only, hash-chained ledger on SQLite and PostgreSQL, and everything that is
//! derived from it. The only crate that speaks SQL.
//!
//! Everything is written in one [`Writing`] transaction at a time: a batch of records is matched to
//! enterprises, compared with what is on record, appended, and carried into the projections.

mod bulk;
mod entity;
mod entry;
mod error;
mod keys;
mod level;
mod migration;
mod projection;
mod reading;
mod runs;
mod seal;
mod store;
mod verify;
mod writing;

#[cfg(feature = "testing")]
pub mod testing;

pub use entry::Entry;
pub use error::{Result, StoreError};
pub use keys::Keys;
pub use level::{KeptLevel, Level, LevelChange, LevelCount};
pub use projection::{MATCHED_RECORD, MATCHING, REGISTRATION, given};
pub use reading::{Enterprise, Page, Scope, UnreadPage};
pub use seal::{Randomness, SaltSource, SealedDraft, Sealer, SystemSalts};
pub use store::{NewSubmission, Store, Submission};
pub use verify::Verification;
pub use writing::{Body, NewRecord, Writing};
