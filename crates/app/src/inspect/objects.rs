//! Objects (检查对象) of a plan: who is drawn from, who is listed by rule, who is not drawn and why; and what that
//! means in numbers, before anybody commits to it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use anyhow::Context as _;
use xinheng_core::credit_code::CreditCode;
use xinheng_core::draw::{
    Entropy, Feasibility, FreezeInput, FrozenInspector, Line, Qualification, StratumInput, Time, freeze,
};
use xinheng_core::history::{Facts, Kinds};
use xinheng_core::inspector::{Inspector, Unfit};
use xinheng_core::plan::{FULL, Group, Placement, Quota, Screen, quotas};
use xinheng_core::record::{Day, Seq};
use xinheng_core::rulebook::Citation;
use xinheng_core::rulebook::inspections::InspectionItem;
use xinheng_core::staff::Permission;
use xinheng_core::visit::{Team, VisitState};
use xinheng_store::{KeptVisit, Staff, VisitFilter};

use super::plan::PlanProposal;
use crate::act::Act;
use crate::{Bureau, WrongInput};

/// Objects looked at together.
const PAGE: u64 = 1_000;
/// Enterprises named for a reason.
const NAMED: usize = 20;
/// Most inspectors of a bureau.
pub(super) const MOST_INSPECTORS: u64 = 5_000;
/// Minutes of a working day.
const WORKING_DAY: u64 = 420;
/// Reason of those with a visit of the same item still to come.
const PENDING: &str = "pending";

/// Who stands where in a plan.
pub(super) struct Objects {
    /// Candidates by group.
    pub groups: Vec<(Group, Vec<CreditCode>)>,
    /// Who is visited without a draw, with the reason.
    pub listed: Vec<(CreditCode, String)>,
    /// Who is not drawn, by reason.
    pub excluded: BTreeMap<String, Vec<CreditCode>>,
    /// Candidates with a special circumstance, by its id.
    pub circumstances: BTreeMap<String, Vec<CreditCode>>,
    /// Who went there last.
    pub last_teams: HashMap<CreditCode, Team>,
}

/// What a plan means, in numbers.
#[derive(Clone, Debug)]
pub struct PlanPreview {
    /// All objects of the item.
    pub objects: u64,
    /// Groups that are drawn from.
    pub groups: Vec<GroupLine>,
    /// Who is listed by rule.
    pub listed: Vec<ReasonLine>,
    /// Who is not drawn.
    pub excluded: Vec<ReasonLine>,
    /// Special circumstances among the candidates.
    pub circumstances: Vec<ReasonLine>,
    /// Visits in all.
    pub visits: u64,
    /// Staff days in all, in tenths.
    pub staff_days: u64,
    /// Inspectors who can be sent.
    pub inspectors: usize,
    /// Inspectors who cannot, with the reason.
    pub unfit: Vec<(String, Unfit)>,
    /// Whether teams can be formed whatever is drawn; otherwise why not.
    pub feasibility: Result<Feasibility, String>,
}

/// A group in a preview.
#[derive(Clone, Debug)]
pub struct GroupLine {
    /// Level, town, size.
    pub group: Group,
    /// How many are drawn.
    pub quota: Quota,
}

/// A reason with who has it.
#[derive(Clone, Debug)]
pub struct ReasonLine {
    /// What people read.
    pub title: String,
    /// 法律依据
    pub cite: String,
    /// How many.
    pub count: usize,
    /// Some of them.
    pub first: Vec<(CreditCode, String)>,
}

impl Objects {
    /// How many of each group are drawn. What is covered in full goes to those who are listed.
    pub fn apportion(
        &mut self,
        item: &InspectionItem,
        plan: &PlanProposal,
    ) -> anyhow::Result<Vec<(Group, Vec<CreditCode>, Quota)>> {
        let groups: Vec<Group> = self.groups.iter().map(|(group, _)| group.clone()).collect();
        let quotas = quotas(item, &plan.terms(), &groups).map_err(|refusal| WrongInput(refusal.to_string()))?;
        let mut drawn = Vec::with_capacity(groups.len());
        for ((group, codes), quota) in std::mem::take(&mut self.groups).into_iter().zip(quotas) {
            if quota.all {
                self.listed.extend(codes.into_iter().map(|code| (code, FULL.to_owned())));
            } else {
                drawn.push((group, codes, quota));
            }
        }
        Ok(drawn)
    }
}

impl Bureau {
    /// Where every object of a plan stands today.
    pub(super) async fn objects(&self, item: &InspectionItem, plan: &PlanProposal) -> anyhow::Result<Objects> {
        let (today, terms) = (self.today(), plan.terms());
        let kinds = Kinds::new(self.rulebook().kinds(today));
        let screen = Screen::new(item, &kinds);
        let same_item: HashSet<Seq> = self.store().plans_of_item(&plan.item).await?.into_iter().collect();
        let head = self.head().await?.seq;
        let mut groups: BTreeMap<(String, Option<String>, bool), Vec<CreditCode>> = BTreeMap::new();
        let mut found = Objects {
            groups: Vec::new(),
            listed: Vec::new(),
            excluded: BTreeMap::new(),
            circumstances: BTreeMap::new(),
            last_teams: HashMap::new(),
        };
        let mut after = None;
        loop {
            let page = self.store().objects(&item.scope, after, PAGE).await?;
            after = page.last().filter(|_| page.len() as u64 == PAGE).map(|last| last.code);
            let codes: Vec<CreditCode> = page.iter().map(|object| object.code).collect();
            let histories = self.store().histories_for(&codes, head).await?;
            let visits = self.store().visits(&VisitFilter::To(&codes)).await?;
            let mut pending = HashSet::new();
            for KeptVisit { plan, enterprise, team, state, .. } in visits {
                match (state, team) {
                    (VisitState::Open, _) if same_item.contains(&plan) => drop(pending.insert(enterprise)),
                    // Visits come in the order of their plans: the last one counts.
                    (VisitState::Done, Some(team)) => drop(found.last_teams.insert(enterprise, team)),
                    _ => {}
                }
            }
            for object in page {
                let records = histories.get(&object.code).map(Vec::as_slice).unwrap_or_default();
                let facts = Facts::new(records, today, &kinds);
                match screen.place(&terms, &object.level, &facts) {
                    Placement::NotAnObject => {}
                    _ if pending.contains(&object.code) => {
                        found.excluded.entry(PENDING.to_owned()).or_default().push(object.code);
                    }
                    Placement::Excluded(ground) => {
                        found.excluded.entry(ground.to_owned()).or_default().push(object.code);
                    }
                    Placement::Listed(reason) => found.listed.push((object.code, reason.to_owned())),
                    Placement::Candidate { level, circumstance, left_out } => {
                        if let Some(id) = circumstance {
                            found.circumstances.entry(id.to_owned()).or_default().push(object.code);
                        }
                        let town = plan.by_town.then(|| object.town.unwrap_or_else(|| "未登记乡镇".to_owned()));
                        groups.entry((level.to_owned(), town, left_out)).or_default().push(object.code);
                    }
                }
            }
            if after.is_none() {
                break;
            }
        }
        found.groups = groups
            .into_iter()
            .map(|((level, town, left_out), codes)| {
                (Group { level, town, left_out, candidates: codes.len() as u64 }, codes)
            })
            .collect();
        Ok(found)
    }

    /// What a plan would mean if it were drawn today.
    ///
    /// # Errors
    /// [`WrongInput`] when it cannot be drawn as it is.
    pub async fn preview_plan(&self, act: &Act, plan: &PlanProposal) -> anyhow::Result<PlanPreview> {
        // Whoever reviews or approves a plan sees what it means.
        let decides = [Permission::Review, Permission::Approve].into_iter().any(|one| act.require(one).is_ok());
        if !decides {
            act.require(Permission::ReadPlans)?;
        }
        self.check_plan(plan)?;
        let item = self.inspection_item(&plan.item)?;
        let mut objects = self.objects(item, plan).await?;
        let named: Vec<CreditCode> = objects
            .excluded
            .values()
            .chain(objects.circumstances.values())
            .flat_map(|codes| codes.iter().take(NAMED))
            .copied()
            .collect();
        let in_groups: u64 = objects.groups.iter().map(|(group, _)| group.candidates).sum();
        let excluded: usize = objects.excluded.values().map(Vec::len).sum();
        let all = in_groups + (objects.listed.len() + excluded) as u64;
        let drawn = objects.apportion(item, plan)?;
        let listed_some: Vec<CreditCode> = objects.listed.iter().take(NAMED).map(|(code, _)| *code).collect();
        let names = self.names_of(&[named, listed_some].concat()).await?;
        let reason = |id: &str, codes: &[CreditCode]| {
            let (title, cite) = reason_words(item, id);
            let first = codes.iter().filter_map(|code| Some((*code, names.get(code)?.clone()))).take(NAMED);
            ReasonLine { title, cite, count: codes.len(), first: first.collect() }
        };
        let mut listed: BTreeMap<&str, Vec<CreditCode>> = BTreeMap::new();
        for (code, id) in &objects.listed {
            listed.entry(id).or_default().push(*code);
        }
        let (inspectors, unfit) = self.frozen_inspectors(plan.from, plan.until, &objects.last_teams).await?;
        let quota: u64 = drawn.iter().map(|(_, _, quota)| quota.total()).sum();
        let visits = quota + objects.listed.len() as u64;
        let fit = inspectors.len();
        let feasibility = if quota == 0 { Ok(Feasibility::Exact) } else { self.rehearse(item, &drawn, inspectors)? };
        Ok(PlanPreview {
            objects: all,
            listed: listed.iter().map(|(id, codes)| reason(id, codes)).collect(),
            excluded: objects.excluded.iter().map(|(id, codes)| reason(id, codes)).collect(),
            circumstances: objects.circumstances.iter().map(|(id, codes)| reason(id, codes)).collect(),
            groups: drawn.into_iter().map(|(group, _, quota)| GroupLine { group, quota }).collect(),
            visits,
            staff_days: (visits * u64::from(item.minutes) * u64::from(item.team) * 10).div_ceil(WORKING_DAY),
            inspectors: fit,
            unfit,
            feasibility,
        })
    }

    /// Freezes for trial, with random bytes that are thrown away: whether teams can be formed whatever is drawn.
    fn rehearse(
        &self,
        item: &InspectionItem,
        drawn: &[(Group, Vec<CreditCode>, Quota)],
        inspectors: Vec<FrozenInspector>,
    ) -> anyhow::Result<Result<Feasibility, String>> {
        let now = Time::of(self.now());
        let trial = Line::new("试算")?;
        let input = FreezeInput {
            draw: trial.clone(),
            plan: trial.clone(),
            follows: None,
            frozen_at: now,
            strata: strata(item, drawn)?,
            entropy: Entropy { source: trial.clone(), format: trial, due: now.hours_later(1) },
            inspectors: Some(inspectors),
            replacement_grounds: Vec::new(),
        };
        Ok(match freeze(input, self.draw_secrets()?, &[]) {
            Ok(frozen) => Ok(frozen.feasibility().unwrap_or(Feasibility::Exact)),
            Err(refusal) => Err(refusal.to_string()),
        })
    }

    /// The inspectors who can be sent within a window, recused from where they went last; and who cannot, and why.
    pub(super) async fn frozen_inspectors(
        &self,
        from: Day,
        until: Day,
        last_teams: &HashMap<CreditCode, Team>,
    ) -> anyhow::Result<(Vec<FrozenInspector>, Vec<(String, Unfit)>)> {
        let mut went: HashMap<i64, BTreeSet<CreditCode>> = HashMap::new();
        for (code, team) in last_teams {
            for person in [team.lead, team.second] {
                went.entry(person).or_default().insert(*code);
            }
        }
        let (mut fit, mut unfit) = (Vec::new(), Vec::new());
        let directory: Vec<(Staff, Inspector)> = self.store().inspectors(0, MOST_INSPECTORS).await?;
        for (person, inspector) in directory {
            match FrozenInspector::of(Line::new(person.number.to_string())?, &inspector, from, until) {
                Ok(mut frozen) => {
                    frozen.recusals.extend(went.remove(&person.number).unwrap_or_default());
                    fit.push(frozen);
                }
                Err(reason) => unfit.push((person.name, reason)),
            }
        }
        Ok((fit, unfit))
    }

    /// Names of some enterprises.
    pub(super) async fn names_of(&self, codes: &[CreditCode]) -> anyhow::Result<HashMap<CreditCode, String>> {
        Ok(self.store().names_of(codes).await?)
    }
}

/// Groups as the strata of a draw; those of which nobody is drawn are none.
pub(super) fn strata(
    item: &InspectionItem,
    drawn: &[(Group, Vec<CreditCode>, Quota)],
) -> anyhow::Result<Vec<StratumInput>> {
    let mut needs = BTreeSet::new();
    if let Some(field) = &item.needs.qualification {
        needs.insert(field.parse::<Qualification>().context("抽查事项所需资格的代号不合规则")?);
    }
    if item.needs.professional {
        needs.insert(Qualification::professional());
    }
    let of_group = |(group, codes, quota): &(Group, Vec<CreditCode>, Quota)| StratumInput {
        label: group.label(&item.rule.id.value),
        candidates: codes.clone(),
        quota: quota.total(),
        needs: needs.clone(),
    };
    Ok(drawn.iter().map(of_group).filter(|stratum| stratum.quota > 0).collect())
}

/// What people read for a reason, and where it is written.
pub(super) fn reason_words(item: &InspectionItem, id: &str) -> (String, String) {
    let cited = |cite: &Option<Citation>| cite.as_ref().map_or_else(|| "本系统缺省".to_owned(), ToString::to_string);
    if let Some(ground) = item.exclusions.iter().find(|ground| ground.id.value == id) {
        return (ground.title.clone(), cited(&ground.cite));
    }
    if let Some(circumstance) = item.circumstances.iter().find(|one| one.id.value == id) {
        return (circumstance.title.clone(), cited(&circumstance.cite));
    }
    let title = match id {
        FULL => "所在分组全部检查，不抽取",
        PENDING => "同一事项已有未办结的检查任务",
        other => other,
    };
    (title.to_owned(), "本系统缺省".to_owned())
}
