//! How fast a file becomes records with levels: `cargo xtask bench import [ROWS] [sqlite|postgresql]
//! [ledger|rows|csv|xlsx]`.
//!
//! In one run, on each database, each in a process of its own: the same writer fills the ledger table alone with the
//! rows that the import puts there, sealed before the clock runs; then the personal values are put away as well; then
//! the CSV of registrations is imported and classified as `xinheng import` does; then the same rows as a workbook,
//! against the reading library's bare parse of it. The bars are 4 times the ledger alone; for the workbook, twice its
//! bare parse on top; 300 MB.
#![allow(clippy::unwrap_used, reason = "a tool for developers")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use xinheng_app::collect::{BATCH_ROWS, ImportRequest, TURN};
use xinheng_app::rules::{embedded, load};
use xinheng_app::{Bureau, Surroundings};
use xinheng_core::credit_code::CreditCode;
use xinheng_core::record::{Day, Draft, Moment};
use xinheng_core::rulebook::load::Rulebook;
use xinheng_exchange::{Forms, ReadOptions, TableFormat, TableWriter, TextEncoding};
use xinheng_store::testing::{databases, keys};
use xinheng_store::{Body, NewRecord, SealedDraft, Sealer, Store, Writing};

/// As in the product.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const HEADINGS: [&str; 18] = [
    "统一社会信用代码",
    "主体身份代码",
    "注册号",
    "企业名称（字号名称）",
    "企业类型大类（中文）",
    "登记主体类别",
    "登记状态（中文）",
    "法定代表人(经营者姓名)",
    "注册资本(资金数额)",
    "币种",
    "经营范围",
    "核准日期（登记、吊销、注销日期）",
    "成立日期",
    "经营(营业)截止日期",
    "住所",
    "所属乡镇",
    "行业代码",
    // A column that no table knows: sealed.
    "etl入库时间",
];

/// Measurements, in order; each in a process of its own, so that none inherits another's memory.
const MEASUREMENTS: [&str; 4] = ["ledger", "rows", "csv", "xlsx"];

/// Of the ledger alone, so many batches are made ready before the clock runs, so that it chains one while the database takes
/// the one before, as an import does.
const BATCHES_READY: usize = 20;

/// Asks for one measurement in this process.
const APART: &str = "--apart";

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [APART, measurement, url, file, rows] = arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        let taken = measure(measurement, url, Path::new(file), rows.parse().unwrap()).await;
        println!("{}", serde_json::to_string(&taken).unwrap());
        return;
    }
    let rows = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(300_000);
    // All of them, unless some are named.
    let named = |name: &str, all: &[&str]| {
        let is_named = |one: &&str| arguments.iter().any(|argument| argument.eq_ignore_ascii_case(one));
        is_named(&name) || !all.iter().any(is_named)
    };
    let folder = tempfile::tempdir().unwrap();
    let (csv, xlsx) = (folder.path().join("市场主体.csv"), folder.path().join("市场主体.xlsx"));
    generate(&csv, TableFormat::Csv(TextEncoding::Utf8), rows);
    if named("xlsx", &MEASUREMENTS) {
        generate(&xlsx, TableFormat::Xlsx, rows);
    }
    println!("{rows} registrations of {} columns", HEADINGS.len());
    for name in ["SQLite", "PostgreSQL"].into_iter().filter(|name| named(name, &["SQLite", "PostgreSQL"])) {
        println!("{name}");
        let mut seconds = [0.0; MEASUREMENTS.len()];
        for (place, measurement) in MEASUREMENTS.into_iter().enumerate() {
            if !named(measurement, &MEASUREMENTS) {
                continue;
            }
            let file = if measurement == "xlsx" { &xlsx } else { &csv };
            let taken = measure_apart(measurement, name, file, rows).await;
            seconds[place] = taken.seconds();
            let [ledger, own, csv, workbook] = seconds;
            let ratio = match measurement {
                "csv" if ledger > 0.0 => {
                    format!(
                        "{:.2} times the ledger alone, {:.2} times with its personal values",
                        csv / ledger,
                        csv / own
                    )
                }
                "xlsx" => {
                    let bare = bare_parse(&xlsx, rows).as_secs_f64();
                    let (on_top, of_all) = ((workbook - csv) / bare, workbook / (4.0 * ledger + 2.0 * bare));
                    format!("{on_top:.2} times its bare parse of {bare:.1} s on top; {of_all:.2} of what it may take")
                }
                _ => String::new(),
            };
            taken.report(measurement, &ratio);
        }
    }
}

/// Runs one measurement on a fresh database, in another process.
async fn measure_apart(measurement: &str, database: &str, file: &Path, rows: u64) -> Taken {
    let fresh = databases().await.into_iter().find(|fresh| fresh.name == database).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args([APART, measurement, &fresh.url]).arg(file).arg(rows.to_string()).stderr(Stdio::inherit());
    let said = child.output().unwrap();
    assert!(said.status.success(), "{measurement} failed");
    serde_json::from_slice(&said.stdout).unwrap()
}

async fn measure(measurement: &str, url: &str, file: &Path, rows: u64) -> Taken {
    match measurement {
        "ledger" => ledger_alone(url, file, ledger_records).await,
        "rows" => ledger_alone(url, file, own_records).await,
        _ => import(url, file, rows).await,
    }
}

/// What a part of the run took.
#[derive(Serialize, Deserialize)]
struct Taken {
    /// Wall-clock seconds, one after the other.
    stages: Vec<(String, f64)>,
    /// What this process computed in that time, whatever else the machine was doing.
    processor: f64,
    /// What its busiest thread computed: on an idle machine nothing could be faster.
    busiest: f64,
    /// The most memory of this process in that time, in MiB.
    peak: u64,
}

impl Taken {
    fn seconds(&self) -> f64 {
        self.stages.iter().map(|(_, seconds)| seconds).sum()
    }

    fn report(&self, what: &str, ratio: &str) {
        let stages: Vec<_> = self.stages.iter().map(|(stage, seconds)| format!("{stage} {seconds:.1} s")).collect();
        println!(
            "  {what:<6}{:6.1} s ({}); processor {:.1} s, busiest thread {:.1} s; peak {} MiB   {ratio}",
            self.seconds(),
            stages.join(", "),
            self.processor,
            self.busiest,
            self.peak
        );
    }
}

async fn taken(work: impl Future<Output = Vec<(&'static str, Duration)>>) -> Taken {
    let before = processor_time("/proc/self/stat");
    let stages = work.await;
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    Taken {
        stages: stages.into_iter().map(|(stage, time)| (stage.to_owned(), time.as_secs_f64())).collect(),
        processor: processor_time("/proc/self/stat") - before,
        busiest: threads.map(|thread| processor_time(thread.path().join("stat"))).fold(0.0, f64::max),
        peak: peak_memory(),
    }
}

/// The file's rows as records without projections; only the writer is timed.
async fn ledger_alone(url: &str, file: &Path, record: impl Fn(Draft, Moment) -> NewRecord) -> Taken {
    let store = Store::open(url, keys()).await.unwrap();
    let rulebook = load(&embedded()).unwrap();
    let now = Surroundings::real().now;
    let forms = Forms::new(&rulebook, now().day_in_china());
    let mut rows = xinheng_exchange::open(file, &forms, &ReadOptions::default()).unwrap();
    taken(async {
        let mut written = Duration::ZERO;
        let mut turn: Option<(Writing, Duration)> = None;
        loop {
            let drafts = rows.by_ref().take(BATCH_ROWS * BATCHES_READY).flat_map(|row| row.unwrap().outcome.unwrap());
            let mut records = drafts.map(|draft| record(draft, now())).collect::<Vec<_>>().into_iter();
            let last = records.len() == 0;
            let start = Instant::now();
            let (mut writing, since) = match turn.take() {
                Some(turn) => turn,
                None => (store.begin_many().await.unwrap(), written),
            };
            while records.len() > 0 {
                writing.append(records.by_ref().take(BATCH_ROWS).collect()).await.unwrap();
                writing.forget_projections();
            }
            writing.taken().await.unwrap();
            // Transactions as long as those of an import.
            if last || written + start.elapsed() - since >= TURN {
                writing.commit().await.unwrap();
            } else {
                turn = Some((writing, since));
            }
            written += start.elapsed();
            if last {
                return vec![("written", written)];
            }
        }
    })
    .await
}

/// The row of the ledger alone.
fn ledger_records(draft: Draft, received_at: Moment) -> NewRecord {
    let (mut sealed, enterprise) = sealed(draft, received_at);
    sealed.forget_personal_values();
    new_record(sealed, enterprise, received_at)
}

/// With its personal values.
fn own_records(draft: Draft, received_at: Moment) -> NewRecord {
    let (sealed, enterprise) = sealed(draft, received_at);
    new_record(sealed, enterprise, received_at)
}

/// What the import makes of the row: with whose it is, its digests and commitments, to the last bit.
fn sealed(draft: Draft, received_at: Moment) -> (SealedDraft, Option<CreditCode>) {
    thread_local! {
        static SEALING: (Sealer, Rulebook) = (Sealer::new(keys(), Surroundings::real().salts), load(&embedded()).unwrap());
    }
    let enterprise = draft.keys.credit_code;
    let sealed = SEALING.with(|(sealer, rulebook)| {
        let kind = rulebook.kind(&draft.kind, received_at.day_in_china()).unwrap();
        sealer.seal(1, kind, draft).unwrap()
    });
    (sealed, enterprise)
}

fn new_record(sealed: SealedDraft, enterprise: Option<CreditCode>, received_at: Moment) -> NewRecord {
    NewRecord {
        body: Body::Draft(sealed), enterprise, supersedes: None, received_at, source_unit: "登记注册科".into()
    }
}

async fn import(url: &str, file: &Path, rows: u64) -> Taken {
    let folder = tempfile::tempdir().unwrap();
    let (key, rulebook) = (folder.path().join("key"), load(&embedded()).unwrap());
    let bureau = Bureau::open(url, &key, rulebook, Surroundings::real()).await.unwrap();
    taken(async {
        let start = Instant::now();
        let request = ImportRequest::new(file, "登记注册科");
        let outcome = bureau.import(&request, &|_| ()).await.unwrap();
        assert_eq!((outcome.rows, outcome.accepted), (rows, rows));
        let imported = start.elapsed();
        let run = bureau.classify_touched(&|_| ()).await.unwrap().unwrap();
        assert!(run.levels.values().sum::<u64>() > rows / 3);
        vec![("records", imported), ("levels", start.elapsed() - imported)]
    })
    .await
}

fn bare_parse(file: &Path, rows: u64) -> Duration {
    use calamine::{Reader, Xlsx};
    let start = Instant::now();
    let mut workbook: Xlsx<_> = calamine::open_workbook(file).unwrap();
    let sheet = workbook.sheet_names()[0].clone();
    let mut cells = workbook.worksheet_cells_reader(&sheet).unwrap();
    let mut count = 0;
    while cells.next_cell().unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, (rows + 1) * HEADINGS.len() as u64);
    start.elapsed()
}

/// Registrations of as many enterprises, their codes in no order: half are companies, which the general
/// model grades, half individual businesses.
fn generate(path: &Path, format: TableFormat, rows: u64) {
    let mut table = TableWriter::create(path, format, &HEADINGS, false).unwrap();
    let first_day: Day = "2003-01-01".parse().unwrap();
    for row in 0..rows {
        let number = format!("{:08}", (row * 38_742_049) % 99_999_989);
        let code = CreditCode::compose("91990000", &number).unwrap();
        let company = row % 2 == 0;
        let established = first_day + chrono::Days::new(row % 8_000);
        let approved = established + chrono::Days::new(row % 300);
        table
            .write(&[
                code.as_str(),
                &number,
                &format!("9900{number}001"),
                &format!("新衡县第{row}{}", if company { "食品有限公司" } else { "号食品商店" }),
                if company { "有限责任公司(自然人投资或控股)" } else { "个体工商户" },
                if company { "企业" } else { "个体工商户" },
                "存续",
                ["张三", "李四", "欧阳某某"][(row % 3) as usize],
                &format!("{}万元", row % 500 + 1),
                "人民币",
                "许可项目：食品生产；食品销售。一般项目：食用农产品零售；日用百货销售；农副产品销售",
                &approved.to_string(),
                &established.to_string(),
                "2099-12-31",
                &format!("新衡县河东镇幸福路{}号", row % 1000),
                ["河东镇", "城关镇", "柳林乡"][(row % 3) as usize],
                "1391",
                "2026-11-01 00:00:00",
            ])
            .unwrap();
    }
    table.finish().unwrap();
}

/// Seconds of a process or thread so far; Linux counts them in hundredths.
fn processor_time(stat: impl AsRef<Path>) -> f64 {
    let status = std::fs::read_to_string(stat).unwrap_or_default();
    let (_, after_name) = status.rsplit_once(')').unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok());
    ticks.sum::<u64>() as f64 / 100.0
}

/// Of this process.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() / 1024
}
