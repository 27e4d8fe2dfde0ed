//! Who writes when: one at a time, and who waits gets their turn, from another process too; and what one turn does while
//! the database is still at what came before.
#![allow(clippy::unwrap_used)]

mod sample;

use std::collections::HashMap;
use std::time::Duration;

use sample::{World, day, moment, new_submission, registration};
use sea_orm::ConnectionTrait;
use xinheng_core::collect::Identity;
use xinheng_core::ledger::Head;
use xinheng_core::record::Seq;
use xinheng_store::testing::{WRITTEN_TOGETHER, databases};
use xinheng_store::{Body, NewRecord, Scope, SealedDraft, Writing};

/// Longer than any turn of an import.
const LONG_TURN: Duration = Duration::from_secs(7);

#[tokio::test]
async fn another_process_waits_for_a_long_turn_and_then_writes() {
    for database in databases().await {
        // Two stores have nothing in common but the database, as two processes.
        let (importing, site) = (database.open().await, database.open().await);
        let mut turn = importing.begin().await.unwrap();
        turn.put_setting("turn", "first").await.unwrap();
        let waiting = tokio::spawn(async move {
            let mut turn = site.begin().await?;
            turn.put_setting("turn", "second").await?;
            turn.commit().await
        });
        tokio::time::sleep(LONG_TURN).await;
        assert!(!waiting.is_finished(), "{}: two wrote at once", database.name);
        turn.commit().await.unwrap();
        waiting.await.unwrap().unwrap();
        assert_eq!(importing.settings().await.unwrap()["turn"], "second", "{}", database.name);
    }
}

/// Too short a time for a connection to be asked first whether it is still there.
#[tokio::test]
async fn of_connections_cut_just_after_use_a_writer_sees_nothing_and_readers_one_error_each_at_most() {
    let [_, database] = databases().await;
    let store = database.open().await;
    let server = sea_orm::Database::connect(&database.url).await.unwrap();
    let cut = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    for round in ["first", "second"] {
        let turn = store.begin().await.unwrap();
        let (one, two, three, four) = tokio::join!(store.head(), store.head(), store.head(), store.head());
        turn.commit().await.unwrap();
        assert!([one, two, three, four].iter().all(Result::is_ok));
        server.execute_unprepared(cut).await.unwrap();

        let mut turn = store.begin().await.unwrap();
        turn.put_setting("turn", round).await.unwrap();
        turn.commit().await.unwrap();
        let mut errors = 0;
        while store.head().await.is_err() {
            errors += 1;
            assert!(errors <= 4, "as many as there are readers");
        }
        assert_eq!(store.settings().await.unwrap()["turn"], round);
    }
}

/// Registrations of these enterprises, a version later than those of [`registration`].
fn renewed(world: &World, submission: i64, numbers: impl IntoIterator<Item = i64>) -> Vec<SealedDraft> {
    let seal = |number| {
        let mut row = registration(number, number);
        row.version = Some(day("2026-06-01"));
        world.seal(submission, row)
    };
    numbers.into_iter().map(seal).collect()
}

fn new_records(rows: Vec<SealedDraft>) -> Vec<NewRecord> {
    let record = |row: SealedDraft| NewRecord {
        enterprise: row.draft().keys.credit_code,
        body: Body::Draft(row),
        supersedes: None,
        received_at: moment(),
        source_unit: "U01".into(),
    };
    rows.into_iter().map(record).collect()
}

#[tokio::test]
async fn what_was_asked_ahead_is_answered_as_if_it_were_asked_then() {
    let world = World::new();
    for database in databases().await {
        let store = database.open().await;
        world.import(&store, "登记.csv", (1..=400).map(|n| registration(n, n)).collect()).await;
        let submission = store.open_submission(new_submission("登记2.csv")).await.unwrap().number;
        // Of the rows to come some are on record, some come with the batch before, some do both, some neither.
        let next: Vec<_> =
            renewed(&world, submission, (201..=250).chain(351..=900)).iter().map(|row| row.identity).collect();
        for settled in [false, true] {
            let mut writing = store.begin().await.unwrap();
            writing.foresee(&next);
            writing.append(new_records(renewed(&world, submission, 301..=600))).await.unwrap();
            if settled {
                assert_eq!(writing.enterprise_count().await.unwrap(), 600, "{}", database.name);
            }
            let foreseen = writing.standings(&next).await.unwrap();
            assert_eq!(foreseen.len(), 50 + 250, "{}", database.name);
            let newer = foreseen.values().filter(|standing| standing.seq.0 > 400).count();
            assert_eq!(newer, 250, "{}", database.name);
            assert_eq!(foreseen, writing.standings(&next).await.unwrap(), "{}", database.name);
        }
    }
}

#[tokio::test]
async fn of_many_records_of_which_the_database_refuses_one_none_can_be_committed() {
    let world = World::new();
    for database in databases().await {
        let store = database.open().await;
        let submission = store.open_submission(new_submission("登记.csv")).await.unwrap().number;
        let mut rows = renewed(&world, submission, 1..=600);
        // The place of another.
        rows.extend(renewed(&world, submission, [300]));
        let mut writing = store.begin().await.unwrap();
        writing.append(new_records(rows)).await.unwrap();
        assert!(writing.commit().await.is_err(), "{}", database.name);
        assert_eq!(store.head().await.unwrap(), Head::EMPTY, "{}", database.name);
        // Who comes next finds the database as it was.
        let mut writing = store.begin().await.unwrap();
        writing.append(new_records(renewed(&world, submission, 1..=600))).await.unwrap();
        writing.commit().await.unwrap();
        assert_eq!(store.head().await.unwrap().seq, Seq(600), "{}", database.name);
    }
}

/// The projections of so many records are written part by part, among the records that come after them.
#[tokio::test]
async fn what_is_written_part_by_part_is_known_before_and_is_what_a_rebuild_makes() {
    const BATCH: i64 = 1_024;
    // As many as are written together, and some batches during which that happens.
    const ENTERPRISES: i64 = WRITTEN_TOGETHER as i64 + 4 * BATCH;
    let world = World::new();
    for database in databases().await {
        let store = database.open().await;
        let first = store.open_submission(new_submission("登记.csv")).await.unwrap().number;
        let second = store.open_submission(new_submission("登记2.csv")).await.unwrap().number;
        // In no order, as files are.
        let enterprise = |place: i64| place * 7_919 % ENTERPRISES;
        let mut seqs: HashMap<Identity, Seq> = HashMap::new();
        let mut writing = store.begin_many().await.unwrap();
        let mut next = 0;
        let mut append = async |writing: &mut Writing, rows: Vec<SealedDraft>| {
            for row in &rows {
                next += 1;
                seqs.insert(row.identity, Seq(next));
            }
            writing.append(new_records(rows)).await.unwrap();
            seqs.clone()
        };
        for batch in 0..ENTERPRISES / BATCH {
            let rows = (batch * BATCH..(batch + 1) * BATCH).map(enterprise);
            let seal = |number| world.seal(first, registration(number, number));
            append(&mut writing, rows.map(seal).collect()).await;
        }
        // Some of the first and some of the last once more, while the first are half written.
        let again = (0..BATCH).map(|place| enterprise(place * (ENTERPRISES / BATCH)));
        let known = append(&mut writing, renewed(&world, second, again)).await;
        let all: Vec<Identity> = known.keys().copied().collect();
        let standings = writing.standings(&all).await.unwrap();
        let seqs: HashMap<Identity, Seq> = standings.iter().map(|(identity, now)| (*identity, now.seq)).collect();
        assert!(seqs == known, "{}: of {} are known {}", database.name, known.len(), seqs.len());
        writing.commit().await.unwrap();

        // More records than are looked through at a time, and some enterprises in two of them.
        let mut writing = store.begin_many().await.unwrap();
        let head = writing.head().seq;
        let roll = writing.roll(Scope::Touched, 1, head).await.unwrap();
        assert_eq!(roll.total(), ENTERPRISES.unsigned_abs(), "{}", database.name);
        drop(writing);

        let live = store.dump_projections().await.unwrap();
        let mut writing = store.begin_many().await.unwrap();
        writing.clear_projections().await.unwrap();
        let mut from = Seq(1);
        loop {
            let entries = store.records(from, 5_000).await.unwrap();
            let Some(last) = entries.last() else { break };
            from = Seq(last.record.seq.0 + 1);
            writing.project(&entries).await.unwrap();
        }
        writing.commit().await.unwrap();
        assert!(store.dump_projections().await.unwrap() == live, "{}", database.name);
    }
}
