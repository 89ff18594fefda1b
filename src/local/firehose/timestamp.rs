//! Java's date patterns, as far as prefixes use them: `yyyy/MM/dd/HH` of an arrival time, in UTC.

use std::fmt::Write;

use chrono::{DateTime, Datelike, Timelike, Utc};

/// A date pattern, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Field(Field, usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Year,
    Month,
    Day,
    DayOfYear,
    Weekday,
    HalfDay,
    Hour,
    HourOfHalfDay,
    Minute,
    Second,
    Fraction,
}

/// Why a text is not a pattern.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    #[error("the letter `{0}` is not known; there are y M d D E a H h m s S, and text in 'quotes'")]
    Letter(char),
    #[error("`{0}` has more letters than Java allows")]
    Long(String),
    #[error("a quote is not closed")]
    Quote,
    #[error("the pattern is empty")]
    Empty,
}

impl Pattern {
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let (part, after) = match first {
                '\'' => quoted(rest)?,
                'A'..='Z' | 'a'..='z' => field(first, rest)?,
                '[' | ']' | '{' | '#' => return Err(PatternError::Letter(first)),
                _ => literal(rest),
            };
            parts.push(part);
            rest = after;
        }
        if parts.is_empty() {
            Err(PatternError::Empty)
        } else {
            Ok(Self { parts })
        }
    }

    /// As it stands in the names of Firehose's objects.
    #[must_use]
    pub fn of_names() -> Self {
        use Field::{Day, Hour, Minute, Month, Second, Year};
        let mut parts = vec![Part::Field(Year, 4)];
        for field in [Month, Day, Hour, Minute, Second] {
            parts.extend([Part::Literal("-".into()), Part::Field(field, 2)]);
        }
        Self { parts }
    }

    /// Writes the moment, which lies in the years that a clock shows.
    pub fn write(&self, text: &mut String, epoch_milliseconds: i64) {
        let time = DateTime::from_timestamp_millis(epoch_milliseconds).unwrap_or_default();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Field(field, width) => field.write(text, *width, &time),
            }
        }
    }
}

/// A run of one letter, and what follows.
fn field(letter: char, text: &str) -> Result<(Part, &str), PatternError> {
    let rest = text.trim_start_matches(letter);
    let width = text.len() - rest.len();
    let (field, width_max) = match letter {
        'y' => (Field::Year, 19),
        'M' => (Field::Month, 5),
        'd' => (Field::Day, 2),
        'D' => (Field::DayOfYear, 3),
        'E' => (Field::Weekday, 5),
        'a' => (Field::HalfDay, 1),
        'H' => (Field::Hour, 2),
        'h' => (Field::HourOfHalfDay, 2),
        'm' => (Field::Minute, 2),
        's' => (Field::Second, 2),
        'S' => (Field::Fraction, 9),
        _ => return Err(PatternError::Letter(letter)),
    };
    if width > width_max {
        Err(PatternError::Long(letter.to_string().repeat(width)))
    } else {
        Ok((Part::Field(field, width), rest))
    }
}

/// `'text'`; two quotes are one quote, inside and outside.
fn quoted(text: &str) -> Result<(Part, &str), PatternError> {
    if let Some(rest) = text.strip_prefix("''") {
        return Ok((Part::Literal("'".into()), rest));
    }
    let mut literal = String::new();
    let mut rest = text.strip_prefix('\'').unwrap_or(text);
    loop {
        let (inside, after) = rest.split_once('\'').ok_or(PatternError::Quote)?;
        literal.push_str(inside);
        let Some(more) = after.strip_prefix('\'') else {
            return Ok((Part::Literal(literal), after));
        };
        literal.push('\'');
        rest = more;
    }
}

fn literal(text: &str) -> (Part, &str) {
    let end = text
        .find(|c: char| c.is_ascii_alphabetic() || "'[]{#".contains(c))
        .unwrap_or(text.len());
    let (literal, rest) = text.split_at(end);
    (Part::Literal(literal.to_owned()), rest)
}

impl Field {
    fn write(self, text: &mut String, width: usize, time: &DateTime<Utc>) {
        // Writing to a `String` cannot fail.
        let _ = match self {
            Self::Year if width == 2 => write!(text, "{:02}", time.year() % 100),
            Self::Year => write!(text, "{:0width$}", time.year()),
            Self::Month if width > 2 => named(text, width, &time.format("%B")),
            Self::Month => write!(text, "{:0width$}", time.month()),
            Self::Day => write!(text, "{:0width$}", time.day()),
            Self::DayOfYear => write!(text, "{:0width$}", time.ordinal()),
            Self::Weekday => named(text, width, &time.format("%A")),
            Self::HalfDay => write!(text, "{}", if time.hour12().0 { "PM" } else { "AM" }),
            Self::Hour => write!(text, "{:0width$}", time.hour()),
            Self::HourOfHalfDay => write!(text, "{:0width$}", time.hour12().1),
            Self::Minute => write!(text, "{:0width$}", time.minute()),
            Self::Second => write!(text, "{:0width$}", time.second()),
            Self::Fraction => write!(text, "{:.width$}", format!("{:09}", time.nanosecond())),
        };
    }
}

/// A name in full for four letters, by its first letter for five, by its first three for fewer.
fn named(text: &mut String, width: usize, name: &impl ToString) -> std::fmt::Result {
    let letters = match width {
        5 => 1,
        // No month and no weekday has more than nine.
        4 => 9,
        _ => 3,
    };
    write!(text, "{:.letters$}", name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Sunday, 2024-02-04 at 13:05:09.042.
    const SUNDAY: i64 = 1_707_051_909_042;

    #[track_caller]
    fn check(pattern: &str, expected: &str) {
        let mut text = String::new();
        Pattern::parse(pattern)
            .expect(pattern)
            .write(&mut text, SUNDAY);
        assert_eq!(text, expected, "{pattern}");
    }

    #[test]
    fn letters_are_javas() {
        check("yyyy/MM/dd/HH", "2024/02/04/13");
        check("yyyy-MM-dd'T'HH:mm:ss.SSS", "2024-02-04T13:05:09.042");
        check("y yy yyy yyyyy", "2024 24 2024 02024");
        check("yyyyyyyyyyyyyyyyyyy", "0000000000000002024");
        check("M MM MMM MMMM MMMMM", "2 02 Feb February F");
        check("d dd D DD DDD", "4 04 35 35 035");
        check("E EEE EEEE EEEEE", "Sun Sun Sunday S");
        check("H h hh a", "13 1 01 PM");
        check("m mm s ss", "5 05 9 09");
        check("S SS SSS SSSSSS SSSSSSSSS", "0 04 042 042000 042000000");
        check("'year='yyyy", "year=2024");
        check("''yyyy''", "'2024'");
        check("'o''clock'", "o'clock");
        check("yyyy=é", "2024=é");
    }

    #[track_caller]
    fn check_error(pattern: &str, expected: PatternError) {
        assert_eq!(Pattern::parse(pattern), Err(expected), "{pattern}");
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        check_error("", PatternError::Empty);
        check_error("YYYY", PatternError::Letter('Y'));
        check_error("yyyy-MM-dd X", PatternError::Letter('X'));
        check_error("yyyy[-MM]", PatternError::Letter('['));
        for letters in ["HHH", "ddd", "DDDD", "aa", "SSSSSSSSSS", "MMMMMM", "EEEEEE"] {
            check_error(letters, PatternError::Long(letters.into()));
        }
        check_error(&"y".repeat(20), PatternError::Long("y".repeat(20)));
        check_error("yyyy'T", PatternError::Quote);
    }
}
