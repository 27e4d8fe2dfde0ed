//! What rule files must fulfil beyond their form: names that exist, validity without hole or overlap,
//! bands that cover, citations. Each fault names file, line, reason and mend.

mod alerts;
mod calendars;
mod cases;
mod combinations;
mod deadlines;
mod heads;
mod inspections;
mod kinds;
mod lotteries;
mod models;
mod outcomes;
mod publicity;
mod relations;
mod tables;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use heads::{head, heads};
pub(super) use models::model;
pub(super) use outcomes::outcome;
pub(super) use tables::table;

use super::Head;
use super::fault::{RuleError, nearest};
use super::kind::{Field, FieldType, Kind};
use super::load::Rulebook;
use super::node::Node;
use crate::credit_code::CreditCode;
use crate::record::{FailedShare, Value};

/// The checking of a rulebook.
pub(super) struct Checking<'a> {
    book: &'a Rulebook,
    /// Folders with a file that could not be read: what seems missing may stand there.
    unread: BTreeSet<String>,
    pub(super) errors: Vec<RuleError>,
}

impl<'a> Checking<'a> {
    pub(super) fn new(book: &'a Rulebook, unread: BTreeSet<String>) -> Self {
        Self { book, unread, errors: Vec::new() }
    }

    /// Checks all rules.
    pub(super) fn all(&mut self) {
        let book = self.book;
        book.kinds.0.iter().for_each(|edition| kinds::kind(self, edition));
        book.tables.0.iter().for_each(|edition| table(self, edition));
        book.models.0.iter().for_each(|edition| model(self, edition));
        models::one_for_each_field(self);
        combinations::combinations(self);
        calendars::calendars(self);
        book.deadlines.0.iter().for_each(|edition| deadlines::deadline(self, edition));
        book.approvals.0.iter().for_each(|edition| deadlines::procedure(self, edition));
        book.inspections.0.iter().for_each(|edition| inspections::item(self, edition));
        book.lotteries.0.iter().for_each(|edition| lotteries::lottery(self, edition));
        book.alerts.0.iter().for_each(|edition| alerts::alert(self, edition));
        book.measures.0.iter().for_each(|edition| alerts::measures(self, edition));
        book.relations.0.iter().for_each(|edition| relations::relation(self, edition));
        book.cases.iter().for_each(|(file, node)| cases::case_file(self, file, node));
    }

    /// The faults by file and line. Editions of a rule share its text, so each is told once.
    pub(super) fn finish(mut self) -> Vec<RuleError> {
        self.errors.sort();
        self.errors.dedup();
        self.errors
    }

    fn tell(&mut self, error: RuleError) {
        self.errors.push(error);
    }

    /// Tells of the second and later uses of a name that must be used once.
    fn unique<'n>(&mut self, what: &str, names: impl IntoIterator<Item = (&'n str, &'n Node)>) {
        let mut seen: BTreeMap<&str, &Node> = BTreeMap::new();
        for (name, node) in names {
            match seen.get(name) {
                Some(first) => {
                    let mend = format!("第一处在第 {} 行，请改名或合并", first.line);
                    self.tell(node.fault(format!("{what}“{name}”重复")).mend(mend));
                }
                None => {
                    seen.insert(name, node);
                }
            }
        }
    }

    /// The wordings of a kind during a rule's validity. It must have one on every day of it.
    fn kinds_of(&mut self, at: &Node, id: &str, head: &Head) -> Vec<&'a Kind> {
        let shelf = &self.book.kinds;
        if shelf.of(id).next().is_none() {
            if !self.unread.contains("kinds") {
                self.tell(at.fault(format!("没有记录种类“{id}”")).mend(nearest(id, shelf.ids())));
            }
            return Vec::new();
        }
        if let Some(day) = shelf.first_day_without(id, head.from, head.until) {
            let message = format!("记录种类“{id}”在 {day} 没有有效的版本，而本规则那天有效");
            self.tell(at.fault(message).mend("请核对两条规则的 from 与 until"));
        }
        self.wordings(id, head).collect()
    }

    /// As [`Self::kinds_of`], of a kind that was told of before if it is unknown.
    fn wordings(&self, id: &str, head: &Head) -> impl Iterator<Item = &'a Kind> + use<'a> {
        let editions: Vec<_> = self.book.kinds.during(id, head.from, head.until).collect();
        editions.into_iter().map(|edition| &edition.rule)
    }

    /// The field of a kind; it must exist and, where types are given, be of one of them.
    fn field<'k>(&mut self, at: &Node, kind: &'k Kind, name: &str, types: &[FieldType]) -> Option<&'k Field> {
        let Some(field) = kind.field(name) else {
            let known = kind.fields.iter().map(|field| field.name.value.as_str());
            let message = format!("“{}”没有字段“{name}”", kind.rule.title);
            self.tell(at.fault(message).mend(nearest(name, known)));
            return None;
        };
        if !types.is_empty() && !types.contains(&field.field_type) {
            let types: Vec<String> = types.iter().map(ToString::to_string).collect();
            let message = format!("字段“{name}”的类型是 {}，不能用在这里", field.field_type);
            let mend = format!("这里要用类型为 {} 的字段", types.join("、"));
            self.tell(at.fault(message).mend(mend));
            return None;
        }
        Some(field)
    }

    /// As [`Self::field`]; and it must not be personal, because payloads do not hold personal data.
    fn open_field<'k>(&mut self, at: &Node, kind: &'k Kind, name: &str, types: &[FieldType]) -> Option<&'k Field> {
        let field = self.field(at, kind, name, types)?;
        if field.personal {
            let message = format!("字段“{name}”是个人信息，不能用在这里");
            self.tell(at.fault(message).mend("请换一个 personal 不为 true 的字段"));
            return None;
        }
        Some(field)
    }

    /// The value must be one that a field can have.
    fn value(&mut self, at: &Node, field: &Field, value: &Value) {
        let fits = match (field.field_type, value) {
            (FieldType::Text | FieldType::Code | FieldType::Codes, Value::Text(_)) => true,
            (FieldType::Amount | FieldType::Integer, Value::Integer(_)) | (FieldType::Flag, Value::Flag(_)) => true,
            (FieldType::CreditCode, Value::Text(text)) => text.parse::<CreditCode>().is_ok(),
            (FieldType::Day | FieldType::EndDay, Value::Text(_)) => value.as_day().is_some(),
            (FieldType::Choice, Value::Text(text)) => field.choices.contains_key(text.as_str()),
            (FieldType::Share, Value::Text(text)) => text.parse::<FailedShare>().is_ok(),
            _ => false,
        };
        if fits {
            return;
        }
        let mend = match field.field_type {
            FieldType::Text | FieldType::Code | FieldType::Codes => "请写文字，全是数字的加引号".to_owned(),
            FieldType::CreditCode => "请写校验通过的统一社会信用代码".to_owned(),
            FieldType::Day | FieldType::EndDay => "日期写作 2026-11-24".to_owned(),
            FieldType::Amount => "请写整数，以分为单位".to_owned(),
            FieldType::Integer => "请写整数".to_owned(),
            FieldType::Flag => "是写 true，否写 false".to_owned(),
            FieldType::Choice if field.choices.contains_key(&value.to_string()) => "请加引号".to_owned(),
            FieldType::Choice => nearest(&value.to_string(), field.choices.keys()),
            FieldType::Share => "写作“未通过的权重/适用的权重”，例如 3/12".to_owned(),
        };
        let message = format!("“{value}”不是字段“{}”（{}）可取的值", field.name.value, field.field_type);
        self.tell(at.fault(message).mend(mend));
    }
}
