//! Clocks and approvals as a bureau meets them, on both databases.
#![allow(clippy::unwrap_used)]

mod county;

use std::path::PathBuf;
use std::sync::Arc;

use county::{County, both, day, entities, gb18030};
use xinheng_app::WrongInput;
use xinheng_app::act::{Act, Actor};
use xinheng_app::evidence::{ClockName, PublicationEvidence};
use xinheng_core::approval::{Action, Stage};
use xinheng_core::credit_code::CreditCode;
use xinheng_core::deadline::State;
use xinheng_core::record::Seq;
use xinheng_core::staff::{Duties, Role};
use xinheng_store::{ClockCounts, ListedClock, OpenClocks, Rules};

const RULE: &str = "penalty_publication";

/// Who acts: a number, a unit, a role.
fn act(staff: i64, unit: &str, role: Role) -> Act {
    let actor = Actor {
        staff,
        account: format!("p{staff}"),
        name: format!("测试{staff}"),
        unit: unit.to_owned(),
        unit_name: unit.to_owned(),
        duties: Duties::new([role]).unwrap(),
        session: None,
    };
    Act { event: "test", actor: Some(actor), source: "127.0.0.1".to_owned(), request: "1".to_owned(), form: None }
}

fn clerk() -> Act {
    act(1, "注册审批股", Role::Handler)
}

fn reviewer() -> Act {
    act(2, "注册审批股", Role::Reviewer)
}

/// Penalties by the days of their decisions, with a reason why a row corrects an earlier one.
fn penalties(county: &County, name: &str, rows: &[(&str, &str, &str)]) -> PathBuf {
    let (_, entities) = entities(1);
    let mut text = String::from("统一社会信用代码,纳税人名称,行政处罚文号,处罚原因,处罚时间,处罚结果,更正说明\n");
    for (number, decided_on, correction) in rows {
        text.push_str(&format!("{},某店,罚{number}号,违法经营,{decided_on},罚款,{correction}\n", entities[0][0]));
    }
    county.write(name, text.as_bytes())
}

async fn with_enterprise(county: &County) -> CreditCode {
    let (headings, rows) = entities(1);
    county.import(&county.write("市场主体.csv", &gb18030(&headings, &rows))).await.unwrap();
    CreditCode::parse(&rows[0][0]).unwrap()
}

/// An enterprise with four penalties: one long overdue, one soon due, one with time, one of history.
async fn with_clocks(county: &County) {
    with_enterprise(county).await;
    let rows = [("1", "2026-10-09", ""), ("2", "2026-11-02", ""), ("3", "2026-11-20", ""), ("4", "2025-05-06", "")];
    assert_eq!(county.import(&penalties(county, "处罚.csv", &rows)).await.unwrap().accepted, 4);
}

async fn open(county: &County) -> Vec<ListedClock> {
    let wanted = OpenClocks { limit: 100, ..OpenClocks::default() };
    county.bureau.store().open_clocks(&wanted).await.unwrap()
}

fn evidence(clocks: &[ListedClock], published_on: &str) -> PublicationEvidence {
    let name = |listed: &ListedClock| ClockName { rule: RULE.to_owned(), seq: listed.clock.start.seq.0 };
    PublicationEvidence {
        clocks: clocks.iter().map(name).collect(),
        published_on: day(published_on),
        place: "公示系统第8号".to_owned(),
        note: None,
    }
}

async fn rebuilt_alike(county: &County) {
    let live = county.bureau.store().dump_projections().await.unwrap();
    assert_eq!(county.bureau.rebuild(&|_| ()).await.unwrap().findings, Vec::<String>::new());
    assert_eq!(county.bureau.store().dump_projections().await.unwrap(), live);
}

fn sentence(error: &anyhow::Error) -> String {
    error.downcast_ref::<WrongInput>().expect("a sentence for the person").to_string()
}

#[tokio::test]
async fn penalties_start_clocks_that_are_listed_by_their_last_day_and_counted_by_colour() {
    both(async |county: County| {
        with_clocks(&county).await;
        let clocks = open(&county).await;
        let due: Vec<String> = clocks.iter().map(|listed| listed.clock.due_on.to_string()).collect();
        assert_eq!(due, ["2026-11-05", "2026-11-30", "2026-12-18"], "history starts no clock");
        assert_eq!(clocks[0].document_number.as_deref(), Some("罚1号"));
        assert!(clocks[0].enterprise_name.as_deref().unwrap().starts_with("测试0号"));
        assert_eq!(clocks[0].clock.start.owed_by, "注册审批股");

        let store = county.bureau.store();
        let today = county.bureau.today();
        let counts = ClockCounts { green: 1, yellow: 1, red: 1 };
        assert_eq!(store.clock_counts(None, today).await.unwrap(), counts);
        assert_eq!(store.clock_counts(Some("注册审批股"), today).await.unwrap(), counts);
        assert_eq!(store.clock_counts(Some("食品股"), today).await.unwrap(), ClockCounts::default());
        let later = store.clock_counts(None, day("2026-12-18")).await.unwrap();
        assert_eq!(later, ClockCounts { green: 0, yellow: 0, red: 3 });

        let mut paged = Vec::new();
        let mut after = None;
        loop {
            let wanted =
                OpenClocks { unit: Some("注册审批股"), rules: Rules::Only(RULE), after: after.take(), limit: 1 };
            let page = store.open_clocks(&wanted).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.place());
            paged.extend(page);
        }
        assert_eq!(paged, clocks, "page by page nothing is lost or told twice");

        let late = store.late_counts(None, day("2026-11-01"), today).await.unwrap();
        let late: Vec<_> = late.iter().map(|one| (one.unit.as_str(), one.kind.as_str(), one.records)).collect();
        assert_eq!(late, [("注册审批股", "penalty", 2)]);
        let ones = store.late_submissions(Some("注册审批股"), None, 10).await.unwrap();
        assert_eq!(ones[0].days_late, 9, "from 12 to 24 November");
        assert_eq!(store.late_submissions(None, Some(ones[0].seq), 10).await.unwrap(), ones[1..]);
        rebuilt_alike(&county).await;
    })
    .await;
}

#[tokio::test]
async fn a_correction_moves_the_clock_and_a_match_gives_it_its_enterprise() {
    both(async |county: County| {
        let row = [("1", "2026-11-02", "")];
        assert_eq!(county.import(&penalties(&county, "处罚.csv", &row)).await.unwrap().waiting, 1);
        assert_eq!(open(&county).await[0].clock.start.enterprise, None, "it is owed all the same");
        let code = with_enterprise(&county).await;
        assert_eq!(open(&county).await[0].clock.start.enterprise, Some(code));

        let corrected = penalties(&county, "更正.csv", &[("1", "2026-11-03", "决定日期录错")]);
        assert_eq!(county.import(&corrected).await.unwrap().superseding, 1);
        let clocks = open(&county).await;
        assert_eq!(clocks.len(), 1, "the corrected record's clock takes the place of the first");
        assert_eq!(clocks[0].clock.due_on, day("2026-12-01"));
        rebuilt_alike(&county).await;
    })
    .await;
}

#[tokio::test]
async fn a_reconciliation_that_comes_before_the_penalty_ends_its_clock_all_the_same() {
    both(async |county: County| {
        let code = with_enterprise(&county).await;
        let text = format!(
            "统一社会信用代码,公示信息类别,已公示文号（编号）,国家系统公示日期,公示地址或编号\n\
             {code},行政处罚,罚2号,2026-11-10,公示系统第8号\n{code},行政许可,罚3号,2026-11-21,公示系统第9号\n"
        );
        let proofs = county.write("公示对账.csv", text.as_bytes());
        assert_eq!(county.import(&proofs).await.unwrap().accepted, 2);
        let rows = [("2", "2026-11-02", ""), ("3", "2026-11-20", "")];
        county.import(&penalties(&county, "处罚.csv", &rows)).await.unwrap();
        let left = open(&county).await;
        let left: Vec<_> = left.iter().map(|listed| listed.document_number.as_deref().unwrap()).collect();
        assert_eq!(left, ["罚3号"], "a proof of a licence with that number ends no penalty's clock");
        rebuilt_alike(&county).await;
    })
    .await;
}

#[tokio::test]
async fn a_reviewed_proof_enters_the_ledger_and_ends_the_clocks() {
    both(async |county: County| {
        with_clocks(&county).await;
        let bureau = &county.bureau;
        let clocks = open(&county).await;
        let matter = bureau.propose_evidence(&clerk(), None, &evidence(&clocks[..2], "2026-11-23")).await.unwrap();
        assert_eq!(open(&county).await.len(), 3, "a proposal ends nothing");
        let waiting = async |act: &Act| bureau.matters_waiting(act, None, 10).await.unwrap().len();
        let other_unit = act(3, "食品股", Role::Reviewer);
        let supervisor = act(4, "信用监管股", Role::CreditSupervisor);
        let mut seen = Vec::new();
        for act in [&clerk(), &reviewer(), &other_unit, &supervisor] {
            seen.push(waiting(act).await);
        }
        assert_eq!(seen, [0, 1, 0, 1], "clerk, reviewer, reviewer of another unit, supervisor of the bureau");

        let own = bureau.decide_matter(&act(1, "注册审批股", Role::Reviewer), matter, Action::Review, None).await;
        assert!(sentence(&own.unwrap_err()).contains("您在本事项中已经经办"));
        let stranger = bureau.decide_matter(&other_unit, matter, Action::Review, None).await;
        assert!(sentence(&stranger.unwrap_err()).contains("不属于您单位"));
        let clerk_again = bureau.decide_matter(&clerk(), matter, Action::Review, None).await;
        assert!(sentence(&clerk_again.unwrap_err()).contains("不能办理这一环节"));

        let stage = bureau.decide_matter(&reviewer(), matter, Action::Review, Some("已核对")).await.unwrap();
        assert_eq!(stage, Stage::Passed);
        assert_eq!(open(&county).await.len(), 1);
        let ended: Vec<Seq> = clocks[..2].iter().map(|listed| listed.clock.start.seq).collect();
        let states: Vec<State> =
            bureau.store().clocks_of_records(&ended).await.unwrap().iter().map(|one| one.clock.state).collect();
        let on = day("2026-11-23");
        assert_eq!(states, [State::Ended { on, in_time: false }, State::Ended { on, in_time: true }]);
        let (found, steps) = bureau.matter(&clerk(), matter).await.unwrap().unwrap();
        assert_eq!((found.stage, steps.len()), (Stage::Passed, 2));
        assert_eq!(steps[1].opinion.as_deref(), Some("已核对"));
        assert_eq!(bureau.matter(&other_unit, matter).await.unwrap(), None);

        let code = clocks[0].clock.start.enterprise.unwrap();
        let history = bureau.store().history(code, Seq(i64::MAX)).await.unwrap();
        let proofs = history.iter().filter(|record| record.kind == "publication_evidence");
        assert_eq!(proofs.map(|record| record.payload.text("number").unwrap()).collect::<Vec<_>>(), ["罚1号", "罚2号"]);
        let head = bureau.head().await.unwrap();
        assert_eq!(bureau.verify(&[head], &|_| ()).await.unwrap().findings, Vec::<String>::new());
        rebuilt_alike(&county).await;
    })
    .await;
}

#[tokio::test]
async fn what_came_back_is_handed_in_again_and_nothing_is_proposed_twice() {
    both(async |county: County| {
        with_clocks(&county).await;
        let bureau = &county.bureau;
        let clocks = open(&county).await;
        let proposal = evidence(&clocks[..1], "2026-11-20");
        let matter = bureau.propose_evidence(&clerk(), None, &proposal).await.unwrap();
        let twice = bureau.propose_evidence(&clerk(), None, &proposal).await.unwrap_err();
        assert!(sentence(&twice).contains(&format!("第 {matter} 号事项")));
        let short = bureau.decide_matter(&reviewer(), matter, Action::SendBack, Some("不行")).await.unwrap_err();
        assert_eq!(sentence(&short), "请写明理由，至少 5 个字");
        let stage = bureau.decide_matter(&reviewer(), matter, Action::SendBack, Some("公示日期有误")).await.unwrap();
        assert_eq!(stage, Stage::Handling);
        assert_eq!(bureau.matters_waiting(&clerk(), None, 10).await.unwrap().len(), 1);
        assert!(bureau.matters_waiting(&reviewer(), None, 10).await.unwrap().is_empty());

        let mended = evidence(&clocks[..1], "2026-11-19");
        bureau.propose_evidence(&clerk(), Some(matter), &mended).await.unwrap();
        assert_eq!(bureau.matters_waiting(&reviewer(), None, 10).await.unwrap().len(), 1, "the same may review again");
        bureau.decide_matter(&reviewer(), matter, Action::Review, None).await.unwrap();
        let state = bureau.store().clocks_of_records(&[clocks[0].clock.start.seq]).await.unwrap()[0].clock.state;
        assert_eq!(state, State::Ended { on: day("2026-11-19"), in_time: false });
        let ended = bureau.propose_evidence(&clerk(), None, &proposal).await.unwrap_err();
        assert!(sentence(&ended).contains("已经结束"));

        for (wrong, said) in [
            (PublicationEvidence { clocks: Vec::new(), ..proposal.clone() }, "请至少选择一条"),
            (PublicationEvidence { place: "  ".to_owned(), ..proposal.clone() }, "“公示地址或编号”没有填写"),
            (evidence(&clocks[1..2], "2026-11-25"), "晚于今天"),
            (evidence(&clocks[1..2], "2026-11-01"), "早于第"),
        ] {
            let error = bureau.propose_evidence(&clerk(), None, &wrong).await.unwrap_err();
            assert!(sentence(&error).contains(said), "{error}");
        }
        rebuilt_alike(&county).await;
    })
    .await;
}

#[tokio::test]
async fn of_fifty_equal_approvals_at_once_one_succeeds() {
    both(async |county: County| {
        with_clocks(&county).await;
        let clocks = open(&county).await;
        let matter =
            county.bureau.propose_evidence(&clerk(), None, &evidence(&clocks[..1], "2026-11-20")).await.unwrap();
        let county = Arc::new(county);
        let tries: Vec<_> = (0..50)
            .map(|_| {
                let county = Arc::clone(&county);
                tokio::spawn(async move {
                    county
                        .bureau
                        .decide_matter(&reviewer(), matter, Action::Review, None)
                        .await
                        .map_err(|error| sentence(&error))
                })
            })
            .collect();
        let mut passed = 0;
        for one in tries {
            match one.await.unwrap() {
                Ok(stage) => {
                    assert_eq!(stage, Stage::Passed);
                    passed += 1;
                }
                Err(said) => assert!(said.contains("已通过"), "{said}"),
            }
        }
        assert_eq!(passed, 1);
        let (_, steps) = county.bureau.matter(&clerk(), matter).await.unwrap().unwrap();
        assert_eq!(steps.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn clocks_computed_with_another_rulebook_are_computed_again() {
    both(async |county: County| {
        with_clocks(&county).await;
        let bureau = &county.bureau;
        assert!(!bureau.refresh_clocks(&|_| ()).await.unwrap(), "the same rulebook moves nothing");
        let live = bureau.store().dump_projections().await.unwrap();
        let mut writing = bureau.store().begin().await.unwrap();
        writing.clear_clocks().await.unwrap();
        writing.name_basis_of_clocks("0123456789abcdef").await.unwrap();
        writing.commit().await.unwrap();
        assert!(open(&county).await.is_empty());
        assert!(bureau.refresh_clocks(&|_| ()).await.unwrap());
        assert_eq!(bureau.store().dump_projections().await.unwrap(), live);
        let rules = bureau.deadline_rules().await.unwrap();
        let in_force = |id: &str| rules.iter().find(|rule| rule.id == id).unwrap().in_force;
        assert!(in_force(RULE) && !in_force("inspection_publication"), "a default of ours acts once it is signed");
    })
    .await;
}
