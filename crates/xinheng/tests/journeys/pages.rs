//! Every page at three sizes: right in shape, no barrier for anybody, no request that leaves the server.

use crate::demo_site::DemoSite;
use crate::support::{Browser, DESKTOP, PHONE};

/// Name and address of each page of an audience; `{code}` is the riskiest enterprise.
const PUBLIC: &[(&str, &str)] = &[
    ("public-home", "/"),
    ("public-search", "/search?q=食品"),
    ("public-search-initials", "/search?q=sp"),
    ("public-search-nothing", "/search?q=没有这家"),
    ("public-search-short", "/search?q=品"),
    ("public-enterprise", "/enterprise/{code}"),
    ("public-abnormal", "/bulletins"),
    ("public-serious", "/bulletins/serious"),
    ("public-ledger", "/ledger"),
    ("public-draws", "/draws"),
    ("public-draw", "/draws/2026-001-D1"),
    ("public-screen", "/draws/2026-001-D1/screen"),
    ("public-items", "/items"),
    ("public-check", "/draws/check"),
    ("public-about", "/about"),
    ("public-sign-in", "/sign-in"),
];

const DESK: &[(&str, &str)] = &[
    ("desk-todo", "/desk"),
    ("desk-enterprises", "/desk/enterprises"),
    ("desk-enterprises-filtered", "/desk/enterprises?level=D&order=level"),
    ("desk-enterprises-nothing", "/desk/enterprises?q=没有这家"),
    ("desk-enterprise", "/desk/enterprises/{code}"),
    ("desk-enterprise-past", "/desk/enterprises/{code}?as_of=2025-06-30&known_up_to=200"),
    ("desk-record", "/desk/records/1"),
    ("desk-collection", "/desk/collection"),
    ("desk-submission", "/desk/collection/1"),
    ("desk-classification", "/desk/classification"),
    ("desk-differences", "/desk/classification/differences"),
    ("desk-grading", "/desk/classification/grading?field=food_production"),
    ("desk-alerts", "/desk/alerts"),
    ("desk-publication", "/desk/publication"),
    ("desk-matters", "/desk/matters"),
    ("desk-plans", "/desk/plans"),
    ("desk-plan-new", "/desk/plans/new"),
    (
        "desk-plan-preview",
        "/desk/plans/new?item=annual_report&title=测算&from=2027-01-04&until=2027-03-01&ratio=5&leave_out_low=on&by_town=on",
    ),
    ("desk-draw", "/desk/draws/2026-001-D1"),
    ("desk-visits", "/desk/visits"),
    ("desk-inspectors", "/desk/inspectors"),
    ("desk-inspector", "/desk/inspectors/4"),
    ("desk-rules", "/desk/rules"),
    ("account", "/account"),
    ("account-password", "/account/password"),
    ("account-second-factor", "/account/second-factor"),
];

#[tokio::test]
async fn every_page_is_right_at_every_size() {
    let site = DemoSite::demo();
    let browser = Browser::start(&site.address).await.unwrap();
    let mut faults = String::new();
    for (name, path) in PUBLIC {
        browser.visit(&path.replace("{code}", &site.riskiest)).await.unwrap();
        faults += &browser.inspect(name).await.unwrap();
    }
    browser.visit("/type?size=large&back=/").await.unwrap();
    faults += &browser.inspect("public-home-large").await.unwrap();
    browser.visit("/type?size=normal&back=/").await.unwrap();

    browser.sign_in("/desk", "xinyong", &site.secrets["xinyong"]).await.unwrap();
    for (name, path) in DESK {
        browser.visit(&path.replace("{code}", &site.riskiest)).await.unwrap();
        faults += &browser.inspect(name).await.unwrap();
    }
    browser.visit("/type?size=large&back=/desk").await.unwrap();
    faults += &browser.inspect("desk-todo-large").await.unwrap();
    assert!(faults.is_empty(), "{faults}");
}

#[tokio::test]
async fn the_first_public_page_is_light() {
    let site = DemoSite::empty();
    for size in [PHONE, DESKTOP] {
        let browser = Browser::start(&site.address).await.unwrap();
        browser.resize(size).await.unwrap();
        browser.visit("/").await.unwrap();
        let weight = browser.weight().await.unwrap();
        assert!(weight < 100 * 1024, "{weight} bytes at {size:?}");
    }
}
