//! The draw (protocol XD1): its bytes, what it refuses, who it is fair to.
#![allow(clippy::unwrap_used)]

mod bytes;
mod certificates;
mod fairness;
mod properties;
mod refusals;
mod support;
