//! `xinheng verify` as a citizen runs it: what it says, and its exit code.
#![allow(clippy::unwrap_used)]

mod repository;

use std::process::Command;

/// What the program says, on either stream, and how it ends.
fn verify(arguments: &[&str]) -> (String, i32) {
    let done = Command::new(env!("CARGO_BIN_EXE_xinheng")).arg("verify").args(arguments).output().unwrap();
    let said = [done.stdout, done.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (said, done.status.code().unwrap())
}

#[test]
fn each_file_gets_its_verdict_or_a_sentence_in_chinese_that_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let example = repository::path("docs/draw-examples/sealed.json");
    let text = std::fs::read_to_string(&example).unwrap();
    let sound = example.display().to_string();
    let altered = file("altered.json", text.replace("\"quota\": 1", "\"quota\": 2").as_bytes());
    let other = file("other.json", b"{\"a\": 1}");
    let binary = file("binary.json", &[0x7f, 0xff, 0xfe]);
    let names = file("names.json", b"[]");
    let zeros = "0".repeat(64);
    for (arguments, said, code) in [
        (&[sound.as_str()][..], "核验通过", 0),
        (&[altered.as_str()], "核验不通过", 1),
        (&[sound.as_str(), altered.as_str()], "核验不通过", 1),
        (&["--freeze-hash", zeros.as_str(), sound.as_str()], "核验不通过", 1),
        (&[other.as_str()], "应当没有这个字段", 1),
        (&[binary.as_str()], "不是 UTF-8 文本，请核对是否选错了文件", 2),
        (&["没有这个文件.json"], "路径不存在", 2),
        (&["--names", names.as_str(), sound.as_str()], "不是公布的名单。应为", 2),
        (&["--freeze-hash", "zz", sound.as_str()], "校验值写作 64 位十六进制", 2),
    ] {
        let (found, ended) = verify(arguments);
        assert!(found.contains(said), "{arguments:?}: {found}");
        assert_eq!(ended, code, "{arguments:?}: {found}");
        assert!(!found.contains("os error") && !found.contains("UTF-8 sequence"), "{found}");
    }
}
