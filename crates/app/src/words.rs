//! Values and records in words, by what the rulebook says of their fields.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta};
use xinheng_core::classify::{COMBINED, GENERAL, RECEIVED_LEVEL};
use xinheng_core::record::{Day, GIVEN_NAME, Moment, Record, Seq, Value};
use xinheng_core::rulebook::kind::{Field, FieldType, Kind};
use xinheng_core::rulebook::load::Rulebook;
use xinheng_store::{MATCHED_RECORD, MATCHING, given};

use crate::act::Actor;
use crate::profile::ShownField;

/// Fields of a summary, and the length of each in characters.
const SUMMARY_FIELDS: usize = 3;
const SUMMARY_LENGTH: usize = 40;

/// What people read for a value.
pub(crate) fn shown(field: &Field, value: &Value) -> String {
    match (field.field_type, value) {
        (FieldType::Amount, Value::Integer(fen)) => yuan(*fen),
        (FieldType::Choice, Value::Text(code)) => field.shown(code).to_owned(),
        (FieldType::Codes, Value::Text(codes)) => {
            codes.split(',').map(|code| field.shown(code)).collect::<Vec<_>>().join("、")
        }
        (_, value) => value.to_string(),
    }
}

/// An amount in fen (分) as `35,000元`.
fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let (yuan, rest) = ((fen.unsigned_abs() / 100).to_string(), fen.unsigned_abs() % 100);
    let groups: Vec<_> = yuan.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    let rest = if rest == 0 { String::new() } else { format!(".{rest:02}") };
    format!("{sign}{}{rest}元", groups.join(","))
}

/// The time in China, to the minute.
pub(crate) fn china_time(moment: Moment) -> String {
    let shifted = DateTime::from_timestamp_micros(moment.micros()).map(|utc| utc + TimeDelta::hours(8));
    shifted.map(|local| local.format("%Y-%m-%d %H:%M").to_string()).unwrap_or_default()
}

/// What stands above a table that is taken out: what it is of, who took it out and when ([`china_time`]).
pub(crate) fn preface<'a>(of: (&'a str, &'a str), actor: &'a Actor, at: &'a str) -> [(&'a str, &'a str); 4] {
    [of, ("导出单位", actor.unit_name.as_str()), ("导出人", actor.name.as_str()), ("导出时间", at)]
}

/// All fields of a record in the order of its kind: what it has in clear, and what it has sealed. Those
/// that no kind declares come last, under names that people know.
pub(crate) fn fields(record: &Record, kind: Option<&Kind>) -> Vec<ShownField> {
    let declared = kind.map(|kind| &kind.fields[..]).unwrap_or_default();
    let mut known = BTreeSet::new();
    let mut fields = Vec::new();
    for field in declared {
        let name = field.name.value.as_str();
        known.insert(name);
        let value = record.payload.get(name);
        // A value that is sealed is not shown, whatever else a damaged row may hold under its name.
        let sealed = record.commitments.get(name).is_some();
        if sealed || value.is_some() {
            let value = value.filter(|_| !sealed && !field.personal).map(|value| shown(field, value));
            fields.push(ShownField { name: name.to_owned(), title: field.title.clone(), value });
        }
    }
    let clear = record.payload.iter().map(|(name, value)| (name, Some(value.to_string())));
    let sealed = record.commitments.iter().map(|(name, _)| (name, None));
    for (name, value) in clear.chain(sealed).filter(|(name, _)| !known.contains(name)) {
        fields.push(ShownField { name: name.to_owned(), title: undeclared(name).to_owned(), value });
    }
    fields
}

fn undeclared(name: &str) -> &str {
    match name {
        GIVEN_NAME => "来件所填企业名称",
        given::CREDIT_CODE => "来件所填统一社会信用代码",
        given::MAIN_IDENTITY => "来件所填主体身份代码",
        given::REGISTRATION_NUMBER => "来件所填注册号",
        other => other,
    }
}

/// What people call a kind of record.
pub(crate) fn kind_title(rulebook: &Rulebook, kind: &str, day: Day) -> String {
    match rulebook.kind(kind, day) {
        Some(kind) => kind.rule.title.clone(),
        None if kind == MATCHING => "记录归户".to_owned(),
        None if kind == xinheng_store::CLASSIFICATION => "信用风险分类".to_owned(),
        None => kind.to_owned(),
    }
}

/// What happened, in a short sentence: the first telling fields in the order in which people read them.
pub(crate) fn summary(record: &Record, kind: Option<&Kind>) -> String {
    if record.kind == MATCHING {
        let matched = record.payload.integer(MATCHED_RECORD).unwrap_or_default();
        return format!("第 {} 条记录归于本企业", Seq(matched));
    }
    let Some(kind) = kind else { return String::new() };
    let withdrawn = if record.withdrawn { "撤销：" } else { "" };
    let said_elsewhere = [&kind.document_number, &kind.occurred_on, &kind.version];
    let telling = kind.fields.iter().filter(|field| {
        let text =
            matches!(field.field_type, FieldType::Text | FieldType::Choice | FieldType::Amount | FieldType::Codes);
        let flag =
            field.field_type == FieldType::Flag && record.payload.get(&field.name.value) == Some(&Value::Flag(true));
        (text || flag) && !field.personal && !said_elsewhere.contains(&&Some(field.name.value.clone()))
    });
    let parts = telling.filter_map(|field| {
        let value = record.payload.get(&field.name.value)?;
        Some(match value {
            Value::Flag(_) => field.title.clone(),
            value => format!("{}：{}", field.title, shortened(&shown(field, value))),
        })
    });
    format!("{withdrawn}{}", parts.take(SUMMARY_FIELDS).collect::<Vec<_>>().join("；"))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SUMMARY_LENGTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// What people call a scope of levels.
pub(crate) fn scope_title(rulebook: &Rulebook, scope: &str, day: Day) -> String {
    match scope {
        COMBINED => "综合等级".to_owned(),
        GENERAL => "通用型等级".to_owned(),
        RECEIVED_LEVEL => "省级下发等级".to_owned(),
        // A key field is called as on licences; one without licences, as its model.
        field => {
            let licence = rulebook.kind("license", day).and_then(|kind| kind.field("field"));
            match licence.map(|licence| licence.shown(field)).filter(|title| *title != field) {
                Some(title) => title.to_owned(),
                None => {
                    let model = rulebook.all_models().find(|model| model.field == field);
                    model.map_or(field, |model| &model.rule.title).to_owned()
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fen_are_read_as_yuan() {
        assert_eq!(yuan(3_500_000), "35,000元");
        assert_eq!(yuan(105), "1.05元");
        assert_eq!(yuan(-1_234_567_800), "-12,345,678元");
        assert_eq!(yuan(0), "0元");
    }
}
