//! The same conclusion as [`Kernel::conclude`], made flat for whoever concludes for millions: only what was
//! touched is looked at, and nothing is allocated. It is for models whose records only add up, are counted,
//! or say a multiplier; [`Fold::new`] tells which those are.

use super::slot::Purpose;
use super::{Gather, Gift, Kernel, Needed};
use crate::points::Points;
use crate::rulebook::model::Combine;

/// Sums and counts are numbered within one word.
const MOST: usize = 64;

/// Bits for the place of an indicator.
const PLACE_BITS: u32 = 6;
const LAST_PLACE: i64 = (1 << PLACE_BITS) - 1;

/// Caps beyond this leave no room for the place of the indicator in one word with the points.
const MOST_POINTS: i64 = i64::MAX >> (PLACE_BITS + 1);

/// Dimensions of a model made flat.
const MOST_DIMENSIONS: usize = 8;

/// A kernel made flat.
pub struct Fold<'k> {
    kernel: &'k Kernel<'k>,
    /// Where each slot of the kernel gathers.
    targets: Vec<Target>,
    indicators: Vec<Indicator>,
    dimensions: Vec<Dimension>,
    /// For each count: its slot in the kernel.
    counts: Vec<usize>,
    /// Upper bounds of the levels but the last: totals below these.
    levels: Vec<i64>,
}

/// Where a slot gathers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Points of an indicator.
    Points(u8),
    /// A count.
    Count(u8),
    /// A multiplier of a dimension.
    Multiplier(u8),
}

struct Indicator {
    cap: i64,
    dimension: u8,
    /// What is left of its points for finding out which lead: all, or nothing where it is not named among those.
    leading: i64,
}

struct Dimension {
    cap: i64,
    /// Without a record that says another; none when nothing is multiplied.
    permille: Option<u32>,
}

/// What an enterprise has before any of its records: what its own row gives.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Start {
    points: Vec<(u8, i64)>,
    dimensions: [i64; MOST_DIMENSIONS],
    permille: [u32; MOST_DIMENSIONS],
    counts: Vec<u8>,
    /// What its level would be by counts alone may differ from that by points.
    counts_matter: bool,
}

/// What the records of one enterprise came to so far.
pub struct Sheet {
    points: [i64; MOST],
    touched: u64,
    counts: [u32; MOST],
    counted: u64,
}

/// What a model says of an enterprise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Total points, within the scale.
    pub total: Points,
    /// Level, as an index into the model's levels.
    pub level: u8,
    /// The indicators with the most points after their cap, most first, the model's order among equals.
    pub leading: [Option<u8>; 3],
}

impl Default for Sheet {
    fn default() -> Self {
        Self { points: [0; MOST], touched: 0, counts: [0; MOST], counted: 0 }
    }
}

impl Sheet {
    /// Adds points to an indicator.
    #[inline]
    pub fn add(&mut self, indicator: u8, milli: i64) {
        let place = usize::from(indicator) % MOST;
        self.points[place] += milli;
        self.touched |= 1 << place;
    }

    /// Adds points to indicators. What was touched is kept aside meanwhile: memory that is written and read
    /// again in every turn is what such a loop would wait for.
    #[inline]
    pub fn add_all(&mut self, all: impl Iterator<Item = (u8, i64)>) {
        let mut touched = self.touched;
        for (indicator, milli) in all {
            let place = usize::from(indicator) % MOST;
            self.points[place] += milli;
            touched |= 1 << place;
        }
        self.touched = touched;
    }

    /// Counts one more record.
    #[inline]
    pub fn count(&mut self, count: u8) {
        let place = usize::from(count) % MOST;
        self.counts[place] += 1;
        self.counted |= 1 << place;
    }
}

impl<'k> Fold<'k> {
    /// `None` when the model has words that this form has not. `leads` says of the indicators, by their
    /// place, which are named among those with the most points.
    #[must_use]
    pub fn new(kernel: &'k Kernel<'k>, leads: impl Fn((usize, usize)) -> bool) -> Option<Self> {
        let mut targets = vec![None; kernel.slots.len()];
        let (mut indicators, mut dimensions, mut counts) = (Vec::new(), Vec::new(), Vec::new());
        for (place, (rule, slots)) in kernel.model.dimensions.iter().zip(&kernel.dimensions).enumerate() {
            let number = u8::try_from(place).ok()?;
            if let Some(slot) = slots.multiplier {
                targets[slot] = Some(Target::Multiplier(number));
            }
            let permille = rule.multiplier.as_ref().map(|rule| rule.otherwise);
            dimensions.push(Dimension { cap: rule.cap.milli(), permille });
            for (within, (rule, slots)) in rule.indicators.iter().zip(&slots.indicators).enumerate() {
                let indicator = u8::try_from(indicators.len()).ok()?;
                for part in &slots.parts {
                    if kernel.slots[part.own].gather != Gather::Sum || part.among.is_some() {
                        return None;
                    }
                    targets[part.own] = Some(Target::Points(indicator));
                }
                if rule.combine != Combine::Sum || rule.cap.milli() > MOST_POINTS {
                    return None;
                }
                let leading = if leads((place, within)) { i64::MAX } else { 0 };
                indicators.push(Indicator { cap: rule.cap.milli(), dimension: number, leading });
            }
        }
        for Needed { slot, .. } in kernel.applies.iter().chain(kernel.overrides.iter().flatten()) {
            if !matches!(kernel.slots[*slot].purpose, Purpose::Count) {
                return None;
            }
            targets[*slot] = Some(Target::Count(u8::try_from(counts.len()).ok()?));
            counts.push(*slot);
        }
        if indicators.len() > MOST || counts.len() > MOST || dimensions.len() > MOST_DIMENSIONS {
            return None;
        }
        let bands = &kernel.model.levels[..kernel.model.levels.len() - 1];
        let bound = |band: &crate::rulebook::model::LevelBand| {
            band.below.map(Points::milli).or(band.up_to.map(|bound| bound.milli() + 1))
        };
        let levels: Vec<i64> = bands.iter().map(bound).collect::<Option<_>>()?;
        if !levels.is_sorted() {
            return None;
        }
        let targets = targets.into_iter().collect::<Option<_>>()?;
        Some(Self { kernel, targets, indicators, dimensions, counts, levels })
    }

    /// Where the kernel's slots gather.
    #[must_use]
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Place of an indicator: its dimension, and its number within.
    #[must_use]
    pub fn place(&self, indicator: u8) -> (usize, usize) {
        let indicator = usize::from(indicator);
        let dimension = self.indicators[indicator].dimension;
        let before = self.indicators[..indicator].iter().filter(|one| one.dimension == dimension).count();
        (dimension.into(), before)
    }

    /// What an enterprise begins with. `others_add` says of an indicator whether records of the enterprise
    /// add to it as well; the rest is capped here once for all.
    #[must_use]
    pub fn start(&self, gifts: &[(usize, Gift)], others_add: impl Fn(u8) -> bool) -> Start {
        let mut permille = [1000; MOST_DIMENSIONS];
        for (place, dimension) in self.dimensions.iter().enumerate() {
            permille[place] = dimension.permille.unwrap_or(1000);
        }
        let mut start = Start {
            points: Vec::new(),
            dimensions: [0; MOST_DIMENSIONS],
            permille,
            counts: Vec::new(),
            counts_matter: false,
        };
        let mut points = vec![0; self.indicators.len()];
        for &(slot, gift) in gifts {
            match (self.targets[slot], gift) {
                (Target::Points(indicator), gift) => points[usize::from(indicator)] += gift.points().milli(),
                (Target::Count(count), _) => start.counts.push(count),
                (Target::Multiplier(dimension), Gift::Permille(said)) => start.permille[usize::from(dimension)] = said,
                (Target::Multiplier(_), _) => {}
            }
        }
        for ((number, indicator), points) in (0_u8..).zip(&self.indicators).zip(points) {
            if others_add(number) || indicator.leading > 0 {
                if points != 0 {
                    start.points.push((number, points));
                }
            } else {
                start.dimensions[usize::from(indicator.dimension)] += points.clamp(-indicator.cap, indicator.cap);
            }
        }
        let mut counts = [0; MOST];
        start.counts.iter().for_each(|&count| counts[usize::from(count)] += 1);
        let holds = |needed: &Vec<Needed>| needed.iter().all(|one| self.is_met(one, &counts));
        start.counts_matter = !self.kernel.applies.is_empty() || self.kernel.overrides.iter().any(holds);
        start
    }

    /// Concludes, and leaves the sheet empty for the next enterprise. `None` when the model does not grade
    /// such an enterprise.
    #[inline]
    #[must_use]
    pub fn conclude(&self, start: &Start, sheet: &mut Sheet) -> Option<Outcome> {
        start.points.iter().for_each(|&(indicator, milli)| sheet.add(indicator, milli));
        let mut dimensions = start.dimensions;
        // Points and the place of the indicator in one number, so that the greater is the one that leads.
        let mut leading = [0; 3];
        let mut touched = std::mem::take(&mut sheet.touched);
        while touched != 0 {
            let place = touched.trailing_zeros() as usize % MOST;
            touched &= touched - 1;
            let indicator = &self.indicators[place];
            let points = std::mem::take(&mut sheet.points[place]).clamp(-indicator.cap, indicator.cap);
            dimensions[usize::from(indicator.dimension) % MOST_DIMENSIONS] += points;
            // Without branches: which of them leads cannot be foreseen.
            let mut one = ((points.max(0) << PLACE_BITS) | (LAST_PLACE - place as i64)) & indicator.leading;
            for lead in &mut leading {
                (*lead, one) = ((*lead).max(one), (*lead).min(one));
            }
        }
        let mut total = 0;
        for (place, dimension) in self.dimensions.iter().enumerate() {
            let mut points = dimensions[place % MOST_DIMENSIONS];
            if dimension.permille.is_some() {
                points = multiplied(points, start.permille[place % MOST_DIMENSIONS]);
            }
            total += points.clamp(-dimension.cap, dimension.cap);
        }
        let scale = self.kernel.model.scale;
        let total = total.clamp(scale.min.milli(), scale.max.milli());
        let mut level = self.levels.iter().filter(|&&bound| total >= bound).count();
        if start.counts_matter || sheet.counted != 0 {
            level = self.decide(start, sheet, level)?;
        }
        let level = u8::try_from(level).unwrap_or(u8::MAX);
        let leading = leading.map(|one| {
            let place = u8::try_from(LAST_PLACE - (one & LAST_PLACE)).ok();
            place.filter(|_| one >> PLACE_BITS > 0)
        });
        Some(Outcome { total: Points::from_milli(total), level, leading })
    }

    /// What counts do to the level.
    fn decide(&self, start: &Start, sheet: &mut Sheet, by_points: usize) -> Option<usize> {
        start.counts.iter().for_each(|&count| sheet.count(count));
        let mut counts = [0; MOST];
        let mut counted = std::mem::take(&mut sheet.counted);
        while counted != 0 {
            let place = counted.trailing_zeros() as usize % MOST;
            counted &= counted - 1;
            counts[place] = std::mem::take(&mut sheet.counts[place]);
        }
        let is_met = |needed: &Needed| self.is_met(needed, &counts);
        if !self.kernel.applies.iter().all(is_met) {
            return None;
        }
        let holds = |place: usize| self.kernel.overrides[place].iter().all(is_met);
        if !(0..self.kernel.overrides.len()).any(holds) {
            return Some(by_points);
        }
        Some(self.kernel.override_level(by_points, holds).0)
    }

    fn is_met(&self, needed: &Needed, counts: &[u32; MOST]) -> bool {
        let Some(place) = self.counts.iter().position(|&slot| slot == needed.slot) else { return false };
        needed.counts.contains(&self.kernel.slots[needed.slot].counted(counts[place % MOST]))
    }
}

/// `points × permille ÷ 1000`, rounded down towards zero.
fn multiplied(points: i64, permille: u32) -> i64 {
    match points.checked_mul(permille.into()) {
        Some(product) => product / 1000,
        None => Points::from_milli(points).scaled(permille.into(), 1000).milli(),
    }
}
