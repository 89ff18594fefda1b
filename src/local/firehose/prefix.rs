//! Prefix expressions: the folder an object goes to, from partition keys and arrival time.
//! Parsed once, so that a wrong one is a sentence before any work; a folder that is evaluated
//! never leaves the lake.

use std::fmt::Write;

use super::timestamp::{Pattern, PatternError};
use crate::local::{files::OWN_FOLDER, open_file::FileExtension};

/// Firehose's limit for an evaluated prefix.
const FOLDER_BYTES_MAX: usize = 512;
/// What file systems allow one part of a path.
const PART_BYTES_MAX: usize = 255;
/// What an object's name adds to a prefix's last part: `nozzle-1-`, a time, a uuid, an extension.
pub(super) const NAME_BYTES_MAX: usize = 65 + FileExtension::BYTES_MAX;

/// A prefix, ready to be evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix {
    /// As it was given.
    pub text: String,
    parts: Vec<Part>,
    /// The partition keys it names, each once, in order.
    pub keys: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// A position in `keys`.
    Key(usize),
    Timestamp(Pattern),
    RandomString,
    ErrorOutputType,
}

/// What an expression may refer to.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    /// One value for each of the prefix's keys, in their order.
    pub keys: &'a [&'a str],
    pub arrival_milliseconds: i64,
    pub random: u64,
    pub error_output_type: &'a str,
}

/// Why a text is not a prefix.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    #[error("`{0}` has no closing brace")]
    Open(String),
    #[error(
        "`!{{{0}}}` is not an expression; there are `!{{partitionKeyFromLambda:name}}`, \
         `!{{timestamp:yyyy-MM-dd}}`, `!{{firehose:random-string}}` and, in the error prefix, \
         `!{{firehose:error-output-type}}`"
    )]
    Unknown(String),
    #[error("`!{{timestamp:{0}}}`: {1}")]
    Timestamp(String, PatternError),
    #[error("`!{{firehose:error-output-type}}` belongs in the error prefix only")]
    ErrorOutputTypeMisplaced,
    #[error("`!{{partitionKeyFromLambda:{0}}}` cannot stand in the error prefix")]
    KeyMisplaced(String),
    #[error(
        "the error prefix needs `!{{firehose:error-output-type}}`, as the prefix has expressions"
    )]
    ErrorOutputTypeMissing,
    #[error("`{0}` {1}")]
    Outside(String, Outside),
}

/// Why a folder cannot lie in the lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Outside {
    #[error("begins with `/`, but a prefix is relative to the lake")]
    Absolute,
    #[error("has a part that is `.` or `..`")]
    Dots,
    #[error("has a control character or a backslash")]
    Control,
    #[error("has a part of more than 255 bytes, the object's name counted")]
    PartLong,
    #[error("has more than 512 bytes")]
    Long,
    #[error("lies in `.nozzle`, which is the lake's own")]
    Own,
}

impl Prefix {
    /// Where delivered records go.
    pub fn parse(text: &str) -> Result<Self, PrefixError> {
        let prefix = Self::parse_any(text)?;
        if prefix.parts.contains(&Part::ErrorOutputType) {
            Err(PrefixError::ErrorOutputTypeMisplaced)
        } else {
            Ok(prefix)
        }
    }

    /// Where the error objects of the records go that `prefix` would have taken.
    pub fn parse_error(text: &str, prefix: &Prefix) -> Result<Self, PrefixError> {
        let error_prefix = Self::parse_any(text)?;
        if let Some(key) = error_prefix.keys.first() {
            return Err(PrefixError::KeyMisplaced(key.clone()));
        }
        let needed = prefix.has_expressions() || error_prefix.has_expressions();
        if needed && !error_prefix.parts.contains(&Part::ErrorOutputType) {
            return Err(PrefixError::ErrorOutputTypeMissing);
        }
        Ok(error_prefix)
    }

    /// The folder and the beginning of a name, relative to the lake and surely inside it.
    pub fn evaluate(&self, values: Values<'_>) -> Result<String, Outside> {
        let mut text = String::with_capacity(128);
        for part in &self.parts {
            part.write(&mut text, values);
        }
        confined(&text)?;
        Ok(text)
    }

    /// What stands before the first expression, up to its last folder.
    #[must_use]
    pub fn literal_folder(&self) -> &str {
        match self.parts.first() {
            Some(Part::Literal(text)) => text.rfind('/').map_or("", |end| text.split_at(end).0),
            _ => "",
        }
    }

    fn parse_any(text: &str) -> Result<Self, PrefixError> {
        let mut prefix = Self {
            text: text.to_owned(),
            parts: Vec::new(),
            keys: Vec::new(),
        };
        let mut rest = text;
        while let Some((literal, opened)) = rest.split_once("!{") {
            prefix.push_literal(literal);
            let (expression, after) = opened
                .split_once('}')
                .ok_or_else(|| PrefixError::Open(format!("!{{{opened}")))?;
            prefix.push_expression(expression)?;
            rest = after;
        }
        prefix.push_literal(rest);
        prefix.check_literals(text)?;
        Ok(prefix)
    }

    fn push_literal(&mut self, text: &str) {
        if !text.is_empty() {
            self.parts.push(Part::Literal(text.to_owned()));
        }
    }

    fn push_expression(&mut self, expression: &str) -> Result<(), PrefixError> {
        let part = match expression.split_once(':') {
            Some(("partitionKeyFromLambda", name)) if !name.is_empty() => {
                Part::Key(self.key_position(name))
            }
            Some(("timestamp", pattern)) => Part::Timestamp(
                Pattern::parse(pattern)
                    .map_err(|error| PrefixError::Timestamp(pattern.to_owned(), error))?,
            ),
            Some(("firehose", "random-string")) => Part::RandomString,
            Some(("firehose", "error-output-type")) => Part::ErrorOutputType,
            _ => return Err(PrefixError::Unknown(expression.to_owned())),
        };
        self.parts.push(part);
        Ok(())
    }

    fn key_position(&mut self, name: &str) -> usize {
        let known = self.keys.iter().position(|key| key == name);
        known.unwrap_or_else(|| {
            self.keys.push(name.to_owned());
            self.keys.len() - 1
        })
    }

    /// What is wrong whatever the values is wrong before any work: the text is tried with values
    /// that add nothing to it.
    fn check_literals(&self, text: &str) -> Result<(), PrefixError> {
        let values = Values {
            keys: &vec!["x"; self.keys.len()],
            arrival_milliseconds: 0,
            random: 0,
            error_output_type: "x",
        };
        self.evaluate(values)
            .map_err(|outside| PrefixError::Outside(text.to_owned(), outside))?;
        Ok(())
    }

    fn has_expressions(&self) -> bool {
        self.parts
            .iter()
            .any(|part| !matches!(part, Part::Literal(_)))
    }
}

impl Part {
    fn write(&self, text: &mut String, values: Values<'_>) {
        match self {
            Self::Literal(literal) => text.push_str(literal),
            Self::Key(position) => text.push_str(values.keys.get(*position).unwrap_or(&"")),
            Self::Timestamp(pattern) => pattern.write(text, values.arrival_milliseconds),
            Self::RandomString => {
                // 11 digits of base 36 hold 56 bits.
                let _ = write!(text, "{}", Base36(values.random));
            }
            Self::ErrorOutputType => text.push_str(values.error_output_type),
        }
    }
}

/// A number as Firehose's eleven letters and digits.
struct Base36(u64);

impl std::fmt::Display for Base36 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut rest = self.0;
        for _ in 0..11 {
            let digit = u32::try_from(rest % 36).unwrap_or(0);
            f.write_char(char::from_digit(digit, 36).unwrap_or('0'))?;
            rest /= 36;
        }
        Ok(())
    }
}

/// Whether a file below this prefix lies in the lake, on any file system.
fn confined(prefix: &str) -> Result<(), Outside> {
    if prefix.starts_with('/') {
        return Err(Outside::Absolute);
    }
    if prefix.len() > FOLDER_BYTES_MAX {
        return Err(Outside::Long);
    }
    if prefix.contains(|c: char| c.is_control() || c == '\\') {
        return Err(Outside::Control);
    }
    let mut parts = prefix.split('/');
    if parts.clone().any(|part| matches!(part, "." | "..")) {
        return Err(Outside::Dots);
    }
    let last = parts.clone().next_back().unwrap_or_default();
    if parts.clone().any(|part| part.len() > PART_BYTES_MAX)
        || last.len() > PART_BYTES_MAX - NAME_BYTES_MAX
    {
        return Err(Outside::PartLong);
    }
    match parts.next() {
        // Some file systems take capitals for small letters.
        Some(part) if part.eq_ignore_ascii_case(OWN_FOLDER) => Err(Outside::Own),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::*;

    const ARRIVAL: i64 = 1_495_072_949_453;

    fn evaluate(prefix: &Prefix, keys: &[&str]) -> Result<String, Outside> {
        prefix.evaluate(Values {
            keys,
            arrival_milliseconds: ARRIVAL,
            random: 1,
            error_output_type: "processing-failed",
        })
    }

    #[track_caller]
    fn check(text: &str, keys: &[&str], expected: &str) {
        let prefix = Prefix::parse_any(text).expect(text);
        assert_eq!(evaluate(&prefix, keys).as_deref(), Ok(expected), "{text}");
    }

    #[test]
    fn expressions_become_their_values() {
        check("", &[], "");
        check("events/", &[], "events/");
        check("a/!{partitionKeyFromLambda:x}/b", &["1"], "a/1/b");
        check(
            "t=!{partitionKeyFromLambda:t}/s=!{partitionKeyFromLambda:s}/t=!{partitionKeyFromLambda:t}/",
            &["one", "two"],
            "t=one/s=two/t=one/",
        );
        check("!{timestamp:yyyy/MM/dd/HH}/", &[], "2017/05/18/02/");
        check("r-!{firehose:random-string}/", &[], "r-10000000000/");
        check("!{firehose:error-output-type}/", &[], "processing-failed/");
        check("a!b{c}/!", &[], "a!b{c}/!");
    }

    #[track_caller]
    fn check_error(text: &str, expected: &str) {
        let error = Prefix::parse(text).expect_err(text).to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }

    #[test]
    fn a_wrong_prefix_is_one_clear_sentence() {
        check_error(
            "a/!{timestamp:yyyy",
            "`!{timestamp:yyyy` has no closing brace",
        );
        check_error("!{x:y}", "`!{x:y}` is not an expression; there are");
        check_error("!{partitionKeyFromLambda:}", "is not an expression");
        check_error("!{partitionKeyFromQuery:a}", "is not an expression");
        check_error("!{}", "is not an expression");
        check_error(
            "!{timestamp:yyyy-QQ}",
            "`!{timestamp:yyyy-QQ}`: the letter `Q`",
        );
        check_error(
            "!{firehose:error-output-type}/",
            "belongs in the error prefix only",
        );
        check_error("/events/", "`/events/` begins with `/`");
        check_error("../events/", "`.` or `..`");
        check_error("a/./!{partitionKeyFromLambda:x}/", "`.` or `..`");
        check_error("a/..", "`.` or `..`");
        check_error("!{timestamp:'..'}/", "`.` or `..`");
        check_error(".nozzle/claims/", "the lake's own");
        check_error("a\0b/", "control character");
        check_error(&"a/".repeat(300), "more than 512 bytes");
        check_error(&"a".repeat(300), "more than 255 bytes");
    }

    #[track_caller]
    fn check_error_prefix(prefix: &str, text: &str, expected: Option<&PrefixError>) {
        let prefix = Prefix::parse(prefix).expect(prefix);
        assert_eq!(Prefix::parse_error(text, &prefix).err().as_ref(), expected);
    }

    #[test]
    fn an_error_prefix_names_the_type_of_the_error() {
        let missing = PrefixError::ErrorOutputTypeMissing;
        check_error_prefix("events/", "errors/", None);
        check_error_prefix("!{timestamp:yyyy}/", "errors/", Some(&missing));
        check_error_prefix("events/", "errors/!{timestamp:yyyy}/", Some(&missing));
        check_error_prefix(
            "!{timestamp:yyyy}/",
            "e/!{firehose:error-output-type}/",
            None,
        );
        check_error_prefix(
            "events/",
            "!{partitionKeyFromLambda:a}/!{firehose:error-output-type}",
            Some(&PrefixError::KeyMisplaced("a".into())),
        );
    }

    #[track_caller]
    fn check_value(value: &str, expected: Outside) {
        let prefix = Prefix::parse("!{partitionKeyFromLambda:a}/x").expect("a prefix");
        assert_eq!(evaluate(&prefix, &[value]), Err(expected), "{value}");
    }

    #[test]
    fn a_value_cannot_leave_the_lake() {
        check_value("..", Outside::Dots);
        check_value(".", Outside::Dots);
        check_value("a/../../b", Outside::Dots);
        check_value("/etc", Outside::Absolute);
        check_value("", Outside::Absolute);
        check_value("a\nb", Outside::Control);
        check_value("..\\..", Outside::Control);
        check_value(".nozzle", Outside::Own);
        check_value(&"a".repeat(256), Outside::PartLong);
    }

    #[test]
    fn the_literal_folder_ends_before_the_first_expression() {
        for (text, expected) in [
            ("errors/!{timestamp:yyyy}/", "errors"),
            ("a/b/c-!{timestamp:yyyy}", "a/b"),
            ("!{timestamp:yyyy}/a/", ""),
            ("errors/", "errors"),
            ("plain", ""),
        ] {
            let prefix = Prefix::parse(text).expect(text);
            assert_eq!(prefix.literal_folder(), expected);
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_no_value_leaves_the_lake(
            text in r"([a-z./!{}:=\\-]|\.\.|!\{partitionKeyFromLambda:[ab]\}|!\{timestamp:[yMdHms./']{0,4}\}){0,8}",
            keys in prop::array::uniform2(r"(\PC|[./\\]|\.\.){0,4}"),
        ) {
            let Ok(prefix) = Prefix::parse(&text) else { return Ok(()) };
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            if let Ok(folder) = evaluate(&prefix, &keys) {
                let path = Path::new(&folder);
                prop_assert!(path.components().all(|part| matches!(part, Component::Normal(_))));
                prop_assert!(!path.starts_with(OWN_FOLDER));
            }
        }
    }
}
