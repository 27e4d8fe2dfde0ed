//! Pages, sign-in and the one table of routes: the only crate that speaks HTTP.
//!
//! A request passes the layers of [`serve`], then `guard`, which holds the route to what it declares
//! in [`routes`], then a handler in `pages`, which calls a use case and fills a template.

mod assets;
mod error;
mod form;
mod guard;
mod jobs;
mod limits;
mod page;
mod pages;
mod route;
mod routes;
mod serve;
mod visit;
mod words;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use xinheng_app::Bureau;

pub use assets::missing as missing_assets;
pub use route::{Audience, Declaration, Route};
pub use routes::{events, router, routes};
pub use serve::{Listening, ServeOptions, serve};

use crate::visit::Visit;

/// How the site is set up.
#[derive(Clone, Debug)]
pub struct SiteOptions {
    /// Whether visitors come by TLS, so that cookies are kept to it.
    pub secure: bool,
    /// Proxies whose word on a visitor's address counts.
    pub proxies: Vec<IpAddr>,
    /// Folder for files while they are taken in, and for the rows that come back.
    pub uploads: PathBuf,
    /// Whether all enterprises are classified once a day.
    pub daily: bool,
}

/// The site: the bureau's books, served.
#[derive(Clone)]
pub struct Site {
    /// The books.
    pub bureau: Arc<Bureau>,
    /// How it is set up.
    pub options: Arc<SiteOptions>,
    jobs: jobs::Jobs,
    limits: limits::Limits,
}

impl Site {
    /// A site over a bureau's books. Files that an earlier run of it had accepted are carried on with.
    ///
    /// # Errors
    /// When the folder for uploads cannot be used.
    pub fn new(bureau: Arc<Bureau>, options: SiteOptions) -> anyhow::Result<Self> {
        let jobs = jobs::Jobs::start(Arc::clone(&bureau), &options.uploads, options.daily)
            .with_context(|| format!("上传文件夹“{}”无法使用", options.uploads.display()))?;
        Ok(Self { bureau, options: Arc::new(options), jobs, limits: limits::Limits::new() })
    }

    /// Name of the session's cookie: one that browsers keep to TLS and this host, where there is TLS.
    pub(crate) fn session_cookie(&self) -> &'static str {
        if self.options.secure { "__Host-xinheng" } else { "xinheng" }
    }

    /// Where the rows that the last file of a list brought in this session and got back lie.
    pub(crate) fn returned_list(&self, visit: &Visit, list: &str) -> PathBuf {
        let session = visit.actor.as_ref().and_then(|actor| actor.session).unwrap_or_default();
        self.options.uploads.join(format!("{list}-{session}.错误.xlsx"))
    }

    /// Codes and names of the units, for pages that name them.
    pub(crate) async fn unit_names(&self) -> anyhow::Result<Vec<(String, String)>> {
        Ok(self.bureau.units().await?.into_iter().map(|unit| (unit.code, unit.name)).collect())
    }
}
