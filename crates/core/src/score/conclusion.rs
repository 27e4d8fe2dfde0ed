//! From what the slots hold to a total and a level.

use super::arithmetic::{Arithmetic, band_of};
use super::slot::{Gift, Purpose, Tally};
use super::{IndicatorSlots, Kernel, Needed, PartSlots};
use crate::points::Points;
use crate::record::Seq;
use crate::rulebook::model::{Combine, Effect};

/// What a model says of an enterprise, without the records behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conclusion {
    /// Indicators of each dimension, in the model's order.
    pub dimensions: Vec<DimensionPoints>,
    /// Total points, within the scale.
    pub total: Points,
    /// Level by points alone, as an index into the model's levels.
    pub level_by_points: usize,
    /// Final level, as an index into the model's levels.
    pub level: usize,
    /// Overrides that hold, in the order in which they act, each with the level after it.
    pub overrides: Vec<(usize, usize)>,
}

/// Points of a dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DimensionPoints {
    /// Its indicators, each before and after its own cap.
    pub indicators: Vec<(Points, Points)>,
    /// By what their sum was multiplied, in thousandths.
    pub multiplier: Option<u32>,
    /// The sum, multiplied.
    pub multiplied: Points,
    /// The same after the dimension's cap.
    pub capped: Points,
}

impl Kernel<'_> {
    /// Total and level by what the slots hold; `None` when the model does not grade such an enterprise.
    #[must_use]
    pub fn conclude(&self, tallies: &[Tally]) -> Option<Conclusion> {
        if !self.applies.iter().all(|needed| self.is_met(needed, tallies)) {
            return None;
        }
        let dimensions: Vec<DimensionPoints> = self
            .model
            .dimensions
            .iter()
            .zip(&self.dimensions)
            .map(|(rule, slots)| {
                let indicators: Vec<(Points, Points)> = slots
                    .indicators
                    .iter()
                    .zip(&rule.indicators)
                    .map(|(slots, indicator)| {
                        let points = self.indicator(slots, indicator.combine, tallies);
                        (points, points.clamp(-indicator.cap, indicator.cap))
                    })
                    .collect();
                let sum: Points = indicators.iter().map(|(_, capped)| *capped).sum();
                let multiplier = rule.multiplier.as_ref().zip(slots.multiplier).map(|(rule, slot)| {
                    match tallies[slot].kept.map(|kept| kept.gift) {
                        Some(Gift::Permille(permille)) => permille,
                        _ => rule.otherwise,
                    }
                });
                let multiplied = multiplier.map_or(sum, |permille| sum.scaled(permille.into(), 1000));
                let capped = multiplied.clamp(-rule.cap, rule.cap);
                DimensionPoints { indicators, multiplier, multiplied, capped }
            })
            .collect();
        let scale = self.model.scale;
        let total = dimensions.iter().map(|one| one.capped).sum::<Points>().clamp(scale.min, scale.max);
        let level_by_points = self.level_of(total);
        let holds = |place: usize| self.overrides[place].iter().all(|needed| self.is_met(needed, tallies));
        let (level, overrides) = self.override_level(level_by_points, holds);
        Some(Conclusion { dimensions, total, level_by_points, level, overrides })
    }

    fn indicator(&self, slots: &IndicatorSlots, combine: Combine, tallies: &[Tally]) -> Points {
        let kept = |part: &PartSlots| self.kept(part, tallies);
        let points = |kept: Option<(Seq, Arithmetic)>| kept.map(|(_, one)| one.result()).unwrap_or_default();
        match combine {
            Combine::Sum => slots.parts.iter().map(|part| tallies[part.own].sum + points(kept(part))).sum(),
            Combine::Max => points(slots.parts.iter().filter_map(kept).min_by_key(heaviest_first)),
        }
    }

    /// The record that a part keeps, its number of records or its share filled in.
    pub(super) fn kept(&self, part: &PartSlots, tallies: &[Tally]) -> Option<(Seq, Arithmetic)> {
        let slot = &self.slots[part.own];
        let kept = tallies[part.own].kept.as_ref()?;
        let (Gift::Points(mut arithmetic), Purpose::Points(rule, _)) = (kept.gift, &slot.purpose) else { return None };
        let number = |slot: usize| i64::try_from(self.slots[slot].count(&tallies[slot])).unwrap_or(i64::MAX);
        let count = number(part.own);
        if let Some(steps) = &rule.count {
            arithmetic.count = Some(slot.count(&tallies[part.own]));
            arithmetic.base = band_of(steps, count)?;
        }
        if let (Some(ratio), Some(among)) = (&rule.ratio, part.among) {
            let among = number(among);
            if among == 0 {
                return None;
            }
            arithmetic.base = ratio.of;
            arithmetic.share = Some((count, among));
        }
        Some((kept.seq, arithmetic))
    }

    /// Whether as many records match as are needed.
    pub(super) fn is_met(&self, needed: &Needed, tallies: &[Tally]) -> bool {
        needed.counts.contains(&self.slots[needed.slot].count(&tallies[needed.slot]))
    }

    fn level_of(&self, total: Points) -> usize {
        let levels = &self.model.levels;
        levels
            .iter()
            .position(|level| {
                level.below.is_some_and(|bound| total < bound) || level.up_to.is_some_and(|bound| total <= bound)
            })
            .unwrap_or(levels.len() - 1)
    }

    fn level_named(&self, code: &str) -> usize {
        self.model.levels.iter().position(|level| level.code.value == code).expect("the loader checked the level")
    }

    /// Sets first, then shifts, then floors. A level that was set is not shifted: it is decided.
    pub(super) fn override_level(
        &self,
        by_points: usize,
        holds: impl Fn(usize) -> bool,
    ) -> (usize, Vec<(usize, usize)>) {
        let effect = |place: usize| &self.model.overrides[place].effect;
        let rank = |effect: &Effect| (effect.set.is_none(), effect.shift.is_none());
        let mut held: Vec<usize> = (0..self.overrides.len()).filter(|&place| holds(place)).collect();
        held.sort_by_key(|&place| rank(effect(place)));
        let last = self.model.levels.len() - 1;
        let limits = self.model.shift_limits;
        let (mut up_left, mut down_left) =
            limits.map_or((last, last), |limits| (limits.up as usize, limits.down as usize));
        // Shifts add up before the scale's ends hold them, so that one up and one down cancel anywhere.
        let (mut level, mut balance, mut set) = (by_points, 0, false);
        let mut outcome = Vec::with_capacity(held.len());
        for place in held {
            let effect = effect(place);
            if let Some(code) = &effect.set {
                let named = self.level_named(code);
                level = if set { level.max(named) } else { named };
                set = true;
            } else if let (Some(shift), false) = (effect.shift, set) {
                let left = if shift > 0 { &mut up_left } else { &mut down_left };
                let steps = (shift.unsigned_abs() as usize).min(*left);
                *left -= steps;
                balance += if shift > 0 { steps.cast_signed() } else { -steps.cast_signed() };
                level = by_points.saturating_add_signed(balance).min(last);
            } else if let Some(code) = &effect.floor {
                level = level.max(self.level_named(code));
            }
            outcome.push((place, level));
        }
        (level, outcome)
    }
}

/// Order of records within an indicator: the heaviest first, so that a cap cuts off the lightest.
pub(super) fn heaviest_first((seq, arithmetic): &(Seq, Arithmetic)) -> (std::cmp::Reverse<i64>, Seq) {
    (std::cmp::Reverse(arithmetic.result().milli().abs()), *seq)
}
