//! Whether every outcome of a draw can be staffed, shown before anybody knows the outcome.
//!
//! By the cuts of the flow in docs/draw.md, section 6: for every set of inspectors taken away, what the worst outcome
//! then lacks must be within their capacities. Inspectors with the same recusals are interchangeable, and it makes no
//! difference whether two or more of them are left, so that few sets remain to be tried and the answer is **exact**.
//! Where recusals are so many that too many sets remain, inspectors with the most similar recusals are taken together,
//! as if each had the recusals of all: then the condition is **sufficient** only, and never says yes wrongly.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::certificate::Certificate;
use super::directory::Directory;
use super::refusal::Refusal;
use super::words::{Line, StratumNumber};

/// What was shown of a directory: all outcomes can be staffed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feasibility {
    /// By a condition that is also necessary.
    Exact,
    /// By a condition that is sufficient: some inspectors were taken as recused from more than they are.
    Sufficient,
}

/// More sets than this are not tried.
const MOST_SETS: u64 = 20_000;
/// A visit has two seats.
const SEATS: usize = 2;
/// Names in a sentence.
const MOST_NAMES: usize = 5;

/// Shows that whatever is picked can be staffed.
pub(super) fn feasible_for_any_outcome(
    certificate: &Certificate,
    labels: &[Line],
    directory: &Directory,
) -> Result<Feasibility, Refusal> {
    let classes = classes(certificate, directory);
    let mut problem = Problem {
        quotas: certificate.strata.iter().map(|one| one.quota).collect(),
        groups: groups(&classes, directory),
        classes,
    };
    problem.everybody_has_a_pair(labels)?;
    let mut shown = Feasibility::Exact;
    while problem.sets() > MOST_SETS {
        problem.take_the_most_similar_together();
        shown = Feasibility::Sufficient;
    }
    match problem.lack() {
        None => Ok(shown),
        Some(_) if shown == Feasibility::Sufficient => Err(Refusal::NotShown),
        Some(Lack { needed, capacity, away }) => {
            Err(Refusal::OverCapacity { needed, capacity, inspectors: names(&away, directory) })
        }
    }
}

struct Problem {
    /// Stratum → how many are picked.
    quotas: Vec<u64>,
    classes: Vec<Class>,
    groups: Vec<Group>,
}

/// Candidates of a stratum from whom the same inspectors stay away.
struct Class {
    stratum: usize,
    candidates: u64,
    recused: Vec<usize>,
}

/// Inspectors who stay away from the same classes, and can all lead or none.
struct Group {
    leads: bool,
    recused_from: BTreeSet<usize>,
    members: Vec<usize>,
    /// Of all together.
    capacity: u64,
    /// Of the one with the greatest.
    greatest: u64,
}

/// What the worst outcome asks of inspectors beyond what they can take.
struct Lack {
    needed: u64,
    capacity: u64,
    away: Vec<usize>,
}

fn classes(certificate: &Certificate, directory: &Directory) -> Vec<Class> {
    let sizes = certificate.strata.iter().map(|one| one.candidates).enumerate();
    let mut candidates: BTreeMap<(usize, &[usize]), u64> =
        sizes.map(|(stratum, size)| ((stratum, &[][..]), size)).collect();
    let recusals: HashMap<_, _> = directory.recusals().collect();
    if !recusals.is_empty() {
        for one in &certificate.candidates {
            if let Some(recused) = recusals.get(&one.blind) {
                let stratum = StratumNumber::place(one.stratum);
                *candidates.get_mut(&(stratum, &[][..])).expect("every stratum is in it") -= 1;
                *candidates.entry((stratum, recused)).or_default() += 1;
            }
        }
    }
    let class = |((stratum, recused), candidates): ((usize, &[usize]), u64)| Class {
        stratum,
        candidates,
        recused: recused.to_vec(),
    };
    candidates.into_iter().filter(|(_, candidates)| *candidates > 0).map(class).collect()
}

fn groups(classes: &[Class], directory: &Directory) -> Vec<Group> {
    let mut members: BTreeMap<(bool, BTreeSet<usize>), Vec<usize>> = BTreeMap::new();
    for inspector in (0..directory.count()).filter(|&inspector| directory.capacity(inspector) > 0) {
        let from = classes.iter().enumerate().filter(|(_, class)| class.recused.contains(&inspector));
        let key = (directory.leads(inspector), from.map(|(place, _)| place).collect());
        members.entry(key).or_default().push(inspector);
    }
    let group = |((leads, recused_from), members): (_, Vec<usize>)| {
        let capacities = || members.iter().map(|&inspector| u64::from(directory.capacity(inspector)));
        let (capacity, greatest) = (capacities().sum(), capacities().max().unwrap_or_default());
        Group { leads, recused_from, members, capacity, greatest }
    };
    members.into_iter().map(group).collect()
}

impl Group {
    /// How many of it may be left so that it makes a difference.
    fn choices(&self) -> u64 {
        if self.leads { self.members.len().min(SEATS) as u64 + 1 } else { 2 }
    }

    /// How many are left by a choice.
    fn present(&self, choice: u64) -> usize {
        usize::try_from(choice).expect("at most the seats of a visit")
    }

    /// What those can take who are away by a choice: the ones left are those with the greatest capacity.
    fn away(&self, choice: u64) -> u64 {
        match choice {
            0 => self.capacity,
            // Of leads one is left, unless that is all; of others all are.
            1 if self.leads && self.members.len() > 1 => self.capacity - self.greatest,
            _ => 0,
        }
    }
}

impl Problem {
    fn everybody_has_a_pair(&self, labels: &[Line]) -> Result<(), Refusal> {
        let all: Vec<usize> = self.groups.iter().map(|group| group.present(group.choices() - 1)).collect();
        for (stratum, label) in labels.iter().enumerate() {
            let classes = self.classes.iter().enumerate().filter(|(_, class)| class.stratum == stratum);
            let without = classes.filter(|(place, _)| self.lacks(*place, &all) > 0);
            let enterprises = without.map(|(_, class)| class.candidates).sum();
            if enterprises > 0 {
                return Err(Refusal::NoPair { label: label.clone(), enterprises });
            }
        }
        Ok(())
    }

    /// How many seats of a visit nobody is left for.
    fn lacks(&self, class: usize, present: &[usize]) -> u64 {
        let able = || self.groups.iter().zip(present).filter(|(group, _)| !group.recused_from.contains(&class));
        let leads: usize = able().filter(|(group, _)| group.leads).map(|(_, present)| present).sum();
        let others = able().any(|(group, &present)| !group.leads && present > 0);
        (SEATS - SEATS.min(leads + usize::from(others))) as u64
    }

    fn sets(&self) -> u64 {
        self.groups.iter().fold(1, |sets, group| sets.saturating_mul(group.choices()))
    }

    /// The first set of inspectors that the worst outcome asks too much of.
    fn lack(&self) -> Option<Lack> {
        for set in 0..self.sets() {
            let mut rest = set;
            let choices: Vec<u64> = self
                .groups
                .iter()
                .map(|group| {
                    let choice = rest % group.choices();
                    rest /= group.choices();
                    choice
                })
                .collect();
            let chosen = || self.groups.iter().zip(&choices);
            let capacity: u64 = chosen().map(|(group, &choice)| group.away(choice)).sum();
            let present: Vec<usize> = chosen().map(|(group, &choice)| group.present(choice)).collect();
            let needed = self.worst(&present);
            if needed > capacity {
                let away = chosen().filter(|(group, choice)| group.away(**choice) > 0);
                let away = away.flat_map(|(group, _)| &group.members).copied().collect();
                return Some(Lack { needed, capacity, away });
            }
        }
        None
    }

    /// Seats that nobody is left for in the worst outcome.
    fn worst(&self, present: &[usize]) -> u64 {
        let mut by_lack = vec![[0; SEATS + 1]; self.quotas.len()];
        for (place, class) in self.classes.iter().enumerate() {
            let lacks = usize::try_from(self.lacks(place, present)).expect("at most the seats of a visit");
            by_lack[class.stratum][lacks] += class.candidates;
        }
        let worst = |(quota, by_lack): (&u64, &[u64; SEATS + 1])| {
            let mut left = *quota;
            let mut take = |lacks: usize| {
                let taken = left.min(by_lack[lacks]);
                left -= taken;
                taken * lacks as u64
            };
            (1..=SEATS).rev().map(&mut take).sum::<u64>()
        };
        self.quotas.iter().zip(&by_lack).map(worst).sum()
    }

    /// Takes two groups as one that stays away from whatever either stays away from.
    fn take_the_most_similar_together(&mut self) {
        let candidates = |classes: &mut dyn Iterator<Item = &usize>| -> u64 {
            classes.map(|&class| self.classes[class].candidates).sum()
        };
        let cost = |one: &Group, other: &Group| {
            // What is lost: capacity towards the candidates that only the other stays away from.
            let lost = |own: &Group, others: &Group| {
                own.capacity * candidates(&mut others.recused_from.difference(&own.recused_from))
            };
            lost(one, other) + lost(other, one)
        };
        let pairs = (0..self.groups.len()).flat_map(|one| (0..one).map(move |other| (one, other)));
        let alike = pairs.filter(|&(one, other)| self.groups[one].leads == self.groups[other].leads);
        let (one, other) = alike
            .min_by_key(|&(one, other)| cost(&self.groups[one], &self.groups[other]))
            .expect("few groups make few sets");
        let mut gone = self.groups.remove(one);
        let kept = &mut self.groups[other];
        kept.recused_from.append(&mut gone.recused_from);
        kept.members.append(&mut gone.members);
        kept.capacity += gone.capacity;
        kept.greatest = kept.greatest.max(gone.greatest);
    }
}

fn names(inspectors: &[usize], directory: &Directory) -> String {
    if inspectors.len() == directory.count() {
        return "全部检查人员".to_owned();
    }
    let ids: Vec<&str> = inspectors.iter().take(MOST_NAMES).map(|&place| directory.id(place).as_str()).collect();
    let more = if inspectors.len() > MOST_NAMES { format!("等{}人", inspectors.len()) } else { String::new() };
    ids.join("、") + &more
}
