//! Where the engines' SQL differs. All else is written once.

use super::place::SqlPlace;
use crate::functions::star_schema::description::{ColumnType, DayOfWeek};

/// What an engine reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Athena,
    Duckdb,
    /// `DuckDB`'s, in a project's models, which name each other through dbt.
    Dbt,
    Spark,
}

/// Words that an engine takes for its own where a name stands.
const RESERVED: &str = " all alter analyse analyze and anti any array as asc asof asymmetric at authorization between \
    bigint binary boolean both by case cast check collate collation column concurrently \
    constraint create cross cube current_catalog current_date current_path current_role \
    current_schema current_time current_timestamp current_user date deallocate decimal default \
    deferrable delete desc describe distinct do double drop else end escape except execute \
    exists external extract false fetch filter float for foreign freeze from full function glob \
    grant group grouping having ilike import in initially inner insert int integer intersect \
    interval into is isnull join json_array json_exists json_object json_query json_table \
    json_value lambda lateral leading left like limit listagg local localtime localtimestamp map \
    minus natural normalize not notnull null of offset on only or order outer overlaps partition \
    percent pivot pivot_longer pivot_wider placing positional precision prepare primary \
    procedure qualify range recursive references returning revoke right rollup row rows select \
    semi session_user set show similar skip smallint some start summarize symmetric table \
    tablesample then time timestamp to trailing trim true truncate uescape union unique unnest \
    unpack unpivot update user using values variadic verbose when where window with ";

impl Dialect {
    pub(super) fn identifier(self, name: &str) -> String {
        if !RESERVED.contains(&format!(" {} ", name.to_lowercase())) {
            return name.to_owned();
        }
        match self {
            Self::Spark => format!("`{name}`"),
            Self::Athena | Self::Duckdb | Self::Dbt => format!("\"{name}\""),
        }
    }

    /// Where a table or a view is read.
    pub(super) fn relation(self, name: &str) -> String {
        match self {
            Self::Dbt => format!("{{{{ ref('{name}') }}}}"),
            Self::Athena | Self::Duckdb | Self::Spark => self.identifier(name),
        }
    }

    pub(super) fn literal(self, text: &str) -> String {
        match self {
            Self::Spark => stored_literal(text),
            Self::Dbt => format!("'{}'", text.replace('\'', "''").replace('{', "{{ '{' }}")),
            Self::Athena | Self::Duckdb => format!("'{}'", text.replace('\'', "''")),
        }
    }

    /// What a column of a view is.
    pub(super) fn type_name(self, kind: ColumnType) -> String {
        match (kind, self) {
            (ColumnType::Int, Self::Spark) => "INT".to_owned(),
            (ColumnType::Int, _) => "INTEGER".to_owned(),
            // Spark has a TIME since 4.1, for those who switch it on.
            (ColumnType::Text | ColumnType::Time, Self::Spark) => "STRING".to_owned(),
            (ColumnType::Text, _) => "VARCHAR".to_owned(),
            (ColumnType::Bool, _) => "BOOLEAN".to_owned(),
            (ColumnType::Decimal { precision, scale }, _) => {
                format!("DECIMAL({precision},{scale})")
            }
            (ColumnType::Date, _) => "DATE".to_owned(),
            (ColumnType::Time, Self::Athena) => "TIME(6)".to_owned(),
            (ColumnType::Time, _) => "TIME".to_owned(),
        }
    }

    fn timestamp(self) -> &'static str {
        match self {
            Self::Athena => "TIMESTAMP(6)",
            Self::Duckdb | Self::Dbt => "TIMESTAMP",
            Self::Spark => "TIMESTAMP_NTZ",
        }
    }

    /// A text as a point in time, if it is one.
    pub(super) fn timestamp_of(self, text: &str) -> String {
        format!("TRY_CAST({text} AS {})", self.timestamp())
    }

    pub(super) fn minutes_before(self, minutes: &str, moment: &str) -> String {
        match self {
            Self::Athena => format!("date_add('minute', -({minutes}), {moment})"),
            Self::Duckdb | Self::Dbt => format!("{moment} - to_minutes({minutes})"),
            Self::Spark => format!("timestampadd(MINUTE, -({minutes}), {moment})"),
        }
    }

    /// Of milliseconds since 1970.
    pub(super) fn timestamp_of_milliseconds(self, milliseconds: &str) -> String {
        match self {
            // What `date_add` adds has 32 bits.
            Self::Athena => format!(
                "CAST(from_unixtime_nanos({milliseconds} * 1000000) AT TIME ZONE 'UTC' AS {})",
                self.timestamp()
            ),
            Self::Duckdb | Self::Dbt => {
                format!("TIMESTAMP '1970-01-01 00:00:00' + to_milliseconds({milliseconds})")
            }
            Self::Spark => format!(
                "timestampadd(MILLISECOND, {milliseconds}, TIMESTAMP_NTZ '1970-01-01 00:00:00')"
            ),
        }
    }

    /// The time of day of a point in time.
    pub(super) fn time_of(self, moment: &str) -> String {
        match self {
            // Its cast is a second off before 1970.
            Self::Athena => format!("CAST(substr(CAST({moment} AS VARCHAR), 12) AS TIME(6))"),
            Self::Spark => format!("date_format({moment}, 'HH:mm:ss.SSSSSS')"),
            Self::Duckdb | Self::Dbt => {
                format!("CAST({moment} AS {})", self.type_name(ColumnType::Time))
            }
        }
    }

    /// Of a text that is a time of day.
    pub(super) fn time_of_text(self, text: &str) -> String {
        match self {
            Self::Spark => format!(
                "rpad(concat(substr({text}, 1, 8), '.', \
                 regexp_extract({text}, '[.]([0-9]{{1,6}})', 1)), 15, '0')"
            ),
            _ => format!(
                "TRY_CAST(substr({text}, 1, 15) AS {})",
                self.type_name(ColumnType::Time)
            ),
        }
    }

    /// The time of day that a file of ours holds.
    pub(super) fn time_of_file(self, column: &str) -> String {
        match self {
            Self::Athena => {
                format!("CAST(from_unixtime_nanos({column} * 1000) AT TIME ZONE 'UTC' AS TIME(6))")
            }
            Self::Duckdb | Self::Dbt => column.to_owned(),
            Self::Spark => format!(
                "date_format(timestampadd(MICROSECOND, {column}, \
                 TIMESTAMP_NTZ '1970-01-01 00:00:00'), 'HH:mm:ss.SSSSSS')"
            ),
        }
    }

    pub(super) fn matches(self, text: &str, pattern: &str) -> String {
        let function = match self {
            Self::Athena | Self::Spark => "regexp_like",
            Self::Duckdb | Self::Dbt => "regexp_matches",
        };
        format!("{function}({text}, '{pattern}')")
    }

    /// A member of the row as JSON; null where there is none.
    pub(super) fn json(self, field: &str) -> String {
        match self {
            Self::Athena => format!("json_format(json_extract(packet__row, '$.{field}'))"),
            Self::Duckdb | Self::Dbt => {
                format!("CAST(json_extract(packet__row, '$.{field}') AS VARCHAR)")
            }
            Self::Spark => format!("to_json(variant_get(packet__row, '$.{field}'))"),
        }
    }

    /// A member of the row as text, unquoted.
    pub(super) fn text(self, field: &str) -> String {
        match self {
            Self::Athena => format!("json_extract_scalar(packet__row, '$.{field}')"),
            Self::Duckdb | Self::Dbt => format!("json_extract_string(packet__row, '$.{field}')"),
            Self::Spark => format!("try_variant_get(packet__row, '$.{field}', 'string')"),
        }
    }

    /// Whether a line is an object that can be read.
    pub(super) fn is_row(self) -> &'static str {
        match self {
            Self::Athena => "json_format(packet__row) LIKE '{%'",
            // A row that has a column twice is refused; Spark cannot parse it.
            Self::Duckdb | Self::Dbt => {
                "json_type(packet__row) = 'OBJECT' \
                 AND len(json_keys(packet__row)) = list_unique(json_keys(packet__row))"
            }
            Self::Spark => "schema_of_variant(packet__row) LIKE 'OBJECT%'",
        }
    }

    /// The lines of the packets whose file's name matches: `packet__file`, `packet__row` and what
    /// their order in the file is told by, `packet__order`.
    pub(super) fn lines(self, packets: &SqlPlace, pattern: &str) -> String {
        let file = self.packet_file();
        let is_wanted = self.matches(file, pattern);
        let (row, order, from) = match self {
            Self::Athena => ("try(json_parse(line))", "line", self.relation(LINES)),
            Self::Duckdb | Self::Dbt => (
                "json",
                "row_number() OVER ()",
                format!(
                    "read_json_objects({}, format = 'newline_delimited', \
                     ignore_errors = true, filename = true)",
                    self.glob(packets)
                ),
            ),
            Self::Spark => (
                "try_parse_json(line)",
                "struct(_metadata.file_block_start, monotonically_increasing_id())",
                self.relation(LINES),
            ),
        };
        format!(
            "SELECT {file} AS packet__file, {order} AS packet__order, {row} AS packet__row\n\
             FROM {from}\nWHERE {is_wanted}"
        )
    }

    /// The packets' files: the column that names them, and where it is read.
    pub(super) fn files(self, packets: &SqlPlace) -> (&'static str, String) {
        match self {
            Self::Duckdb | Self::Dbt => ("file", format!("glob({})", self.glob(packets))),
            Self::Athena | Self::Spark => (self.packet_file(), self.relation(LINES)),
        }
    }

    fn packet_file(self) -> &'static str {
        match self {
            Self::Athena => "\"$path\"",
            Self::Duckdb | Self::Dbt => "filename",
            Self::Spark => "_metadata.file_path",
        }
    }

    fn glob(self, packets: &SqlPlace) -> String {
        self.literal(&packets.under("**/*.jsonl*"))
    }

    /// What files of ours are read in the order of, and their rows where the engine knows it.
    pub(super) fn file_order(self) -> &'static [&'static str] {
        match self {
            Self::Athena => &["\"$path\""],
            Self::Duckdb | Self::Dbt => &["packet__file", "file_row_number"],
            Self::Spark => &["_metadata.file_path", "_metadata.row_index"],
        }
    }

    /// Every day of the years that a query has in its column `year`, as `date_id`.
    pub(super) fn days_of(self, years: &str) -> String {
        let day = match self {
            Self::Athena => "day.date_id",
            Self::Duckdb | Self::Dbt => {
                "CAST(unnest(generate_series(make_date(years.year, 1, 1), \
                 make_date(years.year, 12, 31), INTERVAL 1 DAY)) AS DATE)"
            }
            Self::Spark => {
                "explode(sequence(make_date(years.year, 1, 1), \
                 make_date(years.year, 12, 31), INTERVAL 1 DAY))"
            }
        };
        let unnested = match self {
            Self::Athena => {
                "\nCROSS JOIN UNNEST(sequence(\
                 date_add('year', years.year - 1970, DATE '1970-01-01'), \
                 date_add('day', -1, date_add('year', years.year - 1969, DATE '1970-01-01')), \
                 INTERVAL '1' DAY)) AS day (date_id)"
            }
            _ => "",
        };
        format!("SELECT {day} AS date_id\nFROM (\n{years}\n) AS years{unnested}")
    }

    pub(super) fn day_of_week(self, numbered: DayOfWeek) -> String {
        let iso = match self {
            Self::Athena => "CAST(day_of_week(date_id) AS INTEGER)",
            Self::Duckdb | Self::Dbt => "CAST(isodow(date_id) AS INTEGER)",
            Self::Spark => "weekday(date_id) + 1",
        };
        match numbered {
            DayOfWeek::Iso => iso.to_owned(),
            DayOfWeek::Monday0 => format!("{iso} - 1"),
            DayOfWeek::Sunday0 => format!("({iso}) % 7"),
        }
    }
}

/// Every line of every packet, where an engine reads a folder as a table.
pub(super) const LINES: &str = "packet_lines";

/// A text where tables over files are made, as Hive spells it.
pub(super) fn stored_literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// What a column is called in a file of ours, to engines whose tables have no TIME.
pub(super) fn stored_type(kind: ColumnType) -> String {
    match kind {
        ColumnType::Int => "int".to_owned(),
        ColumnType::Text => "string".to_owned(),
        ColumnType::Bool => "boolean".to_owned(),
        ColumnType::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
        ColumnType::Date => "date".to_owned(),
        ColumnType::Time => "bigint".to_owned(),
    }
}
