//! What packets are called, and what is written of them: each name is a function of the packet.

use std::fmt;

use super::timestamp::Timestamp;

/// Ids have eight digits in names, so that names are in the order of ids.
pub const ID_MAX: u64 = 99_999_999;

/// Stands where a packet has no time that can be read.
const NO_TIME: &str = "00000000T000000000000";

/// A packet of a source table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Packet {
    pub table: String,
    pub id: u64,
}

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "packet {} of {}", self.id, self.table)
    }
}

impl Packet {
    /// Of which packet an object is, by its key: `…/{table}_{id}_{timestamp}.jsonl`, or
    /// `…/{table}_packet_{id}_{timestamp}.jsonl`, `.gz` too.
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        let name = key.rsplit('/').next()?;
        let name = name.strip_suffix(".gz").unwrap_or(name);
        let (name, _) = name.strip_suffix(".jsonl")?.rsplit_once('_')?;
        let (table, id) = name.rsplit_once('_')?;
        let table = table.strip_suffix("_packet").unwrap_or(table);
        Some(Self {
            table: (!table.is_empty()).then(|| table.to_owned())?,
            id: read_id(id)?,
        })
    }

    #[must_use]
    pub fn receipt_key(&self) -> String {
        format!("{}{:08}.json", receipts_prefix(&self.table), self.id)
    }

    #[must_use]
    pub fn refused_key(&self, newest: Option<Timestamp>) -> String {
        let Self { table, id } = self;
        let time = time(newest);
        format!("refused/{table}/{table}_{id:08}_refused_{time}.jsonl")
    }
}

/// Before the ids of a table's packets that are loaded.
#[must_use]
pub fn receipts_prefix(table: &str) -> String {
    format!("packets/{table}/")
}

/// Before the ids of a source table's checkpoints.
#[must_use]
pub fn checkpoints_prefix(table: &str) -> String {
    format!("reference/{table}/")
}

#[must_use]
pub fn checkpoint_key(table: &str, id: u64) -> String {
    format!("{}{id:08}.jsonl", checkpoints_prefix(table))
}

/// The id in a receipt's or a checkpoint's key.
#[must_use]
pub fn id_of(key: &str) -> Option<u64> {
    read_id(key.rsplit('/').next()?.split('.').next()?)
}

/// A star table's file of this number.
#[must_use]
pub fn file_key(star_table: &str, number: u64, newest: Option<Timestamp>) -> String {
    format!(
        "{}{}.parquet",
        files_prefix(star_table, number),
        time(newest)
    )
}

/// A calendar's file of this year.
#[must_use]
pub fn year_key(calendar: &str, year: i32) -> String {
    let number = u64::try_from(year).unwrap_or_default();
    format!(
        "{}{year:04}1231T000000000000.parquet",
        files_prefix(calendar, number)
    )
}

/// Before the times of a star table's files of this number.
#[must_use]
pub fn files_prefix(star_table: &str, number: u64) -> String {
    format!("{star_table}/{star_table}_{number:08}_processed_")
}

/// The number of a star table's file; none of what is not named as one.
#[must_use]
pub fn number_of(star_table: &str, key: &str) -> Option<u64> {
    let (folder, name) = key.split_once('/')?;
    let name = name.strip_prefix(star_table)?.strip_prefix('_')?;
    let (number, _) = name.split_once('_')?;
    read_id(number).filter(|_| folder == star_table)
}

fn read_id(digits: &str) -> Option<u64> {
    let are_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let id = digits.parse().ok().filter(|_| are_digits)?;
    (id <= ID_MAX).then_some(id)
}

fn time(newest: Option<Timestamp>) -> String {
    newest.map_or_else(|| NO_TIME.to_owned(), Timestamp::in_file_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_known_by_its_key() {
        #[track_caller]
        fn check(key: &str, expected: Option<(&str, u64)>) {
            let packet = Packet::of_key(key);
            let packet = packet
                .as_ref()
                .map(|packet| (packet.table.as_str(), packet.id));
            assert_eq!(packet, expected, "{key}");
        }
        check(
            "2024/11/20/sales_order_12_20241120T101112.jsonl",
            Some(("sales_order", 12)),
        );
        check("staff_1_x.jsonl.gz", Some(("staff", 1)));
        check(
            "a/b/staff_packet_00000007_2024-11-20T10:11:12.5.jsonl",
            Some(("staff", 7)),
        );
        check(
            "payment_type_99999999_.jsonl",
            Some(("payment_type", 99_999_999)),
        );
        check("staff_0_x.jsonl", Some(("staff", 0)));
        for key in [
            "",
            "staff.jsonl",
            "staff_1.jsonl",
            "staff_1_x.json",
            "staff_one_x.jsonl",
            "_1_x.jsonl",
            "staff_+1_x.jsonl",
            "staff_100000000_x.jsonl",
            "staff_1_x_.jsonl",
            "staff_1_x.jsonl/",
            "staff__x.jsonl",
            "staff_1_x.jsonl.gz.gz",
        ] {
            check(key, None);
        }
    }

    #[test]
    fn names_are_functions_of_the_packet() {
        let packet = Packet {
            table: "sales_order".to_owned(),
            id: 3,
        };
        let newest = Timestamp::from_text("2024-11-15 15:34:34.000045").ok();
        assert_eq!(packet.receipt_key(), "packets/sales_order/00000003.json");
        assert_eq!(
            packet.refused_key(newest),
            "refused/sales_order/sales_order_00000003_refused_20241115T153434000045.jsonl"
        );
        assert_eq!(
            packet.refused_key(None),
            "refused/sales_order/sales_order_00000003_refused_00000000T000000000000.jsonl"
        );
        assert_eq!(
            file_key("fact_sales_order", 3, newest),
            "fact_sales_order/fact_sales_order_00000003_processed_20241115T153434000045.parquet"
        );
        assert_eq!(
            year_key("dim_date", 2024),
            "dim_date/dim_date_00002024_processed_20241231T000000000000.parquet"
        );
        let file = file_key("dim_staff", 7, newest);
        assert_eq!(number_of("dim_staff", &file), Some(7));
        assert_eq!(number_of("dim_staff", "dim_staff/notes.txt"), None);
        assert_eq!(number_of("dim", &file), None);
        assert_eq!(id_of(&packet.receipt_key()), Some(3));
        assert_eq!(id_of(&checkpoint_key("staff", 40)), Some(40));
    }
}
