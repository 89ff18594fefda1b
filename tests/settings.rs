//! The tables of the pages hold every variable that a function reads, and its default; Terraform and
//! the tool's help know no other, of either.

#![cfg(feature = "tool")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{cell::RefCell, collections::BTreeSet, fs, path::Path};

use nozzle::{
    config::SettingsError,
    functions::{event_log, event_processor, firehose_transform, star_schema},
};
use support::{place::Place, variables::lookup};

/// All that a function is set by, as `Debug` has it.
type Read = fn(&dyn Fn(&str) -> Option<String>) -> Result<String, SettingsError>;

/// A function's table, and who else has its variables.
struct Page {
    name: &'static str,
    read: Read,
    terraform: &'static [&'static str],
    /// What Terraform's variables for it begin with.
    prefix: &'static str,
    command: &'static str,
}

const PAGES: [Page; 4] = [
    Page {
        name: "README.md",
        read: |variable| {
            let settings = firehose_transform::Settings::read(variable)?;
            let table = firehose_transform::settings::read_table_name(variable)?;
            Ok(format!("{settings:?} {table}"))
        },
        terraform: &["function.tf"],
        prefix: "",
        command: "run",
    },
    Page {
        name: "docs/event-log.md",
        read: |variable| {
            let settings = event_log::Settings::read(variable)?;
            let table = event_log::settings::read_table_name(variable)?;
            let queue = event_log::settings::read_queue_url(variable)?;
            Ok(format!("{settings:?} {table} {queue:?}"))
        },
        terraform: &["event_log/main.tf", "stream_function/main.tf"],
        prefix: "event_log_",
        command: "log",
    },
    Page {
        name: "docs/event-processor.md",
        read: |variable| {
            let settings = event_processor::Settings::read(variable)?;
            let resources = event_processor::settings::Resources::read(variable)?;
            Ok(format!("{settings:?} {resources:?}"))
        },
        terraform: &["event_processor/main.tf", "stream_function/main.tf"],
        prefix: "event_processor_",
        command: "process",
    },
    Page {
        name: "docs/star-schema.md",
        read: |variable| {
            let settings = star_schema::Settings::read(variable)?;
            let whereabouts = star_schema::settings::Whereabouts::read(variable)?;
            Ok(format!("{settings:?} {whereabouts:?}"))
        },
        terraform: &["star_schema/main.tf"],
        prefix: "star_schema_",
        command: "star",
    },
];

const REQUIRED: &str = "required";
/// What a default is called that is no value, and what `Debug` shows then.
const WORDS: [(&str, &str); 5] = [
    ("none", "None"),
    ("for ever", "None"),
    ("any", "Any"),
    ("empty", "\"\""),
    ("the built-in one", "Program"),
];
/// Each variable without a value takes one of these.
const EXAMPLES: [&str; 5] = ["abc", "1", "/a", "a:b", "https://a"];

/// A variable of a table.
struct Row {
    name: String,
    default: String,
}

impl Row {
    /// What stands for the default in `Debug`, where it is a word.
    fn word(&self) -> Option<&'static str> {
        let word = WORDS.iter().find(|(word, _)| *word == self.default);
        word.map(|(_, shown)| *shown)
    }

    fn has_value(&self) -> bool {
        self.default != REQUIRED && self.word().is_none()
    }
}

impl Page {
    fn rows(&self) -> Vec<Row> {
        let page = read("", self.name);
        let (_, section) = page.split_once("\n## Settings of the function\n").unwrap();
        let (section, _) = section.split_once("\n## ").unwrap();
        let lines = section.lines().filter(|line| line.starts_with("| `"));
        lines.flat_map(rows_of).collect()
    }

    fn read(&self, set: &[(&str, &str)]) -> Result<String, SettingsError> {
        (self.read)(&lookup(set))
    }

    /// What each variable without a value may be, so that the others mean something.
    fn examples<'r>(&self, rows: &'r [Row]) -> Vec<(&'r str, &'static str)> {
        let without = rows.iter().filter(|row| !row.has_value());
        let mut set: Vec<_> = without.map(|row| (row.name.as_str(), "abc")).collect();
        while let Err(SettingsError::Wrong { name, value, .. }) = self.read(&set) {
            let wrong = set.iter_mut().find(|(other, _)| *other == name).unwrap();
            let mut others = EXAMPLES.iter().skip_while(|example| **example != value);
            wrong.1 = *others.nth(1).unwrap();
        }
        set
    }
}

fn read(folder: &str, name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(root.join(folder).join(name)).unwrap()
}

/// One row may have several variables and as many defaults.
fn rows_of(line: &str) -> Vec<Row> {
    let mut cells = line.trim_start_matches("| ").split(" | ");
    let mut cell = || cells.next().unwrap().split(", ");
    let (names, defaults): (Vec<_>, Vec<_>) = (cell().collect(), cell().collect());
    assert_eq!(names.len(), defaults.len(), "{line}");
    let pairs = names.into_iter().zip(defaults);
    let plain = |text: &str| text.trim_matches('`').to_owned();
    let row = |(name, default)| Row {
        name: plain(name),
        default: plain(default),
    };
    pairs.map(row).collect()
}

#[test]
fn a_table_has_each_variable_that_is_read_and_no_other() {
    for page in PAGES {
        let rows = page.rows();
        let set = page.examples(&rows);
        let asked = RefCell::new(BTreeSet::new());
        let variable = |name: &str| {
            asked.borrow_mut().insert(name.to_owned());
            lookup(&set)(name)
        };
        (page.read)(&variable).unwrap();
        let listed: BTreeSet<_> = rows.into_iter().map(|row| row.name).collect();
        assert_eq!(listed, asked.into_inner(), "{}", page.name);
    }
}

#[test]
fn a_default_is_the_one_in_the_table() {
    for page in PAGES {
        let rows = page.rows();
        let set = page.examples(&rows);
        for row in &rows {
            let said = format!("{}: {} is {}", page.name, row.name, row.default);
            let others: Vec<_> = set
                .iter()
                .filter(|(name, _)| *name != row.name)
                .copied()
                .collect();
            let unset = page.read(&others);
            let with =
                |value: &str| page.read(&[&others[..], &[(row.name.as_str(), value)]].concat());
            if row.default == REQUIRED {
                let is_missing =
                    matches!(unset, Err(SettingsError::Missing { name, .. }) if name == row.name);
                assert!(is_missing, "{said}");
            } else if let Some(shown) = row.word() {
                let count = |read: &str| read.matches(shown).count();
                let has_less = |read: &String| count(read) < count(unset.as_ref().unwrap());
                let mut read = EXAMPLES.iter().filter_map(|example| with(example).ok());
                assert!(read.any(|read| has_less(&read)), "{said}");
            } else {
                assert_eq!(with(&row.default), unset, "{said}");
            }
        }
    }
}

#[test]
fn terraform_sets_no_variable_that_is_not_read() {
    for page in PAGES {
        let known: BTreeSet<_> = page.rows().into_iter().map(|row| row.name).collect();
        for file in page.terraform {
            let text = read("terraform", file);
            let set: BTreeSet<_> = text.lines().flat_map(variables_set).collect();
            assert!(set.len() > 2, "{file}: {set:?}");
            let unknown: Vec<_> = set.iter().filter(|name| !known.contains(**name)).collect();
            assert!(unknown.is_empty(), "{file}: {unknown:?}");
        }
    }
}

/// The words in capitals that stand before a `=`.
fn variables_set(line: &str) -> Vec<&str> {
    let before = line.split('=').rev().skip(1);
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = before.filter_map(|part| {
        let part = part.trim_end_matches([' ', '"']);
        part.rsplit(|c| !is_part(c)).next()
    });
    let is_variable =
        |word: &&str| word.len() > 3 && !word.contains(|c: char| c.is_ascii_lowercase());
    words.filter(is_variable).collect()
}

#[test]
fn terraforms_defaults_are_the_functions() {
    let variables = read("terraform", "variables.tf");
    let mut compared = 0;
    for page in PAGES {
        let rows = page.rows();
        let set = page.examples(&rows);
        // Terraform's are fewer: each is a partition that Athena looks into.
        let rows = rows.iter().filter(|row| row.has_value());
        for row in rows.filter(|row| row.name != "EVENT_YEARS") {
            let variable = format!("{}{}", page.prefix, row.name.to_lowercase());
            if let Some(default) = default_of(&variables, &variable) {
                let with = [&set[..], &[(row.name.as_str(), default.as_str())]].concat();
                assert_eq!(page.read(&with), page.read(&set), "{variable}");
                compared += 1;
            }
        }
    }
    assert!(compared > 14, "{compared}");
}

/// As it would be set: a list by commas. An empty one is not set.
fn default_of(variables: &str, name: &str) -> Option<String> {
    let (_, variable) = variables.split_once(&format!("variable \"{name}\" {{\n"))?;
    let (variable, _) = variable.split_once("\n}\n").unwrap();
    let (_, default) = variable.split_once("  default     = ")?;
    let default = default.lines().next()?;
    let default = default.replace(['[', ']', '"', ' '], "");
    (!default.is_empty()).then_some(default)
}

#[test]
fn the_tools_help_has_the_same_defaults() {
    let place = Place::new();
    for page in PAGES {
        let help = place.nozzle(page.command, &["--help"]).output().unwrap();
        let help = String::from_utf8(help.stdout).unwrap();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        // A folder has no quota on partitions.
        let rows = page.rows().into_iter();
        let rows = rows.filter(|row| row.name != "BATCH_PARTITIONS_MAX");
        let mut compared = 0;
        for row in rows {
            let option = row.name.to_lowercase().replace('_', "-");
            let Some((_, behind)) = help.split_once(&format!(" --{option} <")) else {
                continue;
            };
            let (_, default) = behind.split_once("[default: ").unwrap();
            let (default, _) = default.split_once(']').unwrap();
            assert_eq!(
                default.trim_matches('`'),
                row.default,
                "{} --{option}",
                page.command
            );
            compared += 1;
        }
        assert!(compared > 1, "{}", page.command);
    }
}
