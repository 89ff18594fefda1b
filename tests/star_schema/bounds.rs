//! What loading a packet allocates and how long it takes: nothing a row, no more memory for a longer
//! packet, and time in proportion to its size, whatever it holds.

use std::{fmt::Write, hint::black_box, io, sync::LazyLock};

use allocation_counter::{AllocationInfo, measure};
use nozzle::functions::star_schema::{description::Star, load::Load};

use super::support::effort::{BYTES, Effort, least_seconds, many, numbered, size};

/// What a request to S3 hands over at a time, about.
const PIECE_BYTES: usize = 16 << 10;

static STAR: LazyLock<Star> = LazyLock::new(|| Star::built_in().unwrap());

fn load<'p>(source: &str, pieces: impl IntoIterator<Item = &'p [u8]>) {
    let mut load = Load::new(&STAR, source, 1, |_| io::sink()).unwrap();
    for piece in pieces {
        if load.feed(piece).is_err() {
            return;
        }
    }
    let _ = black_box(load.finish());
}

fn order(number: usize) -> String {
    format!(
        r#"{{"sales_order_id":{number},"created_at":"2022-11-{:02}T14:20:52.{:03}","last_updated":"2022-11-03T14:20:52.186","design_id":{},"staff_id":{},"counterparty_id":{},"units_sold":{number},"unit_price":"{}.45","currency_id":2,"agreed_delivery_date":"2022-11-10","agreed_payment_date":"2022-11-03","agreed_delivery_location_id":4}}"#,
        number % 28 + 1,
        number % 1000,
        number % 300,
        number % 20,
        number % 25,
        number % 9,
    ) + "\n"
}

fn orders(rows: usize) -> String {
    (0..rows).map(order).collect()
}

/// Of these orders, again and again.
fn allocated(orders: &str, times: usize) -> AllocationInfo {
    LazyLock::force(&STAR);
    let pieces = || orders.as_bytes().chunks(PIECE_BYTES);
    measure(|| load("sales_order", (0..times).flat_map(|_| pieces())))
}

#[test]
fn a_row_allocates_nothing() {
    let orders = orders(10_000);
    let (short, long) = (allocated(&orders, 1), allocated(&orders, 2));
    let more = long.count_total - short.count_total;
    assert!(more < 100, "{more} allocations for 10,000 rows");
}

#[test]
fn a_longer_packet_takes_no_more_memory() {
    let orders = orders(70_000);
    let (short, long) = (allocated(&orders, 2), allocated(&orders, 4));
    let (short, long) = (short.bytes_max, long.bytes_max);
    assert!(long < 24 << 20, "{long} bytes at the peak");
    assert!(
        long <= short * 21 / 20,
        "{long} bytes, and {short} for half"
    );
}

#[test]
fn a_member_of_a_dimension_takes_little_more_than_its_values() {
    let members = numbered_currencies(2 << 20);
    LazyLock::force(&STAR);
    let peak = measure(|| load("currency", members.as_bytes().chunks(PIECE_BYTES))).bytes_max;
    let of_one = peak / members.lines().count() as u64;
    assert!(of_one <= 180, "{of_one} bytes");
}

fn numbered_currencies(bytes: usize) -> String {
    numbered(bytes, |text, number| {
        writeln!(
            text,
            r#"{{"currency_id":{number},"currency_code":"GBP","last_updated":"2022-11-03 14:20:52"}}"#
        )
        .unwrap();
    })
}

fn seconds_of(source: &str, packet: &[u8]) -> f64 {
    least_seconds(3, || load(source, packet.chunks(PIECE_BYTES)))
}

fn seconds(packet: &[u8]) -> f64 {
    seconds_of("sales_order", packet)
}

/// What a byte of orders takes.
static ORDINARY_SECONDS: LazyLock<f64> = LazyLock::new(|| {
    let packet = orders(BYTES / 10);
    seconds(packet.as_bytes()) / size(packet.as_bytes())
});

/// `make` gives a packet of about so many bytes.
#[track_caller]
fn check(name: &str, make: impl Fn(usize) -> String) {
    check_cost(name, 10.0, seconds, make);
}

#[track_caller]
fn check_cost(
    name: &str,
    cost_max: f64,
    seconds: fn(&[u8]) -> f64,
    make: impl Fn(usize) -> String,
) {
    let effort = Effort {
        seconds,
        ordinary: *ORDINARY_SECONDS,
        cost_max,
    };
    // So that an empty packet's share, which is the same for both sizes, is small.
    effort.check(name, |bytes| make(8 * bytes).into_bytes());
}

/// An order with this member before the others.
fn order_with(member: &str) -> String {
    order(1).replacen('{', &format!("{{{member},"), 1)
}

/// Orders whose price is this.
fn priced(bytes: usize, price: &str) -> String {
    many(bytes, &order(1).replace("\"1.45\"", price))
}

#[test]
fn no_row_takes_longer_than_its_size_explains() {
    check("depth", |bytes| {
        order_with(&format!(r#""x":{}"#, many(bytes, "[")))
    });
    check("depth again and again", |bytes| {
        let deep = format!("{}{},", "[".repeat(60), "]".repeat(60));
        order_with(&format!(r#""x":[{}0]"#, many(bytes, &deep)))
    });
    check("a long text", |bytes| {
        order_with(&format!(r#""x":"{}""#, many(bytes, "x")))
    });
    check("escapes", |bytes| {
        order_with(&format!(r#""x":"{}""#, many(bytes, r"\u0041")))
    });
    check("a long name", |bytes| {
        order_with(&format!(r#""{}":1"#, many(bytes, r"\n")))
    });
    check("columns that nobody knows", |bytes| {
        let members = numbered(bytes, |text, number| {
            write!(text, r#""k{number}":1,"#).unwrap();
        });
        order_with(&format!(r#"{members}"x":1"#))
    });
    check("escaped columns that nobody knows", |bytes| {
        let members = numbered(bytes, |text, number| {
            write!(text, r#""\u0061{number}":1,"#).unwrap();
        });
        order_with(&format!(r#"{members}"x":1"#))
    });
    check("a column again and again", |bytes| {
        order_with(&format!(r#"{}"x":1"#, many(bytes, r#""staff_id":1,"#)))
    });
    check("a long number nobody reads", |bytes| {
        order_with(&format!(r#""x":{}"#, many(bytes, "9")))
    });
    for price in ["9", "0", "1e", "0.0"] {
        check("a long price", |bytes| {
            order(1).replace("\"1.45\"", &format!("{}1", many(bytes, price)))
        });
    }
    check("a long id", |bytes| {
        order(1).replacen(":1,", &format!(":{},", many(bytes, "9")), 1)
    });
    check("a long time", |bytes| {
        order(1).replace(".186", &format!(".{}", many(bytes, "1")))
    });
    for price in ["1e999999999999", "1e-999999999999", "0e999999999999"] {
        check("prices of many digits", |bytes| priced(bytes, price));
    }
}

#[test]
fn no_packet_takes_longer_than_its_size_explains() {
    check("white space, then orders", |bytes| {
        many(bytes, " ") + &order(1)
    });
    check("names without end", |bytes| {
        let names = many(bytes, r#""k","#);
        format!(r#"{{"column_names":[{names}"k"],"data":[]}}"#)
    });
    check("a row of many names", |bytes| {
        let names = many(bytes / 2, r#""k","#);
        let values = many(bytes / 2, "1,");
        format!(r#"{{"column_names":[{names}"k"],"data":[[{values}1]]}}"#)
    });
    check("an array", |bytes| {
        format!("[{}{{}}]", many(bytes, &(order(1) + ",")))
    });
    check("a row without end", |bytes| {
        format!("[{}", many(bytes, "[1,"))
    });
    check("blank lines", |bytes| many(bytes, "\n"));
}

/// The row that is written of each is many times as long.
#[test]
fn what_is_refused_takes_as_long_as_what_is_written_of_it() {
    let check = |name, unit: &'static str| {
        check_cost(name, 120.0, seconds, move |bytes| many(bytes / 8, unit));
    };
    check("no JSON", "x\n");
    check("empty objects", "{}\n");
    check_cost("nothing between commas", 240.0, seconds, |bytes| {
        format!("[{}]", many(bytes / 8, ","))
    });
}

#[test]
fn no_member_of_a_dimension_takes_longer_than_its_size_explains() {
    let seconds = |packet: &[u8]| seconds_of("currency", packet);
    check_cost("members", 25.0, seconds, numbered_currencies);
    check_cost("one member again and again", 25.0, seconds, |bytes| {
        numbered(bytes, |text, number| {
            writeln!(text, r#"{{"currency_id":1,"currency_code":"{number}","last_updated":"2022-11-03 14:20:52"}}"#).unwrap();
        })
    });
    check_cost("a long member", 25.0, seconds, |bytes| {
        let code = many(bytes, r"\u0041");
        format!(
            r#"{{"currency_id":1,"currency_code":"{code}","last_updated":"2022-11-03 14:20:52"}}"#
        )
    });
}
