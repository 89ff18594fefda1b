//! What the fuzzer has found worth keeping, asked again: the targets of `make fuzz` without the
//! fuzzer.
#![cfg(feature = "tool")]
#![expect(clippy::expect_used, reason = "a test may panic")]

use std::{fs, panic, path::Path};

#[path = "../fuzz/src/targets/mod.rs"]
mod targets;

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz"))
}

/// A target's inputs, each a line, what is not plain text as `\xNN`.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let file = folder().join("corpus").join(target).with_extension("txt");
    let text = fs::read_to_string(&file).expect("a target has a corpus");
    text.lines().map(unescape).collect()
}

fn unescape(line: &str) -> Vec<u8> {
    let mut pieces = line.split("\\x");
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at(2);
        bytes.push(u8::from_str_radix(digits, 16).expect("two digits"));
        bytes.extend_from_slice(rest.as_bytes());
    }
    bytes
}

#[test]
fn what_the_fuzzer_found_keeps_every_promise() {
    for (name, target) in targets::ALL {
        let corpus = corpus(name);
        assert!(corpus.len() > 10, "the corpus of {name} is too small");
        for input in corpus {
            let kept = panic::catch_unwind(|| target(&input));
            assert!(kept.is_ok(), "{name}: {}", input.escape_ascii());
        }
    }
}

#[test]
fn every_target_is_fuzzed() {
    let entries = fs::read_dir(folder().join("fuzz_targets")).expect("the targets");
    let mut fuzzed: Vec<_> = entries
        .map(|entry| entry.expect("a target").path())
        .map(|path| {
            path.file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    fuzzed.sort();
    let named: Vec<_> = targets::ALL.iter().map(|(name, _)| *name).collect();
    assert_eq!(fuzzed, named);
}
