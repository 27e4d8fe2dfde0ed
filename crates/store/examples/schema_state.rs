//! Stores a small database of each state of the schema that has none yet, as rows of text:
//! `cargo run -p xinheng-store --features testing --example schema_state`. Made once, with the version
//! that brings the migration; a stored state is never made again, however the code changes.
#![allow(clippy::unwrap_used)]

#[path = "../tests/sample/mod.rs"]
mod sample;
#[path = "../tests/states/mod.rs"]
mod states;

use sea_orm::Database;
use xinheng_store::Store;
use xinheng_store::testing::{bring_to_state, keys, migrations};

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let url = |name: &str| format!("sqlite:{}?mode=rwc", folder.path().join(name).display());
    let path = format!("sqlite:{}", folder.path().join("full.db").display());
    let store = Store::open(&path, keys()).await.unwrap();
    store.put_rulebook("v1", b"rules").await.unwrap();
    sample::fill_and_grade(&store).await;
    let full = Database::connect(url("full.db")).await.unwrap();
    for (place, migration) in migrations().iter().enumerate() {
        let file = states::file(migration);
        if file.exists() {
            continue;
        }
        let empty = Database::connect(url(migration)).await.unwrap();
        bring_to_state(&empty, u32::try_from(place + 1).unwrap()).await.unwrap();
        std::fs::write(&file, states::dump(&full, &empty).await).unwrap();
        println!("{}", file.display());
    }
}
