//! Publicity of kinds: what may be public at all, and terms that fit every record.

use super::super::kind::{Kind, PublicityRule, PublicityTerm};
use super::super::model::Condition;
use super::super::node::Node;
use super::super::shelf::Edition;
use super::Checking;
use super::heads::{bad_name, is_name};
use super::kinds::{ANY_DAYS, DAYS, ended_by};
use super::models::condition;
use crate::publicity::{NEVER_PUBLIC, REGISTRATION};

pub(super) fn publicity(checking: &mut Checking, edition: &Edition<Kind>, rule: &PublicityRule) {
    let kind = &edition.rule;
    let node = edition.node.at("publicity");
    if !rule.published {
        let keys = ["counted_from", "proved", "fields", "fields_if", "terms"];
        if let Some(key) = keys.into_iter().find(|key| node.get(key).is_some()) {
            let message = format!("不公示的记录没有公示的规定（{key}）");
            checking.tell(node.at(key).fault(message).mend(format!("删去 {key}，或写 published: true")));
        }
        return;
    }
    if NEVER_PUBLIC.contains(&kind.rule.id.value.as_str()) {
        let message = format!("“{}”一律不得公示", kind.rule.title);
        let mend = "写 published: false。等级、投诉举报、舆情、关联关系、未决案件和内部办理记录不对外公开";
        checking.tell(node.at("published").fault(message).mend(mend));
        return;
    }
    for (place, name) in rule.counted_from.iter().enumerate() {
        checking.open_field(node.at("counted_from").item(place), kind, name, DAYS);
    }
    if let Some(by) = &rule.proved {
        ended_by(checking, node.at("proved"), kind, by);
    }
    let list = node.at("fields");
    let names = |list: &'_ [String], node: &'_ Node| -> Vec<(String, Node)> {
        list.iter().enumerate().map(|(place, name)| (name.clone(), node.item(place).clone())).collect()
    };
    let mut public = names(&rule.fields, list);
    for (place, group) in rule.fields_if.iter().enumerate() {
        let node = node.at("fields_if").item(place);
        public.extend(names(&group.fields, node.at("fields")));
        if group.conditions.is_empty() && group.enterprise.is_empty() {
            let mend = "写 where 或 enterprise；无条件公开的字段写在 fields 里";
            checking.tell(node.fault("有条件公开的字段没有写条件").mend(mend));
        }
        conditions(checking, kind, &group.conditions, node.at("where"));
        enterprise(checking, kind, &group.enterprise, node.at("enterprise"));
    }
    for (name, node) in &public {
        checking.open_field(node, kind, name, &[]);
    }
    checking.unique("公开的字段", public.iter().map(|(name, node)| (name.as_str(), node)));
    terms(checking, kind, rule, node);
}

fn terms(checking: &mut Checking, kind: &Kind, rule: &PublicityRule, node: &Node) {
    let list = node.at("terms");
    let terms = || rule.terms.iter().enumerate();
    checking.unique("公示期限", terms().map(|(place, term)| (term.id.value.as_str(), list.item(place).at("id"))));
    match rule.terms.last() {
        None => {
            let mend = "至少写一项，例如 terms: [{id: general, title: 有效期内公示}]";
            checking.tell(list.fault("公示的记录没有写公示期限").mend(mend));
        }
        Some(last) if !fits_all(last) => {
            let node = list.item(rule.terms.len() - 1);
            let mend = "最后一项不写 from、until、where、any、enterprise，其余记录都归它";
            checking.tell(
                node.fault(format!("最后的公示期限“{}”有条件，会有记录不属于任何一项", last.id.value)).mend(mend),
            );
        }
        Some(_) => {}
    }
    for (place, term) in terms() {
        let node = list.item(place);
        self::term(checking, kind, term, node);
        if place + 1 < rule.terms.len() && fits_all(term) {
            let mend = "把它移到最后，或写明条件";
            checking.tell(node.fault(format!("“{}”没有条件，后面各项不会用到", term.id.value)).mend(mend));
        }
    }
}

fn fits_all(term: &PublicityTerm) -> bool {
    let conditions = [&term.conditions, &term.any, &term.enterprise];
    term.from.is_none() && term.until.is_none() && conditions.iter().all(|list| list.is_empty())
}

fn term(checking: &mut Checking, kind: &Kind, term: &PublicityTerm, node: &Node) {
    if !is_name(&term.id.value) {
        checking.tell(bad_name(node.at("id"), &term.id.value));
    }
    if term.title.trim().is_empty() {
        checking.tell(node.at("title").fault("title 是空的").mend("请写公众看得懂的一句话，例如 警告不予公示"));
    }
    if let (Some(from), Some(until)) = (term.from, term.until)
        && until < from
    {
        checking.tell(node.at("until").fault(format!("until 早于 from（{from}）")).mend("请核对起止日期"));
    }
    conditions(checking, kind, &term.conditions, node.at("where"));
    conditions(checking, kind, &term.any, node.at("any"));
    enterprise(checking, kind, &term.enterprise, node.at("enterprise"));
    if let Some(field) = &term.or_until {
        checking.open_field(node.at("or_until"), kind, field, ANY_DAYS);
        if term.lasts.is_none() {
            let mend = "or_until 是比 lasts 更晚的末日：补写 lasts，或删去 or_until";
            checking.tell(node.at("or_until").fault("没有期限可以延长").mend(mend));
        }
    }
    if let Some(key) = ["lasts", "or_until"].into_iter().find(|key| !term.published && node.get(key).is_some()) {
        let message = format!("不公示的记录没有公示的期限（{key}）");
        checking.tell(node.at(key).fault(message).mend("删去期限，或删去 published: false"));
    }
}

fn conditions(checking: &mut Checking, kind: &Kind, conditions: &[Condition], node: &Node) {
    for (place, one) in conditions.iter().enumerate() {
        condition(checking, kind, one, node.item(place));
    }
}

/// Conditions on the registration, in every wording that it has meanwhile.
fn enterprise(checking: &mut Checking, kind: &Kind, conditions: &[Condition], node: &Node) {
    if conditions.is_empty() {
        return;
    }
    for registration in checking.kinds_of(node, REGISTRATION, &kind.rule) {
        self::conditions(checking, registration, conditions, node);
    }
}
