//! The audit log: nobody changes it, and who does is found.
#![allow(clippy::unwrap_used)]

use xinheng_core::audit::{AuditLine, Outcome};
use xinheng_core::ledger::{Hash, Head};
use xinheng_core::record::{Moment, Payload, Seq, Value};
use xinheng_store::testing::databases;
use xinheng_store::{AuditFilter, Store, StoreError};

fn line(number: i64) -> AuditLine {
    AuditLine {
        at: Moment::from_micros(1_795_482_000_000_000 + number).unwrap(),
        staff: Some(number),
        account: format!("officer{number}"),
        roles: "handler,reviewer".to_owned(),
        unit: "5101".to_owned(),
        source: "10.0.0.7".to_owned(),
        event: "collection.hand_in".to_owned(),
        object: format!("submission/{number}"),
        outcome: if number % 2 == 0 { Outcome::Done } else { Outcome::Refused },
        detail: Payload::from_iter([("file", Value::from("处罚.csv"))]),
        request: format!("request-{number}"),
        form: None,
    }
}

async fn filled(store: &Store, lines: i64) {
    filled_from(store, 1, lines).await;
}

async fn filled_from(store: &Store, first: i64, last: i64) {
    for number in first..=last {
        let mut writing = store.begin().await.unwrap();
        assert_eq!(writing.audit(line(number)).await.unwrap(), Seq(number));
        writing.commit().await.unwrap();
    }
}

#[tokio::test]
async fn lines_come_back_as_written_the_newest_first_page_by_page() {
    for database in databases().await {
        let store = database.open().await;
        filled(&store, 7).await;
        let all = AuditFilter::default();
        let page = store.audit(&all, None, 3).await.unwrap();
        assert_eq!(page.iter().map(|entry| entry.seq.0).collect::<Vec<_>>(), [7, 6, 5], "{}", database.name);
        assert_eq!(page[0].line, line(7));
        let next = store.audit(&all, Some(Seq(5)), 10).await.unwrap();
        assert_eq!(next.iter().map(|entry| entry.seq.0).collect::<Vec<_>>(), [4, 3, 2, 1]);
        let refused = AuditFilter {
            outcome: Some(Outcome::Refused),
            from: Some(line(3).at),
            until: Some(line(7).at),
            ..AuditFilter::default()
        };
        let found = store.audit(&refused, None, 10).await.unwrap();
        assert_eq!(found.iter().map(|entry| entry.seq.0).collect::<Vec<_>>(), [5, 3]);
        let one = AuditFilter { account: Some("officer4".to_owned()), ..AuditFilter::default() };
        assert_eq!(store.audit(&one, None, 10).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn the_database_refuses_to_change_delete_or_replace_a_line() {
    for database in databases().await {
        let store = database.open().await;
        filled(&store, 3).await;
        let before = store.audit(&AuditFilter::default(), None, 10).await.unwrap();
        let mut attacks = vec![
            "UPDATE audit SET account = 'nobody' WHERE seq = 2",
            "DELETE FROM audit",
            "DELETE FROM audit WHERE seq = 3",
        ];
        attacks.push(if database.name == "SQLite" {
            "INSERT OR REPLACE INTO audit SELECT 2, at, staff, 'nobody', roles, unit, source, event, object, outcome, \
             detail, request, hash, mark FROM audit WHERE seq = 2"
        } else {
            "TRUNCATE audit"
        });
        for attack in attacks {
            let refusal = store.tamper(attack).await.unwrap_err().to_string();
            assert!(refusal.contains("审计日志只能追加"), "{}: {attack}: {refusal}", database.name);
        }
        assert_eq!(store.audit(&AuditFilter::default(), None, 10).await.unwrap(), before);
    }
}

/// Every column of every line, one changed at a time.
#[tokio::test]
async fn a_change_of_any_column_of_any_line_is_found_and_says_which_line() {
    let bytes = |name: &str, database: &str| match (name, database) {
        ("hash" | "mark", "SQLite") => "x'00'".to_owned(),
        ("hash" | "mark", _) => "'\\x00'::bytea".to_owned(),
        ("at" | "staff", _) => format!("{name} + 1"),
        ("detail", _) => "'{}'".to_owned(),
        ("outcome", _) => "CASE outcome WHEN 'done' THEN 'refused' ELSE 'done' END".to_owned(),
        _ => format!("{name} || 'x'"),
    };
    let columns = [
        "at", "staff", "account", "roles", "unit", "source", "event", "object", "outcome", "detail", "request", "hash",
        "mark",
    ];
    for database in databases().await {
        let store = database.open().await;
        filled(&store, 4).await;
        let sound = store.verify_audit(&[], |_| ()).await.unwrap();
        assert!(sound.holds() && sound.records == 4, "{sound:?}");
        store.unguard_audit().await.unwrap();
        store.tamper("CREATE TABLE kept AS SELECT * FROM audit").await.unwrap();
        for seq in 1..=4 {
            for column in columns {
                let change = format!("UPDATE audit SET {column} = {} WHERE seq = {seq}", bytes(column, database.name));
                store.tamper(&change).await.unwrap();
                let found = store.verify_audit(&[], |_| ()).await.unwrap();
                assert!(
                    found.findings.iter().any(|finding| finding.contains(&format!("第{seq}条"))),
                    "{}: {change}: {found:?}",
                    database.name
                );
                store.tamper("DELETE FROM audit").await.unwrap();
                store.tamper("INSERT INTO audit SELECT * FROM kept").await.unwrap();
            }
        }
        assert!(store.verify_audit(&[], |_| ()).await.unwrap().holds());
    }
}

#[tokio::test]
async fn what_is_handed_out_in_two_parts_is_what_is_handed_out_at_once() {
    for database in databases().await {
        let store = database.open().await;
        filled(&store, 3).await;
        let (mut whole, mut first, mut rest) = (Vec::new(), Vec::new(), Vec::new());
        let middle = store.export_audit(Head::EMPTY, &mut first).await.unwrap();
        assert_eq!(middle, store.audit_head().await.unwrap());
        filled_from(&store, 4, 5).await;
        let head = store.export_audit(middle, &mut rest).await.unwrap();
        assert_eq!(store.export_audit(Head::EMPTY, &mut whole).await.unwrap(), head);
        assert_eq!([first, rest].concat(), whole, "{}", database.name);
        assert_eq!(String::from_utf8(whole).unwrap().lines().count(), 5);
        let mut nothing = Vec::new();
        assert_eq!(store.export_audit(head, &mut nothing).await.unwrap(), head);
        assert!(nothing.is_empty());
    }
}

#[tokio::test]
async fn a_line_taken_out_and_a_tail_cut_off_are_found() {
    for database in databases().await {
        let store = database.open().await;
        filled(&store, 5).await;
        let head = store.audit_head().await.unwrap();
        assert!(store.verify_audit(&[head, Head::EMPTY], |_| ()).await.unwrap().holds());
        let other = Head { hash: Hash::GENESIS, ..head };
        assert!(!store.verify_audit(&[other], |_| ()).await.unwrap().holds());
        store.unguard_audit().await.unwrap();
        store.tamper("DELETE FROM audit WHERE seq = 5").await.unwrap();
        assert!(store.verify_audit(&[], |_| ()).await.unwrap().holds(), "the rest is a chain");
        let found = store.verify_audit(&[head], |_| ()).await.unwrap();
        assert!(found.findings[0].contains("末尾的日志被删除"), "{found:?}");
        store.tamper("DELETE FROM audit WHERE seq = 2").await.unwrap();
        assert!(!store.verify_audit(&[], |_| ()).await.unwrap().holds());
    }
}

#[tokio::test]
async fn a_transaction_whose_audit_line_failed_cannot_be_committed() {
    for database in databases().await {
        let store = database.open().await;
        store.break_audit().await.unwrap();
        let mut writing = store.begin().await.unwrap();
        writing.put_setting("bureau", "某局").await.unwrap();
        // It waits for the next statement, which says so.
        writing.audit(line(1)).await.unwrap();
        assert!(writing.enterprise_count().await.is_err(), "{}", database.name);
        assert!(matches!(writing.commit().await, Err(StoreError::Broken)), "{}", database.name);
        assert!(store.settings().await.unwrap().is_empty(), "{}", database.name);
    }
}

#[tokio::test]
async fn a_form_is_carried_out_once_and_a_refused_one_may_come_again() {
    for database in databases().await {
        let store = database.open().await;
        let by_form = |outcome| AuditLine { outcome, form: Some("form".to_owned()), ..line(2) };
        let refused = async || {
            let mut writing = store.begin().await.unwrap();
            writing.audit(by_form(Outcome::Refused)).await.unwrap();
            writing.commit().await.unwrap();
        };
        refused().await;
        refused().await;
        let mut writing = store.begin().await.unwrap();
        // One act may need several lines.
        writing.audit(by_form(Outcome::Done)).await.unwrap();
        writing.audit(by_form(Outcome::Done)).await.unwrap();
        writing.commit().await.unwrap();
        let mut writing = store.begin().await.unwrap();
        let again = writing.audit(by_form(Outcome::Done)).await;
        assert!(matches!(again, Err(StoreError::CarriedOut)), "{}: {again:?}", database.name);
        assert!(writing.commit().await.is_err());
        let mut writing = store.begin().await.unwrap();
        writing.forget_before(line(2).at, line(2).at.minutes_later(1)).await.unwrap();
        writing.audit(by_form(Outcome::Done)).await.unwrap();
    }
}
