//! Draws in public (公开抽查): the list, a certificate that anybody recomputes, and the screen of the session.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::IntoResponse;
use serde::Deserialize;
use xinheng_app::inspect::{PublicDraw, PublicDrawLine, PublicItem};
use xinheng_core::draw::{Certificate, State as CertificateState};
use xinheng_core::record::Seq;

use crate::Site;
use crate::error::{PageError, PageResult};
use crate::page::{Frame, page};
use crate::visit::{Visit, encoded};

/// Draws of a page: their certificates are long.
const PAGE: u64 = 20;

#[derive(Template)]
#[template(path = "public/items.html")]
struct ItemsPage {
    frame: Frame,
    items: Vec<PublicItem>,
}

/// The list of inspection items: what is not on it is not inspected.
pub async fn items(State(site): State<Site>, visit: Visit) -> PageResult {
    let items = site.bureau.public_items().await?;
    page(&ItemsPage { frame: Frame::new(&visit, "抽查事项清单"), items })
}

#[derive(Template)]
#[template(path = "public/draws.html")]
struct DrawsPage {
    frame: Frame,
    draws: Vec<PublicDrawLine>,
    next: Option<Seq>,
}

impl DrawsPage {
    fn standing(&self, certificate: &Certificate) -> (&'static str, &'static str) {
        standing(certificate)
    }
}

/// How a certificate stands, in words and colour.
fn standing(certificate: &Certificate) -> (&'static str, &'static str) {
    match certificate.state {
        CertificateState::Frozen => ("已冻结，等待开奖", "due"),
        CertificateState::Sealed(_) => ("已抽取", "good"),
        CertificateState::Void { .. } => ("已作废", "bad"),
    }
}

#[derive(Deserialize)]
pub struct Before {
    before: Option<i64>,
}

pub async fn list(State(site): State<Site>, visit: Visit, Query(place): Query<Before>) -> PageResult {
    let draws = site.bureau.public_draws(place.before.map(Seq), PAGE).await?;
    page(&DrawsPage {
        frame: Frame::new(&visit, "公开抽查"),
        next: draws.last().filter(|_| draws.len() as u64 == PAGE).map(|last| last.place),
        draws,
    })
}

#[derive(Template)]
#[template(path = "public/draw.html")]
struct DrawPage {
    frame: Frame,
    draw: PublicDraw,
}

impl DrawPage {
    fn standing(&self) -> (&'static str, &'static str) {
        standing(&self.draw.certificate)
    }

    fn address(&self) -> String {
        format!("/draws/{}", encoded(self.draw.certificate.draw.as_str()))
    }

    fn certificate_address(&self) -> Option<String> {
        Some(format!("{}/certificate.json", self.address()))
    }
}

async fn found(site: &Site, number: &str) -> Result<PublicDraw, PageError> {
    site.bureau.public_draw(number).await?.ok_or(PageError::NotFound)
}

pub async fn draw(State(site): State<Site>, visit: Visit, Path(number): Path<String>) -> PageResult {
    let draw = found(&site, &number).await?;
    page(&DrawPage { frame: Frame::new(&visit, format!("抽查 {number}")), draw })
}

fn file(json: String) -> axum::response::Response {
    ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], json).into_response()
}

/// The certificate as a file, for verifiers.
pub async fn certificate(State(site): State<Site>, Path(number): Path<String>) -> PageResult {
    Ok(file(found(&site, &number).await?.certificate.to_json()))
}

/// The published names as a file, for verifiers.
pub async fn names(State(site): State<Site>, Path(number): Path<String>) -> PageResult {
    let names = found(&site, &number).await?.names.ok_or(PageError::NotFound)?;
    Ok(file(serde_json::to_string_pretty(&names).map_err(anyhow::Error::from)?))
}

#[derive(Template)]
#[template(path = "public/screen.html")]
struct ScreenPage {
    frame: Frame,
    draw: PublicDraw,
    due: bool,
}

impl ScreenPage {
    fn address(&self) -> String {
        format!("/draws/{}/screen", encoded(self.draw.certificate.draw.as_str()))
    }

    /// The beginning of a blind, as a room can read it.
    fn short(&self, blind: &xinheng_core::ledger::Hash) -> String {
        blind.to_string().chars().take(12).collect()
    }
}

/// The screen of the session: waits for the lottery, then shows the tickets.
pub async fn screen(State(site): State<Site>, visit: Visit, Path(number): Path<String>) -> PageResult {
    let draw = found(&site, &number).await?;
    let due = site.bureau.is_due(&draw.certificate);
    page(&ScreenPage { frame: Frame::new(&visit, format!("抽查现场 {number}")), draw, due })
}
