//! `xinheng backtest` through the whole command: a small ledger of which the answer is known by hand.
#![allow(clippy::unwrap_used)]

mod repository;

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

/// Visits of January give the history; those of June are tested. What a visit of June brings along must
/// not be used for it: licence 4 is of high risk from that day on only. Licence 5 was never visited
/// before. What came in July is nobody's business in June.
const VISITS: &str = "\
inspection_id,license,date,facility_type,risk,zip,license_kind,age_years,result,critical,serious,minor
1,1,2013-01-10,Restaurant,Risk 1 (High),60609,Retail,1,Pass,0,0,0
2,2,2013-01-10,Restaurant,Risk 2 (Medium),60609,Retail,1,Pass,0,0,0
3,3,2013-01-10,Restaurant,Risk 1 (High),60609,Retail,1,Pass,0,0,0
4,4,2013-01-10,Restaurant,Risk 3 (Low),60609,Retail,1,Pass,0,0,0
5,1,2013-06-03,Restaurant,Risk 3 (Low),60609,Retail,1,Fail,1,0,0
6,2,2013-06-05,Restaurant,Risk 2 (Medium),60609,Retail,1,Pass,0,0,0
7,5,2013-06-07,Restaurant,Risk 1 (High),60609,Retail,1,Fail,2,0,0
8,3,2013-06-11,Restaurant,Risk 3 (Low),60609,Retail,1,Fail,3,0,0
9,4,2013-06-20,Restaurant,Risk 1 (High),60609,Retail,1,Pass,0,9,9
10,2,2013-07-01,Restaurant,Risk 1 (High),60609,Retail,1,Fail,4,0,0
";

/// Says the same of every enterprise.
const CONSTANT: &str = "\
rule: {id: constant, title: 不分高低, from: 2011-01-01, status: default}
field: chicago_food
scale: {min: 0, max: 1}
levels: [{code: A, title: 都一样}]
dimensions:
  - id: one
    title: 一项
    cap: 1
    indicators: [{id: one, title: 一项, cap: 1, parts: [{records: {kinds: [registration]}, each: 1}]}]
";

fn example(name: &str) -> String {
    repository::path("examples/chicago-food").join(name).display().to_string()
}

struct Ledger {
    folder: tempfile::TempDir,
}

impl Ledger {
    fn filled() -> Self {
        let ledger = Self { folder: tempfile::tempdir().unwrap() };
        let visits = ledger.file("inspections.csv", VISITS);
        let (_, said, code) = ledger.run(&["import", &visits, "--mapping", &example("mapping.yaml")]);
        assert_eq!(code, 0, "{said}");
        ledger
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path: PathBuf = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// What it prints, what it complains of, and how it ends.
    fn run(&self, arguments: &[&str]) -> (String, String, i32) {
        let data = self.folder.path().to_str().unwrap();
        let command = Command::new(env!("CARGO_BIN_EXE_xinheng")).args(["--data", data]).args(arguments).output();
        let output = command.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(output.stdout), text(output.stderr), output.status.code().unwrap())
    }

    fn backtest(&self, more: &[&str]) -> (String, String, i32) {
        let (model, outcome) = (example("static.yaml"), example("outcome.yaml"));
        let common =
            ["backtest", "--model", &model, "--outcome", &outcome, "--from", "2013-06-01", "--to", "2013-06-30"];
        self.run(&[&common[..], more].concat())
    }
}

#[test]
fn a_small_ledger_gives_the_figures_worked_out_by_hand() {
    let ledger = Ledger::filled();
    let constant = ledger.file("constant.yaml", CONSTANT);
    let (said, complaint, code) = ledger.backtest(&["--model", &constant, "--seen-until", "2013-01-31", "--json"]);
    assert_eq!((complaint.as_str(), code), ("", 0));
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["visits"], json!({"visits": 4, "finds": 2}));
    assert_eq!(said["not_graded"], json!({"visits": 1, "finds": 1}));
    assert_eq!(said["enterprises"], 4);
    assert_eq!(said["found"]["value"], 0.5);
    // Finds on the 3rd and the 11th, of visits on the 3rd, 5th, 11th and 20th: their mean is 9.75.
    assert_eq!(said["usual"]["first_half"]["value"], 0.5);
    assert_eq!(said["usual"]["days_before_random"]["value"], 2.75);
    // By the risk of January: 1 and 3 first, on the 3rd and the 5th, then 2, then 4.
    let model = &said["models"][0];
    assert_eq!(model["model"], "chicago_food_static");
    assert_eq!((&model["auc"]["value"], &model["first_half"]["value"]), (&json!(1.0), &json!(1.0)));
    assert_eq!(model["days_before_usual"]["value"], 3.0);
    assert_eq!(model["days_before_random"]["value"], 5.75);
    assert_eq!(model["auc_over_first"], Value::Null);
    let rate = |place: usize| {
        let level = &model["levels"][place];
        (level["level"].clone(), level["visits"].clone(), level["finds"].clone())
    };
    assert_eq!(rate(0), (json!("A"), json!(1), json!(0)));
    assert_eq!(rate(1), (json!("B"), json!(1), json!(0)));
    assert_eq!(rate(2), (json!("C"), json!(2), json!(2)));
    let constant = &said["models"][1];
    assert_eq!((&constant["auc"]["value"], &constant["first_half"]["value"]), (&json!(0.5), &json!(0.5)));
    assert_eq!(constant["auc_over_first"]["value"], -0.5);
    // Nothing was recorded.
    let (head, ..) = ledger.run(&["ledger", "head", "--json"]);
    let head: Value = serde_json::from_str(&head).unwrap();
    assert_eq!(head["seq"], said["known_up_to"]);
}

#[test]
fn people_are_told_what_was_seen_before_and_what_does_not_fit() {
    let ledger = Ledger::filled();
    let (said, _, code) = ledger.backtest(&["--seen-until", "2013-01-31"]);
    assert_eq!(code, 0);
    for words in ["检验期在其后", "计入检查 4 次，4 户，其中发现重大问题 2 次，占 50.0%", "C级  检查 2 次，发现 2 次"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    let overlapping = ledger.backtest(&["--seen-until", "2013-06-15"]).0;
    assert!(overlapping.contains("与检验期重叠"), "{overlapping}");
    let silent = ledger.backtest(&[]).0;
    assert!(silent.contains("没有说明编写模型时看过哪些结果"), "{silent}");
}

#[test]
fn what_was_taken_in_later_was_not_known_then() {
    let (said, complaint, code) = Ledger::filled().backtest(&["--as-received"]);
    assert_eq!((said.as_str(), code), ("", 2));
    assert!(complaint.contains("另有 5 次检查前企业尚未分级"), "{complaint}");
}

#[test]
fn a_wrong_outcome_is_refused_at_its_line_and_people_cannot_be_one() {
    let ledger = Ledger::filled();
    let head = "rule: {id: trial, title: 试验, from: 2011-01-01, status: default}\n";
    for (text, said) in [
        ("kind: inspection\nfound: []\n", "3: 没有写怎样算发现问题"),
        ("kind: inspection\nfound: [{field: critical, at_least: 1}]\n", "3: “监督检查”没有字段“critical”"),
        ("kind: inspection\nfound: [{field: inspectors, present: true}]\n", "3: 字段“inspectors”是个人信息"),
        ("kind: registration\nfound: [{field: status, present: true}]\n", "2: “登记注册信息”记的是状态"),
    ] {
        let outcome = ledger.file("outcome.yaml", &format!("{head}{text}"));
        let days = ["--from", "2013-06-01", "--to", "2013-06-30"];
        let (_, complaint, code) =
            ledger.run(&[&["backtest", "--model", &example("static.yaml"), "--outcome", &outcome][..], &days].concat());
        assert!(complaint.contains(said), "{complaint}");
        assert_eq!(code, 2);
    }
    let twice = ledger.backtest(&["--model", &example("static.yaml")]).1;
    assert!(twice.contains("两个模型的编号都是“chicago_food_static”"), "{twice}");
}
