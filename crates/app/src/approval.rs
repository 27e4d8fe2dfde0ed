//! Approvals (审批): a matter is handled, reviewed and, where its procedure says so, approved; then what it
//! proposes enters the ledger, in the transaction of the last step. What is proposed, and what then happens, is of
//! the module of each procedure.

use std::collections::BTreeMap;

use anyhow::Context as _;
use xinheng_core::approval::{Action, Capacity, Stage, Step, advance};
use xinheng_core::audit::Outcome;
use xinheng_core::collect::{Decision, decide};
use xinheng_core::credit_code::CreditCode;
use xinheng_core::record::{Day, Draft, EnterpriseKeys, Personal, Seq, Value};
use xinheng_core::rulebook::approvals::Procedure;
use xinheng_core::rulebook::kind::Kind;
use xinheng_core::staff::{Permission, Scope};
use xinheng_store::{APPROVAL_STEP, Body, Matter, NewRecord, NewStep, Proposed, Waiting, Writing};

use crate::act::{Act, Actor};
use crate::adjustment::LEVEL_ADJUSTMENT;
use crate::deadline::ClockKeeper;
use crate::evidence::PUBLICATION_EVIDENCE;
use crate::inspect::{DRAW_SEAL, INSPECTION_PLAN, INSPECTION_RESULT};
use crate::{Bureau, WrongInput};

/// Longest address, note and opinion, in characters.
pub(crate) const LONGEST_TEXT: usize = 500;

/// What is proposed.
pub(crate) struct Proposal<'a> {
    /// The procedure that it takes.
    pub procedure: &'static str,
    /// What it is about, in a line.
    pub subject: &'a str,
    /// What it acts on: nothing is in two open matters.
    pub targets: &'a [String],
    /// The content, as JSON.
    pub content: &'a str,
    /// What to tell whoever proposes the same again, by the target and the matter that has it.
    pub taken: &'a (dyn Fn(&str, Seq) -> String + Sync),
}

/// A record that was approved, before it is sealed.
pub(crate) struct Approved {
    /// Kind of record.
    pub kind: &'static str,
    /// Whose it is.
    pub enterprise: Option<CreditCode>,
    /// The day in the world.
    pub occurred_on: Day,
    /// Fields.
    pub fields: BTreeMap<String, Value>,
    /// Personal fields.
    pub personal: BTreeMap<String, Personal>,
}

/// What happens to what was said before in other words.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// The new record supersedes it; both are kept.
    BothKept,
    /// The new one is passed over.
    PassedOver,
}

impl Bureau {
    /// Hands in a proposal for another person to review; or a matter again that came back, with what is now
    /// proposed. Gives the matter's number.
    ///
    /// # Errors
    /// [`WrongInput`] with the sentence that the person reads; any other error when the system failed.
    pub(crate) async fn hand_in(
        &self,
        writing: &mut Writing,
        act: &Act,
        again: Option<Seq>,
        proposal: &Proposal<'_>,
    ) -> anyhow::Result<Seq> {
        let actor = permitted(act, Permission::Handle)?;
        let steps = match again {
            Some(matter) => {
                let (found, steps) = known(writing.matter(matter).await?, act, matter)?;
                if found.procedure != proposal.procedure {
                    return Err(WrongInput(format!(
                        "第 {matter} 号事项是另一类事项，不能这样重新提交。请从该事项进入"
                    ))
                    .into());
                }
                steps
            }
            None => Vec::new(),
        };
        let procedure = self.procedure(proposal.procedure)?;
        let stage = advance(procedure, &steps, Action::Submit, actor.staff, None).map_err(wrong)?;
        let matter = again.unwrap_or(Seq(writing.head().seq.0 + 1));
        let in_others = writing.targets_in_open_matters(proposal.targets).await?;
        if let Some((target, other)) = in_others.into_iter().find(|(_, other)| *other != matter) {
            return Err(WrongInput((proposal.taken)(&target, other)).into());
        }
        let step = NewStep {
            matter,
            procedure: proposal.procedure,
            action: Action::Submit,
            stage,
            person: actor.staff,
            unit: &actor.unit,
            opinion: None,
            proposed: Some(Proposed {
                subject: proposal.subject,
                targets: proposal.targets,
                content: proposal.content,
            }),
        };
        self.put_step(writing, act, &step).await?;
        Ok(matter)
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
        match action {
            Action::Submit => return Err(WrongInput("重新提交须附拟办内容".to_owned()).into()),
            Action::Review if found.procedure == DRAW_SEAL => {
                let sentence = "请把开奖号码另外录入一遍，两遍一致才抽取";
                return Err(WrongInput(sentence.to_owned()).into());
            }
            _ => {}
        }
        let stage = self.take_step(&mut writing, act, &found, &steps, (action, opinion)).await?;
        self.commit_with_levels(writing).await?;
        if stage == Stage::Passed && [INSPECTION_RESULT, LEVEL_ADJUSTMENT].contains(&found.procedure.as_str()) {
            // Where many waited.
            self.classify_touched(&|_| {}).await?;
        }
        Ok(stage)
    }

    /// A step after the first, with what follows from the last one.
    pub(crate) async fn take_step(
        &self,
        writing: &mut Writing,
        act: &Act,
        found: &Matter,
        steps: &[Step],
        (action, opinion): (Action, Option<&str>),
    ) -> anyhow::Result<Stage> {
        let actor = permitted(act, action.capacity(Some(found.stage)).permission())?;
        let opinion = opinion.map(str::trim).filter(|opinion| !opinion.is_empty());
        if opinion.is_some_and(|opinion| opinion.chars().count() > LONGEST_TEXT) {
            return Err(WrongInput(format!("“意见”超过 {LONGEST_TEXT} 个字，请缩短")).into());
        }
        let procedure = self.procedure(&found.procedure)?;
        let stage = advance(procedure, steps, action, actor.staff, opinion).map_err(wrong)?;
        let step = NewStep {
            matter: found.number,
            procedure: &found.procedure,
            action,
            stage,
            person: actor.staff,
            unit: &actor.unit,
            opinion,
            proposed: None,
        };
        self.put_step(writing, act, &step).await?;
        if stage == Stage::Passed {
            match found.procedure.as_str() {
                PUBLICATION_EVIDENCE => self.record_evidence(writing, found).await?,
                INSPECTION_PLAN => self.record_plan(writing, found).await?,
                INSPECTION_RESULT => self.record_result(writing, found).await?,
                LEVEL_ADJUSTMENT => self.record_adjustment(writing, found).await?,
                DRAW_SEAL => self.record_seal(writing, actor, found).await?,
                other => anyhow::bail!("不认识的事项类型“{other}”"),
            }
        }
        Ok(stage)
    }

    /// What was approved enters the ledger. Gives the seq of the last record.
    pub(crate) async fn enter_approved(
        &self,
        writing: &mut Writing,
        keeper: &mut ClockKeeper<'_>,
        approved: Vec<Approved>,
        unit: &str,
    ) -> anyhow::Result<Seq> {
        self.enter(writing, keeper, approved, unit, Again::BothKept).await
    }

    /// As [`Self::enter_approved`], but what was said before is passed over, in whatever words.
    pub(crate) async fn enter_new(
        &self,
        writing: &mut Writing,
        keeper: &mut ClockKeeper<'_>,
        approved: Vec<Approved>,
        unit: &str,
    ) -> anyhow::Result<Seq> {
        self.enter(writing, keeper, approved, unit, Again::PassedOver).await
    }

    async fn enter(
        &self,
        writing: &mut Writing,
        keeper: &mut ClockKeeper<'_>,
        approved: Vec<Approved>,
        unit: &str,
        again: Again,
    ) -> anyhow::Result<Seq> {
        let mut drafts = Vec::with_capacity(approved.len());
        for Approved { kind: id, enterprise, occurred_on, fields, personal } in approved {
            let kind = self.rulebook().kind(id, self.today()).with_context(|| format!("规则库缺少记录种类 {id}"))?;
            let number = kind.document_number.as_ref().and_then(|field| fields.get(field)?.as_text());
            let draft = Draft {
                line: 0,
                part: 0,
                kind: id.into(),
                keys: EnterpriseKeys { credit_code: enterprise, ..EnterpriseKeys::default() },
                occurred_on,
                document_number: number.map(str::to_owned),
                version: None,
                withdrawn: false,
                correction: None,
                payload: fields.into_iter().collect(),
                personal,
            };
            drafts.push((kind, draft));
        }
        self.enter_drafts(writing, keeper, drafts, unit, again).await
    }

    /// Records that nobody handed in enter the ledger. Gives the seq of the last record.
    pub(crate) async fn enter_drafts(
        &self,
        writing: &mut Writing,
        keeper: &mut ClockKeeper<'_>,
        drafts: Vec<(&Kind, Draft)>,
        unit: &str,
        again: Again,
    ) -> anyhow::Result<Seq> {
        // Sealed once to be recognised, and again in their places: what is passed over takes none.
        let known = drafts.iter().map(|(kind, draft)| self.sealer.seal(0, kind, draft.clone()));
        let known = known.collect::<Result<Vec<_>, _>>()?;
        let identities: Vec<_> = known.iter().map(|sealed| sealed.identity).collect();
        let mut standings = writing.standings(&identities).await?;
        let first = writing.head().seq.0 + 1;
        let mut records = Vec::with_capacity(drafts.len());
        for ((kind, mut draft), known) in drafts.into_iter().zip(known) {
            let standing = standings.remove(&known.identity);
            let supersedes = match decide(kind.nature, known.draft(), known.content, standing.as_ref()) {
                Decision::Accept { supersedes } => supersedes,
                // The same said in other words before: both are kept.
                Decision::Conflict { with } if again == Again::BothKept => Some(with),
                _ => continue,
            };
            // As records of the system itself: submission 0, and its place in the ledger as its line.
            draft.line = first + i64::try_from(records.len())?;
            records.push(NewRecord {
                enterprise: draft.keys.credit_code,
                body: Body::Draft(self.sealer.seal(0, kind, draft)?),
                supersedes,
                received_at: self.now(),
                source_unit: unit.into(),
            });
        }
        keeper.append(writing, records).await?;
        Ok(writing.head().seq)
    }

    async fn put_step(&self, writing: &mut Writing, act: &Act, step: &NewStep<'_>) -> anyhow::Result<()> {
        let record = NewRecord {
            body: Body::System { kind: APPROVAL_STEP.into(), occurred_on: self.today(), payload: step.payload() },
            enterprise: None,
            supersedes: None,
            received_at: self.now(),
            source_unit: step.unit.into(),
        };
        writing.append(vec![record]).await?;
        let line = act.line(self.now(), Outcome::Done, format!("matter/{}", step.matter), &[]);
        writing.audit(line).await?;
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

/// The matter, when there is one within the person's scope: a stranger does not learn that it exists.
pub(crate) fn known(found: Option<(Matter, Vec<Step>)>, act: &Act, number: Seq) -> anyhow::Result<(Matter, Vec<Step>)> {
    let actor = signed_in(act)?;
    found
        .filter(|(matter, _)| actor.sees_unit(&matter.unit))
        .ok_or_else(|| WrongInput(format!("没有第 {number} 号事项，或不属于您单位")).into())
}

pub(crate) fn permitted(act: &Act, permission: Permission) -> anyhow::Result<&Actor> {
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
