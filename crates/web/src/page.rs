//! The frame (页框) that every page stands in, and how a template becomes an answer.

use askama::Template;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use xinheng_core::staff::Permission;

use crate::assets::asset;
use crate::error::{PageError, PageResult};
use crate::visit::Visit;

/// A line of the menu.
pub struct MenuItem {
    /// Address.
    pub address: &'static str,
    /// What people read.
    pub title: &'static str,
    /// Whether the page is below it.
    pub here: bool,
}

/// What every page shows around its own content.
pub struct Frame {
    /// Title of the page.
    pub title: String,
    /// The visit.
    pub visit: Visit,
    /// Menu, by what the person may do; empty on public pages.
    pub menu: Vec<MenuItem>,
    /// Whether the page draws pictures.
    pub pictures: bool,
}

/// The desk's menu: an entry is shown to those whose duties permit its page.
pub(crate) const MENU: &[(&str, &str, Permission)] = &[
    ("/desk", "待办", Permission::ReadRecords),
    ("/desk/enterprises", "企业", Permission::ReadRecords),
    ("/desk/collection", "数据归集", Permission::ReadCollection),
    ("/desk/classification", "风险分类", Permission::ReadRecords),
    ("/desk/alerts", "风险预警", Permission::ReadRecords),
    ("/desk/publication", "公示办理", Permission::ReadCollection),
    ("/desk/plans", "抽查计划", Permission::ReadPlans),
    ("/desk/visits", "检查任务", Permission::Handle),
    ("/desk/inspectors", "检查人员", Permission::ReadPlans),
    ("/desk/rules", "规则签署", Permission::ReadRecords),
    ("/admin", "启用步骤", Permission::ManageStaff),
    ("/admin/units", "单位", Permission::ManageStaff),
    ("/admin/staff", "人员", Permission::ManageStaff),
    ("/admin/roles", "角色与账号", Permission::ManageRoles),
    ("/admin/sessions", "在线会话", Permission::ManageRoles),
    ("/admin/audit", "审计日志", Permission::ReadAudit),
];

impl Frame {
    /// The frame of a visit.
    #[must_use]
    pub fn new(visit: &Visit, title: impl Into<String>) -> Self {
        let path = visit.address.path();
        let allowed: Vec<_> = match &visit.actor {
            Some(actor) => MENU.iter().filter(|(_, _, permission)| actor.may(*permission)).collect(),
            None => Vec::new(),
        };
        // The longest address that the path lies below.
        let here = allowed
            .iter()
            .map(|(address, _, _)| *address)
            .filter(|address| {
                path == *address || (address.len() > "/admin".len() && path.starts_with(&format!("{address}/")))
            })
            .max_by_key(|address| address.len());
        let menu = allowed
            .into_iter()
            .map(|&(address, title, _)| MenuItem { address, title, here: Some(address) == here })
            .collect();
        Self { title: title.into(), visit: visit.clone(), menu, pictures: false }
    }

    /// The page draws pictures from its tables.
    #[must_use]
    pub fn with_pictures(mut self) -> Self {
        self.pictures = true;
        self
    }

    /// Whether the person may do something, so that what they may not is not offered.
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        self.visit.actor.as_ref().is_some_and(|actor| actor.may(permission))
    }

    /// Address of an embedded file, with the digest of its content.
    #[must_use]
    pub fn asset(&self, name: &str) -> String {
        asset(name)
    }

    /// The address asked for, to come back to.
    #[must_use]
    pub fn here(&self) -> String {
        let here = self.visit.address.path_and_query().map_or("/", |address| address.as_str());
        crate::visit::encoded(here)
    }
}

/// A template as an answer.
///
/// # Errors
/// When the template fails.
pub fn page(template: &impl Template) -> PageResult {
    let html = template.render()?;
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], html).into_response())
}

/// What an error looks like.
#[derive(Template)]
#[template(path = "error.html")]
pub(crate) struct ErrorPage {
    frame: Frame,
    advice: String,
    again: bool,
    number: String,
}

impl ErrorPage {
    pub(crate) fn answer(visit: &Visit, error: &PageError) -> PageResult {
        page(&Self {
            frame: Frame::new(visit, error.heading()),
            advice: error.advice(),
            again: matches!(error, PageError::SignedOut),
            number: visit.act.request.clone(),
        })
    }
}
