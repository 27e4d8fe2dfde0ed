//! Combination tables: every level of every key field meets every general level.

use std::collections::BTreeSet;

use super::super::combination::Combination;
use super::super::fault::nearest;
use super::super::shelf::Edition;
use super::Checking;
use crate::classify::{GENERAL, RECEIVED_LEVEL};

pub(super) fn combinations(checking: &mut Checking) {
    let editions = &checking.book.combinations.0;
    for (place, later) in editions.iter().enumerate() {
        let (from, until) = (later.head().from, later.head().until);
        let overlaps = |earlier: &&Edition<Combination>| {
            earlier.id() != later.id()
                && until.is_none_or(|until| earlier.head().from <= until)
                && earlier.head().until.is_none_or(|own| from <= own)
        };
        if let Some(earlier) = editions[..place].iter().find(overlaps) {
            let mend = format!("请与 {} 错开有效期", earlier.node.file);
            checking.tell(later.node.at("rule").at("from").fault("同一天只能有一张组合表").mend(mend));
        }
        if let Some(limits) =
            later.rule.adjustment.filter(|limits| limits.most_levels == 0 || limits.lasts_at_most.value == 0)
        {
            let mend = "most_levels 与 lasts_at_most.value 都大于零；不许人工调整的，删去 adjustment";
            let message = format!("人工调整的限度为零（{} 级）", limits.most_levels);
            checking.tell(later.node.at("adjustment").fault(message).mend(mend));
        }
        if !checking.unread.contains("models") && !checking.unread.contains("kinds") {
            combination(checking, later);
        }
    }
}

fn combination(checking: &mut Checking, edition: &Edition<Combination>) {
    let book = checking.book;
    let head = edition.head();
    let models = || {
        let during = |id| book.models.during(id, head.from, head.until);
        let ids: BTreeSet<&str> = book.models.ids().collect();
        ids.into_iter().flat_map(during).map(|edition| &edition.rule)
    };
    let levels_of = |general: bool| {
        let wanted = models().filter(move |model| (model.field == GENERAL) == general);
        wanted.flat_map(|model| model.levels.iter().map(|level| level.code.value.as_str()))
    };
    let received = checking.wordings(RECEIVED_LEVEL, head);
    let received = received.filter_map(|kind| kind.field("level")).flat_map(|field| field.choices.keys());
    let fields: BTreeSet<&str> = levels_of(false).collect();
    let generals: BTreeSet<&str> = levels_of(true).chain(received.map(String::as_str)).collect();
    let table = edition.node.at("table");
    for (field, row) in &edition.rule.table {
        let node = table.at(field);
        if !fields.contains(field.as_str()) {
            let message = format!("没有重点领域模型有等级“{field}”");
            checking.tell(node.fault(message).mend(nearest(field, &fields)));
        }
        for (general, level) in row {
            if !generals.contains(general.as_str()) {
                let message = format!("没有等级为“{general}”的通用等级");
                checking.tell(node.at(general).fault(message).mend(nearest(general, &generals)));
            }
            if !fields.contains(level.as_str()) && !generals.contains(level.as_str()) {
                let known = fields.iter().chain(&generals);
                checking.tell(node.at(general).fault(format!("没有等级“{level}”")).mend(nearest(level, known)));
            }
        }
    }
    for field in fields {
        let row = edition.rule.table.get(field);
        for general in generals.iter().filter(|general| row.is_none_or(|row| !row.contains_key(**general))) {
            let message = format!("缺少重点领域 {field} 级与通用 {general} 级的组合");
            let mend = format!("在 {field} 一行补写“{general}: 等级”");
            checking.tell(table.at(field).fault(message).mend(mend));
        }
    }
}
