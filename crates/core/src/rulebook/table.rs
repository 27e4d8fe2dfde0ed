//! Exchange table (交换表), folder `tables/`: how the columns of a file become records. A user's
//! stored mapping (`--mapping`) is a file of the same form.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

use super::Head;

/// A table that units and platforms exchange.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Head of the rule.
    pub rule: Head,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Which columns say whose record a row is.
    pub enterprise: EnterpriseColumns,
    /// Column and values with which the source marks a row as deleted.
    #[serde(default)]
    pub delete_flag: Option<DeleteFlag>,
    /// The records that one row brings.
    pub records: Vec<RecordMapping>,
}

/// A column, under any of its headings.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Standard name (`uni_social_crd_cd`); a heading by itself.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// Chinese heading.
    pub title: String,
    /// Other headings met in files.
    #[serde(default)]
    pub also: Vec<String>,
    /// For amounts without a unit in the cell: 元 (default) or 万元.
    #[serde(default)]
    pub unit: AmountUnit,
    /// Values to be replaced before they are read: as given → as meant.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
}

/// Unit of an amount column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum AmountUnit {
    /// Yuan.
    #[default]
    元,
    /// Ten thousand yuan.
    万元,
}

/// Columns that identify the enterprise. A row needs at least one of them filled.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnterpriseColumns {
    /// 统一社会信用代码
    #[serde(default)]
    pub credit_code: Option<String>,
    /// 主体身份代码
    #[serde(default)]
    pub main_identity: Option<String>,
    /// 注册号
    #[serde(default)]
    pub registration_number: Option<String>,
    /// 企业名称
    #[serde(default)]
    pub name: Option<String>,
    /// For data without credit codes: make a valid one from a column's digits. Such codes stand in an
    /// unassigned region and never meet a real enterprise.
    #[serde(default)]
    pub generated: Option<GeneratedCode>,
}

/// How a valid credit code is made for data that has none.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GeneratedCode {
    /// Column whose text tells enterprises apart: up to eight digits or capital letters.
    pub from: String,
    /// First eight characters: department, type, region.
    pub prefix: String,
}

/// The source's delete flag (数据记录的增删改标志).
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteFlag {
    /// Column.
    pub column: String,
    /// Values that mean "deleted".
    pub values: Vec<String>,
}

/// A record that a row brings.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordMapping {
    /// Kind of record.
    #[schemars(with = "String")]
    pub kind: Spanned<String>,
    /// Only when this column is filled (a removal date, say).
    #[serde(default)]
    pub when: Option<String>,
    /// Field of the kind → column.
    pub fields: BTreeMap<String, String>,
    /// Field of the kind → column, whose cell is kept as it was given, before any value was replaced.
    #[serde(default)]
    pub as_given: BTreeMap<String, String>,
    /// Field of the kind → the same value in every row.
    #[serde(default)]
    pub constants: BTreeMap<String, String>,
}

impl Table {
    /// The column of that standard name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.value == name)
    }
}
