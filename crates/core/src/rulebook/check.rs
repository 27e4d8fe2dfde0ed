//! What rule files must fulfil beyond their form: names that exist, intervals without hole or overlap,
//! bands that cover, citations. Each fault names file, line, reason and mend.

use std::collections::BTreeSet;

use serde_saphyr::Spanned;

use super::Status;
use super::kind::{EndedBy, Field, FieldType, Kind, Nature};
use super::load::{HasHead, RuleError, Rulebook, Sourced, by_id, nearest};
use super::model::{Band, Bands, Condition, Effect, Filter, Model, Part, PointsTable, Requirement};
use super::table::Table;
use crate::points::Points;

/// Checks a whole rulebook.
pub(super) fn check(book: &Rulebook) -> Vec<RuleError> {
    let mut errors = Vec::new();
    heads(&book.kinds, &mut errors);
    heads(&book.tables, &mut errors);
    heads(&book.models, &mut errors);
    heads(&book.combinations, &mut errors);
    heads(&book.calendars, &mut errors);
    book.kinds.iter().for_each(|sourced| errors.extend(kind(book, sourced)));
    book.tables.iter().for_each(|sourced| errors.extend(table(book, sourced)));
    book.models.iter().for_each(|sourced| errors.extend(model(book, sourced)));
    combinations(book, &mut errors);
    calendars(book, &mut errors);
    cases(book, &mut errors);
    errors
}

/// Validity and citation of all versions of each rule.
fn heads<T: HasHead>(rules: &[Sourced<T>], errors: &mut Vec<RuleError>) {
    for versions in by_id(rules).values_mut() {
        versions.sort_by_key(|sourced| sourced.rule.head().from);
        for sourced in versions.iter() {
            let head = sourced.rule.head();
            if head.until.is_some_and(|until| until < head.from) {
                errors.push(sourced.fault(&head.id, format!("until 早于 from（{}）", head.from), "请核对有效期的起止"));
            }
            if head.status == Status::Confirmed && head.cite.is_empty() {
                let mend = "写明 cite（文件、文号、条款）；没有出处的写 status: default";
                errors.push(sourced.fault(&head.id, "依据已核实（confirmed）的规则没有出处".to_owned(), mend));
            }
        }
        for pair in versions.windows(2) {
            let (earlier, later) = (pair[0].rule.head(), pair[1].rule.head());
            let next = earlier.until.and_then(|until| until.succ_opt());
            let message = match next {
                Some(next) if next == later.from => continue,
                Some(next) if next < later.from => {
                    format!("“{}”在 {next} 至 {} 前一日之间没有有效的版本", later.id.value, later.from)
                }
                _ => format!("“{}”的有效期与 {} 重叠", later.id.value, pair[0].path),
            };
            errors.push(pair[1].fault(&later.id, message, "前一版本的 until 应是后一版本 from 的前一天"));
        }
    }
}

fn kind(book: &Rulebook, sourced: &Sourced<Kind>) -> Vec<RuleError> {
    let kind = &sourced.rule;
    let id = &kind.rule.id;
    let mut errors = Vec::new();
    duplicates(sourced, kind.fields.iter().map(|field| &field.name), "字段", &mut errors);
    let mut refer = |name: &str, key: &str, wanted: Option<&[FieldType]>| match kind.field(name) {
        None => errors.push(sourced.fault(id, format!("{key} 提到的字段“{name}”不存在"), &near_field(kind, name))),
        Some(field) if wanted.is_some_and(|wanted| !wanted.contains(&field.field_type)) => {
            errors.push(sourced.fault(&field.name, format!("{key} 提到的字段“{name}”类型不符"), "这里需要日期字段"));
        }
        Some(_) => {}
    };
    let days: &[FieldType] = &[FieldType::Day, FieldType::EndDay];
    kind.identity.iter().for_each(|name| refer(name, "identity", None));
    kind.occurred_on.iter().for_each(|name| refer(name, "occurred_on", Some(days)));
    kind.version.iter().for_each(|name| refer(name, "version", Some(days)));
    kind.document_number.iter().for_each(|name| refer(name, "document_number", None));
    let ends = kind.ends.as_ref();
    ends.and_then(|ends| ends.on.as_ref()).iter().for_each(|name| refer(name, "ends.on", Some(days)));
    let by: Vec<(&str, &EndedBy)> =
        [("ends.by", ends.and_then(|ends| ends.by.as_ref())), ("repaired", kind.repaired.as_ref())]
            .into_iter()
            .filter_map(|(key, by)| Some((key, by?)))
            .collect();
    for (key, by) in &by {
        by.matching.keys().for_each(|name| refer(name, &format!("{key}.matching"), None));
    }
    for (key, by) in by {
        match known_kind(book, &by.kind) {
            None => errors.push(sourced.fault(
                id,
                format!("{key} 提到的记录种类“{}”不存在", by.kind),
                &near_kind(book, &by.kind),
            )),
            Some(other) => {
                for name in by.matching.values().filter(|name| other.field(name).is_none()) {
                    let message = format!("{key} 提到的字段“{name}”在“{}”中不存在", by.kind);
                    errors.push(sourced.fault(id, message, &near_field(other, name)));
                }
            }
        }
    }
    if kind.nature == Nature::Event && kind.version.is_some() {
        errors.push(sourced.fault(id, "event（事件）没有版本".to_owned(), "去掉 version，或改为 nature: state"));
    }
    for field in &kind.fields {
        let is_choice = field.field_type == FieldType::Choice;
        if is_choice == field.choices.is_empty() {
            let message = format!("字段“{}”的 choices 与类型不符", field.name.value);
            errors.push(sourced.fault(&field.name, message, "type: choice 必须列出 choices，其他类型不写"));
        }
        let mut seen = BTreeSet::new();
        for spelling in field.choices.values().flatten() {
            if !seen.insert(spelling) {
                let message = format!("字段“{}”的两个选项都写作“{spelling}”", field.name.value);
                errors.push(sourced.fault(&field.name, message, "每种写法只能属于一个选项"));
            }
        }
    }
    errors
}

pub(super) fn table(book: &Rulebook, sourced: &Sourced<Table>) -> Vec<RuleError> {
    let table = &sourced.rule;
    let id = &table.rule.id;
    let mut errors = Vec::new();
    duplicates(sourced, table.columns.iter().map(|column| &column.name), "列", &mut errors);
    let mut headings = BTreeSet::new();
    for column in &table.columns {
        for heading in std::iter::once(&column.title).chain(&column.also) {
            if !headings.insert(heading) {
                let message = format!("两列的表头都写作“{heading}”");
                errors.push(sourced.fault(&column.name, message, "每个表头只能属于一列"));
            }
        }
    }
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.value.as_str()).collect();
    let mut refer = |at: &Spanned<String>, name: &str, key: &str| {
        if table.column(name).is_none() {
            let mend = nearest(name, &names).unwrap_or_default();
            errors.push(sourced.fault(at, format!("{key} 提到的列“{name}”不存在"), &mend));
        }
    };
    let keys = &table.enterprise;
    let own = [&keys.credit_code, &keys.main_identity, &keys.registration_number, &keys.name];
    own.into_iter().flatten().for_each(|name| refer(id, name, "enterprise"));
    keys.generated.iter().for_each(|generated| refer(id, &generated.from, "enterprise.generated"));
    table.delete_flag.iter().for_each(|flag| refer(id, &flag.column, "delete_flag"));
    for record in &table.records {
        record.when.iter().for_each(|name| refer(&record.kind, name, "when"));
        record.fields.values().for_each(|name| refer(&record.kind, name, "fields"));
    }
    if own.iter().all(|key| key.is_none()) && keys.generated.is_none() {
        errors.push(sourced.fault(id, "没有说明哪一列表示企业".to_owned(), "在 enterprise 下写 credit_code 等列"));
    }
    for record in &table.records {
        let at = &record.kind;
        let Some(kind) = known_kind(book, &at.value) else {
            errors.push(sourced.fault(at, format!("不存在的记录种类“{}”", at.value), &near_kind(book, &at.value)));
            continue;
        };
        for name in record.fields.keys().chain(record.constants.keys()).filter(|name| kind.field(name).is_none()) {
            let message = format!("“{}”没有字段“{name}”", kind.rule.title);
            errors.push(sourced.fault(at, message, &near_field(kind, name)));
        }
        let given = |name: &str| record.fields.contains_key(name) || record.constants.contains_key(name);
        for field in kind.fields.iter().filter(|field| field.required && !given(&field.name.value)) {
            let message = format!("没有给出“{}”必填的字段“{}”", kind.rule.title, field.name.value);
            errors.push(sourced.fault(at, message, "在 fields 中指明列，或在 constants 中给出固定值"));
        }
        for (name, value) in &record.constants {
            let field = kind.field(name);
            if field.is_some_and(|field| field.field_type == FieldType::Choice && !field.choices.contains_key(value)) {
                let message = format!("“{value}”不是字段“{name}”的选项");
                let codes: Vec<&String> = field.into_iter().flat_map(|field| field.choices.keys()).collect();
                errors.push(sourced.fault(at, message, &nearest(value, &codes).unwrap_or_default()));
            }
        }
    }
    errors
}

pub(super) fn model(book: &Rulebook, sourced: &Sourced<Model>) -> Vec<RuleError> {
    let model = &sourced.rule;
    let id = &model.rule.id;
    let mut errors = Vec::new();
    levels(sourced, &mut errors);
    for (name, decay) in &model.decays {
        let ages: Vec<u32> = decay.steps.iter().map(|step| step.up_to_months).collect();
        if ages.is_empty() || !ages.is_sorted_by(|one, next| one < next) {
            errors.push(sourced.fault(id, format!("衰减“{name}”的 up_to_months 没有递增"), "从小到大写各档的月数"));
        }
        if decay.steps.iter().any(|step| step.permille > 1000) {
            errors.push(sourced.fault(
                id,
                format!("衰减“{name}”的 permille 大于 1000"),
                "permille 是千分之几，600 即 60%",
            ));
        }
    }
    let dimensions = &model.dimensions;
    duplicates(sourced, dimensions.iter().map(|dimension| &dimension.id), "一级指标", &mut errors);
    let indicators = || dimensions.iter().flat_map(|dimension| &dimension.indicators);
    duplicates(sourced, indicators().map(|indicator| &indicator.id), "指标", &mut errors);
    duplicates(sourced, model.overrides.iter().map(|one| &one.id), "直接判定", &mut errors);
    for dimension in dimensions.iter().filter(|dimension| dimension.cap < Points::ZERO) {
        errors.push(sourced.fault(&dimension.id, "cap 小于零".to_owned(), "上限写正数；加分项的上限是最多减去的分"));
    }
    for indicator in indicators() {
        if indicator.cap < Points::ZERO {
            errors.push(sourced.fault(
                &indicator.id,
                "cap 小于零".to_owned(),
                "上限写正数；加分项的上限是最多减去的分",
            ));
        }
        for part in &indicator.parts {
            part_of(book, sourced, &indicator.id, part, &mut errors);
        }
    }
    model.applies.iter().for_each(|requirement| required(book, sourced, id, requirement, &mut errors));
    for one in &model.overrides {
        let Effect { set, shift, floor } = &one.effect;
        let given = usize::from(set.is_some()) + usize::from(shift.is_some()) + usize::from(floor.is_some());
        if given != 1 || one.when.is_empty() {
            let mend = "effect 写 set、shift、floor 之一；when 至少写一个条件";
            errors.push(sourced.fault(&one.id, "直接判定不完整".to_owned(), mend));
        }
        let codes: Vec<&str> = model.levels.iter().map(|level| level.code.value.as_str()).collect();
        for level in [set, floor].into_iter().flatten().filter(|level| !codes.contains(&level.as_str())) {
            let message = format!("没有等级“{level}”");
            errors.push(sourced.fault(&one.id, message, &nearest(level, &codes).unwrap_or_default()));
        }
        one.when.iter().for_each(|requirement| required(book, sourced, &one.id, requirement, &mut errors));
    }
    errors
}

/// Levels must cover the scale from its least to its greatest total, each reachable.
fn levels(sourced: &Sourced<Model>, errors: &mut Vec<RuleError>) {
    let model = &sourced.rule;
    let (least, most) = (model.scale.min, model.scale.max);
    if least > Points::ZERO || most < Points::ZERO || least >= most {
        errors.push(sourced.fault(
            &model.rule.id,
            "scale 应包含零分且 min 小于 max".to_owned(),
            "例如 scale: {min: 0, max: 100}",
        ));
    }
    duplicates(sourced, model.levels.iter().map(|level| &level.code), "等级", errors);
    let Some((last, others)) = model.levels.split_last() else {
        errors.push(sourced.fault(&model.rule.id, "没有等级".to_owned(), "写 levels，从风险低到风险高"));
        return;
    };
    if last.below.is_some() || last.up_to.is_some() {
        errors.push(sourced.fault(&last.code, format!("最后一级“{}”不写上界", last.code.value), "去掉 below 或 up_to"));
    }
    // The greatest total of the levels so far, and whether it is theirs.
    let mut reached = (least, false);
    for level in others {
        let bound = match (level.below, level.up_to) {
            (Some(bound), None) => (bound, false),
            (None, Some(bound)) => (bound, true),
            _ => {
                let message = format!("等级“{}”的上界应恰好有一个", level.code.value);
                errors.push(sourced.fault(&level.code, message, "写 below（不含）或 up_to（含）之一"));
                continue;
            }
        };
        if bound <= reached || bound.0 > most {
            let message = format!("等级“{}”达不到：上界 {} 不在前一级之上、量程之内", level.code.value, bound.0);
            errors.push(sourced.fault(&level.code, message, "上界要逐级增大，且不超过 scale.max"));
        }
        reached = bound;
    }
    if reached >= (most, true) {
        errors.push(sourced.fault(
            &last.code,
            format!("等级“{}”达不到", last.code.value),
            "前一级的上界要小于 scale.max",
        ));
    }
}

fn part_of(book: &Rulebook, sourced: &Sourced<Model>, at: &Spanned<String>, part: &Part, errors: &mut Vec<RuleError>) {
    let Part { records, each, table, prefix_table, bands, share, count, permille, decay } = part;
    let ways =
        [each.is_some(), table.is_some(), prefix_table.is_some(), bands.is_some(), share.is_some(), count.is_some()];
    if ways.iter().filter(|given| **given).count() != 1 {
        let mend = "写 each、table、prefix_table、bands、share、count 之一";
        errors.push(sourced.fault(at, "给分的办法应恰好有一个".to_owned(), mend));
    }
    filter(book, sourced, at, records, errors);
    let mut field = |name: &str, wanted: &[FieldType]| {
        for kind in records.kinds.iter().filter_map(|kind| known_kind(book, kind)) {
            match kind.field(name) {
                None => errors.push(sourced.fault(
                    at,
                    format!("“{}”没有字段“{name}”", kind.rule.title),
                    &near_field(kind, name),
                )),
                Some(found) if !wanted.is_empty() && !wanted.contains(&found.field_type) => {
                    let message = format!("字段“{name}”的类型不能这样给分");
                    errors.push(sourced.fault(at, message, "请换一个字段，或换一种给分办法"));
                }
                Some(_) => {}
            }
        }
    };
    table.iter().for_each(|table| field(&table.field, &[]));
    prefix_table.iter().for_each(|table| field(&table.field, &[FieldType::Codes, FieldType::Code]));
    share.iter().for_each(|share| field(&share.field, &[FieldType::Share]));
    if let Some(Bands { of, .. }) = bands {
        of.integer.iter().for_each(|name| field(name, &[FieldType::Integer, FieldType::Amount]));
        let days = [FieldType::Day, FieldType::EndDay];
        of.months_since.iter().chain(&of.days_until).for_each(|name| field(name, &days));
    }
    if let Some(table) = table {
        choices_of(book, sourced, at, records, table, errors);
    }
    if let Some(Bands { of, steps, .. }) = bands {
        if [&of.integer, &of.months_since, &of.days_until].into_iter().flatten().count() != 1 {
            let mend = "of 写 integer、months_since、days_until 之一";
            errors.push(sourced.fault(at, "分档所依的数应恰好有一个".to_owned(), mend));
        }
        covers(sourced, at, steps, errors);
    }
    count.iter().for_each(|steps| covers(sourced, at, steps, errors));
    let span = sourced.rule.scale.max - sourced.rule.scale.min;
    if all_points(part).any(|points| points > span || points < -span) {
        errors.push(sourced.fault(at, "分值超出量程".to_owned(), "单项分值不能超过 scale.max 与 scale.min 之差"));
    }
    if permille.is_some_and(|permille| permille > 1000) {
        errors.push(sourced.fault(at, "permille 大于 1000".to_owned(), "permille 是千分之几，300 即 30%"));
    }
    if let Some(name) = decay.as_ref().filter(|name| !sourced.rule.decays.contains_key(*name)) {
        let known: Vec<&String> = sourced.rule.decays.keys().collect();
        errors.push(sourced.fault(at, format!("没有名为“{name}”的衰减"), &nearest(name, &known).unwrap_or_default()));
    }
}

fn covers(sourced: &Sourced<Model>, at: &Spanned<String>, steps: &[Band], errors: &mut Vec<RuleError>) {
    let bounds: Vec<i64> = steps.iter().filter_map(|step| step.below).collect();
    let open_end = steps.last().is_some_and(|last| last.below.is_none());
    if !open_end || bounds.len() + 1 != steps.len() || !bounds.is_sorted_by(|one, next| one < next) {
        let mend = "各档 below 从小到大，最后一档不写 below";
        errors.push(sourced.fault(at, "分档有空缺或重叠".to_owned(), mend));
    }
}

fn all_points(part: &Part) -> impl Iterator<Item = Points> {
    let of_table = |table: &Option<PointsTable>| -> Vec<Points> {
        table.iter().flat_map(|table| table.points.values().copied().chain(table.otherwise)).collect()
    };
    let bands = part.bands.iter().flat_map(|bands| bands.steps.iter().map(|step| step.points).chain(bands.otherwise));
    let count = part.count.iter().flatten().map(|step| step.points);
    part.each
        .into_iter()
        .chain(count)
        .chain(of_table(&part.table))
        .chain(of_table(&part.prefix_table))
        .chain(bands)
        .chain(part.share.iter().map(|share| share.of))
}

/// Keys of a points table must be choices where the field has choices.
fn choices_of(
    book: &Rulebook,
    sourced: &Sourced<Model>,
    at: &Spanned<String>,
    records: &Filter,
    table: &PointsTable,
    errors: &mut Vec<RuleError>,
) {
    let fields = records.kinds.iter().filter_map(|kind| known_kind(book, kind)?.field(&table.field));
    for field in fields.filter(|field| field.field_type == FieldType::Choice) {
        not_choices(sourced, at, field, table.points.keys(), errors);
    }
}

fn not_choices<'a>(
    sourced: &Sourced<Model>,
    at: &Spanned<String>,
    field: &Field,
    values: impl Iterator<Item = &'a String>,
    errors: &mut Vec<RuleError>,
) {
    let codes: Vec<&String> = field.choices.keys().collect();
    for value in values.filter(|value| !field.choices.contains_key(*value)) {
        let message = format!("“{value}”不是字段“{}”的选项", field.name.value);
        errors.push(sourced.fault(at, message, &nearest(value, &codes).unwrap_or_default()));
    }
}

fn required(
    book: &Rulebook,
    sourced: &Sourced<Model>,
    at: &Spanned<String>,
    requirement: &Requirement,
    errors: &mut Vec<RuleError>,
) {
    if requirement.at_most.is_some_and(|most| requirement.at_least.is_some_and(|least| least > most)) {
        errors.push(sourced.fault(at, "at_least 大于 at_most".to_owned(), "请核对条数的上下限"));
    }
    filter(book, sourced, at, &requirement.records, errors);
}

fn filter(
    book: &Rulebook,
    sourced: &Sourced<Model>,
    at: &Spanned<String>,
    filter: &Filter,
    errors: &mut Vec<RuleError>,
) {
    if filter.kinds.is_empty() {
        errors.push(sourced.fault(at, "没有写记录种类".to_owned(), "在 kinds 中写至少一种"));
    }
    for id in &filter.kinds {
        let Some(kind) = known_kind(book, id) else {
            errors.push(sourced.fault(at, format!("不存在的记录种类“{id}”"), &near_kind(book, id)));
            continue;
        };
        for Condition { field: name, one_of, none_of, at_least, present } in &filter.conditions {
            let Some(field) = kind.field(name) else {
                let message = format!("“{}”没有字段“{name}”", kind.rule.title);
                errors.push(sourced.fault(at, message, &near_field(kind, name)));
                continue;
            };
            let tests = usize::from(one_of.is_some())
                + usize::from(none_of.is_some())
                + usize::from(at_least.is_some())
                + usize::from(present.is_some());
            if tests != 1 {
                let message = format!("对字段“{name}”的条件应恰好有一个");
                errors.push(sourced.fault(at, message, "写 one_of、none_of、at_least、present 之一"));
            }
            if field.field_type == FieldType::Choice {
                not_choices(sourced, at, field, one_of.iter().chain(none_of).flatten(), errors);
            }
        }
    }
}

/// Every level of every field model must meet every level of every general model, and what comes out
/// must be a level.
fn combinations(book: &Rulebook, errors: &mut Vec<RuleError>) {
    let codes = |general: bool| -> BTreeSet<&str> {
        let models = book.all_models().filter(|model| (model.field == crate::classify::GENERAL) == general);
        models.flat_map(|model| &model.levels).map(|level| level.code.value.as_str()).collect()
    };
    let (field_levels, general_levels) = (codes(false), codes(true));
    for sourced in &book.combinations {
        let table = &sourced.rule.table;
        let id = &sourced.rule.rule.id;
        for field in &field_levels {
            for general in &general_levels {
                if table.get(*field).and_then(|row| row.get(*general)).is_none() {
                    let message = format!("缺少重点领域 {field} 级与通用 {general} 级的组合");
                    errors.push(sourced.fault(id, message, "请补全组合表"));
                }
            }
        }
        for level in table.values().flat_map(|row| row.values()).filter(|level| !field_levels.contains(level.as_str()))
        {
            errors.push(sourced.fault(id, format!("组合的结果“{level}”不是等级"), "结果应是重点领域模型的等级"));
        }
    }
}

fn calendars(book: &Rulebook, errors: &mut Vec<RuleError>) {
    use chrono::{Datelike, Weekday};
    for sourced in &book.calendars {
        let calendar = &sourced.rule;
        let id = &calendar.rule.id;
        for span in &calendar.off {
            let touches = span.from.year() == calendar.year || span.until.year() == calendar.year;
            if span.until < span.from || !touches {
                errors.push(sourced.fault(
                    id,
                    format!("“{}”的起止不在 {} 年", span.title, calendar.year),
                    "请核对日期",
                ));
            }
        }
        for day in &calendar.makeup {
            let weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
            let off = calendar.off.iter().any(|span| (span.from..=span.until).contains(day));
            if !weekend || off || day.year() != calendar.year {
                errors.push(sourced.fault(
                    id,
                    format!("{day} 不能是调休上班日"),
                    "调休上班日是当年放假之外的周六或周日",
                ));
            }
        }
    }
}

fn cases(book: &Rulebook, errors: &mut Vec<RuleError>) {
    for sourced in &book.cases {
        let file = &sourced.rule;
        let mut fault = |message: String, mend: String| {
            let (file, mend) = (sourced.path.clone(), (!mend.is_empty()).then_some(mend));
            errors.push(RuleError { file, line: None, message, mend });
        };
        let model =
            file.rule.strip_prefix("models/").and_then(|id| book.all_models().find(|model| model.rule.id.value == id));
        let Some(model) = model else {
            fault(format!("没有模型“{}”", file.rule), "rule 写作 models/编号".to_owned());
            continue;
        };
        let indicators: Vec<&str> =
            model.dimensions.iter().flat_map(|one| &one.indicators).map(|one| one.id.value.as_str()).collect();
        let overrides: Vec<&str> = model.overrides.iter().map(|one| one.id.value.as_str()).collect();
        for case in &file.cases {
            for given in &case.given {
                let Some(kind) = known_kind(book, &given.kind) else {
                    fault(format!("“{}”：不存在的记录种类“{}”", case.name, given.kind), near_kind(book, &given.kind));
                    continue;
                };
                for (name, value) in &given.fields {
                    let Some(field) = kind.field(name) else {
                        fault(format!("“{}”：“{}”没有字段“{name}”", case.name, given.kind), near_field(kind, name));
                        continue;
                    };
                    let code = value.to_string();
                    if field.field_type == FieldType::Choice && !field.choices.contains_key(&code) {
                        let codes: Vec<&String> = field.choices.keys().collect();
                        let message = format!("“{}”：“{code}”不是字段“{name}”的选项", case.name);
                        fault(message, nearest(&code, &codes).unwrap_or_default());
                    }
                }
            }
            for id in case.expect.indicators.keys().filter(|id| !indicators.contains(&id.as_str())) {
                fault(format!("“{}”：没有指标“{id}”", case.name), nearest(id, &indicators).unwrap_or_default());
            }
            for id in case.expect.overrides.iter().flatten().filter(|id| !overrides.contains(&id.as_str())) {
                fault(format!("“{}”：没有直接判定“{id}”", case.name), nearest(id, &overrides).unwrap_or_default());
            }
        }
    }
}

fn duplicates<'a, T>(
    sourced: &Sourced<T>,
    names: impl Iterator<Item = &'a Spanned<String>>,
    what: &str,
    errors: &mut Vec<RuleError>,
) {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name.value.as_str()) {
            errors.push(sourced.fault(name, format!("{what}“{}”重复", name.value), "请改名或合并"));
        }
    }
}

fn known_kind<'a>(book: &'a Rulebook, id: &str) -> Option<&'a Kind> {
    book.kinds.iter().map(|sourced| &sourced.rule).find(|kind| kind.rule.id.value == id)
}

fn near_kind(book: &Rulebook, id: &str) -> String {
    let known: Vec<&str> = book.kinds.iter().map(|sourced| sourced.rule.rule.id.value.as_str()).collect();
    nearest(id, &known).unwrap_or_default()
}

fn near_field(kind: &Kind, name: &str) -> String {
    let known: Vec<&str> = kind.fields.iter().map(|field| field.name.value.as_str()).collect();
    nearest(name, &known).unwrap_or_default()
}
