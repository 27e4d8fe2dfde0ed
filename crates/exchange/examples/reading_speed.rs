//! How fast files are read and mapped: `cargo run --release -p xinheng-exchange --example reading_speed`.
//!
//! Prints, for a CSV of a million rows and 15 columns, rows a second and the peak memory; for a workbook
//! of 100,000 rows, the time against calamine's own bare parse of the same file.
#![allow(clippy::unwrap_used, reason = "a tool for developers")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::path::Path;
use std::time::{Duration, Instant};

use common::{forms, options};
use xinheng_exchange::{TableFormat, TableWriter, TextEncoding, open};

const HEADINGS: [&str; 15] = [
    "统一社会信用代码",
    "主体身份代码",
    "注册号",
    "企业名称（字号名称）",
    "企业类型大类（中文）",
    "登记状态（中文）",
    "法定代表人(经营者姓名)",
    "注册资本(资金数额)",
    "核准日期（登记、吊销、注销日期）",
    "成立日期",
    "经营(营业)截止日期",
    "数据记录的增删改标志",
    "etl入库时间",
    "住所",
    "行业代码",
];

fn generate(path: &Path, format: TableFormat, rows: u32) {
    let mut table = TableWriter::create(path, format, &HEADINGS, false).unwrap();
    for row in 0..rows {
        let own = format!("{row:08}");
        let code = xinheng_core::credit_code::CreditCode::compose("91990000", &own).unwrap();
        let day = format!("20{:02}-{}-{}", row % 20, row % 12 + 1, row % 28 + 1);
        table
            .write(&[
                &code.as_str().to_lowercase(),
                &own,
                &format!("9900{own}001"),
                &format!("新衡县第{row}食品加工厂(普通合伙)"),
                "有限责任公司(自然人投资或控股)",
                "存续",
                "张三",
                &format!("{}万元", row % 500),
                &day,
                "2003-04-05",
                "2099-12-31",
                "I",
                "2026-11-01 00:00:00",
                &format!("新衡县河东镇幸福路{}号", row % 1000),
                "1391",
            ])
            .unwrap();
    }
    table.finish().unwrap();
}

/// Rows, good rows, and the time of recognising and of reading.
fn read(path: &Path) -> (u32, u32, Duration, Duration) {
    let forms = forms();
    let begin = Instant::now();
    let source = open(path, &forms, &options()).unwrap();
    let opened = begin.elapsed();
    let (mut rows, mut good) = (0, 0);
    for row in source {
        rows += 1;
        good += u32::from(row.unwrap().outcome.is_ok());
    }
    (rows, good, opened, begin.elapsed() - opened)
}

fn bare_parse(path: &Path) -> Duration {
    use calamine::{Reader, Xlsx};
    let begin = Instant::now();
    let mut workbook: Xlsx<_> = calamine::open_workbook(path).unwrap();
    let sheet = workbook.sheet_names()[0].clone();
    let mut reader = workbook.worksheet_cells_reader(&sheet).unwrap();
    let mut cells = 0;
    while reader.next_cell().unwrap().is_some() {
        cells += 1;
    }
    assert_eq!(cells % HEADINGS.len(), 0);
    begin.elapsed()
}

fn peak_megabytes() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.map_or_else(|| "unknown".into(), |peak| peak.trim().to_owned())
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("entities.csv");
    generate(&csv, TableFormat::Csv(TextEncoding::Utf8), 1_000_000);
    for _ in 0..3 {
        let (rows, good, opened, reading) = read(&csv);
        assert_eq!(rows, good);
        println!(
            "CSV, {} MB: {rows} rows, recognised in {opened:.2?} (digest, encoding, structure), read and mapped in \
             {reading:.2?} = {:.0} rows/s; peak {}",
            std::fs::metadata(&csv).unwrap().len() >> 20,
            f64::from(rows) / reading.as_secs_f64(),
            peak_megabytes()
        );
    }
    let gbk = folder.path().join("gbk.csv");
    generate(&gbk, TableFormat::Csv(TextEncoding::Gb18030), 1_000_000);
    let (rows, _, opened, reading) = read(&gbk);
    println!(
        "GB18030: recognised in {opened:.2?}, read and mapped in {reading:.2?} = {:.0} rows/s",
        f64::from(rows) / reading.as_secs_f64()
    );
    let xlsx = folder.path().join("entities.xlsx");
    generate(&xlsx, TableFormat::Xlsx, 100_000);
    for _ in 0..3 {
        let bare = bare_parse(&xlsx);
        let (rows, good, opened, reading) = read(&xlsx);
        assert_eq!(rows, good);
        println!(
            "XLSX: {rows} rows, recognised in {opened:.2?} (digest, checksums, bounds), read and mapped in \
             {reading:.2?}; calamine alone {bare:.2?}: {:.2} times",
            (opened + reading).as_secs_f64() / bare.as_secs_f64()
        );
    }
    println!("peak {}", peak_megabytes());
}
