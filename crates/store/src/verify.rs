//! Verification (台账校验) and export of the ledger.

use std::collections::BTreeMap;
use std::io::Write;

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, IdenStatic, Iterable, ModelTrait, QueryFilter,
    QueryOrder, QueryResult, QuerySelect, QueryTrait,
};
use xinheng_core::ledger::{CanonicalText, Hash, Head, chain, commitment, export_line};
use xinheng_core::record::Seq;

use crate::entity::{personal, record};
use crate::entry::{Entry, fixed};
use crate::error::{Result, StoreError};
use crate::keys::Keys;
use crate::store::Store;

/// Records that are read at a time.
const PAGE: u64 = 2_000;
/// Findings that are listed; beyond, they are only counted.
const MOST_LISTED: usize = 1_000;

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// Records in the ledger.
    pub records: u64,
    /// Personal values that were erased by law; their commitments remain.
    pub erased: u64,
    /// What is wrong, a sentence each, naming the seq.
    pub findings: Vec<String>,
    /// Further findings that are not listed.
    pub unlisted: u64,
}

impl Verification {
    /// Whether everything is as it was written.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.findings.is_empty()
    }

    pub(crate) fn find(&mut self, finding: String) {
        if self.findings.len() < MOST_LISTED {
            self.findings.push(finding);
        } else {
            self.unlisted += 1;
        }
    }
}

impl Store {
    /// Recomputes the whole chain from the columns, opens every personal value and compares it with
    /// its commitment, and compares the chain with heads that were noted earlier (receipts).
    /// `progress` hears how far it is.
    ///
    /// # Errors
    /// When the database fails. What is wrong with the ledger is a finding, not an error.
    pub async fn verify(&self, against: &[Head], mut progress: impl FnMut(Seq)) -> Result<Verification> {
        let readers = &self.connections.readers;
        let mut verifier = Verifier {
            keys: &self.keys,
            last: Head::EMPTY,
            personal: BTreeMap::new(),
            receipts: BTreeMap::new(),
            result: Verification::default(),
        };
        for head in against {
            verifier.receipts.entry(head.seq).or_default().push(head.hash);
        }
        verifier.compare_with_receipts(Head::EMPTY);
        let mut read_up_to = i64::MIN;
        loop {
            let page = record::Entity::find()
                .filter(record::Column::Seq.gt(read_up_to))
                .order_by_asc(record::Column::Seq)
                .limit(PAGE);
            let rows = readers.query_all(&page.into_query()).await?;
            let until = match rows.last() {
                Some(last) => last.try_get("", "seq")?,
                None => i64::MAX,
            };
            let values = personal::Entity::find()
                .filter(personal::Column::Seq.gt(read_up_to))
                .filter(personal::Column::Seq.lte(until));
            verifier.take_personal(&readers.query_all(&values.into_query()).await?)?;
            for row in &rows {
                verifier.check(row)?;
            }
            verifier.refuse_strays();
            if rows.is_empty() {
                break;
            }
            read_up_to = until;
            progress(Seq(until));
        }
        Ok(verifier.finish())
    }

    /// Writes the ledger out, one record per line: its canonical JSON with its hash.
    ///
    /// # Errors
    /// When the database or the writer fails, or a row is damaged.
    pub async fn export(&self, writer: &mut (impl Write + Send)) -> Result<Head> {
        let mut head = Head::EMPTY;
        loop {
            let page = self.records(Seq(head.seq.0 + 1), PAGE).await?;
            let Some(last) = page.last() else {
                writer.flush()?;
                return Ok(head);
            };
            head = Head { seq: last.record.seq, hash: last.hash };
            for entry in &page {
                writer.write_all(&export_line(&entry.record, entry.hash))?;
                writer.write_all(b"\n")?;
            }
        }
    }
}

struct Verifier<'a> {
    keys: &'a Keys,
    last: Head,
    /// Personal values of the page that no record has claimed yet.
    personal: BTreeMap<(i64, String), personal::Model>,
    receipts: BTreeMap<Seq, Vec<Hash>>,
    result: Verification,
}

impl Verifier<'_> {
    fn find(&mut self, finding: String) {
        self.result.find(finding);
    }

    fn take_personal(&mut self, rows: &[QueryResult]) -> Result<()> {
        for row in rows {
            match personal::Model::from_query_result(row, "") {
                Ok(row) => {
                    self.personal.insert((row.seq, row.field.clone()), row);
                }
                Err(_) => {
                    let seq: i64 = row.try_get("", "seq")?;
                    self.find(format!("第{seq}条的个人信息有一列无法读取：该列被改动过"));
                }
            }
        }
        Ok(())
    }

    fn check(&mut self, row: &QueryResult) -> Result<()> {
        let seq = Seq(row.try_get("", "seq")?);
        let expected = Seq(self.last.seq.0 + 1);
        if seq > expected {
            self.find(format!("第{expected}条至第{}条缺失：记录被删除", seq.0 - 1));
        } else if seq < expected {
            self.find(format!("出现第{seq}条：编号应从1起，该条是插入的"));
        }
        self.result.records += 1;
        let read = record::Model::from_query_result(row, "");
        let entry = match read {
            Ok(model) => Entry::read(model.clone()).map(|entry| (model, entry)),
            Err(_) => Err(StoreError::Damaged { seq, column: "某一" }),
        };
        match entry {
            Ok((model, entry)) => self.check_entry(&model, &entry),
            Err(StoreError::Damaged { column, .. }) => {
                self.find(format!("第{seq}条的{column}列无法读取：该列被改动过"));
            }
            Err(other) => return Err(other),
        }
        // Go on from what is stored, so that one changed row is one finding.
        let hash = row.try_get::<Vec<u8>>("", "hash").ok();
        self.last = Head { seq, hash: fixed(hash.as_deref()).map_or(Hash::GENESIS, Hash) };
        self.compare_with_receipts(self.last);
        Ok(())
    }

    fn check_entry(&mut self, model: &record::Model, entry: &Entry) {
        let record = &entry.record;
        let seq = record.seq;
        let mark = self.keys.mark(record.id, entry.digests);
        let payload = CanonicalText::of_payload(&record.payload);
        let commitments = CanonicalText::of_commitments(&record.commitments);
        let hash = chain(self.last.hash, record, &payload, &commitments);
        let written = entry.row(payload, commitments, mark);
        if model.mark != written.mark {
            self.find(format!(
                "第{seq}条的校验码不符：identity、content、mark 列之一被改动过，或密钥不是写入时的那一份"
            ));
        }
        for column in record::Column::iter().filter(|column| !matches!(column, record::Column::Mark)) {
            if model.get(column) != written.get(column) {
                self.find(format!("第{seq}条的{}列不是写入时的写法：该列被改动过", column.as_str()));
            }
        }
        if hash != entry.hash {
            self.find(format!("第{seq}条与其哈希不符：该条或其前一条的哈希被改动过"));
        }
        for (field, committed) in record.commitments.iter() {
            match self.personal.remove(&(seq.0, field.to_string())) {
                None => self.result.erased += 1,
                Some(value) if self.opens(&value, *committed) => {}
                Some(_) => self.find(format!(
                    "第{seq}条的个人信息“{field}”与台账中的承诺值不符：它被改动过，或密钥不是写入时的那一份"
                )),
            }
        }
    }

    /// Whether a personal value is the one that the ledger commits to.
    fn opens(&self, value: &personal::Model, committed: Hash) -> bool {
        let Some(clear) = self.keys.decrypt(&value.field, &value.nonce, &value.ciphertext) else {
            return false;
        };
        let Some((salt, text)) = clear.split_first_chunk::<16>() else {
            return false;
        };
        std::str::from_utf8(text).is_ok_and(|text| {
            commitment(salt, &value.field, text) == committed && self.keys.lookup(&value.field, text) == *value.lookup
        })
    }

    /// Personal values that no record of the page commits to.
    fn refuse_strays(&mut self) {
        for (seq, field) in std::mem::take(&mut self.personal).into_keys() {
            self.find(format!("第{seq}条没有个人信息“{field}”的承诺值，个人信息表中却有：它是插入的"));
        }
    }

    fn compare_with_receipts(&mut self, head: Head) {
        for noted in self.receipts.remove(&head.seq).unwrap_or_default() {
            if noted != head.hash {
                self.find(format!(
                    "第{}条的哈希与凭据不符：该条或其之前的记录被改写过（凭据 {noted}，现为 {}）",
                    head.seq, head.hash
                ));
            }
        }
    }

    fn finish(mut self) -> Verification {
        let last = self.last.seq;
        for seq in std::mem::take(&mut self.receipts).into_keys() {
            self.find(format!("凭据记有第{seq}条，台账现在只到第{last}条：末尾的记录被删除"));
        }
        self.result
    }
}
