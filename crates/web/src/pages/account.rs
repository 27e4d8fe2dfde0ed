//! Sign-in and the own account: password, second factor, own sessions.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use serde::Deserialize;
use xinheng_app::WrongInput;
use xinheng_app::sign_in::{Credentials, Due, OpenSession, Refusal, SignIn};

use crate::Site;
use crate::error::{PageError, PageResult};
use crate::form::{Form, outcome, see};
use crate::page::{Frame, page};
use crate::visit::Visit;

#[derive(Template)]
#[template(path = "account/sign_in.html")]
struct SignInPage {
    frame: Frame,
    next: String,
    account: String,
    fault: String,
}

/// Where to go after sign-in: a page of ours, never another site.
#[derive(Deserialize)]
pub struct Next {
    next: Option<String>,
}

impl Next {
    fn checked(self) -> String {
        let own = |next: &String| next.starts_with('/') && !next.starts_with("//") && !next.contains('\\');
        self.next.filter(own).unwrap_or_default()
    }
}

pub async fn sign_in_page(visit: Visit, Query(next): Query<Next>) -> PageResult {
    if visit.actor.is_some() {
        return Ok(Redirect::to(home(&visit)).into_response());
    }
    page(&SignInPage {
        frame: Frame::new(&visit, "工作人员登录"),
        next: next.checked(),
        account: String::new(),
        fault: String::new(),
    })
}

#[derive(Deserialize)]
pub struct SignInForm {
    account: String,
    password: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    next: Option<String>,
}

pub async fn sign_in(
    State(site): State<Site>,
    visit: Visit,
    jar: CookieJar,
    Form(form): Form<SignInForm>,
) -> PageResult {
    let code = Some(form.code.trim()).filter(|code| !code.is_empty());
    let credentials = Credentials { account: &form.account, password: &form.password, code };
    let next = Next { next: form.next.clone() }.checked();
    let refusal = match site.bureau.sign_in(&visit.act, &credentials, &visit.agent).await? {
        SignIn::Welcome(welcome) => {
            let cookie = Cookie::build((site.session_cookie(), welcome.token))
                .path("/")
                .http_only(true)
                .same_site(SameSite::Strict)
                .secure(site.options.secure);
            let there = match (welcome.session.due, next.as_str()) {
                (Some(Due::Password), _) => "/account/password",
                (Some(Due::SecondFactor), _) => "/account/second-factor",
                (None, "") => first_page(&welcome.session.actor),
                (None, next) => next,
            };
            return Ok((jar.add(cookie), see(there)).into_response());
        }
        SignIn::Refused(refusal) => refusal,
    };
    let again = SignInPage {
        frame: Frame::new(&visit, "工作人员登录"),
        next,
        account: form.account,
        fault: refusal.to_string(),
    };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&again)?).into_response())
}

/// Asks for the password again, and carries along what was sent, so that nothing is typed twice.
#[derive(Template)]
#[template(path = "account/confirm.html")]
pub(crate) struct ConfirmPage {
    frame: Frame,
    there: String,
    fields: Vec<(String, String)>,
    fault: String,
}

/// The field of the password that confirms, and that of the address which the form is for.
const OWN_PASSWORD: &str = "own_password";
const THERE: &str = "confirm_for";

impl ConfirmPage {
    pub(crate) fn ask(visit: &Visit, there: String, fields: Vec<(String, String)>, fault: String) -> PageResult {
        let ours = ["csrf", OWN_PASSWORD, THERE];
        let fields = fields.into_iter().filter(|(name, _)| !ours.contains(&name.as_str())).collect();
        let asked = page(&Self { frame: Frame::new(visit, "再次验证口令"), there, fields, fault })?;
        Ok((StatusCode::FORBIDDEN, asked).into_response())
    }
}

/// The same form goes on to where it was for: 307 keeps what it says.
pub async fn confirm_identity(
    State(site): State<Site>,
    visit: Visit,
    Form(fields): Form<Vec<(String, String)>>,
) -> PageResult {
    let field = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone());
    let there = Next { next: field(THERE) }.checked();
    if there.is_empty() {
        return Err(PageError::NotFound);
    }
    match site.bureau.confirm(&visit.act, &field(OWN_PASSWORD).unwrap_or_default()).await? {
        Ok(()) => Ok(Redirect::temporary(&there).into_response()),
        Err(Refusal::Wrong) => ConfirmPage::ask(&visit, there, fields, "口令不正确，请重新填写。".into()),
        Err(locked) => ConfirmPage::ask(&visit, there, fields, format!("{locked}。")),
    }
}

pub async fn sign_out(State(site): State<Site>, visit: Visit, jar: CookieJar) -> PageResult {
    site.bureau.sign_out(&visit.act).await?;
    let gone = Cookie::build((site.session_cookie(), "")).path("/").secure(site.options.secure);
    Ok((jar.remove(gone), [("clear-site-data", "\"cache\", \"storage\"")], see("/sign-in")).into_response())
}

fn first_page(actor: &xinheng_app::act::Actor) -> &'static str {
    crate::page::MENU
        .iter()
        .find(|(_, _, permission)| actor.may(*permission))
        .map_or("/account", |(address, _, _)| address)
}

fn home(visit: &Visit) -> &'static str {
    visit.actor.as_ref().map_or("/", first_page)
}

#[derive(Template)]
#[template(path = "account/account.html")]
struct AccountPage {
    frame: Frame,
    roles: String,
    sessions: Vec<OpenSession>,
    own: Option<i64>,
}

impl AccountPage {
    fn is_own(&self, session: &OpenSession) -> bool {
        self.own == Some(session.number)
    }

    fn moment(&self, moment: &xinheng_core::record::Moment) -> String {
        crate::words::moment(*moment)
    }
}

pub async fn account(State(site): State<Site>, visit: Visit) -> PageResult {
    let actor = visit.actor()?;
    page(&AccountPage {
        frame: Frame::new(&visit, "我的账号"),
        roles: actor.duties.roles().map(|role| role.title()).collect::<Vec<_>>().join("、"),
        sessions: site.bureau.own_sessions(actor).await?,
        own: actor.session,
    })
}

pub async fn end_session(State(site): State<Site>, visit: Visit, Path(number): Path<i64>) -> PageResult {
    site.bureau.end_session(&visit.act, number).await?;
    Ok(see("/account"))
}

#[derive(Template)]
#[template(path = "account/password.html")]
struct PasswordPage {
    frame: Frame,
    rule: String,
    due: bool,
    fault: String,
}

#[derive(Deserialize)]
pub struct PasswordForm {
    #[serde(default)]
    present: String,
    fresh: String,
    again: String,
}

async fn password_form(site: &Site, visit: &Visit, fault: String) -> PageResult<PasswordPage> {
    Ok(PasswordPage {
        frame: Frame::new(visit, "修改口令"),
        rule: site.bureau.settings().await?.password_policy.explanation(),
        due: visit.due == Some(Due::Password),
        fault,
    })
}

pub async fn password_page(State(site): State<Site>, visit: Visit) -> PageResult {
    page(&password_form(&site, &visit, String::new()).await?)
}

pub async fn change_password(State(site): State<Site>, visit: Visit, Form(form): Form<PasswordForm>) -> PageResult {
    let changed = if form.fresh == form.again {
        site.bureau
            .change_password(&visit.act, Some(form.present.as_str()).filter(|present| !present.is_empty()), &form.fresh)
            .await
    } else {
        Err(WrongInput("两次填写的新口令不一致，请重新填写".to_owned()).into())
    };
    outcome(changed, async |changed| match changed {
        Ok(()) => Ok(see("/account/changed")),
        Err(fault) => page(&password_form(&site, &visit, fault).await?),
    })
    .await
}

/// After a change of the own account: on to what is due, or home.
pub async fn changed(visit: Visit) -> Response {
    match visit.due {
        Some(Due::Password) => Redirect::to("/account/password"),
        Some(Due::SecondFactor) => Redirect::to("/account/second-factor"),
        None => Redirect::to(home(&visit)),
    }
    .into_response()
}

#[derive(Template)]
#[template(path = "account/second_factor.html")]
struct SecondFactorPage {
    frame: Frame,
    /// Secret and its address; shown once, when a new one was made.
    enrolment: Option<(String, String)>,
    fault: String,
}

pub async fn second_factor_page(visit: Visit) -> PageResult {
    page(&SecondFactorPage { frame: Frame::new(&visit, "动态口令"), enrolment: None, fault: String::new() })
}

pub async fn enrol(State(site): State<Site>, visit: Visit) -> PageResult {
    let enrolment = site.bureau.enrol_second_factor(&visit.act).await?;
    page(&SecondFactorPage {
        frame: Frame::new(&visit, "动态口令"),
        enrolment: Some((enrolment.secret, enrolment.uri)),
        fault: String::new(),
    })
}

#[derive(Deserialize)]
pub struct CodeForm {
    code: String,
    #[serde(default)]
    secret: String,
    #[serde(default)]
    uri: String,
}

pub async fn confirm(State(site): State<Site>, visit: Visit, Form(form): Form<CodeForm>) -> PageResult {
    let confirmed = site.bureau.confirm_second_factor(&visit.act, &form.code).await;
    outcome(confirmed, async |confirmed| match confirmed {
        Ok(()) => Ok(see("/account/changed")),
        Err(fault) => page(&SecondFactorPage {
            frame: Frame::new(&visit, "动态口令"),
            enrolment: Some((form.secret, form.uri)).filter(|(secret, _)| !secret.is_empty()),
            fault,
        }),
    })
    .await
}

#[derive(Deserialize)]
pub struct TypeSize {
    size: String,
    back: Option<String>,
}

/// 长者模式: a preference kept in a cookie of one year. It reads nothing and changes nothing of the books.
pub async fn type_size(jar: CookieJar, Query(asked): Query<TypeSize>) -> Response {
    let size = if asked.size == "large" { "large" } else { "normal" };
    let cookie = Cookie::build(("xinheng-type", size)).path("/").same_site(SameSite::Lax).http_only(true).permanent();
    let back = Next { next: asked.back }.checked();
    (jar.add(cookie), Redirect::to(if back.is_empty() { "/" } else { &back })).into_response()
}
