//! What the desk and the public read of a small county, on both databases.
#![allow(clippy::unwrap_used)]

mod county;

use std::collections::BTreeSet;
use std::io::Read as _;

use county::{County, Given, both, day};
use xinheng_app::act::Actor;
use xinheng_app::enterprises::{Count, EnterpriseOrder, EnterpriseQuery, PageSize, Turn};
use xinheng_app::profile::State;
use xinheng_app::public::PublicList;
use xinheng_core::record::Seq;
use xinheng_core::staff::{Duties, Role};

fn officer(role: Role, unit: &str) -> Actor {
    Actor {
        staff: 1,
        account: "ceshi".to_owned(),
        name: "=测试员".to_owned(),
        unit: unit.to_owned(),
        unit_name: unit.to_owned(),
        duties: Duties::new([role]).unwrap(),
        session: None,
    }
}

/// The filled county with an entry in the list of abnormal operation and one that is over.
async fn with_lists(county: &County) -> Given {
    let given = county.fill().await;
    let list = format!(
        "列入日期,经营异常名录id,列入经营异常名录原因,统一社会信用代码,作出决定机关(移出),移出经营异常名录原因,移出日期,作出决定机关(列入)\n\
         2025-07-01,YC1,未按规定公示年度报告,{0},,,,某局\n2023-07-01,YC2,通过登记的住所无法联系,{0},某局,已变更住所,2024-01-05,某局\n",
        given.code
    );
    let list = county.write("名录.csv", list.as_bytes());
    assert_eq!(county.import(&list).await.unwrap().accepted, 2);
    given
}

#[tokio::test]
async fn a_profile_tells_everything_on_record_and_nothing_personal() {
    both(async |county: County| {
        let Given { code } = with_lists(&county).await;
        let profile = county.bureau.profile(code, None, None).await.unwrap();
        let kinds: BTreeSet<&str> = profile.timeline.iter().map(|item| item.kind.as_str()).collect();
        assert!(
            ["registration", "license", "penalty", "abnormal_entry", "abnormal_removal"]
                .iter()
                .all(|k| kinds.contains(k))
        );
        assert!(profile.timeline.is_sorted_by_key(|item| std::cmp::Reverse((item.occurred_on, item.seq))));
        let penalty = profile.timeline.iter().find(|item| item.kind == "penalty").unwrap();
        assert_eq!((penalty.kind_title.as_str(), &penalty.state), ("行政处罚", &State::InEffect));
        assert!(penalty.summary.contains("违法经营"), "{}", penalty.summary);
        assert_eq!(profile.licenses.len(), 1);
        assert!(profile.licenses[0].valid);
        let lists: Vec<_> = profile.lists.iter().map(|line| (line.since.to_string(), line.until)).collect();
        assert_eq!(lists, [("2025-07-01".to_owned(), None), ("2023-07-01".to_owned(), Some(day("2024-01-05")))]);
        assert!(profile.levels.iter().any(|step| step.scope == "combined" && step.scope_title == "综合等级"));
        let masked: Vec<_> = profile.base.iter().filter(|field| field.value.is_none()).collect();
        assert!(masked.iter().any(|field| field.title == "法定代表人（经营者）"));
        assert!(!serde_json::to_string(&profile).unwrap().contains("法人甲"));
    })
    .await;
}

#[tokio::test]
async fn a_profile_as_of_an_earlier_day_or_seq_shows_what_was_so_and_what_was_known() {
    both(async |county: County| {
        let Given { code } = with_lists(&county).await;
        let full = county.bureau.profile(code, None, None).await.unwrap();
        // In autumn 2023 it was on the list for the address; the later penalties had not happened.
        let then = county.bureau.profile(code, Some(day("2023-09-01")), None).await.unwrap();
        let on: Vec<_> = then.lists.iter().filter(|line| line.until.is_none()).map(|line| line.since).collect();
        assert_eq!(on, [day("2023-07-01")]);
        assert!(then.timeline.iter().any(|item| item.occurred_on > day("2023-09-01") && item.state == State::NotYet));
        // After the first file only the registration was known.
        let known = county.bureau.profile(code, None, Some(Seq(40))).await.unwrap();
        assert_eq!(known.timeline.len(), 1);
        assert!(known.licenses.is_empty() && known.levels.is_empty());
        assert_eq!(known.steps.known, full.steps.known, "the slider knows the way back");
        // Between two neighbouring days of the slider nothing changes.
        for pair in full.steps.days.windows(2) {
            let (at, before_next) = (pair[0], pair[1].pred_opt().unwrap());
            let states = async |as_of| {
                let profile = county.bureau.profile(code, Some(as_of), None).await.unwrap();
                let levels = serde_json::to_string(&profile.levels).unwrap();
                (profile.timeline.into_iter().map(|item| item.state).collect::<Vec<_>>(), levels)
            };
            assert_eq!(states(at).await, states(before_next).await, "{at} to {before_next}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_record_says_where_it_came_from_and_what_it_holds() {
    both(async |county: County| {
        let Given { code } = county.fill().await;
        let profile = county.bureau.profile(code, None, None).await.unwrap();
        let penalty = profile.timeline.iter().find(|item| item.kind == "penalty").unwrap();
        let page = county.bureau.record(penalty.seq).await.unwrap();
        assert_eq!(page.enterprise, Some(code));
        assert_eq!(page.provenance.file_name.as_deref(), Some("处罚.csv"));
        assert!(page.provenance.line > 1);
        let field = |title: &str| page.fields.iter().find(|field| field.title == title).unwrap().value.clone();
        assert_eq!(field("处罚原因").as_deref(), Some("违法经营"));
        assert_eq!(field("当事人名称"), None, "personal");
        let missing = county.bureau.record(Seq(1_000_000)).await.unwrap_err().to_string();
        assert!(missing.contains("没有第 1000000 条"), "{missing}");
    })
    .await;
}

#[tokio::test]
async fn the_public_reads_what_is_public_and_never_a_level_or_a_person() {
    both(async |county: County| {
        let Given { code } = with_lists(&county).await;
        let found = county.bureau.public_search("测试0号", 0, PageSize::Twenty).await.unwrap();
        assert_eq!(found.hits.iter().map(|hit| hit.code).collect::<Vec<_>>(), [code]);
        let profile = county.bureau.public_profile(code).await.unwrap().unwrap();
        assert_eq!(profile.name, "测试0号食品有限公司");
        assert_eq!(profile.licenses.len(), 1);
        assert!(!profile.penalties.is_empty());
        assert!(profile.lists.iter().all(|entry| entry.kind == "abnormal_entry"));
        let bulletin = county.bureau.bulletin(PublicList::Abnormal, None, PageSize::Twenty).await.unwrap();
        let entries: Vec<_> = bulletin.lines.iter().map(|line| (line.code, line.entry.occurred_on)).collect();
        assert_eq!(entries, [(code, day("2025-07-01"))], "what was removed is no longer there");
        assert_eq!(bulletin.next, None);
        assert!(county.bureau.bulletin(PublicList::Serious, None, PageSize::Twenty).await.unwrap().lines.is_empty());
        for text in [
            serde_json::to_string(&profile).unwrap(),
            serde_json::to_string(&bulletin).unwrap(),
            serde_json::to_string(&found).unwrap(),
        ] {
            for secret in ["法人甲", "\"level\"", "combined", "某店"] {
                assert!(!text.contains(secret), "{secret} in {text}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_unit_sees_what_it_handed_in_and_the_bureau_sees_all() {
    both(async |county: County| {
        county.fill().await;
        let see = async |role, unit: &str| {
            let actor = officer(role, unit);
            let all = county.bureau.submissions(&actor, None, PageSize::Twenty).await.unwrap().lines;
            (all.len(), county.bureau.submission_seen(&actor, 1).await.unwrap().is_some())
        };
        assert_eq!(see(Role::Handler, "注册审批股").await, (3, true));
        assert_eq!(see(Role::Handler, "别的股").await, (0, false));
        assert_eq!(see(Role::Leader, "局领导").await, (3, true));
        let actor = officer(Role::Leader, "局领导");
        let all = county.bureau.submissions(&actor, None, PageSize::Twenty).await.unwrap().lines;
        assert!(all.is_sorted_by_key(|line| std::cmp::Reverse(line.number)));
        assert_eq!(all[0].outcome.as_ref().unwrap()["accepted"], 120);
    })
    .await;
}

#[tokio::test]
async fn changes_of_a_run_say_why_by_the_points_that_differ() {
    both(async |county: County| {
        county.fill().await;
        let runs = county.bureau.runs(None, PageSize::Twenty).await.unwrap();
        assert!(runs.len() >= 2 && runs.is_sorted_by_key(|run| std::cmp::Reverse(run.seq)));
        let first = county.bureau.changes(runs.last().unwrap().seq, None, None, PageSize::Hundred).await.unwrap();
        assert!(first.lines.iter().all(|line| line.from.is_none() && line.why[0].contains("首次分类")));
        let second = &runs[runs.len() - 2];
        let moved = county.bureau.changes(second.seq, Some("general"), None, PageSize::Hundred).await.unwrap();
        assert!(!moved.lines.is_empty());
        for line in moved.lines.iter().filter(|line| line.from.is_some()) {
            assert!(line.why.iter().any(|why| why.contains("→")), "{line:?}");
        }
        let table = county.bureau.level_table().await.unwrap();
        let general = table.scopes.iter().find(|scope| scope.scope == "general").unwrap();
        assert_eq!(general.total.values().sum::<u64>(), 40);
        assert!(county.bureau.changes(Seq(1), None, None, PageSize::Twenty).await.is_err());
        let heads = county.bureau.day_heads(None, PageSize::Twenty).await.unwrap();
        assert_eq!(heads[0].seq, county.bureau.head().await.unwrap().seq);
    })
    .await;
}

#[tokio::test]
async fn an_export_holds_every_row_of_the_query_and_says_who_asked_for_what_and_when() {
    both(async |county: County| {
        county.fill().await;
        let query = EnterpriseQuery {
            field: Some("general".to_owned()),
            text: Some("食品".to_owned()),
            order: EnterpriseOrder::Level,
            ..EnterpriseQuery::default()
        };
        let file = county.folder().join("名单.xlsx");
        let actor = officer(Role::Handler, "信用监管股");
        assert_eq!(county.bureau.export_enterprises(&query, &actor, &file, &|_| ()).await.unwrap(), 40);
        let mut workbook = zip::ZipArchive::new(std::fs::File::open(&file).unwrap()).unwrap();
        let mut text = String::new();
        workbook.by_name("xl/worksheets/sheet1.xml").unwrap().read_to_string(&mut text).unwrap();
        for words in
            ["名称或代码：食品", "通用型等级", "信用监管股", "'=测试员", "2026-11-24 09:00", "测试39号食品有限公司"]
        {
            assert!(text.contains(words), "{words}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_query_is_turned_over_and_its_filters_are_offered() {
    both(async |county: County| {
        county.fill().await;
        let query = EnterpriseQuery { level: Some(String::new()), ..EnterpriseQuery::default() };
        let first = county.bureau.enterprises(&query, &Turn::First, PageSize::Twenty).await.unwrap();
        let second = county.bureau.enterprises(&query, &first.after.unwrap(), PageSize::Twenty).await.unwrap();
        assert_eq!((first.rows.len(), second.rows.len(), second.after), (20, 20, None));
        let back = county.bureau.enterprises(&query, &second.before.unwrap(), PageSize::Twenty).await.unwrap();
        assert_eq!(back.rows, first.rows);
        assert_eq!(county.bureau.enterprise_count(&query).await.unwrap(), Count::Exactly(40));
        let choices = county.bureau.enterprise_choices().await.unwrap();
        assert!(
            choices.fields.contains(&("food_production".to_owned(), "食品生产".to_owned())),
            "{:?}",
            choices.fields
        );
        assert!(choices.statuses.contains(&("revoked".to_owned(), "吊销".to_owned())));
        let short = EnterpriseQuery { text: Some("鑫".to_owned()), ..EnterpriseQuery::default() };
        let said = county.bureau.enterprises(&short, &Turn::First, PageSize::Twenty).await.unwrap_err().to_string();
        assert!(said.contains("两个字"), "{said}");
    })
    .await;
}

#[tokio::test]
async fn the_statements_of_a_page_do_not_depend_on_what_is_on_record() {
    both(async |county: County| {
        let Given { code } = with_lists(&county).await;
        let bureau = &county.bureau;
        let mut counts = Vec::new();
        for _ in 0..2 {
            let store = bureau.store();
            let mut count = Vec::new();
            store.take_statements();
            bureau.profile(code, None, None).await.unwrap();
            count.push(store.take_statements().len());
            bureau.public_profile(code).await.unwrap();
            count.push(store.take_statements().len());
            bureau.public_search("食品", 0, PageSize::Hundred).await.unwrap();
            count.push(store.take_statements().len());
            bureau.bulletin(PublicList::Abnormal, None, PageSize::Hundred).await.unwrap();
            count.push(store.take_statements().len());
            let run = bureau.runs(None, PageSize::Twenty).await.unwrap()[0].seq;
            bureau.changes(run, None, None, PageSize::Hundred).await.unwrap();
            count.push(store.take_statements().len());
            counts.push(count);
            // A thousand penalties more, and others to find.
            let (headings, rows) = county::entities(200);
            county.import(&county.write("更多.csv", &county::gb18030(&headings, &rows))).await.unwrap();
            let mut penalties = String::from("统一社会信用代码,行政处罚文号,处罚原因,处罚时间,处罚结果\n");
            for number in 0..1_000 {
                penalties.push_str(&format!("{code},再罚{number}号,违法经营,2024-03-04,罚款\n"));
            }
            county.import(&county.write("再罚.csv", penalties.as_bytes())).await.unwrap();
            bureau.classify_touched(&|_| ()).await.unwrap();
        }
        assert_eq!(counts[0], counts[1]);
        assert!(counts[0].iter().all(|count| *count <= 7), "{:?}", counts[0]);
    })
    .await;
}
