//! What comes by itself and what a repair would change, by the regulations of this repository.
#![allow(clippy::unwrap_used)]

mod common;

use common::{folder, load};
use xinheng_core::classify::Classifier;
use xinheng_core::forecast::{if_repaired, standing, to_come};
use xinheng_core::history::Kinds;
use xinheng_core::points::Points;
use xinheng_core::record::{Day, Seq, Statement, Value};

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn record(seq: i64, kind: &str, occurred_on: &str, fields: &[(&str, &str)]) -> Statement {
    let text = |(name, value): &(&str, &str)| ((*name).to_owned(), Value::from(*value));
    Statement {
        seq: Seq(seq),
        kind: kind.into(),
        occurred_on: day(occurred_on),
        version: Some(day(occurred_on)),
        document_number: None,
        supersedes: None,
        withdrawn: false,
        payload: fields.iter().map(text).collect(),
    }
}

/// A firm of 2000 with one penalty of 2026-03-10 that weighs 15 points: 9 after twelve months, 4.5 after
/// twenty-four, nothing after thirty-six; the day itself still belongs to the step before.
#[test]
fn points_fade_on_their_days_and_a_repair_takes_them_away() {
    let book = load(&folder("../../regulations"));
    let today = day("2026-11-24");
    let kinds = Kinds::new(book.kinds(today));
    let general = book.models(today).filter(|model| model.field == "general");
    let classifier = Classifier::new(general, book.combination(today), &kinds, |_: &str| true);
    let records = [
        record(1, "registration", "2000-01-01", &[("established_on", "2000-01-01"), ("type_class", "enterprise")]),
        record(
            2,
            "penalty",
            "2026-03-10",
            &[("severity", "5"), ("document_number", "罚1"), ("decided_on", "2026-03-10")],
        ),
        record(3, "inspection", "2026-11-01", &[("result", "01"), ("inspected_on", "2026-11-01")]),
    ];
    let now = standing(&classifier, &kinds, &records, today);
    assert_eq!((now.total, now.level.as_deref()), (Some(Points::from_milli(15_000)), Some("A")));
    let days: Vec<_> = to_come(&classifier, &kinds, &records, today, 36)
        .into_iter()
        .filter(|one| one.before.points != one.after.points)
        .map(|one| (one.on.to_string(), one.after.total.unwrap().milli(), one.before.differences(&one.after)))
        .collect();
    let said = |from: &str, to: &str| vec![format!("行政处罚：{from} → {to} 分")];
    assert_eq!(
        days,
        [
            ("2027-03-11".to_owned(), 9_000, said("15", "9")),
            ("2028-03-11".to_owned(), 4_500, said("9", "4.5")),
            ("2029-03-11".to_owned(), 0, said("4.5", "0")),
        ]
    );
    let repaired = if_repaired(&classifier, &kinds, &records, today);
    assert_eq!(
        repaired.iter().map(|one| (one.seq, one.after.total)).collect::<Vec<_>>(),
        [(Seq(2), Some(Points::ZERO))]
    );
}

/// Raised by one level for a time, the level falls back the day after; what a direct determination decided is not
/// lowered.
#[test]
fn an_adjustment_ends_and_does_not_lower_what_is_determined() {
    let book = load(&folder("../../regulations"));
    let today = day("2026-11-24");
    let kinds = Kinds::new(book.kinds(today));
    let general = || book.models(today).filter(|model| model.field == "general");
    let classifier = Classifier::new(general(), book.combination(today), &kinds, |_: &str| true);
    let adjusted = |steps: i64| {
        let mut one = record(9, "level_adjustment", "2026-11-20", &[("until", "2026-12-31")]);
        one.payload.insert("steps".to_owned(), Value::Integer(steps));
        one
    };
    let registration =
        record(1, "registration", "2000-01-01", &[("established_on", "2000-01-01"), ("type_class", "enterprise")]);
    let inspection = record(3, "inspection", "2026-11-01", &[("result", "01"), ("inspected_on", "2026-11-01")]);
    let quiet = [registration.clone(), inspection.clone(), adjusted(1)];
    let level = |records: &[Statement], on: &str| standing(&classifier, &kinds, records, day(on)).level.unwrap();
    assert_eq!(level(&quiet[..2], "2026-11-24"), "A");
    assert_eq!(level(&quiet, "2026-11-24"), "B");
    assert_eq!(level(&quiet, "2026-12-31"), "B");
    assert_eq!(level(&quiet, "2027-01-01"), "A");
    // More than the rulebook allows counts as what it allows.
    assert_eq!(level(&[registration.clone(), inspection.clone(), adjusted(3)], "2026-11-24"), "B");
    let serious = record(4, "serious_entry", "2026-05-01", &[("listed_on", "2026-05-01"), ("entry_number", "1")]);
    assert_eq!(level(&[registration.clone(), inspection.clone(), serious.clone()], "2026-11-24"), "D");
    assert_eq!(level(&[registration.clone(), inspection, serious, adjusted(-1)], "2026-11-24"), "D");
    // Where the bureau has not signed the table, nobody moves a level.
    let unsigned = Classifier::new(general(), book.combination(today), &kinds, |rule: &str| !rule.starts_with("comb"));
    assert_eq!(standing(&unsigned, &kinds, &quiet, today).level.as_deref(), Some("A"));
}
