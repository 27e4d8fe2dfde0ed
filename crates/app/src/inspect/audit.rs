//! The auditor's view of a draw (审计视图): everything that is needed to recompute it from the enterprises' codes on,
//! in the form of `docs/draw-examples/matched.auditor.json`.

use serde::Serialize;
use serde_json::{Value, json};
use xinheng_core::credit_code::CreditCode;
use xinheng_core::draw::{Frozen, Line, StratumNumber, Visit, salt};
use xinheng_core::ledger::Hash;
use xinheng_core::staff::Permission;
use xinheng_store::DrawState;

use super::draw::Bundle;
use crate::act::Act;
use crate::{Bureau, WrongInput};

impl Bureau {
    /// Everything about a draw: draw key, nonce, who stands behind the blinds and with which level, the directory of
    /// inspectors as it was frozen, the teams. Not for the public: that it was taken out, and when, is on the audit log
    /// before it is given.
    ///
    /// # Errors
    /// [`WrongInput`] when there is no such draw.
    pub async fn auditor_view(&self, act: &Act, number: &str) -> anyhow::Result<Value> {
        act.require(Permission::ReadAudit)?;
        let found = self.store().draw(number).await?;
        let draw = found.ok_or_else(|| WrongInput(format!("没有编号为“{number}”的抽查")))?;
        self.record_export(act, &format!("draw/{number}")).await?;
        if draw.state == DrawState::Sealed {
            let (sealed, bundle) = self.sealed_anew(&draw).await?;
            return Ok(view(number, sealed.frozen(), sealed.visits(), &bundle));
        }
        let (frozen, bundle) = self.made_anew(&draw).await?;
        Ok(view(number, &frozen, &[], &bundle))
    }
}

/// What an enterprise needs to find itself in a certificate (企业自证).
#[derive(Clone, Debug, Serialize)]
pub struct Opening {
    /// The draw.
    pub draw: String,
    /// Opaque number of its stratum.
    pub stratum: StratumNumber,
    /// Its salt: H("XD1 candidate", salt, own credit code) is its blind.
    pub salt: Hash,
    /// Its blind.
    pub blind: Hash,
}

impl Bureau {
    /// An enterprise's own opening. Not before the plan's names are published: it would tell of a coming visit. What can
    /// be inferred from it is in docs/draw.md, section 3. That it was given is on the audit log.
    ///
    /// # Errors
    /// [`WrongInput`] when it is too early, or the enterprise is not among the candidates.
    pub async fn opening(&self, act: &Act, number: &str, code: CreditCode) -> anyhow::Result<Opening> {
        act.require(Permission::Plan)?;
        let found = self.store().draw(number).await?;
        let draw = found.ok_or_else(|| WrongInput(format!("没有编号为“{number}”的抽查")))?;
        if self.known_plan(draw.plan).await?.0.names.is_none() {
            return Err(WrongInput("检查了哪些企业还没有公布，现在给出会泄露未开始的检查".to_owned()).into());
        }
        let (frozen, _) = self.made_anew(&draw).await?;
        let own = frozen.enterprises().find(|(_, candidate)| *candidate == code);
        let (pair, _) = own.ok_or_else(|| WrongInput(format!("{code} 不在这次抽查的候选名单上")))?;
        let salt = salt(&frozen.secrets().key, code);
        self.record_export(act, &format!("draw/{number}/{code}")).await?;
        Ok(Opening { draw: number.to_owned(), stratum: pair.stratum, salt, blind: pair.blind })
    }
}

fn view(number: &str, frozen: &Frozen, visits: &[Visit], bundle: &Bundle) -> Value {
    let secrets = frozen.secrets();
    let labels: Vec<&str> = frozen.labels().iter().map(Line::as_str).collect();
    let strata = &frozen.certificate().strata;
    let label = |place: usize| labels.get(place).copied().unwrap_or_default();
    let enterprise = |(pair, code): (xinheng_core::draw::Pair, _)| {
        json!({
            "stratum": pair.stratum,
            "blind": pair.blind,
            "credit_code": code,
            "label": label(strata.iter().position(|one| one.stratum == pair.stratum).unwrap_or_default()),
            "salt": salt(&secrets.key, code),
        })
    };
    let visit = |visit: &Visit| {
        json!({
            "ticket": visit.ticket,
            "stratum": visit.pick.stratum,
            "blind": visit.pick.blind,
            "lead": visit.lead,
            "second": visit.second,
        })
    };
    let strata = strata.iter().zip(&labels).map(|(one, label)| json!({ "stratum": one.stratum, "label": label }));
    json!({
        "draw": number,
        "draw_key": hex::encode(secrets.key.bytes()),
        "nonce": hex::encode(secrets.nonce.bytes()),
        "strata": strata.collect::<Vec<_>>(),
        "drawn_without_regard_to_level": bundle.explored,
        "listed_by_rule": bundle.listed,
        "enterprises": frozen.enterprises().map(enterprise).collect::<Vec<_>>(),
        "inspector_lines": frozen.inspector_lines(),
        "visits": visits.iter().map(visit).collect::<Vec<_>>(),
    })
}
