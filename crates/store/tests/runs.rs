//! Whom a run of levels takes up.
#![allow(clippy::unwrap_used)]

mod sample;

use sample::{World, code, day, known, moment, named, penalty, put_run, registration};
use xinheng_core::record::{Record, Seq};
use xinheng_store::testing::databases;
use xinheng_store::{Body, NewRecord, Scope, Statements};

#[tokio::test]
async fn a_run_takes_up_the_enterprises_touched_since_the_run_before() {
    for database in databases().await {
        let world = World::new();
        let store = database.open().await;
        world.import(&store, "登记.csv", (1..=4).map(|n| registration(n, n)).collect()).await;
        let roll = async |scope| -> Vec<_> {
            let mut writing = store.begin().await.unwrap();
            let known_up_to = writing.head().seq;
            let mut roll = writing.roll(scope, 3, known_up_to).await.unwrap();
            let mut codes = Vec::new();
            while let Some(page) = writing.next_page(&mut roll, known_up_to).await.unwrap() {
                codes.extend(page.fetch().await.unwrap().read().unwrap().into_iter().map(|(code, _)| code));
            }
            codes
        };
        assert_eq!(roll(Scope::Touched).await, [1, 2, 3, 4].map(code));

        put_run(&store).await;
        assert!(!store.any_touched().await.unwrap(), "{}", database.name);
        assert_eq!(roll(Scope::Touched).await, []);
        assert_eq!(roll(Scope::All).await, [1, 2, 3, 4].map(code));

        // A penalty, and a registration that is withdrawn: no longer registered, its level has to go.
        world.import(&store, "处罚.csv", vec![penalty(1, known(2), "1号")]).await;
        let mut struck_off = registration(1, 4);
        (struck_off.version, struck_off.withdrawn) = (Some(day("2026-06-01")), true);
        world.import(&store, "注销.csv", vec![struck_off]).await;
        assert!(store.any_touched().await.unwrap(), "{}", database.name);
        assert_eq!(roll(Scope::Touched).await, [2, 4].map(code));
        assert_eq!(roll(Scope::All).await, [1, 2, 3, 4].map(code), "all that are registered, and those touched");

        let mut writing = store.begin().await.unwrap();
        let known_up_to = writing.head().seq;
        let few = writing.few_touched(known_up_to).await.unwrap().unwrap();
        assert_eq!(few.into_iter().map(|(code, _)| code).collect::<Vec<_>>(), [2, 4].map(code));
    }
}

#[tokio::test]
async fn who_waits_for_a_level_is_found_behind_any_number_of_records_that_wait_for_an_enterprise() {
    for database in databases().await {
        let world = World::new();
        let store = database.open().await;
        world.import(&store, "登记.csv", (1..=2).map(|n| registration(n, n)).collect()).await;
        put_run(&store).await;
        let nobody = |n| penalty(n, named(&format!("查无此店{n}")), &format!("查无{n}号"));
        world.import(&store, "处罚.csv", (1..=1_000).map(nobody).collect()).await;
        assert!(!store.any_touched().await.unwrap(), "{}", database.name);
        let few = async |own: &[i64]| {
            let mut writing = store.begin().await.unwrap();
            let known_up_to = writing.head().seq;
            let matching = |n: &i64| NewRecord::matching(Seq(1), code(*n), moment(), "U01".into());
            writing.append(own.iter().map(matching).collect()).await.unwrap();
            let few = writing.few_touched(known_up_to).await.unwrap();
            few.map(|few| few.into_iter().map(|(code, _)| code).collect::<Vec<_>>())
        };
        assert_eq!(few(&[]).await, None, "{}", database.name);
        assert_eq!(few(&[2]).await, Some(vec![code(2)]), "{}", database.name);

        let of_first = |n| penalty(n, known(1), &format!("{n}号"));
        world.import(&store, "处罚2.csv", (1..=199).map(of_first).collect()).await;
        assert!(store.any_touched().await.unwrap(), "{}", database.name);
        assert_eq!(few(&[2]).await, Some([1, 2].map(code).to_vec()), "{}", database.name);
        world.import(&store, "处罚3.csv", vec![of_first(200)]).await;
        assert_eq!(few(&[2]).await, None, "two hundred records are many: {}", database.name);
    }
}

#[tokio::test]
async fn few_are_twenty_enterprises_in_fewer_than_two_hundred_records() {
    for database in databases().await {
        let world = World::new();
        let store = database.open().await;
        world.import(&store, "登记.csv", (1..=21).map(|n| registration(n, n)).collect()).await;
        // Enterprises that have so many penalties in all, and whether they are few; those of one transaction more.
        for (enterprises, penalties, in_ledger, with_one_more) in [
            (19, 19, true, true),
            (20, 20, true, false),
            (21, 21, false, false),
            (1, 199, true, true),
            (1, 200, false, false),
        ] {
            let about = format!("{} {enterprises} {penalties}", database.name);
            put_run(&store).await;
            let rows = (0..penalties).map(|n| penalty(n, known(n % enterprises + 1), &format!("{about} {n}")));
            world.import(&store, "处罚.csv", rows.collect()).await;
            let mut writing = store.begin().await.unwrap();
            let known_up_to = writing.head().seq;
            let few = writing.few_touched(known_up_to).await.unwrap();
            assert_eq!(few.map(|few| few.len()), in_ledger.then(|| enterprises.try_into().unwrap()), "{about}");
            writing.append(vec![NewRecord::matching(Seq(1), code(21), moment(), "U01".into())]).await.unwrap();
            let few = writing.few_touched(known_up_to).await.unwrap();
            assert_eq!(few.is_some(), with_one_more, "{about}");
        }
    }
}

#[tokio::test]
async fn a_transaction_knows_of_the_touched_what_it_appended_itself_as_whoever_reads_after_it() {
    for database in databases().await {
        let world = World::new();
        let store = database.open().await;
        world.import(&store, "登记.csv", (1..=2).map(|n| registration(n, n)).collect()).await;
        world.import(&store, "处罚.csv", vec![penalty(1, known(1), "1号"), penalty(2, named("查无此店"), "2号")]).await;
        let nobodys = store.head().await.unwrap().seq;
        put_run(&store).await;
        let own = |n: i64| NewRecord {
            body: Body::Draft(world.seal(90, penalty(n, known(1), &format!("自{n}号")))),
            enterprise: Some(code(1)),
            supersedes: None,
            received_at: moment(),
            source_unit: "U01".into(),
        };
        let matching = NewRecord::matching(nobodys, code(1), moment(), "U01".into());
        // Of one that says whose an earlier one is, the database is asked.
        for (case, appended) in [
            ("one", vec![own(1)]),
            ("few", (2..=199).map(own).collect()),
            ("two parts", (200..=203).map(own).collect()),
            ("a matching", vec![own(204), matching]),
        ] {
            let about = format!("{} {case}", database.name);
            put_run(&store).await;
            let mut writing = store.begin().await.unwrap();
            let mut parts = appended.into_iter();
            writing.append(parts.by_ref().take(2).collect()).await.unwrap();
            writing.append(parts.collect()).await.unwrap();
            let known_up_to = writing.head().seq;
            let few = writing.few_touched(known_up_to).await.unwrap().unwrap();
            writing.commit().await.unwrap();
            let page = store.histories(None, 1, known_up_to).await.unwrap();
            let said = |records: Vec<Record>| records.into_iter().map(|record| record.statement).collect();
            let histories: Statements =
                page.histories.into_iter().map(|(code, records)| (code, said(records))).collect();
            assert_eq!(few, histories, "{about}");
        }
    }
}
