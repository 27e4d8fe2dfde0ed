//! Journeys through the site in a real Chromium, by the test command.
#![allow(clippy::unwrap_used)]

mod draws;
mod harness;
mod levels;
#[path = "../site/mod.rs"]
mod site;
mod steps;
mod support;
