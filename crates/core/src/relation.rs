//! Relations between enterprises (关联关系): who shares an address or a person with whom, and with how many of a sort.
//!
//! One pass over all enterprises gathers what each has in common with others; then each is told its count. What is kept
//! in between are digests, so that an address or a person's number is not.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::credit_code::CreditCode;
use crate::history::{Facts, Kinds};
use crate::ledger::Hash;
use crate::record::{Seq, Statement, Value};
use crate::rulebook::relations::RelationRule;
use crate::score::CompiledRequirement;
use crate::search::plain;

/// Kind of record of a relation.
pub const RELATION: &str = "relation";
/// Who found a relation that was derived here.
pub const FOUND_BY_SYSTEM: &str = "system";

/// The rules of a day, made ready, and what the enterprises so far have shown.
pub struct Relating<'a> {
    rules: Vec<Compiled<'a>>,
    relations: Option<usize>,
    members: Vec<Member>,
    enterprises: Vec<CreditCode>,
    /// By enterprise and relation: what is on record as derived here.
    standing: BTreeMap<(u32, &'a str), i64>,
}

struct Compiled<'a> {
    rule: &'a RelationRule,
    kind: usize,
    personal: bool,
    among: Vec<CompiledRequirement<'a>>,
    counting: Vec<CompiledRequirement<'a>>,
}

/// An enterprise with a value that others may have too.
struct Member {
    rule: u32,
    enterprise: u32,
    value: [u8; 16],
    counts: bool,
}

/// A count that differs from the one on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related<'a> {
    /// Whose.
    pub enterprise: CreditCode,
    /// The relation.
    pub relation: &'a str,
    /// How many; none when it is so no longer.
    pub count: Option<i64>,
}

impl<'a> Relating<'a> {
    /// Takes the rules of a day that may act, and the kinds of that day.
    pub fn new(rules: impl IntoIterator<Item = &'a RelationRule>, kinds: &Kinds<'a>) -> Self {
        let compiled = rules.into_iter().filter_map(|rule| {
            let kind = kinds.get(&rule.shared.kind)?;
            let is_personal = |field: &String| kind.field(field).is_some_and(|field| field.personal);
            Some(Compiled {
                rule,
                kind: kinds.number(&rule.shared.kind)?,
                personal: rule.shared.fields.iter().any(is_personal),
                among: rule.among.iter().map(|one| CompiledRequirement::new(one, kinds)).collect(),
                counting: rule.counting.iter().map(|one| CompiledRequirement::new(one, kinds)).collect(),
            })
        });
        Self {
            rules: compiled.collect(),
            relations: kinds.number(RELATION),
            members: Vec::new(),
            enterprises: Vec::new(),
            standing: BTreeMap::new(),
        }
    }

    /// Whether no rule derives anything.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.rules.is_empty()
    }

    /// The personal fields that are compared, by name.
    #[must_use]
    pub fn personal_fields(&self) -> BTreeSet<&'a str> {
        let personal = self.rules.iter().filter(|rule| rule.personal);
        personal.flat_map(|rule| rule.rule.shared.fields.iter().map(String::as_str)).collect()
    }

    /// The records whose personal values are compared.
    #[must_use]
    pub fn personal_records(&self, facts: &Facts) -> BTreeSet<Seq> {
        let personal = self.rules.iter().filter(|rule| rule.personal);
        personal.filter_map(|rule| Some(latest(facts, rule.kind)?.seq)).collect()
    }

    /// Takes one enterprise. `sealed` is what stands for a personal value of a record: equal for equal values.
    pub fn take(&mut self, enterprise: CreditCode, facts: &Facts, sealed: impl Fn(Seq, &str) -> Option<[u8; 32]>) {
        let number = u32::try_from(self.enterprises.len()).expect("fewer than four thousand million enterprises");
        self.enterprises.push(enterprise);
        for (place, compiled) in (0..).zip(&self.rules) {
            let Some(record) = latest(facts, compiled.kind) else { continue };
            if !compiled.among.iter().all(|one| one.holds(facts).is_some()) {
                continue;
            }
            let shared = &compiled.rule.shared;
            let values: BTreeSet<[u8; 16]> = shared
                .fields
                .iter()
                .filter_map(|field| match compiled.personal {
                    true => first_half(&sealed(record.seq, field)?),
                    false => digest(record.payload.get(field)?, shared.least_characters),
                })
                .collect();
            let counting = &compiled.counting;
            let counts = counting.is_empty() || counting.iter().any(|one| one.holds(facts).is_some());
            let member = |value| Member { rule: place, enterprise: number, value, counts };
            self.members.extend(values.into_iter().map(member));
        }
        for fact in self.relations.iter().flat_map(|kind| facts.of(*kind)) {
            let payload = &fact.record.payload;
            let relation = self.rules.iter().map(|one| one.rule.relation.as_str());
            let relation = relation.into_iter().find(|one| payload.text("relation") == Some(one));
            if let (Some(relation), Some(FOUND_BY_SYSTEM)) = (relation, payload.text("found_by")) {
                self.standing.insert((number, relation), payload.integer("count").unwrap_or_default());
            }
        }
    }

    /// What is to be put on record: counts that differ from those there, in the order of the enterprises.
    #[must_use]
    pub fn differences(self) -> Vec<Related<'a>> {
        let Self { rules, members, enterprises, mut standing, .. } = self;
        let mut counted: HashMap<(u32, [u8; 16]), i64> = HashMap::new();
        for member in members.iter().filter(|member| member.counts) {
            *counted.entry((member.rule, member.value)).or_default() += 1;
        }
        let mut counts: BTreeMap<(u32, &str), i64> = BTreeMap::new();
        for Member { rule, enterprise, value, counts: itself } in members {
            let of = &rules[rule as usize].rule;
            let all = counted.get(&(rule, value)).copied().unwrap_or_default();
            // Itself among them only where all are counted.
            let others = if of.counting.is_empty() { all } else { all - i64::from(itself) };
            *counts.entry((enterprise, of.relation.as_str())).or_default() += others;
        }
        for rule in &rules {
            let Compiled { rule: RelationRule { relation, at_least, .. }, .. } = rule;
            counts.retain(|(_, of), count| *of != relation.as_str() || *count >= *at_least);
        }
        let mut differences = BTreeMap::new();
        for (key, count) in counts {
            if standing.remove(&key) != Some(count) {
                differences.insert(key, Some(count));
            }
        }
        differences.extend(standing.into_keys().map(|key| (key, None)));
        let related = |((enterprise, relation), count): ((u32, &'a str), _)| Related {
            enterprise: enterprises[enterprise as usize],
            relation,
            count,
        };
        differences.into_iter().map(related).collect()
    }
}

fn latest<'r>(facts: &Facts<'r>, kind: usize) -> Option<&'r Statement> {
    facts.of(kind).iter().map(|fact| fact.record).max_by_key(|record| (record.occurred_on, record.seq))
}

fn digest(value: &Value, least_characters: usize) -> Option<[u8; 16]> {
    let text = plain(&value.to_string());
    if text.is_empty() || text.chars().count() < least_characters {
        return None;
    }
    first_half(&Hash::of(&[text.as_bytes()]).0)
}

fn first_half(bytes: &[u8; 32]) -> Option<[u8; 16]> {
    bytes.first_chunk().copied()
}
