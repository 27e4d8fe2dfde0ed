//! Inspection items: levels of their scope, measures that grow with the risk, requirements that can hold.

use super::super::Head;
use super::super::fault::nearest;
use super::super::inspections::{Circumstance, Ground, InspectionItem, Measure, Method, WHOLE};
use super::super::kind::FieldType;
use super::super::node::Node;
use super::super::shelf::Edition;
use super::Checking;
use super::heads::{bad_name, is_name};
use super::models::requirement;
use crate::classify::{COMBINED, GENERAL};
use crate::draw::{Line, Qualification};

/// Kind of record of what a visit found.
const INSPECTION: &str = "inspection";

/// How many inspectors the draw sends to a visit.
const TEAM: u32 = 2;

pub(super) fn item(checking: &mut Checking, edition: &Edition<InspectionItem>) {
    let (item, node) = (&edition.rule, &edition.node);
    // Combined levels are those of the general model.
    let field = if item.scope == COMBINED { GENERAL } else { &item.scope };
    let levels = levels_of(checking, &item.rule, field, node.at("scope"));
    for (place, one) in item.objects.iter().enumerate() {
        requirement(checking, &item.rule, one, node.at("objects").item(place));
    }
    exclusions(checking, item, levels.as_deref(), node.at("exclusions"));
    circumstances(checking, item, levels.as_deref(), node.at("circumstances"));
    measures(checking, item, levels.as_deref(), node.at("measures"));
    ratios(checking, item, node);
    for kind in checking.wordings(INSPECTION, &item.rule).collect::<Vec<_>>() {
        for (place, chapter) in item.chapters.iter().enumerate() {
            checking.open_field(node.at("chapters").item(place), kind, chapter, &[FieldType::Share]);
        }
    }
    carrying_out(checking, item, node);
}

/// Levels of a field, from the least to the greatest risk; none when they are not known.
pub(super) fn levels_of(checking: &mut Checking, head: &Head, field: &str, node: &Node) -> Option<Vec<String>> {
    let models = &checking.book.models.0;
    let of_field = models.iter().filter(|edition| {
        let own = edition.head();
        edition.rule.field == field
            && head.until.is_none_or(|until| own.from <= until)
            && own.until.is_none_or(|until| head.from <= until)
    });
    let codes = of_field.map(|edition| edition.rule.levels.iter().map(|level| level.code.value.clone()).collect());
    let all: Vec<Vec<String>> = codes.collect();
    if all.is_empty() && !checking.unread.contains("models") {
        let known = [COMBINED].into_iter().chain(models.iter().map(|edition| edition.rule.field.as_str()));
        let message = format!("没有哪个模型给出“{field}”的等级");
        checking.tell(node.fault(message).mend(nearest(field, known)));
    }
    if all.windows(2).any(|pair| pair[0] != pair[1]) {
        let message = format!("“{field}”的等级在本规则有效期内有变化");
        checking.tell(node.fault(message).mend("请按模型的有效期把本规则分成前后两版"));
        return None;
    }
    all.into_iter().next()
}

fn exclusions(checking: &mut Checking, item: &InspectionItem, levels: Option<&[String]>, node: &Node) {
    let all = || item.exclusions.iter().enumerate();
    checking.unique("不抽取的情形", all().map(|(place, one)| (one.id.value.as_str(), node.item(place).at("id"))));
    for (place, Ground { id, title, levels: only, when, .. }) in all() {
        let node = node.item(place);
        named(checking, &id.value, title, node);
        for (place, level) in only.iter().enumerate() {
            known_level(checking, levels, level, node.at("levels").item(place));
        }
        if when.is_empty() {
            let mend = "在 when 中至少写一个条件，否则谁也不抽";
            checking.tell(node.at("when").fault("不抽取的情形没有条件").mend(mend));
        }
        for (place, one) in when.iter().enumerate() {
            requirement(checking, &item.rule, one, node.at("when").item(place));
        }
    }
}

fn circumstances(checking: &mut Checking, item: &InspectionItem, levels: Option<&[String]>, node: &Node) {
    let all = || item.circumstances.iter().enumerate();
    checking.unique("特殊情形", all().map(|(place, one)| (one.id.value.as_str(), node.item(place).at("id"))));
    for (place, Circumstance { id, title, levels: only, when, listed, .. }) in all() {
        let node = node.item(place);
        named(checking, &id.value, title, node);
        for (place, level) in only.iter().enumerate() {
            known_level(checking, levels, level, node.at("levels").item(place));
        }
        for (place, one) in when.iter().enumerate() {
            requirement(checking, &item.rule, one, node.at("when").item(place));
        }
        if only.is_empty() && when.is_empty() {
            if node.get("acts").is_none() {
                let mend = "写 when 或 levels；确要对人人适用的，写明 acts: true 或 false";
                checking.tell(node.fault(format!("特殊情形“{title}”没有条件，人人适用")).mend(mend));
            }
            if *listed {
                let mend = "删去 listed；全部列入名单的等级在 measures 中写 full: true";
                checking.tell(node.at("listed").fault("没有条件的特殊情形会把全部对象列入名单").mend(mend));
            }
        }
    }
}

fn named(checking: &mut Checking, id: &str, title: &str, node: &Node) {
    if !is_name(id) {
        checking.tell(bad_name(node.at("id"), id));
    }
    if title.trim().is_empty() {
        checking.tell(
            node.at("title").fault("title 是空的").mend("请写办事人员看得懂的一句话，例如 本年度已达检查频次上限"),
        );
    }
}

fn known_level(checking: &mut Checking, levels: Option<&[String]>, level: &str, node: &Node) {
    if let Some(levels) = levels.filter(|levels| levels.iter().all(|known| known != level)) {
        checking.tell(node.fault(format!("没有等级“{level}”")).mend(nearest(level, levels)));
    }
}

fn measures(checking: &mut Checking, item: &InspectionItem, levels: Option<&[String]>, node: &Node) {
    let given: Vec<&str> = item.measures.iter().map(|measure| measure.level.as_str()).collect();
    let expected = levels.map(|levels| levels.iter().map(String::as_str).collect::<Vec<_>>());
    if let Some(expected) = expected.filter(|expected| *expected != given) {
        let message = format!("监管措施的等级应为 {}，写的是 {}", expected.join("、"), given.join("、"));
        checking.tell(node.fault(message).mend("每个等级写一项，从风险低到风险高"));
    }
    for pair in 1..item.measures.len() {
        let (lower, higher) = (&item.measures[pair - 1], &item.measures[pair]);
        if higher.weight < lower.weight {
            let message = format!("等级“{}”的 weight {} 小于风险更低的“{}”", higher.level, higher.weight, lower.level);
            checking.tell(node.item(pair).at("weight").fault(message).mend("风险越高，抽查比例不得越低"));
        }
    }
    for (place, one) in item.measures.iter().enumerate() {
        measure(checking, one, node.item(place));
    }
}

fn measure(checking: &mut Checking, measure: &Measure, node: &Node) {
    let Measure { level, visits, methods, may_leave_out, full, .. } = measure;
    if visits.least > visits.most {
        let message = format!("等级“{level}”的检查频次 {} 至 {} 不成立", visits.least, visits.most);
        checking.tell(node.at("visits").fault(message).mend("least 不大于 most"));
    }
    if methods.is_empty() {
        checking.tell(node.at("methods").fault("没有写检查方式").mend("例如 methods: [on_site]"));
    }
    let list = node.at("methods");
    let names: Vec<String> = methods.iter().map(ToString::to_string).collect();
    checking.unique("检查方式", names.iter().enumerate().map(|(place, name)| (name.as_str(), list.item(place))));
    if let Some(place) = methods.iter().position(|method| measure.is_raised() && *method != Method::OnSite) {
        let message = format!("等级“{level}”的风险高于一般，不能用“{}”", methods[place].title());
        checking.tell(list.item(place).fault(message).mend("风险较高和高的一律实地检查：methods: [on_site]"));
    }
    if *may_leave_out && (measure.is_raised() || *full) {
        let message = format!("等级“{level}”不得留出不抽");
        checking.tell(node.at("may_leave_out").fault(message).mend("删去 may_leave_out；只有风险低的可以留出"));
    }
}

fn ratios(checking: &mut Checking, item: &InspectionItem, node: &Node) {
    let InspectionItem { least_ratio, usual_ratio, exploration, .. } = item;
    for (key, ratio) in [("least_ratio", least_ratio), ("usual_ratio", usual_ratio), ("exploration", exploration)] {
        if *ratio > WHOLE {
            let message = format!("{key} {ratio} 超过全部");
            checking.tell(node.at(key).fault(message).mend(format!("比例是万分之几，最多 {WHOLE}")));
        }
    }
    if usual_ratio < least_ratio {
        let message = format!("usual_ratio {usual_ratio} 小于 least_ratio {least_ratio}");
        checking.tell(node.at("usual_ratio").fault(message).mend("通常的比例不低于下限"));
    }
}

fn carrying_out(checking: &mut Checking, item: &InspectionItem, node: &Node) {
    if let Some(word) = &item.needs.qualification
        && let Err(error) = word.parse::<Qualification>()
    {
        let mend = "写领域的编号，例如 food_production";
        checking.tell(node.at("needs").at("qualification").fault(error.to_string()).mend(mend));
    }
    if item.team != TEAM {
        let message = format!("检查组人数写的是 {}", item.team);
        checking.tell(node.at("team").fault(message).mend(format!("抽取时每组 {TEAM} 人，写 team: {TEAM}")));
    }
    if item.minutes == 0 {
        checking.tell(node.at("minutes").fault("minutes 为零").mend("请写一次检查通常用的分钟数"));
    }
    if item.checklist.is_empty() {
        let mend = "至少写一项检查内容和标准";
        checking.tell(node.at("checklist").fault("没有检查表").mend(mend));
    }
    let list = node.at("checklist");
    let contents = item.checklist.iter().enumerate();
    checking.unique("检查内容", contents.map(|(place, line)| (line.content.as_str(), list.item(place))));
    let list = node.at("replacement_grounds");
    let grounds = || item.replacement_grounds.iter().enumerate();
    checking.unique("替换情形", grounds().map(|(place, ground)| (ground.as_str(), list.item(place))));
    for (place, ground) in grounds() {
        if let Err(error) = Line::new(ground.as_str()) {
            checking.tell(list.item(place).fault(error.to_string()).mend("请写一行文字，例如 已注销"));
        }
    }
}
