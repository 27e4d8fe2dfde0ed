//! The worked examples of the protocol, to the last digest (docs/draw-examples).

use serde_json::Value;
use xinheng_core::credit_code::CreditCode;
use xinheng_core::draw::{
    Certificate, DrawKey, Feasibility, FreezeInput, LedgerPlace, Line, Nonce, Published, Secret, Secrets, blind, salt,
    verify,
};
use xinheng_core::ledger::Hash;

use super::support::{at, codes, frozen, input, inspector, line, picks, sealed, secrets, stratum, witness};

fn example(name: &str) -> &'static str {
    match name {
        "frozen" => include_str!("../../../../docs/draw-examples/frozen.json"),
        "sealed" => include_str!("../../../../docs/draw-examples/sealed.json"),
        "replaced" => include_str!("../../../../docs/draw-examples/replaced.json"),
        "void" => include_str!("../../../../docs/draw-examples/void.json"),
        "three-strata" => include_str!("../../../../docs/draw-examples/three-strata.json"),
        "eleven-strata" => include_str!("../../../../docs/draw-examples/eleven-strata.json"),
        "matched" => include_str!("../../../../docs/draw-examples/matched.json"),
        "matched.auditor" => include_str!("../../../../docs/draw-examples/matched.auditor.json"),
        "matched.names" => include_str!("../../../../docs/draw-examples/matched.names.json"),
        _ => panic!("no example {name}"),
    }
}

/// Members may stand in another order.
fn assert_is(certificate: &Certificate, name: &str) {
    let found: Value = serde_json::from_str(&certificate.to_json()).unwrap();
    assert_eq!(found, serde_json::from_str::<Value>(example(name)).unwrap(), "{name}");
}

/// To the last byte.
fn assert_prints(certificate: &Certificate, name: &str) {
    assert_eq!(certificate.to_json(), example(name).trim_end(), "{name}");
}

fn bytes(from: u8) -> [u8; 32] {
    std::array::from_fn(|place| from + u8::try_from(place).unwrap())
}

/// Key, secret and nonce of the design's example.
fn design_secrets() -> Secrets {
    Secrets { key: DrawKey::new(bytes(0)), secret: Secret::new(bytes(32)), nonce: Nonce::new(bytes(64)) }
}

/// The design's example gives the numbers of its strata; here the labels are chosen that give them.
fn design() -> FreezeInput {
    let parse = |codes: &[&str]| codes.iter().map(|code| code.parse().unwrap()).collect::<Vec<CreditCode>>();
    let one = parse(&["91110000600037341L", "91110108551385082Q", "914403001922038216"]);
    let two = parse(&["9144030071526726XG", "91440300708461136T", "91330100799655058B", "91350100M000100Y43"]);
    let with = |labels: [&str; 2]| input(vec![stratum(labels[0], one.clone(), 1), stratum(labels[1], two.clone(), 2)]);
    let is_right =
        |input: &FreezeInput| frozen(input.clone(), design_secrets()).certificate().strata[0].candidates == 3;
    [["one", "two"], ["two", "one"]].map(with).into_iter().find(is_right).unwrap()
}

#[test]
fn the_designs_example_is_frozen_sealed_and_void_to_the_last_byte() {
    let draw = frozen(design(), design_secrets());
    assert_prints(draw.certificate(), "frozen");
    assert_prints(&draw.void(line("not sealed by the deadline")), "void");
    assert_prints(sealed(draw).certificate(), "sealed");
}

#[test]
fn the_designs_replacement_takes_the_next_ticket() {
    let mut draw = sealed(frozen(design(), design_secrets()));
    let first = draw.certificate().sealed().unwrap().picks[1].blind;
    draw.replace(first, line("moved away"), at(26, "10:00")).unwrap();
    assert_prints(draw.certificate(), "replaced");
}

#[test]
fn the_digests_of_the_design_are_those_of_its_page() {
    let draw = sealed(frozen(design(), design_secrets()));
    let certificate = draw.certificate();
    let part = certificate.sealed().unwrap();
    let expected = [
        (certificate.list_hash, "11cc329d3538359fd8a19d1d91f7a7542842a07423226cb1ba65cb842e2cc653"),
        (certificate.freeze_hash, "009c196f30385f2f869a843cd38f1d02373556457fdd56ecc807683d2715e619"),
        (part.seed, "d2fc90a38938d1d59d8377efeccbae677aca62988ebe95e882a6d99b4aabbf02"),
        (part.names_hash, "c468eab64c0ece6f2171851e10792061c03e7854a9c32ac48e9a1018810ea6cd"),
        (part.certificate_hash, "9eb312e0a1d226d4fd0d7a6a0f1bb00d63fbf3ff584e9be5714d46c5e5a18326"),
    ];
    for (found, expected) in expected {
        assert_eq!(found.to_string(), expected);
    }
    let names: Vec<String> = super::support::names(&draw).iter().map(ToString::to_string).collect();
    assert_eq!(names, ["914403001922038216", "91350100M000100Y43", "91330100799655058B"]);
}

#[test]
fn three_strata_after_a_void_draw_with_a_replacement_of_one_that_was_itself_taken() {
    let strata = vec![
        stratum("food_production/C", codes(1, 6), 2),
        stratum("food_production/D", codes(11, 3), 2),
        stratum("special_equipment/B", codes(21, 9), 3),
    ];
    let mut given = FreezeInput { draw: line("2026-0003"), follows: Some(line("2026-0002")), ..input(strata) };
    given.frozen_at = at(24, "09:00");
    let earlier = xinheng_core::draw::EarlierDraw {
        draw: line("2026-0002"),
        state: xinheng_core::draw::EarlierState::Void,
        entropy: xinheng_core::draw::Entropy { due: at(22, "21:30"), ..super::support::entropy() },
    };
    let draw = xinheng_core::draw::freeze(given, secrets("three strata"), &[earlier]).unwrap();
    let place = "示例县人民政府门户网站“公示公告”栏";
    let draw = draw.witnessed(xinheng_core::draw::Witness { place: line(place), ..witness() }).unwrap();
    let mut draw = sealed(draw);
    let second = picks(&draw, "special_equipment/B")[1];
    let taken = draw.replace(second, line("已注销"), at(26, "10:00")).unwrap().taken;
    draw.replace(taken, line("已迁出本县"), at(27, "15:20")).unwrap();
    let hash = Hash(super::support::h(&[b"XD1 example", b"three strata", b"ledger"]));
    assert_is(draw.recorded(LedgerPlace { seq: 20471, hash }).certificate(), "three-strata");
}

#[test]
fn eleven_strata_are_listed_by_their_texts_and_picked_by_their_numbers() {
    let of = |number: u32| {
        let place = number - 1;
        stratum(&format!("item_{number:02}/B"), codes(100 + 10 * place, 2 + place % 3), 1)
    };
    let given = FreezeInput { draw: line("2026-0011"), ..input((1..=11).map(of).collect()) };
    assert_is(sealed(frozen(given, secrets("eleven strata"))).certificate(), "eleven-strata");
}

fn matched() -> FreezeInput {
    let (c, d, b) = (codes(1001, 5), codes(1011, 3), codes(1021, 4));
    let inspectors = vec![
        inspector("J01", &["food", "lead"], 2, &[]),
        inspector("J02", &["lead", "special_equipment"], 2, &[c[0], b[3]]),
        inspector("J03", &["food", "lead"], 2, &[]),
        inspector("J04", &["food"], 2, &[]),
        inspector("J05", &[], 2, &d[..1]),
        inspector("J06", &["special_equipment"], 1, &[]),
    ];
    let strata = vec![
        stratum("food_production/C", c, 2),
        stratum("food_production/D", d, 1),
        stratum("special_equipment/B", b, 2),
    ];
    FreezeInput { draw: line("2026-0012"), inspectors: Some(inspectors), ..input(strata) }
}

#[test]
fn teams_pass_over_those_whom_later_visits_need() {
    let draw = sealed(frozen(matched(), secrets("matched 187")));
    assert_is(draw.certificate(), "matched");
    let auditor: Value = serde_json::from_str(example("matched.auditor")).unwrap();
    assert_eq!(draw.frozen().inspector_lines(), auditor["inspector_lines"].as_str().unwrap());
    assert_eq!(draw.frozen().feasibility(), Some(Feasibility::Exact));
    assert_eq!(auditor["enough_for_any_outcome"], true);
    let labels: Vec<&str> = draw.frozen().labels().iter().map(Line::as_str).collect();
    let expected: Vec<&str> =
        auditor["strata"].as_array().unwrap().iter().map(|one| one["label"].as_str().unwrap()).collect();
    assert_eq!(labels, expected);
    let key = draw.frozen().secrets().key.clone();
    for ((pair, code), expected) in draw.frozen().enterprises().zip(auditor["enterprises"].as_array().unwrap()) {
        assert_eq!(pair.blind.to_string(), expected["blind"]);
        assert_eq!(code.to_string(), expected["credit_code"]);
        assert_eq!(salt(&key, code).to_string(), expected["salt"]);
        assert_eq!(blind(salt(&key, code), code), pair.blind);
    }
    let visits = auditor["visits"].as_array().unwrap();
    assert_eq!(draw.visits().len(), visits.len());
    for (visit, expected) in draw.visits().iter().zip(visits) {
        assert_eq!(visit.ticket.to_string(), expected["ticket"]);
        assert_eq!(visit.pick.blind.to_string(), expected["blind"]);
        assert_eq!(
            (visit.lead.as_str(), visit.second.as_str()),
            (expected["lead"].as_str().unwrap(), expected["second"].as_str().unwrap())
        );
    }
}

#[test]
fn every_example_verifies_and_prints_what_it_reads() {
    for name in ["frozen", "sealed", "replaced", "void", "three-strata", "eleven-strata", "matched"] {
        let certificate = Certificate::parse(example(name)).unwrap();
        assert_is(&certificate, name);
        let names = (name == "matched").then(|| serde_json::from_str(example("matched.names")).unwrap());
        let published = Published { freeze_hash: Some(certificate.freeze_hash), names, ..Published::default() };
        let found = verify(&certificate, &published);
        assert!(found.holds(), "{name}: {:?}", found.faults().collect::<Vec<_>>());
    }
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let once = || sealed(frozen(matched(), secrets("matched 187"))).certificate().to_json();
    assert_eq!(once(), once());
    let turned = FreezeInput { strata: matched().strata.into_iter().rev().collect(), ..matched() };
    assert_eq!(sealed(frozen(turned, secrets("matched 187"))).certificate().to_json(), once());
}
