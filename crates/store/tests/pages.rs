//! What pages read, on both databases: found, listed, turned over both ways, and never a table scanned.
#![allow(clippy::unwrap_used)]

mod sample;

use std::collections::BTreeSet;

use sample::{World, by_enterprise, code, day, fill_and_grade, level, penalty, rebuild, registration, set};
use sea_orm::DbBackend;
use xinheng_core::classify::{COMBINED, GENERAL, RECEIVED_LEVEL};
use xinheng_core::credit_code::CreditCode;
use xinheng_core::record::{Draft, Seq};
use xinheng_core::search::Wanted;
use xinheng_store::testing::databases;
use xinheng_store::{Count, EnterpriseFilter, EnterpriseOrder, Found, ListingKind, MOST_FOUND, MatchedBy, Store, Turn};

const TOWNS: [&str; 3] = ["城关镇", "柳林镇", "石桥乡"];

fn named(n: i64, name: &str) -> Draft {
    let mut draft = registration(n, n);
    set(&mut draft, "name", name);
    draft
}

/// Enterprise `n` of a county: every seventh revoked, in three towns.
fn resident(n: i64) -> Draft {
    let mut draft = named(n, &format!("新衡县第{n}食品有限公司"));
    set(&mut draft, "town", TOWNS[usize::try_from(n % 3).unwrap()]);
    set(&mut draft, "status", if n % 7 == 0 { "revoked" } else { "operating" });
    draft
}

/// So many enterprises, four of five graded, every tenth in a key field.
async fn county(store: &Store, size: i64) {
    World::new().import(store, "登记.csv", (1..=size).map(resident).collect()).await;
    let mut levels = Vec::new();
    for n in (1..=size).filter(|n| n % 5 != 0) {
        let grade = ["A", "B", "C", "D"][usize::try_from(n % 4).unwrap()];
        levels.push(level(n, COMBINED, grade, Some(n % 6 * 1_000)));
        levels.push(level(n, GENERAL, grade, Some(n % 6 * 1_000)));
        if n % 2 == 0 {
            levels.push(level(n, RECEIVED_LEVEL, "B", None));
        }
        if n % 10 == 1 {
            levels.push(level(n, "food_production", grade, Some(n % 6 * 1_000)));
        }
    }
    let mut writing = store.begin().await.unwrap();
    writing.write_levels(Seq(size + 1), day("2026-07-01"), &by_enterprise(levels)).await.unwrap();
    writing.commit().await.unwrap();
}

async fn search(store: &Store, typed: &str) -> Vec<(i64, MatchedBy)> {
    let Found { hits, .. } = store.search(&Wanted::parse(typed).unwrap(), 0, 50).await.unwrap();
    let number = |found: CreditCode| (1..100).find(|n| code(*n) == found).unwrap();
    hits.into_iter().map(|hit| (number(hit.code), hit.by)).collect()
}

#[tokio::test]
async fn an_enterprise_is_found_by_part_of_its_name_its_code_or_its_initials() {
    use MatchedBy::{Code, CodeBegin, NameBegin, Within};
    for database in databases().await {
        let store = database.open().await;
        let names = ["新衡县鑫源食品有限公司", "鑫源超市（个体工商户）", "ABC（河南）商贸有限责任公司", "老百姓大药房"];
        let drafts = (1..).zip(names).map(|(n, name)| named(n, name)).collect();
        World::new().import(&store, "登记.csv", drafts).await;
        assert_eq!(search(&store, "鑫源").await, [(2, NameBegin), (1, Within)]);
        assert_eq!(search(&store, "鑫源食品公司").await, [(1, Within)]);
        assert_eq!(search(&store, "xysp").await, [(1, Within)]);
        assert_eq!(search(&store, "ＡＢＣ(河南) 商贸有限公司").await, [(3, NameBegin)]);
        assert_eq!(search(&store, "百姓").await, [(4, Within)]);
        assert_eq!(search(&store, "源鑫").await, []);
        assert_eq!(search(&store, "百大").await, [], "neighbours only");
        let whole = code(3).to_string();
        let spaced = format!("{} {}", &whole[..9].to_lowercase(), &whole[9..]);
        assert_eq!(search(&store, &spaced).await, [(3, Code)]);
        let begun = search(&store, &whole[..8]).await;
        assert_eq!(begun.len(), 4);
        assert!(begun.iter().all(|(_, by)| *by == CodeBegin));
    }
}

#[tokio::test]
async fn a_new_name_is_found_in_place_of_the_old_and_a_withdrawn_enterprise_not_at_all() {
    for database in databases().await {
        let store = database.open().await;
        let world = World::new();
        world.import(&store, "登记.csv", vec![named(1, "东风商行"), named(2, "西山酒坊")]).await;
        let mut renamed = named(1, "春风商行");
        renamed.version = Some(day("2026-06-01"));
        let mut withdrawn = named(2, "西山酒坊");
        withdrawn.withdrawn = true;
        world.import(&store, "登记2.csv", vec![renamed, withdrawn]).await;
        assert_eq!(search(&store, "东风").await, []);
        assert_eq!(search(&store, "西山").await, []);
        assert_eq!(search(&store, "春风").await, [(1, MatchedBy::NameBegin)]);
        assert_eq!(search(&store, "风商").await, [(1, MatchedBy::Within)]);
    }
}

#[tokio::test]
async fn a_common_pair_is_paged_through_up_to_a_bound() {
    for database in databases().await {
        let store = database.open().await;
        World::new().import(&store, "登记.csv", (1..=260).map(resident).collect()).await;
        let wanted = Wanted::parse("食品").unwrap();
        let (mut skip, mut seen) = (0, BTreeSet::new());
        loop {
            let found = store.search(&wanted, skip, 50).await.unwrap();
            assert!(found.too_many);
            seen.extend(found.hits.iter().map(|hit| hit.code));
            match found.next {
                Some(next) => skip = next,
                None => break,
            }
        }
        assert_eq!(seen.len(), MOST_FOUND);
    }
}

/// All that a filter finds, page by page to the end, and back again.
async fn all_pages(store: &Store, filter: &EnterpriseFilter, limit: u64) -> Vec<i64> {
    let numbers = |page: &xinheng_store::Listing| -> Vec<i64> {
        page.rows.iter().map(|row| row.code.as_str()[10..16].parse().unwrap()).collect()
    };
    let (mut forward, mut turn, mut last) = (Vec::new(), Turn::First, None);
    loop {
        let page = store.list(filter, &turn, limit).await.unwrap();
        assert_eq!(page.before.is_some(), turn != Turn::First);
        forward.push(numbers(&page));
        last = page.before.or(last);
        match page.after {
            // Through the address of a page and back.
            Some(next) => turn = next.to_string().parse().unwrap(),
            None => break,
        }
        assert!(forward.len() < 500);
    }
    let mut backward = vec![forward.last().unwrap().clone()];
    while let Some(before) = last {
        let page = store.list(filter, &before, limit).await.unwrap();
        backward.push(numbers(&page));
        last = page.before;
    }
    backward.reverse();
    assert_eq!(backward.concat(), forward.concat(), "back is the same as forth: {filter:?}");
    forward.concat()
}

#[tokio::test]
async fn enterprises_are_listed_by_any_filter_in_either_order_page_by_page_both_ways() {
    for database in databases().await {
        let store = database.open().await;
        county(&store, 100).await;
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        for scope in ["", GENERAL, RECEIVED_LEVEL, "food_production"] {
            for grade in ["", "B", "D"] {
                for town in ["", TOWNS[1]] {
                    for status in ["", "revoked"] {
                        for (text, order) in [
                            ("", EnterpriseOrder::Code),
                            ("", EnterpriseOrder::Level),
                            ("食品", EnterpriseOrder::Code),
                            ("食品", EnterpriseOrder::Level),
                        ] {
                            let filter = EnterpriseFilter {
                                scope: given(scope),
                                level: given(grade),
                                town: given(town),
                                status: given(status),
                                wanted: Wanted::parse(text),
                                order,
                            };
                            let found = all_pages(&store, &filter, 7).await;
                            let count = store.list_count(&filter).await.unwrap();
                            assert_eq!(count, Count::Exactly(found.len() as u64), "{filter:?}");
                            let graded = !scope.is_empty() || !grade.is_empty() || order == EnterpriseOrder::Level;
                            let of = |n: i64| {
                                match scope {
                                    RECEIVED_LEVEL => (n % 2 == 0).then_some(("B", -1)),
                                    "food_production" if n % 10 != 1 => None,
                                    _ => Some((["A", "B", "C", "D"][(n % 4) as usize], n % 6 * 1_000)),
                                }
                                .filter(|_| n % 5 != 0)
                            };
                            let mut expected: Vec<i64> = (1..=100)
                                .filter(|&n| !graded || of(n).is_some())
                                .filter(|&n| grade.is_empty() || of(n).is_some_and(|(level, _)| level == grade))
                                .filter(|n| town.is_empty() || n % 3 == 1)
                                .filter(|n| status.is_empty() || n % 7 == 0)
                                .collect();
                            if order == EnterpriseOrder::Level {
                                expected.sort_by_key(|&n| std::cmp::Reverse((of(n), code(n))));
                            } else {
                                expected.sort_by_key(|&n| code(n));
                            }
                            assert_eq!(found, expected, "{} {filter:?}", database.name);
                        }
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn who_is_no_longer_graded_stays_in_the_list_of_its_scope() {
    for database in databases().await {
        let store = database.open().await;
        county(&store, 60).await;
        // Enterprise 21 is no longer graded in the field; 31 is not either, and its registration is withdrawn.
        let mut withdrawn = resident(31);
        withdrawn.withdrawn = true;
        World::new().import(&store, "登记2.csv", vec![withdrawn]).await;
        let general_alone = [21, 31].map(|n| level(n, GENERAL, "A", Some(0)));
        let mut writing = store.begin().await.unwrap();
        writing.write_levels(Seq(1_000), day("2026-09-01"), &by_enterprise(general_alone)).await.unwrap();
        writing.commit().await.unwrap();
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let (page, next) = store.ever_graded("food_production", after, 2).await.unwrap();
            found.extend(page.into_iter().map(|one| one.code));
            after = next;
            if next.is_none() {
                break;
            }
        }
        let mut expected = [1, 11, 21, 41, 51].map(code);
        expected.sort_unstable();
        assert_eq!(found, expected, "{}", database.name);
    }
}

#[tokio::test]
async fn levels_counts_and_differences_follow_registrations_and_runs_and_are_rebuilt_equal() {
    for database in databases().await {
        let store = database.open().await;
        fill_and_grade(&store).await;
        // Enterprise 1 moves to another town and then to another level; enterprise 7 is withdrawn.
        let mut moved = registration(2, 1);
        moved.version = Some(day("2026-08-01"));
        set(&mut moved, "town", "柳林镇");
        let mut withdrawn = registration(3, 7);
        withdrawn.withdrawn = true;
        let world = World::new();
        world.import(&store, "登记3.csv", vec![moved, withdrawn]).await;
        let counts = |counts: Vec<xinheng_store::TownLevelCount>| -> Vec<String> {
            counts.iter().map(|one| format!("{} {} {} {}", one.scope, one.town, one.level, one.enterprises)).collect()
        };
        assert_eq!(
            counts(store.level_counts().await.unwrap()),
            ["combined 柳林镇 C 1", "general 柳林镇 B 1", "received_level 柳林镇 C 1"],
            "{}",
            database.name
        );
        let differing = store.differing(None, 10).await.unwrap();
        assert_eq!(differing.len(), 1);
        assert_eq!((differing[0].received.as_str(), differing[0].own.as_str()), ("C", "B"));

        let mut writing = store.begin().await.unwrap();
        let run = Seq(1_000);
        let levels = [
            level(1, GENERAL, "C", Some(41_000)),
            level(1, RECEIVED_LEVEL, "C", None),
            level(1, COMBINED, "C", Some(41_000)),
        ];
        writing.write_levels(run, day("2026-09-01"), &by_enterprise(levels)).await.unwrap();
        writing.commit().await.unwrap();
        assert_eq!(store.differing(None, 10).await.unwrap(), []);
        assert_eq!(
            counts(store.level_counts().await.unwrap()),
            ["combined 柳林镇 C 1", "general 柳林镇 C 1", "received_level 柳林镇 C 1"]
        );
        let changes = store.level_changes(run, GENERAL, None, 10).await.unwrap();
        assert_eq!(changes.len(), 1);
        assert_eq!((changes[0].0.from.as_deref(), changes[0].0.to.as_deref()), (Some("B"), Some("C")));
        assert_eq!(store.level_changes(run, COMBINED, None, 10).await.unwrap(), [], "only the points moved");
    }
}

#[tokio::test]
async fn what_pages_read_is_rebuilt_equal_and_the_same_on_both_databases() {
    let mut dumps = Vec::new();
    for database in databases().await {
        let store = database.open().await;
        fill_and_grade(&store).await;
        let dump = store.dump_projections().await.unwrap();
        for table in ["searched", "graded", "level_count", "differing", "level_change", "day_head"] {
            assert!(dump.lines().any(|line| line.starts_with(&format!("{table} "))), "{table}");
        }
        rebuild(&store).await;
        assert_eq!(store.dump_projections().await.unwrap(), dump, "{}", database.name);
        dumps.push(dump);
    }
    assert_eq!(dumps[0], dumps[1]);
}

#[tokio::test]
async fn each_day_has_one_head_and_a_resumed_submission_does_not_go_back_to_an_earlier_day() {
    for database in databases().await {
        let store = database.open().await;
        let world = World::new();
        let submission = store.open_submission(sample::new_submission("登记.csv")).await.unwrap();
        let of_day = |days: i64| xinheng_store::Submission {
            received_at: xinheng_core::record::Moment::from_micros(
                submission.received_at.micros() + days * 86_400_000_000,
            )
            .unwrap(),
            ..submission
        };
        for (n, days) in [(1, 0), (2, 0), (3, 1), (4, 0), (5, 3)] {
            world.collect(&store, of_day(days), vec![registration(n, n)]).await;
        }
        let heads = store.day_heads(None, 10).await.unwrap();
        let seen: Vec<(String, i64)> = heads.iter().map(|head| (head.day.to_string(), head.seq.0)).collect();
        let today = submission.received_at.day_in_china();
        let after = |days| (today + chrono::TimeDelta::days(days)).to_string();
        assert_eq!(seen, [(after(3), 5), (after(1), 4), (after(0), 2)], "{}", database.name);
        assert_eq!(heads[0].hash, store.head().await.unwrap().hash);
        let earlier = store.day_heads(Some(heads[0].day), 1).await.unwrap();
        assert_eq!(earlier, heads[1..2]);
    }
}

#[tokio::test]
async fn the_table_that_a_unit_handed_in_last_is_found_among_its_own_submissions() {
    for database in databases().await {
        let store = database.open().await;
        for (number, (unit, table)) in
            [("U01", "four"), ("U01", "five"), ("U01", "licences"), ("U02", "four")].into_iter().enumerate()
        {
            let (unit, table_id) = (unit.to_owned(), table.to_owned());
            let new = xinheng_store::NewSubmission { unit, table_id, ..sample::new_submission(&number.to_string()) };
            store.open_submission(new).await.unwrap();
        }
        store.take_statements();
        let mut found = Vec::new();
        for (unit, among) in
            [("U01", &["four", "five", "six"][..]), ("U01", &["four", "six"]), ("U01", &["six"]), ("U02", &["four"])]
        {
            found.push(store.last_table(unit, among).await.unwrap());
        }
        let expected = [Some("five"), Some("four"), None, Some("four")].map(|table| table.map(str::to_owned));
        assert_eq!(found, expected, "{}", database.name);
        let plan = store.query_plan(&store.take_statements()[0]).await.unwrap();
        assert!(plan.contains("submission_by_unit_number"), "{}: {plan}", database.name);
    }
}

/// Every page once.
async fn read_every_page(store: &Store) -> usize {
    let mut rows = 0;
    for typed in ["食品", "第1", "91419900", "xhx"] {
        let wanted = Wanted::parse(typed).unwrap();
        rows += store.search(&wanted, 0, 20).await.unwrap().hits.len();
        store.is_too_common(&wanted).await.unwrap();
    }
    for scope in [None, Some(GENERAL.to_owned())] {
        for grade in [None, Some("B".to_owned())] {
            for town in [None, Some(TOWNS[1].to_owned())] {
                for status in [None, Some("operating".to_owned()), Some("revoked".to_owned())] {
                    for wanted in [None, Wanted::parse("食品")] {
                        for order in [EnterpriseOrder::Code, EnterpriseOrder::Level] {
                            let filter = EnterpriseFilter {
                                scope: scope.clone(),
                                level: grade.clone(),
                                town: town.clone(),
                                status: status.clone(),
                                wanted: wanted.clone(),
                                order,
                            };
                            let first = store.list(&filter, &Turn::First, 2).await.unwrap();
                            let second = first.after.unwrap_or_default();
                            store.list(&filter, &second, 2).await.unwrap();
                            store.list_count(&filter).await.unwrap();
                            rows += first.rows.len();
                        }
                    }
                }
            }
        }
    }
    rows += store.towns().await.unwrap().len();
    store.submissions("none", None, None, 20).await.unwrap();
    store.submissions("none", Some("U01"), Some(9), 20).await.unwrap();
    store.newest_system_records("classification", Some(Seq(9)), 20).await.unwrap();
    store.level_changes(Seq(1), GENERAL, Some(code(1)), 20).await.unwrap();
    store.last_moves_before(Seq(9), GENERAL, &[code(1), code(2)]).await.unwrap();
    store.differing(Some(code(1)), 20).await.unwrap();
    store.ever_graded("food_production", None, 2).await.unwrap();
    store.ever_graded("food_production", Some(code(1)), 2).await.unwrap();
    store.day_heads(None, 20).await.unwrap();
    store.record(Seq(1)).await.unwrap();
    store.submission(1).await.unwrap();
    store.last_table("U01", &["table", "other"]).await.unwrap();
    for list in [ListingKind::Abnormal, ListingKind::Serious] {
        let (_, next) = store.list_entries(list, None, 20).await.unwrap();
        store.list_entries(list, next, 20).await.unwrap();
    }
    rows
}

#[tokio::test]
async fn no_page_scans_a_great_table_and_none_needs_more_statements_for_more_rows() {
    for database in databases().await {
        let store = database.open().await;
        county(&store, 10).await;
        World::new().import(&store, "处罚.csv", vec![penalty(2, sample::known(1), "罚1号")]).await;
        store.take_statements();
        let few = read_every_page(&store).await;
        let asked_of_few = store.take_statements();
        // Another thousand.
        World::new().import(&store, "登记2.csv", (11..=1_000).map(resident).collect()).await;
        store.take_statements();
        assert!(read_every_page(&store).await > few);
        let asked = store.take_statements();
        // Fewer are asked where better matches are too many already.
        assert!(asked.len() <= asked_of_few.len(), "{}: {} > {}", database.name, asked.len(), asked_of_few.len());
        for statement in asked {
            let plan = store.query_plan(&statement).await.unwrap();
            // By names and by the aliases that our statements give them. To walk along an index in its
            // order, up to a limit, is no scan; nor is to look through so many first rows and no more.
            let great =
                ["enterprise", "e", "record", "current_level", "c", "graded", "g", "searched", "s", "level", "l"];
            // Most enterprises are in operation: so many of them are counted among the first.
            let first_enterprises = statement.sql.contains("WHERE TRUE AND e.status = $2 LIMIT $3");
            let scans = |line: &str| match statement.db_backend {
                DbBackend::Sqlite => {
                    let counted = first_enterprises && line.trim() == "SCAN e";
                    great.iter().any(|name| line.trim() == format!("SCAN {name}")) && !counted
                }
                _ => {
                    let first_rows = statement.sql.contains("FROM searched LIMIT ");
                    let counted = first_enterprises && line.contains("Seq Scan on enterprise");
                    line.contains("Seq Scan on ")
                        && !line.contains("Seq Scan on level_count")
                        && !first_rows
                        && !counted
                }
            };
            let scans: Vec<&str> = plan.lines().filter(|line| scans(line)).collect();
            assert!(scans.is_empty(), "{}\n{}\n{plan}", database.name, statement.sql);
        }
    }
}
