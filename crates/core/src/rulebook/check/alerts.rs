//! Alerts, and differentiated measures: levels and models that exist, conditions that can hold.

use super::super::alerts::{Alert, Determined, Expiring, Several, WorseLevel};
use super::super::fault::nearest;
use super::super::measures::LevelMeasures;
use super::super::shelf::Edition;
use super::Checking;
use super::heads::{bad_name, is_name};
use super::inspections::levels_of;
use super::kinds::ANY_DAYS;
use super::models::{exactly_one, filter};
use crate::classify::{COMBINED, GENERAL, RECEIVED_LEVEL};

pub(super) fn alert(checking: &mut Checking, edition: &Edition<Alert>) {
    let (rule, node) = (&edition.rule, &edition.node);
    let Alert { worse_level, determined, expiring, several, desk, .. } = rule;
    exactly_one(
        checking,
        node,
        "预警的情形",
        &[
            ("worse_level", worse_level.is_some()),
            ("determined", determined.is_some()),
            ("expiring", expiring.is_some()),
            ("several", several.is_some()),
        ],
    );
    if desk.is_empty() {
        checking.tell(node.at("desk").fault("没有写由哪个单位核查").mend("在 desk 中至少写一个单位的名称"));
    }
    if let Some(WorseLevel { scope, by, to }) = worse_level {
        let node = node.at("worse_level");
        // Received and combined levels are those of the general model.
        let scope = if [COMBINED, RECEIVED_LEVEL].contains(&scope.as_str()) { GENERAL } else { scope };
        let levels = levels_of(checking, &rule.rule, scope, node.at("scope"));
        for (place, level) in to.iter().enumerate() {
            if let Some(levels) = levels.as_ref().filter(|levels| !levels.contains(level)) {
                let message = format!("没有等级“{level}”");
                checking.tell(node.at("to").item(place).fault(message).mend(nearest(level, levels)));
            }
        }
        if *by == 0 {
            checking.tell(node.at("by").fault("by 为零，等级没有变化也会预警").mend("至少写 1"));
        }
    }
    if let Some(Determined { model, ids }) = determined {
        let node = node.at("determined");
        let book = checking.book;
        let editions: Vec<_> = book.models.during(model, rule.rule.from, rule.rule.until).collect();
        if editions.is_empty() && !checking.unread.contains("models") {
            let mend = nearest(model, book.models.ids());
            checking.tell(node.at("model").fault(format!("没有模型“{model}”")).mend(mend));
        }
        for edition in editions {
            let known = || edition.rule.overrides.iter().map(|one| one.id.value.as_str());
            for (place, id) in ids.iter().enumerate().filter(|(_, id)| known().all(|known| known != id.as_str())) {
                let message = format!("模型“{model}”没有直接判定“{id}”");
                checking.tell(node.at("ids").item(place).fault(message).mend(nearest(id, known())));
            }
        }
    }
    if let Some(Expiring { records, field, .. }) = expiring {
        let node = node.at("expiring");
        filter(checking, &rule.rule, records, node.at("records"));
        let kinds: Vec<_> = records.kinds.iter().flat_map(|id| checking.wordings(id, &rule.rule)).collect();
        for kind in kinds {
            checking.open_field(node.at("field"), kind, field, ANY_DAYS);
        }
    }
    if let Some(Several { records, at_least }) = several {
        let node = node.at("several");
        filter(checking, &rule.rule, records, node.at("records"));
        if *at_least < 2 {
            checking.tell(node.at("at_least").fault(format!("at_least {at_least} 不是多条")).mend("至少写 2"));
        }
        if records.within_months.is_none() && records.below_months.is_none() && !records.this_year {
            let mend = "在 records 中写 within_months、below_months 或 this_year";
            checking.tell(node.at("records").fault("没有写在多长时间以内").mend(mend));
        }
    }
}

pub(super) fn measures(checking: &mut Checking, edition: &Edition<LevelMeasures>) {
    let (rule, node) = (&edition.rule, &edition.node);
    let field = if rule.field == COMBINED { GENERAL } else { &rule.field };
    let levels = levels_of(checking, &rule.rule, field, node.at("field"));
    for (level, measures) in &rule.levels {
        let node = node.at("levels").at(level);
        if let Some(levels) = levels.as_ref().filter(|levels| !levels.contains(level)) {
            checking.tell(node.fault(format!("没有等级“{level}”")).mend(nearest(level, levels)));
        }
        let ids = measures.iter().enumerate().map(|(place, one)| (one.id.value.as_str(), node.item(place)));
        checking.unique("措施", ids);
        for (place, measure) in measures.iter().enumerate().filter(|(_, measure)| !is_name(&measure.id.value)) {
            checking.tell(bad_name(node.item(place).at("id"), &measure.id.value));
        }
    }
}
