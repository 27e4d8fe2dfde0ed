//! Journeys through the site in a real Chromium, by the test command.
#![allow(clippy::unwrap_used)]

mod draws;
mod harness;
#[path = "../site/mod.rs"]
mod site;
mod support;
