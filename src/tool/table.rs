//! Rows under columns, for every command, in whatever width there is. Where columns do not fit beside
//! one another, a row's cells stand one below another, each behind its column's name.

use std::fmt::Write;

use anstyle::Style;
use anyhow::Result;
use unicode_width::UnicodeWidthStr;

use super::terminal::{BOLD, print, width};

const GAP: usize = 2;
/// Lines that are longer are not read with ease.
const WIDTH_READ: usize = 100;
/// A text has so many columns at least, or columns do not stand beside one another.
const TEXT_WIDTH_MIN: usize = 24;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
    /// Left, in as many lines as it needs: only for the last column.
    Prose,
    /// The same, but in one line where no terminal asks for more: somebody may look for it.
    Value,
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
    pub(super) fn prose(name: &str) -> Self {
        Self::of(name, Side::Prose)
    }

    pub(super) fn value(name: &str) -> Self {
        Self::of(name, Side::Value)
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
pub(super) struct Table {
    columns: Vec<Column>,
    /// One of a single cell is a heading.
    rows: Vec<Vec<Cell>>,
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
        Self::new([Column::left("").at_least(name_width_min), Column::value("")])
    }

    /// A cell a column; one without text is left free.
    pub(super) fn row(&mut self, cells: impl Into<Vec<Cell>>) {
        self.rows.push(cells.into());
    }

    /// A line above the rows that come next.
    pub(super) fn heading(&mut self, text: impl Into<String>) {
        self.rows.push(vec![Cell::styled(BOLD, text)]);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn print(&self) -> Result<()> {
        print(self.text(width()))
    }

    fn text(&self, width: Option<usize>) -> String {
        let widths = self.widths();
        let least = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
        let mut lines = TextLines {
            width,
            text: String::new(),
            columns: 0,
        };
        if width.is_some_and(|width| least > width) {
            self.fold(&mut lines);
        } else {
            self.spread(&widths, &mut lines);
        }
        lines.text
    }

    /// What each column needs at least.
    fn widths(&self) -> Vec<usize> {
        let columns = self.columns.iter().enumerate();
        let widths = columns.map(|(index, column)| {
            let rows = self.rows.iter().filter(|row| row.len() > 1);
            let texts = rows.filter_map(|row| Some(row.get(index)?.text.as_str()));
            let widest = texts.clone().map(UnicodeWidthStr::width).max();
            let widest = widest.unwrap_or_default().max(column.name.width());
            match column.side {
                Side::Left | Side::Right => widest.max(column.width_min),
                // Where names stand above, a row below another is better than a word in pieces.
                Side::Value if !column.name.is_empty() => {
                    let words = texts.flat_map(str::split_whitespace);
                    words
                        .map(UnicodeWidthStr::width)
                        .fold(TEXT_WIDTH_MIN, usize::max)
                }
                Side::Prose | Side::Value => widest.min(TEXT_WIDTH_MIN),
            }
        });
        widths.collect()
    }

    fn spread(&self, widths: &[usize], lines: &mut TextLines) {
        let names = self.columns.iter().map(|column| &column.name);
        let names: Vec<_> = names.map(|name| Cell::styled(BOLD, name)).collect();
        self.spread_row(&names, widths, lines);
        for row in &self.rows {
            match row.as_slice() {
                [heading] => lines.wrap(0, WIDTH_READ, heading),
                cells => self.spread_row(cells, widths, lines),
            }
        }
    }

    fn spread_row(&self, cells: &[Cell], widths: &[usize], lines: &mut TextLines) {
        let mut start = 0;
        for ((cell, column), own_width) in cells.iter().zip(&self.columns).zip(widths) {
            match column.side {
                Side::Left => lines.put(start, cell),
                Side::Right => lines.put(start + own_width - cell.width(), cell),
                Side::Prose => lines.wrap(start, WIDTH_READ, cell),
                Side::Value => lines.wrap(start, usize::MAX, cell),
            }
            start += own_width + GAP;
        }
        lines.end();
    }

    fn fold(&self, lines: &mut TextLines) {
        let names = self.columns.iter().skip(1).map(|column| &column.name);
        let indent = match names.map(|name| name.width()).max() {
            None | Some(0) => GAP,
            Some(widest) => GAP + widest + GAP,
        };
        for row in &self.rows {
            let mut cells = row.iter().zip(&self.columns);
            if let Some((cell, Column { name, .. })) = cells.next() {
                let text = if name.is_empty() || row.len() == 1 {
                    cell.text.clone()
                } else {
                    format!("{name}: {}", cell.text)
                };
                lines.wrap(0, usize::MAX, &Cell::styled(cell.style, text));
            }
            for (cell, column) in cells.filter(|(cell, _)| !cell.text.is_empty()) {
                lines.put(GAP, &Cell::from(&column.name));
                lines.wrap(indent, usize::MAX, cell);
            }
        }
    }
}

/// Lines as they are written.
struct TextLines {
    /// Of the terminal. A pipe or a file takes lines of any length, but a person may read them.
    width: Option<usize>,
    text: String,
    /// So many columns the last one has.
    columns: usize,
}

impl TextLines {
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

    /// Ends the line.
    fn wrap(&mut self, start: usize, width_max: usize, cell: &Cell) {
        let room = |width: usize| width.saturating_sub(start).max(1);
        let (room, piece_width) = match self.width {
            Some(width) => (room(width.min(width_max)), room(width)),
            None => (room(width_max).max(TEXT_WIDTH_MIN), usize::MAX),
        };
        for line in wrap(&cell.text, room) {
            for piece in pieces(&line, piece_width) {
                self.put(start, &Cell::styled(cell.style, piece));
                self.end();
            }
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

/// The lines that a text has in so many columns: its own, broken between words.
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
                lines.push(std::mem::replace(&mut line, word));
            } else {
                line.push(' ');
                line.push_str(&word);
            }
        }
        lines.push(line);
    }
    lines
}

/// A line whose one word is too long, in pieces that fit: broken behind a path's folders, or where it
/// must be.
fn pieces(line: &str, columns: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut push = |text: &str| match pieces.last_mut() {
        Some(last) if last.width() + text.width() <= columns => last.push_str(text),
        _ => pieces.push(text.to_owned()),
    };
    for part in line.split_inclusive('/') {
        if part.width() <= columns {
            push(part);
        } else {
            let characters = part.chars();
            characters.for_each(|character| push(character.encode_utf8(&mut [0; 4])));
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
            Column::value("stands at"),
        ]);
        let place = "errors/one/of/them:1 and more of it";
        table.row(["A".into(), "1,234".into(), place.into()]);
        table.heading("Others");
        table.row(["日本".into(), "5".into(), Cell::from("")]);
        table
    }

    #[track_caller]
    fn check(width: Option<usize>, expected: &[&str]) {
        let text = table().text(width);
        let plain = anstream::adapter::strip_str(&text).to_string();
        assert_eq!(plain.lines().collect::<Vec<_>>(), expected);
        let widest = plain.lines().map(UnicodeWidthStr::width).max();
        assert!(width.is_none_or(|width| widest <= Some(width)), "{plain}");
    }

    #[test]
    fn columns_stand_side_by_side_where_they_fit() {
        let rows = [
            "code  records  stands at",
            "A       1,234  errors/one/of/them:1 and more of it",
            "Others",
            "日本        5",
        ];
        check(None, &rows);
        check(Some(50), &rows);
        let broken = [
            "code  records  stands at",
            "A       1,234  errors/one/of/them:1 and",
            "               more of it",
            "Others",
            "日本        5",
        ];
        check(Some(40), &broken);
    }

    #[test]
    fn where_they_do_not_they_stand_below_one_another() {
        let folded = [
            "code: A",
            "  records    1,234",
            "  stands at  errors/one/",
            "             of/them:1",
            "             and more of",
            "             it",
            "Others",
            "code: 日本",
            "  records    5",
        ];
        check(Some(25), &folded);
    }

    #[test]
    fn lines_are_broken_between_words_and_within_those_that_are_too_long() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("one\ntwo", 7), ["one", "two"]);
        assert_eq!(wrap("costs 12 $ now", 9), ["costs", "12 $ now"]);
        assert_eq!(wrap("much-too-long a", 7), ["much-too-long", "a"]);
        assert_eq!(wrap("", 7), [""; 0]);
        assert_eq!(pieces("much/too/long/one", 9), ["much/too/", "long/one"]);
        assert_eq!(pieces("much-too-long", 7), ["much-to", "o-long"]);
    }
}
