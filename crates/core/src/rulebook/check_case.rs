//! Carrying out the cases (算例): of models with the kernel, of publicity, of clocks and of inspection items with theirs.

use std::collections::HashMap;

use serde::Serialize;

use super::cases::{Case, ClockColour, ClockState, GivenRecord, PlacementState};
use super::kind::{Kind, Nature};
use super::load::Rulebook;
use super::model::Model;
use crate::deadline::{Colour, Deadlines, State};
use crate::history::{Facts, Kinds};
use crate::plan::{Placement, Screen, Terms};
use crate::points::Points;
use crate::publicity;
use crate::record::{Commitments, Day, Moment, Record, RecordId, Seq, Statement, Text, Value};
use crate::score::Kernel;

/// Outcome of all cases of a rulebook.
#[derive(Debug, Default, Serialize)]
pub struct CaseOutcome {
    /// Cases that hold.
    pub passed: usize,
    /// Cases that do not.
    pub failed: usize,
    /// What each failed case expected and what came out.
    #[serde(skip)]
    pub failures: Vec<CaseFailure>,
}

/// A case that does not hold.
#[derive(Debug)]
pub struct CaseFailure {
    /// Rule under test.
    pub rule: String,
    /// The sentence.
    pub name: String,
    /// The differences.
    pub mismatches: Vec<String>,
}

/// Carries out every case beside the rules.
#[must_use]
pub fn run_cases(rulebook: &Rulebook) -> CaseOutcome {
    let mut outcome = CaseOutcome::default();
    for file in rulebook.case_files() {
        for case in &file.cases {
            let found = mismatches_of(rulebook, &file.rule, case);
            if found.is_empty() {
                outcome.passed += 1;
            } else {
                outcome.failed += 1;
                outcome.failures.push(CaseFailure {
                    rule: file.rule.clone(),
                    name: case.name.clone(),
                    mismatches: found,
                });
            }
        }
    }
    outcome
}

fn mismatches_of(rulebook: &Rulebook, rule: &str, case: &Case) -> Vec<String> {
    if let Some(kind) = rule.strip_prefix("kinds/") {
        return publicity_mismatches(case, kind, &Kinds::new(rulebook.kinds(case.on)));
    }
    if let Some(rule) = rule.strip_prefix("deadlines/") {
        return clock_mismatches(case, rule, rulebook);
    }
    if let Some(item) = rule.strip_prefix("inspections/") {
        return placement_mismatches(case, item, rulebook);
    }
    let Some(model) = rule.strip_prefix("models/").and_then(|id| model_near(rulebook, id, case.on)) else {
        return vec![format!("没有可供验证的模型“{rule}”")];
    };
    mismatches(case, model, &Kinds::new(rulebook.kinds(case.on)))
}

/// The model of the day or, for cases of the days before it was in force, its first version.
fn model_near<'a>(rulebook: &'a Rulebook, id: &str, day: Day) -> Option<&'a Model> {
    rulebook.model(id, day).or_else(|| rulebook.all_models().find(|model| model.rule.id.value == id))
}

/// What a case expected and what came out instead; empty when the case holds.
fn mismatches(case: &Case, model: &Model, kinds: &Kinds) -> Vec<String> {
    let mut found = Vec::new();
    let mut differ = |what: &str, expected: String, actual: String| {
        if expected != actual {
            found.push(format!("{what}应为{expected}，实为{actual}"));
        }
    };
    let records = ledger_of(&case.given, kinds);
    let facts = Facts::new(&records, case.on, kinds);
    let expect = &case.expect;
    let in_force = model.rule.in_force(case.on);
    let assessment = Kernel::new(model, kinds).assess(&facts).filter(|_| in_force);
    if let Some(applies) = expect.applies {
        differ("是否适用", yes_no(applies), yes_no(assessment.is_some()));
    }
    let Some(assessment) = assessment else {
        if expect.applies != Some(false) {
            differ("是否适用", yes_no(true), yes_no(false));
        }
        return found;
    };
    let code = |level: usize| model.levels[level].code.value.clone();
    if let Some(level) = &expect.level {
        differ("等级", level.clone(), code(assessment.level));
    }
    if let Some(level) = &expect.level_by_points {
        differ("按分值的等级", level.clone(), code(assessment.level_by_points));
    }
    if let Some(total) = expect.total {
        differ("总分", total.to_string(), assessment.total.to_string());
    }
    for (id, points) in &expect.indicators {
        let indicator = assessment
            .indicators
            .iter()
            .find(|one| model.dimensions[one.place.0].indicators[one.place.1].id.value == *id);
        let actual = indicator.map_or(Points::ZERO, |one| one.points);
        differ(&format!("指标{id}"), points.to_string(), actual.to_string());
    }
    if let Some(overrides) = &expect.overrides {
        let ids = |place: usize| model.overrides[place].id.value.clone();
        let actual: Vec<_> = assessment.overrides.iter().map(|applied| ids(applied.place)).collect();
        differ("直接判定与升降级", format!("{overrides:?}"), format!("{actual:?}"));
    }
    found
}

/// The same for the publicity of a kind.
fn publicity_mismatches(case: &Case, kind: &str, kinds: &Kinds) -> Vec<String> {
    let records = ledger_of(&case.given, kinds);
    let facts = Facts::new(&records, case.on, kinds);
    let Some(expect) = &case.expect.publicity else {
        return vec!["没有写应如何公示（expect.publicity）".to_owned()];
    };
    let Some(record) = records.iter().rev().find(|record| record.kind == kind) else {
        return vec![format!("算例里没有“{kind}”的记录")];
    };
    let decision = publicity::decide(record, &facts, kinds);
    let shown = |day: Option<Day>| day.map_or_else(|| "无".to_owned(), |day| day.to_string());
    let mut found = Vec::new();
    let mut differ = |what: &str, expected: String, actual: String| {
        if expected != actual {
            found.push(format!("{what}应为{expected}，实为{actual}（{}）", decision.why));
        }
    };
    differ("是否公示", yes_no(expect.public), yes_no(decision.public));
    if expect.since.is_some() {
        differ("公示起始日", shown(expect.since), shown(decision.since));
    }
    if expect.until.is_some() {
        differ("公示末日", shown(expect.until), shown(decision.until));
    }
    if let Some(term) = &expect.term {
        differ("公示期限", term.clone(), decision.basis.rule.split_once('#').unwrap_or_default().1.to_owned());
    }
    for (fields, shows) in [(&expect.shows, true), (&expect.hides, false)] {
        for field in fields {
            differ(&format!("“{field}”是否公开"), yes_no(shows), yes_no(decision.fields.contains(&field.as_str())));
        }
    }
    found
}

/// The same for a rule on deadlines.
fn clock_mismatches(case: &Case, rule: &str, rulebook: &Rulebook) -> Vec<String> {
    let Some(expect) = &case.expect.clock else { return vec!["没有写期限应如何（expect.clock）".to_owned()] };
    let deadlines = Deadlines::new(rulebook);
    let mut records = ledger_of(&case.given, &Kinds::new(rulebook.kinds(case.on)));
    records.retain(|record| record.occurred_on <= case.on);
    let effects: Vec<_> = records.iter().map(|record| deadlines.effects(record)).collect();
    let events: Vec<_> = effects.iter().flat_map(|effects| effects.events.clone()).collect();
    let mut starts = effects.into_iter().flat_map(|effects| effects.starts);
    let start = starts.rfind(|start| start.rule == rule);
    let clock = start.and_then(|start| deadlines.clock(start, &events));
    let mut found = Vec::new();
    let mut differ = |what: &str, expected: String, actual: String| {
        if expected != actual {
            found.push(format!("{what}应为{expected}，实为{actual}"));
        }
    };
    differ("是否起算期限", yes_no(expect.started.unwrap_or(true)), yes_no(clock.is_some()));
    let Some(clock) = clock else { return found };
    if let Some(due_on) = expect.due_on {
        differ("期限末日", due_on.to_string(), clock.due_on.to_string());
    }
    if let Some(state) = expect.state {
        let actual = match clock.state {
            State::Running => ClockState::Running,
            State::Paused { .. } => ClockState::Paused,
            State::Ended { in_time: true, .. } => ClockState::InTime,
            State::Ended { in_time: false, .. } => ClockState::Late,
        };
        differ("状态", format!("{state:?}"), format!("{actual:?}"));
    }
    if let Some(left) = expect.left {
        let actual = clock.working_days_left(case.on, deadlines.calendar());
        differ("剩余工作日", left.to_string(), actual.to_string());
    }
    if let Some(colour) = expect.colour {
        let colour = match colour {
            ClockColour::Green => Colour::Green,
            ClockColour::Yellow => Colour::Yellow,
            ClockColour::Red => Colour::Red,
        };
        let shown = |colour: Option<Colour>| colour.map_or_else(|| "无".to_owned(), |colour| colour.to_string());
        differ("颜色", shown(Some(colour)), shown(clock.colour(case.on)));
    }
    found
}

/// The same for an inspection item.
#[must_use]
pub fn placement_mismatches(case: &Case, item: &str, rulebook: &Rulebook) -> Vec<String> {
    let Some(item) = rulebook.inspection(item, case.on) else {
        return vec![format!("{}没有有效的抽查事项“{item}”", case.on)];
    };
    let (Some(level), Some(expect)) = (&case.level, &case.expect.placement) else {
        return vec!["没有写等级（level）和应如何安排（expect.placement）".to_owned()];
    };
    let kinds = Kinds::new(rulebook.kinds(case.on));
    let records = ledger_of(&case.given, &kinds);
    let facts = Facts::new(&records, case.on, &kinds);
    let terms = Terms { ratio: item.usual_ratio, leave_out_low: true, by_town: false, list_due: true };
    let (state, by) = match Screen::new(item, &kinds).place(&terms, level, &facts) {
        Placement::NotAnObject => (PlacementState::NotAnObject, None),
        Placement::Excluded(by) => (PlacementState::Excluded, Some(by)),
        Placement::Listed(by) => (PlacementState::Listed, Some(by)),
        Placement::Candidate { left_out: true, .. } => (PlacementState::LeftOut, None),
        Placement::Candidate { circumstance, .. } => (PlacementState::Drawn, circumstance),
    };
    let mut found = Vec::new();
    if state != expect.state {
        found.push(format!("应为{:?}，实为{state:?}", expect.state));
    }
    if by != expect.by.as_deref() {
        let shown = |by: Option<&str>| by.unwrap_or("无").to_owned();
        found.push(format!("理由应为{}，实为{}", shown(expect.by.as_deref()), shown(by)));
    }
    found
}

fn yes_no(flag: bool) -> String {
    Value::Flag(flag).to_string()
}

/// The records of a case as a ledger would hold them: a later version of the same state supersedes.
fn ledger_of(given: &[GivenRecord], kinds: &Kinds) -> Vec<Record> {
    let mut current: HashMap<(&str, Vec<Option<&Value>>), Seq> = HashMap::new();
    let mut records = Vec::with_capacity(given.len());
    for (line, record) in (1..).zip(given) {
        let Some(kind) = kinds.get(&record.kind) else { continue };
        let seq = Seq(line);
        let identity = kind.identity.iter().map(|field| record.fields.get(field)).collect();
        let previous = current.insert((&record.kind, identity), seq);
        records.push(Record {
            statement: Statement {
                seq,
                kind: record.kind.as_str().into(),
                occurred_on: record.occurred_on,
                version: version_of(kind, record),
                document_number: kind
                    .document_number
                    .as_ref()
                    .and_then(|field| record.fields.get(field)?.as_text().map(str::to_owned)),
                supersedes: previous.filter(|_| kind.nature == Nature::State),
                withdrawn: false,
                payload: record.fields.clone().into_iter().collect(),
            },
            id: RecordId { submission: 1, line, part: 0 },
            enterprise: None,
            received_at: Moment::midnight_in_china(record.received_on.unwrap_or(record.occurred_on)),
            source_unit: Text::default(),
            commitments: Commitments::default(),
        });
    }
    records
}

fn version_of(kind: &Kind, record: &GivenRecord) -> Option<Day> {
    let field = kind.version.as_ref().and_then(|field| record.fields.get(field)?.as_day());
    (kind.nature == Nature::State).then(|| field.unwrap_or(record.occurred_on))
}
