//! Lotteries: a format that can be read in one way only.

use super::super::lotteries::{Lottery, Part};
use super::super::node::Node;
use super::super::shelf::Edition;
use super::Checking;

/// A number with more digits is none that a lottery draws, and does not fit.
const MOST_DIGITS: u32 = 9;

pub(super) fn lottery(checking: &mut Checking, edition: &Edition<Lottery>) {
    let (lottery, node) = (&edition.rule, &edition.node);
    match placeholders(lottery.format.as_str()) {
        None => {
            let mend = "每个“{”后面有它的“}”，中间不再有花括号，例如 双色球 {issue} {six red balls}";
            checking.tell(node.at("format").fault("花括号不成对").mend(mend));
        }
        Some(count) if count != lottery.parts.len() => {
            let message = format!("format 有 {count} 处“{{…}}”，parts 有 {} 项", lottery.parts.len());
            checking.tell(node.at("format").fault(message).mend("两者应一一对应，次序相同"));
        }
        Some(_) => {}
    }
    if lottery.parts.iter().filter(|part| part.issue).count() != 1 {
        let mend = "期号的一项写 issue: true，其余各项不写";
        checking.tell(node.at("parts").fault("期号应恰好有一项").mend(mend));
    }
    for (place, part) in lottery.parts.iter().enumerate() {
        self::part(checking, part, node.at("parts").item(place));
    }
    if lottery.drawn_on.is_empty() {
        checking.tell(node.at("drawn_on").fault("没有写星期几开奖").mend("例如 drawn_on: [tuesday, thursday, sunday]"));
    }
    if lottery.seal_within_hours == 0 {
        let node = node.at("seal_within_hours");
        checking.tell(node.fault("开奖之后没有抽取的时间").mend("至少写 1 小时，例如 seal_within_hours: 72"));
    }
    if !is_clock(&lottery.announced_at) {
        let message = format!("“{}”不是时刻", lottery.announced_at);
        checking.tell(node.at("announced_at").fault(message).mend("加引号写作 '21:15' 的样子（24 小时制）"));
    }
}

/// How many `{…}` there are, if every brace has its other one.
fn placeholders(format: &str) -> Option<usize> {
    let braces: Vec<char> = format.chars().filter(|character| matches!(character, '{' | '}')).collect();
    braces.chunks(2).all(|pair| pair == ['{', '}']).then_some(braces.len() / 2)
}

fn is_clock(text: &str) -> bool {
    text.len() == "21:15".len() && chrono::NaiveTime::parse_from_str(text, "%H:%M").is_ok()
}

fn part(checking: &mut Checking, part: &Part, node: &Node) {
    let Part { title, issue, count, digits, from, to, distinct, .. } = part;
    if !(1..=MOST_DIGITS).contains(digits) || *count == 0 {
        let mend = format!("count 至少为 1，digits 在 1 至 {MOST_DIGITS} 之间");
        checking.tell(node.fault(format!("“{title}”没有可写的号码")).mend(mend));
        return;
    }
    if *issue {
        if let Some(key) =
            ["count", "from", "to", "distinct", "ascending"].into_iter().find(|key| node.get(key).is_some())
        {
            let message = format!("期号只有位数，没有 {key}");
            checking.tell(node.at(key).fault(message).mend(format!("删去 {key}")));
        }
        return;
    }
    if from > to || *to >= 10u32.pow(*digits) {
        let message = format!("“{title}”的号码 {from} 至 {to} 不成立，或写不进 {digits} 位");
        checking.tell(node.at("to").fault(message).mend("from 不大于 to，to 的位数不多于 digits"));
    } else if *distinct && to - from < count - 1 {
        let message = format!("“{title}”要 {count} 个不同的号码，而 {from} 至 {to} 没有那么多");
        checking.tell(node.at("count").fault(message).mend("请核对 count、from、to"));
    }
}
