//! Enterprises found and listed: the forgiving search, enterprises by query, and their Excel export.

use std::path::Path;

use serde::Serialize;
use xinheng_core::classify::COMBINED;
use xinheng_core::credit_code::CreditCode;
pub use xinheng_store::{Count, EnterpriseOrder, Found, Hit, Listed, Listing, MatchedBy, Turn};

use crate::act::Actor;
use crate::{Bureau, Watcher};

/// What a page of enterprises is asked for. Empty texts count as not given, so that the fields of a form
/// can be passed on as they are.
#[derive(Clone, Debug, Default)]
pub struct EnterpriseQuery {
    /// Scope of the level that is filtered, sorted by and shown: a key field, `general`,
    /// `received_level`; the combined level when none is given.
    pub field: Option<String>,
    /// Level in that scope.
    pub level: Option<String>,
    /// 所属乡镇
    pub town: Option<String>,
    /// Code of a 登记状态.
    pub status: Option<String>,
    /// Part of a name or a code, as in the search.
    pub text: Option<String>,
    /// Order.
    pub order: EnterpriseOrder,
}

/// Rows of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PageSize {
    /// 20
    #[default]
    Twenty,
    /// 50
    Fifty,
    /// 100
    Hundred,
}

/// What the filters of the query page offer, each as code and title.
#[derive(Clone, Debug, Serialize)]
pub struct EnterpriseChoices {
    /// Key fields and other scopes.
    pub fields: Vec<(String, String)>,
    /// Levels.
    pub levels: Vec<(String, String)>,
    /// 登记状态
    pub statuses: Vec<(String, String)>,
    /// 乡镇
    pub towns: Vec<String>,
}

impl Bureau {
    /// Searches enterprises: exact code first, then names that begin so, then the others. `skip` rows of
    /// earlier pages are left out. At most [`xinheng_store::MOST_FOUND`] are ever found; beyond that the
    /// person must type more.
    pub async fn search(&self, text: &str, skip: usize, size: PageSize) -> anyhow::Result<Found> { todo!() }

    /// A page of enterprises.
    pub async fn enterprises(&self, query: &EnterpriseQuery, turn: &Turn, size: PageSize) -> anyhow::Result<Listing> { todo!() }

    /// How many a query finds, counted up to a bound.
    pub async fn enterprise_count(&self, query: &EnterpriseQuery) -> anyhow::Result<Count> { todo!() }

    /// What the filters offer.
    pub async fn enterprise_choices(&self) -> anyhow::Result<EnterpriseChoices> { todo!() }

    /// Writes all that a query finds into a workbook; returns how many.
    pub async fn export_enterprises(&self, query: &EnterpriseQuery, actor: &Actor, file: &Path, watcher: Watcher<'_>) -> anyhow::Result<u64> { todo!() }
}
