//! The rulebook at work: where it comes from, which version a ledger uses, what the bureau has signed.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use include_dir::{Dir, include_dir};
use serde::Serialize;
use xinheng_core::audit::Outcome;
use xinheng_core::ledger::Hash;
use xinheng_core::record::{Day, Draft, EnterpriseKeys, Personal, Record, Seq, Value};
use xinheng_core::rulebook::Status;
use xinheng_core::rulebook::load::{RuleError, RuleFile, RuleLine, Rulebook};
use xinheng_core::staff::Permission;
use xinheng_store::{Body, NewRecord, NewSubmission, SIGNATURE};

use crate::act::Act;
use crate::{Bureau, WrongInput};

static EMBEDDED: Dir = include_dir!("$CARGO_MANIFEST_DIR/../../regulations");

/// The rule files that the binary was built with.
#[must_use]
pub fn embedded() -> Vec<RuleFile> {
    let mut files = Vec::new();
    let mut folders = vec![&EMBEDDED];
    while let Some(folder) = folders.pop() {
        folders.extend(folder.dirs());
        files.extend(folder.files().map(|file| RuleFile {
            path: file.path().to_string_lossy().replace('\\', "/"),
            text: file.contents_utf8().unwrap_or_default().to_owned(),
        }));
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

/// The rule files of a folder.
///
/// # Errors
/// When the folder or a file in it cannot be read.
pub fn from_folder(root: &Path) -> anyhow::Result<Vec<RuleFile>> {
    if !root.is_dir() {
        return Err(WrongInput(format!("规则库文件夹“{}”不存在。请核对路径", root.display())).into());
    }
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let unreadable = || format!("读不出规则库文件夹“{}”", folder.display());
        for entry in std::fs::read_dir(&folder).with_context(unreadable)? {
            let path = entry.with_context(unreadable)?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).map_err(|error| {
                WrongInput(format!("读不出规则文件“{}”（应为 UTF-8 文本）：{error}", path.display()))
            })?;
            let relative = path.strip_prefix(root).expect("found below the root");
            files.push(RuleFile { path: relative.to_string_lossy().replace('\\', "/"), text });
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

/// Loads rule files, or says everything that is wrong with them.
///
/// # Errors
/// [`WrongInput`] with a line for each fault.
pub fn load(files: &[RuleFile]) -> anyhow::Result<Rulebook> {
    Rulebook::load(files).map_err(|errors| refused(&errors))
}

/// The faults of rule files as one error.
#[must_use]
pub fn refused(errors: &[RuleError]) -> anyhow::Error {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    WrongInput(format!("规则文件有 {} 处问题：\n{}", errors.len(), lines.join("\n"))).into()
}

/// What the bureau had signed at some point of the ledger: rule and wording, and by how many persons.
#[derive(Clone, Debug, Default)]
pub struct Signatures(Arc<HashMap<(String, String), usize>>);

impl Signatures {
    /// Whether a rule may act on a day: it is confirmed, or a default that enough persons have signed in exactly this
    /// wording.
    #[must_use]
    pub fn act(&self, rulebook: &Rulebook, rule: &str, day: Day) -> bool {
        rulebook.rule(rule, day).is_some_and(|line| line.head.status == Status::Confirmed || self.missing(&line) == 0)
    }

    /// With those of further records.
    pub(crate) fn with(&self, records: &[Record]) -> Self {
        let mut signed = HashMap::clone(&self.0);
        for record in records {
            let text = |field| record.payload.text(field).unwrap_or_default().to_owned();
            *signed.entry((text("rule"), text("digest"))).or_default() += 1;
        }
        Self(Arc::new(signed))
    }

    /// Whether the same rules may act by both.
    pub(crate) fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }

    /// How many persons have still to sign a default.
    fn missing(&self, line: &RuleLine) -> usize {
        let wording = (line.id.clone(), line.digest.clone());
        line.head.signatures.saturating_sub(self.0.get(&wording).copied().unwrap_or_default())
    }
}

/// A signature taken into the ledger.
#[derive(Debug, Serialize)]
pub struct Signed {
    /// Rule.
    pub rule: String,
    /// 名称
    pub title: String,
    /// Digest of its wording.
    pub digest: String,
    /// The signature's record; none when enough persons had signed the same wording before.
    pub seq: Option<Seq>,
    /// How many other persons have still to sign before it acts.
    pub missing: usize,
}

impl fmt::Display for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seq {
            Some(seq) if self.missing > 0 => {
                let Self { rule, title, missing, .. } = self;
                write!(f, "已签署 {rule}（{title}），记入台账第 {seq} 条；还须另外 {missing} 人签署才起作用")
            }
            Some(seq) => write!(f, "已签署 {}（{}），记入台账第 {seq} 条；今后的分类据此生效", self.rule, self.title),
            None => write!(f, "{}（{}）的这一文本此前已签署，没有变化", self.rule, self.title),
        }
    }
}

impl Bureau {
    /// Signs a default of ours in its wording of today. It acts once as many different persons have as it asks for.
    ///
    /// # Errors
    /// [`WrongInput`] when there is no such rule, it needs no signature, or it lacks another person's.
    pub async fn sign(&self, act: &Act, rule: &str, by: &str, unit: &str) -> anyhow::Result<Signed> {
        act.require(Permission::SignRules)?;
        let today = self.today();
        let line = self.rulebook.rule(rule, today).ok_or_else(|| {
            WrongInput(format!(
                "{today} 没有规则“{rule}”。用 xinheng rulebook show 列出全部规则，编号形如 models/general"
            ))
        })?;
        let mut signed = Signed {
            rule: rule.to_owned(),
            title: line.head.title.clone(),
            digest: line.digest.clone(),
            seq: None,
            missing: 0,
        };
        if line.head.status == Status::Confirmed {
            return Err(WrongInput(format!("“{}”依据已核实，不需要签署", signed.title)).into());
        }
        let received_at = self.now();
        let missing = self.signatures(Seq(i64::MAX)).await?.missing(&line);
        if missing == 0 {
            return Ok(signed);
        }
        let new = NewSubmission {
            file_name: format!("签署 {rule}"),
            file_digest: Hash::of(&[
                rule.as_bytes(),
                line.digest.as_bytes(),
                &missing.to_be_bytes(),
                received_at.to_string().as_bytes(),
            ])
            .0,
            table_id: SIGNATURE.to_owned(),
            unit: unit.to_owned(),
            edition: None,
            received_at,
        };
        let mut writing = self.store.begin().await?;
        let submission = writing.open_submission(&new).await?;
        let fields = [("rule", rule), ("digest", &line.digest), ("rulebook", self.rulebook.version()), ("unit", unit)];
        let draft = Draft {
            line: 1,
            part: 0,
            kind: SIGNATURE.into(),
            keys: EnterpriseKeys::default(),
            occurred_on: today,
            document_number: None,
            version: None,
            withdrawn: false,
            correction: None,
            payload: fields.iter().map(|(name, text)| (*name, Value::from(*text))).collect(),
            personal: BTreeMap::from([("signed_by".to_owned(), Personal::new(by))]),
        };
        let kind = self.rulebook.kind(SIGNATURE, today).context("规则库缺少记录种类 rulebook_signature")?;
        let sealed = self.sealer.seal(submission.number, kind, draft)?;
        if !writing.standings(&[sealed.identity]).await?.is_empty() {
            let words = format!("您已签署过“{}”的这一文本；它还须另外 {missing} 人签署才起作用", signed.title);
            return Err(WrongInput(words).into());
        }
        let head = writing
            .append(vec![NewRecord {
                body: Body::Draft(sealed),
                enterprise: None,
                supersedes: None,
                received_at: submission.received_at,
                source_unit: unit.into(),
            }])
            .await?;
        writing.audit(act.line(received_at, Outcome::Done, format!("rule/{rule}"), &[])).await?;
        writing.finish_submission(submission.number, &serde_json::json!({ "accepted": 1 })).await?;
        writing.commit().await?;
        (signed.seq, signed.missing) = (Some(head.seq), missing - 1);
        Ok(signed)
    }

    /// Signs a default in the name of whoever is signed in.
    ///
    /// # Errors
    /// As [`Self::sign`].
    pub async fn sign_as(&self, act: &Act, rule: &str) -> anyhow::Result<Signed> {
        let actor = act.signed_in()?;
        self.sign(act, rule, &actor.name, &actor.unit).await
    }

    /// The rules in force today, with what the bureau has signed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rules_and_signatures(&self) -> anyhow::Result<Vec<RuleStanding>> {
        let today = self.today();
        let signatures = self.signatures(Seq(i64::MAX)).await?;
        let in_force = self.rulebook.rules().filter(|rule| rule.head.in_force(today));
        let standing = in_force.map(|rule| RuleStanding {
            signed: signatures.act(&self.rulebook, &rule.id, today),
            signatures: rule.head.signatures,
            missing: signatures.missing(&rule),
            confirmed: rule.head.status == Status::Confirmed,
            title: rule.head.title.clone(),
            cite: rule.head.cite.iter().map(ToString::to_string).collect::<Vec<_>>().join("、"),
            note: rule.head.note.clone(),
            id: rule.id,
        });
        let mut standing: Vec<RuleStanding> = standing.collect();
        standing.sort_by(|one, other| (one.confirmed, &one.id).cmp(&(other.confirmed, &other.id)));
        Ok(standing)
    }

    /// The exchange tables that files may be of: id and title.
    #[must_use]
    pub fn tables(&self) -> Vec<(String, String)> {
        let tables = self.rulebook.tables(self.today());
        tables.map(|table| (table.rule.id.value.clone(), table.rule.title.clone())).collect()
    }
}

/// A rule, and whether it may act.
#[derive(Clone, Debug, Serialize)]
pub struct RuleStanding {
    /// Id, such as `models/general`.
    pub id: String,
    /// 名称
    pub title: String,
    /// Whether it is law; a default of ours acts only once signed.
    pub confirmed: bool,
    /// Whether it is confirmed or signed in its wording of today.
    pub signed: bool,
    /// How many persons have to sign it.
    pub signatures: usize,
    /// How many of them have not yet.
    pub missing: usize,
    /// Where it is written.
    pub cite: String,
    /// Remarks.
    pub note: Option<String>,
}
