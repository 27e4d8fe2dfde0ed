//! What holds of every draw.

use proptest::prelude::*;
use xinheng_core::credit_code::CreditCode;
use xinheng_core::draw::{
    Certificate, DrawKey, Nonce, Pair, Published, Secret, Secrets, StratumInput, StratumNumber, ticket, verify,
};
use xinheng_core::ledger::Hash;

use super::support::{at, codes, frozen, input, line, sealed, stratum};

fn secrets(seed: u8) -> Secrets {
    let bytes = |what| [seed ^ what; 32];
    Secrets { key: DrawKey::new(bytes(0)), secret: Secret::new(bytes(1)), nonce: Nonce::new(bytes(2)) }
}

/// What a seed picks of some blinds: tickets are all there is to it.
fn picked(seed: Hash, blinds: &[Hash], quota: usize) -> Vec<Hash> {
    let stratum: StratumNumber = "1".parse().unwrap();
    let mut tickets: Vec<_> = blinds.iter().map(|&blind| (ticket(seed, stratum, blind), blind)).collect();
    tickets.sort();
    tickets.into_iter().take(quota).map(|(_, blind)| blind).collect()
}

fn blinds() -> impl Strategy<Value = Vec<Hash>> {
    prop::collection::btree_set(any::<[u8; 32]>(), 4..60).prop_map(|all| all.into_iter().map(Hash).collect())
}

/// Some strata, and the same with the strata and the candidates of each in another order.
fn strata_and_shuffled() -> impl Strategy<Value = (Vec<StratumInput>, Vec<StratumInput>)> {
    let with = |(place, size): (u32, u32)| {
        let of = move |all| stratum(&format!("item/{place}"), all, 1);
        let all = codes(1000 * place, size);
        (Just(of(all.clone())), Just(all).prop_shuffle().prop_map(of))
    };
    let sizes = prop::collection::vec(2u32..12, 1..12);
    let strata = sizes.prop_flat_map(move |sizes| (0..).zip(sizes).map(with).collect::<Vec<_>>());
    let strata = strata.prop_map(|all| all.into_iter().unzip::<_, _, Vec<_>, Vec<_>>());
    strata.prop_flat_map(|(strata, shuffled)| (Just(strata), Just(shuffled).prop_shuffle()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn growing_a_sample_keeps_the_earlier_picks(seed: [u8; 32], blinds in blinds(), quota in 1usize..30) {
        let small = picked(Hash(seed), &blinds, quota);
        let large = picked(Hash(seed), &blinds, quota + 7);
        prop_assert!(large.starts_with(&small));
    }

    #[test]
    fn removing_an_unpicked_candidate_changes_nothing_and_a_picked_one_brings_only_the_next(
        seed: [u8; 32],
        blinds in blinds(),
        quota in 1usize..30,
        which: prop::sample::Index,
    ) {
        let quota = quota.min(blinds.len() - 2);
        let before = picked(Hash(seed), &blinds, quota);
        let gone = *which.get(&blinds);
        let rest: Vec<Hash> = blinds.iter().copied().filter(|one| *one != gone).collect();
        let after = picked(Hash(seed), &rest, quota);
        if before.contains(&gone) {
            let next = picked(Hash(seed), &blinds, quota + 1)[quota];
            let mut expected: Vec<Hash> = before.into_iter().filter(|one| *one != gone).collect();
            expected.push(next);
            prop_assert_eq!(after, expected);
        } else {
            prop_assert_eq!(after, before);
        }
    }

    #[test]
    fn whatever_is_sealed_verifies_after_reading_and_picks_the_lowest_tickets(
        random: u8,
        sizes in prop::collection::vec((2u32..30, 0u32..100), 1..12),
    ) {
        let strata = (0u32..).zip(&sizes).map(|(place, &(size, percent))| {
            let quota = u64::from(1 + (size - 2) * percent / 100);
            stratum(&format!("item/{place}"), codes(1000 * place, size), quota)
        });
        let mut draw = sealed(frozen(input(strata.collect()), secrets(random)));
        let part = draw.certificate().sealed().unwrap().clone();
        for size in &draw.certificate().strata {
            let of = |pairs: &[Pair]| -> Vec<Hash> {
                pairs.iter().filter(|one| one.stratum == size.stratum).map(|one| one.blind).collect()
            };
            let mut tickets: Vec<_> =
                of(&draw.certificate().candidates).into_iter().map(|blind| (ticket(part.seed, size.stratum, blind), blind)).collect();
            tickets.sort();
            let lowest: Vec<Hash> = tickets.into_iter().take(usize::try_from(size.quota).unwrap()).map(|(_, blind)| blind).collect();
            prop_assert_eq!(of(&part.picks), lowest);
        }
        let _ = draw.replace(part.picks[0].blind, line("已注销"), at(26, "10:00"));
        let read = Certificate::parse(&draw.certificate().to_json()).unwrap();
        prop_assert_eq!(&read, draw.certificate());
        let found = verify(&read, &Published::default());
        prop_assert!(found.holds(), "{:?}", found.faults().collect::<Vec<_>>());
    }

    #[test]
    fn the_same_input_gives_the_same_bytes_in_whatever_order_it_comes(
        random: u8,
        (strata, shuffled) in strata_and_shuffled(),
    ) {
        let one = sealed(frozen(input(strata), secrets(random)));
        let other = sealed(frozen(input(shuffled), secrets(random)));
        prop_assert_eq!(one.certificate().to_json(), other.certificate().to_json());
        prop_assert_eq!(one.frozen().labels(), other.frozen().labels());
    }

    #[test]
    fn a_certificate_names_no_enterprise(random: u8) {
        let all: Vec<CreditCode> = codes(1, 20);
        let draw = sealed(frozen(input(vec![stratum("food_production/D", all.clone(), 5)]), secrets(random)));
        let json = draw.certificate().to_json();
        prop_assert!(all.iter().all(|code| !json.contains(code.as_str())) && !json.contains("food_production"));
        let debug = format!("{:?}", draw.frozen().secrets());
        prop_assert!(!debug.contains(&hex::encode(draw.frozen().secrets().key.bytes())) && debug.contains('…'));
    }
}
