//! The audit log (审计日志) for those who read it, and the one way to see a personal value in clear.
//! There is no way to delete a line: it is kept for good.

use std::path::Path;

use serde::Serialize;
use xinheng_core::audit::Outcome;
use xinheng_core::ledger::Head;
use xinheng_core::record::{Personal, Seq, Value};
use xinheng_core::staff::Permission;
use xinheng_exchange::{TableFormat, TableWriter};
pub use xinheng_store::{AuditEntry, AuditFilter};

use crate::act::{Act, Actor, NotPermitted};
use crate::ledger::{Handout, Verified};
use crate::words::{china_time, preface};
use crate::{Bureau, Stage, Watcher, WrongInput};

/// Lines of the audit log that were handed out.
#[derive(Clone, Debug, Serialize)]
pub struct AuditExport {
    /// How many.
    pub lines: u64,
    /// Place and hash of the last: where the next export goes on, and what the log is verified against later.
    pub head: Head,
}

/// Columns of the log as a table, in the order in which pages show them.
pub const AUDIT_HEADINGS: [&str; 9] = ["序号", "时间", "账号", "角色", "来源", "操作", "对象", "结果", "说明"];
/// Lines of the longest table.
const MOST_IN_TABLE: u64 = 100_000;
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
    pub async fn verify_audit(&self, against: &[Head], watcher: Watcher<'_>) -> anyhow::Result<Verified> {
        // How many there are would be asked of the newest line: that it is damaged is a finding, not an error.
        let progress = |seq: Seq| {
            let done = seq.0.unsigned_abs();
            watcher(Stage { name: "核验审计日志".to_owned(), done, total: done });
        };
        let mut verified = Verified::of("审计日志", self.store.verify_audit(against, progress).await?);
        if verified.findings.is_empty() {
            verified.head = Some(self.store.audit_head().await?);
        }
        Ok(verified)
    }

    /// Writes the audit log as JSON lines, to be kept by another system: all of it, or what came after an earlier head.
    /// The newest line written is the one that says so. Compressed when the file's name ends in `.zst`.
    ///
    /// # Errors
    /// [`WrongInput`] when the log no longer is what the head says; when the file cannot be written or the database fails.
    pub async fn export_audit(&self, act: &Act, file: &Path, after: Head) -> anyhow::Result<AuditExport> {
        if after.seq > Seq(0) {
            let then = self.store.audit(&AuditFilter::default(), Some(Seq(after.seq.0 + 1)), 1).await?;
            let holds = then.first().is_some_and(|entry| entry.seq == after.seq && entry.hash == after.hash);
            let refusal = || {
                WrongInput(format!(
                    "审计日志第 {} 条与给出的凭据不符：日志被改写过，或末尾被删除，或凭据不是这个数据库的。\
                     没有导出；请用 xinheng audit verify --against 凭据 核验",
                    after.seq
                ))
            };
            holds.then_some(()).ok_or_else(refusal)?;
        }
        let mut handout = Handout::create(file)?;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        self.record_export(act, &format!("audit/{}/{name}", after.seq)).await?;
        let head = self.store.export_audit(after, &mut handout).await?;
        handout.finish()?;
        Ok(AuditExport { lines: (head.seq.0 - after.seq.0).unsigned_abs(), head })
    }

    /// Writes the lines that a filter finds into a workbook, from the newest, each as it is worded for people; returns how
    /// many. Of more than a workbook holds with ease the newest, and its last row says so.
    ///
    /// # Errors
    /// When the file cannot be written or the database fails.
    pub async fn export_audit_table(
        &self,
        filter: &AuditFilter,
        asked: &str,
        actor: &Actor,
        file: &Path,
        worded: impl Fn(AuditEntry) -> [String; AUDIT_HEADINGS.len()],
    ) -> anyhow::Result<u64> {
        let now = china_time(self.now());
        let preface = preface(("查询条件", asked), actor, &now);
        let mut table = TableWriter::create_with_preface(file, TableFormat::Xlsx, &preface, &AUDIT_HEADINGS, true)?;
        let (mut written, mut before) = (0, None);
        loop {
            let page = self.store.audit(filter, before, LONGEST_PAGE).await?;
            let Some(last) = page.last() else { break };
            if written >= MOST_IN_TABLE {
                let rest = format!("更早的日志没有列出：一次至多导出 {MOST_IN_TABLE} 条，请缩短日期范围");
                table.write(&[rest.as_str()])?;
                break;
            }
            before = Some(last.seq);
            written += page.len() as u64;
            for line in page {
                table.write(&worded(line).each_ref().map(String::as_str))?;
            }
        }
        table.finish()?;
        Ok(written)
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
        let detail = [("file", Value::from(file)), ("unit", Value::from(unit))];
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
        let detail = [("reason", Value::from(reason))];
        writing.audit(act.line(self.now(), Outcome::Done, object, &detail)).await?;
        writing.commit().await?;
        Ok(clear)
    }
}
