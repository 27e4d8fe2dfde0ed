//! What officers and citizens come to do, step by step.

use std::path::Path;

use fantoccini::Locator;
use fantoccini::key::Key;
use xinheng_exchange::{TableFormat, TableWriter};

use crate::demo_site::{DemoSite, UNTIL};
use crate::repository;
use crate::support::Browser;

/// Columns of a penalty as units hand them in.
const HEADINGS: [&str; 7] = [
    "统一社会信用代码",
    "行政相对人名称",
    "行政处罚决定书文号",
    "处罚决定日期",
    "处罚类别",
    "罚款金额",
    "违法严重程度",
];

/// Waits for an element that says something, and gives what it says.
async fn text(browser: &Browser, selector: &str) -> String {
    browser.reads(selector, "").await.unwrap()
}

/// Presses what leads to another page.
async fn press(browser: &Browser, locator: Locator<'_>) {
    let pressed = browser.find(locator).await.unwrap_or_else(|error| panic!("{locator:?}: {error}"));
    browser.turn_page(async { Ok(pressed.click().await?) }).await.unwrap();
}

/// Fills a form in and presses its button.
pub async fn submit(browser: &Browser, selector: &str, fields: &[(&str, &str)]) {
    let form = browser.form(Locator::Css(selector)).await.unwrap_or_else(|error| panic!("{selector}: {error}"));
    for (name, value) in fields {
        form.set_by_name(name, value).await.unwrap();
    }
    press(browser, Locator::Css(&format!("{selector} button:not([type=button])"))).await;
}

/// A workbook of one penalty.
fn penalty(path: &Path, code: &str, number: &str, day: &str) {
    let mut table = TableWriter::create(path, TableFormat::Xlsx, &HEADINGS, false).unwrap();
    table.write(&[code, "某企业", number, day, "罚款", "50000", "严重"]).unwrap();
    table.finish().unwrap();
}

async fn upload(browser: &Browser, file: &Path) {
    browser.visit("/desk/collection").await.unwrap();
    browser.upload("#file", &[file]).await.unwrap();
    browser.find(Locator::Css("form[data-upload] button")).await.unwrap().click().await.unwrap();
    // Through the page of progress to that of the outcome.
    browser.wait().for_element(Locator::Css(".figures")).await.unwrap();
}

#[tokio::test]
async fn a_file_with_a_fault_comes_back_mended_and_moves_the_level() {
    let site = DemoSite::demo();
    let browser = Browser::start(&site.address).await.unwrap();
    browser.sign_in("/desk", "zhifa", &site.secrets["zhifa"]).await.unwrap();
    browser.visit("/desk/enterprises?level=A&status=operating").await.unwrap();
    let code = text(&browser, "tbody .code").await;

    // The day is no day: the row comes back.
    let file = site.data("处罚.xlsx");
    penalty(&file, &code, "新衡罚〔2026〕9001号", "2026年13月40日");
    upload(&browser, &file).await;
    assert!(text(&browser, ".notice.bad").await.contains("1 行没有入账"));
    browser.keep_picture("journey-refused").await.unwrap();
    let folder = site.data("downloads");
    std::fs::create_dir_all(&folder).unwrap();
    let address = browser.find(Locator::LinkText("下载错误表")).await.unwrap().attr("href").await.unwrap().unwrap();
    let workbook = browser.download(&address, &folder).await.unwrap();
    assert!(std::fs::read(workbook).unwrap().starts_with(b"PK"), "the errors come back as a workbook");

    penalty(&file, &code, "新衡罚〔2026〕9001号", UNTIL);
    upload(&browser, &file).await;
    assert!(text(&browser, ".figure.good").await.contains('1'));
    browser.visit(&format!("/desk/enterprises/{code}")).await.unwrap();
    let timeline = text(&browser, ".timeline").await;
    assert!(timeline.contains("新衡罚〔2026〕9001号"), "{timeline}");
    let explained = text(&browser, "table[id^=points-]").await;
    assert!(explained.contains("新衡罚〔2026〕9001号"), "{explained}");
    browser.keep_picture("journey-mended").await.unwrap();

    // The same file once more: nothing changes, and the page says so.
    upload(&browser, &file).await;
    assert!(text(&browser, ".notice").await.contains("没有任何变化"));

    // Neither is a table: one sentence, nothing changed.
    let paper = site.data("文件.xlsx");
    std::fs::write(&paper, b"%PDF-1.7 ...").unwrap();
    browser.visit("/desk/collection").await.unwrap();
    browser.upload("#file", &[&paper]).await.unwrap();
    browser.find(Locator::Css("form[data-upload] button")).await.unwrap().click().await.unwrap();
    let said = text(&browser, "#job .notice.bad").await;
    assert!(said.contains("PDF") && said.contains("没有改动任何数据"), "{said}");
    assert!(!said.contains('/'), "a path of the server is told: {said}");
    assert_eq!(browser.inspect("desk-job-refused").await.unwrap(), "");
}

#[tokio::test]
async fn a_proof_of_publication_is_reviewed_by_another_and_ends_the_clock() {
    let site = DemoSite::demo();
    let browser = Browser::start(&site.address).await.unwrap();
    browser.sign_in("/desk", "xinyong", &site.secrets["xinyong"]).await.unwrap();
    browser.visit("/desk/publication").await.unwrap();
    // The least urgent: the demonstration's own matters are about the others.
    let clock = browser.find(Locator::XPath("(//input[@name='clock'])[last()]")).await.unwrap();
    let named = clock.attr("value").await.unwrap().unwrap();
    clock.click().await.unwrap();
    let set = "document.getElementById('published_on').value = arguments[0];";
    browser.execute(set, vec![serde_json::json!(UNTIL)]).await.unwrap();
    browser.find(Locator::Css("#place")).await.unwrap().send_keys("https://example.invalid/公示/1").await.unwrap();
    press(&browser, Locator::Css("main form button")).await;
    assert!(text(&browser, "h1").await.contains("公示凭证"));
    let matter = browser.current_url().await.unwrap().path().to_owned();
    assert_eq!(browser.inspect("desk-matter").await.unwrap(), "");
    // Nobody reviews their own work: the form is not even there.
    assert!(browser.find(Locator::Css("form[action$='/review']")).await.is_err());

    let reviewer = Browser::start(&site.address).await.unwrap();
    reviewer.sign_in(&matter, "shenhe", &site.secrets["shenhe"]).await.unwrap();
    assert_eq!(reviewer.inspect("desk-matter-review").await.unwrap(), "");
    press(&reviewer, Locator::Css("button[value=forward]")).await;
    assert!(text(&reviewer, ".head .tag.good").await.contains("已通过"));
    reviewer.keep_picture("journey-matter").await.unwrap();

    browser.visit("/desk/publication").await.unwrap();
    let selector = format!("input[name=clock][value='{named}']");
    assert!(browser.find(Locator::Css(&selector)).await.is_err(), "{named} has ended");
}

#[tokio::test]
async fn what_was_typed_outlives_the_session() {
    let site = DemoSite::demo();
    let browser = Browser::start(&site.address).await.unwrap();
    browser.sign_in("/desk", "xinyong", &site.secrets["xinyong"]).await.unwrap();
    browser.visit("/desk/publication").await.unwrap();
    browser.find(Locator::Css("#place")).await.unwrap().send_keys("公示编号 2026-17").await.unwrap();
    browser.find(Locator::Css("input[name=clock]")).await.unwrap().click().await.unwrap();
    let set = "document.getElementById('published_on').value = arguments[0];";
    browser.execute(set, vec![serde_json::json!(UNTIL)]).await.unwrap();
    // The session ends meanwhile.
    browser.delete_all_cookies().await.unwrap();
    press(&browser, Locator::Css("main form button")).await;
    assert!(text(&browser, "h1").await.contains("登录已失效"));
    press(&browser, Locator::Css("main a.button")).await;
    submit(&browser, "main form", &[("account", "xinyong"), ("password", &site.secrets["xinyong"])]).await;
    browser.wait().for_element(Locator::Css("#place")).await.unwrap();
    let kept = "return document.getElementById('place').value;";
    assert_eq!(browser.execute(kept, vec![]).await.unwrap(), "公示编号 2026-17");
}

#[tokio::test]
async fn a_citizen_finds_a_shop_by_keyboard_and_without_scripts() {
    let site = DemoSite::demo();
    let browser = Browser::start(&site.address).await.unwrap();
    for scripts in [true, false] {
        browser.scripts(scripts).await.unwrap();
        browser.visit("/").await.unwrap();
        if scripts {
            browser.tab_to("#q").await.unwrap();
            browser.type_text("食品").await.unwrap();
            browser.turn_page(browser.press(Key::Enter)).await.unwrap();
        } else {
            browser.visit("/search?q=食品").await.unwrap();
        }
        let name = browser.find(Locator::Css(".results a")).await.unwrap().text().await.unwrap();
        press(&browser, Locator::Css(".results a")).await;
        assert_eq!(text(&browser, "h1").await, name);
    }
    browser.scripts(true).await.unwrap();
}

#[tokio::test]
async fn an_officer_works_by_keyboard_alone() {
    let site = DemoSite::demo();
    let browser = Browser::start(&site.address).await.unwrap();
    browser.sign_in("/desk", "xinyong", &site.secrets["xinyong"]).await.unwrap();
    browser.tab_to(".menu a[href='/desk/enterprises']").await.unwrap();
    browser.turn_page(browser.press(Key::Enter)).await.unwrap();
    browser.tab_to("#q").await.unwrap();
    browser.type_text(&site.riskiest).await.unwrap();
    browser.press(Key::Enter).await.unwrap();
    // The list is taken in place, or the page is another; either way the row is there.
    let row = format!("tbody a[href='/desk/enterprises/{}']", site.riskiest);
    browser.wait().for_element(Locator::Css(&row)).await.unwrap();
    browser.tab_to(&row).await.unwrap();
    browser.turn_page(browser.press(Key::Enter)).await.unwrap();
    browser.find(Locator::Css("#as_of")).await.unwrap();
    assert!(text(&browser, "main").await.contains(&site.riskiest));
}

#[tokio::test]
async fn a_citizen_recomputes_a_draw_and_finds_the_digit_that_was_changed() {
    let site = DemoSite::empty();
    let browser = Browser::start(&site.address).await.unwrap();
    let examples = repository::path("docs/draw-examples");
    let sound = examples.join("three-strata.json");
    let certificate = std::fs::read_to_string(&sound).unwrap();
    let altered = site.data("改过的证书.json");
    let value = certificate.split("\"value\": \"").nth(1).unwrap().split('"').next().unwrap();
    let other: String = value.chars().rev().collect();
    std::fs::write(&altered, certificate.replace(value, &other)).unwrap();
    for (file, verdict) in [(&sound, "核验通过"), (&altered, "核验不通过")] {
        browser.visit("/draws/check").await.unwrap();
        browser.upload("#check-file", &[file]).await.unwrap();
        browser.find(Locator::Css("[data-part=check]")).await.unwrap().click().await.unwrap();
        browser.reads("[data-part=results]", verdict).await.unwrap();
        assert_eq!(browser.inspect("public-checked").await.unwrap(), "");
    }
}
