//! Every rule of Xinheng as a pure function, and the field's words as types: one file per noun.
//!
//! Wall: no I/O, no clock, no randomness. The day, the moment and the salts are arguments, so that
//! the same ledger, rulebook and day give the same bytes on every machine.

pub mod alert;
pub mod approval;
pub mod audit;
pub mod backtest;
pub mod calendar;
pub mod classify;
pub mod collect;
pub mod credit_code;
pub mod deadline;
pub mod draw;
pub mod forecast;
pub mod history;
pub mod inspector;
pub mod ledger;
pub mod mask;
pub mod plan;
pub mod points;
pub mod publicity;
pub mod record;
pub mod relation;
pub mod rulebook;
pub mod score;
pub mod search;
pub mod staff;
pub mod unit;
pub mod visit;
