//! The rulebook asked by day, its version, and the changes of lower jurisdictions.
#![allow(clippy::unwrap_used)]

mod common;

use common::{folder, load};
use xinheng_core::ledger::Hash;
use xinheng_core::points::Points;
use xinheng_core::record::Day;
use xinheng_core::rulebook::Jurisdiction;
use xinheng_core::rulebook::load::{RuleFile, Rulebook};

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn files() -> Vec<RuleFile> {
    folder("tests/rulebook")
}

fn with(path: &str, text: &str) -> Vec<RuleFile> {
    let mut files = files();
    files.retain(|file| file.path != path);
    files.push(RuleFile { path: path.to_owned(), text: text.to_owned() });
    files
}

fn days_to_submit(rulebook: &Rulebook, on: &str) -> u32 {
    rulebook.kind("penalty", day(on)).unwrap().submit_within.as_ref().unwrap().value
}

#[test]
fn the_regulations_of_this_repository_are_in_order() {
    let rulebook = load(&folder("../../regulations"));
    let today = day("2026-11-24");
    assert!(rulebook.kinds(today).count() > 0 && rulebook.tables(today).count() > 0);
    assert_eq!(rulebook.models(today).next().unwrap().field, "general", "the general model comes first");
    assert!(rulebook.combination(today).is_some());
    assert!(rulebook.case_files().count() > 0);
}

#[test]
fn the_lotteries_of_this_repository_read_what_they_draw() {
    let rulebook = load(&folder("../../regulations"));
    let today = day("2026-11-24");
    for (id, drawn, issue) in [
        ("double_colour", "双色球 2026130 03 08 11 19 27 31 + 05", "2026130"),
        ("welfare_3d", "福彩3D 2026318 0 9 9", "2026318"),
        ("super_lotto", "超级大乐透 26134 02 09 17 24 35 + 01 12", "26134"),
    ] {
        let value = rulebook.lottery(id, today).unwrap().read(drawn).unwrap();
        assert_eq!((value.text().as_str(), value.issue().as_str()), (drawn, issue));
    }
    assert_eq!(rulebook.lotteries(today).count(), 3);
    assert!(rulebook.lottery("double_colour", day("2003-02-15")).is_none());
}

#[test]
fn an_inspection_item_is_found_on_the_days_of_its_validity() {
    let rulebook = load(&folder("../../regulations"));
    assert!(rulebook.inspection("food_production_daily", day("2022-03-14")).is_none());
    assert!(rulebook.inspection("food_production_daily", day("2022-03-15")).is_some());
    let all: Vec<_> = rulebook.inspections(day("2026-11-24")).map(|item| item.rule.id.value.as_str()).collect();
    let all_items = ["annual_report", "food_production_daily", "special_equipment_production", "special_equipment_use"];
    assert_eq!(all, all_items);
}

#[test]
fn a_rule_is_found_on_the_days_of_its_validity_only() {
    let rulebook = load(&files());
    assert!(rulebook.kind("penalty", day("2019-12-31")).is_none());
    assert!(rulebook.kind("penalty", day("2020-01-01")).is_some());
    assert!(rulebook.model("general", day("2025-12-31")).is_none());
    assert!(rulebook.table("penalties", day("2026-11-24")).is_some());
    assert!(rulebook.rule("models/general", day("2026-11-24")).is_some());
    assert!(rulebook.rule("general", day("2026-11-24")).is_none());
    let models: Vec<_> = rulebook.models(day("2026-11-24")).map(|model| model.rule.id.value.as_str()).collect();
    assert_eq!(models, ["general", "food"]);
}

#[test]
fn a_change_of_law_is_a_later_version() {
    let old = "rule: {id: repair, title: 旧, from: 2020-01-01, until: 2026-08-31, status: default}
nature: event
fields: [{name: document_number, title: 文号, type: code}]
";
    let new = old.replace("旧, from: 2020-01-01, until: 2026-08-31", "新, from: 2026-09-01");
    let mut files = with("national/kinds/repair.yaml", old);
    files.push(RuleFile { path: "national/kinds/repair-2026.yaml".to_owned(), text: new });
    let rulebook = load(&files);
    let title = |on| rulebook.kind("repair", day(on)).unwrap().rule.title.as_str();
    assert_eq!((title("2026-08-31"), title("2026-09-01")), ("旧", "新"));
}

#[test]
fn a_county_shortens_a_term_for_a_time_and_the_national_text_holds_before_and_after() {
    let rulebook = load(&files());
    let terms = ["2026-06-30", "2026-07-01", "2026-12-31", "2027-01-01"].map(|on| days_to_submit(&rulebook, on));
    assert_eq!(terms, [20, 10, 10, 20]);
    let line = |on| rulebook.rule("kinds/penalty", day(on)).unwrap();
    let (before, during, after) = (line("2026-06-30"), line("2026-07-01"), line("2027-01-01"));
    assert_eq!(before.head.until, Some(day("2026-06-30")));
    assert_eq!((during.head.from, during.head.until), (day("2026-07-01"), Some(day("2026-12-31"))));
    assert_eq!((after.head.from, after.head.until), (day("2027-01-01"), None));
    assert_eq!(before.digest, after.digest, "the same wording needs one signature");
    assert_ne!(before.digest, during.digest, "a changed wording needs its own");
    assert_eq!(before.digest, Hash::of(&[before.text.as_bytes()]).to_string());
    assert_eq!(during.digest, Hash::of(&[during.text.as_bytes()]).to_string());
    assert_eq!(during.jurisdiction, Jurisdiction::National);
    assert!(during.text.contains("submit_within: {value: 10, unit: working_days}"), "{}", during.text);
    let remark = "# county/kinds/penalty.yaml：submit_within.value: 10。依据《县信用监管实施办法》第五条";
    assert!(during.text.contains(remark), "{}", during.text);
    let cited: Vec<_> = during.head.cite.iter().map(|cite| cite.document.as_str()).collect();
    assert_eq!(cited, ["市场监督管理行政处罚信息公示规定", "县信用监管实施办法"]);
}

#[test]
fn the_county_changes_what_the_province_left() {
    let province = "overrides: kinds/penalty
from: 2026-03-01
cite: [{document: 省办法}]
set: {submit_within.value: 15, publicity.published: false, publicity.fields: 1}
";
    // The province may not touch how long it is public.
    let refused = Rulebook::load(&with("henan/kinds/penalty.yaml", province)).unwrap_err();
    assert_eq!(refused.len(), 1, "{refused:?}");
    let province = province.replace(", publicity.published: false, publicity.fields: 1", "");
    let rulebook = load(&with("henan/kinds/penalty.yaml", &province));
    let terms = ["2026-02-28", "2026-03-01", "2026-07-01", "2027-01-01"].map(|on| days_to_submit(&rulebook, on));
    assert_eq!(terms, [20, 15, 10, 15]);
}

#[test]
fn a_province_raises_a_cap_by_half_a_point() {
    let rulebook = load(&files());
    let cap = |on| rulebook.model("food", day(on)).unwrap().dimensions[0].cap;
    assert_eq!((cap("2026-02-28"), cap("2026-03-01")), (Points::from_milli(40_000), Points::from_milli(50_500)));
}

#[test]
fn files_written_on_windows_are_read_and_changed_alike() {
    let mut files = files();
    for file in &mut files {
        file.text = format!("\u{feff}{}", file.text.replace('\n', "\r\n"));
    }
    let rulebook = load(&files);
    assert_eq!(days_to_submit(&rulebook, "2026-07-01"), 10);
    assert_eq!(days_to_submit(&rulebook, "2027-01-01"), 20);
}

#[test]
fn the_bundle_loads_again_to_the_same_version_whatever_the_order_of_files() {
    let rulebook = load(&files());
    assert_eq!(rulebook.version().len(), 16);
    let kept = serde_json::to_string(rulebook.bundle()).unwrap();
    let mut bundle: Vec<RuleFile> = serde_json::from_str(&kept).unwrap();
    bundle.reverse();
    bundle.push(RuleFile { path: "schema/kind.json".to_owned(), text: "{}".to_owned() });
    assert_eq!(load(&bundle).version(), rulebook.version(), "schemas are no part of the rules");
    let mut changed = files();
    changed[0].text.push_str("# one more remark\n");
    assert_ne!(load(&changed).version(), rulebook.version());
}

#[test]
fn cases_use_the_same_record_as_often_as_they_like() {
    let mut cases = String::from("rule: models/general\ncases:\n");
    for number in 0..500 {
        let given = if number == 0 { "&p {kind: penalty, occurred_on: 2026-05-01}" } else { "*p" };
        cases += &format!("  - {{name: 例{number}, on: 2026-06-01, given: [{given}], expect: {{level: A}}}}\n");
    }
    let rulebook = load(&with("national/tests/many.yaml", &cases));
    assert!(rulebook.case_files().any(|file| file.cases.len() == 500));
    let deep = format!("rule: {}{}", "[".repeat(100), "]".repeat(100));
    let errors = Rulebook::load(&with("national/tests/many.yaml", &deep)).unwrap_err();
    let said = "national/tests/many.yaml:1: 文件过大、层次过深，或“*”引用过多。请分成几个文件";
    assert_eq!(errors[0].to_string(), said);
}

#[test]
fn every_rule_is_listed_with_its_digest() {
    let rulebook = load(&files());
    let ids: Vec<_> = rulebook.rules().map(|line| line.id).collect();
    let penalty = ids.iter().filter(|id| *id == "kinds/penalty").count();
    assert_eq!(penalty, 3, "before, during and after the county's change");
    for id in ["tables/penalties", "models/general", "combinations/levels", "calendars/2026"] {
        assert!(ids.contains(&id.to_owned()), "{id} is not in {ids:?}");
    }
    assert!(rulebook.rules().all(|line| line.digest.len() == 64));
}

#[test]
fn a_model_and_a_mapping_of_the_user_are_checked_against_the_rulebook() {
    let rulebook = load(&files());
    let general = &files().into_iter().find(|file| file.path == "national/models/general.yaml").unwrap().text;
    assert_eq!(rulebook.parse_model("我的模型.yaml", general).unwrap().field, "general");
    let errors = rulebook.parse_model("我的模型.yaml", &general.replace("kinds: [license]", "kinds: [licence]"));
    let errors: Vec<String> = errors.unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(errors, ["我的模型.yaml:30: 没有记录种类“licence”。是否想写“license”？"]);
    let table = &files().into_iter().find(|file| file.path == "national/tables/penalties.yaml").unwrap().text;
    assert_eq!(rulebook.parse_table("映射.yaml", table).unwrap().columns.len(), 5);
    let errors = rulebook.parse_table("映射.yaml", &table.replace("decided_on: day", "decided_on: date"));
    assert_eq!(errors.unwrap_err()[0].line, Some(12));
}
