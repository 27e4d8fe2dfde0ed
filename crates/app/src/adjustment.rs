//! Adjustment of a level by a person (人工调整): grounds and evidence, a second and a third person, and an end.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
pub use xinheng_core::classify::LEVEL_ADJUSTMENT;
use xinheng_core::credit_code::CreditCode;
use xinheng_core::record::{Day, Personal, Seq, Value};
use xinheng_core::rulebook::combination::AdjustmentLimits;
use xinheng_store::{Matter, Writing};

use crate::act::Act;
use crate::approval::{Approved, LONGEST_TEXT, Proposal};
use crate::deadline::ClockKeeper;
use crate::{Bureau, WrongInput};

/// Fewest characters of grounds.
const LEAST_GROUNDS: usize = 10;

/// What is proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelAdjustment {
    /// Whose level.
    pub enterprise: CreditCode,
    /// By how many levels: towards greater risk when positive.
    pub steps: i64,
    /// Its last day.
    pub until: Day,
    /// 理由
    pub grounds: String,
    /// Number or place of the evidence.
    pub evidence: String,
}

impl Bureau {
    /// How far a level may be moved today; none when it may not be.
    #[must_use]
    pub fn adjustment_limits(&self) -> Option<AdjustmentLimits> {
        self.rulebook().combination(self.today())?.adjustment
    }

    /// Proposes to move the level of an enterprise, for another person to review and a third to approve; or again, what
    /// came back.
    ///
    /// # Errors
    /// [`WrongInput`] with the sentence that the person reads.
    pub async fn propose_adjustment(
        &self,
        act: &Act,
        again: Option<Seq>,
        proposed: &LevelAdjustment,
    ) -> anyhow::Result<Seq> {
        let mut proposed = proposed.clone();
        proposed.grounds = proposed.grounds.trim().to_owned();
        proposed.evidence = proposed.evidence.trim().to_owned();
        self.check_adjustment(&proposed)?;
        let mut writing = self.store().begin().await?;
        if self.store().history(proposed.enterprise, Seq(i64::MAX)).await?.is_empty() {
            return Err(WrongInput(format!("账上没有 {} 的记录", proposed.enterprise)).into());
        }
        let way = if proposed.steps > 0 { "调高" } else { "调低" };
        let steps = proposed.steps.unsigned_abs();
        let subject = format!("{} 的风险等级{way} {steps} 级，至 {}", proposed.enterprise, proposed.until);
        let (targets, content) =
            (vec![format!("{LEVEL_ADJUSTMENT}/{}", proposed.enterprise)], serde_json::to_string(&proposed)?);
        let proposal = Proposal {
            procedure: LEVEL_ADJUSTMENT,
            subject: &subject,
            targets: &targets,
            content: &content,
            taken: &|_, other| format!("这家企业的等级调整已在第 {other} 号事项中待审，不能同时提出两件"),
        };
        let matter = self.hand_in(&mut writing, act, again, &proposal).await?;
        writing.commit().await?;
        Ok(matter)
    }

    fn check_adjustment(&self, proposed: &LevelAdjustment) -> anyhow::Result<()> {
        let refuse = |sentence: String| Err(WrongInput(sentence).into());
        let today = self.today();
        let Some(AdjustmentLimits { most_levels, lasts_at_most }) = self.adjustment_limits() else {
            return refuse("规则库不允许人工调整等级".to_owned());
        };
        let last = lasts_at_most.last_day_from(today);
        let long = [("理由", &proposed.grounds), ("依据材料", &proposed.evidence)];
        if let Some((what, _)) = long.iter().find(|(_, text)| text.chars().count() > LONGEST_TEXT) {
            return refuse(format!("“{what}”超过 {LONGEST_TEXT} 个字，请缩短"));
        }
        match proposed {
            one if one.steps == 0 || one.steps.unsigned_abs() > u64::from(most_levels) => {
                refuse(format!("一次最多调整 {most_levels} 级，请选择调高或调低"))
            }
            one if one.until <= today => refuse(format!("“有效期至”{} 不晚于今天，请核对", one.until)),
            one if one.until > last => refuse(format!("“有效期至”最晚为 {last}，到期后如仍有理由可以再提")),
            one if one.grounds.chars().count() < LEAST_GROUNDS => {
                refuse(format!("请写明理由，至少 {LEAST_GROUNDS} 个字"))
            }
            one if one.evidence.is_empty() => refuse("请填写依据材料的编号或存放位置".to_owned()),
            _ => Ok(()),
        }
    }

    /// What was approved enters the ledger.
    pub(crate) async fn record_adjustment(&self, writing: &mut Writing, matter: &Matter) -> anyhow::Result<()> {
        let proposed: LevelAdjustment = serde_json::from_str(&matter.proposal)?;
        let today = self.today();
        if proposed.until <= today {
            let sentence = format!("调整的有效期 {} 已过，请退回本事项", proposed.until);
            return Err(WrongInput(sentence).into());
        }
        let text = |text: &str| Value::from(text);
        let approved = Approved {
            kind: LEVEL_ADJUSTMENT,
            enterprise: Some(proposed.enterprise),
            occurred_on: today,
            fields: BTreeMap::from([
                ("number".to_owned(), text(&format!("TZ{}", matter.number))),
                ("decided_on".to_owned(), text(&today.to_string())),
                ("steps".to_owned(), Value::Integer(proposed.steps)),
                ("until".to_owned(), text(&proposed.until.to_string())),
                ("evidence".to_owned(), text(&proposed.evidence)),
            ]),
            personal: BTreeMap::from([("grounds".to_owned(), Personal::new(proposed.grounds))]),
        };
        let mut keeper = ClockKeeper::new(self.rulebook());
        let entered = self.enter_approved(writing, &mut keeper, vec![approved], &matter.unit).await;
        entered.map(drop).context("等级调整没有入账")
    }
}
