//! Evidence of publication (公示凭证): a clerk says that records were published on the national system, another person
//! checks it, and the clocks of publication end.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use xinheng_core::deadline::Clock;
use xinheng_core::record::{Day, Seq, Value};
use xinheng_core::staff::Permission;
use xinheng_store::{Matter, Writing};

use crate::act::{Act, Actor};
use crate::approval::{Approved, LONGEST_TEXT, Proposal, permitted};
use crate::deadline::ClockKeeper;
use crate::{Bureau, WrongInput};

/// Procedure, and kind of record, of the proof that something was published on the national system.
pub const PUBLICATION_EVIDENCE: &str = "publication_evidence";

/// Most clocks of one matter.
const MOST_CLOCKS: usize = 200;
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
    /// Proposes that records were published, for another person to review; or again, what came back. A second
    /// proposal for the same clock is refused while the first is open.
    ///
    /// # Errors
    /// [`WrongInput`] with the sentence that the person reads; any other error when the system failed.
    pub async fn propose_evidence(
        &self,
        act: &Act,
        again: Option<Seq>,
        evidence: &PublicationEvidence,
    ) -> anyhow::Result<Seq> {
        let mut writing = self.store().begin().await?;
        let actor = permitted(act, Permission::Handle)?;
        let mut evidence = evidence.clone();
        evidence.clocks.sort();
        evidence.clocks.dedup();
        evidence.place = evidence.place.trim().to_owned();
        self.check(&evidence)?;
        let clocks = self.named(&mut writing, actor, &evidence).await?;
        let targets: Vec<String> = evidence.clocks.iter().map(|name| format!("{}/{}", name.rule, name.seq)).collect();
        let subject = format!("登记 {} 条记录的公示凭证（公示日期 {}）", clocks.len(), evidence.published_on);
        let proposal = Proposal {
            procedure: PUBLICATION_EVIDENCE,
            subject: &subject,
            targets: &targets,
            content: &serde_json::to_string(&evidence)?,
            taken: &|target, other| {
                let seq = target.rsplit('/').next().unwrap_or_default();
                format!("第 {seq} 条记录的公示凭证已在第 {other} 号事项中待审，不必重复提交")
            },
        };
        let matter = self.hand_in(&mut writing, act, again, &proposal).await?;
        writing.commit().await?;
        Ok(matter)
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

    /// The proof that was reviewed enters the ledger.
    pub(crate) async fn record_evidence(&self, writing: &mut Writing, matter: &Matter) -> anyhow::Result<()> {
        let evidence: PublicationEvidence = serde_json::from_str(&matter.proposal)?;
        let clocks = clocks_of(writing, &evidence).await?;
        let mut keeper = ClockKeeper::new(self.rulebook());
        let mut proofs = Vec::with_capacity(clocks.len());
        // A clock that was withdrawn with its record, or ended by a reconciliation, needs no proof any more.
        for clock in clocks.iter().filter(|clock| clock.is_open()) {
            let Some(mut fields) = keeper.deadlines().ending_fields(clock, PUBLICATION_EVIDENCE) else { continue };
            let text = |text: &str| Value::from(text);
            fields.insert("published_on".to_owned(), text(&evidence.published_on.to_string()));
            fields.insert("place".to_owned(), text(&evidence.place));
            fields.insert("matter".to_owned(), Value::Integer(matter.number.0));
            fields.extend(evidence.note.as_deref().map(|note| ("note".to_owned(), text(note))));
            proofs.push(Approved {
                kind: PUBLICATION_EVIDENCE,
                enterprise: clock.start.enterprise,
                occurred_on: evidence.published_on,
                fields,
                personal: BTreeMap::new(),
            });
        }
        self.enter_approved(writing, &mut keeper, proofs, &matter.unit).await?;
        Ok(())
    }
}

async fn clocks_of(writing: &mut Writing, evidence: &PublicationEvidence) -> anyhow::Result<Vec<Clock>> {
    let records: Vec<Seq> = evidence.clocks.iter().map(|name| Seq(name.seq)).collect();
    let is_named = |clock: &Clock| {
        evidence.clocks.iter().any(|name| clock.start.rule == name.rule && clock.start.seq.0 == name.seq)
    };
    Ok(writing.clocks_started_by(&records).await?.into_iter().filter(is_named).collect())
}
