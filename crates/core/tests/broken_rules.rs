//! What a person who writes rules reads when something is wrong: the place, the reason, the mend.
#![allow(clippy::unwrap_used)]

mod common;

#[test]
fn the_rulebook_to_be_broken_is_in_order() {
    common::load(&common::folder("tests/rulebook"));
}
