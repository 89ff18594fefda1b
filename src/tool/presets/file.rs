//! A settings file's sections, keys and values, each with its line.

use toml::de::{DeTable, DeValue};

/// What stands in a file, in that order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct FileContents {
    /// Each with its line.
    pub(super) sections: Vec<(String, usize)>,
    pub(super) entries: Vec<Entry>,
}

/// `key = value`, under `[section]` where it is for one command.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) section: Option<String>,
    pub(super) key: String,
    /// As it would stand on a command line.
    pub(super) value: String,
    pub(super) form: ValueForm,
    pub(super) line: usize,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueForm {
    Text,
    Number,
    Flag,
    List,
}

/// Why a file cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) line: usize,
    pub(super) what: String,
}

pub(super) fn read(text: &str) -> Result<FileContents, Mistake> {
    let table = DeTable::parse(text).map_err(|error| Mistake {
        line: line(text, error.span().map_or(0, |span| span.start)),
        what: format!("it is no TOML: {}", error.message()),
    })?;
    let mut contents = FileContents::default();
    contents.push(text, None, table.get_ref())?;
    Ok(contents)
}

impl FileContents {
    fn push(
        &mut self,
        text: &str,
        section: Option<&str>,
        table: &DeTable<'_>,
    ) -> Result<(), Mistake> {
        for (key, value) in table {
            let line = line(text, key.span().start);
            let name = key.get_ref().to_string();
            if let (None, DeValue::Table(below)) = (section, value.get_ref()) {
                self.push(text, Some(&name), below)?;
                self.sections.push((name, line));
                continue;
            }
            let (form, value) = read_value(value.get_ref()).ok_or_else(|| Mistake {
                line,
                what: format!(
                    "`{name}` is {}; it must be text, a number, true or false, or a list of texts",
                    first_line(text.get(value.span()))
                ),
            })?;
            self.entries.push(Entry {
                section: section.map(str::to_owned),
                key: name,
                value,
                form,
                line,
            });
        }
        Ok(())
    }
}

fn read_value(value: &DeValue<'_>) -> Option<(ValueForm, String)> {
    match value {
        DeValue::String(text) => Some((ValueForm::Text, text.to_string())),
        DeValue::Integer(number) if number.radix() == 10 => {
            Some((ValueForm::Number, number.as_str().to_owned()))
        }
        DeValue::Float(number) => Some((ValueForm::Number, number.as_str().to_owned())),
        DeValue::Boolean(is_set) => Some((ValueForm::Flag, is_set.to_string())),
        DeValue::Array(texts) => {
            let texts = texts.iter().map(|text| text.get_ref().as_str());
            let texts = texts.collect::<Option<Vec<_>>>()?;
            Some((ValueForm::List, texts.join(",")))
        }
        DeValue::Integer(_) | DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}

/// Of a value as it is written.
fn first_line(written: Option<&str>) -> &str {
    written
        .and_then(|text| text.lines().next())
        .unwrap_or_default()
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
        let contents = read(text).unwrap();
        let entries: Vec<_> = contents
            .entries
            .iter()
            .map(|entry| {
                let Entry {
                    section,
                    key,
                    value,
                    line,
                    ..
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
    fn a_value_knows_how_it_is_written_and_a_section_that_it_is_there() {
        let contents = read("[run]\n[find]\na = '5'\nb = 5\nc = true\nd = ['5']").unwrap();
        let sections = [("run".to_owned(), 1), ("find".to_owned(), 2)];
        assert_eq!(contents.sections, sections);
        let forms: Vec<_> = contents.entries.iter().map(|entry| entry.form).collect();
        let expected = [
            ValueForm::Text,
            ValueForm::Number,
            ValueForm::Flag,
            ValueForm::List,
        ];
        assert_eq!(forms, expected);
    }

    #[test]
    fn what_is_no_value_is_said_with_its_line() {
        for value in ["0x10", "2026-11-20", "[1]", "[['a']]"] {
            check_mistake(
                &format!("\na = {value}"),
                2,
                &format!("`a` is {value}; it must be text"),
            );
        }
        check_mistake("[run]\n[run.more]\nb = 1", 2, "; it must be text");
        check_mistake("a = 1\nb = ", 2, "it is no TOML");
        check_mistake("a = 1\na = 2", 2, "it is no TOML");
    }
}
