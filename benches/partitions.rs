//! What a window costs that spreads over many partitions: `nozzle run` over as many events in random
//! order. `cargo bench --bench partitions`.
#![expect(clippy::unwrap_used, reason = "a benchmark may panic")]

use std::{
    fmt::Write,
    fs,
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
};

use divan::Bencher;
use fastrand::Rng;

const EVENTS: usize = 60_000;

fn main() {
    fs::create_dir_all(folder()).unwrap();
    divan::main();
    fs::remove_dir_all(folder()).unwrap();
}

/// Lakes stay until the end: for some seconds after files are deleted, ext4 is slow to make new ones.
fn folder() -> PathBuf {
    std::env::temp_dir().join(format!("nozzle-partitions-{}", std::process::id()))
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
#[divan::bench(args = [500, 510, 3_000, 10_000], sample_count = 7)]
fn run(bencher: Bencher<'_, '_>, partitions: usize) {
    let input = folder().join(format!("{partitions}.jsonl"));
    fs::write(&input, events(partitions)).unwrap();
    let lakes = AtomicUsize::new(0);
    bencher.bench(|| {
        let lake = format!("{partitions}-{}", lakes.fetch_add(1, Ordering::Relaxed));
        let run = Command::new(env!("CARGO_BIN_EXE_nozzle"))
            .args(["run", "--partition-keys", "event_type", "--summary", "json"])
            .arg(&input)
            .args(["--lake", &lake])
            .current_dir(folder())
            .output()
            .unwrap();
        assert!(run.status.success());
    });
}
