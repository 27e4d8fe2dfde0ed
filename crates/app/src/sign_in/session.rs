//! Sessions (会话): what a token stands for, until when; seen and ended by their owner or the security
//! administrator. The database keeps a keyed digest of the token only.

use anyhow::Context as _;
use xinheng_core::audit::Outcome;
use xinheng_core::record::Moment;
use xinheng_core::staff::{Duties, Permission};
use xinheng_store::{Staff, Unit};

use super::Refusal;
use super::attempts::Counted;
use crate::act::{Act, Actor, NotPermitted};
use crate::{Bureau, WrongInput};

/// Purposes of keyed tags.
pub(super) const SESSION: &str = "session";
const CSRF: &str = "csrf";

/// Minutes without a request after which a session has ended: administrators' and others'.
const IDLE_ADMINISTRATOR: i64 = 15;
const IDLE: i64 = 30;
/// Minutes after which any session has ended.
const LONGEST: i64 = 10 * 60;
/// Minutes after showing the password in which what is grave may be done without showing it again.
const CONFIRMED: i64 = 5;
/// Minutes between two notes of the last request.
const TOUCH: i64 = 1;
/// Sessions of the longest page.
const PAGE: u64 = 200;

/// What has to be done before anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Choose a password of one's own.
    Password,
    /// Enrol a second factor.
    SecondFactor,
}

/// A session that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its number.
    pub number: i64,
    /// Whose it is. Without duties as long as something is due.
    pub actor: Actor,
    /// What has to be done before anything else.
    pub due: Option<Due>,
    /// Whether the person has a password to be asked for before a new one; none after a one-time secret.
    pub has_password: bool,
    /// When it ends for want of requests.
    pub idle_end: Moment,
    /// When it ends at the latest.
    pub end: Moment,
    /// Whether the person has shown the password lately, as what is grave asks for.
    pub is_confirmed: bool,
}

/// An open session, as its owner and the security administrator see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenSession {
    /// Its number.
    pub number: i64,
    /// Number of the staff member.
    pub staff: i64,
    /// 账号
    pub account: String,
    /// 姓名
    pub name: String,
    /// Since.
    pub started: Moment,
    /// Last request, to the minute.
    pub last_seen: Moment,
    /// Address.
    pub source: String,
    /// Browser.
    pub agent: String,
}

impl Bureau {
    /// What a token stands for, in two queries and as a rule without a write; `None` when its session has
    /// ended or never was.
    ///
    /// # Errors
    /// When the database fails, or the person's row was altered behind the system's back.
    pub async fn session(&self, token: &str) -> anyhow::Result<Option<Session>> {
        let mut bytes = [0; 32];
        if hex::decode_to_slice(token, &mut bytes).is_err() {
            return Ok(None);
        }
        let Some((kept, person, unit)) = self.store.session(&self.store.tag(SESSION, &bytes)).await? else {
            return Ok(None);
        };
        let person = person.unaltered()?;
        let now = self.now();
        let (idle_end, end) = ends(&person, kept.started, kept.last_seen);
        if !person.in_use || now >= idle_end.min(end) {
            return Ok(None);
        }
        if kept.last_seen.minutes_later(TOUCH) <= now {
            let mut writing = self.store.begin().await?;
            writing.touch_session(kept.number, now).await?;
            writing.commit().await?;
        }
        Ok(Some(Session {
            number: kept.number,
            due: due(&person),
            has_password: person.password.is_some(),
            idle_end: ends(&person, kept.started, now).0,
            end,
            is_confirmed: now < kept.confirmed.minutes_later(CONFIRMED),
            actor: actor(person, unit, kept.number),
        }))
    }

    /// Shows the password again, before what is grave. Failures count as those of sign-in, and lock as they do.
    ///
    /// # Errors
    /// When nobody is signed in or the database fails.
    pub async fn confirm(&self, act: &Act, password: &str) -> anyhow::Result<Result<(), Refusal>> {
        let actor = act.signed_in()?;
        let session = actor.session.context("命令行没有会话可确认")?;
        let counted = Counted::new(&self.store, &act.source, &actor.account);
        let person = self.store.staff_member(None, Some(actor.staff)).await?;
        let locked = counted.refusal(&self.store.attempts(&counted.names()).await?, self.now());
        let refusal = match locked {
            Some(locked) => Some((locked, false)),
            None => {
                let hash = person.as_ref().and_then(|person| person.password.clone());
                let right = self.verify_password(password, hash).await?;
                (!right).then_some((Refusal::Wrong, true))
            }
        };
        if let Some((refusal, count)) = refusal {
            return Ok(Err(self.note_refusal(act, person.as_ref(), refusal, &counted, count).await?));
        }
        let now = self.now();
        let mut writing = self.store.begin().await?;
        writing.confirm_session(session, now).await?;
        writing.clear_attempts(std::slice::from_ref(&counted.account)).await?;
        writing.audit(act.line(now, Outcome::Done, format!("session/{session}"), &[])).await?;
        writing.commit().await?;
        Ok(Ok(()))
    }

    /// Ends the actor's session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sign_out(&self, act: &Act) -> anyhow::Result<()> {
        match act.signed_in()?.session {
            Some(session) => self.end_session(act, session).await,
            None => Ok(()),
        }
    }

    /// The actor's own open sessions.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn own_sessions(&self, actor: &Actor) -> anyhow::Result<Vec<OpenSession>> {
        self.open_sessions(Some(actor.staff), None, PAGE).await
    }

    /// Open sessions of a person or of all, the newest first, before one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_sessions(
        &self,
        person: Option<i64>,
        before: Option<i64>,
        limit: u64,
    ) -> anyhow::Result<Vec<OpenSession>> {
        let now = self.now();
        let kept = self.store.sessions(person, before, limit.min(PAGE)).await?;
        let open = kept.into_iter().filter_map(|(session, person)| {
            let person = person?;
            let (idle_end, end) = ends(&person, session.started, session.last_seen);
            (now < idle_end.min(end)).then_some(OpenSession {
                number: session.number,
                staff: session.staff,
                account: person.account,
                name: person.name,
                started: session.started,
                last_seen: session.last_seen,
                source: session.source,
                agent: session.agent,
            })
        });
        Ok(open.collect())
    }

    /// Ends an open session: one's own, or as security administrator anybody's.
    ///
    /// # Errors
    /// [`NotPermitted`] for somebody else's, [`WrongInput`] when it has ended already.
    pub async fn end_session(&self, act: &Act, session: i64) -> anyhow::Result<()> {
        let mut writing = self.store.begin().await?;
        let owner = writing.session_owner(session).await?;
        if !owner.is_some_and(|owner| act.is_by(owner)) {
            act.require(Permission::ManageRoles).map_err(|_| NotPermitted("这不是您的会话，无权结束".to_owned()))?;
        }
        if owner.is_none() {
            return Err(WrongInput("这个会话已经结束，请刷新列表".to_owned()).into());
        }
        writing.end_session(session, self.now()).await?;
        writing.audit(act.line(self.now(), Outcome::Done, format!("session/{session}"), &[])).await?;
        Ok(writing.commit().await?)
    }

    /// What every form of a page carries, so that no other site can send it: bound to the session, and different on
    /// every page, so that a form sent twice is known.
    #[must_use]
    pub fn csrf_token(&self, token: &str, page: &str) -> String {
        format!("{page}-{}", hex::encode(self.store.tag(CSRF, format!("{page} {token}").as_bytes())))
    }

    /// Whether a form carries what its session gave it.
    #[must_use]
    pub fn check_csrf(&self, token: &str, given: &str) -> bool {
        let Some((page, tag)) = given.split_once('-') else { return false };
        let bound = format!("{page} {token}");
        hex::decode(tag).is_ok_and(|tag| self.store.is_tag(CSRF, bound.as_bytes(), &tag))
    }
}

/// When a session ends for want of requests, and at the latest.
fn ends(person: &Staff, started: Moment, last_seen: Moment) -> (Moment, Moment) {
    let idle = if person.duties.are_administrative() { IDLE_ADMINISTRATOR } else { IDLE };
    (last_seen.minutes_later(idle), started.minutes_later(LONGEST))
}

fn due(person: &Staff) -> Option<Due> {
    if person.must_change {
        return Some(Due::Password);
    }
    let confirmed = person.second_factor.as_ref().is_some_and(|factor| factor.confirmed);
    (person.duties.are_administrative() && !confirmed).then_some(Due::SecondFactor)
}

fn actor(person: Staff, unit: Option<Unit>, session: i64) -> Actor {
    let duties = if due(&person).is_some() { Duties::default() } else { person.duties };
    Actor {
        staff: person.number,
        account: person.account,
        name: person.name,
        unit_name: unit.map(|unit| unit.name).unwrap_or_default(),
        unit: person.unit.unwrap_or_default(),
        duties,
        session: Some(session),
    }
}
