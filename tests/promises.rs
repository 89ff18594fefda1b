//! Each promise in `docs/promises.md` names a test that is there.

use std::{fs, path::Path};

fn read(name: &str) -> Option<String> {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).ok()
}

/// `file: name` in backquotes.
fn named_tests(page: &str) -> Vec<(&str, &str)> {
    let quoted = page.split('`').skip(1).step_by(2);
    let tests = quoted.filter_map(|quoted| quoted.split_once(": "));
    tests.filter(|(file, _)| file.contains(".rs")).collect()
}

/// Whether there is a function of this name, marked as a test above it.
fn has_test(source: &str, name: &str) -> bool {
    let Some((before, _)) = source.split_once(&format!("fn {name}(")) else {
        return false;
    };
    let above = before.trim_end().lines().rev();
    let mut above = above.take_while(|line| !line.trim().is_empty());
    above.any(|line| line.contains("#[test]") || line.contains("#[tokio::test"))
}

#[test]
fn each_promise_names_a_test_that_is_there() {
    let page = read("docs/promises.md").expect("the promises");
    let tests = named_tests(&page);
    for (file, name) in &tests {
        let source = read(file).unwrap_or_default();
        assert!(has_test(&source, name), "there is no test {name} in {file}");
    }
    let promises = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| promise"));
    for promise in promises.filter(|promise| !promise.contains("deny.toml")) {
        assert!(!named_tests(promise).is_empty(), "nothing holds: {promise}");
    }
    assert!(tests.len() > 30, "only {} tests are named", tests.len());
}
