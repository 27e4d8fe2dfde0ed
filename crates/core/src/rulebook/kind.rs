//! Kind of record (归集公示事项), folder `kinds/`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

use super::{Citation, Head};

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

/// A record of another kind that ends or repairs this one.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndedBy {
    /// The other kind.
    pub kind: String,
    /// This kind's field → the other's field that must be equal.
    pub matching: BTreeMap<String, String>,
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

/// Publicity of a kind (公示).
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublicityRule {
    /// Whether it is published at all.
    pub published: bool,
    /// By when.
    #[serde(default)]
    pub within: Option<Term>,
    /// How long.
    #[serde(default)]
    pub lasts: Option<Term>,
    /// Where it is written; absent when ours.
    #[serde(default)]
    pub cite: Option<Citation>,
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
}

impl Field {
    /// What people read for a value of this field.
    #[must_use]
    pub fn shown<'a>(&'a self, code: &'a str) -> &'a str {
        self.choices.get(code).and_then(|spellings| spellings.first()).map_or(code, String::as_str)
    }
}
