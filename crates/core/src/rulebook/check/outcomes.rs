//! Outcomes of back-tests.

use super::super::kind::Nature;
use super::super::outcome::Outcome;
use super::super::shelf::Edition;
use super::Checking;
use super::models::condition;

pub(in super::super) fn outcome(checking: &mut Checking, edition: &Edition<Outcome>) {
    let (outcome, node) = (&edition.rule, &edition.node);
    if outcome.found.is_empty() {
        let mend = "至少写一个条件，例如 found: [{field: violations_critical, at_least: 1}]";
        checking.tell(node.at("found").fault("没有写怎样算发现问题").mend(mend));
    }
    for kind in checking.kinds_of(node.at("kind"), &outcome.kind, &outcome.rule) {
        if kind.nature != Nature::Event {
            let message = format!("“{}”记的是状态，没有哪一天的结果可供检验", kind.rule.title);
            checking.tell(node.at("kind").fault(message).mend("请用 nature 为 event 的种类，例如 inspection"));
        }
        for (key, conditions) in [("where", &outcome.conditions), ("found", &outcome.found)] {
            for (place, one) in conditions.iter().enumerate() {
                condition(checking, kind, one, node.at(key).item(place));
            }
        }
    }
}
