//! Sealing (封存): the personal fields of a draft leave it before it is stored. What stays in the
//! ledger is a salted commitment; the value and its salt are kept apart, encrypted.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use xinheng_core::collect::{Content, Identity, content, identity};
use xinheng_core::ledger::{CanonicalText, commitment};
use xinheng_core::record::{Commitments, Draft, Reason, RecordId, Value};
use xinheng_core::rulebook::kind::Kind;

use crate::error::Result;
use crate::keys::{Keys, random};

/// The randomness that one personal value takes.
#[derive(Clone, Copy)]
pub struct Randomness {
    /// Salt of its commitment.
    pub salt: [u8; 16],
    /// Nonce of its encryption.
    pub nonce: [u8; 12],
}

/// Where salts and nonces come from. Never from a kept key: destroying a salt must erase the person.
pub trait SaltSource: Send + Sync {
    /// Fresh randomness for one field of one record.
    ///
    /// # Errors
    /// When there is none to be had.
    fn randomness(&self, id: RecordId, field: &str) -> Result<Randomness>;
}

/// Randomness of the operating system.
pub struct SystemSalts;

impl SaltSource for SystemSalts {
    fn randomness(&self, _id: RecordId, _field: &str) -> Result<Randomness> {
        let bytes: [u8; EACH] = AHEAD.with_borrow_mut(Ahead::next)?;
        let (salt, rest) = bytes.split_first_chunk().expect("16 of 28 bytes");
        let (nonce, _) = rest.split_first_chunk().expect("12 of 12 bytes");
        Ok(Randomness { salt: *salt, nonce: *nonce })
    }
}

/// Bytes of a [`Randomness`].
const EACH: usize = 28;

thread_local! {
    static AHEAD: RefCell<Ahead> = const { RefCell::new(Ahead { bytes: [0; EACH * 128], left: 0 }) };
}

/// Randomness that a thread has asked for ahead: asking the operating system takes longer than encrypting.
struct Ahead {
    bytes: [u8; EACH * 128],
    left: usize,
}

impl Ahead {
    /// What is given out is kept nowhere else.
    fn next(&mut self) -> Result<[u8; EACH]> {
        if self.left == 0 {
            self.bytes = random()?;
            self.left = self.bytes.len();
        }
        self.left -= EACH;
        let given: &mut [u8; EACH] =
            self.bytes[self.left..].first_chunk_mut().expect("a multiple of its length is left");
        Ok(std::mem::replace(given, [0; EACH]))
    }
}

/// Seals drafts; cheap to clone, so that each reading thread has its own.
#[derive(Clone)]
pub struct Sealer {
    keys: Keys,
    salts: Arc<dyn SaltSource>,
}

/// A draft without its personal values, ready to be stored.
#[derive(Clone)]
pub struct SealedDraft {
    /// Where it came from.
    pub id: RecordId,
    pub(crate) draft: Draft,
    /// The draft's payload, as it is now.
    pub(crate) payload: CanonicalText,
    /// Of its personal fields.
    pub commitments: Commitments,
    /// What makes it the same record as another.
    pub identity: Identity,
    /// What it says.
    pub content: Content,
    /// [`Keys::mark`] of its row, computed here, away from the single writer.
    pub(crate) mark: [u8; 16],
    pub(crate) fields: Vec<SealedField>,
}

impl SealedDraft {
    /// The draft; its `personal` is empty.
    #[must_use]
    pub fn draft(&self) -> &Draft {
        &self.draft
    }

    /// Keeps a key that the row was given in its payload, for a record that waits for its enterprise. What the row is and
    /// says stays what it was.
    pub fn keep_given(&mut self, name: &str, key: String) {
        self.draft.payload.insert(name, Value::from(key));
        self.payload = CanonicalText::of_payload(&self.draft.payload);
    }

    /// For a comparison: the ledger's row alone.
    #[cfg(feature = "testing")]
    pub fn forget_personal_values(&mut self) {
        self.fields.clear();
    }
}

/// A personal value as it is kept.
#[derive(Clone)]
pub(crate) struct SealedField {
    pub(crate) field: String,
    pub(crate) nonce: [u8; 12],
    pub(crate) ciphertext: Vec<u8>,
    pub(crate) lookup: [u8; 32],
}

impl Sealer {
    /// With the keys of the database and a source of salts.
    #[must_use]
    pub fn new(keys: Keys, salts: Arc<dyn SaltSource>) -> Self {
        Self { keys, salts }
    }

    /// Seals a draft of the kind.
    ///
    /// # Errors
    /// When the source of salts fails.
    pub fn seal(&self, submission: i64, kind: &Kind, mut draft: Draft) -> Result<SealedDraft> {
        let id = RecordId { submission, line: draft.line, part: draft.part };
        let indexes: BTreeMap<String, [u8; 32]> = draft
            .personal
            .iter()
            .map(|(field, value)| (field.clone(), self.keys.lookup(field, value.reveal(Reason::Match))))
            .collect();
        let identity = identity(kind, &draft, |field| indexes.get(field).copied());
        let payload = CanonicalText::of_payload(&draft.payload);
        let content = content(draft.occurred_on, draft.withdrawn, &payload, &indexes);
        let mut commitments = Commitments::default();
        let mut fields = Vec::with_capacity(indexes.len());
        for ((field, value), lookup) in std::mem::take(&mut draft.personal).into_iter().zip(indexes.into_values()) {
            let value = value.reveal(Reason::Seal);
            let Randomness { salt, nonce } = self.salts.randomness(id, &field)?;
            commitments.insert(field.as_str(), commitment(&salt, &field, value));
            fields.push(SealedField {
                nonce,
                ciphertext: self.keys.encrypt(&field, &nonce, &[&salt, value.as_bytes()].concat()),
                lookup,
                field,
            });
        }
        Ok(SealedDraft {
            mark: self.keys.mark(id, Some((identity, content))),
            id,
            draft,
            payload,
            commitments,
            identity,
            content,
            fields,
        })
    }
}
