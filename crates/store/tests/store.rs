//! One suite for both databases.
#![allow(clippy::unwrap_used)]

mod sample;

use std::collections::HashSet;
use std::fs;

use sample::{
    CANARY, World, by_main_identity, by_registration_number, code, day, known, moment, named, new_submission, penalty,
    person, registration, set,
};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement, Value as Cell};
use xinheng_core::classify::LevelLine;
use xinheng_core::collect::Decision;
use xinheng_core::credit_code::CreditCode;
use xinheng_core::ledger::{Hash, Head};
use xinheng_core::points::Points;
use xinheng_core::record::{EnterpriseKeys, Payload, Seq, Text};
use xinheng_store::testing::{TestDatabase, databases, keys};
use xinheng_store::{Body, Keys, NewRecord, Store, StoreError};

/// A connection that goes round the store.
async fn intruder(database: &TestDatabase) -> DatabaseConnection {
    Database::connect(&database.url).await.unwrap()
}

async fn disarm(intruder: &DatabaseConnection) {
    let statements: &[&str] = match intruder.get_database_backend() {
        DbBackend::Sqlite => &[
            "DROP TRIGGER record_refuse_update",
            "DROP TRIGGER record_refuse_delete",
            "DROP TRIGGER record_refuse_insert",
            "DROP TRIGGER personal_refuse_update",
        ],
        _ => {
            &["ALTER TABLE record DISABLE TRIGGER refuse_change", "ALTER TABLE personal DISABLE TRIGGER refuse_change"]
        }
    };
    for statement in statements {
        intruder.execute_unprepared(statement).await.unwrap();
    }
}

#[tokio::test]
async fn the_database_itself_refuses_to_change_the_ledger() {
    for database in databases().await {
        let store = database.open().await;
        let head = World::new().fill(&store).await;
        store.put_rulebook("v1", b"rules").await.unwrap();
        let intruder = intruder(&database).await;
        let mut attempts = vec![
            "UPDATE record SET payload = '{}'",
            "UPDATE record SET payload = '{}' WHERE seq = 1",
            "DELETE FROM record",
            "DELETE FROM record WHERE seq = 3",
            "UPDATE personal SET nonce = lookup",
            "UPDATE rulebook SET bundle = bundle",
            "DELETE FROM rulebook",
            "INSERT INTO record SELECT * FROM record WHERE seq = 1 ON CONFLICT (seq) DO UPDATE SET payload = '{}'",
        ];
        match intruder.get_database_backend() {
            DbBackend::Sqlite => attempts.extend([
                "INSERT OR REPLACE INTO record SELECT * FROM record WHERE seq = 1",
                "UPDATE OR REPLACE record SET seq = 2 WHERE seq = 1",
                // A new seq, but the place of an old record: REPLACE would take that one away unseen.
                "INSERT OR REPLACE INTO record SELECT (SELECT max(seq) + 1 FROM record), submission, line, part, \
                 enterprise, kind, occurred_on, version, received_at, source_unit, document_number, supersedes, \
                 withdrawn, payload, commitments, identity, content, mark, hash FROM record WHERE seq = 1",
                // A gap.
                "INSERT INTO record SELECT (SELECT max(seq) + 2 FROM record), 99, line, part, \
                 enterprise, kind, occurred_on, version, received_at, source_unit, document_number, supersedes, \
                 withdrawn, payload, commitments, identity, content, mark, hash FROM record WHERE seq = 1",
                "INSERT OR REPLACE INTO personal SELECT * FROM personal",
                "INSERT OR REPLACE INTO rulebook SELECT * FROM rulebook",
            ]),
            _ => attempts.extend([
                "TRUNCATE record",
                "TRUNCATE record CASCADE",
                "TRUNCATE personal",
                "TRUNCATE rulebook",
            ]),
        }
        for attempt in attempts {
            let refusal = intruder.execute_unprepared(attempt).await;
            let said = refusal.expect_err(attempt).to_string();
            let ours = ["台账只能追加", "个人信息只能", "规则库的历史版本"];
            assert!(ours.iter().any(|sentence| said.contains(sentence)), "{} {attempt}: {said}", database.name);
        }
        let said = intruder.execute_unprepared("DELETE FROM record").await.unwrap_err().to_string();
        assert!(said.contains("台账只能追加"), "{said}");
        assert_eq!(store.head().await.unwrap(), head);
        let verification = store.verify(&[head], |_| ()).await.unwrap();
        assert_eq!(verification.findings, Vec::<String>::new());
    }
}

#[tokio::test]
async fn one_changed_byte_in_any_column_of_any_row_is_found() {
    const LEDGER: [(&str, Type); 19] = [
        ("seq", Type::Number),
        ("submission", Type::Number),
        ("line", Type::Number),
        ("part", Type::Small),
        ("enterprise", Type::Text),
        ("kind", Type::Text),
        ("occurred_on", Type::Text),
        ("version", Type::Text),
        ("received_at", Type::Number),
        ("source_unit", Type::Text),
        ("document_number", Type::Text),
        ("supersedes", Type::Number),
        ("withdrawn", Type::Flag),
        ("payload", Type::Text),
        ("commitments", Type::Text),
        ("identity", Type::Bytes),
        ("content", Type::Bytes),
        ("mark", Type::Bytes),
        ("hash", Type::Bytes),
    ];
    const PERSONAL: [(&str, Type); 5] = [
        ("seq", Type::Number),
        ("field", Type::Text),
        ("nonce", Type::Bytes),
        ("ciphertext", Type::Bytes),
        ("lookup", Type::Bytes),
    ];
    for database in databases().await {
        let store = database.open().await;
        World::new().fill(&store).await;
        let intruder = intruder(&database).await;
        disarm(&intruder).await;
        let clean = store.verify(&[], |_| ()).await.unwrap();
        assert!(clean.holds() && clean.records >= 10, "{clean:?}");
        let (mut changes, mut impossible) = (0, 0);
        for (table, columns) in [("record", &LEDGER[..]), ("personal", &PERSONAL[..])] {
            let rows = statement(&intruder, &format!("SELECT * FROM {table}"), vec![]);
            let rows = intruder.query_all_raw(rows).await.unwrap();
            let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
            assert_eq!(rows[0].column_names(), names, "a new column needs its place in this test");
            for row in &rows {
                let seq: i64 = row.try_get("", "seq").unwrap();
                let field: Option<String> = row.try_get("", "field").ok();
                for (column, of_type) in columns {
                    let kept = of_type.read(row, column);
                    // A row is found again by its key, which may be what was changed.
                    let update = |value: &Cell, changed: Option<&Cell>| {
                        let at = changed.filter(|_| *column == "seq").cloned().unwrap_or(seq.into());
                        let of_field = changed.filter(|_| *column == "field").cloned();
                        let of_field = of_field.unwrap_or(field.clone().into());
                        let within = field.as_ref().map_or("", |_| " AND field = $3");
                        let sql = format!("UPDATE {table} SET {column} = $1 WHERE seq = $2{within}");
                        let values = vec![value.clone(), at, of_field];
                        let bound = if field.is_some() { 3 } else { 2 };
                        statement(&intruder, &sql, values.into_iter().take(bound).collect())
                    };
                    for changed in of_type.changed(&kept) {
                        if intruder.execute_raw(update(&changed, None)).await.is_err() {
                            impossible += 1;
                            continue;
                        }
                        let found = store.verify(&[], |_| ()).await.unwrap();
                        assert!(
                            found.findings.iter().any(|finding| finding.contains(&format!("第{seq}条")))
                                || (*column == "seq" && !found.holds()),
                            "{} {table}.{column} of {seq}: {kept:?} → {changed:?} gave {found:?}",
                            database.name
                        );
                        let restored = intruder.execute_raw(update(&kept, Some(&changed))).await.unwrap();
                        assert_eq!(restored.rows_affected(), 1);
                        changes += 1;
                    }
                }
            }
        }
        assert!(changes > 700, "{}: only {changes} changes were tried", database.name);
        // Absent where something must be, or the place of another record.
        assert!(impossible < changes / 3, "{}: {impossible} changes were refused", database.name);
        assert!(store.verify(&[], |_| ()).await.unwrap().holds(), "every change was taken back");
    }
}

fn statement(connection: &DatabaseConnection, sql: &str, values: Vec<Cell>) -> Statement {
    Statement::from_sql_and_values(connection.get_database_backend(), sql, values)
}

/// Type of a column.
enum Type {
    Number,
    Small,
    Flag,
    Text,
    Bytes,
}

impl Type {
    fn read(&self, row: &sea_orm::QueryResult, column: &str) -> Cell {
        match self {
            Self::Number => row.try_get::<Option<i64>>("", column).unwrap().into(),
            Self::Small => row.try_get::<Option<i16>>("", column).unwrap().into(),
            Self::Flag => row.try_get::<Option<bool>>("", column).unwrap().into(),
            Self::Text => row.try_get::<Option<String>>("", column).unwrap().into(),
            Self::Bytes => row.try_get::<Option<Vec<u8>>>("", column).unwrap().into(),
        }
    }

    /// The same cell with one byte changed, in several places; what is absent appears, and what is
    /// there disappears.
    fn changed(&self, cell: &Cell) -> Vec<Cell> {
        let places = |length: usize| HashSet::from([0, length / 3, length / 2, length.saturating_sub(1)]);
        match (self, cell) {
            (_, Cell::Bool(Some(flag))) => vec![(!flag).into(), Cell::Bool(None)],
            (_, Cell::SmallInt(Some(number))) => vec![(number ^ 1).into(), (number ^ 0x100).into()],
            (_, Cell::BigInt(Some(number))) => vec![(number ^ 1).into(), (number ^ 0x100).into(), Cell::BigInt(None)],
            (_, Cell::String(Some(text))) => {
                let characters: Vec<char> = text.chars().collect();
                let one_other = places(characters.len()).into_iter().map(|place| {
                    let mut changed = characters.clone();
                    changed[place] = if changed[place] == '7' { '8' } else { '7' };
                    changed.into_iter().collect::<String>()
                });
                let spaced = [format!("{text} "), format!(" {text}"), text.to_lowercase()];
                let changed = one_other.chain(spaced).filter(|changed| changed != text);
                changed.map(Cell::from).chain([Cell::String(None)]).collect()
            }
            (_, Cell::Bytes(Some(bytes))) => places(bytes.len())
                .into_iter()
                .map(|place| {
                    let mut changed = bytes.clone();
                    changed[place] ^= 1;
                    changed.into()
                })
                .chain([Cell::Bytes(None)])
                .collect(),
            (Self::Number, _) => vec![1_i64.into()],
            (Self::Text, _) => vec!["2026-01-01".into(), code(1).as_str().into()],
            (Self::Bytes, _) => vec![vec![0_u8; 16].into()],
            (Self::Small | Self::Flag, _) => vec![],
        }
    }
}

#[tokio::test]
async fn a_removed_tail_is_found_against_an_earlier_head() {
    for database in databases().await {
        let store = database.open().await;
        let head = World::new().fill(&store).await;
        let intruder = intruder(&database).await;
        disarm(&intruder).await;
        intruder.execute_unprepared("DELETE FROM personal WHERE seq > 5").await.unwrap();
        intruder.execute_unprepared("DELETE FROM record WHERE seq > 5").await.unwrap();
        assert!(store.verify(&[], |_| ()).await.unwrap().holds(), "by itself the rest is whole");
        let found = store.verify(&[head], |_| ()).await.unwrap();
        assert!(found.findings[0].contains("末尾的记录被删除"), "{found:?}");
    }
}

#[tokio::test]
async fn a_rewritten_tail_is_found_against_an_earlier_head() {
    for (truth, forgery) in databases().await.into_iter().zip(databases().await) {
        let world = World::new();
        let (store, forged) = (truth.open().await, forgery.open().await);
        let receipt = world.fill(&store).await;
        // The same beginning, another end, chained as it should be: by someone who has the keys too.
        world.import(&forged, "登记.csv", (1..=3).map(|n| registration(n, n)).collect()).await;
        let early = forged.head().await.unwrap();
        let penalties = (1..20).map(|n| penalty(n, known(1), &format!("另一号{n}"))).collect();
        world.import(&forged, "处罚.csv", penalties).await;
        assert!(forged.verify(&[early, Head::EMPTY], |_| ()).await.unwrap().holds());
        let found = forged.verify(&[early, receipt], |_| ()).await.unwrap();
        assert_eq!(found.findings.len(), 1);
        assert!(found.findings[0].contains(&format!("第{}条的哈希与凭据不符", receipt.seq)), "{found:?}");
        // The receipt's own ledger holds, also once it has grown.
        world.import(&store, "更多.csv", vec![penalty(1, known(2), "后来号")]).await;
        assert!(store.verify(&[receipt], |_| ()).await.unwrap().holds());
    }
}

#[tokio::test]
async fn a_row_missing_in_the_middle_is_found() {
    for database in databases().await {
        let store = database.open().await;
        World::new().fill(&store).await;
        let intruder = intruder(&database).await;
        disarm(&intruder).await;
        intruder.execute_unprepared("DELETE FROM record WHERE seq = 4").await.unwrap();
        let found = store.verify(&[], |_| ()).await.unwrap();
        assert!(found.findings.iter().any(|finding| finding.contains("第4条至第4条缺失")), "{found:?}");
        assert!(
            found.findings.iter().any(|finding| finding.contains("它是插入的")),
            "its personal value has no owner: {found:?}"
        );
    }
}

#[tokio::test]
async fn personal_values_are_nowhere_in_clear_in_the_database_file() {
    let [database, _] = databases().await;
    let store = database.open().await;
    World::new().fill(&store).await;
    let holds = |needle: &str| {
        fs::read_dir(database.folder().unwrap()).unwrap().any(|file| {
            let bytes = fs::read(file.unwrap().path()).unwrap();
            bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
        })
    };
    assert!(holds("示例商行1"), "what is not personal is there, so the search can find");
    for personal in [CANARY, &person(1), "赵钱孙", &CANARY[6..], "查无此店"] {
        assert!(!holds(personal), "{personal} is in the file");
    }
    let intruder = intruder(&database).await;
    intruder.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
    assert!(holds("示例商行1") && !holds(CANARY) && !holds("赵钱孙"));
}

#[tokio::test]
async fn erasing_a_person_leaves_the_chain_whole() {
    for database in databases().await {
        let store = database.open().await;
        let head = World::new().fill(&store).await;
        assert_eq!(store.verify(&[head], |_| ()).await.unwrap().erased, 0);
        let intruder = intruder(&database).await;
        intruder.execute_unprepared("DELETE FROM personal WHERE seq = 1").await.unwrap();
        let verification = store.verify(&[head], |_| ()).await.unwrap();
        assert!(verification.holds(), "{verification:?}");
        assert_eq!(verification.erased, 1);
    }
}

#[tokio::test]
async fn rebuilt_projections_equal_the_live_ones() {
    for database in databases().await {
        let world = World::new();
        let store = database.open().await;
        let head = world.fill(&store).await;
        let classify = async |writing: &mut xinheng_store::Writing| {
            writing.write_levels(head.seq, day("2026-07-01"), &[level(1, "B"), level(2, "D")]).await.unwrap();
            writing
                .write_levels(Seq(head.seq.0 + 1), day("2026-07-02"), &[level(1, "C"), level(2, "D")])
                .await
                .unwrap();
        };
        let mut writing = store.begin().await.unwrap();
        classify(&mut writing).await;
        writing.commit().await.unwrap();
        let live = store.dump_projections().await.unwrap();
        for table in ["current_record", "enterprise", "waiting", "matched", "past_level", "current_level"] {
            assert!(live.lines().any(|line| line.starts_with(&format!("{table} "))), "{table} is empty: {live}");
        }
        for batch in [1, 3, 1000] {
            let mut writing = store.begin().await.unwrap();
            writing.clear_projections().await.unwrap();
            let mut from = Seq(1);
            loop {
                let entries = store.records(from, batch).await.unwrap();
                let Some(last) = entries.last() else { break };
                from = Seq(last.record.seq.0 + 1);
                writing.project(&entries).await.unwrap();
            }
            classify(&mut writing).await;
            writing.commit().await.unwrap();
            assert_eq!(store.dump_projections().await.unwrap(), live, "{} by {batch}", database.name);
        }
    }
}

#[tokio::test]
async fn both_databases_hold_the_same_bytes() {
    let mut results = Vec::new();
    for database in databases().await {
        let store = database.open().await;
        let head = World::new().fill(&store).await;
        let mut export = Vec::new();
        assert_eq!(store.export(&mut export).await.unwrap(), head);
        results.push((head, String::from_utf8(export).unwrap(), store.dump_projections().await.unwrap()));
    }
    assert_eq!(results[0], results[1]);
    assert!(results[0].0.seq >= Seq(10));
}

#[tokio::test]
async fn an_export_can_be_checked_from_its_lines_alone() {
    let [database, _] = databases().await;
    let store = database.open().await;
    let head = World::new().fill(&store).await;
    let mut export = Vec::new();
    store.export(&mut export).await.unwrap();
    let mut previous = Hash::GENESIS;
    for line in std::str::from_utf8(&export).unwrap().lines() {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        let hash = object["hash"].as_str().unwrap();
        let keys: Vec<&String> = object.as_object().unwrap().keys().collect();
        assert!(keys.is_sorted(), "{keys:?}");
        let bare = line.replacen(&format!("\"hash\":\"{hash}\","), "", 1);
        previous = Hash::of(&[&previous.0, bare.as_bytes()]);
        assert_eq!(previous.to_string(), hash);
    }
    assert_eq!(previous, head.hash);
}

#[tokio::test]
async fn the_same_rows_again_change_nothing() {
    for database in databases().await {
        let world = World::new();
        let store = database.open().await;
        let rows = || vec![registration(1, 1), penalty(2, known(1), "1号"), penalty(3, named("无此店"), "2号")];
        world.import(&store, "一.csv", rows()).await;
        let head = store.head().await.unwrap();
        let decisions = world.import(&store, "二.csv", rows()).await;
        assert_eq!(decisions, vec![Decision::Known; 3]);
        assert_eq!(store.head().await.unwrap(), head);

        let mut other = penalty(2, known(1), "1号");
        other.payload.insert("fine", xinheng_core::record::Value::Integer(1));
        let mut older = registration(1, 1);
        older.version = Some(day("2025-01-01"));
        set(&mut older, "status", "吊销");
        let decisions = world.import(&store, "三.csv", vec![other, older]).await;
        assert!(matches!(decisions[..], [Decision::Conflict { .. }, Decision::Older]), "{decisions:?}");
    }
}

#[tokio::test]
async fn an_import_that_was_broken_off_is_carried_on() {
    for database in databases().await {
        let world = World::new();
        let store = database.open().await;
        let first = store.open_submission(new_submission("登记.csv")).await.unwrap();
        assert_eq!((first.number, first.resumed), (1, false));
        world.collect(&store, first, vec![registration(1, 1), registration(2, 2)]).await;
        // Broken off while a batch was under way.
        let mut writing = store.begin().await.unwrap();
        let record = new_record(world.seal(1, registration(3, 3)), 3);
        writing.append(vec![record]).await.unwrap();
        drop(writing);

        let again = store.open_submission(xinheng_store::NewSubmission {
            received_at: xinheng_core::record::Moment::from_micros(1_999_999_999_000_000).unwrap(),
            ..new_submission("登记.csv")
        });
        let again = again.await.unwrap();
        assert_eq!((again.number, again.resumed, again.received_at), (1, true, moment()));
        let mut writing = store.begin().await.unwrap();
        assert_eq!(writing.head().seq, Seq(2), "the batch that was under way left no trace");
        let present = writing.places_present(1, 1, 100).await.unwrap();
        assert_eq!(present, HashSet::from([(1, 0), (2, 0)]));
        assert_eq!(writing.places_present(1, 2, 2).await.unwrap(), HashSet::from([(2, 0)]));
        drop(writing);
        // The same place cannot enter twice, whoever forgets to look.
        let mut writing = store.begin().await.unwrap();
        writing.append(vec![new_record(world.seal(1, registration(1, 9)), 9)]).await.ok();
        assert!(writing.enterprise_count().await.is_err(), "said by whatever is asked next");
        assert!(matches!(writing.commit().await, Err(StoreError::Broken)), "half a batch cannot be kept");
        assert_eq!(store.head().await.unwrap().seq, Seq(2));

        store.finish_submission(1, &serde_json::json!({"rows": 2})).await.unwrap();
        let next = store.open_submission(new_submission("登记.csv")).await.unwrap();
        assert_eq!((next.number, next.resumed), (2, false), "a finished one is not resumed");
        let other = store.open_submission(new_submission("另一个.csv")).await.unwrap();
        assert_eq!((other.number, other.resumed), (3, false));
        let dated = xinheng_store::NewSubmission { edition: Some(day("2026-05-01")), ..new_submission("登记.csv") };
        assert!(!store.open_submission(dated.clone()).await.unwrap().resumed, "of another edition");
        assert!(store.open_submission(dated).await.unwrap().resumed);
    }
}

fn new_record(sealed: xinheng_store::SealedDraft, enterprise: i64) -> NewRecord {
    NewRecord {
        body: Body::Draft(sealed),
        enterprise: Some(code(enterprise)),
        supersedes: None,
        received_at: moment(),
        source_unit: "U01".into(),
    }
}

#[tokio::test]
async fn keys_identify_an_enterprise_by_precedence_and_only_when_unique() {
    for database in databases().await {
        let world = World::new();
        let store = database.open().await;
        let mut twin = registration(4, 4);
        set(&mut twin, "registration_number", "4199000000003");
        let registered = vec![registration(1, 1), registration(2, 2), registration(3, 3), twin];
        world.import(&store, "登记.csv", registered).await;
        let given = |credit_code, main_identity: Option<&str>, registration_number: Option<&str>| EnterpriseKeys {
            credit_code,
            main_identity: main_identity.map(Text::from),
            registration_number: registration_number.map(Text::from),
            name: Some("示例商行1".into()),
        };
        let cases = [
            (given(Some(code(1)), Some("P00000002"), Some("4199000000002")), Some(code(1))),
            (given(Some(code(99)), Some("P00000002"), None), None),
            (given(None, Some("P00000002"), Some("4199000000001")), Some(code(2))),
            (given(None, Some("P9"), Some("4199000000001")), None),
            (given(None, None, Some("4199000000001")), Some(code(1))),
            (given(None, None, Some("4199000000003")), None),
            (given(None, None, None), None),
            (given(None, Some("P00000002"), None), Some(code(2))),
        ];
        let mut writing = store.begin().await.unwrap();
        let keys: Vec<_> = cases.iter().map(|(keys, _)| keys.clone()).collect();
        let expected: Vec<_> = cases.iter().map(|(_, expected)| *expected).collect();
        assert_eq!(writing.match_enterprises(&keys).await.unwrap(), expected, "{}", database.name);
        assert_eq!(writing.match_enterprises(&[]).await.unwrap(), vec![]);
    }
}

#[tokio::test]
async fn a_waiting_record_joins_its_enterprise_once_that_is_registered() {
    for database in databases().await {
        let world = World::new();
        let store = database.open().await;
        let waiting = vec![
            penalty(1, known(5), "按代码"),
            penalty(2, by_main_identity(5), "按主体"),
            penalty(3, by_registration_number(5), "按注册号"),
            penalty(4, named("示例商行5"), "按名称"),
            penalty(5, by_registration_number(6), "他店"),
        ];
        world.import(&store, "处罚.csv", waiting).await;
        let before = store.head().await.unwrap();
        assert_eq!(store.history(code(5), before.seq).await.unwrap(), vec![]);
        world.import(&store, "登记.csv", vec![registration(1, 5)]).await;
        let after = store.head().await.unwrap();
        assert_eq!(after.seq, Seq(5 + 1 + 3), "one registration and three matchings; a name waits for a person");
        let known = store.history(code(5), after.seq).await.unwrap();
        let seqs: Vec<i64> = known.iter().map(|record| record.seq.0).collect();
        assert_eq!(seqs, vec![1, 2, 3, 6, 7, 8, 9]);
        assert_eq!(known[0].enterprise, None, "the record itself stays as it was received");
        // As it was known before the third matching.
        let then = store.history(code(5), Seq(8)).await.unwrap();
        assert_eq!(then.iter().map(|record| record.seq.0).collect::<Vec<_>>(), vec![1, 2, 6, 7, 8]);
        assert_eq!(store.history(code(5), before.seq).await.unwrap(), vec![]);
        // Two with the same number: neither is told apart.
        let mut first = registration(1, 6);
        let mut second = registration(2, 8);
        set(&mut first, "registration_number", "4199000000006");
        set(&mut second, "registration_number", "4199000000006");
        world.import(&store, "同号.csv", vec![first, second]).await;
        assert_eq!(store.history(code(6), Seq(99)).await.unwrap().len(), 1);
        assert_eq!(store.history(code(8), Seq(99)).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_withdrawn_registration_is_no_longer_registered() {
    for database in databases().await {
        let world = World::new();
        let store = database.open().await;
        world.fill(&store).await;
        assert_eq!(store.enterprise(code(3)).await.unwrap(), None);
        assert_eq!(store.enterprise_count().await.unwrap(), 3);
        let first = store.enterprise(code(1)).await.unwrap().unwrap();
        assert_eq!(first.status.as_deref(), Some("注销"), "the newest registration counts");
        assert_eq!(first.main_identity.as_deref(), Some("P00000001"));
    }
}

#[tokio::test]
async fn pages_of_histories_hold_what_each_history_holds() {
    for database in databases().await {
        let world = World::new();
        let store = database.open().await;
        let mut rows: Vec<_> = (1..=17).map(|n| registration(n, n)).collect();
        rows.extend((18..=60).map(|n| penalty(n, known(n % 17 + 1), &format!("{n}号"))));
        for part in rows.chunks(20) {
            world.import(&store, &format!("{}", part[0].line), part.to_vec()).await;
        }
        let head = store.head().await.unwrap();
        for known_up_to in [head.seq, Seq(10), Seq(0)] {
            let mut all = Vec::new();
            let mut after = None;
            loop {
                let page = store.histories(after, 5, known_up_to).await.unwrap();
                all.extend(page.histories);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            let mut expected = Vec::new();
            for n in 1..=17 {
                let history = store.history(code(n), known_up_to).await.unwrap();
                if !history.is_empty() {
                    expected.push((code(n), history));
                }
            }
            expected.sort_by_key(|(code, _)| *code);
            assert_eq!(all, expected);
            assert_eq!(all.iter().map(|(_, records)| records.len() as i64).sum::<i64>(), known_up_to.0);
        }
    }
}

/// Enterprise `n` with one level, by a model.
fn level(n: i64, level: &str) -> (CreditCode, Vec<LevelLine>) {
    let line = LevelLine {
        scope: "general".into(),
        level: level.into(),
        total: Some(Points::from_milli(12_500)),
        in_force: true,
        model: Some("general@v1".into()),
    };
    (code(n), vec![line])
}

#[tokio::test]
async fn levels_are_written_only_where_they_differ() {
    for database in databases().await {
        let store = database.open().await;
        let run = async |run: i64, levels: &[(CreditCode, Vec<LevelLine>)]| {
            let mut writing = store.begin().await.unwrap();
            let moved = writing.write_levels(Seq(run), day("2026-07-01"), levels).await.unwrap();
            writing.commit().await.unwrap();
            moved.into_iter().map(|change| (change.from, change.to)).collect::<Vec<_>>()
        };
        let text = |level: &str| Some(Text::from(level));
        assert_eq!(run(10, &[level(1, "A"), level(2, "B")]).await, vec![(None, text("A")), (None, text("B"))]);
        assert_eq!(run(11, &[level(1, "A"), level(2, "C")]).await, vec![(text("B"), text("C"))]);
        let mut more_points = level(1, "A");
        more_points.1[0].total = Some(Points::from_milli(13_000));
        let never_graded = (code(3), Vec::new());
        assert_eq!(run(12, &[more_points, level(2, "C"), never_graded]).await, vec![]);
        let no_longer = (code(2), Vec::new());
        assert_eq!(run(13, std::slice::from_ref(&no_longer)).await, vec![(text("C"), None)]);
        assert_eq!(run(14, &[no_longer]).await, vec![]);

        let runs =
            |levels: Vec<xinheng_store::KeptLevel>| levels.into_iter().map(|kept| kept.run.0).collect::<Vec<_>>();
        assert_eq!(runs(store.level_history(code(1)).await.unwrap()), vec![10, 12]);
        assert_eq!(runs(store.level_history(code(2)).await.unwrap()), vec![10, 11, 13]);
        assert_eq!(runs(store.levels_of(code(2)).await.unwrap()), vec![13]);
        assert_eq!(runs(store.levels_of(code(3)).await.unwrap()), Vec::<i64>::new());
        let counts = store.current_levels().await.unwrap();
        assert_eq!(counts.len(), 1);
        assert_eq!((counts[0].level.as_str(), counts[0].enterprises), ("A", 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_at_once_leave_a_dense_and_whole_ledger() {
    for database in databases().await {
        // Two programs, each with several tasks.
        let stores = [std::sync::Arc::new(database.open().await), std::sync::Arc::new(database.open().await)];
        let tasks: Vec<_> = (0..10)
            .map(|task| {
                let store = stores[task % 2].clone();
                tokio::spawn(async move {
                    let world = World::new();
                    for round in 0..5_i64 {
                        let n = i64::try_from(task).unwrap() * 100 + round;
                        let rows = vec![
                            registration(1, n),
                            penalty(2, known(n), "1号"),
                            // The same document, handed in by all at once.
                            penalty(3, named("无此店"), "同一号"),
                        ];
                        world.import(&store, &format!("{n}.csv"), rows).await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let store = &stores[0];
        let verification = store.verify(&[store.head().await.unwrap()], |_| ()).await.unwrap();
        assert!(verification.holds(), "{verification:?}");
        // Per import one registration, one penalty that waited and its matching; the shared document once.
        assert_eq!(verification.records, 50 * 3 + 1, "{}", database.name);
        assert_eq!(store.head().await.unwrap().seq, Seq(151));
        assert_eq!(store.enterprise_count().await.unwrap(), 50);
    }
}

#[tokio::test]
async fn opening_at_once_makes_the_tables_once() {
    for database in databases().await {
        let opened: Vec<_> = (0..6)
            .map(|_| {
                let url = database.url.clone();
                tokio::spawn(async move { Store::open(&url, keys()).await.map(|_| ()) })
            })
            .collect();
        for store in opened {
            store.await.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn another_key_may_read_but_not_write() {
    for database in databases().await {
        let world = World::new();
        let store = database.open().await;
        world.fill(&store).await;
        let folder = tempfile::tempdir().unwrap();
        let other = Keys::load_or_create(&folder.path().join("key")).unwrap();
        let store = Store::open(&database.url, other).await.unwrap();
        assert!(matches!(store.begin().await, Err(StoreError::WrongKey(_))));
        let found = store.verify(&[], |_| ()).await.unwrap();
        assert!(found.findings[0].contains("密钥"), "{found:?}");
        assert!(!store.history(code(1), Seq(99)).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn the_systems_own_records_are_chained_like_any_other() {
    for database in databases().await {
        let store = database.open().await;
        let mut writing = store.begin().await.unwrap();
        let signature = NewRecord {
            body: Body::System {
                kind: "rule_signature".into(),
                occurred_on: day("2026-07-01"),
                payload: Payload::default(),
            },
            enterprise: None,
            supersedes: None,
            received_at: moment(),
            source_unit: "U01".into(),
        };
        let head = writing.append(vec![signature]).await.unwrap();
        writing.commit().await.unwrap();
        assert_eq!(head, store.head().await.unwrap());
        let record = store.records(Seq(1), 10).await.unwrap().remove(0).record;
        assert_eq!(record.id.to_string(), "0.1.0");
        assert!(store.verify(&[head], |_| ()).await.unwrap().holds());
        // The head of its day is all that follows from it.
        let projections = store.dump_projections().await.unwrap();
        let others: Vec<&str> = projections.lines().filter(|line| !line.starts_with("day_head ")).collect();
        assert!(others.is_empty(), "it is no one's and waits for no one: {others:?}");
    }
}

#[tokio::test]
async fn a_version_of_the_rulebook_is_kept_for_good() {
    for database in databases().await {
        let store = database.open().await;
        let bundle = "规则".repeat(1000).into_bytes();
        assert_eq!(store.rulebook("v1").await.unwrap(), None);
        store.put_rulebook("v1", &bundle).await.unwrap();
        store.put_rulebook("v1", &bundle).await.unwrap();
        assert_eq!(store.rulebook("v1").await.unwrap(), Some(bundle));
        assert!(matches!(store.put_rulebook("v1", b"other").await, Err(StoreError::RulebookDiffers(_))));
    }
}

#[tokio::test]
async fn what_cannot_be_opened_is_said_in_a_sentence_without_the_password() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.db");
    fs::write(&text, "姓名,代码\n".repeat(1000)).unwrap();
    for (url, expected) in [
        ("mysql://x".to_owned(), "无法识别"),
        (format!("sqlite:{}/无此文件夹/x.db", folder.path().display()), "打不开数据库"),
        (format!("sqlite:{}", text.display()), "打不开数据库"),
        ("postgres://clerk:secret@127.0.0.1:1/xinheng".to_owned(), "打不开数据库 127.0.0.1/xinheng"),
        ("postgres://clerk:secret@127.0.0.1:port/xinheng".to_owned(), "无法识别"),
    ] {
        let error = Store::open(&url, keys()).await.err().unwrap().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    for database in databases().await {
        drop(database.open().await);
        let intruder = intruder(&database).await;
        let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m99990101_000001_future', 0)";
        intruder.execute_unprepared(newer).await.unwrap();
        let error = Store::open(&database.url, keys()).await.err().unwrap().to_string();
        assert!(error.contains("更新版本"), "{error}");
    }
}
