//! `nozzle star` as a person runs it: the built binary, its files, its words and its exit codes.
#![cfg(feature = "tool")]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs::{self, File},
    io::Write,
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, SystemTime},
};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use support::{
    folder::files,
    place::{Place, stderr},
};

const PACKETS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/packets");

impl Place {
    fn star(&self, arguments: &[&str]) -> Output {
        self.nozzle("star", arguments).output().unwrap()
    }

    /// Loads the folder `packets`, and gives the exit code and the summary.
    #[track_caller]
    fn load(&self, arguments: &[&str]) -> (Option<i32>, Value) {
        let output = self.star(&[&["packets", "--json"], arguments].concat());
        let summary = serde_json::from_slice(&output.stdout);
        (
            output.status.code(),
            summary.unwrap_or_else(|_| panic!("{}", stderr(&output))),
        )
    }

    /// What is wrong with the folder `star`.
    #[track_caller]
    fn check(&self) -> Value {
        let output = self.star(&["check", "--json"]);
        let checked: Value = serde_json::from_slice(&output.stdout).unwrap();
        let holds = checked["holds"].as_bool().unwrap();
        assert_eq!(output.status.code(), Some(i32::from(!holds)), "{checked}");
        checked
    }

    #[track_caller]
    fn check_refused(&self, arguments: &[&str], code: i32, expected: &str) {
        let output = self.star(arguments);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
        assert_eq!(output.stdout, b"", "{arguments:?}");
    }

    fn begin(&self, arguments: &[&str]) -> Child {
        let mut nozzle = self.nozzle("star", arguments);
        nozzle.stdout(Stdio::piped()).stderr(Stdio::piped());
        nozzle.spawn().unwrap()
    }

    /// Everything that readers of the star find, by name.
    fn contents(&self, folder: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let folder = self.path(folder);
        let paths = files(&folder).into_iter();
        let own = |path: &PathBuf| !path.iter().any(|part| part == ".nozzle");
        let content = |path: PathBuf| {
            let bytes = fs::read(&path).unwrap();
            (path.strip_prefix(&folder).unwrap().to_owned(), bytes)
        };
        paths.filter(own).map(content).collect()
    }

    fn packet(&self, table: &str, id: u64, rows: &str) -> String {
        self.write(&format!("packets/{table}_{id}_x.jsonl"), rows)
    }
}

/// With the sample's packets.
fn sample() -> Place {
    let place = Place::new();
    for path in files(Path::new(PACKETS)) {
        let name = Path::new("packets").join(path.strip_prefix(PACKETS).unwrap());
        place.write(name.to_str().unwrap(), fs::read(&path).unwrap());
    }
    place
}

/// With the sample's star.
fn loaded() -> Place {
    let place = sample();
    assert_eq!(place.load(&[]).0, Some(0));
    place
}

fn currency(id: u64) -> String {
    let time = "2026-11-20T10:00:00.5";
    let row = json!({"currency_id": id, "currency_code": "EUR", "created_at": time, "last_updated": time});
    format!("{row}\n")
}

fn wait_until(is_so: impl Fn() -> bool) {
    for _ in 0..6000 {
        if is_so() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("it did not come to that in a minute");
}

fn interrupt(child: &Child) {
    let mut kill = Command::new("kill");
    let sent = kill.args(["-INT", &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

fn modify(path: &Path, time: SystemTime) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(time).unwrap();
}

const HOUR: Duration = Duration::from_hours(1);

#[expect(clippy::disallowed_methods, reason = "files have the real time")]
fn now() -> SystemTime {
    SystemTime::now()
}

#[test]
fn packets_in_every_spelling_become_a_star_that_holds_together() {
    let place = sample();
    let gzip = place.path("packets/2026/11/19/currency_1_20261119T010000.jsonl");
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&fs::read(&gzip).unwrap()).unwrap();
    fs::write(gzip.with_extension("jsonl.gz"), packed.finish().unwrap()).unwrap();
    fs::remove_file(gzip).unwrap();

    let (code, summary) = place.load(&[]);
    assert_eq!(code, Some(0), "{summary}");
    let reasons =
        json!({"not_json": 1, "wrong_type": 2, "decimal_inexact": 1, "timestamp_unreadable": 1});
    for (name, expected) in [
        ("packets", json!(13)),
        ("done_before", json!(0)),
        ("rows", json!(284)),
        ("refused", json!(5)),
        ("refused_by_reason", reasons),
        ("gaps", json!({})),
        ("not_loaded", json!([])),
        ("left_alone", json!([])),
        ("complete", json!(true)),
    ] {
        assert_eq!(summary[name], expected, "{name}");
    }
    let parameter: Value =
        serde_json::from_slice(&fs::read(place.path("star/parameters/sales_order")).unwrap())
            .unwrap();
    assert_eq!(parameter["value"], "6");

    let checked = place.check();
    assert_eq!(checked["faults"], json!([]));
    assert_eq!(checked["packets"], 13);
    let rows = |table: &str| {
        let mut tables = checked["tables"].as_array().unwrap().iter();
        tables.find(|read| read["table"] == table).unwrap()["rows"]
            .as_u64()
            .unwrap()
    };
    for (table, expected) in [
        ("fact_sales_order", 245),
        ("dim_date", 365 * 2),
        ("dim_location", 6),
        ("dim_currency", 3),
        ("dim_design", 12),
        ("dim_counterparty", 6),
    ] {
        assert_eq!(rows(table), expected, "{table}");
    }
}

#[test]
fn given_again_it_finds_nothing_to_do_and_what_is_new_is_loaded() {
    let place = loaded();
    let before = place.contents("star");
    let (code, summary) = place.load(&[]);
    assert_eq!((code, &summary["packets"]), (Some(0), &json!(0)));
    assert_eq!(summary["done_before"], 13);
    assert!(place.contents("star") == before);
    place.packet("currency", 2, &currency(4));
    let (code, summary) = place.load(&[]);
    assert_eq!((code, &summary["packets"]), (Some(0), &json!(1)));
    assert_eq!(summary["rows"], 1);
}

#[test]
fn what_was_killed_or_interrupted_goes_on_and_comes_to_the_same_star() {
    let place = Place::new();
    for id in 1..=200 {
        place.packet("currency", id, &currency(id));
    }
    assert_eq!(place.load(&["--into", "at-once"]).0, Some(0));
    let receipts = || files(&place.path("star/packets")).len();
    let mut stopped = 0;
    for nth in 1..20 {
        let before = receipts();
        let mut child = place.begin(&["packets"]);
        wait_until(|| receipts() > before + 3 || receipts() == 200);
        let is_killed = nth % 2 == 0;
        if is_killed {
            child.kill().unwrap();
        } else {
            interrupt(&child);
        }
        let output = child.wait_with_output().unwrap();
        if !is_killed && receipts() < 200 {
            assert_eq!(output.status.code(), Some(130));
            assert!(stderr(&output).contains("give the same command again"));
            stopped += 1;
        }
        if receipts() == 200 {
            break;
        }
    }
    assert!(stopped > 0, "no run was interrupted before its end");
    assert_eq!(place.load(&[]).0, Some(0));
    let [whole, resumed] = ["at-once", "star"].map(|folder| {
        let mut contents = place.contents(folder);
        let parameter = contents.remove(Path::new("parameters/currency")).unwrap();
        let parameter: Value = serde_json::from_slice(&parameter).unwrap();
        assert_eq!(parameter["value"], "200");
        contents
    });
    assert!(whole.keys().eq(resumed.keys()));
    assert!(whole == resumed);
    assert_eq!(place.check()["faults"], json!([]));
}

#[test]
fn packets_that_come_later_are_loaded_when_they_are_whole() {
    let place = Place::new();
    let first = place.packet("currency", 1, &currency(1));
    modify(&place.path(&first), now() - HOUR);
    let child = place.begin(&["packets", "--watch", "--json"]);
    let has_receipt = |id: u64| {
        let receipt = format!("star/packets/currency/{id:08}.json");
        place.path(&receipt).is_file()
    };
    wait_until(|| has_receipt(1));
    place.check_refused(&["packets"], 2, "another nozzle loads packets into");

    let rows = currency(2);
    let second = place.write("packets/currency_2_x.part", &rows[..20]);
    let second = place.path(&second);
    modify(&second, now() + HOUR);
    let whole = second.with_extension("jsonl");
    fs::rename(&second, &whole).unwrap();
    let third = place.packet("currency", 3, &currency(3));
    modify(&place.path(&third), now() - HOUR);
    wait_until(|| has_receipt(3));
    assert!(!has_receipt(2), "a packet that is not whole was loaded");
    fs::write(&whole, rows).unwrap();
    modify(&whole, now() - HOUR);
    wait_until(|| has_receipt(2));

    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(
        said.contains("packet 2 of currency: 1 rows loaded, 0 refused"),
        "{said}"
    );
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&summary["packets"], &summary["rows"]),
        (&json!(3), &json!(3))
    );
    assert_eq!(summary["gaps"], json!({}));
}

#[test]
fn a_parameter_that_cannot_be_read_is_named() {
    let place = Place::new();
    place.packet("currency", 1, &currency(1));
    place.write("star/parameters/currency", "{");
    let output = place.star(&["packets"]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("its file `currency` is no parameter"),
        "{said}"
    );
}

#[test]
fn what_cannot_be_loaded_is_named_and_keeps_nothing_else_from_it() {
    let place = Place::new();
    place.packet("currency", 1, &currency(1));
    let broken = place.packet("currency", 2, &format!("[{}", currency(2)));
    place.packet("currency", 3, &currency(3));
    place.packet("invoice", 1, "{}\n");
    let nine_digits = place.packet("currency", 100_000_000, &currency(4));
    symlink("nowhere", place.path("packets/staff_1_x.jsonl")).unwrap();
    let no_text = OsStr::from_bytes(b"packets/staff_3_\xff.jsonl");
    fs::write(place.folder().join(no_text), "{}\n").unwrap();
    let pipe = place.path("packets/staff_2_x.jsonl");
    assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
    let output = place.star(&["packets", "--summary", "json"]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("packet 2 of currency: packet_unreadable"),
        "{said}"
    );
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["packets"], 2);
    assert_eq!(summary["gaps"], json!({"currency": 1}));
    assert_eq!(summary["left_alone"], json!(["invoice"]));
    let name = nine_digits.strip_prefix("packets/").unwrap();
    let others = json!([
        name,
        "staff_1_x.jsonl",
        "staff_2_x.jsonl",
        "staff_3_\u{fffd}.jsonl"
    ]);
    assert_eq!(summary["no_packets"], others);

    let human = place.star(&["packets"]);
    let table = String::from_utf8(human.stdout).unwrap();
    for expected in [
        "gaps",
        "ids below a loaded one are not loaded: currency 1",
        "not loaded",
        "left alone",
        "no packets",
    ] {
        assert!(table.contains(expected), "{table}");
    }
    fs::remove_file(place.path(&broken)).unwrap();
    place.packet("currency", 2, &currency(2));
    let (code, summary) = place.load(&[]);
    assert_eq!((code, &summary["gaps"]), (Some(0), &json!({})));
}

#[test]
fn a_packet_with_too_many_refused_rows_is_left() {
    let place = sample();
    let (code, summary) = place.load(&["--refused-rows-max", "0"]);
    assert_eq!((code, &summary["packets"]), (Some(1), &json!(10)));
    let left: Vec<_> = summary["not_loaded"].as_array().unwrap().iter().collect();
    assert_eq!(left.len(), 3, "{left:?}");
    assert!(
        left[0].as_str().unwrap().contains("--refused-rows-max"),
        "{left:?}"
    );
    assert_eq!(summary["gaps"], json!({"sales_order": 2}));
}

#[test]
fn what_makes_no_sense_is_refused_with_a_sentence() {
    let place = sample();
    place.write("file", "");
    for (arguments, code, expected) in [
        (&[][..], 2, "PACKETS"),
        (
            &["packets", "--json", "--summary", "json"],
            2,
            "cannot be used with",
        ),
        (&["nowhere"], 2, "there is no folder `nowhere`"),
        (&["file"], 2, "name the folder that packets lie in"),
        (
            &["packets", "--into", "file"],
            2,
            "--into file cannot be used",
        ),
        (
            &["packets", "--into", "packets/star"],
            2,
            "would lie in each other",
        ),
        (
            &["packets", "--refused-rows-max", "2"],
            2,
            "--refused-rows-max is \"2\"; it must be a share",
        ),
        (
            &["packets", "--star", "nowhere.toml"],
            2,
            "nowhere.toml cannot be read",
        ),
        (&["check", "nowhere"], 2, "there is no folder `nowhere`"),
        (&["check", "packets"], 2, "no packet is loaded in packets/"),
        (
            &["check", "sqs:https://q"],
            2,
            "a star is in a folder or a bucket",
        ),
    ] {
        place.check_refused(arguments, code, expected);
    }
}

const ORDERS: &str =
    "[fact_order]\nfrom = 'order'\ncolumns = ['order_id int', 'total decimal(10,2)']\n";

/// A row of the table `order`, and one whose total is no number.
const ORDER_ROWS: &str = "{\"order_id\":1,\"total\":2.5,\"last_updated\":\"2026-11-20T10:00:00\"}\n\
                          {\"order_id\":2,\"total\":\"x\",\"last_updated\":\"2026-11-20T10:00:00\"}\n";

#[test]
fn a_star_of_another_description_is_not_checked() {
    let place = Place::new();
    place.write("orders.toml", ORDERS);
    place.write("bills.toml", ORDERS.replace("order", "bill"));
    // Only the second description still has the first's table.
    let more = format!("{ORDERS}[dim_shop]\nfrom = 'shop'\ncolumns = ['shop_id int']\n");
    place.write("more.toml", more);
    place.packet("order", 1, ORDER_ROWS);
    place.packet("shop", 1, "");
    assert_eq!(place.load(&["--star", "more.toml"]).0, Some(0));
    for (arguments, expected) in [
        (
            &["check", "star"][..],
            "the built-in description does not describe fact_order, order, shop, which lie here",
        ),
        (
            &["check", "star", "--star", "bills.toml"],
            "bills.toml does not describe fact_order, order, shop",
        ),
        (
            &["check", "star", "--star", "orders.toml"],
            "orders.toml does not describe shop, which lie here: name",
        ),
    ] {
        place.check_refused(arguments, 2, expected);
    }
    place.packet("order", 2, ORDER_ROWS);
    assert_eq!(place.load(&["--star", "orders.toml"]).0, Some(0));
    for description in ["more.toml", "orders.toml"] {
        let output = place.star(&["check", "star", "--star", description]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
}

#[test]
fn what_may_be_a_mistake_is_remarked_though_nothing_has_failed() {
    let packets = |tables: &[&str]| {
        let place = Place::new();
        place.write("orders.toml", ORDERS);
        place.write("packets/note.txt", "");
        for table in tables {
            place.packet(table, 1, ORDER_ROWS);
        }
        place
    };
    for (tables, arguments, expected) in [
        (
            &["orders"][..],
            &["--star", "orders.toml"][..],
            "made of orders, and of what the description reads these have no packet: order; did you mean `orders` in place of `order`, or another",
        ),
        (
            &["orders", "shop"],
            &["--star", "orders.toml"],
            "made of orders, shop, and of what the description reads these have no packet: order;",
        ),
        (&["shop"], &[], "--star FILE forgotten?"),
        (
            &[],
            &[],
            "there is no packet in `packets`: a packet is a file TABLE_ID_TIME.jsonl",
        ),
        (&["order"], &["--star", "orders.toml"], ""),
        (&["order", "shop"], &["--star", "orders.toml"], ""),
    ] {
        let place = packets(tables);
        let output = place.star(&[&["packets"], arguments].concat());
        assert_eq!(output.status.code(), Some(0), "{tables:?}");
        let said = stderr(&output);
        assert_eq!(said.is_empty(), expected.is_empty(), "{tables:?}: {said}");
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(expected), "{tables:?}: {said}");
    }
    // What has a receipt had a packet.
    let place = packets(&["order"]);
    assert_eq!(place.load(&["--star", "orders.toml"]).0, Some(0));
    fs::remove_file(place.path("packets/order_1_x.jsonl")).unwrap();
    place.packet("shop", 1, ORDER_ROWS);
    let output = place.star(&["packets", "--star", "orders.toml"]);
    assert_eq!(stderr(&output), "");
}

#[test]
fn the_columns_for_which_rows_are_refused_are_named() {
    let place = Place::new();
    place.write("orders.toml", ORDERS);
    place.packet(
        "order",
        1,
        &format!("{ORDER_ROWS}{{\"last_updated\":\"2026-11-20T10:00:00\"}}\nx\n"),
    );
    let output = place.star(&["packets", "--star", "orders.toml"]);
    let counts = String::from_utf8(output.stdout).unwrap();
    let expected = "not_json 1, column_missing 1 (order.order_id), wrong_type 1 (order.total)";
    assert!(counts.contains(expected), "{counts}");
    let place = sample();
    let (_, summary) = place.load(&[]);
    assert!(summary["refused_columns"].is_object(), "{summary}");
}

#[test]
fn the_pages_description_is_a_star_that_holds_together() {
    let page = include_str!("../docs/star-schema.md");
    let (_, description) = page.split_once("    version_by").unwrap();
    let (description, _) = description.split_once("\n\nThe first column").unwrap();
    let description = format!("version_by{description}");
    let description: Vec<_> = description.lines().map(str::trim_start).collect();
    let place = Place::new();
    place.write("shop.toml", description.join("\n"));
    let time = "2026-11-20T10:00:00.5Z";
    for (table, row) in [
        (
            "address",
            json!({"address_id": 3, "city": "Bonn", "updated_at": time}),
        ),
        (
            "customer",
            json!({"customer_id": 7, "name": "Ada", "address_id": 3, "updated_at": time}),
        ),
        (
            "orders",
            json!({"order_id": 1, "customer_id": 7, "total": "12.50", "updated_at": time}),
        ),
    ] {
        place.packet(table, 1, &format!("{row}\n"));
    }
    let (code, summary) = place.load(&["--star", "shop.toml"]);
    assert_eq!(
        (code, &summary["rows"], &summary["refused"]),
        (Some(0), &json!(3), &json!(0)),
        "{summary}"
    );
    let output = place.star(&["check", "star", "--star", "shop.toml", "--json"]);
    let checked: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(checked["holds"], true, "{checked}");
    let tables = checked["tables"].as_array().unwrap();
    assert!(tables.iter().all(|table| table["rows"] != 0), "{checked}");
}

/// The one file of the star whose name begins so.
fn find(place: &Place, prefix: &str) -> PathBuf {
    let path = place.path("star").join(prefix);
    let found = files(path.parent().unwrap()).into_iter();
    let name = path.to_str().unwrap().to_owned();
    let mut found: Vec<_> = found
        .filter(|path| path.to_str().unwrap().starts_with(&name))
        .collect();
    assert_eq!(found.len(), 1, "{prefix}: {found:?}");
    found.remove(0)
}

/// Edits what a JSON file says.
fn edit(path: &Path, edit: impl FnOnce(&mut Value)) {
    let mut value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    edit(&mut value);
    fs::write(path, value.to_string()).unwrap();
}

/// Spoils a good star, and says which faults are found: each with its place's beginning and count.
#[track_caller]
fn spoiled(spoil: impl FnOnce(&Place), expected: &[(&str, &str, u64)]) {
    let place = loaded();
    spoil(&place);
    let checked = place.check();
    let faults = checked["faults"].as_array().unwrap();
    assert_eq!(faults.len(), expected.len(), "{checked:#}");
    for (fault, (kind, at, count)) in faults.iter().zip(expected) {
        assert_eq!(fault["fault"], *kind, "{fault}");
        assert!(fault["place"].as_str().unwrap().starts_with(at), "{fault}");
        assert_eq!(fault["count"], *count, "{fault}");
    }
    let human = place.star(&["check", "star"]);
    assert_eq!(human.status.code(), Some(1));
    let table = String::from_utf8(human.stdout).unwrap();
    assert!(
        expected.iter().all(|(kind, ..)| table.contains(kind)),
        "{table}"
    );
}

fn order(design: u64) -> String {
    let time = "2026-11-21T10:00:00";
    let row = json!({
        "sales_order_id": 900 + design, "design_id": design, "staff_id": 1, "counterparty_id": 1,
        "units_sold": 1, "unit_price": 1.5, "currency_id": 1, "agreed_delivery_date": "2026-11-21",
        "agreed_payment_date": "2026-11-21", "agreed_delivery_location_id": 1,
        "created_at": time, "last_updated": time,
    });
    format!("{row}\n")
}

#[test]
fn a_key_that_no_dimension_has_is_an_orphan() {
    let spoil = |place: &Place| {
        place.packet("sales_order", 7, &(order(1) + &order(77) + &order(78)));
        assert_eq!(place.load(&[]).0, Some(0));
    };
    spoiled(spoil, &[("orphan", "fact_sales_order.design_id", 2)]);
}

#[test]
fn a_version_that_stands_twice_in_a_file_is_found() {
    let spoil = |place: &Place| {
        place.packet("sales_order", 7, &(order(1) + &order(2) + &order(1)));
        assert_eq!(place.load(&[]).0, Some(0));
    };
    let file = "fact_sales_order/fact_sales_order_00000007_";
    spoiled(spoil, &[("key_doubled", file, 1)]);
}

#[test]
fn keys_may_be_text_or_null_and_dimensions_refer_to_others() {
    let place = Place::new();
    let description = r#"
        [fact_a]
        from = "a"
        columns = ["a_id int", "b_id text? -> dim_b"]
        [dim_b]
        from = "b"
        columns = ["b_id text", "c_id int? -> dim_c"]
        [dim_c]
        from = "c"
        columns = ["c_id int"]
    "#;
    place.write("ours.toml", description);
    let rows = |rows: &[Value]| -> String {
        let line = |row: &Value| {
            let mut row = row.clone();
            row["last_updated"] = json!("2026-11-20T10:00:00");
            format!("{row}\n")
        };
        rows.iter().map(line).collect()
    };
    let facts = [
        json!({"a_id": 1, "b_id": "x"}),
        json!({"a_id": 2, "b_id": null}),
        json!({"a_id": 3, "b_id": "nobody"}),
        json!({"a_id": 3, "b_id": "nobody"}),
    ];
    let dimension = [
        json!({"b_id": "x", "c_id": 1}),
        json!({"b_id": "y", "c_id": null}),
        json!({"b_id": "z", "c_id": -9}),
    ];
    place.packet("a", 1, &rows(&facts));
    place.packet("b", 1, &rows(&dimension));
    place.packet("c", 1, &rows(&[json!({"c_id": 1})]));
    assert_eq!(place.load(&["--star", "ours.toml"]).0, Some(0));
    let output = place.star(&["check", "star", "--star", "ours.toml", "--json"]);
    let checked: Value = serde_json::from_slice(&output.stdout).unwrap();
    let faults = checked["faults"].as_array().unwrap().iter();
    let faults: Vec<_> = faults
        .map(|fault| {
            assert!(
                !fault["what"].as_str().unwrap().contains("nobody"),
                "{fault}"
            );
            ["fault", "place", "count"].map(|name| fault[name].clone())
        })
        .collect();
    let orphan = |column: &str, count: u64| [json!("orphan"), json!(column), json!(count)];
    assert_eq!(faults, [orphan("dim_b.c_id", 1), orphan("fact_a.b_id", 2)]);
}

#[test]
fn dates_that_the_calendar_has_not_are_found() {
    let place = loaded();
    fs::remove_file(find(&place, "dim_date/dim_date_00002027_")).unwrap();
    let checked = place.check();
    let faults = checked["faults"].as_array().unwrap().iter();
    let kinds: BTreeSet<_> = faults
        .map(|fault| fault["fault"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, BTreeSet::from(["file_missing", "date_missing"]));
}

#[test]
fn a_calendars_file_that_lacks_days_is_found() {
    let spoil = |place: &Place| {
        let year = find(place, "dim_date/dim_date_00002026_");
        let leap_year = "dim_date_00002028_processed_20281231T000000000000.parquet";
        fs::copy(&year, year.with_file_name(leap_year)).unwrap();
    };
    spoiled(
        spoil,
        &[
            ("no_receipt", "dim_date/dim_date_00002028_", 1),
            ("date_missing", "dim_date/dim_date_00002028_", 1),
        ],
    );
}

#[test]
fn a_packet_that_never_came_is_a_gap() {
    let spoil = |place: &Place| {
        fs::remove_file(place.path("star/packets/sales_order/00000003.json")).unwrap();
    };
    let file = "fact_sales_order/fact_sales_order_00000003_";
    spoiled(spoil, &[("no_receipt", file, 1), ("gap", "sales_order", 1)]);
}

#[test]
fn other_rows_than_the_receipt_says_are_found() {
    let spoil = |place: &Place| {
        let receipt = place.path("star/packets/sales_order/00000002.json");
        edit(&receipt, |receipt| receipt["rows"] = json!(50));
    };
    let file = "fact_sales_order/fact_sales_order_00000002_";
    spoiled(spoil, &[("rows_differ", file, 10)]);
    let spoil = |place: &Place| {
        let receipt = place.path("star/packets/sales_order/00000006.json");
        edit(&receipt, |receipt| receipt["files"] = json!([]));
    };
    let file = "fact_sales_order/fact_sales_order_00000006_";
    spoiled(
        spoil,
        &[
            ("no_receipt", file, 1),
            ("rows_differ", "packets/sales_order/00000006.json", 40),
        ],
    );
}

#[test]
fn other_refused_rows_than_the_receipt_says_are_found() {
    let spoil = |place: &Place| {
        let refused = find(place, "refused/design/design_00000001_refused_");
        let text = fs::read_to_string(&refused).unwrap();
        fs::write(refused, text.split_inclusive('\n').next().unwrap()).unwrap();
    };
    spoiled(
        spoil,
        &[("refused_differ", "packets/design/00000001.json", 1)],
    );
}

#[test]
fn files_that_are_gone_or_nobodys_are_found() {
    let spoil = |place: &Place| {
        fs::remove_file(find(place, "fact_sales_order/fact_sales_order_00000004_")).unwrap();
    };
    let file = "fact_sales_order/fact_sales_order_00000004_";
    spoiled(spoil, &[("file_missing", file, 1)]);
    let spoil = |place: &Place| {
        let file = find(place, "dim_design/dim_design_00000001_");
        fs::copy(&file, file.with_file_name("copy.parquet")).unwrap();
    };
    spoiled(spoil, &[("no_receipt", "dim_design/copy.parquet", 1)]);
}

#[test]
fn files_that_cannot_be_read_are_found() {
    let spoil = |place: &Place| {
        fs::write(
            find(place, "fact_sales_order/fact_sales_order_00000004_"),
            "PAR1",
        )
        .unwrap();
        place.write("star/packets/design/00000002.json", "{");
    };
    spoiled(
        spoil,
        &[
            (
                "unreadable",
                "fact_sales_order/fact_sales_order_00000004_",
                1,
            ),
            ("unreadable", "packets/design/00000002.json", 1),
        ],
    );
}

#[cfg(feature = "aws")]
#[tokio::test]
async fn a_star_in_a_bucket_is_checked_as_one_in_a_folder_is() {
    let Some(emulator) = support::emulators::ministack() else {
        return;
    };
    let settings = support::client::settings(emulator.address);
    let settings = aws_sdk_s3::config::Builder::from(&settings).force_path_style(true);
    let s3 = aws_sdk_s3::Client::from_conf(settings.build());
    s3.create_bucket().bucket("the-star").send().await.unwrap();
    let place = loaded();
    for (key, bytes) in place.contents("star") {
        let put = s3.put_object().bucket("the-star");
        let put = put.key(key.to_str().unwrap()).body(bytes.into());
        put.send().await.unwrap();
    }
    let check = || {
        let mut nozzle = place.nozzle("star", &["check", "s3://the-star", "--json"]);
        let endpoint = format!("http://{}", emulator.address);
        nozzle.env("AWS_ENDPOINT_URL", endpoint);
        nozzle.env("AWS_REGION", "us-east-1");
        nozzle.env("AWS_ACCESS_KEY_ID", "test");
        nozzle.env("AWS_SECRET_ACCESS_KEY", "test");
        let output = nozzle.output().unwrap();
        let checked: Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), checked)
    };
    assert_eq!(check(), (Some(0), place.check()));
    let gone = s3.delete_object().bucket("the-star");
    let gone = gone.key("packets/sales_order/00000003.json");
    gone.send().await.unwrap();
    let (code, checked) = check();
    assert_eq!((code, &checked["packets"]), (Some(1), &json!(12)));
    assert_eq!(checked["faults"][1]["fault"], "gap");
}
