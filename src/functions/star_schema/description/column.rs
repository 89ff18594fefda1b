//! One line a column, read like DDL.

use super::model::{Absence, ColumnType, Expression, StarColumn};
use crate::functions::star_schema::decimal::PRECISION_MAX;

const SHAPE: &str = "write `name type [?] [= source | date(x) | time(x) | names(x) | \
                     joined.column] [or 'text'] [-> dimension]`";

/// Reads `name type [?] [= source] [or 'text'] [-> dimension]`; else what is wrong with it.
pub(in crate::functions::star_schema) fn read(line: &str) -> Result<StarColumn, String> {
    let mut words = Words(line.trim());
    let name = words.name("a name")?.to_owned();
    let kind = words.kind()?;
    let is_nullable = words.pass("?");
    let source = if words.pass("=") {
        words.expression()?
    } else {
        Expression::Own(name.clone())
    };
    let text = words.stand_in()?;
    let refers_to = if words.pass("->") {
        Some(words.name("a dimension")?.to_owned())
    } else {
        None
    };
    words.finish()?;
    let absence = match (is_nullable, text) {
        (true, Some(_)) => return Err("`?` and `or` are two answers: write one".to_owned()),
        (true, None) => Absence::Null,
        (false, Some(text)) => Absence::Text(text),
        (false, None) => Absence::Refused,
    };
    let column = StarColumn {
        name,
        kind,
        absence,
        source,
        refers_to,
    };
    column.check()?;
    Ok(column)
}

/// The name that a line begins with, for what is said of it.
pub(super) fn name(line: &str) -> String {
    let name = Words(line.trim()).name("a name");
    name.unwrap_or(line).to_owned()
}

impl StarColumn {
    /// Whether its parts go together.
    fn check(&self) -> Result<(), String> {
        let wanted = match self.source {
            Expression::DateOf(_) => Some(("date(…)", ColumnType::Date)),
            Expression::TimeOf(_) => Some(("time(…)", ColumnType::Time)),
            Expression::CurrencyName(_) => Some(("names(…)", ColumnType::Text)),
            Expression::Own(_) | Expression::Joined { .. } => None,
        };
        if let Some((what, kind)) = wanted
            && kind != self.kind
        {
            return Err(format!("{what} is of the type {kind}, not {}", self.kind));
        }
        if matches!(self.absence, Absence::Text(_)) && self.kind != ColumnType::Text {
            return Err(format!(
                "`or` is for text, not for {}: write `?`",
                self.kind
            ));
        }
        let may_find_nothing = match self.source {
            Expression::Joined { .. } => Some("a join"),
            Expression::CurrencyName(_) => Some("names(…)"),
            _ => None,
        };
        match (may_find_nothing, &self.absence) {
            (Some(what), Absence::Refused) => Err(format!(
                "{what} may find nothing: add `?` or, in a text, `or 'Unknown'`"
            )),
            _ => Ok(()),
        }
    }
}

/// What is left of a line.
struct Words<'a>(&'a str);

impl<'a> Words<'a> {
    /// Passes a symbol if it comes next.
    fn pass(&mut self, symbol: &str) -> bool {
        match self.0.strip_prefix(symbol) {
            Some(rest) => {
                self.0 = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, symbol: &str) -> Result<(), String> {
        if self.pass(symbol) {
            Ok(())
        } else {
            Err(self.wanted(&format!("`{symbol}`")))
        }
    }

    fn wanted(&self, what: &str) -> String {
        let rest = if self.0.is_empty() { "its end" } else { self.0 };
        format!("{what} is wanted where `{rest}` stands: {SHAPE}")
    }

    fn name(&mut self, what: &str) -> Result<&'a str, String> {
        let length = self.0.bytes().take_while(|byte| is_of_name(*byte)).count();
        let (name, rest) = self.0.split_at(length);
        if !is_name(name) {
            return Err(self.wanted(what));
        }
        self.0 = rest.trim_start();
        Ok(name)
    }

    fn kind(&mut self) -> Result<ColumnType, String> {
        match self.name("a type")? {
            "int" => Ok(ColumnType::Int),
            "text" => Ok(ColumnType::Text),
            "bool" => Ok(ColumnType::Bool),
            "date" => Ok(ColumnType::Date),
            "time" => Ok(ColumnType::Time),
            "decimal" => self.decimal(),
            other => {
                let types = "int, text, bool, decimal(p,s), date, time";
                Err(format!("`{other}` is no type: write one of {types}"))
            }
        }
    }

    fn decimal(&mut self) -> Result<ColumnType, String> {
        self.expect("(")?;
        let precision = self.number()?;
        self.expect(",")?;
        let scale = self.number()?;
        self.expect(")")?;
        if (1..=PRECISION_MAX).contains(&precision) && scale <= precision {
            Ok(ColumnType::Decimal { precision, scale })
        } else {
            Err(format!(
                "decimal({precision},{scale}) is to have 1 to {PRECISION_MAX} digits, and no more than \
                 all of them behind the point"
            ))
        }
    }

    fn number(&mut self) -> Result<u8, String> {
        let length = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at(length);
        let number = digits.parse().map_err(|_| self.wanted("a number"))?;
        self.0 = rest.trim_start();
        Ok(number)
    }

    fn expression(&mut self) -> Result<Expression, String> {
        let first = self.name("a column of the source")?;
        if self.pass(".") {
            let column = self.name("a column of the joined table")?.to_owned();
            let table = first.to_owned();
            return Ok(Expression::Joined { table, column });
        }
        if !self.pass("(") {
            return Ok(Expression::Own(first.to_owned()));
        }
        let column = self.name("a column of the source")?.to_owned();
        self.expect(")")?;
        match first {
            "date" => Ok(Expression::DateOf(column)),
            "time" => Ok(Expression::TimeOf(column)),
            "names" => Ok(Expression::CurrencyName(column)),
            other => Err(format!(
                "`{other}(…)` is unknown: write date, time or names"
            )),
        }
    }

    /// `or 'text'`, a quote in it doubled.
    fn stand_in(&mut self) -> Result<Option<String>, String> {
        let Some(rest) = self
            .0
            .strip_prefix("or")
            .filter(|rest| !rest.bytes().next().is_some_and(is_of_name))
        else {
            return Ok(None);
        };
        self.0 = rest.trim_start();
        self.expect_quote()?;
        let mut text = String::new();
        loop {
            let (part, rest) = self.0.split_once('\'').ok_or_else(|| self.wanted("`'`"))?;
            text.push_str(part);
            self.0 = rest;
            match rest.strip_prefix('\'') {
                Some(rest) => {
                    text.push('\'');
                    self.0 = rest;
                }
                None => break,
            }
        }
        self.0 = self.0.trim_start();
        Ok(Some(text))
    }

    fn expect_quote(&mut self) -> Result<(), String> {
        match self.0.strip_prefix('\'') {
            Some(rest) => {
                self.0 = rest;
                Ok(())
            }
            None => Err(self.wanted("a text in single quotes")),
        }
    }

    fn finish(self) -> Result<(), String> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(format!("`{}` is not understood: {SHAPE}", self.0))
        }
    }
}

/// Letters, digits and `_`, no digit first.
pub(super) fn is_name(text: &str) -> bool {
    text.bytes().all(is_of_name) && text.starts_with(|first: char| !first.is_ascii_digit())
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, kind: ColumnType, source: Expression) -> StarColumn {
        StarColumn {
            name: name.to_owned(),
            kind,
            absence: Absence::Refused,
            source,
            refers_to: None,
        }
    }

    #[test]
    fn a_column_is_read_like_ddl() {
        let own = |name: &str| Expression::Own(name.to_owned());
        let joined = Expression::Joined {
            table: "d".to_owned(),
            column: "x".to_owned(),
        };
        let refers = |column, to: &str| StarColumn {
            refers_to: Some(to.to_owned()),
            ..column
        };
        let absent = |column, absence| StarColumn { absence, ..column };
        for (line, expected) in [
            ("a int", column("a", ColumnType::Int, own("a"))),
            ("  a  int = b ", column("a", ColumnType::Int, own("b"))),
            ("a bool=b", column("a", ColumnType::Bool, own("b"))),
            (
                "a date = date(b) -> dim_date",
                refers(
                    column("a", ColumnType::Date, Expression::DateOf("b".to_owned())),
                    "dim_date",
                ),
            ),
            (
                "a time = time( b )",
                column("a", ColumnType::Time, Expression::TimeOf("b".to_owned())),
            ),
            (
                "a text?",
                absent(column("a", ColumnType::Text, own("a")), Absence::Null),
            ),
            (
                "a text ?",
                absent(column("a", ColumnType::Text, own("a")), Absence::Null),
            ),
            (
                "a text = d.x or 'it''s, -> ?' -> dim_x",
                refers(
                    absent(
                        column("a", ColumnType::Text, joined),
                        Absence::Text("it's, -> ?".to_owned()),
                    ),
                    "dim_x",
                ),
            ),
            (
                "a text = order",
                column("a", ColumnType::Text, own("order")),
            ),
            (
                "a decimal( 38 , 0 )",
                column(
                    "a",
                    ColumnType::Decimal {
                        precision: 38,
                        scale: 0,
                    },
                    own("a"),
                ),
            ),
        ] {
            assert_eq!(read(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn what_is_no_column_says_what_to_write() {
        for (line, expected) in [
            ("", "a name is wanted where `its end`"),
            ("1a int", "a name is wanted"),
            ("ä int", "a name is wanted"),
            ("a", "a type is wanted where `its end`"),
            ("a integer", "`integer` is no type: write one of int, text"),
            ("a decimal", "`(` is wanted"),
            ("a decimal(10)", "`,` is wanted"),
            ("a decimal(39,2)", "is to have 1 to 38 digits"),
            (
                "a decimal(2,3)",
                "no more than all of them behind the point",
            ),
            ("a decimal(999,2)", "a number is wanted"),
            ("a int =", "a column of the source is wanted"),
            ("a int = lower(b)", "`lower(…)` is unknown"),
            ("a int = b + 1", "`+ 1` is not understood"),
            ("a int = d.", "a column of the joined table"),
            ("a text or x", "a text in single quotes"),
            ("a text or 'x", "`'` is wanted"),
            ("a text ? or 'x'", "two answers"),
            ("a int or '0'", "`or` is for text"),
            ("a int ->", "a dimension is wanted"),
            ("a int -> dim_a dim_b", "`dim_b` is not understood"),
            ("a int = date(b)", "is of the type date, not int"),
            ("a text = names(b)", "names(…) may find nothing"),
            ("a text = d.b", "a join may find nothing"),
        ] {
            let message = read(line).unwrap_err();
            assert!(message.contains(expected), "`{line}`: {message}");
        }
    }
}
