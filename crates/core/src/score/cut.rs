//! Where a model cannot tell records apart: for each thing it looks at, the values at which its answer
//! may change. Between two neighbouring cuts every record gives the same ([`Kernel::gifts`]), so whoever
//! has many records asks once for each class of them.
//!
//! Every struct of the format is taken apart without `..`: a new word does not compile until somebody has
//! said here where it cuts.
//!
//! [`Kernel::gifts`]: super::Kernel::gifts

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate};

use crate::history::{Kinds, full_months, within_months};
use crate::record::Day;
use crate::rulebook::kind::FieldType;
use crate::rulebook::model::{
    Condition, Decay, DecayStep, Filter, Measure, Model, Multiplier, Part, RepairedRecords, Requirement,
};

/// What a model looks at in the records of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cuts {
    /// Days of the records from which on the answer may be another.
    pub age: BTreeSet<Day>,
    /// Whether it matters that a record has ended.
    pub ended: bool,
    /// Days of their end from which on the answer may be another.
    pub ended_on: BTreeSet<Day>,
    /// Whether it matters that a record is repaired.
    pub repaired: bool,
    /// What it looks at in their fields. That a field is absent is always a class of its own.
    pub fields: BTreeMap<String, FieldCuts>,
}

/// What a model looks at in a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldCuts {
    /// Numbers from which on the answer may be another.
    pub numbers: BTreeSet<i64>,
    /// Days from which on the answer may be another.
    pub days: BTreeSet<Day>,
    /// Values that are compared as a whole.
    pub values: BTreeSet<String>,
    /// Beginnings that are looked for.
    pub beginnings: BTreeSet<String>,
    /// Whether the text is split into codes first, so that a text of several is a class of its own.
    pub splits: bool,
    /// Whether every value may be a class of its own.
    pub open: bool,
}

/// What a model looks at in the records of each kind, by the kinds' numbers; `None` where it looks at none.
#[must_use]
pub fn cuts(model: &Model, kinds: &Kinds, day: Day) -> Vec<Option<Cuts>> {
    let mut cutter = Cutter { model, kinds, day, cuts: vec![None; kinds.count()] };
    for Requirement { records, at_least: _, at_most: _ } in
        model.applies.iter().chain(model.overrides.iter().flat_map(|one| &one.when))
    {
        cutter.filter(records);
    }
    for dimension in &model.dimensions {
        if let Some(Multiplier { records, field, permille, otherwise: _ }) = &dimension.multiplier {
            cutter.filter(records);
            cutter.field(records, field, |_, cuts| cuts.beginnings.extend(permille.keys().cloned()));
        }
        for part in dimension.indicators.iter().flat_map(|indicator| &indicator.parts) {
            cutter.part(part);
        }
    }
    cutter.cuts
}

struct Cutter<'a> {
    model: &'a Model,
    kinds: &'a Kinds<'a>,
    day: Day,
    cuts: Vec<Option<Cuts>>,
}

impl Cutter<'_> {
    fn part(&mut self, part: &Part) {
        let Part {
            records,
            each: _,
            table,
            prefix_table,
            bands,
            share,
            count: _,
            ratio,
            permille: _,
            factor,
            decay,
            ended_permille,
            repaired_permille,
        } = part;
        self.filter(records);
        if let Some(table) = table {
            self.field(records, &table.field, |_, cuts| cuts.values.extend(table.points.keys().cloned()));
        }
        if let Some(table) = prefix_table {
            self.field(records, &table.field, |_, cuts| {
                cuts.beginnings.extend(table.points.keys().cloned());
                cuts.splits = true;
            });
        }
        if let Some(bands) = bands {
            self.measure(records, &bands.of, bands.steps.iter().filter_map(|band| band.below).collect());
        }
        if let Some(bands) = factor {
            self.measure(records, &bands.of, bands.steps.iter().filter_map(|band| band.below).collect());
        }
        if let Some(share) = share {
            self.field(records, &share.field, |_, cuts| cuts.open = true);
        }
        if let Some(ratio) = ratio {
            self.filter(&ratio.among);
        }
        if let Some(Decay { steps, linear_months }) = decay.as_ref().and_then(|name| self.model.decays.get(name)) {
            let day = self.day;
            for DecayStep { up_to_months, below_months, permille: _ } in steps.iter().flatten() {
                let up_to = up_to_months.map(|months| first_day(day, |own| within_months(own, months, day)));
                let below = below_months.map(|months| below(day, months.into()));
                self.of_kinds(records, |cuts| cuts.age.extend(up_to.into_iter().chain(below)));
            }
            let evenly: Vec<Day> =
                (0..=linear_months.unwrap_or(0).min(12_000)).map(|months| below(day, i64::from(months) + 1)).collect();
            if linear_months.is_some() {
                self.of_kinds(records, |cuts| cuts.age.extend(&evenly));
            }
        }
        let (by_end, by_repair) = (ended_permille.is_some(), repaired_permille.is_some());
        self.of_kinds(records, |cuts| {
            cuts.ended |= by_end;
            cuts.repaired |= by_repair;
        });
    }

    fn filter(&mut self, filter: &Filter) {
        let Filter {
            kinds: _,
            conditions,
            state,
            within_months: within,
            below_months,
            this_year,
            older_than_months,
            ended_within_months,
            repaired,
            repairable,
            latest: _,
        } = filter;
        let day = self.day;
        let year = this_year.then(|| NaiveDate::from_ymd_opt(day.year(), 1, 1)).flatten();
        let ages = within
            .map(|months| first_day(day, |own| within_months(own, months, day)))
            .into_iter()
            .chain(below_months.map(|months| below(day, months.into())))
            .chain(older_than_months.map(|months| below(day, months.into())))
            .chain(year);
        let ages: Vec<Day> = ages.collect();
        let end = ended_within_months.map(|months| first_day(day, |own| within_months(own, months, day)));
        self.of_kinds(filter, |cuts| {
            cuts.age.extend(&ages);
            cuts.ended |= state.is_some() || end.is_some();
            cuts.ended_on.extend(end);
            cuts.repaired |= *repaired == RepairedRecords::LeftOut;
        });
        for Condition { field, one_of, none_of, only, at_least, at_most, present: _ } in
            conditions.iter().chain(repairable)
        {
            let codes = self.holds_codes(filter, field);
            self.field(filter, field, |_, cuts| {
                let listed = one_of.iter().chain(none_of).chain(only).flatten();
                if codes {
                    cuts.beginnings.extend(listed.cloned());
                    cuts.splits = true;
                } else {
                    cuts.values.extend(listed.cloned());
                }
                cuts.numbers.extend(at_least.iter().copied().chain(at_most.and_then(|most| most.checked_add(1))));
            });
        }
    }

    /// Several kinds may share a filter; it reads their field as codes when one of them holds codes.
    fn holds_codes(&self, filter: &Filter, field: &str) -> bool {
        let mut fields = filter.kinds.iter().filter_map(|kind| self.kinds.get(kind)?.field(field));
        fields.any(|field| field.field_type == FieldType::Codes)
    }

    fn measure(&mut self, filter: &Filter, measure: &Measure, bounds: Vec<i64>) {
        let Measure { integer, months_since, days_since, days_until } = measure;
        if let Some(field) = integer {
            self.field(filter, field, |_, cuts| cuts.numbers.extend(&bounds));
        }
        if let Some(field) = months_since {
            self.field(filter, field, |day, cuts| cuts.days.extend(bounds.iter().map(|&bound| below(day, bound))));
        }
        if let Some(field) = days_since {
            let first = |day: Day, bound: i64| moved(day, bound.checked_neg()?.checked_add(1)?);
            self.field(filter, field, |day, cuts| {
                cuts.days.extend(bounds.iter().filter_map(|&bound| first(day, bound)))
            });
        }
        if let Some(field) = days_until {
            self.field(filter, field, |day, cuts| {
                cuts.days.extend(bounds.iter().filter_map(|&bound| moved(day, bound)))
            });
        }
    }

    fn field(&mut self, filter: &Filter, field: &str, mut cut: impl FnMut(Day, &mut FieldCuts)) {
        let day = self.day;
        self.of_kinds(filter, |cuts| {
            // Looked up first, because most words find the field there.
            if !cuts.fields.contains_key(field) {
                cuts.fields.insert(field.to_owned(), FieldCuts::default());
            }
            if let Some(field) = cuts.fields.get_mut(field) {
                cut(day, field);
            }
        });
    }

    fn of_kinds(&mut self, filter: &Filter, mut cut: impl FnMut(&mut Cuts)) {
        for kind in filter.kinds.iter().filter_map(|kind| self.kinds.number(kind)) {
            cut(self.cuts[kind].get_or_insert_default());
        }
    }
}

/// The first day from which fewer full months than these have passed on the day asked.
fn below(day: Day, months: i64) -> Day {
    first_day(day, |own| full_months(own, day) < months)
}

fn moved(day: Day, days: i64) -> Option<Day> {
    let by = Days::new(days.unsigned_abs());
    if days < 0 { day.checked_sub_days(by) } else { day.checked_add_days(by) }
}

/// The first day on which something holds that, once it holds, holds on every later day. Looked for within
/// a thousand years of the day asked.
fn first_day(day: Day, holds: impl Fn(Day) -> bool) -> Day {
    let (mut low, mut high) = (-365_250_i64, 365_250_i64);
    while low < high {
        let middle = low + (high - low).div_euclid(2);
        if moved(day, middle).is_some_and(&holds) { high = middle } else { low = middle + 1 }
    }
    moved(day, low).unwrap_or(day)
}
