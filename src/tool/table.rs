//! Rows under columns, for every command, in whatever width there is. Where they do not fit beside
//! one another, the first stands above the others, or all stand one below another, each behind its
//! column's name. A word is never broken: somebody may copy it.

use std::fmt::Write;

use anstyle::Style;
use anyhow::Result;
use unicode_width::UnicodeWidthStr;

use super::{
    line_breaks::wrap,
    terminal::{BOLD, print, width},
};

const GAP: usize = 2;
/// What does not fit beside the columns before it stands so far in, below them.
const INDENT: usize = 2 * GAP;
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

    pub(super) fn text(&self, width: Option<usize>) -> String {
        let widths = self.widths();
        let mut lines = TextLines {
            width,
            text: String::new(),
            columns: 0,
        };
        let fit = |start: usize, widths: &[usize]| {
            let least = start + widths.iter().map(|width| width + GAP).sum::<usize>();
            width.is_none_or(|width| least <= width + GAP)
        };
        match widths.as_slice() {
            all if fit(0, all) => self.spread(all, &mut lines),
            [others @ .., _] if self.ends_without_name() && fit(0, others) => {
                self.spread(&widths, &mut lines);
            }
            [_, others @ ..] if fit(GAP, others) => self.stack(others, &mut lines),
            _ => self.fold(&mut lines),
        }
        lines.text
    }

    /// What stands there needs no column: it can stand below its row.
    fn ends_without_name(&self) -> bool {
        let last = self.columns.last();
        last.is_some_and(|last| {
            last.name.is_empty() && matches!(last.side, Side::Prose | Side::Value)
        })
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
        for row in [self.names()].iter().chain(&self.rows) {
            match row.as_slice() {
                [heading] => lines.wrap(0, WIDTH_READ, heading),
                cells => lines.spread(0, cells, &self.columns, widths),
            }
        }
    }

    /// The first column above the others.
    fn stack(&self, widths: &[usize], lines: &mut TextLines) {
        let columns = self.columns.get(1..).unwrap_or_default();
        for row in [self.names()].iter().chain(&self.rows) {
            if let [first, others @ ..] = row.as_slice() {
                lines.put(0, first);
                lines.end();
                lines.spread(GAP, others, columns, widths);
            }
        }
    }

    fn names(&self) -> Vec<Cell> {
        let names = self.columns.iter().map(|column| &column.name);
        names.map(|name| Cell::styled(BOLD, name)).collect()
    }

    fn fold(&self, lines: &mut TextLines) {
        let names = self.columns.iter().skip(1).map(|column| &column.name);
        let indent = match names.map(|name| name.width()).max() {
            None | Some(0) => GAP,
            Some(widest) => GAP + widest + GAP,
        };
        for row in &self.rows {
            let mut cells = row.iter().zip(&self.columns);
            if let Some((cell, Column { name, .. })) = cells.next()
                && !cell.text.is_empty()
            {
                let text = if name.is_empty() || row.len() == 1 {
                    cell.text.clone()
                } else {
                    format!("{name}: {}", cell.text)
                };
                lines.wrap(0, usize::MAX, &Cell::styled(cell.style, text));
            }
            for (cell, column) in cells.filter(|(cell, _)| !cell.text.is_empty()) {
                lines.put(GAP, &Cell::from(&column.name));
                match column.side {
                    Side::Left | Side::Right => lines.whole(indent, cell),
                    Side::Prose | Side::Value => lines.wrap(indent, usize::MAX, cell),
                }
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

    /// Side by side; what is said last may need more lines.
    fn spread(&mut self, mut start: usize, cells: &[Cell], columns: &[Column], widths: &[usize]) {
        for ((cell, column), own_width) in cells.iter().zip(columns).zip(widths) {
            match column.side {
                Side::Left => self.put(start, cell),
                Side::Right => self.put(start + own_width - cell.width(), cell),
                Side::Prose => self.wrap(start, WIDTH_READ, cell),
                Side::Value => self.wrap(start, usize::MAX, cell),
            }
            start += own_width + GAP;
        }
        self.end();
    }

    /// Ends the line.
    fn wrap(&mut self, mut start: usize, width_max: usize, cell: &Cell) {
        let room = |start: usize, width: usize| width.saturating_sub(start).max(1);
        let room = match self.width {
            Some(width) => {
                if !fits(&cell.text, room(start, width)) {
                    self.end();
                    start = start.min(INDENT);
                }
                room(start, width.min(width_max))
            }
            None => room(start, width_max).max(TEXT_WIDTH_MIN),
        };
        for line in wrap(&cell.text, room) {
            self.put(start, &Cell::styled(cell.style, line));
            self.end();
        }
    }

    /// Ends the line, and breaks nothing: somebody may copy it.
    fn whole(&mut self, mut start: usize, cell: &Cell) {
        if self.width.is_some_and(|width| start + cell.width() > width) {
            self.end();
            start = start.min(INDENT);
        }
        self.put(start, cell);
        self.end();
    }

    /// Nothing where the line has ended already.
    fn end(&mut self) {
        if self.columns > 0 {
            self.text.push('\n');
            self.columns = 0;
        }
    }
}

/// Whether a text is read with ease in so many columns.
fn fits(text: &str, columns: usize) -> bool {
    let mut words = text.split([' ', '\n']).map(UnicodeWidthStr::width);
    let is_narrow = columns < TEXT_WIDTH_MIN && text.width() > columns;
    !is_narrow && words.all(|width| width <= columns)
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
    fn where_they_do_not_the_first_stands_above_or_all_below_one_another() {
        let stacked = [
            "code",
            "  records  stands at",
            "A",
            "    1,234  errors/one/of/them:1 and",
            "           more of it",
            "Others",
            "日本",
            "        5",
        ];
        check(Some(36), &stacked);
        let folded = [
            "code: A",
            "  records    1,234",
            "  stands at",
            "    errors/one/of/them:1",
            "    and more of it",
            "Others",
            "code: 日本",
            "  records    5",
        ];
        check(Some(25), &folded);
    }

    #[test]
    fn what_has_no_name_and_no_room_stands_below_and_whole() {
        let mut table = Table::new([Column::left(""), Column::right(""), Column::value("")]);
        table.row(["records".into(), "5,142".into(), "in 0.7 s".into()]);
        table.row([
            "  refused".into(),
            "9".into(),
            "first at here/a.jsonl:803".into(),
        ]);
        table.row([
            "lake".into(),
            Cell::from(""),
            "/folders/of/a/lake/somewhere".into(),
        ]);
        let expected = [
            "records    5,142  in 0.7 s",
            "  refused      9",
            "    first at here/a.jsonl:803",
            "lake",
            "    /folders/of/a/lake/somewhere",
        ];
        let text = table.text(Some(30));
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    }
}
