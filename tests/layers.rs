//! Which module may know which: read off the source, so that it stays so.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    iter::{Peekable, from_fn},
    path::{Path, PathBuf},
    str::Chars,
};

/// Each module, and the ones of ours it may name.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("json", &[]),
    ("database", &[]),
    ("disk", &[]),
    ("instant", &["json"]),
    ("telemetry", &[]),
    ("config", &["telemetry"]),
    ("aws", &[]),
    ("dedup", &["aws", "database"]),
    ("kinesis", &["aws", "disk", "instant", "json"]),
    (
        "functions",
        &[
            "aws",
            "config",
            "database",
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
        &[
            "aws",
            "config",
            "dedup",
            "disk",
            "functions",
            "instant",
            "json",
            "kinesis",
        ],
    ),
    (
        "tool",
        &[
            "aws",
            "config",
            "database",
            "dedup",
            "disk",
            "functions",
            "instant",
            "json",
            "kinesis",
            "local",
        ],
    ),
    (
        "bin",
        &[
            "aws",
            "config",
            "dedup",
            "functions",
            "kinesis",
            "lambda",
            "tool",
        ],
    ),
    ("lib", &[]),
];

/// Modules that are pure and total: no IO, no clock, no environment, no waiting.
const PURE: &[&str] = &[
    "src/json",
    "src/instant",
    "src/functions/firehose_transform/event",
    "src/functions/firehose_transform/partition.rs",
    "src/functions/firehose_transform/transform",
    "src/functions/event_log/data.rs",
    "src/functions/event_log/entry.rs",
    "src/functions/event_log/item.rs",
    "src/functions/event_log/number.rs",
    "src/functions/event_processor/archive/plan.rs",
    "src/functions/event_processor/claiming.rs",
    "src/functions/event_processor/event",
    "src/functions/event_processor/key.rs",
    "src/functions/event_processor/ledger.rs",
    "src/functions/event_processor/sketch.rs",
    "src/functions/event_processor/tally.rs",
    "src/functions/event_processor/window.rs",
    "src/functions/star_schema/columns.rs",
    "src/functions/star_schema/decimal.rs",
    "src/functions/star_schema/description",
    "src/functions/star_schema/fields.rs",
    "src/functions/star_schema/names.rs",
    "src/functions/star_schema/refusal.rs",
    "src/functions/star_schema/rows",
    "src/functions/star_schema/source.rs",
    "src/functions/star_schema/timestamp.rs",
    "src/functions/star_schema/wire.rs",
    "src/kinesis/aggregate.rs",
    "src/kinesis/answer.rs",
    "src/kinesis/contents.rs",
    "src/kinesis/dead_letter.rs",
    "src/kinesis/envelope.rs",
    "src/kinesis/mod.rs",
    "src/kinesis/sequence.rs",
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

/// The files of a folder, each of which may name those before it: what is for any service comes
/// before the services.
const IN_ORDER: (&str, &[&str]) = (
    "src/local/",
    &[
        "mod",
        "names",
        "clock",
        "random",
        "field_names",
        "shell",
        "files",
        "depot",
        "open_file",
        "journal",
        "in_process",
        "input/reader",
        "input/follow",
        "input/form",
        "input",
        "input/resume",
        "firehose/mod",
        "firehose/names",
        "firehose/timestamp",
        "firehose/prefix",
        "firehose/prefixes",
        "firehose/name_forms",
        "firehose/answer",
        "firehose/error_object",
        "firehose/error_object/read",
        "firehose/error_object/repair",
        "firehose/batch",
        "firehose/invocation",
        "firehose/in_process",
        "firehose/invoke_url",
        "firehose/attempts",
        "firehose/lake",
        "firehose/gauge",
        "firehose/picture/spread",
        "firehose/picture/course",
        "firehose/picture/sizes",
        "firehose/picture/timeline/line",
        "firehose/picture/timeline",
        "firehose/picture",
        "firehose/summary",
        "firehose/progress",
        "firehose/commit",
        "firehose/window",
        "firehose/pipeline",
        "firehose/run",
        "kinesis/names",
        "kinesis/clock",
        "kinesis/aggregate",
        "kinesis/answer",
        "kinesis/record",
        "kinesis/given_up",
        "kinesis/shard",
        "kinesis/stream",
        "kinesis/strikes",
        "kinesis/mapping",
        "kinesis/feed",
        "kinesis/passage",
        "kinesis/mod",
    ],
);

/// A crate, and where alone it may be named.
const KEPT_APART: &[(&str, &[&str])] = &[
    (
        "aws_",
        &[
            "src/aws",
            "src/dedup/dynamodb",
            "src/kinesis/depot/aws.rs",
            "src/functions/event_log/table/dynamodb.rs",
            "src/functions/event_processor/archive/s3.rs",
            "src/functions/event_processor/enrichment/dynamodb.rs",
            "src/functions/event_processor/services/aws.rs",
            "src/functions/event_processor/table/dynamodb.rs",
            "src/functions/star_schema/aws.rs",
            "src/functions/star_schema/store/s3.rs",
            "src/functions/star_schema/store/ssm.rs",
            "src/tool/aws",
        ],
    ),
    ("lambda_runtime", &["src/lambda.rs"]),
    (
        "fjall",
        &[
            "src/database.rs",
            "src/dedup/embedded",
            "src/functions/event_log/table/embedded.rs",
            "src/functions/event_processor/table/embedded.rs",
        ],
    ),
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
    // Who may see a thing is not what it knows.
    lines
        .collect::<Vec<_>>()
        .join("\n")
        .replace("(in crate::", "(in ")
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

/// A file's place among the modules: `src/a/b.rs` and `src/a/b/mod.rs` are both `a`, `b`.
fn place(file: &str) -> Vec<String> {
    let path = file.trim_start_matches("src/").trim_end_matches(".rs");
    let path = path.trim_end_matches("/mod").split('/').map(str::to_owned);
    path.filter(|part| part != "lib").collect()
}

/// The paths of ours that a file names, from the root: `crate::a::…`, `super::…`, and those that
/// begin with a module that it declares; in lists too. A binary says `nozzle`.
fn paths(place: &[String], code: &str) -> Vec<Vec<String>> {
    let code = code.replace("nozzle::", "crate::");
    let declared = code.lines().filter_map(|line| {
        let (before, name) = line.strip_suffix(';')?.split_once("mod ")?;
        (!before.contains("//")).then(|| name.to_owned())
    });
    let mut paths = Vec::new();
    let begins = ["crate", "super"].map(str::to_owned).into_iter();
    for begin in begins.chain(declared) {
        for (at, _) in code.match_indices(&format!("{begin}::")) {
            let is_inside = code.as_bytes()[..at]
                .last()
                .is_some_and(|byte| is_of_word(char::from(*byte)) || *byte == b':');
            if !is_inside {
                expand(&mut code[at..].chars().peekable(), &[], &mut paths);
            }
        }
    }
    paths.iter().map(|path| absolute(place, path)).collect()
}

/// Takes a path, and every path of a list in braces.
fn expand(text: &mut Peekable<Chars<'_>>, before: &[String], paths: &mut Vec<Vec<String>>) {
    while text
        .next_if(|character| character.is_whitespace())
        .is_some()
    {}
    if text.next_if_eq(&'{').is_some() {
        while text.peek().is_some_and(|character| *character != '}') {
            expand(text, before, paths);
            while text.next_if(|c| *c == ',' || c.is_whitespace()).is_some() {}
        }
        text.next();
        return;
    }
    let mut path = before.to_vec();
    path.push(from_fn(|| text.next_if(|character| is_of_word(*character))).collect());
    if text.next_if_eq(&':').is_some() && text.next_if_eq(&':').is_some() {
        expand(text, &path, paths);
    } else {
        // Until the next entry: ` as name`.
        while text
            .next_if(|c| !matches!(c, ',' | '}' | ';' | '{'))
            .is_some()
        {}
        paths.push(path);
    }
}

fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn absolute(place: &[String], path: &[String]) -> Vec<String> {
    let ups = path.iter().take_while(|part| *part == "super").count();
    let base = match path.first().map(String::as_str) {
        Some("crate") => &[],
        _ => &place[..place.len().saturating_sub(ups)],
    };
    let rest = path
        .iter()
        .filter(|part| !matches!(part.as_str(), "crate" | "super"));
    base.iter().chain(rest).cloned().collect()
}

/// Each file, and the ones below `folder` that it names.
fn edges(folder: &str) -> BTreeMap<String, BTreeSet<String>> {
    let code: Vec<_> = all_code()
        .into_iter()
        .filter(|(file, _)| file.starts_with(folder))
        .collect();
    let files: BTreeMap<_, _> = code.iter().map(|(file, _)| (place(file), file)).collect();
    let named = |file: &String, code: &String| {
        let paths = paths(&place(file), code);
        let file_of = |path: &Vec<String>| {
            let mut whole = path.as_slice();
            while !whole.is_empty() && !files.contains_key(whole) {
                whole = &whole[..whole.len() - 1];
            }
            files.get(whole).map(|file| (*file).clone())
        };
        paths
            .iter()
            .filter_map(file_of)
            .filter(|named| named != file)
            .collect()
    };
    code.iter()
        .map(|(file, code)| (file.clone(), named(file, code)))
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
        for path in paths(&place(&file), &code) {
            let named = path.first().map_or("", String::as_str);
            let allowed = named == module || may_know.contains(&named);
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
fn a_file_names_only_what_stands_before_it() {
    let (folder, order) = IN_ORDER;
    let rank = |file: &String| {
        let name = file.trim_start_matches(folder).trim_end_matches(".rs");
        let rank = order.iter().position(|listed| *listed == name);
        rank.unwrap_or_else(|| panic!("{file} is not listed"))
    };
    for (file, named) in edges(folder) {
        let later = named.iter().find(|named| rank(named) > rank(&file));
        assert_eq!(later, None, "{file} names what stands after it");
    }
}

#[test]
fn the_services_of_one_machine_do_not_know_each_other() {
    let (one, other) = ("src/local/firehose/", "src/local/kinesis/");
    for (file, named) in edges("src/local/") {
        let names = |service: &str| {
            file.starts_with(service) || named.iter().any(|named| named.starts_with(service))
        };
        assert!(!(names(one) && names(other)), "{file} names {named:?}");
    }
}

/// Files that name each other, in a ring, are one thing in several places.
#[test]
fn no_files_name_each_other_in_a_circle() {
    let mut edges = edges("src/");
    // Whoever names nobody that is left stands in no circle.
    loop {
        let left: BTreeSet<String> = edges.keys().cloned().collect();
        edges.retain(|_, named| named.iter().any(|file| left.contains(file)));
        if edges.len() == left.len() {
            break;
        }
    }
    assert!(
        edges.is_empty(),
        "a circle, or what leads to it: {edges:#?}"
    );
}

/// Commands of the tool, one file or folder each.
const COMMANDS: &[&str] = &[
    "check", "explain", "find", "log", "plan", "process", "recount", "redrive", "run", "star",
];

/// The list of commands knows them all.
#[test]
fn no_command_knows_another_and_what_they_share_knows_none() {
    let command = |file: &str| {
        let name = file
            .trim_start_matches("src/tool/")
            .split(['/', '.'])
            .next();
        name.and_then(|name| COMMANDS.iter().find(|command| **command == name))
    };
    let may_know = |file: &str, known: &str| {
        file == "src/tool/mod.rs" || command(file).is_some_and(|own| *own == known)
    };
    for (file, named) in edges("src/tool/") {
        for other in named.iter().filter_map(|named| command(named)) {
            assert!(may_know(&file, other), "{file} names the command `{other}`");
        }
    }
}

#[test]
fn the_reader_of_sources_finds_what_it_looks_for() {
    let code = "mod f;\nuse crate::{event::{A, B as C, x::{y, z}}, json::Cursor};\n\
                fn g() { crate::dedup::x(); f::h() }\nuse super::i;\nuse nozzle::transform;";
    let place = ["d", "e"].map(str::to_owned);
    let paths = paths(&place, code)
        .iter()
        .map(|path| path.join("::"))
        .collect::<BTreeSet<_>>();
    let expected = [
        "d::e::f::h",
        "d::i",
        "dedup::x",
        "event::A",
        "event::B",
        "event::x::y",
        "event::x::z",
        "json::Cursor",
        "transform",
    ];
    assert_eq!(Vec::from_iter(paths), expected);
    let edges = edges("src/functions/firehose_transform/");
    let of_batch = &edges["src/functions/firehose_transform/batch.rs"];
    assert!(
        of_batch.contains("src/functions/firehose_transform/wire.rs"),
        "{of_batch:?}"
    );
}
