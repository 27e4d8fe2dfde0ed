//! Indicator model (指标模型), folder `models/`: a closed vocabulary, no free code. The meaning of
//! every word is in `score.rs`, which is the kernel that carries it out.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

use super::{Citation, Head};
use crate::points::Points;

/// An indicator model. More points mean more risk.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Head of the rule.
    pub rule: Head,
    /// `general`, or the key field it grades (`food_production`).
    pub field: String,
    /// Which enterprises it grades: all of these must hold. Empty: every enterprise.
    #[serde(default)]
    pub applies: Vec<Requirement>,
    /// Whether the bureau tells an enterprise what this model says of it, why, and what a repair would change. By default it
    /// keeps that to itself.
    #[serde(default)]
    pub told_to_enterprise: bool,
    /// Least and most total points.
    pub scale: Scale,
    /// Levels from the least to the greatest risk, with their upper bounds.
    pub levels: Vec<LevelBand>,
    /// Named decays (衰减) that parts refer to.
    #[serde(default)]
    pub decays: BTreeMap<String, Decay>,
    /// Dimensions (一级指标).
    pub dimensions: Vec<Dimension>,
    /// Direct determinations (直接判定) and shifts, in the order in which they are explained.
    #[serde(default)]
    pub overrides: Vec<Override>,
    /// How far shifts may go in all.
    #[serde(default)]
    pub shift_limits: Option<ShiftLimits>,
}

/// Range of the total.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// Least total.
    pub min: Points,
    /// Greatest total.
    pub max: Points,
}

/// A level and its upper bound. All but the last give exactly one of `below` and `up_to`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelBand {
    /// `A`, `B`, …
    #[schemars(with = "String")]
    pub code: Spanned<String>,
    /// 名称
    pub title: String,
    /// Totals below this, the bound excluded.
    #[serde(default)]
    pub below: Option<Points>,
    /// Totals up to this, the bound included.
    #[serde(default)]
    pub up_to: Option<Points>,
}

/// How points fade with age in full months from the record's day. Exactly one is given.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decay {
    /// Steps by age; beyond the last nothing is left.
    #[serde(default)]
    pub steps: Option<Vec<DecayStep>>,
    /// Evenly month by month, until after so many full months nothing is left.
    #[serde(default)]
    pub linear_months: Option<u32>,
}

/// A step of a decay. Exactly one of `up_to_months` and `below_months` is given.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecayStep {
    /// Applies while the record is younger than, or exactly, this many months old.
    #[serde(default)]
    pub up_to_months: Option<u32>,
    /// Applies while fewer full months have passed since the record's day.
    #[serde(default)]
    pub below_months: Option<u32>,
    /// What is left, in thousandths (600 = 60 %).
    pub permille: u32,
}

/// A dimension: a group of indicators with a common cap.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dimension {
    /// Stable name.
    #[schemars(with = "String")]
    pub id: Spanned<String>,
    /// 名称
    pub title: String,
    /// Most points of the group; for favourable ones the most they take off.
    pub cap: Points,
    /// By what the sum of its indicators is multiplied before the cap.
    #[serde(default)]
    pub multiplier: Option<Multiplier>,
    /// Its indicators.
    pub indicators: Vec<Indicator>,
}

/// A factor by what the enterprise is (its industry, say), taken from the latest matching record.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Multiplier {
    /// Which record says it.
    pub records: Filter,
    /// Field of the kind.
    pub field: String,
    /// Beginning of the field's value → thousandths; the longest that fits counts.
    pub permille: BTreeMap<String, u32>,
    /// Thousandths for any other value, and without such a record or field.
    pub otherwise: u32,
}

/// An indicator: one or more parts under one cap.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Indicator {
    /// Stable name.
    #[schemars(with = "String")]
    pub id: Spanned<String>,
    /// 名称
    pub title: String,
    /// Most points; for a favourable indicator (points below zero) the most it takes off.
    pub cap: Points,
    /// Where it is written; absent when ours.
    #[serde(default)]
    pub cite: Option<Citation>,
    /// How the parts' record points make the indicator's: their sum, or the single greatest.
    #[serde(default)]
    pub combine: Combine,
    /// Parts.
    pub parts: Vec<Part>,
}

/// How record points become an indicator's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Combine {
    /// All add up.
    #[default]
    Sum,
    /// The record with the most points counts alone (the earliest in the ledger among equals).
    Max,
}

/// Records and the points each of them has. Exactly one of `each`, `table`, `prefix_table`, `bands`,
/// `share`, `count` and `ratio` is given.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Which records.
    pub records: Filter,
    /// The same points for each record.
    #[serde(default)]
    pub each: Option<Points>,
    /// Points by the value of a field.
    #[serde(default)]
    pub table: Option<PointsTable>,
    /// Points by the longest matching prefix of each code in a field of codes; the greatest counts.
    #[serde(default)]
    pub prefix_table: Option<PointsTable>,
    /// Points by bands of a number.
    #[serde(default)]
    pub bands: Option<Bands>,
    /// `of × failed ÷ applicable` of a share field.
    #[serde(default)]
    pub share: Option<Share>,
    /// Points by how many records there are, as bands; the latest of them carries the points.
    #[serde(default)]
    pub count: Option<Vec<Band>>,
    /// Points by what share of some records these are; the latest of them carries the points.
    #[serde(default)]
    pub ratio: Option<Ratio>,
    /// What of the points counts, in thousandths.
    #[serde(default)]
    pub permille: Option<u32>,
    /// What of the points counts, by bands of a number (an amount, in even or logarithmic steps).
    #[serde(default)]
    pub factor: Option<FactorBands>,
    /// Name of the decay.
    #[serde(default)]
    pub decay: Option<String>,
    /// What of the points counts once the record has ended, in thousandths.
    #[serde(default)]
    pub ended_permille: Option<u32>,
    /// What of the points counts once the record is repaired, in thousandths; only where the filter
    /// includes repaired records.
    #[serde(default)]
    pub repaired_permille: Option<u32>,
}

/// Points by a field's value.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PointsTable {
    /// Field of the kind.
    pub field: String,
    /// Value → points.
    pub points: BTreeMap<String, Points>,
    /// Points of any other value, and of a record without the field.
    #[serde(default)]
    pub otherwise: Option<Points>,
}

/// Points by bands of a number.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bands {
    /// The number.
    pub of: Measure,
    /// From the lowest band up; the last has no `below`.
    pub steps: Vec<Band>,
    /// Points of a record without the field.
    #[serde(default)]
    pub otherwise: Option<Points>,
}

/// Thousandths by bands of a number.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FactorBands {
    /// The number.
    pub of: Measure,
    /// From the lowest band up; the last has no `below`.
    pub steps: Vec<FactorBand>,
    /// Thousandths for a record without the field.
    pub otherwise: u32,
}

/// A band of a factor: numbers below its bound.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FactorBand {
    /// Upper bound, excluded; absent in the last band.
    #[serde(default)]
    pub below: Option<i64>,
    /// Thousandths.
    pub permille: u32,
}

/// Points by a share of records: of the equipment in use, what is overdue.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ratio {
    /// Points when all of them match.
    pub of: Points,
    /// Among which records the share is taken. None of these, no points.
    pub among: Filter,
}

/// A number taken from a record. Exactly one is given.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// A whole number in a field (a count, fen).
    #[serde(default)]
    pub integer: Option<String>,
    /// Full months from the day in a field to the day of scoring.
    #[serde(default)]
    pub months_since: Option<String>,
    /// Days from the day in a field to the day of scoring; negative before it.
    #[serde(default)]
    pub days_since: Option<String>,
    /// Days from the day of scoring to the day in a field; negative once it is past.
    #[serde(default)]
    pub days_until: Option<String>,
}

/// A band: numbers below its bound.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// Upper bound, excluded; absent in the last band.
    #[serde(default)]
    pub below: Option<i64>,
    /// Points.
    pub points: Points,
}

/// Points by the failed share of a checklist's chapter.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// Field of type `share`.
    pub field: String,
    /// Points when all applicable weight failed.
    pub of: Points,
}

/// Which records of the enterprise. All conditions must hold.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Kinds of record.
    pub kinds: Vec<String>,
    /// Conditions on fields.
    #[serde(default, rename = "where")]
    pub conditions: Vec<Condition>,
    /// In effect, or ended.
    #[serde(default)]
    pub state: Option<State>,
    /// The record's day is at most this many full months ago.
    #[serde(default)]
    pub within_months: Option<u32>,
    /// Fewer full months than this have passed since the record's day.
    #[serde(default)]
    pub below_months: Option<u32>,
    /// The record's day is in the calendar year of the day asked.
    #[serde(default)]
    pub this_year: bool,
    /// The record's day is at least this many full months ago.
    #[serde(default)]
    pub older_than_months: Option<u32>,
    /// It ended at most this many full months ago.
    #[serde(default)]
    pub ended_within_months: Option<u32>,
    /// Leave out what has been repaired (default: repaired records keep no points).
    #[serde(default)]
    pub repaired: RepairedRecords,
    /// Only records that fulfil these are left out when repaired; others match in spite of it.
    #[serde(default)]
    pub repairable: Vec<Condition>,
    /// Only the latest by day (the greatest seq among equals).
    #[serde(default)]
    pub latest: bool,
}

/// State of a record on the day of scoring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Not ended. The last day itself still counts.
    Active,
    /// Ended.
    Ended,
}

/// What a filter does with repaired records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RepairedRecords {
    /// They do not match.
    #[default]
    LeftOut,
    /// They match like others.
    Included,
}

/// A condition on a field. Exactly one test is given.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Field of the kind.
    pub field: String,
    /// Its value is one of these (for codes: one of them begins with one of these).
    #[serde(default)]
    pub one_of: Option<Vec<String>>,
    /// Its value is none of these, or absent.
    #[serde(default)]
    pub none_of: Option<Vec<String>>,
    /// It is present and there is nothing in it but these (for codes: each begins with one of these).
    #[serde(default)]
    pub only: Option<Vec<String>>,
    /// Its number is at least this.
    #[serde(default)]
    pub at_least: Option<i64>,
    /// Its number is at most this.
    #[serde(default)]
    pub at_most: Option<i64>,
    /// It is present or absent.
    #[serde(default)]
    pub present: Option<bool>,
}

/// Direct determination: when all requirements hold, the effect applies.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// Stable name.
    #[schemars(with = "String")]
    pub id: Spanned<String>,
    /// 名称
    pub title: String,
    /// What must hold.
    pub when: Vec<Requirement>,
    /// What it does.
    pub effect: Effect,
    /// Where it is written; absent when ours.
    #[serde(default)]
    pub cite: Option<Citation>,
}

/// A number of matching records, within bounds.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// Which records.
    pub records: Filter,
    /// At least this many (default 1, unless `at_most` is given).
    #[serde(default)]
    pub at_least: Option<u32>,
    /// At most this many.
    #[serde(default)]
    pub at_most: Option<u32>,
}

/// Effect of an override. Exactly one is given. Sets come first, then shifts, then floors.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// The level is this one; the greatest risk among several.
    #[serde(default)]
    pub set: Option<String>,
    /// The level moves by so many, towards greater risk when positive; never beyond the ends.
    #[serde(default)]
    pub shift: Option<i32>,
    /// The level is at least this one.
    #[serde(default)]
    pub floor: Option<String>,
}

/// How far shifts may go in all.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShiftLimits {
    /// Most levels towards greater risk.
    pub up: u32,
    /// Most levels towards less risk.
    pub down: u32,
}
