//! Draws on the desk: the freeze hash is published, two people enter the lottery's numbers, or it is thrown away.

use askama::Template;
use axum::extract::{Path, State};
use serde::Deserialize;
use xinheng_app::WrongInput;
use xinheng_app::inspect::{DrawDetail, DrawState};
use xinheng_core::approval::Stage;
use xinheng_core::draw::Time;
use xinheng_core::staff::Permission;

use crate::Site;
use crate::error::{PageError, PageResult};
use crate::form::{Form, outcome, see};
use crate::page::{Frame, page};
use crate::visit::{Visit, encoded};

#[derive(Template)]
#[template(path = "desk/draw.html")]
struct DrawPage {
    frame: Frame,
    detail: DrawDetail,
    typed: Typed,
    fault: String,
}

/// What was typed, to stay when it was wrong.
#[derive(Clone, Default)]
struct Typed {
    place: String,
    at: String,
    value: String,
    reason: String,
}

impl DrawPage {
    fn is_frozen(&self) -> bool {
        self.detail.draw.state == DrawState::Frozen
    }

    /// Whether the first entry is still to be made by this person, or made again.
    fn enters(&self) -> bool {
        let again = |stage: Stage| stage == Stage::Handling && self.is_own();
        self.detail.due
            && self.frame.may(Permission::Plan)
            && self.detail.entered.as_ref().is_none_or(|one| again(one.stage))
    }

    fn is_own(&self) -> bool {
        let own = self.frame.visit.actor.as_ref().map(|actor| actor.staff);
        self.detail.entered.as_ref().is_some_and(|one| Some(one.handler) == own)
    }

    fn witness_due(&self) -> bool {
        self.is_frozen() && self.detail.certificate.witness.is_none() && self.frame.may(Permission::Plan)
    }
}

async fn draw_with(site: &Site, visit: &Visit, number: &str, typed: Typed, fault: String) -> PageResult {
    let detail = site.bureau.draw(&visit.act, number).await?.ok_or(PageError::NotFound)?;
    page(&DrawPage { frame: Frame::new(visit, format!("抽查 {number}")), detail, typed, fault })
}

pub async fn draw(State(site): State<Site>, visit: Visit, Path(number): Path<String>) -> PageResult {
    draw_with(&site, &visit, &number, Typed::default(), String::new()).await
}

async fn done<T>(site: &Site, visit: &Visit, number: &str, typed: Typed, result: anyhow::Result<T>) -> PageResult {
    outcome(result, async |result| match result {
        Ok(_) => Ok(see(format!("/desk/draws/{}", encoded(number)))),
        Err(fault) => draw_with(site, visit, number, typed, fault).await,
    })
    .await
}

#[derive(Deserialize)]
pub struct WitnessForm {
    #[serde(default)]
    place: String,
    #[serde(default)]
    at: String,
}

pub async fn witness(
    State(site): State<Site>,
    visit: Visit,
    Path(number): Path<String>,
    Form(form): Form<WitnessForm>,
) -> PageResult {
    let typed = Typed { place: form.place.clone(), at: form.at.clone(), ..Typed::default() };
    // As a browser's field for date and time gives it, to the minute or the second.
    let seconds = if form.at.len() == "2026-11-27T09:00".len() { ":00" } else { "" };
    let witnessed = match format!("{}{seconds}+08:00", form.at).parse::<Time>() {
        Ok(at) => site.bureau.witness_draw(&visit.act, &number, &form.place, at).await,
        Err(_) => Err(WrongInput("请填写公布的日期和时间，例如 2026-11-27 09:00".to_owned()).into()),
    };
    done(&site, &visit, &number, typed, witnessed).await
}

#[derive(Deserialize)]
pub struct NumbersForm {
    #[serde(default)]
    value: String,
}

pub async fn enter(
    State(site): State<Site>,
    visit: Visit,
    Path(number): Path<String>,
    Form(form): Form<NumbersForm>,
) -> PageResult {
    let entered = site.bureau.enter_numbers(&visit.act, &number, &form.value).await;
    done(&site, &visit, &number, Typed { value: form.value, ..Typed::default() }, entered).await
}

#[derive(Deserialize)]
pub struct VoidForm {
    #[serde(default)]
    reason: String,
}

pub async fn void(
    State(site): State<Site>,
    visit: Visit,
    Path(number): Path<String>,
    Form(form): Form<VoidForm>,
) -> PageResult {
    let voided = site.bureau.void_draw(&visit.act, &number, &form.reason).await;
    done(&site, &visit, &number, Typed { reason: form.reason, ..Typed::default() }, voided).await
}
