//! What merely reading the columns takes, by the stock reader on all threads: the floor that scoring is
//! measured against. `read ENTERPRISES RECORDS [THREADS]`

use std::fs::File;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// As the product, or one would measure the allocators.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ENTERPRISES: [&str; 5] = ["id", "established", "status", "industry", "registered_capital"];
const RECORDS: [&str; 7] = ["enterprise_id", "kind", "occurred", "amount", "severity", "until", "source"];

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let enterprises = arguments.next().context("read ENTERPRISES RECORDS [THREADS]")?;
    let records = arguments.next().context("read ENTERPRISES RECORDS [THREADS]")?;
    let threads = arguments
        .next()
        .map_or_else(|| std::thread::available_parallelism().map_or(1, Into::into), |n| n.parse().unwrap_or(1));
    let rows = read(&enterprises, &ENTERPRISES, threads)? + read(&records, &RECORDS, threads)?;
    println!("{rows} rows");
    Ok(())
}

fn read(path: &str, columns: &[&str], threads: usize) -> Result<usize> {
    let open = || -> Result<_> { Ok(ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?) };
    let groups = open()?.metadata().num_row_groups();
    let next = AtomicUsize::new(0);
    let work = || -> Result<usize> {
        let mut rows = 0;
        loop {
            let group = next.fetch_add(1, Ordering::Relaxed);
            if group >= groups {
                return Ok(rows);
            }
            let builder = open()?;
            let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
            for batch in builder.with_projection(mask).with_row_groups(vec![group]).with_batch_size(8192).build()? {
                rows += batch?.num_rows();
            }
        }
    };
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        handles.into_iter().map(|handle| handle.join().expect("reading does not panic")).sum()
    })
}
