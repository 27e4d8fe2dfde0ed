//! The committed JSON Schemas are those of the types.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;
use std::fs;

use xinheng_core::rulebook::schema;

#[test]
fn the_committed_schemas_are_those_of_the_rule_files() {
    let folder = common::path("../../regulations/schema");
    let refresh = "refresh with: cargo run -p xinheng-core --example schema -- regulations/schema";
    let mut committed = BTreeSet::new();
    for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}; {refresh}", folder.display())) {
        committed.insert(entry.unwrap().file_name().into_string().unwrap());
    }
    for (name, text) in schema::files() {
        assert!(committed.remove(name), "regulations/schema/{name} is missing; {refresh}");
        let on_disk = fs::read_to_string(folder.join(name)).unwrap();
        assert!(on_disk == text, "regulations/schema/{name} is not of today's types; {refresh}");
    }
    assert!(committed.is_empty(), "no type has these schemas any more: {committed:?}");
}
