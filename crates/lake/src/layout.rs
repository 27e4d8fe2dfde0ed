//! Which column of which file is what.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Where a ledger's things are in its two files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    /// Enterprises.
    pub enterprises: EnterpriseColumns,
    /// Records.
    pub records: RecordColumns,
}

/// Columns of the file of enterprises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnterpriseColumns {
    /// The number of the enterprise.
    pub id: String,
    /// Its credit code (统一社会信用代码), which the result then names instead of the number.
    #[serde(default)]
    pub credit_code: Option<String>,
    /// The row as a record of this kind, of the day of scoring.
    #[serde(default)]
    pub kind: Option<String>,
    /// The fields of that record.
    #[serde(default)]
    pub fields: BTreeMap<String, FieldColumn>,
}

/// Columns of the file of records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordColumns {
    /// The number of the enterprise.
    pub enterprise: String,
    /// Column with the number of the kind, counted from 0.
    pub kind: String,
    /// The kinds by their numbers.
    pub kinds: Vec<String>,
    /// The day in the world.
    pub occurred_on: String,
    /// Place in the ledger, which decides between records of one day.
    #[serde(default)]
    pub seq: Option<String>,
    /// The first day on which a record is no longer in effect, where others have worked it out.
    #[serde(default)]
    pub ended_on: Option<String>,
    /// The day of its repair, where others have worked it out.
    #[serde(default)]
    pub repaired_on: Option<String>,
    /// For each kind: its fields.
    pub fields: BTreeMap<String, BTreeMap<String, FieldColumn>>,
}

/// The column of a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldColumn {
    /// Its name.
    pub column: String,
    /// How many of the field's units are one of the column's (100 where fen are written in yuan).
    #[serde(default = "one")]
    pub scale: u32,
}

const fn one() -> u32 {
    1
}

impl FieldColumn {
    /// A column with the field's own units.
    pub fn new(column: impl Into<String>) -> Self {
        Self { column: column.into(), scale: 1 }
    }
}
