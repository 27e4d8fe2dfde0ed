//! A row of the ledger and what it says: the one place where columns become a record and back.

use xinheng_core::collect::{Content, Identity};
use xinheng_core::credit_code::CreditCode;
use xinheng_core::ledger::{CanonicalText, Hash};
use xinheng_core::record::{Commitments, Day, Moment, Payload, Record, RecordId, Seq, Statement};

use crate::entity::record::Model;
use crate::error::{Result, StoreError};

/// A record with what is kept beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The record.
    pub record: Record,
    /// What makes it the same as another, and what it says, as computed when it was sealed: they
    /// contain keyed indexes, and are kept so that a rebuild needs no key. Records of the system
    /// itself have none.
    pub digests: Option<(Identity, Content)>,
    /// Its hash in the chain.
    pub hash: Hash,
}

impl Entry {
    pub(crate) fn read(row: Model) -> Result<Self> {
        let seq = Seq(row.seq);
        let damaged = |column| StoreError::Damaged { seq, column };
        let digests = match (row.identity, row.content) {
            (None, None) => None,
            (identity, content) => Some((
                Identity(fixed(identity.as_deref()).ok_or_else(|| damaged("identity"))?),
                Content(fixed(content.as_deref()).ok_or_else(|| damaged("content"))?),
            )),
        };
        let record = record((
            row.seq,
            row.kind,
            row.occurred_on,
            row.version,
            row.document_number,
            row.supersedes,
            row.withdrawn,
            row.payload,
            row.submission,
            row.line,
            row.part,
            row.enterprise,
            row.received_at,
            row.source_unit,
            row.commitments,
        ))?;
        Ok(Self { record, digests, hash: Hash(fixed(Some(&row.hash)).ok_or_else(|| damaged("hash"))?) })
    }

    /// With the texts of its payload and its commitments.
    pub(crate) fn row(&self, payload: CanonicalText, commitments: CanonicalText, mark: [u8; 16]) -> Model {
        let record = &self.record;
        Model {
            seq: record.seq.0,
            submission: record.id.submission,
            line: record.id.line,
            part: record.id.part,
            enterprise: record.enterprise.map(|code| code.to_string()),
            kind: record.kind.to_string(),
            occurred_on: record.occurred_on.to_string(),
            version: record.version.map(|day| day.to_string()),
            received_at: record.received_at.micros(),
            source_unit: record.source_unit.to_string(),
            document_number: record.document_number.clone(),
            supersedes: record.supersedes.map(|seq| seq.0),
            withdrawn: record.withdrawn,
            payload: payload.into(),
            commitments: commitments.into(),
            identity: self.digests.map(|(identity, _)| identity.0.to_vec()),
            content: self.digests.map(|(_, content)| content.0.to_vec()),
            mark: mark.to_vec(),
            hash: self.hash.0.to_vec(),
        }
    }
}

/// The columns that make a statement, of a table `r`; with [`StatementColumns`] and [`statement`] in one order.
pub(crate) const STATEMENT_COLUMNS: &str =
    "r.seq, r.kind, r.occurred_on, r.version, r.document_number, r.supersedes, r.withdrawn, r.payload";

pub(crate) type StatementColumns = (i64, String, String, Option<String>, Option<String>, Option<i64>, bool, String);

/// The columns that make a record, of a table `r`; with [`RecordColumns`] and [`record`] in one order.
pub(crate) const RECORD_COLUMNS: &str = "r.seq, r.kind, r.occurred_on, r.version, r.document_number, r.supersedes, \
     r.withdrawn, r.payload, r.submission, r.line, r.part, r.enterprise, r.received_at, r.source_unit, r.commitments";

pub(crate) type RecordColumns = (
    i64,
    String,
    String,
    Option<String>,
    Option<String>,
    Option<i64>,
    bool,
    String,
    i64,
    i64,
    i16,
    Option<String>,
    i64,
    String,
    String,
);

pub(crate) fn statement(columns: StatementColumns) -> Result<Statement> {
    let (seq, kind, occurred_on, version, document_number, supersedes, withdrawn, payload) = columns;
    let seq = Seq(seq);
    let damaged = |column| StoreError::Damaged { seq, column };
    Ok(Statement {
        seq,
        kind: kind.into(),
        occurred_on: day(&occurred_on).ok_or_else(|| damaged("occurred_on"))?,
        version: version.map(|version| day(&version).ok_or_else(|| damaged("version"))).transpose()?,
        document_number,
        supersedes: supersedes.map(Seq),
        withdrawn,
        payload: serde_json::from_str::<Payload>(&payload).map_err(|_| damaged("payload"))?,
    })
}

pub(crate) fn record(columns: RecordColumns) -> Result<Record> {
    let (seq, kind, occurred_on, version, document_number, supersedes, withdrawn, payload, ..) = columns;
    let (.., submission, line, part, enterprise, received_at, source_unit, commitments) = columns;
    let damaged = |column| StoreError::Damaged { seq: Seq(seq), column };
    Ok(Record {
        statement: statement((seq, kind, occurred_on, version, document_number, supersedes, withdrawn, payload))?,
        id: RecordId { submission, line, part },
        enterprise: enterprise.map(|code| CreditCode::parse(&code)).transpose().map_err(|_| damaged("enterprise"))?,
        received_at: Moment::from_micros(received_at).ok_or_else(|| damaged("received_at"))?,
        source_unit: source_unit.into(),
        commitments: serde_json::from_str::<Commitments>(&commitments).map_err(|_| damaged("commitments"))?,
    })
}

/// A day in its one spelling.
pub(crate) fn day(text: &str) -> Option<Day> {
    text.parse().ok()
}

/// Bytes of a known length.
pub(crate) fn fixed<const LENGTH: usize>(bytes: Option<&[u8]>) -> Option<[u8; LENGTH]> {
    bytes?.try_into().ok()
}
