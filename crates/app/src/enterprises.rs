//! Enterprises found and listed: the forgiving search, enterprises by query, and their Excel export.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;
use xinheng_core::classify::{COMBINED, GENERAL, RECEIVED_LEVEL};
use xinheng_core::points::Points;
use xinheng_core::search::Wanted;
use xinheng_exchange::{TableFormat, TableWriter};
pub use xinheng_store::{Count, EnterpriseOrder, Found, Hit, Listed, Listing, MatchedBy, NoSuchTurn, Turn};
use xinheng_store::{EnterpriseFilter, REGISTRATION};

use crate::act::Actor;
use crate::words::{china_time, preface, scope_title};
use crate::{Bureau, Stage, Watcher, WrongInput};

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

/// Rows read at a time for an export.
const EXPORT_PAGE: u64 = 2_000;

impl PageSize {
    /// Rows.
    #[must_use]
    pub fn rows(self) -> usize {
        match self {
            Self::Twenty => 20,
            Self::Fifty => 50,
            Self::Hundred => 100,
        }
    }

    /// From the number in an address; any other number gives the least.
    #[must_use]
    pub fn parse(rows: &str) -> Self {
        [Self::Fifty, Self::Hundred].into_iter().find(|size| size.rows().to_string() == rows).unwrap_or_default()
    }
}

/// Reads what was typed into a search box.
pub(crate) fn wanted(text: &str) -> Result<Wanted, WrongInput> {
    Wanted::parse(text).ok_or_else(|| {
        WrongInput("查找的内容太短：请至少输入名称中的两个字、两个拼音首字母，或统一社会信用代码的前两位".to_owned())
    })
}

impl EnterpriseQuery {
    fn filter(&self) -> Result<EnterpriseFilter, WrongInput> {
        let given =
            |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        Ok(EnterpriseFilter {
            scope: given(&self.field),
            level: given(&self.level),
            town: given(&self.town),
            status: given(&self.status),
            wanted: given(&self.text).map(|text| wanted(&text)).transpose()?,
            order: self.order,
        })
    }
}

impl Bureau {
    /// Searches enterprises: exact code first, then names that begin so, then the others. `skip` rows of
    /// earlier pages are left out. At most [`xinheng_store::MOST_FOUND`] are ever found; beyond that the
    /// person must type more.
    ///
    /// # Errors
    /// [`WrongInput`] when there is too little to look for.
    pub async fn search(&self, text: &str, skip: usize, size: PageSize) -> anyhow::Result<Found> {
        Ok(self.store.search(&wanted(text)?, skip, size.rows()).await?)
    }

    /// A page of enterprises.
    ///
    /// # Errors
    /// [`WrongInput`] when the text is too short.
    pub async fn enterprises(&self, query: &EnterpriseQuery, turn: &Turn, size: PageSize) -> anyhow::Result<Listing> {
        Ok(self.store.list(&query.filter()?, turn, size.rows() as u64).await?)
    }

    /// How many a query finds, counted up to a bound.
    ///
    /// # Errors
    /// [`WrongInput`] when the text is too short.
    pub async fn enterprise_count(&self, query: &EnterpriseQuery) -> anyhow::Result<Count> {
        Ok(self.store.list_count(&query.filter()?).await?)
    }

    /// Whether a text is part of so many names that a query with it leaves some out: the page says so.
    ///
    /// # Errors
    /// [`WrongInput`] when the text is too short.
    pub async fn is_too_common(&self, text: &str) -> anyhow::Result<bool> {
        Ok(self.store.is_too_common(&wanted(text)?).await?)
    }

    /// What the filters offer.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn enterprise_choices(&self) -> anyhow::Result<EnterpriseChoices> {
        let today = self.today();
        let fields: BTreeSet<&str> = self.rulebook.models(today).map(|model| model.field.as_str()).collect();
        let scopes = [COMBINED, RECEIVED_LEVEL, GENERAL].into_iter();
        let scopes = scopes.chain(fields.into_iter().filter(|field| *field != GENERAL));
        let general = self.rulebook.models(today).find(|model| model.field == GENERAL);
        let bands = general.map(|model| &model.levels[..]).unwrap_or_default();
        let statuses = self.rulebook.kind(REGISTRATION, today).and_then(|kind| kind.field("status"));
        Ok(EnterpriseChoices {
            fields: scopes.map(|scope| (scope.to_owned(), scope_title(&self.rulebook, scope, today))).collect(),
            levels: bands.iter().map(|band| (band.code.value.clone(), band.title.clone())).collect(),
            statuses: statuses
                .map(|field| field.choices.keys().map(|code| (code.clone(), field.shown(code).to_owned())).collect())
                .unwrap_or_default(),
            towns: self.store.towns().await?,
        })
    }

    /// Writes all that a query finds into a workbook, a page at a time; returns how many.
    ///
    /// # Errors
    /// [`WrongInput`] when the text is too short; otherwise when the file cannot be written.
    pub async fn export_enterprises(
        &self,
        query: &EnterpriseQuery,
        actor: &Actor,
        file: &Path,
        watcher: Watcher<'_>,
    ) -> anyhow::Result<u64> {
        let filter = query.filter()?;
        let today = self.today();
        let registration = self.rulebook.kind(REGISTRATION, today);
        let choice = |field: &str, code: Option<String>| {
            let field = registration.and_then(|kind| kind.field(field));
            code.map(|code| field.map_or(code.as_str(), |field| field.shown(&code)).to_owned()).unwrap_or_default()
        };
        let title = scope_title(&self.rulebook, filter.scope.as_deref().unwrap_or(COMBINED), today);
        let status = choice("status", filter.status.clone());
        let asked = [
            ("等级范围", Some(title.as_str())),
            ("等级", filter.level.as_deref()),
            ("所属乡镇", filter.town.as_deref()),
            ("登记状态", Some(status.as_str())),
            ("名称或代码", query.text.as_deref()),
        ];
        let asked = asked.iter().filter_map(|(what, words)| Some((what, words.filter(|words| !words.is_empty())?)));
        let asked = asked.map(|(what, words)| format!("{what}：{words}")).collect::<Vec<_>>().join("；");
        let now = china_time(self.now());
        let preface = preface(("查询条件", &asked), actor, &now);
        let headings = [
            "统一社会信用代码",
            "企业名称",
            "登记主体类别",
            "登记状态",
            "所属乡镇",
            title.as_str(),
            "分值",
            "等级截至日期",
            "等级是否生效",
        ];
        let mut table = TableWriter::create_with_preface(file, TableFormat::Xlsx, &preface, &headings, true)?;
        let mut turn = Turn::First;
        let mut written = 0;
        loop {
            let page = self.store.list(&filter, &turn, EXPORT_PAGE).await?;
            for row in page.rows {
                let force = match (&row.level, row.in_force) {
                    (None, _) => "",
                    (Some(_), true) => "已生效",
                    (Some(_), false) => "仅供试算",
                };
                table.write(&[
                    row.code.as_str(),
                    row.name.as_deref().unwrap_or_default(),
                    &choice("type_class", row.type_class),
                    &choice("status", row.status),
                    row.town.as_deref().unwrap_or_default(),
                    row.level.as_deref().unwrap_or_default(),
                    &row.total_milli.map(|milli| Points::from_milli(milli).to_string()).unwrap_or_default(),
                    &row.as_of.map(|day| day.to_string()).unwrap_or_default(),
                    force,
                ])?;
                written += 1;
            }
            watcher(Stage { name: "导出企业名单".to_owned(), done: written, total: written });
            match page.after {
                Some(next) => turn = next,
                None => break,
            }
        }
        table.finish()?;
        Ok(written)
    }
}
