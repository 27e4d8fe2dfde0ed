//! Pages, a file for each part of the site: read what the use case gives, fill the template.

pub(crate) mod account;
pub(crate) mod admin;
pub(crate) mod desk;
pub(crate) mod draws;
pub(crate) mod public;
