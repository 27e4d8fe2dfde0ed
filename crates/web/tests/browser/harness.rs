//! The harness itself, on pages of its own: it must see what it is to find, and find nothing where nothing is.

use std::path::{Path, PathBuf};

use axum::Router;
use axum::extract::Multipart;
use axum::http::header;
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};
use fantoccini::Locator;
use fantoccini::key::Key;
use tokio::net::TcpListener;

use crate::support::{Browser, DESKTOP, LARGE, PHONE, SIZES, beside};

/// Nothing inline, nothing from elsewhere: the pages' own policy.
const STRICT: &str = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'";

const SOUND: &str = r#"<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>台账</title>
<link rel="icon" href="/icon.svg"></head><body><main><h1>台账</h1>
<a href="/second">第二页</a>
<form method="post" action="/upload" enctype="multipart/form-data"><p><label>文件 <input type="file" name="file" multiple></label></p>
<p><button>上传</button></p></form></main></body></html>"#;

const FAULTY: &str = r#"<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>坏</title>
<link rel="icon" href="/icon.svg"></head>
<body><main><h1>坏</h1><input name="nameless"><img src="/missing.png">
<p style="color: #ccc">看不清的字</p><div id="wide"></div><a href="/second" id="unseen">去</a>
<img alt="" src="https://tracker.example/pixel.png"><script>document.title = "ran"</script>
<link rel="stylesheet" href="/faulty.css"></main></body></html>"#;

const SIGN_IN: &str = r#"<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>登录</title><form method="post">
<input name="account" autocomplete="username"><input name="secret" type="password"><button>登录</button></form></html>"#;

const PICTURE: &str = r##"<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>图</title>
<link rel="icon" href="/icon.svg"><meta name="htmx-config" content='{"allowEval":false,"includeIndicatorStyles":false}'>
<link rel="stylesheet" href="/picture.css">
<script src="/vendor/htmx.min.js" defer></script><script src="/vendor/echarts.min.js" defer></script>
<script src="/picture.js" defer></script></head>
<body><main><h1>图</h1><div id="picture"></div><button hx-get="/part" hx-target="#part">取</button><p id="part">空</p></main></body></html>"##;

const PICTURE_SCRIPT: &str = r#""use strict";
const chart = echarts.init(document.getElementById("picture"), null, { renderer: "svg" });
chart.setOption({
  aria: { enabled: true, decal: { show: true } },
  animation: false,
  legend: {},
  tooltip: { trigger: "axis", renderMode: "richText" },
  xAxis: { type: "category", data: ["食品", "药品"] },
  yAxis: { type: "value" },
  series: ["甲", "乙"].map((name, at) => ({ name, type: at ? "line" : "bar", data: [3, 4] })),
});
chart.dispatchAction({ type: "showTip", seriesIndex: 0, dataIndex: 1 });"#;

async fn site() -> String {
    let page =
        |html: &'static str| get(move || async move { ([(header::CONTENT_SECURITY_POLICY, STRICT)], Html(html)) });
    let file =
        |kind: &'static str, text: &'static str| get(move || async move { ([(header::CONTENT_TYPE, kind)], text) });
    let faulty = "#wide { width: 3000px; height: 1px } a:focus { outline: none }";
    let router = Router::new()
        .route("/", page(SOUND))
        .route("/second", page(SOUND))
        .route("/faulty", page(FAULTY))
        .route("/faulty.css", file("text/css", faulty))
        .route("/picture", page(PICTURE))
        .route("/picture.css", file("text/css", "#picture { width: 600px; height: 300px }"))
        .route("/picture.js", file("text/javascript", PICTURE_SCRIPT))
        .route("/icon.svg", file("image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'/>"))
        .route("/desk", page(SIGN_IN).post(signed_in))
        .route("/list.csv", file("text/csv", "甲,乙\n"))
        .route("/part", page("<b>取到</b>"))
        .route("/vendor/{name}", get(vendor))
        .route("/upload", post(uploaded));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    site
}

async fn vendor(axum::extract::Path(name): axum::extract::Path<String>) -> impl IntoResponse {
    let path = vendored(&name);
    let script = std::fs::read(&path).unwrap_or_else(|_| panic!("{}: run cargo xtask assets", path.display()));
    ([(header::CONTENT_TYPE, "text/javascript")], script)
}

fn vendored(name: &str) -> PathBuf {
    beside("web/vendor").join(name)
}

async fn uploaded(mut form: Multipart) -> Html<String> {
    let mut told = String::new();
    while let Some(field) = form.next_field().await.unwrap() {
        let name = field.file_name().unwrap().to_owned();
        told += &format!("<p>{name} {}</p>", field.bytes().await.unwrap().len());
    }
    Html(told)
}

async fn signed_in(form: String) -> String {
    form
}

async fn browser() -> Browser {
    Browser::start(&site().await).await.unwrap()
}

#[tokio::test]
async fn a_sound_page_has_no_faults_and_its_pictures_are_kept() {
    let browser = browser().await;
    browser.visit("/").await.unwrap();
    assert_eq!(browser.inspect("harness").await.unwrap(), "");
    for size in SIZES {
        browser.resize(size).await.unwrap();
        let path = browser.keep_picture(&format!("harness-{}", size.width)).await.unwrap();
        assert!(path.ends_with(format!("screenshots/harness-{}.png", size.width)));
        let picture = std::fs::read(path).unwrap();
        // The header of a PNG holds its width and height.
        let number = |at: usize| u32::from_be_bytes(picture[at..at + 4].try_into().unwrap());
        assert_eq!((number(16), number(20)), (size.width, size.height));
    }
}

#[tokio::test]
async fn every_fault_of_a_page_is_found() {
    let browser = browser().await;
    browser.visit("/faulty").await.unwrap();
    let faults = browser.inspect("harness-faulty").await.unwrap();
    let expected = [
        "harness-faulty 1366×768: label",
        "harness-faulty 390×844: image-alt",
        "the page scrolls sideways, 3008 > 1366: <div id=\"wide\"></div>",
        "a request left the server: https://tracker.example/pixel.png",
        "missing.png - Failed to load resource: the server responded with a status of 404",
        "Executing inline script violates the following Content Security Policy",
        "Applying inline style violates the following Content Security Policy",
    ];
    for expected in expected {
        assert!(faults.contains(expected), "{expected} is not among these:\n{faults}");
    }
    let unseen = browser.tab_to("#unseen").await.unwrap_err().to_string();
    assert!(unseen.contains("the focus cannot be seen on <a"), "{unseen}");
}

#[tokio::test]
async fn a_page_is_walked_by_keyboard_and_takes_files() {
    let browser = browser().await;
    browser.visit("/").await.unwrap();
    browser.tab_to("a").await.unwrap();
    browser.turn_page(browser.press(Key::Enter)).await.unwrap();
    assert_eq!(browser.current_url().await.unwrap().path(), "/second");
    browser.tab_to("button").await.unwrap();
    browser.chord(&[Key::Shift], Key::Tab).await.unwrap();
    assert_eq!(browser.active_element().await.unwrap().attr("type").await.unwrap().as_deref(), Some("file"));
    let lost = browser.tab_to("#nowhere").await.unwrap_err().to_string();
    assert!(lost.starts_with("the Tab key does not reach #nowhere"), "{lost}");

    let folder = tempfile::tempdir().unwrap();
    let files: Vec<PathBuf> = ["处罚.csv", "检查.csv"].iter().map(|name| folder.path().join(name)).collect();
    files.iter().for_each(|file| std::fs::write(file, "甲,乙\n").unwrap());
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    browser.upload("input[type=file]", &files).await.unwrap();
    browser.tab_to("button").await.unwrap();
    browser.turn_page(browser.press(Key::Enter)).await.unwrap();
    assert_eq!(browser.reads("p + p", "检查").await.unwrap(), "检查.csv 8");
}

#[tokio::test]
async fn an_officer_signs_in_and_takes_a_file_home() {
    let browser = browser().await;
    browser.sign_in("/desk", "officer", "a b&c").await.unwrap();
    assert!(browser.source().await.unwrap().contains("account=officer&amp;secret=a+b%26c"));

    browser.visit("/desk").await.unwrap();
    browser.tab_to("[name=account]").await.unwrap();
    browser.type_text("某某").await.unwrap();
    assert_eq!(browser.active_element().await.unwrap().prop("value").await.unwrap().as_deref(), Some("某某"));

    let folder = tempfile::tempdir().unwrap();
    let got = browser.download("/list.csv", folder.path()).await.unwrap();
    assert_eq!(std::fs::read_to_string(got).unwrap(), "甲,乙\n");
}

#[tokio::test]
async fn htmx_and_echarts_work_under_the_strict_policy() {
    let browser = browser().await;
    browser.visit("/picture").await.unwrap();
    browser.find(Locator::Css("button")).await.unwrap().click().await.unwrap();
    browser.wait().for_element(Locator::Css("#part b")).await.unwrap();
    let drawn = browser.wait().for_element(Locator::Css("#picture svg")).await.unwrap();
    assert!(drawn.text().await.unwrap().contains("食品"));
    for size in [DESKTOP, LARGE] {
        browser.resize(size).await.unwrap();
        assert_eq!(browser.complaints().await.unwrap(), Vec::<String>::new());
    }
    browser.keep_picture("harness-picture").await.unwrap();
    let scripts = ["htmx.min.js", "echarts.min.js"].map(|name| std::fs::metadata(vendored(name)).unwrap().len());
    let weight = browser.weight().await.unwrap();
    assert!(
        weight > scripts.iter().sum(),
        "{weight} bytes are less than the scripts {scripts:?} that are served plain"
    );
}

#[tokio::test]
async fn pages_can_be_seen_without_scripts_on_a_phone() {
    let browser = browser().await;
    browser.scripts(false).await.unwrap();
    browser.resize(PHONE).await.unwrap();
    browser.visit("/picture").await.unwrap();
    browser.find(Locator::Css("button")).await.unwrap().click().await.unwrap();
    assert!(browser.find(Locator::Css("#picture svg")).await.is_err());
    let width = browser.execute("return document.documentElement.clientWidth", vec![]).await.unwrap();
    assert_eq!(width, 980, "a page without a viewport of its own is laid out wide");
}

#[tokio::test]
async fn a_dropped_browser_leaves_nothing_behind() {
    let browser = browser().await;
    let profile = browser.profile().to_owned();
    assert!(profile.join("Default").exists());
    drop(browser);
    assert!(!profile.exists(), "{} is still there", profile.display());
}
