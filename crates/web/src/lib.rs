//! Pages, sign-in and the one table of routes: the only crate that speaks HTTP.
