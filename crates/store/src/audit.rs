//! The audit log (审计日志): written in the transaction of the act, chained, read back, verified.

use std::collections::BTreeMap;
use std::io::Write;

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, IdenStatic, Iterable, ModelTrait,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};
use xinheng_core::audit::{AuditLine, Outcome, chain, export_line};
use xinheng_core::ledger::{Hash, Head};
use xinheng_core::record::{Moment, Seq};

use crate::entity::audit::{Column, Entity, Model};
use crate::entity::form;
use crate::entry::fixed;
use crate::error::{Result, StoreError};
use crate::keys::Keys;
use crate::store::Store;
use crate::verify::Verification;
use crate::writing::Writing;

/// Lines that are read at a time when all are verified.
const PAGE: u64 = 2_000;

/// A line with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Place in the log, dense from 1.
    pub seq: Seq,
    /// What it says.
    pub line: AuditLine,
    /// Its hash in the chain.
    pub hash: Hash,
}

/// The newest line of the log, which the next is chained to.
pub(crate) enum Audited {
    /// As the database has it: looked at when there is a next.
    Stored { seq: Seq, hash: Vec<u8>, mark: Vec<u8> },
    /// Seen to be of this key, or just written.
    Known(Head),
}

/// Which lines are wanted; everything that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// 账号
    pub account: Option<String>,
    /// Name of the event.
    pub event: Option<String>,
    /// What was acted on.
    pub object: Option<String>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Not before.
    pub from: Option<Moment>,
    /// Before.
    pub until: Option<Moment>,
}

impl AuditEntry {
    fn read(row: Model) -> Result<Self> {
        let seq = Seq(row.seq);
        let damaged = || StoreError::DamagedAudit(seq);
        let line = AuditLine {
            at: Moment::from_micros(row.at).ok_or_else(damaged)?,
            staff: row.staff,
            account: row.account,
            roles: row.roles,
            unit: row.unit,
            source: row.source,
            event: row.event,
            object: row.object,
            outcome: Outcome::parse(&row.outcome).ok_or_else(damaged)?,
            detail: serde_json::from_str(&row.detail).map_err(|_| damaged())?,
            request: row.request,
            form: None,
        };
        Ok(Self { seq, line, hash: Hash(fixed(Some(&row.hash)).ok_or_else(damaged)?) })
    }

    fn row(&self, keys: &Keys) -> Model {
        let line = self.line.clone();
        Model {
            seq: self.seq.0,
            at: line.at.micros(),
            staff: line.staff,
            account: line.account,
            roles: line.roles,
            unit: line.unit,
            source: line.source,
            event: line.event,
            object: line.object,
            outcome: line.outcome.to_string(),
            detail: serde_json::to_string(&line.detail).expect("a payload holds plain values"),
            request: line.request,
            hash: self.hash.0.to_vec(),
            mark: keys.tag("audit", &self.hash.0).to_vec(),
        }
    }
}

impl Writing {
    /// Adds a line to the audit log. It is there if and only if everything else of this transaction is:
    /// when it cannot be written, whatever is asked of the transaction next fails, and it cannot be committed.
    ///
    /// The line notes the form that it came by; of several lines of one transaction, the first.
    ///
    /// # Errors
    /// [`StoreError::CarriedOut`] when the form was carried out before; when an earlier statement failed, or the newest line
    /// was not written with this key.
    pub async fn audit(&mut self, line: AuditLine) -> Result<Seq> {
        let written = self.try_audit(line).await;
        if written.is_err() {
            self.transaction.give_up();
        }
        written
    }

    async fn try_audit(&mut self, line: AuditLine) -> Result<Seq> {
        if let (Outcome::Done, Some(form)) = (line.outcome, &line.form) {
            self.note_form(form, line.at).await?;
        }
        let head = match &self.audited {
            Audited::Known(head) => *head,
            Audited::Stored { seq, hash, mark } => {
                let hash = fixed(Some(hash)).filter(|hash| self.keys.is_tag("audit", hash, mark));
                Head { seq: *seq, hash: Hash(hash.ok_or(StoreError::DamagedAudit(*seq))?) }
            }
        };
        let seq = Seq(head.seq.0 + 1);
        let entry = AuditEntry { seq, hash: chain(head.hash, seq, &line), line };
        self.transaction.insert(vec![entry.row(&self.keys)]).await?;
        self.audited = Audited::Known(Head { seq, hash: entry.hash });
        Ok(seq)
    }
}

impl Writing {
    async fn note_form(&mut self, form: &str, at: Moment) -> Result<()> {
        if self.form.as_deref() == Some(form) {
            return Ok(());
        }
        let sql = "SELECT at FROM form WHERE key IN {keys}";
        let before: Vec<(i64,)> = self.transaction.look_up(sql, &[], &[form.to_owned()]).await?;
        if !before.is_empty() {
            return Err(StoreError::CarriedOut);
        }
        self.transaction.insert(vec![form::Model { key: form.to_owned(), at: at.micros() }]).await?;
        self.form = Some(form.to_owned());
        Ok(())
    }
}

impl Store {
    /// Whether a form was carried out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_carried_out(&self, form: &str) -> Result<bool> {
        Ok(form::Entity::find_by_id(form).one(&self.connections.readers).await?.is_some())
    }

    /// Lines of the audit log from the newest, before a seq.
    ///
    /// # Errors
    /// When the database fails or a line is damaged.
    pub async fn audit(&self, filter: &AuditFilter, before: Option<Seq>, limit: u64) -> Result<Vec<AuditEntry>> {
        let wanted = Condition::all()
            .add_option(filter.account.as_ref().map(|account| Column::Account.eq(account)))
            .add_option(filter.event.as_ref().map(|event| Column::Event.eq(event)))
            .add_option(filter.object.as_ref().map(|object| Column::Object.eq(object)))
            .add_option(filter.outcome.map(|outcome| Column::Outcome.eq(outcome.to_string())))
            .add_option(filter.from.map(|from| Column::At.gte(from.micros())))
            .add_option(filter.until.map(|until| Column::At.lt(until.micros())))
            .add_option(before.map(|before| Column::Seq.lt(before.0)));
        let found = Entity::find().filter(wanted).order_by_desc(Column::Seq).limit(limit);
        found.all(&self.connections.readers).await?.into_iter().map(AuditEntry::read).collect()
    }

    /// The newest line's place and hash, to be noted outside: a log that was cut short is found against it.
    ///
    /// # Errors
    /// When the database fails or the line is damaged.
    pub async fn audit_head(&self) -> Result<Head> {
        let newest = self.audit(&AuditFilter::default(), None, 1).await?;
        Ok(newest.first().map_or(Head::EMPTY, |entry| Head { seq: entry.seq, hash: entry.hash }))
    }

    /// Writes the lines after a seq as JSON lines, from the earliest; returns the place and hash of the last.
    ///
    /// # Errors
    /// When the database fails, a line is damaged, or writing fails.
    pub async fn export_audit(&self, after: Head, writer: &mut (impl Write + Send)) -> Result<Head> {
        let mut head = after;
        loop {
            let page = Entity::find().filter(Column::Seq.gt(head.seq.0)).order_by_asc(Column::Seq).limit(PAGE);
            let rows = page.all(&self.connections.readers).await?;
            if rows.is_empty() {
                writer.flush()?;
                return Ok(head);
            }
            for row in rows {
                let entry = AuditEntry::read(row)?;
                writer.write_all(&export_line(entry.seq, &entry.line, entry.hash))?;
                writer.write_all(b"\n")?;
                head = Head { seq: entry.seq, hash: entry.hash };
            }
        }
    }

    /// Recomputes the chain of the audit log and compares it with heads that were noted earlier. `progress` hears how far
    /// it is.
    ///
    /// # Errors
    /// When the database fails. What is wrong with the log is a finding, not an error.
    pub async fn verify_audit(&self, against: &[Head], mut progress: impl FnMut(Seq)) -> Result<Verification> {
        let mut receipts: BTreeMap<Seq, Vec<Hash>> = BTreeMap::new();
        for head in against.iter().filter(|head| head.seq != Seq(0)) {
            receipts.entry(head.seq).or_default().push(head.hash);
        }
        let mut result = Verification::default();
        let (mut last, mut read_up_to) = (Head::EMPTY, i64::MIN);
        loop {
            let page = Entity::find().filter(Column::Seq.gt(read_up_to)).order_by_asc(Column::Seq).limit(PAGE);
            let rows = self.connections.readers.query_all(&page.into_query()).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                let seq = Seq(row.try_get("", "seq")?);
                result.records += 1;
                if seq.0 != last.seq.0 + 1 {
                    result.find(format!("审计日志第{seq}条之前应为第{}条：有日志被删除或插入", seq.0 - 1));
                }
                for finding in check(&self.keys, last.hash, Model::from_query_result(&row, "").ok(), seq) {
                    result.find(finding);
                }
                // Go on from what is stored, so that one changed line is one finding.
                let hash = row.try_get::<Vec<u8>>("", "hash").ok();
                last = Head { seq, hash: fixed(hash.as_deref()).map_or(Hash::GENESIS, Hash) };
                for noted in receipts.remove(&seq).unwrap_or_default().into_iter().filter(|noted| *noted != last.hash) {
                    result.find(format!(
                        "审计日志第{seq}条的哈希与凭据不符：该条或其之前的日志被改写过（凭据 {noted}，现为 {}）",
                        last.hash
                    ));
                }
                read_up_to = seq.0;
            }
            progress(last.seq);
        }
        for seq in receipts.into_keys() {
            result.find(format!("凭据记有审计日志第{seq}条，现在只到第{}条：末尾的日志被删除", last.seq));
        }
        Ok(result)
    }
}

/// What is wrong with one line, given the hash before it.
fn check(keys: &Keys, previous: Hash, model: Option<Model>, seq: Seq) -> Vec<String> {
    let unreadable = || vec![format!("审计日志第{seq}条有一列无法读取：该列被改动过")];
    let Some(model) = model else { return unreadable() };
    let Ok(entry) = AuditEntry::read(model.clone()) else { return unreadable() };
    let written = entry.row(keys);
    let mut findings: Vec<String> = Column::iter()
        .filter(|column| model.get(*column) != written.get(*column))
        .map(|column| match column {
            Column::Mark => format!("审计日志第{seq}条的校验码不符：它被改动过，或密钥不是写入时的那一份"),
            _ => format!("审计日志第{seq}条的{}列不是写入时的写法：该列被改动过", column.as_str()),
        })
        .collect();
    if chain(previous, seq, &entry.line) != entry.hash {
        findings.push(format!("审计日志第{seq}条与其哈希不符：该条或其前一条的哈希被改动过"));
    }
    findings
}
