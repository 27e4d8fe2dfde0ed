//! The scoring kernel: what the words of an indicator model mean. One enterprise at a time, integers
//! only, every caller the same code.
//!
//! A record's points are `base × share × part's permille × decay`, rounded down towards zero once. An
//! indicator is the sum (or the greatest) of its records' points within ± its cap; a dimension the sum
//! of its indicators within ± its cap; the total the sum of the dimensions within the scale. What a cap
//! cuts off is taken from the last parts first, so that the parts always sum to the whole.

use std::fmt;

use chrono::Datelike;

use crate::history::{Fact, Facts, Kinds, full_months, within_months};
use crate::points::Points;
use crate::record::{Payload, Record, Seq, Value};
use crate::rulebook::kind::{FieldType, Kind};
use crate::rulebook::model::{
    Band, Bands, Combine, Condition, Effect, Filter, Indicator, Model, Part, PointsTable, RepairedRecords, Requirement,
    State,
};

/// A model made ready for the kinds of a day.
pub struct Kernel<'a> {
    model: &'a Model,
    applies: Vec<CompiledRequirement<'a>>,
    /// Dimension → indicator → part → filter.
    filters: Vec<Vec<Vec<CompiledFilter<'a>>>>,
    overrides: Vec<Vec<CompiledRequirement<'a>>>,
}

/// A requirement made ready for the kinds of a day.
pub(crate) struct CompiledRequirement<'a> {
    filter: CompiledFilter<'a>,
    counts: std::ops::RangeInclusive<usize>,
}

struct CompiledFilter<'a> {
    filter: &'a Filter,
    kinds: Vec<usize>,
    /// For each condition: whether the field holds several codes.
    codes: Vec<bool>,
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
    /// After the indicator's own cap, before the dimension's and the scale's.
    pub capped: Points,
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

/// `base × share × permille × decay`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arithmetic {
    /// Points by the rule.
    pub base: Points,
    /// How many records gave the points together.
    pub count: Option<usize>,
    /// Failed and applicable weight.
    pub share: Option<(i64, i64)>,
    /// The part's own factor, in thousandths.
    pub permille: Option<u32>,
    /// What the age of the record leaves, in thousandths.
    pub decay: Option<u32>,
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

impl Arithmetic {
    fn result(self) -> Points {
        let (failed, applicable) = self.share.unwrap_or((1, 1));
        let factor = i64::from(self.permille.unwrap_or(1000)) * i64::from(self.decay.unwrap_or(1000));
        self.base.scaled(failed * factor, applicable * 1_000_000)
    }
}

impl fmt::Display for Arithmetic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(count) = self.count {
            write!(f, "共{count}条：")?;
        }
        write!(f, "{}", self.base)?;
        if let Some((failed, applicable)) = self.share {
            write!(f, " × {failed}/{applicable}")?;
        }
        if let Some(permille) = self.permille {
            write!(f, " × 系数{}", Points::from_milli(permille.into()))?;
        }
        if let Some(decay) = self.decay {
            write!(f, " × 时间衰减{}", Points::from_milli(decay.into()))?;
        }
        write!(f, " = {}", self.result())
    }
}

impl<'a> Kernel<'a> {
    /// Makes a model ready. The rulebook's loader has checked that all names it uses exist.
    #[must_use]
    pub fn new(model: &'a Model, kinds: &Kinds) -> Self {
        let requirements =
            |list: &'a [Requirement]| list.iter().map(|one| CompiledRequirement::new(one, kinds)).collect::<Vec<_>>();
        Self {
            model,
            applies: requirements(&model.applies),
            filters: model
                .dimensions
                .iter()
                .map(|dimension| {
                    let parts = |indicator: &'a Indicator| {
                        indicator.parts.iter().map(|part| CompiledFilter::new(&part.records, kinds)).collect()
                    };
                    dimension.indicators.iter().map(parts).collect()
                })
                .collect(),
            overrides: model.overrides.iter().map(|one| requirements(&one.when)).collect(),
        }
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &'a Model {
        self.model
    }

    /// What the model says of an enterprise; `None` when it does not grade it.
    #[must_use]
    pub fn assess(&self, facts: &Facts) -> Option<Assessment> {
        if !self.applies.iter().all(|requirement| requirement.holds(facts).is_some()) {
            return None;
        }
        let mut dimensions: Vec<Vec<IndicatorPoints>> = Vec::with_capacity(self.model.dimensions.len());
        for (dimension, filters) in self.filters.iter().enumerate() {
            let rule = &self.model.dimensions[dimension];
            let mut indicators: Vec<_> = filters
                .iter()
                .enumerate()
                .map(|(indicator, filters)| self.indicator((dimension, indicator), filters, facts))
                .collect();
            fit_indicators(indicators.iter_mut().collect(), -rule.cap, rule.cap);
            dimensions.push(indicators);
        }
        let scale = self.model.scale;
        fit_indicators(dimensions.iter_mut().flatten().collect(), scale.min, scale.max);
        let mut indicators: Vec<_> = dimensions.into_iter().flatten().collect();
        indicators.retain(|indicator| indicator.before_caps != Points::ZERO);
        let total = indicators.iter().map(|indicator| indicator.points).sum();
        let level_by_points = self.level_of(total);
        let (level, overrides) = self.override_level(level_by_points, facts);
        Some(Assessment { total, level_by_points, level, indicators, overrides })
    }

    fn indicator(&self, place: (usize, usize), filters: &[CompiledFilter], facts: &Facts) -> IndicatorPoints {
        let rule = &self.model.dimensions[place.0].indicators[place.1];
        let mut records = Vec::new();
        for (part, filter) in rule.parts.iter().zip(filters) {
            let mut matching = filter.matching(facts);
            let count = matching.len();
            if part.count.is_some() {
                matching = latest(matching);
            }
            for fact in matching {
                let Some(arithmetic) = self.arithmetic(part, fact, count, facts) else { continue };
                let points = arithmetic.result();
                if points != Points::ZERO {
                    records.push(RecordPoints { seq: fact.record.seq, points, arithmetic });
                }
            }
        }
        // The heaviest first: a cap then cuts off the lightest.
        records.sort_by_key(|record| (std::cmp::Reverse(record.points.milli().abs()), record.seq));
        if rule.combine == Combine::Max {
            records.truncate(1);
        }
        let before_caps = records.iter().map(|record| record.points).sum();
        let mut indicator = IndicatorPoints { place, points: before_caps, before_caps, capped: before_caps, records };
        indicator.shrink(before_caps.clamp(-rule.cap, rule.cap));
        indicator.capped = indicator.points;
        indicator
    }

    fn arithmetic(&self, part: &Part, fact: &Fact, matching: usize, facts: &Facts) -> Option<Arithmetic> {
        let payload = &fact.record.payload;
        let (mut share, mut count) = (None, None);
        let base = if let Some(each) = part.each {
            each
        } else if let Some(table) = &part.table {
            let value = payload.get(&table.field).map(as_key);
            value.and_then(|value| table.points.get(&*value).copied()).or(table.otherwise)?
        } else if let Some(table) = &part.prefix_table {
            by_longest_prefix(table, payload).or(table.otherwise)?
        } else if let Some(bands) = &part.bands {
            by_band(bands, payload, facts).or(bands.otherwise)?
        } else if let Some(steps) = &part.count {
            count = Some(matching);
            band_of(steps, i64::try_from(matching).ok()?)?
        } else {
            let rule = part.share.as_ref().expect("the loader demands exactly one way to give points");
            share = Some(parse_share(payload.text(&rule.field)?)?);
            rule.of
        };
        let decay = part.decay.as_ref().map(|name| {
            let is_within = |months: u32| within_months(fact.record.occurred_on, months, facts.day);
            let steps = &self.model.decays[name].steps;
            steps.iter().find(|step| is_within(step.up_to_months)).map_or(0, |step| step.permille)
        });
        Some(Arithmetic { base, count, share, permille: part.permille, decay })
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
    fn override_level(&self, by_points: usize, facts: &Facts) -> (usize, Vec<AppliedOverride>) {
        let mut applied: Vec<(usize, &Effect, Vec<Seq>)> = Vec::new();
        for (place, requirements) in self.overrides.iter().enumerate() {
            let held: Option<Vec<Vec<Seq>>> = requirements.iter().map(|requirement| requirement.holds(facts)).collect();
            if let Some(records) = held {
                applied.push((place, &self.model.overrides[place].effect, records.concat()));
            }
        }
        let last = self.model.levels.len() - 1;
        let limits = self.model.shift_limits;
        let (mut up_left, mut down_left) =
            limits.map_or((last, last), |limits| (limits.up as usize, limits.down as usize));
        // Shifts add up before the scale's ends hold them, so that one up and one down cancel anywhere.
        let (mut level, mut balance, mut set) = (by_points, 0, false);
        let mut outcome = Vec::with_capacity(applied.len());
        let rank = |effect: &Effect| (effect.set.is_none(), effect.shift.is_none());
        applied.sort_by_key(|(_, effect, _)| rank(effect));
        for (place, effect, records) in applied {
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
            outcome.push(AppliedOverride { place, records, level });
        }
        (level, outcome)
    }
}

impl<'a> CompiledRequirement<'a> {
    pub(crate) fn new(requirement: &'a Requirement, kinds: &Kinds) -> Self {
        let least = requirement.at_least.unwrap_or(u32::from(requirement.at_most.is_none())) as usize;
        let most = requirement.at_most.map_or(usize::MAX, |most| most as usize);
        Self { filter: CompiledFilter::new(&requirement.records, kinds), counts: least..=most }
    }

    /// The matching records when there are as many as required.
    pub(crate) fn holds(&self, facts: &Facts) -> Option<Vec<Seq>> {
        let records: Vec<Seq> = self.filter.matching(facts).iter().map(|fact| fact.record.seq).collect();
        self.counts.contains(&records.len()).then_some(records)
    }
}

impl<'a> CompiledFilter<'a> {
    fn new(filter: &'a Filter, kinds: &Kinds) -> Self {
        let is_codes = |condition: &Condition| {
            filter
                .kinds
                .iter()
                .filter_map(|kind| kinds.get(kind)?.field(&condition.field))
                .any(|field| field.field_type == FieldType::Codes)
        };
        Self {
            filter,
            kinds: filter.kinds.iter().filter_map(|kind| kinds.number(kind)).collect(),
            codes: filter.conditions.iter().map(is_codes).collect(),
        }
    }

    fn matching<'f, 'r>(&self, facts: &'f Facts<'r>) -> Vec<&'f Fact<'r>> {
        let all = self.kinds.iter().flat_map(|&kind| facts.of(kind));
        let mut matching: Vec<_> = all.filter(|fact| self.matches(fact, facts)).collect();
        if self.filter.latest {
            matching = latest(matching);
        }
        matching
    }

    fn matches(&self, fact: &Fact, facts: &Facts) -> bool {
        let filter = self.filter;
        let Record { occurred_on, payload, .. } = fact.record;
        let state = if fact.ended_on.is_some() { State::Ended } else { State::Active };
        filter.state.is_none_or(|wanted| wanted == state)
            && filter.within_months.is_none_or(|months| within_months(*occurred_on, months, facts.day))
            && (!filter.this_year || occurred_on.year() == facts.day.year())
            && filter.older_than_months.is_none_or(|months| full_months(*occurred_on, facts.day) >= i64::from(months))
            && filter
                .ended_within_months
                .is_none_or(|months| fact.ended_on.is_some_and(|end| within_months(end, months, facts.day)))
            && (filter.repaired == RepairedRecords::Included || fact.repaired_on.is_none())
            && filter.conditions.iter().zip(&self.codes).all(|(condition, &codes)| holds(condition, codes, payload))
    }
}

impl IndicatorPoints {
    /// Cuts the records down to a new sum.
    fn shrink(&mut self, target: Points) {
        shrink(self.records.iter_mut().map(|record| &mut record.points).collect(), target);
        self.points = target;
    }
}

/// Cuts the indicators down so that their sum lies within bounds.
fn fit_indicators(indicators: Vec<&mut IndicatorPoints>, low: Points, high: Points) {
    let sum: Points = indicators.iter().map(|indicator| indicator.points).sum();
    let mut points: Vec<Points> = indicators.iter().map(|indicator| indicator.points).collect();
    shrink(points.iter_mut().collect(), sum.clamp(low, high));
    for (indicator, points) in indicators.into_iter().zip(points) {
        if indicator.points != points {
            indicator.shrink(points);
        }
    }
}

/// Moves the sum of the parts to a target nearer zero, taking from the last parts first and never
/// changing a part's sign.
fn shrink(parts: Vec<&mut Points>, target: Points) {
    let sum: Points = parts.iter().map(|part| **part).sum();
    let mut excess = (sum - target).milli();
    for part in parts.into_iter().rev() {
        if excess == 0 {
            break;
        }
        let milli = part.milli();
        if milli.signum() == excess.signum() {
            let cut = if excess > 0 { excess.min(milli) } else { excess.max(milli) };
            *part = Points::from_milli(milli - cut);
            excess -= cut;
        }
    }
}

/// The latest of some records by day, the last in the ledger among equals.
fn latest<'f, 'r>(facts: Vec<&'f Fact<'r>>) -> Vec<&'f Fact<'r>> {
    facts.into_iter().max_by_key(|fact| (fact.record.occurred_on, fact.record.seq)).into_iter().collect()
}

/// A value as rule files write it in tables and conditions.
fn as_key(value: &Value) -> std::borrow::Cow<'_, str> {
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
    condition.one_of.as_deref().is_none_or(is_among)
        && !condition.none_of.as_deref().is_some_and(is_among)
        && condition.only.as_deref().is_none_or(is_only)
        && condition
            .at_least
            .is_none_or(|least| value.and_then(Value::as_integer).is_some_and(|number| number >= least))
        && condition.present.is_none_or(|present| value.is_some() == present)
}

fn by_longest_prefix(table: &PointsTable, payload: &Payload) -> Option<Points> {
    let longest = |code: &str| {
        let prefixes = table.points.iter().filter(|(prefix, _)| code.starts_with(prefix.as_str()));
        prefixes.max_by_key(|(prefix, _)| prefix.len()).map(|(_, points)| *points)
    };
    payload.text(&table.field)?.split(',').filter_map(longest).max()
}

fn by_band(bands: &Bands, payload: &Payload, facts: &Facts) -> Option<Points> {
    let of = &bands.of;
    let number = if let Some(field) = &of.integer {
        payload.integer(field)?
    } else if let Some(field) = &of.months_since {
        full_months(payload.day(field)?, facts.day)
    } else {
        let field = of.days_until.as_ref().expect("the loader demands exactly one measure");
        (payload.day(field)? - facts.day).num_days()
    };
    band_of(&bands.steps, number)
}

fn band_of(steps: &[Band], number: i64) -> Option<Points> {
    steps.iter().find(|band| band.below.is_none_or(|bound| number < bound)).map(|band| band.points)
}

fn parse_share(text: &str) -> Option<(i64, i64)> {
    let (failed, applicable) = text.split_once('/')?;
    let (failed, applicable) = (failed.parse().ok()?, applicable.parse().ok()?);
    (applicable > 0).then_some((failed, applicable))
}
