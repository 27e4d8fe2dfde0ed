//! Results of visits (检查结果): entered by those who went, checked by another person, then on record under the
//! enterprise's name; the clock of publication starts, and the level follows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use xinheng_core::record::{Day, FailedShare, Personal, Seq, Value};
use xinheng_core::rulebook::kind::Kind;
use xinheng_core::visit::{DrawStep, VisitState};
use xinheng_store::{Matter, NewDrawStep, Writing};

use super::INSPECTION_RESULT;
use super::visits::{chapters, task_number};
use crate::act::Act;
use crate::approval::{Approved, LONGEST_TEXT, Proposal};
use crate::deadline::ClockKeeper;
use crate::{Bureau, WrongInput};

/// Kind of record of an inspection (监督检查).
pub(super) const INSPECTION: &str = "inspection";
/// 检查类型 of what a plan brings about.
const INSPECTION_TYPE: &str = "双随机抽查";
/// Result: found and ordered to be corrected (发现问题已责令改正).
const ORDERED_CORRECTED: &str = "05";

/// What those who went say of a visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitResult {
    /// The plan.
    pub plan: Seq,
    /// Place of the visit.
    pub place: u32,
    /// 检查日期
    pub inspected_on: Day,
    /// 检查结果: its code.
    pub result: String,
    /// Chapter → failed and applicable weight, `3/12`.
    #[serde(default)]
    pub chapters: BTreeMap<String, String>,
    /// 整改期限
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rectification_due: Option<Day>,
    /// 检查情况. It may tell of people: sealed once it is on record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

/// A result in words.
#[derive(Clone, Debug)]
pub struct ResultWords {
    /// 任务编号
    pub task_number: String,
    /// 检查结果
    pub result: String,
    /// Chapters with their shares.
    pub chapters: Vec<(String, String)>,
}

/// What the matter of a visit's result acts on.
pub(super) fn result_target(plan: Seq, place: u32) -> String {
    format!("{INSPECTION_RESULT}/{plan}/{place}")
}

impl Bureau {
    /// Proposes the result of a visit for another person to check; or again, what came back.
    ///
    /// # Errors
    /// [`WrongInput`] with the sentence that the person reads.
    pub async fn enter_result(&self, act: &Act, again: Option<Seq>, result: &VisitResult) -> anyhow::Result<Seq> {
        let mut writing = self.store().begin().await?;
        let (plan, _) = self.known_plan(result.plan).await?;
        let visits = writing.visits_of_plan(result.plan).await?;
        let visit = visits.iter().find(|visit| visit.place == result.place && visit.state == VisitState::Open);
        let visit = visit.ok_or_else(|| WrongInput("这项检查任务已经办结或已被替换，不能再录入结果".to_owned()))?;
        Self::may_enter(act, visit)?;
        if visit.team.is_none() {
            return Err(WrongInput("这项检查任务还没有指派检查组，不能录入结果".to_owned()).into());
        }
        let mut result = result.clone();
        result.remark = result.remark.map(|remark| remark.trim().to_owned()).filter(|remark| !remark.is_empty());
        result.chapters.retain(|_, share| !share.trim().is_empty());
        self.check_result(&result, plan.from, &plan.item)?;
        let subject = format!("检查结果：{} {}", task_number(&plan, visit.place), self.item_title(&plan.item));
        let (targets, content) = (vec![result_target(result.plan, result.place)], serde_json::to_string(&result)?);
        let proposal = Proposal {
            procedure: INSPECTION_RESULT,
            subject: &subject,
            targets: &targets,
            content: &content,
            taken: &|_, other| format!("这项检查任务的结果已在第 {other} 号事项中待复核，不必重复录入"),
        };
        let matter = self.hand_in(&mut writing, act, again, &proposal).await?;
        writing.commit().await?;
        Ok(matter)
    }

    /// What people read of a result.
    ///
    /// # Errors
    /// When its plan is gone or the database fails.
    pub async fn result_words(&self, result: &VisitResult) -> anyhow::Result<ResultWords> {
        let (plan, _) = self.known_plan(result.plan).await?;
        let kind = self.inspection_kind()?;
        let title = |name: &str| kind.field(name).map_or(name, |field| &field.title).to_owned();
        let shown = kind.field("result").map_or(result.result.as_str(), |field| field.shown(&result.result));
        Ok(ResultWords {
            task_number: task_number(&plan, result.place),
            result: shown.to_owned(),
            chapters: result.chapters.iter().map(|(name, share)| (title(name), share.clone())).collect(),
        })
    }

    fn inspection_kind(&self) -> anyhow::Result<&Kind> {
        use anyhow::Context as _;
        self.rulebook().kind(INSPECTION, self.today()).context("规则库缺少记录种类 inspection")
    }

    fn check_result(&self, result: &VisitResult, from: Day, item: &str) -> anyhow::Result<()> {
        let kind = self.inspection_kind()?;
        let refuse = |sentence: String| Err(WrongInput(sentence).into());
        let (today, on) = (self.today(), result.inspected_on);
        if !kind.field("result").is_some_and(|field| field.choices.contains_key(&result.result)) {
            return refuse("请选择检查结果".to_owned());
        }
        if on > today {
            return refuse(format!("检查日期 {on} 晚于今天，请填写实际检查的日期"));
        }
        if on < from {
            return refuse(format!("检查日期 {on} 早于计划的检查开始日期 {from}，请核对"));
        }
        if result.result == ORDERED_CORRECTED && result.rectification_due.is_none() {
            return refuse("责令改正的，请填写整改期限".to_owned());
        }
        if let Some(due) = result.rectification_due.filter(|due| *due < on) {
            return refuse(format!("整改期限 {due} 早于检查日期 {on}，请核对"));
        }
        if result.remark.as_deref().is_some_and(|remark| remark.chars().count() > LONGEST_TEXT) {
            return refuse(format!("“检查情况”超过 {LONGEST_TEXT} 个字，请缩短"));
        }
        let known = chapters(self.rulebook().inspection(item, today), &kind.fields);
        for (name, share) in &result.chapters {
            let Some(field) = known.iter().find(|field| field.name.value == *name) else {
                return refuse("本事项没有这一章节，请刷新页面后重新填写".to_owned());
            };
            if !share.parse().is_ok_and(|share: FailedShare| share.applicable > 0) {
                let title = &field.title;
                return refuse(format!("“{title}”应写作“未通过的权重/适用的权重”，例如 3/12；写的是“{share}”"));
            }
        }
        Ok(())
    }

    /// The result that was checked enters the ledger, and the visit is done.
    pub(crate) async fn record_result(&self, writing: &mut Writing, matter: &Matter) -> anyhow::Result<()> {
        let result: VisitResult = serde_json::from_str(&matter.proposal)?;
        let (plan, _) = self.known_plan(result.plan).await?;
        let visits = writing.visits_of_plan(result.plan).await?;
        let visit = visits.iter().find(|visit| visit.place == result.place && visit.state == VisitState::Open);
        let visit = visit.ok_or_else(|| WrongInput("这项检查任务已经办结或已被替换，请退回本事项".to_owned()))?;
        let item = self.inspection_item(&plan.item)?;
        let text = |text: &str| Value::from(text);
        let mut fields = BTreeMap::from([
            ("inspected_on".to_owned(), text(&result.inspected_on.to_string())),
            ("inspection_type".to_owned(), text(INSPECTION_TYPE)),
            ("item".to_owned(), text(&item.rule.title)),
            ("task_number".to_owned(), text(&task_number(&plan, visit.place))),
            ("plan_number".to_owned(), text(&plan.number)),
            ("result".to_owned(), text(&result.result)),
            ("full_check".to_owned(), Value::Flag(item.full_check)),
        ]);
        fields.extend(self.settings().await?.bureau.map(|bureau| ("authority".to_owned(), Value::from(bureau))));
        fields.extend(result.rectification_due.map(|due| ("rectification_due".to_owned(), text(&due.to_string()))));
        fields.extend(result.chapters.iter().map(|(name, share)| (name.clone(), text(share))));
        let mut personal = BTreeMap::new();
        personal.extend(result.remark.as_deref().map(|remark| ("remark".to_owned(), Personal::new(remark))));
        if let Some(team) = visit.team {
            let names = self.staff_names(&[team.lead, team.second]).await?;
            let names: Vec<&str> =
                [team.lead, team.second].iter().filter_map(|person| names.get(person).map(String::as_str)).collect();
            personal.insert("inspectors".to_owned(), Personal::new(names.join("、")));
        }
        let approved = Approved {
            kind: INSPECTION,
            enterprise: Some(visit.enterprise),
            occurred_on: result.inspected_on,
            fields,
            personal,
        };
        let mut keeper = ClockKeeper::new(self.rulebook());
        let record = self.enter_approved(writing, &mut keeper, vec![approved], &matter.unit).await?;
        let step = DrawStep::Result { place: visit.place, record };
        let new = NewDrawStep {
            plan: plan.seq,
            draw: None,
            person: Some(matter.handler),
            step: &step,
            certificate: None,
            names: None,
        };
        self.append_step(writing, &new, &matter.unit).await
    }
}
