//! Carrying out the cases (算例) of a model with the kernel.

use std::collections::{BTreeMap, HashMap};

use super::cases::{Case, GivenRecord};
use super::kind::{Kind, Nature};
use super::model::Model;
use crate::history::{Facts, Kinds};
use crate::points::Points;
use crate::record::{Moment, Payload, Record, RecordId, Seq, Value};
use crate::score::Kernel;

/// What a case expected and what came out instead; empty when the case holds.
#[must_use]
pub fn mismatches(case: &Case, model: &Model, kinds: &Kinds) -> Vec<String> {
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
            seq,
            id: RecordId { submission: 1, line, part: 0 },
            enterprise: None,
            kind: record.kind.clone(),
            occurred_on: record.occurred_on,
            version: version_of(kind, record),
            received_at: Moment::from_micros(0).expect("the epoch"),
            source_unit: String::new(),
            document_number: kind
                .document_number
                .as_ref()
                .and_then(|field| record.fields.get(field)?.as_text().map(str::to_owned)),
            supersedes: previous.filter(|_| kind.nature == Nature::State),
            withdrawn: false,
            payload: Payload(record.fields.clone()),
            commitments: BTreeMap::new(),
        });
    }
    records
}

fn version_of(kind: &Kind, record: &GivenRecord) -> Option<crate::record::Day> {
    let field = kind.version.as_ref().and_then(|field| record.fields.get(field)?.as_day());
    (kind.nature == Nature::State).then(|| field.unwrap_or(record.occurred_on))
}
