//! From a file's text to its typed form, strictly; what the YAML reader says is told in Chinese.

use serde::de::DeserializeOwned;
use serde_saphyr::Error;

use super::fault::{RuleError, nearest};
use super::node::Node;
use crate::record::Day;

/// Reads a file as a tree.
pub(super) fn tree(file: &str, text: &str) -> Result<Node, RuleError> {
    let content = parse(text).map_err(|error| translate(file, text, None, &error))?;
    Ok(Node::root(file, content))
}

/// Reads a file as its typed form. The tree of the same text tells which key a fault is at.
pub(super) fn typed<T: DeserializeOwned>(tree: &Node, text: &str) -> Result<T, RuleError> {
    parse(text).map_err(|error| translate(&tree.file, text, Some(tree), &error))
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    let options = serde_saphyr::options! {
        with_snippet: false,
        // Cases use the same record many times over.
        budget: serde_saphyr::budget! { enforce_alias_anchor_ratio: false },
    };
    serde_saphyr::from_str_with_options(text, options)
}

/// The keys that lead to a fault, from the outermost in.
fn path_to<'a>(tree: Option<&'a Node>, error: &Error) -> Option<Vec<(String, &'a Node)>> {
    let offset = usize::try_from(error.location()?.span().byte_offset()?).ok()?;
    tree?.at_offset(offset)
}

fn dotted(path: &[(String, &Node)]) -> String {
    let steps: Vec<&str> = path.iter().map(|(step, _)| step.as_str()).collect();
    steps.join(".")
}

fn translate(file: &str, text: &str, tree: Option<&Node>, error: &Error) -> RuleError {
    let error = error.without_snippet();
    let line = error.location().and_then(|location| u32::try_from(location.line()).ok());
    let fault = |message: String| RuleError { line, ..RuleError::of_file(file, message) };
    let path = path_to(tree, error);
    let at = path.as_ref().and_then(|path| path.last()).map(|(_, node)| *node);
    // What was written there, in short.
    let written = at.filter(|node| node.is_single_value(text)).map(|node| &text[node.bytes.clone()]);
    let should_be = |what: &str, mend: &str| {
        let key = path.as_ref().map(|path| format!("“{}”", dotted(path))).unwrap_or_default();
        let written = written.map(|written| format!("，写的是“{written}”")).unwrap_or_default();
        let message = format!("{key}应为{what}{written}");
        fault(message).mend(mend)
    };
    match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            fault(format!("不认识的键“{field}”")).mend(nearest(field, expected))
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            fault(format!("不认识的值“{variant}”")).mend(nearest(variant, expected))
        }
        Error::SerdeMissingField { field, .. } => {
            // The reader points at the last key of a group, if it has any: what lacks one is the group.
            let mut path = path.unwrap_or_default();
            path.pop_if(|(_, node)| !node.is_empty_group());
            let group = path.last().map(|(_, node)| node.line).or(tree.map(|tree| tree.line));
            let mut missing = fault(match path.len() {
                0 => format!("缺少键“{field}”"),
                _ => format!("“{}”缺少键“{field}”", dotted(&path)),
            });
            missing.line = group.or(line);
            missing.mend(format!("请补写“{field}: …”"))
        }
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().unwrap_or_default();
            fault(format!("键“{key}”重复")).mend("同一组里每个键只写一次，请合并或删去一个")
        }
        Error::Unexpected { expected, .. } if expected.contains("sequence") => {
            should_be("列表", "每项各占一行、以“- ”开头，或写在方括号里：[甲, 乙]")
        }
        Error::Unexpected { expected, .. } if expected.contains("mapping") => {
            should_be("一组键和值", "每个键各占一行、比上一级多缩进两格，或写在花括号里：{键: 值}")
        }
        Error::Unexpected { .. } | Error::NullIntoString { .. } => {
            should_be("文字", "请填写一个值；文字含特殊符号时加引号")
        }
        Error::InvalidScalar { ty, .. } if ty.starts_with("bool") => {
            should_be("true 或 false", "是写 true，否写 false")
        }
        Error::InvalidScalar { ty, .. } if ty.starts_with('u') => should_be("不小于零的整数", "请改为整数，例如 3"),
        Error::InvalidScalar { .. } => should_be("整数", "请改为整数，例如 3"),
        Error::SerdeInvalidType { expected, .. } | Error::SerdeInvalidValue { expected, .. }
            if !expected.is_ascii() =>
        {
            // What is expected may be followed by how to write it.
            let (expected, mend) = expected.split_once('。').unwrap_or((expected, ""));
            should_be(expected, mend)
        }
        Error::Message { msg, .. } if is_about_a_day(msg, written) => {
            should_be("日期", "日期写作 2026-11-24 的样子，并且是历法上有的一天")
        }
        Error::Message { msg, .. } if !msg.is_ascii() => fault(msg.clone()),
        Error::Eof { .. } => fault("文件里没有内容".to_owned()).mend("请写入规则，或删去这个文件"),
        Error::MultipleDocuments { .. } => {
            fault("一个文件里有多份规则（以“---”隔开）".to_owned()).mend("每条规则各写一个文件")
        }
        Error::UnknownAnchor { .. } => fault("“*”引用的名称没有定义".to_owned()).mend("文字以“*”开头时加引号"),
        Error::Budget { .. } | Error::AliasReplayLimitExceeded { .. } | Error::AliasExpansionLimitExceeded { .. } => {
            fault("文件过大、层次过深，或“*”引用过多".to_owned()).mend("请分成几个文件")
        }
        _ => fault("YAML 语法有误".to_owned()).mend("请核对这一行及上一行的缩进、括号和引号；冒号用半角，其后空一格"),
    }
}

/// Whether this is what the calendar says of the text as written.
fn is_about_a_day(said: &str, written: Option<&str>) -> bool {
    let day = written.map(|written| written.trim_matches(['"', '\'']).parse::<Day>());
    day.is_some_and(|day| day.is_err_and(|error| error.to_string() == said))
}
