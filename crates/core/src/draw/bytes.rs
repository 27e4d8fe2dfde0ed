//! The bytes of XD1 (docs/draw.md, section 4): what is hashed, and in which order.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sm3::{Digest, Sm3};

use super::certificate::{Certificate, Pair, SealedPart};
use super::words::StratumNumber;
use crate::credit_code::CreditCode;
use crate::ledger::Hash;

macro_rules! random_bytes {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name([u8; 32]);

        impl $name {
            /// Takes 32 fresh random bytes.
            #[must_use]
            pub const fn new(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The bytes, to be kept encrypted.
            #[must_use]
            pub const fn bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )*};
}

random_bytes! {
    /// Draw key (抽查密钥): turns enterprises into blinds. Whoever has it can try every credit code; it is never
    /// published.
    DrawKey;
    /// Secret (秘密值): committed to at the freeze, published at the seal, so that the lottery alone does not tell the
    /// outcome.
    Secret;
    /// Nonce: salts the hashes of names, directory and teams; published with the names.
    Nonce;
}

/// The random bytes of one draw. Never used for another.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// Draw key.
    pub key: DrawKey,
    /// Secret.
    pub secret: Secret,
    /// Nonce.
    pub nonce: Nonce,
}

/// `H(f1, f2, …)`: SM3 over the fields, each with its length before it.
pub(super) fn h(fields: &[&[u8]]) -> Hash {
    let mut sm3 = Sm3::new();
    for field in fields {
        update(&mut sm3, field);
    }
    Hash(sm3.finalize().into())
}

fn update(sm3: &mut Sm3, field: &[u8]) {
    sm3.update(length(field.len()));
    sm3.update(field);
}

fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).expect("a field is far shorter than 4 GiB").to_be_bytes()
}

/// HMAC-SM3 with one key, of many texts.
pub(super) struct Keyed(Hmac<Sm3>);

impl Keyed {
    pub(super) fn new(key: &DrawKey) -> Self {
        Self(<Hmac<Sm3> as KeyInit>::new_from_slice(&key.0).expect("HMAC takes keys of any length"))
    }

    pub(super) fn of(&self, parts: &[&str]) -> Hash {
        let mut hmac = self.0.clone();
        for part in parts {
            hmac.update(part.as_bytes());
        }
        Hash(hmac.finalize().into_bytes().into())
    }

    /// Salt of an enterprise.
    pub(super) fn salt(&self, code: CreditCode) -> Hash {
        self.of(&[code.as_str()])
    }

    /// Blind of an enterprise.
    pub(super) fn blind(&self, code: CreditCode) -> Hash {
        blind(self.salt(code), code)
    }

    /// Strata are numbered in this order.
    pub(super) fn stratum_order(&self, label: &str) -> Hash {
        self.of(&["XD1 stratum", label])
    }
}

/// Salt (盐) of an enterprise in a draw: what it needs to find its own blind, and shows to nobody.
#[must_use]
pub fn salt(key: &DrawKey, code: CreditCode) -> Hash {
    Keyed::new(key).salt(code)
}

/// Blind (代号) of an enterprise in a draw.
#[must_use]
pub fn blind(salt: Hash, code: CreditCode) -> Hash {
    h(&[b"XD1 candidate", &salt.0, code.as_str().as_bytes()])
}

/// Ticket (签号) of a candidate: the lowest of a stratum are picked.
#[must_use]
pub fn ticket(seed: Hash, stratum: StratumNumber, blind: Hash) -> Hash {
    h(&[b"XD1 ticket", &seed.0, stratum.to_string().as_bytes(), &blind.0])
}

/// What inspectors are ordered by for a visit.
pub(super) fn inspector_order(seed: Hash, blind: Hash, inspector: &str) -> Hash {
    h(&[b"XD1 inspector", &seed.0, &blind.0, inspector.as_bytes()])
}

/// Over the candidates in list order. A list has millions of lines: they are hashed as they go by.
pub(super) fn list_hash(candidates: &[Pair]) -> Hash {
    let whole = candidates.iter().map(|one| one.stratum.to_string().len() + 2 + 2 * one.blind.0.len()).sum();
    let mut sm3 = Sm3::new();
    update(&mut sm3, b"XD1 list");
    sm3.update(length(whole));
    let mut line = Vec::with_capacity(80);
    for Pair { stratum, blind } in candidates {
        line.clear();
        line.extend_from_slice(stratum.to_string().as_bytes());
        line.push(b'\t');
        let hex = line.len();
        line.resize(hex + 2 * blind.0.len(), 0);
        hex::encode_to_slice(blind.0, &mut line[hex..]).expect("the room was made just above");
        line.push(b'\n');
        sm3.update(&line);
    }
    Hash(sm3.finalize().into())
}

pub(super) fn secret_commitment(secret: &[u8; 32]) -> Hash {
    h(&[b"XD1 secret", secret])
}

pub(super) fn key_commitment(key: &DrawKey) -> Hash {
    h(&[b"XD1 key", &key.0])
}

pub(super) fn inspectors_hash(nonce: &Nonce, lines: &str) -> Hash {
    h(&[b"XD1 inspectors", &nonce.0, lines.as_bytes()])
}

/// By what the certificate says, but over the list hash that was recomputed.
pub(super) fn freeze_hash(certificate: &Certificate, list_hash: Hash) -> Hash {
    let strata: String =
        certificate.strata.iter().map(|one| format!("{}\t{}\t{}\n", one.stratum, one.candidates, one.quota)).collect();
    h(&[
        b"XD1 freeze",
        certificate.draw.as_str().as_bytes(),
        certificate.plan.as_str().as_bytes(),
        certificate.frozen_at.to_string().as_bytes(),
        &list_hash.0,
        &certificate.secret_commitment.0,
        &certificate.key_commitment.0,
        strata.as_bytes(),
        certificate.entropy.source.as_str().as_bytes(),
        certificate.entropy.format.as_str().as_bytes(),
        certificate.entropy.due.to_string().as_bytes(),
        &certificate.inspectors_hash.0,
        certificate.follows.as_ref().map_or("", |follows| follows.as_str()).as_bytes(),
    ])
}

pub(super) fn seed(freeze_hash: Hash, secret: &[u8; 32], value: &str) -> Hash {
    h(&[b"XD1 seed", &freeze_hash.0, secret, value.as_bytes()])
}

pub(super) fn names_hash(nonce: &[u8; 32], names: &[CreditCode]) -> Hash {
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    let lines: String = sorted.iter().map(|code| format!("{code}\n")).collect();
    h(&[b"XD1 names", nonce, lines.as_bytes()])
}

pub(super) fn matches_hash(nonce: &Nonce, lines: &str) -> Hash {
    h(&[b"XD1 matches", &nonce.0, lines.as_bytes()])
}

pub(super) fn certificate_hash(freeze_hash: Hash, sealed: &SealedPart) -> Hash {
    let picks: String = sealed.picks.iter().map(|pick| format!("{}\t{}\n", pick.stratum, pick.blind)).collect();
    h(&[
        b"XD1 certificate",
        &freeze_hash.0,
        &sealed.seed.0,
        sealed.sealed_at.to_string().as_bytes(),
        picks.as_bytes(),
        &sealed.names_hash.0,
        &sealed.matches_hash.0,
    ])
}

/// The blinds with the lowest tickets of a stratum, ascending, as many as asked. Ties, which nobody has ever seen, are
/// broken by blind.
pub(super) fn lowest(seed: Hash, stratum: StratumNumber, candidates: &[Pair], count: usize) -> Vec<Hash> {
    let mut tickets: Vec<(Hash, Hash)> =
        candidates.iter().map(|one| (ticket(seed, stratum, one.blind), one.blind)).collect();
    if count < tickets.len() {
        tickets.select_nth_unstable(count);
        tickets.truncate(count);
    }
    tickets.sort_unstable();
    tickets.into_iter().map(|(_, blind)| blind).collect()
}
