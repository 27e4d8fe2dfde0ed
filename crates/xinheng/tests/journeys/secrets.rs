//! What must stay inside: names and numbers of natural persons, levels. Everything public is read, by the
//! links that a citizen follows, with the demonstration's truth in hand.

use std::collections::{BTreeSet, VecDeque};

use crate::demo_site::DemoSite;
use crate::support::Browser;

/// People whom the demonstration's files name: legal representatives and parties, with their numbers.
const CANARIES: [&str; 24] = [
    "司马金雀",
    "999901190001019014",
    "12099990001",
    "欧阳银雀",
    "999901190001029028",
    "12099990002",
    "上官铜雀",
    "999901190001039031",
    "12099990003",
    "诸葛铁雀",
    "999901190001049045",
    "12099990004",
    "令狐玉雀",
    "999901190001059059",
    "12099990005",
    "皇甫石雀",
    "999901190001069062",
    "12099990006",
    "尉迟竹雀",
    "999901190001079076",
    "12099990007",
    "慕容松雀",
    "99990119000108908X",
    "12099990008",
];

/// Words of levels and of what only the desk shows.
const INSIDE: [&str; 8] =
    ["class=\"tag level", "level-", "风险等级", "信用等级", "综合等级", "投诉举报", "试算", "风险从高到低"];

/// Pages that are read at the most: the first of every kind, and many enterprises.
const MOST: usize = 150;

#[tokio::test]
async fn nothing_public_tells_a_person_or_a_level() {
    let site = DemoSite::demo();
    let browser = Browser::start(&site.address).await.unwrap();
    let first = ["/", "/bulletins", "/bulletins/serious", "/draws", "/items", "/ledger", "/about"].map(str::to_owned);
    let asked =
        ["食品", "有限公司", "sp"].iter().chain(CANARIES.iter().step_by(3)).map(|text| format!("/search?q={text}"));
    let mut to_read: VecDeque<String> = first.into_iter().chain(asked).collect();
    to_read.push_back(format!("/enterprise/{}", site.riskiest));
    let mut seen: BTreeSet<String> = to_read.iter().cloned().collect();
    let mut read = 0;
    while let Some(path) = to_read.pop_front().filter(|_| read < MOST) {
        browser.visit(&path).await.unwrap();
        read += 1;
        let source = browser.source().await.unwrap();
        let page = source.split("<main").nth(1).unwrap_or(&source);
        // What the visitor typed stands in the box again; it tells nothing.
        let typed = path.strip_prefix("/search?q=").unwrap_or("\u{0}");
        let found = CANARIES.iter().chain(&INSIDE).filter(|secret| **secret != typed && page.contains(**secret));
        assert_eq!(found.collect::<Vec<_>>(), Vec::<&&str>::new(), "{path}");
        let links = "return [...document.querySelectorAll('main a[href]')].map((link) => link.getAttribute('href'));";
        let links: Vec<String> = serde_json::from_value(browser.execute(links, vec![]).await.unwrap()).unwrap();
        to_read.extend(links.into_iter().filter(|link| link.starts_with('/') && seen.insert(link.clone())));
    }
    assert!(read > 50, "{read} pages were read");
    let log = std::fs::read_to_string(site.data("log.json")).unwrap();
    assert!(log.contains("request.answered"), "the log tells of requests");
    let told: Vec<_> = CANARIES.iter().filter(|secret| log.contains(**secret)).collect();
    assert!(told.is_empty(), "{told:?} in the log");
}

/// What the auditor alone sees of a draw.
fn truth(site: &DemoSite, draw: &str) -> serde_json::Value {
    let shown = std::process::Command::new(env!("CARGO_BIN_EXE_xinheng"))
        .args(["draw", "show", draw, "--view", "auditor", "--data"])
        .arg(site.folder.path())
        .output()
        .unwrap();
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    serde_json::from_slice(&shown.stdout).unwrap()
}

/// A level stands in the labels of strata, a recusal in the directory, a coming visit behind a blind: with all of it in
/// hand, none is found in what the public reads of the draws.
#[tokio::test]
async fn nothing_public_of_a_draw_tells_a_level_an_inspector_or_a_coming_visit() {
    let site = DemoSite::demo();
    let browser = Browser::start(&site.address).await.unwrap();
    let mut draws = 0;
    for entry in std::fs::read_dir(site.data("certificates")).unwrap() {
        let file = entry.unwrap().path();
        let draw = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let truth = truth(&site, &draw);
        let texts = |list: &str, field: &str| -> Vec<String> {
            let of = |one: &serde_json::Value| one[field].as_str().unwrap().to_owned();
            truth[list].as_array().unwrap().iter().map(of).collect()
        };
        let (codes, labels, salts) =
            (texts("enterprises", "credit_code"), texts("strata", "label"), texts("enterprises", "salt"));
        assert!(!codes.is_empty() && !labels.is_empty());
        let secrets = [truth["draw_key"].as_str().unwrap(), truth["nonce"].as_str().unwrap()];
        let mut pages = vec![("certificate", std::fs::read_to_string(&file).unwrap())];
        for (name, path) in [("page", ""), ("screen", "/screen")] {
            browser.visit(&format!("/draws/{draw}{path}")).await.unwrap();
            pages.push((name, browser.source().await.unwrap()));
        }
        for (name, text) in &pages {
            // Once its visits are over a plan names whom it visited, and the nonce with it.
            let over = *name == "page" && !text.contains("检查期满并全部办结后公布");
            let told = |secret: &&str| text.contains(*secret);
            assert!(!told(&secrets[0]) && labels.iter().all(|label| !told(&label.as_str())), "{draw} {name}");
            assert!(salts.iter().all(|salt| !told(&salt.as_str())), "{draw} {name}");
            assert!(!told(&"演示检查员"), "{draw} {name}");
            if !over {
                assert!(!told(&secrets[1]) && codes.iter().all(|code| !told(&code.as_str())), "{draw} {name}");
            }
        }
        draws += 1;
    }
    assert!(draws > 2, "{draws} draws");
}
