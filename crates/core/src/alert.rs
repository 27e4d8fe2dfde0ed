//! Alert (预警): what an enterprise's records and levels make an officer look at. Everything here follows from the
//! records, the levels and the rulebook; an alert that was raised is a record of the ledger.

use crate::classify::{Classification, GENERAL};
use crate::history::{Fact, Facts, Kinds};
use crate::record::Seq;
use crate::rulebook::alerts::{Alert, Determined, Expiring, WorseLevel};
use crate::rulebook::model::Model;
use crate::score::CompiledFilter;

/// Kind of record of an alert.
pub const ALERT: &str = "alert";
/// Kind of record of what became of it.
pub const ALERT_ANSWER: &str = "alert_answer";

/// The alerts of a day, made ready once.
pub struct Watch<'a> {
    rules: Vec<Watched<'a>>,
    /// Levels of each scope, from the least to the greatest risk.
    scales: Vec<(&'a str, Vec<&'a str>)>,
}

struct Watched<'a> {
    rule: &'a Alert,
    filter: Option<CompiledFilter<'a>>,
}

/// An alert for one enterprise.
#[derive(Clone, Debug)]
pub struct Raised<'a> {
    /// The rule.
    pub rule: &'a Alert,
    /// What it is about, so that the same is raised once: the newest record behind it, or the direct determination.
    pub about: String,
    /// Why, as people read it.
    pub reason: String,
    /// The records behind it.
    pub records: Vec<Seq>,
}

/// A level that moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved<'m> {
    /// Scope.
    pub scope: &'m str,
    /// Before.
    pub from: &'m str,
    /// Now.
    pub to: &'m str,
    /// The run that found it.
    pub run: Seq,
}

impl<'a> Watch<'a> {
    /// Takes the alerts and models of a day, and what may act: an alert that nobody signed is raised for nobody.
    pub fn new(
        alerts: impl IntoIterator<Item = &'a Alert>,
        models: impl IntoIterator<Item = &'a Model>,
        kinds: &Kinds,
        acting: impl Fn(&str) -> bool,
    ) -> Self {
        let acts = |alert: &&Alert| acting(&format!("alerts/{}", alert.rule.id.value));
        let watched = |rule: &'a Alert| {
            let expiring = rule.expiring.as_ref().map(|one| &one.records);
            let filter = expiring.or(rule.several.as_ref().map(|one| &one.records));
            Watched { rule, filter: filter.map(|filter| CompiledFilter::new(filter, kinds)) }
        };
        let scale = |model: &'a Model| {
            let levels = model.levels.iter().map(|level| level.code.value.as_str()).collect();
            (model.field.as_str(), levels)
        };
        Self {
            rules: alerts.into_iter().filter(acts).map(watched).collect(),
            scales: models.into_iter().map(scale).collect(),
        }
    }

    /// Whether any alert may be raised at all.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.rules.is_empty()
    }

    /// What the records of an enterprise raise, and what is determined directly.
    #[must_use]
    pub fn of_records(&self, facts: &Facts, classification: &Classification) -> Vec<Raised<'a>> {
        let mut raised = Vec::new();
        for Watched { rule, filter } in &self.rules {
            if let Some(Determined { model, ids }) = &rule.determined {
                let of_model = classification.graded.iter().filter(|graded| graded.model.rule.id.value == *model);
                for graded in of_model {
                    for applied in &graded.assessment.overrides {
                        let determined = &graded.model.overrides[applied.place];
                        let id = &determined.id.value;
                        if ids.is_empty() || ids.contains(id) {
                            let newest = applied.records.iter().max();
                            raised.push(Raised {
                                rule,
                                about: format!("{id}/{}", newest.map_or(0, |seq| seq.0)),
                                reason: format!("{}：适用“{}”", graded.model.rule.title, determined.title),
                                records: applied.records.clone(),
                            });
                        }
                    }
                }
            }
            let Some(filter) = filter else { continue };
            let matching = filter.all_matching(facts);
            if let Some(Expiring { field, within_days, .. }) = &rule.expiring {
                raised.extend(matching.iter().filter_map(|fact| expiring(rule, field, *within_days, fact, facts)));
            } else if let Some(several) = &rule.several
                && matching.len() >= several.at_least as usize
            {
                let records: Vec<Seq> = matching.iter().map(|fact| fact.record.seq).collect();
                let newest = records.iter().max().map_or(0, |seq| seq.0);
                let reason = format!("{}：共 {} 条记录", rule.rule.title, records.len());
                raised.push(Raised { rule, about: newest.to_string(), reason, records });
            }
        }
        raised
    }

    /// What a level that moved raises.
    #[must_use]
    pub fn of_level(&self, moved: Moved) -> Vec<Raised<'a>> {
        let scale = |scope: &str| self.scales.iter().find(|(field, _)| *field == scope).map(|(_, levels)| levels);
        // Combined and received levels are those of the general model.
        let levels = scale(moved.scope).or_else(|| scale(GENERAL));
        let place = |code: &str| levels.and_then(|levels| levels.iter().position(|level| *level == code));
        let (Some(from), Some(to)) = (place(moved.from), place(moved.to)) else { return Vec::new() };
        let raises = |WorseLevel { scope, by, to: only }: &WorseLevel| {
            scope == moved.scope
                && to >= from + (*by).max(1) as usize
                && (only.is_empty() || only.iter().any(|level| level == moved.to))
        };
        let rules = self.rules.iter().map(|watched| watched.rule);
        rules
            .filter(|rule| rule.worse_level.as_ref().is_some_and(raises))
            .map(|rule| Raised {
                rule,
                about: moved.run.to_string(),
                reason: format!("{}：由 {} 级变为 {} 级", rule.rule.title, moved.from, moved.to),
                records: vec![moved.run],
            })
            .collect()
    }
}

fn expiring<'a>(rule: &'a Alert, field: &str, within_days: u32, fact: &Fact, facts: &Facts) -> Option<Raised<'a>> {
    let on = fact.record.payload.day(field)?;
    let left = (on - facts.day).num_days();
    (0..=i64::from(within_days)).contains(&left).then(|| Raised {
        rule,
        about: format!("{}/{on}", fact.record.seq),
        reason: format!("{}：{on} 到期", rule.rule.title),
        records: vec![fact.record.seq],
    })
}
