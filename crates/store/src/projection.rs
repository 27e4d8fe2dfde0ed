//! Projections: everything that can be dropped and made again from the ledger. One projector serves
//! both the append and the rebuild, so that they cannot differ.

use std::collections::{BTreeMap, HashMap};

use xinheng_core::collect::{Identity, Standing};
use xinheng_core::credit_code::CreditCode;
use xinheng_core::ledger::Head;
use xinheng_core::record::{Day, EnterpriseKeys, GIVEN_NAME, Payload, Record, Seq, Statement, Text};
use xinheng_core::search::Searchable;

use crate::approval::{self, APPROVAL_STEP};
use crate::bulk::{Batch, Transaction};
use crate::draw::{self, DRAW_STEP, PLAN};
use crate::entity::{current_record, day_head, enterprise, matched, searched, waiting};
use crate::entry::Entry;
use crate::error::Result;
use crate::graded;

/// Kind of record that registers an enterprise.
pub const REGISTRATION: &str = "registration";
/// Kind of the system's record that says whose an earlier record is. Its payload: [`MATCHED_RECORD`].
pub const MATCHING: &str = "matching";
/// Field of a [`MATCHING`] record: the seq of the record it tells the enterprise of.
pub const MATCHED_RECORD: &str = "record";

/// Kind of record that says that enterprises were given their levels, by all records before it.
pub const CLASSIFICATION: &str = "classification";
/// Kind of record by which a person signs a rule: what levels rest on, so that every writer knows of the newest.
pub const SIGNATURE: &str = "rulebook_signature";

/// Names under which a record without an enterprise keeps the keys it was given in its payload, so
/// that a rebuild can wait for the same enterprise.
pub mod given {
    /// 统一社会信用代码
    pub const CREDIT_CODE: &str = "given_credit_code";
    /// 主体身份代码
    pub const MAIN_IDENTITY: &str = "given_main_identity";
    /// 注册号
    pub const REGISTRATION_NUMBER: &str = "given_registration_number";
}

/// Tables that hold projections, all of them.
pub(crate) const TABLES: [&str; 22] = [
    "current_record",
    "enterprise",
    "waiting",
    "matched",
    "past_level",
    "current_level",
    "deadline",
    "deadline_event",
    "late_submission",
    "projection_basis",
    "matter",
    "matter_step",
    "matter_target",
    "searched",
    "graded",
    "level_count",
    "differing",
    "level_change",
    "day_head",
    "plan",
    "draw",
    "visit",
];

/// Columns of `enterprise` that a key is looked up in.
pub(crate) const KEY_COLUMNS: [&str; 3] = ["code", "main_identity", "registration_number"];

/// The key that identifies the enterprise, the first that is present, and its column. A name identifies
/// nobody for certain.
pub(crate) fn identifying(keys: &EnterpriseKeys) -> Option<(&'static str, String)> {
    let [code, main_identity, registration_number] = KEY_COLUMNS;
    let given = keys.credit_code.map(|given| (code, given.to_string()));
    given
        .or_else(|| keys.main_identity.as_ref().map(|given| (main_identity, given.to_string())))
        .or_else(|| keys.registration_number.as_ref().map(|given| (registration_number, given.to_string())))
}

/// The key by which a record without an enterprise waits for one: none when it was given a name only,
/// which is sealed and for a person to match. A record that names nobody (a signature) does not wait.
fn waits_for(record: &Record) -> Option<Option<(&'static str, String)>> {
    let key = identifying(&given_keys(&record.payload));
    (key.is_some() || record.commitments.get(GIVEN_NAME).is_some()).then_some(key)
}

fn given_keys(payload: &Payload) -> EnterpriseKeys {
    let text = |field| payload.text(field).map(Text::from);
    EnterpriseKeys {
        credit_code: payload.text(given::CREDIT_CODE).and_then(|code| CreditCode::parse(code).ok()),
        main_identity: text(given::MAIN_IDENTITY),
        registration_number: text(given::REGISTRATION_NUMBER),
        name: None,
    }
}

/// An enterprise as its registration says; none: struck off.
type Registered = (CreditCode, Option<Box<enterprise::Model>>);

/// What consecutive records make of the projections.
#[derive(Default)]
pub(crate) struct Changes {
    records: usize,
    /// The latest day that has a head, those before these changes among them.
    last_day: Option<Day>,
    current: HashMap<Identity, Standing>,
    /// In the order of the records: the last word on an enterprise counts.
    registered: Vec<Registered>,
    rest: Rest,
}

/// What is not of a registration or the current row of an identity: few of any batch.
#[derive(Default)]
struct Rest {
    waiting: Vec<waiting::Model>,
    matched: Vec<matched::Model>,
    heads: BTreeMap<Day, Head>,
    /// Steps of approvals.
    steps: Vec<Record>,
    /// Plans and steps of draws.
    plans: Vec<Record>,
}

/// Some of the changes, as they are written: in the order of the keys, so that rows that are neighbours in a tree are
/// written together.
#[derive(Default)]
pub(crate) struct Part {
    current: Vec<(Identity, Standing)>,
    registered: Vec<Registered>,
    /// Names to be found by, with the place and the enterprise of their registration. By the place: the index over pairs
    /// takes rows together only as long as their numbers rise.
    named: Vec<(Seq, CreditCode, String)>,
    rest: Rest,
}

impl Changes {
    /// None yet, where the ledger has reached a day.
    pub(crate) fn after(last_day: Option<Day>) -> Self {
        Self { last_day, ..Self::default() }
    }

    /// The latest day that has a head.
    pub(crate) fn last_day(&self) -> Option<Day> {
        self.last_day
    }

    /// How many records they are of.
    pub(crate) fn records(&self) -> usize {
        self.records
    }

    /// Whether they register enterprises, or strike them off.
    pub(crate) fn registers(&self) -> bool {
        !self.registered.is_empty()
    }

    /// Whether they have records that wait for their enterprise, or no longer do.
    pub(crate) fn waits(&self) -> bool {
        self.rest.waits()
    }

    /// The same in so many parts, each of neighbours, and a last one of what rests on what these write; to be written one
    /// after the other.
    pub(crate) fn divided(self, parts: usize) -> Vec<Part> {
        let mut current: Vec<_> = self.current.into_iter().collect();
        current.sort_unstable_by_key(|(identity, _)| *identity);
        let mut registered = self.registered;
        // Stable: of the same enterprise the last stays last.
        registered.sort_by_key(|(code, _)| *code);
        registered.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                std::mem::swap(later, earlier);
            }
            same
        });
        let name_of = |(code, row): &Registered| {
            let row = row.as_ref()?;
            Some((Seq(row.seq), *code, row.name.clone()?))
        };
        let mut named: Vec<_> = registered.iter().filter_map(name_of).collect();
        named.sort_unstable_by_key(|(seq, ..)| *seq);
        let (mut current, mut registered) = (neighbours(current, parts), neighbours(registered, parts));
        let mut named = neighbours(named, parts);
        let mut divided: Vec<Part> = (0..parts)
            .map(|_| Part {
                current: current.next().unwrap_or_default(),
                registered: registered.next().unwrap_or_default(),
                named: named.next().unwrap_or_default(),
                rest: Rest::default(),
            })
            .collect();
        divided.push(Part { rest: self.rest, ..Part::default() });
        divided
    }

    /// The current row of an identity, if they change it.
    pub(crate) fn standing(&self, identity: Identity) -> Option<Standing> {
        self.current.get(&identity).copied()
    }

    /// Carries the next record of the ledger into the projections.
    pub(crate) fn take(&mut self, entry: &Entry) {
        self.records += 1;
        let record = &entry.record;
        // A resumed submission keeps the day on which it began; the ledger's days never go back.
        let received = record.received_at.day_in_china();
        let day = self.last_day.map_or(received, |last| received.max(last));
        self.last_day = Some(day);
        let rest = &mut self.rest;
        rest.heads.insert(day, Head { seq: record.seq, hash: entry.hash });
        match record.kind.as_str() {
            APPROVAL_STEP => rest.steps.push(record.clone()),
            PLAN | DRAW_STEP => rest.plans.push(record.clone()),
            _ => {}
        }
        if let Some((identity, content)) = entry.digests {
            let Statement { seq, version, withdrawn, .. } = record.statement;
            self.current.insert(identity, Standing { seq, content, version, withdrawn });
        }
        if let Some(code) = record.enterprise {
            if record.kind == REGISTRATION {
                let row = (!record.withdrawn).then(|| Box::new(registered(code, record)));
                self.registered.push((code, row));
            }
            if record.kind == MATCHING
                && let Some(matched) = record.payload.integer(MATCHED_RECORD)
            {
                rest.matched.push(matched::Model { record: matched, enterprise: code.to_string(), seq: record.seq.0 });
            }
        } else if let Some(waits_for) = waits_for(record) {
            let (key_column, given) = waits_for.unzip();
            rest.waiting.push(waiting::Model { seq: record.seq.0, key_column: key_column.map(str::to_owned), given });
        }
    }
}

impl Part {
    /// As [`Changes::registers`].
    pub(crate) fn registers(&self) -> bool {
        !self.registered.is_empty()
    }

    /// As [`Changes::waits`].
    pub(crate) fn waits(&self) -> bool {
        self.rest.waits()
    }

    /// Whether it goes as far as this identity.
    pub(crate) fn reaches(&self, identity: Identity) -> bool {
        self.current.last().is_some_and(|(last, _)| identity <= *last)
    }

    /// The current row of an identity, if it changes it.
    pub(crate) fn standing(&self, identity: Identity) -> Option<Standing> {
        let place = self.current.binary_search_by_key(&identity, |(identity, _)| *identity);
        place.ok().map(|place| self.current[place].1)
    }

    /// Writes it. What can be made ready is, before the database is asked for anything.
    pub(crate) async fn write(self, transaction: &mut Transaction) -> Result<()> {
        let Rest { waiting, matched, heads, steps, plans } = self.rest;
        let head_of = |(day, Head { seq, hash }): (Day, _)| day_head::Model {
            day: day.to_string(),
            seq: seq.0,
            hash: hash.0.to_vec(),
        };
        let heads = heads.into_iter().map(head_of).collect::<Vec<_>>();
        let current = self
            .current
            .into_iter()
            .map(|(identity, standing)| current_record::Model { identity: identity.0.to_vec(), seq: standing.seq.0 });
        let current = Batch::of(current.collect());
        let searched = self.named.into_iter().map(|(seq, code, name)| {
            let Searchable { name, pairs } = Searchable::new(&name);
            searched::Model { seq: seq.0, code: code.to_string(), name, pairs }
        });
        let searched = Batch::of(searched.collect());
        transaction.replace(heads).await?;
        let known = Known::of(transaction, &self.registered).await?;
        transaction.replace_batch(current).await?;
        known.write(transaction, self.registered).await?;
        transaction.insert_batch(searched).await?;
        let no_longer_waiting: Vec<String> = matched.iter().map(|row| row.record.to_string()).collect();
        transaction.insert(waiting).await?;
        transaction.insert(matched).await?;
        transaction
            .execute(
                "DELETE FROM waiting WHERE seq IN (SELECT CAST(value AS BIGINT) FROM {keys} AS k)",
                &[],
                &no_longer_waiting,
            )
            .await?;
        approval::project(transaction, &steps).await?;
        draw::project(transaction, &plans).await
    }
}

impl Rest {
    fn waits(&self) -> bool {
        !self.waiting.is_empty() || !self.matched.is_empty()
    }
}

/// So many parts of rows, each of neighbours.
fn neighbours<T>(rows: Vec<T>, parts: usize) -> impl Iterator<Item = Vec<T>> {
    let each = rows.len().div_ceil(parts);
    let mut rest = rows.into_iter();
    std::iter::repeat_with(move || rest.by_ref().take(each).collect())
}

/// What was on record of enterprises that are registered or struck off. Most are new: neither found nor listed so far.
struct Known {
    /// Those registered, and the places of the registrations by which they are found.
    found_as: HashMap<String, i64>,
    with_levels: Vec<String>,
}

impl Known {
    async fn of(transaction: &mut Transaction, enterprises: &[Registered]) -> Result<Self> {
        let touched: Vec<String> = enterprises.iter().map(|(code, _)| code.to_string()).collect();
        let has_levels = "EXISTS (SELECT 1 FROM current_level AS c WHERE c.enterprise = k.value)";
        let rows: Vec<(String, Option<i64>, bool)> = transaction
            .look_up(
                &format!(
                    "SELECT k.value, e.seq, {has_levels} FROM {{keys}} AS k LEFT JOIN enterprise AS e ON e.code = k.value \
                     WHERE e.code IS NOT NULL OR {has_levels}"
                ),
                &[],
                &touched,
            )
            .await?;
        let with_levels = rows.iter().filter(|(.., has_levels)| *has_levels).map(|(code, ..)| code.clone()).collect();
        let found_as = rows.into_iter().filter_map(|(code, found_as, _)| Some((code, found_as?))).collect();
        Ok(Self { found_as, with_levels })
    }

    /// They are no longer found as before, and are listed as they are now.
    async fn write(self, transaction: &mut Transaction, enterprises: Vec<Registered>) -> Result<()> {
        let struck_off: Vec<String> =
            enterprises.iter().filter(|(_, row)| row.is_none()).map(|(code, _)| code.to_string()).collect();
        let registered = enterprises.into_iter().filter_map(|(_, row)| Some(*row?));
        let (renewed, new): (Vec<_>, Vec<_>) =
            registered.partition(|row: &enterprise::Model| self.found_as.contains_key(&row.code));
        let (known, found_as): (Vec<String>, Vec<String>) =
            self.found_as.into_iter().map(|(code, seq)| (code, seq.to_string())).unzip();
        graded::take_out(transaction, &known).await?;
        transaction
            .execute(
                "DELETE FROM searched WHERE seq IN (SELECT CAST(value AS BIGINT) FROM {keys} AS k)",
                &[],
                &found_as,
            )
            .await?;
        transaction.replace(renewed).await?;
        transaction.insert(new).await?;
        transaction.execute("DELETE FROM enterprise WHERE code IN {keys}", &[], &struck_off).await?;
        graded::put_back(transaction, &self.with_levels).await
    }
}

fn registered(code: CreditCode, record: &Record) -> enterprise::Model {
    let text = |field| record.payload.text(field).map(str::to_owned);
    enterprise::Model {
        code: code.to_string(),
        name: text("name"),
        status: text("status"),
        type_class: text("type_class"),
        region: text("region"),
        town: text("town"),
        established_on: text("established_on"),
        main_identity: text("main_identity"),
        registration_number: text("registration_number"),
        seq: record.seq.0,
    }
}
