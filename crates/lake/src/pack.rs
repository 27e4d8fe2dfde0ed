//! `xinheng-lake pack`: a county's ledger, with what became of its records worked out for a day, as two
//! Parquet files and a layout. What comes in is docs/lake.md's facts: one JSON object a line.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Int64Array, RecordBatch, StringArray, UInt8Array, UInt64Array,
};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde::{Deserialize, Serialize};
use xinheng_core::credit_code::CreditCode;
use xinheng_core::record::{Day, Value};
use xinheng_core::rulebook::kind::FieldType;

use crate::layout::{EnterpriseColumns, FieldColumn, Layout, RecordColumns};
use crate::readings::number_of;

/// Name of the file of enterprises within a packed ledger.
pub const ENTERPRISES: &str = "enterprises.parquet";
/// Name of the file of records.
pub const RECORDS: &str = "records.parquet";
/// Name of the layout.
pub const LAYOUT: &str = "layout.json";

/// First line of a file of facts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The day that ends and repairs were worked out for.
    pub as_of: Day,
    /// All kinds of record of that day, with or without records: field → type.
    pub kinds: BTreeMap<String, BTreeMap<String, FieldType>>,
}

/// Any other line: an enterprise, or a record in effect of one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Line {
    /// A record in effect.
    Fact(Fact),
    /// An enterprise, which need not have records.
    Enterprise(Enterprise),
}

/// An enterprise.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enterprise {
    /// 统一社会信用代码
    pub enterprise: String,
}

/// A record in effect.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// 统一社会信用代码
    pub enterprise: String,
    /// Place in the ledger.
    pub seq: i64,
    /// Its kind.
    pub kind: String,
    /// The day in the world.
    pub occurred_on: Day,
    /// The first day on which it is no longer in effect, if that day has come.
    #[serde(default)]
    pub ended_on: Option<Day>,
    /// The day of its repair, if that day has come.
    #[serde(default)]
    pub repaired_on: Option<Day>,
    /// Its fields that are not personal.
    #[serde(default)]
    pub payload: BTreeMap<String, Value>,
}

/// What a layout file says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Packed {
    /// The day that ends and repairs were worked out for: the only day such a ledger can be scored for.
    pub as_of: Day,
    /// Where things are.
    pub layout: Layout,
}

impl Packed {
    /// Of a packed ledger.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(LAYOUT);
        let text = std::fs::read_to_string(&path).with_context(|| format!("读取 {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} 不合格式", path.display()))
    }
}

/// Packs a file of facts.
pub fn pack(facts: &Path, folder: &Path) -> Result<()> {
    let name = || format!("读取 {}", facts.display());
    let mut lines = BufReader::new(File::open(facts).with_context(name)?).lines();
    let first = lines.next().context("文件是空的").with_context(name)?.with_context(name)?;
    let header: Header = serde_json::from_str(&first).context("第1行应写明 as_of 与 kinds").with_context(name)?;
    let mut all = Vec::new();
    for (number, line) in (2..).zip(lines) {
        let line = line.with_context(name)?;
        if !line.trim().is_empty() {
            all.push(serde_json::from_str(&line).with_context(|| format!("{}第{number}行不合格式", facts.display()))?);
        }
    }
    write(&header, all, folder, 1 << 19)
}

/// Writes a packed ledger in row groups of at most so many rows.
pub fn write(header: &Header, lines: Vec<Line>, folder: &Path, row_group: usize) -> Result<()> {
    let mut facts = Vec::new();
    let mut codes: Vec<String> = Vec::new();
    for line in lines {
        let code = match line {
            Line::Enterprise(one) => one.enterprise,
            Line::Fact(fact) => {
                let code = fact.enterprise.clone();
                facts.push(fact);
                code
            }
        };
        code.parse::<CreditCode>().map_err(|error| anyhow::anyhow!("“{code}”不是统一社会信用代码：{error}"))?;
        codes.push(code);
    }
    codes.sort_unstable();
    codes.dedup();
    let numbers: HashMap<&str, u64> = codes.iter().map(String::as_str).zip(0..).collect();
    facts.sort_by_cached_key(|fact| (numbers[fact.enterprise.as_str()], fact.seq));
    let kinds: Vec<String> = header.kinds.keys().cloned().collect();
    if kinds.len() > 254 {
        bail!("种类多于 254 种，无法打包");
    }
    let columns = Columns::new(header);
    std::fs::create_dir_all(folder).with_context(|| format!("建立文件夹 {}", folder.display()))?;
    let enterprises: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(UInt64Array::from_iter_values(0..codes.len() as u64))),
        ("credit_code", Arc::new(StringArray::from_iter_values(&codes))),
    ];
    save(&folder.join(ENTERPRISES), RecordBatch::try_from_iter(enterprises)?, row_group)?;

    let day = |day: &Option<Day>| day.map(number_of);
    let kind_of = |fact: &Fact| -> Result<u8> {
        let kind = kinds.binary_search(&fact.kind).ok().and_then(|kind| u8::try_from(kind).ok());
        kind.with_context(|| format!("台账序号 {}：首行没有种类“{}”", fact.seq, fact.kind))
    };
    let mut records: Vec<(String, ArrayRef)> = vec![
        (
            "enterprise".into(),
            Arc::new(facts.iter().map(|fact| numbers[fact.enterprise.as_str()]).collect::<UInt64Array>()),
        ),
        ("seq".into(), Arc::new(facts.iter().map(|fact| fact.seq).collect::<Int64Array>())),
        ("kind".into(), Arc::new(UInt8Array::from(facts.iter().map(kind_of).collect::<Result<Vec<_>>>()?))),
        (
            "occurred_on".into(),
            Arc::new(Date32Array::from_iter_values(facts.iter().map(|fact| number_of(fact.occurred_on)))),
        ),
        ("ended_on".into(), Arc::new(facts.iter().map(|fact| day(&fact.ended_on)).collect::<Date32Array>())),
        ("repaired_on".into(), Arc::new(facts.iter().map(|fact| day(&fact.repaired_on)).collect::<Date32Array>())),
    ];
    // Which fact fills which row of a column: each value must be of the column's type.
    for (column, holds) in &columns.types {
        let value = |fact: &Fact| -> Option<(String, Value)> {
            let fields = columns.of_kind.get(&fact.kind)?;
            let (field, _) = fields.iter().find(|(_, one)| one.column == *column)?;
            Some((field.clone(), fact.payload.get(field)?.clone()))
        };
        let wrong = |fact: &Fact, field: &str, value: &Value| {
            anyhow::anyhow!("台账序号 {}：字段“{field}”的值“{value}”不合其类型", fact.seq)
        };
        macro_rules! column {
            ($array:ty, $value:ident => $read:expr) => {{
                let each = facts.iter().map(|fact| {
                    let Some((field, $value)) = value(fact) else { return Ok(None) };
                    let read = $read;
                    read.map(Some).ok_or_else(|| wrong(fact, &field, &$value))
                });
                Arc::new(each.collect::<Result<$array>>()?) as ArrayRef
            }};
        }
        records.push((
            column.clone(),
            match holds {
                Holds::Day => column!(Date32Array, value => value.as_day().map(number_of)),
                Holds::Integer => column!(Int64Array, value => value.as_integer()),
                Holds::Flag => {
                    column!(BooleanArray, value => if let Value::Flag(flag) = value { Some(flag) } else { None })
                }
                Holds::Text => column!(StringArray, value => value.as_text().map(str::to_owned)),
            },
        ));
    }
    for fact in &facts {
        let known = columns.of_kind.get(&fact.kind);
        if let Some(field) = fact.payload.keys().find(|field| known.is_none_or(|known| !known.contains_key(*field))) {
            bail!("台账序号 {}：首行没有种类“{}”的字段“{field}”", fact.seq, fact.kind);
        }
    }
    save(&folder.join(RECORDS), RecordBatch::try_from_iter(records)?, row_group)?;

    let layout = Layout {
        enterprises: EnterpriseColumns {
            id: "id".into(),
            credit_code: Some("credit_code".into()),
            kind: None,
            fields: BTreeMap::new(),
        },
        records: RecordColumns {
            enterprise: "enterprise".into(),
            kind: "kind".into(),
            kinds,
            occurred_on: "occurred_on".into(),
            seq: Some("seq".into()),
            ended_on: Some("ended_on".into()),
            repaired_on: Some("repaired_on".into()),
            fields: columns.of_kind,
        },
    };
    let packed = serde_json::to_string_pretty(&Packed { as_of: header.as_of, layout })?;
    std::fs::write(folder.join(LAYOUT), packed + "\n").with_context(|| format!("写入 {}", folder.display()))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Day,
    Integer,
    Flag,
    Text,
}

/// Columns of the fields. Kinds share a column where they agree on its type.
struct Columns {
    types: BTreeMap<String, Holds>,
    of_kind: BTreeMap<String, BTreeMap<String, FieldColumn>>,
}

impl Columns {
    fn new(header: &Header) -> Self {
        let mut of_field: BTreeMap<&str, Option<Holds>> = BTreeMap::new();
        for (field, one) in header.kinds.values().flatten() {
            let holds = holds(*one);
            of_field
                .entry(field)
                .and_modify(|known| *known = known.filter(|known| *known == holds))
                .or_insert(Some(holds));
        }
        let (mut types, mut of_kind) = (BTreeMap::new(), BTreeMap::new());
        for (kind, fields) in &header.kinds {
            let mut own = BTreeMap::new();
            for (field, one) in fields {
                let shared = of_field.get(field.as_str()).copied().flatten().is_some();
                let column = if shared { format!("payload.{field}") } else { format!("payload.{kind}.{field}") };
                types.insert(column.clone(), holds(*one));
                own.insert(field.clone(), FieldColumn::new(column));
            }
            of_kind.insert(kind.clone(), own);
        }
        Self { types, of_kind }
    }
}

fn holds(field: FieldType) -> Holds {
    match field {
        FieldType::Day | FieldType::EndDay => Holds::Day,
        FieldType::Amount | FieldType::Integer => Holds::Integer,
        FieldType::Flag => Holds::Flag,
        FieldType::Text
        | FieldType::Code
        | FieldType::CreditCode
        | FieldType::Choice
        | FieldType::Codes
        | FieldType::Share => Holds::Text,
    }
}

fn save(path: &Path, batch: RecordBatch, row_group: usize) -> Result<()> {
    let name = || format!("写入 {}", path.display());
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_max_row_group_row_count(Some(row_group))
        .build();
    let file = File::create(path).with_context(name)?;
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties))?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(())
}
