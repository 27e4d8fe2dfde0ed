//! The cases beside the regulations.

#![allow(clippy::unwrap_used)]

mod common;

use common::{folder, load};
use xinheng_core::rulebook::check_case::run_cases;

#[test]
fn every_case_of_the_regulations_holds() {
    let outcome = run_cases(&load(&folder("../../regulations")));
    let told: Vec<String> = outcome
        .failures
        .iter()
        .map(|one| format!("{}：{}：{}", one.rule, one.name, one.mismatches.join("；")))
        .collect();
    assert!(told.is_empty() && outcome.passed > 0, "{}", told.join("\n"));
}
