//! The cases beside the regulations.

use xinheng_app::rules::{embedded, load, run_cases};

#[test]
fn every_case_of_the_regulations_holds() {
    let rulebook = load(&embedded()).expect("the regulations are in order");
    let outcome = run_cases(&rulebook);
    let told: Vec<String> = outcome
        .failures
        .iter()
        .map(|one| format!("{}：{}：{}", one.rule, one.name, one.mismatches.join("；")))
        .collect();
    assert!(told.is_empty() && outcome.passed > 0, "{}", told.join("\n"));
}
