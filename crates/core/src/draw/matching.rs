//! Teams (检查组): after the seal each visit gets the first pair, in an order that the seed decides, that leaves the
//! visits after it a full matching (docs/draw.md, section 6).
//!
//! A full matching of the visits still to come is kept all the time. Whether an inspector can be spared from it is one
//! search: someone with capacity left can take the place of another, who takes the place of a third, and so on to the
//! one who is wanted. These are the augmenting paths of the flow in docs/draw.md; no search ever starts from nothing.

use std::collections::VecDeque;

use super::bytes::inspector_order;
use super::certificate::Pair;
use super::directory::Directory;
use super::refusal::Refusal;
use super::words::Line;
use crate::ledger::Hash;

/// A visit (检查任务) with its team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Whom it goes to.
    pub pick: Pair,
    /// Ticket: visits are matched in this order.
    pub ticket: Hash,
    /// Id of the one who leads (组长).
    pub lead: Line,
    /// Id of the other.
    pub second: Line,
}

/// Lines that `matches_hash` is over.
pub(super) fn lines(visits: &[Visit]) -> String {
    let line = |visit: &Visit| {
        let blind = visit.pick.blind;
        format!("{blind}\t{}\tlead\n{blind}\t{}\tsecond\n", visit.lead, visit.second)
    };
    visits.iter().map(line).collect()
}

/// Gives each visit its team. Picks with their tickets come in the order of ticket, then stratum.
pub(super) fn match_teams(seed: Hash, picks: &[(Hash, Pair)], directory: &Directory) -> Result<Vec<Visit>, Refusal> {
    let mut seats = Seats::new(picks, directory);
    seats.fill()?;
    let mut visits = Vec::with_capacity(picks.len());
    for (place, (ticket, pick)) in picks.iter().enumerate() {
        let mut order: Vec<_> = (0..directory.count())
            .filter(|&inspector| seats.may[place][inspector])
            .map(|inspector| (inspector_order(seed, pick.blind, directory.id(inspector).as_str()), inspector))
            .collect();
        order.sort_by(|(one, a), (other, b)| (one, directory.id(*a)).cmp(&(other, directory.id(*b))));
        let order: Vec<usize> = order.into_iter().map(|(_, inspector)| inspector).collect();
        // A full matching seats this visit too, so some team is always left.
        let (lead, second) = seats.team(place, &order).ok_or(Refusal::NoTeams)?;
        let id = |inspector| directory.id(inspector).clone();
        visits.push(Visit { pick: *pick, ticket: *ticket, lead: id(lead), second: id(second) });
    }
    Ok(visits)
}

/// Two seats in every visit, at most one of them for someone who cannot lead.
const SEATS: usize = 2;

/// A matching of the visits that still have no team.
struct Seats<'d> {
    directory: &'d Directory,
    /// Visit → inspector → not recused.
    may: Vec<Vec<bool>>,
    /// Visit → who sits in it.
    taken: Vec<Vec<usize>>,
    /// FrozenInspector → capacity left.
    left: Vec<u32>,
}

/// How a search came to an inspector: in whose place, in which visit, the one before would sit. None: not at all.
type Reached = Vec<Option<Option<Swap>>>;

#[derive(Clone, Copy)]
struct Swap {
    comes: usize,
    visit: usize,
}

impl<'d> Seats<'d> {
    fn new(picks: &[(Hash, Pair)], directory: &'d Directory) -> Self {
        let may = |(_, pick): &(Hash, Pair)| {
            let mut may = vec![true; directory.count()];
            for &inspector in directory.recused(&pick.blind) {
                may[inspector] = false;
            }
            may
        };
        Self {
            directory,
            may: picks.iter().map(may).collect(),
            taken: vec![Vec::with_capacity(SEATS); picks.len()],
            left: (0..directory.count()).map(|inspector| directory.capacity(inspector)).collect(),
        }
    }

    /// Fills all seats.
    fn fill(&mut self) -> Result<(), Refusal> {
        for visit in 0..self.taken.len() {
            while self.taken[visit].len() < SEATS {
                // The first one reached: a later one's path may run through this very visit.
                let (reached, first) = self.search(0, |seats, inspector| seats.can_sit(inspector, visit, None));
                let inspector = first.ok_or(Refusal::NoTeams)?;
                self.spare(inspector, &reached);
                self.left[inspector] -= 1;
                self.taken[visit].push(inspector);
            }
        }
        Ok(())
    }

    /// The first team of a visit that leaves the visits after it a full matching; their seats are filled.
    fn team(&mut self, visit: usize, order: &[usize]) -> Option<(usize, usize)> {
        for inspector in std::mem::take(&mut self.taken[visit]) {
            self.left[inspector] += 1;
        }
        let rest = visit + 1;
        let mut reached = self.search(rest, |_, _| false).0;
        for &lead in order.iter().filter(|&&inspector| self.directory.leads(inspector)) {
            if reached[lead].is_none() {
                continue;
            }
            self.spare(lead, &reached);
            self.left[lead] -= 1;
            let with_lead = self.search(rest, |_, _| false).0;
            let second = order.iter().copied().find(|&inspector| inspector != lead && with_lead[inspector].is_some());
            if let Some(second) = second {
                self.spare(second, &with_lead);
                self.left[second] -= 1;
                return Some((lead, second));
            }
            // Those who were moved may stay where they are now: the rest is still full.
            self.left[lead] += 1;
            reached = self.search(rest, |_, _| false).0;
        }
        None
    }

    /// Whom the visits from `from` on can spare; it stops at the first one who is wanted.
    fn search(&self, from: usize, is_wanted: impl Fn(&Self, usize) -> bool) -> (Reached, Option<usize>) {
        let mut reached: Reached = self.left.iter().map(|&left| (left > 0).then_some(None)).collect();
        let mut queue: VecDeque<usize> = (0..reached.len()).filter(|&inspector| reached[inspector].is_some()).collect();
        let mut unreached = reached.len() - queue.len();
        while let Some(comes) = queue.pop_front() {
            if is_wanted(self, comes) {
                return (reached, Some(comes));
            }
            for visit in from..self.taken.len() {
                if unreached == 0 {
                    break;
                }
                for &goes in &self.taken[visit] {
                    if reached[goes].is_none() && self.can_sit(comes, visit, Some(goes)) {
                        reached[goes] = Some(Some(Swap { comes, visit }));
                        queue.push_back(goes);
                        unreached -= 1;
                    }
                }
            }
        }
        (reached, None)
    }

    /// Whether an inspector can sit in a visit, in the place of another.
    fn can_sit(&self, inspector: usize, visit: usize, instead_of: Option<usize>) -> bool {
        let taken = &self.taken[visit];
        let leads = |inspector: usize| self.directory.leads(inspector);
        self.may[visit][inspector]
            && !taken.contains(&inspector)
            && (leads(inspector) || taken.iter().all(|&one| Some(one) == instead_of || leads(one)))
    }

    /// Moves everybody on the way to an inspector, who then has capacity left.
    fn spare(&mut self, inspector: usize, reached: &Reached) {
        let mut goes = inspector;
        while let Some(Some(Swap { comes, visit })) = reached[goes] {
            let seat = self.taken[visit].iter_mut().find(|seat| **seat == goes).expect("the search saw it there");
            *seat = comes;
            goes = comes;
        }
        self.left[goes] -= 1;
        self.left[inspector] += 1;
    }
}
