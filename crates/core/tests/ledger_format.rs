//! The worked example of docs/ledger-format.md, read out of the document itself, so that the
//! document and the code cannot drift apart.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use chrono::DateTime;
use serde_json::Value;
use xinheng_core::audit::{self, AuditLine, Outcome};
use xinheng_core::ledger::{CanonicalText, Hash, Head, canonical_bytes, chain, commitment};
use xinheng_core::record::{Moment, Payload, Record, RecordId, Seq, Statement};

const DOCUMENT: &str = include_str!("../../../docs/ledger-format.md");

/// The blocks of the example that begin with the given name, as name → text.
fn blocks(first: &str) -> Vec<BTreeMap<&'static str, &'static str>> {
    let (_, example) = DOCUMENT.split_once("## 8. Worked example").expect("the document has an example");
    let fenced = example.split("```").skip(1).step_by(2);
    let wanted = fenced.filter(|block| block.trim_start().starts_with(&format!("{first} ")));
    let line = |line: &'static str| line.split_once(' ').map(|(name, text)| (name, text.trim_start()));
    wanted.map(|block| block.lines().filter_map(line).collect()).collect()
}

/// The content of the fenced block of a language.
fn fenced(language: &str) -> &'static str {
    let (_, rest) = DOCUMENT.split_once(&format!("```{language}\n")).expect("the block is there");
    rest.split_once("```").unwrap().0
}

/// A record from its JSON, read member by member: order, spacing and escapes are lost on the way.
fn record(json: &Value) -> Record {
    let text = |name: &str| json[name].as_str().map(str::to_owned);
    let day = |name: &str| text(name).map(|day| day.parse().unwrap());
    let id: Vec<i64> = text("id").unwrap().split('.').map(|part| part.parse().unwrap()).collect();
    Record {
        statement: Statement {
            seq: Seq(json["seq"].as_i64().unwrap()),
            kind: text("kind").unwrap().into(),
            occurred_on: day("occurred_on").unwrap(),
            version: day("version"),
            document_number: text("document_number"),
            supersedes: json["supersedes"].as_i64().map(Seq),
            withdrawn: json["withdrawn"].as_bool().unwrap(),
            payload: serde_json::from_value::<Payload>(json["payload"].clone()).unwrap(),
        },
        id: RecordId { submission: id[0], line: id[1], part: id[2].try_into().unwrap() },
        enterprise: text("enterprise").map(|code| code.parse().unwrap()),
        received_at: Moment::new(text("received_at").unwrap().parse::<DateTime<_>>().unwrap()),
        source_unit: text("source_unit").unwrap().into(),
        commitments: serde_json::from_value(json["personal"].clone()).unwrap(),
    }
}

/// Those of its payload and its commitments.
fn texts(record: &Record) -> (CanonicalText, CanonicalText) {
    (CanonicalText::of_payload(&record.payload), CanonicalText::of_commitments(&record.commitments))
}

fn canonical_text(record: &Record) -> String {
    let (payload, commitments) = texts(record);
    String::from_utf8(canonical_bytes(record, &payload, &commitments)).unwrap()
}

#[test]
fn the_documents_records_give_its_bytes_and_hashes() {
    let records = blocks("previous");
    assert_eq!(records.len(), 3, "the document shows three records");
    let mut head = Head::EMPTY;
    for block in records {
        let record = record(&serde_json::from_str(block["canonical"]).unwrap());
        let (payload, commitments) = texts(&record);
        let bytes = canonical_bytes(&record, &payload, &commitments);
        assert_eq!(String::from_utf8(bytes.clone()).unwrap(), block["canonical"]);
        assert_eq!(bytes.len().to_string(), block["length"]);
        assert_eq!(head.hash.to_string(), block["previous"]);
        head = Head { seq: record.seq, hash: chain(head.hash, &record, &payload, &commitments) };
        assert_eq!(head.hash.to_string(), block["hash"]);
    }
    assert_eq!(serde_json::to_string(&head).unwrap(), fenced("json").trim_end());
}

/// A line of the audit log from its JSON.
fn audit_line(json: &Value) -> AuditLine {
    let text = |name: &str| json[name].as_str().unwrap().to_owned();
    AuditLine {
        at: Moment::new(text("at").parse::<DateTime<_>>().unwrap()),
        staff: json["staff"].as_i64(),
        account: text("account"),
        roles: text("roles"),
        unit: text("unit"),
        source: text("source"),
        event: text("event"),
        object: text("object"),
        outcome: Outcome::parse(json["outcome"].as_str().unwrap()).unwrap(),
        detail: serde_json::from_value::<Payload>(json["detail"].clone()).unwrap(),
        request: text("request"),
        form: None,
    }
}

#[test]
fn the_documents_lines_of_the_audit_log_give_its_bytes_and_hashes() {
    let mut previous = Hash::GENESIS;
    for (place, exported) in (1..).zip(fenced("audit").lines()) {
        let json: Value = serde_json::from_str(exported).unwrap();
        let (seq, line) = (Seq(json["seq"].as_i64().unwrap()), audit_line(&json));
        assert_eq!(seq, Seq(place));
        let hash = audit::chain(previous, seq, &line);
        assert_eq!(hash.to_string(), json["hash"].as_str().unwrap());
        assert_eq!(String::from_utf8(audit::export_line(seq, &line, hash)).unwrap(), exported);
        previous = hash;
    }
    assert_ne!(previous, Hash::GENESIS, "the document shows lines");
}

#[test]
fn the_documents_export_is_its_records_with_their_hashes() {
    let lines: Vec<_> = fenced("jsonl").lines().collect();
    let records = blocks("previous");
    assert_eq!(lines.len(), records.len());
    for (line, block) in lines.into_iter().zip(records) {
        let hash = format!(r#""hash":"{}","#, block["hash"]);
        assert_eq!(line.replacen(&hash, "", 1), block["canonical"]);
        let members: BTreeMap<String, Value> = serde_json::from_str(line).unwrap();
        let names: Vec<_> = members.keys().map(|name| line.find(&format!("\"{name}\":"))).collect();
        assert!(names.is_sorted(), "members of an exported record stand in order");
    }
}

#[test]
fn the_documents_commitments_come_from_its_salts_and_values() {
    let commitments = blocks("salt");
    assert_eq!(commitments.len(), 2, "the document shows two commitments");
    for block in commitments {
        let salt: [u8; 16] = hex::decode(block["salt"]).unwrap().try_into().unwrap();
        let value: String = serde_json::from_str(block["value"]).unwrap();
        let made: Hash = commitment(&salt, block["field"], &value);
        assert_eq!(made.to_string(), block["commitment"]);
        let shown = blocks("previous").into_iter().any(|record| record["canonical"].contains(block["commitment"]));
        assert!(shown, "a record of the example carries the commitment of {}", block["field"]);
    }
}

#[test]
fn every_control_character_is_escaped_as_the_document_says() {
    let mut record = record(&serde_json::from_str(blocks("previous")[0]["canonical"]).unwrap());
    for code in 0..0x20_u8 {
        record.statement.kind = char::from(code).to_string().into();
        let escape = match code {
            0x08 => "\\b".to_owned(),
            0x09 => "\\t".to_owned(),
            0x0a => "\\n".to_owned(),
            0x0c => "\\f".to_owned(),
            0x0d => "\\r".to_owned(),
            _ => format!("\\u00{code:02x}"),
        };
        let text = canonical_text(&record);
        assert!(text.contains(&format!(r#""kind":"{escape}""#)), "U+{code:04X} in {text}");
    }
    record.statement.kind = "/\u{7f}\u{2028}𠮷e\u{301}".into();
    let text = canonical_text(&record);
    assert!(text.contains(&format!(r#""kind":"{}""#, record.kind)), "{text}");
}
