//! The loop of an inspection in a browser: plan, three people, freeze, screen, two entries of the numbers, a citizen who
//! verifies, a result, a second person, the proof of publication, and the record on the enterprise's page.

use fantoccini::Locator;
use xinheng_app::act::Act;
use xinheng_app::collect::ImportRequest;
use xinheng_app::people::DirectoryText;
use xinheng_core::staff::Role;

use crate::site::{Who, World};
use crate::steps::{become_other, looks_right, path, press, refused, set};
use crate::support::{Browser, Size};

/// What the room sees.
const ROOM: Size = Size { width: 1920, height: 1080, phone: false };
const NUMBERS: &str = "双色球 2026137 03 09 14 21 27 33 + 08";

fn planner() -> String {
    Who::Staff(Role::CreditSupervisor).account()
}

fn inspector() -> String {
    Who::Staff(Role::Handler).account()
}

/// Forty producers of food with levels, and two inspectors.
async fn filled() -> World {
    let world = World::new().await;
    let bureau = &world.bureau;
    let code = |number: u32| {
        let code = xinheng_core::credit_code::CreditCode::compose("91999901", &format!("MA{number:06}"));
        code.unwrap().to_string()
    };
    let mut register = String::from("统一社会信用代码,企业名称,成立日期,核准日期,登记状态,所属乡镇\n");
    let mut licences =
        String::from("统一社会信用代码,许可文件编号,许可机关,许可内容,状态,有效期自,有效期至,许可领域\n");
    for number in 0..40 {
        let code = code(number);
        register += &format!("{code},测试{number}号食品有限公司,2018-01-02,2020-01-02,存续,城关镇\n");
        licences += &format!("{code},SC{number},某局,糕点,有效,2022-01-01,2027-12-31,食品生产\n");
    }
    for (name, text) in [("登记.csv", register), ("许可.csv", licences)] {
        let path = world.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let request = ImportRequest { edition: Some("2026-11-01".parse().unwrap()), ..ImportRequest::new(&path, "SP") };
        assert_eq!(bureau.import(&request, &|_| ()).await.unwrap().refused, 0);
    }
    bureau.classify_all(bureau.today(), &|_| ()).await.unwrap();
    let act = Act::on_command_line("test.prepare");
    for rule in ["inspections/food_production_daily", "lotteries/double_colour"] {
        bureau.sign(&act, rule, "某局长", "SP").await.unwrap();
    }
    for (account, may_lead) in [(inspector(), "是"), (Who::OtherHandler.account(), "否")] {
        let person = bureau.staff_by_account(&account).await.unwrap().unwrap();
        let text = DirectoryText {
            enforcement_number: format!("4199{}", person.number),
            enforcement_until: "2028-12-31".to_owned(),
            qualifications: "food_production".to_owned(),
            may_lead: may_lead.to_owned(),
            capacity: "60".to_owned(),
            ..DirectoryText::default()
        };
        bureau.put_inspector(&act, person.number, &text).await.unwrap();
    }
    world
}

#[tokio::test]
async fn from_the_plan_to_the_enterprises_record() {
    let world = filled().await;
    let browser = Browser::start(&world.listen().await).await.unwrap();
    let reviewer = Who::Staff(Role::Reviewer).account();

    become_other(&browser, &planner(), "/desk/plans/new").await;
    looks_right(&browser, "desk-plan-new").await;
    set(&browser, "item", "food_production_daily").await;
    set(&browser, "title", "第四季度食品生产监督检查").await;
    set(&browser, "from", "2026-11-25").await;
    set(&browser, "until", "2026-12-20").await;
    set(&browser, "ratio", "20").await;
    press(&browser, Locator::Css("form[action='/desk/plans/new'][method=get] button")).await;
    let preview = browser.reads("#preview", "检查任务").await.unwrap();
    assert!(preview.contains("无论抽中哪些对象，都能组成检查组"), "{preview}");
    looks_right(&browser, "desk-plan-preview").await;
    press(&browser, Locator::Css("#preview form button")).await;
    let matter = path(&browser).await;
    looks_right(&browser, "desk-plan-matter").await;

    become_other(&browser, &reviewer, &matter).await;
    browser.reads("main", "户中抽").await.unwrap();
    press(&browser, Locator::Css("button[value=forward]")).await;
    become_other(&browser, &Who::Staff(Role::Leader).account(), &matter).await;
    press(&browser, Locator::Css("button[value=forward]")).await;
    browser.reads(".tag.good", "已通过").await.unwrap();

    become_other(&browser, &planner(), "/desk/plans").await;
    looks_right(&browser, "desk-plans").await;
    press(&browser, Locator::LinkText("第四季度食品生产监督检查")).await;
    let plan = path(&browser).await;
    looks_right(&browser, "desk-plan").await;
    let first = "const list = document.getElementById('lottery'); \
                 list.value = [...list.options].find((one) => one.value.startsWith('double_colour')).value;";
    browser.execute(first, vec![]).await.unwrap();
    press(&browser, Locator::Css("form[action$='/freeze'] button")).await;
    let draw = path(&browser).await;
    assert_eq!(draw, "/desk/draws/2026-001-D1");
    set(&browser, "place", "县人民政府网站“公示公告”栏").await;
    set(&browser, "at", "2026-11-25T10:00").await;
    press(&browser, Locator::Css("form[action$='/witness'] button")).await;
    looks_right(&browser, "desk-draw-frozen").await;

    let public = "/draws/2026-001-D1";
    browser.resize(ROOM).await.unwrap();
    browser.visit(&format!("{public}/screen")).await.unwrap();
    browser.reads(".stage", "开奖").await.unwrap();
    browser.keep_picture("screen-waiting").await.unwrap();
    looks_right(&browser, "screen-waiting").await;

    world.wait_minutes(60 * 48);
    become_other(&browser, &planner(), &draw).await;
    set(&browser, "value", "双色球 1").await;
    press(&browser, Locator::Css("form[action$='/numbers'] button")).await;
    refused(&browser, "期号").await;
    set(&browser, "value", NUMBERS).await;
    press(&browser, Locator::Css("form[action$='/numbers'] button")).await;
    browser.reads(".notice", "第一遍号码已录入").await.unwrap();
    become_other(&browser, &reviewer, "/desk/matters").await;
    press(&browser, Locator::XPath("//main//a[contains(., '录入开奖号码')]")).await;
    let shown = browser.reads("main", "不显示").await.unwrap();
    assert!(!shown.contains("03 09 14"), "{shown}");
    assert!(
        shown.contains("六个红球") && !shown.contains("issue"),
        "how it is written, in words of the office: {shown}"
    );
    looks_right(&browser, "desk-matter-numbers").await;
    set(&browser, "value", &NUMBERS.replace("+ 08", "+ 09")).await;
    press(&browser, Locator::Css("button[value=forward]")).await;
    refused(&browser, "不一致").await;
    set(&browser, "value", NUMBERS).await;
    press(&browser, Locator::Css("button[value=forward]")).await;
    browser.reads(".tag.good", "已通过").await.unwrap();

    browser.resize(ROOM).await.unwrap();
    browser.visit(&format!("{public}/screen")).await.unwrap();
    browser.reads(".tickets", "第 1 组").await.unwrap();
    browser.keep_picture("screen-sealed").await.unwrap();

    // A citizen, who has not signed in, recomputes it.
    browser.delete_all_cookies().await.unwrap();
    browser.visit("/draws").await.unwrap();
    looks_right(&browser, "public-draws").await;
    press(&browser, Locator::LinkText("2026-001-D1")).await;
    let shown = browser.reads("main", "检查期满并全部办结后公布").await.unwrap();
    assert!(!shown.contains("测试"), "no name of whom it goes to: {shown}");
    browser.find(Locator::Css("[data-part=check]")).await.unwrap().click().await.unwrap();
    browser.reads("[data-part=results]", "核验通过").await.unwrap();
    looks_right(&browser, "public-draw").await;
    browser.visit("/items").await.unwrap();
    looks_right(&browser, "public-items").await;

    // Whoever goes says what was found; another person checks it.
    become_other(&browser, &inspector(), "/desk/visits").await;
    looks_right(&browser, "desk-visits").await;
    let first = browser.find(Locator::Css("tbody a[href*='/visits/']")).await.unwrap();
    browser.turn_page(async { Ok(first.click().await?) }).await.unwrap();
    looks_right(&browser, "desk-visit").await;
    let enterprise = browser.reads(".facts .code", "9").await.unwrap();
    set(&browser, "inspected_on", "2026-11-27").await;
    set(&browser, "rectification_due", "2026-12-10").await;
    set(&browser, "result", "05").await;
    set(&browser, "chapter-chapter_02", "9/10").await;
    press(&browser, Locator::Css("form[action$='/result'] button")).await;
    let matter = path(&browser).await;
    become_other(&browser, &planner(), &matter).await;
    looks_right(&browser, "desk-result-matter").await;
    press(&browser, Locator::Css("button[value=forward]")).await;
    browser.reads(".tag.good", "已通过").await.unwrap();
    browser.visit(&plan).await.unwrap();
    browser.reads("main", "已办结 1／").await.unwrap();
    looks_right(&browser, "desk-plan-drawn").await;
    browser.visit(&format!("{plan}/visits/2")).await.unwrap();
    browser.reads("main", "更换检查组").await.unwrap();
    looks_right(&browser, "desk-visit-planner").await;
    browser.visit(&format!("{plan}/paper")).await.unwrap();
    looks_right(&browser, "desk-paper").await;

    // It has to be published within twenty working days; the proof ends the clock.
    browser.visit("/desk/publication").await.unwrap();
    browser
        .find(Locator::Css("input[name=clock][value^='inspection_publication/']"))
        .await
        .unwrap()
        .click()
        .await
        .unwrap();
    set(&browser, "published_on", "2026-11-27").await;
    set(&browser, "place", "https://example.invalid/检查/1").await;
    press(&browser, Locator::Css("main form button")).await;
    let proof = path(&browser).await;
    become_other(&browser, &reviewer, &proof).await;
    press(&browser, Locator::Css("button[value=forward]")).await;
    browser.reads(".tag.good", "已通过").await.unwrap();

    become_other(&browser, &planner(), &format!("/desk/enterprises/{enterprise}")).await;
    let record = browser.reads("main", "双随机抽查").await.unwrap();
    assert!(record.contains("2026-001-"), "{record}");
    let explained = browser.reads("table[id^=points-]", "").await.unwrap();
    assert!(explained.contains("2026-001-"), "the points follow: {explained}");
}
