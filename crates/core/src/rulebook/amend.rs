//! Carrying out the changes of lower jurisdictions: a value is replaced in the upper rule's text, for the
//! days of the change, and the rule is read anew. Comments, types and lines stay as they were.

use super::fault::{RuleError, nearest};
use super::node::Node;
use super::override_file::OverrideFile;
use super::shelf::{AmendedKey, Edition, Rule, Shelf};
use super::{Direction, Head, Jurisdiction, read};
use crate::ledger::Hash;
use crate::record::Day;

/// An override file with what is needed to tell its faults.
pub(super) struct Amendment {
    pub(super) node: Node,
    pub(super) text: String,
    pub(super) jurisdiction: Jurisdiction,
    /// Folder it is in.
    pub(super) folder: &'static str,
    pub(super) content: OverrideFile,
}

/// Amends a rule of the shelf: within the amendment's interval it gets editions with the new values.
pub(super) fn amend<T: Rule>(shelf: &mut Shelf<T>, id: &str, amendment: &Amendment) -> Vec<RuleError> {
    if let Some(error) = misplaced(shelf, id, amendment) {
        return vec![error];
    }
    let OverrideFile { from, until, .. } = amendment.content;
    let touched = |head: &Head| from <= head.until.unwrap_or(Day::MAX) && head.from <= until.unwrap_or(Day::MAX);
    let mut errors = Vec::new();
    let mut editions = Vec::with_capacity(shelf.0.len());
    for edition in std::mem::take(&mut shelf.0) {
        if edition.id() != id || !touched(edition.head()) {
            editions.push(edition);
            continue;
        }
        match amended(&edition, amendment) {
            Ok(amended) => editions.extend(around(edition, amended, amendment)),
            Err(found) => {
                errors.extend(found);
                editions.push(edition);
            }
        }
    }
    shelf.0 = editions;
    errors
}

/// Whether there is no such rule, or not above, or not in all of the interval.
fn misplaced<T: Rule>(shelf: &Shelf<T>, id: &str, amendment: &Amendment) -> Option<RuleError> {
    let Amendment { node, content, .. } = amendment;
    let name = &content.overrides;
    if content.cite.is_empty() {
        return Some(node.at("cite").fault("改动没有写依据").mend("在 cite 中写明文件、文号、条款"));
    }
    if content.until.is_some_and(|until| until < content.from) {
        let message = format!("until 早于 from（{}）", content.from);
        return Some(node.at("until").fault(message).mend("请核对改动的起止日期"));
    }
    let Some(first) = shelf.of(id).next() else {
        let known: Vec<String> = shelf.ids().map(|id| format!("{}/{id}", T::FOLDER)).collect();
        return Some(node.at("overrides").fault(format!("没有规则“{name}”")).mend(nearest(name, known)));
    };
    if first.jurisdiction >= amendment.jurisdiction {
        let message = format!("“{name}”不是上级的规则");
        return Some(node.at("overrides").fault(message).mend(format!("请直接修改 {}", first.node.file)));
    }
    let day = shelf.first_day_without(id, content.from, content.until)?;
    let message = format!("“{name}”在 {day} 没有有效的版本可改");
    Some(node.at("from").fault(message).mend("改动的起止日期须在上级规则的有效期内"))
}

/// The edition with the new values.
fn amended<T: Rule>(edition: &Edition<T>, amendment: &Amendment) -> Result<Edition<T>, Vec<RuleError>> {
    let mut errors = Vec::new();
    let mut replaced = Vec::new();
    let mut amended = edition.amended.clone();
    for key in amendment.content.set.keys() {
        let written = amendment.node.at("set").at(key);
        match permitted(edition, amendment, key, written) {
            Ok(old) => {
                replaced.push((old.bytes.clone(), &amendment.text[written.bytes.clone()]));
                amended.push(AmendedKey { key: key.clone(), by: amendment.jurisdiction, written: written.clone() });
            }
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    replaced.sort_by_key(|(old, _)| std::cmp::Reverse(old.start));
    let mut text = edition.text.clone();
    for (old, new) in replaced {
        text.replace_range(old, new);
    }
    let mut node = read::tree(&edition.node.file, &text).map_err(|error| vec![error])?;
    let rule: Result<T, RuleError> = read::typed(&node, &text);
    // From here on, what is wrong with a changed value is told where the change is written.
    for AmendedKey { key, written, .. } in &amended {
        if let Some(place) = node.find_mut(key) {
            place.file.clone_from(&written.file);
            place.line = written.line;
        }
    }
    let mut rule = rule.map_err(|error| vec![told_at_change(error, edition, &amended)])?;
    rule.head_mut().cite.extend(amendment.content.cite.iter().cloned());
    text.push_str(&remark(amendment));
    Ok(Edition {
        rule,
        node,
        digest: Hash::of(&[text.as_bytes()]).to_string(),
        text,
        jurisdiction: edition.jurisdiction,
        amended,
    })
}

/// The value to be replaced, if the rule lets this jurisdiction change it this way.
fn permitted<'a, T: Rule>(
    edition: &'a Edition<T>,
    amendment: &Amendment,
    key: &str,
    written: &Node,
) -> Result<&'a Node, RuleError> {
    let name = edition.name();
    let by = amendment.jurisdiction;
    let permissions = &edition.head().may_override;
    let Some(permission) = permissions.iter().find(|one| one.key == key) else {
        let mut open = permissions.iter().filter(|one| one.by.contains(&by)).map(|one| one.key.as_str()).peekable();
        let mend = match open.peek() {
            None => format!("这条规则没有允许{by}改动的键"),
            Some(_) => format!("{by}可改的键：{}", open.collect::<Vec<_>>().join("、")),
        };
        return Err(written.fault(format!("“{name}”不许改“{key}”")).mend(mend));
    };
    if !permission.by.contains(&by) {
        let who: Vec<String> = permission.by.iter().map(ToString::to_string).collect();
        let message = format!("“{name}”的“{key}”{by}不能改");
        return Err(written.fault(message).mend(format!("只有{}可以改", who.join("、"))));
    }
    if let Some(earlier) = edition.amended.iter().find(|one| one.key == key && one.by == by) {
        let message = format!("“{key}”在同一时段被改了两次");
        let place = format!("{}:{}", earlier.written.file, earlier.written.line);
        return Err(written.fault(message).mend(format!("另一处在 {place}，请留一处或错开日期")));
    }
    let old = edition.node.find(key).filter(|old| old.is_single_value(&edition.text));
    let old = old.ok_or_else(|| written.fault(format!("“{name}”在这段时间里没有“{key}”这个值")))?;
    if !written.is_single_value(&amendment.text) {
        let mend = "请在一行里写一个数、一段文字、true 或 false";
        return Err(written.fault(format!("“{key}”只能改成单个值")).mend(mend));
    }
    let wrong_way = |way: &str| {
        let (old, new) = (old.scalar().unwrap_or_default(), written.scalar().unwrap_or_default());
        let message = format!("“{key}”只能改{way}：上级为 {old}，此处为 {new}");
        written.fault(message).mend(format!("请写比 {old} {way}的数，或删去这一行"))
    };
    match (permission.direction, old.number(), written.number()) {
        (Direction::Any, ..) => Ok(old),
        (Direction::Lower, Some(old_number), Some(new)) if new < old_number => Ok(old),
        (Direction::Higher, Some(old_number), Some(new)) if new > old_number => Ok(old),
        (Direction::Lower, ..) => Err(wrong_way("小")),
        (Direction::Higher, ..) => Err(wrong_way("大")),
    }
}

/// A changed value of the wrong type is the fault of the file that changed it.
fn told_at_change<T>(error: RuleError, edition: &Edition<T>, amended: &[AmendedKey]) -> RuleError {
    let is_there = |one: &&AmendedKey| edition.node.find(&one.key).is_some_and(|old| Some(old.line) == error.line);
    match amended.iter().rev().find(is_there) {
        Some(AmendedKey { written, .. }) => {
            RuleError { file: written.file.to_string(), line: Some(written.line), ..error }
        }
        None => error,
    }
}

/// What is added to the rule's wording, so that whoever signs it sees what was changed and by what right.
fn remark(amendment: &Amendment) -> String {
    let OverrideFile { cite, set, .. } = &amendment.content;
    let cite: Vec<String> = cite.iter().map(ToString::to_string).collect();
    let changes: Vec<String> = set.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    format!("\n# {}：{}。依据{}\n", amendment.node.file, changes.join("，"), cite.join("、"))
}

/// The amended edition between what is left of the old one before and after it.
fn around<T: Rule>(old: Edition<T>, mut amended: Edition<T>, amendment: &Amendment) -> Vec<Edition<T>> {
    let OverrideFile { from, until, .. } = amendment.content;
    let (old_from, old_until) = (old.head().from, old.head().until);
    let mut all = Vec::new();
    if let Some(before) = from.pred_opt().filter(|before| old_from <= *before) {
        let mut edition = old.clone();
        edition.rule.head_mut().until = Some(before);
        all.push(edition);
    }
    let after = until.and_then(|until| until.succ_opt());
    let after = after.filter(|after| old_until.is_none_or(|old_until| *after <= old_until));
    let head = amended.rule.head_mut();
    head.from = old_from.max(from);
    head.until = if after.is_some() { until } else { old_until };
    all.push(amended);
    if let Some(after) = after {
        let mut edition = old;
        edition.rule.head_mut().from = after;
        all.push(edition);
    }
    all
}
