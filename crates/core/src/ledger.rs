//! The ledger's chain (台账): the exact bytes that are hashed. docs/ledger-format.md is its
//! specification; `tools/verify_ledger.py` was written from that and not from this file.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use sm3::{Digest, Sm3};

use crate::record::{Commitments, Day, Payload, Record, Seq, Text};

/// An SM3 digest (GB/T 32905-2016), shown as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// What the first record is chained to.
    pub const GENESIS: Self = Self([0; 32]);

    /// SM3 of the parts in a row.
    #[must_use]
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut sm3 = Sm3::new();
        for part in parts {
            sm3.update(part);
        }
        Self(sm3.finalize().into())
    }
}

impl Hash {
    /// Has a reader read its 64 digits.
    fn spelt<R>(&self, read: impl FnOnce(&str) -> R) -> R {
        let mut digits = [0; 64];
        hex::encode_to_slice(self.0, &mut digits).expect("two digits a byte");
        read(std::str::from_utf8(&digits).expect("hex digits are ASCII"))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spelt(|digits| f.write_str(digits))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Hash {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

impl Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.spelt(|digits| serializer.serialize_str(digits))
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?;
        // People may type capitals; files have one spelling.
        let is_spelling = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
        let hash = text.parse().ok().filter(|_| text.bytes().all(is_spelling));
        hash.ok_or_else(|| serde::de::Error::custom(format!("“{text}”应为64位小写十六进制")))
    }
}

/// The newest record's place and hash: what a receipt carries and an auditor compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// 0 for an empty ledger.
    pub seq: Seq,
    /// [`Hash::GENESIS`] for an empty ledger.
    pub hash: Hash,
}

impl Head {
    /// The head of a ledger without records.
    pub const EMPTY: Self = Self { seq: Seq(0), hash: Hash::GENESIS };
}

/// The canonical bytes of a record: one JSON object in UTF-8, keys in code-point order, no white
/// space, integers without exponent, only `"`, `\` and control characters escaped. With the texts of its payload and its
/// commitments.
#[must_use]
pub fn canonical_bytes(record: &Record, payload: &CanonicalText, commitments: &CanonicalText) -> Vec<u8> {
    object(record, (payload, commitments), None)
}

/// A line of an export, without its end: the canonical object with the record's hash as one more
/// key, in its place among the others.
#[must_use]
pub fn export_line(record: &Record, hash: Hash) -> Vec<u8> {
    object(record, (&record.payload, &record.commitments), Some(hash))
}

/// The canonical text of a part of a record that is an object itself: written once, for the chain and for whoever keeps it.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct CanonicalText(Box<RawValue>);

impl CanonicalText {
    /// Of the fields that are not personal.
    #[must_use]
    pub fn of_payload(payload: &Payload) -> Self {
        Self(to_raw_value(payload).expect("payloads hold only text, whole numbers and flags"))
    }

    /// Of the commitments of the personal ones.
    #[must_use]
    pub fn of_commitments(commitments: &Commitments) -> Self {
        Self(to_raw_value(commitments).expect("commitments are text"))
    }

    /// In bytes.
    pub(crate) fn len(&self) -> usize {
        self.0.get().len()
    }
}

impl From<CanonicalText> for String {
    fn from(text: CanonicalText) -> Self {
        Box::<str>::from(text.0).into()
    }
}

fn object<P: Serialize, C: Serialize>(record: &Record, (payload, personal): (&P, &C), hash: Option<Hash>) -> Vec<u8> {
    /// Fields stand in code-point order of their names; serde writes them as they stand.
    #[derive(Serialize)]
    struct Canonical<'a, P, C> {
        document_number: Option<&'a str>,
        enterprise: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        hash: Option<Hash>,
        id: String,
        kind: &'a str,
        occurred_on: Day,
        payload: &'a P,
        personal: &'a C,
        received_at: String,
        seq: Seq,
        source_unit: &'a str,
        supersedes: Option<Seq>,
        version: Option<Day>,
        withdrawn: bool,
    }
    serde_json::to_vec(&Canonical {
        document_number: record.document_number.as_deref(),
        enterprise: record.enterprise.as_ref().map(|code| code.as_str()),
        hash,
        id: record.id.to_string(),
        kind: &record.kind,
        occurred_on: record.occurred_on,
        payload,
        personal,
        received_at: record.received_at.to_string(),
        seq: record.seq,
        source_unit: &record.source_unit,
        supersedes: record.supersedes,
        version: record.version,
        withdrawn: record.withdrawn,
    })
    .expect("a record holds only text, whole numbers and flags")
}

/// Hash of a record: SM3(previous hash ‖ canonical bytes), with the texts of its payload and its commitments.
#[must_use]
pub fn chain(previous: Hash, record: &Record, payload: &CanonicalText, commitments: &CanonicalText) -> Hash {
    Hash::of(&[&previous.0, &canonical_bytes(record, payload, commitments)])
}

/// Salted commitment of a personal value: SM3(salt ‖ field name ‖ 0x00 ‖ value). Destroying the
/// salt with the encrypted value erases the person, and the chain still verifies.
#[must_use]
pub fn commitment(salt: &[u8; 16], field: &str, value: &str) -> Hash {
    Hash::of(&[salt, field.as_bytes(), &[0], value.as_bytes()])
}
