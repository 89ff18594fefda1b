//! A whole year of a calendar dimension: a row a day.

use std::{borrow::Cow, io};

use chrono::{Datelike, NaiveDate, Weekday};

use super::{
    columns::StarCell,
    description::{DayOfWeek, StarTable, TableKind},
    table_file::{TableFile, TableWritten},
};

pub const DAY_NAMES: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

pub const MONTH_NAMES: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Writes every day of a year; none where the table is no calendar.
pub fn write_year<W: io::Write + Send>(
    table: &StarTable,
    year: i32,
    sink: W,
) -> io::Result<TableWritten<W>> {
    let mut file = TableFile::new(table, |_| false, sink)?;
    let first = NaiveDate::from_ymd_opt(year, 1, 1);
    if let (TableKind::Calendar(days), Some(first)) = (&table.kind, first) {
        for date in first.iter_days().take_while(|date| date.year() == year) {
            for (column, cell) in day(date, *days).into_iter().enumerate() {
                file.push(column, cell);
            }
            file.keep_row()?;
        }
    }
    file.finish()
}

/// In the order of a calendar's columns.
fn day(date: NaiveDate, days: DayOfWeek) -> [StarCell<'static>; 8] {
    let number = |number: u32| StarCell::Int(number.cast_signed());
    let name = |names: &[&'static str], index: u32| {
        let name = names.get(index as usize).copied().unwrap_or_default();
        StarCell::Text(Cow::Borrowed(name))
    };
    [
        StarCell::Int(date.to_epoch_days()),
        StarCell::Int(date.year()),
        number(date.month()),
        number(date.day()),
        number(days.number(date.weekday())),
        name(&DAY_NAMES, date.weekday().num_days_from_monday()),
        name(&MONTH_NAMES, date.month0()),
        number(date.quarter()),
    ]
}

impl DayOfWeek {
    fn number(self, day: Weekday) -> u32 {
        match self {
            Self::Iso => day.number_from_monday(),
            Self::Monday0 => day.num_days_from_monday(),
            Self::Sunday0 => day.num_days_from_sunday(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::star_schema::description::Star;

    #[test]
    fn a_day_is_described() {
        let date = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
        for (date, expected) in [
            (date(1970, 1, 1), "0 1970 1 1 4 Thursday January 1"),
            (date(2024, 2, 29), "19782 2024 2 29 4 Thursday February 1"),
            (date(2023, 12, 31), "19722 2023 12 31 7 Sunday December 4"),
        ] {
            let cells = day(date, DayOfWeek::Iso).map(|cell| match cell {
                StarCell::Int(number) => number.to_string(),
                StarCell::Text(text) => text.into_owned(),
                other => panic!("{other:?}"),
            });
            assert_eq!(cells.join(" "), expected);
        }
    }

    #[test]
    fn days_are_numbered_as_described() {
        for (days, expected) in [
            (DayOfWeek::Iso, [1, 7]),
            (DayOfWeek::Monday0, [0, 6]),
            (DayOfWeek::Sunday0, [1, 0]),
        ] {
            assert_eq!(
                [Weekday::Mon, Weekday::Sun].map(|day| days.number(day)),
                expected
            );
        }
    }

    #[test]
    fn a_year_is_whole_and_its_bytes_are_always_the_same() {
        let star = Star::built_in().unwrap();
        let table = star.table("dim_date").unwrap();
        let write = |year| write_year(table, year, Vec::new()).unwrap();
        assert_eq!(
            [1900, 2000, 2023, 2024].map(|year| write(year).rows),
            [365, 366, 365, 366]
        );
        assert_eq!(write(2024).sink, write(2024).sink);
        let staff = star.table("dim_staff").unwrap();
        assert_eq!(write_year(staff, 2024, Vec::new()).unwrap().rows, 0);
    }
}
