//! A small world for the tests and the benchmark: two kinds of record, rows of them, and the way in
//! that xinheng-app takes, kept to its bones.
#![allow(clippy::unwrap_used, dead_code)]

use std::collections::BTreeMap;
use std::sync::Arc;

use xinheng_core::classify::LevelLine;
use xinheng_core::collect::{Decision, Standing, decide};
use xinheng_core::credit_code::CreditCode;
use xinheng_core::ledger::{Hash, Head};
use xinheng_core::points::Points;
use xinheng_core::record::{Day, Draft, EnterpriseKeys, GIVEN_NAME, Moment, Payload, Personal, Seq, Value};
use xinheng_core::rulebook::kind::Kind;
use xinheng_store::testing::{FixedSalts, keys};
use xinheng_store::{Body, NewRecord, NewSubmission, SealedDraft, Sealer, Store, Submission, given};

const REGISTRATION: &str = "
rule: { id: registration, title: 登记, from: 2019-01-01, status: default }
nature: state
version: version_on
fields:
  - { name: name, title: 名称, type: text }
  - { name: legal_representative, title: 法定代表人, type: text, personal: true }
  - { name: version_on, title: 更新日期, type: day }
";

const PENALTY: &str = "
rule: { id: penalty, title: 行政处罚, from: 2019-01-01, status: default }
nature: event
identity: [document_number]
document_number: document_number
fields:
  - { name: document_number, title: 文号, type: code }
  - { name: fine, title: 罚款, type: amount }
  - { name: party_id, title: 当事人证件号, type: text, personal: true }
";

/// The kinds of this world.
pub struct World {
    pub registration: Kind,
    pub penalty: Kind,
    pub sealer: Sealer,
}

impl World {
    pub fn new() -> Self {
        Self {
            registration: serde_saphyr::from_str(REGISTRATION).unwrap(),
            penalty: serde_saphyr::from_str(PENALTY).unwrap(),
            sealer: Sealer::new(keys(), Arc::new(FixedSalts)),
        }
    }

    pub fn seal(&self, submission: i64, mut draft: Draft) -> SealedDraft {
        let kind = if draft.kind == "penalty" { &self.penalty } else { &self.registration };
        if let Some(name) = draft.keys.name.take() {
            draft.personal.insert(GIVEN_NAME.to_owned(), Personal::new(name));
        }
        self.sealer.seal(submission, kind, draft).unwrap()
    }

    /// A file of these rows, from opening the submission to finishing it. Returns the decisions.
    pub async fn import(&self, store: &Store, file: &str, drafts: Vec<Draft>) -> Vec<Decision> {
        let submission = store.open_submission(new_submission(file)).await.unwrap();
        let decisions = self.collect(store, submission, drafts).await;
        store.finish_submission(submission.number, &serde_json::json!({"rows": decisions.len()})).await.unwrap();
        decisions
    }

    /// One batch: matched, decided, appended, and the waiting matched to what was registered.
    pub async fn collect(&self, store: &Store, submission: Submission, drafts: Vec<Draft>) -> Vec<Decision> {
        let sealed: Vec<SealedDraft> = drafts.into_iter().map(|draft| self.seal(submission.number, draft)).collect();
        let mut writing = store.begin().await.unwrap();
        let keys: Vec<EnterpriseKeys> = sealed.iter().map(|row| row.draft().keys.clone()).collect();
        let enterprises = writing.match_enterprises(&keys).await.unwrap();
        let identities: Vec<_> = sealed.iter().map(|row| row.identity).collect();
        let mut standings = writing.standings(&identities).await.unwrap();
        let mut next = writing.head().seq.0;
        let (mut records, mut decisions, mut registered) = (Vec::new(), Vec::new(), Vec::new());
        for (mut row, mut enterprise) in sealed.into_iter().zip(enterprises) {
            let kind = if row.draft().kind == "penalty" { &self.penalty } else { &self.registration };
            let decision = decide(kind.nature, row.draft(), row.content, standings.get(&row.identity));
            decisions.push(decision);
            let Decision::Accept { supersedes } = decision else {
                continue;
            };
            next += 1;
            let standing = Standing {
                seq: Seq(next),
                content: row.content,
                version: row.draft().version,
                withdrawn: row.draft().withdrawn,
            };
            standings.insert(row.identity, standing);
            if row.draft().kind == "registration" {
                enterprise = row.draft().keys.credit_code;
                registered.extend(enterprise);
            }
            if enterprise.is_none() {
                put_given_keys(&mut row);
            }
            records.push(NewRecord {
                body: Body::Draft(row),
                enterprise,
                supersedes,
                received_at: submission.received_at,
                source_unit: "U01".into(),
            });
        }
        writing.append(records).await.unwrap();
        let matches = writing.waiting_for(&registered).await.unwrap();
        let matches = matches
            .into_iter()
            .map(|(record, enterprise)| NewRecord::matching(record, enterprise, submission.received_at, "U01".into()));
        writing.append(matches.collect()).await.unwrap();
        writing.commit().await.unwrap();
        decisions
    }

    /// A ledger with something of everything: registrations, their update, a withdrawal, penalties,
    /// rows that wait, and a row that was matched later.
    pub async fn fill(&self, store: &Store) -> Head {
        self.import(store, "登记.csv", (1..=3).map(|n| registration(n, n)).collect()).await;
        let penalties = vec![
            penalty(2, known(1), "新衡罚〔2026〕1号"),
            penalty(3, by_main_identity(7), "新衡罚〔2026〕2号"),
            penalty(4, named("查无此店"), "新衡罚〔2026〕3号"),
            penalty(5, known(2), "新衡罚〔2026〕4号"),
        ];
        self.import(store, "处罚.csv", penalties).await;
        let mut updated = registration(2, 1);
        updated.version = Some(day("2026-06-01"));
        set(&mut updated, "status", "注销");
        let mut withdrawn = registration(3, 3);
        withdrawn.withdrawn = true;
        self.import(store, "登记2.csv", vec![updated, withdrawn, registration(4, 7)]).await;
        store.head().await.unwrap()
    }
}

/// What [`World::fill`] puts in, graded by a run of its own.
pub async fn fill_and_grade(store: &Store) -> Head {
    World::new().fill(store).await;
    put_run(store).await;
    grade(store).await;
    store.head().await.unwrap()
}

/// The record of a run.
pub async fn put_run(store: &Store) {
    let mut writing = store.begin().await.unwrap();
    let run = NewRecord {
        body: Body::System {
            kind: "classification".into(),
            occurred_on: day("2026-07-01"),
            payload: Payload::from_iter([("scope", Value::from("all"))]),
        },
        enterprise: None,
        supersedes: None,
        received_at: moment(),
        source_unit: "U01".into(),
    };
    writing.append(vec![run]).await.unwrap();
    writing.commit().await.unwrap();
}

/// A level of enterprise `n`.
pub fn level(n: i64, scope: &str, level: &str, total_milli: Option<i64>) -> (CreditCode, LevelLine) {
    let line = LevelLine {
        scope: scope.into(),
        level: level.into(),
        total: total_milli.map(Points::from_milli),
        in_force: true,
        model: Some(scope.into()),
    };
    (code(n), line)
}

/// Levels as a run gives them.
pub fn by_enterprise(levels: impl IntoIterator<Item = (CreditCode, LevelLine)>) -> Vec<(CreditCode, Vec<LevelLine>)> {
    let mut given: BTreeMap<CreditCode, Vec<LevelLine>> = BTreeMap::new();
    for (enterprise, line) in levels {
        given.entry(enterprise).or_default().push(line);
    }
    given.into_iter().collect()
}

/// The levels of that run, the newest record.
pub async fn grade(store: &Store) {
    let mut writing = store.begin().await.unwrap();
    let run = writing.head().seq;
    let levels = by_enterprise([
        level(1, "general", "B", Some(21_000)),
        level(1, "received_level", "C", None),
        level(1, "combined", "C", None),
        level(7, "general", "A", Some(0)),
        level(7, "combined", "A", Some(0)),
    ]);
    writing.write_levels(run, day("2026-07-01"), &levels).await.unwrap();
    writing.commit().await.unwrap();
}

/// Everything derived is dropped and derived again.
pub async fn rebuild(store: &Store) {
    let mut writing = store.begin().await.unwrap();
    writing.clear_projections().await.unwrap();
    writing.project(&store.records(Seq(1), 1_000).await.unwrap()).await.unwrap();
    writing.commit().await.unwrap();
    grade(store).await;
}

pub fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// The injected moment.
pub fn moment() -> Moment {
    Moment::from_micros(1_790_000_000_123_456).unwrap()
}

pub fn new_submission(file: &str) -> NewSubmission {
    NewSubmission {
        file_name: file.to_owned(),
        file_digest: Hash::of(&[file.as_bytes()]).0,
        table_id: "table".to_owned(),
        unit: "U01".to_owned(),
        edition: None,
        received_at: moment(),
    }
}

/// A valid code in an unassigned region.
pub fn code(n: i64) -> CreditCode {
    CreditCode::compose("91419900", &format!("MA{n:06}")).unwrap()
}

pub fn known(n: i64) -> EnterpriseKeys {
    EnterpriseKeys { credit_code: Some(code(n)), ..EnterpriseKeys::default() }
}

/// The registry's own key of enterprise `n`.
pub fn by_main_identity(n: i64) -> EnterpriseKeys {
    EnterpriseKeys { main_identity: Some(format!("P{n:08}").into()), ..EnterpriseKeys::default() }
}

pub fn by_registration_number(n: i64) -> EnterpriseKeys {
    EnterpriseKeys { registration_number: Some(format!("4199{n:09}").into()), ..EnterpriseKeys::default() }
}

/// Nothing but a name: personal, as it may be a person's.
pub fn named(name: &str) -> EnterpriseKeys {
    EnterpriseKeys { name: Some(name.into()), ..EnterpriseKeys::default() }
}

pub fn set(draft: &mut Draft, field: &str, value: &str) {
    draft.payload.insert(field.to_owned(), Value::from(value));
}

/// Enterprise `n` as it was registered.
pub fn registration(line: i64, n: i64) -> Draft {
    let mut draft = Draft {
        line,
        part: 0,
        kind: "registration".into(),
        keys: known(n),
        occurred_on: day("2020-03-01"),
        document_number: None,
        version: Some(day("2026-01-01")),
        withdrawn: false,
        correction: None,
        payload: Payload::default(),
        personal: BTreeMap::from([("legal_representative".to_owned(), Personal::new(person(n)))]),
    };
    for (field, value) in [
        ("name", format!("示例商行{n}")),
        ("status", "存续".to_owned()),
        ("type_class", "enterprise".to_owned()),
        ("region", "419900".to_owned()),
        ("town", "城关镇".to_owned()),
        ("established_on", "2020-03-01".to_owned()),
        ("main_identity", format!("P{n:08}")),
        ("registration_number", format!("4199{n:09}")),
    ] {
        set(&mut draft, field, &value);
    }
    draft
}

/// The legal representative of enterprise `n`.
pub fn person(n: i64) -> String {
    format!("赵钱孙{n}")
}

/// The identity number in every penalty of this world: a canary.
pub const CANARY: &str = "419900199001019876";

pub fn penalty(line: i64, keys: EnterpriseKeys, number: &str) -> Draft {
    Draft {
        line,
        part: 0,
        kind: "penalty".into(),
        keys,
        occurred_on: day("2026-02-03"),
        document_number: Some(number.to_owned()),
        version: None,
        withdrawn: false,
        correction: None,
        payload: Payload::from_iter([
            ("document_number".to_owned(), Value::from(number)),
            ("fine".to_owned(), Value::Integer(500_000)),
            ("serious".to_owned(), Value::Flag(true)),
        ]),
        personal: BTreeMap::from([("party_id".to_owned(), Personal::new(CANARY))]),
    }
}

fn put_given_keys(row: &mut SealedDraft) {
    let keys = row.draft().keys.clone();
    for (field, key) in [
        (given::CREDIT_CODE, keys.credit_code.map(|code| code.to_string())),
        (given::MAIN_IDENTITY, keys.main_identity.map(String::from)),
        (given::REGISTRATION_NUMBER, keys.registration_number.map(String::from)),
    ] {
        if let Some(key) = key {
            row.keep_given(field, key);
        }
    }
}
