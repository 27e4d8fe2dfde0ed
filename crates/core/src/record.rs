//! Credit record (信用记录): one fact in the ledger, and the draft it is made from.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, SubsecRound, Utc};
use compact_str::{CompactString, ToCompactString};
use litemap::LiteMap;
use serde::de::{self, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::credit_code::CreditCode;
use crate::ledger::Hash;

/// A day in the world, in the calendar of China (no time, no zone).
pub type Day = NaiveDate;

/// Place in the ledger: dense, from 1, the total order of everything the bureau knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub i64);

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A moment at which we knew something, in UTC and whole microseconds, so that both databases keep
/// exactly the same value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(DateTime<Utc>);

impl Moment {
    /// Cuts to whole microseconds.
    #[must_use]
    pub fn new(moment: DateTime<Utc>) -> Self {
        Self(moment.trunc_subsecs(6))
    }

    /// From microseconds since 1970-01-01T00:00:00Z; `None` outside the calendar's range.
    #[must_use]
    pub fn from_micros(micros: i64) -> Option<Self> {
        DateTime::from_timestamp_micros(micros).map(Self)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.0.timestamp_micros()
    }

    /// So many minutes later, or earlier when negative.
    #[must_use]
    pub fn minutes_later(self, minutes: i64) -> Self {
        let later = chrono::TimeDelta::try_minutes(minutes).and_then(|by| self.0.checked_add_signed(by));
        later.map_or(self, Self)
    }

    /// The moment at which a day begins in China.
    #[must_use]
    pub fn midnight_in_china(day: Day) -> Self {
        Self(day.and_time(NaiveTime::MIN).and_utc() - chrono::TimeDelta::hours(8))
    }

    /// The day it is in China at this moment (UTC+8, no daylight saving).
    #[must_use]
    pub fn day_in_china(self) -> Day {
        (self.0 + chrono::TimeDelta::hours(8)).date_naive()
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

/// A text of a record. Most are short: up to 24 bytes stand in the value itself, without memory of their own.
pub type Text = CompactString;

/// A scalar of a payload. Days are ISO text (`2026-11-24`), amounts are whole fen (分): what the
/// chain hashes has one spelling only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// Yes or no.
    Flag(bool),
    /// A whole number: a count, an amount in fen.
    Integer(i64),
    /// Text, a code, or a day as `YYYY-MM-DD`.
    Text(Text),
}

impl Value {
    /// The text, when it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, when it is one.
    #[must_use]
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// The day, when it is the text of one.
    #[must_use]
    pub fn as_day(&self) -> Option<Day> {
        self.as_text()?.parse().ok()
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

/// A day, in its one spelling.
impl From<Day> for Value {
    fn from(day: Day) -> Self {
        Self::Text(day.to_compact_string())
    }
}

/// By hand, because a derived one would try the variants in turn and, for every text, first write an
/// error about it: most of the time of reading a ledger.
impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Scalar;

        impl Visitor<'_> for Scalar {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("文字、整数、true 或 false。日期写作 2026-11-24，金额以分为单位写整数")
            }

            fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Value, E> {
                Ok(Value::Flag(flag))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
                Ok(Value::Integer(number))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value, E> {
                let number =
                    i64::try_from(number).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))?;
                Ok(Value::Integer(number))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(text.into()))
            }

            fn visit_string<E: de::Error>(self, text: String) -> Result<Value, E> {
                Ok(Value::Text(text.into()))
            }
        }

        deserializer.deserialize_any(Scalar)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(true) => f.write_str("是"),
            Self::Flag(false) => f.write_str("否"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// Values of some fields of a record, in the order of the fields' names. They are few, and stand in one piece of memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields<V>(LiteMap<Text, V>);

/// The fields of a record that are not personal, by the names its kind declares.
pub type Payload = Fields<Value>;

/// Salted commitments of the personal fields of a record.
pub type Commitments = Fields<Hash>;

impl<V> Default for Fields<V> {
    fn default() -> Self {
        Self(LiteMap::new_vec())
    }
}

impl<V> Fields<V> {
    /// The value of a field, when present.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&V> {
        self.0.get(field)
    }

    /// Gives a field its value, in place of the one that it may have.
    pub fn insert(&mut self, field: impl Into<Text>, value: V) {
        if let Some((field, value)) = self.0.try_append(field.into(), value) {
            self.0.insert(field, value);
        }
    }

    /// Takes a field out.
    pub fn remove(&mut self, field: &str) {
        self.0.remove(field);
    }

    /// The fields that are present, in the order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &V)> {
        self.0.iter().map(|(field, value)| (field.as_str(), value))
    }
}

impl<N: Into<Text>, V> Extend<(N, V)> for Fields<V> {
    fn extend<I: IntoIterator<Item = (N, V)>>(&mut self, fields: I) {
        for (field, value) in fields {
            self.insert(field, value);
        }
    }
}

impl<N: Into<Text>, V> FromIterator<(N, V)> for Fields<V> {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        let mut all = Self::default();
        all.extend(fields);
        all
    }
}

impl<V: Serialize> Serialize for Fields<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Fields<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Named<V>(PhantomData<V>);

        impl<'de, V: Deserialize<'de>> Visitor<'de> for Named<V> {
            type Value = Fields<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("字段名和值")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<V>, A::Error> {
                let mut fields = Fields::default();
                while let Some((field, value)) = map.next_entry::<Text, V>()? {
                    fields.insert(field, value);
                }
                Ok(fields)
            }
        }

        deserializer.deserialize_map(Named(PhantomData))
    }
}

impl Payload {
    /// The text of a field.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        self.get(field)?.as_text()
    }

    /// The number in a field.
    #[must_use]
    pub fn integer(&self, field: &str) -> Option<i64> {
        self.get(field)?.as_integer()
    }

    /// The day in a field.
    #[must_use]
    pub fn day(&self, field: &str) -> Option<Day> {
        self.get(field)?.as_day()
    }

    /// The failed share of a chapter in a field.
    #[must_use]
    pub fn share(&self, field: &str) -> Option<FailedShare> {
        self.text(field)?.parse().ok()
    }
}

/// What failed of a checklist's chapter (不符合/适用), written `3/12`: weights of items, failed ones among
/// those that apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailedShare {
    /// Weight of the items that failed; never more than `applicable`.
    pub failed: u32,
    /// Weight of the items that apply.
    pub applicable: u32,
}

/// Why a text is no share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoShare {
    /// It is not two whole numbers with a slash between.
    Form,
    /// More failed than apply.
    FailedExceeds,
}

impl std::str::FromStr for FailedShare {
    type Err = NoShare;

    fn from_str(text: &str) -> Result<Self, NoShare> {
        let (failed, applicable) = text.split_once('/').ok_or(NoShare::Form)?;
        let weight = |text: &str| text.parse::<u32>().map_err(|_| NoShare::Form);
        let share = Self { failed: weight(failed)?, applicable: weight(applicable)? };
        if share.failed > share.applicable { Err(NoShare::FailedExceeds) } else { Ok(share) }
    }
}

impl fmt::Display for FailedShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.failed, self.applicable)
    }
}

/// Why a personal value is looked at. There is no other way to read one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// To encrypt it and commit to it before it is stored.
    Seal,
    /// To recognise the same value again, by a keyed index.
    Match,
    /// To give a refused row back to the person who handed it in.
    ReturnToSubmitter,
    /// To check a commitment in the ledger.
    Verify,
    /// To show one field of one record to a person who has said why, on the audit log.
    Unmask,
}

/// Personal data (个人信息): a natural person's name, identifier, telephone, or a text about people.
/// It has no `Display`, and its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Personal(String);

impl Personal {
    /// Takes the clear value in.
    #[must_use]
    pub fn new(clear: impl Into<String>) -> Self {
        Self(clear.into())
    }

    /// The clear value, for a stated reason.
    #[must_use]
    pub fn reveal(&self, _reason: Reason) -> &str {
        &self.0
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Personal(…)")
    }
}

/// Personal field with the columns of a row that no table knows: nobody can say what they hold.
pub const OTHER_COLUMNS: &str = "other_columns";

/// Personal field with the enterprise's name of a row that gives nothing else to know it by.
pub const GIVEN_NAME: &str = "given_name";

/// What a row says about whose record it is, as given. The first that is present identifies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnterpriseKeys {
    /// 统一社会信用代码
    pub credit_code: Option<CreditCode>,
    /// 主体身份代码 (pripid): the registry's own key.
    pub main_identity: Option<Text>,
    /// 注册号
    pub registration_number: Option<Text>,
    /// 企业名称
    pub name: Option<Text>,
}

/// Where a record came from: the submission, the line in its file (the header is line 1), and the
/// part when one line brings several records. Its text `submission.line.part` is the record's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId {
    /// Number of the submission, dense from 1.
    pub submission: i64,
    /// Line of the file, or 1 for a form.
    pub line: i64,
    /// Which of the line's records, from 0.
    pub part: i16,
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.submission, self.line, self.part)
    }
}

/// A record as read from a row or a form: checked against its kind, not yet in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Line of the file it came from.
    pub line: i64,
    /// Which of the line's records, from 0.
    pub part: i16,
    /// Kind of record (归集公示事项).
    pub kind: Text,
    /// Whose record it is, as given.
    pub keys: EnterpriseKeys,
    /// The day in the world.
    pub occurred_on: Day,
    /// 文号, when the kind has one.
    pub document_number: Option<String>,
    /// For a kind of nature `state`: the day this version of the state is of.
    pub version: Option<Day>,
    /// The source's delete flag: a withdrawal (撤销).
    pub withdrawn: bool,
    /// A person's reason why this row corrects what is on record (更正说明).
    pub correction: Option<Text>,
    /// Fields that are not personal.
    pub payload: Payload,
    /// Personal fields, clear until sealed.
    pub personal: BTreeMap<String, Personal>,
}

/// What a record says, and its place: all that points, levels and alerts rest on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Place in the ledger.
    pub seq: Seq,
    /// Kind of record.
    pub kind: Text,
    /// The day in the world.
    pub occurred_on: Day,
    /// For states: the day this version is of.
    pub version: Option<Day>,
    /// 文号
    pub document_number: Option<String>,
    /// The record that this one corrects, updates or withdraws.
    pub supersedes: Option<Seq>,
    /// Whether it supersedes with nothing.
    pub withdrawn: bool,
    /// Fields that are not personal.
    pub payload: Payload,
}

impl AsRef<Self> for Statement {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// A record of the ledger: a statement, and where it came from. Personal fields appear as salted commitments only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What it says.
    pub statement: Statement,
    /// Where it came from.
    pub id: RecordId,
    /// Whose it is; `None` while no enterprise matches.
    pub enterprise: Option<CreditCode>,
    /// The moment we knew.
    pub received_at: Moment,
    /// Code of the unit that handed it in.
    pub source_unit: Text,
    /// Of each personal field.
    pub commitments: Commitments,
}

impl AsRef<Statement> for Record {
    fn as_ref(&self) -> &Statement {
        &self.statement
    }
}

/// A record is read as what it says.
impl Deref for Record {
    type Target = Statement;

    fn deref(&self) -> &Statement {
        &self.statement
    }
}
