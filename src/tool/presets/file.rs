//! A settings file's keys and values, each with its line.

use toml::de::{DeTable, DeValue};

/// `key = value`, under `[section]` where it is for one command.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) section: Option<String>,
    pub(super) key: String,
    pub(super) value: String,
    pub(super) line: usize,
}

/// Why a file cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) line: usize,
    pub(super) what: String,
}

/// In the order in which they stand there.
pub(super) fn read(text: &str) -> Result<Vec<Entry>, Mistake> {
    let table = DeTable::parse(text).map_err(|error| Mistake {
        line: line(text, error.span().map_or(0, |span| span.start)),
        what: format!("it is no TOML: {}", error.message()),
    })?;
    let mut entries = Vec::new();
    push(text, None, table.get_ref(), &mut entries)?;
    Ok(entries)
}

fn push(
    text: &str,
    section: Option<&str>,
    table: &DeTable<'_>,
    entries: &mut Vec<Entry>,
) -> Result<(), Mistake> {
    for (key, value) in table {
        let line = line(text, key.span().start);
        if let (None, DeValue::Table(below)) = (section, value.get_ref()) {
            push(text, Some(key.get_ref()), below, entries)?;
            continue;
        }
        let value = value_text(value.get_ref()).ok_or_else(|| Mistake {
            line,
            what: format!(
                "`{}` must be text, a number, true or false, or a list of texts",
                key.get_ref()
            ),
        })?;
        entries.push(Entry {
            section: section.map(str::to_owned),
            key: key.get_ref().to_string(),
            value,
            line,
        });
    }
    Ok(())
}

/// As it would stand on a command line.
fn value_text(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(is_set) => Some(is_set.to_string()),
        DeValue::Array(texts) => {
            let texts = texts.iter().map(|text| text.get_ref().as_str());
            Some(texts.collect::<Option<Vec<_>>>()?.join(","))
        }
        DeValue::Integer(_) | DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}

/// Counted from 1.
fn line(text: &str, at: usize) -> usize {
    let before = text.bytes().take(at);
    1 + before.filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(Option<&str>, &str, &str, usize)]) {
        let entries = read(text).unwrap();
        let entries: Vec<_> = entries
            .iter()
            .map(|entry| {
                let Entry {
                    section,
                    key,
                    value,
                    line,
                } = entry;
                (section.as_deref(), key.as_str(), value.as_str(), *line)
            })
            .collect();
        assert_eq!(entries, expected, "{text}");
    }

    #[track_caller]
    fn check_mistake(text: &str, line: usize, what: &str) {
        let mistake = read(text).unwrap_err();
        assert_eq!(mistake.line, line, "{text}: {mistake:?}");
        assert!(mistake.what.contains(what), "{text}: {mistake:?}");
    }

    #[test]
    fn values_are_as_on_a_command_line_and_know_their_line() {
        check("", &[]);
        check("lake = 'a b'", &[(None, "lake", "a b", 1)]);
        check(
            "# ours\n\nflush_mb = 1_000\nbatch_mb = 0.5\njson = true\n",
            &[
                (None, "flush_mb", "1000", 3),
                (None, "batch_mb", "0.5", 4),
                (None, "json", "true", 5),
            ],
        );
        check(
            "event_types = [\n 'a:b',\n 'c',\n]\n[find]\nlake = 's3://x/'",
            &[
                (None, "event_types", "a:b,c", 1),
                (Some("find"), "lake", "s3://x/", 6),
            ],
        );
    }

    #[test]
    fn what_is_no_value_is_said_with_its_line() {
        for value in ["0x10", "2026-11-20", "[1]", "[['a']]"] {
            check_mistake(&format!("\na = {value}"), 2, "`a` must be text");
        }
        check_mistake("[run]\n[run.more]\nb = 1", 2, "`more` must be text");
        check_mistake("a = 1\nb = ", 2, "it is no TOML");
        check_mistake("a = 1\na = 2", 2, "it is no TOML");
    }
}
