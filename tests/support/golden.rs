//! Golden pairs: `fixtures/<function>/<situation>.in.json`, and what comes of it. `UPDATE=1` rewrites
//! what is expected.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Every situation of a function has its outcome; there are so many at least.
pub(crate) async fn check(function: &str, at_least: usize, outcome: impl AsyncFn(&Path) -> String) {
    #[expect(clippy::disallowed_methods, reason = "a person asks for the rewrite")]
    let update = std::env::var_os("UPDATE").is_some();
    let situations = situations(function);
    let found = situations.len();
    assert!(found >= at_least, "only {found} are found");
    for input in situations {
        let output = PathBuf::from(input.to_string_lossy().replace(".in.json", ".out.json"));
        let outcome = outcome(&input).await;
        if update {
            fs::write(&output, &outcome).unwrap();
        }
        let expected = fs::read_to_string(&output)
            .unwrap_or_else(|_| panic!("{} is missing", output.display()));
        assert_eq!(outcome, expected, "{}", input.display());
    }
}

fn situations(function: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(function);
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut inputs: Vec<_> = paths
        .filter(|path| path.to_string_lossy().ends_with(".in.json"))
        .collect();
    inputs.sort();
    inputs
}
