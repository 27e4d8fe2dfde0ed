//! Visits (检查任务): who goes where, with what checklist; and another team when the first one cannot go.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use xinheng_core::approval::LEAST_REASON;
use xinheng_core::record::{Day, Seq};
use xinheng_core::rulebook::inspections::{ChecklistLine, InspectionItem};
use xinheng_core::rulebook::kind::Field;
use xinheng_core::staff::Permission;
use xinheng_core::visit::{DrawStep, Team, VisitState};
use xinheng_store::{KeptPlan, KeptVisit, Matter, VisitFilter};

use super::objects::MOST_INSPECTORS;
use super::result::{INSPECTION, result_target};
use crate::act::{Act, NotPermitted};
use crate::approval::LONGEST_TEXT;
use crate::{Bureau, WrongInput};

/// A visit in a list.
#[derive(Clone, Debug)]
pub struct VisitLine {
    /// The visit.
    pub visit: KeptVisit,
    /// 任务编号, published with the result.
    pub task_number: String,
    /// 企业名称
    pub name: String,
    /// 抽查事项
    pub item_title: String,
    /// Last day of the plan's visits.
    pub until: Day,
    /// Names of the two who go.
    pub team: Option<(String, String)>,
}

/// A visit as those who go see it.
#[derive(Clone, Debug)]
pub struct VisitDetail {
    /// The visit.
    pub line: VisitLine,
    /// The plan.
    pub plan: KeptPlan,
    /// Contents and standards of the check.
    pub checklist: Vec<ChecklistLine>,
    /// 检查结果: codes and titles.
    pub results: Vec<(String, String)>,
    /// Chapters that the form asks for: fields and titles.
    pub chapters: Vec<(String, String)>,
    /// The result that waits for review.
    pub entered: Option<Matter>,
    /// Whether the person may enter the result.
    pub may_enter: bool,
    /// Grounds on which it may be replaced; none when it was not drawn.
    pub replacement_grounds: Vec<String>,
    /// Staff numbers and names of those who could go.
    pub inspectors: Vec<(i64, String)>,
}

/// 任务编号: that of the plan with the visit's place.
pub(super) fn task_number(plan: &KeptPlan, place: u32) -> String {
    format!("{}-{place:04}", plan.number)
}

/// What of an inspection's fields its form asks for.
pub(super) fn chapters<'a>(item: Option<&InspectionItem>, fields: &'a [Field]) -> Vec<&'a Field> {
    let asked = |field: &&Field| item.is_some_and(|item| item.chapters.contains(&field.name.value));
    fields.iter().filter(asked).collect()
}

fn people_of(visits: &[KeptVisit]) -> Vec<i64> {
    visits.iter().filter_map(|visit| visit.team).flat_map(|team| [team.lead, team.second]).collect()
}

impl Bureau {
    /// All visits of a plan, for the list that is taken along.
    ///
    /// # Errors
    /// When the person may not see plans or the database fails.
    pub async fn all_visits(&self, act: &Act, plan: Seq) -> anyhow::Result<Vec<VisitLine>> {
        act.require(Permission::ReadPlans)?;
        let visits = self.store().visits(&VisitFilter::Plan(plan)).await?;
        self.visit_lines(visits).await
    }

    /// Visits of a plan by their places, after one.
    ///
    /// # Errors
    /// When the person may not see plans or the database fails.
    pub async fn visits(&self, act: &Act, plan: Seq, after: u32, limit: u64) -> anyhow::Result<Vec<VisitLine>> {
        act.require(Permission::ReadPlans)?;
        self.visit_lines(self.store().visits_after(plan, after, limit).await?).await
    }

    /// Open visits of whoever is signed in.
    ///
    /// # Errors
    /// When nobody is or the database fails.
    pub async fn own_visits(&self, act: &Act) -> anyhow::Result<Vec<VisitLine>> {
        let actor = act.signed_in()?;
        let visits = self.store().visits(&VisitFilter::OpenOf(actor.staff)).await?;
        self.visit_lines(visits).await
    }

    async fn visit_lines(&self, visits: Vec<KeptVisit>) -> anyhow::Result<Vec<VisitLine>> {
        let codes: Vec<_> = visits.iter().map(|visit| visit.enterprise).collect();
        let names = self.names_of(&codes).await?;
        let people = self.staff_names(&people_of(&visits)).await?;
        let mut plans: HashMap<Seq, KeptPlan> = HashMap::new();
        for visit in &visits {
            if let Entry::Vacant(place) = plans.entry(visit.plan) {
                place.insert(self.known_plan(visit.plan).await?.0);
            }
        }
        let name = |person: i64| people.get(&person).cloned().unwrap_or_else(|| person.to_string());
        let line = |visit: KeptVisit| {
            let plan = &plans[&visit.plan];
            VisitLine {
                task_number: task_number(plan, visit.place),
                name: names.get(&visit.enterprise).cloned().unwrap_or_else(|| visit.enterprise.to_string()),
                item_title: self.item_title(&plan.item),
                until: plan.until,
                team: visit.team.map(|team| (name(team.lead), name(team.second))),
                visit,
            }
        };
        Ok(visits.into_iter().map(line).collect())
    }

    /// A visit, for those who go and for those who see plans; others do not learn that it exists.
    ///
    /// # Errors
    /// When nobody is signed in or the database fails.
    pub async fn visit(&self, act: &Act, plan: Seq, place: u32) -> anyhow::Result<Option<VisitDetail>> {
        let actor = act.signed_in()?;
        let Some(visit) = self.store().visit(plan, place).await? else { return Ok(None) };
        let goes = visit.team.is_some_and(|team| team.lead == actor.staff || team.second == actor.staff);
        let plans = actor.may(Permission::Plan);
        if !goes && !actor.may(Permission::ReadPlans) {
            return Ok(None);
        }
        let (kept, _) = self.known_plan(plan).await?;
        let open = visit.state == VisitState::Open;
        let entered = match open {
            true => self.open_matter_of(&result_target(plan, place)).await?,
            false => None,
        };
        let drawn = visit.drawn && open;
        let line = self.visit_lines(vec![visit]).await?.pop().expect("one line for one visit");
        let inspectors = match plans && open {
            true => {
                let found = self.store().inspectors(0, MOST_INSPECTORS).await?;
                found.into_iter().map(|(person, _)| (person.number, person.name)).collect()
            }
            false => Vec::new(),
        };
        let item = self.rulebook().inspection(&kept.item, self.today());
        let kind = self.rulebook().kind(INSPECTION, self.today());
        let fields = kind.map(|kind| &kind.fields[..]).unwrap_or_default();
        let mut results = Vec::new();
        if let Some(field) = kind.and_then(|kind| kind.field("result")) {
            results.extend(field.choices.keys().map(|code| (code.clone(), field.shown(code).to_owned())));
        }
        Ok(Some(VisitDetail {
            line,
            checklist: item.map(|item| item.checklist.clone()).unwrap_or_default(),
            results,
            chapters: chapters(item, fields).iter().map(|one| (one.name.value.clone(), one.title.clone())).collect(),
            may_enter: open && (goes || plans) && actor.may(Permission::Handle),
            replacement_grounds: item
                .filter(|_| drawn && plans)
                .map(|item| item.replacement_grounds.clone())
                .unwrap_or_default(),
            plan: kept,
            entered,
            inspectors,
        }))
    }

    /// An open matter by what it acts on.
    pub(super) async fn open_matter_of(&self, target: &str) -> anyhow::Result<Option<Matter>> {
        match self.store().open_matter_of(target).await? {
            Some(number) => Ok(self.store().matter(number).await?.map(|(matter, _)| matter)),
            None => Ok(None),
        }
    }

    /// Names the team of a visit, or another than before with the reason.
    ///
    /// # Errors
    /// [`WrongInput`] when they may not go.
    pub async fn assign_team(
        &self,
        act: &Act,
        plan: Seq,
        place: u32,
        team: Team,
        reason: Option<&str>,
    ) -> anyhow::Result<()> {
        act.require(Permission::Plan)?;
        let refuse = |sentence: String| Err(WrongInput(sentence).into());
        let mut writing = self.store().begin().await?;
        let (kept, proposal) = self.known_plan(plan).await?;
        let visits = writing.visits_of_plan(plan).await?;
        let Some(visit) = visits.iter().find(|visit| visit.place == place && visit.state == VisitState::Open) else {
            return refuse("这项检查任务已经办结或已被替换，不能再指派".to_owned());
        };
        let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
        let length = reason.map_or(0, |reason| reason.chars().count());
        if visit.team.is_some() && length < LEAST_REASON || length > LONGEST_TEXT {
            return refuse(format!("检查组是抽取产生的，更换须写明理由，{LEAST_REASON} 至 {LONGEST_TEXT} 个字"));
        }
        if team.lead == team.second {
            return refuse("组长和组员不能是同一人".to_owned());
        }
        let listed = self.store().inspectors_among(&[team.lead, team.second]).await?;
        let item = self.inspection_item(&kept.item)?;
        for person in [team.lead, team.second] {
            let Some((staff, inspector)) = listed.iter().find(|(staff, _)| staff.number == person) else {
                return refuse("所选人员不在检查人员名录中，请重新选择".to_owned());
            };
            let needed = xinheng_core::inspector::Needed {
                qualification: item.needs.qualification.as_deref(),
                professional: item.needs.professional,
            };
            if let Some(unfit) = inspector.unfit(&needed, proposal.from, proposal.until) {
                return refuse(format!("{}不能参加：{unfit}", staff.name));
            }
            if inspector.recusals.contains_key(&visit.enterprise) {
                return refuse(format!("{}应当回避这户企业，请另选他人", staff.name));
            }
            if person == team.lead && !inspector.may_lead {
                return refuse(format!("{}不能任组长，请另选他人", staff.name));
            }
        }
        let step = DrawStep::Assign { place, team, reason: reason.map(str::to_owned) };
        self.put_draw_step(&mut writing, act, &kept, None, &step, None).await?;
        Ok(writing.commit().await?)
    }

    /// Whether the person goes to a visit or plans visits; otherwise may not enter its result.
    pub(super) fn may_enter(act: &Act, visit: &KeptVisit) -> Result<(), NotPermitted> {
        let actor = act.signed_in()?;
        let goes = visit.team.is_some_and(|team| team.lead == actor.staff || team.second == actor.staff);
        match goes || actor.may(Permission::Plan) {
            true => Ok(()),
            false => Err(NotPermitted("谁检查、谁录入：这项检查任务由检查组成员录入结果".to_owned())),
        }
    }
}
