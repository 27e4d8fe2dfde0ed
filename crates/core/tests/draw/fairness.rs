//! Everybody's chance is what it should be, over many draws: by Pearson's chi-square, and nobody is never drawn.
//! Lotteries and seeds differ from draw to draw in a fixed way, so that a test that passes once always passes.

#![allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]

use std::collections::{BTreeMap, BTreeSet};

use xinheng_core::draw::{Frozen, FrozenInspector, Pair, Sealed, StratumNumber, ticket};
use xinheng_core::ledger::Hash;

use super::support::{at, codes, frozen, h, input, inspector, secrets, stratum, value};

const DRAWS: u32 = 10_000;

/// How often each of some candidates was picked, when `quota` of them are each time.
struct Frequencies {
    counts: Vec<u32>,
    quota: usize,
}

impl Frequencies {
    fn of(candidates: usize, quota: usize, draw: impl Fn(u32) -> Vec<usize>) -> Self {
        let mut counts = vec![0; candidates];
        for number in 0..DRAWS {
            let picks = draw(number);
            assert_eq!(picks.len(), quota);
            picks.into_iter().for_each(|pick| counts[pick] += 1);
        }
        Self { counts, quota }
    }

    fn never(&self) -> usize {
        self.counts.iter().filter(|count| **count == 0).count()
    }

    /// Of samples without replacement: the counts vary by p(1 − p) each, and are bound by their sum.
    fn is_fair(&self) -> bool {
        let candidates = self.counts.len() as f64;
        let share = self.quota as f64 / candidates;
        let expected = f64::from(DRAWS) * share;
        let squares: f64 = self.counts.iter().map(|count| (f64::from(*count) - expected).powi(2)).sum();
        let degrees = candidates - 1.0;
        let statistic = squares / (expected * (1.0 - share)) * degrees / candidates;
        self.never() == 0 && is_plausible(statistic, degrees)
    }
}

/// Whether p > 0.001 for a chi-square statistic: Wilson and Hilferty's normal approximation, which comes within two per
/// cent of this bound from five degrees on.
fn is_plausible(statistic: f64, degrees: f64) -> bool {
    const BOUND: f64 = 3.090_232;
    let spread = 2.0 / (9.0 * degrees);
    ((statistic / degrees).cbrt() - (1.0 - spread)) / spread.sqrt() < BOUND
}

#[test]
fn the_approximation_has_the_bounds_of_the_tables() {
    // Upper 0.1 % points of chi-square.
    for (degrees, bound) in [(5.0, 20.515), (10.0, 29.588), (30.0, 59.703), (100.0, 149.449), (298.0, 380.0)] {
        assert!(is_plausible(bound * 0.98, degrees) && !is_plausible(bound * 1.02, degrees), "{degrees}");
    }
}

/// Places of the lowest tickets in a seed's order.
fn by_tickets(blinds: &[Hash], quota: usize, number: u32) -> Vec<usize> {
    let seed = Hash(h(&[b"fairness", &number.to_be_bytes()]));
    let stratum: StratumNumber = "1".parse().unwrap();
    let mut tickets: Vec<_> =
        blinds.iter().enumerate().map(|(place, &blind)| (ticket(seed, stratum, blind), place)).collect();
    tickets.select_nth_unstable(quota);
    tickets.truncate(quota);
    tickets.into_iter().map(|(_, place)| place).collect()
}

fn tickets_are_fair(candidates: usize, quota: usize) {
    let blinds: Vec<Hash> = (0..candidates as u64).map(|number| Hash(h(&[b"blind", &number.to_be_bytes()]))).collect();
    assert!(Frequencies::of(candidates, quota, |number| by_tickets(&blinds, quota, number)).is_fair());
}

#[test]
fn a_hundred_of_299_are_fair() {
    tickets_are_fair(299, 100);
}

#[test]
fn three_hundred_of_1000_are_fair() {
    tickets_are_fair(1000, 300);
}

#[test]
fn seven_hundred_of_1999_are_fair() {
    tickets_are_fair(1999, 700);
}

/// The scheme of a system in use: the list sorted by office, one random start, a fixed stride rounded down.
#[test]
fn one_random_start_and_a_fixed_stride_fail_the_same_test() {
    for (candidates, quota, never) in [(299, 100, 99), (1000, 300, 100), (1999, 700, 599)] {
        let stride = candidates / quota;
        let found = Frequencies::of(candidates, quota, |number| {
            let start = usize::from(h(&[b"start", &number.to_be_bytes()])[0]) % stride;
            (0..quota).map(|place| start + place * stride).collect()
        });
        assert_eq!(found.never(), never);
        assert!(!found.is_fair());
    }
}

/// What the lottery draws in different issues.
fn lottery_value(number: u32) -> String {
    let blue = number % 16 + 1;
    format!("双色球 {:07} 03 08 11 19 27 31 + {blue:02}", 1_000_000 + number)
}

fn drawn(frozen: &Frozen, number: u32) -> Sealed {
    let value = value(&lottery_value(number));
    frozen.clone().seal(&value, at(24, "22:00"), at(25, "17:00")).unwrap()
}

#[test]
fn whatever_was_frozen_the_lottery_is_fair_to_every_enterprise_of_every_stratum() {
    let sizes = [
        ("food_production_daily/A", 120, 12),
        ("food_production_daily/C", 60, 24),
        ("food_production_daily/D", 12, 11),
    ];
    let strata = sizes.iter().zip((0..).step_by(1000));
    let strata = strata.map(|(&(label, size, quota), first)| stratum(label, codes(first, size), quota)).collect();
    let frozen = frozen(input(strata), secrets("fairness"));
    let places: BTreeMap<Hash, usize> =
        frozen.enterprises().enumerate().map(|(place, (pair, _))| (pair.blind, place)).collect();
    let mut counts = vec![0; places.len()];
    for number in 0..DRAWS {
        let sealed = drawn(&frozen, number);
        for pick in &sealed.certificate().sealed().unwrap().picks {
            counts[places[&pick.blind]] += 1;
        }
    }
    for size in &frozen.certificate().strata {
        let of_stratum = |(pair, _): &(Pair, _)| pair.stratum == size.stratum;
        let counts = frozen.enterprises().filter(of_stratum).map(|(pair, _)| counts[places[&pair.blind]]).collect();
        let found = Frequencies { counts, quota: usize::try_from(size.quota).unwrap() };
        assert!(found.is_fair(), "{size:?}: {:?}", found.counts);
    }
}

/// Two of four enterprises are drawn, by four inspectors. `d` keeps away from the first enterprise: if that comes second,
/// the first visit must leave it a pair. Both who can lead may go together.
fn inspectors() -> Vec<FrozenInspector> {
    vec![
        inspector("a", &["lead"], 2, &[]),
        inspector("b", &["lead"], 1, &[]),
        inspector("c", &[], 1, &[]),
        inspector("d", &[], 2, &codes(1, 1)),
    ]
}

/// Whom each visit goes to, who leads, who is second.
type Outcome = Vec<(usize, usize, usize)>;

/// The protocol's words on teams, carried out in the plainest way: every order of picks and of inspectors is as likely as
/// every other.
mod naive {
    use super::Outcome;

    const LEADS: [bool; 4] = [true, true, false, false];
    const CAPACITY: [u32; 4] = [2, 1, 1, 2];

    fn may(inspector: usize, enterprise: usize) -> bool {
        (inspector, enterprise) != (3, 0)
    }

    /// The teams of a visit in the order of (place of lead, place of second).
    fn teams(order: &[usize], enterprise: usize, left: [u32; 4]) -> Vec<(usize, usize)> {
        let able = |inspector: usize| may(inspector, enterprise) && left[inspector] > 0;
        let mut teams = Vec::new();
        for &lead in order.iter().filter(|&&one| LEADS[one] && able(one)) {
            teams.extend(order.iter().filter(|&&one| one != lead && able(one)).map(|&second| (lead, second)));
        }
        teams
    }

    fn without(mut left: [u32; 4], (lead, second): (usize, usize)) -> [u32; 4] {
        left[lead] -= 1;
        left[second] -= 1;
        left
    }

    fn can_be_staffed(visits: &[usize], left: [u32; 4]) -> bool {
        let Some((first, rest)) = visits.split_first() else { return true };
        teams(&[0, 1, 2, 3], *first, left).into_iter().any(|team| can_be_staffed(rest, without(left, team)))
    }

    pub fn outcome(visits: &[usize], orders: &[&[usize]]) -> Outcome {
        let mut left = CAPACITY;
        let mut outcome = Outcome::new();
        for (place, (&enterprise, order)) in visits.iter().zip(orders).enumerate() {
            let all = teams(order, enterprise, left);
            let leaves_enough = |team: &(usize, usize)| can_be_staffed(&visits[place + 1..], without(left, *team));
            let team = all.into_iter().find(leaves_enough).unwrap();
            left = without(left, team);
            outcome.push((enterprise, team.0, team.1));
        }
        outcome
    }

    pub fn permutations(of: &[usize]) -> Vec<Vec<usize>> {
        if of.is_empty() {
            return vec![Vec::new()];
        }
        let without = |one: usize| of.iter().copied().filter(|other| *other != one).collect::<Vec<_>>();
        let beginning = |one: usize| {
            permutations(&without(one)).into_iter().map(move |rest| [vec![one], rest].concat()).collect::<Vec<_>>()
        };
        of.iter().flat_map(|&one| beginning(one)).collect()
    }
}

#[test]
fn teams_come_as_often_as_a_plain_reading_of_the_protocol_says() {
    let orders = naive::permutations(&[0, 1, 2, 3]);
    let visits: BTreeSet<Vec<usize>> = orders.iter().map(|order| order[..2].to_vec()).collect();
    let mut likely: BTreeMap<Outcome, u32> = BTreeMap::new();
    for visits in &visits {
        for first in &orders {
            for second in &orders {
                *likely.entry(naive::outcome(visits, &[first, second])).or_default() += 1;
            }
        }
    }
    let cases = visits.len() * orders.len() * orders.len();

    let mut input = input(vec![stratum("food_production_daily/A", codes(1, 4), 2)]);
    input.inspectors = Some(inspectors());
    let frozen = frozen(input, secrets("teams"));
    let enterprises: BTreeMap<_, _> = codes(1, 4).into_iter().enumerate().map(|(place, code)| (code, place)).collect();
    let blinds: BTreeMap<Hash, usize> =
        frozen.enterprises().map(|(pair, code)| (pair.blind, enterprises[&code])).collect();
    let place = |id: &str| ["a", "b", "c", "d"].iter().position(|one| *one == id).unwrap();
    let mut seen: BTreeMap<Outcome, u32> = BTreeMap::new();
    for number in 0..DRAWS {
        let sealed = drawn(&frozen, number);
        let visits = sealed.visits().iter();
        let outcome =
            visits.map(|visit| (blinds[&visit.pick.blind], place(visit.lead.as_str()), place(visit.second.as_str())));
        *seen.entry(outcome.collect()).or_default() += 1;
    }

    assert!(seen.keys().all(|outcome| likely.contains_key(outcome)), "an outcome that should never come");
    let (mut statistic, mut degrees) = (0.0, -1.0);
    for (outcome, times) in &likely {
        let expected = f64::from(DRAWS) * f64::from(*times) / cases as f64;
        assert!(expected > 5.0, "too rare for the test: {outcome:?}");
        statistic += (f64::from(seen.get(outcome).copied().unwrap_or_default()) - expected).powi(2) / expected;
        degrees += 1.0;
    }
    assert!(is_plausible(statistic, degrees), "{statistic} with {degrees} degrees of freedom");
}
