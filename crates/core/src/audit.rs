//! Audit log (审计日志): who did what, from where, with which result. A chain of its own, made like the
//! ledger's: SM3(previous hash ‖ canonical bytes). docs/ledger-format.md, section 9, is its specification.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ledger::Hash;
use crate::record::{Moment, Payload, Seq};

/// How an act ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// 成功
    Done,
    /// 拒绝: not permitted, or a wrong password.
    Refused,
}

impl Outcome {
    /// What people read.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Done => "成功",
            Self::Refused => "拒绝",
        }
    }

    /// By its name in the database and in addresses.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Done, Self::Refused].into_iter().find(|outcome| outcome.to_string() == name)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// A line of the audit log. It says that a personal value was looked at, never the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLine {
    /// When.
    pub at: Moment,
    /// Number of the staff member; none before sign-in and on the command line.
    pub staff: Option<i64>,
    /// 账号, as given at sign-in.
    pub account: String,
    /// Names of the roles held at that moment, joined by `,`.
    pub roles: String,
    /// Code of the person's unit.
    pub unit: String,
    /// Address that the request came from, or `命令行`.
    pub source: String,
    /// Name of the event in the table of routes.
    pub event: String,
    /// What was acted on, such as `staff/7` or `record/1024/party_name`.
    pub object: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What else is worth telling.
    pub detail: Payload,
    /// Number of the request.
    pub request: String,
    /// The form that it came by: noted beside the log, so that the same form is not carried out twice.
    pub form: Option<String>,
}

/// Hash of a line: SM3(previous hash ‖ canonical JSON), keys in code-point order, no white space.
#[must_use]
pub fn chain(previous: Hash, seq: Seq, line: &AuditLine) -> Hash {
    Hash::of(&[&previous.0, &object(seq, line, None)])
}

/// A line of an export, without its end: the canonical object with the line's hash as one more key, in its place among the
/// others.
#[must_use]
pub fn export_line(seq: Seq, line: &AuditLine, hash: Hash) -> Vec<u8> {
    object(seq, line, Some(hash))
}

fn object(seq: Seq, line: &AuditLine, hash: Option<Hash>) -> Vec<u8> {
    /// Fields stand in code-point order of their names; serde writes them as they stand.
    #[derive(Serialize)]
    struct Canonical<'a> {
        account: &'a str,
        at: String,
        detail: &'a Payload,
        event: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        hash: Option<Hash>,
        object: &'a str,
        outcome: Outcome,
        request: &'a str,
        roles: &'a str,
        seq: Seq,
        source: &'a str,
        staff: Option<i64>,
        unit: &'a str,
    }
    serde_json::to_vec(&Canonical {
        account: &line.account,
        at: line.at.to_string(),
        detail: &line.detail,
        event: &line.event,
        hash,
        object: &line.object,
        outcome: line.outcome,
        request: &line.request,
        roles: &line.roles,
        seq,
        source: &line.source,
        staff: line.staff,
        unit: &line.unit,
    })
    .expect("a line holds only text, whole numbers and flags")
}
