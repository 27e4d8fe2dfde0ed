//! What the lake makes of files is what the kernel makes of the same records, for random models and ledgers,
//! sorted or not, in row groups of any size. And what files are wrong says so.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, AsArray, Int32Array, Int64Array, RecordBatch, StringArray, UInt32Array, UInt64Array};
use arrow::compute::{cast, concat_batches, take};
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::properties::WriterProperties;
use proptest::prelude::*;
use xinheng_core::history::{Facts, Kinds};
use xinheng_core::record::{Day, Statement};
use xinheng_core::rulebook::kind::Kind;
use xinheng_core::rulebook::model::Model;
use xinheng_core::score::Kernel;
use xinheng_lake::layout::Layout;
use xinheng_lake::pack::{self, Enterprise, Fact, Header, Line, Packed};
use xinheng_lake::score::{Job, Rules, score};

#[path = "../../core/tests/kernel/random.rs"]
mod random;
use random::{Choice, Drawn, ENTERPRISES, choices, drawn, drawn_record, kinds, model, on};

/// Credit codes with the right check character.
fn code(number: usize) -> String {
    let alphabet = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
    let body = format!("91110000MA{number:06}");
    let organisation = format!("MA{number:06}");
    let weights = [3, 7, 9, 10, 5, 8, 4, 2];
    let value = |byte: u8| i64::from(if byte.is_ascii_digit() { byte - b'0' } else { byte - b'A' + 10 });
    let sum: i64 = organisation.bytes().zip(weights).map(|(byte, weight)| value(byte) * weight).sum();
    let check = match 11 - sum % 11 {
        10 => 'X',
        11 => '0',
        digit => char::from(b'0' + u8::try_from(digit).unwrap()),
    };
    let body = format!("{body}{check}");
    let place = |byte: u8| alphabet.iter().position(|one| *one == byte).unwrap_or(0);
    let mut weight = 1;
    let mut sum = 0;
    for byte in body.bytes() {
        sum += place(byte) * weight;
        weight = weight * 3 % 31;
    }
    format!("{body}{}", char::from(alphabet[(31 - sum % 31) % 31]))
}

/// What a result says of an enterprise: total, level, leading indicators.
type Said = (Option<i64>, Option<String>, Vec<String>);

fn by_kernel(records: &[Statement], model: &Model, kinds: &Kinds) -> Said {
    let Some(assessment) = Kernel::new(model, kinds).assess(&Facts::new(records, on(), kinds)) else {
        return (None, None, Vec::new());
    };
    let mut leading: Vec<_> = assessment.indicators.iter().filter(|one| one.capped.milli() > 0).collect();
    leading.sort_by_key(|one| std::cmp::Reverse(one.capped));
    let id = |place: (usize, usize)| model.dimensions[place.0].indicators[place.1].id.value.clone();
    let leading = leading.iter().take(3).map(|one| id(one.place)).collect();
    (Some(assessment.total.milli()), Some(model.levels[assessment.level].code.value.clone()), leading)
}

fn read(path: &Path) -> RecordBatch {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let schema = reader.schema().clone();
    let batches: Vec<RecordBatch> = reader.build().unwrap().collect::<Result<_, _>>().unwrap();
    concat_batches(&schema, &batches).unwrap()
}

fn result(path: &Path) -> BTreeMap<String, Said> {
    let batch = read(path);
    let text = |name: &str| cast(batch.column_by_name(name).unwrap(), &DataType::Utf8).unwrap();
    let (codes, levels) = (text("credit_code"), text("level"));
    let tops = ["top1", "top2", "top3"].map(text);
    let value = |array: &Arc<dyn Array>, row: usize| {
        let array: &StringArray = array.as_string();
        array.is_valid(row).then(|| array.value(row).to_owned())
    };
    let totals: &Int32Array = batch.column_by_name("total_milli").unwrap().as_primitive::<Int32Type>();
    (0..batch.num_rows())
        .map(|row| {
            let total = totals.is_valid(row).then(|| totals.value(row).into());
            let leading = tops.iter().filter_map(|top| value(top, row)).collect();
            (value(&codes, row).unwrap(), (total, value(&levels, row), leading))
        })
        .collect()
}

fn save(path: &Path, batch: &RecordBatch, row_group: usize) {
    let properties =
        WriterProperties::builder().set_max_row_group_row_count(Some(row_group)).set_data_page_row_count_limit(7);
    let file = File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties.build())).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

/// Rows in another order, the same for the same seed.
fn shuffled(batch: &RecordBatch, seed: u64) -> RecordBatch {
    let mut order: Vec<u32> = (0..u32::try_from(batch.num_rows()).unwrap()).collect();
    order.sort_by_key(|row| (u64::from(*row) + 1).wrapping_mul(seed | 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let order = UInt32Array::from(order);
    let columns = batch.columns().iter().map(|column| take(column, &order, None).unwrap()).collect();
    RecordBatch::try_new(batch.schema(), columns).unwrap()
}

fn scored(folder: &Path, rules: &Rules, threads: usize) -> BTreeMap<String, Said> {
    let out = folder.join("out.parquet");
    let (enterprises, records) = (folder.join(pack::ENTERPRISES), folder.join(pack::RECORDS));
    score(&Job { enterprises, records, out: out.clone(), contributions: None, as_of: on(), threads }, rules)
        .unwrap_or_else(|error| panic!("{error:#}"));
    result(&out)
}

/// What a record contributes: indicator, place in the ledger, day, thousandths of a point.
type Contributed = (String, Option<i64>, Option<Day>, i64);

/// The same with what every record contributes.
fn scored_with_contributions(
    folder: &Path,
    rules: &Rules,
    threads: usize,
) -> (BTreeMap<String, Said>, BTreeMap<String, Vec<Contributed>>) {
    let (out, contributions) = (folder.join("out.parquet"), folder.join("contributions.parquet"));
    let (enterprises, records) = (folder.join(pack::ENTERPRISES), folder.join(pack::RECORDS));
    let job = Job {
        enterprises,
        records,
        out: out.clone(),
        contributions: Some(contributions.clone()),
        as_of: on(),
        threads,
    };
    score(&job, rules).unwrap_or_else(|error| panic!("{error:#}"));
    let batch = read(&contributions);
    let text = |name: &str| cast(batch.column_by_name(name).unwrap(), &DataType::Utf8).unwrap();
    let number = |name: &str| -> Int64Array { batch.column_by_name(name).unwrap().as_primitive::<Int64Type>().clone() };
    let (codes, indicators, days) = (text("credit_code"), text("indicator"), text("occurred_on"));
    let (seqs, points) = (number("seq"), number("points_milli"));
    let mut all: BTreeMap<String, Vec<Contributed>> = BTreeMap::new();
    for row in 0..batch.num_rows() {
        let text = |array: &Arc<dyn Array>| {
            let array: &StringArray = array.as_string();
            array.is_valid(row).then(|| array.value(row).to_owned())
        };
        let seq = seqs.is_valid(row).then(|| seqs.value(row));
        let day = text(&days).map(|day| day.parse().unwrap());
        let one = (text(&indicators).unwrap(), seq, day, points.value(row));
        all.entry(text(&codes).unwrap()).or_default().push(one);
    }
    all.values_mut().for_each(|all| all.sort());
    (result(&out), all)
}

/// The same by the kernel.
fn contributed_by_kernel(records: &[Statement], model: &Model, kinds: &Kinds) -> Vec<Contributed> {
    let facts = Facts::new(records, on(), kinds);
    let assessment = Kernel::new(model, kinds).assess(&facts);
    let mut all = Vec::new();
    for indicator in assessment.iter().flat_map(|assessment| &assessment.indicators) {
        let id = &model.dimensions[indicator.place.0].indicators[indicator.place.1].id.value;
        for one in indicator.records.iter().filter(|one| one.points.milli() != 0) {
            let day = records.iter().find(|record| record.seq == one.seq).unwrap().occurred_on;
            all.push((id.clone(), Some(one.seq.0), Some(day), one.points.milli()));
        }
    }
    all.sort();
    all
}

/// Packs what the kernel's own history says of the records.
fn packed(folder: &Path, of: &BTreeMap<String, Vec<Statement>>, kinds: &[Kind], row_group: usize) -> Layout {
    let fields = |kind: &Kind| kind.fields.iter().map(|field| (field.name.value.clone(), field.field_type)).collect();
    let header =
        Header { as_of: on(), kinds: kinds.iter().map(|kind| (kind.rule.id.value.clone(), fields(kind))).collect() };
    let numbers = Kinds::new(kinds);
    let mut lines = Vec::new();
    for (enterprise, records) in of {
        lines.push(Line::Enterprise(Enterprise { enterprise: enterprise.clone() }));
        let facts = Facts::new(records, on(), &numbers);
        for fact in (0..numbers.count()).flat_map(|kind| facts.of(kind)) {
            lines.push(Line::Fact(Fact {
                enterprise: enterprise.clone(),
                seq: fact.record.seq.0,
                kind: fact.record.kind.to_string(),
                occurred_on: fact.record.occurred_on,
                ended_on: fact.ended_on,
                repaired_on: fact.repaired_on,
                payload: fact.record.payload.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect(),
            }));
        }
    }
    // By way of the file's own form, so that this is tested as well.
    let lines = lines.iter().map(|line| serde_json::from_str(&serde_json::to_string(line).unwrap()).unwrap()).collect();
    pack::write(&header, lines, folder, row_group).unwrap_or_else(|error| panic!("{error:#}"));
    Packed::read(folder).unwrap().layout
}

fn ledger(drawn: &[Drawn]) -> BTreeMap<String, Vec<Statement>> {
    let mut of: BTreeMap<String, Vec<Statement>> = (0..ENTERPRISES).map(|number| (code(number), Vec::new())).collect();
    for (seq, one) in (1..).zip(drawn) {
        of.get_mut(&code(one.0)).unwrap().push(drawn_record(seq, one));
    }
    of
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn files_come_to_what_the_kernel_says(
        choice in choices(), drawn in drawn(), row_group in 1..40_usize, threads in 1..4_usize, seed in any::<u64>(),
    ) {
        let (model, kinds, of) = (model(&choice), kinds(), ledger(&drawn));
        let folder = tempfile::tempdir().unwrap();
        let layout = packed(folder.path(), &of, &kinds, row_group);
        let rules = Rules { model: model.clone(), kinds: kinds.clone(), layout, numbers: None };
        let numbers = Kinds::new(&kinds);
        let expected: BTreeMap<String, Said> =
            of.iter().map(|(code, records)| (code.clone(), by_kernel(records, &model, &numbers))).collect();
        let contributed: BTreeMap<String, Vec<Contributed>> = of
            .iter()
            .map(|(code, records)| (code.clone(), contributed_by_kernel(records, &model, &numbers)))
            .filter(|(_, all)| !all.is_empty())
            .collect();
        for (code, (total, ..)) in &expected {
            let sum: i64 = contributed.get(code).into_iter().flatten().map(|one| one.3).sum();
            prop_assert_eq!(sum, total.unwrap_or_default(), "contributions of {} sum to its total", code);
        }
        let both = (expected, contributed);
        prop_assert_eq!(&scored_with_contributions(folder.path(), &rules, threads), &both);
        let expected = &both.0;
        prop_assert_eq!(&scored(folder.path(), &rules, threads), expected);
        for (file, own) in [(pack::RECORDS, seed), (pack::ENTERPRISES, seed / 3)] {
            let path = folder.path().join(file);
            save(&path, &shuffled(&read(&path), own), row_group);
            prop_assert_eq!(&scored(folder.path(), &rules, threads), expected, "{} shuffled", file);
            prop_assert_eq!(&scored_with_contributions(folder.path(), &rules, threads), &both, "{} shuffled", file);
        }
    }
}

fn trial() -> (tempfile::TempDir, Rules) {
    let choice =
        Choice { parts: vec![vec![0, 1]], max: false, multiplier: false, applies: false, overrides: vec![0], cap: 30 };
    let folder = tempfile::tempdir().unwrap();
    let drawn: Vec<Drawn> = (0..40).map(|n| (n % 7, n % 3, 30, [2, 90, 500, 1, 0, 0])).collect();
    let layout = packed(folder.path(), &ledger(&drawn), &kinds(), 16);
    (folder, Rules { model: model(&choice), kinds: kinds(), layout, numbers: None })
}

fn error(folder: &Path, rules: &Rules) -> String {
    let job = Job {
        enterprises: folder.join(pack::ENTERPRISES),
        records: folder.join(pack::RECORDS),
        out: folder.join("out.parquet"),
        contributions: None,
        as_of: on(),
        threads: 2,
    };
    let error = format!("{:#}", score(&job, rules).unwrap_err());
    assert!(!job.out.exists(), "a refused run leaves no result");
    error
}

#[test]
fn a_missing_column_is_named_with_those_there_are() {
    let (folder, rules) = trial();
    let path = folder.path().join(pack::RECORDS);
    let batch = read(&path);
    let keep: Vec<usize> =
        (0..batch.num_columns()).filter(|place| batch.schema().field(*place).name() != "payload.fine").collect();
    save(&path, &batch.project(&keep).unwrap(), 16);
    let error = error(folder.path(), &rules);
    assert!(error.contains("缺少列“payload.fine”") && error.contains("occurred_on"), "{error}");
}

#[test]
fn a_column_of_the_wrong_type_is_named() {
    let (folder, rules) = trial();
    let path = folder.path().join(pack::RECORDS);
    let batch = read(&path);
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).map(|(field, column)| {
        let is_day = field.name() == "occurred_on";
        (field.name().clone(), if is_day { cast(column, &DataType::Int32).unwrap() } else { column.clone() })
    });
    save(&path, &RecordBatch::try_from_iter(columns).unwrap(), 16);
    let error = error(folder.path(), &rules);
    assert!(error.contains("“occurred_on”应为日期"), "{error}");
}

#[test]
fn a_file_cut_off_anywhere_is_refused() {
    let (folder, rules) = trial();
    let path = folder.path().join(pack::RECORDS);
    let whole = std::fs::read(&path).unwrap();
    for length in [0, 7, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        let error = error(folder.path(), &rules);
        assert!(error.contains("没有传完"), "{length}: {error}");
    }
}

#[test]
fn a_kind_that_the_file_does_not_know_is_named_with_those_it_knows() {
    let (folder, mut rules) = trial();
    rules.layout.records.kinds[0] = "patent".into();
    let error = error(folder.path(), &rules);
    assert!(error.contains("种类“penalty”") && error.contains("patent、repair、visit"), "{error}");
}

#[test]
fn an_enterprise_that_comes_twice_is_named() {
    let (folder, rules) = trial();
    let path = folder.path().join(pack::ENTERPRISES);
    let batch = read(&path);
    let ids = UInt64Array::from(vec![0, 1, 2, 3, 3, 5, 6]);
    let columns = vec![("id", Arc::new(ids) as Arc<dyn Array>), ("credit_code", batch.column(1).clone())];
    save(&path, &RecordBatch::try_from_iter(columns).unwrap(), 16);
    let error = error(folder.path(), &rules);
    assert!(error.contains("企业编号 3 出现不止一次"), "{error}");
}
