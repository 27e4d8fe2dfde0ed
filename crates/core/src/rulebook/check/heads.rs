//! Heads of rules: names, citations, permissions, validity.

use super::super::fault::RuleError;
use super::super::node::Node;
use super::super::shelf::{Edition, Rule, Shelf};
use super::super::{Citation, Direction, Head, Status};

/// Checks every head of a shelf, and the versions of each rule against each other.
pub(in super::super) fn heads<T: Rule>(shelf: &Shelf<T>) -> Vec<RuleError> {
    let mut errors = Vec::new();
    for edition in &shelf.0 {
        head(edition, &mut errors);
        let Head { status, signatures, .. } = edition.head();
        if *status == Status::Default && (1..T::LEAST_SIGNATURES).contains(signatures) {
            let least = T::LEAST_SIGNATURES;
            let message = format!("企业的等级由它决定，缺省规则须 {least} 人签署");
            errors
                .push(edition.node.at("rule").at("status").fault(message).mend(format!("请加上 signatures: {least}")));
        }
    }
    // Sorted by id, jurisdiction and day: versions of a rule are neighbours.
    for pair in shelf.0.windows(2).filter(|pair| pair[0].id() == pair[1].id()) {
        errors.extend(succession(&pair[0], &pair[1]));
    }
    errors
}

/// Checks the head of one rule.
pub(in super::super) fn head<T: Rule>(edition: &Edition<T>, errors: &mut Vec<RuleError>) {
    let head = edition.head();
    let node = edition.node.at("rule");
    let id = edition.id();
    if !is_name(id) {
        errors.push(bad_name(node.at("id"), id));
    }
    if head.title.trim().is_empty() {
        errors.push(node.at("title").fault("title 是空的").mend("请写规则的中文名称"));
    }
    if head.until.is_some_and(|until| until < head.from) {
        let message = format!("until 早于 from（{}）", head.from);
        errors.push(node.at("until").fault(message).mend("请核对有效期的起止"));
    }
    if head.status == Status::Confirmed && head.cite.is_empty() {
        let mend = "在 cite 中写明文件、文号、条款；没有出处的写 status: default";
        errors.push(node.at("status").fault("依据已核实（confirmed）的规则没有写依据").mend(mend));
    }
    if head.signatures == 0 {
        let mend = "缺省规则至少一人签署才起作用：写 1（可以不写）或更多";
        errors.push(node.at("signatures").fault("signatures 为零").mend(mend));
    }
    if head.status == Status::Confirmed && head.signatures > 1 {
        let mend = "请删去 signatures；要经签署才起作用的，写 status: default";
        errors.push(node.at("signatures").fault("依据已核实（confirmed）的规则不须签署").mend(mend));
    }
    for (place, Citation { document, .. }) in head.cite.iter().enumerate() {
        if document.trim().is_empty() {
            let node = node.at("cite").item(place).at("document");
            errors.push(node.fault("依据没有写文件名称").mend("请写文件全称，不加书名号"));
        }
    }
    permissions(edition, errors);
}

/// Every permission must name a value that the rule has, and someone lower.
fn permissions<T: Rule>(edition: &Edition<T>, errors: &mut Vec<RuleError>) {
    let list = edition.node.at("rule").at("may_override");
    for (place, permission) in edition.head().may_override.iter().enumerate() {
        let node = list.item(place);
        let key = &permission.key;
        match edition.node.find(key).filter(|_| !key.starts_with("rule.")) {
            None => {
                let mend = "写作用点隔开的键，列表的项用其 id、name、code 或 level，都没有的用序号，例如 submit_within.value、levels.A.below";
                errors.push(node.at("key").fault(format!("规则里没有可改的键“{key}”")).mend(mend));
            }
            Some(value) if !value.is_single_value(&edition.text) => {
                let mend = "只有写在一行里的单个值可以由下级改动，请写到具体的值";
                errors.push(node.at("key").fault(format!("“{key}”不是单个值")).mend(mend));
            }
            Some(value) if permission.direction != Direction::Any && value.number().is_none() => {
                let mend = "不是数的值写 direction: any";
                errors.push(node.at("direction").fault(format!("“{key}”不是数，没有大小")).mend(mend));
            }
            Some(_) => {}
        }
        if permission.by.is_empty() || permission.by.iter().any(|by| *by <= edition.jurisdiction) {
            let message = format!("“{key}”的 by 应是{}以下的辖区", edition.jurisdiction);
            errors.push(node.at("by").fault(message).mend("例如 by: [county]"));
        }
    }
}

/// A version must begin on the day after the one before it ends.
fn succession<T: Rule>(earlier: &Edition<T>, later: &Edition<T>) -> Option<RuleError> {
    let name = later.name();
    let node = later.node.at("rule");
    if earlier.jurisdiction != later.jurisdiction {
        let message = format!("{}已有规则“{name}”（{}），下级不能另立", earlier.jurisdiction, earlier.node.file);
        let mend = "要改动上级允许改的值，文件里写 overrides、from、until、cite、set；要另立规则，请换一个 id";
        return Some(node.at("id").fault(message).mend(mend));
    }
    let from = later.head().from;
    let last = from.pred_opt()?;
    let mend = format!("请把前一版（{}）的 until 写成 {last}", earlier.node.file);
    let next = earlier.head().until.and_then(|until| until.succ_opt());
    let message = match next {
        Some(next) if next == from => return None,
        Some(next) if next < from => format!("“{name}”自 {next} 至 {last} 没有有效的版本"),
        _ if earlier.head().from == from => {
            let message = format!("“{name}”有两个版本都自 {from} 起有效");
            return Some(node.at("from").fault(message).mend(format!("另一处在 {}，请留一个", earlier.node.file)));
        }
        _ => format!("“{name}”的两个版本有效期重叠"),
    };
    Some(node.at("from").fault(message).mend(mend))
}

/// Names stand in paths, dotted keys and commands.
pub(super) fn is_name(name: &str) -> bool {
    let fits = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
    !name.is_empty() && name.chars().all(fits)
}

pub(super) fn bad_name(node: &Node, name: &str) -> RuleError {
    node.fault(format!("“{name}”不能作编号")).mend("编号只用英文字母、数字、下划线和连字符")
}
