//! The guard (门禁) that stands before every handler: deny by default. It finds the session, holds the
//! route to what it declares, checks that a change comes from our own form, counts against the limits,
//! tells the audit log of what it refused, and puts errors into a page.

use std::net::{IpAddr, SocketAddr};

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use xinheng_app::act::{Act, Actor};
use xinheng_app::sign_in::Due;
use xinheng_core::ledger::Hash;
use xinheng_core::staff::Permission;

use crate::Site;
use crate::error::PageError;
use crate::form::LARGEST_FORM;
use crate::page::ErrorPage;
use crate::pages::account::ConfirmPage;
use crate::route::{Audience, Body as Accepts, Declaration};
use crate::visit::{VISITOR_COOKIE, Visit};

/// Letters of a token, as [`xinheng_app::Bureau::token`] makes them.
const TOKEN: usize = 64;

/// Before a handler.
pub(crate) async fn guard(
    State((site, declaration)): State<(Site, Declaration)>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let (visit, jar) = match visit(&site, &declaration, &parts).await {
        Ok(found) => found,
        Err(error) => return error.into_response(),
    };
    let request = Request::from_parts(parts, body);
    let response = match admit(&site, &declaration, &visit, request).await {
        Ok(Admitted { mut request, form }) => {
            let mut visit = visit.clone();
            visit.act.form = form;
            request.extensions_mut().insert(visit);
            next.run(request).await
        }
        Err(refused) => refused,
    };
    (jar, finish(&visit, response)).into_response()
}

/// Under no route: nothing is there, and below the closed folders strangers do not even learn that.
pub(crate) async fn nowhere(State(site): State<Site>, request: Request) -> Response {
    let closed = ["/desk", "/admin", "/self", "/account"];
    let path = request.uri().path();
    let audience = match closed.iter().any(|folder| path == *folder || path.starts_with(&format!("{folder}/"))) {
        true => Audience::Staff(Permission::OwnAccount),
        false => Audience::Public,
    };
    let declaration = Declaration {
        method: Method::GET,
        path: "",
        title: "没有找到这个页面",
        audience,
        event: None,
        body: Accepts::Form,
        confirmed: false,
    };
    let (parts, _) = request.into_parts();
    let (visit, jar) = match visit(&site, &declaration, &parts).await {
        Ok(found) => found,
        Err(error) => return error.into_response(),
    };
    let refused = match (audience, &visit.actor) {
        (Audience::Staff(_), None) => sign_in_first(&visit),
        _ => PageError::NotFound.into_response(),
    };
    (jar, finish(&visit, refused)).into_response()
}

async fn visit(site: &Site, declaration: &Declaration, request: &Parts) -> Result<(Visit, CookieJar), PageError> {
    let headers = &request.headers;
    let mut jar = CookieJar::from_headers(headers);
    let token = jar.get(site.session_cookie()).map(|cookie| cookie.value().to_owned());
    let signed_in = match &token {
        Some(token) => site.bureau.session(token).await?,
        None => None,
    };
    // A form of a visitor who has not signed in is bound to a token of its own.
    let secret = match (&signed_in, token) {
        (Some(_), Some(token)) => token,
        _ => match jar.get(VISITOR_COOKIE) {
            Some(cookie) if cookie.value().len() == TOKEN => cookie.value().to_owned(),
            _ => site.bureau.token()?,
        },
    };
    let anonymous_form = declaration.path == "/sign-in";
    if signed_in.is_none() && anonymous_form {
        jar = jar.add(
            Cookie::build((VISITOR_COOKIE, secret.clone()))
                .path("/")
                .http_only(true)
                .same_site(SameSite::Strict)
                .secure(site.options.secure),
        );
    }
    let due = signed_in.as_ref().and_then(|session| session.due);
    let is_confirmed = signed_in.as_ref().is_some_and(|session| session.is_confirmed);
    let actor: Option<Actor> = signed_in.map(|session| session.actor);
    let request_number = site.bureau.token()?;
    let visit = Visit {
        csrf: site.bureau.csrf_token(&secret, &request_number[16..32]),
        act: Act {
            event: declaration.event.unwrap_or("page.read"),
            actor: actor.clone(),
            source: source(site, request),
            request: request_number[..16].to_owned(),
            form: None,
        },
        actor,
        due,
        is_confirmed,
        secret,
        address: request.uri.clone(),
        large_type: CookieJar::from_headers(headers)
            .get("xinheng-type")
            .is_some_and(|cookie| cookie.value() == "large"),
        partial: headers.contains_key("hx-request"),
        agent: headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default().to_owned(),
        today: site.bureau.today(),
    };
    Ok((visit, jar))
}

/// The address that the request came from: a proxy's word counts only when the proxy is ours.
fn source(site: &Site, request: &Parts) -> String {
    let peer = request.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let forwarded = || -> Option<IpAddr> {
        let list = request.headers.get("x-forwarded-for")?.to_str().ok()?;
        list.rsplit(',').next()?.trim().parse().ok()
    };
    match peer {
        Some(peer) if site.options.proxies.contains(&peer) => forwarded().unwrap_or(peer).to_string(),
        Some(peer) => peer.to_string(),
        None => "本机".to_owned(),
    }
}

/// A request that a handler may see.
struct Admitted {
    request: Request,
    /// What tells the form from any other: the page that it stands on, where it goes, what it says.
    form: Option<String>,
}

/// Lets the request through, or says with what it is refused.
async fn admit(site: &Site, declaration: &Declaration, visit: &Visit, request: Request) -> Result<Admitted, Response> {
    if let Audience::Staff(permission) = declaration.audience {
        let Some(actor) = &visit.actor else {
            return Err(if declaration.changes() {
                PageError::SignedOut.into_response()
            } else {
                sign_in_first(visit)
            });
        };
        if let (Some(due), false) = (visit.due, permission == Permission::OwnAccount) {
            let first = match due {
                Due::Password => "/account/password",
                Due::SecondFactor => "/account/second-factor",
            };
            return Err(Redirect::to(first).into_response());
        }
        if !actor.may(permission) {
            let object = format!("{} {}", declaration.method, declaration.path);
            site.bureau.record_denial(&visit.act, &object, "岗位不含这项操作").await.map_err(refused)?;
            return Err(PageError::Forbidden.into_response());
        }
    }
    if !declaration.changes() {
        return Ok(Admitted { request, form: None });
    }
    if !same_origin(request.headers()) {
        return Err(PageError::Forged.into_response());
    }
    checked(site, declaration, visit, request).await
}

fn refused(error: anyhow::Error) -> Response {
    PageError::from(error).into_response()
}

/// A change must come from a page of ours.
fn same_origin(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    let host = text("host").unwrap_or_default();
    text("origin")
        .and_then(|origin| origin.parse::<Uri>().ok())
        .is_some_and(|origin| origin.authority().is_some_and(|authority| authority.as_str() == host))
}

/// Checks the token of a form. That of an upload stands in its first field, where
/// [`crate::form::Upload`] checks it before it reads on.
async fn checked(
    site: &Site,
    declaration: &Declaration,
    visit: &Visit,
    request: Request,
) -> Result<Admitted, Response> {
    let multipart = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.starts_with("multipart/form-data"));
    if multipart {
        return match declaration.body {
            // A file that comes twice is known by its rows.
            Accepts::Upload => Ok(Admitted { request, form: None }),
            Accepts::Form => Err(PageError::Forged.into_response()),
        };
    }
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, LARGEST_FORM).await.map_err(|_| PageError::TooLarge.into_response())?;
    let fields: Vec<(String, String)> = serde_urlencoded::from_bytes(&bytes).unwrap_or_default();
    let given = fields.iter().find(|(field, _)| field == "csrf");
    if !given.is_some_and(|(_, given)| site.bureau.check_csrf(&visit.secret, given)) {
        return Err(PageError::Forged.into_response());
    }
    if declaration.confirmed && !visit.is_confirmed {
        let there = visit.address.path().to_owned();
        return Err(ConfirmPage::ask(visit, there, fields, String::new()).unwrap_or_else(IntoResponse::into_response));
    }
    // Who comes in twice by the same form is in; nobody else is there to do something twice.
    let path = visit.address.path().as_bytes();
    let form = visit.actor.as_ref().map(|_| Hash::of(&[path, b"\n", &bytes]).to_string());
    if let Some(form) = &form
        && site.bureau.was_carried_out(form).await.map_err(refused)?
    {
        return Err(PageError::CarriedOut.into_response());
    }
    Ok(Admitted { request: Request::from_parts(parts, Body::from(bytes)), form })
}

fn sign_in_first(visit: &Visit) -> Response {
    let here = visit.address.path_and_query().map_or("/desk", |address| address.as_str());
    let there = format!("/sign-in?next={}", crate::visit::encoded(here));
    if visit.partial {
        return ([("hx-redirect", there)], StatusCode::UNAUTHORIZED).into_response();
    }
    Redirect::to(&there).into_response()
}

/// Errors become pages; what staff see is kept by no cache.
fn finish(visit: &Visit, mut response: Response) -> Response {
    if let Some(error) = response.extensions_mut().remove::<PageError>() {
        let status = error.status();
        response = match ErrorPage::answer(visit, &error) {
            Ok(page) => (status, page).into_response(),
            Err(_) => status.into_response(),
        };
    }
    if visit.actor.is_some() && !response.headers().contains_key(header::CACHE_CONTROL) {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}
