//! The audit log (审计日志) for those who read it, and the one way to see a personal value in clear.
//! There is no way to delete a line: it is kept for good.

use xinheng_core::audit::Outcome;
use xinheng_core::ledger::Head;
use xinheng_core::record::{Personal, Seq, Value};
use xinheng_core::staff::Permission;
pub use xinheng_store::{AuditEntry, AuditFilter};

use crate::act::{Act, NotPermitted};
use crate::ledger::Verified;
use crate::{Bureau, WrongInput};

/// Lines of the longest page.
const LONGEST_PAGE: u64 = 1_000;
/// Characters of the shortest reason that says something.
const SHORTEST_REASON: usize = 5;

impl Bureau {
    /// Whether the form of an act was carried out before. Of two at once the transaction decides.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn was_carried_out(&self, form: &str) -> anyhow::Result<bool> {
        Ok(self.store.is_carried_out(form).await?)
    }

    /// Lines of the audit log, from the newest, before a seq.
    ///
    /// # Errors
    /// When the database fails or a line is damaged.
    pub async fn audit(
        &self,
        filter: &AuditFilter,
        before: Option<Seq>,
        limit: u64,
    ) -> anyhow::Result<Vec<AuditEntry>> {
        Ok(self.store.audit(filter, before, limit.min(LONGEST_PAGE)).await?)
    }

    /// The newest line's place and hash: noted elsewhere, it shows that nothing was cut off.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_head(&self) -> anyhow::Result<Head> {
        Ok(self.store.audit_head().await?)
    }

    /// Verifies the chain of the audit log, and compares it with earlier heads.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn verify_audit(&self, against: &[Head]) -> anyhow::Result<Verified> {
        let verification = self.store.verify_audit(against).await?;
        let mut findings = verification.findings;
        if verification.unlisted > 0 {
            findings.push(format!("另有 {} 处没有列出", verification.unlisted));
        }
        let head = if findings.is_empty() { Some(self.store.audit_head().await?) } else { None };
        Ok(Verified { records: verification.records, erased: 0, findings, head })
    }

    /// Notes that a table is taken out, before it is.
    ///
    /// # Errors
    /// When the database fails; then nothing may be given out.
    pub async fn record_export(&self, act: &Act, object: &str) -> anyhow::Result<()> {
        let mut writing = self.store.begin().await?;
        writing.audit(act.line(self.now(), Outcome::Done, object, &[])).await?;
        Ok(writing.commit().await?)
    }

    /// Notes that a file is deleted because nobody said in time of which table it is, before it is.
    ///
    /// # Errors
    /// When the database fails; then the file must be kept.
    pub async fn record_given_up(&self, act: &Act, job: &str, file: &str, unit: &str) -> anyhow::Result<()> {
        let mut writing = self.store.begin().await?;
        let detail = [("file", Value::Text(file.to_owned())), ("unit", Value::Text(unit.to_owned()))];
        writing.audit(act.line(self.now(), Outcome::Done, format!("job/{job}"), &detail)).await?;
        Ok(writing.commit().await?)
    }

    /// One personal value of one record in clear. That it was seen, by whom and why, is on the audit log
    /// before it is given.
    ///
    /// # Errors
    /// [`WrongInput`] without a reason or when there is nothing to see, [`NotPermitted`] beyond the duties or
    /// the scope of the person.
    pub async fn unmask(&self, act: &Act, seq: Seq, field: &str, reason: &str) -> anyhow::Result<Personal> {
        act.require(Permission::Unmask)?;
        let reason = reason.trim();
        if reason.chars().count() < SHORTEST_REASON {
            return Err(
                WrongInput(format!("请写明查看原因，至少 {SHORTEST_REASON} 个字，例如“核对处罚当事人身份”")).into()
            );
        }
        let object = format!("record/{seq}/{field}");
        let records = self.store.records(seq, 1).await?;
        let record = records.into_iter().map(|entry| entry.record).find(|record| record.seq == seq);
        let record = record.ok_or_else(|| WrongInput(format!("台账没有第 {seq} 条记录")))?;
        if act.actor.as_ref().is_some_and(|actor| !actor.sees_unit(&record.source_unit)) {
            let refusal = "这条记录由其他单位报送，不在您的数据范围内";
            self.record_denial(act, &object, refusal).await?;
            return Err(NotPermitted(refusal.to_owned()).into());
        }
        let clear = self.store.open_personal(seq, field).await?;
        let clear = clear.ok_or_else(|| WrongInput(format!("第 {seq} 条记录没有这一项个人信息，或已依法销毁")))?;
        let mut writing = self.store.begin().await?;
        let detail = [("reason", Value::Text(reason.to_owned()))];
        writing.audit(act.line(self.now(), Outcome::Done, object, &detail)).await?;
        writing.commit().await?;
        Ok(clear)
    }
}
