//! Kinds of record.

use super::super::kind::{EndedBy, Field, FieldType, Kind, Nature};
use super::super::node::Node;
use super::super::shelf::Edition;
use super::Checking;
use super::heads::{bad_name, is_name};

pub(super) const DAYS: &[FieldType] = &[FieldType::Day];
pub(super) const ANY_DAYS: &[FieldType] = &[FieldType::Day, FieldType::EndDay];
const NUMBERS_OF_DOCUMENTS: &[FieldType] = &[FieldType::Code, FieldType::Text];

pub(super) fn kind(checking: &mut Checking, edition: &Edition<Kind>) {
    let (kind, node) = (&edition.rule, &edition.node);
    let fields = kind.fields.iter().enumerate();
    let names = fields.map(|(place, field)| (field.name.value.as_str(), node.at("fields").item(place)));
    checking.unique("字段", names);
    for (place, field) in kind.fields.iter().enumerate() {
        self::field(checking, node.at("fields").item(place), field);
    }
    for (key, name, types) in [
        ("occurred_on", &kind.occurred_on, DAYS),
        ("formed_on", &kind.formed_on, DAYS),
        ("version", &kind.version, DAYS),
        ("document_number", &kind.document_number, NUMBERS_OF_DOCUMENTS),
    ] {
        if let Some(name) = name {
            checking.open_field(node.at(key), kind, name, types);
        }
    }
    for (place, name) in kind.identity.iter().enumerate() {
        checking.field(node.at("identity").item(place), kind, name, &[]);
    }
    let identity = kind.identity.iter().enumerate();
    checking
        .unique("identity 中的字段", identity.map(|(place, name)| (name.as_str(), node.at("identity").item(place))));
    if kind.nature == Nature::Event && kind.version.is_some() {
        let mend = "事件的更正另有办法：删去 version，或改为 nature: state";
        checking.tell(node.at("version").fault("事件（event）没有版本").mend(mend));
    }
    if let Some(ends) = &kind.ends {
        let node = node.at("ends");
        if ends.on.is_none() && ends.by.is_none() {
            checking.tell(
                node.fault("ends 没有写如何终止").mend("写 on（终止日期的字段）、by（使其终止的记录）之一或两者"),
            );
        }
        if let Some(on) = &ends.on {
            checking.open_field(node.at("on"), kind, on, ANY_DAYS);
        }
        if let Some(by) = &ends.by {
            ended_by(checking, node.at("by"), kind, by);
        }
    }
    if let Some(by) = &kind.repaired {
        ended_by(checking, node.at("repaired"), kind, by);
    }
    if let Some(publicity) = &kind.publicity {
        super::publicity::publicity(checking, edition, publicity);
    }
}

fn field(checking: &mut Checking, node: &Node, field: &Field) {
    let name = &field.name.value;
    if !is_name(name) {
        checking.tell(bad_name(node.at("name"), name));
    }
    match (field.field_type, field.choices.is_empty()) {
        (FieldType::Choice, true) => {
            let mend = "写 choices，例如 choices: {A: [低, 低风险], B: [一般]}";
            checking.tell(node.at("type").fault(format!("字段“{name}”没有列出选项")).mend(mend));
        }
        (FieldType::Choice, false) | (_, true) => {}
        (_, false) => {
            let message = format!("字段“{name}”的类型是 {}，不能有选项", field.field_type);
            checking.tell(node.at("choices").fault(message).mend("删去 choices，或改为 type: choice"));
        }
    }
    let choices = node.at("choices");
    for code in field.choices.iter().filter(|(_, spellings)| spellings.is_empty()).map(|(code, _)| code) {
        let message = format!("选项“{code}”没有写法");
        checking.tell(choices.at(code).fault(message).mend("至少写一种，第一种给人看"));
    }
    // A code is a spelling of itself; its own list may repeat it.
    let spellings = field.choices.iter().flat_map(|(code, spellings)| {
        let others = spellings.iter().filter(move |spelling| *spelling != code);
        std::iter::once(code).chain(others).map(move |spelling| (spelling.as_str(), choices.at(code)))
    });
    checking.unique(&format!("字段“{name}”的选项写法"), spellings.collect::<Vec<_>>());
}

/// The other kind, and fields of both that can be equal.
pub(super) fn ended_by(checking: &mut Checking, node: &Node, kind: &Kind, by: &EndedBy) {
    for other in checking.kinds_of(node.at("kind"), &by.kind, &kind.rule) {
        for (own, others) in &by.matching {
            let at = node.at("matching").at(own);
            let own_field = checking.open_field(at, kind, own, &[]);
            let others_field = checking.open_field(at, other, others, &[]);
            let (Some(own_field), Some(others_field)) = (own_field, others_field) else {
                continue;
            };
            let (one, two) = (own_field.field_type, others_field.field_type);
            if !alike(one, two) {
                let message =
                    format!("“{own}”（{one}）与“{}”的“{others}”（{two}）类型不同，不会相等", other.rule.title);
                checking.tell(at.fault(message).mend("请对应两个同类型的字段"));
            }
        }
        for (place, one) in by.conditions.iter().enumerate() {
            super::models::condition(checking, other, one, node.at("where").item(place));
        }
    }
}

/// Whether values of these types can be equal.
fn alike(one: FieldType, other: FieldType) -> bool {
    one == other || (ANY_DAYS.contains(&one) && ANY_DAYS.contains(&other))
}
