//! Properties of the scoring kernel over random records, with a model that uses every word.
#![allow(clippy::unwrap_used)]

mod cuts;
mod fold;
mod random;

use chrono::Days;
use proptest::prelude::*;
use xinheng_core::history::{Facts, Kinds};
use xinheng_core::points::Points;
use xinheng_core::record::{Day, Seq, Statement, Value};
use xinheng_core::rulebook::kind::Kind;
use xinheng_core::rulebook::model::Model;
use xinheng_core::score::{Assessment, Kernel};

use crate::random::record;

const PENALTY: &str = "
rule: {id: penalty, title: 行政处罚, from: 2000-01-01, status: default}
nature: event
occurred_on: decided_on
identity: [document_number]
repaired: {kind: repair, matching: {document_number: document_number}}
fields:
  - {name: decided_on, title: 决定日期, type: day}
  - {name: document_number, title: 文号, type: code}
  - {name: severity, title: 轻重, type: integer}
  - {name: fine, title: 罚款, type: amount}
";
const LISTING: &str = "
rule: {id: abnormal_entry, title: 列入, from: 2000-01-01, status: default}
nature: event
ends: {by: {kind: abnormal_removal, matching: {document_number: document_number}}}
fields: [{name: document_number, title: 编号, type: code}]
";
const REMOVAL: &str = "
rule: {id: abnormal_removal, title: 移出, from: 2000-01-01, status: default}
nature: event
fields: [{name: document_number, title: 编号, type: code}]
";
const REPAIR: &str = "
rule: {id: repair, title: 修复, from: 2000-01-01, status: default}
nature: event
fields: [{name: document_number, title: 文号, type: code}]
";
const INSPECTION: &str = "
rule: {id: inspection, title: 检查, from: 2000-01-01, status: default}
nature: event
fields:
  - {name: chapter, title: 章, type: share}
  - {name: categories, title: 类别, type: codes}
";
const MODEL: &str = "
rule: {id: trial, title: 试验, from: 2000-01-01, status: default}
field: general
scale: {min: 0, max: 40}
levels:
  - {code: A, title: 低, below: 10}
  - {code: B, title: 一般, up_to: 20}
  - {code: C, title: 较高, below: 30}
  - {code: D, title: 高}
decays:
  age: {steps: [{up_to_months: 12, permille: 1000}, {up_to_months: 24, permille: 600}]}
  even: {linear_months: 36}
  short: {steps: [{below_months: 12, permille: 1000}, {below_months: 24, permille: 500}]}
dimensions:
  - id: R
    title: 监管
    cap: 25
    indicators:
      - id: R1
        title: 处罚
        cap: 18
        parts:
          - records: {kinds: [penalty]}
            table: {field: severity, points: {'1': 3, '2': 6, '3': 9.5}, otherwise: 1}
            decay: age
      - id: R2
        title: 名录
        cap: 8
        combine: max
        parts:
          - {records: {kinds: [abnormal_entry], state: active}, each: 8}
          - {records: {kinds: [abnormal_entry], state: ended, ended_within_months: 12}, each: 3}
      - id: R3
        title: 罚款
        cap: 9
        parts:
          - records: {kinds: [penalty], within_months: 36}
            bands: {of: {integer: fine}, steps: [{below: 100, points: 1}, {points: 4}], otherwise: 0.5}
            permille: 333
  - id: F
    title: 食品
    cap: 20
    indicators:
      - id: F1
        title: 章
        cap: 7
        parts: [{records: {kinds: [inspection], latest: true}, share: {field: chapter, of: 7}}]
      - id: F2
        title: 类别
        cap: 14
        combine: max
        parts: [{records: {kinds: [inspection]}, prefix_table: {field: categories, points: {'01': 2, '0104': 14}}}]
  - id: P
    title: 加分
    cap: 5
    indicators:
      - {id: P1, title: 已修复, cap: 5, parts: [{records: {kinds: [repair]}, each: -2}]}
overrides:
  - id: V1
    title: 在名录
    when: [{records: {kinds: [abnormal_entry], state: active}}]
    effect: {floor: C}
  - {id: V2, title: 多次, when: [{records: {kinds: [penalty]}, at_least: 3}], effect: {shift: 1}}
  - {id: V3, title: 无监管, when: [{records: {kinds: [inspection, penalty]}, at_most: 0}], effect: {floor: B}}
shift_limits: {up: 1, down: 1}
";

/// A further dimension, for the words that the other model does not use.
const AMOUNTS: &str = "
  - id: M
    title: 数额
    cap: 30
    multiplier: {records: {kinds: [inspection]}, field: categories, permille: {'01': 1100, '0104': 1337}, otherwise: 900}
    indicators:
      - id: M1
        title: 罚款数额
        cap: 9
        parts:
          - records: {kinds: [penalty], below_months: 40, repairable: [{field: severity, at_most: 2}]}
            each: 2.333
            factor: {of: {integer: fine}, steps: [{below: 50, permille: 800}, {below: 200, permille: 1250}, {permille: 2000}], otherwise: 1000}
            decay: even
      - id: M2
        title: 名录余分
        cap: 6
        parts:
          - {records: {kinds: [abnormal_entry]}, each: 3.111, decay: short, ended_permille: 250}
          - {records: {kinds: [penalty], repaired: included}, each: -0.7, repaired_permille: 300}
      - id: M3
        title: 有罚款的占比
        cap: 4
        combine: max
        parts:
          - {records: {kinds: [penalty], where: [{field: fine, at_least: 100}]}, ratio: {of: 4, among: {kinds: [penalty, inspection]}}}
          - {records: {kinds: [inspection], latest: true}, each: 0.5}
";

fn kinds() -> Vec<Kind> {
    [PENALTY, LISTING, REMOVAL, REPAIR, INSPECTION].iter().map(|text| serde_saphyr::from_str(text).unwrap()).collect()
}

fn model() -> Model {
    serde_saphyr::from_str(MODEL).unwrap()
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn text(text: impl ToString) -> Value {
    Value::from(text.to_string())
}

fn assess(records: &[Statement], on: Day) -> Assessment {
    assess_by(&model(), records, on)
}

/// The model with the further dimension.
fn full_model() -> Model {
    let text = MODEL.replace("\noverrides:", &format!("{AMOUNTS}overrides:"));
    serde_saphyr::from_str(&text).unwrap()
}

fn assess_by(model: &Model, records: &[Statement], on: Day) -> Assessment {
    let kinds = kinds();
    let kinds = Kinds::new(&kinds);
    Kernel::new(model, &kinds).assess(&Facts::new(records, on, &kinds)).unwrap()
}

/// Which kind, how many days old, its fields.
type Drawn = (usize, u64, Vec<(&'static str, Value)>);

prop_compose! {
    fn random_record()(
        choice in 0..5usize, age in 0..2000u64, severity in 0..5i64, fine in 0..300i64,
        number in 0..6i64, failed in 0..9i64, category in prop::sample::select(vec!["0101", "0104", "0104,2701", "99"]),
    ) -> Drawn {
        let fields = match choice {
            0 => vec![("severity", Value::Integer(severity)), ("fine", Value::Integer(fine)), ("document_number", text(number))],
            4 => vec![("chapter", text(format!("{failed}/8"))), ("categories", text(category))],
            _ => vec![("document_number", text(number))],
        };
        (choice, age, fields)
    }
}

fn ledger(drawn: &[Drawn], on: Day) -> Vec<Statement> {
    let names = ["penalty", "abnormal_entry", "abnormal_removal", "repair", "inspection"];
    let occurred = |age: u64| on.checked_sub_days(Days::new(age)).unwrap();
    (1..).zip(drawn).map(|(seq, (choice, age, fields))| record(seq, names[*choice], occurred(*age), fields)).collect()
}

proptest! {
    #[test]
    fn the_parts_sum_to_the_whole_and_no_cap_is_passed(drawn in prop::collection::vec(random_record(), 0..14)) {
        let on = day("2026-11-24");
        let model = full_model();
        let assessment = assess_by(&model, &ledger(&drawn, on), on);
        prop_assert_eq!(assessment.indicators.iter().map(|one| one.points).sum::<Points>(), assessment.total);
        prop_assert!(assessment.total >= model.scale.min && assessment.total <= model.scale.max);
        for one in &assessment.indicators {
            prop_assert_eq!(one.records.iter().map(|record| record.points).sum::<Points>(), one.points);
            let cap = model.dimensions[one.place.0].indicators[one.place.1].cap;
            prop_assert!(one.capped <= cap && one.capped >= -cap);
            prop_assert!(one.points.milli().signum() * one.before_caps.milli().signum() >= 0);
        }
        for (place, dimension) in model.dimensions.iter().enumerate() {
            let sum: Points = assessment.indicators.iter().filter(|one| one.place.0 == place).map(|one| one.points).sum();
            prop_assert!(sum <= dimension.cap && sum >= -dimension.cap);
        }
    }

    #[test]
    fn the_order_of_records_of_a_day_does_not_change_the_result(
        drawn in prop::collection::vec(random_record(), 0..10), swap in 0..9usize,
    ) {
        let on = day("2026-11-24");
        let mut other = drawn.clone();
        if swap + 1 < other.len() && other[swap].1 != other[swap + 1].1 {
            other.swap(swap, swap + 1);
        }
        let model = full_model();
        let (one, two) = (assess_by(&model, &ledger(&drawn, on), on), assess_by(&model, &ledger(&other, on), on));
        prop_assert_eq!((one.total, one.level), (two.total, two.level));
    }

    #[test]
    fn what_happens_later_does_not_reach_back(drawn in prop::collection::vec(random_record(), 0..10)) {
        let (then, now) = (day("2024-06-30"), day("2026-11-24"));
        let all = ledger(&drawn, now);
        let earlier: Vec<Statement> = all.iter().filter(|record| record.occurred_on <= then).cloned().collect();
        let model = full_model();
        prop_assert_eq!(assess_by(&model, &all, then), assess_by(&model, &earlier, then));
    }
}

/// Total of 10 is B (`below: 10` excludes), 20 is B (`up_to: 20` includes), 20.001 is C.
#[test]
fn bounds_of_levels_are_exact() {
    let on = day("2026-11-24");
    let penalties = |severities: &[i64]| -> Vec<Statement> {
        let fields = |severity: &i64| [("severity", Value::Integer(*severity))];
        (1..).zip(severities).map(|(seq, severity)| record(seq, "penalty", on, &fields(severity))).collect()
    };
    // Each penalty without a fine adds 0.5 × 0.333 = 0.166 by R3.
    assert_eq!(assess(&penalties(&[1, 2]), on).total, Points::from_milli(9_000 + 332));
    assert_eq!(assess(&penalties(&[1, 2]), on).level_by_points, 0);
    let mut ten = penalties(&[3]);
    ten.push(record(2, "inspection", on, &[("chapter", text("1/21"))]));
    assert_eq!(assess(&ten, on).total, Points::from_milli(9_500 + 166 + 333));
    assert_eq!(assess(&ten, on).level_by_points, 0);
    ten.push(record(
        3,
        "penalty",
        on.checked_sub_months(chrono::Months::new(13)).unwrap(),
        &[("severity", Value::Integer(9))],
    ));
    assert_eq!(assess(&ten, on).level_by_points, 1);
}

#[test]
fn a_correction_and_a_version_count_only_once_they_are_known_and_of_the_day() {
    let on = day("2026-11-24");
    let mut records = vec![record(1, "penalty", on, &[("severity", Value::Integer(3))])];
    let before = assess(&records, on).total;
    let mut correction = record(2, "penalty", on, &[("severity", Value::Integer(1))]);
    correction.supersedes = Some(Seq(1));
    records.push(correction);
    assert_eq!(assess(&records[..1], on).total, before);
    assert_eq!(assess(&records, on).total, Points::from_milli(3_166));
    records[1].withdrawn = true;
    assert_eq!(assess(&records, on).total, Points::ZERO);
}

#[test]
fn decay_and_windows_include_the_same_day_of_the_month() {
    let on = day("2026-06-30");
    let points = |occurred_on: &str| {
        let records = [record(1, "penalty", day(occurred_on), &[("severity", Value::Integer(2))])];
        let assessment = assess(&records, on);
        assessment.indicators.iter().find(|one| one.place == (0, 0)).map_or(Points::ZERO, |one| one.points)
    };
    assert_eq!(points("2025-06-30"), Points::from_milli(6_000));
    assert_eq!(points("2025-06-29"), Points::from_milli(3_600));
    assert_eq!(points("2024-06-30"), Points::from_milli(3_600));
    assert_eq!(points("2024-06-29"), Points::ZERO);
}

#[test]
fn a_listing_ends_on_the_day_of_its_removal() {
    let removed = |on: &str| {
        let number = [("document_number", text("7"))];
        let records = [
            record(1, "abnormal_entry", day("2025-07-10"), &number),
            record(2, "abnormal_removal", day("2025-09-01"), &number),
        ];
        assess(&records, day(on))
    };
    assert_eq!(removed("2025-08-31").total, Points::from_milli(8_000));
    assert_eq!(removed("2025-08-31").level, 2);
    assert_eq!(removed("2025-09-01").total, Points::from_milli(3_000));
    assert_eq!(removed("2026-09-01").total, Points::from_milli(3_000));
    assert_eq!(removed("2026-09-02").total, Points::ZERO);
}

/// Points of one indicator of the further dimension, before its multiplier.
fn amount(indicator: usize, records: &[Statement], on: &str) -> Points {
    let assessment = assess_by(&full_model(), records, day(on));
    assessment.indicators.iter().find(|one| one.place == (3, indicator)).map_or(Points::ZERO, |one| one.capped)
}

fn penalty(seq: i64, occurred_on: &str, severity: i64, fine: i64) -> Statement {
    let fields =
        [("severity", Value::Integer(severity)), ("fine", Value::Integer(fine)), ("document_number", text(seq))];
    record(seq, "penalty", day(occurred_on), &fields)
}

/// 2.333 × amount × what is left of 36 months, rounded down once: an even decay loses 1/36 with each full
/// month, and amounts fall into bands whose bounds belong to the band above.
#[test]
fn even_decay_and_amount_bands() {
    let points = |occurred_on: &str, fine: i64| amount(0, &[penalty(1, occurred_on, 3, fine)], "2026-06-30").milli();
    assert_eq!(points("2026-06-30", 49), 2333 * 800 / 1000);
    assert_eq!(points("2026-06-30", 50), 2333 * 1250 / 1000);
    assert_eq!(points("2026-06-30", 200), 2333 * 2000 / 1000);
    assert_eq!(points("2026-05-31", 50), 2333 * 1250 / 1000, "not a full month yet");
    assert_eq!(points("2026-05-30", 50), 2333 * 1250 * 972 / 1_000_000, "one month: ⌊1000 × 35/36⌋");
    assert_eq!(points("2023-07-30", 50), 2333 * 1250 * 27 / 1_000_000, "35 months");
    assert_eq!(points("2023-06-30", 50), 0, "36 months");
}

/// Of repaired penalties only those up to severity 2 lose their points; of those that keep points in spite
/// of a repair three tenths are left where the part says so.
#[test]
fn repairs_take_away_what_may_be_repaired() {
    let of = |severity: i64, repaired: bool| {
        let mut records = vec![penalty(1, "2026-06-01", severity, 100)];
        if repaired {
            records.push(record(2, "repair", day("2026-06-10"), &[("document_number", text(1))]));
        }
        (amount(0, &records, "2026-06-30").milli(), amount(1, &records, "2026-06-30").milli())
    };
    assert_eq!(of(2, false), (2916, -700));
    assert_eq!(of(2, true), (0, -210));
    assert_eq!(of(3, true), (2916, -210));
}

/// `below_months: 12` ends a day before the same day of the month, unlike `up_to_months`; once ended a
/// quarter is left.
#[test]
fn bounds_excluded_and_ends() {
    let listing = |occurred_on: &str, removed: Option<&str>| {
        let number = [("document_number", text("7"))];
        let mut records = vec![record(1, "abnormal_entry", day(occurred_on), &number)];
        records.extend(removed.map(|on| record(2, "abnormal_removal", day(on), &number)));
        amount(1, &records, "2026-06-30").milli()
    };
    assert_eq!(listing("2025-07-01", None), 3111);
    assert_eq!(listing("2025-06-30", None), 1555);
    assert_eq!(listing("2024-06-30", None), 0);
    assert_eq!(listing("2025-07-01", Some("2026-06-30")), 777);
}

/// Two of three: 4 × 2/3; the latest of those that match carries the points.
#[test]
fn a_share_of_records() {
    let mut records = vec![
        penalty(1, "2026-06-03", 1, 100),
        penalty(2, "2026-06-02", 1, 99),
        record(3, "inspection", day("2026-06-01"), &[("categories", text("99"))]),
    ];
    assert_eq!(amount(2, &records, "2026-06-30").milli(), 4000 / 3);
    records.push(penalty(4, "2026-06-04", 1, 100));
    let assessment = assess_by(&full_model(), &records, day("2026-06-30"));
    let share = assessment.indicators.iter().find(|one| one.place == (3, 2)).unwrap();
    assert_eq!((share.capped.milli(), share.records[0].seq), (4000 * 2 / 4, Seq(4)));
    assert_eq!(share.records[0].arithmetic.to_string(), "4 × 2/4 = 2");
}

/// The longest beginning of the latest inspection's category decides: 01 → 1.1, 0104 → 1.337, else 0.9.
#[test]
fn a_dimension_is_multiplied_by_what_the_enterprise_is() {
    let of = |category: Option<&str>| {
        let mut records = vec![penalty(1, "2026-06-03", 3, 100)];
        records.extend(category.map(|code| record(2, "inspection", day("2024-01-01"), &[("categories", text(code))])));
        let assessment = assess_by(&full_model(), &records, day("2026-06-30"));
        assessment.indicators.iter().filter(|one| one.place.0 == 3).map(|one| one.points).sum::<Points>().milli()
    };
    // 2916 − 700 + 4 × 1/1, or 4 × 1/2 once there is an inspection.
    assert_eq!(of(None), (2916 - 700 + 4000) * 900 / 1000);
    assert_eq!(of(Some("99")), (2916 - 700 + 2000) * 900 / 1000);
    assert_eq!(of(Some("0101")), (2916 - 700 + 2000) * 1100 / 1000);
    assert_eq!(of(Some("0104")), (2916 - 700 + 2000) * 1337 / 1000);
}
