//! What a draw refuses, and what the person at the desk then reads.

use xinheng_core::draw::{EarlierDraw, EarlierState, Entropy, FreezeInput, Frozen, Line, Refusal, Witness, freeze};

use super::support::{
    DRAWN, at, codes, entropy, frozen, input, inspector, line, lottery, picks, sealed, secrets, stratum, value, witness,
};

fn plan() -> FreezeInput {
    input(vec![stratum("food_production/C", codes(1, 6), 2), stratum("food_production/D", codes(11, 5), 2)])
}

fn refused(input: FreezeInput, earlier: &[EarlierDraw]) -> Refusal {
    freeze(input, secrets("refusals"), earlier).unwrap_err()
}

fn draw() -> Frozen {
    freeze(plan(), secrets("refusals"), &[]).unwrap()
}

fn earlier(state: EarlierState) -> EarlierDraw {
    EarlierDraw { draw: line("2026-0000"), state, entropy: Entropy { due: at(22, "21:30"), ..entropy() } }
}

fn sealed_with(issue: &str) -> EarlierState {
    EarlierState::Sealed { issue: line(issue) }
}

fn following() -> FreezeInput {
    FreezeInput { follows: Some(line("2026-0000")), ..plan() }
}

#[test]
fn what_is_covered_in_full_is_not_drawn() {
    for (candidates, quota) in [(5, 5), (5, 6), (1, 1)] {
        let found = refused(input(vec![stratum("food_production/D", codes(1, candidates), quota)]), &[]);
        assert!(found.to_string().contains("全数检查的不抽取"), "{found}");
    }
    let found = refused(input(vec![stratum("food_production/D", codes(1, 5), 0)]), &[]);
    assert_eq!(found, Refusal::NoQuota(line("food_production/D")));
    assert_eq!(refused(input(Vec::new()), &[]), Refusal::NoStratum);
}

#[test]
fn an_enterprise_stands_in_one_stratum_and_once() {
    let two = vec![stratum("a", codes(1, 6), 2), stratum("b", codes(6, 5), 2)];
    let found = refused(input(two), &[]);
    assert_eq!(found, Refusal::InTwoStrata { code: codes(6, 1)[0], one: line("a"), other: line("b") });
    let twice = [codes(1, 4), codes(2, 1)].concat();
    assert!(matches!(refused(input(vec![stratum("a", twice, 2)]), &[]), Refusal::InTwoStrata { .. }));
    let labels = vec![stratum("a", codes(1, 6), 2), stratum("a", codes(11, 5), 2)];
    assert_eq!(refused(input(labels), &[]), Refusal::LabelTwice(line("a")));
}

#[test]
fn one_freeze_of_a_plan_is_open_at_a_time_and_each_names_the_one_before() {
    assert_eq!(refused(following(), &[earlier(EarlierState::Open)]), Refusal::StillOpen(line("2026-0000")));
    assert_eq!(refused(plan(), &[earlier(EarlierState::Void)]), Refusal::FollowsMissing(line("2026-0000")));
    let found = refused(following(), &[]);
    assert_eq!(found, Refusal::FollowsUnknown { named: line("2026-0000"), previous: None });
    let other = FreezeInput { follows: Some(line("2025-0009")), ..plan() };
    let found = refused(other, &[earlier(EarlierState::Void)]);
    assert!(found.to_string().contains("上一次是“2026-0000”"), "{found}");
    assert!(freeze(following(), secrets("refusals"), &[earlier(EarlierState::Void)]).is_ok());
    let same = FreezeInput { draw: line("2026-0000"), ..following() };
    assert_eq!(refused(same, &[earlier(EarlierState::Void)]), Refusal::NumberUsed(line("2026-0000")));
}

#[test]
fn the_lottery_must_be_drawn_after_the_freeze_and_serves_a_plan_once() {
    for due in [at(24, "09:00"), at(24, "08:59"), at(20, "21:30")] {
        let late = FreezeInput { entropy: Entropy { due, ..entropy() }, ..plan() };
        assert!(matches!(refused(late, &[]), Refusal::EntropyNotAhead { .. }));
    }
    let same = EarlierDraw { entropy: entropy(), ..earlier(EarlierState::Void) };
    let old = Refusal::OldEntropy { source_name: line("双色球"), draw: line("2026-0000") };
    assert_eq!(refused(following(), &[same]), old);
    // The same issue under another hour is found when its number is written.
    let draw = freeze(following(), secrets("refusals"), &[earlier(sealed_with("2026130"))]).unwrap();
    let draw = draw.witnessed(witness()).unwrap();
    let (now, deadline) = (at(24, "22:00"), at(25, "17:00"));
    assert_eq!(draw.clone().seal(&value(DRAWN), now, deadline).unwrap_err(), old);
    let fresh = value("双色球 2026131 03 08 11 19 27 31 + 05");
    assert!(draw.seal(&fresh, now, deadline).is_ok());
}

#[test]
fn a_draw_is_sealed_between_the_lottery_and_its_deadline_by_what_was_published_in_time() {
    let seal = |draw: Frozen, now, deadline| draw.seal(&value(DRAWN), now, deadline);
    let witnessed = || draw().witnessed(witness()).unwrap();
    let deadline = at(25, "17:00");
    assert!(seal(witnessed(), at(24, "21:30"), deadline).is_ok(), "the moment itself belongs to it");
    assert!(seal(witnessed(), deadline, deadline).is_ok(), "so does the last");
    let early = seal(witnessed(), at(24, "21:29"), deadline).unwrap_err();
    assert_eq!(early, Refusal::BeforeItsTime { due: at(24, "21:30"), at: at(24, "21:29") });
    let late = seal(witnessed(), at(25, "17:01"), deadline).unwrap_err();
    assert!(late.to_string().contains("只能公布作废"), "{late}");
    assert_eq!(seal(draw(), at(24, "22:00"), deadline).unwrap_err(), Refusal::NotWitnessed);
    let at_the_draw = draw().witnessed(Witness { at: at(24, "21:30"), ..witness() }).unwrap();
    assert!(matches!(seal(at_the_draw, at(24, "22:00"), deadline).unwrap_err(), Refusal::WitnessedTooLate { .. }));
    let before = draw().witnessed(Witness { at: at(24, "08:59"), ..witness() });
    assert!(matches!(before.unwrap_err(), Refusal::WitnessedBeforeFreeze { .. }));
}

#[test]
fn numbers_of_another_lottery_are_refused() {
    let mut other = lottery();
    other.source = line("大乐透");
    let text = other.read(DRAWN).unwrap();
    let found = draw().witnessed(witness()).unwrap().seal(&text, at(24, "22:00"), at(25, "17:00"));
    assert!(matches!(found.unwrap_err(), Refusal::OtherLottery { .. }));
}

#[test]
fn numbers_that_the_lottery_cannot_have_drawn_are_refused_with_a_sentence() {
    for (text, said) in [
        ("双色球 2026130 03 08 11 19 27 31 + 17", "蓝球的号码应在1至16之间，写的是17"),
        ("双色球 2026130 00 08 11 19 27 31 + 05", "红球的号码应在1至33之间，写的是0"),
        ("双色球 2026130 03 08 11 19 27 34 + 05", "红球的号码应在1至33之间，写的是34"),
        ("双色球 2026130 03 08 08 19 27 31 + 05", "红球的号码8重复"),
        ("双色球 2026130 08 03 11 19 27 31 + 05", "红球的号码应由小到大书写"),
        ("双色球 2026130 3 08 11 19 27 31 + 05", "红球应为2位数字，写的是“3”"),
        ("双色球 202613 03 08 11 19 27 31 + 05", "期号应为7位数字，写的是“202613”"),
        ("双色球 2026130 03 08 11 19 27 31 + ０5", "蓝球应为2位数字，写的是“０5”"),
        ("双色球 2026130 03 08 11 19 27 31 05", "此处应为“ + ”"),
        ("2026130 03 08 11 19 27 31 + 05", "此处应为“双色球 ”"),
        ("双色球 2026130 03 08 11 19 27 31 + 05 06", "末尾多了“ 06”"),
        ("", "应写作"),
    ] {
        let found = lottery().read(text).unwrap_err().to_string();
        assert!(found.contains(said), "{text}: {found}");
    }
    assert_eq!(value(&format!("  {DRAWN}\n")).text(), &line(DRAWN));
    assert_eq!(value(DRAWN).issue(), &line("2026130"));
}

#[test]
fn a_replacement_has_a_ground_of_the_plan_a_pick_to_go_and_somebody_to_come() {
    let mut draw = sealed(draw().witnessed(witness()).unwrap());
    let picked = picks(&draw, "food_production/D");
    let ground = || line("已注销");
    let mut replace = |blind, reason: Line, when| draw.replace(blind, reason, when).cloned();
    let found = replace(picked[0], line("领导认为不合适"), at(26, "10:00")).unwrap_err();
    assert!(found.to_string().contains("不是计划中预定的替换情形"), "{found}");
    assert!(matches!(replace(picked[0], ground(), at(24, "21:59")), Err(Refusal::OutOfOrder { .. })));
    let first = replace(picked[0], ground(), at(26, "10:00")).unwrap();
    assert_eq!(replace(picked[0], ground(), at(26, "11:00")), Err(Refusal::NotStanding), "it is gone");
    assert!(matches!(replace(picked[1], ground(), at(26, "09:59")), Err(Refusal::OutOfOrder { .. })));
    let second = replace(first.taken, ground(), at(26, "10:00")).unwrap();
    let third = replace(picked[1], ground(), at(27, "10:00")).unwrap();
    assert_eq!(replace(second.taken, ground(), at(27, "11:00")), Err(Refusal::NobodyLeft), "five in all");
    let standing: Vec<_> = draw.standing().into_iter().map(|(pair, _)| pair.blind).collect();
    assert!(standing.contains(&second.taken) && standing.contains(&third.taken) && standing.len() == 4);
}

#[test]
fn a_plan_over_capacity_or_without_a_qualified_pair_is_not_frozen() {
    let with = |inspectors| FreezeInput { inspectors: Some(inspectors), ..plan() };
    let lead = |id, capacity| inspector(id, &["lead"], capacity, &[]);
    assert!(freeze(with(vec![lead("a", 4), lead("b", 4)]), secrets("refusals"), &[]).is_ok());
    let found = refused(with(vec![lead("a", 4), lead("b", 3)]), &[]);
    assert_eq!(
        found.to_string(),
        "检查力量不足：最不利时有8人次只能由全部检查人员承担，而他们合计只能承担7人次。请减少抽取数、增加人员或延长检查期限"
    );
    let found = refused(with(vec![inspector("a", &[], 9, &[]), inspector("b", &[], 9, &[])]), &[]);
    // Neither stratum can be staffed; which is named first follows the order by the draw's key.
    assert!(found.to_string().contains("家企业派不出检查组"), "{found}");
    let found = refused(with(vec![lead("a", 9), lead("b", 9), lead("a", 9)]), &[]);
    assert_eq!(found, Refusal::InspectorTwice(line("a")));
    // Two are enough for all but the one enterprise from which one of them stays away.
    let recused = inspector("b", &["lead"], 9, &codes(11, 1));
    let found = refused(with(vec![lead("a", 9), recused]), &[]);
    assert_eq!(found, Refusal::NoPair { label: line("food_production/D"), enterprises: 1 });
}

#[test]
fn who_lacks_an_items_qualification_is_recused_from_all_of_it() {
    let mut plan = plan();
    plan.strata[1].needs = ["special_equipment".parse().unwrap()].into();
    let all = vec![
        inspector("a", &["lead", "special_equipment"], 9, &[]),
        inspector("b", &["lead"], 9, &[]),
        inspector("c", &["special_equipment"], 9, &[]),
    ];
    let without = FreezeInput { inspectors: Some(all[..2].to_vec()), ..plan.clone() };
    assert!(matches!(refused(without, &[]), Refusal::NoPair { enterprises: 5, .. }));
    let draw = sealed(frozen(FreezeInput { inspectors: Some(all), ..plan }, secrets("refusals")));
    let second = picks(&draw, "food_production/D");
    for visit in draw.visits().iter().filter(|visit| second.contains(&visit.pick.blind)) {
        assert_eq!((visit.lead.as_str(), visit.second.as_str()), ("a", "c"));
    }
    assert_eq!(draw.visits().len(), 4);
}
