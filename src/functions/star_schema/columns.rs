//! A row's values as the typed cells of a star table. A row that has no such cell is refused.

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    decimal::{self, NotHeld},
    description::{Absence, ColumnType, Expression, StarColumn, currency},
    fields::{FieldValue, RefusedRow},
    refusal::RowRefusal,
    timestamp::{Timestamp, read_date, read_time_of_day},
};

/// Digits that 64 bits always hold.
const LONG_DIGITS: u8 = 18;

/// What holds a DECIMAL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecimalWidth {
    Int,
    Long,
    Wide,
}

impl DecimalWidth {
    /// The narrowest for so many digits.
    #[inline]
    #[must_use]
    pub fn of(precision: u8) -> Self {
        match precision {
            0..=9 => Self::Int,
            10..=LONG_DIGITS => Self::Long,
            _ => Self::Wide,
        }
    }
}

/// A value as Parquet has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StarCell<'a> {
    Null,
    Int(i32),
    Long(i64),
    Wide(i128),
    Bool(bool),
    Text(Cow<'a, str>),
    /// The description's text, for what is missing.
    StandIn(&'a str),
}

/// A column that is made of one field of a row.
#[derive(Debug, Clone, Copy)]
pub struct Conversion<'s> {
    pub field: usize,
    pub kind: ConversionKind<'s>,
    pub absence: &'s Absence,
}

/// What is made of a value.
#[derive(Debug, Clone, Copy)]
pub enum ConversionKind<'s> {
    Int,
    Text,
    Bool,
    Decimal {
        precision: u8,
        scale: u8,
    },
    Date,
    Time,
    DateOfTimestamp,
    TimeOfTimestamp,
    /// The description's names come first.
    CurrencyName(&'s BTreeMap<String, String>),
}

/// The timestamp that was read last: a column for its date and one for its time read it once.
#[derive(Debug, Default, Clone, Copy)]
pub struct LastTimestamp(Option<(usize, Result<Timestamp, RowRefusal>)>);

impl LastTimestamp {
    /// Reads a field of the row that it was made for.
    #[inline]
    pub fn read(&mut self, field: usize, value: FieldValue<'_>) -> Result<Timestamp, RowRefusal> {
        if let Some((last, timestamp)) = self.0
            && last == field
        {
            return timestamp;
        }
        let timestamp = timestamp(value);
        self.0 = Some((field, timestamp));
        timestamp
    }
}

impl<'s> Conversion<'s> {
    /// Of a column, whose value stands in this field.
    #[must_use]
    pub fn new(column: &'s StarColumn, field: usize, names: &'s BTreeMap<String, String>) -> Self {
        let kind = match (&column.source, column.kind) {
            (Expression::DateOf(_), _) => ConversionKind::DateOfTimestamp,
            (Expression::TimeOf(_), _) => ConversionKind::TimeOfTimestamp,
            (Expression::CurrencyName(_), _) => ConversionKind::CurrencyName(names),
            (_, ColumnType::Int) => ConversionKind::Int,
            (_, ColumnType::Text) => ConversionKind::Text,
            (_, ColumnType::Bool) => ConversionKind::Bool,
            (_, ColumnType::Decimal { precision, scale }) => {
                ConversionKind::Decimal { precision, scale }
            }
            (_, ColumnType::Date) => ConversionKind::Date,
            (_, ColumnType::Time) => ConversionKind::Time,
        };
        let absence = &column.absence;
        Self {
            field,
            kind,
            absence,
        }
    }

    /// The cell that a row has.
    #[inline]
    pub fn cell<'a>(
        &self,
        values: &[FieldValue<'a>],
        last: &mut LastTimestamp,
    ) -> Result<StarCell<'a>, RefusedRow>
    where
        's: 'a,
    {
        let value = values
            .get(self.field)
            .copied()
            .unwrap_or(FieldValue::Missing);
        let cell = match value {
            FieldValue::Missing => self.absent(RowRefusal::ColumnMissing),
            FieldValue::Null => self.absent(RowRefusal::ColumnNull),
            value => self.present(value, last),
        };
        cell.map_err(|reason| RefusedRow::at(self.field, reason))
    }

    /// What stands for a value that is not there.
    pub fn absent<'a>(&self, reason: RowRefusal) -> Result<StarCell<'a>, RowRefusal>
    where
        's: 'a,
    {
        match self.absence {
            Absence::Refused => Err(reason),
            Absence::Null => Ok(StarCell::Null),
            Absence::Text(text) => Ok(StarCell::StandIn(text)),
        }
    }

    #[inline]
    fn present<'a>(
        &self,
        value: FieldValue<'a>,
        last: &mut LastTimestamp,
    ) -> Result<StarCell<'a>, RowRefusal>
    where
        's: 'a,
    {
        match (self.kind, value) {
            (ConversionKind::Int, FieldValue::Number(number)) => int(number).map(StarCell::Int),
            (ConversionKind::Text, FieldValue::Text(text)) => {
                FieldValue::said(text).map(StarCell::Text)
            }
            (ConversionKind::Bool, FieldValue::Bool(value)) => Ok(StarCell::Bool(value)),
            (ConversionKind::Decimal { precision, scale }, FieldValue::Number(number)) => {
                decimal(number, precision, scale)
            }
            (ConversionKind::Decimal { precision, scale }, FieldValue::Text(text)) => {
                decimal(&FieldValue::said(text)?, precision, scale)
            }
            (ConversionKind::Date, FieldValue::Text(text)) => {
                read_date(&FieldValue::said(text)?).map(StarCell::Int)
            }
            (ConversionKind::Time, FieldValue::Text(text)) => {
                read_time_of_day(&FieldValue::said(text)?).map(StarCell::Long)
            }
            (ConversionKind::DateOfTimestamp, value) => last
                .read(self.field, value)
                .map(|moment| StarCell::Int(moment.date())),
            (ConversionKind::TimeOfTimestamp, value) => last
                .read(self.field, value)
                .map(|moment| StarCell::Long(moment.time())),
            (ConversionKind::CurrencyName(names), FieldValue::Text(text)) => {
                let code = FieldValue::said(text)?;
                let given = names.get(code.as_ref()).map(String::as_str);
                match given.or_else(|| currency::name(&code)) {
                    Some(name) => Ok(StarCell::Text(Cow::Borrowed(name))),
                    None => self.absent(RowRefusal::ColumnNull),
                }
            }
            _ => Err(RowRefusal::WrongType),
        }
    }
}

#[inline]
fn timestamp(value: FieldValue<'_>) -> Result<Timestamp, RowRefusal> {
    match value {
        FieldValue::Missing => Err(RowRefusal::ColumnMissing),
        FieldValue::Null => Err(RowRefusal::ColumnNull),
        FieldValue::Text(text) => Timestamp::from_text(&FieldValue::said(text)?),
        FieldValue::Number(number) => Timestamp::from_milliseconds(number),
        FieldValue::Bool(_) | FieldValue::Nested => Err(RowRefusal::WrongType),
    }
}

/// A whole number, `2.0` too.
#[inline]
fn int(number: &str) -> Result<i32, RowRefusal> {
    if let Ok(plain) = number.parse() {
        return Ok(plain);
    }
    i32::try_from(whole(number)?).map_err(|_| RowRefusal::OutOfRange)
}

#[inline]
fn whole(number: &str) -> Result<i64, RowRefusal> {
    match decimal::read(number, LONG_DIGITS, 0) {
        Ok(whole) => i64::try_from(whole).map_err(|_| RowRefusal::OutOfRange),
        Err(NotHeld::TooLarge { is_exact: true }) => Err(RowRefusal::OutOfRange),
        Err(_) => Err(RowRefusal::WrongType),
    }
}

#[inline]
fn decimal<'a>(number: &str, precision: u8, scale: u8) -> Result<StarCell<'a>, RowRefusal> {
    let unscaled = decimal::read(number, precision, scale).map_err(|why| match why {
        NotHeld::NotANumber => RowRefusal::WrongType,
        NotHeld::TooLarge { .. } => RowRefusal::OutOfRange,
        NotHeld::Inexact => RowRefusal::DecimalInexact,
    })?;
    let out_of_range = |_| RowRefusal::OutOfRange;
    match DecimalWidth::of(precision) {
        DecimalWidth::Int => i32::try_from(unscaled)
            .map(StarCell::Int)
            .map_err(out_of_range),
        DecimalWidth::Long => i64::try_from(unscaled)
            .map(StarCell::Long)
            .map_err(out_of_range),
        DecimalWidth::Wide => Ok(StarCell::Wide(unscaled)),
    }
}

/// What a row is found by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowKey {
    Whole(i64),
    Text(Box<str>),
}

impl RowKey {
    /// None where there is none: it finds nothing.
    pub fn of(value: FieldValue<'_>) -> Result<Option<Self>, RowRefusal> {
        match value {
            FieldValue::Missing | FieldValue::Null => Ok(None),
            FieldValue::Number(number) => Ok(Some(Self::Whole(whole(number)?))),
            FieldValue::Text(text) => {
                let text = FieldValue::said(text)?;
                Ok(Some(Self::Text(text.into())))
            }
            FieldValue::Bool(_) | FieldValue::Nested => Err(RowRefusal::WrongType),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::star_schema::{description::column, fields::FieldNames, rows::Row};

    /// The cell that a column makes of the value of its field `x`; none: it is not there.
    fn cell(column: &str, value: Option<&str>) -> Result<String, RowRefusal> {
        let column = column::read(column).unwrap();
        let names = BTreeMap::from([("EUR".to_owned(), "Our money".to_owned())]);
        let conversion = Conversion::new(&column, 0, &names);
        let text = value.map_or("{}".to_owned(), |value| format!(r#"{{"x":{value}}}"#));
        let mut values = Vec::new();
        let mut fields = FieldNames::new(vec!["x".to_owned()]);
        let row = Row {
            number: 1,
            text: Ok(&text),
            names: None,
        };
        fields.read(&row, &mut values).unwrap();
        let cell = conversion.cell(&values, &mut LastTimestamp::default());
        cell.map(|cell| format!("{cell:?}")).map_err(|why| {
            assert_eq!(why.field, Some(0));
            why.reason
        })
    }

    #[track_caller]
    fn check(column: &str, value: &str, expected: Result<&str, RowRefusal>) {
        let cell = cell(column, Some(value));
        assert_eq!(
            cell.as_deref().map_err(|why| *why),
            expected,
            "{value} as `{column}`"
        );
    }

    use RowRefusal::{
        ColumnMissing, ColumnNull, DateUnreadable, DecimalInexact, OutOfRange, TimestampUnreadable,
        WrongType,
    };

    #[test]
    fn an_int_is_a_whole_number_of_32_bits() {
        for (value, expected) in [
            ("0", Ok("Int(0)")),
            ("-0.0", Ok("Int(0)")),
            ("2.0", Ok("Int(2)")),
            ("2e3", Ok("Int(2000)")),
            ("2147483647", Ok("Int(2147483647)")),
            ("-2147483648", Ok("Int(-2147483648)")),
            ("2147483648", Err(OutOfRange)),
            ("-2147483649", Err(OutOfRange)),
            ("1e400", Err(OutOfRange)),
            ("2.5", Err(WrongType)),
            ("99999999999999999999.5", Err(WrongType)),
            (r#""2""#, Err(WrongType)),
            ("true", Err(WrongType)),
            ("[1]", Err(WrongType)),
        ] {
            check("x int", value, expected);
        }
    }

    #[test]
    fn a_text_stays_as_it_is() {
        for (value, expected) in [
            (r#""""#, Ok(r#"Text("")"#)),
            (r#""NULL""#, Ok(r#"Text("NULL")"#)),
            (r#""007""#, Ok(r#"Text("007")"#)),
            (
                r#""a, \"b\", Müller\n""#,
                Ok(r#"Text("a, \"b\", Müller\n")"#),
            ),
            (r#""M\u00fcller\ud83d\ude00""#, Ok(r#"Text("Müller😀")"#)),
            (r#""\ud800""#, Err(WrongType)),
            ("7", Err(WrongType)),
        ] {
            check("x text", value, expected);
        }
    }

    #[test]
    fn a_decimal_is_exact() {
        for (value, expected) in [
            ("3.9", Ok("Long(390)")),
            (r#""3.94""#, Ok("Long(394)")),
            ("99999999.99", Ok("Long(9999999999)")),
            ("100000000", Err(OutOfRange)),
            ("100000000.001", Err(OutOfRange)),
            ("3.945", Err(DecimalInexact)),
            (r#""abc""#, Err(WrongType)),
            (r#""""#, Err(WrongType)),
            ("true", Err(WrongType)),
        ] {
            check("x decimal(10,2)", value, expected);
        }
        check("x decimal(9,2)", "-9999999.99", Ok("Int(-999999999)"));
        check(
            "x decimal(18,0)",
            "999999999999999999",
            Ok("Long(999999999999999999)"),
        );
        check("x decimal(20,1)", "1.5", Ok("Wide(15)"));
    }

    #[test]
    fn dates_and_times_are_numbers() {
        check("x date", r#""1970-01-02""#, Ok("Int(1)"));
        check("x date", r#""1970\u002d01-02""#, Ok("Int(1)"));
        check("x date", r#""2.1.1970""#, Err(DateUnreadable));
        check("x date", r#""1899-12-31""#, Err(OutOfRange));
        check("x date", "1", Err(WrongType));
        check("x time", r#""00:00:01""#, Ok("Long(1000000)"));
        check("x time", r#""1 am""#, Err(TimestampUnreadable));
        check("y date = date(x)", r#""1970-01-02T00:00:01""#, Ok("Int(1)"));
        check(
            "y time = time(x)",
            r#""1970-01-02T00:00:01""#,
            Ok("Long(1000000)"),
        );
        check("y time = time(x)", "86401000", Ok("Long(1000000)"));
        check(
            "y date = date(x)",
            r#""1970-01-02""#,
            Err(TimestampUnreadable),
        );
        check(
            "y date = date(x)",
            r#""2200-01-01T00:00:00""#,
            Err(OutOfRange),
        );
        check("y date = date(x)", "true", Err(WrongType));
    }

    #[test]
    fn a_bool_is_no_number_and_no_text() {
        check("x bool", "true", Ok("Bool(true)"));
        check("x bool", "false", Ok("Bool(false)"));
        check("x bool", "1", Err(WrongType));
        check("x bool", r#""true""#, Err(WrongType));
    }

    #[test]
    fn a_currency_is_named_by_the_file_then_by_iso_4217() {
        let column = "y text = names(x) or 'Unknown'";
        check(column, r#""GBP""#, Ok(r#"Text("Pound Sterling")"#));
        check(column, r#""EUR""#, Ok(r#"Text("Our money")"#));
        check(column, r#""gbp""#, Ok(r#"StandIn("Unknown")"#));
        check(column, "null", Ok(r#"StandIn("Unknown")"#));
        check(column, "826", Err(WrongType));
        check("y text ? = names(x)", r#""XXZ""#, Ok("Null"));
    }

    #[test]
    fn what_is_not_there_is_refused_or_null_or_has_a_text_for_it() {
        for (column, missing, null) in [
            ("x int", Err(ColumnMissing), Err(ColumnNull)),
            ("x int?", Ok("Null"), Ok("Null")),
            (
                "x text or 'none'",
                Ok(r#"StandIn("none")"#),
                Ok(r#"StandIn("none")"#),
            ),
            ("y date = date(x)", Err(ColumnMissing), Err(ColumnNull)),
            ("y date ? = date(x)", Ok("Null"), Ok("Null")),
        ] {
            check(column, "null", null);
            let cell = cell(column, None);
            assert_eq!(cell.as_deref().map_err(|why| *why), missing, "`{column}`");
        }
    }

    #[test]
    fn a_key_is_a_whole_number_or_a_text() {
        let text = Spelled {
            text: "a",
            escaped: false,
        };
        for (value, expected) in [
            (FieldValue::Missing, Ok(None)),
            (FieldValue::Null, Ok(None)),
            (FieldValue::Number("2.0"), Ok(Some(RowKey::Whole(2)))),
            (FieldValue::Number("2.5"), Err(WrongType)),
            (FieldValue::Text(text), Ok(Some(RowKey::Text("a".into())))),
            (FieldValue::Nested, Err(WrongType)),
        ] {
            assert_eq!(RowKey::of(value), expected, "{value:?}");
        }
    }

    use crate::json::Spelled;
}
