//! Collecting (归集): when two rows are the same record, and what a row does to what is on record.

use crate::ledger::{CanonicalText, Hash};
use crate::record::{Day, Draft, GIVEN_NAME, OTHER_COLUMNS, Seq, Value};
use crate::rulebook::kind::{Kind, Nature};

/// What makes two rows the same record: a digest of the kind, the enterprise as given, and the
/// identity fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity(pub [u8; 16]);

/// A digest of everything a row says. Personal values enter by their keyed index only, so that the
/// digest gives no handle for guessing them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content(pub [u8; 16]);

/// The current row of an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its record.
    pub seq: Seq,
    /// What it says.
    pub content: Content,
    /// Of which day the state is.
    pub version: Option<Day>,
    /// Whether it has been withdrawn.
    pub withdrawn: bool,
}

/// What a row does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A new record, superseding another or none.
    Accept {
        /// The record it replaces as current.
        supersedes: Option<Seq>,
    },
    /// The current row says the same: nothing to do.
    Known,
    /// The current row is of a later day: nothing to do.
    Older,
    /// The current row says otherwise and a person has to settle which is right.
    Conflict {
        /// The record it conflicts with.
        with: Seq,
    },
    /// A withdrawal of something that is not on record.
    NothingToWithdraw,
}

/// Digest that identifies the record of a row. `index` gives the keyed index of a personal field.
pub fn identity(kind: &Kind, draft: &Draft, index: impl Fn(&str) -> Option<[u8; 32]>) -> Identity {
    let mut text = String::with_capacity(128);
    let mut push = |part: &str| {
        text.push_str(part);
        text.push('\u{1f}');
    };
    push(&draft.kind);
    push(&enterprise_as_given(draft, &index));
    for field in &kind.identity {
        match draft.payload.get(field) {
            Some(Value::Text(value)) => push(value),
            Some(value) => push(&value.to_string()),
            None => push(&index(field).map(hex::encode).unwrap_or_default()),
        }
    }
    Identity(first_half(Hash::of(&[text.as_bytes()])))
}

/// The row's own key by a fixed precedence, never the enterprise it was matched to: a row that waits
/// keeps its identity once it is matched.
fn enterprise_as_given(draft: &Draft, index: impl Fn(&str) -> Option<[u8; 32]>) -> String {
    let keys = &draft.keys;
    if let Some(code) = &keys.credit_code {
        return code.to_string();
    }
    [("主体", &keys.main_identity), ("注册", &keys.registration_number)]
        .into_iter()
        .find_map(|(label, key)| key.as_ref().map(|key| format!("{label}:{key}")))
        .or_else(|| index(GIVEN_NAME).map(hex::encode))
        .unwrap_or_default()
}

/// Digest of what a row says. `personal` holds the keyed index of each personal field, by name.
#[must_use]
pub fn content(
    occurred_on: Day,
    withdrawn: bool,
    payload: &CanonicalText,
    personal: &std::collections::BTreeMap<String, [u8; 32]>,
) -> Content {
    let mut bytes = Vec::with_capacity(payload.len() + 64 * (1 + personal.len()));
    serde_json::to_writer(&mut bytes, &(occurred_on, withdrawn, payload)).expect("payloads hold plain values");
    // Columns nobody knows often change with every export (a time stamp): they make no difference.
    for (field, index) in personal.iter().filter(|(field, _)| *field != OTHER_COLUMNS) {
        bytes.extend_from_slice(field.as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(index);
    }
    Content(first_half(Hash::of(&[&bytes])))
}

fn first_half(hash: Hash) -> [u8; 16] {
    hash.0[..16].try_into().expect("half of 32 bytes")
}

/// What a row does to the current row of its identity.
#[must_use]
pub fn decide(nature: Nature, draft: &Draft, content: Content, standing: Option<&Standing>) -> Decision {
    let Some(current) = standing else {
        return if draft.withdrawn { Decision::NothingToWithdraw } else { Decision::Accept { supersedes: None } };
    };
    if current.content == content {
        return Decision::Known;
    }
    let accept = Decision::Accept { supersedes: Some(current.seq) };
    if draft.withdrawn && current.withdrawn {
        return Decision::Known;
    }
    match nature {
        Nature::State => match draft.version.cmp(&current.version) {
            std::cmp::Ordering::Greater => accept,
            std::cmp::Ordering::Less => Decision::Older,
            std::cmp::Ordering::Equal if draft.withdrawn || draft.correction.is_some() => accept,
            std::cmp::Ordering::Equal => Decision::Conflict { with: current.seq },
        },
        Nature::Event if draft.withdrawn || draft.correction.is_some() => accept,
        Nature::Event => Decision::Conflict { with: current.seq },
    }
}
