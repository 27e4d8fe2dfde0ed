//! The table of routes, and every route against everybody: who is let in, and that no change is made
//! without the token of the own session.
#![allow(clippy::unwrap_used)]

mod site;

use std::path::{Path, PathBuf};

use axum::http::{Method, StatusCode};
use site::{Who, World};
use xinheng_core::staff::Permission;
use xinheng_web::{Audience, Declaration, events, routes};

#[test]
fn the_table_of_routes() {
    let table: Vec<String> = routes().iter().map(|route| route.declaration.to_string()).collect();
    insta::assert_snapshot!(table.join("\n"));
}

#[test]
fn every_change_and_every_taking_out_is_audited() {
    for Declaration { method, path, event, .. } in routes().into_iter().map(|route| route.declaration) {
        let takes_out = path.ends_with(".xlsx");
        let staff_file = path.starts_with("/admin/staff/");
        assert!(event.is_some() || (method == Method::GET && (!takes_out || staff_file)), "{method} {path}");
    }
}

/// An auditor who asks for an event finds it whichever way it was done, in words.
#[test]
fn every_event_of_the_command_line_has_a_title_or_is_that_of_a_page() {
    let here = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap());
    let crates = here.parent().unwrap();
    let known: Vec<&str> = events().map(|(event, _)| event).collect();
    let mut named = 0;
    for file in ["app", "web", "xinheng"].iter().flat_map(|name| sources(&crates.join(name).join("src"))) {
        let text = std::fs::read_to_string(&file).unwrap();
        for call in ["on_command_line(\"", "by_itself(\""] {
            for event in text.split(call).skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(known.contains(&event) || UNAUDITED.contains(&event), "{event} in {}", file.display());
                named += 1;
            }
        }
    }
    assert!(named > 10, "found only {named}");
}

/// Acts on the command line that only look, and by which nothing leaves the machine that pages keep back.
const UNAUDITED: [&str; 1] = ["draw.show"];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// A path with examples in the place of its parameters.
fn example(path: &str) -> String {
    path.replace("{code}", "91999901MA0000000L")
        .replace("{list}", "abnormal")
        .replace("{id}", "0-0")
        .replace("{number}", "1")
        .replace("{seq}", "1")
        .replace("{run}", "1")
        .replace("{draw}", "2026-001-D1")
        .replace("{place}", "1")
}

fn permits(who: &Who, permission: Permission) -> bool {
    match who {
        Who::Stranger => false,
        _ if permission == Permission::OwnAccount => true,
        Who::Staff(role) => role.permits().contains(&permission),
        Who::OtherHandler => xinheng_core::staff::Role::Handler.permits().contains(&permission),
    }
}

#[tokio::test]
async fn each_route_lets_in_whom_it_declares_and_nobody_else() {
    let world = World::new().await;
    for (who, client) in world.clients().await {
        for route in routes() {
            let Declaration { method, path, audience, .. } = route.declaration;
            // Would end the session that the test goes on with.
            if path == "/sign-out" {
                continue;
            }
            let address = example(path);
            let answer = match method {
                Method::GET => client.get(&address).await,
                _ => client.post(&address, &[]).await,
            };
            let place = format!("{who:?} {method} {path}: {} {}", answer.status, answer.location());
            let turned_away = answer.location().starts_with("/sign-in?") || answer.status == StatusCode::UNAUTHORIZED;
            match audience {
                Audience::Public => assert!(!turned_away && answer.status != StatusCode::FORBIDDEN, "{place}"),
                Audience::Staff(_) if who == Who::Stranger => assert!(turned_away, "{place}"),
                Audience::Staff(permission) if permits(&who, permission) => {
                    assert!(!turned_away && answer.status != StatusCode::FORBIDDEN, "{place}");
                }
                Audience::Staff(_) => assert!(answer.status == StatusCode::FORBIDDEN, "{place}"),
            }
            assert!(!answer.status.is_server_error(), "{place}");
        }
    }
}

#[tokio::test]
async fn no_change_without_the_token_of_the_own_session() {
    let world = World::new().await;
    let clients = world.clients().await;
    let head = world.bureau.audit_head().await.unwrap().seq;
    for (who, client) in &clients {
        let other = clients.values().find(|other| other.csrf != client.csrf).unwrap().csrf.clone();
        for route in routes().into_iter().filter(|route| route.declaration.changes()) {
            let Declaration { path, audience, .. } = route.declaration;
            let allowed = match audience {
                Audience::Public => *who == Who::Stranger,
                Audience::Staff(permission) => permits(who, permission),
            };
            if !allowed {
                continue;
            }
            for fields in [vec![], vec![("csrf", "")], vec![("csrf", other.as_str())]] {
                let answer = client.post_raw(&example(path), &fields).await;
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{who:?} {path} with {fields:?}");
            }
        }
    }
    assert_eq!(world.bureau.audit_head().await.unwrap().seq, head, "nothing was done, so nothing is told");
}

#[tokio::test]
async fn a_form_from_another_site_is_refused_even_with_the_token() {
    let world = World::new().await;
    let client = world.client(&Who::Staff(xinheng_core::staff::Role::Leader)).await;
    let body = format!("csrf={}", client.csrf);
    for header in [Some(("sec-fetch-site", "cross-site")), Some(("origin", "https://elsewhere.example")), None] {
        let mut request = axum::http::Request::post("/sign-out")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("host", "xinheng.local");
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let answer = client.send(request.body(body.clone().into()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{header:?}");
    }
}

#[tokio::test]
async fn the_closed_folders_tell_strangers_nothing() {
    let world = World::new().await;
    let stranger = world.stranger();
    for folder in ["/desk", "/admin", "/self", "/account"] {
        for path in
            [folder.to_owned(), format!("{folder}/"), format!("{folder}/no-such-page"), format!("{folder}/a/b?c=d")]
        {
            let answer = stranger.get(&path).await;
            assert!(answer.location().starts_with("/sign-in?next="), "{path}: {}", answer.status);
        }
    }
    assert_eq!(stranger.get("/no-such-page").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_keep_it_safe() {
    let world = World::new().await;
    let stranger = world.stranger();
    for path in ["/", "/no-such-page", "/sign-in", "/assets/nothing/nothing.js"] {
        let answer = stranger.get(path).await;
        let policy = answer.headers.get("content-security-policy").unwrap().to_str().unwrap().to_owned();
        assert!(policy.contains("object-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.headers.get("x-content-type-options").unwrap(), "nosniff", "{path}");
    }
}
