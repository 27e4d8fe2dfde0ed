//! As of a day: which of an enterprise's records are in effect, which have ended, which are repaired.

use std::collections::HashMap;

use chrono::{Datelike, Months};

use crate::record::{Day, Seq, Statement};
use crate::rulebook::kind::{EndedBy, Kind, Nature};
use crate::score::fulfils;

/// The kinds of record valid on a day, each with a small number that stands for it in the kernel.
pub struct Kinds<'a> {
    all: Vec<&'a Kind>,
    numbers: HashMap<&'a str, usize>,
}

impl<'a> Kinds<'a> {
    /// Numbers the kinds in the order given.
    pub fn new(kinds: impl IntoIterator<Item = &'a Kind>) -> Self {
        let all: Vec<_> = kinds.into_iter().collect();
        let numbers = all.iter().enumerate().map(|(number, kind)| (kind.rule.id.value.as_str(), number)).collect();
        Self { all, numbers }
    }

    /// The number of a kind.
    #[must_use]
    pub fn number(&self, id: &str) -> Option<usize> {
        self.numbers.get(id).copied()
    }

    /// The kind of that name.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&'a Kind> {
        self.number(id).map(|number| self.all[number])
    }

    /// All of them, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &'a Kind> + '_ {
        self.all.iter().copied()
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.all.len()
    }
}

/// A record in effect, with what other records did to it.
#[derive(Clone, Copy, Debug)]
pub struct Fact<'a> {
    /// The record.
    pub record: &'a Statement,
    /// The first day on which it is no longer in effect, if that day has come.
    pub ended_on: Option<Day>,
    /// The day of its repair, if that day has come.
    pub repaired_on: Option<Day>,
    /// The day on which it was published, if that is proved.
    pub published_on: Option<Day>,
}

/// What is known of one enterprise as of a day, by kind.
pub struct Facts<'a> {
    /// The day.
    pub day: Day,
    by_kind: Vec<Vec<Fact<'a>>>,
}

impl<'a> Facts<'a> {
    /// Takes the records of one enterprise that were known at the chosen seq, in ledger order.
    #[must_use]
    pub fn new(records: &'a [impl AsRef<Statement>], day: Day, kinds: &Kinds) -> Self {
        Self::of_statements(records.iter().map(AsRef::as_ref), day, kinds)
    }

    fn of_statements(records: impl Iterator<Item = &'a Statement>, day: Day, kinds: &Kinds) -> Self {
        let mut by_kind: Vec<Vec<Fact<'a>>> = vec![Vec::new(); kinds.count()];
        for record in in_effect(records, day, kinds) {
            let number = kinds.number(&record.kind).expect("in_effect leaves unknown kinds out");
            by_kind[number].push(Fact { record, ended_on: None, repaired_on: None, published_on: None });
        }
        for (number, kind) in kinds.all.iter().enumerate() {
            let mut facts = std::mem::take(&mut by_kind[number]);
            for fact in &mut facts {
                let others = |by: &EndedBy| {
                    let number = kinds.number(&by.kind);
                    number.map_or((&[][..], *kind), |other| (&by_kind[other][..], kinds.all[other]))
                };
                let ends = kind.ends.as_ref();
                let last_day =
                    ends.and_then(|ends| ends.on.as_deref()).and_then(|field| fact.record.payload.day(field));
                let ended_by = ends.and_then(|ends| ends.by.as_ref()).and_then(|by| first_match(fact, by, others(by)));
                fact.ended_on = last_day
                    .and_then(|last| last.succ_opt())
                    .into_iter()
                    .chain(ended_by)
                    .min()
                    .filter(|&end| end <= day);
                fact.repaired_on = kind.repaired.as_ref().and_then(|by| first_match(fact, by, others(by)));
                let proved = kind.publicity.as_ref().and_then(|rule| rule.proved.as_ref());
                fact.published_on = proved.and_then(|by| first_match(fact, by, others(by)));
            }
            by_kind[number] = facts;
        }
        Self { day, by_kind }
    }

    /// Supposes that a record is repaired, to see what that would change.
    pub fn suppose_repaired(&mut self, seq: Seq) {
        let day = self.day;
        for fact in self.by_kind.iter_mut().flatten().filter(|fact| fact.record.seq == seq) {
            fact.repaired_on.get_or_insert(day);
        }
    }

    /// Facts of the kind of that name, in ledger order; none when it is unknown.
    #[must_use]
    pub fn get(&self, kind: &str, kinds: &Kinds) -> &[Fact<'a>] {
        kinds.number(kind).map_or(&[], |number| self.of(number))
    }

    /// Facts of a kind, in ledger order.
    #[must_use]
    pub fn of(&self, kind: usize) -> &[Fact<'a>] {
        &self.by_kind[kind]
    }
}

/// The day of the first record that ends or repairs this one.
fn first_match(fact: &Fact, by: &EndedBy, (others, kind): (&[Fact], &Kind)) -> Option<Day> {
    others
        .iter()
        .map(|other| other.record)
        .filter(|other| other.occurred_on >= fact.record.occurred_on)
        .filter(|other| {
            by.matching.iter().all(|(own, others)| {
                let value = fact.record.payload.get(own);
                value.is_some() && value == other.payload.get(others)
            })
        })
        .filter(|other| by.conditions.iter().all(|condition| fulfils(condition, kind, &other.payload)))
        .map(|other| other.occurred_on)
        .min()
}

/// The records in effect as of a day, in ledger order.
///
/// An event counts from its day, in its last known wording. Of a state's versions the newest not later
/// than the day counts; where all are later, the oldest, because it is the best knowledge of that day;
/// in both cases only from the day the thing began. What was withdrawn does not count.
fn in_effect<'a>(records: impl Iterator<Item = &'a Statement>, day: Day, kinds: &Kinds) -> Vec<&'a Statement> {
    let (least, _) = records.size_hint();
    let mut chains: Vec<Vec<&Statement>> = Vec::with_capacity(least);
    let mut chain_of: HashMap<Seq, usize> = HashMap::with_capacity(least);
    for record in records {
        let chain = record.supersedes.and_then(|seq| chain_of.get(&seq).copied()).unwrap_or_else(|| {
            chains.push(Vec::with_capacity(1));
            chains.len() - 1
        });
        chains[chain].push(record);
        chain_of.insert(record.seq, chain);
    }
    let mut current: Vec<&Statement> = chains
        .iter()
        .filter_map(|chain| {
            let last = chain.last()?;
            let chosen = match kinds.get(&last.kind)?.nature {
                Nature::Event => last,
                Nature::State => chain.iter().rev().find(|record| record.version <= Some(day)).or_else(|| {
                    let oldest = chain.iter().map(|record| record.version).min()?;
                    chain.iter().rev().find(|record| record.version == oldest)
                })?,
            };
            (!chosen.withdrawn && chosen.occurred_on <= day).then_some(*chosen)
        })
        .collect();
    current.sort_by_key(|record| record.seq);
    current
}

/// Full calendar months from one day to a later one; negative when it is earlier.
#[must_use]
pub fn full_months(from: Day, to: Day) -> i64 {
    let months = i64::from(to.year() - from.year()) * 12 + i64::from(to.month()) - i64::from(from.month());
    months - i64::from(from.day() > to.day())
}

/// Whether `day` is at most `months` full months before `on`, the same day of the month included.
#[must_use]
pub fn within_months(day: Day, months: u32, on: Day) -> bool {
    day.checked_add_months(Months::new(months)).is_none_or(|bound| on <= bound)
}
