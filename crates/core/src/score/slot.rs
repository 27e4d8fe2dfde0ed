//! Slots: the places where a model gathers records. A record's effect on a slot depends on that record
//! and the day alone, so that whoever has many records may work it out once for all that look alike.

use super::arithmetic::{self, Arithmetic};
use super::filter::CompiledFilter;
use crate::history::Fact;
use crate::points::Points;
use crate::record::{Day, Seq};
use crate::rulebook::model::{Decay, Multiplier, Part};

/// One use of a filter by a model.
pub struct Slot<'a> {
    pub(super) filter: CompiledFilter<'a>,
    pub(super) purpose: Purpose<'a>,
    /// How the records that match are put together.
    pub gather: Gather,
}

/// What the records of a slot are for.
pub(super) enum Purpose<'a> {
    /// And the decay it names.
    Points(&'a Part, Option<&'a Decay>),
    Multiplier(&'a Multiplier),
    Count,
}

/// How the records of a slot are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gather {
    /// Their points add up.
    Sum,
    /// The one with the most points, whatever their sign, is kept; the earliest in the ledger among equals.
    Greatest,
    /// The latest by day is kept, the last in the ledger among equals.
    Latest,
    /// They are only counted.
    Count,
}

/// What a record gives to a slot that it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gift {
    /// It is one more.
    One,
    /// Points.
    Points(Arithmetic),
    /// A multiplier of a dimension, in thousandths.
    Permille(u32),
}

/// What a slot holds once all records of an enterprise have been seen, in whatever order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Records that matched.
    pub count: u32,
    /// Sum of their points, where they add up.
    pub sum: Points,
    /// The record kept, where one is.
    pub kept: Option<Kept>,
}

/// The record that a slot keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its day.
    pub day: Day,
    /// Its place in the ledger.
    pub seq: Seq,
    /// What it gives.
    pub gift: Gift,
}

impl Gift {
    /// Its points, if it is points.
    #[must_use]
    pub fn points(self) -> Points {
        match self {
            Self::Points(arithmetic) => arithmetic.result(),
            Self::One | Self::Permille(_) => Points::ZERO,
        }
    }
}

impl Tally {
    /// Takes one more record in.
    pub fn add(&mut self, gather: Gather, record: Kept) {
        self.count += 1;
        let is_before = |kept: &Kept| match gather {
            Gather::Greatest => {
                let weight = |one: &Kept| (one.gift.points().milli().abs(), std::cmp::Reverse(one.seq));
                weight(kept) < weight(&record)
            }
            Gather::Latest => (kept.day, kept.seq) < (record.day, record.seq),
            Gather::Sum | Gather::Count => false,
        };
        match gather {
            Gather::Sum => self.sum += record.gift.points(),
            Gather::Count => {}
            Gather::Greatest | Gather::Latest => {
                if self.kept.as_ref().is_none_or(is_before) {
                    self.kept = Some(record);
                }
            }
        }
    }
}

impl Slot<'_> {
    /// What a record gives to the slot; `None` when it does not match.
    pub(super) fn gift(&self, fact: &Fact, day: Day) -> Option<Gift> {
        if !self.filter.matches(fact, day) {
            return None;
        }
        Some(match self.purpose {
            Purpose::Points(part, decay) => {
                arithmetic::of_record(part, decay, fact, day).map_or(Gift::One, Gift::Points)
            }
            Purpose::Multiplier(rule) => Gift::Permille(arithmetic::multiplier(rule, &fact.record.payload)),
            Purpose::Count => Gift::One,
        })
    }

    /// How many records count: only one where the filter takes the latest.
    pub(super) fn count(&self, tally: &Tally) -> usize {
        self.counted(tally.count)
    }

    /// The same of a bare number of records that matched.
    pub(super) fn counted(&self, count: u32) -> usize {
        let count = count as usize;
        if self.filter.is_latest() { count.min(1) } else { count }
    }
}
