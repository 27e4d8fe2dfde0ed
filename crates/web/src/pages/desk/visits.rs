//! Visits: those of the person, one with its checklist and the form of its result.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use xinheng_app::inspect::{VisitDetail, VisitLine, VisitResult};
use xinheng_core::record::Seq;
use xinheng_core::staff::Permission;
use xinheng_core::visit::{Team, VisitState};

use crate::Site;
use crate::error::{PageError, PageResult};
use crate::form::{Form, field, outcome, see};
use crate::page::{Frame, page};
use crate::visit::Visit;

#[derive(Template)]
#[template(path = "desk/visits.html")]
struct VisitsPage {
    frame: Frame,
    visits: Vec<VisitLine>,
}

/// What the person still has to visit.
pub async fn own(State(site): State<Site>, visit: Visit) -> PageResult {
    let visits = site.bureau.own_visits(&visit.act).await?;
    page(&VisitsPage { frame: Frame::new(&visit, "我的检查任务"), visits })
}

#[derive(Template)]
#[template(path = "desk/visit.html")]
struct VisitPage {
    frame: Frame,
    detail: VisitDetail,
    typed: Typed,
    fault: String,
}

/// What was typed of a result.
#[derive(Clone, Default)]
struct Typed {
    again: Option<i64>,
    inspected_on: String,
    result: String,
    chapters: BTreeMap<String, String>,
    rectification_due: String,
    remark: String,
}

impl VisitPage {
    fn plans(&self) -> bool {
        self.frame.may(Permission::Plan) && self.detail.line.visit.state == VisitState::Open
    }

    fn chapter(&self, name: &str) -> &str {
        self.typed.chapters.get(name).map(String::as_str).unwrap_or_default()
    }

    fn is_team(&self, person: &i64, lead: bool) -> bool {
        let team = self.detail.line.visit.team;
        team.is_some_and(|team| *person == if lead { team.lead } else { team.second })
    }
}

/// What the names of the chapters' inputs begin with.
const CHAPTER: &str = "chapter-";

impl Typed {
    fn read(fields: &[(String, String)]) -> Self {
        let text = |name: &str| field(fields, name);
        let chapters = fields.iter().filter_map(|(field, value)| Some((field.strip_prefix(CHAPTER)?, value)));
        Self {
            again: text("again").parse().ok(),
            inspected_on: text("inspected_on"),
            result: text("result"),
            chapters: chapters.map(|(field, value)| (field.to_owned(), value.trim().to_owned())).collect(),
            rectification_due: text("rectification_due"),
            remark: text("remark"),
        }
    }

    fn of(result: VisitResult, again: Option<i64>) -> Self {
        Self {
            again,
            inspected_on: result.inspected_on.to_string(),
            result: result.result,
            chapters: result.chapters,
            rectification_due: result.rectification_due.map(|day| day.to_string()).unwrap_or_default(),
            remark: result.remark.unwrap_or_default(),
        }
    }

    fn result(&self, plan: Seq, place: u32) -> Result<VisitResult, PageError> {
        let wrong = |sentence: &str| PageError::WrongInput(sentence.to_owned());
        let due = match self.rectification_due.as_str() {
            "" => None,
            text => Some(text.parse().map_err(|_| wrong("请填写整改期限，例如 2026-12-31"))?),
        };
        Ok(VisitResult {
            plan,
            place,
            inspected_on: self.inspected_on.parse().map_err(|_| wrong("请填写检查日期，例如 2026-12-31"))?,
            result: self.result.clone(),
            chapters: self.chapters.clone(),
            rectification_due: due,
            remark: Some(self.remark.clone()).filter(|remark| !remark.is_empty()),
        })
    }
}

async fn visit_with(site: &Site, visit: &Visit, plan: i64, place: u32, typed: Typed, fault: String) -> PageResult {
    let detail = site.bureau.visit(&visit.act, Seq(plan), place).await?.ok_or(PageError::NotFound)?;
    page(&VisitPage {
        frame: Frame::new(visit, format!("检查任务 {}", detail.line.task_number)), detail, typed, fault
    })
}

#[derive(Deserialize)]
pub struct Again {
    again: Option<i64>,
}

pub async fn visit(
    State(site): State<Site>,
    visit: Visit,
    Path((plan, place)): Path<(i64, u32)>,
    Query(Again { again }): Query<Again>,
) -> PageResult {
    // What came back is mended, not typed anew.
    let before = match again {
        Some(matter) => site.bureau.matter(&visit.act, Seq(matter)).await?,
        None => None,
    };
    let before = before.and_then(|(matter, _)| serde_json::from_str::<VisitResult>(&matter.proposal).ok());
    let typed = before.filter(|result| result.plan == Seq(plan) && result.place == place);
    let typed = typed.map(|result| Typed::of(result, again)).unwrap_or_default();
    visit_with(&site, &visit, plan, place, typed, String::new()).await
}

pub async fn enter(
    State(site): State<Site>,
    visit: Visit,
    Path((plan, place)): Path<(i64, u32)>,
    Form(fields): Form<Vec<(String, String)>>,
) -> PageResult {
    let typed = Typed::read(&fields);
    let entered = match typed.result(Seq(plan), place) {
        Ok(result) => {
            site.bureau.enter_result(&visit.act, typed.again.map(Seq), &result).await.map_err(PageError::from)
        }
        Err(error) => Err(error),
    };
    outcome(entered, async |entered| match entered {
        Ok(matter) => Ok(see(format!("/desk/matters/{matter}"))),
        Err(fault) => visit_with(&site, &visit, plan, place, typed, fault).await,
    })
    .await
}

#[derive(Deserialize)]
pub struct ReplaceForm {
    #[serde(default)]
    reason: String,
}

pub async fn replace(
    State(site): State<Site>,
    visit: Visit,
    Path((plan, place)): Path<(i64, u32)>,
    Form(form): Form<ReplaceForm>,
) -> PageResult {
    let replaced = site.bureau.replace_visit(&visit.act, Seq(plan), place, &form.reason).await;
    outcome(replaced, async |replaced| match replaced {
        Ok(()) => Ok(see(format!("/desk/plans/{plan}"))),
        Err(fault) => visit_with(&site, &visit, plan, place, Typed::default(), fault).await,
    })
    .await
}

#[derive(Deserialize)]
pub struct TeamForm {
    lead: i64,
    second: i64,
    #[serde(default)]
    reason: String,
}

pub async fn assign(
    State(site): State<Site>,
    visit: Visit,
    Path((plan, place)): Path<(i64, u32)>,
    Form(form): Form<TeamForm>,
) -> PageResult {
    let team = Team { lead: form.lead, second: form.second };
    let assigned = site.bureau.assign_team(&visit.act, Seq(plan), place, team, Some(&form.reason)).await;
    outcome(assigned, async |assigned| match assigned {
        Ok(()) => Ok(see(format!("/desk/plans/{plan}/visits/{place}"))),
        Err(fault) => visit_with(&site, &visit, plan, place, Typed::default(), fault).await,
    })
    .await
}
