//! Publicity decision (公示): whether a record is public on a day, since when, until when, which of its
//! fields, and by which rule. Everything public asks this and nothing else.

use std::fmt;

use crate::history::{Fact, Facts, Kinds};
use crate::record::{Day, Statement};
use crate::rulebook::Citation;
use crate::rulebook::kind::{Kind, PublicityRule, PublicityTerm};
use crate::score::fulfils;

/// Kind of the record that registers an enterprise.
pub const REGISTRATION: &str = "registration";

/// Kinds that are never published, whatever a rule file says: levels, what was told in confidence, what
/// is not decided yet, and the bureau's own workings.
pub const NEVER_PUBLIC: [&str; 12] = [
    "approval_step",
    "campaign",
    "classification",
    "complaint",
    "lead",
    "penalty_case",
    "public_opinion",
    "publication_evidence",
    "received_level",
    "relation",
    "rulebook_signature",
    "tip",
];

/// What was decided of a record on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision<'a> {
    /// Whether everybody may read it on the day.
    pub public: bool,
    /// The first day of publicity; none when the record is never public.
    pub since: Option<Day>,
    /// The last day of publicity; none while no end is known.
    pub until: Option<Day>,
    /// Names of the fields that everybody may read on the day, in the order of the kind.
    pub fields: Vec<&'a str>,
    /// The rule that decided.
    pub basis: Basis<'a>,
    /// Why, in a sentence.
    pub why: String,
    /// What the terms of the day would say of a record that was formed under earlier ones and keeps those:
    /// nobody has settled the transition yet, so whoever answers for publicity sees both.
    pub newer: Option<Newer<'a>>,
}

/// The rule behind a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basis<'a> {
    /// `kinds/penalty`, with the term where one decided: `kinds/penalty#ordinary`.
    pub rule: String,
    /// Where it is written; none when it is a default of ours.
    pub cite: Option<&'a Citation>,
}

/// What later terms would say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newer<'a> {
    /// The later rule.
    pub basis: Basis<'a>,
    /// Its last day of publicity, if it has one; none as well when it would not publish at all.
    pub until: Option<Day>,
    /// Whether it publishes such records.
    pub published: bool,
}

/// Decides of a record of an enterprise, from what was known of the enterprise as of a day.
#[must_use]
pub fn decide<'a>(record: &Statement, facts: &Facts<'_>, kinds: &Kinds<'a>) -> Decision<'a> {
    let Some(number) = kinds.number(&record.kind) else {
        return never(Basis { rule: format!("kinds/{}", record.kind), cite: None }, "没有这一种类的公示规则");
    };
    let kind = kinds.get(&record.kind).expect("it has a number");
    match facts.of(number).iter().find(|fact| fact.record.seq == record.seq) {
        Some(fact) => decide_fact(fact, kind, registration(facts, kinds), facts.day),
        None if record.occurred_on > facts.day => never(basis(kind, None), &format!("到 {} 尚未发生", facts.day)),
        None => never(basis(kind, None), "已被更正、更新或撤销"),
    }
}

/// All records of an enterprise that are public on the day of the facts, by kind and in ledger order.
#[must_use]
pub fn public_records<'r, 'a>(facts: &Facts<'r>, kinds: &Kinds<'a>) -> Vec<(&'r Statement, Decision<'a>)> {
    let registration = registration(facts, kinds);
    let of_kind = |(number, kind): (usize, &'a Kind)| {
        facts.of(number).iter().map(move |fact| (fact.record, decide_fact(fact, kind, registration, facts.day)))
    };
    kinds.iter().enumerate().flat_map(of_kind).filter(|(_, decision)| decision.public).collect()
}

/// The newest registration as of the day.
fn registration<'r>(facts: &Facts<'r>, kinds: &Kinds<'_>) -> Option<&'r Statement> {
    kinds.number(REGISTRATION).and_then(|number| facts.of(number).last()).map(|fact| fact.record)
}

fn decide_fact<'a>(fact: &Fact<'_>, kind: &'a Kind, registration: Option<&Statement>, day: Day) -> Decision<'a> {
    let id = kind.rule.id.value.as_str();
    let rule = kind.publicity.as_ref().filter(|rule| rule.published && !NEVER_PUBLIC.contains(&id));
    let Some(rule) = rule else {
        return never(basis(kind, None), &format!("“{}”不在公示范围", kind.rule.title));
    };
    let subject = Subject { fact, kind, rule, registration };
    let formed_on = kind.formed_on(fact.record);
    let Some(term) = subject.term(formed_on) else {
        return never(basis(kind, None), "没有适用的公示期限");
    };
    let newer = subject.term(day.max(formed_on)).filter(|newer| newer.id.value != term.id.value).map(|newer| Newer {
        basis: basis(kind, Some(newer)),
        until: newer.published.then(|| subject.span(newer).1).flatten().map(|(last, _)| last),
        published: newer.published,
    });
    if !term.published {
        return Decision { newer, ..never(basis(kind, Some(term)), &term.title) };
    }
    let (since, end) = subject.span(term);
    let until = end.map(|(last, _)| last);
    let public = since <= day && until.is_none_or(|until| day <= until);
    let why = match end {
        _ if since > day => format!("{since} 起公示：{}", term.title),
        Some((until, end)) if public => format!("{since} 至 {until} 公示：{}{}", term.title, end.while_public()),
        Some((until, end)) => format!("{until} 以后不再公示：{}", end.once_over(&term.title)),
        None => format!("{since} 起公示：{}", term.title),
    };
    let basis = basis(kind, Some(term));
    let fields = if public { subject.fields() } else { Vec::new() };
    Decision { public, since: Some(since), until, fields, why: sentence(&why, &basis), basis, newer }
}

/// Whether the publicity rule of the kind has a record published at all, by what is known when it comes in.
/// Clocks of publication start for these.
#[must_use]
pub fn is_to_be_published(record: &Statement, kind: &Kind) -> bool {
    let rule = kind.publicity.as_ref();
    let Some(rule) = rule.filter(|rule| rule.published && !NEVER_PUBLIC.contains(&kind.rule.id.value.as_str())) else {
        return false;
    };
    let fact = Fact { record, ended_on: None, repaired_on: None, published_on: None };
    let subject = Subject { fact: &fact, kind, rule, registration: None };
    subject.term(kind.formed_on(record)).is_some_and(|term| term.published)
}

/// What a decision looks at.
struct Subject<'s, 'a> {
    fact: &'s Fact<'s>,
    kind: &'a Kind,
    rule: &'a PublicityRule,
    registration: Option<&'s Statement>,
}

/// Why publicity ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// The term is over.
    Term,
    /// The record was repaired.
    Repaired,
    /// The record is no longer in effect.
    Ended,
}

impl<'a> Subject<'_, 'a> {
    fn term(&self, formed_on: Day) -> Option<&'a PublicityTerm> {
        let payload = &self.fact.record.payload;
        self.rule.terms.iter().find(|term| {
            term.from.is_none_or(|from| from <= formed_on)
                && term.until.is_none_or(|until| formed_on <= until)
                && term.conditions.iter().all(|condition| fulfils(condition, self.kind, payload))
                && (term.any.is_empty() || term.any.iter().any(|condition| fulfils(condition, self.kind, payload)))
                && self.enterprise_fulfils(&term.enterprise)
        })
    }

    /// The conditions on registrations were checked against that kind; only codes would need to know it.
    fn enterprise_fulfils(&self, conditions: &[crate::rulebook::model::Condition]) -> bool {
        conditions.is_empty()
            || self.registration.is_some_and(|registration| {
                conditions.iter().all(|condition| crate::score::holds(condition, false, &registration.payload))
            })
    }

    /// The first day, and the last with its reason.
    fn span(&self, term: &PublicityTerm) -> (Day, Option<(Day, End)>) {
        let payload = &self.fact.record.payload;
        let named = self.rule.counted_from.iter().find_map(|field| payload.day(field));
        let since = self.fact.published_on.or(named).unwrap_or_else(|| self.kind.formed_on(self.fact.record));
        let by_term = term.lasts.as_ref().map(|lasts| {
            let last = lasts.last_day_from(since);
            let longer = term.or_until.as_ref().and_then(|field| payload.day(field));
            (longer.map_or(last, |longer| longer.max(last)), End::Term)
        });
        let before = |day: Day| day.pred_opt().unwrap_or(day);
        let repaired = self.fact.repaired_on.filter(|_| term.stopped_by_repair);
        let last_in_effect = self.kind.ends.as_ref().and_then(|ends| payload.day(ends.on.as_ref()?));
        let ends = [
            by_term,
            repaired.map(|day| (before(day), End::Repaired)),
            last_in_effect.map(|day| (day, End::Ended)),
            self.fact.ended_on.map(|day| (before(day), End::Ended)),
        ];
        (since, ends.into_iter().flatten().min_by_key(|(day, _)| *day))
    }

    fn fields(&self) -> Vec<&'a str> {
        let payload = &self.fact.record.payload;
        let granted = |name: &String| {
            self.rule.fields.contains(name)
                || self.rule.fields_if.iter().any(|group| {
                    group.fields.contains(name)
                        && group.conditions.iter().all(|condition| fulfils(condition, self.kind, payload))
                        && self.enterprise_fulfils(&group.enterprise)
                })
        };
        let fields = self.kind.fields.iter().filter(|field| !field.personal && granted(&field.name.value));
        fields.map(|field| field.name.value.as_str()).collect()
    }
}

impl End {
    fn while_public(self) -> &'static str {
        match self {
            Self::Term => "",
            Self::Repaired => "；已修复",
            Self::Ended => "；有效期至该日",
        }
    }

    fn once_over(self, title: &str) -> String {
        match self {
            Self::Term => format!("公示期满（{title}）"),
            Self::Repaired => "已信用修复".to_owned(),
            Self::Ended => "已移出或有效期满".to_owned(),
        }
    }
}

fn basis<'a>(kind: &'a Kind, term: Option<&'a PublicityTerm>) -> Basis<'a> {
    let id = &kind.rule.id.value;
    let of_rule = kind.publicity.as_ref().and_then(|rule| rule.cite.as_ref());
    match term {
        Some(term) => Basis { rule: format!("kinds/{id}#{}", term.id.value), cite: term.cite.as_ref() },
        None => Basis { rule: format!("kinds/{id}"), cite: of_rule },
    }
}

fn never<'a>(basis: Basis<'a>, why: &str) -> Decision<'a> {
    let why = sentence(&format!("不公示：{why}"), &basis);
    Decision { public: false, since: None, until: None, fields: Vec::new(), basis, why, newer: None }
}

fn sentence(why: &str, basis: &Basis<'_>) -> String {
    format!("{why}（{basis}）")
}

impl fmt::Display for Basis<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cite {
            Some(cite) => write!(f, "{cite}"),
            None => f.write_str("本系统缺省"),
        }
    }
}
