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

/// Procedure of a plan that is proposed.
pub const INSPECTION_PLAN: &str = "inspection_plan";
/// Procedure of the lottery's numbers that two people enter.
pub const DRAW_SEAL: &str = "draw_seal";
/// Procedure of the result of a visit.
pub const INSPECTION_RESULT: &str = "inspection_result";
