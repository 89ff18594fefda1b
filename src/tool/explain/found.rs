//! What stands where a field is refused, as it is read.

use super::members::SpelledMember;
use crate::{
    functions::firehose_transform::{
        event::Refusal,
        transform::{EventTypes, EventYears, Rules, transform},
    },
    instant::{Instant, unit},
    json::{Cursor, Value},
    local::field_names::FieldNames,
    tool::other_names::in_words,
};

/// Of a value so much is shown.
const SHOWN_CHARACTERS: usize = 40;

/// The value as it is spelled, and what that is.
pub(super) fn found(
    refusal: Refusal,
    member: &SpelledMember<'_>,
    members: &[SpelledMember<'_>],
    rules: &Rules,
) -> String {
    let value = &member.value;
    let what = match refusal {
        Refusal::WrongType(_) => wrong_type(value),
        Refusal::Empty(_) if &**value == "\"\"" => "an empty text".to_owned(),
        Refusal::Empty(_) => "a text of white space only".to_owned(),
        Refusal::TooLong(_) => format!("{} bytes of text", text(value).len()),
        Refusal::ControlCharacter(_) => control_character(value),
        Refusal::CreatedAtUnreadable => "neither Unix time nor RFC 3339".to_owned(),
        Refusal::CreatedAtOutOfRange => out_of_range(value),
        Refusal::EventYearOutOfRange => other_year(value, rules),
        Refusal::EventTypeEmpty => "nothing before the first colon".to_owned(),
        Refusal::PartitionValueTooLong | Refusal::EventTypeNotListed => parts(members, rules),
        Refusal::Unreadable(_) | Refusal::Missing(_) => String::new(),
    };
    let comma = if what.is_empty() { "" } else { ", " };
    format!("`{}`{comma}{what}", shortened(value))
}

/// What there is where one is missing.
pub(super) fn fields(members: &[SpelledMember<'_>]) -> String {
    let members = members.iter().filter(|member| member.is_in_record());
    let names: FieldNames = members.map(|member| member.key.clone()).collect();
    format!("the record has {}", in_words(&names))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Which kind of value a text begins with.
pub(super) fn kind(text: &str) -> &'static str {
    match text.trim_start().bytes().next() {
        Some(b'"') => "a text",
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'n') => "null",
        Some(b't' | b'f') => "true or false",
        _ => "a number",
    }
}

/// What a literal is it says itself.
fn wrong_type(value: &str) -> String {
    match kind(value) {
        "a text" => "a text with a lone surrogate, which no text can hold".to_owned(),
        "null" | "true or false" => String::new(),
        kind => kind.to_owned(),
    }
}

/// What a text says, or a number's spelling.
fn text(value: &str) -> String {
    match Cursor::new(value).value() {
        Ok(Value::String(spelled)) => spelled.decode().unwrap_or_default().into_owned(),
        _ => value.to_owned(),
    }
}

fn control_character(value: &str) -> String {
    let text = text(value);
    let character = text.chars().find(|character| *character < ' ');
    let number = character.map_or(0, u32::from);
    format!("U+{number:04X} in it")
}

/// Where a value's time is a number, in which unit.
fn unit_of(value: &str) -> Option<&'static str> {
    let text = text(value);
    match Cursor::new(&text).value() {
        Ok(Value::Number(number)) if number == text => Some(unit(number)),
        _ => None,
    }
}

fn out_of_range(value: &str) -> String {
    let bound = if text(value).starts_with('-') {
        "before 1970"
    } else {
        "beyond the year 9999"
    };
    match unit_of(value) {
        Some(unit) => format!("{unit} since 1970: {bound}"),
        None => "a time outside of the years 1970 to 9999".to_owned(),
    }
}

fn other_year(value: &str, rules: &Rules) -> String {
    let text = text(value);
    let time = match Cursor::new(value).value() {
        Ok(Value::Number(number)) => Instant::from_number(number),
        _ => Instant::from_text(&text),
    };
    let time = time.map(|time| time.calendar().datetime());
    let time = time
        .as_ref()
        .map_or("", |time| str::from_utf8(time).unwrap_or_default());
    let unit = unit_of(value).map(|unit| format!("{unit} since 1970: "));
    let (unit, years) = (unit.unwrap_or_default(), &rules.event_years);
    format!("{unit}{time}, and accepted are the years {years}")
}

/// Type and subtype, as a function that accepts all of them reads them.
fn parts(members: &[SpelledMember<'_>], rules: &Rules) -> String {
    let accepting = Rules {
        event_types: EventTypes::Any,
        event_years: EventYears::default(),
        partition_keys: "year".parse().unwrap_or_default(),
        event_fields: rules.event_fields.clone(),
    };
    let object = super::members::object(members);
    match transform(object.as_bytes(), &accepting) {
        Ok(event) => {
            let (kind, sub) = (&event.name.event_type, &event.name.event_subtype);
            format!(
                "the type `{}` with the subtype `{}`",
                shortened(kind),
                shortened(sub)
            )
        }
        Err(_) => String::new(),
    }
}
