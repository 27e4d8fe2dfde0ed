//! People (人员): the bureau's units and staff. The system administrator says who is there; the security
//! administrator says who may do what. Neither can do the other's part, and nobody changes what they
//! themselves may do.

mod inspectors;
mod roster;
mod staff;
mod units;

pub use inspectors::{DirectoryEntry, DirectoryText, ListOutcome};
pub use roster::{StaffFile, StaffOutcome};
pub use staff::{NewStaff, StaffMember};
pub use units::UnitChange;
pub use xinheng_store::Unit;

use serde::Serialize;
use xinheng_core::record::Moment;

/// Staff on the longest page.
pub const PAGE: u64 = 500;

/// The first secret of a person, told once and kept nowhere: good for one sign-in, at which a password of
/// one's own takes its place.
#[derive(Clone, Serialize)]
pub struct OneTimeSecret {
    /// 账号
    pub account: String,
    /// 姓名
    pub name: String,
    /// 一次性口令
    pub secret: String,
    /// Good until.
    #[serde(serialize_with = "shown")]
    pub valid_until: Moment,
}

/// The secret is for the person alone.
impl std::fmt::Debug for OneTimeSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OneTimeSecret({})", self.account)
    }
}

fn shown<S: serde::Serializer>(moment: &Moment, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(moment)
}
