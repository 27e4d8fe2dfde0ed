//! Directory of inspectors (执法检查人员名录) as a draw freezes it: who may lead, how many visits each can take, and
//! from which enterprises each is recused. Its lines are in docs/draw.md, section 6; grounds are not in it.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::refusal::Refusal;
use super::words::Line;
use crate::credit_code::CreditCode;
use crate::inspector::{Inspector, Needed, Unfit};
use crate::ledger::Hash;
use crate::record::Day;

/// Qualification of an inspector (资格): a word of the rulebook's items, or [`Qualification::lead`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Qualification(String);

/// Why a text is not a qualification.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("“{}”不能作资格的代号：只用小写英文字母、数字和下划线", .0.escape_debug())]
pub struct NotAQualification(pub String);

impl Qualification {
    /// What lets one take the lead seat (可任组长).
    #[must_use]
    pub fn lead() -> Self {
        Self("lead".to_owned())
    }

    /// A professional certificate (专业证).
    #[must_use]
    pub fn professional() -> Self {
        Self("professional".to_owned())
    }

    /// The word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Qualification {
    type Err = NotAQualification;

    fn from_str(text: &str) -> Result<Self, NotAQualification> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if text.is_empty() || !text.bytes().all(fits) {
            return Err(NotAQualification(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Qualification {
    type Error = NotAQualification;

    fn try_from(text: String) -> Result<Self, NotAQualification> {
        text.parse()
    }
}

impl From<Qualification> for String {
    fn from(qualification: Qualification) -> Self {
        qualification.0
    }
}

impl fmt::Display for Qualification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An inspector as a draw freezes one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenInspector {
    /// Stable id within the bureau.
    pub id: Line,
    /// Qualifications that are valid for the whole window of the visits.
    pub qualifications: BTreeSet<Qualification>,
    /// How many visits of this draw.
    pub capacity: u32,
    /// Enterprises that the inspector stays away from (回避): kin, a former employer, the same enterprise last time.
    pub recusals: BTreeSet<CreditCode>,
}

impl FrozenInspector {
    /// What a draw takes of the bureau's directory, for visits within a window of days. Words of the directory that are
    /// no qualifications change nothing and are left out.
    ///
    /// # Errors
    /// Why the person can be sent to nobody.
    pub fn of(id: Line, inspector: &Inspector, from: Day, until: Day) -> Result<Self, Unfit> {
        if let Some(unfit) = inspector.unfit(&Needed::default(), from, until) {
            return Err(unfit);
        }
        let mut qualifications: BTreeSet<Qualification> =
            inspector.qualifications.iter().filter_map(|word| word.parse().ok()).collect();
        qualifications.extend(inspector.may_lead.then(Qualification::lead));
        let professional = inspector.professional.as_ref().filter(|certificate| certificate.until >= until);
        qualifications.extend(professional.map(|_| Qualification::professional()));
        let recusals = inspector.recusals.keys().copied().collect();
        Ok(Self { id, qualifications, capacity: inspector.capacity.into(), recusals })
    }
}

/// The directory with blinds in place of enterprises, sorted as its lines are.
#[derive(Clone, Debug)]
pub(super) struct Directory {
    inspectors: Vec<Entry>,
    lines: String,
    /// Blind → places of the inspectors who stay away, ascending. Blinds that nobody stays away from are not in it.
    recused: HashMap<Hash, Vec<usize>>,
}

#[derive(Clone, Debug)]
struct Entry {
    id: Line,
    leads: bool,
    capacity: u32,
}

impl Directory {
    /// Takes the inspectors, with the blinds of the candidates from whom each is recused.
    pub(super) fn new(inspectors: Vec<(FrozenInspector, BTreeSet<Hash>)>) -> Result<Self, Refusal> {
        let mut ids = BTreeSet::new();
        if let Some((twice, _)) = inspectors.iter().find(|(inspector, _)| !ids.insert(&inspector.id)) {
            return Err(Refusal::InspectorTwice(twice.id.clone()));
        }
        let mut all: Vec<_> =
            inspectors.iter().map(|(inspector, blinds)| (line(inspector, blinds), inspector, blinds)).collect();
        all.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        let mut recused: HashMap<Hash, Vec<usize>> = HashMap::new();
        for (place, (_, _, blinds)) in all.iter().enumerate() {
            for blind in *blinds {
                recused.entry(*blind).or_default().push(place);
            }
        }
        let entry = |inspector: &FrozenInspector| Entry {
            id: inspector.id.clone(),
            leads: inspector.qualifications.contains(&Qualification::lead()),
            capacity: inspector.capacity,
        };
        Ok(Self {
            inspectors: all.iter().map(|(_, inspector, _)| entry(inspector)).collect(),
            lines: all.iter().map(|(line, ..)| line.as_str()).collect(),
            recused,
        })
    }

    /// What `inspectors_hash` is over.
    pub(super) fn lines(&self) -> &str {
        &self.lines
    }

    pub(super) fn count(&self) -> usize {
        self.inspectors.len()
    }

    pub(super) fn id(&self, place: usize) -> &Line {
        &self.inspectors[place].id
    }

    pub(super) fn leads(&self, place: usize) -> bool {
        self.inspectors[place].leads
    }

    pub(super) fn capacity(&self, place: usize) -> u32 {
        self.inspectors[place].capacity
    }

    /// Places of the inspectors who stay away from a candidate.
    pub(super) fn recused(&self, blind: &Hash) -> &[usize] {
        self.recused.get(blind).map_or(&[], Vec::as_slice)
    }

    /// Every candidate from whom somebody stays away, with who does.
    pub(super) fn recusals(&self) -> impl Iterator<Item = (&Hash, &[usize])> {
        self.recused.iter().map(|(blind, places)| (blind, places.as_slice()))
    }
}

fn line(inspector: &FrozenInspector, blinds: &BTreeSet<Hash>) -> String {
    let qualifications: Vec<&str> = inspector.qualifications.iter().map(Qualification::as_str).collect();
    let recusals: Vec<String> = blinds.iter().map(ToString::to_string).collect();
    format!("{}\t{}\t{}\t{}\n", inspector.id, qualifications.join(","), inspector.capacity, recusals.join(","))
}
