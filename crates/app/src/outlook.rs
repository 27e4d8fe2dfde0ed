//! Outlook (往后看): what of an enterprise's level ends by itself and when, and what a repair would change. For the
//! officer; the enterprise is not told its level.

use xinheng_core::credit_code::CreditCode;
use xinheng_core::forecast::{IfRepaired, Standing, ToCome, if_repaired, standing, to_come};
use xinheng_core::record::Seq;

use crate::Bureau;
use crate::classify::Tools;
use crate::words;

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

impl Bureau {
    /// What is to come of an enterprise's level, by what is known now and the rulebook of today.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn outlook(&self, code: CreditCode) -> anyhow::Result<Outlook> {
        let today = self.today();
        let records = self.store().history(code, Seq(i64::MAX)).await?;
        let signatures = self.signatures(Seq(i64::MAX)).await?;
        let Tools { classifier, kinds, .. } = Tools::new(self.rulebook(), today, &signatures);
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
            now: standing(&classifier, &kinds, &records, today),
            to_come: to_come(&classifier, &kinds, &records, today, MONTHS),
            if_repaired: if_repaired(&classifier, &kinds, &records, today).into_iter().map(named).collect(),
        })
    }
}
