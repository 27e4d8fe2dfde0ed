//! Alerts (预警): what a classification makes an officer look at enters the ledger once, goes to a desk, and runs against
//! a term until it is answered.

use std::collections::BTreeMap;

use xinheng_core::alert::{ALERT, ALERT_ANSWER, Raised};
use xinheng_core::approval::LEAST_REASON;
use xinheng_core::audit::Outcome;
use xinheng_core::credit_code::CreditCode;
use xinheng_core::record::{Day, Personal, Seq, Value};
use xinheng_core::staff::{Permission, Scope};
use xinheng_store::{ListedClock, OpenClocks, Rules, Unit, Writing};

use crate::act::{Act, Actor};
use crate::approval::{Approved, LONGEST_TEXT, permitted};
use crate::collect::UNSPECIFIED_UNIT;
use crate::deadline::ClockKeeper;
use crate::todo::{ClockLine, ClockPlace};
use crate::{Bureau, WrongInput};

/// Rule on the term within which an alert is answered.
pub(crate) const ANSWER_TERM: &str = "alert_answer";

/// Alerts that enter the ledger at a time.
const BATCH: usize = 500;

/// An alert before it is on record.
pub(crate) struct Alarm {
    enterprise: CreditCode,
    rule: String,
    about: String,
    reason: String,
    advice: String,
    records: Vec<Seq>,
    desk: Vec<String>,
}

/// An alert that waits for its answer.
#[derive(Clone, Debug)]
pub struct OpenAlert {
    /// Its clock.
    pub clock: ClockLine,
    /// Why.
    pub reason: String,
    /// What the desk should do.
    pub advice: String,
}

/// A page of alerts, the most urgent first.
#[derive(Clone, Debug)]
pub struct OpenAlerts {
    /// Lines.
    pub lines: Vec<OpenAlert>,
    /// Where the next page starts after.
    pub next: Option<ClockPlace>,
}

impl Alarm {
    pub(crate) fn new(enterprise: CreditCode, raised: &Raised) -> Self {
        Self {
            enterprise,
            rule: raised.rule.rule.id.value.clone(),
            about: raised.about.clone(),
            reason: raised.reason.clone(),
            advice: raised.rule.advice.clone(),
            records: raised.records.clone(),
            desk: raised.rule.desk.clone(),
        }
    }

    fn approved(&self, number: String, on: Day) -> Approved {
        let text = |text: &str| Value::from(text);
        let records = self.records.iter().map(ToString::to_string).collect::<Vec<_>>().join("、");
        let fields = [
            ("number", text(&number)),
            ("raised_on", text(&on.to_string())),
            ("rule", text(&self.rule)),
            ("about", text(&self.about)),
            ("reason", text(&self.reason)),
            ("advice", text(&self.advice)),
            ("records", text(&records)),
        ];
        Approved {
            kind: ALERT,
            enterprise: Some(self.enterprise),
            occurred_on: on,
            fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            personal: BTreeMap::new(),
        }
    }

    /// The first of its desks that the bureau has, by name or another name; else nobody's in particular.
    fn unit(&self, units: &[Unit]) -> String {
        let is_named = |name: &String| {
            let named = |unit: &&Unit| unit.in_use && (unit.name == *name || unit.other_names.contains(name));
            units.iter().find(named).map(|unit| unit.code.clone())
        };
        self.desk.iter().find_map(is_named).unwrap_or_else(|| UNSPECIFIED_UNIT.to_owned())
    }
}

impl Bureau {
    /// Puts the alerts of a run on record, each once, at its desk.
    pub(crate) async fn raise(
        &self,
        writing: &mut Writing,
        run: Seq,
        on: Day,
        alarms: Vec<Alarm>,
    ) -> anyhow::Result<()> {
        if alarms.is_empty() {
            return Ok(());
        }
        let units = writing.units().await?;
        let mut by_desk: BTreeMap<String, Vec<Approved>> = BTreeMap::new();
        for (place, alarm) in (1..).zip(&alarms) {
            let approved = alarm.approved(format!("YJ{run}-{place}"), on);
            by_desk.entry(alarm.unit(&units)).or_default().push(approved);
        }
        let mut keeper = ClockKeeper::new(self.rulebook());
        for (unit, mut approved) in by_desk {
            while !approved.is_empty() {
                let rest = approved.split_off(approved.len().min(BATCH));
                self.enter_new(writing, &mut keeper, std::mem::replace(&mut approved, rest), &unit).await?;
            }
        }
        Ok(())
    }

    /// Alerts that wait for an answer within the person's scope, the most urgent first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_alerts(
        &self,
        actor: &Actor,
        after: Option<ClockPlace>,
        limit: u64,
    ) -> anyhow::Result<OpenAlerts> {
        let unit = (actor.duties.scope() == Scope::Unit).then_some(actor.unit.as_str());
        let wanted = OpenClocks { unit, rules: Rules::Only(ANSWER_TERM), after, limit };
        let listed = self.store().open_clocks(&wanted).await?;
        let next = listed.last().filter(|_| listed.len() as u64 == limit).map(ListedClock::place);
        let seqs: Vec<Seq> = listed.iter().map(|listed| listed.clock.start.seq).collect();
        let records = self.store().records_at(&seqs).await?;
        let text = |seq: Seq, field: &str| {
            let record = records.iter().find(|record| record.seq == seq);
            record.and_then(|record| record.payload.text(field)).unwrap_or_default().to_owned()
        };
        let lines = self.clock_lines(listed).await?.into_iter().map(|clock| OpenAlert {
            reason: text(clock.seq, "reason"),
            advice: text(clock.seq, "advice"),
            clock,
        });
        Ok(OpenAlerts { lines: lines.collect(), next })
    }

    /// What an alert may be answered with: code and words.
    #[must_use]
    pub fn answers_to_alerts(&self) -> Vec<(String, String)> {
        let kind = self.rulebook().kind(ALERT_ANSWER, self.today());
        let Some(field) = kind.and_then(|kind| kind.field("outcome")) else { return Vec::new() };
        field.choices.keys().map(|code| (code.clone(), field.shown(code).to_owned())).collect()
    }

    /// Answers an alert, which ends its term. A later answer replaces an earlier one.
    ///
    /// # Errors
    /// [`WrongInput`] with the sentence that the person reads.
    pub async fn answer_alert(&self, act: &Act, alert: Seq, outcome: &str, text: &str) -> anyhow::Result<()> {
        let actor = permitted(act, Permission::Handle)?;
        let refuse = |sentence: &str| Err(WrongInput(sentence.to_owned()).into());
        let found = self.store().record(alert).await?;
        let found = found.filter(|(entry, _)| entry.record.kind == ALERT && actor.sees_unit(&entry.record.source_unit));
        let Some((entry, enterprise)) = found else {
            return refuse("这条记录不是由您单位核查的预警");
        };
        let text = text.trim();
        let today = self.today();
        if self.answers_to_alerts().iter().all(|(code, _)| code != outcome) {
            return refuse("请选择核查结果");
        }
        if text.chars().count() < LEAST_REASON {
            return Err(WrongInput(format!("请写明核查情况，至少 {LEAST_REASON} 个字")).into());
        }
        if text.chars().count() > LONGEST_TEXT {
            return Err(WrongInput(format!("“核查情况”超过 {LONGEST_TEXT} 个字，请缩短")).into());
        }
        let number = entry.record.document_number.clone().unwrap_or_default();
        let value = |text: &str| Value::from(text);
        let answer = Approved {
            kind: ALERT_ANSWER,
            enterprise,
            occurred_on: today,
            fields: BTreeMap::from([
                ("alert_number".to_owned(), value(&number)),
                ("answered_on".to_owned(), value(&today.to_string())),
                ("outcome".to_owned(), value(outcome)),
            ]),
            personal: BTreeMap::from([("text".to_owned(), Personal::new(text))]),
        };
        let mut writing = self.store().begin().await?;
        let mut keeper = ClockKeeper::new(self.rulebook());
        self.enter_approved(&mut writing, &mut keeper, vec![answer], &actor.unit).await?;
        writing.audit(act.line(self.now(), Outcome::Done, format!("record/{alert}"), &[])).await?;
        self.commit_with_levels(writing).await
    }
}
