//! Clocks that pause, and what holds of every clock.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::LazyLock;

use common::{folder, load};
use proptest::prelude::*;
use xinheng_core::calendar::WorkingDays;
use xinheng_core::deadline::{Clock, Colour, Deadlines, Effect, Event, Started, State};
use xinheng_core::record::{Day, Moment, Record, RecordId, Seq, Statement, Value};
use xinheng_core::rulebook::load::{RuleFile, Rulebook};

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// The regulations, with a rule on rectifications that a re-inspection pauses.
fn rulebook() -> Rulebook {
    let mut files = folder("../../regulations");
    let text = "
rule: {id: test_pause, title: 复查, from: 2020-01-01, status: default}
duty: 复查
starts: {kind: rectification, from: ordered_on}
term: {value: 10, unit: working_days}
ends:
  - {kind: repair, matching: {number: document_number}, where: [{field: target, one_of: [inspection]}]}
pauses:
  - {kind: repair, matching: {number: document_number}, where: [{field: target, one_of: [penalty]}]}
resumes:
  - {kind: repair, matching: {number: document_number}, where: [{field: target, one_of: [sampling]}]}
owed_by: 信用监管科
alerts: {yellow: 3, red: 0}
";
    files.push(RuleFile { path: "national/deadlines/test_pause.yaml".to_owned(), text: text.to_owned() });
    load(&files)
}

fn record(seq: i64, kind: &str, on: &str, fields: &[(&str, &str)]) -> Record {
    let fields = fields.iter().map(|(name, text)| ((*name).to_owned(), Value::from(*text)));
    Record {
        statement: Statement {
            seq: Seq(seq),
            kind: kind.into(),
            occurred_on: day(on),
            version: None,
            document_number: None,
            supersedes: None,
            withdrawn: false,
            payload: fields.collect(),
        },
        id: RecordId { submission: 1, line: seq, part: 0 },
        enterprise: None,
        received_at: Moment::midnight_in_china(day(on)),
        source_unit: "某所".into(),
        commitments: Default::default(),
    }
}

fn step(seq: i64, on: &str, target: &str) -> Record {
    record(seq, "repair", on, &[("document_number", "整1"), ("target", target)])
}

fn clock_after(deadlines: &Deadlines, steps: &[Record]) -> Clock {
    let ordered = [("number", "整1"), ("ordered_on", "2026-03-02")];
    let start = deadlines.effects(&record(1, "rectification", "2026-03-02", &ordered)).starts.remove(0);
    let events: Vec<Event> = steps.iter().flat_map(|step| deadlines.effects(step).events).collect();
    deadlines.clock(start, &events).unwrap()
}

#[test]
fn the_days_of_a_pause_are_not_counted() {
    let book = rulebook();
    let deadlines = Deadlines::new(&book);
    let running = clock_after(&deadlines, &[]);
    assert_eq!((running.due_on, running.state), (day("2026-03-16"), State::Running));
    assert_eq!(running.start.owed_by, "信用监管科");

    let pause = step(2, "2026-03-05", "penalty");
    let paused = clock_after(&deadlines, std::slice::from_ref(&pause));
    assert_eq!(paused.state, State::Paused { since: day("2026-03-05") });
    assert_eq!(paused.colour(day("2026-05-01")), Some(Colour::Green), "a clock that pauses is not urgent");

    // Three days had run; seven are left from the 10th on.
    let resume = step(3, "2026-03-10", "sampling");
    let resumed = clock_after(&deadlines, &[pause.clone(), resume.clone()]);
    assert_eq!((resumed.due_on, resumed.state), (day("2026-03-19"), State::Running));
    let ended = |on| clock_after(&deadlines, &[resume.clone(), step(4, on, "inspection"), pause.clone()]).state;
    assert_eq!(ended("2026-03-19"), State::Ended { on: day("2026-03-19"), in_time: true });
    assert_eq!(ended("2026-03-20"), State::Ended { on: day("2026-03-20"), in_time: false });
    // What happened before it started is of an earlier matter with the same number.
    let earlier = clock_after(&deadlines, &[step(4, "2026-03-01", "inspection")]);
    assert_eq!(earlier.state, State::Running);
}

#[test]
fn a_record_is_late_from_the_day_after_its_term_and_only_the_first_time() {
    let book = rulebook();
    let deadlines = Deadlines::new(&book);
    let handed_in = |on: &str| {
        let fields = [("document_number", "罚1号"), ("decided_on", "2026-03-02")];
        Record { received_at: Moment::midnight_in_china(day(on)), ..record(1, "penalty", "2026-03-02", &fields) }
    };
    let late = |on: &str| deadlines.effects(&handed_in(on)).late.map(|late| (late.due_on, late.days_late));
    assert_eq!(late("2026-03-11"), None, "the seventh working day is in time");
    assert_eq!(late("2026-03-12"), Some((day("2026-03-11"), 1)));
    assert_eq!(late("2026-03-16"), Some((day("2026-03-11"), 3)), "a weekend is no delay");
    assert_eq!(late("2026-09-03"), None, "history that is brought in later is not late");
    let mut corrected = handed_in("2026-03-16");
    corrected.statement.supersedes = Some(Seq(1));
    assert_eq!(deadlines.effects(&corrected).late, None, "a correction is not a late submission");
}

#[test]
fn days_of_a_year_without_a_holiday_notice_are_provisional() {
    let book = rulebook();
    let deadlines = Deadlines::new(&book);
    let provisional = |on: &str| {
        let fields = [("number", "整1"), ("ordered_on", on)];
        let start = deadlines.effects(&record(1, "rectification", on, &fields)).starts.remove(0);
        deadlines.clock(start, &[]).unwrap().provisional
    };
    assert!(!provisional("2026-12-01"));
    assert!(provisional("2026-12-28"));
}

#[test]
fn a_withdrawal_and_a_kind_without_rules_do_nothing() {
    let book = rulebook();
    let deadlines = Deadlines::new(&book);
    let mut withdrawn = step(2, "2026-03-05", "inspection");
    withdrawn.statement.withdrawn = true;
    assert_eq!(deadlines.effects(&withdrawn), xinheng_core::deadline::Effects::default());
    assert!(!deadlines.concern("registration") && deadlines.concern("penalty"));
}

proptest! {
    /// However events are shuffled, a clock is the same; and its colours follow the days that are left.
    #[test]
    fn a_clock_depends_on_what_happened_and_not_on_the_order_of_telling(
        happened in prop::collection::vec((0..60_u64, 0..3_usize), 0..8),
        turn in 0..8_usize,
        asked in 0..90_u64,
    ) {
        static BOOK: LazyLock<Rulebook> = LazyLock::new(rulebook);
        let deadlines = Deadlines::new(&BOOK);
        let started = day("2026-03-02");
        let start = Started {
            rule: "test_pause".to_owned(),
            seq: Seq(1),
            kind: "rectification".into(),
            key: "k".to_owned(),
            enterprise: None,
            owed_by: "某所".to_owned(),
            started_on: started,
            done_on: None,
        };
        let event = |(seq, (after, effect)): (i64, &(u64, usize))| Event {
            key: "k".to_owned(),
            seq: Seq(seq),
            effect: Effect::ALL[*effect],
            on: started + chrono::Days::new(*after),
            enterprise: None,
        };
        let mut events: Vec<Event> = (2..).zip(&happened).map(event).collect();
        let clock = deadlines.clock(start.clone(), &events).unwrap();
        if !events.is_empty() {
            let turn = turn % events.len();
            events.rotate_left(turn);
        }
        prop_assert_eq!(&deadlines.clock(start, &events).unwrap(), &clock);
        let asked = started + chrono::Days::new(asked);
        let left = clock.working_days_left(asked, deadlines.calendar());
        let expected = match clock.state {
            State::Ended { .. } => None,
            State::Paused { .. } => Some(Colour::Green),
            State::Running if left <= 0 => Some(Colour::Red),
            State::Running if left <= 3 => Some(Colour::Yellow),
            State::Running => Some(Colour::Green),
        };
        prop_assert_eq!(clock.colour(asked), expected, "{} left", left);
        let calendar = deadlines.calendar();
        let again = calendar.after_working_days(started, WorkingDays(10)).day;
        prop_assert_eq!(calendar.working_days(started, again).count, 10);
    }
}
