//! Rules on relations: a relation that records can say, fields that can be compared, counts that can be reached.

use super::super::fault::nearest;
use super::super::relations::RelationRule;
use super::super::shelf::Edition;
use super::Checking;
use super::models::requirement;
use crate::relation::RELATION;

pub(super) fn relation(checking: &mut Checking, edition: &Edition<RelationRule>) {
    let (rule, node) = (&edition.rule, &edition.node);
    let head = &rule.rule;
    for kind in checking.kinds_of(node.at("relation"), RELATION, head) {
        let Some(field) = checking.open_field(node.at("relation"), kind, "relation", &[]) else { continue };
        if !field.choices.contains_key(&rule.relation) {
            let message = format!("“{}”没有关联类别“{}”", kind.rule.title, rule.relation);
            checking.tell(node.at("relation").fault(message).mend(nearest(&rule.relation, field.choices.keys())));
        }
    }
    for (key, list) in [("among", &rule.among), ("counting", &rule.counting)] {
        for (place, one) in list.iter().enumerate() {
            requirement(checking, head, one, node.at(key).item(place));
        }
    }
    let shared = node.at("shared");
    if rule.shared.fields.is_empty() {
        checking.tell(shared.at("fields").fault("没有写按哪个字段关联").mend("在 fields 中至少写一个字段"));
    }
    for kind in checking.kinds_of(shared.at("kind"), &rule.shared.kind, head) {
        let mut personal = Vec::new();
        for (place, name) in rule.shared.fields.iter().enumerate() {
            let field = checking.field(shared.at("fields").item(place), kind, name, &[]);
            personal.extend(field.map(|field| field.personal));
        }
        if personal.contains(&true) && personal.contains(&false) {
            let mend = "个人信息的字段与其他字段分写两条规则";
            checking.tell(shared.at("fields").fault("个人信息只能与个人信息比对").mend(mend));
        }
    }
    if rule.at_least < 1 {
        let message = format!("at_least {} 不到一户，每家企业都会有记录", rule.at_least);
        checking.tell(node.at("at_least").fault(message).mend("至少写 1"));
    }
}
