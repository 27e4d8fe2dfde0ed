//! Relations (关联关系): before all enterprises are classified, it is put on record which of them share an address or a
//! person, where that has changed.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use xinheng_core::history::{Facts, Kinds};
use xinheng_core::record::{Day, Draft, EnterpriseKeys, Payload, Seq, Value};
use xinheng_core::relation::{FOUND_BY_SYSTEM, RELATION, Related, Relating};

use crate::approval::Again;
use crate::classify::PAGE;
use crate::collect::UNSPECIFIED_UNIT;
use crate::deadline::ClockKeeper;
use crate::{Bureau, Stage, Watcher};

/// Records that enter the ledger at a time.
const BATCH: usize = 2_000;

impl Bureau {
    /// Derives the relations of a day by the rules that may act, and puts on record what differs from before. Gives how many
    /// records that made.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn relate(&self, as_of: Day, watcher: Watcher<'_>) -> anyhow::Result<usize> {
        let signatures = self.signatures(Seq(i64::MAX)).await?;
        let rulebook = self.rulebook();
        let acting = rulebook
            .relations(as_of)
            .filter(|rule| signatures.act(rulebook, &format!("relations/{}", rule.rule.id.value), as_of));
        let kinds = Kinds::new(rulebook.kinds(as_of));
        let mut relating = Relating::new(acting, &kinds);
        if relating.is_idle() {
            return Ok(0);
        }
        let known_up_to = self.store().head().await?.seq;
        let total = self.store().enterprise_count().await?;
        let fields = relating.personal_fields();
        let (mut after, mut done) = (None, 0);
        loop {
            let page = self.store().histories(after, PAGE, known_up_to).await?;
            let facts: Vec<_> =
                page.histories.iter().map(|(code, records)| (*code, Facts::new(records, as_of, &kinds))).collect();
            let records: BTreeSet<Seq> = facts.iter().flat_map(|(_, facts)| relating.personal_records(facts)).collect();
            let sealed = self.store().personal_indexes(&records, &fields).await?;
            for (code, facts) in &facts {
                relating.take(*code, facts, |seq, field| sealed.get(&seq)?.get(field).copied());
            }
            done += facts.len() as u64;
            watcher(Stage { name: format!("关联关系 {as_of}"), done, total });
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let differences = relating.differences();
        if differences.is_empty() {
            return Ok(0);
        }
        let kind = rulebook.kind(RELATION, as_of).with_context(|| format!("规则库缺少记录种类 {RELATION}"))?;
        let mut writing = self.store().begin_many().await?;
        let mut keeper = ClockKeeper::new(rulebook);
        for some in differences.chunks(BATCH) {
            let drafts = some.iter().map(|one| (kind, draft(one, as_of))).collect();
            self.enter_drafts(&mut writing, &mut keeper, drafts, UNSPECIFIED_UNIT, Again::BothKept).await?;
        }
        writing.commit().await?;
        Ok(differences.len())
    }
}

/// The record of a relation that is so since the day, or no longer.
fn draft(related: &Related<'_>, on: Day) -> Draft {
    let text = |text: &str| Value::from(text);
    let mut fields = Payload::from_iter([
        ("relation", text(related.relation)),
        ("found_on", text(&on.to_string())),
        ("found_by", text(FOUND_BY_SYSTEM)),
    ]);
    fields.extend(related.count.map(|count| ("count", Value::Integer(count))));
    Draft {
        line: 0,
        part: 0,
        kind: RELATION.into(),
        keys: EnterpriseKeys { credit_code: Some(related.enterprise), ..EnterpriseKeys::default() },
        occurred_on: on,
        document_number: None,
        version: Some(on),
        withdrawn: related.count.is_none(),
        correction: None,
        payload: fields,
        personal: BTreeMap::new(),
    }
}
