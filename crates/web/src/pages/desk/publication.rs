//! Publication: open clocks, the proof that something was published on the national system, and the
//! matter of approval in which another person checks it.

use askama::Template;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use xinheng_app::adjustment::{LEVEL_ADJUSTMENT, LevelAdjustment};
use xinheng_app::evidence::{ClockName, PUBLICATION_EVIDENCE, PublicationEvidence};
use xinheng_app::inspect::{
    DRAW_SEAL, INSPECTION_PLAN, INSPECTION_RESULT, PlanPreview, PlanProposal, VisitResult, draw_of,
};
use xinheng_app::todo::{ClockLine, ClockPage, Matter};
use xinheng_core::approval::{Action, Stage, Step};
use xinheng_core::record::{Moment, Seq};
use xinheng_core::staff::Permission;

use super::plans::PlanForm;
use super::todo::{AfterClock, after_clock, left, tone};
use crate::Site;
use crate::error::{PageError, PageResult};
use crate::form::{Form, field, outcome, see};
use crate::page::{Frame, page};
use crate::visit::Visit;
use crate::words;

/// Clocks of a page.
const PAGE: u64 = 50;

#[derive(Template)]
#[template(path = "desk/publication.html")]
struct PublicationPage {
    frame: Frame,
    clocks: ClockPage,
    units: Vec<(String, String)>,
    next: Option<String>,
    typed: Typed,
    fault: String,
}

impl PublicationPage {
    fn tone(&self, line: &ClockLine) -> &'static str {
        tone(line.colour)
    }

    fn left(&self, line: &ClockLine) -> String {
        left(line)
    }

    fn unit(&self, code: &str) -> String {
        crate::words::unit_name(&self.units, code)
    }

    fn chosen(&self, rule: &str, seq: &Seq) -> bool {
        self.typed.clocks.iter().any(|clock| clock.rule == rule && clock.seq == seq.0)
    }
}

/// What was typed into the form of a proof.
#[derive(Clone, Default)]
struct Typed {
    clocks: Vec<ClockName>,
    published_on: String,
    place: String,
    note: String,
}

impl Typed {
    fn read(fields: &[(String, String)]) -> Self {
        let text = |name: &str| field(fields, name);
        let clocks = fields.iter().filter(|(field, _)| field == "clock").filter_map(|(_, value)| {
            let (rule, seq) = value.rsplit_once('/')?;
            Some(ClockName { rule: rule.to_owned(), seq: seq.parse().ok()? })
        });
        Self { clocks: clocks.collect(), published_on: text("published_on"), place: text("place"), note: text("note") }
    }

    fn evidence(&self) -> Result<PublicationEvidence, String> {
        let published_on = self.published_on.parse().map_err(|_| "请填写公示日期，例如 2026-11-25。".to_owned())?;
        Ok(PublicationEvidence {
            clocks: self.clocks.clone(),
            published_on,
            place: self.place.clone(),
            note: Some(self.note.clone()).filter(|note| !note.is_empty()),
        })
    }
}

async fn list_with(site: &Site, visit: &Visit, after: AfterClock, typed: Typed, fault: String) -> PageResult {
    let clocks = site.bureau.open_clocks(visit.actor()?, after.place(), PAGE).await?;
    page(&PublicationPage {
        frame: Frame::new(visit, "公示办理"),
        next: clocks.next.as_ref().map(|next| after_clock("/desk/publication", next)),
        clocks,
        units: site.unit_names().await?,
        typed,
        fault,
    })
}

pub async fn list(State(site): State<Site>, visit: Visit, Query(after): Query<AfterClock>) -> PageResult {
    list_with(&site, &visit, after, Typed::default(), String::new()).await
}

pub async fn propose(State(site): State<Site>, visit: Visit, Form(fields): Form<Vec<(String, String)>>) -> PageResult {
    let typed = Typed::read(&fields);
    let proposed = match typed.evidence() {
        Ok(evidence) => site.bureau.propose_evidence(&visit.act, None, &evidence).await.map_err(PageError::from),
        Err(sentence) => Err(PageError::WrongInput(sentence)),
    };
    outcome(proposed, async |proposed| match proposed {
        Ok(matter) => Ok(see(format!("/desk/matters/{matter}"))),
        Err(fault) => list_with(&site, &visit, AfterClock::default(), typed, fault).await,
    })
    .await
}

#[derive(Template)]
#[template(path = "desk/matters.html")]
struct MattersPage {
    frame: Frame,
    matters: Vec<Matter>,
    units: Vec<(String, String)>,
    next: Option<Seq>,
}

impl MattersPage {
    fn unit(&self, code: &str) -> String {
        crate::words::unit_name(&self.units, code)
    }

    fn moment(&self, moment: &Moment) -> String {
        words::moment(*moment)
    }
}

#[derive(Deserialize)]
pub struct After {
    after: Option<i64>,
}

/// What waits for the person's review or approval, or came back to them, the oldest first.
pub async fn matters(State(site): State<Site>, visit: Visit, Query(after): Query<After>) -> PageResult {
    let matters = site.bureau.matters_waiting(&visit.act, after.after.map(Seq), PAGE).await?;
    page(&MattersPage {
        frame: Frame::new(&visit, "待办审批"),
        next: matters.last().filter(|_| matters.len() as u64 == PAGE).map(|last| last.number),
        matters,
        units: site.unit_names().await?,
    })
}

#[derive(Template)]
#[template(path = "desk/matter.html")]
struct MatterPage {
    frame: Frame,
    matter: Matter,
    steps: Vec<(Step, String)>,
    content: Content,
    /// Where what came back is mended, when it is not on this page.
    again: Option<String>,
    unit: String,
    own: bool,
    fault: String,
    opinion: String,
    /// The numbers of a lottery, as they were typed the second time.
    value: String,
}

/// What a matter proposes, as its page shows it.
enum Content {
    Evidence(PublicationEvidence),
    Plan {
        plan: Box<PlanProposal>,
        item_title: String,
        preview: Option<Box<PlanPreview>>,
    },
    Result {
        result: VisitResult,
        title: String,
        chapters: Vec<(String, String)>,
        task: String,
    },
    Numbers {
        draw: String,
        format: String,
    },
    Adjustment(LevelAdjustment),
    /// Of a procedure that is no longer known.
    Unknown,
}

impl Content {
    /// Reads what is proposed, with what is worth knowing besides before one decides.
    async fn of(site: &Site, visit: &Visit, matter: &Matter) -> Result<Self, PageError> {
        let wrong = |error: serde_json::Error| PageError::from(anyhow::Error::from(error));
        Ok(match matter.procedure.as_str() {
            PUBLICATION_EVIDENCE => Self::Evidence(serde_json::from_str(&matter.proposal).map_err(wrong)?),
            INSPECTION_PLAN => {
                let plan: PlanProposal = serde_json::from_str(&matter.proposal).map_err(wrong)?;
                let preview = match matter.stage.is_open() {
                    // Who may not see it, and what can no longer be drawn so, have none.
                    true => site.bureau.preview_plan(&visit.act, &plan).await.ok().map(Box::new),
                    false => None,
                };
                Self::Plan { item_title: site.bureau.item_title(&plan.item), plan: Box::new(plan), preview }
            }
            INSPECTION_RESULT => {
                let result: VisitResult = serde_json::from_str(&matter.proposal).map_err(wrong)?;
                let words = site.bureau.result_words(&result).await?;
                Self::Result { title: words.result, chapters: words.chapters, task: words.task_number, result }
            }
            DRAW_SEAL => {
                let draw = draw_of(matter).map_err(PageError::from)?;
                let found = site.bureau.public_draw(&draw).await?;
                let format = found.map(|found| found.certificate.entropy.format.to_string()).unwrap_or_default();
                Self::Numbers { draw, format }
            }
            LEVEL_ADJUSTMENT => Self::Adjustment(serde_json::from_str(&matter.proposal).map_err(wrong)?),
            _ => Self::Unknown,
        })
    }

    /// Where it is mended when it came back; a proof is mended on the matter's own page.
    fn again(&self, matter: Seq) -> Option<String> {
        match self {
            Self::Plan { plan, .. } => Some(PlanForm::address(plan, matter)),
            Self::Result { result, .. } => {
                Some(format!("/desk/plans/{}/visits/{}?again={matter}", result.plan, result.place))
            }
            Self::Numbers { draw, .. } => Some(format!("/desk/draws/{draw}")),
            Self::Adjustment(proposed) => {
                Some(format!("/desk/enterprises/{}?again={matter}#adjustment", proposed.enterprise))
            }
            Self::Evidence(_) | Self::Unknown => None,
        }
    }
}

impl MatterPage {
    fn is_numbers(&self) -> bool {
        matches!(self.content, Content::Numbers { .. })
    }

    fn at(&self, step: &Step) -> String {
        words::moment(step.at)
    }

    fn may_act(&self, stage: Stage, permission: Permission) -> bool {
        let took_part = self.frame.visit.actor.as_ref().is_some_and(|actor| {
            self.steps.iter().any(|(step, _)| step.person == actor.staff && step.action == Action::Submit)
        });
        self.matter.stage == stage && self.frame.may(permission) && !took_part
    }
}

async fn matter_with(site: &Site, visit: &Visit, number: Seq, typed: DecisionForm, fault: String) -> PageResult {
    let (matter, steps) = site.bureau.matter(&visit.act, number).await?.ok_or(PageError::NotFound)?;
    let units = site.unit_names().await?;
    let names = site.bureau.staff_names(&steps.iter().map(|step| step.person).collect::<Vec<_>>()).await?;
    let actor = visit.actor()?;
    let content = Content::of(site, visit, &matter).await?;
    page(&MatterPage {
        frame: Frame::new(visit, format!("第 {number} 号事项")),
        unit: units
            .into_iter()
            .find(|(code, _)| *code == matter.unit)
            .map_or_else(|| matter.unit.clone(), |(_, name)| name),
        own: matter.handler == actor.staff,
        again: content.again(number),
        content,
        steps: steps
            .into_iter()
            .map(|step| {
                let name = names.get(&step.person).cloned().unwrap_or_default();
                (step, name)
            })
            .collect(),
        matter,
        fault,
        opinion: typed.opinion,
        value: typed.value,
    })
}

pub async fn matter(State(site): State<Site>, visit: Visit, Path(number): Path<i64>) -> PageResult {
    matter_with(&site, &visit, Seq(number), DecisionForm::default(), String::new()).await
}

#[derive(Clone, Default, Deserialize)]
pub struct DecisionForm {
    decision: String,
    #[serde(default)]
    opinion: String,
    #[serde(default)]
    value: String,
}

async fn decide(site: Site, visit: Visit, number: i64, form: DecisionForm, forward: Action) -> PageResult {
    let action = match form.decision.as_str() {
        "forward" => forward,
        "back" => Action::SendBack,
        "withdraw" => Action::Withdraw,
        _ => return Err(PageError::WrongInput("请选择通过或退回。".into())),
    };
    let opinion = Some(form.opinion.trim()).filter(|opinion| !opinion.is_empty());
    let decided = match action {
        // The numbers of a lottery are reviewed by entering them once more.
        Action::Review if !form.value.trim().is_empty() => {
            site.bureau.confirm_numbers(&visit.act, Seq(number), &form.value).await
        }
        _ => site.bureau.decide_matter(&visit.act, Seq(number), action, opinion).await.map(drop),
    };
    outcome(decided, async |decided| match decided {
        Ok(()) => Ok(see(format!("/desk/matters/{number}"))),
        Err(fault) => matter_with(&site, &visit, Seq(number), form.clone(), fault).await,
    })
    .await
}

pub async fn review(
    State(site): State<Site>,
    visit: Visit,
    Path(number): Path<i64>,
    Form(form): Form<DecisionForm>,
) -> PageResult {
    decide(site, visit, number, form, Action::Review).await
}

pub async fn approve(
    State(site): State<Site>,
    visit: Visit,
    Path(number): Path<i64>,
    Form(form): Form<DecisionForm>,
) -> PageResult {
    decide(site, visit, number, form, Action::Approve).await
}

/// The handler's own steps: hands in again what came back, or withdraws.
pub async fn handle(
    State(site): State<Site>,
    visit: Visit,
    Path(number): Path<i64>,
    Form(fields): Form<Vec<(String, String)>>,
) -> PageResult {
    let value = |name: &str| field(&fields, name);
    if value("decision") == "withdraw" {
        let form = DecisionForm { decision: "withdraw".into(), opinion: value("opinion"), value: String::new() };
        return decide(site, visit, number, form, Action::Withdraw).await;
    }
    let again = match Typed::read(&fields).evidence() {
        Ok(evidence) => {
            site.bureau.propose_evidence(&visit.act, Some(Seq(number)), &evidence).await.map_err(PageError::from)
        }
        Err(sentence) => Err(PageError::WrongInput(sentence)),
    };
    outcome(again, async |again| match again {
        Ok(_) => Ok(see(format!("/desk/matters/{number}"))),
        Err(fault) => matter_with(&site, &visit, Seq(number), DecisionForm::default(), fault).await,
    })
    .await
}
