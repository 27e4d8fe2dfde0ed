//! Where a transaction begins: everything that it goes on from, asked for by one statement.

use xinheng_core::collect::{Content, Identity};
use xinheng_core::ledger::Head;
use xinheng_core::record::{Day, RecordId, Seq};

use crate::audit::Audited;
use crate::bulk::Transaction;
use crate::deadline::CLOCKS;
use crate::entry::{day, fixed};
use crate::error::{Result, StoreError};
use crate::projection::SIGNATURE;
use crate::touched::{self, Touched};

/// Where everything stands that a transaction goes on from.
pub(crate) struct Newest {
    pub(crate) record: Option<NewestRecord>,
    pub(crate) audited: Audited,
    /// The latest day that has a head.
    pub(crate) last_day: Option<Day>,
    pub(crate) basis_of_clocks: Option<String>,
    pub(crate) signed: Option<Seq>,
    pub(crate) touched: Touched,
}

/// Of the newest record what shows that it was written with our key.
pub(crate) struct NewestRecord {
    pub(crate) seq: Seq,
    pub(crate) id: RecordId,
    pub(crate) digests: Option<(Identity, Content)>,
    pub(crate) mark: Vec<u8>,
    pub(crate) hash: Vec<u8>,
}

/// One statement for all of it: each is a journey to the database. Without its limit, PostgreSQL would look for the run
/// wherever it is named.
pub(crate) async fn newest(transaction: &mut Transaction) -> Result<Newest> {
    type Number = Option<i64>;
    type Bytes = Option<Vec<u8>>;
    type Text = Option<String>;
    type Part = Option<i16>;
    type Row =
        (Number, Number, Number, Part, Bytes, Bytes, Bytes, Bytes, Number, Bytes, Bytes, Text, Text, Number, i64, Text);
    let sql = format!(
        "SELECT r.seq, r.submission, r.line, r.part, r.identity, r.content, r.mark, r.hash, a.seq, a.hash, a.mark, \
         (SELECT max(day) FROM day_head), (SELECT rulebook FROM projection_basis WHERE projection = '{CLOCKS}'), \
         {}, n.run, (SELECT string_agg(few.enterprise, ' ') FROM ({}) AS few) \
         FROM (SELECT {} AS run LIMIT 1) AS n LEFT JOIN (SELECT seq, submission, line, part, identity, content, mark, hash \
         FROM record ORDER BY seq DESC LIMIT 1) AS r ON TRUE \
         LEFT JOIN (SELECT seq, hash, mark FROM audit ORDER BY seq DESC LIMIT 1) AS a ON TRUE",
        touched::newest_of_kind(SIGNATURE, ""),
        touched::few("n.run"),
        touched::run()
    );
    let rows: Vec<Row> = transaction.look_up(&sql, &[], &[]).await?;
    let Some((
        seq,
        submission,
        line,
        part,
        identity,
        content,
        mark,
        hash,
        audit,
        audit_hash,
        audit_mark,
        last_day,
        basis,
        signed,
        run,
        touched,
    )) = rows.into_iter().next()
    else {
        return Err(StoreError::Broken);
    };
    let record = match (seq, submission, line, part, mark, hash) {
        (Some(seq), Some(submission), Some(line), Some(part), Some(mark), Some(hash)) => Some(NewestRecord {
            seq: Seq(seq),
            id: RecordId { submission, line, part },
            digests: fixed(identity.as_deref()).map(Identity).zip(fixed(content.as_deref()).map(Content)),
            mark,
            hash,
        }),
        _ => None,
    };
    let audited = match (audit, audit_hash, audit_mark) {
        (Some(seq), Some(hash), Some(mark)) => Audited::Stored { seq: Seq(seq), hash, mark },
        _ => Audited::Known(Head::EMPTY),
    };
    let damaged = || StoreError::DamagedProjection { table: "day_head" };
    let last_day = last_day.map(|text| day(&text).ok_or_else(damaged)).transpose()?;
    let touched = Touched::found(touched.as_deref().unwrap_or_default(), run, seq.unwrap_or_default())?;
    let signed = signed.map(Seq);
    Ok(Newest { record, audited, last_day, basis_of_clocks: basis, signed, touched })
}
