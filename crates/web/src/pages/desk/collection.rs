//! Collection: what was handed in and what came of it, a file in, its progress, the rows that came back,
//! and the receipt.

use std::path::PathBuf;

use askama::Template;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use xinheng_app::enterprises::PageSize;
use xinheng_app::pages::{SubmissionLine, Submissions};
use xinheng_core::record::{Day, Moment};
use xinheng_core::staff::Scope;

use crate::Site;
use crate::error::{PageError, PageResult};
use crate::form::{Form, Upload, see};
use crate::jobs::{Job, Standing, Unanswered};
use crate::page::{Frame, page};
use crate::visit::Visit;
use crate::words;

#[derive(Deserialize)]
pub struct Before {
    before: Option<i64>,
    /// The job before which the list of those that ask goes on.
    asking: Option<String>,
}

#[derive(Template)]
#[template(path = "desk/collection.html")]
struct CollectionPage {
    frame: Frame,
    submissions: Submissions,
    units: Vec<(String, String)>,
    own_unit: String,
    bureau: bool,
    tables: Vec<(String, String)>,
    unanswered: Unanswered,
}

impl CollectionPage {
    fn unit(&self, code: &str) -> String {
        crate::words::unit_name(&self.units, code)
    }

    fn moment(&self, moment: &Moment) -> String {
        words::moment(*moment)
    }
}

/// A count of an outcome as it was kept.
pub async fn list(State(site): State<Site>, visit: Visit, Query(asked): Query<Before>) -> PageResult {
    let actor = visit.actor()?;
    let submissions = site.bureau.submissions(actor, asked.before, PageSize::Twenty).await?;
    page(&CollectionPage {
        frame: Frame::new(&visit, "数据归集"),
        submissions,
        units: site.unit_names().await?,
        own_unit: actor.unit.clone(),
        bureau: actor.duties.scope() == Scope::Bureau,
        tables: site.bureau.tables(),
        unanswered: site.jobs.unanswered(|job| actor.sees_unit(&job.unit), asked.asking.as_deref()),
    })
}

pub async fn hand_in(State(site): State<Site>, visit: Visit, upload: Upload) -> PageResult {
    let actor = visit.actor()?;
    if upload.file_name.is_empty() {
        return Err(PageError::WrongInput("请先选择要上传的文件（Excel 或 CSV）。".into()));
    }
    // Whoever works for one unit hands in for that unit, whatever the form says.
    let unit = match (actor.duties.scope(), upload.field("unit")) {
        (Scope::Bureau, Some(unit)) => unit.to_owned(),
        _ => actor.unit.clone(),
    };
    let edition = match upload.field("edition") {
        None => None,
        Some(day) => Some(day.parse::<Day>().map_err(|_| {
            PageError::WrongInput(format!("数据日期“{day}”不是日期，请写成 2026-11-25 的样子，或留空。"))
        })?),
    };
    let id = Job::name(site.bureau.now(), &site.bureau.token()?);
    let job = Job {
        id: id.clone(),
        file_name: upload.file_name.clone(),
        unit,
        table: upload.field("table").map(str::to_owned),
        edition,
        actor: actor.clone(),
        source: visit.act.source.clone(),
        request: visit.act.request.clone(),
        given_up: false,
    };
    site.jobs.accept(job, &upload.path)?;
    Ok(see(format!("/desk/collection/jobs/{id}")))
}

#[derive(Template)]
#[template(path = "desk/job.html")]
struct JobPage {
    frame: Frame,
    job: Job,
    standing: Standing,
    /// Of those that it asks about, the table that the unit handed in last.
    last: Option<String>,
}

impl JobPage {
    fn is_last(&self, table: &str) -> bool {
        self.last.as_deref() == Some(table)
    }

    fn percent(&self, stage: &xinheng_app::Stage) -> u64 {
        (stage.done * 100).checked_div(stage.total).unwrap_or_default().min(100)
    }
}

fn seen_job(site: &Site, visit: &Visit, id: &str) -> PageResult<(Job, Standing)> {
    let (job, standing) = site.jobs.get(id).ok_or(PageError::NotFound)?;
    if visit.actor()?.sees_unit(&job.unit) { Ok((job, standing)) } else { Err(PageError::NotFound) }
}

pub async fn job(State(site): State<Site>, visit: Visit, Path(id): Path<String>) -> PageResult {
    let (job, standing) = seen_job(&site, &visit, &id)?;
    if let Standing::Done(number) = standing {
        let there = format!("/desk/collection/{number}");
        return Ok(if visit.partial { crate::form::go(&there) } else { see(there) });
    }
    let last = match &standing {
        Standing::Asking(tables) => site.bureau.last_table(&job.unit, tables).await?,
        _ => None,
    };
    page(&JobPage { frame: Frame::new(&visit, format!("正在办理：{}", job.file_name)), job, standing, last })
}

#[derive(Deserialize)]
pub struct Chosen {
    #[serde(default)]
    table: String,
}

/// Of which table a file is whose headings fit several. From then on it is handed in by whoever said so.
pub async fn choose(
    State(site): State<Site>,
    visit: Visit,
    Path(id): Path<String>,
    Form(chosen): Form<Chosen>,
) -> PageResult {
    let (job, standing) = seen_job(&site, &visit, &id)?;
    if let Standing::Asking(tables) = standing {
        if tables.iter().all(|(table, _)| *table != chosen.table) {
            return Err(PageError::WrongInput("请在列出的数据表中选定一张，再办理。没有改动任何数据。".into()));
        }
        site.jobs.choose(Job {
            table: Some(chosen.table),
            actor: visit.actor()?.clone(),
            source: visit.act.source.clone(),
            request: visit.act.request.clone(),
            ..job
        })?;
    }
    Ok(see(format!("/desk/collection/jobs/{id}")))
}

#[derive(Template)]
#[template(path = "desk/submission.html")]
struct SubmissionPage {
    frame: Frame,
    line: SubmissionLine,
    unit: String,
    at: String,
    returned: bool,
    unknown_columns: Vec<String>,
}

async fn seen(site: &Site, visit: &Visit, number: i64) -> PageResult<SubmissionLine> {
    site.bureau.submission_seen(visit.actor()?, number).await?.ok_or(PageError::NotFound)
}

/// Where the rows that came back lie, when they still do.
fn returned(site: &Site, line: &SubmissionLine) -> Option<PathBuf> {
    let kept = line.outcome.as_ref()?.get("errors_file")?.as_str()?;
    let name = std::path::Path::new(kept).file_name()?;
    let file = site.options.uploads.join("returned").join(name);
    file.is_file().then_some(file)
}

pub async fn submission(State(site): State<Site>, visit: Visit, Path(number): Path<i64>) -> PageResult {
    let line = seen(&site, &visit, number).await?;
    let units = site.unit_names().await?;
    let unknown = line.outcome.as_ref().and_then(|outcome| outcome.get("unknown_columns")?.as_array().cloned());
    page(&SubmissionPage {
        frame: Frame::new(&visit, format!("第 {number} 批：{}", line.file_name)),
        unit: units
            .into_iter()
            .find(|(code, _)| *code == line.unit)
            .map_or_else(|| line.unit.clone(), |(_, name)| name),
        at: words::moment(line.received_at),
        returned: returned(&site, &line).is_some(),
        unknown_columns: unknown
            .unwrap_or_default()
            .iter()
            .filter_map(|name| Some(name.as_str()?.to_owned()))
            .collect(),
        line,
    })
}

pub async fn errors(State(site): State<Site>, visit: Visit, Path(number): Path<i64>) -> PageResult {
    let line = seen(&site, &visit, number).await?;
    let file = returned(&site, &line).ok_or(PageError::NotFound)?;
    site.bureau.record_export(&visit.act, &format!("submission/{number}")).await?;
    let bytes = tokio::fs::read(file).await.map_err(anyhow::Error::from)?;
    let stem = line.file_name.rsplit_once('.').map_or(line.file_name.as_str(), |(stem, _)| stem);
    Ok(crate::serve::download(&format!("{stem}.错误.xlsx"), crate::serve::XLSX, bytes))
}

/// What the bureau gives back for a file: what came of it, and the ledger's head, to be kept.
pub async fn receipt(State(site): State<Site>, visit: Visit, Path(number): Path<i64>) -> PageResult {
    let line = seen(&site, &visit, number).await?;
    let mut outcome = line.outcome.clone().unwrap_or_default();
    if let Some(outcome) = outcome.as_object_mut() {
        outcome.remove("errors_file");
    }
    let receipt = serde_json::json!({
        "submission": number,
        "file": line.file_name,
        "table": line.table_title,
        "unit": line.unit,
        "received_at": line.received_at.to_string(),
        "outcome": outcome,
        "head": site.bureau.head().await?,
    });
    let bytes = serde_json::to_vec_pretty(&receipt).map_err(anyhow::Error::from)?;
    Ok(crate::serve::download(&format!("回执-第{number}批.json"), "application/json", bytes))
}
