//! Where a model cannot tell records apart: the cuts of each of its words, and that records between the same cuts
//! give the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use proptest::prelude::*;
use xinheng_core::history::{Fact, Facts, Kinds};
use xinheng_core::record::{Day, Statement, Value};
use xinheng_core::rulebook::kind::Kind;
use xinheng_core::rulebook::model::Model;
use xinheng_core::score::cut::{Cuts, FieldCuts, cuts};
use xinheng_core::score::{Gift, Kernel};

use crate::random::{choices, drawn, drawn_record, kinds, model, on};

/// A part, and where it cuts on 15 June 2026. That repaired records are left out unless a filter says otherwise is told
/// once, in the first two lines.
const OF_PARTS: [(&str, &str); 27] = [
    ("{records: {kinds: [deed]}, each: 1}", "deed: repaired"),
    ("{records: {kinds: [deed], repaired: included}, each: 1}", "deed:"),
    ("{records: {kinds: [deed, visit], repaired: included}, each: 1}", "deed: visit:"),
    ("{records: {kinds: [deed], repaired: included, latest: true}, each: 1}", "deed:"),
    // Ages: the same day of the month still counts as within, and is no longer below.
    ("{records: {kinds: [deed], repaired: included, within_months: 12}, each: 1}", "deed: from 2025-06-15"),
    ("{records: {kinds: [deed], repaired: included, below_months: 12}, each: 1}", "deed: from 2025-06-16"),
    ("{records: {kinds: [deed], repaired: included, older_than_months: 12}, each: 1}", "deed: from 2025-06-16"),
    ("{records: {kinds: [deed], repaired: included, this_year: true}, each: 1}", "deed: from 2026-01-01"),
    ("{records: {kinds: [deed], repaired: included}, each: 1, decay: steps}", "deed: from 2024-06-16 2025-06-15"),
    (
        "{records: {kinds: [deed], repaired: included}, each: 1, decay: even}",
        "deed: from 2026-03-16 2026-04-16 2026-05-16",
    ),
    // Ends and repairs.
    ("{records: {kinds: [deed], repaired: included, state: active}, each: 1}", "deed: ended"),
    ("{records: {kinds: [deed], repaired: included, ended_within_months: 6}, each: 1}", "deed: ended from 2025-12-15"),
    ("{records: {kinds: [deed], repaired: included}, each: 1, ended_permille: 500}", "deed: ended"),
    ("{records: {kinds: [deed], repaired: included}, each: 1, repaired_permille: 500}", "deed: repaired"),
    ("{records: {kinds: [deed], repairable: [{field: weight, at_most: 2}]}, each: 1}", "deed: repaired weight[3]"),
    // Conditions.
    ("{records: {kinds: [visit], where: [{field: weight, at_least: 2}]}, each: 1}", "visit: repaired weight[2]"),
    ("{records: {kinds: [visit], where: [{field: weight, present: true}]}, each: 1}", "visit: repaired weight[]"),
    ("{records: {kinds: [visit], where: [{field: town, one_of: [甲, 乙]}]}, each: 1}", "visit: repaired town[=乙 =甲]"),
    ("{records: {kinds: [visit], where: [{field: town, none_of: [甲]}]}, each: 1}", "visit: repaired town[=甲]"),
    (
        "{records: {kinds: [visit], where: [{field: codes, only: ['01']}]}, each: 1}",
        "visit: repaired codes[01… splits]",
    ),
    // One of the kinds holds codes in it, the other a single one.
    (
        "{records: {kinds: [deed, visit], repaired: included, where: [{field: codes, one_of: ['01']}]}, each: 1}",
        "deed: codes[01… splits] visit: codes[01… splits]",
    ),
    // Points.
    (
        "{records: {kinds: [visit], repaired: included}, table: {field: town, points: {甲: 1, 乙: 2}}}",
        "visit: town[=乙 =甲]",
    ),
    (
        "{records: {kinds: [visit], repaired: included}, prefix_table: {field: codes, points: {'01': 1, '0104': 2}}}",
        "visit: codes[01… 0104… splits]",
    ),
    (
        "{records: {kinds: [visit], repaired: included}, bands: {of: {integer: weight}, steps: [{below: 5, points: 1}, {points: 2}]}, \
         factor: {of: {months_since: due}, steps: [{below: 3, permille: 1}, {permille: 2}], otherwise: 3}}",
        "visit: due[2026-03-16] weight[5]",
    ),
    (
        "{records: {kinds: [visit], repaired: included}, bands: {of: {days_since: due}, steps: [{below: -1, points: 0}, {below: 30, points: 1}, \
         {points: 2}]}, factor: {of: {days_until: due}, steps: [{below: -9, permille: 1}, {below: 30, permille: 2}, {permille: 3}], otherwise: 3}}",
        "visit: due[2026-05-17 2026-06-06 2026-06-17 2026-07-15]",
    ),
    ("{records: {kinds: [visit], repaired: included}, share: {field: town, of: 1}}", "visit: town[open]"),
    (
        "{records: {kinds: [visit], repaired: included}, ratio: {of: 1, among: {kinds: [visit, deed]}}}",
        "deed: repaired visit: repaired",
    ),
];

/// As above, of what stands outside the parts: what the model applies to, multipliers, overrides.
const OF_OTHERS: [(&str, &str); 3] = [
    ("applies: [{records: {kinds: [visit], repaired: included, state: ended}, at_least: 2}]", "visit: ended"),
    (
        "overrides: [{id: V, title: 直, when: [{records: {kinds: [deed], within_months: 1}}], effect: {floor: B}}]",
        "deed: from 2026-05-15 repaired",
    ),
    (
        "MULTIPLIER: {records: {kinds: [visit], repaired: included}, field: codes, permille: {'01': 1100}, otherwise: 900}",
        "visit: codes[01…]",
    ),
];

const DEED: &str = "
rule: {id: deed, title: 行为, from: 2000-01-01, status: default}
nature: event
fields: [{name: weight, title: 轻重, type: integer}, {name: codes, title: 类别, type: code}]
";
const VISIT: &str = "
rule: {id: visit, title: 检查, from: 2000-01-01, status: default}
nature: event
fields:
  - {name: weight, title: 轻重, type: integer}
  - {name: codes, title: 类别, type: codes}
  - {name: town, title: 乡镇, type: text}
  - {name: due, title: 期限, type: day}
";

fn model_of(part: Option<&str>, other: &str) -> Model {
    let multiplier = other.strip_prefix("MULTIPLIER").map(|rule| format!("multiplier{rule},")).unwrap_or_default();
    let other = if multiplier.is_empty() { other } else { "" };
    let part = part.unwrap_or("{records: {kinds: [nothing]}, each: 1}");
    let text = format!(
        "
rule: {{id: trial, title: 试验, from: 2000-01-01, status: default}}
field: general
scale: {{min: 0, max: 60}}
levels: [{{code: A, title: 低, below: 6}}, {{code: B, title: 高}}]
decays:
  steps: {{steps: [{{up_to_months: 12, permille: 1000}}, {{below_months: 24, permille: 600}}]}}
  even: {{linear_months: 2}}
dimensions:
  - {{id: D, title: 维, cap: 9, {multiplier} indicators: [{{id: I, title: 标, cap: 9, parts: [{part}]}}]}}
{other}
"
    );
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Written short: kinds, then what is looked at.
fn told(model: &Model) -> String {
    let kinds: Vec<Kind> = [DEED, VISIT].iter().map(|text| serde_saphyr::from_str(text).unwrap()).collect();
    let kinds = Kinds::new(&kinds);
    let mut text = String::new();
    for (kind, cuts) in kinds.iter().zip(cuts(model, &kinds, "2026-06-15".parse().unwrap())) {
        let Some(Cuts { age, ended, ended_on, repaired, fields }) = cuts else { continue };
        let _ = write!(text, " {}:", kind.rule.id.value);
        let mut list = |word: &str, days: &BTreeSet<Day>| {
            text.push_str(word);
            for (number, day) in days.iter().enumerate() {
                let _ = write!(text, "{} {day}", if number == 0 { " from" } else { "" });
            }
        };
        list("", &age);
        list(if ended { " ended" } else { "" }, &ended_on);
        text.push_str(if repaired { " repaired" } else { "" });
        for (name, FieldCuts { numbers, days, values, beginnings, splits, open }) in fields {
            let mut all: Vec<String> = numbers.iter().map(ToString::to_string).collect();
            all.extend(days.iter().map(ToString::to_string));
            all.extend(values.iter().map(|value| format!("={value}")));
            all.extend(beginnings.iter().map(|beginning| format!("{beginning}…")));
            all.extend([(splits, "splits"), (open, "open")].iter().filter(|one| one.0).map(|one| one.1.to_owned()));
            let _ = write!(text, " {name}[{}]", all.join(" "));
        }
    }
    text.trim_start().to_owned()
}

#[test]
fn every_word_of_a_model_cuts_where_its_answer_changes() {
    for (part, expected) in OF_PARTS {
        assert_eq!(told(&model_of(Some(part), "")), expected, "{part}");
    }
    for (other, expected) in OF_OTHERS {
        assert_eq!(told(&model_of(None, other)), expected, "{other}");
    }
}

/// In which class a record is: between which cuts, for everything that the model looks at.
fn class(cuts: &Cuts, fact: &Fact) -> Vec<String> {
    let Cuts { age, ended, ended_on, repaired, fields } = cuts;
    let passed = |cuts: &BTreeSet<Day>, day: Day| cuts.iter().filter(|cut| **cut <= day).count();
    let mut class = vec![passed(age, fact.record.occurred_on).to_string()];
    class.extend(fact.ended_on.filter(|_| *ended).map(|day| format!("ended {}", passed(ended_on, day))));
    class.extend(fact.repaired_on.filter(|_| *repaired).map(|_| "repaired".to_owned()));
    for (name, FieldCuts { numbers, days, values, beginnings, splits, open }) in fields {
        let Some(value) = fact.record.payload.get(name) else {
            class.push(format!("{name} absent"));
            continue;
        };
        if let Value::Integer(number) = value {
            class.push(numbers.iter().filter(|cut| *cut <= number).count().to_string());
        }
        // As rule files write it.
        let text = if let Value::Flag(flag) = value { flag.to_string() } else { value.to_string() };
        class.extend(text.parse().ok().map(|day| passed(days, day).to_string()));
        class.extend(values.get(&text).cloned());
        let begins = beginnings.iter().filter(|beginning| text.starts_with(beginning.as_str()));
        class.extend(begins.map(|beginning| format!("{beginning}…")));
        class.extend((*open || *splits && text.contains(',')).then_some(text));
    }
    class
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn records_between_the_same_cuts_give_the_same(choice in choices(), drawn in drawn()) {
        let (model, kinds) = (model(&choice), kinds());
        let numbers = Kinds::new(&kinds);
        let (kernel, all_cuts) = (Kernel::new(&model, &numbers), cuts(&model, &numbers, on()));
        let records: Vec<Statement> = (1..).zip(&drawn).map(|(seq, one)| drawn_record(seq, one)).collect();
        let facts = Facts::new(&records, on(), &numbers);
        for (kind, cuts) in all_cuts.iter().enumerate() {
            prop_assert_eq!(cuts.is_some(), kernel.looks_at(kind));
            let Some(cuts) = cuts else { continue };
            let mut given: BTreeMap<Vec<String>, Vec<(usize, Gift)>> = BTreeMap::new();
            for fact in facts.of(kind) {
                let mut gifts = Vec::new();
                kernel.gifts(fact, kind, on(), |slot, gift| gifts.push((slot, gift)));
                let first = given.entry(class(cuts, fact)).or_insert_with(|| gifts.clone());
                prop_assert_eq!(&*first, &gifts, "{:?}", fact.record);
            }
        }
    }
}
