//! What the star is: its tables, what they are made of, and in which order their packets go. Read
//! from TOML and checked whole; a star that exists can be loaded.

pub(super) mod column;
pub mod currency;
mod model;
mod reading;

use xxhash_rust::xxh3::xxh3_128;

pub use model::{
    Absence, ColumnType, DayOfWeek, Expression, Join, Mistake, Mistakes, Star, StarColumn,
    StarTable, TableKind,
};

/// The star that was asked for.
const BUILT_IN: &str = include_str!("star.toml");

impl Star {
    /// Reads a description; all that is wrong with it at once.
    pub fn parse(text: &str) -> Result<Self, Mistakes> {
        reading::read(text, format!("{:032x}", xxh3_128(text.as_bytes())))
    }

    /// The seven tables that were asked for, and the purchase and payment stars with them.
    pub fn built_in() -> Result<Self, Mistakes> {
        Self::parse(BUILT_IN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> Vec<String> {
        let mistakes = Star::parse(text).unwrap_err();
        mistakes.0.iter().map(Mistake::to_string).collect()
    }

    #[test]
    fn the_built_in_star_is_sound() {
        let star = Star::built_in().unwrap();
        let names: Vec<_> = star
            .tables
            .iter()
            .map(|table| table.name.as_str())
            .collect();
        assert_eq!(
            names,
            [
                "fact_sales_order",
                "dim_date",
                "dim_staff",
                "dim_location",
                "dim_currency",
                "dim_design",
                "dim_counterparty",
                "fact_purchase_order",
                "fact_payment",
                "dim_transaction",
                "dim_payment_type",
            ]
        );
        assert_eq!(
            star.sources,
            [
                "department",
                "staff",
                "address",
                "currency",
                "design",
                "counterparty",
                "transaction",
                "payment_type",
                "sales_order",
                "purchase_order",
                "payment",
            ]
        );
        assert_eq!(star.version_by, "last_updated");
        assert!(star.reads("department") && !star.reads("suppliers"));
        let of = |source| star.dimensions(source).map(|table| table.name.as_str());
        assert_eq!(
            of("address").collect::<Vec<_>>(),
            ["dim_location", "dim_counterparty"]
        );
        assert_eq!(star.facts("payment").count(), 1);
    }

    #[test]
    fn the_hash_is_of_the_text_and_stays() {
        let hash = |text: &str| Star::parse(text).unwrap().hash;
        let text = "[dim_a]\nfrom = 'a'\ncolumns = ['a_id int']";
        assert_eq!(hash(text), "c468cd93dfdf02b0f572b758d8988b82");
        assert_ne!(hash(text), hash(&format!("{text}\n")));
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let text = r#"
            version_by = 1
            names = { EUR = 7 }
            [fact_a]
            from = "a"
            join = { b = "b_id" }
            columns = ["a_id int ?", "b text = b.x or 'none'", "c integer", "d int -> dim_no", 5]
            [dim_b]
            columns = ["b_id int", "B_ID int", "x text = c.x ?"]
            [dim_c]
            from = "c"
            colums = []
            join = "d"
            [dim_date]
            calendar = "us"
            [dim_E]
            from = "e"
            columns = ["e_id int"]
            [other]
            [dim_e]
            from = "e"
            columns = ["e_id int", "f date = date(g)", "h int = g", "i text -> dim_b", "j int -> fact_a"]
        "#;
        let found = mistakes(text);
        for expected in [
            "`version_by` is to be",
            "the name of `EUR` is to be text",
            "fact_a: `join` is not understood",
            "fact_a.a_id: the first column is the key",
            "fact_a.b: a fact is joined with nothing",
            "fact_a.c: `integer` is no type",
            "fact_a.d: `dim_no` is not described",
            "fact_a: line 5 of `columns` is to be text",
            "dim_b: `from` is to be",
            "dim_b.B_ID: it stands twice",
            "dim_b.x: ",
            "dim_c: `colums` is not understood",
            "dim_c: `join` is to be written",
            "dim_c: `columns` is to be a list",
            "dim_date: `calendar` is",
            "dim_e: it stands twice",
            "other: a table's name begins with",
            "dim_e.h: `e.g` is read as int here, and as timestamp in `dim_e`",
            "dim_e.i: the key of `dim_b` is of the type int, not text",
            "dim_e.j: `fact_a` is a fact",
        ] {
            assert!(
                found.iter().any(|mistake| mistake.starts_with(expected)),
                "{expected}: {found:#?}"
            );
        }
    }

    #[test]
    fn what_is_joined_comes_first_and_a_ring_ends() {
        let text = r#"
            [dim_c]
            from = "c"
            join = { b = "b_id" }
            columns = ["c_id int", "x text = b.x or ''"]
            [dim_b]
            from = "b"
            join = { a = "a_id", c = "c_id" }
            columns = ["b_id int", "x text = a.x or ''", "y text? = c.y"]
        "#;
        assert_eq!(Star::parse(text).unwrap().sources, ["a", "b", "c"]);
    }

    #[test]
    fn what_is_no_toml_or_empty_says_so() {
        for (text, expected) in [
            ("[", "it is no TOML"),
            ("", "it describes no table"),
            ("fact_a = 1", "fact_a: "),
        ] {
            let found = mistakes(text);
            assert!(
                found.iter().any(|mistake| mistake.starts_with(expected)),
                "{text}: {found:?}"
            );
        }
    }
}
