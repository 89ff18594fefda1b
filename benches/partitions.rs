//! What a window costs that spreads over many partitions: `nozzle run` over as many events in random
//! order. `cargo bench --bench partitions`.
#![expect(clippy::unwrap_used, reason = "a benchmark may panic")]

use std::{fmt::Write, fs, process::Command};

use divan::Bencher;
use fastrand::Rng;
use tempfile::tempdir;

const EVENTS: usize = 60_000;

fn main() {
    divan::main();
}

fn events(partitions: usize) -> String {
    let mut random = Rng::with_seed(1);
    let mut text = String::new();
    for number in 0..EVENTS {
        let kind = random.usize(..partitions);
        let note = "x".repeat(150);
        writeln!(
            text,
            r#"{{"event_uuid":"{number:08x}-5717-4562-b3fc","event_name":"kind{kind}:created","created_at":1712511721.022075,"note":"{note}"}}"#
        )
        .unwrap();
    }
    text
}

/// Up to the last file under its name and on the disk.
#[divan::bench(args = [500, 510, 3_000, 10_000], sample_count = 10)]
fn run(bencher: Bencher<'_, '_>, partitions: usize) {
    let input = tempdir().unwrap();
    let path = input.path().join("in.jsonl");
    fs::write(&path, events(partitions)).unwrap();
    bencher
        .with_inputs(|| tempdir().unwrap())
        .bench_values(|folder| {
            let status = Command::new(env!("CARGO_BIN_EXE_nozzle"))
                .args(["run", "--partition-keys", "event_type", "--summary", "json"])
                .arg(&path)
                .current_dir(&folder)
                .output()
                .unwrap()
                .status;
            assert!(status.success());
            // Removing it takes no part.
            folder
        });
}
