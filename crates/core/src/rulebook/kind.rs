//! Kind of record (归集公示事项), folder `kinds/`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

use super::model::Condition;
use super::{Citation, Head};
use crate::calendar::{CalendarDays, Months, Years};
use crate::record::{Day, Statement};

/// A kind of record: what it consists of, when two are the same, who owes it and by when.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// Head of the rule.
    pub rule: Head,
    /// Event or state.
    pub nature: Nature,
    /// Field whose day is the day in the world. Registers of states without one use the version's day.
    #[serde(default)]
    pub occurred_on: Option<String>,
    /// Field with the day on which it was formed (形成之日), from which terms are counted: the day of the
    /// decision or of the report. Without it, or where it is empty, the day in the world.
    #[serde(default)]
    pub formed_on: Option<String>,
    /// Field that says of which day a state is; without it the import names the edition's day.
    #[serde(default)]
    pub version: Option<String>,
    /// Fields that, with the enterprise as given in the row, make two rows the same record.
    #[serde(default)]
    pub identity: Vec<String>,
    /// Field that is the official document number (文号).
    #[serde(default)]
    pub document_number: Option<String>,
    /// How a record of this kind ends, if it does.
    #[serde(default)]
    pub ends: Option<Ends>,
    /// Kind of record that repairs it (信用修复), matched on fields.
    #[serde(default)]
    pub repaired: Option<EndedBy>,
    /// Units that produce it (谁产生、谁提供、谁负责).
    #[serde(default)]
    pub produced_by: Vec<String>,
    /// How soon the unit hands it in after it was formed.
    #[serde(default)]
    pub submit_within: Option<Term>,
    /// A record that reaches us later than this after it was formed is history, brought in when the books
    /// were opened: it is not late and starts no clock.
    #[serde(default)]
    pub history_after: Option<Period>,
    /// Whether and how long it is public.
    #[serde(default)]
    pub publicity: Option<PublicityRule>,
    /// Its fields, in the order in which people read them.
    pub fields: Vec<Field>,
}

/// What happens when the same identity comes again with other content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Nature {
    /// Something that happened: other content is a conflict that a person settles as a correction.
    Event,
    /// A register's row: a newer one supersedes by itself, an older one never does.
    State,
}

/// How a record ends.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ends {
    /// Field with its last day.
    #[serde(default)]
    pub on: Option<String>,
    /// Kind of record that ends it.
    #[serde(default)]
    pub by: Option<EndedBy>,
}

/// A record of another kind, of the same enterprise, that does something to this one.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndedBy {
    /// The other kind.
    pub kind: String,
    /// This kind's field → the other's field that must be equal.
    pub matching: BTreeMap<String, String>,
    /// Conditions on the other that must all hold.
    #[serde(default, rename = "where")]
    pub conditions: Vec<Condition>,
}

/// A term with its unit and source.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// Length.
    pub value: u32,
    /// Unit.
    pub unit: TermUnit,
    /// Where it is written; absent when ours.
    #[serde(default)]
    pub cite: Option<Citation>,
}

/// Unit of a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TermUnit {
    /// 工作日
    WorkingDays,
    /// 日
    CalendarDays,
    /// 月
    Months,
    /// 年
    Years,
}

/// A span of the calendar. Working days are no such thing: they need the holiday notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// Length.
    pub value: u32,
    /// Unit.
    pub unit: PeriodUnit,
}

/// Unit of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PeriodUnit {
    /// 日
    CalendarDays,
    /// 月
    Months,
    /// 年
    Years,
}

impl Period {
    /// The last day. The day it starts from is not counted.
    #[must_use]
    pub fn last_day_from(self, start: Day) -> Day {
        match self.unit {
            PeriodUnit::CalendarDays => CalendarDays(self.value).after(start),
            PeriodUnit::Months => Months(self.value).after(start),
            PeriodUnit::Years => Years(self.value).after(start),
        }
    }
}

/// Publicity of a kind (公示). What is not said to be public is not.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublicityRule {
    /// Whether it is published at all.
    pub published: bool,
    /// Where it is written; absent when ours.
    #[serde(default)]
    pub cite: Option<Citation>,
    /// Fields with the day of publication, the first that is filled counts. Without one, the day on which
    /// the record was formed: the earliest possible, so that nothing stays public for too long.
    #[serde(default)]
    pub counted_from: Vec<String>,
    /// Kind of record that proves on which day it was published; it comes before `counted_from`.
    #[serde(default)]
    pub proved: Option<EndedBy>,
    /// Fields that everybody may read. Never a personal one.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Fields that everybody may read under a condition.
    #[serde(default)]
    pub fields_if: Vec<FieldsIf>,
    /// Terms of publicity: the first that fits counts, and the last fits every record.
    #[serde(default)]
    pub terms: Vec<PublicityTerm>,
}

/// Fields that are public under a condition. All of it must hold.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldsIf {
    /// The fields.
    pub fields: Vec<String>,
    /// Conditions on the record.
    #[serde(default, rename = "where")]
    pub conditions: Vec<Condition>,
    /// Conditions on the enterprise's registration; they do not hold while it is unknown.
    #[serde(default)]
    pub enterprise: Vec<Condition>,
}

/// Whether and how long records are public that fulfil all of its conditions.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublicityTerm {
    /// Stable name within the kind.
    #[schemars(with = "String")]
    pub id: Spanned<String>,
    /// What it says, as people read it behind a record: 「一般行政处罚公示满一年停止」.
    pub title: String,
    /// Records formed on this day or later.
    #[serde(default)]
    pub from: Option<Day>,
    /// Records formed on this day or earlier.
    #[serde(default)]
    pub until: Option<Day>,
    /// Conditions on the record that must all hold.
    #[serde(default, rename = "where")]
    pub conditions: Vec<Condition>,
    /// Conditions on the record of which one must hold.
    #[serde(default)]
    pub any: Vec<Condition>,
    /// Conditions on the enterprise's registration; they do not hold while it is unknown.
    #[serde(default)]
    pub enterprise: Vec<Condition>,
    /// Whether such records are published (default: they are).
    #[serde(default = "yes")]
    pub published: bool,
    /// How long; absent: as long as the record is in effect.
    #[serde(default)]
    pub lasts: Option<Period>,
    /// Field with a later last day, which then counts (实际限制期限).
    #[serde(default)]
    pub or_until: Option<String>,
    /// Whether a repair (信用修复) stops it before its time (default: it does).
    #[serde(default = "yes")]
    pub stopped_by_repair: bool,
    /// Where it is written; absent when ours.
    #[serde(default)]
    pub cite: Option<Citation>,
    /// Remarks for those who keep the rule.
    #[serde(default)]
    pub note: Option<String>,
}

const fn yes() -> bool {
    true
}

/// A field of a kind.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Name in payloads.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// 名称
    pub title: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub field_type: FieldType,
    /// Whether a row without it is refused.
    #[serde(default)]
    pub required: bool,
    /// Personal data: encrypted, masked, never in clear outside.
    #[serde(default)]
    pub personal: bool,
    /// For `choice`: code → the spellings in files (the first is shown to people).
    #[serde(default)]
    pub choices: BTreeMap<String, Vec<String>>,
}

/// Type of a field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// Free text.
    Text,
    /// A code or number of a document: upper case, no white space, brackets made alike.
    Code,
    /// Unified social credit code, check character verified.
    CreditCode,
    /// A day.
    Day,
    /// A last day, where 2099-12-31, 9999-12-31 and the like mean "none".
    EndDay,
    /// An amount, kept in fen (分).
    Amount,
    /// A whole number.
    Integer,
    /// Yes or no.
    Flag,
    /// One of the choices, kept as its code.
    Choice,
    /// Codes separated by `,`, `;` or `、`, kept joined by `,`.
    Codes,
    /// `failed/applicable` weights of a checklist's chapter, e.g. `3/12`.
    Share,
}

impl std::fmt::Display for FieldType {
    /// As rule files write it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.serialize(f)
    }
}

impl Kind {
    /// The field of that name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name.value == name)
    }

    /// The day on which a record of this kind was formed.
    #[must_use]
    pub fn formed_on(&self, record: &Statement) -> Day {
        let field = self.formed_on.as_ref().and_then(|field| record.payload.day(field));
        field.unwrap_or(record.occurred_on)
    }
}

impl Field {
    /// What people read for a value of this field.
    #[must_use]
    pub fn shown<'a>(&'a self, code: &'a str) -> &'a str {
        self.choices.get(code).and_then(|spellings| spellings.first()).map_or(code, String::as_str)
    }
}
