//! The ledger (台账) as a whole: verify it, rebuild everything from it, hand it out.

use std::fmt;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use serde::Serialize;
use xinheng_core::ledger::Head;
use xinheng_core::record::Seq;
use xinheng_core::rulebook::load::Rulebook;
use xinheng_store::{CLASSIFICATION, Scope, Verification, Writing};

use crate::classify::{OVER_ALL, RunRecord, classify_into};
use crate::deadline::ClockKeeper;
use crate::prepared::{Basis, Ready};
use crate::{Bureau, Stage, Watcher};

/// Records replayed at a time.
const PAGE: u64 = 5_000;

/// What a verification found.
#[derive(Clone, Debug, Serialize)]
pub struct Verified {
    /// What was verified: 台账 or 审计日志.
    pub chain: &'static str,
    /// Its records or lines.
    pub records: u64,
    /// Personal values that were erased by law; their commitments remain.
    pub erased: u64,
    /// What is wrong, a sentence each.
    pub findings: Vec<String>,
    /// The head, when nothing is wrong.
    pub head: Option<Head>,
}

impl Verified {
    /// What the store found on a chain; without its head.
    pub(crate) fn of(chain: &'static str, verification: Verification) -> Self {
        let Verification { records, erased, mut findings, unlisted } = verification;
        if unlisted > 0 {
            findings.push(format!("另有 {unlisted} 处没有列出"));
        }
        Self { chain, records, erased, findings, head: None }
    }
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.findings.iter().try_for_each(|finding| writeln!(f, "✗ {finding}"))?;
        let erased =
            if self.erased > 0 { format!("，依法销毁的个人信息 {} 项", self.erased) } else { String::new() };
        match &self.head {
            Some(head) => writeln!(f, "{}完好：{} 条{erased}，账头 {}", self.chain, self.records, head.hash),
            None => {
                let findings = self.findings.len();
                writeln!(f, "{}有问题：{} 条中发现上述 {findings} 处{erased}", self.chain, self.records)
            }
        }
    }
}

/// What a rebuild found.
#[derive(Clone, Debug, Serialize)]
pub struct Rebuilt {
    /// Records replayed.
    pub records: u64,
    /// Classification runs computed again.
    pub runs: u64,
    /// Runs whose levels came out otherwise than recorded.
    pub findings: Vec<String>,
}

impl fmt::Display for Rebuilt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "已由 {} 条记录重建全部派生数据，重算分类 {} 次", self.records, self.runs)?;
        self.findings.iter().try_for_each(|finding| writeln!(f, "  {finding}"))
    }
}

/// A file that is handed out, compressed when its name ends in `.zst`.
pub(crate) enum Handout {
    Plain(BufWriter<File>),
    Packed(zstd::Encoder<'static, BufWriter<File>>),
}

impl Handout {
    pub(crate) fn create(file: &Path) -> anyhow::Result<Self> {
        let created = File::create(file).with_context(|| format!("写不了文件“{}”", file.display()))?;
        let plain = BufWriter::new(created);
        Ok(match file.extension() {
            Some(extension) if extension == "zst" => {
                Self::Packed(zstd::Encoder::new(plain, zstd::DEFAULT_COMPRESSION_LEVEL)?)
            }
            _ => Self::Plain(plain),
        })
    }

    /// Only then the file is complete.
    pub(crate) fn finish(self) -> std::io::Result<()> {
        match self {
            Self::Plain(mut plain) => plain.flush(),
            Self::Packed(packed) => packed.finish()?.flush(),
        }
    }
}

impl Write for Handout {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(plain) => plain.write(bytes),
            Self::Packed(packed) => packed.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Plain(plain) => plain.flush(),
            Self::Packed(packed) => packed.flush(),
        }
    }
}

impl Bureau {
    /// Verifies the chain and the commitments, and compares with earlier heads.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn verify(&self, against: &[Head], watcher: Watcher<'_>) -> anyhow::Result<Verified> {
        let total = self.store.head().await?.seq.0.unsigned_abs();
        let progress =
            |seq: Seq| watcher(Stage { name: "核验台账".to_owned(), done: seq.0.unsigned_abs().min(total), total });
        let mut verified = Verified::of("台账", self.store.verify(against, progress).await?);
        if verified.findings.is_empty() {
            verified.head = Some(self.store.head().await?);
        }
        Ok(verified)
    }

    /// Drops everything derived and derives it again, run by run, each with the rulebook it was made with.
    /// All in one transaction: broken off, nothing has changed.
    ///
    /// # Errors
    /// When the database fails, or a rulebook that a run names was not kept.
    pub async fn rebuild(&self, watcher: Watcher<'_>) -> anyhow::Result<Rebuilt> {
        let mut writing = self.store.begin_many().await?;
        let total = writing.head().seq;
        let mut rebuilt = Rebuilt { records: 0, runs: 0, findings: Vec::new() };
        writing.clear_projections().await?;
        let mut clocks = ClockKeeper::new(&self.rulebook);
        let mut rules = None;
        let mut rest = Vec::new();
        let mut next = Seq(1);
        while next <= total {
            // The ledger itself is not touched: other connections read it meanwhile.
            let mut page = if rest.is_empty() { self.store.records(next, PAGE).await? } else { rest };
            // A run is computed when all before it, and nothing after it, has been replayed.
            let run = page.iter().position(|stored| stored.record.kind == CLASSIFICATION);
            rest = page.split_off(run.map_or(page.len(), |run| run + 1));
            let Some(last) = page.last() else { break };
            next = Seq(last.record.seq.0 + 1);
            rebuilt.records += page.len() as u64;
            writing.project(&page).await?;
            clocks.follow(&mut writing, &page).await?;
            if run.is_some() {
                let run = RunRecord::parse(&last.record.payload)?;
                rebuilt.runs += 1;
                rebuilt.findings.extend(self.replay(&mut writing, &mut rules, last.record.seq, &run).await?);
            }
            let done = rebuilt.records;
            watcher(Stage { name: "重建派生数据".to_owned(), done, total: total.0.unsigned_abs() });
        }
        writing.commit().await?;
        Ok(rebuilt)
    }

    /// Computes a run anew, with the rules of the run before where they are the same: most runs of a day are small.
    async fn replay(
        &self,
        writing: &mut Writing,
        rules: &mut Option<Arc<Ready>>,
        seq: Seq,
        run: &RunRecord,
    ) -> anyhow::Result<Option<String>> {
        let known_up_to = Seq(run.known_up_to);
        let signatures = self.signatures(known_up_to).await?;
        let same = |basis: &Basis| {
            basis.rulebook.version() == run.rulebook && basis.as_of == run.as_of && basis.signatures.same(&signatures)
        };
        let ready = match rules.take().filter(|ready| same(ready.borrow_owner())) {
            Some(ready) => ready,
            None => {
                let rulebook = Arc::new(self.kept_rulebook(&run.rulebook).await?);
                Ready::of(Basis { rulebook, signatures, as_of: run.as_of })
            }
        };
        *rules = Some(Arc::clone(&ready));
        let scope = if run.scope == OVER_ALL { Scope::All } else { Scope::Touched };
        let tally = classify_into(writing, ready, scope, known_up_to, &|_| ()).await?.tally;
        let differs = tally.digest().to_string() != run.digest;
        Ok(differs.then(|| format!("第 {seq} 条分类（截至 {}）重算的等级与当时入账的摘要不一致", run.as_of)))
    }

    /// The rulebook of a version that a run names.
    pub(crate) async fn kept_rulebook(&self, version: &str) -> anyhow::Result<Rulebook> {
        let bundle = self.store.rulebook(version).await?;
        let bundle = bundle.with_context(|| format!("数据库中没有规则库版本 {version}，无法重算当时的分类"))?;
        let rulebook = crate::rules::load(&serde_json::from_slice::<Vec<_>>(&bundle)?)?;
        anyhow::ensure!(rulebook.version() == version, "数据库中规则库版本 {version} 的内容已被改动");
        Ok(rulebook)
    }

    /// The rulebook of the last run that was known at a seq.
    pub(crate) async fn rulebook_known_at(&self, seq: Seq) -> anyhow::Result<Option<Rulebook>> {
        let before = Seq(seq.0.saturating_add(1));
        let runs = self.store.newest_system_records(CLASSIFICATION, Some(before), 1).await?;
        match runs.first() {
            Some(run) => Ok(Some(self.kept_rulebook(&RunRecord::parse(&run.payload)?.rulebook).await?)),
            None => Ok(None),
        }
    }

    /// Writes the ledger as JSON lines, compressed when the name ends in `.zst`.
    ///
    /// # Errors
    /// When the file cannot be written or the database fails.
    pub async fn export(&self, file: &Path, watcher: Watcher<'_>) -> anyhow::Result<Head> {
        let total = self.store.head().await?.seq.0.unsigned_abs();
        watcher(Stage { name: "导出台账".to_owned(), done: 0, total });
        let mut handout = Handout::create(file)?;
        let head = self.store.export(&mut handout).await?;
        handout.finish()?;
        Ok(head)
    }
}
