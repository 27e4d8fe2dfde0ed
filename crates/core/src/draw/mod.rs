//! The draw of a random inspection (双随机抽查), protocol XD1. `docs/draw.md` fixes its bytes and what it proves.
//!
//! A plan's objects pass the chain of exclusions, their strata get quotas;
//! [`freeze`] fixes everything before a public lottery is drawn, [`Frozen::seal`] draws by its numbers and gives each
//! visit its team, [`Sealed::replace`] takes the next ticket. [`Certificate`] is what the public sees and [`verify`]
//! recomputes. Randomness and moments are arguments.

mod bytes;
mod certificate;
mod directory;
mod entropy;
mod feasibility;
mod freeze;
mod matching;
mod refusal;
mod seal;
mod verify;
mod words;

pub use bytes::{DrawKey, Nonce, Secret, Secrets, blind, salt, ticket};
pub use certificate::{
    Certificate, Entropy, LedgerPlace, NotACertificate, Pair, Replacement, SealedPart, State, StratumSize, Witness,
};
pub use directory::{FrozenInspector, NotAQualification, Qualification};
pub use entropy::{EntropyValue, Misread};
pub use feasibility::Feasibility;
pub use freeze::{EarlierDraw, EarlierState, FreezeInput, Frozen, StratumInput, freeze};
pub use matching::Visit;
pub use refusal::Refusal;
pub use seal::Sealed;
pub use verify::{Fault, Published, PublishedNames, Step, Verification, verify};
pub use words::{Line, NotALine, NotATime, StratumNumber, Time};
