//! Which records a filter takes.

use chrono::Datelike;

use crate::history::{Fact, Facts, Kinds, full_months, within_months};
use crate::record::{Day, Payload, Record, Seq, Value};
use crate::rulebook::kind::{FieldType, Kind};
use crate::rulebook::model::{Condition, Filter, RepairedRecords, Requirement, State};

/// A filter made ready for the kinds of a day.
pub(crate) struct CompiledFilter<'a> {
    filter: &'a Filter,
    /// Numbers of its kinds.
    pub kinds: Vec<usize>,
    conditions: Vec<CompiledCondition<'a>>,
    repairable: Vec<CompiledCondition<'a>>,
}

/// A condition, and whether its field holds several codes.
struct CompiledCondition<'a>(&'a Condition, bool);

/// A requirement made ready for the kinds of a day.
pub(crate) struct CompiledRequirement<'a> {
    filter: CompiledFilter<'a>,
    counts: std::ops::RangeInclusive<usize>,
}

impl<'a> CompiledRequirement<'a> {
    pub(crate) fn new(requirement: &'a Requirement, kinds: &Kinds) -> Self {
        Self { filter: CompiledFilter::new(&requirement.records, kinds), counts: counts(requirement) }
    }

    /// The matching records when there are as many as required.
    pub(crate) fn holds(&self, facts: &Facts) -> Option<Vec<Seq>> {
        let all = self.filter.kinds.iter().flat_map(|&kind| facts.of(kind));
        let mut matching: Vec<&Fact> = all.filter(|fact| self.filter.matches(fact, facts.day)).collect();
        if self.filter.is_latest() {
            matching = matching
                .into_iter()
                .max_by_key(|fact| (fact.record.occurred_on, fact.record.seq))
                .into_iter()
                .collect();
        }
        self.counts.contains(&matching.len()).then(|| matching.iter().map(|fact| fact.record.seq).collect())
    }
}

/// How many records a requirement wants.
pub(super) fn counts(requirement: &Requirement) -> std::ops::RangeInclusive<usize> {
    let least = requirement.at_least.unwrap_or(u32::from(requirement.at_most.is_none())) as usize;
    let most = requirement.at_most.map_or(usize::MAX, |most| most as usize);
    least..=most
}

impl<'a> CompiledFilter<'a> {
    pub(super) fn new(filter: &'a Filter, kinds: &Kinds) -> Self {
        let compiled = |conditions: &'a [Condition]| {
            let holds_codes = |condition: &Condition| {
                let mut fields = filter.kinds.iter().filter_map(|kind| kinds.get(kind)?.field(&condition.field));
                fields.any(|field| field.field_type == FieldType::Codes)
            };
            conditions.iter().map(|condition| CompiledCondition(condition, holds_codes(condition))).collect()
        };
        Self {
            filter,
            kinds: filter.kinds.iter().filter_map(|kind| kinds.number(kind)).collect(),
            conditions: compiled(&filter.conditions),
            repairable: compiled(&filter.repairable),
        }
    }

    /// Whether only the latest of the records that match is taken.
    pub(super) fn is_latest(&self) -> bool {
        self.filter.latest
    }

    /// Whether a record of one of its kinds matches on a day.
    pub(super) fn matches(&self, fact: &Fact, day: Day) -> bool {
        let filter = self.filter;
        let Record { occurred_on, payload, .. } = fact.record;
        let hold = |conditions: &[CompiledCondition]| {
            conditions.iter().all(|CompiledCondition(condition, codes)| holds(condition, *codes, payload))
        };
        let state = if fact.ended_on.is_some() { State::Ended } else { State::Active };
        let is_left_out =
            || filter.repaired == RepairedRecords::LeftOut && fact.repaired_on.is_some() && hold(&self.repairable);
        filter.state.is_none_or(|wanted| wanted == state)
            && filter.within_months.is_none_or(|months| within_months(*occurred_on, months, day))
            && filter.below_months.is_none_or(|months| full_months(*occurred_on, day) < i64::from(months))
            && (!filter.this_year || occurred_on.year() == day.year())
            && filter.older_than_months.is_none_or(|months| full_months(*occurred_on, day) >= i64::from(months))
            && filter
                .ended_within_months
                .is_none_or(|months| fact.ended_on.is_some_and(|end| within_months(end, months, day)))
            && !is_left_out()
            && hold(&self.conditions)
    }
}

/// A value as rule files write it in tables and conditions.
pub(super) fn as_key(value: &Value) -> std::borrow::Cow<'_, str> {
    match value {
        Value::Text(text) => text.into(),
        Value::Integer(number) => number.to_string().into(),
        Value::Flag(flag) => flag.to_string().into(),
    }
}

/// Whether a record of the kind fulfils a condition.
pub(crate) fn fulfils(condition: &Condition, kind: &Kind, payload: &Payload) -> bool {
    let codes = kind.field(&condition.field).is_some_and(|field| field.field_type == FieldType::Codes);
    holds(condition, codes, payload)
}

pub(crate) fn holds(condition: &Condition, codes: bool, payload: &Payload) -> bool {
    let value = payload.get(&condition.field);
    let is_among = |list: &[String]| {
        value.map(as_key).is_some_and(|value| {
            if codes {
                value.split(',').any(|code| list.iter().any(|prefix| code.starts_with(prefix.as_str())))
            } else {
                list.iter().any(|one| *one == value)
            }
        })
    };
    let is_only = |list: &[String]| {
        value.map(as_key).is_some_and(|value| {
            let is_listed = |code: &str| list.iter().any(|one| if codes { code.starts_with(one) } else { code == one });
            if codes { value.split(',').all(is_listed) } else { is_listed(&value) }
        })
    };
    let number = || value.and_then(Value::as_integer);
    condition.one_of.as_deref().is_none_or(is_among)
        && !condition.none_of.as_deref().is_some_and(is_among)
        && condition.only.as_deref().is_none_or(is_only)
        && condition.at_least.is_none_or(|least| number().is_some_and(|number| number >= least))
        && condition.at_most.is_none_or(|most| number().is_some_and(|number| number <= most))
        && condition.present.is_none_or(|present| value.is_some() == present)
}
