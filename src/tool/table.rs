//! Rows under columns, for every command, in whatever width there is. Where columns do not fit beside
//! one another, a row's cells stand one below another, each behind its column's name.

use std::fmt::Write;

use anstyle::Style;
use anyhow::Result;
use unicode_width::UnicodeWidthStr;

use super::terminal::{BOLD, print, width};

const GAP: usize = 2;
/// A text in fewer columns is not read with ease, nor in more.
const TEXT_WIDTH: std::ops::RangeInclusive<usize> = 24..=96;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
    /// Left, in as many lines as it needs: only for the last column.
    Wrapped,
}

#[derive(Debug, Clone)]
pub(super) struct Column {
    name: String,
    side: Side,
    width_min: usize,
}

impl Column {
    pub(super) fn left(name: &str) -> Self {
        Self::of(name, Side::Left)
    }

    pub(super) fn right(name: &str) -> Self {
        Self::of(name, Side::Right)
    }

    /// Takes the room that the others leave, and breaks its texts between words.
    pub(super) fn wrapped(name: &str) -> Self {
        Self::of(name, Side::Wrapped)
    }

    /// Makes columns of several tables stand below one another.
    pub(super) fn at_least(self, width_min: usize) -> Self {
        Self { width_min, ..self }
    }

    fn of(name: &str, side: Side) -> Self {
        Self {
            name: name.to_owned(),
            side,
            width_min: 0,
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Cell {
    text: String,
    style: Style,
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::styled(Style::new(), text)
    }
}

impl Cell {
    pub(super) fn styled(style: Style, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { text, style }
    }

    fn width(&self) -> usize {
        self.text.width()
    }
}

#[derive(Debug, Clone)]
enum Row {
    Heading(String),
    Cells(Vec<Cell>),
}

#[derive(Debug, Clone)]
pub(super) struct Table {
    columns: Vec<Column>,
    rows: Vec<Row>,
}

impl Table {
    pub(super) fn new(columns: impl Into<Vec<Column>>) -> Self {
        Self {
            columns: columns.into(),
            rows: Vec::new(),
        }
    }

    /// Names and their values.
    pub(super) fn of_values(name_width_min: usize) -> Self {
        Self::new([
            Column::left("").at_least(name_width_min),
            Column::wrapped(""),
        ])
    }

    /// A cell a column; one without text is left free.
    pub(super) fn row(&mut self, cells: impl Into<Vec<Cell>>) {
        self.rows.push(Row::Cells(cells.into()));
    }

    /// A line above the rows that come next.
    pub(super) fn heading(&mut self, text: impl Into<String>) {
        self.rows.push(Row::Heading(text.into()));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn print(&self) -> Result<()> {
        print(self.text(width()))
    }

    fn text(&self, width: usize) -> String {
        let widths = self.widths();
        let mut lines = Lines::default();
        if widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1) > width {
            self.fold(width, &mut lines);
        } else {
            self.spread(&widths, width, &mut lines);
        }
        lines.text
    }

    /// What each column needs at least.
    fn widths(&self) -> Vec<usize> {
        let columns = self.columns.iter().enumerate();
        let widths = columns.map(|(index, column)| {
            let cells = self.cells().filter_map(|cells| cells.get(index));
            let widest = cells.map(Cell::width).fold(column.name.width(), usize::max);
            match column.side {
                Side::Left | Side::Right => widest.max(column.width_min),
                Side::Wrapped => widest.min(*TEXT_WIDTH.start()),
            }
        });
        widths.collect()
    }

    fn cells(&self) -> impl Iterator<Item = &Vec<Cell>> {
        self.rows.iter().filter_map(|row| match row {
            Row::Heading(_) => None,
            Row::Cells(cells) => Some(cells),
        })
    }

    fn spread(&self, widths: &[usize], width: usize, lines: &mut Lines) {
        let names = self.columns.iter().map(|column| &column.name);
        let names: Vec<_> = names.map(|name| Cell::styled(BOLD, name)).collect();
        if names.iter().any(|name| !name.text.is_empty()) {
            self.spread_row(&names, widths, width, lines);
        }
        for row in &self.rows {
            match row {
                Row::Heading(text) => lines.wrap(0, width, &Cell::styled(BOLD, text)),
                Row::Cells(cells) => self.spread_row(cells, widths, width, lines),
            }
            lines.end();
        }
    }

    fn spread_row(&self, cells: &[Cell], widths: &[usize], width: usize, lines: &mut Lines) {
        let mut start = 0;
        for ((cell, column), own_width) in cells.iter().zip(&self.columns).zip(widths) {
            match column.side {
                Side::Left => lines.put(start, cell),
                Side::Right => lines.put(start + own_width - cell.width(), cell),
                Side::Wrapped => lines.wrap(start, width, cell),
            }
            start += own_width + GAP;
        }
        lines.end();
    }

    fn fold(&self, width: usize, lines: &mut Lines) {
        let names = self
            .columns
            .iter()
            .skip(1)
            .map(|column| column.name.width());
        let indent = match names.max() {
            None | Some(0) => GAP,
            Some(widest) => GAP + widest + GAP,
        };
        for row in &self.rows {
            let cells = match row {
                Row::Heading(text) => &vec![Cell::styled(BOLD, text)],
                Row::Cells(cells) => cells,
            };
            for (index, (cell, column)) in cells.iter().zip(&self.columns).enumerate() {
                if cell.text.is_empty() {
                    continue;
                }
                if index == 0 {
                    lines.wrap(0, width, cell);
                } else {
                    lines.put(GAP, &Cell::from(&column.name));
                    lines.wrap(indent, width, cell);
                }
                lines.end();
            }
        }
    }
}

/// Lines as they are written.
#[derive(Default)]
struct Lines {
    text: String,
    /// So many columns the last one has.
    columns: usize,
}

impl Lines {
    fn put(&mut self, start: usize, cell: &Cell) {
        if cell.text.is_empty() {
            return;
        }
        let gap = start.saturating_sub(self.columns);
        let Cell { text, style } = cell;
        // Writing to a `String` cannot fail.
        let _ = write!(self.text, "{:gap$}{style}{text}{style:#}", "");
        self.columns += gap + cell.width();
    }

    fn wrap(&mut self, start: usize, width: usize, cell: &Cell) {
        let room = width.saturating_sub(start);
        let room = match width {
            usize::MAX => room,
            _ => room.clamp(1, *TEXT_WIDTH.end()),
        };
        for (number, line) in wrap(&cell.text, room).into_iter().enumerate() {
            if number > 0 {
                self.end();
            }
            self.put(start, &Cell::styled(cell.style, line));
        }
    }

    /// Nothing where the line has ended already.
    fn end(&mut self) {
        if self.columns > 0 {
            self.text.push('\n');
            self.columns = 0;
        }
    }
}

/// The lines that a text has in so many columns: its own, broken between words. A word that is too
/// long is broken behind folders of a path, or where it must be.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        // An amount is not parted from its dollars.
        for word in paragraph.replace(" $", "\u{a0}$").split(' ') {
            let word = word.replace('\u{a0}', " ");
            if line.is_empty() {
                line = word;
            } else if line.width() + 1 + word.width() > columns {
                lines.extend(pieces(&std::mem::replace(&mut line, word), columns));
            } else {
                line.push(' ');
                line.push_str(&word);
            }
        }
        lines.extend(pieces(&line, columns));
    }
    lines
}

/// A line in pieces that fit.
fn pieces(line: &str, columns: usize) -> Vec<String> {
    if line.width() <= columns {
        return vec![line.to_owned()];
    }
    let mut pieces = vec![String::new()];
    for part in line.split_inclusive('/') {
        let mut encoded = [0; 4];
        let is_long = part.width() > columns;
        let whole = (!is_long).then(|| part.to_owned());
        let characters = part.chars().filter(|_| is_long);
        let characters = characters.map(|character| character.encode_utf8(&mut encoded).to_owned());
        for piece in whole.into_iter().chain(characters) {
            match pieces.last_mut() {
                Some(last) if last.width() + piece.width() <= columns => last.push_str(&piece),
                _ => pieces.push(piece),
            }
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new([
            Column::left("code"),
            Column::right("records"),
            Column::wrapped("stands at"),
        ]);
        table.row([
            "A".into(),
            "1,234".into(),
            "errors/one/of/them:1 and more of it".into(),
        ]);
        table.heading("Others");
        table.row(["日本".into(), "5".into(), Cell::from("")]);
        table
    }

    #[track_caller]
    fn check(width: usize, expected: &[&str]) {
        let text = table().text(width);
        let plain = anstream::adapter::strip_str(&text).to_string();
        assert_eq!(plain.lines().collect::<Vec<_>>(), expected);
        assert!(plain.lines().all(|line| line.width() <= width));
    }

    #[test]
    fn columns_stand_side_by_side_where_they_fit() {
        let rows = [
            "code  records  stands at",
            "A       1,234  errors/one/of/them:1 and more of it",
            "Others",
            "日本        5",
        ];
        check(usize::MAX, &rows);
        check(50, &rows);
        check(
            40,
            &[
                "code  records  stands at",
                "A       1,234  errors/one/of/them:1 and",
                "               more of it",
                "Others",
                "日本        5",
            ],
        );
    }

    #[test]
    fn where_they_do_not_they_stand_below_one_another() {
        check(
            25,
            &[
                "A",
                "  records    1,234",
                "  stands at  errors/one/",
                "             of/them:1",
                "             and more of",
                "             it",
                "Others",
                "日本",
                "  records    5",
            ],
        );
    }

    #[test]
    fn lines_are_broken_between_words_and_within_what_is_too_long() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("one\ntwo", 7), ["one", "two"]);
        assert_eq!(wrap("costs 12 $ now", 9), ["costs", "12 $ now"]);
        assert_eq!(
            wrap("a much/too/long/one", 9),
            ["a", "much/too/", "long/one"]
        );
        assert_eq!(wrap("much-too-long a", 7), ["much-to", "o-long", "a"]);
        assert_eq!(wrap("", 7), [""; 0]);
    }
}
