//! Draws to test with.

use sm3::{Digest, Sm3};
use xinheng_core::credit_code::CreditCode;
use xinheng_core::draw::{
    DrawKey, Entropy, EntropyValue, FreezeInput, Frozen, FrozenInspector, Line, Nonce, Pair, Sealed, Secret, Secrets,
    StratumInput, Time, Witness, freeze,
};
use xinheng_core::ledger::Hash;
use xinheng_core::rulebook::lotteries::Lottery;

pub const DRAWN: &str = "双色球 2026130 03 08 11 19 27 31 + 05";

pub fn line(text: &str) -> Line {
    text.parse().unwrap()
}

pub fn time(text: &str) -> Time {
    text.parse().unwrap()
}

/// So many hours and minutes on a day of November 2026.
pub fn at(day: u32, clock: &str) -> Time {
    time(&format!("2026-11-{day:02}T{clock}:00+08:00"))
}

/// The lottery of the protocol's examples.
pub fn lottery() -> Lottery {
    serde_json::from_value(serde_json::json!({
        "rule": {"id": "double_colour", "title": "双色球", "from": "2003-02-16", "status": "default"},
        "source": "双色球",
        "format": "双色球 {issue} {six red balls ascending, two digits} + {blue ball}",
        "parts": [
            {"title": "期号", "issue": true, "digits": 7},
            {"title": "红球", "count": 6, "digits": 2, "from": 1, "to": 33, "distinct": true, "ascending": true},
            {"title": "蓝球", "digits": 2, "from": 1, "to": 16},
        ],
        "drawn_on": ["tuesday", "thursday", "sunday"],
        "announced_at": "21:30",
        "announced_in": "中国福利彩票网",
        "seal_within_hours": 72,
    }))
    .unwrap()
}

pub fn entropy() -> Entropy {
    Entropy { source: lottery().source, format: lottery().format, due: at(24, "21:30") }
}

pub fn value(text: &str) -> EntropyValue {
    lottery().read(text).unwrap()
}

pub fn witness() -> Witness {
    Witness { place: line("county government portal"), at: at(24, "10:00") }
}

/// Enterprises that nobody has: numbers from the first on, with the check character that fits.
pub fn codes(first: u32, count: u32) -> Vec<CreditCode> {
    let code = |number: u32| {
        let body = format!("91999901MA{number:07}");
        let fits = |last: u8| format!("{body}{}", char::from(last)).parse().ok();
        (b'0'..=b'Y').find_map(fits).unwrap()
    };
    (first..first + count).map(code).collect()
}

/// H of the protocol, written out once more.
pub fn h(fields: &[&[u8]]) -> [u8; 32] {
    let mut sm3 = Sm3::new();
    for field in fields {
        sm3.update(u32::try_from(field.len()).unwrap().to_be_bytes());
        sm3.update(field);
    }
    sm3.finalize().into()
}

/// Key, secret and nonce of an example.
pub fn secrets(example: &str) -> Secrets {
    let bytes = |what: &str| h(&[b"XD1 example", example.as_bytes(), what.as_bytes()]);
    Secrets { key: DrawKey::new(bytes("key")), secret: Secret::new(bytes("secret")), nonce: Nonce::new(bytes("nonce")) }
}

pub fn stratum(label: &str, candidates: Vec<CreditCode>, quota: u64) -> StratumInput {
    StratumInput { label: line(label), candidates, quota, needs: [].into() }
}

pub fn input(strata: Vec<StratumInput>) -> FreezeInput {
    FreezeInput {
        draw: line("2026-0001"),
        plan: line("2026-P-01"),
        follows: None,
        frozen_at: at(24, "09:00"),
        strata,
        entropy: entropy(),
        inspectors: None,
        replacement_grounds: ["moved away", "已注销", "已迁出本县"].map(line).to_vec(),
    }
}

pub fn inspector(id: &str, qualifications: &[&str], capacity: u32, recusals: &[CreditCode]) -> FrozenInspector {
    FrozenInspector {
        id: line(id),
        qualifications: qualifications.iter().map(|word| word.parse().unwrap()).collect(),
        capacity,
        recusals: recusals.iter().copied().collect(),
    }
}

/// Frozen and published in time.
pub fn frozen(input: FreezeInput, secrets: Secrets) -> Frozen {
    freeze(input, secrets, &[]).unwrap().witnessed(witness()).unwrap()
}

/// Sealed at ten in the evening.
pub fn sealed(frozen: Frozen) -> Sealed {
    frozen.seal(&value(DRAWN), at(24, "22:00"), at(25, "17:00")).unwrap()
}

/// The blinds of the picks of a stratum by its label.
pub fn picks(sealed: &Sealed, label: &str) -> Vec<Hash> {
    let place = sealed.frozen().labels().iter().position(|one| one.as_str() == label).unwrap();
    let number = sealed.certificate().strata[place].stratum;
    let picks = &sealed.certificate().sealed().unwrap().picks;
    picks.iter().filter(|pick| pick.stratum == number).map(|pick| pick.blind).collect()
}

/// Whose a blind is.
pub fn code_of(sealed: &Sealed, blind: Hash) -> CreditCode {
    sealed.frozen().enterprises().find(|(pair, _)| pair.blind == blind).unwrap().1
}

/// The picked enterprises.
pub fn names(sealed: &Sealed) -> Vec<CreditCode> {
    let part = sealed.certificate().sealed().unwrap();
    part.picks.iter().map(|Pair { blind, .. }| code_of(sealed, *blind)).collect()
}
