//! Relations that are derived before scoring, by the regulations of this repository.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use common::{folder, load};
use proptest::prelude::*;
use xinheng_core::credit_code::CreditCode;
use xinheng_core::history::{Facts, Kinds};
use xinheng_core::record::{Day, Payload, Seq, Statement, Value};
use xinheng_core::relation::{FOUND_BY_SYSTEM, Related, Relating};
use xinheng_core::rulebook::load::Rulebook;

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn record(seq: i64, kind: &str, fields: &[(&str, &str)]) -> Statement {
    Statement {
        seq: Seq(seq),
        kind: kind.into(),
        occurred_on: day("2026-01-01"),
        version: Some(day("2026-01-01")),
        document_number: None,
        supersedes: None,
        withdrawn: false,
        payload: payload(fields),
    }
}

fn payload(fields: &[(&str, &str)]) -> Payload {
    fields.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect()
}

/// An enterprise: its records, and what stands for its representative's number.
#[derive(Clone, Default)]
struct Firm {
    records: Vec<Statement>,
    person: Option<u8>,
}

impl Firm {
    fn at(address: &str) -> Self {
        Self { records: vec![record(1, "registration", &[("name", "某企业"), ("address", address)])], person: None }
    }

    fn of(person: u8) -> Self {
        Self { person: Some(person), ..Self::at("无") }
    }

    /// Registered so.
    fn registered(mut self, fields: &[(&str, &str)]) -> Self {
        self.records[0].payload.extend(payload(fields).iter().map(|(name, value)| (name, value.clone())));
        self
    }

    fn with(mut self, kind: &str, fields: &[(&str, &str)]) -> Self {
        let seq = self.records.len() as i64 + 1;
        self.records.push(record(seq, kind, fields));
        self
    }

    /// What was derived on an earlier day.
    fn known(self, relation: &str, count: i64) -> Self {
        let mut firm = self.with("relation", &[("relation", relation), ("found_by", FOUND_BY_SYSTEM)]);
        firm.records.last_mut().unwrap().payload.insert("count".to_owned(), Value::Integer(count));
        firm
    }
}

fn code(number: usize) -> CreditCode {
    CreditCode::compose("91999999", &format!("{number:08}")).unwrap()
}

fn differences(book: &Rulebook, firms: &[Firm]) -> Vec<(usize, String, Option<i64>)> {
    let on = day("2026-11-28");
    let kinds = Kinds::new(book.kinds(on));
    let mut relating = Relating::new(book.relations(on), &kinds);
    for (number, firm) in firms.iter().enumerate() {
        let facts = Facts::new(&firm.records, on, &kinds);
        relating.take(code(number), &facts, |_, _| firm.person.map(|person| [person; 32]));
    }
    let number = |enterprise| (0..firms.len()).find(|number| code(*number) == enterprise).unwrap();
    let said = |Related { enterprise, relation, count }| (number(enterprise), relation.to_owned(), count);
    relating.differences().into_iter().map(said).collect()
}

static REGULATIONS: LazyLock<Rulebook> = LazyLock::new(|| load(&folder("../../regulations")));

const HALL: &str = "某县城关镇人民路12号3幢201室";

#[test]
fn one_address_is_one_however_it_is_spaced_and_a_village_is_none() {
    let firms = [
        Firm::at(HALL),
        Firm::at("某县城关镇人民路１２号 3幢２０１室"),
        Firm::at("某县城关镇人民路12号3幢202室"),
        Firm::at("城关镇北关村"),
        Firm::at("城关镇北关村"),
        Firm::at(HALL).registered(&[("status", "deregistered")]),
    ];
    let said = differences(&REGULATIONS, &firms);
    assert_eq!(said, [(0, "same_address".to_owned(), Some(2)), (1, "same_address".to_owned(), Some(2))]);
}

#[test]
fn an_address_of_eight_characters_is_one_and_of_seven_none() {
    // Spaces and marks are not counted.
    let firms = ["城关镇北关村八号", "城关镇 北关村，八号", "城关镇北关村八", "城关镇北关村八"].map(Firm::at);
    let said: Vec<_> = differences(&REGULATIONS, &firms).into_iter().map(|(firm, _, count)| (firm, count)).collect();
    assert_eq!(said, [(0, Some(2)), (1, Some(2))]);
}

#[test]
fn only_what_changed_is_said_again() {
    let both = || Firm::at(HALL);
    let firms =
        [both().known("same_address", 2), both().known("same_address", 3), Firm::at("无").known("same_address", 2)];
    let said = differences(&REGULATIONS, &firms);
    assert_eq!(said, [(1, "same_address".to_owned(), Some(2)), (2, "same_address".to_owned(), None)]);
}

#[test]
fn a_person_with_a_firm_on_the_serious_list_is_told_of_the_others_alone() {
    let listed = Firm::of(7).with("serious_entry", &[]);
    let revoked = Firm::of(8).registered(&[("status", "revoked")]);
    let firms = [listed, Firm::of(7), revoked, Firm::of(8), Firm::of(9), Firm::default()];
    let said = differences(&REGULATIONS, &firms);
    let serious: Vec<_> = said.iter().filter(|(_, relation, _)| relation == "linked_serious").collect();
    assert_eq!(serious, [&(1, "linked_serious".to_owned(), Some(1)), &(3, "linked_serious".to_owned(), Some(1))]);
    // A revoked firm is none of a person's running ones.
    let same: Vec<_> = said.iter().filter(|(_, relation, _)| relation == "same_person").map(|said| said.0).collect();
    assert_eq!(same, [0, 1]);
}

#[test]
fn a_branch_in_abnormal_operation_is_told_to_its_parent_and_its_siblings() {
    let parent = Firm::at("无").registered(&[("main_identity", "M1")]);
    let branch = |own: &str| Firm::at("无").registered(&[("main_identity", own), ("parent_main_identity", "M1")]);
    let firms = [parent, branch("M2").with("abnormal_entry", &[]), branch("M3")];
    let said = differences(&REGULATIONS, &firms);
    let abnormal: Vec<_> = said.iter().map(|(firm, relation, count)| (*firm, relation.as_str(), *count)).collect();
    assert_eq!(abnormal, [(0, "linked_abnormal", Some(1)), (2, "linked_abnormal", Some(1))]);
}

proptest! {
    /// However the firms come, each is told how many there are at its address.
    #[test]
    fn every_firm_is_told_how_many_share_its_address(places in prop::collection::vec(0_u8..6, 0..40)) {
        let firms: Vec<Firm> = places.iter().map(|place| Firm::at(&format!("{HALL}之{place}"))).collect();
        let mut counts: BTreeMap<u8, i64> = BTreeMap::new();
        for place in &places {
            *counts.entry(*place).or_default() += 1;
        }
        let expected: Vec<_> = (0..).zip(&places).filter(|(_, place)| counts[place] > 1)
            .map(|(firm, place)| (firm, "same_address".to_owned(), Some(counts[place]))).collect();
        prop_assert_eq!(differences(&REGULATIONS, &firms), expected);
    }
}
