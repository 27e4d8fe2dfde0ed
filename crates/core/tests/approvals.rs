//! The approval as a table, and what holds whatever people try.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use xinheng_core::approval::{Action, Refusal, Stage, Step, advance};
use xinheng_core::record::Moment;
use xinheng_core::rulebook::approvals::Procedure;

const ALL: [Action; 5] = [Action::Submit, Action::Review, Action::Approve, Action::SendBack, Action::Withdraw];

fn procedure(review: bool, approve: bool) -> Procedure {
    let text = format!(
        "{{rule: {{id: x, title: 事项, from: 2020-01-01, status: default}}, review: {review}, approve: {approve}}}"
    );
    serde_saphyr::from_str(&text).unwrap()
}

/// Takes a step; `None` when it is refused.
fn take(procedure: &Procedure, steps: &mut Vec<Step>, person: i64, action: Action) -> Result<Stage, Refusal> {
    let opinion = Some("材料不全请补充");
    let stage = advance(procedure, steps, action, person, opinion)?;
    let at = Moment::from_micros(0).unwrap();
    steps.push(Step { action, person, at, opinion: opinion.map(str::to_owned), stage });
    Ok(stage)
}

fn after(procedure: &Procedure, taken: &[(i64, Action)]) -> Vec<Step> {
    let mut steps = Vec::new();
    for (person, action) in taken {
        take(procedure, &mut steps, *person, *action).unwrap();
    }
    steps
}

#[test]
fn each_stage_allows_its_steps_and_no_other() {
    use Action::{Approve, Review, SendBack, Submit, Withdraw};
    let both = procedure(true, true);
    type Taken = [(i64, Action)];
    let table: [(&Taken, &[(Action, Stage)]); 6] = [
        (&[], &[(Submit, Stage::Reviewing)]),
        (&[(1, Submit)], &[(Review, Stage::Approving), (SendBack, Stage::Handling), (Withdraw, Stage::Withdrawn)]),
        (
            &[(1, Submit), (2, Review)],
            &[(Approve, Stage::Passed), (SendBack, Stage::Handling), (Withdraw, Stage::Withdrawn)],
        ),
        (&[(1, Submit), (2, SendBack)], &[(Submit, Stage::Reviewing), (Withdraw, Stage::Withdrawn)]),
        (&[(1, Submit), (2, Review), (3, Approve)], &[]),
        (&[(1, Submit), (1, Withdraw)], &[]),
    ];
    for (taken, allowed) in table {
        for action in ALL {
            let mut steps = after(&both, taken);
            let stage = steps.last().map(|step| step.stage);
            let person = if matches!(action, Submit | Withdraw) { 1 } else { 9 };
            let expected = allowed.iter().find(|(one, _)| *one == action).map(|(_, stage)| *stage);
            match take(&both, &mut steps, person, action) {
                Ok(next) => assert_eq!(Some(next), expected, "{stage:?} {action:?}"),
                Err(Refusal::NotNow { .. }) => assert_eq!(expected, None, "{stage:?} {action:?}"),
                Err(other) => panic!("{stage:?} {action:?}: {other}"),
            }
        }
    }
}

#[test]
fn a_procedure_says_which_steps_it_takes() {
    let stages = |review, approve| {
        let procedure = procedure(review, approve);
        let mut steps = Vec::new();
        let submitted = take(&procedure, &mut steps, 1, Action::Submit).unwrap();
        let next = if submitted == Stage::Reviewing { Action::Review } else { Action::Approve };
        (submitted, take(&procedure, &mut steps, 2, next).unwrap())
    };
    assert_eq!(stages(true, true), (Stage::Reviewing, Stage::Approving));
    assert_eq!(stages(true, false), (Stage::Reviewing, Stage::Passed));
    assert_eq!(stages(false, true), (Stage::Approving, Stage::Passed));
}

#[test]
fn nobody_decides_on_their_own_work_and_each_refusal_is_a_sentence() {
    let both = procedure(true, true);
    let said = |taken: &[(i64, Action)], person, action, opinion| {
        advance(&both, &after(&both, taken), action, person, opinion).unwrap_err().to_string()
    };
    let submitted = [(1, Action::Submit)];
    let reviewed = [(1, Action::Submit), (2, Action::Review)];
    let own = "同一事项不能再由您办理其他环节。请由其他人员办理";
    assert_eq!(said(&submitted, 1, Action::Review, None), format!("您在本事项中已经经办，{own}"));
    assert_eq!(said(&reviewed, 1, Action::Approve, None), format!("您在本事项中已经经办，{own}"));
    assert_eq!(said(&reviewed, 2, Action::Approve, None), format!("您在本事项中已经审核，{own}"));
    assert_eq!(
        said(&submitted, 5, Action::Withdraw, Some("不再需要办理")),
        "本事项由他人经办，请由原经办人重新提交或撤回"
    );
    assert_eq!(said(&submitted, 2, Action::Approve, None), "事项待审核，不能审批通过。请刷新页面查看最新进展");
    for reason in [None, Some(""), Some("  补材料吧   "), Some("补充材料")] {
        assert_eq!(said(&submitted, 2, Action::SendBack, reason), "请写明理由，至少 5 个字", "{reason:?}");
    }
    assert_eq!(advance(&both, &after(&both, &submitted), Action::SendBack, 2, Some("请补充材料")), Ok(Stage::Handling));
}

#[test]
fn a_matter_that_came_back_goes_the_same_way_again() {
    let both = procedure(true, true);
    let mut steps = after(&both, &[(1, Action::Submit), (2, Action::Review), (3, Action::SendBack)]);
    assert_eq!(take(&both, &mut steps, 4, Action::Submit), Err(Refusal::NotYours));
    assert_eq!(take(&both, &mut steps, 1, Action::Submit), Ok(Stage::Reviewing));
    assert!(matches!(take(&both, &mut steps, 3, Action::Review), Err(Refusal::OtherCapacity(_))));
    assert_eq!(take(&both, &mut steps, 2, Action::Review), Ok(Stage::Approving));
    assert_eq!(take(&both, &mut steps, 3, Action::Approve), Ok(Stage::Passed));
}

proptest! {
    /// Whatever four people try in whatever order: what passes was handled, reviewed and approved by three.
    #[test]
    fn what_passes_was_seen_by_as_many_people_as_it_takes(
        review: bool,
        approve: bool,
        tried in prop::collection::vec((1..5_i64, 0..5_usize), 1..40),
    ) {
        prop_assume!(review || approve);
        let procedure = procedure(review, approve);
        let mut steps = Vec::new();
        for (person, action) in tried {
            let before = steps.len();
            if take(&procedure, &mut steps, person, ALL[action]).is_err() {
                prop_assert_eq!(steps.len(), before);
            }
        }
        let closed = steps.iter().position(|step| !step.stage.is_open());
        prop_assert!(closed.is_none_or(|place| place + 1 == steps.len()), "nothing follows the end");
        if steps.last().is_some_and(|step| step.stage == Stage::Passed) {
            let people: std::collections::BTreeSet<i64> = steps.iter().map(|step| step.person).collect();
            prop_assert!(people.len() > usize::from(review) + usize::from(approve));
            let by = |action: Action| steps.iter().rfind(|step| step.action == action).map(|step| step.person);
            prop_assert!(!review || by(Action::Review).is_some_and(|person| Some(person) != by(Action::Submit)));
            prop_assert!(!approve || by(Action::Approve).is_some_and(|person| Some(person) != by(Action::Submit)));
        }
    }
}
