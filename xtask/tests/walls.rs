//! The walls of ARCHITECTURE.md, held by tests: who may depend on what, and what a source may not say.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use serde_json::Value;

/// Arrows point down only: each crate, and the crates of the workspace that it may use.
const LAYERS: &[(&str, &[&str])] = &[
    ("xinheng-core", &[]),
    ("xinheng-store", &["xinheng-core"]),
    ("xinheng-exchange", &["xinheng-core"]),
    ("xinheng-lake", &["xinheng-core"]),
    ("xinheng-app", &["xinheng-core", "xinheng-store", "xinheng-exchange"]),
    ("xinheng-web", &["xinheng-core", "xinheng-app"]),
    ("xinheng", &["xinheng-core", "xinheng-store", "xinheng-exchange", "xinheng-app", "xinheng-web"]),
    ("xtask", &[]),
];

/// Everything the core may use. A crate that reads files, clocks or chance does not belong here.
const CORE_USES: &[&str] = &[
    "chrono",
    "compact_str",
    "hex",
    "hmac",
    "litemap",
    "pinyin",
    "schemars",
    "serde",
    "serde-saphyr",
    "serde_json",
    "sm3",
    "strsim",
    "thiserror",
];

/// Crates behind a wall, and the one crate that may use them.
const WALLED: &[(&str, &[&str])] = &[
    ("xinheng-store", &["sqlx", "sea-orm", "sea-orm-migration", "aes-gcm", "sm4", "getrandom"]),
    ("xinheng-app", &["argon2", "totp-rs"]),
    ("xinheng-web", &["axum", "axum-extra", "axum-server", "askama", "tower-http"]),
    ("xinheng-exchange", &["csv", "calamine", "rust_xlsxwriter", "encoding_rs", "encoding_rs_io"]),
];

/// Words of Rust that reach outside of a pure function.
const OUTSIDE_WORDS: &[&str] = &[
    "fs",
    "net",
    "env",
    "io",
    "process",
    "thread",
    "SystemTime",
    "Instant",
    "now",
    "Local",
    "rand",
    "getrandom",
    "tokio",
    "println",
    "eprintln",
    "print",
    "eprint",
    "unsafe",
];

/// Sources that compute with regulations, and the whole numbers that they may hold.
const COMPUTING: &[&str] = &[
    "score/arithmetic.rs",
    "score/conclusion.rs",
    "score/filter.rs",
    "score/fit.rs",
    "score/mod.rs",
    "score/slot.rs",
    "calendar.rs",
    "history.rs",
    "classify.rs",
];
const NUMBERS: &[(&str, &str)] = &[
    ("0", "nothing, the first"),
    ("1", "one, the next"),
    ("2", "a pair"),
    ("7", "days in a week"),
    ("12", "months in a year"),
    ("1000", "thousandths in a whole"),
    ("1000000", "thousandths of thousandths in a whole"),
];

/// Sources longer than this are two things in one.
const LONGEST: usize = 800;
const LONG_FILES: &[(&str, &str)] =
    &[("crates/xinheng/src/demo/sheets.rs", "the columns of all tables of the demonstration, one after the other")];

#[test]
fn arrows_between_crates_point_down_only() {
    let ours: BTreeMap<_, _> = LAYERS.iter().copied().collect();
    let mut faults = String::new();
    for (package, uses) in packages() {
        let Some(allowed) = ours.get(package.as_str()) else {
            let _ = writeln!(faults, "crate {package} is new: give it a place in LAYERS and in ARCHITECTURE.md");
            continue;
        };
        for used in uses.iter().filter(|used| ours.contains_key(used.as_str())) {
            if !allowed.contains(&used.as_str()) {
                let _ = writeln!(faults, "{package} uses {used}, which is not below it; it may use {allowed:?}");
            }
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

#[test]
fn the_core_uses_a_frozen_list_of_crates() {
    let core = &packages()["xinheng-core"];
    let frozen: BTreeSet<String> = CORE_USES.iter().map(ToString::to_string).collect();
    assert_eq!(
        core, &frozen,
        "crates/core uses (left) other crates than its wall allows (right). The core has no I/O, clock or chance; \
         if a new crate has none either, add it to CORE_USES with the change"
    );
}

#[test]
fn only_the_store_speaks_sql_and_only_exchange_knows_file_formats() {
    let packages = packages();
    let mut faults = String::new();
    for (owner, walled) in WALLED {
        for (package, uses) in &packages {
            for used in uses.iter().filter(|used| package != owner && walled.contains(&used.as_str())) {
                let _ = writeln!(faults, "{package} uses {used}: only {owner} may; call {owner} instead");
            }
        }
        let absent: Vec<_> = walled.iter().filter(|name| !packages[*owner].contains(**name)).collect();
        if !absent.is_empty() {
            let _ = writeln!(faults, "{owner} no longer uses {absent:?}: take them off WALLED");
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

#[test]
fn no_sql_outside_of_the_store() {
    let mut faults = String::new();
    for path in tracked(&["rs"]) {
        let inside = ["crates/store/", "xtask/"].iter().any(|folder| path.starts_with(folder));
        if inside || path.components().any(|part| part.as_os_str() == "tests") {
            continue;
        }
        for (line, text) in strings(product_tokens(&read(&path))) {
            if is_sql(&text) {
                let _ = writeln!(faults, "{}:{line}: SQL belongs in crates/store: {text}", path.display());
            }
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

#[test]
fn the_core_has_no_io_no_clock_and_no_chance() {
    let sources: Vec<_> = tracked(&["rs"]).into_iter().filter(|path| path.starts_with("crates/core/src")).collect();
    assert!(!sources.is_empty(), "the core has moved: mend the path in this test");
    let mut faults = String::new();
    for path in sources {
        for (line, word) in outside_words(product_tokens(&read(&path))) {
            let _ = writeln!(
                faults,
                "{}:{line}: “{word}” reaches outside; the day, the moment and the salts are arguments",
                path.display()
            );
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

#[test]
fn no_number_of_a_regulation_in_the_code_that_computes_with_them() {
    let mut faults = String::new();
    for name in COMPUTING {
        let path = PathBuf::from("crates/core/src").join(name);
        for (line, number) in odd_numbers(product_tokens(&read(&path))) {
            let _ = writeln!(
                faults,
                "{}:{line}: {number}: days, points and ratios live in regulations/ with their article; \
                 a number of nature gets a place in NUMBERS with its meaning",
                path.display()
            );
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

#[test]
fn no_source_is_too_long_and_none_is_unfinished() {
    let unfinished = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:"), concat!("to", "do!(")];
    let mut faults = String::new();
    for path in tracked(&["rs", "py", "toml", "yaml", "yml", "sh", "html", "js", "css"]) {
        let text = read(&path);
        for (number, line) in text.lines().enumerate() {
            if let Some(word) = unfinished.iter().find(|word| line.contains(**word)) {
                let _ = writeln!(faults, "{}:{}: {word}: finish it or file an issue", path.display(), number + 1);
            }
        }
        let source = path.extension().is_some_and(|extension| extension == "rs" || extension == "py");
        let lines = text.lines().count();
        let known = LONG_FILES.iter().any(|(long, _)| Path::new(long) == path);
        if source && lines > LONGEST && !known {
            let _ = writeln!(
                faults,
                "{}: {lines} lines, more than {LONGEST}: split it by noun, or list it in LONG_FILES with the reason",
                path.display()
            );
        }
        if known && lines <= LONGEST {
            let _ = writeln!(faults, "{}: {lines} lines only: take it off LONG_FILES", path.display());
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

/// Clones share a target folder, and whoever runs a program need not be the clone that built it.
#[test]
fn no_program_remembers_the_clone_in_which_it_was_built() {
    let remembers = concat!("env!(\"CARGO_MANIFEST", "_DIR\")");
    let mut faults = String::new();
    for path in tracked(&["rs"]) {
        for (number, _) in read(&path).lines().enumerate().filter(|(_, line)| line.contains(remembers)) {
            let _ = writeln!(faults, "{}:{}: ask std::env when it runs", path.display(), number + 1);
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

#[test]
fn the_walls_see_what_they_forbid() {
    let source = r#"
        use std::{fs, time::SystemTime};
        /// Waits 90 days; SELECT * FROM comments is fine.
        fn product() -> i64 { let _ = chrono::Utc::now(); assert!(x > 1_095_i64); 0 + 12 + 36 }
        const QUERY: &str = "SELECT seq FROM record";
        #[cfg(test)]
        mod tests { fn checked() { std::net::bind(77); } }
    "#;
    let tokens = || product_tokens(source);
    let second = |(_, word)| word;
    let words: Vec<String> = outside_words(tokens()).into_iter().map(second).collect();
    assert_eq!(words, ["fs", "SystemTime", "now"]);
    let numbers: Vec<String> = odd_numbers(tokens()).into_iter().map(second).collect();
    assert_eq!(numbers, ["1095", "36"]);
    let sql: Vec<_> = strings(tokens()).into_iter().filter(|(_, text)| is_sql(text)).collect();
    assert_eq!(sql, [(5, "\"SELECT seq FROM record\"".to_owned())]);
}

/// Clones share a target folder, and the one in which a test was built may be gone.
#[test]
fn the_walls_look_at_the_clone_in_which_they_run() {
    let clone = tempfile::tempdir().unwrap();
    let git = Command::new("git").args(["init", "--quiet"]).current_dir(clone.path()).status().unwrap();
    assert!(git.success());
    std::fs::write(clone.path().join("other.rs"), "\n".repeat(LONGEST + 1)).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "no_source_is_too_long_and_none_is_unfinished"])
        .env("CARGO_MANIFEST_DIR", clone.path().join("xtask"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("other.rs"), "{said}");
}

/// Crates of the workspace and what each uses in the product or its build; tests may use more.
fn packages() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(repository())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let packages = metadata["packages"].as_array().unwrap();
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let uses = |package: &Value| {
        let dependencies = package["dependencies"].as_array().unwrap();
        dependencies.iter().filter(|used| used["kind"] != "dev").map(name).collect()
    };
    packages.iter().map(|package| (name(package), uses(package))).collect()
}

/// Files of the repository with one of the endings, those not yet committed too.
fn tracked(endings: &[&str]) -> Vec<PathBuf> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(repository())
        .output()
        .unwrap();
    assert!(output.status.success(), "git ls-files failed: these tests run in a git clone");
    let list = String::from_utf8(output.stdout).unwrap();
    let paths = list.split_terminator('\0').map(PathBuf::from);
    let wanted = |path: &PathBuf| path.extension().is_some_and(|ending| endings.iter().any(|one| ending == *one));
    paths.filter(wanted).filter(|path| repository().join(path).exists()).collect()
}

/// The folder of the workspace, as cargo says it now: what was built may have been built by another clone.
fn repository() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
    Path::new(&here).parent().unwrap().to_owned()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The tokens of a source without its tests and without comments.
fn product_tokens(source: &str) -> TokenStream {
    let is_test = |attributes: &[syn::Attribute]| {
        let is_test = |one: &syn::Attribute| {
            one.path().is_ident("cfg") && one.meta.to_token_stream().to_string().contains("test")
        };
        attributes.iter().any(is_test)
    };
    let mut file = syn::parse_file(source).expect("rustc has compiled it");
    file.items.retain(|item| !matches!(item, syn::Item::Mod(module) if is_test(&module.attrs)));
    file.into_token_stream()
}

/// Every leaf of the tokens, but for attributes: documentation is one.
fn leaves(tokens: TokenStream) -> Vec<TokenTree> {
    let mut leaves = Vec::new();
    let mut attribute = false;
    for tree in tokens {
        match tree {
            TokenTree::Group(_) if attribute => attribute = false,
            TokenTree::Group(group) => leaves.extend(self::leaves(group.stream())),
            TokenTree::Punct(punct) => attribute = punct.as_char() == '#' || (attribute && punct.as_char() == '!'),
            leaf => {
                attribute = false;
                leaves.push(leaf);
            }
        }
    }
    leaves
}

fn outside_words(tokens: TokenStream) -> Vec<(usize, String)> {
    let word = |leaf: TokenTree| match leaf {
        TokenTree::Ident(word) => Some((word.span().start().line, word.to_string())),
        _ => None,
    };
    let words = leaves(tokens).into_iter().filter_map(word);
    words.filter(|(_, word)| OUTSIDE_WORDS.contains(&word.as_str())).collect()
}

fn odd_numbers(tokens: TokenStream) -> Vec<(usize, String)> {
    let number = |leaf: TokenTree| {
        let line = leaf.span().start().line;
        match syn::parse2::<syn::Lit>(leaf.into()) {
            Ok(syn::Lit::Int(number)) => Some((line, number.base10_digits().to_owned())),
            Ok(syn::Lit::Float(number)) => Some((line, number.base10_digits().to_owned())),
            _ => None,
        }
    };
    let numbers = leaves(tokens).into_iter().filter_map(number);
    numbers.filter(|(_, number)| NUMBERS.iter().all(|(known, _)| known != number)).collect()
}

fn strings(tokens: TokenStream) -> Vec<(usize, String)> {
    let text = |leaf: TokenTree| match leaf {
        TokenTree::Literal(literal) if literal.to_string().contains('"') => {
            Some((literal.span().start().line, literal.to_string()))
        }
        _ => None,
    };
    leaves(tokens).into_iter().filter_map(text).collect()
}

fn is_sql(text: &str) -> bool {
    let pairs = [
        ("SELECT ", " FROM "),
        ("INSERT INTO ", ""),
        ("UPDATE ", " SET "),
        ("DELETE FROM ", ""),
        ("CREATE ", "TABLE "),
    ];
    pairs.iter().any(|(first, second)| text.contains(first) && text.contains(second))
}
