//! Plan of a random inspection (抽查计划): who stands in which group, and how many of each group are drawn. The groups
//! become the strata of a draw.
//!
//! A group is covered in full when its quota reaches its size: what is covered in full is listed by rule, not drawn.

use std::collections::BTreeSet;

use thiserror::Error;

use crate::draw::Line;
use crate::history::{Facts, Kinds};
use crate::rulebook::inspections::{Circumstance, Ground, InspectionItem, Measure, WHOLE};
use crate::rulebook::model::Requirement;
use crate::score::CompiledRequirement;

/// What a plan lays down for an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Per 10,000 of all candidates.
    pub ratio: u32,
    /// Whether levels that may be left out are drawn for exploration only (无事不扰).
    pub leave_out_low: bool,
    /// Whether each town has groups of its own.
    pub by_town: bool,
    /// Whether who is due by rule is listed and not drawn.
    pub list_due: bool,
}

/// Where an enterprise stands in a plan, with the ids of the reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placement<'a> {
    /// The item is not about it.
    NotAnObject,
    /// Not drawn, by this exclusion.
    Excluded(&'a str),
    /// Visited by rule, not drawn: by this circumstance, or [`FULL`].
    Listed(&'a str),
    /// Drawn from.
    Candidate {
        /// Level.
        level: &'a str,
        /// The first special circumstance that holds.
        circumstance: Option<&'a str>,
        /// Whether it is drawn for exploration only.
        left_out: bool,
    },
}

/// Reason of those whose level is covered in full.
pub const FULL: &str = "full";

/// An item made ready for the kinds of a day.
pub struct Screen<'a> {
    item: &'a InspectionItem,
    objects: Vec<CompiledRequirement<'a>>,
    exclusions: Vec<Vec<CompiledRequirement<'a>>>,
    circumstances: Vec<Vec<CompiledRequirement<'a>>>,
}

impl<'a> Screen<'a> {
    /// Makes an item ready. The rulebook's loader has checked that all names it uses exist.
    #[must_use]
    pub fn new(item: &'a InspectionItem, kinds: &Kinds) -> Self {
        let compiled = |list: &'a [Requirement]| list.iter().map(|one| CompiledRequirement::new(one, kinds)).collect();
        Self {
            item,
            objects: compiled(&item.objects),
            exclusions: item.exclusions.iter().map(|ground| compiled(&ground.when)).collect(),
            circumstances: item.circumstances.iter().map(|one| compiled(&one.when)).collect(),
        }
    }

    /// Where an enterprise with a level in the item's scope stands. One whose level the item does not know is no object.
    #[must_use]
    pub fn place(&self, terms: &Terms, level: &str, facts: &Facts) -> Placement<'a> {
        let Some(measure) = self.item.measure(level).filter(|_| all_hold(&self.objects, facts)) else {
            return Placement::NotAnObject;
        };
        let mut exclusions = self.item.exclusions.iter().zip(&self.exclusions);
        let excludes = |(ground, when): &(&Ground, &Vec<CompiledRequirement>)| {
            is_among(level, &ground.levels) && all_hold(when, facts)
        };
        if let Some((ground, _)) = exclusions.find(excludes) {
            return Placement::Excluded(&ground.id.value);
        }
        if measure.full {
            return Placement::Listed(FULL);
        }
        let listed = terms.list_due.then(|| self.circumstances(level, facts).find(|one| one.listed)).flatten();
        if let Some(circumstance) = listed {
            return Placement::Listed(&circumstance.id.value);
        }
        let circumstance = self.circumstances(level, facts).next();
        Placement::Candidate {
            level: &measure.level,
            circumstance: circumstance.map(|one| one.id.value.as_str()),
            left_out: terms.leave_out_low && measure.may_leave_out && circumstance.is_none(),
        }
    }

    /// The special circumstances of an enterprise, in the item's order; of whoever is excluded too, so that a visit
    /// owed by law and a frequency that is used up can be told of together.
    pub fn circumstances(&self, level: &str, facts: &Facts) -> impl Iterator<Item = &'a Circumstance> {
        let all = self.item.circumstances.iter().zip(&self.circumstances);
        let holding = all.filter(move |(one, when)| one.acts && is_among(level, &one.levels) && all_hold(when, facts));
        holding.map(|(one, _)| one)
    }
}

/// Whether a level is one of those named; none named: any.
fn is_among(level: &str, named: &[String]) -> bool {
    named.is_empty() || named.iter().any(|one| one == level)
}

fn all_hold(requirements: &[CompiledRequirement], facts: &Facts) -> bool {
    requirements.iter().all(|requirement| requirement.holds(facts).is_some())
}

/// Candidates that are drawn from together: a stratum (分组) of the draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Level.
    pub level: String,
    /// Town, where the plan has groups by town.
    pub town: Option<String>,
    /// Whether they are drawn for exploration only.
    pub left_out: bool,
    /// How many stand in it.
    pub candidates: u64,
}

/// How many of a group are visited. A group with none is not drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// So many of the lowest tickets are a sample without regard to level.
    pub explored: u64,
    /// So many by the level.
    pub by_level: u64,
    /// The whole group is listed by rule, not drawn.
    pub all: bool,
}

/// Why there are no quotas. The sentence is for whoever makes the plan.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PlanRefusal {
    /// The ratio is under the item's least.
    #[error("抽查比例{}低于本事项的下限{}，请提高", percent(*.ratio), percent(*.least))]
    RatioTooLow {
        /// The plan's, per 10,000.
        ratio: u32,
        /// The item's, per 10,000.
        least: u32,
    },
    /// More than all.
    #[error("抽查比例{}超过100%，请核对", percent(*.0))]
    RatioTooHigh(u32),
    /// There is nobody to draw from.
    #[error("抽查事项“{0}”没有可以抽取的对象。请核对检查对象名录、等级和不抽取的情形")]
    NoCandidates(String),
    /// A group of a level that the item has no measure for.
    #[error("抽查事项“{item}”没有等级“{level}”的监管措施，请在规则库中补写，或重新分类")]
    UnknownLevel {
        /// The item.
        item: String,
        /// The level.
        level: String,
    },
    /// Groups are told apart by level, town and whether they are left out.
    #[error("分组“{0}”出现了两次，请合并")]
    GroupTwice(Line),
    /// Without those who are left out, there are fewer than the ratio asks for.
    #[error("按比例应抽{wanted}家，留出低风险对象后只有{left}家可抽。请降低抽查比例，或不留出低风险对象")]
    TooFewLeft {
        /// How many should be drawn by level.
        wanted: u64,
        /// How many are left for it.
        left: u64,
    },
}

/// As people read a ratio per 10,000.
fn percent(ratio: u32) -> String {
    let text = format!("{}.{:02}", ratio / 100, ratio % 100);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

impl Group {
    /// Label of its stratum within the bureau: `food_production_daily/A`, `…/A/left_out`, `…/A/城关镇`.
    ///
    /// # Panics
    /// Never: it has no control characters and is not empty.
    #[must_use]
    pub fn label(&self, item: &str) -> Line {
        let parts = [Some(item), Some(&self.level), self.town.as_deref(), self.left_out.then_some("left_out")];
        let label = parts.into_iter().flatten().collect::<Vec<_>>().join("/");
        // Towns are free text of the registry.
        Line::new(label.replace(|character: char| character.is_ascii_control(), " ")).expect("a line, not empty")
    }
}

impl Quota {
    /// How many in all.
    #[must_use]
    pub fn total(self) -> u64 {
        self.explored + self.by_level
    }
}

/// A group while its quota is worked out.
struct Share<'a> {
    /// Where it stood in the question.
    place: usize,
    /// Place of its level, from the least risk.
    level: usize,
    measure: &'a Measure,
    group: &'a Group,
    quota: Quota,
}

impl Share<'_> {
    fn weight(&self) -> u128 {
        u128::from(self.measure.weight) * u128::from(self.group.candidates)
    }

    /// How many exploration leaves.
    fn room(&self) -> u64 {
        self.group.candidates - self.quota.explored
    }
}

/// How many of each group are drawn, in the order of the groups.
///
/// The ratio of all candidates, rounded up, is the target. The item's share of it for exploration, rounded up, goes to
/// all groups by their size. The rest goes to the levels that are not left out, by weight × size, none beyond what
/// exploration leaves of it; what is cut off goes to the others; within a level by what exploration leaves of each
/// town. Every rounding is by largest remainder, of equal ones the greater risk first. Then a group with raised risk
/// that got none gets one, beyond the target. So quotas sum to the target, and to as many more as there were such groups.
///
/// Before rounding, the part by level is the same multiple of the weight for every level, or all there is: as weights
/// do not fall, a greater risk has no smaller ratio. Rounding moves each of the two parts by less than one, so that in
/// very small groups whole numbers may say otherwise; and a greater ratio may take a visit or two from a group to give
/// it to another, as with every largest remainder.
///
/// # Errors
/// When the terms are against the item, or there is nothing to draw from.
///
/// # Panics
/// Never with fewer than 2⁴⁰ candidates.
pub fn quotas(item: &InspectionItem, terms: &Terms, groups: &[Group]) -> Result<Vec<Quota>, PlanRefusal> {
    let title = || item.rule.title.clone();
    if terms.ratio > WHOLE {
        return Err(PlanRefusal::RatioTooHigh(terms.ratio));
    }
    if terms.ratio < item.least_ratio {
        return Err(PlanRefusal::RatioTooLow { ratio: terms.ratio, least: item.least_ratio });
    }
    if groups.iter().all(|group| group.candidates == 0) {
        return Err(PlanRefusal::NoCandidates(title()));
    }
    let mut shares = shares(item, groups)?;
    let sizes: Vec<u64> = drawn(&mut shares).map(|share| share.group.candidates).collect();
    let target = part_of(sizes.iter().sum(), terms.ratio);
    let explored = part_of(target, item.exploration);
    let by_size: Vec<u128> = sizes.into_iter().map(u128::from).collect();
    for (share, explored) in drawn(&mut shares).zip(spread(explored, &by_size)) {
        share.quota.explored = explored;
    }
    by_level(item, &mut shares, target - explored)?;
    for share in &mut shares {
        let (candidates, quota) = (share.group.candidates, &mut share.quota);
        if share.measure.full {
            quota.by_level = candidates;
        } else if share.measure.is_raised() && !share.measure.may_leave_out && quota.total() == 0 {
            quota.by_level = candidates.min(1);
        }
        quota.all = candidates > 0 && quota.total() >= candidates;
    }
    shares.sort_by_key(|share| share.place);
    Ok(shares.into_iter().map(|share| share.quota).collect())
}

/// The groups in the order in which equal remainders are served, whatever the order of the question.
fn shares<'a>(item: &'a InspectionItem, groups: &'a [Group]) -> Result<Vec<Share<'a>>, PlanRefusal> {
    let mut seen = BTreeSet::new();
    let mut shares = Vec::with_capacity(groups.len());
    for (place, group) in groups.iter().enumerate() {
        let unknown = || PlanRefusal::UnknownLevel { item: item.rule.title.clone(), level: group.level.clone() };
        let level = item.measures.iter().position(|one| one.level == group.level).ok_or_else(unknown)?;
        if !seen.insert((level, &group.town, group.left_out)) {
            return Err(PlanRefusal::GroupTwice(group.label(&item.rule.id.value)));
        }
        let quota = Quota { explored: 0, by_level: 0, all: false };
        shares.push(Share { place, level, measure: &item.measures[level], group, quota });
    }
    shares.sort_by_key(|share| (std::cmp::Reverse(share.level), share.group.left_out, &share.group.town));
    Ok(shares)
}

/// Those that are not covered in full from the beginning.
fn drawn<'s, 'a>(shares: &'s mut [Share<'a>]) -> impl Iterator<Item = &'s mut Share<'a>> {
    shares.iter_mut().filter(|share| !share.measure.full)
}

/// Gives the groups that are not left out their part by level.
fn by_level(item: &InspectionItem, shares: &mut [Share], wanted: u64) -> Result<(), PlanRefusal> {
    let is_in = |share: &Share, level| share.level == level && !share.group.left_out && !share.measure.full;
    let groups_of = |level| (0..shares.len()).filter(|&one| is_in(&shares[one], level)).collect();
    // The greater risk first, as equal remainders are served.
    let levels: Vec<Vec<usize>> = (0..item.measures.len()).rev().map(groups_of).collect();
    let weights: Vec<u128> = levels.iter().map(|groups| groups.iter().map(|&one| shares[one].weight()).sum()).collect();
    let rooms: Vec<u64> = levels.iter().map(|groups| groups.iter().map(|&one| shares[one].room()).sum()).collect();
    let too_few = || PlanRefusal::TooFewLeft { wanted, left: rooms.iter().sum() };
    let parts = fill(wanted, &weights, &rooms).ok_or_else(too_few)?;
    for (groups, part) in levels.iter().zip(parts) {
        let rooms: Vec<u128> = groups.iter().map(|&one| shares[one].room().into()).collect();
        for (&one, part) in groups.iter().zip(spread(part, &rooms)) {
            shares[one].quota.by_level = part;
        }
    }
    Ok(())
}

/// So many of 10,000 of a number, rounded up.
fn part_of(whole: u64, ratio: u32) -> u64 {
    let part = (u128::from(whole) * u128::from(ratio)).div_ceil(WHOLE.into());
    u64::try_from(part).expect("a part is no more than the whole")
}

/// Spreads a number by weight, nobody getting more than there is room; none when there is not room enough.
fn fill(total: u64, weights: &[u128], rooms: &[u64]) -> Option<Vec<u64>> {
    let mut filled: Vec<Option<u64>> = vec![None; weights.len()];
    loop {
        let left = total - filled.iter().flatten().sum::<u64>();
        let open: Vec<usize> = (0..filled.len()).filter(|&place| filled[place].is_none()).collect();
        let all: u128 = open.iter().map(|&place| weights[place]).sum();
        if all == 0 {
            return (left == 0).then(|| filled.into_iter().map(Option::unwrap_or_default).collect());
        }
        let is_full = |place: &usize| u128::from(left) * weights[*place] >= u128::from(rooms[*place]) * all;
        let full: Vec<usize> = open.iter().copied().filter(is_full).collect();
        if full.is_empty() {
            // Nobody's exact part reaches the room, so that rounding it up does not go beyond.
            let weights: Vec<u128> = open.iter().map(|&place| weights[place]).collect();
            for (place, part) in open.into_iter().zip(spread(left, &weights)) {
                filled[place] = Some(part);
            }
            return filled.into_iter().collect();
        }
        for place in full {
            filled[place] = Some(rooms[place]);
        }
    }
}

/// Spreads a number by weight and largest remainder; of equal remainders the first ones are served.
fn spread(total: u64, weights: &[u128]) -> Vec<u64> {
    let all = weights.iter().sum::<u128>().max(1);
    let exact = |weight: &u128| u128::from(total) * weight;
    let mut parts: Vec<u64> = weights
        .iter()
        .map(|weight| u64::try_from(exact(weight) / all).expect("a part is no more than the whole"))
        .collect();
    let mut by_remainder: Vec<usize> = (0..weights.len()).filter(|&place| weights[place] > 0).collect();
    by_remainder.sort_by_key(|&place| std::cmp::Reverse(exact(&weights[place]) % all));
    let left = total.saturating_sub(parts.iter().sum());
    for (_, place) in (0..left).zip(by_remainder) {
        parts[place] += 1;
    }
    parts
}
