//! Freezing (冻结): everything is fixed and hashed before the lottery is drawn.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::bytes::{Keyed, Secrets, freeze_hash, inspectors_hash, key_commitment, list_hash, secret_commitment};
use super::certificate::{Certificate, Entropy, Pair, State, StratumSize, Witness};
use super::directory::{Directory, FrozenInspector, Qualification};
use super::feasibility::{Feasibility, feasible_for_any_outcome};
use super::refusal::Refusal;
use super::words::{Line, StratumNumber, Time};
use crate::credit_code::CreditCode;
use crate::ledger::Hash;

/// Everything that a draw fixes. The same input and secrets give the same bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FreezeInput {
    /// Number of the draw, unique in the bureau.
    pub draw: Line,
    /// Number of the plan.
    pub plan: Line,
    /// The plan's draw before this one; none for its first.
    pub follows: Option<Line>,
    /// The moment of the freeze.
    pub frozen_at: Time,
    /// The strata (分组), in any order.
    pub strata: Vec<StratumInput>,
    /// The lottery that decides.
    pub entropy: Entropy,
    /// Who may be sent; none when no teams are formed by this draw, as in the examples of the protocol.
    pub inspectors: Option<Vec<FrozenInspector>>,
    /// Grounds on which a pick may be replaced (预定的替换情形).
    pub replacement_grounds: Vec<Line>,
}

/// A stratum (分组): an item and a level, and a region where the plan asks for regions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StratumInput {
    /// Internal label, never published: `food_production/C`.
    pub label: Line,
    /// Who stands in it.
    pub candidates: Vec<CreditCode>,
    /// How many are picked.
    pub quota: u64,
    /// What an inspector must have to be sent to them. Who lacks it is recused from all of them.
    #[serde(default)]
    pub needs: BTreeSet<Qualification>,
}

/// A draw of the same plan before this one.
#[derive(Clone, Debug)]
pub struct EarlierDraw {
    /// Number.
    pub draw: Line,
    /// How it stands.
    pub state: EarlierState,
    /// The lottery it named.
    pub entropy: Entropy,
}

/// How an earlier draw stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EarlierState {
    /// Frozen, neither sealed nor void.
    Open,
    /// Sealed with the numbers of this issue.
    Sealed {
        /// 期号
        issue: Line,
    },
    /// Void.
    Void,
}

/// A frozen draw with all that is secret about it. Made anew from its input whenever it is needed.
#[derive(Clone, Debug)]
pub struct Frozen {
    pub(super) secrets: Secrets,
    pub(super) certificate: Certificate,
    /// Whose the candidates are, in list order.
    pub(super) codes: Vec<CreditCode>,
    /// Labels of the strata, in the order of their numbers.
    labels: Vec<Line>,
    pub(super) directory: Option<Directory>,
    feasibility: Option<Feasibility>,
    pub(super) replacement_grounds: Vec<Line>,
    /// Issues with which draws of the plan were sealed, with the draws.
    pub(super) used: Vec<(Line, Line, Line)>,
}

/// Fixes a draw. Earlier draws of the plan come in their order.
///
/// # Errors
/// When the plan is not fit to be drawn; each refusal has its sentence.
///
/// # Panics
/// Never with fewer than 2³² candidates.
pub fn freeze(input: FreezeInput, secrets: Secrets, earlier: &[EarlierDraw]) -> Result<Frozen, Refusal> {
    check_chain(&input, earlier)?;
    check_entropy(&input, earlier)?;
    check_strata(&input.strata)?;
    let keyed = Keyed::new(&secrets.key);
    let mut strata = input.strata;
    strata.sort_by_cached_key(|one| keyed.stratum_order(one.label.as_str()));
    let sizes: Vec<StratumSize> = strata
        .iter()
        .enumerate()
        .map(|(place, one)| StratumSize {
            stratum: StratumNumber::at(place),
            candidates: one.candidates.len() as u64,
            quota: one.quota,
        })
        .collect();
    let blinded = blinded(&keyed, &strata);
    let directory = input.inspectors.map(|inspectors| directory(&inspectors, &strata, &blinded)).transpose()?;
    let (candidates, codes): (Vec<Pair>, Vec<CreditCode>) = blinded.into_iter().unzip();
    let lines = directory.as_ref().map_or("", Directory::lines);
    let mut certificate = Certificate {
        draw: input.draw,
        plan: input.plan,
        follows: input.follows,
        frozen_at: input.frozen_at,
        list_hash: list_hash(&candidates),
        candidates,
        strata: sizes,
        secret_commitment: secret_commitment(secrets.secret.bytes()),
        key_commitment: key_commitment(&secrets.key),
        entropy: input.entropy,
        inspectors_hash: inspectors_hash(&secrets.nonce, lines),
        witness: None,
        freeze_hash: Hash::GENESIS,
        state: State::Frozen,
        ledger: None,
    };
    certificate.freeze_hash = freeze_hash(&certificate, certificate.list_hash);
    let labels: Vec<Line> = strata.into_iter().map(|one| one.label).collect();
    let shown = |directory| feasible_for_any_outcome(&certificate, &labels, directory);
    let feasibility = directory.as_ref().map(shown).transpose()?;
    let used = earlier.iter().filter_map(|one| match &one.state {
        EarlierState::Sealed { issue } => Some((one.entropy.source.clone(), issue.clone(), one.draw.clone())),
        _ => None,
    });
    Ok(Frozen {
        secrets,
        certificate,
        codes,
        labels,
        directory,
        feasibility,
        replacement_grounds: input.replacement_grounds,
        used: used.collect(),
    })
}

fn check_chain(input: &FreezeInput, earlier: &[EarlierDraw]) -> Result<(), Refusal> {
    if earlier.iter().any(|one| one.draw == input.draw) {
        return Err(Refusal::NumberUsed(input.draw.clone()));
    }
    if let Some(open) = earlier.iter().find(|one| one.state == EarlierState::Open) {
        return Err(Refusal::StillOpen(open.draw.clone()));
    }
    let previous = earlier.last().map(|one| one.draw.clone());
    match (&input.follows, previous) {
        (None, Some(previous)) => Err(Refusal::FollowsMissing(previous)),
        (Some(named), previous) if previous.as_ref() != Some(named) => {
            Err(Refusal::FollowsUnknown { named: named.clone(), previous })
        }
        _ => Ok(()),
    }
}

fn check_entropy(input: &FreezeInput, earlier: &[EarlierDraw]) -> Result<(), Refusal> {
    let Entropy { source, due, .. } = &input.entropy;
    if *due <= input.frozen_at {
        let (due, frozen_at) = (*due, input.frozen_at);
        return Err(Refusal::EntropyNotAhead { source_name: source.clone(), due, frozen_at });
    }
    match earlier.iter().find(|one| one.entropy.source == *source && one.entropy.due == *due) {
        Some(same) => Err(Refusal::OldEntropy { source_name: source.clone(), draw: same.draw.clone() }),
        None => Ok(()),
    }
}

fn check_strata(strata: &[StratumInput]) -> Result<(), Refusal> {
    if strata.is_empty() {
        return Err(Refusal::NoStratum);
    }
    let mut labels = BTreeSet::new();
    for one in strata {
        let (label, candidates, quota) = (one.label.clone(), one.candidates.len(), one.quota);
        if !labels.insert(&one.label) {
            return Err(Refusal::LabelTwice(label));
        }
        if quota == 0 {
            return Err(Refusal::NoQuota(label));
        }
        if quota >= candidates as u64 {
            return Err(Refusal::NotLargerThanQuota { label, candidates, quota });
        }
    }
    let with_place = |(place, one): (usize, &StratumInput)| {
        let place = u32::try_from(place).expect("far fewer strata than candidates");
        one.candidates.iter().map(|code| (*code, place)).collect::<Vec<_>>()
    };
    let mut codes: Vec<(CreditCode, u32)> = strata.iter().enumerate().flat_map(with_place).collect();
    codes.sort_unstable();
    match codes.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        Some(pair) => {
            let label = |place: u32| strata[place as usize].label.clone();
            Err(Refusal::InTwoStrata { code: pair[0].0, one: label(pair[0].1), other: label(pair[1].1) })
        }
        None => Ok(()),
    }
}

/// The candidates in list order: by the bytes of their lines. No blind is a beginning of another, so that the order is
/// that of the number's text, TAB included, and then of the blind.
fn blinded(keyed: &Keyed, strata: &[StratumInput]) -> Vec<(Pair, CreditCode)> {
    let mut by_text: Vec<usize> = (0..strata.len()).collect();
    by_text.sort_by_key(|&place| format!("{}\t", StratumNumber::at(place)));
    let mut all = Vec::with_capacity(strata.iter().map(|one| one.candidates.len()).sum());
    for place in by_text {
        let stratum = StratumNumber::at(place);
        let from = all.len();
        let of = |code: &CreditCode| (Pair { stratum, blind: keyed.blind(*code) }, *code);
        all.extend(strata[place].candidates.iter().map(of));
        all[from..].sort_unstable();
    }
    all
}

fn directory(
    inspectors: &[FrozenInspector],
    strata: &[StratumInput],
    blinded: &[(Pair, CreditCode)],
) -> Result<Directory, Refusal> {
    let named: HashMap<CreditCode, Hash> = {
        let wanted: BTreeSet<&CreditCode> = inspectors.iter().flat_map(|one| &one.recusals).collect();
        let blinds = blinded.iter().filter(|(_, code)| wanted.contains(code));
        blinds.map(|(pair, code)| (*code, pair.blind)).collect()
    };
    let groups: Vec<&[(Pair, CreditCode)]> =
        blinded.chunk_by(|(one, _), (other, _)| one.stratum == other.stratum).collect();
    let recusals = |inspector: &FrozenInspector| -> BTreeSet<Hash> {
        let lacks = |group: &&&[(Pair, CreditCode)]| {
            !strata[group[0].0.stratum.place()].needs.is_subset(&inspector.qualifications)
        };
        let by_item = groups.iter().filter(lacks).flat_map(|group| group.iter()).map(|(pair, _)| pair.blind);
        by_item.chain(inspector.recusals.iter().filter_map(|code| named.get(code).copied())).collect()
    };
    Directory::new(inspectors.iter().map(|one| (one.clone(), recusals(one))).collect())
}

impl Frozen {
    /// The public view.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// What was shown of the directory; none when no teams are formed by this draw.
    #[must_use]
    pub fn feasibility(&self) -> Option<Feasibility> {
        self.feasibility
    }

    /// Labels of the strata in the order of their numbers, for the auditor.
    #[must_use]
    pub fn labels(&self) -> &[Line] {
        &self.labels
    }

    /// Whose each candidate is, in list order, for the auditor.
    pub fn enterprises(&self) -> impl Iterator<Item = (Pair, CreditCode)> {
        self.certificate.candidates.iter().copied().zip(self.codes.iter().copied())
    }

    /// Lines of the frozen directory, for the auditor.
    #[must_use]
    pub fn inspector_lines(&self) -> &str {
        self.directory.as_ref().map_or("", Directory::lines)
    }

    /// Its random bytes, for the auditor.
    #[must_use]
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// Takes down where and when the freeze hash was published outside the bureau. Too late is taken down too: it is
    /// why the draw is void.
    ///
    /// # Errors
    /// When it was published before it existed.
    pub fn witnessed(mut self, witness: Witness) -> Result<Self, Refusal> {
        let (at, frozen_at) = (witness.at, self.certificate.frozen_at);
        if at < frozen_at {
            return Err(Refusal::WitnessedBeforeFreeze { at, frozen_at });
        }
        self.certificate.witness = Some(witness);
        Ok(self)
    }

    /// The certificate of a draw that is thrown away (作废): with its secret, so that everybody can see what came of it.
    #[must_use]
    pub fn void(&self, reason: Line) -> Certificate {
        let mut certificate = self.certificate.clone();
        certificate.state = State::Void { secret: Hash(*self.secrets.secret.bytes()), reason };
        certificate
    }
}
