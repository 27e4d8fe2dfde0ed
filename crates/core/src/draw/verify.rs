//! Verifying (核验) a certificate: everything that can be recomputed from its public view, step by step, and a plain
//! list of what that does not prove (docs/draw.md, sections 1 and 5).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};

use serde::Serialize;

use super::bytes::{certificate_hash, freeze_hash, list_hash, lowest, names_hash, secret_commitment, seed};
use super::certificate::{Certificate, Pair, SealedPart, State, Witness};
use super::words::{StratumNumber, Time};
use crate::credit_code::CreditCode;
use crate::ledger::Hash;

/// What was found elsewhere, to hold the certificate against.
#[derive(Clone, Debug, Default)]
pub struct Published {
    /// The freeze hash as the witness has it.
    pub freeze_hash: Option<Hash>,
    /// The certificate hash as somebody kept it.
    pub certificate_hash: Option<Hash>,
    /// The names of the picks, published with the plan.
    pub names: Option<PublishedNames>,
}

/// Names of the picks as they are published: the nonce and the credit codes, in any order.
#[derive(Clone, Debug, serde::Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedNames {
    /// The draw's nonce, 32 bytes.
    pub nonce: Hash,
    /// The picked enterprises.
    pub names: Vec<CreditCode>,
}

/// What recomputing a certificate showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// What no certificate can prove, each with who can tell.
    pub unproven: Vec<&'static str>,
}

/// A step, and what does not hold in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What holds when there is no fault, in plain words.
    pub sentence: &'static str,
    /// What does not.
    pub faults: Vec<Fault>,
}

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Which member.
    pub field: String,
    /// What it says.
    pub found: String,
    /// What it should say.
    pub expected: String,
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "字段 {}：写的是 {}，应为 {}", self.field, self.found, self.expected)
    }
}

impl Verification {
    /// Whether every step holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.steps.iter().all(|step| step.faults.is_empty())
    }

    /// All that does not hold.
    pub fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.steps.iter().flat_map(|step| &step.faults)
    }

    fn step(&mut self, sentence: &'static str) -> &mut Step {
        self.steps.push(Step { sentence, faults: Vec::new() });
        self.steps.last_mut().expect("it was pushed just above")
    }
}

impl Step {
    fn fault(&mut self, field: impl Into<String>, found: impl Display, expected: impl Display) {
        let (found, expected) = (found.to_string(), expected.to_string());
        self.faults.push(Fault { field: field.into(), found, expected });
    }

    fn same<T: Display + PartialEq>(&mut self, field: impl Into<String>, found: T, expected: T) {
        if found != expected {
            self.fault(field, found, expected);
        }
    }

    /// Holds that a time is not before another.
    fn not_before(&mut self, field: &str, at: Time, earlier: Time, earliers: &str) {
        if at < earlier {
            self.fault(field, at, format!("不早于 {earlier}（{earliers}）"));
        }
    }
}

/// Recomputes a certificate. That it is complete and holds no unknown member was seen when it was read.
#[must_use]
pub fn verify(certificate: &Certificate, published: &Published) -> Verification {
    let mut found = Verification { steps: Vec::new(), unproven: unproven(certificate, published) };
    found.step("格式：字段齐全，没有不认识或重复的字段");
    list(&mut found, certificate);
    let step = found.step("名单校验值由全部候选代号算得");
    let listed = list_hash(&certificate.candidates);
    step.same("list_hash", certificate.list_hash, listed);
    if let Some(secret) = certificate.secret() {
        let step = found.step("公布的秘密值就是冻结时承诺的秘密值");
        step.same("secret_commitment", certificate.secret_commitment, secret_commitment(&secret.0));
    }
    let frozen = freeze_hash(certificate, listed);
    let step = found.step("冻结校验值由名单、分组、抽取数、秘密值承诺和指定的开奖算得");
    step.same("freeze_hash", certificate.freeze_hash, frozen);
    times(&mut found, certificate);
    if let Some(sealed) = certificate.sealed() {
        outcome(&mut found, certificate, sealed, frozen);
    }
    if let Some(kept) = published.freeze_hash {
        found.step("冻结校验值与别处公布的一致").same("freeze_hash", certificate.freeze_hash, kept);
    }
    if let Some(kept) = published.certificate_hash {
        let step = found.step("证书校验值与别处保存的一致");
        match certificate.sealed() {
            Some(sealed) => step.same("certificate_hash", sealed.certificate_hash, kept),
            None => step.fault("certificate_hash", "无", kept),
        }
    }
    if let Some(PublishedNames { nonce, names }) = &published.names {
        let step = found.step("公布的名单就是抽中的名单");
        match certificate.sealed() {
            Some(sealed) => step.same("names_hash", sealed.names_hash, names_hash(&nonce.0, names)),
            None => step.fault("names_hash", "无", "已抽取的证书"),
        }
    }
    found
}

/// Candidates and strata.
fn list(found: &mut Verification, certificate: &Certificate) {
    let candidates = &certificate.candidates;
    let step = found.step("候选名单按规定排序，没有重复，每个代号只在一组");
    // Texts of numbers with the TAB after them, once for each stratum and not for each of millions of lines.
    let key = |pair: &Pair| (TextOrder(pair.stratum), pair.blind);
    for (place, pair) in candidates.windows(2).enumerate() {
        if key(&pair[0]) >= key(&pair[1]) {
            let line = |pair: &Pair| format!("{} {}", pair.stratum, pair.blind);
            let expected = format!("在 {} 之后", line(&pair[0]));
            step.fault(format!("candidates[{}]", place + 1), line(&pair[1]), expected);
        }
    }
    let mut blinds: Vec<Hash> = candidates.iter().map(|one| one.blind).collect();
    blinds.sort_unstable();
    for pair in blinds.windows(2).filter(|pair| pair[0] == pair[1]) {
        step.fault("candidates", pair[0], "只出现一次");
    }
    let step = found.step("各组连续编号，家数与名单相符，抽取数至少为一且少于家数");
    let mut sizes: BTreeMap<StratumNumber, u64> = BTreeMap::new();
    for group in certificate.groups() {
        *sizes.entry(group[0].stratum).or_default() += group.len() as u64;
    }
    if certificate.strata.is_empty() {
        step.fault("strata", "空", "至少一组");
    }
    for (place, one) in certificate.strata.iter().enumerate() {
        let field = |name: &str| format!("strata[{place}].{name}");
        step.same(field("stratum"), one.stratum, StratumNumber::at(place));
        let listed = sizes.remove(&one.stratum).unwrap_or_default();
        step.same(field("candidates"), one.candidates, listed);
        if one.quota == 0 || one.quota >= one.candidates {
            step.fault(field("quota"), one.quota, format!("至少为 1 且少于 {}", one.candidates));
        }
    }
    for (stratum, listed) in sizes {
        step.fault("strata", format!("没有第 {stratum} 组"), format!("第 {stratum} 组，{listed} 家"));
    }
    if certificate.follows.as_ref() == Some(&certificate.draw) {
        step.fault("follows", &certificate.draw, "另一次抽查的编号");
    }
}

/// Orders numbers as their lines are ordered: 1, 10, 11, 2.
#[derive(PartialEq, Eq)]
struct TextOrder(StratumNumber);

impl PartialOrd for TextOrder {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TextOrder {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        if self.0 == other.0 {
            return std::cmp::Ordering::Equal;
        }
        // TAB comes before every digit.
        self.0.to_string().cmp(&other.0.to_string())
    }
}

fn times(found: &mut Verification, certificate: &Certificate) {
    let due = certificate.entropy.due;
    let step = found.step("时间顺序：冻结，局外公布，开奖，抽取，替换");
    if certificate.frozen_at >= due {
        step.fault("entropy.due", due, format!("晚于 {}（frozen_at）", certificate.frozen_at));
    }
    if let Some(Witness { at, .. }) = certificate.witness {
        step.not_before("witness.at", at, certificate.frozen_at, "frozen_at");
        // Published too late is why a draw is void.
        if at >= due && !matches!(certificate.state, State::Void { .. }) {
            step.fault("witness.at", at, format!("早于 {due}（entropy.due）"));
        }
    }
    if let Some(sealed) = certificate.sealed() {
        step.not_before("sealed_at", sealed.sealed_at, due, "entropy.due");
        let mut previous = (sealed.sealed_at, "sealed_at".to_owned());
        for (place, one) in sealed.replacements.iter().enumerate() {
            let field = format!("replacements[{place}].at");
            step.not_before(&field, one.at, previous.0, &previous.1);
            previous = (one.at, field);
        }
    }
}

/// What a drawn certificate has besides.
fn outcome(found: &mut Verification, certificate: &Certificate, sealed: &SealedPart, frozen: Hash) {
    let step = found.step("开奖号码的写法与冻结时约定的相符");
    let format = certificate.entropy.format.as_str();
    if !has_shape(sealed.value.as_str(), format) {
        step.fault("entropy.value", &sealed.value, format);
    }
    let seed = seed(frozen, &sealed.secret.0, sealed.value.as_str());
    found.step("种子由冻结校验值、秘密值和开奖号码算得").same("seed", sealed.seed, seed);
    let ranked = ranked(certificate, sealed, seed);
    let step = found.step("抽中的是各组签号最小的对象");
    let quota = |stratum| certificate.strata.iter().find(|one| one.stratum == stratum).map_or(0, |one| one.quota);
    let lowest = ranked.iter().flat_map(|(&stratum, blinds)| {
        let quota = usize::try_from(quota(stratum)).unwrap_or(usize::MAX);
        blinds.iter().take(quota).map(move |&blind| Pair { stratum, blind })
    });
    let lowest: Vec<Pair> = lowest.collect();
    step.same("picks", sealed.picks.len(), lowest.len());
    for (place, (pick, expected)) in sealed.picks.iter().zip(&lowest).enumerate() {
        step.same(format!("picks[{place}].stratum"), pick.stratum, expected.stratum);
        step.same(format!("picks[{place}].blind"), pick.blind, expected.blind);
    }
    let recomputed = SealedPart { seed, picks: lowest, ..sealed.clone() };
    let step = found.step("证书校验值由种子、抽中对象、名单与检查组的校验值算得");
    step.same("certificate_hash", sealed.certificate_hash, certificate_hash(frozen, &recomputed));
    if !sealed.replacements.is_empty() {
        replacements(found, certificate, &recomputed, &ranked);
    }
}

/// The lowest tickets of each stratum: as many as were picked and came for others, and one more.
fn ranked(certificate: &Certificate, sealed: &SealedPart, seed: Hash) -> BTreeMap<StratumNumber, Vec<Hash>> {
    let mut ranked: BTreeMap<StratumNumber, Vec<Hash>> = BTreeMap::new();
    for group in certificate.groups() {
        let stratum = group[0].stratum;
        let quota = certificate.strata.iter().find(|one| one.stratum == stratum).map_or(0, |one| one.quota);
        let replaced = sealed.replacements.iter().filter(|one| one.stratum == stratum).count();
        let count = usize::try_from(quota).unwrap_or(usize::MAX).saturating_add(replaced);
        ranked.entry(stratum).or_default().extend(lowest(seed, stratum, group, count));
    }
    ranked
}

fn replacements(
    found: &mut Verification,
    certificate: &Certificate,
    sealed: &SealedPart,
    ranked: &BTreeMap<StratumNumber, Vec<Hash>>,
) {
    let step = found.step("每次替换都由同组的下一个签号递补");
    let mut standing: BTreeSet<Pair> = sealed.picks.iter().copied().collect();
    let mut next: BTreeMap<StratumNumber, usize> = BTreeMap::new();
    for one in &certificate.strata {
        next.insert(one.stratum, usize::try_from(one.quota).unwrap_or(usize::MAX));
    }
    for (place, one) in sealed.replacements.iter().enumerate() {
        let stratum = one.stratum;
        if !standing.remove(&Pair { stratum, blind: one.removed }) {
            step.fault(format!("replacements[{place}].removed"), one.removed, format!("第 {stratum} 组现有的抽中对象"));
        }
        let field = format!("replacements[{place}].taken");
        let blinds = ranked.get(&stratum).map_or(&[][..], Vec::as_slice);
        match next.get_mut(&stratum).map(|place| (blinds.get(*place), place)) {
            Some((Some(expected), place)) => {
                step.same(field, one.taken, *expected);
                *place += 1;
            }
            _ => step.fault(field, one.taken, format!("无（第 {stratum} 组没有可以递补的对象）")),
        }
        standing.insert(Pair { stratum, blind: one.taken });
    }
}

/// Whether a value has the shape of its format: `{…}` stands for some text, everything else for itself; a format
/// without braces asks only for something.
fn has_shape(value: &str, format: &str) -> bool {
    let literals = literals(format);
    let [first, middle @ .., last] = &literals[..] else { return !value.is_empty() };
    let Some(mut rest) = value.strip_prefix(first) else { return false };
    let after_one = |rest: &str| rest.chars().next().map_or(1, char::len_utf8);
    for literal in middle {
        let skipped = after_one(rest);
        let Some(place) = rest.get(skipped..).and_then(|rest| rest.find(literal)) else { return false };
        rest = &rest[skipped + place + literal.len()..];
    }
    rest.get(after_one(rest)..).is_some_and(|rest| rest.ends_with(last))
}

/// What stands between the placeholders; the whole format alone when it has none.
fn literals(format: &str) -> Vec<&str> {
    let (mut literals, mut from, mut searched) = (Vec::new(), 0, 0);
    while let Some(end) = format[searched..].find('}').map(|place| searched + place) {
        // Braces within braces open anew, and one that closes nothing stands for itself.
        if let Some(start) = format[searched..end].rfind('{').map(|place| searched + place) {
            literals.push(&format[from..start]);
            from = end + 1;
        }
        searched = end + 1;
    }
    literals.push(&format[from..]);
    literals
}

fn unproven(certificate: &Certificate, published: &Published) -> Vec<&'static str> {
    let mut all = Vec::new();
    let sealed = certificate.sealed().is_some();
    if published.freeze_hash.is_none() {
        all.push("见证是否真实：请到见证处查看开奖之前公布的冻结校验值，与本证书比对");
    }
    if sealed {
        all.push("开奖号码是否就是彩票机构公布的号码：请看该期开奖公告");
    }
    all.push("代号是否对应正确的企业，有无遗漏或虚增：只有审计视图可以证明");
    all.push("检查人员名录、抽查密钥的校验值：只有审计视图可以证明");
    if sealed {
        all.push("检查组的校验值：只有审计视图可以证明");
        if published.names.is_none() {
            all.push("抽中名单的校验值：有公布的名单和随机数的人可以核对");
        }
        if published.certificate_hash.is_none() {
            all.push(
                "抽取时间、名单与检查组的校验值在抽取之后是否连同证书校验值一起被换：请与别处保存的证书校验值比对",
            );
        }
        all.push("替换的理由和时间，有无漏记的替换：由台账证明");
    }
    if matches!(certificate.state, State::Void { .. }) {
        all.push("作废的理由：由台账证明");
    }
    all.push("见证和台账位置的记载：由台账证明");
    all.push("同一计划有无另外的抽查被隐瞒：请看接续关系和台账");
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_the_shape_of_its_format() {
        let format = "双色球 {issue} {six red balls} + {blue ball}";
        assert!(has_shape("双色球 2026130 03 08 11 19 27 31 + 05", format));
        for wrong in ["双色球 2026130 + 05", "大乐透 2026130 03 + 05", "双色球 2026130 03 + ", "双色球  03 + 05", ""]
        {
            assert!(!has_shape(wrong, format), "{wrong}");
        }
        assert!(has_shape("anything", "no braces"));
        assert!(has_shape("球a}b{c", "{x}}b{{y}"));
        assert!(has_shape("a-b-c", "{x}-{y}"));
        assert!(!has_shape("-b", "{x}-{y}"));
    }
}
