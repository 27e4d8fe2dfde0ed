//! Journeys through the site in a real Chromium: the real program, its demonstration county, and people.
#![allow(clippy::unwrap_used)]

mod administrators;
mod demo_site;
mod officers;
mod pages;
#[path = "../repository/mod.rs"]
mod repository;
mod secrets;
#[allow(dead_code)]
#[path = "../../../web/tests/browser/support/mod.rs"]
mod support;
