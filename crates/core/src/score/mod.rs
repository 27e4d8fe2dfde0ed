//! The scoring kernel: what the words of an indicator model mean. One enterprise at a time, integers
//! only, every caller the same code.
//!
//! A record's points are a product (see [`Arithmetic`]), rounded down towards zero once. An indicator is
//! the sum (or the greatest) of its records' points within ± its cap; a dimension the sum of its
//! indicators, times its multiplier, within ± its cap; the total the sum of the dimensions within the
//! scale. What a cap cuts off is taken from the last parts first, so that the parts always sum to the
//! whole.
//!
//! The kernel works in two strides. First every record gives to the slots that it matches
//! ([`Kernel::gifts`]), which depends on that record and the day alone; then the slots conclude to a
//! total and a level ([`Kernel::conclude`]). An assessment is both, with the records behind every point.

mod arithmetic;
mod conclusion;
pub mod cut;
mod filter;
mod fit;
pub mod fold;
mod slot;

pub use arithmetic::Arithmetic;
pub use conclusion::{Conclusion, DimensionPoints};
pub use slot::{Gather, Gift, Kept, Slot, Tally};

pub(crate) use filter::{CompiledFilter, CompiledRequirement, fulfils, holds};

use std::ops::RangeInclusive;

use conclusion::heaviest_first;
use filter::counts;
use slot::Purpose;

use crate::history::{Fact, Facts, Kinds};
use crate::points::Points;
use crate::record::{Day, Seq};
use crate::rulebook::model::{Combine, Filter, Model, Part, Requirement};

/// A model made ready for the kinds of a day.
pub struct Kernel<'a> {
    model: &'a Model,
    slots: Vec<Slot<'a>>,
    /// For each kind: the slots that its records may match.
    of_kind: Vec<Vec<usize>>,
    applies: Vec<Needed>,
    dimensions: Vec<DimensionSlots>,
    overrides: Vec<Vec<Needed>>,
}

/// How many records a slot must hold.
struct Needed {
    slot: usize,
    counts: RangeInclusive<usize>,
}

struct DimensionSlots {
    multiplier: Option<usize>,
    indicators: Vec<IndicatorSlots>,
}

struct IndicatorSlots {
    parts: Vec<PartSlots>,
}

struct PartSlots {
    own: usize,
    /// Where the part takes a share: the records among which.
    among: Option<usize>,
}

/// What a model says of an enterprise on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// Total points, within the scale.
    pub total: Points,
    /// Level by points alone, as an index into the model's levels.
    pub level_by_points: usize,
    /// Final level, as an index into the model's levels.
    pub level: usize,
    /// Indicators with points; they sum to the total.
    pub indicators: Vec<IndicatorPoints>,
    /// Overrides whose requirements hold, in the model's order.
    pub overrides: Vec<AppliedOverride>,
}

/// Points of an indicator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndicatorPoints {
    /// Indices of the dimension and of the indicator within it.
    pub place: (usize, usize),
    /// What counts towards the total.
    pub points: Points,
    /// What the records came to before any cap.
    pub before_caps: Points,
    /// After the indicator's own cap, before the dimension's multiplier and cap and the scale's.
    pub capped: Points,
    /// After the dimension's multiplier, in thousandths, where it has one.
    pub multiplied: Option<(u32, Points)>,
    /// The records; they sum to `points`.
    pub records: Vec<RecordPoints>,
}

/// Points of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordPoints {
    /// Place in the ledger.
    pub seq: Seq,
    /// What counts towards the total, after the caps.
    pub points: Points,
    /// How its points came about, before the caps.
    pub arithmetic: Arithmetic,
}

/// An override whose requirements hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedOverride {
    /// Index into the model's overrides.
    pub place: usize,
    /// The records that made it apply.
    pub records: Vec<Seq>,
    /// The level after it, as an index.
    pub level: usize,
}

/// A record that gave to a slot.
#[derive(Clone, Copy)]
struct Given {
    slot: usize,
    seq: Seq,
    gift: Gift,
}

impl<'a> Kernel<'a> {
    /// Makes a model ready. The rulebook's loader has checked that all names it uses exist.
    #[must_use]
    pub fn new(model: &'a Model, kinds: &Kinds) -> Self {
        let mut slots = Vec::new();
        let mut slot = |filter: &'a Filter, purpose, gather| {
            slots.push(Slot { filter: CompiledFilter::new(filter, kinds), purpose, gather });
            slots.len() - 1
        };
        let mut needed = |list: &'a [Requirement]| -> Vec<Needed> {
            let one = |one: &'a Requirement| Needed {
                slot: slot(
                    &one.records,
                    Purpose::Count,
                    if one.records.latest { Gather::Latest } else { Gather::Count },
                ),
                counts: counts(one),
            };
            list.iter().map(one).collect()
        };
        let applies = needed(&model.applies);
        let overrides = model.overrides.iter().map(|one| needed(&one.when)).collect();
        let dimensions = model
            .dimensions
            .iter()
            .map(|dimension| DimensionSlots {
                multiplier: dimension
                    .multiplier
                    .as_ref()
                    .map(|rule| slot(&rule.records, Purpose::Multiplier(rule), Gather::Latest)),
                indicators: dimension
                    .indicators
                    .iter()
                    .map(|indicator| IndicatorSlots {
                        parts: indicator
                            .parts
                            .iter()
                            .map(|part| {
                                let gather = gather(part, indicator.combine);
                                let decay = part.decay.as_ref().map(|name| &model.decays[name]);
                                let own = slot(&part.records, Purpose::Points(part, decay), gather);
                                let among = part.ratio.as_ref();
                                let among = among.map(|ratio| slot(&ratio.among, Purpose::Count, Gather::Count));
                                PartSlots { own, among }
                            })
                            .collect(),
                    })
                    .collect(),
            })
            .collect();
        let mut of_kind = vec![Vec::new(); kinds.count()];
        for (place, slot) in slots.iter().enumerate() {
            for &kind in &slot.filter.kinds {
                of_kind[kind].push(place);
            }
        }
        Self { model, slots, of_kind, applies, dimensions, overrides }
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &'a Model {
        self.model
    }

    /// The slots, in the order of their numbers.
    #[must_use]
    pub fn slots(&self) -> &[Slot<'a>] {
        &self.slots
    }

    /// Whether records of a kind can give to any slot.
    #[must_use]
    pub fn looks_at(&self, kind: usize) -> bool {
        !self.of_kind[kind].is_empty()
    }

    /// The slots that records of a kind may give to.
    #[must_use]
    pub fn slots_of(&self, kind: usize) -> &[usize] {
        &self.of_kind[kind]
    }

    /// What a record of a kind gives on a day, and to which slots. It depends on this record, what became
    /// of it, and the day alone.
    pub fn gifts(&self, fact: &Fact, kind: usize, day: Day, mut give: impl FnMut(usize, Gift)) {
        for &place in &self.of_kind[kind] {
            if let Some(gift) = self.slots[place].gift(fact, day) {
                give(place, gift);
            }
        }
    }

    /// What the model says of an enterprise; `None` when it does not grade it.
    #[must_use]
    pub fn assess(&self, facts: &Facts) -> Option<Assessment> {
        let mut gifts = Vec::new();
        for kind in (0..self.of_kind.len()).filter(|&kind| self.looks_at(kind)) {
            for fact in facts.of(kind) {
                let (day, seq) = (fact.record.occurred_on, fact.record.seq);
                self.gifts(fact, kind, facts.day, |slot, gift| gifts.push((slot, Kept { day, seq, gift })));
            }
        }
        self.assess_gifts(gifts)
    }

    /// The same of what the records gave ([`Kernel::gifts`]), for whoever has asked for that before: by slot.
    #[must_use]
    pub fn assess_gifts(&self, gifts: impl IntoIterator<Item = (usize, Kept)>) -> Option<Assessment> {
        let mut tallies = vec![Tally::default(); self.slots.len()];
        let mut given = Vec::new();
        for (slot, kept) in gifts {
            tallies[slot].add(self.slots[slot].gather, kept);
            given.push(Given { slot, seq: kept.seq, gift: kept.gift });
        }
        let Conclusion { dimensions, total, level_by_points, level, overrides } = self.conclude(&tallies)?;
        given.sort_by_key(|one| (one.slot, one.seq));
        let given = |slot: usize| {
            let start = given.partition_point(|one| one.slot < slot);
            given[start..].iter().take_while(move |one| one.slot == slot)
        };
        let mut indicators: Vec<Vec<IndicatorPoints>> = Vec::with_capacity(dimensions.len());
        for (dimension, sums) in dimensions.iter().enumerate() {
            let mut within: Vec<_> = sums
                .indicators
                .iter()
                .enumerate()
                .map(|(indicator, &(before_caps, capped))| {
                    let slots = &self.dimensions[dimension].indicators[indicator];
                    let combine = self.model.dimensions[dimension].indicators[indicator].combine;
                    let mut records: Vec<(Seq, Arithmetic)> = Vec::new();
                    for part in &slots.parts {
                        if self.slots[part.own].gather == Gather::Sum {
                            records.extend(given(part.own).filter_map(|one| match one.gift {
                                Gift::Points(arithmetic) => Some((one.seq, arithmetic)),
                                Gift::One | Gift::Permille(_) => None,
                            }));
                        } else {
                            records.extend(self.kept(part, &tallies));
                        }
                    }
                    records.retain(|(_, arithmetic)| arithmetic.result() != Points::ZERO);
                    records.sort_by_key(heaviest_first);
                    if combine == Combine::Max {
                        records.truncate(1);
                    }
                    let records = records
                        .into_iter()
                        .map(|(seq, arithmetic)| RecordPoints { seq, points: arithmetic.result(), arithmetic })
                        .collect();
                    let place = (dimension, indicator);
                    let points = before_caps;
                    let mut one = IndicatorPoints { place, points, before_caps, capped, multiplied: None, records };
                    one.shrink(capped);
                    one
                })
                .collect();
            if let Some(permille) = sums.multiplier {
                fit::multiply_indicators(within.iter_mut(), permille, sums.multiplied);
                for one in &mut within {
                    one.multiplied = Some((permille, one.points));
                }
            }
            fit::shrink_indicators(within.iter_mut(), sums.capped);
            indicators.push(within);
        }
        fit::shrink_indicators(indicators.iter_mut().flatten(), total);
        let mut indicators: Vec<_> = indicators.into_iter().flatten().collect();
        indicators.retain(|indicator| indicator.before_caps != Points::ZERO);
        let records = |needed: &Needed| -> Vec<Seq> {
            match tallies[needed.slot].kept {
                Some(kept) => vec![kept.seq],
                None => given(needed.slot).map(|one| one.seq).collect(),
            }
        };
        let overrides = overrides
            .into_iter()
            .map(|(place, level)| {
                let records = self.overrides[place].iter().flat_map(records).collect();
                AppliedOverride { place, records, level }
            })
            .collect();
        Some(Assessment { total, level_by_points, level, indicators, overrides })
    }
}

/// How a part's records are put together.
fn gather(part: &Part, combine: Combine) -> Gather {
    if part.records.latest || part.count.is_some() || part.ratio.is_some() {
        Gather::Latest
    } else if combine == Combine::Max {
        Gather::Greatest
    } else {
        Gather::Sum
    }
}
