//! Cases: what they name must exist on their day.

use super::super::cases::{Case, CaseFile, GivenRecord, PlacementState};
use super::super::fault::nearest;
use super::super::model::Model;
use super::super::node::Node;
use super::Checking;
use super::models::has_level;
use crate::plan::FULL;
use crate::record::Day;

pub(super) fn case_file(checking: &mut Checking, file: &CaseFile, node: &Node) {
    let cases = || file.cases.iter().enumerate();
    let list = node.at("cases");
    if file.cases.is_empty() {
        checking.tell(list.fault("没有算例").mend("请写算例，或删去这个文件"));
    }
    checking.unique("算例", cases().map(|(place, case)| (case.name.as_str(), list.item(place).at("name"))));
    let book = checking.book;
    let published = book.kinds.0.iter().filter(|edition| edition.rule.publicity.is_some());
    let known: Vec<String> = book
        .models
        .0
        .iter()
        .map(|edition| edition.name())
        .chain(published.map(|edition| edition.name()))
        .chain(book.deadlines.0.iter().map(|edition| edition.name()))
        .chain(book.inspections.0.iter().map(|edition| edition.name()))
        .collect();
    let is_known = known.contains(&file.rule);
    let folder = file.rule.split_once('/').unwrap_or_default().0;
    if !is_known && !checking.unread.contains(folder) {
        let message = format!("没有可用算例检验的规则“{}”", file.rule);
        checking.tell(node.at("rule").fault(message).mend(nearest(&file.rule, known)));
    }
    for (place, case) in cases() {
        let node = list.item(place);
        for (place, record) in case.given.iter().enumerate() {
            given(checking, record, case.on, node.at("given").item(place));
        }
        let model = file.rule.strip_prefix("models/").and_then(|id| model_near(checking, id, case.on));
        if let Some(model) = model {
            expectation(checking, model, case, node.at("expect"));
        }
        if let Some(id) = file.rule.strip_prefix("kinds/") {
            publicity(checking, id, case, node.at("expect").at("publicity"));
        }
        if let Some(id) = file.rule.strip_prefix("inspections/") {
            placement(checking, id, case, node);
        }
    }
}

/// The model of the day or, for cases of the days before it was in force, its first version.
fn model_near<'a>(checking: &Checking<'a>, id: &str, day: Day) -> Option<&'a Model> {
    let models = &checking.book.models;
    let of_day = models.of(id).find(|edition| edition.head().in_force(day));
    of_day.or(models.of(id).next()).map(|edition| &edition.rule)
}

fn given(checking: &mut Checking, record: &GivenRecord, day: Day, node: &Node) {
    let kinds = &checking.book.kinds;
    let Some(kind) = kinds.on(day).find(|kind| kind.rule.id.value == record.kind) else {
        if !checking.unread.contains("kinds") {
            let known = kinds.on(day).map(|kind| kind.rule.id.value.as_str());
            let message = format!("{day} 没有记录种类“{}”", record.kind);
            checking.tell(node.at("kind").fault(message).mend(nearest(&record.kind, known)));
        }
        return;
    };
    for (name, value) in &record.fields {
        let node = node.at("fields").at(name);
        if let Some(field) = checking.open_field(node, kind, name, &[]) {
            checking.value(node, field, value);
        }
    }
}

fn expectation(checking: &mut Checking, model: &Model, case: &Case, node: &Node) {
    let expect = &case.expect;
    for (key, level) in [("level", &expect.level), ("level_by_points", &expect.level_by_points)] {
        if let Some(level) = level.as_ref().filter(|level| !has_level(model, level)) {
            let known = model.levels.iter().map(|level| level.code.value.as_str());
            checking.tell(node.at(key).fault(format!("没有等级“{level}”")).mend(nearest(level, known)));
        }
    }
    let ids = || {
        let indicators = model.dimensions.iter().flat_map(|dimension| &dimension.indicators);
        indicators.map(|indicator| indicator.id.value.as_str())
    };
    for id in expect.indicators.keys().filter(|id| ids().all(|known| known != *id)) {
        let node = node.at("indicators").at(id);
        checking.tell(node.fault(format!("没有指标“{id}”")).mend(nearest(id, ids())));
    }
    let overrides = || model.overrides.iter().map(|one| one.id.value.as_str());
    for (place, id) in expect.overrides.iter().flatten().enumerate() {
        if overrides().all(|known| known != id) {
            let node = node.at("overrides").item(place);
            checking.tell(node.fault(format!("没有直接判定“{id}”")).mend(nearest(id, overrides())));
        }
    }
}

/// Fields and terms that a case of publicity names.
fn publicity(checking: &mut Checking, id: &str, case: &Case, node: &Node) {
    let Some(expect) = &case.expect.publicity else {
        let mend = "例如 expect: {publicity: {public: true, until: 2026-04-10}}";
        checking.tell(node.fault("没有写应如何公示").mend(mend));
        return;
    };
    let Some(kind) = checking.book.kinds.on(case.on).find(|kind| kind.rule.id.value == id) else { return };
    for (key, fields) in [("shows", &expect.shows), ("hides", &expect.hides)] {
        for (place, field) in fields.iter().enumerate() {
            checking.field(node.at(key).item(place), kind, field, &[]);
        }
    }
    let terms = || kind.publicity.iter().flat_map(|rule| &rule.terms).map(|term| term.id.value.as_str());
    if let Some(term) = expect.term.as_ref().filter(|term| terms().all(|known| known != *term)) {
        checking.tell(node.at("term").fault(format!("没有公示期限“{term}”")).mend(nearest(term, terms())));
    }
}

/// Levels, exclusions and circumstances that a case of an inspection item names.
fn placement(checking: &mut Checking, id: &str, case: &Case, node: &Node) {
    let (Some(level), Some(expect)) = (&case.level, &case.expect.placement) else {
        let mend = "例如 level: A 和 expect: {placement: {state: excluded, by: ceased}}";
        checking.tell(node.fault("没有写企业的等级，或应如何安排").mend(mend));
        return;
    };
    let Some(item) = checking.book.inspections.on(case.on).find(|item| item.rule.id.value == id) else { return };
    if item.measure(level).is_none() && expect.state != PlacementState::NotAnObject {
        let known = item.measures.iter().map(|measure| measure.level.as_str());
        checking.tell(node.at("level").fault(format!("没有等级“{level}”")).mend(nearest(level, known)));
    }
    let exclusions = item.exclusions.iter().map(|one| one.id.value.as_str());
    let known = || exclusions.clone().chain(item.circumstances.iter().map(|one| one.id.value.as_str())).chain([FULL]);
    if let Some(by) = expect.by.as_ref().filter(|by| known().all(|known| known != *by)) {
        let node = node.at("expect").at("placement").at("by");
        checking.tell(node.fault(format!("没有不抽取的情形或特殊情形“{by}”")).mend(nearest(by, known())));
    }
}
