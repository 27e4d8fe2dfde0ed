//! The store: one append-only, hash-chained ledger on SQLite and PostgreSQL, and everything that is
//! derived from it. The only crate that speaks SQL.
//!
//! Everything is written in one [`Writing`] transaction at a time: a batch of records is matched to
//! enterprises, compared with what is on record, appended, and carried into the projections.

mod ahead;
mod approval;
mod audit;
mod bulk;
mod deadline;
mod directory;
mod draw;
mod entity;
mod entry;
mod error;
mod graded;
mod inspector;
mod keys;
mod level;
mod migration;
mod newest;
mod pages;
mod pending;
mod people;
mod projection;
mod reading;
mod runs;
mod seal;
mod statement;
mod store;
mod touched;
mod verify;
mod writing;

#[cfg(feature = "testing")]
pub mod testing;

pub use approval::{APPROVAL_STEP, Matter, NewStep, Proposed, Waiting};
pub use audit::{AuditEntry, AuditFilter};
pub use deadline::{ClockCounts, ClockPlace, LateCount, ListedClock, OpenClocks, Rules};
pub use directory::{
    Count, EnterpriseFilter, EnterpriseOrder, EverGraded, Found, Hit, Listed, Listing, MOST_FOUND, MatchedBy,
    NoSuchTurn, Place, Turn,
};
pub use draw::{DRAW_STEP, DrawState, KeptDraw, KeptPlan, KeptVisit, NewDrawStep, Object, PLAN, VisitFilter};
pub use entry::Entry;
pub use error::{Result, StoreError};
pub use keys::{Keys, random};
pub use level::{KeptLevel, Level, LevelChange, LevelCount};
pub use pages::{BulletinPlace, DayHead, Differing, KeptSubmission, LastMove, ListingKind, TownLevelCount};
pub use people::{Attempt, SecondFactor, Session, Staff, Unit};
pub use projection::{CLASSIFICATION, MATCHED_RECORD, MATCHING, REGISTRATION, SIGNATURE, given};
pub use reading::{Enterprise, Histories, Page, Roll, Scope, Statements, UnfetchedPage, UnreadPage};
pub use seal::{Randomness, SaltSource, SealedDraft, Sealer, SystemSalts};
pub use store::{NewSubmission, Store, Submission};
pub use verify::Verification;
pub use writing::{Body, NewRecord, Writing};
