//! The use of levels: alerts that wait for their answer, and the yearly list of a key field.

use askama::Template;
use axum::extract::{Query, State};
use serde::Deserialize;
use xinheng_app::alert::{OpenAlert, OpenAlerts};
use xinheng_app::grading::{GradedNow, Grading};
use xinheng_core::credit_code::CreditCode;

use super::todo::{AfterClock, after_clock, left, tone};
use crate::Site;
use crate::error::PageResult;
use crate::page::{Frame, page};
use crate::visit::Visit;

/// Alerts of a page.
const ALERTS: u64 = 50;
/// Enterprises of a page of the yearly list.
const GRADED: u64 = 100;

#[derive(Template)]
#[template(path = "desk/alerts.html")]
struct AlertsPage {
    frame: Frame,
    alerts: OpenAlerts,
    units: Vec<(String, String)>,
    next: Option<String>,
}

impl AlertsPage {
    fn tone(&self, line: &OpenAlert) -> &'static str {
        tone(line.clock.colour)
    }

    fn left(&self, line: &OpenAlert) -> String {
        left(&line.clock)
    }

    fn unit(&self, code: &str) -> String {
        crate::words::unit_name(&self.units, code)
    }
}

/// Alerts within the person's scope, the most urgent first.
pub async fn alerts(State(site): State<Site>, visit: Visit, Query(after): Query<AfterClock>) -> PageResult {
    let alerts = site.bureau.open_alerts(visit.actor()?, after.place(), ALERTS).await?;
    page(&AlertsPage {
        next: alerts.next.as_ref().map(|next| after_clock("/desk/alerts", next)),
        alerts,
        units: site.unit_names().await?,
        frame: Frame::new(&visit, "风险预警"),
    })
}

#[derive(Clone, Default, Deserialize)]
pub struct AskedGrading {
    #[serde(default)]
    field: String,
    year: Option<i32>,
    after: Option<CreditCode>,
}

#[derive(Template)]
#[template(path = "desk/grading.html")]
struct GradingPage {
    frame: Frame,
    fields: Vec<(String, String)>,
    field: String,
    year: i32,
    years: [i32; 5],
    grading: Option<Grading>,
    next: Option<String>,
}

impl GradingPage {
    fn moved(&self, now: &GradedNow) -> String {
        now.moved_by.join("；")
    }
}

/// The yearly list of a key field, to look through and to print.
pub async fn grading(State(site): State<Site>, visit: Visit, Query(asked): Query<AskedGrading>) -> PageResult {
    let fields = site.bureau.graded_fields();
    let years = site.bureau.years_to_grade();
    let year = asked.year.unwrap_or(years[0]);
    let field = if asked.field.is_empty() { fields.first().map(|(field, _)| field.clone()) } else { Some(asked.field) };
    let grading = match &field {
        Some(field) => Some(site.bureau.grading(field, year, asked.after, GRADED).await?),
        None => None,
    };
    let field = field.unwrap_or_default();
    let next = grading.as_ref().and_then(|grading| grading.next);
    let next = next.map(|after| format!("/desk/classification/grading?field={field}&year={year}&after={after}"));
    page(&GradingPage {
        frame: Frame::new(&visit, "年度风险等级评定"), years, fields, field, year, grading, next
    })
}

/// The whole of it as a workbook.
pub async fn grading_file(State(site): State<Site>, visit: Visit, Query(asked): Query<AskedGrading>) -> PageResult {
    let year = asked.year.unwrap_or(site.bureau.years_to_grade()[0]);
    let folder = tempfile::tempdir_in(&site.options.uploads).map_err(anyhow::Error::from)?;
    let file = folder.path().join("年度评定表.xlsx");
    site.bureau.record_export(&visit.act, &format!("grading/{}/{year}", asked.field)).await?;
    site.bureau.export_grading(&asked.field, year, visit.actor()?, &file, &|_| ()).await?;
    let bytes = tokio::fs::read(&file).await.map_err(anyhow::Error::from)?;
    Ok(crate::serve::download(&format!("年度风险等级评定表-{year}.xlsx"), crate::serve::XLSX, bytes))
}
