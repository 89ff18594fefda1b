//! The complete rows of a dimension's keys that a packet touches, its joins looked up.

use std::{collections::BTreeMap, io};

use super::{
    columns::{Conversion, LastTimestamp, RowKey},
    description::{Join, Star, StarTable},
    fields::{FieldNames, FieldValue, RefusedRow},
    reference::newest::{KeyedRows, Reference},
    rows::Row,
    source::{self, Places},
    table_file::{TableFile, TableWritten},
};

/// What a packet brought: the rows of its own source table.
#[derive(Debug, Clone, Copy)]
pub struct Touching<'r> {
    pub source: &'r str,
    pub rows: &'r Reference,
}

/// Writes a row for each key that the packet touches, in the order of the keys: as its own, or
/// through what is joined.
///
/// `state` has for each source of the table all that is known, this packet's rows merged in. Where
/// the table has no joins, that is the packet's own rows.
pub fn write_touched<W: io::Write + Send>(
    star: &Star,
    table: &StarTable,
    packet: Touching<'_>,
    state: &BTreeMap<&str, &Reference>,
    sink: W,
) -> io::Result<TableWritten<W>> {
    let mut file = TableFile::new(table, |name| star.is_calendar(name), sink)?;
    let mut making = Making::new(star, table, packet, state);
    for (key, row) in making.own.into_iter().flat_map(KeyedRows::iter) {
        making.write(key, &row, &mut file)?;
    }
    file.finish()
}

/// A row that was folded and is none any more.
fn broken(_: RefusedRow) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "a row that was folded is of another description",
    )
}

/// A dimension's rows being made.
struct Making<'s, 'r> {
    own: Option<&'r KeyedRows>,
    names: FieldNames,
    /// What the packet has of the dimension's own source.
    touched: Option<&'r KeyedRows>,
    joined: Vec<Joined<'r>>,
    columns: Vec<(Origin, Conversion<'s>)>,
}

/// A joined table.
struct Joined<'r> {
    /// Where the own row says which row it is.
    field: usize,
    rows: Option<&'r KeyedRows>,
    touched: Option<&'r KeyedRows>,
    names: FieldNames,
}

/// Whose row a column is made of.
#[derive(Clone, Copy)]
enum Origin {
    Own,
    /// Of the joined tables, the one at this place.
    Joined(usize),
}

impl<'s, 'r> Making<'s, 'r> {
    fn new(
        star: &'s Star,
        table: &'s StarTable,
        packet: Touching<'r>,
        state: &BTreeMap<&str, &'r Reference>,
    ) -> Self {
        let rows = |source: &str, column: &str| state.get(source).and_then(|of| of.by(column));
        let touched = |source: &str, column: &str| {
            (packet.source == source)
                .then(|| packet.rows.by(column))
                .flatten()
        };
        let (source, key) = (
            table.source().unwrap_or_default(),
            table.key().unwrap_or_default(),
        );
        let mut own = Places::default();
        let mut others: Vec<_> = table.joins().iter().map(|_| Places::default()).collect();
        let columns = table.columns.iter().filter_map(|column| {
            let of_own = own.own(star, column).map(|column| (Origin::Own, column));
            of_own.or_else(|| {
                let mut joins = table.joins().iter().zip(&mut others).enumerate();
                joins.find_map(|(index, (join, places))| {
                    let column = places.joined(star, column, &join.table)?;
                    Some((Origin::Joined(index), column))
                })
            })
        });
        let columns = columns.collect();
        let joined = |(join, places): (&Join, Places)| Joined {
            field: own.of(&join.column),
            rows: rows(&join.table, &join.key()),
            touched: touched(&join.table, &join.key()),
            names: places.names(),
        };
        let joined = table.joins().iter().zip(others).map(joined).collect();
        Self {
            own: rows(source, key),
            touched: touched(source, key),
            names: own.names(),
            joined,
            columns,
        }
    }

    /// Writes one row, if the packet touches it.
    fn write<W: io::Write + Send>(
        &mut self,
        key: &RowKey,
        row: &Row<'r>,
        file: &mut TableFile<W>,
    ) -> io::Result<()> {
        let mut is_touched = self.touched.is_some_and(|rows| rows.holds(key));
        if !is_touched && self.joined.iter().all(|joined| joined.touched.is_none()) {
            return Ok(());
        }
        let own = read(&mut self.names, row).map_err(broken)?;
        let mut others = Vec::with_capacity(self.joined.len());
        for joined in &mut self.joined {
            let key = source::key(&own, joined.field).map_err(broken)?;
            let key = key.as_ref();
            is_touched |= find(joined.touched, key).is_some();
            let row = find(joined.rows, key);
            let values = row.map(|row| read(&mut joined.names, &row)).transpose();
            others.push(values.map_err(broken)?.unwrap_or_default());
        }
        if is_touched {
            self.push(&own, &others, file).map_err(broken)?;
            file.keep_row()?;
        }
        Ok(())
    }

    fn push<W: io::Write + Send>(
        &self,
        own: &[FieldValue<'_>],
        others: &[Vec<FieldValue<'_>>],
        file: &mut TableFile<W>,
    ) -> Result<(), RefusedRow> {
        let mut last = LastTimestamp::default();
        for (index, (origin, column)) in self.columns.iter().enumerate() {
            let cell = match origin {
                Origin::Own => column.cell(own, &mut last)?,
                Origin::Joined(join) => {
                    let values = others.get(*join).map_or(&[][..], Vec::as_slice);
                    column.cell(values, &mut LastTimestamp::default())?
                }
            };
            file.push(index, cell);
        }
        Ok(())
    }
}

fn read<'r>(names: &mut FieldNames, row: &Row<'r>) -> Result<Vec<FieldValue<'r>>, RefusedRow> {
    let mut values = Vec::new();
    names.read(row, &mut values)?;
    Ok(values)
}

fn find<'r>(rows: Option<&'r KeyedRows>, key: Option<&RowKey>) -> Option<Row<'r>> {
    rows?.get(key?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::star_schema::{
        reference::{Folding, read_checkpoint},
        table_file::read_back,
    };

    const STAR: &str = r#"
        [dim_staff]
        from = "staff"
        join = { department = "department_id", office = "seat" }
        columns = [
            "staff_id int",
            "name text",
            "department text = department.name or 'Unknown'",
            "floor int? = office.floor",
            "boss text? = boss_name",
        ]
    "#;

    /// Everything that is known of some sources.
    #[derive(Default)]
    struct World(BTreeMap<&'static str, Reference>);

    fn fold(source: &str, packet: u64, lines: &str) -> Reference {
        let star = Star::parse(STAR).unwrap();
        let mut folding = Folding::of_packet(&star, source, packet);
        folding.feed(lines.as_bytes()).unwrap();
        folding.finish().unwrap()
    }

    impl World {
        /// The rows that are written when a packet comes.
        fn come(&mut self, source: &'static str, packet: u64, lines: &str) -> Vec<String> {
            let rows = fold(source, packet, lines);
            self.0.entry(source).or_default().merge(rows.clone());
            let star = Star::parse(STAR).unwrap();
            let state = self.0.iter().map(|(name, rows)| (*name, rows)).collect();
            let touching = Touching {
                source,
                rows: &rows,
            };
            let table = star.table("dim_staff").unwrap();
            let written = write_touched(&star, table, touching, &state, Vec::new()).unwrap();
            let rows = read_back(&written.sink);
            assert_eq!(written.rows, rows.len() as u64);
            let unknown = rows.iter().filter(|row| row.contains("Unknown")).count();
            assert_eq!(written.stand_ins, unknown as u64);
            rows
        }
    }

    fn staff(id: u32, name: &str, department: &str, version: u32) -> String {
        format!(
            r#"{{"staff_id":{id},"name":"{name}","department_id":{department},"seat":null,"last_updated":{version}}}"#
        )
    }

    fn department(id: u32, name: &str, version: u32) -> String {
        format!(r#"{{"department_id":{id},"name":{name},"last_updated":{version}}}"#)
    }

    fn row(id: u32, name: &str, department: &str) -> String {
        format!(
            r#"staff_id: {id}, name: "{name}", department: "{department}", floor: null, boss: null"#
        )
    }

    #[test]
    fn what_comes_later_is_written_again_complete() {
        let mut world = World::default();
        let both = format!("{}\n{}", staff(2, "B", "7", 1), staff(1, "A", "null", 1));
        assert_eq!(
            world.come("staff", 1, &both),
            [row(1, "A", "Unknown"), row(2, "B", "Unknown")]
        );
        assert_eq!(
            world.come("department", 1, &department(7, "\"Sales\"", 1)),
            [row(2, "B", "Sales")]
        );
        assert_eq!(
            world.come("department", 2, &department(8, "\"Legal\"", 1)),
            [""; 0]
        );
        assert_eq!(
            world.come("staff", 2, &staff(1, "A", "8", 2)),
            [row(1, "A", "Legal")]
        );
        assert_eq!(
            world.come("department", 3, &department(8, "null", 2)),
            [row(1, "A", "Unknown")]
        );
        let floor = r#"{"office_id":"x","floor":3,"last_updated":0}"#;
        assert_eq!(world.come("office", 1, floor), [""; 0]);
        let seated = staff(3, "C", "7", 1).replace("\"seat\":null", "\"seat\":\"x\"");
        let expected = row(3, "C", "Sales").replace("floor: null", "floor: 3");
        assert_eq!(world.come("staff", 3, &seated), [expected]);
    }

    #[test]
    fn the_newest_row_is_by_version_then_packet_then_line() {
        let mut world = World::default();
        let twice = format!(
            "{}\n{}",
            staff(1, "early", "null", 5),
            staff(1, "late", "null", 5)
        );
        assert_eq!(world.come("staff", 2, &twice), [row(1, "late", "Unknown")]);
        assert_eq!(
            world.come("staff", 1, &staff(1, "older packet", "null", 5)),
            [row(1, "late", "Unknown")]
        );
        assert_eq!(
            world.come("staff", 3, &staff(1, "older", "null", 4)),
            [row(1, "late", "Unknown")]
        );
        assert_eq!(
            world.come("staff", 4, &staff(1, "newer packet", "null", 5)),
            [row(1, "newer packet", "Unknown")]
        );
    }

    #[test]
    fn in_which_order_packets_are_folded_does_not_matter() {
        let packets = [
            fold("staff", 1, &staff(1, "A", "1", 1)),
            fold(
                "staff",
                2,
                &format!("{}\n{}", staff(1, "B", "1", 2), staff(2, "C", "1", 1)),
            ),
            fold("staff", 3, &staff(1, "D", "1", 2)),
        ];
        let merged = |order: [usize; 4]| {
            let mut all = Reference::default();
            for index in order {
                all.merge(packets[index].clone());
            }
            all
        };
        assert_eq!(merged([0, 1, 2, 2]), merged([2, 0, 1, 0]));
        assert_eq!(merged([0, 1, 2, 2]), merged([1, 2, 1, 0]));
    }

    #[test]
    fn a_refused_row_is_nowhere() {
        let lines = format!(
            "{}\nx\n{}",
            staff(1, "A", "true", 9),
            staff(1, "B", "1.5", 9)
        );
        assert_eq!(fold("staff", 1, &lines), Reference::default());
        for keyless in [
            r#"{"name":"a","last_updated":1}"#,
            r#"{"department_id":null,"name":"a","last_updated":1}"#,
        ] {
            assert_eq!(fold("department", 1, keyless), Reference::default());
        }
    }

    #[test]
    fn a_checkpoint_says_what_was_folded() {
        let star = Star::parse(STAR).unwrap();
        let lines = format!(
            "{}\n{}",
            staff(1, "A \\u00e4\\\"", "1.0", 1),
            staff(2, "B", "null", 2)
        );
        let folded = fold("staff", 3, &lines);
        let mut checkpoint = Vec::new();
        folded.write_checkpoint(&mut checkpoint).unwrap();
        assert_eq!(read_checkpoint(&star, "staff", &checkpoint), Ok(folded));
        assert_eq!(
            read_checkpoint(&star, "staff", b""),
            Ok(Reference::default())
        );
        let text = String::from_utf8(checkpoint).unwrap();
        for stale in [
            text.replace("\"boss_name\":null", "\"other\":null"),
            text.replace("\"by\":\"staff_id\"", "\"by\":\"name\""),
            text.replace("\"name\":\"B\"", "\"name\":3"),
            text.replace("}}", "}"),
            "x".to_owned(),
        ] {
            assert!(
                read_checkpoint(&star, "staff", stale.as_bytes()).is_err(),
                "{stale}"
            );
        }
    }
}
