//! How long one record takes until the level that it makes can be read: `cargo xtask bench record [ENTERPRISES]
//! [sqlite|postgresql]`.
//!
//! On each database, with nine records for each enterprise: a measure that an officer records (its record, the audit line
//! and the enterprise's level in one transaction, then the level is read), and a file of one penalty that is imported and
//! classified; each in turn with a bare insert of the same payload and a read by index in one transaction. The bar is 5
//! times that. The explanation, which is computed when it is asked for, is told apart.
#![allow(clippy::unwrap_used, reason = "a tool for developers")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use xinheng_app::act::{Act, Actor};
use xinheng_app::collect::ImportRequest;
use xinheng_app::measures::MeasureTaken;
use xinheng_app::people::{NewStaff, UnitChange};
use xinheng_app::rules::{embedded, load};
use xinheng_app::{Bureau, Surroundings};
use xinheng_core::classify::{COMBINED, GENERAL};
use xinheng_core::credit_code::CreditCode;
use xinheng_core::staff::{Duties, Role};
use xinheng_core::unit::UnitKind;
use xinheng_store::testing::databases;

/// As in the product.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Records measured of each sort.
const SAMPLES: usize = 200;
/// Penalties and inspections of each enterprise.
const OTHERS: u64 = 9;

#[tokio::main]
async fn main() {
    // On a task, as the site answers a request.
    tokio::spawn(run()).await.unwrap();
}

async fn run() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let enterprises = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(100_000);
    let named = |name: &str| arguments.iter().any(|argument| argument.eq_ignore_ascii_case(name));
    println!("{enterprises} enterprises with {} records", enterprises * (1 + OTHERS));
    for database in databases().await {
        if (named("SQLite") || named("PostgreSQL")) && !named(database.name) {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let rulebook = load(&embedded()).unwrap();
        let bureau =
            Bureau::open(&database.url, &folder.path().join("key"), rulebook, Surroundings::real()).await.unwrap();
        let handler = filled(&bureau, folder.path(), enterprises).await;
        measure(database.name, &bureau, folder.path(), &handler, enterprises).await;
    }
}

/// The middle of some times, and the one that nine of ten are below.
struct Times(Vec<Duration>);

impl Times {
    fn at(&self, tenths: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        sorted[(sorted.len() - 1) * tenths / 10].as_secs_f64() * 1_000.0
    }
}

async fn measure(name: &str, bureau: &Bureau, folder: &Path, handler: &Act, enterprises: u64) {
    let mut times = [const { Times(Vec::new()) }; 4];
    for sample in 0..SAMPLES {
        let code = code(sample as u64 * (enterprises / SAMPLES as u64));
        let taken = MeasureTaken {
            enterprise: code,
            field: GENERAL.to_owned(),
            measure: measure_at(bureau, code).await,
            taken_on: bureau.today(),
            text: format!("已按本级措施办理，第 {sample} 次"),
        };
        let [bare, form, file, explained] = &mut times;
        let start = Instant::now();
        bureau
            .store()
            .bare_record(&code, sample as i64, r#"{"measure":"general/guidance","title":"行政指导"}"#)
            .await
            .unwrap();
        bare.0.push(start.elapsed());

        let start = Instant::now();
        bureau.record_measure(handler, &taken).await.unwrap();
        assert!(bureau.store().levels_of(code).await.unwrap().iter().any(|kept| kept.level.scope == COMBINED));
        form.0.push(start.elapsed());
        assert!(!bureau.store().any_touched().await.unwrap(), "the level is that of the record");

        let rows = format!("{code},某店,增罚〔2026〕{sample}号,违法经营,2026-11-02,罚款\n");
        let path = written(folder, "一条.csv", &(PENALTIES.to_owned() + &rows));
        let start = Instant::now();
        import(bureau, &path).await;
        bureau.classify_touched(&|_| ()).await.unwrap();
        assert!(bureau.store().levels_of(code).await.unwrap().iter().any(|kept| kept.level.scope == COMBINED));
        file.0.push(start.elapsed());

        let start = Instant::now();
        bureau.explain(code, bureau.today(), None, None).await.unwrap();
        explained.0.push(start.elapsed());
    }
    let [bare, form, file, explained] = &times;
    println!("{name}, milliseconds, median and nine of ten below");
    let told = |what: &str, of: &Times| {
        println!("  {what:<34} {:7.2} {:7.2}   {:5.1} times bare", of.at(5), of.at(9), of.at(5) / bare.at(5));
    };
    told("bare insert and indexed read", bare);
    told("a form's record, its level read", form);
    told("a file of one row, its level read", file);
    told("the explanation", explained);
}

/// The first measure of the enterprise's level.
async fn measure_at(bureau: &Bureau, code: CreditCode) -> String {
    let levels = bureau.store().levels_of(code).await.unwrap();
    let level = levels.into_iter().find(|kept| kept.level.scope == GENERAL).and_then(|kept| kept.level.level).unwrap();
    let mut rules = bureau.rulebook().measures(bureau.today());
    let rule = rules.find(|rule| rule.field == GENERAL).unwrap();
    rule.levels[&level].first().unwrap().id.value.clone()
}

const PENALTIES: &str = "统一社会信用代码,纳税人名称,行政处罚文号,处罚原因,处罚时间,处罚结果\n";

/// Enterprises with their records, everything signed, and an officer of the desk.
async fn filled(bureau: &Bureau, folder: &Path, enterprises: u64) -> Act {
    let mut registrations = String::from("统一社会信用代码,企业名称,登记状态（中文）,成立日期,核准日期,addr\n");
    let mut penalties = PENALTIES.to_owned();
    for number in 0..enterprises {
        let code = code(number);
        let _ = writeln!(
            registrations,
            "{code},第{number}号有限公司,存续,20{:02}-07-07,2025-03-01,某县某镇{number}号",
            number % 20
        );
        for other in 0..OTHERS {
            let (year, month) = (2022 + other % 4, 1 + (number + other) % 12);
            let _ =
                writeln!(penalties, "{code},某店,罚〔{year}〕{number}-{other}号,违法经营,{year}-{month:02}-11,罚款");
        }
    }
    import(bureau, &written(folder, "市场主体.csv", &registrations)).await;
    import(bureau, &written(folder, "处罚.csv", &penalties)).await;
    let on_line = Act::on_command_line("bench");
    bureau.first_start(&on_line).await.unwrap();
    let unit = UnitChange { name: "信用监管股", other_names: &[], kind: UnitKind::Division, in_use: true };
    bureau.add_unit(&on_line, "XY", &unit).await.unwrap();
    let new = NewStaff { account: "handler", name: "handler", unit: "XY", proposed: vec![Role::Handler] };
    bureau.add_staff(&on_line, &new).await.unwrap();
    let rules: Vec<_> =
        bureau.rulebook().rules().filter(|rule| rule.head.in_force(bureau.today())).map(|rule| rule.id).collect();
    for rule in &rules {
        for signer in ["甲", "乙"] {
            // What is law needs none.
            let _ = bureau.sign(&on_line, rule, signer, "局领导").await;
        }
    }
    bureau.classify_touched(&|_| ()).await.unwrap();
    let person = bureau.staff_by_account("handler").await.unwrap().unwrap();
    let actor = Actor {
        staff: person.number,
        account: person.account,
        name: person.name,
        unit: "XY".to_owned(),
        unit_name: String::new(),
        duties: Duties::new([Role::Handler]).unwrap(),
        session: None,
    };
    Act { event: "bench", actor: Some(actor), source: "127.0.0.1".to_owned(), request: "1".to_owned(), form: None }
}

fn code(number: u64) -> CreditCode {
    CreditCode::compose("91999901", &format!("MA{number:06}")).unwrap()
}

fn written(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

async fn import(bureau: &Bureau, path: &Path) {
    let request = ImportRequest::new(path, "登记注册科");
    let outcome = bureau.import(&request, &|_| ()).await.unwrap();
    assert_eq!(outcome.refused, 0);
}
