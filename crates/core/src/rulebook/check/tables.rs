//! Exchange tables.

use std::collections::BTreeSet;

use super::super::fault::nearest;
use super::super::kind::{Field, FieldType, Kind, Nature};
use super::super::node::Node;
use super::super::shelf::Edition;
use super::super::table::{GeneratedCode, RecordMapping, Table};
use super::Checking;
use crate::credit_code::CreditCode;
use crate::record::Value;

pub(in super::super) fn table(checking: &mut Checking, edition: &Edition<Table>) {
    let (table, node) = (&edition.rule, &edition.node);
    columns(checking, table, node.at("columns"));
    enterprise(checking, table, node.at("enterprise"));
    if let Some(flag) = &table.delete_flag {
        let node = node.at("delete_flag");
        column(checking, node.at("column"), table, &flag.column);
        if flag.values.is_empty() {
            checking.tell(node.at("values").fault("没有写表示“已删除”的值").mend("例如 values: [D, 删除]"));
        }
    }
    if table.records.is_empty() {
        let mend = "在 records 中写记录种类及其字段来自哪一列";
        checking.tell(node.at("records").fault("这张表不产生任何记录").mend(mend));
    }
    for (place, mapping) in table.records.iter().enumerate() {
        record(checking, table, mapping, node.at("records").item(place), node.at("columns"));
    }
}

/// A heading, be it the standard name, the Chinese one or another, belongs to one column.
fn columns(checking: &mut Checking, table: &Table, node: &Node) {
    let mut headings: Vec<(&str, &Node)> = Vec::new();
    for (place, column) in table.columns.iter().enumerate() {
        let all = [&column.name.value, &column.title].into_iter().chain(&column.also);
        let own: BTreeSet<&str> = all.map(String::as_str).collect();
        headings.extend(own.into_iter().map(|heading| (heading, node.item(place))));
    }
    checking.unique("列名或表头", headings);
}

fn column(checking: &mut Checking, at: &Node, table: &Table, name: &str) {
    if table.column(name).is_none() {
        let known = table.columns.iter().map(|column| column.name.value.as_str());
        checking.tell(at.fault(format!("没有列“{name}”")).mend(nearest(name, known)));
    }
}

/// Columns that say whose record a row is.
fn enterprise(checking: &mut Checking, table: &Table, node: &Node) {
    let keys = &table.enterprise;
    let named = [
        ("credit_code", &keys.credit_code),
        ("main_identity", &keys.main_identity),
        ("registration_number", &keys.registration_number),
        ("name", &keys.name),
    ];
    for (key, name) in named {
        if let Some(name) = name {
            column(checking, node.at(key), table, name);
        }
    }
    if let Some(GeneratedCode { from, prefix }) = &keys.generated {
        let node = node.at("generated");
        column(checking, node.at("from"), table, from);
        if let Err(error) = CreditCode::compose(prefix, &"0".repeat(8)) {
            let message = format!("“{prefix}”不能作信用代码的前八位：{error}");
            checking.tell(node.at("prefix").fault(message).mend("前八位是登记管理部门、机构类别和六位区划代码"));
        }
    } else if named.iter().all(|(_, name)| name.is_none()) {
        let mend = "在 enterprise 下写 credit_code、main_identity、registration_number、name 中有的";
        checking.tell(node.fault("没有说明哪一列表示企业").mend(mend));
    }
}

fn record(checking: &mut Checking, table: &Table, mapping: &RecordMapping, node: &Node, columns: &Node) {
    if let Some(when) = &mapping.when {
        column(checking, node.at("when"), table, when);
    }
    for (field, name) in &mapping.fields {
        column(checking, node.at("fields").at(field), table, name);
        if mapping.constants.contains_key(field) {
            let message = format!("字段“{field}”既取自列“{name}”，又写了固定值");
            checking.tell(node.at("constants").at(field).fault(message).mend("fields 与 constants 只写一处"));
        }
    }
    for (field, name) in &mapping.as_given {
        let node = node.at("as_given").at(field);
        column(checking, node, table, name);
        if mapping.fields.contains_key(field) || mapping.constants.contains_key(field) {
            let message = format!("字段“{field}”写了不止一处");
            checking.tell(node.fault(message).mend("fields、as_given 与 constants 只写一处"));
        }
    }
    for kind in checking.kinds_of(node.at("kind"), &mapping.kind.value, &table.rule) {
        for name in mapping.as_given.keys() {
            checking.field(node.at("as_given").at(name), kind, name, &[]);
        }
        for name in mapping.fields.keys() {
            checking.field(node.at("fields").at(name), kind, name, &[]);
        }
        for (name, text) in &mapping.constants {
            let node = node.at("constants").at(name);
            if let Some(field) = checking.field(node, kind, name, &[]) {
                text_value(checking, node, field, text);
            }
        }
        required(checking, mapping, node, kind);
        replacements(checking, table, mapping, kind, columns);
    }
}

/// Every field without which a row is refused must come from somewhere.
fn required(checking: &mut Checking, mapping: &RecordMapping, node: &Node, kind: &Kind) {
    let is_given = |name: &str| {
        mapping.fields.contains_key(name) || mapping.as_given.contains_key(name) || mapping.constants.contains_key(name)
    };
    let is_day = |field: &Field| kind.nature == Nature::Event && kind.occurred_on.as_ref() == Some(&field.name.value);
    for field in kind.fields.iter().filter(|field| field.required || is_day(field)) {
        let name = &field.name.value;
        if !is_given(name) {
            let message = format!("没有给出“{}”必填的字段“{name}”（{}）", kind.rule.title, field.title);
            let mend = "在 fields 中写它取自哪一列，或在 constants 中写固定值";
            checking.tell(node.at("fields").fault(message).mend(mend));
        }
    }
}

/// What a column's values are replaced by must be values of the field it is read into.
fn replacements(checking: &mut Checking, table: &Table, mapping: &RecordMapping, kind: &Kind, columns: &Node) {
    for (place, column) in table.columns.iter().enumerate() {
        let into = mapping.fields.iter().filter(|(_, name)| **name == column.name.value);
        let fields: Vec<&Field> = into.filter_map(|(field, _)| kind.field(field)).collect();
        for (given, meant) in column.values.iter().filter(|(_, meant)| !meant.is_empty()) {
            for field in &fields {
                let node = columns.item(place).at("values").at(given);
                text_value(checking, node, field, meant);
            }
        }
    }
}

/// A text of a rule file must be one that the import reads as a value of the field.
fn text_value(checking: &mut Checking, node: &Node, field: &Field, text: &str) {
    let read = match field.field_type {
        FieldType::Choice => {
            let known = || field.choices.iter().flat_map(|(code, spellings)| spellings.iter().chain([code]));
            if known().all(|spelling| spelling != text) {
                let message = format!("“{text}”不是字段“{}”的选项", field.name.value);
                checking.tell(node.fault(message).mend(nearest(text, known())));
            }
            return;
        }
        FieldType::Amount => {
            if text.parse::<f64>().is_err() {
                let message = format!("“{text}”不是字段“{}”可取的金额", field.name.value);
                checking.tell(node.fault(message).mend("请只写数字，单位见该列的 unit，例如 3000"));
            }
            return;
        }
        FieldType::Integer => text.parse().ok().map(Value::Integer),
        FieldType::Flag => match text {
            "true" | "是" => Some(Value::Flag(true)),
            "false" | "否" => Some(Value::Flag(false)),
            _ => None,
        },
        _ => None,
    };
    checking.value(node, field, &read.unwrap_or_else(|| Value::from(text)));
}
