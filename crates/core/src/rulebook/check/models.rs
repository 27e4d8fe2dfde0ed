//! Indicator models.

use super::super::Head;
use super::super::fault::nearest;
use super::super::kind::{Field, FieldType, Kind};
use super::super::model::{
    Band, Bands, Condition, Decay, DecayStep, Dimension, Effect, FactorBands, Filter, Indicator, Measure, Model,
    Multiplier, Override, Part, PointsTable, Ratio, RepairedRecords, Requirement, State,
};
use super::super::node::Node;
use super::super::shelf::Edition;
use super::Checking;
use super::heads::{bad_name, is_name};
use crate::points::Points;

const NUMBERS: &[FieldType] = &[FieldType::Integer, FieldType::Amount];
const DAYS: &[FieldType] = &[FieldType::Day, FieldType::EndDay];
const CODES: &[FieldType] = &[FieldType::Codes, FieldType::Code];
const SHARES: &[FieldType] = &[FieldType::Share];
/// Types whose values are compared with words of the rule file.
const WORDS: &[FieldType] = &[
    FieldType::Choice,
    FieldType::Code,
    FieldType::Codes,
    FieldType::CreditCode,
    FieldType::Flag,
    FieldType::Integer,
    FieldType::Text,
];

pub(in super::super) fn model(checking: &mut Checking, edition: &Edition<Model>) {
    let (model, node) = (&edition.rule, &edition.node);
    if !is_name(&model.field) {
        checking.tell(bad_name(node.at("field"), &model.field));
    }
    let scale = model.scale;
    if scale.min >= scale.max || scale.min > Points::ZERO || scale.max < Points::ZERO {
        let mend = "min 小于 max，并且含零分（没有任何记录的企业），例如 scale: {min: 0, max: 100}";
        checking.tell(node.at("scale").fault(format!("量程 {} 至 {} 不成立", scale.min, scale.max)).mend(mend));
    }
    levels(checking, model, node.at("levels"));
    for (name, decay) in &model.decays {
        self::decay(checking, decay, node.at("decays").at(name));
    }
    dimensions(checking, model, node.at("dimensions"));
    for (place, one) in model.applies.iter().enumerate() {
        requirement(checking, &model.rule, one, node.at("applies").item(place));
    }
    let overrides = || model.overrides.iter().enumerate();
    let node = node.at("overrides");
    checking.unique("直接判定", overrides().map(|(place, one)| (one.id.value.as_str(), node.item(place))));
    for (place, one) in overrides() {
        override_rule(checking, model, one, node.item(place));
    }
}

/// Levels are kept by field: two models of one field on the same day would contradict each other.
pub(super) fn one_for_each_field(checking: &mut Checking) {
    let models = &checking.book.models.0;
    for (place, later) in models.iter().enumerate() {
        let overlaps = |earlier: &&Edition<Model>| {
            let (one, other) = (earlier.head(), later.head());
            earlier.rule.field == later.rule.field
                && earlier.id() != later.id()
                && one.until.is_none_or(|until| other.from <= until)
                && other.until.is_none_or(|until| one.from <= until)
        };
        if let Some(earlier) = models[..place].iter().find(overlaps) {
            let message = format!("领域“{}”在同一时段已有模型“{}”", later.rule.field, earlier.name());
            let mend = format!("同一领域同一天只能有一个模型，请与 {} 错开有效期", earlier.node.file);
            checking.tell(later.node.at("field").fault(message).mend(mend));
        }
    }
}

fn levels(checking: &mut Checking, model: &Model, node: &Node) {
    let levels = &model.levels;
    let codes = levels.iter().enumerate().map(|(place, level)| (level.code.value.as_str(), node.item(place)));
    checking.unique("等级", codes);
    let Some((last, others)) = levels.split_last() else {
        checking.tell(node.fault("没有等级").mend("在 levels 中从风险低到风险高写各等级"));
        return;
    };
    // Totals are whole thousandths: a level holds those from `reached` up to its own end, excluded.
    let mut reached = model.scale.min.milli();
    let end = model.scale.max.milli() + 1;
    for (place, level) in others.iter().enumerate() {
        let node = node.item(place);
        let code = &level.code.value;
        let (key, bound, own_end) = match (level.below, level.up_to) {
            (Some(bound), None) => ("below", bound, bound.milli()),
            (None, Some(bound)) => ("up_to", bound, bound.milli() + 1),
            _ => {
                let mend = "写 below（不含上界）或 up_to（含上界）之一";
                checking.tell(node.fault(format!("等级“{code}”的上界应恰好有一个")).mend(mend));
                continue;
            }
        };
        if own_end > end {
            let message = format!("等级“{code}”的上界 {bound} 超出量程");
            let mend = format!("上界不超过 scale.max（{}）", model.scale.max);
            checking.tell(node.at(key).fault(message).mend(mend));
        } else if own_end <= reached {
            let message = format!("没有总分落在等级“{code}”：上界 {bound} 不高于前面的界限");
            checking.tell(node.at(key).fault(message).mend("上界从 scale.min 起逐级增大"));
        }
        reached = reached.max(own_end);
    }
    let node = node.item(others.len());
    let code = &last.code.value;
    if let Some(key) = last.below.map(|_| "below").or(last.up_to.map(|_| "up_to")) {
        let message = format!("最后的等级“{code}”不写上界");
        checking.tell(node.at(key).fault(message).mend(format!("删去 {key}，它一直到 scale.max")));
    }
    if reached >= end && !others.is_empty() {
        let message = format!("没有总分落在等级“{code}”：前一级已到 scale.max");
        checking.tell(node.fault(message).mend("调低前一级的上界，或调高 scale.max"));
    }
}

fn decay(checking: &mut Checking, decay: &Decay, node: &Node) {
    let given = [("steps", decay.steps.is_some()), ("linear_months", decay.linear_months.is_some())];
    exactly_one(checking, node, "衰减的办法", &given);
    if decay.linear_months == Some(0) {
        let mend = "写几个月后减为零，例如 linear_months: 36";
        checking.tell(node.at("linear_months").fault("linear_months 为零，任何时候都没有分").mend(mend));
    }
    let Some(all) = &decay.steps else { return };
    let steps = node.at("steps");
    if all.is_empty() {
        checking.tell(steps.fault("衰减没有分档").mend("例如 steps: [{up_to_months: 12, permille: 1000}]"));
    }
    // A bound included reaches a day further than the same bound excluded.
    let reach = |step: &DecayStep| match (step.up_to_months, step.below_months) {
        (Some(bound), None) => Some((bound, true)),
        (None, Some(bound)) => Some((bound, false)),
        _ => None,
    };
    for (place, step) in all.iter().enumerate() {
        let node = steps.item(place);
        let given = [("up_to_months", step.up_to_months.is_some()), ("below_months", step.below_months.is_some())];
        exactly_one(checking, node, "这一档的月数", &given);
        let earlier = place.checked_sub(1).and_then(|earlier| reach(&all[earlier]));
        if let Some((bound, included)) = reach(step).filter(|reach| earlier.is_some_and(|earlier| earlier >= *reach)) {
            let key = if included { "up_to_months" } else { "below_months" };
            let message = format!("{key} {bound} 不大于前一档");
            checking.tell(node.at(key).fault(message).mend("月数逐档增大"));
        }
        permille(checking, "permille", Some(step.permille), node);
    }
}

fn permille(checking: &mut Checking, key: &str, permille: Option<u32>, node: &Node) {
    if let Some(permille) = permille.filter(|permille| *permille > 1000) {
        let message = format!("{key} {permille} 大于 1000");
        checking.tell(node.at(key).fault(message).mend("这是千分之几，600 即 60%"));
    }
}

/// Factors may raise points, but not out of all proportion.
fn factor_permille(checking: &mut Checking, permille: u32, node: &Node) {
    const MOST: u32 = 10_000;
    if permille > MOST {
        let message = format!("系数 {permille} 大于 {MOST}");
        checking.tell(node.fault(message).mend("这是千分之几，1200 即 1.2 倍，最多 10 倍"));
    }
}

fn dimensions(checking: &mut Checking, model: &Model, node: &Node) {
    let dimensions = || model.dimensions.iter().enumerate();
    let indicators = || {
        dimensions().flat_map(|(place, dimension)| {
            let node = node.item(place).at("indicators");
            let all = dimension.indicators.iter().enumerate();
            all.map(move |(place, indicator)| (indicator, node.item(place)))
        })
    };
    let ids = dimensions().map(|(place, dimension)| (dimension.id.value.as_str(), node.item(place)));
    checking.unique("一级指标", ids);
    checking.unique("指标", indicators().map(|(indicator, node)| (indicator.id.value.as_str(), node)));
    for (place, Dimension { cap, indicators, multiplier, .. }) in dimensions() {
        let node = node.item(place);
        self::cap(checking, *cap, node);
        if let Some(rule) = multiplier {
            self::multiplier(checking, model, rule, node.at("multiplier"));
        }
        if indicators.is_empty() {
            checking.tell(node.at("indicators").fault("一级指标下没有指标").mend("至少写一个指标，或删去这个一级指标"));
        }
    }
    for (Indicator { cap, parts, .. }, node) in indicators() {
        self::cap(checking, *cap, node);
        if parts.is_empty() {
            checking.tell(node.at("parts").fault("指标没有写哪些记录给多少分").mend("在 parts 中至少写一项"));
        }
        for (place, part) in parts.iter().enumerate() {
            self::part(checking, model, part, node.at("parts").item(place));
        }
    }
}

fn multiplier(checking: &mut Checking, model: &Model, rule: &Multiplier, node: &Node) {
    filter(checking, &model.rule, &rule.records, node.at("records"));
    for kind in kinds(checking, &model.rule, &rule.records) {
        checking.open_field(node.at("field"), kind, &rule.field, WORDS);
    }
    if rule.permille.is_empty() {
        checking.tell(node.at("permille").fault("系数表是空的").mend("例如 permille: {B: 1300, C: 1100}"));
    }
    for (begin, permille) in &rule.permille {
        factor_permille(checking, *permille, node.at("permille").at(begin));
    }
    factor_permille(checking, rule.otherwise, node.at("otherwise"));
}

fn cap(checking: &mut Checking, cap: Points, node: &Node) {
    if cap < Points::ZERO {
        let mend = "上限写正数；减分指标的上限是最多减去的分";
        checking.tell(node.at("cap").fault(format!("上限 {cap} 小于零")).mend(mend));
    }
}

fn part(checking: &mut Checking, model: &Model, part: &Part, node: &Node) {
    let Part { records, each, table, prefix_table, bands, share, count, ratio, .. } = part;
    let Part { permille, factor, decay, ended_permille, repaired_permille, .. } = part;
    filter(checking, &model.rule, records, node.at("records"));
    self::permille(checking, "permille", *permille, node);
    self::permille(checking, "ended_permille", *ended_permille, node);
    self::permille(checking, "repaired_permille", *repaired_permille, node);
    if ended_permille.is_some() && records.state.is_some() {
        let mend = "删去 records.state，或删去 ended_permille";
        checking.tell(node.at("ended_permille").fault("只取一种状态的记录，终止系数不起作用").mend(mend));
    }
    if repaired_permille.is_some() && records.repaired == RepairedRecords::LeftOut && records.repairable.is_empty() {
        let mend = "在 records 中写 repaired: included，或删去 repaired_permille";
        checking.tell(node.at("repaired_permille").fault("已修复的记录不计分，修复系数不起作用").mend(mend));
    }
    if let Some(rule) = factor {
        self::factor(checking, model, records, rule, node.at("factor"));
    }
    if let Some(name) = decay.as_ref().filter(|name| !model.decays.contains_key(*name)) {
        let message = format!("没有名为“{name}”的衰减");
        checking.tell(node.at("decay").fault(message).mend(nearest(name, model.decays.keys())));
    }
    exactly_one(
        checking,
        node,
        "给分的办法",
        &[
            ("each", each.is_some()),
            ("table", table.is_some()),
            ("prefix_table", prefix_table.is_some()),
            ("bands", bands.is_some()),
            ("share", share.is_some()),
            ("count", count.is_some()),
            ("ratio", ratio.is_some()),
        ],
    );
    if let Some(Ratio { of, among }) = ratio {
        let node = node.at("ratio");
        within_scale(checking, model, *of, node.at("of"));
        filter(checking, &model.rule, among, node.at("among"));
    }
    if let Some(points) = each {
        within_scale(checking, model, *points, node.at("each"));
    }
    if let Some(table) = table {
        let node = node.at("table");
        points_table(checking, model, table, node);
        for kind in kinds(checking, &model.rule, records) {
            if let Some(field) = checking.open_field(node.at("field"), kind, &table.field, WORDS) {
                words(checking, field, table.points.keys().map(|word| (word, node.at("points").at(word))));
            }
        }
    }
    if let Some(table) = prefix_table {
        let node = node.at("prefix_table");
        points_table(checking, model, table, node);
        for kind in kinds(checking, &model.rule, records) {
            checking.open_field(node.at("field"), kind, &table.field, CODES);
        }
    }
    if let Some(bands) = bands {
        self::bands(checking, model, records, bands, node.at("bands"));
    }
    if let Some(count) = count {
        steps(checking, model, count, node.at("count"));
    }
    if let Some(share) = share {
        let node = node.at("share");
        within_scale(checking, model, share.of, node.at("of"));
        for kind in kinds(checking, &model.rule, records) {
            checking.open_field(node.at("field"), kind, &share.field, SHARES);
        }
    }
}

/// The kinds that a filter names, in every wording of the rule's validity.
fn kinds<'a>(checking: &Checking<'a>, head: &Head, filter: &Filter) -> Vec<&'a Kind> {
    let wordings = filter.kinds.iter().flat_map(|id| checking.wordings(id, head));
    wordings.collect()
}

fn points_table(checking: &mut Checking, model: &Model, table: &PointsTable, node: &Node) {
    if table.points.is_empty() {
        checking.tell(node.at("points").fault("分值表是空的").mend("例如 points: {A: 1, B: 3}"));
    }
    for (word, points) in &table.points {
        within_scale(checking, model, *points, node.at("points").at(word));
    }
    if let Some(points) = table.otherwise {
        within_scale(checking, model, points, node.at("otherwise"));
    }
}

fn bands(checking: &mut Checking, model: &Model, records: &Filter, bands: &Bands, node: &Node) {
    measure(checking, model, records, &bands.of, node.at("of"));
    steps(checking, model, &bands.steps, node.at("steps"));
    if let Some(points) = bands.otherwise {
        within_scale(checking, model, points, node.at("otherwise"));
    }
}

fn factor(checking: &mut Checking, model: &Model, records: &Filter, rule: &FactorBands, node: &Node) {
    measure(checking, model, records, &rule.of, node.at("of"));
    let all = node.at("steps");
    go_up(checking, rule.steps.iter().map(|band| band.below), all);
    for (place, band) in rule.steps.iter().enumerate() {
        factor_permille(checking, band.permille, all.item(place).at("permille"));
    }
    factor_permille(checking, rule.otherwise, node.at("otherwise"));
}

fn measure(checking: &mut Checking, model: &Model, records: &Filter, measure: &Measure, of: &Node) {
    let measures = [
        ("integer", &measure.integer, NUMBERS),
        ("months_since", &measure.months_since, DAYS),
        ("days_since", &measure.days_since, DAYS),
        ("days_until", &measure.days_until, DAYS),
    ];
    exactly_one(checking, of, "分档所依的数", &measures.map(|(key, field, _)| (key, field.is_some())));
    for (key, field, types) in measures {
        for kind in kinds(checking, &model.rule, records) {
            if let Some(field) = field {
                checking.open_field(of.at(key), kind, field, types);
            }
        }
    }
}

fn steps(checking: &mut Checking, model: &Model, steps: &[Band], node: &Node) {
    go_up(checking, steps.iter().map(|band| band.below), node);
    for (place, band) in steps.iter().enumerate() {
        within_scale(checking, model, band.points, node.item(place).at("points"));
    }
}

/// Bands go up from the lowest, without a hole, and the last is open.
fn go_up(checking: &mut Checking, bounds: impl ExactSizeIterator<Item = Option<i64>>, node: &Node) {
    let Some(last) = bounds.len().checked_sub(1) else {
        checking.tell(node.fault("没有分档").mend("例如 steps: [{below: 3, points: 2}, {points: 5}]"));
        return;
    };
    let mut reached = None;
    for (place, bound) in bounds.enumerate() {
        let node = node.item(place);
        match bound {
            Some(_) if place == last => {
                let mend = "删去 below，或再加一档不写 below 的";
                checking.tell(node.at("below").fault("最后一档不写上界").mend(mend));
            }
            None if place < last => {
                let mend = "除最后一档外，每档写 below（不含上界）";
                checking.tell(node.fault("这一档没有上界，后面的各档用不到").mend(mend));
            }
            Some(below) if reached.is_some_and(|reached| below <= reached) => {
                let message = format!("上界 {below} 不大于前一档");
                checking.tell(node.at("below").fault(message).mend("各档的 below 逐档增大"));
            }
            Some(below) => reached = Some(below),
            None => {}
        }
    }
}

fn within_scale(checking: &mut Checking, model: &Model, points: Points, node: &Node) {
    let most = model.scale.max.max(-model.scale.min);
    if points > most || points < -most {
        let mend = format!("单项分值在 -{most} 至 {most} 之间（见 scale）");
        checking.tell(node.fault(format!("分值 {points} 超出量程")).mend(mend));
    }
}

/// Words that a field's values are compared with must be values that it can have.
fn words<'n>(checking: &mut Checking, field: &Field, words: impl Iterator<Item = (&'n String, &'n Node)>) {
    for (word, node) in words {
        let (fits, mend) = match field.field_type {
            FieldType::Choice => (field.choices.contains_key(word), nearest(word, field.choices.keys())),
            FieldType::Integer => (word.parse::<i64>().is_ok(), "请写整数".to_owned()),
            FieldType::Flag => (word.parse::<bool>().is_ok(), "请写 true 或 false".to_owned()),
            _ => (true, String::new()),
        };
        if !fits {
            let message = format!("“{word}”不是字段“{}”（{}）可取的值", field.name.value, field.field_type);
            checking.tell(node.fault(message).mend(mend));
        }
    }
}

fn override_rule(checking: &mut Checking, model: &Model, rule: &Override, node: &Node) {
    let Override { when, effect, .. } = rule;
    if when.is_empty() {
        let mend = "在 when 中至少写一个条件，否则人人适用";
        checking.tell(node.at("when").fault("直接判定没有条件").mend(mend));
    }
    for (place, one) in when.iter().enumerate() {
        requirement(checking, &model.rule, one, node.at("when").item(place));
    }
    let node = node.at("effect");
    let Effect { set, shift, floor } = effect;
    let given = [("set", set.is_some()), ("shift", shift.is_some()), ("floor", floor.is_some())];
    exactly_one(checking, node, "直接判定的结果", &given);
    for (key, level) in [("set", set), ("floor", floor)] {
        if let Some(level) = level.as_ref().filter(|level| !has_level(model, level)) {
            let known = model.levels.iter().map(|level| level.code.value.as_str());
            checking.tell(node.at(key).fault(format!("没有等级“{level}”")).mend(nearest(level, known)));
        }
    }
    if *shift == Some(0) {
        let mend = "风险升一级写 1，降一级写 -1";
        checking.tell(node.at("shift").fault("shift 为零，没有作用").mend(mend));
    }
}

pub(super) fn has_level(model: &Model, code: &str) -> bool {
    model.levels.iter().any(|level| level.code.value == code)
}

/// A requirement of a rule with that head.
pub(super) fn requirement(checking: &mut Checking, head: &Head, rule: &Requirement, node: &Node) {
    filter(checking, head, &rule.records, node.at("records"));
    if let (Some(least), Some(most)) = (rule.at_least, rule.at_most)
        && least > most
    {
        let message = format!("at_least {least} 大于 at_most {most}，不会成立");
        checking.tell(node.at("at_least").fault(message).mend("请核对条数的上下限"));
    }
    if rule.at_least == Some(0) && rule.at_most.is_none() {
        let mend = "至少一条时不写 at_least；一条也没有时写 at_most: 0";
        checking.tell(node.at("at_least").fault("at_least 为零，总是成立").mend(mend));
    }
}

fn filter(checking: &mut Checking, head: &Head, filter: &Filter, node: &Node) {
    let list = node.at("kinds");
    if filter.kinds.is_empty() {
        checking.tell(list.fault("没有写记录种类").mend("在 kinds 中至少写一种"));
    }
    let needs_end = if filter.state == Some(State::Ended) {
        Some("state")
    } else {
        filter.ended_within_months.map(|_| "ended_within_months")
    };
    checking.unique("记录种类", filter.kinds.iter().enumerate().map(|(place, id)| (id.as_str(), list.item(place))));
    for (place, id) in filter.kinds.iter().enumerate() {
        for kind in checking.kinds_of(list.item(place), id, head) {
            if let Some(key) = needs_end.filter(|_| kind.ends.is_none()) {
                let message = format!("“{}”没有写明如何终止（ends），不会有已终止的记录", kind.rule.title);
                checking.tell(node.at(key).fault(message).mend(format!("删去 {key}，或在该记录种类中写 ends")));
            }
            for (key, conditions) in [("where", &filter.conditions), ("repairable", &filter.repairable)] {
                for (place, one) in conditions.iter().enumerate() {
                    condition(checking, kind, one, node.at(key).item(place));
                }
            }
        }
    }
    if let (Some(within), Some(older)) = (filter.within_months, filter.older_than_months)
        && older > within
    {
        let message = format!("不会有既满 {older} 个月又不超过 {within} 个月的记录");
        checking.tell(node.at("older_than_months").fault(message).mend("请核对 within_months 与 older_than_months"));
    }
    if let (Some(below), Some(older)) = (filter.below_months, filter.older_than_months)
        && older >= below
    {
        let message = format!("不会有既满 {older} 个月又不满 {below} 个月的记录");
        checking.tell(node.at("older_than_months").fault(message).mend("请核对 below_months 与 older_than_months"));
    }
    if filter.repaired == RepairedRecords::Included && !filter.repairable.is_empty() {
        let mend = "删去 repairable，或删去 repaired: included";
        checking.tell(node.at("repairable").fault("已修复的记录一律计入，repairable 不起作用").mend(mend));
    }
    if let Some(older) = filter.older_than_months.filter(|older| filter.this_year && *older >= 12) {
        let message = format!("不会有既在当年又满 {older} 个月的记录");
        checking.tell(node.at("older_than_months").fault(message).mend("请核对 this_year 与 older_than_months"));
    }
}

/// A condition on a field of a kind.
pub(super) fn condition(checking: &mut Checking, kind: &Kind, rule: &Condition, node: &Node) {
    let Condition { field, one_of, none_of, only, at_least, at_most, present } = rule;
    exactly_one(
        checking,
        node,
        "对字段的条件",
        &[
            ("one_of", one_of.is_some()),
            ("none_of", none_of.is_some()),
            ("only", only.is_some()),
            ("at_least", at_least.is_some()),
            ("at_most", at_most.is_some()),
            ("present", present.is_some()),
        ],
    );
    let types = if at_least.is_some() || at_most.is_some() {
        NUMBERS
    } else if present.is_some() {
        &[]
    } else {
        WORDS
    };
    let Some(field) = checking.open_field(node.at("field"), kind, field, types) else {
        return;
    };
    for (key, list) in [("one_of", one_of), ("none_of", none_of), ("only", only)] {
        let list = list.iter().flatten().enumerate();
        words(checking, field, list.map(|(place, word)| (word, node.at(key).item(place))));
    }
}

fn exactly_one(checking: &mut Checking, node: &Node, what: &str, given: &[(&str, bool)]) {
    if given.iter().filter(|(_, given)| *given).count() != 1 {
        let keys: Vec<&str> = given.iter().map(|(key, _)| *key).collect();
        let mend = format!("写 {} 之一", keys.join("、"));
        checking.tell(node.fault(format!("{what}应恰好有一个")).mend(mend));
    }
}
