//! What a certificate cannot hide, and what is no certificate.

use serde_json::{Value, json};
use xinheng_core::draw::{Certificate, Published, verify};

use super::support::{at, codes, frozen, input, line, picks, sealed, secrets, stratum};

fn certificate() -> Certificate {
    let strata = vec![stratum("food_production/C", codes(1, 6), 2), stratum("food_production/D", codes(11, 5), 2)];
    let mut draw = sealed(frozen(input(strata), secrets("certificates")));
    let first = picks(&draw, "food_production/C")[0];
    let taken = draw.replace(first, line("已注销"), at(26, "10:00")).unwrap().taken;
    draw.replace(taken, line("moved away"), at(27, "10:00")).unwrap();
    draw.certificate().clone()
}

/// Every leaf of a JSON value, by its pointer.
fn leaves(value: &Value, at: String, all: &mut Vec<String>) {
    match value {
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(place, one)| leaves(one, format!("{at}/{place}"), all))
        }
        Value::Object(map) => map.iter().for_each(|(name, one)| leaves(one, format!("{at}/{name}"), all)),
        _ => all.push(at),
    }
}

/// Another value of the same form: a digest, a time, a number, a text.
fn other(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_u64().unwrap() + 1),
        Value::String(text) if text.parse::<xinheng_core::draw::Time>().is_ok() => {
            json!(text.replace(":00+08:00", ":01+08:00"))
        }
        Value::String(text) if text.len() == 64 => {
            let first = if text.starts_with('0') { "1" } else { "0" };
            json!(format!("{first}{}", &text[1..]))
        }
        Value::String(text) if text.parse::<u32>().is_ok() => json!((text.parse::<u32>().unwrap() + 1).to_string()),
        Value::String(text) => json!(format!("{text}改")),
        _ => json!("2026-0000"),
    }
}

/// No hash of the protocol covers them (docs/draw.md, section 1).
const UNCOVERED: &[&str] = &[
    "/witness/where",
    "/witness/at",
    "/replacements/0/reason",
    "/replacements/1/reason",
    "/replacements/0/at",
    "/replacements/1/at",
];

#[test]
fn every_changed_field_of_a_certificate_is_found() {
    let whole: Value = serde_json::from_str(&certificate().to_json()).unwrap();
    let mut all = Vec::new();
    leaves(&whole, String::new(), &mut all);
    assert!(all.len() > 60);
    for pointer in all.iter().filter(|pointer| !UNCOVERED.contains(&pointer.as_str())) {
        let mut changed = whole.clone();
        let leaf = changed.pointer_mut(pointer).unwrap();
        *leaf = other(leaf);
        let found = Certificate::parse(&changed.to_string()).map(|changed| verify(&changed, &Published::default()));
        assert!(found.is_err() || !found.unwrap().holds(), "a change of {pointer} passed");
    }
    assert!(verify(&certificate(), &Published::default()).holds());
}

#[test]
fn every_member_taken_out_or_there_twice_is_found() {
    let whole: Value = serde_json::from_str(&certificate().to_json()).unwrap();
    for name in whole.as_object().unwrap().keys() {
        let mut without = whole.clone();
        without.as_object_mut().unwrap().remove(name);
        let read = Certificate::parse(&without.to_string());
        // Without its replacements it is the certificate of the seal, which nobody can tell from it.
        assert_eq!(read.is_ok(), name == "replacements", "{name}");
        let twice = whole.to_string().replacen('{', &format!("{{{}:{},", json!(name), whole[name]), 1);
        let error = Certificate::parse(&twice).unwrap_err().to_string();
        assert!(error.contains(&format!("字段 {name}：重复出现")), "{name}: {error}");
    }
}

#[test]
fn what_does_not_belong_to_its_state_is_refused_with_a_sentence() {
    let frozen_certificate: Value =
        serde_json::from_str(include_str!("../../../../docs/draw-examples/frozen.json")).unwrap();
    let sealed: Value = serde_json::from_str(include_str!("../../../../docs/draw-examples/sealed.json")).unwrap();
    let void: Value = serde_json::from_str(include_str!("../../../../docs/draw-examples/void.json")).unwrap();
    let with = |base: &Value, pointer: &str, name: &str, value: Value| {
        let mut changed = base.clone();
        changed.pointer_mut(pointer).unwrap().as_object_mut().unwrap().insert(name.to_owned(), value);
        Certificate::parse(&changed.to_string()).unwrap_err().to_string()
    };
    for (error, expected) in [
        (
            with(&frozen_certificate, "", "secret", sealed["secret"].clone()),
            "字段 secret：状态为 frozen 的证书应当没有这个字段",
        ),
        (
            with(&frozen_certificate, "/entropy", "value", json!("x")),
            "字段 entropy.value：状态为 frozen 的证书应当没有这个字段",
        ),
        (with(&void, "", "picks", json!([])), "字段 picks：状态为 void 的证书应当没有这个字段"),
        (with(&sealed, "", "void_reason", json!("x")), "字段 void_reason：状态为 sealed 的证书应当没有这个字段"),
        (with(&sealed, "", "level", json!("D")), "字段 level：不认识，应当没有这个字段"),
        (with(&sealed, "/candidates/0", "name", json!("甲")), "字段 name：不认识，应当没有这个字段"),
        (with(&sealed, "", "witness", json!(null)), "字段 witness：已抽取的证书必须有见证"),
        (with(&sealed, "", "replacements", json!(null)), "值的写法不对"),
        (with(&sealed, "", "protocol", json!("XD2")), "字段 protocol：写的是“XD2”，应为 XD1"),
        (with(&sealed, "", "seed", json!(sealed["seed"].as_str().unwrap().to_uppercase())), "应为64位小写十六进制"),
        (with(&sealed, "", "plan", json!("a\tb")), "不是一行文字"),
        (with(&sealed, "", "sealed_at", json!("2026-11-24T14:00:00Z")), "不是时刻"),
    ] {
        assert!(error.contains(expected), "{error}");
    }
    assert!(Certificate::parse("{").unwrap_err().to_string().contains("不是完整的 JSON"));
}

#[test]
fn a_consistently_rewritten_certificate_is_found_against_its_published_freeze_hash() {
    let honest = certificate();
    let strata = vec![stratum("food_production/C", codes(2, 6), 2), stratum("food_production/D", codes(11, 5), 2)];
    let rewritten = sealed(frozen(input(strata), secrets("certificates")));
    let rewritten = rewritten.certificate();
    assert!(verify(rewritten, &Published::default()).holds());
    let published = Published { freeze_hash: Some(honest.freeze_hash), ..Published::default() };
    let found = verify(rewritten, &published);
    let fault = found.faults().next().unwrap();
    assert_eq!((fault.field.as_str(), &fault.expected), ("freeze_hash", &honest.freeze_hash.to_string()));
    assert!(verify(&honest, &published).holds());
}

#[test]
fn a_seal_rewritten_afterwards_is_found_against_a_kept_certificate_hash() {
    let draw = || frozen(input(vec![stratum("food_production/C", codes(1, 6), 2)]), secrets("certificates"));
    let value = super::support::value(super::support::DRAWN);
    let honest = draw().seal(&value, at(24, "22:00"), at(25, "17:00")).unwrap();
    let later = draw().seal(&value, at(24, "23:00"), at(25, "17:00")).unwrap();
    let kept = honest.certificate().sealed().unwrap().certificate_hash;
    let published = Published { certificate_hash: Some(kept), ..Published::default() };
    assert!(verify(honest.certificate(), &published).holds());
    assert!(!verify(later.certificate(), &published).holds());
}

#[test]
fn what_cannot_be_proven_is_said() {
    let found = verify(&certificate(), &Published::default());
    let said = found.unproven.join("\n");
    for words in ["见证", "开奖公告", "审计视图", "台账", "隐瞒"] {
        assert!(said.contains(words), "{words}");
    }
    let published = Published { freeze_hash: Some(certificate().freeze_hash), ..Published::default() };
    assert!(!verify(&certificate(), &published).unproven.join("\n").contains("见证是否真实"));
}
