//! Fields of a record: whatever order they come in, they say the same, in one spelling.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use xinheng_core::record::{Payload, Value};

fn value() -> impl Strategy<Value = Value> {
    let text = "[\u{20}-\u{7e}食品\u{0}-\u{1f}]{0,40}";
    prop_oneof![any::<bool>().prop_map(Value::Flag), any::<i64>().prop_map(Value::Integer), text.prop_map(Value::from)]
}

#[test]
fn no_fields_are_an_empty_object() {
    assert_eq!(serde_json::to_string(&Payload::default()).unwrap(), "{}");
    assert_eq!(serde_json::from_str::<Payload>("{}").unwrap(), Payload::default());
    assert!(serde_json::from_str::<Payload>("[]").is_err(), "a list has no names");
}

proptest! {
    /// The last word on a field counts, as in an object read from its beginning.
    #[test]
    fn fields_are_those_of_a_sorted_map(given in prop::collection::vec(("[a-z_]{1,30}", value()), 0..30)) {
        let expected: BTreeMap<String, Value> = given.iter().cloned().collect();
        let payload: Payload = given.iter().cloned().collect();
        let text = serde_json::to_string(&payload).unwrap();
        prop_assert_eq!(&text, &serde_json::to_string(&expected).unwrap());
        prop_assert_eq!(&serde_json::from_str::<Payload>(&text).unwrap(), &payload);
        let members: Vec<String> =
            given.iter().map(|(name, value)| format!("\"{name}\":{}", serde_json::to_string(value).unwrap())).collect();
        let in_given_order = format!("{{{}}}", members.join(","));
        prop_assert_eq!(&serde_json::from_str::<Payload>(&in_given_order).unwrap(), &payload);
        for (name, value) in &expected {
            prop_assert_eq!(payload.get(name), Some(value));
        }
        prop_assert_eq!(payload.get("A"), None);
    }

    /// What is taken out is as if it had never been there.
    #[test]
    fn a_field_taken_out_is_gone(given in prop::collection::btree_map("[a-e]{1,2}", value(), 0..12), out in "[a-e]{1,2}") {
        let mut payload: Payload = given.clone().into_iter().collect();
        payload.remove(&out);
        prop_assert_eq!(payload, given.into_iter().filter(|(name, _)| *name != out).collect::<Payload>());
    }
}
