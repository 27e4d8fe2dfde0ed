//! Approvals (审批): a matter is handled, reviewed, approved; then what it proposes enters the ledger, in the
//! same transaction as the last step.

use xinheng_core::approval::{Action, Stage, Step};
use xinheng_core::record::{Day, Moment, Seq};

use crate::act::Act;
use crate::{Bureau};

/// The first matter: proof that records were published on the national system (公示凭证).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PublicationEvidence {
    /// Open publication clocks: rule and record.
    pub clocks: Vec<(String, i64)>,
    /// The day of publication.
    pub published_on: Day,
    /// Address or number on the national system.
    pub place: String,
    /// Note.
    pub note: Option<String>,
}

/// A matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matter {
    /// Its number: the seq of its first step.
    pub number: Seq,
    /// Type: `publication_evidence`.
    pub procedure: String,
    /// What it is about, in a line.
    pub subject: String,
    /// Unit of whoever handles it.
    pub unit: String,
    /// Staff number of whoever handles it.
    pub handler: i64,
    /// Where it stands.
    pub stage: Stage,
    /// When it was opened.
    pub opened_at: Moment,
    /// What is proposed, as of the last submission.
    pub proposal: serde_json::Value,
}

impl Bureau {
    /// Opens a matter and hands it in.
    pub async fn propose_evidence(&self, act: &Act, evidence: &PublicationEvidence) -> anyhow::Result<Matter> { todo!() }
    /// Hands a matter in again that came back, with what is now proposed.
    pub async fn propose_evidence_again(&self, act: &Act, matter: Seq, evidence: &PublicationEvidence) -> anyhow::Result<Matter> { todo!() }
    /// Reviews, approves, sends back or withdraws.
    pub async fn decide_matter(&self, act: &Act, matter: Seq, action: Action, opinion: Option<&str>) -> anyhow::Result<Matter> { todo!() }
    /// Matters that wait for the person: by permission, unit and former part in them.
    pub async fn matters_waiting(&self, act: &Act, after: Option<Seq>, limit: u64) -> anyhow::Result<Vec<Matter>> { todo!() }
    /// A matter with its steps.
    pub async fn matter(&self, act: &Act, number: Seq) -> anyhow::Result<Option<(Matter, Vec<Step>)>> { todo!() }
}
