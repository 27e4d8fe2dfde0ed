//! Differentiated measures (差异化监管措施): what may be done with an enterprise of its level is offered where the officer
//! works, and what was done is recorded.

use std::collections::BTreeMap;

use xinheng_core::approval::LEAST_REASON;
use xinheng_core::audit::Outcome;
use xinheng_core::credit_code::CreditCode;
use xinheng_core::record::{Day, Personal, Value};
use xinheng_core::rulebook::measures::{LevelMeasure, LevelMeasures};
use xinheng_core::staff::Permission;

use crate::act::Act;
use crate::approval::{Approved, LONGEST_TEXT, permitted};
use crate::deadline::ClockKeeper;
use crate::profile::LevelStep;
use crate::{Bureau, WrongInput, words};

/// Kind of record of a measure that was taken.
pub const LEVEL_MEASURE: &str = "level_measure";

/// What may be done at a level of a field.
#[derive(Clone, Debug)]
pub struct Offered<'a> {
    /// Field.
    pub field: &'a str,
    /// 名称 of the field.
    pub field_title: String,
    /// Level.
    pub level: String,
    /// Whether the list may act; otherwise it waits for the bureau's signature.
    pub in_force: bool,
    /// Measures.
    pub measures: &'a [LevelMeasure],
}

/// A measure that was taken.
#[derive(Clone, Debug)]
pub struct MeasureTaken {
    /// With whom.
    pub enterprise: CreditCode,
    /// Field of the level.
    pub field: String,
    /// Id of the measure.
    pub measure: String,
    /// When.
    pub taken_on: Day,
    /// What was said and done.
    pub text: String,
}

impl Bureau {
    /// What may be done with an enterprise that has these levels. Measures of the combined level come with the general
    /// field, unless that has a list of its own.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn measures_offered(&self, levels: &[LevelStep]) -> anyhow::Result<Vec<Offered<'_>>> {
        let today = self.today();
        let signatures = self.signatures(xinheng_core::record::Seq(i64::MAX)).await?;
        let offered = self.rulebook().measures(today).filter_map(|rule: &LevelMeasures| {
            let level = levels.iter().find(|step| step.scope == rule.field)?.level.clone()?;
            Some(Offered {
                field: &rule.field,
                field_title: words::scope_title(self.rulebook(), &rule.field, today),
                measures: rule.levels.get(&level).filter(|measures| !measures.is_empty())?,
                in_force: signatures.act(self.rulebook(), &format!("measures/{}", rule.rule.id.value), today),
                level,
            })
        });
        Ok(offered.collect())
    }

    /// Records that a measure was taken.
    ///
    /// # Errors
    /// [`WrongInput`] with the sentence that the person reads.
    pub async fn record_measure(&self, act: &Act, taken: &MeasureTaken) -> anyhow::Result<()> {
        let actor = permitted(act, Permission::Handle)?;
        let refuse = |sentence: String| Err(WrongInput(sentence).into());
        let today = self.today();
        let level = self.store().levels_of(taken.enterprise).await?;
        let level = level.into_iter().find(|kept| kept.level.scope == taken.field).and_then(|kept| kept.level.level);
        let rule = self.rulebook().measures(today).find(|rule| rule.field == taken.field);
        let measure = rule
            .zip(level.as_ref())
            .and_then(|(rule, level)| rule.levels.get(level)?.iter().find(|measure| measure.id.value == taken.measure));
        let (Some(measure), Some(level)) = (measure, &level) else {
            return refuse("请选择本级可采取的措施。等级可能刚有变化，请刷新页面".to_owned());
        };
        let text = taken.text.trim();
        if taken.taken_on > today {
            return refuse(format!("“采取日期”{} 晚于今天，请填写实际采取的日期", taken.taken_on));
        }
        if text.chars().count() < LEAST_REASON {
            return refuse(format!("请写明采取措施的情况，至少 {LEAST_REASON} 个字"));
        }
        if text.chars().count() > LONGEST_TEXT {
            return refuse(format!("“情况”超过 {LONGEST_TEXT} 个字，请缩短"));
        }
        let value = |text: &str| Value::from(text);
        let approved = Approved {
            kind: LEVEL_MEASURE,
            enterprise: Some(taken.enterprise),
            occurred_on: taken.taken_on,
            fields: BTreeMap::from([
                ("measure".to_owned(), value(&format!("{}/{}", taken.field, taken.measure))),
                ("nature".to_owned(), value(measure.nature.code())),
                ("title".to_owned(), value(&measure.title)),
                ("taken_on".to_owned(), value(&taken.taken_on.to_string())),
                ("level".to_owned(), value(level)),
                ("field".to_owned(), value(&words::scope_title(self.rulebook(), &taken.field, today))),
            ]),
            personal: BTreeMap::from([("text".to_owned(), Personal::new(text))]),
        };
        let mut writing = self.store().begin().await?;
        let mut keeper = ClockKeeper::new(self.rulebook());
        self.enter_approved(&mut writing, &mut keeper, vec![approved], &actor.unit).await?;
        writing.audit(act.line(self.now(), Outcome::Done, format!("enterprise/{}", taken.enterprise), &[])).await?;
        self.commit_with_levels(writing).await
    }
}
