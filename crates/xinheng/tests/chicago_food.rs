//! The example of real data: its mapping and its model are taken, and give the points they say.

#![allow(clippy::unwrap_used)]

use xinheng_app::rules::{embedded, load};
use xinheng_core::history::{Facts, Kinds};
use xinheng_core::points::Points;
use xinheng_core::record::{Day, Draft, Seq, Statement};
use xinheng_core::rulebook::load::Rulebook;
use xinheng_core::score::Kernel;
use xinheng_exchange::{Forms, ReadOptions, open};

const MAPPING: &str = include_str!("../../../examples/chicago-food/mapping.yaml");
const MODEL: &str = include_str!("../../../examples/chicago-food/model.yaml");

/// Three visits of one establishment, as the published file has them.
const VISITS: &str = "\
inspection_id,license,date,facility_type,risk,zip,license_kind,age_years,result,critical,serious,minor
1001,82474,2011-10-03,Restaurant,Risk 1 (High),60609,Retail Food Establishment,9.55,Fail,2,1,5
1002,82474,2012-11-05,Restaurant,Risk 1 (High),60609,,,Pass w/ Conditions,1,0,4
1003,82474,2013-12-02,Restaurant,Risk 2 (Medium),60609,Retail Food Establishment,11.7,Pass,0,0,2
";

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn drafts(rulebook: &Rulebook) -> Vec<Draft> {
    let mapping = rulebook.parse_table("mapping.yaml", MAPPING).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inspections.csv");
    std::fs::write(&path, VISITS).unwrap();
    let forms = Forms::new(rulebook, day("2026-11-20"));
    let options = ReadOptions { mapping: Some(&mapping), ..ReadOptions::default() };
    let source = open(&path, &forms, &options).unwrap();
    assert_eq!(source.unknown_columns(), Vec::<String>::new());
    source.flat_map(|row| row.unwrap().outcome.unwrap()).collect()
}

/// As a ledger would hold them: a later registration supersedes the earlier one.
fn ledger(drafts: Vec<Draft>) -> Vec<Statement> {
    let mut registration = None;
    let record = |(seq, draft): (i64, Draft)| {
        let seq = Seq(seq);
        Statement {
            seq,
            supersedes: if draft.kind == "registration" { registration.replace(seq) } else { None },
            kind: draft.kind,
            occurred_on: draft.occurred_on,
            version: draft.version,
            document_number: draft.document_number,
            withdrawn: false,
            payload: draft.payload,
        }
    };
    (1..).zip(drafts).map(record).collect()
}

#[test]
fn a_row_brings_the_registration_of_the_day_and_the_inspection() {
    let rulebook = load(&embedded()).unwrap();
    let drafts = drafts(&rulebook);
    assert_eq!(drafts.len(), 6);
    let code = drafts[0].keys.credit_code.unwrap();
    assert_eq!((code.region(), &code.as_str()[8..16]), ("999902", "00082474"));
    assert!(drafts.iter().all(|draft| draft.keys.credit_code == Some(code)));
    assert_eq!(drafts[0].payload.text("static_risk_grade"), Some("high"));
    assert_eq!(drafts[0].version, Some(day("2011-10-03")));
    let results = drafts.iter().filter_map(|draft| draft.payload.text("result"));
    assert_eq!(results.collect::<Vec<_>>(), ["08", "05", "01"]);
}

#[test]
fn the_model_counts_only_what_was_known_on_the_day() {
    let rulebook = load(&embedded()).unwrap();
    let model = rulebook.parse_model("model.yaml", MODEL).unwrap();
    let records = ledger(drafts(&rulebook));
    let score = |on: &str| {
        let kinds = Kinds::new(rulebook.kinds(day(on)));
        let assessment = Kernel::new(&model, &kinds).assess(&Facts::new(&records, day(on), &kinds)).unwrap();
        assessment.total
    };
    // Static 8; two critical, one serious and a failure a month ago: 20 + 5 + 4; five minor: 15.
    assert_eq!(score("2011-11-03"), Points::from_milli(52_000));
    // Static 8; the first visit at half (14.5), the second at 0.8 of 10; four minor: 12; seven months: 2.
    assert_eq!(score("2013-06-30"), Points::from_milli(44_500));
    // Static 2; a quarter of 29, half of 10; two minor: 6; just visited: 0.
    assert_eq!(score("2014-01-15"), Points::from_milli(20_250));
}

#[test]
fn who_was_not_yet_inspected_is_not_graded() {
    let rulebook = load(&embedded()).unwrap();
    let model = rulebook.parse_model("model.yaml", MODEL).unwrap();
    let records = ledger(drafts(&rulebook));
    let kinds = Kinds::new(rulebook.kinds(day("2011-10-02")));
    let graded = |on: &str| Kernel::new(&model, &kinds).assess(&Facts::new(&records, day(on), &kinds)).is_some();
    assert!(!graded("2011-10-02"));
    assert!(graded("2011-10-03"));
}
