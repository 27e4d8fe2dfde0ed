//! Collecting (归集): a file in, records in the ledger, bad rows back in an error workbook.
//!
//! One thread reads, checks and seals; this one decides and appends, some batches a transaction. A killed
//! import is handed in again: its submission is resumed with the moment it was first received, rows that
//! are already there are recognised by their place, and the workbook of bad rows is complete again.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::Serialize;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use xinheng_core::audit::Outcome as Audited;
use xinheng_core::collect::{Decision, Identity, Standing, decide};
use xinheng_core::credit_code::CreditCode;
use xinheng_core::record::{Day, Draft, EnterpriseKeys, GIVEN_NAME, Personal, Seq};
use xinheng_core::rulebook::kind::Nature;
use xinheng_core::rulebook::load::Rulebook;
use xinheng_core::rulebook::table::Table;
use xinheng_exchange::{Cells, ErrorWorkbook, Fault, FileError, Forms, ReadOptions, Row};
use xinheng_store::{Body, NewRecord, NewSubmission, REGISTRATION, SealedDraft, Sealer, Submission, Writing, given};

use crate::act::Act;
use crate::deadline::ClockKeeper;
use crate::{Bureau, Stage, Watcher, WrongInput};

/// The source of a file whose unit nobody named.
pub const UNSPECIFIED_UNIT: &str = "未指明";

/// Rows decided together: as many as the store puts into a table with few statements.
pub const BATCH_ROWS: usize = 1_024;

/// Batches that are read ahead, beside those foreseen: while a turn is ended only the database has work, and the reader
/// goes on for as long as these last. Each takes 5 to 7 MiB.
const BATCHES_AHEAD: usize = 3;

/// Batches whose standings the database is asked for ahead: it answers the one after next while it takes the one before.
const FORESEEN: usize = 2;

/// For about so long an import writes in one transaction: a kill loses no more. In each transaction every
/// page of the database that was changed is written once, so that few long ones are faster than many short.
/// Another process that wants to write waits as long.
pub const TURN: Duration = Duration::from_secs(4);

/// Others who write wait for about so long.
const SHORT_TURN: Duration = Duration::from_secs(1);

/// Between two turns. Another process that waits for SQLite looks every tenth of a second whether it may write.
const PAUSE: Duration = Duration::from_millis(110);

/// A file handed in.
pub struct ImportRequest<'a> {
    /// The file.
    pub path: &'a Path,
    /// Table, when the header row is not to be trusted to tell.
    pub table: Option<&'a str>,
    /// Unit that hands it in.
    pub unit: &'a str,
    /// Day that the data is of.
    pub edition: Option<Day>,
    /// A mapping of the user's own.
    pub mapping: Option<&'a Table>,
    /// Where the error workbook goes.
    pub errors: Option<&'a Path>,
    /// Only check; nothing is appended.
    pub dry_run: bool,
    /// Who hands it in, for the audit log; none on the command line.
    pub act: Option<&'a Act>,
}

impl<'a> ImportRequest<'a> {
    /// A file that a unit hands in as it is.
    #[must_use]
    pub fn new(path: &'a Path, unit: &'a str) -> Self {
        Self { path, table: None, unit, edition: None, mapping: None, errors: None, dry_run: false, act: None }
    }
}

/// The headings of a file are those of several tables: whoever hands it in has to say which one it is.
#[derive(Debug, Error)]
#[error("{sentence}")]
pub struct WhichTable {
    /// What it is and what to do on the command line.
    pub sentence: String,
    /// The tables: id and title.
    pub tables: Vec<(String, String)>,
}

/// What became of a file's rows: `rows = accepted + known + older + refused`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The file.
    pub file: String,
    /// The table it was recognised as.
    pub table: String,
    /// Number of the submission; none for a dry run.
    pub submission: Option<i64>,
    /// Whether an interrupted import was carried on.
    pub resumed: bool,
    /// Rows read.
    pub rows: u64,
    /// Rows that brought new records, superseding ones among them.
    pub accepted: u64,
    /// Rows that say what is on record already.
    pub known: u64,
    /// Accepted rows that superseded an earlier version or were corrections.
    pub superseding: u64,
    /// Rows older than what is on record.
    pub older: u64,
    /// Rows given back.
    pub refused: u64,
    /// Accepted rows whose enterprise is not known yet.
    pub waiting: u64,
    /// Waiting records of earlier files that this file's registrations resolved.
    pub matched: u64,
    /// Columns nobody knows; kept encrypted.
    pub unknown_columns: Vec<String>,
    /// The workbook with the refused rows.
    pub errors_file: Option<PathBuf>,
    /// Whether nothing was appended on purpose.
    pub dry_run: bool,
}

impl Outcome {
    /// Whether a person has to look at something.
    #[must_use]
    pub fn has_findings(&self) -> bool {
        self.refused > 0
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let resumed = if self.resumed { "（接续上次中断的导入）" } else { "" };
        writeln!(f, "{}：识别为“{}”{resumed}", self.file, self.table)?;
        let verb = if self.dry_run { "可入账" } else { "入账" };
        write!(f, "  共 {} 行：{verb} {}", self.rows, self.accepted)?;
        let details: Vec<String> = [(self.superseding, "更新已有"), (self.waiting, "待匹配企业")]
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, words)| format!("{words} {count}"))
            .collect();
        if !details.is_empty() {
            write!(f, "（{}）", details.join("，"))?;
        }
        writeln!(f, "，已有 {}，较旧 {}，退回 {}", self.known, self.older, self.refused)?;
        if self.matched > 0 {
            writeln!(f, "  此前待匹配的 {} 条记录已找到企业", self.matched)?;
        }
        if self.accepted == 0 && self.refused == 0 {
            writeln!(f, "  没有任何变化：这些内容都已在账")?;
        }
        if !self.unknown_columns.is_empty() {
            writeln!(f, "  不认识的列已加密留存：{}", self.unknown_columns.join("、"))?;
        }
        if let Some(errors) = &self.errors_file {
            writeln!(f, "  退回的行见 {}，改好后可直接再次导入", errors.display())?;
        }
        Ok(())
    }
}

/// What the reading thread says once the file is recognised.
struct Opened {
    digest: [u8; 32],
    table: String,
    table_title: String,
    headings: Vec<String>,
    unknown_columns: Vec<String>,
}

/// A row, checked and sealed.
struct ReadRow {
    line: i64,
    cells: Cells,
    outcome: Result<Vec<SealedDraft>, Vec<Fault>>,
}

struct Batch {
    rows: Vec<ReadRow>,
    read: u64,
    total: u64,
}

impl Bureau {
    /// Imports a file.
    ///
    /// # Errors
    /// [`WrongInput`] for a file that cannot be read as a whole and [`WhichTable`] for one of which a person has
    /// to say what it is, and then nothing has changed; any other
    /// error when the system failed, and then what was committed stays and the same call carries on.
    pub async fn import(&self, request: &ImportRequest<'_>, watcher: Watcher<'_>) -> anyhow::Result<Outcome> {
        let (opened_tx, opened_rx) = oneshot::channel();
        let (number_tx, number_rx) = oneshot::channel();
        let (batches_tx, mut batches) = mpsc::channel::<anyhow::Result<Batch>>(BATCHES_AHEAD);
        let reader = Reader {
            path: request.path.to_owned(),
            table: request.table.map(str::to_owned),
            edition: request.edition,
            mapping: request.mapping.cloned(),
            today: self.today(),
            rulebook: Arc::clone(&self.rulebook),
            sealer: self.sealer.clone(),
        };
        let reading = tokio::task::spawn_blocking(move || reader.read(opened_tx, number_rx, &batches_tx));

        let file = request.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let wrong = |error: FileError| wrong_file(request.path, &error);
        let opened = opened_rx.await.context("读文件的线程意外结束")?.map_err(wrong)?;
        let unit = self.unit_called(request.unit).await?;
        // Of a small file everything is one transaction, the submission and the levels among it.
        let mut writing = self.store.begin_many().await?;
        let submission = self.submission(&mut writing, request, &unit, &file, &opened).await?;
        number_tx.send(submission.number).ok();

        let mut admission = Admission {
            rulebook: &self.rulebook,
            clocks: ClockKeeper::new(&self.rulebook),
            unit: &unit,
            day: self.today(),
            submission,
            outcome: Outcome {
                file,
                table: opened.table_title,
                submission: (!request.dry_run).then_some(submission.number),
                resumed: submission.resumed,
                unknown_columns: opened.unknown_columns,
                dry_run: request.dry_run,
                ..Outcome::default()
            },
            workbook: None,
            workbook_path: request.errors.map_or_else(|| errors_path(request.path), Path::to_owned),
            headings: opened.headings,
        };
        let name = format!("导入 {}", admission.outcome.file);
        let mut turn = Some((writing, Instant::now()));
        let mut ahead = VecDeque::new();
        loop {
            let batch = match ahead.pop_front() {
                Some(batch) => Some(batch),
                None => batches.recv().await,
            };
            let Some(batch) = batch else { break };
            let Batch { rows, read, total } = batch?;
            let (mut writing, since) = match turn.take() {
                Some(turn) => turn,
                None => (self.store.begin_many().await?, Instant::now()),
            };
            while ahead.len() < FORESEEN
                && let Ok(next) = batches.try_recv()
            {
                if let Ok(next) = &next {
                    writing.foresee(&identities(&next.rows));
                }
                ahead.push_back(next);
            }
            admission.admit(&mut writing, rows).await?;
            let turn_is =
                if writing.is_awaited() { self.surroundings.turn.min(SHORT_TURN) } else { self.surroundings.turn };
            // A dry run is one transaction that is never committed.
            if request.dry_run || since.elapsed() < turn_is {
                turn = Some((writing, since));
            } else {
                writing.commit().await?;
                tokio::time::sleep(PAUSE).await;
            }
            watcher(Stage { name: name.clone(), done: read, total });
        }
        reading.await.context("读文件的线程意外结束")?;
        let outcome = admission.finish()?;
        if request.dry_run {
            return Ok(outcome);
        }
        let mut writing = match turn {
            Some((writing, _)) => writing,
            None => self.store.begin_many().await?,
        };
        writing.finish_submission(submission.number, &serde_json::to_value(&outcome)?).await?;
        self.commit_with_levels(writing).await?;
        Ok(outcome)
    }

    async fn submission(
        &self,
        writing: &mut Writing,
        request: &ImportRequest<'_>,
        unit: &str,
        file: &str,
        opened: &Opened,
    ) -> anyhow::Result<Submission> {
        let received_at = self.now();
        if request.dry_run {
            return Ok(Submission { number: 0, received_at, resumed: false });
        }
        let new = NewSubmission {
            file_name: file.to_owned(),
            file_digest: opened.digest,
            table_id: opened.table.clone(),
            unit: unit.to_owned(),
            edition: request.edition,
            received_at,
        };
        let submission = writing.open_submission(&new).await?;
        if let (Some(act), false) = (request.act, submission.resumed) {
            let object = format!("submission/{}", submission.number);
            writing.audit(act.line(received_at, Audited::Done, object, &[])).await?;
        }
        Ok(submission)
    }
}

/// `检查结果.xlsx` → `检查结果.错误.xlsx`, beside the file.
pub(crate) fn errors_path(file: &Path) -> PathBuf {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!("{stem}.错误.xlsx"))
}

/// The reading thread's share.
struct Reader {
    path: PathBuf,
    table: Option<String>,
    edition: Option<Day>,
    mapping: Option<Table>,
    today: Day,
    rulebook: Arc<Rulebook>,
    sealer: Sealer,
}

impl Reader {
    fn read(
        &self,
        opened: oneshot::Sender<Result<Opened, FileError>>,
        number: oneshot::Receiver<i64>,
        batches: &mpsc::Sender<anyhow::Result<Batch>>,
    ) {
        let forms = Forms::new(&self.rulebook, self.today);
        let options = ReadOptions { table: self.table.clone(), mapping: self.mapping.as_ref(), edition: self.edition };
        let mut source = match xinheng_exchange::open(&self.path, &forms, &options) {
            Ok(source) => source,
            Err(error) => {
                opened.send(Err(error)).ok();
                return;
            }
        };
        let sent = opened.send(Ok(Opened {
            digest: source.digest(),
            table: source.table().rule.id.value.clone(),
            table_title: source.table().rule.title.clone(),
            headings: source.headings().to_vec(),
            unknown_columns: source.unknown_columns(),
        }));
        let (Ok(()), Ok(submission)) = (sent, number.blocking_recv()) else { return };
        loop {
            let rows: anyhow::Result<Vec<ReadRow>> =
                source.by_ref().take(BATCH_ROWS).map(|row| self.read_row(submission, row)).collect();
            let batch = rows.map(|rows| Batch { rows, read: source.bytes_read(), total: source.bytes_total() });
            let last = batch.as_ref().map_or(true, |batch| batch.rows.is_empty());
            if batches.blocking_send(batch).is_err() || last {
                return;
            }
        }
    }

    fn read_row(&self, submission: i64, row: Result<Row, FileError>) -> anyhow::Result<ReadRow> {
        let Row { line, cells, outcome } = row.map_err(|error| wrong_file(&self.path, &error))?;
        let outcome = match outcome {
            Err(faults) => Err(faults),
            Ok(drafts) => Ok(drafts
                .into_iter()
                .map(|mut draft| {
                    let kind = self.rulebook.kind(&draft.kind, self.today).context("草稿的记录种类不在规则库中")?;
                    hide_name(&mut draft);
                    Ok(self.sealer.seal(submission, kind, draft)?)
                })
                .collect::<anyhow::Result<_>>()?),
        };
        Ok(ReadRow { line, cells, outcome })
    }
}

/// A name alone identifies nobody for certain, and may be a natural person's: it is sealed, and a person
/// decides whose the record is.
fn hide_name(draft: &mut Draft) {
    let name = draft.keys.name.take();
    if let (None, Some(name)) = (first_key(&draft.keys), name) {
        draft.personal.insert(GIVEN_NAME.to_owned(), Personal::new(name));
    }
}

/// The key that decides whose a row is, with the name under which a waiting record keeps it.
fn first_key(keys: &EnterpriseKeys) -> Option<(&'static str, String)> {
    keys.credit_code
        .map(|code| (given::CREDIT_CODE, code.to_string()))
        .or_else(|| keys.main_identity.as_ref().map(|key| (given::MAIN_IDENTITY, key.to_string())))
        .or_else(|| keys.registration_number.as_ref().map(|key| (given::REGISTRATION_NUMBER, key.to_string())))
}

pub(crate) fn wrong_file(path: &Path, error: &FileError) -> anyhow::Error {
    let sentence = format!("{}：{error}", path.display());
    match error {
        FileError::SeveralTables { candidates } => WhichTable { sentence, tables: candidates.clone() }.into(),
        _ => WrongInput(sentence).into(),
    }
}

/// What a row does, once all its drafts are decided.
enum Verdict {
    /// New records, and how many of them supersede.
    Accept(Vec<(SealedDraft, Option<Seq>)>),
    /// Already appended by this submission before it was interrupted.
    Present,
    Known,
    Older,
    Refuse(Vec<Fault>),
}

/// Decides and appends the rows of one submission.
struct Admission<'a> {
    rulebook: &'a Rulebook,
    clocks: ClockKeeper<'a>,
    unit: &'a str,
    day: Day,
    submission: Submission,
    outcome: Outcome,
    workbook: Option<ErrorWorkbook>,
    workbook_path: PathBuf,
    headings: Vec<String>,
}

impl Admission<'_> {
    async fn admit(&mut self, writing: &mut Writing, rows: Vec<ReadRow>) -> anyhow::Result<()> {
        let drafts = || rows.iter().filter_map(|row| row.outcome.as_ref().ok()).flatten();
        // A registration is its own enterprise's: nobody is looked up for it.
        let keys = drafts().map(|sealed| match sealed.draft().kind.as_str() {
            REGISTRATION => EnterpriseKeys::default(),
            _ => sealed.draft().keys.clone(),
        });
        let keys: Vec<EnterpriseKeys> = keys.collect();
        let identities = identities(&rows);
        let mut matches = writing.match_enterprises(&keys).await?.into_iter();
        let mut standings = writing.standings(&identities).await?;
        let present = match (rows.first(), rows.last()) {
            (Some(first), Some(last)) if self.submission.resumed => {
                writing.places_present(self.submission.number, first.line, last.line).await?
            }
            _ => HashSet::new(),
        };
        let mut next = writing.head().seq;
        let mut registered: HashSet<CreditCode> = HashSet::new();
        let mut new: Vec<NewRecord> = Vec::with_capacity(keys.len());

        for ReadRow { line, cells, outcome } in rows {
            self.outcome.rows += 1;
            let verdict = match outcome {
                Err(faults) => Verdict::Refuse(faults),
                Ok(drafts) => {
                    let owners: Vec<_> = drafts.iter().map(|_| matches.next().flatten()).collect();
                    let verdict = self.decide(drafts, &standings, &present);
                    if let Verdict::Accept(records) = verdict {
                        let mut waits = false;
                        let mut supersedes_any = false;
                        for ((sealed, supersedes), owner) in records.into_iter().zip(owners) {
                            next = Seq(next.0 + 1);
                            let owner = self.owner(&sealed, owner, &mut registered);
                            waits |= owner.is_none();
                            supersedes_any |= supersedes.is_some();
                            standings.insert(sealed.identity, standing(&sealed, next));
                            new.push(self.record(sealed, owner, supersedes));
                        }
                        self.outcome.accepted += 1;
                        self.outcome.waiting += u64::from(waits);
                        self.outcome.superseding += u64::from(supersedes_any);
                        continue;
                    }
                    verdict
                }
            };
            match verdict {
                Verdict::Present => self.outcome.accepted += 1,
                Verdict::Known => self.outcome.known += 1,
                Verdict::Older => self.outcome.older += 1,
                Verdict::Refuse(faults) => self.refuse(line, &cells, &faults)?,
                Verdict::Accept(_) => unreachable!("accepted rows went on above"),
            }
        }
        self.clocks.append(writing, new).await?;
        let registered: Vec<CreditCode> = registered.into_iter().collect();
        self.match_waiting(writing, &registered).await
    }

    /// All parts of a row go in or none does.
    fn decide(
        &self,
        drafts: Vec<SealedDraft>,
        standings: &HashMap<Identity, Standing>,
        present: &HashSet<(i64, i16)>,
    ) -> Verdict {
        let mut accepted = Vec::new();
        let mut faults = Vec::new();
        let (mut is_present, mut is_known) = (false, false);
        for sealed in drafts {
            let draft = sealed.draft();
            if present.contains(&(draft.line, draft.part)) {
                is_present = true;
                continue;
            }
            let nature = self.rulebook.kind(&draft.kind, self.day).map_or(Nature::Event, |kind| kind.nature);
            match decide(nature, draft, sealed.content, standings.get(&sealed.identity)) {
                Decision::Accept { supersedes } => accepted.push((sealed, supersedes)),
                Decision::Known => is_known = true,
                Decision::Older => {}
                Decision::Conflict { with } => faults.push(conflict(nature, with)),
                Decision::NothingToWithdraw => faults.push(Fault {
                    column: None,
                    reason: "删除标志要撤销的记录不在账上".to_owned(),
                    mend: "请先导入原记录，或去掉这一行".to_owned(),
                }),
            }
        }
        match () {
            () if !faults.is_empty() => Verdict::Refuse(faults),
            () if !accepted.is_empty() => Verdict::Accept(accepted),
            () if is_present => Verdict::Present,
            () if is_known => Verdict::Known,
            () => Verdict::Older,
        }
    }

    /// A registration is its own enterprise's; another record is the enterprise's that its keys match.
    fn owner(
        &self,
        sealed: &SealedDraft,
        matched: Option<CreditCode>,
        registered: &mut HashSet<CreditCode>,
    ) -> Option<CreditCode> {
        let code = sealed.draft().keys.credit_code;
        if sealed.draft().kind == REGISTRATION {
            registered.extend(code);
            return code;
        }
        matched.or(code.filter(|code| registered.contains(code)))
    }

    fn record(&self, mut sealed: SealedDraft, owner: Option<CreditCode>, supersedes: Option<Seq>) -> NewRecord {
        if owner.is_none()
            && let Some((name, key)) = first_key(&sealed.draft().keys)
        {
            sealed.keep_given(name, key);
        }
        NewRecord {
            body: Body::Draft(sealed),
            enterprise: owner,
            supersedes,
            received_at: self.submission.received_at,
            source_unit: self.unit.into(),
        }
    }

    async fn match_waiting(&mut self, writing: &mut Writing, registered: &[CreditCode]) -> anyhow::Result<()> {
        let waiting = writing.waiting_for(registered).await?;
        self.outcome.matched += waiting.len() as u64;
        let records = waiting
            .into_iter()
            .map(|(seq, enterprise)| {
                NewRecord::matching(seq, enterprise, self.submission.received_at, self.unit.into())
            })
            .collect();
        self.clocks.append(writing, records).await?;
        Ok(())
    }

    fn refuse(&mut self, line: i64, cells: &Cells, faults: &[Fault]) -> anyhow::Result<()> {
        self.outcome.refused += 1;
        let workbook = match &mut self.workbook {
            Some(workbook) => workbook,
            None => self.workbook.insert(ErrorWorkbook::create(&self.workbook_path, &self.headings)?),
        };
        Ok(workbook.write(line, cells, faults)?)
    }

    fn finish(mut self) -> anyhow::Result<Outcome> {
        if let Some(workbook) = self.workbook.take() {
            workbook.finish()?;
            self.outcome.errors_file = Some(self.workbook_path);
        }
        Ok(self.outcome)
    }
}

/// Of the rows that can be read.
fn identities(rows: &[ReadRow]) -> Vec<Identity> {
    rows.iter().filter_map(|row| row.outcome.as_ref().ok()).flatten().map(|sealed| sealed.identity).collect()
}

fn standing(sealed: &SealedDraft, seq: Seq) -> Standing {
    let draft = sealed.draft();
    Standing { seq, content: sealed.content, version: draft.version, withdrawn: draft.withdrawn }
}

fn conflict(nature: Nature, with: Seq) -> Fault {
    let (reason, mend) = match nature {
        Nature::Event => (
            format!("与已入账的第 {with} 条记录文号（编号）相同而内容不同"),
            "请核对哪一个正确；如果这一行是更正，请在“更正说明”列写明理由后再导入",
        ),
        Nature::State => (
            format!("与已入账的第 {with} 条记录版本日期相同而内容不同，无法判断哪一个更新"),
            "请用 --edition 说明本文件是哪一天的数据；如果这一行是更正，请在“更正说明”列写明理由后再导入",
        ),
    };
    Fault { column: None, reason, mend: mend.to_owned() }
}
