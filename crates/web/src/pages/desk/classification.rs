//! Classification: the level table by field and town with its picture, the runs, what a run changed and
//! why, and the received levels against our own.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use xinheng_app::enterprises::PageSize;
use xinheng_app::pages::{Changes, DifferingLine, LevelTable, LevelTableScope, RunLine};
use xinheng_core::classify::COMBINED;
use xinheng_core::record::{Moment, Seq};

use crate::Site;
use crate::error::PageResult;
use crate::page::{Frame, page};
use crate::pages::public::code;
use crate::visit::{Visit, encoded};
use crate::words;

#[derive(Deserialize)]
pub struct AskedScope {
    scope: Option<String>,
}

#[derive(Template)]
#[template(path = "desk/classification.html")]
struct ClassificationPage {
    frame: Frame,
    scopes: Vec<(String, String)>,
    scope: Option<LevelTableScope>,
    levels: Vec<String>,
    runs: Vec<RunLine>,
}

impl ClassificationPage {
    fn moment(&self, moment: &Moment) -> String {
        words::moment(*moment)
    }

    fn is_shown(&self, code: &str) -> bool {
        self.scope.as_ref().is_some_and(|scope| scope.scope == code)
    }

    fn count(&self, counts: &std::collections::BTreeMap<String, u64>, level: &str) -> u64 {
        counts.get(level).copied().unwrap_or_default()
    }

    fn sum(&self, counts: &std::collections::BTreeMap<String, u64>) -> u64 {
        counts.values().sum()
    }

    fn address(&self, town: &str, level: &str) -> String {
        let scope = self.scope.as_ref().map_or(COMBINED, |scope| scope.scope.as_str());
        format!("/desk/enterprises?field={}&town={}&level={}", encoded(scope), encoded(town), encoded(level))
    }
}

pub async fn table(State(site): State<Site>, visit: Visit, Query(asked): Query<AskedScope>) -> PageResult {
    let LevelTable { scopes } = site.bureau.level_table().await?;
    let wanted = asked.scope.as_deref().unwrap_or(COMBINED);
    let titles = scopes.iter().map(|scope| (scope.scope.clone(), scope.title.clone())).collect();
    let scope = scopes.into_iter().find(|scope| scope.scope == wanted);
    let levels: BTreeSet<String> = scope.iter().flat_map(|scope| scope.total.keys().cloned()).collect();
    page(&ClassificationPage {
        frame: Frame::new(&visit, "风险分类").with_pictures(),
        scopes: titles,
        scope,
        levels: levels.into_iter().collect(),
        runs: site.bureau.runs(None, PageSize::Twenty).await?,
    })
}

#[derive(Deserialize)]
pub struct AfterCode {
    after: Option<String>,
}

#[derive(Template)]
#[template(path = "desk/changes.html")]
struct ChangesPage {
    frame: Frame,
    changes: Changes,
    next: Option<String>,
}

pub async fn changes(
    State(site): State<Site>,
    visit: Visit,
    Path(run): Path<i64>,
    Query(asked): Query<AfterCode>,
) -> PageResult {
    let after = asked.after.as_deref().map(code).transpose()?;
    let changes = site.bureau.changes(Seq(run), None, after, PageSize::Twenty).await?;
    page(&ChangesPage {
        frame: Frame::new(&visit, format!("第 {run} 条分类的变化")),
        next: changes.next.map(|next| format!("/desk/classification/runs/{run}?after={next}")),
        changes,
    })
}

#[derive(Template)]
#[template(path = "desk/differences.html")]
struct DifferencesPage {
    frame: Frame,
    lines: Vec<DifferingLine>,
    next: Option<String>,
}

pub async fn differences(State(site): State<Site>, visit: Visit, Query(asked): Query<AfterCode>) -> PageResult {
    let after = asked.after.as_deref().map(code).transpose()?;
    let size = PageSize::Twenty;
    let lines = site.bureau.received_against_own(after, size).await?;
    page(&DifferencesPage {
        frame: Frame::new(&visit, "省级下发等级与本局通用等级不同的企业"),
        next: lines
            .last()
            .filter(|_| lines.len() == size.rows())
            .map(|last| format!("/desk/classification/differences?after={}", last.code)),
        lines,
    })
}
