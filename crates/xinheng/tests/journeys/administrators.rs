//! The first day of a real bureau: an empty folder, three administrators, a unit, a person, a role, the
//! first file.

use fantoccini::Locator;
use totp_rs::{Builder, Secret};

use crate::demo_site::DemoSite;
use crate::officers::submit;
use crate::support::Browser;

const PASSWORD: &str = "Mu7-plum&Kettle-rain";

/// Signs in with a one-time secret, chooses a password, and sets up a second factor where one is asked for.
async fn come_in(browser: &Browser, account: &str, secret: &str) {
    browser.visit("/sign-in").await.unwrap();
    submit(browser, "form[action='/sign-in']", &[("account", account), ("password", secret)]).await;
    browser.wait().for_element(Locator::Css("#fresh")).await.unwrap();
    submit(browser, "form[action='/account/password']", &[("fresh", PASSWORD), ("again", PASSWORD)]).await;
    // An administrator is led to the second factor; anybody else has a menu now.
    let next = Locator::Css("form[action='/account/second-factor'], nav.menu");
    browser.wait().for_element(next).await.unwrap();
    if browser.current_url().await.unwrap().path() == "/account/second-factor" {
        submit(browser, "main form", &[]).await;
        let secret = browser.reads("code.secret", "").await.unwrap();
        let secret = Secret::try_from_base32(secret).unwrap();
        let code = Builder::new().with_secret(secret).build().unwrap().generate_current().to_string();
        submit(browser, "form[action$='/confirm']", &[("code", &code)]).await;
    }
}

#[tokio::test]
async fn a_bureau_begins_in_an_empty_folder() {
    let site = DemoSite::empty();
    assert_eq!(site.secrets.len(), 3, "three administrators and nobody else");
    let mut faults = String::new();

    let system = Browser::start(&site.address).await.unwrap();
    come_in(&system, "sysadmin", &site.secrets["sysadmin"]).await;
    system.wait().for_element(Locator::Css("ol.steps")).await.unwrap();
    faults += &system.inspect("admin-setup").await.unwrap();
    submit(&system, "form[action='/admin/bureau']", &[("region", "999901"), ("bureau", "新衡县市场监督管理局")]).await;
    system.visit("/admin/units").await.unwrap();
    submit(&system, "form[action='/admin/units']", &[("code", "XY"), ("name", "信用监管股")]).await;
    faults += &system.inspect("admin-units").await.unwrap();
    // The code is taken: the form says so and keeps what was typed.
    submit(&system, "form[action='/admin/units']", &[("code", "XY"), ("name", "另一个股")]).await;
    system.wait().for_element(Locator::Css("#faults")).await.unwrap();
    // The console tells of the 422 with which the form came back.
    assert!(system.complaints().await.unwrap().iter().all(|said| said.contains("422")));
    faults += &system.inspect("admin-units-fault").await.unwrap();
    system.visit("/admin/staff").await.unwrap();
    submit(&system, "form[action='/admin/staff']", &[("account", "zhangsan"), ("name", "张三")]).await;
    let secret = system.reads("code.secret", "").await.unwrap();
    faults += &system.inspect("admin-staff").await.unwrap();
    // The system administrator cannot do the security administrator's part.
    system.visit("/admin/roles").await.unwrap();
    assert!(system.find(Locator::Css("h1")).await.unwrap().text().await.unwrap().contains("没有权限"));

    let security = Browser::start(&site.address).await.unwrap();
    come_in(&security, "secadmin", &site.secrets["secadmin"]).await;
    security.visit("/admin/roles").await.unwrap();
    faults += &security.inspect("admin-roles").await.unwrap();
    let grant = "const form = [...document.querySelectorAll('tr')].find((row) => row.textContent.includes('zhangsan'))
        .querySelector('form'); form.querySelector('[value=credit_supervisor]').checked = true; form.requestSubmit();";
    security.execute(grant, vec![]).await.unwrap();
    security.wait().for_element(Locator::Css(".notice.good")).await.unwrap();
    security.visit("/admin/sessions").await.unwrap();
    faults += &security.inspect("admin-sessions").await.unwrap();

    let officer = Browser::start(&site.address).await.unwrap();
    come_in(&officer, "zhangsan", &secret).await;
    officer.visit("/desk").await.unwrap();
    faults += &officer.inspect("desk-todo-empty").await.unwrap();
    for (name, path) in
        [("desk-collection-empty", "/desk/collection"), ("desk-classification-empty", "/desk/classification")]
    {
        officer.visit(path).await.unwrap();
        faults += &officer.inspect(name).await.unwrap();
    }

    let auditor = Browser::start(&site.address).await.unwrap();
    come_in(&auditor, "auditadmin", &site.secrets["auditadmin"]).await;
    auditor.visit("/admin/audit?verify=1").await.unwrap();
    let page = auditor.find(Locator::Css("main")).await.unwrap().text().await.unwrap();
    for told in ["日志完好", "授予角色", "添加人员", "添加单位"] {
        assert!(page.contains(told), "{told} in {page}");
    }
    faults += &auditor.inspect("admin-audit").await.unwrap();
    // What was noted holds; a head that the log never had does not.
    let noted = page.split_once("哈希 ").map(|(_, rest)| rest.chars().take(64).collect::<String>()).unwrap();
    let seq = page.split_once("现在的账头：第 ").and_then(|(_, rest)| rest.split(' ').next()).unwrap();
    for (hash, told) in [(noted, "日志完好"), ("0".repeat(64), "哈希与凭据不符")] {
        auditor.visit(&format!("/admin/audit?verify=1&noted_seq={seq}&noted_hash={hash}")).await.unwrap();
        let page = auditor.find(Locator::Css("main")).await.unwrap().text().await.unwrap();
        assert!(page.contains(told), "{told} in {page}");
    }
    assert!(faults.is_empty(), "{faults}");
}
