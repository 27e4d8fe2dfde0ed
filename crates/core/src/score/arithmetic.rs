//! What one record is worth under a part of an indicator.

use std::fmt;

use crate::history::{Fact, full_months, within_months};
use crate::points::Points;
use crate::record::{Day, Payload};
use crate::rulebook::model::{Band, Decay, DecayStep, FactorBands, Measure, Multiplier, Part, PointsTable};
use crate::score::filter::as_key;

/// `base × share × part's permille × factor × decay × effect of its end × effect of its repair`, rounded
/// down towards zero once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arithmetic {
    /// Points by the rule.
    pub base: Points,
    /// How many records gave the points together.
    pub count: Option<usize>,
    /// Failed and applicable weight of a checklist, or the records that match and those among which.
    pub share: Option<(i64, i64)>,
    /// The part's own factor, in thousandths.
    pub permille: Option<u32>,
    /// Factor by bands of a number, in thousandths.
    pub factor: Option<u32>,
    /// What the age of the record leaves, in thousandths.
    pub decay: Option<u32>,
    /// What its end leaves, in thousandths; none while it has not ended.
    pub ended: Option<u32>,
    /// What its repair leaves, in thousandths; none while it is not repaired.
    pub repaired: Option<u32>,
}

impl Arithmetic {
    /// The points.
    #[must_use]
    pub fn result(self) -> Points {
        let (part, whole) = self.share.unwrap_or((1, 1));
        let factors = [self.permille, self.factor, self.decay, self.ended, self.repaired];
        let (numerator, denominator) = factors
            .into_iter()
            .flatten()
            .fold((i128::from(part), i128::from(whole)), |(n, d), permille| (n * i128::from(permille), d * 1000));
        self.base.scaled(numerator, denominator)
    }
}

impl fmt::Display for Arithmetic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(count) = self.count {
            write!(f, "共{count}条：")?;
        }
        write!(f, "{}", self.base)?;
        if let Some((part, whole)) = self.share {
            write!(f, " × {part}/{whole}")?;
        }
        let named = [
            ("系数", self.permille),
            ("数额系数", self.factor),
            ("时间衰减", self.decay),
            ("已终止系数", self.ended),
            ("已修复系数", self.repaired),
        ];
        for (name, permille) in named {
            if let Some(permille) = permille {
                write!(f, " × {name}{}", Points::from_milli(permille.into()))?;
            }
        }
        write!(f, " = {}", self.result())
    }
}

/// What a record that matches a part is worth; nothing when the part does not say. Of a part that counts
/// records or takes their share, `base` and `count` or `share` are still to be filled in.
pub(super) fn of_record(part: &Part, decay: Option<&Decay>, fact: &Fact, day: Day) -> Option<Arithmetic> {
    let payload = &fact.record.payload;
    let mut share = None;
    let base = if let Some(each) = part.each {
        each
    } else if let Some(table) = &part.table {
        let value = payload.get(&table.field).map(as_key);
        value.and_then(|value| table.points.get(&*value).copied()).or(table.otherwise)?
    } else if let Some(table) = &part.prefix_table {
        by_longest_prefix(table, payload).or(table.otherwise)?
    } else if let Some(bands) = &part.bands {
        let number = measure(&bands.of, payload, day);
        number.and_then(|number| band_of(&bands.steps, number)).or(bands.otherwise)?
    } else if let Some(rule) = &part.share {
        let given = payload.share(&rule.field).filter(|given| given.applicable > 0)?;
        share = Some((given.failed.into(), given.applicable.into()));
        rule.of
    } else {
        Points::ZERO
    };
    Some(Arithmetic {
        base,
        count: None,
        share,
        permille: part.permille,
        factor: part.factor.as_ref().map(|bands| factor(bands, payload, day)),
        decay: decay.map(|decay| what_age_leaves(decay, fact.record.occurred_on, day)),
        ended: part.ended_permille.filter(|_| fact.ended_on.is_some()),
        repaired: part.repaired_permille.filter(|_| fact.repaired_on.is_some()),
    })
}

/// Thousandths left of a record of that age.
fn what_age_leaves(decay: &Decay, occurred_on: Day, day: Day) -> u32 {
    let months = full_months(occurred_on, day);
    if let Some(linear) = decay.linear_months {
        let left = i64::from(linear) - months;
        let permille = 1000 * left.max(0) / i64::from(linear.max(1));
        return u32::try_from(permille).unwrap_or(1000).min(1000);
    }
    let applies = |step: &&DecayStep| {
        step.up_to_months.is_some_and(|bound| within_months(occurred_on, bound, day))
            || step.below_months.is_some_and(|bound| months < i64::from(bound))
    };
    decay.steps.iter().flatten().find(applies).map_or(0, |step| step.permille)
}

fn factor(bands: &FactorBands, payload: &Payload, day: Day) -> u32 {
    let band = |number: i64| bands.steps.iter().find(|band| band.below.is_none_or(|bound| number < bound));
    measure(&bands.of, payload, day).and_then(band).map_or(bands.otherwise, |band| band.permille)
}

/// By how many thousandths a dimension is multiplied where the record that says it is this one.
pub(super) fn multiplier(rule: &Multiplier, payload: &Payload) -> u32 {
    let value = payload.get(&rule.field).map(as_key);
    let fitting = value.and_then(|value| {
        let fits = rule.permille.iter().filter(|(begin, _)| value.starts_with(begin.as_str()));
        fits.max_by_key(|(begin, _)| begin.len()).map(|(_, permille)| *permille)
    });
    fitting.unwrap_or(rule.otherwise)
}

fn measure(of: &Measure, payload: &Payload, day: Day) -> Option<i64> {
    if let Some(field) = &of.integer {
        return payload.integer(field);
    }
    if let Some(field) = &of.months_since {
        return Some(full_months(payload.day(field)?, day));
    }
    if let Some(field) = &of.days_since {
        return Some((day - payload.day(field)?).num_days());
    }
    let field = of.days_until.as_ref().expect("the loader demands exactly one measure");
    Some((payload.day(field)? - day).num_days())
}

pub(super) fn band_of(steps: &[Band], number: i64) -> Option<Points> {
    steps.iter().find(|band| band.below.is_none_or(|bound| number < bound)).map(|band| band.points)
}

fn by_longest_prefix(table: &PointsTable, payload: &Payload) -> Option<Points> {
    let longest = |code: &str| {
        let prefixes = table.points.iter().filter(|(prefix, _)| code.starts_with(prefix.as_str()));
        prefixes.max_by_key(|(prefix, _)| prefix.len()).map(|(_, points)| *points)
    };
    payload.text(&table.field)?.split(',').filter_map(longest).max()
}
