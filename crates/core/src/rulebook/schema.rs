//! JSON Schemas of the rule files, for editors that help while writing. The committed ones are in
//! `regulations/schema/`; `cargo run -p xinheng-core --example schema -- regulations/schema` writes them.

use schemars::{Schema, schema_for};

use super::alerts::Alert;
use super::approvals::Procedure;
use super::calendars::CalendarYear;
use super::cases::CaseFile;
use super::combination::Combination;
use super::deadlines::DeadlineRule;
use super::inspections::InspectionItem;
use super::kind::Kind;
use super::lotteries::Lottery;
use super::measures::LevelMeasures;
use super::model::Model;
use super::outcome::Outcome;
use super::override_file::OverrideFile;
use super::relations::RelationRule;
use super::table::Table;

/// File name and content of every schema.
#[must_use]
pub fn files() -> Vec<(&'static str, String)> {
    let schemas: [(&str, Schema); 15] = [
        ("kind.json", schema_for!(Kind)),
        ("table.json", schema_for!(Table)),
        ("model.json", schema_for!(Model)),
        ("combination.json", schema_for!(Combination)),
        ("calendar.json", schema_for!(CalendarYear)),
        ("deadline.json", schema_for!(DeadlineRule)),
        ("alert.json", schema_for!(Alert)),
        ("approval.json", schema_for!(Procedure)),
        ("inspection.json", schema_for!(InspectionItem)),
        ("lottery.json", schema_for!(Lottery)),
        ("measure.json", schema_for!(LevelMeasures)),
        ("relation.json", schema_for!(RelationRule)),
        ("outcome.json", schema_for!(Outcome)),
        ("case.json", schema_for!(CaseFile)),
        ("override.json", schema_for!(OverrideFile)),
    ];
    let text = |schema: Schema| serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n";
    schemas.into_iter().map(|(name, schema)| (name, text(schema))).collect()
}
