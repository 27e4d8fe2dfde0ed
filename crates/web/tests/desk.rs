//! The desk by its forms: a file in, its outcome, whose it is, and what wrong or hostile input does.
#![allow(clippy::unwrap_used)]

mod site;

use std::path::Path;
use std::time::Duration;

use axum::http::StatusCode;
use site::{Client, OTHER_UNIT, UNIT, Who, World};
use xinheng_app::act::Act;
use xinheng_app::audit::AuditFilter;
use xinheng_app::sign_in::PasswordPolicy;
use xinheng_core::staff::Role;

/// A register of two enterprises; the name of the second is hostile.
const REGISTER: &str = "统一社会信用代码,企业名称,成立日期,核准日期,登记状态,所属乡镇\n\
    91999901MA0000000L,新衡县鑫源食品有限公司,2020-01-02,2020-01-02,存续,城关镇\n\
    91999901MA0000001P,<script>alert(1)</script>\"'=2+3有限公司,2021-03-04,2021-03-04,存续,=1+1镇\n";

fn handler() -> Who {
    Who::Staff(Role::Handler)
}

/// Hands a file in and waits for its outcome; returns the address of it.
async fn hand_in(client: &Client, name: &str, bytes: &[u8]) -> String {
    let answer = client.upload("/desk/collection", &[], name, bytes).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    outcome(client, answer.location()).await
}

/// Waits for what comes of a job; returns the address of it.
async fn outcome(client: &Client, job: &str) -> String {
    for _ in 0..600 {
        let answer = client.get(job).await;
        match answer.status {
            StatusCode::SEE_OTHER => return answer.location().to_owned(),
            _ if answer.text().contains("没有改动任何数据") => return job.to_owned(),
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    panic!("{job} did not end");
}

#[tokio::test]
async fn a_file_is_taken_in_once_however_often_it_is_sent() {
    let world = World::new().await;
    let client = world.client(&handler()).await;
    let first = hand_in(&client, "登记.csv", REGISTER.as_bytes()).await;
    let page = client.get(&first).await.text();
    assert!(page.contains("<b>2</b><em>入账"), "{page}");
    let head = world.bureau.head().await.unwrap();
    let again = hand_in(&client, "登记.csv", REGISTER.as_bytes()).await;
    assert!(client.get(&again).await.text().contains("没有任何变化"));
    assert_eq!(world.bureau.head().await.unwrap(), head);
}

#[tokio::test]
async fn what_a_unit_handed_in_is_its_own_matter() {
    let world = World::new().await;
    let client = world.client(&handler()).await;
    let outcome = hand_in(&client, "登记.csv", REGISTER.as_bytes()).await;
    let other = world.client(&Who::OtherHandler).await;
    for path in [outcome.clone(), format!("{outcome}/receipt.json"), format!("{outcome}/errors.xlsx")] {
        assert_eq!(other.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert!(!other.get("/desk/collection").await.text().contains("登记.csv"));
    // Whoever sees the whole bureau sees it.
    let supervisor = world.client(&Who::Staff(Role::CreditSupervisor)).await;
    assert_eq!(supervisor.get(&outcome).await.status, StatusCode::OK);
    // A handler hands in for the own unit, whatever the form says.
    let forged = client.upload("/desk/collection", &[("unit", OTHER_UNIT)], "二.csv", REGISTER.as_bytes()).await;
    assert_eq!(forged.status, StatusCode::SEE_OTHER);
    let units: Vec<String> = (1..=2).map(|_| UNIT.to_owned()).collect();
    for _ in 0..200 {
        let actor = world.bureau.session(supervisor.token()).await.unwrap().unwrap().actor;
        let lines = world.bureau.submissions(&actor, None, Default::default()).await.unwrap().lines;
        if lines.len() == 2 {
            assert_eq!(lines.into_iter().map(|line| line.unit).collect::<Vec<_>>(), units);
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the second file was not taken in");
}

#[tokio::test]
async fn script_in_a_name_is_text_on_every_page() {
    let world = World::new().await;
    let client = world.client(&handler()).await;
    hand_in(&client, "登记.csv", REGISTER.as_bytes()).await;
    let stranger = world.stranger();
    for (client, path) in [
        (&client, "/desk/enterprises"),
        (&client, "/desk/enterprises/91999901MA0000001P"),
        (&client, "/desk/records/2"),
        (&stranger, "/enterprise/91999901MA0000001P"),
        (&stranger, "/search?q=%3Cscript%3Ealert(1)%3C/script%3E"),
    ] {
        let answer = client.get(path).await;
        assert!(answer.status == StatusCode::OK, "{path}: {}", answer.status);
        assert!(!answer.text().contains("<script>alert"), "{path}");
    }
    assert!(client.get("/desk/enterprises").await.text().contains("&#60;script&#62;alert"));
    let workbook = client.get("/desk/enterprises.xlsx").await;
    assert!(workbook.status == StatusCode::OK && workbook.bytes.starts_with(b"PK"));
}

#[tokio::test]
async fn the_page_of_an_enterprise_is_made_of_one_reading() {
    let world = World::new().await;
    let client = world.client(&handler()).await;
    hand_in(&client, "登记.csv", REGISTER.as_bytes()).await;
    let store = world.bureau.store();
    // Histories are read past the listener; each reading begins with the question where the ledger ends.
    store.take_statements();
    store.head().await.unwrap();
    let head = store.take_statements().remove(0).sql;
    let page = client.get("/desk/enterprises/91999901MA0000000L").await.text();
    assert!(page.contains("等级变化") && page.contains("鑫源食品"), "{page}");
    let readings = store.take_statements().into_iter().filter(|statement| statement.sql == head);
    assert_eq!(readings.count(), 1);
}

#[tokio::test]
async fn wrong_files_change_nothing_and_say_so_in_one_sentence() {
    let world = World::new().await;
    let client = world.client(&handler()).await;
    let head = world.bureau.head().await.unwrap();
    for (name, bytes) in
        [("空.csv", &b""[..]), ("文件.xlsx", b"%PDF-1.7 x"), ("乱.csv", b"\x00\x01\x02"), ("../../passwd", b"a,b\n")]
    {
        let job = hand_in(&client, name, bytes).await;
        let page = client.get(&job).await.text();
        assert!(page.contains("notice bad"), "{name}: {page}");
    }
    assert_eq!(world.bureau.head().await.unwrap(), head);
    let answer = client.upload("/desk/collection", &[], "", b"").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let too_large = vec![b'x'; 101 * 1024 * 1024];
    let answer = client.upload("/desk/collection", &[], "大.csv", &too_large).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer.text().contains("不能超过 100 MB"), "{}", answer.text());
}

#[tokio::test]
async fn a_file_whose_headings_fit_several_tables_is_taken_in_once_somebody_says_which() {
    let world = World::new().await;
    let mut client = world.client(&handler()).await;
    hand_in(&client, "登记.csv", REGISTER.as_bytes()).await;
    let head = world.bureau.head().await.unwrap();
    let levels = "统一社会信用代码,信用风险等级,月份,版本\n91999901MA0000000L,E,2026-10,省2026版\n";
    let job = hand_in(&client, "省级等级.csv", levels.as_bytes()).await;
    let page = client.get(&job).await;
    for (id, title) in [("received_levels", "上级信用风险等级表"), ("received_levels_five", "（五级）")] {
        assert!(page.text().contains(&format!("value=\"{id}\"")) && page.text().contains(title), "{}", page.text());
    }
    // Whoever left the page finds it again; another unit does not.
    assert!(client.get("/desk/collection").await.text().contains(&job));
    let other = world.client(&Who::OtherHandler).await;
    assert!(!other.get("/desk/collection").await.text().contains(&job));
    assert_eq!(other.post(&job, &[("table", "received_levels_five")]).await.status, StatusCode::NOT_FOUND);
    client.remember(&page);
    for wrong in [&[][..], &[("table", "market_entities")]] {
        assert_eq!(client.post(&job, wrong).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(world.bureau.head().await.unwrap(), head);

    assert_eq!(client.post(&job, &[("table", "received_levels_five")]).await.location(), job);
    let outcome = outcome(&client, &job).await;
    let page = client.get(&outcome).await.text();
    assert!(page.contains("上级信用风险等级表（五级）") && page.contains("<b>1</b><em>入账"), "{page}");
    assert!(!client.get("/desk/collection").await.text().contains(&job));
    // Saying it again does nothing.
    let head = world.bureau.head().await.unwrap();
    assert_eq!(client.post(&job, &[("table", "received_levels_six")]).await.location(), job);
    assert_eq!(client.get(&job).await.location(), outcome);
    assert_eq!(world.bureau.head().await.unwrap(), head);
}

/// A file of the province's levels in a month: its headings are those of four, of five and of six levels.
fn levels_of(month: u32) -> String {
    format!("统一社会信用代码,信用风险等级,月份,版本\n91999901MA0000000L,B,2026-{month:02},省2026版\n")
}

#[tokio::test]
async fn what_a_unit_said_last_of_such_a_file_is_chosen_for_it_and_one_press_confirms_it() {
    let world = World::new().await;
    let mut client = world.client(&handler()).await;
    hand_in(&client, "登记.csv", REGISTER.as_bytes()).await;
    let job = hand_in(&client, "九月.csv", levels_of(9).as_bytes()).await;
    let page = client.get(&job).await;
    assert!(!page.text().contains("上次选择") && !page.text().contains("checked"), "{}", page.text());
    client.remember(&page);
    client.post(&job, &[("table", "received_levels_five")]).await;
    outcome(&client, &job).await;

    let job = hand_in(&client, "十月.csv", levels_of(10).as_bytes()).await;
    let page = client.get(&job).await;
    let five = "value=\"received_levels_five\" required checked>上级信用风险等级表（五级） <span class=\"tag\">上次选择</span>";
    assert!(page.text().contains(five) && page.text().matches("checked").count() == 1, "{}", page.text());
    client.remember(&page);
    client.post(&job, &[("table", "received_levels_six")]).await;
    outcome(&client, &job).await;
    let job = hand_in(&client, "十一月.csv", levels_of(11).as_bytes()).await;
    let page = client.get(&job).await.text();
    assert!(page.contains("value=\"received_levels_six\" required checked"), "{page}");

    // Another unit said nothing yet.
    let other = world.client(&Who::OtherHandler).await;
    let job = hand_in(&other, "十月.csv", levels_of(10).as_bytes()).await;
    let page = other.get(&job).await.text();
    assert!(page.contains("received_levels_five") && !page.contains("上次选择"), "{page}");
}

#[tokio::test]
async fn of_many_files_that_wait_for_their_table_the_newest_are_listed_and_the_others_follow() {
    let world = World::new().await;
    let client = world.client(&handler()).await;
    let mut jobs = Vec::new();
    for number in 0..25 {
        world.wait_minutes(1);
        jobs.push(hand_in(&client, &format!("等级{number}.csv"), levels_of(10).as_bytes()).await);
    }
    let listed = |page: &str| jobs.iter().filter(|job| page.contains(&format!("{job}\""))).cloned().collect::<Vec<_>>();
    let page = client.get("/desk/collection").await.text();
    assert!(page.contains("25 份文件") && page.contains("更早的 5 份"), "{page}");
    assert_eq!(listed(&page), jobs[5..]);
    let next = page.split("href=\"/desk/collection?asking=").nth(1).unwrap().split('"').next().unwrap();
    let page = client.get(&format!("/desk/collection?asking={next}")).await.text();
    assert!(page.contains("25 份文件") && !page.contains("更早的"), "{page}");
    assert_eq!(listed(&page), jobs[..5]);
}

/// Waits until a file or folder is deleted.
async fn gone(path: &Path) {
    for _ in 0..600 {
        if !path.exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{} is still there", path.display());
}

#[tokio::test]
async fn a_file_of_which_nobody_says_what_it_is_is_deleted_after_ninety_days_and_this_is_told() {
    const DAY: i64 = 24 * 60;
    let world = World::new().await;
    // By the other policy the handler's password would end first.
    let act = Act::on_command_line("setup.password_policy");
    world.bureau.choose_password_policy(&act, PasswordPolicy::Asvs).await.unwrap();
    let client = world.client(&handler()).await;
    let head = world.bureau.head().await.unwrap();
    let job = hand_in(&client, "省级等级.csv", levels_of(10).as_bytes()).await;
    let folder = world.folder.path().join("uploads/jobs").join(job.rsplit('/').next().unwrap());
    let page = client.get(&job).await.text();
    assert!(page.contains("文件保留到 2027-02-23"), "{page}");

    // The work on the next file has those deleted whose time is over.
    world.wait_minutes(90 * DAY);
    let client = world.client(&handler()).await;
    hand_in(&client, "空.csv", b"").await;
    let page = client.get(&job).await.text();
    assert!(folder.join("省级等级.csv").exists() && page.contains("这份文件是哪一张表"), "{page}");
    world.wait_minutes(DAY);
    let client = world.client(&handler()).await;
    hand_in(&client, "空.csv", b"").await;
    gone(&folder.join("省级等级.csv")).await;
    let page = client.get(&job).await.text();
    assert!(page.contains("90 天内没有人选定") && page.contains("请重新上传"), "{page}");
    let list = client.get("/desk/collection").await.text();
    assert!(list.contains("没有选定，已删除"), "{list}");
    // It is too late to choose, and nothing was changed.
    client.post(&job, &[("table", "received_levels_five")]).await;
    assert!(client.get(&job).await.text().contains("90 天内没有人选定"));
    assert_eq!(world.bureau.head().await.unwrap(), head);

    let lines = world.bureau.audit(&AuditFilter::default(), None, 1_000).await.unwrap();
    let given_up: Vec<_> =
        lines.iter().map(|entry| &entry.line).filter(|one| one.event == "collection.give_up").collect();
    assert_eq!(given_up.len(), 1);
    assert_eq!((given_up[0].source.as_str(), given_up[0].staff), ("系统", None));
    assert!(given_up[0].detail.text("file") == Some("省级等级.csv") && given_up[0].detail.text("unit") == Some(UNIT));

    // A site that starts again still says so, and after as long again nobody asks any more.
    let again = world.started_again();
    let client = world.client(&handler()).await.at(&again);
    assert!(client.get(&job).await.text().contains("90 天内没有人选定"));
    world.wait_minutes(90 * DAY);
    let client = world.client(&handler()).await.at(&again);
    hand_in(&client, "空.csv", b"").await;
    gone(&folder).await;
    assert_eq!(client.get(&job).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_idle_session_ends_and_says_so() {
    let world = World::new().await;
    let client = world.client(&handler()).await;
    assert_eq!(client.get("/desk").await.status, StatusCode::OK);
    world.wait_minutes(31);
    assert!(client.get("/desk").await.location().starts_with("/sign-in?next=/desk"));
    let answer = client.post("/desk/publication", &[("place", "x")]).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.text().contains("登录已失效"));
}

#[tokio::test]
async fn a_sign_in_leads_to_a_page_of_ours_only() {
    let world = World::new().await;
    for (next, there) in [
        ("/desk/enterprises?q=a", "/desk/enterprises?q=a"),
        ("//evil.example", "/desk"),
        ("https://evil.example", "/desk"),
        ("", "/desk"),
    ] {
        let mut client = world.client(&Who::Stranger).await;
        let fields = [("account", "handler"), ("password", site::PASSWORD), ("next", next)];
        let answer = client.post("/sign-in", &fields).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, there), "{}", answer.text());
        client.remember(&answer);
        assert_eq!(client.get("/desk").await.status, StatusCode::OK);
    }
    let client = world.client(&Who::Stranger).await;
    let wrong = client.post("/sign-in", &[("account", "handler"), ("password", "wrong")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let unknown = client.post("/sign-in", &[("account", "nobody-of-this-name"), ("password", "wrong")]).await;
    assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
    let sentence =
        |text: String| text.split("role=\"alert\"").nth(1).unwrap().split("</div>").next().unwrap().to_owned();
    assert_eq!(sentence(wrong.text()), sentence(unknown.text()), "nobody learns which accounts there are");
}

#[tokio::test]
async fn a_form_that_is_sent_twice_is_carried_out_once() {
    let world = World::new().await;
    let client = world.client(&Who::Staff(Role::SystemAdministrator)).await;
    let unit = [("code", "CG"), ("name", "城关所"), ("other_names", ""), ("kind", "station")];
    let changed = [("name", "城关镇所"), ("other_names", ""), ("kind", "station")];
    for (path, fields) in [("/admin/units", &unit[..]), ("/admin/units/CG", &changed[..])] {
        assert_eq!(client.post(path, fields).await.status, StatusCode::OK, "{path}");
        let head = world.bureau.audit_head().await.unwrap();
        let again = client.post(path, fields).await;
        assert_eq!(again.status, StatusCode::CONFLICT, "{path}");
        assert!(again.text().contains("系统没有重复办理"), "{}", again.text());
        assert_eq!(world.bureau.audit_head().await.unwrap(), head, "nothing was done, so nothing is told");
    }
    // Another form of the same page, and the same one of another page, are other acts.
    assert_eq!(client.post("/admin/units/CG", &[("name", "城关所"), ("kind", "station")]).await.status, StatusCode::OK);
    let mut later = client;
    let page = later.get("/admin/units").await;
    later.remember(&page);
    assert_eq!(later.post("/admin/units/CG", &changed).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_is_grave_asks_for_the_password_again_and_keeps_what_was_typed() {
    let world = World::new().await;
    let client = world.client(&Who::Staff(Role::SecurityAdministrator)).await;
    let handler = world.bureau.staff_by_account("handler").await.unwrap().unwrap().number;
    let path = format!("/admin/roles/{handler}");
    let roles = [("role", "handler"), ("role", "reviewer")];
    world.wait_minutes(6);
    let asked = client.post(&path, &roles).await;
    assert_eq!(asked.status, StatusCode::FORBIDDEN);
    let page = asked.text();
    for kept in [format!("name=\"confirm_for\" value=\"{path}\""), "name=\"role\" value=\"reviewer\"".to_owned()] {
        assert!(page.contains(&kept), "{kept} in {page}");
    }
    let confirm = |password| {
        let fields = [("confirm_for", path.as_str()), roles[0], roles[1], ("own_password", password)];
        let client = &client;
        async move { client.post("/account/confirm", &fields).await }
    };
    let wrong = confirm("wrong").await;
    assert!(wrong.text().contains("口令不正确"), "{}", wrong.text());
    assert_eq!(client.post(&path, &roles).await.status, StatusCode::FORBIDDEN);
    let right = confirm(site::PASSWORD).await;
    assert_eq!((right.status, right.location()), (StatusCode::TEMPORARY_REDIRECT, path.as_str()));
    assert_eq!(client.post(&path, &roles).await.status, StatusCode::OK);
    // To a page of ours only.
    let elsewhere = [("confirm_for", "//evil.example"), ("own_password", site::PASSWORD)];
    assert_eq!(client.post("/account/confirm", &elsewhere).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_directory_of_inspectors_is_kept_by_form_and_by_file() {
    let world = World::new().await;
    let client = world.client(&Who::Staff(Role::CreditSupervisor)).await;
    let handler = world.bureau.staff_by_account("handler").await.unwrap().unwrap().number;
    let path = format!("/desk/inspectors/{handler}");
    let form = |until, capacity| {
        [("enforcement_number", "41990001"), ("enforcement_until", until), ("may_lead", "是"), ("capacity", capacity)]
    };
    let wrong = client.post(&path, &form("2028-06-30", "很多")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = wrong.text();
    assert!(page.contains("请填 0 至 500 的整数") && page.contains("value=\"41990001\""), "{page}");
    let done = client.post(&path, &form("2028-06-30", "12")).await;
    assert_eq!((done.status, done.location()), (StatusCode::SEE_OTHER, "/desk/inspectors"), "{}", done.text());
    let listed = client.get("/desk/inspectors").await.text();
    assert!(listed.contains(&format!("<a href=\"{path}\">某某</a></td>")) && listed.contains("41990001"), "{listed}");

    let file = "账号,执法证号,执法证有效期至,承担户数\nreviewer,41990002,2028-06-30,8\nnobody,41990003,2028-06-30,8\n";
    let said = client.upload("/desk/inspectors/file", &[], "名录.csv", file.as_bytes()).await;
    assert!(said.text().contains("共 2 行：登记 1，没有变化 0，退回 1。"), "{}", said.text());
    let workbook = client.get("/desk/inspectors/errors.xlsx").await;
    assert!(workbook.status == StatusCode::OK && workbook.bytes.starts_with(b"PK"));
    let nothing = client.upload("/desk/inspectors/file", &[], "", b"").await;
    assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(client.post(&format!("{path}/remove"), &[]).await.status, StatusCode::SEE_OTHER);
    assert!(!client.get("/desk/inspectors").await.text().contains("41990001"));
}
