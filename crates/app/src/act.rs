//! Act (操作): what a person does, from where. Every use case that changes or reveals something takes
//! one, and writes its audit line in the same transaction.

use serde::{Deserialize, Serialize};
use thiserror::Error;
use xinheng_core::audit::{AuditLine, Outcome};
use xinheng_core::record::{Moment, Value};
use xinheng_core::staff::{Duties, Permission, Scope};

use crate::Bureau;

/// The person who acts: signed in, with the duties that the session found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Roles. None while a password or a second factor is due: until then nothing but that may be done.
    pub duties: Duties,
    /// Number of the session; none on the command line.
    pub session: Option<i64>,
}

impl Actor {
    /// Whether a duty permits it. The own account is everyone's.
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        permission == Permission::OwnAccount || self.duties.permit(permission)
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
    /// Address that the request came from, or [`COMMAND_LINE`].
    pub source: String,
    /// Number of the request, as in the log.
    pub request: String,
    /// The form that it came by, so that the same form is not carried out twice; none for what may be repeated.
    pub form: Option<String>,
}

/// Source of an act on the machine itself, by whoever may read the database and its keys.
pub const COMMAND_LINE: &str = "命令行";

/// Source of an act that falls due by itself, such as publishing what is due.
pub const BY_ITSELF: &str = "系统";

/// The person's duties do not permit it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct NotPermitted(pub String);

impl Act {
    /// An act on the command line.
    #[must_use]
    pub fn on_command_line(event: &'static str) -> Self {
        Self { event, actor: None, source: COMMAND_LINE.to_owned(), request: String::new(), form: None }
    }

    /// An act that falls due by itself; nobody does it.
    #[must_use]
    pub fn by_itself(event: &'static str) -> Self {
        Self { source: BY_ITSELF.to_owned(), ..Self::on_command_line(event) }
    }

    /// Who is signed in.
    ///
    /// # Errors
    /// [`NotPermitted`] when nobody is.
    pub fn signed_in(&self) -> Result<&Actor, NotPermitted> {
        self.actor.as_ref().ok_or_else(|| NotPermitted("请先登录".to_owned()))
    }

    /// Checks once more, below the routes, that a duty permits the act. Whoever holds the database and its
    /// keys may do on the command line what no session may: bring back in who is locked out.
    ///
    /// # Errors
    /// [`NotPermitted`] otherwise.
    pub fn require(&self, permission: Permission) -> Result<(), NotPermitted> {
        let permitted = match &self.actor {
            Some(actor) => actor.may(permission),
            None => self.source == COMMAND_LINE,
        };
        let refused = || NotPermitted("您的角色不包含这项操作。如工作需要，请联系安全管理员调整角色".to_owned());
        permitted.then_some(()).ok_or_else(refused)
    }

    /// Whether the act is about the actor.
    pub(crate) fn is_by(&self, staff: i64) -> bool {
        self.actor.as_ref().is_some_and(|actor| actor.staff == staff)
    }

    /// The line that the audit log gets, with what was acted on (`unit/5101`) and what else is worth telling.
    #[must_use]
    pub fn line(&self, at: Moment, outcome: Outcome, object: impl Into<String>, detail: &[(&str, Value)]) -> AuditLine {
        let actor = self.actor.as_ref();
        let roles: Vec<String> =
            actor.iter().flat_map(|actor| actor.duties.roles()).map(|role| role.to_string()).collect();
        AuditLine {
            at,
            staff: actor.map(|actor| actor.staff),
            account: actor.map(|actor| actor.account.clone()).unwrap_or_default(),
            roles: roles.join(","),
            unit: actor.map(|actor| actor.unit.clone()).unwrap_or_default(),
            source: self.source.clone(),
            event: self.event.to_owned(),
            object: object.into(),
            outcome,
            detail: detail.iter().map(|(name, value)| (*name, value.clone())).collect(),
            request: self.request.clone(),
            form: self.form.clone(),
        }
    }
}

impl Bureau {
    /// Notes that someone asked for what the table of routes or a use case refuses.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record_denial(&self, act: &Act, object: &str, reason: &str) -> anyhow::Result<()> {
        let mut writing = self.store.begin().await?;
        let detail = [("reason", Value::from(reason))];
        writing.audit(act.line(self.now(), Outcome::Refused, object, &detail)).await?;
        Ok(writing.commit().await?)
    }
}
