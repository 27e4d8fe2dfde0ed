//! Which records a filter takes.

use chrono::Datelike;

use crate::history::{Fact, Facts, Kinds, full_months, within_months};
use crate::record::{Day, Payload, Seq, Statement, Value};
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
        let matching = self.filter.all_matching(facts);
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
    pub(crate) fn new(filter: &'a Filter, kinds: &Kinds) -> Self {
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

    /// The records that match.
    pub(crate) fn all_matching<'f, 'r>(&self, facts: &'f Facts<'r>) -> Vec<&'f Fact<'r>> {
        let all = self.kinds.iter().flat_map(|&kind| facts.of(kind));
        let matching = all.filter(|fact| self.matches(fact, facts.day));
        if self.is_latest() {
            return matching.max_by_key(|fact| (fact.record.occurred_on, fact.record.seq)).into_iter().collect();
        }
        matching.collect()
    }

    /// Whether only the latest of the records that match is taken.
    pub(super) fn is_latest(&self) -> bool {
        self.filter.latest
    }

    /// Whether a record of one of its kinds matches on a day.
    pub(super) fn matches(&self, fact: &Fact, day: Day) -> bool {
        let filter = self.filter;
        let Statement { occurred_on, payload, .. } = fact.record;
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
        Value::Text(text) => text.as_str().into(),
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
    let text = || value.map(as_key);
    let is_listed = |list: &[String], code: &str| {
        list.iter().any(|one| if codes { code.starts_with(one.as_str()) } else { code == one })
    };
    let is_among = |list: &[String]| {
        text().is_some_and(|text| {
            if codes { text.split(',').any(|code| is_listed(list, code)) } else { is_listed(list, &text) }
        })
    };
    let is_only = |list: &[String]| {
        text().is_some_and(|text| {
            if codes { text.split(',').all(|code| is_listed(list, code)) } else { is_listed(list, &text) }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Condition, Payload, Value, holds};

    /// The type of the field, the condition, values that fulfil it, values that do not; `-` is none.
    const CONDITIONS: [(&str, &str, &str, &str); 14] = [
        ("text", "one_of: [甲, 乙]", "甲 乙", "丙 甲村 甲,乙 -"),
        ("text", "none_of: [甲, 乙]", "丙 甲村 甲,乙 -", "甲 乙"),
        ("text", "only: [甲, 乙]", "甲 乙", "丙 甲村 甲,乙 -"),
        ("codes", "one_of: ['01', '27']", "01 0104 99,0104 2701", "99 1 -"),
        ("codes", "none_of: ['01', '27']", "99 1 -", "01 0104 99,0104 2701"),
        ("codes", "only: ['01', '27']", "01 0104 01,2701", "99 1 01,99 99,01 -"),
        ("flag", "one_of: ['true']", "true", "false -"),
        ("integer", "one_of: ['2', '3']", "2 3", "1 23 -"),
        ("integer", "at_least: 2", "2 3", "1 -"),
        ("integer", "at_most: 2", "1 2", "3 -"),
        ("integer", "at_least: 2, at_most: 3, none_of: ['3']", "2", "1 3 4 -"),
        ("text", "at_least: 2", "", "2 3"),
        ("text", "present: true", "甲 乙", "-"),
        ("text", "present: false", "-", "甲 乙"),
    ];

    #[test]
    fn every_word_of_a_condition_says_which_values_fulfil_it() {
        for (kind, words, fulfil, fail) in CONDITIONS {
            let condition: Condition = serde_saphyr::from_str(&format!("{{field: it, {words}}}")).unwrap();
            let value = |text: &str| match kind {
                _ if text == "-" => None,
                "flag" => Some(Value::Flag(text.parse().unwrap())),
                "integer" => Some(Value::Integer(text.parse().unwrap())),
                _ => Some(Value::from(text)),
            };
            for (expected, values) in [(true, fulfil), (false, fail)] {
                for text in values.split_whitespace() {
                    let payload = value(text).map(|value| ("it", value)).into_iter().collect::<Payload>();
                    assert_eq!(holds(&condition, kind == "codes", &payload), expected, "{kind}, {words}: {text}");
                }
            }
        }
    }
}
