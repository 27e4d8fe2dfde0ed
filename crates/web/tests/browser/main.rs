//! Journeys through the site in a real Chromium, by the test command.
#![allow(clippy::unwrap_used)]

mod harness;
mod support;
