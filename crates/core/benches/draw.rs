//! How fast a draw and its verification are: `cargo xtask bench draw [CANDIDATES]`.
//!
//! Freezing, sealing and verifying against hashing every candidate twice (its blind, its ticket) by the same functions.
//! Figures are ratios of one run.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use xinheng_core::credit_code::CreditCode;
use xinheng_core::draw::{
    Certificate, DrawKey, Entropy, FreezeInput, Line, Nonce, Published, Secret, Secrets, StratumInput, StratumNumber,
    Time, Witness, blind, freeze, ticket, verify,
};
use xinheng_core::ledger::Hash;
use xinheng_core::rulebook::lotteries::Lottery;

const LOTTERY: &str = include_str!("../../../regulations/national/lotteries/double_colour.yaml");
const NUMBERS: &str = "双色球 2026136 03 09 14 21 27 33 + 08";

fn line(text: &str) -> Line {
    Line::new(text).unwrap()
}

fn time(text: &str) -> Time {
    text.parse().unwrap()
}

fn code(number: usize) -> CreditCode {
    let (region, rest) = (number / 1_000_000, number % 1_000_000);
    CreditCode::compose(&format!("919999{:02}", region + 1), &format!("MA{rest:06}")).unwrap()
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let made = work();
    (made, start.elapsed())
}

/// The most memory that the process ever had, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or_default() / 1024
}

fn main() {
    let asked = std::env::args().skip(1).find_map(|word| word.parse().ok());
    let candidates: usize = asked.unwrap_or(1_000_000);
    let codes: Vec<CreditCode> = (0..candidates).map(code).collect();
    let lottery: Lottery = serde_saphyr::from_str(LOTTERY).unwrap();
    let value = lottery.read(NUMBERS).unwrap();

    let first: StratumNumber = serde_json::from_str("\"1\"").unwrap();
    let (mixed, twice) = timed(|| {
        codes.iter().fold(0_u8, |mixed, code| {
            let blind = blind(Hash([7; 32]), *code);
            mixed ^ ticket(Hash([9; 32]), first, blind).0[0]
        })
    });
    let share = candidates / 4;
    let strata =
        [share, share, share, candidates - 3 * share].into_iter().enumerate().scan(0, |from, (place, size)| {
            let candidates = codes[*from..*from + size].to_vec();
            *from += size;
            let quota = (size as u64 / 20).max(1);
            Some(StratumInput { label: line(&format!("item/{place}")), candidates, quota, needs: Default::default() })
        });
    let input = FreezeInput {
        draw: line("2026-001-D1"),
        plan: line("2026-001"),
        follows: None,
        frozen_at: time("2026-11-24T09:00:00+08:00"),
        strata: strata.collect(),
        entropy: Entropy {
            source: lottery.source.clone(),
            format: lottery.format.clone(),
            due: time("2026-11-24T21:15:00+08:00"),
        },
        inspectors: None,
        replacement_grounds: Vec::new(),
    };
    let secrets = Secrets { key: DrawKey::new([1; 32]), secret: Secret::new([2; 32]), nonce: Nonce::new([3; 32]) };
    let (frozen, freezing) = timed(|| freeze(input, secrets, &[]).unwrap());
    let witness = Witness { place: line("县政府网站"), at: time("2026-11-24T10:00:00+08:00") };
    let frozen = frozen.witnessed(witness).unwrap();
    let (now, last) = (time("2026-11-24T22:00:00+08:00"), time("2026-11-27T21:15:00+08:00"));
    let (sealed, sealing) = timed(|| frozen.seal(&value, now, last).unwrap());
    let drawn = peak();
    let text = sealed.certificate().to_json();
    drop(sealed);
    let (certificate, reading) = timed(|| Certificate::parse(&text).unwrap());
    let (found, verifying) = timed(|| verify(&certificate, &Published::default()));
    assert!(found.holds());
    let times = |spent: Duration| spent.as_secs_f64() / twice.as_secs_f64();
    println!("{candidates} candidates; hashing them twice {:.2} s (mixed {mixed})", twice.as_secs_f64());
    println!(
        "  draw    {:.2} s (freeze {:.2} s, seal {:.2} s), {:.2} times that; peak {drawn} MiB",
        (freezing + sealing).as_secs_f64(),
        freezing.as_secs_f64(),
        sealing.as_secs_f64(),
        times(freezing + sealing)
    );
    println!(
        "  verify  {:.2} s, {:.2} times that (reading {} MB of JSON besides {:.2} s); peak {} MiB",
        verifying.as_secs_f64(),
        times(verifying),
        text.len() / 1_000_000,
        reading.as_secs_f64(),
        peak()
    );
}
