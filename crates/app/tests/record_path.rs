//! The record path as a bureau walks it, on both databases: files in, one ledger, levels with reasons.
#![allow(clippy::unwrap_used)]

mod county;

use std::io::Read as _;

use county::{County, Given, both, day, entities, gb18030};
use xinheng_app::WrongInput;
use xinheng_app::act::Act;
use xinheng_app::collect::Outcome;
use xinheng_core::credit_code::CreditCode;
use xinheng_core::record::Seq;

fn counts(outcome: &Outcome) -> [u64; 6] {
    let Outcome { rows, accepted, known, superseding, older, refused, .. } = outcome;
    [*rows, *accepted, *known, *superseding, *older, *refused]
}

#[tokio::test]
async fn a_gbk_dump_of_a_thousand_entities_goes_in_once_and_every_valid_row_is_kept() {
    both(async |county: County| {
        let (headings, mut rows) = entities(1_000);
        // Every tenth row is spoilt: a wrong check character.
        for row in rows.iter_mut().step_by(10) {
            let last = row[0].pop().unwrap();
            row[0].push(if last == '0' { '1' } else { '0' });
        }
        let file = county.write("市场主体.csv", &gb18030(&headings, &rows));
        let first = county.import(&file).await.unwrap();
        assert_eq!(counts(&first), [1_000, 900, 0, 0, 0, 100]);
        assert!(first.errors_file.as_ref().unwrap().exists());
        let head = county.bureau.head().await.unwrap();

        let again = county.import(&file).await.unwrap();
        assert_eq!(counts(&again), [1_000, 0, 900, 0, 0, 100]);
        assert_eq!(county.bureau.head().await.unwrap(), head, "the same file again changes nothing");
        assert!(county.bureau.verify(&[head], &|_| ()).await.unwrap().findings.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_newer_dump_supersedes_and_an_older_one_does_not() {
    both(async |county: County| {
        let (headings, rows) = entities(20);
        let dump = |name: &str, approved: &str| {
            let approved_column = headings.iter().position(|heading| heading == "核准日期").unwrap();
            let name_column = headings.iter().position(|heading| heading == "企业名称").unwrap();
            let mut rows = rows.clone();
            for row in &mut rows {
                row[approved_column] = approved.to_owned();
                row[name_column] = format!("{}{name}", row[name_column]);
            }
            gb18030(&headings, &rows)
        };
        let now = county.write("现在.csv", &dump("甲", "2025-03-01"));
        let newer = county.write("较新.csv", &dump("乙", "2025/9/1"));
        let older = county.write("较旧.csv", &dump("丙", "20240101"));
        assert_eq!(counts(&county.import(&now).await.unwrap()), [20, 20, 0, 0, 0, 0]);
        assert_eq!(counts(&county.import(&newer).await.unwrap()), [20, 20, 0, 20, 0, 0]);
        assert_eq!(counts(&county.import(&older).await.unwrap()), [20, 0, 0, 0, 20, 0]);
        let code = CreditCode::parse(&rows[0][0]).unwrap();
        assert!(county.bureau.store().enterprise(code).await.unwrap().unwrap().name.unwrap().ends_with('乙'));
    })
    .await;
}

#[tokio::test]
async fn no_name_or_number_of_a_natural_person_is_in_clear_in_the_database() {
    let county = County::sqlite().await;
    let (headings, rows) = entities(50);
    let file = county.write("市场主体.csv", &gb18030(&headings, &rows));
    county.import(&file).await.unwrap();
    let mut penalties = String::from(
        "统一社会信用代码,纳税人名称,行政处罚文号,处罚原因,处罚时间,处罚结果,法人姓名,法人身份证号,无人认识的列\n",
    );
    for (number, row) in rows.iter().enumerate() {
        penalties.push_str(&format!(
            "{},某店,杞市监罚〔2025〕{number}号,销售过期食品,2025-05-06,罚款2000元,欧阳测试{number},41022119800101{number:04},机密{number}\n",
            row[0]
        ));
    }
    let file = county.write("处罚.csv", penalties.as_bytes());
    assert_eq!(county.import(&file).await.unwrap().accepted, 50);
    let head = county.bureau.head().await.unwrap();
    assert!(county.bureau.verify(&[head], &|_| ()).await.unwrap().findings.is_empty());
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(county.folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("xinheng.db") && path.extension().unwrap() != "key" {
            std::fs::File::open(path).unwrap().read_to_end(&mut bytes).unwrap();
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("销售过期食品"), "what is not personal is readable");
    for secret in ["欧阳测试", "41022119800101", "机密", "法人甲"] {
        assert!(!text.contains(secret), "{secret} is in clear in the database");
    }
}

#[tokio::test]
async fn a_row_whose_enterprise_is_not_known_waits_and_is_matched_by_a_record_of_its_own() {
    both(async |county: County| {
        let (headings, rows) = entities(3);
        let licence = format!("统一社会信用代码,许可文件编号,许可文件名称,许可机关,许可内容,状态,有效期自,有效期至\n{},SC10141,食品生产许可证,杞县市场监督管理局,糕点,有效,2024-01-01,2099-12-31\n", rows[0][0]);
        let licence = county.write("许可.csv", licence.as_bytes());
        let outcome = county.import_as_of(&licence, Some(day("2026-11-01"))).await.unwrap();
        assert_eq!((outcome.accepted, outcome.waiting), (1, 1));
        let code = CreditCode::parse(&rows[0][0]).unwrap();
        assert!(county.bureau.store().history(code, Seq(i64::MAX)).await.unwrap().is_empty());

        let file = county.write("市场主体.csv", &gb18030(&headings, &rows));
        assert_eq!(county.import(&file).await.unwrap().matched, 1);
        let history = county.bureau.store().history(code, Seq(i64::MAX)).await.unwrap();
        assert!(history.iter().any(|record| record.kind == "license" && record.enterprise.is_none()));
        let again = county.import_as_of(&licence, Some(day("2026-11-01"))).await.unwrap();
        assert_eq!((again.accepted, again.known), (0, 1), "the waiting row keeps its identity");
    })
    .await;
}

#[tokio::test]
async fn the_same_number_with_other_content_is_settled_by_a_person_as_a_correction() {
    both(async |county: County| {
        let (headings, rows) = entities(1);
        county.import(&county.write("市场主体.csv", &gb18030(&headings, &rows))).await.unwrap();
        let penalty = |reason: &str, correction: &str| {
            format!(
                "统一社会信用代码,纳税人名称,行政处罚文号,处罚原因,处罚时间,处罚结果,更正说明\n{},某店,杞市监罚〔2025〕9号,{reason},2025-05-06,罚款2000元,{correction}\n",
                rows[0][0]
            )
        };
        let first = county.write("一.csv", penalty("未亮证经营", "").as_bytes());
        let other = county.write("二.csv", penalty("无证经营", "").as_bytes());
        let corrected = county.write("三.csv", penalty("无证经营", "原件案由录错").as_bytes());
        assert_eq!(county.import(&first).await.unwrap().accepted, 1);
        assert_eq!(county.import(&other).await.unwrap().refused, 1);
        assert_eq!(counts(&county.import(&corrected).await.unwrap()), [1, 1, 0, 1, 0, 0]);
        let code = CreditCode::parse(&rows[0][0]).unwrap();
        let reasons: Vec<_> = county.bureau.store().history(code, Seq(i64::MAX)).await.unwrap();
        assert_eq!(reasons.iter().filter(|record| record.kind == "penalty").count(), 2, "nothing is overwritten");
    })
    .await;
}

#[tokio::test]
async fn everything_derived_can_be_dropped_and_rebuilt_and_both_databases_agree() {
    let mut dumps = Vec::new();
    both(async |county: County| {
        county.fill().await;
        let live = county.bureau.store().dump_projections().await.unwrap();
        let rebuilt = county.bureau.rebuild(&|_| ()).await.unwrap();
        assert_eq!(rebuilt.findings, Vec::<String>::new());
        assert!(rebuilt.runs >= 2);
        assert_eq!(county.bureau.store().dump_projections().await.unwrap(), live);
        dumps.push((county.bureau.head().await.unwrap(), live));
    })
    .await;
    assert_eq!(dumps.len(), 2);
    assert_eq!(dumps[0], dumps[1], "SQLite and PostgreSQL give the same head and the same levels");
}

#[tokio::test]
async fn a_rebuild_that_is_broken_off_has_changed_nothing() {
    both(async |county: County| {
        county.fill().await;
        let store = county.bureau.store();
        let before = store.dump_projections().await.unwrap();
        for stages in 1..=2 {
            let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
            let watcher = move |stage: xinheng_app::Stage| told.send(stage.done).unwrap();
            let mut rebuild = Box::pin(county.bureau.rebuild(&watcher));
            for _ in 0..stages {
                tokio::select! {
                    biased;
                    stage = heard.recv() => assert!(stage.is_some()),
                    _ = &mut rebuild => panic!("the rebuild ended before it could be broken off"),
                }
            }
            // It has emptied the projections and filled them again in part; nobody else sees that.
            assert_eq!(store.dump_projections().await.unwrap(), before);
            drop(rebuild);
            assert_eq!(store.dump_projections().await.unwrap(), before);
        }
        assert_eq!(county.bureau.rebuild(&|_| ()).await.unwrap().findings, Vec::<String>::new());
        assert_eq!(store.dump_projections().await.unwrap(), before);
    })
    .await;
}

#[tokio::test]
async fn a_default_of_ours_acts_only_once_it_is_signed() {
    both(async |county: County| {
        let Given { code, .. } = county.fill().await;
        let today = county.bureau.today();
        let before = county.bureau.explain(code, today, None, None).await.unwrap();
        assert!(!before.in_force && before.to_string().contains("未经本局签署"));
        let unsigned_at = county.bureau.head().await.unwrap().seq;
        let sign =
            async |rule, by| county.bureau.sign(&Act::on_command_line("rule.sign"), rule, by, "信用监管股").await;
        let decide = ["models/general", "models/food_production", "combinations/levels"];
        for rule in decide {
            let first = sign(rule, "测试签署人").await.unwrap();
            assert_eq!((first.seq.is_some(), first.missing), (true, 1), "{rule}");
            // Who decides levels are two, and one person is not two.
            let again = sign(rule, "测试签署人").await.unwrap_err().to_string();
            assert!(again.contains("还须另外 1 人签署"), "{again}");
        }
        assert!(!county.bureau.explain(code, today, None, None).await.unwrap().in_force);
        for rule in decide {
            let second = sign(rule, "另一签署人").await.unwrap();
            assert_eq!((second.seq.is_some(), second.missing), (true, 0), "{rule}");
            assert_eq!(sign(rule, "第三签署人").await.unwrap().seq, None, "{rule}");
        }
        assert!(county.bureau.explain(code, today, None, None).await.unwrap().in_force);
        assert!(!county.bureau.explain(code, today, Some(unsigned_at), None).await.unwrap().in_force);
    })
    .await;
}

#[tokio::test]
async fn every_contribution_sums_to_its_total_on_any_day_and_as_known_at_any_seq() {
    both(async |county: County| {
        let Given { code, .. } = county.fill().await;
        let head = county.bureau.head().await.unwrap().seq;
        for as_of in ["2023-06-30", "2025-01-01", "2026-11-24"] {
            for seq in [head.0 / 2, head.0] {
                let Ok(explanation) = county.bureau.explain(code, day(as_of), Some(Seq(seq)), None).await else {
                    continue;
                };
                let sum: i64 = explanation.contributions.iter().map(|one| one.milli).sum();
                assert_eq!(sum, explanation.total_milli);
                for one in explanation.assessments.iter().flat_map(|one| &one.contributions) {
                    assert_eq!(one.records.iter().map(|record| record.milli).sum::<i64>(), one.milli);
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_file_that_cannot_be_read_changes_nothing_and_says_one_sentence() {
    both(async |county: County| {
        let head = county.bureau.head().await.unwrap();
        for (name, bytes) in [
            ("空.csv", &b""[..]),
            ("其实是PDF.xlsx", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"),
            ("坏.xlsx", b"PK\x03\x04truncated"),
            ("无法辨认.csv", "甲,乙,丙\n1,2,3\n".as_bytes()),
        ] {
            let error = county.import(&county.write(name, bytes)).await.unwrap_err();
            let sentence = error.downcast_ref::<WrongInput>().expect(name).to_string();
            assert!(sentence.contains(name) && !sentence.contains('\n'), "{sentence}");
        }
        assert_eq!(county.bureau.head().await.unwrap(), head);
    })
    .await;
}
