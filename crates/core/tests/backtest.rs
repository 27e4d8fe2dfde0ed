//! The figures of a back-test against plain readings of what they mean.
#![allow(clippy::unwrap_used)]

use chrono::Days;
use proptest::prelude::*;
use xinheng_core::backtest::{Comparison, Figures, Millionths, Period, RESAMPLES, View, Visit};
use xinheng_core::points::Points;
use xinheng_core::record::Day;

const LEVELS: usize = 3;

fn day(number: u64) -> Day {
    Day::from_ymd_opt(2024, 1, 1).unwrap() + Days::new(number)
}

/// A visit on a day of January to April, of an enterprise, with the points of two models.
fn visit(enterprise: u32, number: u64, found: bool, points: [i64; 2]) -> Visit {
    let on = day(number);
    let view = |points: i64| View {
        eve: Points::from_milli(points),
        level: points.rem_euclid(3) as usize,
        planned: Points::from_milli(points / 2),
    };
    let period = Period::Month.first_day(on, day(0));
    Visit { enterprise, day: on, period, found, views: points.map(view).to_vec() }
}

fn visits() -> impl Strategy<Value = Vec<Visit>> {
    let one = (0..12_u32, 0..100_u64, any::<bool>(), [0..9_i64, 0..9_i64]);
    proptest::collection::vec(one.prop_map(|(of, on, found, points)| visit(of, on, found, points)), 0..60)
}

fn figures(visits: &[Visit]) -> Figures<Option<Millionths>> {
    Comparison::new(visits, &[LEVELS, LEVELS]).figures()
}

/// Whether two figures are the same but for rounding.
fn close(figure: Option<Millionths>, expected: Option<f64>) -> bool {
    match (figure, expected) {
        (Some(figure), Some(expected)) => (figure.0 as f64 / 1e6 - expected).abs() < 2e-6,
        (figure, expected) => figure.is_none() && expected.is_none(),
    }
}

/// How often a find has more points than a visit that found nothing, pair by pair.
fn auc_by_pairs(visits: &[Visit], model: usize) -> Option<f64> {
    let (mut won, mut pairs) = (0.0, 0.0);
    for find in visits.iter().filter(|visit| visit.found) {
        for other in visits.iter().filter(|visit| !visit.found) {
            pairs += 1.0;
            won += match find.views[model].eve.cmp(&other.views[model].eve) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            };
        }
    }
    (pairs > 0.0).then(|| won / pairs)
}

/// Share of finds in first halves and mean day of a find, each find at the mean of its equals' places.
fn by_places<K: PartialOrd>(visits: &[Visit], key: impl Fn(&Visit) -> K) -> Option<(f64, f64)> {
    let (mut first_half, mut days, mut finds) = (0.0, 0.0, 0.0);
    let mut periods: Vec<Day> = visits.iter().map(|visit| visit.period).collect();
    periods.sort_unstable();
    periods.dedup();
    for period in periods {
        let within: Vec<&Visit> = visits.iter().filter(|visit| visit.period == period).collect();
        let mut slots: Vec<i64> = within.iter().map(|visit| (visit.day - day(0)).num_days()).collect();
        slots.sort_unstable();
        for find in within.iter().filter(|visit| visit.found) {
            let before = within.iter().filter(|visit| key(visit) < key(find)).count();
            let equal = within.iter().filter(|visit| key(visit) == key(find)).count();
            let half = slots.len() as f64 / 2.0;
            for (place, slot) in slots.iter().enumerate().skip(before).take(equal) {
                first_half += (half - place as f64).clamp(0.0, 1.0) / equal as f64;
                days += *slot as f64 / equal as f64;
            }
            finds += 1.0;
        }
    }
    (finds > 0.0).then(|| (first_half / finds, days / finds))
}

#[test]
fn what_a_perfect_a_reversed_and_a_constant_model_say() {
    let scored = |points: fn(bool, u64) -> i64| -> Vec<Visit> {
        (0..20).map(|number| visit(0, number, number % 4 == 3, [points(number % 4 == 3, number); 2])).collect()
    };
    let perfect = &figures(&scored(|found, _| if found { 8 } else { 2 })).models[0];
    assert_eq!(perfect.auc, Some(Millionths(1_000_000)));
    assert_eq!(perfect.first_half, Some(Millionths(1_000_000)));
    // The finds of days 3, 7, 11, 15, 19 would have come on days 0 to 4; at random on day 9.5.
    assert_eq!(perfect.days_before_usual, Some(Millionths(9_000_000)));
    assert_eq!(perfect.days_before_random, Some(Millionths(7_500_000)));
    let reversed = &figures(&scored(|found, _| if found { 2 } else { 8 })).models[0];
    assert_eq!((reversed.auc, reversed.first_half), (Some(Millionths(0)), Some(Millionths(0))));
    assert_eq!(reversed.days_before_random, Some(Millionths(-7_500_000)));
    let constant = &figures(&scored(|_, _| 5)).models[0];
    assert_eq!((constant.auc, constant.first_half), (Some(Millionths(500_000)), Some(Millionths(500_000))));
    assert_eq!(constant.days_before_random, Some(Millionths(0)));
}

#[test]
fn a_figure_that_nothing_defines_is_absent() {
    let nothing = figures(&[]);
    assert_eq!((nothing.found, nothing.models[0].auc, nothing.usual.first_half), (None, None, None));
    let no_finds = figures(&[visit(0, 1, false, [1, 2])]);
    assert_eq!((no_finds.found, no_finds.models[0].auc), (Some(Millionths(0)), None));
    assert_eq!(no_finds.models[0].levels, [None, Some(Millionths(0)), None]);
}

#[test]
fn a_period_begins_with_its_calendar_or_with_the_time_looked_at() {
    let first = |period: Period, day: &str| period.first_day(day.parse().unwrap(), "2024-02-10".parse().unwrap());
    let cases = [
        (Period::Month, "2024-02-29", "2024-02-10"),
        (Period::Month, "2024-12-31", "2024-12-01"),
        (Period::Quarter, "2024-06-30", "2024-04-01"),
        (Period::HalfYear, "2024-08-31", "2024-07-01"),
        (Period::Year, "2025-12-31", "2025-01-01"),
        (Period::Whole, "2025-12-31", "2024-02-10"),
    ];
    for (period, day, expected) in cases {
        assert_eq!(first(period, day), expected.parse::<Day>().unwrap(), "{period:?} of {day}");
    }
}

#[test]
fn intervals_are_the_same_every_time_and_hold_the_figure() {
    // Forty enterprises with five visits each; every third of them is a little worse, and seen as such.
    let visits: Vec<Visit> = (0..200_u64)
        .map(|number| {
            let bad = number % 40 % 3 == 0;
            let found = number % if bad { 3 } else { 7 } == 0;
            visit((number % 40) as u32, number / 2, found, [if bad { 8 } else { 2 } + (number % 5) as i64, 4])
        })
        .collect();
    let comparison = Comparison::new(&visits, &[LEVELS, LEVELS]);
    let estimates = || {
        let resamples: Vec<_> = (0..RESAMPLES).map(|number| comparison.resample(number)).collect();
        comparison.figures().with_intervals(&resamples)
    };
    let (once, again) = (estimates(), estimates());
    assert_eq!(once, again);
    let auc = once.models[0].auc.unwrap();
    assert!(auc.low < auc.value && auc.value < auc.high, "{auc:?}");
    assert!(auc.low > Millionths(500_000) && auc.high < Millionths(900_000), "{auc:?}");
    let constant = once.models[1].auc.unwrap();
    assert_eq!([constant.low, constant.value, constant.high], [Millionths(500_000); 3]);
}

#[test]
fn with_one_visit_an_enterprise_the_interval_is_as_wide_as_by_the_formula_of_delong() {
    let visits: Vec<Visit> = (0..600_u64)
        .map(|number| {
            let found = number % 5 == 0;
            let points = (number * 7919 % 23) as i64 + if found { 6 } else { 0 };
            visit(number as u32, number % 100, found, [points, 0])
        })
        .collect();
    let comparison = Comparison::new(&visits, &[LEVELS, LEVELS]);
    let resamples: Vec<_> = (0..RESAMPLES).map(|number| comparison.resample(number)).collect();
    let auc = comparison.figures().with_intervals(&resamples).models[0].auc.unwrap();
    // The variance of the mean of every visit's share of won pairs, finds and others apart.
    let shares = |of: bool| -> Vec<f64> {
        let others: Vec<i64> =
            visits.iter().filter(|one| one.found != of).map(|one| one.views[0].eve.milli()).collect();
        let won = |own: i64, other: i64| {
            let order = if of { own.cmp(&other) } else { other.cmp(&own) };
            match order {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            }
        };
        let share = |own: i64| others.iter().map(|&other| won(own, other)).sum::<f64>() / others.len() as f64;
        visits.iter().filter(|one| one.found == of).map(|one| share(one.views[0].eve.milli())).collect()
    };
    let variance_of_mean = |shares: Vec<f64>| {
        let count = shares.len() as f64;
        let mean = shares.iter().sum::<f64>() / count;
        shares.iter().map(|share| (share - mean).powi(2)).sum::<f64>() / (count - 1.0) / count
    };
    let by_formula = 2.0 * 1.96 * (variance_of_mean(shares(true)) + variance_of_mean(shares(false))).sqrt();
    let by_resamples = (auc.high - auc.low).0 as f64 / 1e6;
    assert!((0.9..1.1).contains(&(by_resamples / by_formula)), "{by_resamples} against {by_formula}");
}

proptest! {
    #[test]
    fn the_auc_is_that_of_all_pairs(visits in visits()) {
        let figures = figures(&visits);
        for model in 0..2 {
            let expected = auc_by_pairs(&visits, model);
            prop_assert!(close(figures.models[model].auc, expected), "{:?} {expected:?}", figures.models[model].auc);
        }
    }

    #[test]
    fn shares_and_days_are_those_of_the_places(visits in visits()) {
        let figures = figures(&visits);
        let usual = by_places(&visits, |visit| visit.day);
        let random = by_places(&visits, |_| 0);
        let model = by_places(&visits, |visit| std::cmp::Reverse(visit.views[0].planned));
        let less = |one: Option<(f64, f64)>, other: Option<(f64, f64)>| Some(one?.1 - other?.1);
        let share = |one: Option<(f64, f64)>| Some(one?.0);
        prop_assert!(close(figures.usual.first_half, share(usual)));
        prop_assert!(close(figures.usual.days_before_random, less(random, usual)));
        prop_assert!(close(figures.models[0].first_half, share(model)));
        prop_assert!(close(figures.models[0].days_before_usual, less(usual, model)));
        prop_assert!(close(figures.models[0].days_before_random, less(random, model)));
    }

    #[test]
    fn the_order_in_which_visits_are_given_changes_nothing(
        (visits, shuffled) in visits().prop_flat_map(|visits| (Just(visits.clone()), Just(visits).prop_shuffle())),
    ) {
        let (one, other) = (Comparison::new(&visits, &[LEVELS; 2]), Comparison::new(&shuffled, &[LEVELS; 2]));
        prop_assert_eq!(one.figures(), other.figures());
        prop_assert_eq!(one.resample(7), other.resample(7));
    }

    #[test]
    fn a_weight_is_a_visit_made_so_many_times(visits in visits(), weights in proptest::collection::vec(0..3_u32, 60)) {
        let repeated: Vec<Visit> = visits
            .iter()
            .zip(&weights)
            .flat_map(|(visit, &weight)| std::iter::repeat_n(visit.clone(), weight as usize))
            .collect();
        let weighed = Comparison::new(&visits, &[LEVELS; 2]).weighed(&weights[..visits.len()]);
        let plain = figures(&repeated);
        prop_assert_eq!(weighed, plain);
    }
}
