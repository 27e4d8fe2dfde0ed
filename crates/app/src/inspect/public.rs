//! What the public sees of draws: the plans, the certificates, and whom a plan visited once its visits are over. Each
//! is what the publicity decision lets through; no level, stratum label, inspector or coming visit is ever here.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use xinheng_core::audit::Outcome;
use xinheng_core::credit_code::CreditCode;
use xinheng_core::draw::{Certificate, Line, PublishedNames, Time};
use xinheng_core::history::{Facts, Kinds};
use xinheng_core::ledger::Hash;
use xinheng_core::publicity::decide;
use xinheng_core::record::{Day, Record, Seq};
use xinheng_core::rulebook::inspections::{InspectionItem, ItemClass, Method};
use xinheng_core::visit::{DrawStep, VisitState};
use xinheng_store::{DrawState, Entry, KeptDraw, KeptPlan, NewDrawStep, VisitFilter};

use super::FellDue;
use super::draw::recorded;
use crate::Bureau;
use crate::act::Act;

/// A plan as the public sees it.
#[derive(Clone, Debug, Serialize)]
pub struct PublicPlan {
    /// 计划编号
    pub number: String,
    /// 计划名称
    pub title: String,
    /// 抽查事项
    pub item_title: String,
    /// First day of the visits.
    pub from: Day,
    /// Last day of the visits.
    pub until: Day,
}

/// A draw in the public list.
#[derive(Clone, Debug)]
pub struct PublicDrawLine {
    /// Where the list goes on before.
    pub place: Seq,
    /// The plan.
    pub plan: PublicPlan,
    /// The certificate.
    pub certificate: Certificate,
}

/// A draw that the public looks at.
#[derive(Clone, Debug)]
pub struct PublicDraw {
    /// The plan.
    pub plan: PublicPlan,
    /// The certificate.
    pub certificate: Certificate,
    /// Whom the plan visited, once that is published: codes and names.
    pub visited: Option<Vec<(CreditCode, String)>>,
    /// The file by which the names of this draw are checked; none when others were visited by rule among them.
    pub names: Option<PublishedNames>,
    /// Draws of the plan after this one.
    pub followed_by: Option<Line>,
}

/// An item of inspections that acts, as the public list shows it: without what each level means, from which levels
/// could be guessed.
#[derive(Clone, Debug)]
pub struct PublicItem {
    /// 抽查事项
    pub title: String,
    /// 抽查类别
    pub category: String,
    /// 检查对象
    pub object: String,
    /// 事项类别
    pub class: ItemClass,
    /// 检查方式
    pub methods: Vec<Method>,
    /// 检查内容
    pub contents: Vec<String>,
    /// 检查依据
    pub cite: Vec<String>,
}

/// What a plan publishes of its visits.
#[derive(Serialize, Deserialize)]
struct Names {
    /// Whom it visited.
    visited: BTreeSet<CreditCode>,
    /// By draw: nonce and names of the picks. Only where nobody was listed by rule: the difference between picks and
    /// visited would tell who was, and so the level.
    draws: Vec<DrawNames>,
}

#[derive(Serialize, Deserialize)]
struct DrawNames {
    draw: String,
    nonce: Hash,
    names: BTreeSet<CreditCode>,
}

impl Bureau {
    /// The list of inspection items (抽查事项清单): those that act. An item that is not on it may not be carried out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn public_items(&self) -> anyhow::Result<Vec<PublicItem>> {
        let today = self.today();
        let signatures = self.signatures(Seq(i64::MAX)).await?;
        let acts = |item: &&InspectionItem| {
            signatures.act(self.rulebook(), &format!("inspections/{}", item.rule.id.value), today)
        };
        let shown = |item: &InspectionItem| PublicItem {
            title: item.rule.title.clone(),
            category: item.category.clone(),
            object: item.object.clone(),
            class: item.class,
            methods: item
                .measures
                .iter()
                .flat_map(|one| &one.methods)
                .copied()
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect(),
            contents: item.checklist.iter().map(|line| line.content.clone()).collect(),
            cite: item.rule.cite.iter().map(ToString::to_string).collect(),
        };
        Ok(self.rulebook().inspections(today).filter(acts).map(shown).collect())
    }

    /// Draws, the newest first, before one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn public_draws(&self, before: Option<Seq>, limit: u64) -> anyhow::Result<Vec<PublicDrawLine>> {
        let draws = self.store().draws(before, limit).await?;
        let views = self.draw_views(&draws).await?;
        let line = |(draw, view): (&KeptDraw, Option<(PublicPlan, Certificate)>)| {
            let (plan, certificate) = view?;
            Some(PublicDrawLine { place: draw.frozen, plan, certificate })
        };
        Ok(draws.iter().zip(views).filter_map(line).collect())
    }

    /// A draw; none when there is no such one in public.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn public_draw(&self, number: &str) -> anyhow::Result<Option<PublicDraw>> {
        let Some(draw) = self.store().draw(number).await? else { return Ok(None) };
        let view = self.draw_views(std::slice::from_ref(&draw)).await?.pop().flatten();
        let Some((plan, certificate)) = view else { return Ok(None) };
        let kept = self.known_plan(draw.plan).await?.0;
        let published = match kept.names {
            Some(step) => {
                let entry = self.store().entries_at(&[step]).await?.remove(&step);
                entry.and_then(|entry| self.public_texts(&entry.record).remove("names"))
            }
            None => None,
        };
        let names: Option<Names> = published.as_deref().map(serde_json::from_str).transpose()?;
        let (mut visited, mut file) = (None, None);
        if let Some(Names { visited: codes, draws }) = names {
            let codes: Vec<CreditCode> = codes.into_iter().collect();
            let found = self.names_of(&codes).await?;
            let named = |code: CreditCode| (code, found.get(&code).cloned().unwrap_or_else(|| code.to_string()));
            visited = Some(codes.into_iter().map(named).collect());
            file = draws
                .into_iter()
                .find(|one| one.draw == number)
                .map(|one| PublishedNames { nonce: one.nonce, names: one.names.into_iter().collect() });
        }
        let all = self.store().draws_of_plans(&[draw.plan]).await?;
        let next = all.iter().find(|one| one.frozen > draw.frozen).map(|next| Line::new(next.number.as_str()));
        Ok(Some(PublicDraw { plan, certificate, visited, names: file, followed_by: next.transpose()? }))
    }

    /// The public parts of the last steps of some draws and of their plans, in the same order. One query.
    async fn draw_views(&self, draws: &[KeptDraw]) -> anyhow::Result<Vec<Option<(PublicPlan, Certificate)>>> {
        let seqs: Vec<Seq> = draws.iter().flat_map(|draw| [draw.step, draw.plan]).collect();
        let entries = self.store().entries_at(&seqs).await?;
        draws.iter().map(|draw| self.draw_view(entries.get(&draw.step), entries.get(&draw.plan))).collect()
    }

    fn draw_view(
        &self,
        step: Option<&Entry>,
        plan: Option<&Entry>,
    ) -> anyhow::Result<Option<(PublicPlan, Certificate)>> {
        let (Some(step), Some(plan)) = (step, plan) else { return Ok(None) };
        let Some(certificate) = self.public_texts(&step.record).remove("certificate") else { return Ok(None) };
        let certificate = recorded(&certificate, step)?;
        let mut texts = self.public_texts(&plan.record);
        let mut text = |field: &str| texts.remove(field);
        let mut shown = || {
            Some(PublicPlan {
                number: text("number")?,
                title: text("title")?,
                item_title: text("item_title")?,
                from: text("window_from")?.parse().ok()?,
                until: text("window_until")?.parse().ok()?,
            })
        };
        Ok(shown().map(|plan| (plan, certificate)))
    }

    /// The fields of a record of the bureau's own that everybody may read today.
    fn public_texts(&self, record: &Record) -> BTreeMap<String, String> {
        let today = self.today();
        let kinds = Kinds::new(self.rulebook().kinds(today));
        let facts = Facts::new(std::slice::from_ref(record), today, &kinds);
        let shown = decide(record, &facts, &kinds).fields.into_iter();
        shown.filter_map(|field| Some((field.to_owned(), record.payload.text(field)?.to_owned()))).collect()
    }

    /// Publishes whom the plans visited whose visits are over.
    ///
    /// # Errors
    /// When the database does not say which plans are due.
    pub async fn publish_due_names(&self) -> anyhow::Result<FellDue> {
        let mut fell_due = FellDue::default();
        let yesterday = self.today().pred_opt().unwrap_or_default();
        for plan in self.store().plans_to_reveal(yesterday).await? {
            let published = self.publish_names_if_over(&plan).await;
            fell_due.take(plan.number, published);
        }
        Ok(fell_due)
    }

    async fn publish_names_if_over(&self, plan: &KeptPlan) -> anyhow::Result<bool> {
        // Nothing of it changes any more: no draw is frozen once the window is over, and no visit opens again.
        let draws = self.store().draws_of_plans(&[plan.seq]).await?;
        let visits = self.store().visits(&VisitFilter::Plan(plan.seq)).await?;
        let is_open = draws.iter().any(|draw| draw.state == DrawState::Frozen);
        if visits.is_empty() || is_open || visits.iter().any(|visit| visit.state == VisitState::Open) {
            return Ok(false);
        }
        let standing = visits.iter().filter(|visit| visit.state != VisitState::Replaced);
        let visited = standing.map(|visit| visit.enterprise).collect();
        let mut names = Names { visited, draws: Vec::new() };
        if visits.iter().all(|visit| visit.drawn) {
            for draw in draws.iter().filter(|draw| draw.state == DrawState::Sealed) {
                names.draws.push(self.names_of_draw(draw).await?);
            }
        }
        let new = NewDrawStep {
            plan: plan.seq,
            draw: None,
            person: None,
            step: &DrawStep::Names,
            certificate: None,
            names: Some(serde_json::to_string(&names)?),
        };
        let mut writing = self.store().begin().await?;
        self.append_step(&mut writing, &new, &plan.unit).await?;
        let act = Act::by_itself("plan.names");
        let object = format!("plan/{}", plan.number);
        writing.audit(act.line(self.now(), Outcome::Done, object, &[])).await?;
        writing.commit().await?;
        Ok(true)
    }

    /// Whether a frozen draw's lottery is drawn by now, for the screen that waits for it.
    #[must_use]
    pub fn is_due(&self, certificate: &Certificate) -> bool {
        Time::of(self.now()) >= certificate.entropy.due
    }

    /// Nonce and names of the picks at the seal, which `names_hash` is over.
    async fn names_of_draw(&self, draw: &KeptDraw) -> anyhow::Result<DrawNames> {
        let (sealed, bundle) = self.sealed_anew(draw).await?;
        let part = sealed.certificate().sealed().context("抽查还没有抽取")?;
        let picked: BTreeSet<Hash> = part.picks.iter().map(|pick| pick.blind).collect();
        let names = sealed.frozen().enterprises().filter(|(pair, _)| picked.contains(&pair.blind));
        let names = names.map(|(_, code)| code).collect();
        Ok(DrawNames { draw: draw.number.clone(), nonce: bundle.nonce, names })
    }
}
