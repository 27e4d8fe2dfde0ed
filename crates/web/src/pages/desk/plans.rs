//! Plans of inspections: a list, a form with a preview of what the plan means, and an approved plan with its draws and
//! visits.

use askama::Template;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use xinheng_app::inspect::{
    GroupLine, ItemLine, LotteryChoice, PlanDetail, PlanLine, PlanPreview, PlanProposal, ReasonLine, VisitLine,
};
use xinheng_core::record::{Day, Seq};
use xinheng_core::staff::Permission;
use xinheng_core::visit::VisitState;

use crate::Site;
use crate::error::{PageError, PageResult};
use crate::form::{Form, outcome, see};
use crate::page::{Frame, page};
use crate::visit::{Visit, encoded};
use crate::words::{percent, ratio};

/// Plans and visits of a page.
const PAGE: u64 = 50;

#[derive(Template)]
#[template(path = "desk/plans.html")]
struct PlansPage {
    frame: Frame,
    plans: Vec<PlanLine>,
    next: Option<Seq>,
}

#[derive(Default, Deserialize)]
pub struct Before {
    before: Option<i64>,
}

pub async fn list(State(site): State<Site>, visit: Visit, Query(place): Query<Before>) -> PageResult {
    let plans = site.bureau.plans(&visit.act, place.before.map(Seq), PAGE).await?;
    page(&PlansPage {
        frame: Frame::new(&visit, "抽查计划"),
        next: plans.last().filter(|_| plans.len() as u64 == PAGE).map(|last| last.plan.seq),
        plans,
    })
}

/// A plan as it is typed.
#[derive(Clone, Default, Deserialize)]
pub struct PlanForm {
    #[serde(default)]
    item: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    until: String,
    #[serde(default)]
    ratio: String,
    #[serde(default)]
    leave_out_low: Option<String>,
    #[serde(default)]
    by_town: Option<String>,
    #[serde(default)]
    list_due: Option<String>,
    #[serde(default)]
    note: String,
    /// The matter that came back.
    #[serde(default)]
    again: Option<i64>,
}

impl PlanForm {
    fn proposal(&self) -> Result<PlanProposal, PageError> {
        let wrong = |sentence: &str| PageError::WrongInput(sentence.to_owned());
        let day = |text: &str, title: &str| -> Result<Day, PageError> {
            text.trim().parse().map_err(|_| wrong(&format!("请填写{title}，例如 2026-12-31")))
        };
        Ok(PlanProposal {
            title: self.title.clone(),
            item: self.item.clone(),
            from: day(&self.from, "检查开始日期")?,
            until: day(&self.until, "检查结束日期")?,
            ratio: ratio(&self.ratio).ok_or_else(|| wrong("请填写抽查比例，例如 5 或 12.5（百分之几）"))?,
            leave_out_low: self.leave_out_low.is_some(),
            by_town: self.by_town.is_some(),
            list_due: self.list_due.is_some(),
            note: Some(self.note.trim().to_owned()).filter(|note| !note.is_empty()),
        })
    }

    /// The form of a plan that was proposed before.
    pub(crate) fn address(plan: &PlanProposal, again: Seq) -> String {
        let text = |name: &str, value: &str| format!("{name}={}", encoded(value));
        let mut fields = vec![
            text("item", &plan.item),
            text("title", &plan.title),
            text("from", &plan.from.to_string()),
            text("until", &plan.until.to_string()),
            text("ratio", percent(plan.ratio).trim_end_matches('%')),
            text("note", plan.note.as_deref().unwrap_or_default()),
            format!("again={again}"),
        ];
        let switches = [("leave_out_low", plan.leave_out_low), ("by_town", plan.by_town), ("list_due", plan.list_due)];
        fields.extend(switches.iter().filter(|(_, on)| *on).map(|(name, _)| format!("{name}=on")));
        format!("/desk/plans/new?{}", fields.join("&"))
    }
}

#[derive(Template)]
#[template(path = "desk/plan_new.html")]
struct NewPlanPage {
    frame: Frame,
    items: Vec<ItemLine>,
    chosen: Option<ItemLine>,
    typed: PlanForm,
    preview: Option<PlanPreview>,
    fault: String,
}

impl NewPlanPage {
    fn share(&self, line: &GroupLine) -> String {
        let share = line.quota.total() * 10_000 / line.group.candidates.max(1);
        percent(u32::try_from(share).unwrap_or(u32::MAX))
    }

    /// The three lists of reasons with their headings.
    fn reasons<'p>(&self, preview: &'p PlanPreview) -> [(&'static str, &'static str, &'p [ReasonLine]); 3] {
        [
            ("按规定列入，不抽取", "没有", &preview.listed),
            ("不抽取的对象", "没有", &preview.excluded),
            ("有特殊情形的对象", "没有", &preview.circumstances),
        ]
    }
}

async fn new_with(site: &Site, visit: &Visit, mut typed: PlanForm, fault: String) -> PageResult {
    let items = site.bureau.inspection_items(&visit.act).await?;
    let chosen = items.iter().find(|item| item.id == typed.item).cloned();
    let (mut preview, mut fault) = (None, fault);
    if let Some(item) = &chosen {
        if typed.ratio.is_empty() {
            percent(item.usual_ratio).trim_end_matches('%').clone_into(&mut typed.ratio);
        }
        if !typed.until.is_empty() {
            let tried = match typed.proposal() {
                Ok(proposal) => site.bureau.preview_plan(&visit.act, &proposal).await.map_err(PageError::from),
                Err(error) => Err(error),
            };
            match tried {
                Ok(found) => preview = Some(found),
                Err(PageError::WrongInput(sentence)) if fault.is_empty() => fault = sentence,
                Err(PageError::WrongInput(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }
    page(&NewPlanPage { frame: Frame::new(visit, "新建抽查计划"), items, chosen, typed, preview, fault })
}

pub async fn new(State(site): State<Site>, visit: Visit, Query(typed): Query<PlanForm>) -> PageResult {
    new_with(&site, &visit, typed, String::new()).await
}

pub async fn propose(State(site): State<Site>, visit: Visit, Form(typed): Form<PlanForm>) -> PageResult {
    let proposed = match typed.proposal() {
        Ok(plan) => site.bureau.propose_plan(&visit.act, typed.again.map(Seq), &plan).await.map_err(PageError::from),
        Err(error) => Err(error),
    };
    outcome(proposed, async |proposed| match proposed {
        Ok(matter) => Ok(see(format!("/desk/matters/{matter}"))),
        Err(fault) => new_with(&site, &visit, typed, fault).await,
    })
    .await
}

#[derive(Template)]
#[template(path = "desk/plan.html")]
struct PlanPage {
    frame: Frame,
    detail: PlanDetail,
    visits: Vec<VisitLine>,
    next: Option<u32>,
    lotteries: Vec<LotteryChoice>,
    may_freeze: bool,
    fault: String,
}

async fn plan_with(site: &Site, visit: &Visit, seq: Seq, after: u32, fault: String) -> PageResult {
    let detail = site.bureau.plan(&visit.act, seq).await?.ok_or(PageError::NotFound)?;
    let visits = site.bureau.visits(&visit.act, seq, after, PAGE).await?;
    let next = visits.last().filter(|_| visits.len() as u64 == PAGE).map(|last| last.visit.place);
    let frame = Frame::new(visit, detail.plan.title.clone());
    let open = detail.draws.iter().any(|draw| draw.state == xinheng_app::inspect::DrawState::Frozen);
    let may_freeze = frame.may(Permission::Plan) && !open && detail.plan.until > visit.today;
    let lotteries = if may_freeze { site.bureau.lottery_choices() } else { Vec::new() };
    page(&PlanPage { frame, detail, visits, next, lotteries, may_freeze, fault })
}

#[derive(Default, Deserialize)]
pub struct After {
    #[serde(default)]
    after: u32,
}

pub async fn plan(
    State(site): State<Site>,
    visit: Visit,
    Path(seq): Path<i64>,
    Query(place): Query<After>,
) -> PageResult {
    plan_with(&site, &visit, Seq(seq), place.after, String::new()).await
}

#[derive(Deserialize)]
pub struct FreezeForm {
    /// `double_colour/2026-12-01`
    #[serde(default)]
    lottery: String,
}

pub async fn freeze(
    State(site): State<Site>,
    visit: Visit,
    Path(seq): Path<i64>,
    Form(form): Form<FreezeForm>,
) -> PageResult {
    let chosen = form.lottery.split_once('/').and_then(|(id, day)| Some((id, day.parse::<Day>().ok()?)));
    let frozen = match chosen {
        Some((lottery, day)) => {
            site.bureau.freeze_draw(&visit.act, Seq(seq), lottery, day).await.map_err(PageError::from)
        }
        None => Err(PageError::WrongInput("请选择随机来源。".into())),
    };
    outcome(frozen, async |frozen| match frozen {
        Ok(number) => Ok(see(format!("/desk/draws/{}", encoded(&number)))),
        Err(fault) => plan_with(&site, &visit, Seq(seq), 0, fault).await,
    })
    .await
}

#[derive(Template)]
#[template(path = "desk/paper.html")]
struct PaperPage {
    frame: Frame,
    detail: PlanDetail,
    visits: Vec<VisitLine>,
}

/// The list to be printed and taken along (纸质清单).
pub async fn paper(State(site): State<Site>, visit: Visit, Path(seq): Path<i64>) -> PageResult {
    let detail = site.bureau.plan(&visit.act, Seq(seq)).await?.ok_or(PageError::NotFound)?;
    let mut visits = site.bureau.all_visits(&visit.act, Seq(seq)).await?;
    visits.retain(|line| line.visit.state != VisitState::Replaced);
    page(&PaperPage { frame: Frame::new(&visit, format!("检查任务清单 {}", detail.plan.number)), detail, visits })
}
