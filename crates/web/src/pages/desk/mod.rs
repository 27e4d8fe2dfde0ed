//! The desk (工作台): where officers work.

pub(crate) mod classification;
pub(crate) mod collection;
pub(crate) mod draws;
pub(crate) mod enterprises;
pub(crate) mod inspectors;
pub(crate) mod levels;
pub(crate) mod notice;
pub(crate) mod plans;
pub(crate) mod publication;
pub(crate) mod rules;
pub(crate) mod todo;
pub(crate) mod visits;
