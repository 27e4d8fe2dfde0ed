//! What comes by itself, and what a repair would change: the same classification on later days, and on facts supposed.
//! For those who work with an enterprise; nothing here is decided, and nothing is on record.

use std::collections::BTreeMap;

use chrono::{Days, Months};

use crate::classify::{Classification, Classifier};
use crate::history::{Facts, Kinds};
use crate::points::Points;
use crate::record::{Day, Seq, Statement};

/// Where an enterprise stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Level after combination.
    pub level: Option<String>,
    /// Total of the leading model.
    pub total: Option<Points>,
    /// Indicator of the leading model → its points.
    pub points: BTreeMap<String, Points>,
    /// Direct determinations and adjustments that hold.
    pub determined: Vec<String>,
}

/// A day on which it will stand otherwise, if nothing else is recorded until then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToCome {
    /// The day.
    pub on: Day,
    /// Until then.
    pub before: Standing,
    /// From then on.
    pub after: Standing,
}

/// What the repair of one record would change today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IfRepaired {
    /// The record.
    pub seq: Seq,
    /// Where it would stand.
    pub after: Standing,
}

impl Standing {
    fn new(classification: &Classification) -> Self {
        let lead = classification.lead.map(|lead| &classification.graded[lead]);
        let points = lead.into_iter().flat_map(|lead| {
            lead.assessment.indicators.iter().map(|one| {
                let dimension = &lead.model.dimensions[one.place.0];
                (dimension.indicators[one.place.1].title.clone(), one.points)
            })
        });
        let overrides = lead
            .into_iter()
            .flat_map(|lead| lead.assessment.overrides.iter().map(|one| lead.model.overrides[one.place].title.clone()));
        let adjusted = classification.adjustment.iter().filter(|one| !one.barred).map(|_| "人工调整".to_owned());
        Self {
            level: classification.level.clone(),
            total: lead.map(|lead| lead.assessment.total),
            points: points.collect(),
            determined: overrides.chain(adjusted).collect(),
        }
    }

    /// What is different in another standing, a short sentence each.
    #[must_use]
    pub fn differences(&self, after: &Self) -> Vec<String> {
        let named = self.points.keys().chain(after.points.keys().filter(|name| !self.points.contains_key(*name)));
        let points = |standing: &Self, name: &str| standing.points.get(name).copied().unwrap_or_default();
        let moved = named.filter_map(|name| {
            let (from, to) = (points(self, name), points(after, name));
            (from != to).then(|| format!("{name}：{from} → {to} 分"))
        });
        let gone = self.determined.iter().filter(|one| !after.determined.contains(one));
        let come = after.determined.iter().filter(|one| !self.determined.contains(one));
        let gone = gone.map(|one| format!("“{one}”不再适用"));
        moved.chain(gone).chain(come.map(|one| format!("“{one}”开始适用"))).collect()
    }
}

/// Where an enterprise stands on a day.
#[must_use]
pub fn standing(classifier: &Classifier, kinds: &Kinds, records: &[impl AsRef<Statement>], day: Day) -> Standing {
    Standing::new(&classifier.classify(&Facts::new(records, day, kinds)))
}

/// The days within some months on which it will stand otherwise by itself: points fade, terms end, levels move. A
/// change that is undone within the same month is not told.
#[must_use]
pub fn to_come(
    classifier: &Classifier,
    kinds: &Kinds,
    records: &[impl AsRef<Statement>],
    from: Day,
    months: u32,
) -> Vec<ToCome> {
    let stands = |day: Day| standing(classifier, kinds, records, day);
    let mut found = Vec::new();
    let (mut day, mut known) = (from, stands(from));
    for month in 1..=months {
        let Some(next) = from.checked_add_months(Months::new(month)) else { break };
        let then = stands(next);
        between(&stands, (day, &known), (next, &then), &mut found);
        (day, known) = (next, then);
    }
    found
}

/// The days after the first and up to the last on which the standing changes.
fn between(
    stands: &impl Fn(Day) -> Standing,
    (first, before): (Day, &Standing),
    (last, after): (Day, &Standing),
    found: &mut Vec<ToCome>,
) {
    if before == after {
        return;
    }
    let days = (last - first).num_days().unsigned_abs();
    if days <= 1 {
        found.push(ToCome { on: last, before: before.clone(), after: after.clone() });
        return;
    }
    let middle = first + Days::new(days / 2);
    let then = stands(middle);
    between(stands, (first, before), (middle, &then), found);
    between(stands, (middle, &then), (last, after), found);
}

/// What the repair of each record that now weighs on the level would change, the greatest effect first.
#[must_use]
pub fn if_repaired(
    classifier: &Classifier,
    kinds: &Kinds,
    records: &[impl AsRef<Statement>],
    day: Day,
) -> Vec<IfRepaired> {
    let classified = classifier.classify(&Facts::new(records, day, kinds));
    let before = Standing::new(&classified);
    let Some(lead) = classified.lead.map(|lead| &classified.graded[lead]) else { return Vec::new() };
    let weighing = lead.assessment.indicators.iter().flat_map(|one| one.records.iter().map(|record| record.seq));
    let mut weighing: Vec<Seq> =
        weighing.chain(lead.assessment.overrides.iter().flat_map(|one| one.records.clone())).collect();
    weighing.sort_unstable();
    weighing.dedup();
    let may_be_repaired = |seq: &Seq| {
        let record = records.iter().map(AsRef::as_ref).find(|record| record.seq == *seq);
        record.and_then(|record| kinds.get(&record.kind)).is_some_and(|kind| kind.repaired.is_some())
    };
    let mut found: Vec<IfRepaired> = weighing
        .into_iter()
        .filter(may_be_repaired)
        .map(|seq| {
            let mut facts = Facts::new(records, day, kinds);
            facts.suppose_repaired(seq);
            IfRepaired { seq, after: Standing::new(&classifier.classify(&facts)) }
        })
        .filter(|one| one.after != before)
        .collect();
    found.sort_by_key(|one| (one.after.total, one.seq));
    found
}
