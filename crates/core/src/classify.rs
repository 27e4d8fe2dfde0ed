//! Classification (信用风险分类) of one enterprise: the key field's model leads, the general level
//! assists. A level received from the province outranks our own general one; both are kept.
//!
//! A level says where inspectors' time is spent. Nothing else may depend on it: it is never published,
//! never a rating, never a ground for a sanction or an answer on eligibility.

use crate::history::{Facts, Kinds};
use crate::points::Points;
use crate::record::{Day, Seq, Text};
use crate::rulebook::combination::Combination;
use crate::rulebook::model::Model;
use crate::score::{Assessment, IndicatorPoints, Kernel};

/// Kind of the levels that the province hands down (省级信用风险分类结果).
pub const RECEIVED_LEVEL: &str = "received_level";
/// `field` of a general model.
pub const GENERAL: &str = "general";
/// Kind of the adjustments of a level by a person (人工调整).
pub const LEVEL_ADJUSTMENT: &str = "level_adjustment";
/// Scope of the level an enterprise has after combination.
pub const COMBINED: &str = "combined";

/// All that is needed to classify as of a day, made ready once.
pub struct Classifier<'a> {
    /// Each with whether its model may act: confirmed, or a default that the bureau has signed.
    kernels: Vec<(Kernel<'a>, bool)>,
    received: Option<usize>,
    adjustments: Option<usize>,
    /// With whether it may act.
    combination: Option<(&'a Combination, bool)>,
}

/// The level that the province computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Level.
    pub level: String,
    /// What the province called it, where that is on record.
    pub stated: Option<String>,
    /// The province's scale.
    pub scale: Option<String>,
    /// Edition of the province's indicators.
    pub edition: Option<String>,
    /// First day of its month.
    pub month: Day,
    /// The record that brought it.
    pub seq: Seq,
}

/// A level that a person moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjusted {
    /// The record that says so.
    pub seq: Seq,
    /// The level as computed.
    pub from: String,
    /// The level after it.
    pub to: String,
    /// Its last day.
    pub until: Option<Day>,
    /// Whether it does not act, because a direct determination decided the level.
    pub barred: bool,
}

/// What one of our models says.
pub struct Graded<'a> {
    /// The model.
    pub model: &'a Model,
    /// Its assessment.
    pub assessment: Assessment,
    /// Whether the model is confirmed or signed; otherwise the level is a trial (未经签署，仅供试算).
    pub in_force: bool,
}

impl<'a> Graded<'a> {
    /// By a model, with whether it may act; none where it does not apply.
    fn of((kernel, in_force): &(Kernel<'a>, bool), facts: &Facts) -> Option<Self> {
        let assessment = kernel.assess(facts)?;
        Some(Self { model: kernel.model(), assessment, in_force: *in_force })
    }
}

/// All levels of one enterprise as of a day.
pub struct Classification<'a> {
    /// The province's general level.
    pub received: Option<Received>,
    /// What our models say: the general one first, then the fields.
    pub graded: Vec<Graded<'a>>,
    /// Index into `graded` of the model that leads, when one of ours does.
    pub lead: Option<usize>,
    /// The level after combination; none when nothing grades the enterprise.
    pub level: Option<String>,
    /// Whether everything the level rests on may act.
    pub in_force: bool,
    /// How the level was combined, when a field met a general level.
    pub combined: Option<(String, String)>,
    /// How a person moved the level.
    pub adjustment: Option<Adjusted>,
}

/// A level to be kept: one line per scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelLine {
    /// `received_level`, `general`, a key field, or `combined`.
    pub scope: Text,
    /// Level.
    pub level: Text,
    /// Total points, where a model of ours gave it.
    pub total: Option<Points>,
    /// Whether it may act.
    pub in_force: bool,
    /// Id of the model, where a model of ours gave it.
    pub model: Option<Text>,
}

impl Graded<'_> {
    /// Final level.
    #[must_use]
    pub fn level(&self) -> &str {
        &self.model.levels[self.assessment.level].code.value
    }
}

impl<'a> Classifier<'a> {
    /// Takes the models of a day, the kinds of that day, and what may act.
    pub fn new(
        models: impl IntoIterator<Item = &'a Model>,
        combination: Option<&'a Combination>,
        kinds: &Kinds,
        acting: impl Fn(&str) -> bool,
    ) -> Self {
        let acts = |model: &Model| acting(&format!("models/{}", model.rule.id.value));
        let mut kernels: Vec<_> = models.into_iter().map(|model| (Kernel::new(model, kinds), acts(model))).collect();
        kernels.sort_by_key(|(kernel, _)| kernel.model().field != GENERAL);
        let combination = combination.map(|rule| (rule, acting(&format!("combinations/{}", rule.rule.id.value))));
        let (received, adjustments) = (kinds.number(RECEIVED_LEVEL), kinds.number(LEVEL_ADJUSTMENT));
        Self { kernels, received, adjustments, combination }
    }

    /// Classifies one enterprise.
    #[must_use]
    pub fn classify(&self, facts: &Facts) -> Classification<'a> {
        let received = self.received(facts);
        let graded: Vec<Graded> = self.kernels.iter().filter_map(|kernel| Graded::of(kernel, facts)).collect();
        let general = graded.iter().position(|one| one.model.field == GENERAL);
        // Of several key fields the one with the greatest risk leads, the first among equals.
        let field = (0..graded.len())
            .filter(|&one| Some(one) != general)
            .max_by_key(|&one| (graded[one].assessment.level, std::cmp::Reverse(one)));
        let general_level = match (&received, general) {
            (Some(received), _) => Some((received.level.clone(), true)),
            (None, Some(own)) => Some((graded[own].level().to_owned(), graded[own].in_force)),
            (None, None) => None,
        };
        let lead = field.or(general.filter(|_| received.is_none()));
        let (level, in_force, combined) = match (field.map(|one| &graded[one]), general_level) {
            (Some(field), Some((general, general_acts))) => {
                let pair = (field.level().to_owned(), general);
                let cell =
                    self.combination.and_then(|(rule, acts)| Some((rule.table.get(&pair.0)?.get(&pair.1)?, acts)));
                match cell {
                    Some((level, acts)) => (Some(level.clone()), field.in_force && general_acts && acts, Some(pair)),
                    None => (Some(pair.0), field.in_force, None),
                }
            }
            (Some(field), None) => (Some(field.level().to_owned()), field.in_force, None),
            (None, Some((general, acts))) => (Some(general), acts, None),
            (None, None) => (None, false, None),
        };
        let leading = lead.map(|lead| &graded[lead]);
        let adjustment = level.as_deref().and_then(|level| self.adjusted(facts, level, leading));
        let level = adjustment.as_ref().map(|one| one.to.clone()).or(level);
        Classification { received, graded, lead, level, in_force, combined, adjustment }
    }

    /// The newest level received from the province.
    #[must_use]
    pub fn received(&self, facts: &Facts) -> Option<Received> {
        let records = facts.of(self.received?).iter().map(|fact| fact.record);
        let record = records.max_by_key(|record| (record.occurred_on, record.seq))?;
        let level = record.payload.text("level")?.to_owned();
        let text = |field| record.payload.text(field).map(str::to_owned);
        let (stated, scale, edition) = (text("stated_level"), text("scale"), text("edition"));
        Some(Received { level, stated, scale, edition, month: record.occurred_on, seq: record.seq })
    }

    /// What our own general model says; none where it does not apply.
    #[must_use]
    pub fn general(&self, facts: &Facts) -> Option<Graded<'a>> {
        let general = self.kernels.iter().find(|(kernel, _)| kernel.model().field == GENERAL);
        general.and_then(|general| Graded::of(general, facts))
    }

    /// What the newest adjustment in effect makes of a level.
    fn adjusted(&self, facts: &Facts, level: &str, lead: Option<&Graded>) -> Option<Adjusted> {
        let (rule, acts) = self.combination?;
        let most = i64::from(rule.adjustment.filter(|_| acts)?.most_levels);
        let in_effect = facts.of(self.adjustments?).iter().filter(|fact| fact.ended_on.is_none());
        let record = in_effect.map(|fact| fact.record).max_by_key(|record| (record.occurred_on, record.seq))?;
        let steps = record.payload.integer("steps")?.clamp(-most, most);
        let general = self.kernels.iter().map(|(kernel, _)| kernel.model()).find(|model| model.field == GENERAL);
        let levels = &lead.map(|lead| lead.model).or(general)?.levels;
        let place = levels.iter().position(|one| one.code.value == level)?;
        let decided = lead.is_some_and(|lead| {
            let effects = lead.assessment.overrides.iter().map(|one| &lead.model.overrides[one.place].effect);
            effects.into_iter().any(|effect| effect.set.is_some() || effect.floor.is_some())
        });
        let barred = steps < 0 && decided;
        let moved = if barred { 0 } else { isize::try_from(steps).ok()? };
        let to = place.saturating_add_signed(moved).min(levels.len() - 1);
        Some(Adjusted {
            seq: record.seq,
            from: level.to_owned(),
            to: levels[to].code.value.clone(),
            until: record.payload.day("until"),
            barred,
        })
    }
}

impl Classification<'_> {
    /// Whether the parts sum to the whole in every model: records to their indicator, indicators to the
    /// total.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.graded.iter().all(|graded| {
            let Assessment { total, indicators, .. } = &graded.assessment;
            let of_records = |one: &IndicatorPoints| one.records.iter().map(|record| record.points).sum::<Points>();
            indicators.iter().map(|one| one.points).sum::<Points>() == *total
                && indicators.iter().all(|one| of_records(one) == one.points)
        })
    }

    /// The lines to keep.
    #[must_use]
    pub fn lines(&self) -> Vec<LevelLine> {
        let received = self.received.iter().map(|received| LevelLine {
            scope: RECEIVED_LEVEL.into(),
            level: received.level.as_str().into(),
            total: None,
            in_force: true,
            model: None,
        });
        let graded = self.graded.iter().map(|one| LevelLine {
            scope: one.model.field.as_str().into(),
            level: one.level().into(),
            total: Some(one.assessment.total),
            in_force: one.in_force,
            model: Some(one.model.rule.id.value.as_str().into()),
        });
        let lead = self.lead.map(|lead| &self.graded[lead]);
        let combined = self.level.iter().map(|level| LevelLine {
            scope: COMBINED.into(),
            level: level.as_str().into(),
            total: lead.map(|lead| lead.assessment.total),
            in_force: self.in_force,
            model: lead.map(|lead| lead.model.rule.id.value.as_str().into()),
        });
        received.chain(graded).chain(combined).collect()
    }
}
