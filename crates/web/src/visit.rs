//! A visit (访问): one request, as the guard found it. Handlers take it as an argument.

use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use xinheng_app::act::{Act, Actor};
use xinheng_app::sign_in::Due;
use xinheng_core::record::Day;

use crate::error::PageError;

/// Cookie that binds the forms of visitors who have not signed in.
pub(crate) const VISITOR_COOKIE: &str = "xinheng-visitor";

/// A request with what the guard found out about it.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The person, when signed in.
    pub actor: Option<Actor>,
    /// What the person has to do before anything else.
    pub due: Option<Due>,
    /// Whether the person has shown the password lately.
    pub is_confirmed: bool,
    /// Token that the forms of this visitor are bound to. Never shown.
    pub(crate) secret: String,
    /// The act that the audit log will tell.
    pub act: Act,
    /// Token that forms carry.
    pub csrf: String,
    /// Address asked for.
    pub address: Uri,
    /// 长者模式
    pub large_type: bool,
    /// Whether htmx asks for a part of the page.
    pub partial: bool,
    /// The browser.
    pub agent: String,
    /// The day in China.
    pub today: Day,
}

impl Visit {
    /// The person who is signed in.
    ///
    /// # Errors
    /// Nobody is: the route was declared public.
    pub fn actor(&self) -> Result<&Actor, PageError> {
        self.actor.as_ref().ok_or(PageError::SignedOut)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, PageError> {
        parts.extensions.get::<Self>().cloned().ok_or(PageError::Failed)
    }
}

/// What stays as it is in a query: the rest is escaped.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'/');

/// A text as part of an address.
#[must_use]
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// Those fields of a form that were filled in, as the query of an address.
pub(crate) fn query(fields: &[(&str, &str)]) -> String {
    let given = fields.iter().filter(|(_, value)| !value.is_empty());
    given.map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&")
}

/// What was typed, if anything was.
pub(crate) fn given(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
