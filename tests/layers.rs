//! Which module may know which: read off the source, so that it stays so.
#![expect(clippy::expect_used, reason = "a test may panic")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Each module, and the ones of ours it may name.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("json", &[]),
    ("instant", &["json"]),
    ("telemetry", &[]),
    ("config", &["telemetry"]),
    ("aws", &[]),
    ("dedup", &["aws"]),
    ("kinesis", &["instant", "json"]),
    (
        "functions",
        &[
            "aws",
            "config",
            "dedup",
            "instant",
            "json",
            "kinesis",
            "telemetry",
        ],
    ),
    ("lambda", &["config", "functions", "telemetry"]),
    (
        "local",
        &["config", "dedup", "functions", "instant", "json", "kinesis"],
    ),
    (
        "tool",
        &["aws", "config", "dedup", "functions", "kinesis", "local"],
    ),
    (
        "bin",
        &["aws", "config", "dedup", "functions", "lambda", "tool"],
    ),
    ("lib", &[]),
];

/// Modules that are pure and total: no IO, no clock, no environment, no waiting.
const PURE: &[&str] = &[
    "src/json",
    "src/instant",
    "src/kinesis",
    "src/functions/firehose_transform/event",
    "src/functions/firehose_transform/partition.rs",
    "src/functions/firehose_transform/transform",
];
const IMPURE_WORDS: &[&str] = &[
    "std::io",
    "std::fs",
    "std::env",
    "std::net",
    "std::time",
    "std::process",
    "std::thread",
    "tokio",
    "async ",
    "SystemTime",
    "Utc::now",
];

/// A crate, and where alone it may be named.
const KEPT_APART: &[(&str, &[&str])] = &[
    (
        "aws_",
        &["src/aws", "src/dedup/dynamodb", "src/tool/aws.rs"],
    ),
    ("lambda_runtime", &["src/lambda.rs"]),
    ("fjall", &["src/dedup/embedded"]),
    ("anyhow", &["src/tool", "src/bin"]),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder can be read");
    let paths = entries.map(|entry| entry.expect("an entry can be read").path());
    let mut files: Vec<_> = paths
        .flat_map(|path| {
            if path.is_dir() {
                sources(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    files.sort();
    files
}

/// A file's code: no comments, no unit tests.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).expect("a source can be read");
    let code = text.split("mod tests {").next().unwrap_or_default();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn all_code() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named = |file: PathBuf| {
        let name = file
            .strip_prefix(root)
            .expect("a source lies in the package")
            .to_string_lossy()
            .into_owned();
        (name, code(&file))
    };
    sources(&root.join("src")).into_iter().map(named).collect()
}

fn module(file: &str) -> &str {
    let path = file.trim_start_matches("src/");
    path.split('/')
        .next()
        .unwrap_or_default()
        .trim_end_matches(".rs")
}

/// Our modules that a file names, in `crate::a::…` or in `use crate::{a::…, b}`; a binary says
/// `nozzle`.
fn named(code: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    let code = code.replace("nozzle::", "crate::");
    for rest in code.split("crate::").skip(1) {
        let mut depth = 0;
        let mut list = rest
            .chars()
            .take_while(|character| {
                depth += i32::from(*character == '{') - i32::from(*character == '}');
                !(*character == ';' || (depth == 0 && *character == '}'))
            })
            .collect::<String>();
        if !list.starts_with('{') {
            list = format!(
                "{{{}",
                list.split(|character: char| !character.is_alphanumeric() && character != '_')
                    .next()
                    .unwrap_or_default()
            );
        }
        named.extend(first_words(&list));
    }
    named
}

/// The first word of each entry of a list in braces; entries within entries are not looked at.
fn first_words(list: &str) -> Vec<String> {
    let mut depth = 0;
    let top = list
        .chars()
        .filter(|character| {
            depth += i32::from(*character == '{') - i32::from(*character == '}');
            depth == 1 && *character != '{'
        })
        .collect::<String>();
    top.split(',')
        .filter_map(|entry| entry.split("::").next())
        .map(|word| word.trim().to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}

#[test]
fn modules_know_only_what_lies_below_them() {
    for (file, code) in all_code() {
        let module = module(&file);
        let listed = MAY_KNOW.iter().find(|(name, _)| *name == module);
        let Some((_, may_know)) = listed else {
            panic!("{file} is of no module that is listed");
        };
        for named in named(&code) {
            let allowed = named == module || may_know.contains(&named.as_str());
            assert!(
                allowed,
                "{file} names `{named}`, which does not lie below it"
            );
        }
    }
}

#[test]
fn the_core_is_pure() {
    for (file, code) in all_code() {
        if PURE.iter().any(|pure| file.starts_with(pure)) {
            let word = IMPURE_WORDS.iter().find(|word| code.contains(**word));
            assert_eq!(word, None, "{file} is to be pure");
        }
    }
}

#[test]
fn each_sdk_has_one_home() {
    for (file, code) in all_code() {
        for (name, homes) in KEPT_APART {
            let is_home = homes.iter().any(|home| file.starts_with(home));
            let names_it = code
                .split(|character: char| !character.is_alphanumeric() && character != '_')
                .any(|word| word.starts_with(name));
            assert!(
                is_home || !names_it,
                "{file} names `{name}`, whose home is {homes:?}"
            );
        }
    }
}

#[test]
fn the_reader_of_sources_finds_what_it_looks_for() {
    let code = "use crate::{event::{A, B}, json::Cursor};\nfn f() { crate::dedup::x(); }\nuse nozzle::transform;";
    assert_eq!(
        Vec::from_iter(named(code)),
        ["dedup", "event", "json", "transform"]
    );
    assert!(all_code().iter().any(|(file, code)| file
        == "src/functions/firehose_transform/event.rs"
        && named(code).contains("json")));
}
