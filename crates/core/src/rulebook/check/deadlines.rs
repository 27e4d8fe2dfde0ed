//! Rules on deadlines, and procedures of approval.

use std::collections::BTreeSet;

use super::super::approvals::Procedure;
use super::super::deadlines::DeadlineRule;
use super::super::shelf::Edition;
use super::Checking;
use super::kinds::{DAYS, ended_by};
use super::models::condition;

pub(super) fn deadline(checking: &mut Checking, edition: &Edition<DeadlineRule>) {
    let (rule, node) = (&edition.rule, &edition.node);
    let start = &rule.starts;
    let at_start = node.at("starts");
    let kinds = checking.kinds_of(at_start.at("kind"), &start.kind, &rule.rule);
    for kind in &kinds {
        for (place, one) in start.conditions.iter().enumerate() {
            condition(checking, kind, one, at_start.at("where").item(place));
        }
        if let Some(field) = &start.from {
            checking.open_field(at_start.at("from"), kind, field, DAYS);
        }
        if let Some(field) = &rule.done_on {
            checking.open_field(node.at("done_on"), kind, field, DAYS);
        }
        if start.published && !kind.publicity.as_ref().is_some_and(|publicity| publicity.published) {
            let message = format!("“{}”不公示，不会有要公示的记录", kind.rule.title);
            checking.tell(at_start.at("published").fault(message).mend("删去 published，或在该记录种类中写公示的规定"));
        }
        for (list, key) in [(&rule.ends, "ends"), (&rule.pauses, "pauses"), (&rule.resumes, "resumes")] {
            for (place, event) in list.iter().enumerate() {
                ended_by(checking, node.at(key).item(place), kind, event);
            }
        }
    }
    if start.from.is_some() && start.from_received {
        let mend = "写 from（起算日的字段）或 from_received: true 之一";
        checking.tell(at_start.at("from_received").fault("起算日有两个").mend(mend));
    }
    if rule.term.value == 0 {
        checking.tell(node.at("term").at("value").fault("期限为零").mend("请写大于零的整数"));
    }
    if rule.ends.is_empty() && rule.done_on.is_none() {
        let mend = "写 ends（使其结束的记录）或 done_on（本记录中办结日期的字段）";
        checking.tell(node.fault("期限不会结束").mend(mend));
    }
    if rule.pauses.is_empty() != rule.resumes.is_empty() {
        checking.tell(node.fault("中止与恢复应成对").mend("pauses 与 resumes 都写，或都不写"));
    }
    if rule.alerts.red > rule.alerts.yellow {
        let mend = "剩余天数先到黄色、后到红色，例如 alerts: {yellow: 5, red: 0}";
        checking.tell(node.at("alerts").fault("红色早于黄色").mend(mend));
    }
    let mut fields = rule.events().map(|event| event.matching.keys().collect::<BTreeSet<_>>());
    if let Some(first) = fields.next()
        && fields.any(|other| other != first)
    {
        let mend = "使各记录对应同样的本记录字段，例如都对应 document_number";
        checking.tell(node.fault("结束、中止、恢复的记录对应的字段不同").mend(mend));
    }
}

pub(super) fn procedure(checking: &mut Checking, edition: &Edition<Procedure>) {
    if !edition.rule.review && !edition.rule.approve {
        let mend = "review 与 approve 至少一个写 true：任何事项都要另一人看过";
        checking.tell(edition.node.at("review").fault("只有经办一人").mend(mend));
    }
}
