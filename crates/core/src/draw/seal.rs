//! Sealing (抽取): the lottery's numbers and the secret give the seed, the seed the tickets, the lowest are picked.

use std::collections::{BTreeSet, HashMap};

use super::bytes::{certificate_hash, lowest, matches_hash, names_hash, seed, ticket};
use super::certificate::{Certificate, LedgerPlace, Pair, Replacement, SealedPart, State};
use super::entropy::EntropyValue;
use super::freeze::Frozen;
use super::matching::{Visit, lines, match_teams};
use super::refusal::Refusal;
use super::words::{Line, Time};
use crate::credit_code::CreditCode;
use crate::ledger::Hash;

/// A draw with its outcome.
#[derive(Clone, Debug)]
pub struct Sealed {
    frozen: Frozen,
    visits: Vec<Visit>,
}

impl Frozen {
    /// Draws. What the rulebook allows after the lottery was due ends at the deadline; it still belongs to it.
    ///
    /// # Errors
    /// When it may not be drawn now, or only be declared void.
    pub fn seal(mut self, value: &EntropyValue, sealed_at: Time, deadline: Time) -> Result<Sealed, Refusal> {
        self.check_seal(value, sealed_at, deadline)?;
        let certificate = &self.certificate;
        let secret = self.secrets.secret.bytes();
        let seed = seed(certificate.freeze_hash, secret, value.text().as_str());
        let picks = picks(certificate, seed);
        let picked: BTreeSet<Hash> = picks.iter().map(|pick| pick.blind).collect();
        let names = self.enterprises().filter(|(pair, _)| picked.contains(&pair.blind)).map(|(_, code)| code);
        let names_hash = names_hash(self.secrets.nonce.bytes(), &names.collect::<Vec<_>>());
        let visits = match &self.directory {
            Some(directory) => {
                let with_ticket = |pick: &Pair| (ticket(seed, pick.stratum, pick.blind), *pick);
                let mut picks: Vec<(Hash, Pair)> = picks.iter().map(with_ticket).collect();
                picks.sort_unstable();
                match_teams(seed, &picks, directory)?
            }
            None => Vec::new(),
        };
        let mut sealed = SealedPart {
            value: value.text().clone(),
            secret: Hash(*secret),
            seed,
            sealed_at,
            picks,
            names_hash,
            matches_hash: matches_hash(&self.secrets.nonce, &lines(&visits)),
            certificate_hash: Hash::GENESIS,
            replacements: Vec::new(),
        };
        sealed.certificate_hash = certificate_hash(certificate.freeze_hash, &sealed);
        self.certificate.state = State::Sealed(Box::new(sealed));
        Ok(Sealed { frozen: self, visits })
    }

    fn check_seal(&self, value: &EntropyValue, at: Time, deadline: Time) -> Result<(), Refusal> {
        let entropy = &self.certificate.entropy;
        let due = entropy.due;
        let witness = self.certificate.witness.as_ref().ok_or(Refusal::NotWitnessed)?;
        if witness.at >= due {
            return Err(Refusal::WitnessedTooLate { at: witness.at, due });
        }
        if at < due {
            return Err(Refusal::BeforeItsTime { due, at });
        }
        if at > deadline {
            return Err(Refusal::PastDeadline { deadline, at });
        }
        if (value.source(), value.format()) != (&entropy.source, &entropy.format) {
            let (frozen, given) = (entropy.format.to_string(), value.format().to_string());
            return Err(Refusal::OtherLottery { frozen, given });
        }
        let is_same = |(source, issue, _): &&(Line, Line, Line)| source == value.source() && issue == value.issue();
        match self.used.iter().find(is_same) {
            Some((source, _, draw)) => Err(Refusal::OldEntropy { source_name: source.clone(), draw: draw.clone() }),
            None => Ok(()),
        }
    }
}

/// The picks of a seed: strata in number order, the lowest tickets of each, ascending.
pub(super) fn picks(certificate: &Certificate, seed: Hash) -> Vec<Pair> {
    let mut groups: Vec<&[Pair]> = certificate.groups().collect();
    groups.sort_by_key(|group| group[0].stratum);
    let quotas: HashMap<_, _> = certificate.strata.iter().map(|one| (one.stratum, one.quota)).collect();
    let of_group = |group: &&[Pair]| {
        let stratum = group[0].stratum;
        let quota = quotas.get(&stratum).copied().unwrap_or_default();
        let quota = usize::try_from(quota).unwrap_or(usize::MAX);
        lowest(seed, stratum, group, quota).into_iter().map(move |blind| Pair { stratum, blind }).collect::<Vec<_>>()
    };
    groups.iter().flat_map(of_group).collect()
}

impl Sealed {
    /// The public view, with the replacements so far.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.frozen.certificate
    }

    /// The frozen draw behind it, for the auditor.
    #[must_use]
    pub fn frozen(&self) -> &Frozen {
        &self.frozen
    }

    /// The visits with their teams as they were matched at the seal, in ticket order; none when the draw forms no teams.
    #[must_use]
    pub fn visits(&self) -> &[Visit] {
        &self.visits
    }

    /// Who has to be visited now, replacements taken in: picks in their order, then who came for others.
    ///
    /// # Panics
    /// Never: what is sealed is in the list.
    #[must_use]
    pub fn standing(&self) -> Vec<(Pair, CreditCode)> {
        let codes: HashMap<Pair, CreditCode> = self.frozen.enterprises().collect();
        self.standing_pairs().into_iter().map(|pair| (pair, codes[&pair])).collect()
    }

    /// Takes the next ticket of the same stratum for a pick that cannot be visited (替换). Its team is that of the one
    /// who gave way; whoever of it is recused from the one who came has to be relieved by a person.
    ///
    /// # Errors
    /// When the plan did not foresee the ground, or there is nobody to be replaced or to come.
    ///
    /// # Panics
    /// Never: it is sealed.
    pub fn replace(&mut self, removed: Hash, reason: Line, at: Time) -> Result<&Replacement, Refusal> {
        if !self.frozen.replacement_grounds.contains(&reason) {
            return Err(Refusal::GroundNotForeseen(reason));
        }
        let previous = self.part().replacements.last().map_or(self.part().sealed_at, |last| last.at);
        if at < previous {
            return Err(Refusal::OutOfOrder { at, previous });
        }
        let standing = self.standing_pairs();
        let Pair { stratum, .. } = *standing.iter().find(|pair| pair.blind == removed).ok_or(Refusal::NotStanding)?;
        let taken = next_of(self.certificate(), self.part(), self.part().replacements.len(), stratum);
        let taken = taken.ok_or(Refusal::NobodyLeft)?;
        let State::Sealed(part) = &mut self.frozen.certificate.state else { unreachable!("a sealed draw is sealed") };
        part.replacements.push(Replacement { stratum, removed, taken, reason, at });
        Ok(part.replacements.last().expect("it was pushed just above"))
    }

    /// Puts the place in the ledger on the certificate.
    #[must_use]
    pub fn recorded(mut self, ledger: LedgerPlace) -> Self {
        self.frozen.certificate.ledger = Some(ledger);
        self
    }

    fn part(&self) -> &SealedPart {
        self.certificate().sealed().expect("a sealed draw is sealed")
    }

    fn standing_pairs(&self) -> Vec<Pair> {
        let part = self.part();
        let mut standing = part.picks.clone();
        for one in &part.replacements {
            standing.retain(|pair| pair.blind != one.removed);
            standing.push(Pair { stratum: one.stratum, blind: one.taken });
        }
        standing
    }
}

/// Who is next in a stratum after so many of the recorded replacements: the lowest ticket that was neither picked nor
/// taken before. As the lowest always go first, that is the place after all of those.
pub(super) fn next_of(
    certificate: &Certificate,
    part: &SealedPart,
    replaced: usize,
    stratum: super::words::StratumNumber,
) -> Option<Hash> {
    let quota = certificate.strata.iter().find(|one| one.stratum == stratum)?.quota;
    let before = part.replacements[..replaced].iter().filter(|one| one.stratum == stratum).count();
    let place = usize::try_from(quota).ok()?.checked_add(before)?;
    let group = certificate.groups().find(|group| group[0].stratum == stratum)?;
    (place < group.len()).then(|| lowest(part.seed, stratum, group, place + 1)[place])
}
