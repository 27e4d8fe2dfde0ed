//! Outlook (往后看): what of an enterprise's level ends by itself and when, and what a repair would change. For the
//! officer; the enterprise is told where the bureau has decided so for the model that leads.

use xinheng_core::credit_code::CreditCode;
use xinheng_core::forecast::{IfRepaired, Standing, ToCome, if_repaired, standing, to_come};
use xinheng_core::record::{Record, Seq};

use crate::classify::Tools;
use crate::explain::Explanation;
use crate::{Bureau, WrongInput, words};

/// Months ahead.
const MONTHS: u32 = 36;

/// What is to come of an enterprise's level.
#[derive(Clone, Debug)]
pub struct Outlook {
    /// Where it stands today.
    pub now: Standing,
    /// What comes by itself, if nothing else is recorded.
    pub to_come: Vec<ToCome>,
    /// What the repair of a record would change today, with the record in words.
    pub if_repaired: Vec<(IfRepaired, String)>,
}

/// What an enterprise is told of its level (告知书).
#[derive(Debug)]
pub struct Notice {
    /// Its level, and from which records.
    pub explanation: Explanation,
    /// What is to come of it.
    pub outlook: Outlook,
}

impl Bureau {
    /// Whether an enterprise may be told of a level: the model that leads says so, and the level may act.
    #[must_use]
    pub fn may_tell(&self, explanation: &Explanation) -> bool {
        let lead = explanation.model.as_ref().and_then(|model| self.rulebook().model(model, explanation.as_of));
        explanation.in_force && lead.is_some_and(|model| model.told_to_enterprise)
    }

    /// What an enterprise is told of its level today.
    ///
    /// # Errors
    /// [`WrongInput`] when it is not to be told.
    pub async fn notice(&self, code: CreditCode) -> anyhow::Result<Notice> {
        let explanation = self.explain(code, self.today(), None, None).await?;
        if !self.may_tell(&explanation) {
            let words =
                "按现行规则，这家企业的等级不告知企业：所依模型没有规定告知（told_to_enterprise），或等级未经签署";
            return Err(WrongInput(words.to_owned()).into());
        }
        Ok(Notice { outlook: self.outlook(code).await?, explanation })
    }

    /// What is to come of an enterprise's level, by what is known now and the rulebook of today.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn outlook(&self, code: CreditCode) -> anyhow::Result<Outlook> {
        self.outlook_of(&self.store().history(code, Seq(i64::MAX)).await?).await
    }

    /// As [`Self::outlook`], of all that is known now.
    pub(crate) async fn outlook_of(&self, records: &[Record]) -> anyhow::Result<Outlook> {
        let today = self.today();
        let ready = self.ready(today, Seq(i64::MAX)).await?;
        let Tools { classifier, kinds, .. } = ready.tools();
        let named = |one: IfRepaired| {
            let record = records.iter().find(|record| record.seq == one.seq);
            let words = record.map(|record| {
                let kind = words::kind_title(self.rulebook(), &record.kind, today);
                let number = record.document_number.as_deref().unwrap_or_default();
                format!("{kind} {} {number}", record.occurred_on)
            });
            (one, words.unwrap_or_default())
        };
        Ok(Outlook {
            now: standing(classifier, kinds, records, today),
            to_come: to_come(classifier, kinds, records, today, MONTHS),
            if_repaired: if_repaired(classifier, kinds, records, today).into_iter().map(named).collect(),
        })
    }
}
