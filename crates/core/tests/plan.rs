//! Plans of random inspections: whom an item draws (its cases are beside the rules), and how many of each group.
#![allow(clippy::unwrap_used)]

mod common;

use common::{folder, load};
use proptest::prelude::*;
use xinheng_core::history::{Facts, Kinds};
use xinheng_core::plan::{FULL, Group, Placement, PlanRefusal, Quota, Screen, Terms, quotas};
use xinheng_core::record::{Day, Statement};
use xinheng_core::rulebook::check_case::placement_mismatches;
use xinheng_core::rulebook::inspections::InspectionItem;
use xinheng_core::rulebook::load::{RuleFile, Rulebook};

fn today() -> Day {
    "2026-11-24".parse().unwrap()
}

/// The regulations of this repository, with a county's changes to an item.
fn rulebook(item: &str, set: &str) -> Rulebook {
    let mut files = folder("../../regulations");
    let text =
        format!("overrides: inspections/{item}\nfrom: 2026-01-01\ncite: [{{document: 本局文件}}]\nset: {{{set}}}\n");
    files.push(RuleFile { path: format!("county/inspections/{item}.yaml"), text });
    load(&files)
}

/// The annual-report item, without exploration unless a test wants it.
fn item() -> InspectionItem {
    let book = load(&folder("../../regulations"));
    InspectionItem { exploration: 0, ..book.inspection("annual_report", today()).unwrap().clone() }
}

#[test]
fn every_case_of_the_inspection_items_holds() {
    let book = load(&folder("../../regulations"));
    let mut carried_out = 0;
    for file in book.case_files() {
        let Some(item) = file.rule.strip_prefix("inspections/") else { continue };
        for case in &file.cases {
            let found = placement_mismatches(case, item, &book);
            assert!(found.is_empty(), "{}: {}", case.name, found.join("；"));
            carried_out += 1;
        }
    }
    assert!(carried_out > 30);
}

#[test]
fn the_fixture_of_broken_rules_has_cases_that_hold_and_one_that_does_not_is_told() {
    let book = load(&folder("tests/rulebook"));
    let file = book.case_files().find(|file| file.rule == "inspections/food").unwrap();
    let mut case = file.cases[1].clone();
    assert_eq!(placement_mismatches(&case, "food", &book), Vec::<String>::new());
    case.expect.placement.as_mut().unwrap().by = None;
    assert_eq!(placement_mismatches(&case, "food", &book), ["理由应为无，实为penalised"]);
    assert_eq!(placement_mismatches(&case, "fod", &book), ["2026-11-24没有有效的抽查事项“fod”"]);
}

/// An enterprise without any record of interest.
fn place_of<'a>(item: &'a InspectionItem, book: &Rulebook, terms: &Terms, level: &str) -> Placement<'a> {
    let kinds = Kinds::new(book.kinds(today()));
    Screen::new(item, &kinds).place(terms, level, &Facts::new(&[] as &[Statement], today(), &kinds))
}

const TERMS: Terms = Terms { ratio: 1000, leave_out_low: true, by_town: false, list_due: true };

#[test]
fn the_plan_decides_whether_low_levels_are_left_out_and_who_is_due_is_listed() {
    let book = load(&folder("../../regulations"));
    let mut report = item();
    report.objects.clear();
    let drawn = |level, circumstance, left_out| Placement::Candidate { level, circumstance, left_out };
    assert_eq!(place_of(&report, &book, &TERMS, "A"), drawn("A", None, true));
    let all = Terms { leave_out_low: false, ..TERMS };
    assert_eq!(place_of(&report, &book, &all, "A"), drawn("A", None, false));
    assert_eq!(place_of(&report, &book, &TERMS, "B"), drawn("B", None, false));
    assert_eq!(place_of(&report, &book, &TERMS, "E"), Placement::NotAnObject, "no measure says what to do");
    report.measures[3].full = true;
    assert_eq!(place_of(&report, &book, &TERMS, "D"), Placement::Listed(FULL));
    let mut food = book.inspection("food_production_daily", today()).unwrap().clone();
    food.objects.clear();
    assert_eq!(place_of(&food, &book, &TERMS, "A"), Placement::Listed("coverage_due"));
    let by_lot = Terms { list_due: false, ..TERMS };
    assert_eq!(place_of(&food, &book, &by_lot, "A"), drawn("A", Some("coverage_due"), false));
}

#[test]
fn a_province_that_exempts_nobody_turns_its_rule_on_and_a_county_cannot() {
    let no_exemption = "circumstances.no_exemption.acts: true";
    let mut files = folder("../../regulations");
    let text = format!(
        "overrides: inspections/annual_report\nfrom: 2026-01-01\ncite: [{{document: 省办法}}]\nset: {{{no_exemption}}}\n"
    );
    files.push(RuleFile { path: "shandong/inspections/annual_report.yaml".to_owned(), text: text.clone() });
    let book = load(&files);
    let mut report = book.inspection("annual_report", today()).unwrap().clone();
    report.objects.clear();
    let expected = Placement::Candidate { level: "A", circumstance: Some("no_exemption"), left_out: false };
    assert_eq!(place_of(&report, &book, &TERMS, "A"), expected);
    files.last_mut().unwrap().path = "county/inspections/annual_report.yaml".to_owned();
    let refused = Rulebook::load(&files).unwrap_err();
    assert!(refused[0].to_string().contains("县级不能改"), "{}", refused[0]);
}

#[test]
fn a_county_puts_its_own_cap_in_place_of_the_example() {
    let book = rulebook("food_production_daily", "exclusions.yearly_cap.when.1.at_least: 2");
    let item = book.inspection("food_production_daily", today()).unwrap();
    let cap = item.exclusions.iter().find(|one| one.id.value == "yearly_cap").unwrap();
    assert_eq!(cap.when[0].at_least, Some(2));
}

fn group(level: &str, candidates: u64) -> Group {
    Group { level: level.to_owned(), town: None, left_out: false, candidates }
}

fn terms(ratio: u32) -> Terms {
    Terms { ratio, ..TERMS }
}

/// What is drawn of A, B, C and D, with how many of it for exploration.
fn table(item: &InspectionItem, ratio: u32, sizes: [u64; 4], leave_out: bool) -> [(u64, u64); 4] {
    let groups = ["A", "B", "C", "D"].iter().zip(sizes);
    let groups: Vec<Group> =
        groups.map(|(level, size)| Group { left_out: leave_out && *level == "A", ..group(level, size) }).collect();
    let found = quotas(item, &terms(ratio), &groups).unwrap();
    [0, 1, 2, 3].map(|place| (found[place].total(), found[place].explored))
}

/// Weights 0.5, 1, 2 and 4. Worked out by hand.
#[test]
fn quotas_follow_ratio_weights_and_sizes() {
    let plain = item();
    let exploring = InspectionItem { exploration: 1000, ..item() };
    // 200 of 2000 by 500 : 600 : 600 : 400 is 47.62, 57.14, 57.14, 38.10; the seat left goes to A.
    let sizes = [1000, 600, 300, 100];
    assert_eq!(table(&plain, 1000, sizes, false), [(48, 0), (57, 0), (57, 0), (38, 0)]);
    // 20 by size; 180 by weight is 42.86, 51.43, 51.43, 34.29; the seats left go to A and, of equal ones, to C.
    assert_eq!(table(&exploring, 1000, sizes, false), [(53, 10), (57, 6), (55, 3), (35, 1)]);
    // A is explored only; 180 by 600 : 600 : 400 is 67.5, 67.5, 45.
    assert_eq!(table(&exploring, 1000, sizes, true), [(10, 10), (73, 6), (71, 3), (46, 1)]);
    // 155 of 310: D would get 15.9 and has 10; the 145 left by 50 : 100 : 200 are 20.71, 41.43, 82.86.
    assert_eq!(table(&plain, 5000, [100, 100, 100, 10], false), [(21, 0), (41, 0), (83, 0), (10, 0)]);
    // 241 of 8004 (240.12 rounded up): 109.35, 131.22, 0.26, 0.17; C and D get one each, beyond the 241.
    assert_eq!(table(&plain, 300, [5000, 3000, 3, 1], false), [(110, 0), (131, 0), (1, 0), (1, 0)]);
    // Nobody in C and D: nothing to be drawn there.
    assert_eq!(table(&plain, 300, [100, 100, 0, 0], false), [(2, 0), (4, 0), (0, 0), (0, 0)]);
    assert_eq!(table(&plain, 10_000, sizes, false), [(1000, 0), (600, 0), (300, 0), (100, 0)]);
    // A county of a hundred thousand.
    let large = [60_000, 30_000, 8_000, 2_000];
    assert_eq!(table(&exploring, 300, large, true), [(180, 180), (1590, 90), (824, 24), (406, 6)]);
}

#[test]
fn a_group_that_is_wanted_in_full_is_listed_by_rule() {
    let mut all = item();
    all.measures[3].full = true;
    let groups = [group("B", 100), group("C", 2), group("D", 7), group("A", 0)];
    let found = quotas(&all, &terms(5000), &groups).unwrap();
    let [b, c, d, a] = found[..] else { panic!("four groups") };
    // 51 of 102, as D is covered in full and counts for nothing: B 49.04, C 1.96.
    assert_eq!((b.total(), b.all), (49, false));
    assert_eq!((c.total(), c.all), (2, true));
    assert_eq!(d, Quota { explored: 0, by_level: 7, all: true });
    assert_eq!(a, Quota { explored: 0, by_level: 0, all: false }, "nobody is nothing to list");
}

#[test]
fn towns_share_the_quota_of_their_level() {
    let of = |town: &str, level: &str, candidates| Group { town: Some(town.to_owned()), ..group(level, candidates) };
    let groups = [of("城关镇", "B", 40), of("葛岗镇", "B", 20), of("城关镇", "C", 1), of("葛岗镇", "C", 0)];
    let found = quotas(&item(), &terms(1000), &groups).unwrap();
    // 7 of 61 (6.1 rounded up) by 60 : 2 is 6.77, 0.23; 7 of B by 40 : 20 is 4.67, 2.33.
    assert_eq!(found.iter().map(|quota| quota.total()).collect::<Vec<_>>(), [5, 2, 1, 0]);
    assert!(found[2].all, "the only one of its level and town");
    let labels: Vec<String> = groups.iter().map(|group| group.label("annual_report").to_string()).collect();
    assert_eq!(labels[0], "annual_report/B/城关镇");
    assert_eq!(group("A", 1).label("annual_report").as_str(), "annual_report/A");
    let left_out = Group { left_out: true, ..group("A", 1) };
    assert_eq!(left_out.label("annual_report").as_str(), "annual_report/A/left_out");
    assert_eq!(of("城关\t镇", "A", 1).label("annual_report").as_str(), "annual_report/A/城关 镇");
}

#[test]
fn a_plan_against_its_item_is_refused_with_a_sentence() {
    let said =
        |item: &InspectionItem, ratio, groups: &[Group]| quotas(item, &terms(ratio), groups).unwrap_err().to_string();
    let groups = [group("B", 100)];
    assert_eq!(said(&item(), 299, &groups), "抽查比例2.99%低于本事项的下限3%，请提高");
    assert_eq!(said(&item(), 10_001, &groups), "抽查比例100.01%超过100%，请核对");
    assert_eq!(
        said(&item(), 300, &[group("B", 0)]),
        "抽查事项“年报公示信息检查”没有可以抽取的对象。请核对检查对象名录、等级和不抽取的情形"
    );
    assert_eq!(said(&item(), 300, &[]), said(&item(), 300, &[group("B", 0)]));
    let unknown = quotas(&item(), &terms(300), &[group("E", 1)]).unwrap_err();
    assert!(matches!(unknown, PlanRefusal::UnknownLevel { .. }));
    assert_eq!(said(&item(), 300, &[group("B", 1), group("B", 2)]), "分组“annual_report/B”出现了两次，请合并");
    let low = Group { left_out: true, ..group("A", 900) };
    assert_eq!(
        said(&item(), 2000, &[low, group("B", 100)]),
        "按比例应抽200家，留出低风险对象后只有100家可抽。请降低抽查比例，或不留出低风险对象"
    );
}

/// Groups of four levels and up to three towns, A in part left out, in any order.
fn groups() -> impl Strategy<Value = Vec<Group>> {
    let sizes = prop::collection::vec(prop_oneof![Just(0u64), 1u64..20, 20u64..3000], 15);
    let towns = prop::bool::ANY;
    (sizes, towns).prop_flat_map(|(sizes, by_town)| {
        let towns: &[Option<&str>] = if by_town { &[Some("东乡"), Some("西乡"), Some("城关")] } else { &[None] };
        let kinds = [("A", false), ("A", true), ("B", false), ("C", false), ("D", false)];
        let all = kinds.iter().flat_map(|kind| towns.iter().map(move |town| (kind, town)));
        let groups: Vec<Group> = all
            .zip(sizes)
            .map(|((&(level, left_out), town), candidates)| Group {
                town: town.map(str::to_owned),
                left_out,
                ..group(level, candidates)
            })
            .collect();
        Just(groups).prop_shuffle()
    })
}

/// Groups, an item and a ratio that gives quotas.
fn planned() -> impl Strategy<Value = (InspectionItem, u32, Vec<Group>, Vec<Quota>)> {
    let item = item();
    (0u32..=4000, 300u32..=10_000, groups()).prop_filter_map("too few are left", move |(exploration, ratio, groups)| {
        let item = InspectionItem { exploration, ..item.clone() };
        let quotas = quotas(&item, &terms(ratio), &groups).ok()?;
        Some((item, ratio, groups, quotas))
    })
}

fn target(ratio: u32, groups: &[Group]) -> u64 {
    let all: u64 = groups.iter().map(|group| group.candidates).sum();
    (all * u64::from(ratio)).div_ceil(10_000)
}

fn is_raised(level: &str) -> bool {
    matches!(level, "C" | "D")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn quotas_sum_to_the_target_and_one_more_for_each_raised_group_that_got_none((_, ratio, groups, quotas) in planned()) {
        let sum: u64 = quotas.iter().map(|quota| quota.total()).sum();
        let ones = groups.iter().zip(&quotas).filter(|(group, quota)| is_raised(&group.level) && quota.total() == 1);
        let target = target(ratio, &groups);
        prop_assert!((target..=target + ones.count() as u64).contains(&sum), "{sum} of {target}");
    }

    #[test]
    fn no_group_gets_more_than_it_has_and_who_gets_all_is_listed((_, _, groups, quotas) in planned()) {
        for (group, quota) in groups.iter().zip(&quotas) {
            prop_assert!(quota.total() <= group.candidates);
            prop_assert_eq!(quota.all, group.candidates > 0 && quota.total() == group.candidates);
            prop_assert!(!is_raised(&group.level) || group.candidates == 0 || quota.total() > 0);
            prop_assert!(!group.left_out || quota.by_level == 0, "left out is for exploration only");
        }
    }

    #[test]
    fn exploration_knows_no_level((item, ratio, groups, quotas) in planned()) {
        let explored = (target(ratio, &groups) * u64::from(item.exploration)).div_ceil(10_000);
        prop_assert_eq!(quotas.iter().map(|quota| quota.explored).sum::<u64>(), explored);
        let all: u64 = groups.iter().map(|group| group.candidates).sum();
        for (group, quota) in groups.iter().zip(&quotas) {
            let exact = explored * group.candidates;
            prop_assert!(quota.explored == exact / all || quota.explored == exact.div_ceil(all));
        }
    }

    /// Whole numbers move each part of each group by less than one.
    #[test]
    fn a_greater_risk_has_no_smaller_ratio_but_for_rounding((_, _, groups, quotas) in planned()) {
        let of = |level: &str| {
            let all = groups.iter().zip(&quotas).filter(|(group, _)| group.level == level && !group.left_out);
            all.fold((0, 0, 1), |(drawn, size, parts), (group, quota)| (drawn + quota.total(), size + group.candidates, parts + 1))
        };
        for (lower, higher) in [("A", "B"), ("B", "C"), ("C", "D"), ("A", "D")] {
            let ((few, small, parts), (many, large, _)) = (of(lower), of(higher));
            prop_assert!(few * large <= many * small + parts * (small + large), "{lower} {few}/{small}, {higher} {many}/{large}");
        }
    }

    #[test]
    fn the_order_of_groups_makes_no_difference((item, ratio, groups, quotas) in planned()) {
        let mut reversed = groups.clone();
        reversed.reverse();
        let mut found = xinheng_core::plan::quotas(&item, &terms(ratio), &reversed).unwrap();
        found.reverse();
        prop_assert_eq!(found, quotas);
    }

    /// Largest remainders are not monotone: a seat may go from one group to another, but only seats of rounding.
    #[test]
    fn a_greater_ratio_takes_no_more_from_a_group_than_seats_of_rounding((item, ratio, groups, quotas) in planned(), more in 1u32..3000) {
        let ratio = (ratio + more).min(10_000);
        if let Ok(greater) = xinheng_core::plan::quotas(&item, &terms(ratio), &groups) {
            for (before, after) in quotas.iter().zip(&greater) {
                prop_assert!(after.total() + 3 >= before.total(), "{before:?} {after:?}");
            }
        }
    }
}
