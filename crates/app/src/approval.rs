//! Approvals (审批): a matter is handled, reviewed and, where its procedure says so, approved; then what it
//! proposes enters the ledger, in the transaction of the last step.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use xinheng_core::approval::{Action, Capacity, Stage, Step, advance};
use xinheng_core::audit::Outcome;
use xinheng_core::collect::{Decision, decide};
use xinheng_core::deadline::Clock;
use xinheng_core::record::{Day, Draft, EnterpriseKeys, Payload, Seq, Value};
use xinheng_core::rulebook::approvals::Procedure;
use xinheng_core::staff::{Permission, Scope};
use xinheng_store::{APPROVAL_STEP, Body, Matter, NewRecord, NewStep, Proposed, Waiting, Writing};

use crate::act::{Act, Actor};
use crate::deadline::ClockKeeper;
use crate::{Bureau, WrongInput};

/// Procedure, and kind of record, of the proof that something was published on the national system.
pub const PUBLICATION_EVIDENCE: &str = "publication_evidence";

/// Most clocks of one matter.
const MOST_CLOCKS: usize = 200;
/// Longest address and note, in characters.
const LONGEST_TEXT: usize = 500;

/// A clock by its rule and the record that started it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClockName {
    /// Rule.
    pub rule: String,
    /// Record.
    pub seq: i64,
}

/// What a clerk proposes: that records were published on the national system (公示凭证).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicationEvidence {
    /// The open clocks that it ends.
    pub clocks: Vec<ClockName>,
    /// The day of publication.
    pub published_on: Day,
    /// Address or number there.
    pub place: String,
    /// Note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Bureau {
    /// Proposes that records were published, for another person to review. A second proposal for the same
    /// clock is refused while the first is open.
    ///
    /// # Errors
    /// [`WrongInput`] with the sentence that the person reads; any other error when the system failed.
    pub async fn propose_evidence(&self, act: &Act, evidence: &PublicationEvidence) -> anyhow::Result<Seq> {
        let mut writing = self.store().begin().await?;
        let number = Seq(writing.head().seq.0 + 1);
        self.submit(&mut writing, act, number, &[], evidence).await?;
        writing.commit().await?;
        Ok(number)
    }

    /// Hands in a matter again that came back, with what is now proposed.
    ///
    /// # Errors
    /// As [`Self::propose_evidence`].
    pub async fn propose_evidence_again(
        &self,
        act: &Act,
        matter: Seq,
        evidence: &PublicationEvidence,
    ) -> anyhow::Result<()> {
        let mut writing = self.store().begin().await?;
        let (_, steps) = known(writing.matter(matter).await?, act, matter)?;
        self.submit(&mut writing, act, matter, &steps, evidence).await?;
        Ok(writing.commit().await?)
    }

    async fn submit(
        &self,
        writing: &mut Writing,
        act: &Act,
        matter: Seq,
        steps: &[Step],
        evidence: &PublicationEvidence,
    ) -> anyhow::Result<()> {
        let actor = permitted(act, Permission::Handle)?;
        let procedure = self.procedure(PUBLICATION_EVIDENCE)?;
        let stage = advance(procedure, steps, Action::Submit, actor.staff, None).map_err(wrong)?;
        let mut evidence = evidence.clone();
        evidence.clocks.sort();
        evidence.clocks.dedup();
        evidence.place = evidence.place.trim().to_owned();
        self.check(&evidence)?;
        let clocks = self.named(writing, actor, &evidence).await?;
        let targets: Vec<String> = evidence.clocks.iter().map(|name| format!("{}/{}", name.rule, name.seq)).collect();
        let in_others = writing.targets_in_open_matters(&targets).await?;
        if let Some((target, other)) = in_others.into_iter().find(|(_, other)| *other != matter) {
            let seq = target.rsplit('/').next().unwrap_or_default();
            let sentence = format!("第 {seq} 条记录的公示凭证已在第 {other} 号事项中待审，不必重复提交");
            return Err(WrongInput(sentence).into());
        }
        let subject = format!("登记 {} 条记录的公示凭证（公示日期 {}）", clocks.len(), evidence.published_on);
        let content = serde_json::to_string(&evidence)?;
        let proposed = Proposed { subject: &subject, targets: &targets, content: &content };
        let step = NewStep {
            matter,
            procedure: PUBLICATION_EVIDENCE,
            action: Action::Submit,
            stage,
            person: actor.staff,
            unit: &actor.unit,
            opinion: None,
            proposed: Some(proposed),
        };
        self.put_step(writing, act, &step).await
    }

    fn check(&self, evidence: &PublicationEvidence) -> anyhow::Result<()> {
        let today = self.today();
        let refuse = |sentence: String| Err(WrongInput(sentence).into());
        let is_long = |text: &str| text.chars().count() > LONGEST_TEXT;
        match evidence {
            _ if evidence.clocks.is_empty() => refuse("请至少选择一条待公示的记录".to_owned()),
            _ if evidence.clocks.len() > MOST_CLOCKS => refuse(format!("一次最多登记 {MOST_CLOCKS} 条，请分次提交")),
            _ if evidence.place.is_empty() => {
                refuse("“公示地址或编号”没有填写。请填写国家企业信用信息公示系统上的网页地址或编号".to_owned())
            }
            _ if is_long(&evidence.place) => refuse(format!("“公示地址或编号”超过 {LONGEST_TEXT} 个字，请缩短")),
            _ if evidence.note.as_deref().is_some_and(is_long) => {
                refuse(format!("“说明”超过 {LONGEST_TEXT} 个字，请缩短"))
            }
            _ if evidence.published_on > today => {
                refuse(format!("“公示日期”{} 晚于今天。请填写实际公示的日期", evidence.published_on))
            }
            _ => Ok(()),
        }
    }

    /// The clocks that are named: open, within the person's scope, and such that a proof ends them.
    async fn named(
        &self,
        writing: &mut Writing,
        actor: &Actor,
        evidence: &PublicationEvidence,
    ) -> anyhow::Result<Vec<Clock>> {
        let clocks = clocks_of(writing, evidence).await?;
        let keeper = ClockKeeper::new(self.rulebook());
        for name in &evidence.clocks {
            let clock = clocks.iter().find(|clock| clock.start.rule == name.rule && clock.start.seq.0 == name.seq);
            let seq = name.seq;
            let sentence = match clock.filter(|clock| actor.sees_unit(&clock.start.owed_by)) {
                None => format!("第 {seq} 条记录没有由您单位办理的公示期限。请刷新待办列表后重新选择"),
                Some(clock) if !clock.is_open() => format!("第 {seq} 条记录的公示期限已经结束，不必再登记"),
                Some(clock) if keeper.deadlines().ending_fields(clock, PUBLICATION_EVIDENCE).is_none() => {
                    format!("第 {seq} 条记录的期限不能用公示凭证结束")
                }
                Some(clock) if evidence.published_on < clock.start.started_on => format!(
                    "“公示日期”{} 早于第 {seq} 条记录的形成日期 {}。请核对",
                    evidence.published_on, clock.start.started_on
                ),
                Some(_) => continue,
            };
            return Err(WrongInput(sentence).into());
        }
        Ok(clocks)
    }

    /// Reviews, approves, sends back or withdraws. With the last approval, what is proposed enters the ledger.
    ///
    /// # Errors
    /// [`WrongInput`] with the sentence that the person reads; any other error when the system failed.
    pub async fn decide_matter(
        &self,
        act: &Act,
        matter: Seq,
        action: Action,
        opinion: Option<&str>,
    ) -> anyhow::Result<Stage> {
        let mut writing = self.store().begin().await?;
        let (found, steps) = known(writing.matter(matter).await?, act, matter)?;
        if action == Action::Submit {
            return Err(WrongInput("重新提交须附拟办内容".to_owned()).into());
        }
        let actor = permitted(act, action.capacity(Some(found.stage)).permission())?;
        let opinion = opinion.map(str::trim).filter(|opinion| !opinion.is_empty());
        if opinion.is_some_and(|opinion| opinion.chars().count() > LONGEST_TEXT) {
            return Err(WrongInput(format!("“意见”超过 {LONGEST_TEXT} 个字，请缩短")).into());
        }
        let procedure = self.procedure(&found.procedure)?;
        let stage = advance(procedure, &steps, action, actor.staff, opinion).map_err(wrong)?;
        let step = NewStep {
            matter,
            procedure: &found.procedure,
            action,
            stage,
            person: actor.staff,
            unit: &actor.unit,
            opinion,
            proposed: None,
        };
        self.put_step(&mut writing, act, &step).await?;
        if stage == Stage::Passed {
            self.carry_out(&mut writing, &found).await?;
        }
        writing.commit().await?;
        Ok(stage)
    }

    async fn put_step(&self, writing: &mut Writing, act: &Act, step: &NewStep<'_>) -> anyhow::Result<()> {
        let record = NewRecord {
            body: Body::System { kind: APPROVAL_STEP.to_owned(), occurred_on: self.today(), payload: step.payload() },
            enterprise: None,
            supersedes: None,
            received_at: self.now(),
            source_unit: step.unit.to_owned(),
        };
        writing.append(vec![record]).await?;
        let line = act.line(self.now(), Outcome::Done, format!("matter/{}", step.matter), &[]);
        writing.audit(line).await?;
        Ok(())
    }

    /// What a matter proposes enters the ledger.
    async fn carry_out(&self, writing: &mut Writing, matter: &Matter) -> anyhow::Result<()> {
        anyhow::ensure!(matter.procedure == PUBLICATION_EVIDENCE, "不认识的事项类型“{}”", matter.procedure);
        let evidence: PublicationEvidence = serde_json::from_str(&matter.proposal)?;
        let kind = self.rulebook().kind(PUBLICATION_EVIDENCE, self.today());
        let kind = kind.context("规则库缺少记录种类 publication_evidence")?;
        let clocks = clocks_of(writing, &evidence).await?;
        let mut keeper = ClockKeeper::new(self.rulebook());
        let mut next = writing.head().seq;
        let mut sealed = Vec::new();
        // A clock that was withdrawn with its record, or ended by a reconciliation, needs no proof any more.
        for clock in clocks.iter().filter(|clock| clock.is_open()) {
            let Some(mut fields) = keeper.deadlines().ending_fields(clock, PUBLICATION_EVIDENCE) else { continue };
            let text = |text: &str| Value::Text(text.to_owned());
            fields.insert("published_on".to_owned(), text(&evidence.published_on.to_string()));
            fields.insert("place".to_owned(), text(&evidence.place));
            fields.insert("matter".to_owned(), Value::Integer(matter.number.0));
            fields.extend(evidence.note.as_deref().map(|note| ("note".to_owned(), text(note))));
            next = Seq(next.0 + 1);
            let number = kind.document_number.as_ref().and_then(|field| fields.get(field)?.as_text());
            let draft = Draft {
                line: next.0,
                part: 0,
                kind: PUBLICATION_EVIDENCE.to_owned(),
                keys: EnterpriseKeys { credit_code: clock.start.enterprise, ..EnterpriseKeys::default() },
                occurred_on: evidence.published_on,
                document_number: number.map(str::to_owned),
                version: None,
                withdrawn: false,
                correction: None,
                payload: Payload(fields),
                personal: BTreeMap::new(),
            };
            // As records of the system itself: submission 0, and its place in the ledger as its line.
            sealed.push((self.sealer.seal(0, kind, draft)?, clock));
        }
        let identities: Vec<_> = sealed.iter().map(|(sealed, _)| sealed.identity).collect();
        let mut standings = writing.standings(&identities).await?;
        let mut records = Vec::with_capacity(sealed.len());
        for (sealed, clock) in sealed {
            let standing = standings.remove(&sealed.identity);
            let supersedes = match decide(kind.nature, &sealed.draft, sealed.content, standing.as_ref()) {
                Decision::Accept { supersedes } => supersedes,
                // The same publication, proved in other words before: both proofs are kept.
                Decision::Conflict { with } => Some(with),
                _ => continue,
            };
            records.push(NewRecord {
                body: Body::Draft(sealed),
                enterprise: clock.start.enterprise,
                supersedes,
                received_at: self.now(),
                source_unit: matter.unit.clone(),
            });
        }
        keeper.append(writing, records).await?;
        Ok(())
    }

    /// Matters that wait for the person: by permission, unit and part in them, the oldest first.
    ///
    /// # Errors
    /// When nobody is signed in or the database fails.
    pub async fn matters_waiting(&self, act: &Act, after: Option<Seq>, limit: u64) -> anyhow::Result<Vec<Matter>> {
        let actor = signed_in(act)?;
        let stages: Vec<Stage> = [Stage::Handling, Stage::Reviewing, Stage::Approving]
            .into_iter()
            .filter(|stage| stage.capacity().map(Capacity::permission).is_some_and(|needed| actor.may(needed)))
            .collect();
        let unit = (actor.duties.scope() == Scope::Unit).then_some(actor.unit.as_str());
        let waiting = Waiting { stages: &stages, unit, person: actor.staff, after, limit };
        Ok(self.store().matters_waiting(&waiting).await?)
    }

    /// A matter with its steps, when it is within the person's scope.
    ///
    /// # Errors
    /// When nobody is signed in or the database fails.
    pub async fn matter(&self, act: &Act, number: Seq) -> anyhow::Result<Option<(Matter, Vec<Step>)>> {
        let actor = signed_in(act)?;
        Ok(self.store().matter(number).await?.filter(|(matter, _)| actor.sees_unit(&matter.unit)))
    }

    fn procedure(&self, id: &str) -> anyhow::Result<&Procedure> {
        let procedure = self.rulebook().procedure(id, self.today());
        procedure.with_context(|| format!("规则库缺少审批程序 approvals/{id}"))
    }
}

async fn clocks_of(writing: &mut Writing, evidence: &PublicationEvidence) -> anyhow::Result<Vec<Clock>> {
    let records: Vec<Seq> = evidence.clocks.iter().map(|name| Seq(name.seq)).collect();
    let is_named = |clock: &Clock| {
        evidence.clocks.iter().any(|name| clock.start.rule == name.rule && clock.start.seq.0 == name.seq)
    };
    Ok(writing.clocks_started_by(&records).await?.into_iter().filter(is_named).collect())
}

/// The matter, when there is one within the person's scope: a stranger does not learn that it exists.
fn known(found: Option<(Matter, Vec<Step>)>, act: &Act, number: Seq) -> anyhow::Result<(Matter, Vec<Step>)> {
    let actor = signed_in(act)?;
    found
        .filter(|(matter, _)| actor.sees_unit(&matter.unit))
        .ok_or_else(|| WrongInput(format!("没有第 {number} 号事项，或不属于您单位")).into())
}

fn permitted(act: &Act, permission: Permission) -> anyhow::Result<&Actor> {
    let actor = signed_in(act)?;
    if actor.may(permission) {
        return Ok(actor);
    }
    Err(WrongInput("您的角色不能办理这一环节。请由有相应权限的人员办理".to_owned()).into())
}

fn signed_in(act: &Act) -> anyhow::Result<&Actor> {
    act.actor.as_ref().ok_or_else(|| WrongInput("请先登录".to_owned()).into())
}

fn wrong(refusal: xinheng_core::approval::Refusal) -> anyhow::Error {
    WrongInput(refusal.to_string()).into()
}
