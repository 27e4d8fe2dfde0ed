//! Who writes when: one at a time, and who waits gets their turn, from another process too.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use xinheng_store::testing::databases;

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
