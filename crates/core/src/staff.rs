//! Staff (工作人员): who may do what. Roles follow duties; what a role permits stands in one table.
//!
//! The three administrators (三员分立, GB/T 22239-2019) are apart from each other and from all business:
//! a person holds one of them and nothing else, and no role may do everything.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A duty that a person holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 系统管理员: units, staff, region, backup, health.
    SystemAdministrator,
    /// 安全管理员: roles, locks, sessions, second factors.
    SecurityAdministrator,
    /// 审计管理员: reads and verifies the audit log; changes nothing.
    AuditAdministrator,
    /// 经办: hands in and handles the matters of one unit.
    Handler,
    /// 审核: reviews what others of the unit handled.
    Reviewer,
    /// 信用监管: runs collection, classification and publicity for the whole bureau.
    CreditSupervisor,
    /// 局领导: sees the whole bureau, approves, signs rules.
    Leader,
    /// 纪检审计: sees the whole bureau and its audit log, changes nothing.
    Inspectorate,
}

/// What a route or use case asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Own account: password, second factor, sessions. Everyone's.
    OwnAccount,
    /// Units, staff and the region.
    ManageStaff,
    /// Who holds which role; locks, sessions of others, second factors.
    ManageRoles,
    /// Read and verify the audit log.
    ReadAudit,
    /// Look up enterprises, their records and levels.
    ReadRecords,
    /// See what was handed in and what came of it, within the data scope.
    ReadCollection,
    /// Hand in files.
    HandIn,
    /// Take tables out as Excel.
    Export,
    /// See a personal value in clear, one at a time and with a reason.
    Unmask,
    /// Prepare something that others approve.
    Handle,
    /// Review what another handled.
    Review,
    /// Approve what was reviewed.
    Approve,
    /// Put defaults of the rulebook in force.
    SignRules,
    /// See plans of inspections, draws, and the directory of inspectors.
    ReadPlans,
    /// Plan inspections, draw, and keep the directory of inspectors.
    Plan,
}

/// Whose matters a person sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Those of the own unit.
    Unit,
    /// Those of the whole bureau.
    Bureau,
}

impl Role {
    /// All of them, in the order in which pages show them.
    pub const ALL: [Self; 8] = [
        Self::SystemAdministrator,
        Self::SecurityAdministrator,
        Self::AuditAdministrator,
        Self::Handler,
        Self::Reviewer,
        Self::CreditSupervisor,
        Self::Leader,
        Self::Inspectorate,
    ];

    /// What people read.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::SystemAdministrator => "系统管理员",
            Self::SecurityAdministrator => "安全管理员",
            Self::AuditAdministrator => "审计管理员",
            Self::Handler => "经办人员",
            Self::Reviewer => "审核人员",
            Self::CreditSupervisor => "信用监管人员",
            Self::Leader => "局领导",
            Self::Inspectorate => "纪检审计人员",
        }
    }

    /// What it permits.
    #[must_use]
    pub fn permits(self) -> &'static [Permission] {
        use Permission::{
            Approve, Export, HandIn, Handle, ManageRoles, ManageStaff, OwnAccount, Plan, ReadAudit, ReadCollection,
            ReadPlans, ReadRecords, Review, SignRules, Unmask,
        };
        match self {
            Self::SystemAdministrator => &[OwnAccount, ManageStaff],
            Self::SecurityAdministrator => &[OwnAccount, ManageRoles],
            Self::AuditAdministrator => &[OwnAccount, ReadAudit],
            Self::Handler => &[OwnAccount, ReadRecords, ReadCollection, HandIn, Export, Unmask, Handle],
            Self::Reviewer => &[OwnAccount, ReadRecords, ReadCollection, Export, Unmask, Review],
            Self::CreditSupervisor => {
                &[OwnAccount, ReadRecords, ReadCollection, HandIn, Export, Unmask, Handle, Review, ReadPlans, Plan]
            }
            Self::Leader => &[OwnAccount, ReadRecords, ReadCollection, Export, Approve, SignRules, ReadPlans],
            Self::Inspectorate => &[OwnAccount, ReadRecords, ReadCollection, ReadAudit, ReadPlans],
        }
    }

    /// Whose matters it sees.
    #[must_use]
    pub fn scope(self) -> Scope {
        match self {
            Self::CreditSupervisor | Self::Leader | Self::Inspectorate => Scope::Bureau,
            _ => Scope::Unit,
        }
    }

    /// Whether it is one of the three administrators.
    #[must_use]
    pub fn is_administrator(self) -> bool {
        matches!(self, Self::SystemAdministrator | Self::SecurityAdministrator | Self::AuditAdministrator)
    }

    /// By its name in files and addresses: `credit_supervisor`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.to_string() == name || role.title() == name)
    }
}

impl fmt::Display for Role {
    /// As files and addresses write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// The roles of one person: what they permit together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "BTreeSet<Role>", try_from = "BTreeSet<Role>")]
pub struct Duties(BTreeSet<Role>);

/// Why roles may not be held by one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("三员分立：“{}”不得与其他角色由同一人担任。请只选一个管理员角色，或只选业务角色", .0.title())]
pub struct NotSeparated(pub Role);

impl From<Duties> for BTreeSet<Role> {
    fn from(duties: Duties) -> Self {
        duties.0
    }
}

impl TryFrom<BTreeSet<Role>> for Duties {
    type Error = NotSeparated;

    fn try_from(roles: BTreeSet<Role>) -> Result<Self, NotSeparated> {
        Self::new(roles)
    }
}

impl Duties {
    /// Takes the roles together, unless one of them must stand alone.
    ///
    /// # Errors
    /// When an administrator's role stands beside another.
    pub fn new(roles: impl IntoIterator<Item = Role>) -> Result<Self, NotSeparated> {
        let roles: BTreeSet<Role> = roles.into_iter().collect();
        match roles.iter().find(|role| role.is_administrator()) {
            Some(administrator) if roles.len() > 1 => Err(NotSeparated(*administrator)),
            _ => Ok(Self(roles)),
        }
    }

    /// Whether one of them permits it.
    #[must_use]
    pub fn permit(&self, permission: Permission) -> bool {
        self.0.iter().any(|role| role.permits().contains(&permission))
    }

    /// The widest scope among them.
    #[must_use]
    pub fn scope(&self) -> Scope {
        if self.0.iter().any(|role| role.scope() == Scope::Bureau) { Scope::Bureau } else { Scope::Unit }
    }

    /// The roles, in order.
    pub fn roles(&self) -> impl Iterator<Item = Role> {
        self.0.iter().copied()
    }

    /// Whether the person is one of the three administrators.
    #[must_use]
    pub fn are_administrative(&self) -> bool {
        self.0.iter().any(|role| role.is_administrator())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_administrator_holds_nothing_else() {
        for administrator in Role::ALL.into_iter().filter(|role| role.is_administrator()) {
            assert!(Duties::new([administrator]).is_ok());
            for other in Role::ALL.into_iter().filter(|role| *role != administrator) {
                assert!(Duties::new([administrator, other]).is_err(), "{administrator} with {other}");
            }
        }
        assert!(Duties::new([Role::Handler, Role::Reviewer]).is_ok());
    }

    #[test]
    fn no_administrator_sees_a_record_and_no_auditor_changes_anything() {
        for administrator in Role::ALL.into_iter().filter(|role| role.is_administrator()) {
            assert!(!administrator.permits().contains(&Permission::ReadRecords), "{administrator}");
        }
        let changing = [
            Permission::ManageStaff,
            Permission::ManageRoles,
            Permission::HandIn,
            Permission::Handle,
            Permission::Review,
            Permission::Approve,
            Permission::SignRules,
        ];
        for role in [Role::AuditAdministrator, Role::Inspectorate] {
            assert!(changing.iter().all(|permission| !role.permits().contains(permission)), "{role}");
        }
    }

    #[test]
    fn the_names_of_roles_are_read_back() {
        for role in Role::ALL {
            assert_eq!(Role::parse(&role.to_string()), Some(role));
            assert_eq!(Role::parse(role.title()), Some(role));
        }
        assert_eq!(Role::parse("root"), None);
    }
}
