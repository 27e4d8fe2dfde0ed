//! Thousands of damaged files: each is read or refused in Chinese; none panics or eats memory.
#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use xinheng_core::ledger::Hash;
use xinheng_exchange::{TableFormat, TextEncoding, open};

/// A stream of numbers fixed by its seed.
struct Numbers(Hash);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = Hash::of(&[&self.0.0]);
        let number = u64::from_le_bytes(self.0.0[..8].try_into().unwrap());
        usize::try_from(number % bound as u64).unwrap()
    }
}

fn mutate(whole: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(bytes.len().max(1));
        match numbers.below(5) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, u8::try_from(numbers.below(256)).unwrap()),
            2 if at < bytes.len() => {
                bytes.remove(at);
            }
            3 => {
                let end = bytes.len().min(at + numbers.below(64));
                let piece = bytes[at.min(end)..end].to_vec();
                bytes.splice(at..at, piece);
            }
            _ if at < bytes.len() => bytes[at] ^= 1 << numbers.below(8),
            _ => {}
        }
    }
    bytes
}

/// The unpacked parts are mutated, so that damage gets past the checksums.
fn mutate_parts(whole: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    use std::io::{Read, Write};
    let mut from = zip::ZipArchive::new(std::io::Cursor::new(whole)).unwrap();
    let mut to = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let chosen = numbers.below(from.len());
    for place in 0..from.len() {
        let mut part = from.by_index(place).unwrap();
        let name = part.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        part.read_to_end(&mut bytes).unwrap();
        if place == chosen || name.contains("sheet1") {
            bytes = mutate(&bytes, numbers);
        }
        to.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        to.write_all(&bytes).unwrap();
    }
    to.finish().unwrap().into_inner()
}

#[test]
fn no_mutated_file_panics_or_eats_memory() {
    let csv = |encoding| written(TableFormat::Csv(encoding), &REGISTRATION, &registrations());
    let json = r#"{"uni_social_crd_cd":"91350100M000100Y43","level":"低","month":"2026-10"}"#.to_owned() + "\n";
    let seeds = [
        csv(TextEncoding::Utf8),
        csv(TextEncoding::Utf8WithBom),
        csv(TextEncoding::Gb18030),
        written(TableFormat::Xlsx, &REGISTRATION, &registrations()),
        xls(&REGISTRATION, &registrations()),
        json.repeat(3).into_bytes(),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mutated");
    let mut numbers = Numbers(Hash::of(&[b"mutated files"]));
    let (mut taken, mut refused) = (0, 0);
    let options = edition("2026-10-31");
    for round in 0..2_400 {
        let place = round % (seeds.len() + 1);
        let bytes = match seeds.get(place) {
            Some(seed) => mutate(seed, &mut numbers),
            None => mutate_parts(&seeds[3], &mut numbers),
        };
        std::fs::write(&path, &bytes).unwrap();
        let outcome = open(&path, &forms(), &options).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        match outcome {
            Ok(rows) => {
                taken += 1;
                assert!(rows.len() <= 3 + bytes.len() / 2, "{round}");
            }
            Err(error) => {
                refused += 1;
                let sentence = error.to_string();
                assert!(sentence.contains(['请', '，']), "{round}：{sentence}");
            }
        }
    }
    assert!(taken > 200 && refused > 200, "{taken} taken, {refused} refused: the mutations are lopsided");
    if let Some(peak) = peak_memory() {
        assert!(peak < 500 << 20, "{} MB", peak >> 20);
    }
}

/// The most memory this process has held, where the system says so.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
}
