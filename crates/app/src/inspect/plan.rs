//! Plans (抽查计划): proposed with a preview of what they mean, reviewed, approved, on record.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use xinheng_core::plan::Terms;
use xinheng_core::record::{Day, Payload, Seq, Value};
use xinheng_core::rulebook::inspections::{InspectionItem, ItemClass};
use xinheng_core::staff::Permission;
use xinheng_core::visit::VisitState;
use xinheng_store::{Body, KeptDraw, KeptPlan, Matter, NewRecord, PLAN, Writing};

use super::INSPECTION_PLAN;
use crate::act::Act;
use crate::approval::{LONGEST_TEXT, Proposal};
use crate::{Bureau, WrongInput, words};

/// Longest window of a plan, in days: half a year.
const LONGEST_WINDOW: i64 = 184;

/// What is proposed (计划内容).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanProposal {
    /// 计划名称
    pub title: String,
    /// Id of the item (抽查事项).
    pub item: String,
    /// First day of the visits.
    pub from: Day,
    /// Last day of the visits. Whom the plan visited is published on the day after it.
    pub until: Day,
    /// Ratio, per 10,000 of all objects.
    pub ratio: u32,
    /// Whether low levels are left out, but for exploration and special circumstances.
    pub leave_out_low: bool,
    /// Whether each town has groups of its own.
    pub by_town: bool,
    /// Whether who is due by rule is listed.
    pub list_due: bool,
    /// 说明
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// An item that plans may have.
#[derive(Clone, Debug)]
pub struct ItemLine {
    /// Id.
    pub id: String,
    /// 抽查事项
    pub title: String,
    /// 抽查类别
    pub category: String,
    /// 检查对象
    pub object: String,
    /// 事项类别
    pub class: ItemClass,
    /// Whose levels.
    pub scope_title: String,
    /// Least ratio, per 10,000.
    pub least_ratio: u32,
    /// Usual ratio, per 10,000.
    pub usual_ratio: u32,
    /// Share drawn without regard to level, per 10,000.
    pub exploration: u32,
    /// Whether it is confirmed or signed; otherwise it is for trial only.
    pub in_force: bool,
    /// 分级措施
    pub measures: Vec<MeasureLine>,
    /// 法律依据
    pub cite: String,
}

/// What a level means for an item.
#[derive(Clone, Debug)]
pub struct MeasureLine {
    /// Level.
    pub level: String,
    /// Weight of its ratio, per 10,000 of the general one.
    pub weight: u32,
    /// Covered in full.
    pub full: bool,
    /// Visits in a year, at least and at most.
    pub visits: (u32, u32),
    /// 检查方式
    pub methods: String,
    /// Whether it may be left out.
    pub may_leave_out: bool,
}

/// A plan in a list.
#[derive(Clone, Debug)]
pub struct PlanLine {
    /// The plan.
    pub plan: KeptPlan,
    /// 抽查事项
    pub item_title: String,
    /// Its last draw.
    pub draw: Option<KeptDraw>,
    /// Visits that are done, and all that stand.
    pub visits: (usize, usize),
}

/// A plan with its draws.
#[derive(Clone, Debug)]
pub struct PlanDetail {
    /// The plan.
    pub plan: KeptPlan,
    /// What was proposed.
    pub proposal: PlanProposal,
    /// 抽查事项
    pub item_title: String,
    /// Draws, from the first.
    pub draws: Vec<KeptDraw>,
    /// Grounds on which a pick may be replaced.
    pub replacement_grounds: Vec<String>,
    /// Visits that are done, and all that stand.
    pub visits: (usize, usize),
}

impl PlanProposal {
    pub(super) fn terms(&self) -> Terms {
        Terms { ratio: self.ratio, leave_out_low: self.leave_out_low, by_town: self.by_town, list_due: self.list_due }
    }
}

impl Bureau {
    /// Items that plans may have.
    ///
    /// # Errors
    /// When the person may not see plans or the database fails.
    pub async fn inspection_items(&self, act: &Act) -> anyhow::Result<Vec<ItemLine>> {
        act.require(Permission::ReadPlans)?;
        let today = self.today();
        let signatures = self.signatures(Seq(i64::MAX)).await?;
        let line = |item: &InspectionItem| {
            let cites: Vec<String> = item.rule.cite.iter().map(ToString::to_string).collect();
            let id = item.rule.id.value.clone();
            ItemLine {
                in_force: signatures.act(self.rulebook(), &format!("inspections/{id}"), today),
                title: item.rule.title.clone(),
                category: item.category.clone(),
                object: item.object.clone(),
                class: item.class,
                scope_title: words::scope_title(self.rulebook(), &item.scope, today),
                least_ratio: item.least_ratio,
                usual_ratio: item.usual_ratio,
                exploration: item.exploration,
                measures: item
                    .measures
                    .iter()
                    .map(|one| MeasureLine {
                        level: one.level.clone(),
                        weight: one.weight,
                        full: one.full,
                        visits: (one.visits.least, one.visits.most),
                        methods: one.methods.iter().map(|method| method.title()).collect::<Vec<_>>().join("、"),
                        may_leave_out: one.may_leave_out,
                    })
                    .collect(),
                cite: if cites.is_empty() { "本系统缺省".to_owned() } else { cites.join("、") },
                id,
            }
        };
        Ok(self.rulebook().inspections(today).map(line).collect())
    }

    /// The item of a plan as it reads today.
    pub(super) fn inspection_item(&self, id: &str) -> anyhow::Result<&InspectionItem> {
        let item = self.rulebook().inspection(id, self.today());
        item.ok_or_else(|| WrongInput(format!("规则库今天没有抽查事项“{id}”。请重新选择抽查事项")).into())
    }

    /// What is not confirmed acts only once the bureau has signed it.
    ///
    /// # Errors
    /// [`WrongInput`] otherwise.
    pub(super) async fn check_acts(&self, rule: &str, title: &str) -> anyhow::Result<()> {
        let signatures = self.signatures(Seq(i64::MAX)).await?;
        if signatures.act(self.rulebook(), rule, self.today()) {
            return Ok(());
        }
        Err(WrongInput(format!("“{title}”是系统缺省，还没有经本局签署，不能据以抽查。请先在“规则签署”中签署")).into())
    }

    /// Proposes a plan for review and approval; or again, what came back.
    ///
    /// # Errors
    /// [`WrongInput`] with the sentence that the person reads; any other error when the system failed.
    pub async fn propose_plan(&self, act: &Act, again: Option<Seq>, plan: &PlanProposal) -> anyhow::Result<Seq> {
        act.require(Permission::Plan)?;
        let mut plan = plan.clone();
        plan.title = plan.title.trim().to_owned();
        self.check_plan(&plan)?;
        let item = self.inspection_item(&plan.item)?;
        self.check_acts(&format!("inspections/{}", plan.item), &item.rule.title).await?;
        // What cannot be drawn is not proposed: the refusal is the sentence that the person reads.
        self.preview_plan(act, &plan).await?;
        let subject = format!("抽查计划：{}（{}，{} 至 {}）", plan.title, item.rule.title, plan.from, plan.until);
        let proposal = Proposal {
            procedure: INSPECTION_PLAN,
            subject: &subject,
            targets: &[],
            content: &serde_json::to_string(&plan)?,
            taken: &|_, _| String::new(),
        };
        let mut writing = self.store().begin().await?;
        let matter = self.hand_in(&mut writing, act, again, &proposal).await?;
        writing.commit().await?;
        Ok(matter)
    }

    pub(super) fn check_plan(&self, plan: &PlanProposal) -> anyhow::Result<()> {
        let refuse = |sentence: String| Err(WrongInput(sentence).into());
        let days = (plan.until - plan.from).num_days();
        match plan {
            _ if plan.title.is_empty() => refuse("“计划名称”没有填写".to_owned()),
            _ if plan.title.chars().count() > LONGEST_TEXT => {
                refuse(format!("“计划名称”超过 {LONGEST_TEXT} 个字，请缩短"))
            }
            _ if plan.title.chars().any(char::is_control) => refuse("“计划名称”请写在一行内".to_owned()),
            _ if plan.note.as_deref().is_some_and(|note| note.chars().count() > LONGEST_TEXT) => {
                refuse(format!("“说明”超过 {LONGEST_TEXT} 个字，请缩短"))
            }
            _ if days < 0 => refuse(format!("检查结束日期 {} 早于开始日期 {}，请核对", plan.until, plan.from)),
            _ if days > LONGEST_WINDOW => {
                refuse(format!("检查期间 {} 至 {} 超过半年，请分成几个计划", plan.from, plan.until))
            }
            _ if plan.until <= self.today() => {
                refuse(format!("检查结束日期 {} 已经到了，请改为以后的日期", plan.until))
            }
            _ => Ok(()),
        }
    }

    /// The plan that was approved enters the ledger.
    pub(crate) async fn record_plan(&self, writing: &mut Writing, matter: &Matter) -> anyhow::Result<()> {
        let plan: PlanProposal = serde_json::from_str(&matter.proposal)?;
        let item = self.inspection_item(&plan.item)?;
        let today = self.today();
        let year = today.format("%Y");
        let so_far = writing.plans_numbered_like(&format!("{year}-")).await?;
        let text = |text: &str| Value::from(text);
        let payload = Payload::from_iter([
            ("number", Value::from(format!("{year}-{:03}", so_far + 1))),
            ("title", text(&plan.title)),
            ("item", text(&plan.item)),
            ("item_title", text(&item.rule.title)),
            ("window_from", text(&plan.from.to_string())),
            ("window_until", text(&plan.until.to_string())),
            ("approved_on", text(&today.to_string())),
            ("matter", Value::Integer(matter.number.0)),
            ("proposal", text(&matter.proposal)),
        ]);
        let record = NewRecord {
            body: Body::System { kind: PLAN.into(), occurred_on: today, payload },
            enterprise: None,
            supersedes: None,
            received_at: self.now(),
            source_unit: matter.unit.as_str().into(),
        };
        writing.append(vec![record]).await?;
        Ok(())
    }

    /// Plans, the newest first, before one.
    ///
    /// # Errors
    /// When the person may not see plans or the database fails.
    pub async fn plans(&self, act: &Act, before: Option<Seq>, limit: u64) -> anyhow::Result<Vec<PlanLine>> {
        act.require(Permission::ReadPlans)?;
        let plans = self.store().plans(before, limit).await?;
        let seqs: Vec<Seq> = plans.iter().map(|plan| plan.seq).collect();
        let counts = self.visit_counts(&seqs).await?;
        let mut last = BTreeMap::new();
        for draw in self.store().draws_of_plans(&seqs).await? {
            last.insert(draw.plan, draw);
        }
        let line = |plan: KeptPlan| PlanLine {
            item_title: self.item_title(&plan.item),
            draw: last.remove(&plan.seq),
            visits: counts.get(&plan.seq).copied().unwrap_or_default(),
            plan,
        };
        Ok(plans.into_iter().map(line).collect())
    }

    /// How many visits of some plans are done, and how many stand in all.
    async fn visit_counts(&self, plans: &[Seq]) -> anyhow::Result<BTreeMap<Seq, (usize, usize)>> {
        let mut counts = BTreeMap::new();
        for (plan, state, visits) in self.store().visit_counts(plans).await? {
            let (done, standing) = counts.entry(plan).or_insert((0, 0));
            match state {
                VisitState::Done => *done += visits,
                VisitState::Open => {}
                VisitState::Replaced => continue,
            }
            *standing += visits;
        }
        Ok(counts)
    }

    /// A plan with its draws.
    ///
    /// # Errors
    /// When the person may not see plans or the database fails.
    pub async fn plan(&self, act: &Act, seq: Seq) -> anyhow::Result<Option<PlanDetail>> {
        act.require(Permission::ReadPlans)?;
        let Some(plan) = self.store().plan(seq).await? else { return Ok(None) };
        let proposal: PlanProposal = serde_json::from_str(&plan.proposal).context("计划内容无法读取")?;
        let item = self.rulebook().inspection(&plan.item, self.today());
        Ok(Some(PlanDetail {
            proposal,
            item_title: self.item_title(&plan.item),
            draws: self.store().draws_of_plans(&[seq]).await?,
            visits: self.visit_counts(&[seq]).await?.remove(&seq).unwrap_or_default(),
            replacement_grounds: item.map(|item| item.replacement_grounds.clone()).unwrap_or_default(),
            plan,
        }))
    }

    /// What people call an item; its id once the rulebook no longer has it.
    #[must_use]
    pub fn item_title(&self, id: &str) -> String {
        self.rulebook().inspection(id, self.today()).map_or(id, |item| &item.rule.title).to_owned()
    }

    /// A plan, for whoever acts on it.
    pub(super) async fn known_plan(&self, seq: Seq) -> anyhow::Result<(KeptPlan, PlanProposal)> {
        let plan = self.store().plan(seq).await?;
        let plan = plan.ok_or_else(|| WrongInput(format!("没有第 {seq} 条抽查计划。请从抽查计划列表进入")))?;
        let proposal = serde_json::from_str(&plan.proposal).context("计划内容无法读取")?;
        Ok((plan, proposal))
    }
}
