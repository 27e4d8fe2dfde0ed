//! Act (操作): what a person does, from where. Every use case that changes or reveals something takes
//! one, and writes its audit line in the same transaction.

use xinheng_core::staff::{Duties, Permission, Scope};

/// The person who acts: signed in, with the duties that the session found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Number of the staff member.
    pub staff: i64,
    /// 账号
    pub account: String,
    /// 姓名
    pub name: String,
    /// Code of the unit.
    pub unit: String,
    /// Name of the unit.
    pub unit_name: String,
    /// Roles.
    pub duties: Duties,
    /// Number of the session; none on the command line.
    pub session: Option<i64>,
}

impl Actor {
    /// Whether a duty permits it.
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        self.duties.permit(permission)
    }

    /// Whether the matters of a unit are within the person's scope.
    #[must_use]
    pub fn sees_unit(&self, unit: &str) -> bool {
        self.duties.scope() == Scope::Bureau || self.unit == unit
    }
}

/// One act, as the audit log will tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// Name of the event in the table of routes, such as `collection.hand_in`.
    pub event: &'static str,
    /// Who; nobody yet when someone signs in.
    pub actor: Option<Actor>,
    /// Address that the request came from, or `命令行`.
    pub source: String,
    /// Number of the request, as in the log.
    pub request: String,
}
