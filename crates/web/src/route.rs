//! A route (路由) and what it declares: who it is for, which permission it asks, which event the audit
//! log will tell. A request reaches no handler but through [`crate::guard`], which holds it to that.

use std::fmt;

use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};
use xinheng_core::staff::Permission;

use crate::Site;

/// Who a route is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Anyone: citizens, and staff before they have signed in.
    Public,
    /// Signed-in staff whose duties permit it.
    Staff(Permission),
}

/// What a request's body may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Nothing, or the fields of a form.
    Form,
    /// A file with fields; its size is bounded by [`crate::form::LARGEST_UPLOAD`].
    Upload,
}

/// What a route declares.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// `GET` reads and changes nothing; `POST` changes and always needs the CSRF token.
    pub method: Method,
    /// Path, with its parameters in braces.
    pub path: &'static str,
    /// What people read.
    pub title: &'static str,
    /// Who it is for.
    pub audience: Audience,
    /// Event of the audit log. Every change has one; so has reading what is personal, and taking out.
    pub event: Option<&'static str>,
    /// Its body.
    pub body: Body,
    /// Whether the person must have shown the password lately.
    pub confirmed: bool,
}

/// A route: what it declares, and what it does.
pub struct Route {
    /// What it declares.
    pub declaration: Declaration,
    pub(crate) handler: MethodRouter<Site>,
}

/// A page to be read.
pub fn get<H, T>(path: &'static str, title: &'static str, audience: Audience, handler: H) -> Route
where
    H: Handler<T, Site>,
    T: 'static,
{
    Route {
        declaration: Declaration {
            method: Method::GET,
            path,
            title,
            audience,
            event: None,
            body: Body::Form,
            confirmed: false,
        },
        handler: on(MethodFilter::GET, handler),
    }
}

/// A change, by a form.
pub fn post<H, T>(path: &'static str, title: &'static str, audience: Audience, event: &'static str, handler: H) -> Route
where
    H: Handler<T, Site>,
    T: 'static,
{
    Route {
        declaration: Declaration {
            method: Method::POST,
            path,
            title,
            audience,
            event: Some(event),
            body: Body::Form,
            confirmed: false,
        },
        handler: on(MethodFilter::POST, handler),
    }
}

impl Route {
    /// Reading it is told by the audit log too.
    #[must_use]
    pub fn audited(mut self, event: &'static str) -> Self {
        self.declaration.event = Some(event);
        self
    }

    /// The password is asked for again unless it was shown in the last minutes.
    #[must_use]
    pub fn confirmed(mut self) -> Self {
        self.declaration.confirmed = true;
        self
    }

    /// Its form brings a file.
    #[must_use]
    pub fn with_upload(mut self) -> Self {
        self.declaration.body = Body::Upload;
        self
    }
}

impl Declaration {
    /// Whether it changes something.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.method != Method::GET
    }
}

impl fmt::Display for Declaration {
    /// A line of the table of routes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let audience = match self.audience {
            Audience::Public => "public".to_owned(),
            Audience::Staff(permission) => format!("{permission:?}"),
        };
        let csrf = match (self.changes(), self.confirmed) {
            (true, true) => "csrf+password",
            (true, false) => "csrf",
            (false, _) => "-",
        };
        let event = self.event.unwrap_or("-");
        write!(f, "{:<5} {:<42} {audience:<15} {csrf:<13} {event:<24} {}", self.method.as_str(), self.path, self.title)
    }
}
