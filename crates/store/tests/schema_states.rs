//! A database of every earlier state of the schema opens with the same ledger.
#![allow(clippy::unwrap_used)]

mod sample;
mod states;

use sea_orm::Database;
use xinheng_store::testing::{bring_to_state, databases, migrations};

#[tokio::test]
async fn a_database_of_every_earlier_state_opens_with_the_same_head_and_the_same_projections() {
    for (place, migration) in migrations().iter().enumerate() {
        let file = states::file(migration);
        let rows = std::fs::read_to_string(&file).unwrap_or_else(|_| {
            panic!("no database of the state {migration}: `cargo run -p xinheng-store --example schema_state` makes it")
        });
        let last = rows.lines().rfind(|line| line.starts_with("record ")).unwrap();
        let last: serde_json::Value = serde_json::from_str(last.strip_prefix("record ").unwrap()).unwrap();
        for database in databases().await {
            let earlier = Database::connect(database.new_url()).await.unwrap();
            bring_to_state(&earlier, u32::try_from(place + 1).unwrap()).await.unwrap();
            states::load(&earlier, &rows).await;
            earlier.close().await.unwrap();

            let about = format!("{} from {migration}", database.name);
            let store = database.open().await;
            let head = store.head().await.unwrap();
            assert_eq!(head.seq.0, last["seq"].as_i64().unwrap(), "{about}");
            assert_eq!(format!("\\x{}", head.hash), last["hash"].as_str().unwrap(), "{about}");
            let verification = store.verify(&[head], |_| ()).await.unwrap();
            assert_eq!(verification.findings, Vec::<String>::new(), "{about}");
            let migrated = store.dump_projections().await.unwrap();
            assert!(migrated.contains("searched "), "{about}");
            sample::rebuild(&store).await;
            assert_eq!(store.dump_projections().await.unwrap(), migrated, "{about}");
            let found = store.search(&xinheng_core::search::Wanted::parse("示例").unwrap(), 0, 10).await.unwrap();
            assert_eq!(found.hits.len(), 3, "{about}: {found:?}");
        }
    }
}
