//! The directory of inspectors: a list, an entry as a form, and the whole of it from a file.

use askama::Template;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use xinheng_app::people::{DirectoryEntry, DirectoryText, StaffMember};
use xinheng_core::inspector::RecusalGround;
use xinheng_core::staff::Permission;

use crate::Site;
use crate::error::{PageError, PageResult};
use crate::form::{Form, Upload, outcome, see};
use crate::page::{Frame, page};
use crate::visit::Visit;

/// Inspectors of a page, and staff looked through for others.
const PAGE: u64 = 50;

/// Staff numbers after which the two lists of the page begin.
#[derive(Clone, Copy, Default, Deserialize)]
pub struct Places {
    #[serde(default)]
    after: i64,
    #[serde(default)]
    others: i64,
}

#[derive(Template)]
#[template(path = "desk/inspectors.html")]
struct InspectorsPage {
    frame: Frame,
    entries: Vec<(DirectoryEntry, DirectoryText)>,
    next: Option<i64>,
    others: Vec<StaffMember>,
    next_others: Option<i64>,
    places: Places,
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

async fn list_with(site: &Site, visit: &Visit, places: Places, done: String, fault: String) -> PageResult {
    let fields = site.bureau.key_fields();
    let entries = site.bureau.inspectors(&visit.act, places.after, PAGE).await?;
    let (others, next_others) = site.bureau.staff_outside_directory(&visit.act, places.others, PAGE).await?;
    let frame = Frame::new(visit, "检查人员");
    page(&InspectorsPage {
        may_plan: frame.may(Permission::Plan),
        errors_file: !fault.is_empty() && site.returned_list(visit, LIST).exists(),
        frame,
        next: entries.last().filter(|_| entries.len() as u64 == PAGE).map(|last| last.staff),
        entries: entries
            .into_iter()
            .map(|entry| {
                let text = DirectoryText::of(&entry.inspector, &fields);
                (entry, text)
            })
            .collect(),
        others,
        next_others,
        places,
        units: site.unit_names().await?,
        done,
        fault,
    })
}

pub async fn list(State(site): State<Site>, visit: Visit, Query(places): Query<Places>) -> PageResult {
    site.bureau.record_export(&visit.act, "inspectors").await?;
    list_with(&site, &visit, places, String::new(), String::new()).await
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

pub async fn put(
    State(site): State<Site>,
    visit: Visit,
    Path(number): Path<i64>,
    Form(text): Form<DirectoryText>,
) -> PageResult {
    let put = site.bureau.put_inspector(&visit.act, number, &text).await;
    outcome(put, async |put| match put {
        Ok(()) => Ok(see("/desk/inspectors")),
        Err(fault) => one_with(&site, &visit, number, Some(text), fault).await,
    })
    .await
}

pub async fn remove(State(site): State<Site>, visit: Visit, Path(number): Path<i64>) -> PageResult {
    site.bureau.remove_inspector(&visit.act, number).await?;
    Ok(see("/desk/inspectors"))
}

/// Name of the list whose rows come back.
const LIST: &str = "检查人员名录";

pub async fn import(State(site): State<Site>, visit: Visit, upload: Upload) -> PageResult {
    let errors = site.returned_list(&visit, LIST);
    let _ = std::fs::remove_file(&errors);
    let imported = match upload.file_name.is_empty() {
        true => Err(PageError::WrongInput("请先选择名录文件（Excel 或 CSV）".into())),
        false => site.bureau.import_inspectors(&visit.act, &upload.path, Some(&errors)).await.map_err(PageError::from),
    };
    outcome(imported, async |imported| {
        let (done, fault) = match imported {
            Ok(read) => {
                let done = format!(
                    "共 {} 行：登记 {}，没有变化 {}，退回 {}。",
                    read.rows, read.accepted, read.known, read.refused
                );
                let fault = match read.refused {
                    0 => String::new(),
                    refused => format!("有 {refused} 行没有通过，请下载错误表，改好后再次上传。"),
                };
                (done, fault)
            }
            Err(fault) => (String::new(), fault),
        };
        list_with(&site, &visit, Places::default(), done, fault).await
    })
    .await
}

pub async fn errors(State(site): State<Site>, visit: Visit) -> PageResult {
    let bytes = tokio::fs::read(site.returned_list(&visit, LIST)).await.map_err(|_| PageError::NotFound)?;
    site.bureau.record_export(&visit.act, "inspectors/errors").await?;
    Ok(crate::serve::download(&format!("{LIST}.错误.xlsx"), crate::serve::XLSX, bytes))
}
