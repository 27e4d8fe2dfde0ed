//! How fast the writer is: `cargo bench -p xinheng-store [-- ROWS [ROWS_A_TRANSACTION]]`.
//!
//! The ledger table alone (records of the system, which no projection takes), then registrations of
//! new enterprises in no order, then penalties of known ones, with all projections and look-ups.
#![allow(clippy::unwrap_used)]

#[path = "../tests/sample/mod.rs"]
mod sample;

use std::time::{Duration, Instant};

use sample::{World, code, day, known, moment, new_submission, penalty, registration, set};
use xinheng_core::record::{Draft, Payload, Seq, Value};
use xinheng_store::testing::databases;
use xinheng_store::{Body, NewRecord, Store, Writing};

const BATCH: usize = 5_000;

#[derive(Default)]
struct Clock {
    seal: Duration,
    look_up: Duration,
    append: Duration,
    commit: Duration,
    /// What this process computed for all that, whatever else the machine was doing.
    processor: Duration,
}

impl Clock {
    fn report(&self, what: &str, rows: usize) {
        let rate = |time: Duration| rows as f64 / time.as_secs_f64();
        let seconds = |time: Duration| time.as_secs_f64();
        println!(
            "  {what:<20} {:>7.0} rows/s written, {:>7.0} with look-ups; of processor time {:>7.0}   \
             (seal {:.2} s, look-ups {:.2} s, append {:.2} s, commit {:.2} s, processor {:.2} s)",
            rate(self.append + self.commit),
            rate(self.look_up + self.append + self.commit),
            rate(self.processor),
            seconds(self.seal),
            seconds(self.look_up),
            seconds(self.append),
            seconds(self.commit),
            seconds(self.processor),
        );
    }
}

async fn timed<T>(clock: &mut Duration, work: impl Future<Output = T>) -> T {
    let start = Instant::now();
    let result = work.await;
    *clock += start.elapsed();
    result
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|argument| argument.parse().ok());
    let rows: usize = arguments.next().unwrap_or(200_000);
    let transaction: usize = arguments.next().unwrap_or(BATCH);
    for database in databases().await {
        println!("{}: {rows} rows, batches of {BATCH}, transactions of {transaction}", database.name);
        let store = database.open().await;
        let world = World::new();

        let ledger_alone =
            run(&store, rows, transaction, |first, count, _| (first..first + count).map(system_record).collect());
        ledger_alone.await.report("ledger alone", rows);

        let submission = store.open_submission(new_submission("登记")).await.unwrap().number;
        let clock = import(&store, &world, submission, rows, transaction, |n| {
            let mut draft = registration(n as i64, shuffled(n, rows));
            pad(&mut draft);
            draft
        });
        clock.await.report("registrations", rows);

        let submission = store.open_submission(new_submission("处罚")).await.unwrap().number;
        let clock = import(&store, &world, submission, rows, transaction, |n| {
            let mut draft = penalty(n as i64, known(shuffled(n * 7 + 3, rows)), &format!("新衡罚〔2026〕{n}号"));
            pad(&mut draft);
            draft
        });
        clock.await.report("penalties", rows);

        let head = store.head().await.unwrap();
        let start = Instant::now();
        let (mut after, mut read) = (None, 0);
        loop {
            let page = store.histories(after, 1_000, head.seq).await.unwrap();
            read += page.histories.iter().map(|(_, records)| records.len()).sum::<usize>();
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        println!("  histories read               {:>8.0} records/s", read as f64 / start.elapsed().as_secs_f64());
        let start = Instant::now();
        assert!(store.verify(&[head], |_| ()).await.unwrap().holds());
        println!("  verified                     {:>8.0} records/s", head.seq.0 as f64 / start.elapsed().as_secs_f64());
        rebuild(&store, rows).await;
        println!("  peak memory                  {:>8} MiB", peak_memory());
    }
}

/// All rows in batches; `batch` makes the records of one.
async fn run(
    store: &Store,
    rows: usize,
    transaction: usize,
    mut batch: impl FnMut(usize, usize, &mut Duration) -> Vec<NewRecord>,
) -> Clock {
    let mut clock = Clock::default();
    let mut writing: Option<Writing> = None;
    for first in (0..rows).step_by(BATCH) {
        let records = batch(first, BATCH.min(rows - first), &mut clock.seal);
        let processor = processor_time();
        let mut open = match writing.take() {
            Some(writing) => writing,
            None => store.begin_many().await.unwrap(),
        };
        if let Some(NewRecord { body: Body::Draft(_), .. }) = records.first() {
            let drafts = || {
                records.iter().filter_map(|record| match &record.body {
                    Body::Draft(sealed) => Some(sealed),
                    Body::System { .. } => None,
                })
            };
            let keys: Vec<_> = drafts().map(|sealed| sealed.draft().keys.clone()).collect();
            let identities: Vec<_> = drafts().map(|sealed| sealed.identity).collect();
            timed(&mut clock.look_up, async {
                open.match_enterprises(&keys).await.unwrap();
                assert!(open.standings(&identities).await.unwrap().is_empty());
            })
            .await;
        }
        timed(&mut clock.append, open.append(records)).await.unwrap();
        if (first + BATCH).is_multiple_of(transaction) || first + BATCH >= rows {
            timed(&mut clock.commit, open.commit()).await.unwrap();
        } else {
            writing = Some(open);
        }
        clock.processor += processor_time() - processor;
    }
    clock
}

async fn import(
    store: &Store,
    world: &World,
    submission: i64,
    rows: usize,
    transaction: usize,
    draft: impl Fn(usize) -> Draft,
) -> Clock {
    run(store, rows, transaction, |first, count, seal| {
        let drafts: Vec<Draft> = (first..first + count).map(&draft).collect();
        let start = Instant::now();
        let sealed: Vec<_> = drafts.into_iter().map(|draft| world.seal(submission, draft)).collect();
        *seal += start.elapsed();
        let records = sealed.into_iter().map(|sealed| NewRecord {
            enterprise: sealed.draft().keys.credit_code,
            body: Body::Draft(sealed),
            supersedes: None,
            received_at: moment(),
            source_unit: "U01".into(),
        });
        records.collect()
    })
    .await
}

fn system_record(n: usize) -> NewRecord {
    let mut draft = registration(n as i64, 1);
    pad(&mut draft);
    NewRecord {
        body: Body::System { kind: "sample".into(), occurred_on: day("2026-07-01"), payload: draft.payload },
        enterprise: None,
        supersedes: None,
        received_at: moment(),
        source_unit: "U01".into(),
    }
}

/// Fills the payload up to about 500 bytes.
fn pad(draft: &mut Draft) {
    let length = |payload: &Payload| serde_json::to_string(payload).unwrap().len();
    let missing = 500_usize.saturating_sub(length(&draft.payload) + 12);
    set(draft, "scope", &"经营范围".repeat(missing / 12));
    draft.payload.insert("n".to_owned(), Value::Integer(draft.line));
}

/// The numbers below `rows`, each once, in no order (`rows` is not a multiple of the factor).
fn shuffled(n: usize, rows: usize) -> i64 {
    ((n * 387_420_489) % rows) as i64
}

async fn rebuild(store: &Store, rows: usize) {
    let start = Instant::now();
    let mut writing = store.begin_many().await.unwrap();
    writing.clear_projections().await.unwrap();
    let mut from = Seq(1);
    loop {
        let entries = store.records(from, BATCH as u64).await.unwrap();
        let Some(last) = entries.last() else { break };
        from = Seq(last.record.seq.0 + 1);
        writing.project(&entries).await.unwrap();
    }
    writing.commit().await.unwrap();
    println!("  rebuilt                      {:>8.0} records/s", from.0 as f64 / start.elapsed().as_secs_f64());
    assert_eq!(store.enterprise_count().await.unwrap(), rows as u64);
    assert!(store.enterprise(code(1)).await.unwrap().is_some());
}

/// Of this process, so far; Linux counts it in hundredths of a second.
fn processor_time() -> Duration {
    let status = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let (_, after_name) = status.rsplit_once(')').unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok());
    Duration::from_millis(ticks.sum::<u64>() * 10)
}

/// Of this process, so far.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() / 1024
}
