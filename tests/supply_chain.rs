//! What is built is what is written here: locked, from crates.io alone, and the same every time.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, UNIX_EPOCH},
};

const CRATES_IO: &str = r#"source = "registry+https://github.com/rust-lang/crates.io-index""#;
/// Files that tell a machine what to build.
const RECIPES: [&str; 3] = ["Makefile", ".ci/run", "build/build"];
const BUILDING: [&str; 6] = ["build", "run", "test", "bench", "clippy", "install"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

#[test]
fn every_dependency_is_locked_and_from_crates_io() {
    for (lock, of_ours) in [("Cargo.lock", 1), ("fuzz/Cargo.lock", 2)] {
        let text = read(lock);
        let packages: Vec<_> = text.split("[[package]]").skip(1).collect();
        assert!(packages.len() > 50, "{lock}");
        let (fetched, ours): (Vec<&str>, Vec<&str>) = packages
            .iter()
            .partition(|package| package.contains("source = "));
        assert_eq!(ours.len(), of_ours, "{lock}: {ours:?}");
        for package in fetched {
            let is_sound = package.contains(CRATES_IO) && package.contains("checksum = ");
            assert!(is_sound, "{lock}: {package}");
        }
    }
}

#[test]
fn nothing_is_built_but_as_it_is_locked() {
    let mut builds = 0;
    for recipe in RECIPES {
        let text = read(recipe).replace("\\\n", " ");
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split_whitespace();
            let is_cargo =
                |word: &str| ["$(CARGO)", "cargo", "\"${CARGO:-cargo}\""].contains(&word);
            if words.any(is_cargo) && words.any(|word| BUILDING.contains(&word)) {
                assert!(line.contains("--locked"), "{recipe}: {line}");
                builds += 1;
            }
        }
    }
    assert!(builds >= 8, "only {builds} builds were found");
}

/// A script of ours that runs while building could do anything, ask the network too.
#[test]
fn no_script_of_ours_runs_while_building() {
    for manifest in ["Cargo.toml", "fuzz/Cargo.toml"] {
        let text = read(manifest);
        for word in [
            "build-dependencies",
            "\nbuild = ",
            "proc-macro",
            "git = ",
            "[patch",
        ] {
            assert!(!text.contains(word), "{manifest}: {word}");
        }
        let folder = root().join(manifest).parent().unwrap().to_owned();
        assert!(!folder.join("build.rs").exists(), "{manifest}");
    }
}

#[test]
fn the_same_program_is_zipped_to_the_same_bytes() {
    let place = tempfile::tempdir().unwrap();
    let zip = |name: &str, seconds: u64| -> Vec<u8> {
        let program = place.path().join(name);
        fs::write(&program, b"a program").unwrap();
        let time = UNIX_EPOCH + Duration::from_secs(seconds);
        fs::File::options()
            .write(true)
            .open(&program)
            .and_then(|file| file.set_modified(time))
            .unwrap();
        let zip = program.with_extension("zip");
        let script = root().join("build/zip_function.py");
        let zipped = Command::new("python3")
            .arg(script)
            .args([&program, &zip])
            .output()
            .unwrap();
        assert!(zipped.status.success());
        fs::read(zip).unwrap()
    };
    assert_eq!(zip("first", 1_000_000_000), zip("second", 1_700_000_000));
}
