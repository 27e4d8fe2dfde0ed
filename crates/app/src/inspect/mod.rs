//! Inspections (双随机抽查): a plan is approved, its objects are frozen, drawn by a public lottery and matched with
//! teams; the results of the visits enter the record of the enterprises.

mod audit;
mod draw;
mod objects;
mod plan;
mod public;
mod result;
mod visits;

pub use audit::Opening;
pub use draw::{DrawDetail, LotteryChoice, draw_of};
pub use objects::{GroupLine, PlanPreview, ReasonLine};
pub use plan::{ItemLine, MeasureLine, PlanDetail, PlanLine, PlanProposal};
pub use public::{PublicDraw, PublicDrawLine, PublicItem, PublicPlan};
pub use result::{ResultWords, VisitResult};
pub use visits::{VisitDetail, VisitLine};

pub use xinheng_store::DrawState;

/// What fell due by itself, by its number. Each has a day of its own, and is tried whatever becomes of the others.
#[derive(Debug, Default)]
pub struct FellDue {
    /// What was done.
    pub done: Vec<String>,
    /// What could not be done, and why. It is tried again the next time.
    pub failed: Vec<(String, anyhow::Error)>,
}

impl FellDue {
    /// One that was tried; what was not due yet is neither.
    fn take(&mut self, number: String, tried: anyhow::Result<bool>) {
        match tried {
            Ok(true) => self.done.push(number),
            Ok(false) => {}
            Err(error) => self.failed.push((number, error)),
        }
    }

    /// What was done, for whom nothing may fail.
    ///
    /// # Errors
    /// The first failure.
    pub fn whole(self) -> anyhow::Result<Vec<String>> {
        match self.failed.into_iter().next() {
            None => Ok(self.done),
            Some((number, error)) => Err(error.context(number)),
        }
    }
}

/// Procedure of a plan that is proposed.
pub const INSPECTION_PLAN: &str = "inspection_plan";
/// Procedure of the lottery's numbers that two people enter.
pub const DRAW_SEAL: &str = "draw_seal";
/// Procedure of the result of a visit.
pub const INSPECTION_RESULT: &str = "inspection_result";
