//! Facts (事实): the ledger as of a day with what became of each record worked out, as JSON lines, for batch scoring
//! elsewhere. Personal fields are not among them: payloads hold none.

use std::collections::BTreeMap;
use std::io::Write;

use serde::Serialize;
use xinheng_core::history::{Facts, Kinds};
use xinheng_core::record::{Day, Seq, Value};
use xinheng_core::rulebook::kind::FieldType;

use crate::{Bureau, Stage, Watcher};

/// Enterprises read at a time.
const PAGE: u64 = 2_000;

/// The first line.
#[derive(Serialize)]
struct Header<'a> {
    as_of: Day,
    kinds: BTreeMap<&'a str, BTreeMap<&'a str, FieldType>>,
}

/// A record in effect.
#[derive(Serialize)]
struct Line<'a> {
    enterprise: &'a str,
    seq: Seq,
    kind: &'a str,
    occurred_on: Day,
    ended_on: Option<Day>,
    repaired_on: Option<Day>,
    /// Fields that the kind declares; what a row gave besides is left out.
    payload: BTreeMap<&'a str, &'a Value>,
}

impl Bureau {
    /// Writes what is known now of every enterprise, as of a day: the format is in docs/lake.md. Returns how many
    /// enterprises.
    ///
    /// # Errors
    /// When the database fails or the output cannot be written.
    pub async fn write_facts(&self, as_of: Day, out: &mut impl Write, watcher: Watcher<'_>) -> anyhow::Result<u64> {
        let known_up_to = self.store.head().await?.seq;
        let kinds = Kinds::new(self.rulebook.kinds(as_of));
        let fields = |kind: &'_ xinheng_core::rulebook::kind::Kind| -> BTreeMap<String, FieldType> {
            let open = kind.fields.iter().filter(|field| !field.personal);
            open.map(|field| (field.name.value.clone(), field.field_type)).collect()
        };
        let all: Vec<_> = kinds.iter().map(|kind| (kind.rule.id.value.as_str(), fields(kind))).collect();
        let named =
            all.iter().map(|(id, fields)| (*id, fields.iter().map(|(name, one)| (name.as_str(), *one)).collect()));
        serde_json::to_writer(&mut *out, &Header { as_of, kinds: named.collect() })?;
        out.write_all(b"\n")?;
        let total = self.store.enterprise_count().await?;
        let (mut after, mut written) = (None, 0);
        loop {
            let page = self.store.histories(after, PAGE, known_up_to).await?;
            for (code, records) in &page.histories {
                writeln!(out, "{{\"enterprise\":\"{code}\"}}")?;
                let facts = Facts::new(records, as_of, &kinds);
                let of_kinds = all
                    .iter()
                    .enumerate()
                    .flat_map(|(kind, (_, declared))| facts.of(kind).iter().map(move |fact| (declared, fact)));
                for (declared, fact) in of_kinds {
                    let payload = fact.record.payload.iter().filter(|(name, _)| declared.contains_key(*name));
                    let line = Line {
                        enterprise: code.as_str(),
                        seq: fact.record.seq,
                        kind: &fact.record.kind,
                        occurred_on: fact.record.occurred_on,
                        ended_on: fact.ended_on,
                        repaired_on: fact.repaired_on,
                        payload: payload.collect(),
                    };
                    serde_json::to_writer(&mut *out, &line)?;
                    out.write_all(b"\n")?;
                }
                written += 1;
            }
            watcher(Stage { name: format!("导出截至 {as_of} 的事实"), done: written, total });
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        out.flush()?;
        Ok(written)
    }
}
