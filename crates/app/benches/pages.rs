//! How fast the pages are: `cargo xtask bench pages [ENTERPRISES] [sqlite|postgresql]`.
//!
//! On a generated store of so many enterprises, every page against the sum of its own statements, and the
//! search against a scan of all names. Figures are ratios of one run.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use xinheng_app::enterprises::{EnterpriseOrder, EnterpriseQuery, PageSize, Turn};
use xinheng_app::public::PublicList;
use xinheng_app::rules::{embedded, load};
use xinheng_app::{Bureau, Surroundings};
use xinheng_core::classify::LevelLine;
use xinheng_core::credit_code::CreditCode;
use xinheng_core::points::Points;
use xinheng_core::record::{Day, Draft, EnterpriseKeys, Moment, Seq, Value};
use xinheng_store::testing::{FixedSalts, databases};
use xinheng_store::{Body, Keys, ListingKind, NewRecord, NewSubmission, Sealer};

/// As in the product.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BATCH: i64 = 5_000;
const TRIES: usize = 7;
const TOWNS: [&str; 16] = [
    "城关镇",
    "柳林镇",
    "石桥镇",
    "东河镇",
    "西山镇",
    "南湖镇",
    "北关镇",
    "马营镇",
    "李庄乡",
    "王集乡",
    "高楼乡",
    "白塔乡",
    "青岗乡",
    "黄岭乡",
    "龙泉乡",
    "凤鸣乡",
];
const FIRST: [&str; 14] = ["鑫", "源", "盛", "华", "丰", "恒", "瑞", "德", "福", "祥", "隆", "泰", "金", "玉"];
const TRADES: [&str; 10] = ["食品", "商贸", "餐饮", "建材", "农业科技", "医药", "百货", "物流", "机械", "服装"];

fn code(n: i64) -> CreditCode {
    CreditCode::compose(if n % 3 == 0 { "92919901" } else { "91919901" }, &format!("MA{:06}", n % 1_000_000)).unwrap()
}

fn name(n: i64) -> String {
    let pick = |list: &[&'static str], salt: i64| {
        list[usize::try_from((n * 7_919 + n / 31 + salt) % list.len() as i64).unwrap()]
    };
    let brand = format!("{}{}{}", pick(&FIRST, 0), pick(&FIRST, n / 14), pick(&FIRST, n / 196));
    format!("新衡县{brand}{}{}", pick(&TRADES, n / 7), if n % 3 == 0 { "店" } else { "有限公司" })
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn draft(kind: &str, n: i64, line: i64, on: &str, fields: &[(&str, &str)]) -> Draft {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
    let number = fields.clone().find(|(name, _)| name.ends_with("number")).map(|(_, value)| value.to_string());
    Draft {
        line,
        part: 0,
        kind: kind.into(),
        keys: EnterpriseKeys { credit_code: Some(code(n)), ..EnterpriseKeys::default() },
        occurred_on: day(on),
        document_number: number,
        version: (kind == "registration").then(|| day(on)),
        withdrawn: false,
        correction: None,
        payload: fields.collect(),
        personal: BTreeMap::new(),
    }
}

/// What is on record about enterprise `n`.
fn drafts(n: i64) -> Vec<Draft> {
    let town = TOWNS[usize::try_from(n * 31 % 16).unwrap()];
    let status = if n % 40 == 7 { "revoked" } else { "operating" };
    let mut drafts = vec![draft(
        "registration",
        n,
        n * 8,
        "2020-03-01",
        &[
            ("name", &name(n)),
            ("town", town),
            ("status", status),
            ("type_class", if n % 3 == 0 { "self_employed" } else { "enterprise" }),
            ("established_on", "2020-03-01"),
            ("business_scope", "食品生产；食品销售；餐饮服务（依法须经批准的项目，经相关部门批准后方可开展经营活动）"),
        ],
    )];
    if n % 4 == 0 {
        let number = format!("罚{n}");
        drafts.push(draft(
            "penalty",
            n,
            n * 8 + 1,
            "2025-05-06",
            &[("document_number", &number), ("decided_on", "2025-05-06"), ("reason", "违法经营")],
        ));
    }
    if n % 20 == 0 {
        let on = format!("20{:02}-{:02}-11", 20 + n % 6, 1 + n / 6 % 12);
        let number = format!("YC{n}");
        drafts.push(draft(
            "abnormal_entry",
            n,
            n * 8 + 2,
            &on,
            &[("entry_number", &number), ("entered_on", &on), ("reason", "未按规定公示年度报告")],
        ));
        if n % 60 != 0 {
            drafts.push(draft(
                "abnormal_removal",
                n,
                n * 8 + 3,
                "2026-02-02",
                &[("entry_number", &number), ("removed_on", "2026-02-02")],
            ));
        }
    }
    drafts
}

fn levels(n: i64) -> (CreditCode, Vec<LevelLine>) {
    let level = |scope: &str, grade: i64, total_milli: Option<i64>| LevelLine {
        scope: scope.into(),
        level: ["A", "A", "A", "B", "B", "C", "D"][usize::try_from(grade % 7).unwrap()].into(),
        total: total_milli.map(Points::from_milli),
        in_force: true,
        model: Some(scope.into()),
    };
    let points = Some(n * 37 % 90_000);
    let mut levels = vec![level("general", n, points), level("combined", n, points)];
    if n % 3 != 0 {
        levels.push(level("received_level", n + i64::from(n % 50 == 1), None));
    }
    if n % 100 == 1 {
        levels.push(level("food_production", n / 100, points));
    }
    (code(n), levels)
}

async fn fill(bureau: &Bureau, sealer: &Sealer, size: i64) {
    let store = bureau.store();
    let received_at = Moment::from_micros(1_790_000_000_000_000).unwrap();
    let submission = store
        .open_submission(NewSubmission {
            file_name: "全县.csv".to_owned(),
            file_digest: [0; 32],
            table_id: "market_entities".to_owned(),
            unit: "登记注册科".to_owned(),
            edition: None,
            received_at,
        })
        .await
        .unwrap()
        .number;
    let rulebook = bureau.rulebook();
    for first in (1..=size).step_by(BATCH as usize) {
        let numbers = first..(first + BATCH).min(size + 1);
        let records = numbers.clone().flat_map(drafts).map(|draft| {
            let kind = rulebook.kind(&draft.kind, day("2026-11-24")).unwrap();
            let enterprise = draft.keys.credit_code;
            NewRecord {
                body: Body::Draft(sealer.seal(submission, kind, draft).unwrap()),
                enterprise,
                supersedes: None,
                received_at,
                source_unit: "登记注册科".into(),
            }
        });
        let records = records.collect();
        let mut writing = store.begin_many().await.unwrap();
        writing.append(records).await.unwrap();
        let given: Vec<_> = numbers.map(levels).collect();
        writing.write_levels(Seq(1_000_000_000), day("2026-11-24"), &given).await.unwrap();
        writing.commit().await.unwrap();
    }
    let counts = serde_json::json!({"accepted": size});
    store.finish_submission(submission, &counts).await.unwrap();
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1_000.0
}

/// Milliseconds of a page, and of its statements alone, and how many these are.
async fn measured(bureau: &Bureau, page: impl AsyncFnMut(&Bureau)) -> (f64, f64, usize) {
    measured_with(bureau, &[], page).await
}

/// The same for a page that reads the histories of enterprises: one more statement, that is asked past the ORM.
async fn measured_with(
    bureau: &Bureau,
    histories: &[CreditCode],
    mut page: impl AsyncFnMut(&Bureau),
) -> (f64, f64, usize) {
    let store = bureau.store();
    page(bureau).await;
    let (mut pages, mut alone, mut count) = (Vec::new(), Vec::new(), 0);
    for _ in 0..TRIES {
        store.take_statements();
        let start = Instant::now();
        page(bureau).await;
        pages.push(start.elapsed());
        let statements = store.take_statements();
        count = statements.len();
        let start = Instant::now();
        for statement in &statements {
            store.run_again(statement).await.unwrap();
        }
        if !histories.is_empty() {
            count += 1;
            store.histories_for(histories, Seq(i64::MAX)).await.unwrap();
        }
        alone.push(start.elapsed());
    }
    (median(pages), median(alone), count)
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let size: i64 = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(100_000);
    let asked = |name: &str| arguments.iter().any(|argument| argument.eq_ignore_ascii_case(name));
    let only_one = ["SQLite", "PostgreSQL"].into_iter().any(asked);
    for database in databases().await.into_iter().filter(|database| !only_one || asked(database.name)) {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key");
        let sealer = Sealer::new(Keys::load_or_create(&key).unwrap(), Arc::new(FixedSalts));
        let rulebook = load(&embedded()).unwrap();
        let bureau = Bureau::open(&database.url, &key, rulebook, Surroundings::real()).await.unwrap();
        let start = Instant::now();
        fill(&bureau, &sealer, size).await;
        println!("{}: {size} enterprises, filled in {:.0} s", database.name, start.elapsed().as_secs_f64());

        println!("  {:<44} {:>9} {:>9} {:>6} {:>10}", "page", "ms", "SQL ms", "ratio", "statements");
        let query = |field: &str, level: &str, town: &str, status: &str, text: &str, order| {
            let given = |text: &str| Some(text.to_owned());
            EnterpriseQuery {
                field: given(field),
                level: given(level),
                town: given(town),
                status: given(status),
                text: given(text),
                order,
            }
        };
        let (by_code, by_level) = (EnterpriseOrder::Code, EnterpriseOrder::Level);
        for (what, query) in [
            ("all by code", query("", "", "", "", "", by_code)),
            ("one town by code", query("", "", TOWNS[3], "", "", by_code)),
            ("revoked in a town by code", query("", "", TOWNS[3], "revoked", "", by_code)),
            ("all by level", query("", "", "", "", "", by_level)),
            ("level D by level", query("", "D", "", "", "", by_level)),
            ("a field by code", query("food_production", "", "", "", "", by_code)),
            ("a field, a town, by level", query("food_production", "", TOWNS[1], "", "", by_level)),
            ("general, revoked, by level", query("general", "", "", "revoked", "", by_level)),
            ("general by code", query("general", "", "", "", "", by_code)),
            ("a common name in a town", query("", "", TOWNS[3], "", "鑫源", by_code)),
        ] {
            let page = async |bureau: &Bureau| {
                let first = bureau.enterprises(&query, &Turn::First, PageSize::Fifty).await.unwrap();
                bureau.enterprises(&query, &first.after.unwrap_or_default(), PageSize::Fifty).await.unwrap();
            };
            report(&format!("query: {what}, 2 pages"), measured(&bureau, page).await);
            let count = async |bureau: &Bureau| {
                bureau.enterprise_count(&query).await.unwrap();
            };
            report(&format!("query: {what}, count"), measured(&bureau, count).await);
        }
        let code = code(size / 2 / 20 * 20);
        report(
            "choices of the query",
            measured(&bureau, async |one| drop(one.enterprise_choices().await.unwrap())).await,
        );
        let profile = async |one: &Bureau| drop(one.profile(code, None, None).await.unwrap());
        report("profile", measured_with(&bureau, &[code], profile).await);
        let (_, owner) = bureau.store().record(Seq(size / 2)).await.unwrap().unwrap();
        let record = async |one: &Bureau| drop(one.record(Seq(size / 2)).await.unwrap());
        report("record", measured_with(&bureau, &owner.into_iter().collect::<Vec<_>>(), record).await);
        let public = async |one: &Bureau| drop(one.public_profile(code).await.unwrap());
        report("public profile", measured_with(&bureau, &[code], public).await);
        let bulletin =
            async |one: &Bureau| drop(one.bulletin(PublicList::Abnormal, None, PageSize::Fifty).await.unwrap());
        // As many entries as the page looks at.
        let (entries, _) = bureau.store().list_entries(ListingKind::Abnormal, None, 200).await.unwrap();
        let listed: BTreeSet<CreditCode> = entries.into_iter().map(|(_, code)| code).collect();
        report("bulletin", measured_with(&bureau, &listed.into_iter().collect::<Vec<_>>(), bulletin).await);
        report("level table", measured(&bureau, async |one| drop(one.level_table().await.unwrap())).await);
        let differing = async |one: &Bureau| drop(one.received_against_own(None, PageSize::Fifty).await.unwrap());
        let listed = bureau.store().differing(None, 50).await.unwrap();
        let listed: Vec<CreditCode> = listed.into_iter().map(|one| one.code).collect();
        report("received against own", measured_with(&bureau, &listed, differing).await);
        report("heads", measured(&bureau, async |one| drop(one.day_heads(None, PageSize::Fifty).await.unwrap())).await);

        println!("  {:<44} {:>9} {:>9} {:>6}", "search", "ms", "scan ms", "scans");
        let digits = format!("919199{}", "01MA0000");
        for typed in ["鑫源", "鑫源盛食品", "新衡", "xys", "xhx", digits.as_str(), "盛华丰"] {
            let search =
                measured(&bureau, async |one| drop(one.search(typed, 0, PageSize::Twenty).await.unwrap())).await;
            let mut scans = Vec::new();
            for _ in 0..TRIES {
                let start = Instant::now();
                bureau.store().scan_names(typed).await.unwrap();
                scans.push(start.elapsed());
            }
            let scan = median(scans);
            println!("  {typed:<44} {:>9.2} {scan:>9.2} 1/{:.0}", search.0, scan / search.0);
        }
    }
}

fn report(what: &str, (page, alone, statements): (f64, f64, usize)) {
    println!("  {what:<44} {page:>9.2} {alone:>9.2} {:>6.2} {statements:>10}", page / alone);
}
