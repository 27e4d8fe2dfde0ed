//! Sign-in (登录). One answer for whatever is wrong with account, password or code, after the same work;
//! failures are counted first by where they come from, then by account, be it one that exists or not.

mod attempts;
mod password;
mod second_factor;
mod session;

pub(crate) use attempts::attempt_of;
pub(crate) use password::Passwords;
pub use password::{PasswordCost, PasswordPolicy};
pub use second_factor::Enrolment;
pub use session::{Due, OpenSession, Session};

use std::fmt;

use xinheng_core::audit::Outcome;
use xinheng_core::record::{Moment, Value};
use xinheng_store::Staff;

use crate::Bureau;
use crate::act::Act;
use attempts::Counted;
use session::SESSION;

/// Days for which sessions are kept after their last request, and minutes for which failures count.
const SESSION_DAYS: i64 = 180;
const ATTEMPT_MINUTES: i64 = 24 * 60;

/// What a person types at sign-in.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// 账号
    pub account: &'a str,
    /// 口令
    pub password: &'a str,
    /// 动态码, for those who have enrolled a second factor.
    pub code: Option<&'a str>,
}

/// A person who has come in.
#[derive(Clone)]
pub struct SignedIn {
    /// What the browser keeps, in hex. Nothing here shows it.
    pub token: String,
    /// What it stands for.
    pub session: Session,
    /// Days until the password has to be changed, once they are few.
    pub password_days_left: Option<i64>,
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedIn({})", self.session.number)
    }
}

/// Why a person does not come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Account, password or code; it is not said which.
    Wrong,
    /// Too many failures from this address.
    SourceLocked(Moment),
    /// Too many failures of this account.
    AccountLocked(Moment),
    /// The right one-time secret, but too late.
    SecretExpired,
    /// The right password of a person who was taken out of use.
    OutOfUse,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = |until: &Moment| {
            // Hours and minutes in China: the day begins where the calendar says so.
            let text = until.minutes_later(8 * 60).to_string();
            text.get(11..16).unwrap_or_default().to_owned()
        };
        match self {
            Self::Wrong => {
                f.write_str("账号、口令或动态码不正确。管理员须同时填写动态码；忘记口令请联系安全管理员重置")
            }
            Self::SourceLocked(until) => {
                write!(f, "从这台电脑登录失败的次数过多，请在 {} 之后再试，或联系安全管理员", clock(until))
            }
            Self::AccountLocked(until) => {
                write!(f, "登录失败的次数过多，该账号已锁定至 {}，可联系安全管理员提前解锁", clock(until))
            }
            Self::SecretExpired => f.write_str("一次性口令已过期，请联系安全管理员重新发放"),
            Self::OutOfUse => f.write_str("该账号已停用，如需恢复请联系系统管理员"),
        }
    }
}

impl Refusal {
    /// As the audit log says it.
    fn name(self) -> &'static str {
        match self {
            Self::Wrong => "账号、口令或动态码不正确",
            Self::SourceLocked(_) => "来源地址已锁定",
            Self::AccountLocked(_) => "账号已锁定",
            Self::SecretExpired => "一次性口令已过期",
            Self::OutOfUse => "账号已停用",
        }
    }
}

/// How a sign-in ended.
#[derive(Clone, Debug)]
pub enum SignIn {
    /// Come in.
    Welcome(Box<SignedIn>),
    /// Not now.
    Refused(Refusal),
}

impl Bureau {
    /// Signs a person in: a new session with a new token, in place of any other the person had.
    ///
    /// # Errors
    /// When the database fails, or the person's row was altered behind the system's back.
    pub async fn sign_in(&self, act: &Act, credentials: &Credentials<'_>, agent: &str) -> anyhow::Result<SignIn> {
        let account = credentials.account.trim().to_ascii_lowercase();
        let counted = Counted::new(&self.store, &act.source, &account);
        let found = self.store.staff_member(Some(&account), None).await?;
        let at_first = self.store.attempts(&counted.names()).await?;
        if let Some(refusal) = counted.refusal(&at_first, self.now()) {
            return self.refuse(act, found.as_ref(), refusal, &counted, false).await;
        }
        let hash = found.as_ref().and_then(|person| person.password.clone());
        let right = self.verify_password(credentials.password, hash.clone()).await?;

        let now = self.now();
        let person = match found {
            Some(person) if right => person,
            other => return self.refuse(act, other.as_ref(), Refusal::Wrong, &counted, true).await,
        };
        let number = person.number;
        if let Err(altered) = person.clone().unaltered() {
            self.record_denial(act, &format!("staff/{number}"), "账号数据被改动").await?;
            return Err(altered.into());
        }
        if !person.in_use {
            return self.refuse(act, Some(&person), Refusal::OutOfUse, &counted, false).await;
        }
        if person.secret_until.is_some_and(|until| until < now) {
            return self.refuse(act, Some(&person), Refusal::SecretExpired, &counted, false).await;
        }

        let policy = self.settings().await?.password_policy;
        // What was read before the work may have changed since: the transaction decides.
        let mut writing = self.store.begin().await?;
        let attempts = writing.attempts(&counted.names()).await?;
        let again = writing.staff_member(number).await?.filter(|again| again.password == hash && again.in_use);
        let refusal = counted.refusal(&attempts, now).or(again.is_none().then_some(Refusal::Wrong));
        let (Some(mut person), None) = (again, refusal) else {
            drop(writing);
            return self.refuse(act, Some(&person), refusal.unwrap_or(Refusal::Wrong), &counted, false).await;
        };
        if !second_factor::take(&mut person, credentials.code, now) {
            drop(writing);
            return self.refuse(act, Some(&person), Refusal::Wrong, &counted, true).await;
        }
        let token = self.chance()?;
        if person.secret_until.is_some() {
            // A one-time secret has been used now.
            person.password = None;
            person.secret_until = None;
        }
        let days_left = policy.days_left(&person, now);
        person.must_change |= days_left.is_some_and(|days| days <= 0);
        writing.end_sessions(number, None, now).await?;
        let digest = self.store.tag(SESSION, &token);
        let session = writing.start_session(&digest, number, now, &act.source, &shortened(agent)).await?;
        writing.clear_attempts(std::slice::from_ref(&counted.account)).await?;
        writing.forget_before(now.minutes_later(-SESSION_DAYS * 24 * 60), now.minutes_later(-ATTEMPT_MINUTES)).await?;
        let mut line = act.line(now, Outcome::Done, format!("session/{session}"), &[]);
        name_in(&mut line, &person);
        writing.audit(line).await?;
        writing.put_staff(vec![person]).await?;
        writing.commit().await?;
        let token = hex::encode(token);
        let session = self.session(&token).await?;
        let session = session.ok_or_else(|| anyhow::anyhow!("会话在建立后立即被结束，请重新登录"))?;
        let password_days_left = days_left.filter(|days| (1..=policy.warning()).contains(days));
        Ok(SignIn::Welcome(Box::new(SignedIn { token, session, password_days_left })))
    }

    async fn refuse(
        &self,
        act: &Act,
        person: Option<&Staff>,
        refusal: Refusal,
        counted: &Counted,
        count: bool,
    ) -> anyhow::Result<SignIn> {
        Ok(SignIn::Refused(self.note_refusal(act, person, refusal, counted, count).await?))
    }

    /// Notes a password that was refused; `count` when it is a failure that locks.
    async fn note_refusal(
        &self,
        act: &Act,
        person: Option<&Staff>,
        refusal: Refusal,
        counted: &Counted,
        count: bool,
    ) -> anyhow::Result<Refusal> {
        let now = self.now();
        let mut writing = self.store.begin().await?;
        let mut refusal = refusal;
        if count {
            let attempts = writing.attempts(&counted.names()).await?;
            // The failures of others who tried meanwhile have locked it: then this one is no guess any more.
            match counted.refusal(&attempts, now) {
                Some(locked) => refusal = locked,
                None => writing.put_attempts(counted.failed(&attempts, now)).await?,
            }
        }
        // What was typed as an account that does not exist may be a password: it is not kept.
        let object = person.map(|person| format!("staff/{}", person.number)).unwrap_or_default();
        let detail = [("reason", Value::from(refusal.name()))];
        let mut line = act.line(now, Outcome::Refused, object, &detail);
        if let Some(person) = person {
            name_in(&mut line, person);
        }
        writing.audit(line).await?;
        writing.commit().await?;
        Ok(refusal)
    }
}

/// Nobody is signed in yet: the audit log learns from the account who it is.
fn name_in(line: &mut xinheng_core::audit::AuditLine, person: &Staff) {
    line.staff = Some(person.number);
    line.account.clone_from(&person.account);
    line.unit = person.unit.clone().unwrap_or_default();
    line.roles = person.duties.roles().map(|role| role.to_string()).collect::<Vec<_>>().join(",");
}

/// A browser's own description, as much as tells it from another.
fn shortened(agent: &str) -> String {
    agent.chars().filter(|character| !character.is_control()).take(200).collect()
}
