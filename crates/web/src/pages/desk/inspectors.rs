//! The directory of inspectors: a list, an entry as a form, and the whole of it from a file.

use std::path::PathBuf;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Deserialize;
use xinheng_app::people::{DirectoryEntry, DirectoryText, StaffMember};
use xinheng_core::inspector::RecusalGround;
use xinheng_core::staff::Permission;

use crate::Site;
use crate::error::{PageError, PageResult};
use crate::form::{Form, Upload, see};
use crate::page::{Frame, page};
use crate::visit::Visit;

/// Staff offered for the directory; a bureau has no more.
const MOST: u64 = 500;

#[derive(Template)]
#[template(path = "desk/inspectors.html")]
struct InspectorsPage {
    frame: Frame,
    entries: Vec<(DirectoryEntry, DirectoryText)>,
    others: Vec<StaffMember>,
    units: Vec<(String, String)>,
    may_plan: bool,
    done: String,
    fault: String,
    errors_file: bool,
}

impl InspectorsPage {
    fn unit(&self, code: &Option<String>) -> String {
        code.as_deref().map(|code| crate::words::unit_name(&self.units, code)).unwrap_or_default()
    }
}

async fn list_with(site: &Site, visit: &Visit, done: String, fault: String) -> PageResult {
    let fields = site.bureau.key_fields();
    let entries = site.bureau.inspectors(&visit.act).await?;
    let listed: Vec<i64> = entries.iter().map(|entry| entry.staff).collect();
    let others = site.bureau.staff(None, 0, MOST).await?.into_iter();
    let others = others
        .filter(|person| person.in_use && !person.duties.are_administrative() && !listed.contains(&person.number));
    let frame = Frame::new(visit, "检查人员");
    page(&InspectorsPage {
        may_plan: frame.may(Permission::Plan),
        errors_file: !fault.is_empty() && returned(site, visit).exists(),
        frame,
        others: others.collect(),
        entries: entries
            .into_iter()
            .map(|entry| {
                let text = DirectoryText::of(&entry.inspector, &fields);
                (entry, text)
            })
            .collect(),
        units: site.unit_names().await?,
        done,
        fault,
    })
}

pub async fn list(State(site): State<Site>, visit: Visit) -> PageResult {
    site.bureau.record_export(&visit.act, "inspectors").await?;
    list_with(&site, &visit, String::new(), String::new()).await
}

#[derive(Template)]
#[template(path = "desk/inspector.html")]
struct InspectorPage {
    frame: Frame,
    person: StaffMember,
    text: DirectoryText,
    fields: Vec<(String, String)>,
    grounds: [RecusalGround; 3],
    listed: bool,
    may_plan: bool,
    fault: String,
}

async fn one_with(site: &Site, visit: &Visit, number: i64, typed: Option<DirectoryText>, fault: String) -> PageResult {
    let person = site.bureau.staff_member(number).await?.ok_or(PageError::NotFound)?;
    let entry = site.bureau.inspector(&visit.act, number).await?;
    let fields = site.bureau.key_fields();
    let kept = entry.as_ref().map(|entry| DirectoryText::of(&entry.inspector, &fields));
    let frame = Frame::new(visit, format!("检查人员 {}", person.name));
    page(&InspectorPage {
        may_plan: frame.may(Permission::Plan),
        frame,
        person,
        listed: entry.is_some(),
        text: typed.or(kept).unwrap_or_default(),
        fields,
        grounds: RecusalGround::ALL,
        fault,
    })
}

pub async fn one(State(site): State<Site>, visit: Visit, Path(number): Path<i64>) -> PageResult {
    site.bureau.record_export(&visit.act, &format!("inspectors/{number}")).await?;
    one_with(&site, &visit, number, None, String::new()).await
}

#[derive(Deserialize)]
pub struct InspectorForm {
    enforcement_number: String,
    enforcement_until: String,
    #[serde(default)]
    professional_number: String,
    #[serde(default)]
    professional_until: String,
    #[serde(default)]
    qualifications: String,
    #[serde(default)]
    may_lead: String,
    #[serde(default)]
    towns: String,
    capacity: String,
    #[serde(default)]
    leave: String,
    #[serde(default)]
    recusals: String,
}

pub async fn put(
    State(site): State<Site>,
    visit: Visit,
    Path(number): Path<i64>,
    Form(form): Form<InspectorForm>,
) -> PageResult {
    let text = DirectoryText {
        enforcement_number: form.enforcement_number,
        enforcement_until: form.enforcement_until,
        professional_number: form.professional_number,
        professional_until: form.professional_until,
        qualifications: form.qualifications,
        may_lead: form.may_lead,
        towns: form.towns,
        capacity: form.capacity,
        leave: form.leave,
        recusals: form.recusals,
    };
    match site.bureau.put_inspector(&visit.act, number, &text).await.map_err(PageError::from) {
        Ok(()) => Ok(see("/desk/inspectors")),
        Err(PageError::WrongInput(fault)) => {
            let again = one_with(&site, &visit, number, Some(text), fault).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
        }
        Err(error) => Err(error),
    }
}

pub async fn remove(State(site): State<Site>, visit: Visit, Path(number): Path<i64>) -> PageResult {
    site.bureau.remove_inspector(&visit.act, number).await?;
    Ok(see("/desk/inspectors"))
}

/// Where the rows that the last file of this session got back lie.
fn returned(site: &Site, visit: &Visit) -> PathBuf {
    let session = visit.actor.as_ref().and_then(|actor| actor.session).unwrap_or_default();
    site.options.uploads.join(format!("检查人员名录-{session}.错误.xlsx"))
}

pub async fn import(State(site): State<Site>, visit: Visit, upload: Upload) -> PageResult {
    let errors = returned(&site, &visit);
    let _ = std::fs::remove_file(&errors);
    let imported = match upload.file_name.is_empty() {
        true => Err(PageError::WrongInput("请先选择名录文件（Excel 或 CSV）".into())),
        false => site.bureau.import_inspectors(&visit.act, &upload.path, Some(&errors)).await.map_err(PageError::from),
    };
    match imported {
        Ok(outcome) => {
            let done = format!(
                "共 {} 行：登记 {}，没有变化 {}，退回 {}。",
                outcome.rows, outcome.accepted, outcome.known, outcome.refused
            );
            let fault = match outcome.refused {
                0 => String::new(),
                refused => format!("有 {refused} 行没有通过，请下载错误表，改好后再次上传。"),
            };
            list_with(&site, &visit, done, fault).await
        }
        Err(PageError::WrongInput(fault)) => {
            let again = list_with(&site, &visit, String::new(), fault).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
        }
        Err(error) => Err(error),
    }
}

pub async fn errors(State(site): State<Site>, visit: Visit) -> PageResult {
    let bytes = tokio::fs::read(returned(&site, &visit)).await.map_err(|_| PageError::NotFound)?;
    site.bureau.record_export(&visit.act, "inspectors/errors").await?;
    Ok(crate::serve::download("检查人员名录.错误.xlsx", crate::serve::XLSX, bytes))
}
