//! What follows from a level in a browser: an alert that is answered, a measure that is recorded, a level that three people
//! move, and the notice that an enterprise is told by.

use fantoccini::Locator;
use xinheng_app::act::Act;
use xinheng_app::collect::ImportRequest;
use xinheng_app::people::UnitChange;
use xinheng_app::rules::{embedded, load};
use xinheng_core::staff::Role;
use xinheng_core::unit::UnitKind;

use crate::site::{UNIT, Who, World};
use crate::steps::{become_other, looks_right, path, press, set};
use crate::support::Browser;

/// One producer of food with three penalties of this year, by rules that tell it its level; all rules signed.
async fn filled() -> (World, String) {
    let mut files = embedded();
    let model = files.iter_mut().find(|file| file.path.ends_with("models/food_production.yaml")).unwrap();
    model.text = model.text.replace("told_to_enterprise: false", "told_to_enterprise: true");
    let world = World::with(load(&files).unwrap()).await;
    let bureau = &world.bureau;
    let code = xinheng_core::credit_code::CreditCode::compose("91999901", "MA000001").unwrap().to_string();
    let register = format!(
        "统一社会信用代码,企业名称,成立日期,核准日期,登记状态,所属乡镇\n{code},测试一号食品有限公司,2018-01-02,2020-01-02,存续,城关镇\n"
    );
    let licences = format!(
        "统一社会信用代码,许可文件编号,许可机关,许可内容,状态,有效期自,有效期至,许可领域\n{code},SC1,某局,糕点,有效,2022-01-01,2027-12-31,食品生产\n"
    );
    let mut penalties = String::from("统一社会信用代码,纳税人名称,行政处罚文号,处罚原因,处罚时间,处罚结果\n");
    for number in 1..4 {
        penalties += &format!("{code},某店,罚〔2026〕{number}号,违法经营,2026-10-1{number},罚款\n");
    }
    let on_line = Act::on_command_line("test.prepare");
    // The desk of alerts about penalties is that of those who answer here.
    let other_names = ["综合执法大队".to_owned()];
    let unit =
        UnitChange { name: "食品生产股", other_names: &other_names, kind: UnitKind::Division, in_use: true };
    bureau.change_unit(&on_line, UNIT, &unit).await.unwrap();
    let rules: Vec<_> =
        bureau.rulebook().rules().filter(|rule| rule.head.in_force(bureau.today())).map(|rule| rule.id).collect();
    for rule in &rules {
        for signer in ["某局长", "某副局长"] {
            // What is law, or has its one signature, needs none.
            let _ = bureau.sign(&on_line, rule, signer, UNIT).await;
        }
    }
    for (name, text) in [("登记.csv", register), ("许可.csv", licences), ("处罚.csv", penalties)] {
        let path = world.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let request = ImportRequest { edition: Some("2026-11-01".parse().unwrap()), ..ImportRequest::new(&path, UNIT) };
        assert_eq!(bureau.import(&request, &|_| ()).await.unwrap().refused, 0);
    }
    bureau.classify_all(bureau.today(), &|_| ()).await.unwrap();
    (world, code)
}

async fn open_details(browser: &Browser, within: &str) {
    let script = "document.querySelector(arguments[0]).querySelector('details').open = true;";
    browser.execute(script, vec![within.into()]).await.unwrap();
}

async fn choose(browser: &Browser, selector: &str) {
    browser.find(Locator::Css(selector)).await.unwrap().click().await.unwrap();
}

/// Alerts on the page.
async fn rows(browser: &Browser) -> usize {
    browser.find_all(Locator::Css("main tbody tr")).await.unwrap().len()
}

/// The level that the page of an enterprise begins with: A is the lowest.
async fn level(browser: &Browser, enterprise: &str) -> String {
    browser.visit(enterprise).await.unwrap();
    browser.reads(".head .level", "综合等级").await.unwrap()
}

#[tokio::test]
async fn an_alert_is_answered_a_measure_recorded_a_level_moved_and_told() {
    let (world, code) = filled().await;
    let browser = Browser::start(&world.listen().await).await.unwrap();
    let handler = Who::Staff(Role::Handler).account();
    let enterprise = format!("/desk/enterprises/{code}");

    become_other(&browser, &handler, "/desk/alerts").await;
    browser.reads("main", "行政处罚两次").await.unwrap();
    looks_right(&browser, "desk-alerts").await;
    let before = rows(&browser).await;
    press(&browser, Locator::LinkText("查看并答复")).await;
    looks_right(&browser, "desk-alert").await;
    choose(&browser, "input[name=outcome]").await;
    set(&browser, "text", "已到现场核查，并约谈负责人").await;
    press(&browser, Locator::Css("form[action$='/answer'] button")).await;
    browser.visit("/desk/alerts").await.unwrap();
    assert_eq!(rows(&browser).await, before - 1);

    browser.visit(&enterprise).await.unwrap();
    open_details(&browser, "#measures").await;
    let first = "const list = document.getElementById('measure'); list.value = list.options[1].value;";
    browser.execute(first, vec![]).await.unwrap();
    set(&browser, "taken_on", "2026-11-24").await;
    set(&browser, "measure-text", "已按本级措施办理").await;
    press(&browser, Locator::Css("form[action$='/measures'] button")).await;
    browser.reads("#records", "监管措施").await.unwrap();

    open_details(&browser, "#adjustment").await;
    choose(&browser, "#adjustment input[name=steps][value='1']").await;
    set(&browser, "until", "2027-01-31").await;
    set(&browser, "grounds", "专项检查发现原料来源不清，尚未结案").await;
    set(&browser, "evidence", "专项检查记录2026-17").await;
    press(&browser, Locator::Css("#adjustment form button")).await;
    let matter = path(&browser).await;
    looks_right(&browser, "desk-adjustment-matter").await;
    let before = level(&browser, &enterprise).await;
    for who in [Role::Reviewer, Role::Leader] {
        become_other(&browser, &Who::Staff(who).account(), &matter).await;
        press(&browser, Locator::Css("button[value=forward]")).await;
    }
    browser.reads(".tag.good", "已通过").await.unwrap();
    become_other(&browser, &handler, &enterprise).await;
    browser.reads("main", "人工调整").await.unwrap();
    assert!(level(&browser, &enterprise).await > before, "one level higher than {before}");
    looks_right(&browser, "desk-enterprise-adjusted").await;

    press(&browser, Locator::LinkText("告知书")).await;
    browser.reads("main", "信用风险等级告知书").await.unwrap();
    looks_right(&browser, "desk-notice").await;
}
