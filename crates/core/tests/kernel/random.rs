//! Random models and ledgers, for the kernel and for whoever must come to the same as the kernel (the lake's tests
//! take this file in too).

use chrono::Days;
use proptest::prelude::*;
use xinheng_core::record::{Day, Seq, Statement, Value};
use xinheng_core::rulebook::kind::Kind;
use xinheng_core::rulebook::model::Model;

pub const KINDS: [&str; 3] = [
    "
rule: {id: penalty, title: 处罚, from: 2000-01-01, status: default}
nature: event
ends: {on: until}
repaired: {kind: repair, matching: {number: number}}
fields:
  - {name: severity, title: 轻重, type: integer}
  - {name: fine, title: 罚款, type: amount}
  - {name: until, title: 至, type: end_day}
  - {name: number, title: 文号, type: code}
  - {name: minor, title: 轻微, type: flag}
  - {name: codes, title: 类别, type: codes}
",
    "
rule: {id: repair, title: 修复, from: 2000-01-01, status: default}
nature: event
fields: [{name: number, title: 文号, type: code}]
",
    "
rule: {id: visit, title: 检查, from: 2000-01-01, status: default}
nature: event
fields:
  - {name: chapter, title: 章, type: share}
  - {name: industry, title: 行业, type: code}
  - {name: expires, title: 到期, type: day}
  - {name: severity, title: 轻重, type: choice, choices: {low: [低], high: [高]}}
",
];

/// Parts in one line each; a random model takes some of them. The first need no order among records.
pub const PARTS: [&str; 16] = [
    "{records: {kinds: [penalty]}, table: {field: severity, points: {'1': 3, '2': 6.5}, otherwise: 1}, decay: even}",
    "{records: {kinds: [penalty], state: active, within_months: 14}, bands: {of: {integer: fine}, steps: [{below: 100, points: 1}, {points: 4}], otherwise: 0.5}, permille: 333}",
    "{records: {kinds: [penalty], repaired: included}, each: 7, factor: {of: {integer: fine}, steps: [{below: 50, permille: 800}, {below: 200, permille: 1250}, {permille: 2000}], otherwise: 1000}, ended_permille: 200, repaired_permille: 300, decay: steps}",
    "{records: {kinds: [penalty], repairable: [{field: severity, at_most: 2}], where: [{field: minor, none_of: ['true']}]}, each: 2}",
    "{records: {kinds: [penalty], where: [{field: codes, one_of: ['01', '2701']}]}, prefix_table: {field: codes, points: {'01': 2, '0104': 9}, otherwise: 0.25}}",
    "{records: {kinds: [penalty], where: [{field: codes, only: ['01']}, {field: fine, present: true}], older_than_months: 5}, each: -4}",
    "{records: {kinds: [penalty], state: ended, ended_within_months: 9}, each: 1.111}",
    "{records: {kinds: [visit], this_year: true}, bands: {of: {days_until: expires}, steps: [{below: 0, points: 3}, {below: 30, points: 2}, {points: -1}], otherwise: 1.5}}",
    "{records: {kinds: [visit], below_months: 20}, bands: {of: {days_since: expires}, steps: [{below: -10, points: 1}, {below: 365, points: 2}, {points: 3}]}}",
    "{records: {kinds: [visit], where: [{field: severity, one_of: [high]}]}, bands: {of: {months_since: expires}, steps: [{below: 1, points: 1}, {points: 5}]}}",
    "{records: {kinds: [visit]}, share: {field: chapter, of: 7}}",
    "{records: {kinds: [visit, penalty], where: [{field: severity, one_of: ['2', low]}]}, each: 0.75}",
    "{records: {kinds: [visit], latest: true}, table: {field: severity, points: {low: 1, high: 8}}}",
    "{records: {kinds: [penalty]}, count: [{below: 2, points: 1}, {below: 4, points: 3}, {points: 6}]}",
    "{records: {kinds: [penalty], where: [{field: minor, one_of: ['false']}]}, ratio: {of: 10, among: {kinds: [penalty]}}}",
    "{records: {kinds: [penalty, visit], latest: true, repaired: included}, each: 5, decay: even}",
];

/// How many of the parts a model can have and still be folded.
pub const FOLDED: usize = 12;

pub const OVERRIDES: [&str; 5] = [
    "{id: V1, title: 多, when: [{records: {kinds: [penalty], state: active}, at_least: 2}], effect: {floor: C}}",
    "{id: V2, title: 移, when: [{records: {kinds: [penalty], below_months: 13}}, {records: {kinds: [repair]}}], effect: {shift: 1}}",
    "{id: V3, title: 无, when: [{records: {kinds: [visit, penalty]}, at_most: 0}], effect: {set: B}}",
    "{id: V4, title: 降, when: [{records: {kinds: [visit], where: [{field: severity, one_of: [low]}]}}], effect: {shift: -1}}",
    "{id: V5, title: 近, when: [{records: {kinds: [visit], latest: true, where: [{field: industry, one_of: [C13]}]}}], effect: {floor: D}}",
];

/// A random model: parts of each of three dimensions, how each indicator combines, overrides, and the rest.
#[derive(Clone, Debug)]
pub struct Choice {
    pub parts: Vec<Vec<usize>>,
    pub max: bool,
    pub multiplier: bool,
    pub applies: bool,
    pub overrides: Vec<usize>,
    pub cap: i64,
}

pub fn choices() -> impl Strategy<Value = Choice> {
    let parts = |most: usize| prop::collection::vec(prop::collection::vec(0..most, 1..4), 1..5);
    let parts = prop_oneof![parts(FOLDED), parts(PARTS.len())];
    let more = (any::<bool>(), prop::bool::weighted(0.3), prop::bool::weighted(0.2));
    (parts, more, prop::collection::vec(0..OVERRIDES.len(), 0..4), 3..40_i64).prop_map(
        |(parts, (max, multiplier, applies), overrides, cap)| {
            let folds = parts.iter().flatten().all(|part| *part < FOLDED);
            Choice { max: max && !folds, multiplier, applies, overrides, cap, parts }
        },
    )
}

pub fn model(choice: &Choice) -> Model {
    let mut text = "
rule: {id: trial, title: 试验, from: 2000-01-01, status: default}
field: general
scale: {min: 0, max: 60}
levels:
  - {code: A, title: 低, below: 6}
  - {code: B, title: 中, up_to: 14}
  - {code: C, title: 较高, below: 25}
  - {code: D, title: 高}
decays:
  even: {linear_months: 30}
  steps: {steps: [{up_to_months: 6, permille: 1000}, {below_months: 18, permille: 450}]}
"
    .to_owned();
    if choice.applies {
        text += "applies: [{records: {kinds: [visit]}, at_least: 1}]\n";
    }
    text += "dimensions:\n";
    for (number, parts) in choice.parts.iter().enumerate() {
        text += &format!("  - id: D{number}\n    title: 维\n    cap: {}\n", choice.cap * 2);
        if choice.multiplier && number + 1 == choice.parts.len() {
            text += "    multiplier: {records: {kinds: [visit], latest: true}, field: industry, permille: {C: 1100, C13: 1750}, otherwise: 900}\n";
        }
        let combine = if choice.max { "max" } else { "sum" };
        text += &format!(
            "    indicators:\n      - id: I{number}\n        title: 标\n        cap: {}\n        combine: {combine}\n        parts:\n",
            choice.cap
        );
        for part in parts {
            text += &format!("          - {}\n", PARTS[*part]);
        }
    }
    text += "overrides:\n";
    for (number, one) in choice.overrides.iter().enumerate() {
        text += &format!("  - {}\n", OVERRIDES[*one].replacen("id: V", &format!("id: N{number}V"), 1));
    }
    if choice.overrides.is_empty() {
        text = text.replace("overrides:\n", "");
    }
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Among so many enterprises records are drawn.
pub const ENTERPRISES: usize = 7;

/// A record: whose, how old, and its fields.
pub type Drawn = (usize, usize, i64, [i64; 6]);

pub fn drawn() -> impl Strategy<Value = Vec<Drawn>> {
    let one = (0..ENTERPRISES, 0..3_usize, -20..1100_i64, [0..6_i64, 0..260, -400..600, 0..4, 0..3, 0..9]);
    prop::collection::vec(one, 0..60)
}

pub fn on() -> Day {
    "2026-08-31".parse().unwrap()
}

pub fn earlier(days: i64) -> Day {
    let by = Days::new(days.unsigned_abs());
    if days < 0 { on().checked_add_days(by).unwrap() } else { on().checked_sub_days(by).unwrap() }
}

pub fn drawn_record(seq: i64, &(_, kind, age, [a, fine, until, number, flag, codes]): &Drawn) -> Statement {
    let text = |text: &str| Value::from(text);
    let mut fields = vec![("number", text(&number.to_string()))];
    match kind {
        0 => {
            fields.push(("severity", Value::Integer(a)));
            fields.extend((fine < 220).then_some(("fine", Value::Integer(fine))));
            fields.extend((until < 500).then(|| ("until", text(&earlier(until).to_string()))));
            fields.extend((flag < 2).then_some(("minor", Value::Flag(flag == 1))));
            let all = ["01", "0104", "0104,2701", "99", "010", "2701,01", "", "01,0199"];
            fields.extend(all.get(usize::try_from(codes).unwrap()).map(|codes| ("codes", text(codes))));
        }
        1 => {}
        _ => {
            fields.clear();
            fields.push(("chapter", text(&format!("{a}/{}", a + codes))));
            fields.extend([("industry", text(["C13", "C", "B1", "C1311"][usize::try_from(number).unwrap()]))]);
            fields.extend((flag < 2).then(|| ("severity", text(["low", "high"][usize::try_from(flag).unwrap()]))));
            fields.extend((until < 500).then(|| ("expires", text(&earlier(until).to_string()))));
        }
    }
    record(seq, ["penalty", "repair", "visit"][kind], earlier(age), &fields)
}

/// A record of a kind on a day.
pub fn record(seq: i64, kind: &str, occurred_on: Day, fields: &[(&str, Value)]) -> Statement {
    Statement {
        seq: Seq(seq),
        kind: kind.into(),
        occurred_on,
        version: None,
        document_number: None,
        supersedes: None,
        withdrawn: false,
        payload: fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
    }
}

pub fn kinds() -> Vec<Kind> {
    KINDS.iter().map(|text| serde_saphyr::from_str(text).unwrap()).collect()
}
