//! Public pages (公众页面): search, profile, bulletins of lists, the ledger's heads. They read what the
//! publicity decision lets through ([`xinheng_app::public`]) and nothing else; no level is ever here.

use askama::Template;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use xinheng_app::enterprises::PageSize;
use xinheng_app::pages::DayHead;
use xinheng_app::public::{Bulletin, BulletinPlace, PublicFound, PublicList, PublicProfile, PublicRecord};
use xinheng_core::credit_code::CreditCode;
use xinheng_core::ledger::Head;
use xinheng_core::record::{Day, Seq};

use crate::Site;
use crate::error::{PageError, PageResult};
use crate::page::{Frame, page};
use crate::visit::{Visit, encoded};

#[derive(Template)]
#[template(path = "public/home.html")]
struct HomePage {
    frame: Frame,
    bureau: String,
    /// Title and address of each list, and who was entered last.
    newest: Vec<(&'static str, &'static str, Bulletin)>,
}

/// Lines of a list on the home page.
const NEWEST: usize = 6;

pub async fn home(State(site): State<Site>, visit: Visit) -> PageResult {
    let mut newest = Vec::new();
    for (list, address, title) in LISTS {
        let mut bulletin = site.bureau.bulletin(list, None, PageSize::Twenty).await?;
        bulletin.lines.truncate(NEWEST);
        newest.push((title, address, bulletin));
    }
    page(&HomePage {
        frame: Frame::new(&visit, "企业信用信息查询"),
        bureau: site.bureau.settings().await?.bureau.unwrap_or_else(|| "市场监督管理局".to_owned()),
        newest,
    })
}

#[derive(Template)]
#[template(path = "public/check.html")]
struct CheckPage {
    frame: Frame,
}

impl CheckPage {
    /// It has no certificate of its own.
    fn certificate_address(&self) -> Option<String> {
        None
    }
}

/// Where anybody recomputes a draw certificate, on their own device.
pub async fn check(visit: Visit) -> PageResult {
    page(&CheckPage { frame: Frame::new(&visit, "核验摇号证书") })
}

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    skip: usize,
}

#[derive(Template)]
#[template(path = "public/search.html")]
struct SearchPage {
    frame: Frame,
    q: String,
    found: PublicFound,
    next: Option<String>,
    fault: String,
}

pub async fn search(State(site): State<Site>, visit: Visit, Query(asked): Query<Asked>) -> PageResult {
    site.limits.search(&visit.act.source)?;
    let empty = PublicFound { hits: Vec::new(), next: None, too_many: false };
    let (found, fault) = match site.bureau.public_search(&asked.q, asked.skip, PageSize::Twenty).await {
        Ok(found) => (found, String::new()),
        Err(error) => match PageError::from(error) {
            PageError::WrongInput(sentence) => (empty, sentence),
            other => return Err(other),
        },
    };
    page(&SearchPage {
        frame: Frame::new(&visit, format!("查找“{}”", asked.q)),
        next: found.next.map(|skip| format!("/search?q={}&skip={skip}", encoded(&asked.q))),
        q: asked.q,
        found,
        fault,
    })
}

#[derive(Template)]
#[template(path = "public/enterprise.html")]
struct EnterprisePage {
    frame: Frame,
    profile: PublicProfile,
    sections: Vec<(&'static str, &'static str, Vec<PublicRecord>)>,
    units: Vec<(String, String)>,
}

impl EnterprisePage {
    fn unit(&self, code: &str) -> String {
        crate::words::unit_name(&self.units, code)
    }
}

/// A code in an address; other spellings than the standard one are nobody's address.
pub(crate) fn code(text: &str) -> PageResult<CreditCode> {
    CreditCode::parse(text).map_err(|_| PageError::NotFound)
}

pub async fn enterprise(State(site): State<Site>, visit: Visit, Path(text): Path<String>) -> PageResult {
    let mut profile = site.bureau.public_profile(code(&text)?).await?.ok_or(PageError::NotFound)?;
    let take = std::mem::take::<Vec<PublicRecord>>;
    let sections = vec![
        ("行政许可", "没有公开的行政许可信息。", take(&mut profile.licenses)),
        ("行政处罚", "没有公开的行政处罚信息。", take(&mut profile.penalties)),
        ("监督检查", "没有公开的监督检查信息。", take(&mut profile.inspections)),
        ("经营异常名录与严重违法失信名单", "没有公开的列入信息。", take(&mut profile.lists)),
        ("其他公开信息", "", take(&mut profile.others)),
    ];
    page(&EnterprisePage {
        frame: Frame::new(&visit, profile.name.clone()),
        profile,
        sections,
        units: site.unit_names().await?,
    })
}

#[derive(Deserialize)]
pub struct Place {
    on: Option<Day>,
    seq: Option<i64>,
}

#[derive(Template)]
#[template(path = "public/bulletin.html")]
struct BulletinPage {
    frame: Frame,
    bulletin: Bulletin,
    lists: [(PublicList, &'static str, &'static str); 2],
    next: Option<String>,
}

/// Lists with their addresses and titles.
const LISTS: [(PublicList, &str, &str); 2] = [
    (PublicList::Abnormal, "/bulletins/abnormal", "经营异常名录"),
    (PublicList::Serious, "/bulletins/serious", "严重违法失信名单"),
];

pub async fn bulletins(State(site): State<Site>, visit: Visit, place: Query<Place>) -> PageResult {
    bulletin(State(site), visit, Path("abnormal".to_owned()), place).await
}

pub async fn bulletin(
    State(site): State<Site>,
    visit: Visit,
    Path(name): Path<String>,
    Query(place): Query<Place>,
) -> PageResult {
    let named = LISTS.iter().find(|(_, address, _)| address.rsplit('/').next() == Some(&name));
    let (list, address, title) = *named.ok_or(PageError::NotFound)?;
    let after = place.on.zip(place.seq).map(|(on, seq)| BulletinPlace { on, seq: Seq(seq) });
    let bulletin = site.bureau.bulletin(list, after, PageSize::Twenty).await?;
    page(&BulletinPage {
        frame: Frame::new(&visit, format!("{title}公告")),
        next: bulletin.next.map(|next| format!("{address}?on={}&seq={}", next.on, next.seq)),
        bulletin,
        lists: LISTS,
    })
}

#[derive(Template)]
#[template(path = "public/ledger.html")]
struct LedgerPage {
    frame: Frame,
    head: Head,
    days: Vec<DayHead>,
    next: Option<Day>,
}

#[derive(Deserialize)]
pub struct BeforeDay {
    before: Option<Day>,
}

pub async fn ledger(State(site): State<Site>, visit: Visit, Query(asked): Query<BeforeDay>) -> PageResult {
    let days = site.bureau.day_heads(asked.before, PageSize::Twenty).await?;
    page(&LedgerPage {
        frame: Frame::new(&visit, "数据校验"),
        head: site.bureau.head().await?,
        next: days.last().filter(|_| days.len() == PageSize::Twenty.rows()).map(|last| last.day),
        days,
    })
}

#[derive(Template)]
#[template(path = "public/about.html")]
struct AboutPage {
    frame: Frame,
}

pub async fn about(visit: Visit) -> PageResult {
    page(&AboutPage { frame: Frame::new(&visit, "使用说明与无障碍声明") })
}
