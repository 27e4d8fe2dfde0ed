//! The draw certificate (抽查摇号证书), public view: opaque numbers and blinds, nothing of enterprises, levels or
//! inspectors. Its form is docs/draw-certificate.schema.json.

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use super::words::{Line, StratumNumber, Time};
use crate::ledger::Hash;

/// What `protocol` says.
const PROTOCOL: &str = "XD1";
/// Programs that keep numbers as floating point hold whole numbers up to this one.
const GREATEST_NUMBER: u64 = (1 << 53) - 1;

/// A draw as the public sees it. Whether its values fit together is for [`super::verify`] to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Number of the draw.
    pub draw: Line,
    /// Number of the plan.
    pub plan: Line,
    /// The plan's draw before this one.
    pub follows: Option<Line>,
    /// When everything was fixed.
    pub frozen_at: Time,
    /// The candidates, in list order.
    pub candidates: Vec<Pair>,
    /// Sizes and quotas, in the order of the numbers.
    pub strata: Vec<StratumSize>,
    /// Over the candidates.
    pub list_hash: Hash,
    /// Over the secret.
    pub secret_commitment: Hash,
    /// Over the draw key.
    pub key_commitment: Hash,
    /// Which lottery decides, and when it is drawn.
    pub entropy: Entropy,
    /// Over the directory of inspectors.
    pub inspectors_hash: Hash,
    /// Where the freeze hash stood outside the bureau; none until it was published.
    pub witness: Option<Witness>,
    /// Over everything that was fixed (冻结校验值).
    pub freeze_hash: Hash,
    /// What came of it.
    pub state: State,
    /// Its place in the ledger; the examples of the protocol have none.
    pub ledger: Option<LedgerPlace>,
}

/// A candidate or a pick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// Number of its stratum.
    pub stratum: StratumNumber,
    /// Blind.
    pub blind: Hash,
}

/// Size and quota of a stratum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StratumSize {
    /// Number.
    pub stratum: StratumNumber,
    /// How many candidates.
    pub candidates: u64,
    /// How many are picked.
    pub quota: u64,
}

/// The public lottery that decides (随机来源).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entropy {
    /// Its name.
    pub source: Line,
    /// How its value is written: `{…}` stands for something, the rest for itself.
    pub format: Line,
    /// When it is drawn.
    pub due: Time,
}

/// Where and when the freeze hash was published outside the bureau (见证).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// Where.
    #[serde(rename = "where")]
    pub place: Line,
    /// When.
    pub at: Time,
}

/// State of a draw, with what it has then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Fixed, not drawn yet.
    Frozen,
    /// Drawn.
    Sealed(Box<SealedPart>),
    /// Thrown away (作废), and shown for it.
    Void {
        /// The secret that was committed to.
        secret: Hash,
        /// Why.
        reason: Line,
    },
}

/// What a drawn certificate has besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedPart {
    /// What the lottery drew.
    pub value: Line,
    /// The secret, 32 bytes.
    pub secret: Hash,
    /// Seed of all tickets.
    pub seed: Hash,
    /// When.
    pub sealed_at: Time,
    /// The picks (抽中), strata in number order, tickets ascending.
    pub picks: Vec<Pair>,
    /// Over the names of the picks.
    pub names_hash: Hash,
    /// Over the teams.
    pub matches_hash: Hash,
    /// Over the outcome (证书校验值).
    pub certificate_hash: Hash,
    /// Replacements (替换), in the order in which they were recorded.
    pub replacements: Vec<Replacement>,
}

/// A pick that gave way to the next ticket of its stratum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replacement {
    /// Stratum of both.
    pub stratum: StratumNumber,
    /// Blind that gave way.
    pub removed: Hash,
    /// Blind that came.
    pub taken: Hash,
    /// Ground, foreseen in the plan.
    pub reason: Line,
    /// When it was recorded.
    pub at: Time,
}

/// Place of a record in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerPlace {
    /// Number of the record.
    pub seq: u64,
    /// Its hash.
    pub hash: Hash,
}

/// Why a text is not a certificate. The sentence is for whoever wants to check it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct NotACertificate(String);

impl Certificate {
    /// Reads the JSON of a certificate, strictly: no member may be missing, unknown or there twice.
    ///
    /// # Errors
    /// What is wrong and where, in Chinese.
    pub fn parse(json: &str) -> Result<Self, NotACertificate> {
        serde_json::from_str(json).map_err(|error| NotACertificate(sentence(&error)))
    }

    /// Its JSON as it is filed: members in the order of the protocol, indented by one space, no end of line.
    ///
    /// # Panics
    /// Never: everything in it can be written.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = Vec::new();
        let form = serde_json::ser::PrettyFormatter::with_indent(b" ");
        self.serialize(&mut serde_json::Serializer::with_formatter(&mut json, form)).expect("a certificate is JSON");
        String::from_utf8(json).expect("JSON is UTF-8")
    }

    /// How many stand in all strata together, and how many of them are picked.
    #[must_use]
    pub fn size(&self) -> (u64, u64) {
        let strata = || self.strata.iter();
        (strata().map(|one| one.candidates).sum(), strata().map(|one| one.quota).sum())
    }

    /// Why it was thrown away; none when it was not.
    #[must_use]
    pub fn void_reason(&self) -> Option<&Line> {
        match &self.state {
            State::Void { reason, .. } => Some(reason),
            _ => None,
        }
    }

    /// What it has when it is drawn.
    #[must_use]
    pub fn sealed(&self) -> Option<&SealedPart> {
        match &self.state {
            State::Sealed(sealed) => Some(sealed),
            _ => None,
        }
    }

    /// The secret, once it is public.
    #[must_use]
    pub fn secret(&self) -> Option<Hash> {
        match &self.state {
            State::Frozen => None,
            State::Sealed(sealed) => Some(sealed.secret),
            State::Void { secret, .. } => Some(*secret),
        }
    }

    /// The candidates of each stratum, which stand together in the list.
    pub(super) fn groups(&self) -> impl Iterator<Item = &[Pair]> {
        self.candidates.chunk_by(|one, other| one.stratum == other.stratum)
    }
}

/// What the JSON reader says, in Chinese.
fn sentence(error: &serde_json::Error) -> String {
    let place = format!("第 {} 行第 {} 列", error.line(), error.column());
    let said = error.to_string();
    let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(said, _)| said);
    let named = |prefix: &str| said.strip_prefix(prefix)?.split('`').next();
    if !error.is_data() {
        format!("读不懂：不是完整的 JSON（{place}）")
    } else if let Some(name) = named("unknown field `") {
        format!("字段 {name}：不认识，应当没有这个字段（{place}）")
    } else if let Some(name) = named("duplicate field `") {
        format!("字段 {name}：重复出现（{place}）")
    } else if let Some(name) = named("missing field `") {
        format!("字段 {name}：缺少（{place}）")
    } else if said.is_ascii() {
        format!("值的写法不对（{place}：{said}）")
    } else {
        format!("{said}（{place}）")
    }
}

impl Serialize for Certificate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct EntropyMembers<'a> {
            #[serde(flatten)]
            entropy: &'a Entropy,
            #[serde(skip_serializing_if = "Option::is_none")]
            value: Option<&'a Line>,
        }
        let sealed = self.sealed();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("protocol", PROTOCOL)?;
        map.serialize_entry("state", StateName::of(&self.state).as_str())?;
        map.serialize_entry("draw", &self.draw)?;
        map.serialize_entry("plan", &self.plan)?;
        map.serialize_entry("follows", &self.follows)?;
        map.serialize_entry("frozen_at", &self.frozen_at)?;
        map.serialize_entry("candidates", &self.candidates)?;
        map.serialize_entry("strata", &self.strata)?;
        map.serialize_entry("list_hash", &self.list_hash)?;
        map.serialize_entry("secret_commitment", &self.secret_commitment)?;
        map.serialize_entry("key_commitment", &self.key_commitment)?;
        let value = sealed.map(|sealed| &sealed.value);
        map.serialize_entry("entropy", &EntropyMembers { entropy: &self.entropy, value })?;
        map.serialize_entry("inspectors_hash", &self.inspectors_hash)?;
        map.serialize_entry("witness", &self.witness)?;
        map.serialize_entry("freeze_hash", &self.freeze_hash)?;
        match &self.state {
            State::Frozen => {}
            State::Sealed(sealed) => {
                map.serialize_entry("secret", &sealed.secret)?;
                map.serialize_entry("seed", &sealed.seed)?;
                map.serialize_entry("sealed_at", &sealed.sealed_at)?;
                map.serialize_entry("picks", &sealed.picks)?;
                map.serialize_entry("names_hash", &sealed.names_hash)?;
                map.serialize_entry("matches_hash", &sealed.matches_hash)?;
                map.serialize_entry("certificate_hash", &sealed.certificate_hash)?;
                if !sealed.replacements.is_empty() {
                    map.serialize_entry("replacements", &sealed.replacements)?;
                }
            }
            State::Void { secret, reason } => {
                map.serialize_entry("secret", secret)?;
                map.serialize_entry("void_reason", reason)?;
            }
        }
        if let Some(ledger) = &self.ledger {
            map.serialize_entry("ledger", ledger)?;
        }
        map.end()
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StateName {
    Frozen,
    Sealed,
    Void,
}

impl StateName {
    fn of(state: &State) -> Self {
        match state {
            State::Frozen => Self::Frozen,
            State::Sealed(_) => Self::Sealed,
            State::Void { .. } => Self::Void,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Frozen => "frozen",
            Self::Sealed => "sealed",
            Self::Void => "void",
        }
    }
}

/// The members of all states, before it is known which of them belong.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Members {
    protocol: String,
    state: StateName,
    draw: Line,
    plan: Line,
    #[serde(deserialize_with = "or_null")]
    follows: Option<Line>,
    frozen_at: Time,
    candidates: Vec<Pair>,
    strata: Vec<StratumSize>,
    list_hash: Hash,
    secret_commitment: Hash,
    key_commitment: Hash,
    entropy: EntropyMembers,
    inspectors_hash: Hash,
    #[serde(deserialize_with = "or_null")]
    witness: Option<Witness>,
    freeze_hash: Hash,
    #[serde(default, deserialize_with = "not_null")]
    secret: Option<Hash>,
    #[serde(default, deserialize_with = "not_null")]
    seed: Option<Hash>,
    #[serde(default, deserialize_with = "not_null")]
    sealed_at: Option<Time>,
    #[serde(default, deserialize_with = "not_null")]
    picks: Option<Vec<Pair>>,
    #[serde(default, deserialize_with = "not_null")]
    names_hash: Option<Hash>,
    #[serde(default, deserialize_with = "not_null")]
    matches_hash: Option<Hash>,
    #[serde(default, deserialize_with = "not_null")]
    certificate_hash: Option<Hash>,
    #[serde(default, deserialize_with = "not_null")]
    replacements: Option<Vec<Replacement>>,
    #[serde(default, deserialize_with = "not_null")]
    void_reason: Option<Line>,
    #[serde(default, deserialize_with = "not_null")]
    ledger: Option<LedgerPlace>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntropyMembers {
    source: Line,
    format: Line,
    due: Time,
    #[serde(default, deserialize_with = "not_null")]
    value: Option<Line>,
}

/// A member that must be there but may be null: serde takes a missing one for null unless a function is named.
fn or_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

/// A member that may be missing but not null.
fn not_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl<'de> Deserialize<'de> for Certificate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Members::deserialize(deserializer)?.certificate().map_err(serde::de::Error::custom)
    }
}

impl Members {
    fn certificate(mut self) -> Result<Certificate, String> {
        if self.protocol != PROTOCOL {
            return Err(format!("字段 protocol：写的是“{}”，应为 {PROTOCOL}", self.protocol));
        }
        if self.ledger.is_some_and(|ledger| ledger.seq > GREATEST_NUMBER) {
            return Err("字段 ledger.seq：太大".to_owned());
        }
        let state = match self.state {
            StateName::Frozen => State::Frozen,
            StateName::Sealed => State::Sealed(Box::new(self.sealed_part()?)),
            StateName::Void => State::Void {
                secret: needed("secret", self.secret.take())?,
                reason: needed("void_reason", self.void_reason.take())?,
            },
        };
        self.refuse_what_is_left()?;
        if matches!(state, State::Sealed(_)) && self.witness.is_none() {
            return Err("字段 witness：已抽取的证书必须有见证".to_owned());
        }
        let EntropyMembers { source, format, due, .. } = self.entropy;
        Ok(Certificate {
            draw: self.draw,
            plan: self.plan,
            follows: self.follows,
            frozen_at: self.frozen_at,
            candidates: self.candidates,
            strata: self.strata,
            list_hash: self.list_hash,
            secret_commitment: self.secret_commitment,
            key_commitment: self.key_commitment,
            entropy: Entropy { source, format, due },
            inspectors_hash: self.inspectors_hash,
            witness: self.witness,
            freeze_hash: self.freeze_hash,
            state,
            ledger: self.ledger,
        })
    }

    fn sealed_part(&mut self) -> Result<SealedPart, String> {
        Ok(SealedPart {
            value: needed("entropy.value", self.entropy.value.take())?,
            secret: needed("secret", self.secret.take())?,
            seed: needed("seed", self.seed.take())?,
            sealed_at: needed("sealed_at", self.sealed_at.take())?,
            picks: needed("picks", self.picks.take())?,
            names_hash: needed("names_hash", self.names_hash.take())?,
            matches_hash: needed("matches_hash", self.matches_hash.take())?,
            certificate_hash: needed("certificate_hash", self.certificate_hash.take())?,
            replacements: self.replacements.take().unwrap_or_default(),
        })
    }

    /// What a state has was taken out; what is left belongs to another.
    fn refuse_what_is_left(&self) -> Result<(), String> {
        let left = [
            ("entropy.value", self.entropy.value.is_some()),
            ("secret", self.secret.is_some()),
            ("seed", self.seed.is_some()),
            ("sealed_at", self.sealed_at.is_some()),
            ("picks", self.picks.is_some()),
            ("names_hash", self.names_hash.is_some()),
            ("matches_hash", self.matches_hash.is_some()),
            ("certificate_hash", self.certificate_hash.is_some()),
            ("replacements", self.replacements.is_some()),
            ("void_reason", self.void_reason.is_some()),
        ];
        match left.iter().find(|(_, is_there)| *is_there) {
            Some((name, _)) => Err(format!("字段 {name}：状态为 {} 的证书应当没有这个字段", self.state.as_str())),
            None => Ok(()),
        }
    }
}

fn needed<T>(name: &str, member: Option<T>) -> Result<T, String> {
    member.ok_or_else(|| format!("字段 {name}：缺少"))
}
