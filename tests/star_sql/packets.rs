//! Packets of all tables, with all that a value may be: rows that are loaded, and rows that are not.

use std::fmt::Write;

/// How many orders are loaded: two of them are versions of others.
pub(crate) const SALES_ORDERS: usize = 2 + TAKEN.len() + 2;

/// A column of an order, and values in JSON that it may have.
const TAKEN: &[(&str, &str)] = &[
    ("units_sold", "2.0"),
    ("units_sold", "2e3"),
    ("units_sold", "2147483647"),
    ("units_sold", "-2147483648"),
    ("units_sold", "10000000.0"),
    ("unit_price", "3.9"),
    ("unit_price", "\"3.94\""),
    ("unit_price", "3.940"),
    ("unit_price", "-0.01"),
    ("unit_price", "99999999.99"),
    ("unit_price", "12345678.90"),
    ("unit_price", "1e2"),
    ("unit_price", "\"1.5e1\""),
    ("unit_price", "\"+5\""),
    ("unit_price", "\".5\""),
    ("unit_price", "\"5.\""),
    ("unit_price", "\"007.10\""),
    ("created_at", "\"2022-11-03T14:20:52\""),
    ("created_at", "\"2022-11-03t14:20:52.1Z\""),
    ("created_at", "\"2022-11-03 14:20:52.123456789\""),
    ("created_at", "\"2022-11-03 00:20:52.5+02:00\""),
    ("created_at", "\"2022-12-31T23:20:52-0530\""),
    ("created_at", "\"2024-02-29T14:20:52+01\""),
    ("created_at", "1667485252186"),
    ("created_at", "-1"),
    ("created_at", "0"),
    ("created_at", "\"1900-01-01T00:00:00\""),
    ("created_at", "\"2199-12-31T23:59:59.999999\""),
    ("created_at", "\"1899-12-31T23:30:00-01:00\""),
    ("agreed_payment_date", "\"1900-01-01\""),
    ("agreed_payment_date", "\"2199-12-31\""),
    ("agreed_payment_date", "\"2024-02-29\""),
    ("staff_id", "99"),
    ("note", "\"nobody described it\""),
];

/// Values that an order is refused for.
const REFUSED: &[(&str, &str)] = &[
    ("units_sold", "2.5"),
    ("units_sold", "\"2\""),
    ("units_sold", "2147483648"),
    ("units_sold", "-2147483649"),
    ("units_sold", "true"),
    ("units_sold", "null"),
    ("units_sold", "[1]"),
    ("units_sold", "{\"a\":1}"),
    ("unit_price", "3.945"),
    ("unit_price", "100000000"),
    ("unit_price", "\"100000000.00\""),
    ("unit_price", "\"abc\""),
    ("unit_price", "\"\""),
    ("unit_price", "\".\""),
    ("unit_price", "\"1,5\""),
    ("unit_price", "\"NaN\""),
    ("unit_price", "false"),
    ("created_at", "\"2022-11-03\""),
    ("created_at", "\"2022-02-29T14:20:52\""),
    ("created_at", "\"2022-11-03T24:00:00\""),
    ("created_at", "\"2022-11-03T23:59:60\""),
    ("created_at", "\"2022-11-03T14:20\""),
    ("created_at", "\"2022-11-03T14:20:52.\""),
    ("created_at", "\"2022-11-03T14:20:52.1234567890\""),
    ("created_at", "\"2022-11-03T14:20:52 UTC\""),
    ("created_at", "\"2022-11-03T14:20:52+24:00\""),
    ("created_at", "\"1667485252186\""),
    ("created_at", "\"1899-12-31T23:59:59\""),
    ("created_at", "\"1900-01-01T00:30:00+01:00\""),
    ("created_at", "\"2199-12-31T23:30:00-01:00\""),
    ("created_at", "1e300"),
    ("created_at", "true"),
    ("last_updated", "null"),
    ("last_updated", "\"yesterday\""),
    ("agreed_payment_date", "\"2022-11-7\""),
    ("agreed_payment_date", "\"07/11/2022\""),
    ("agreed_payment_date", "\"2022-11-07T00:00:00\""),
    ("agreed_payment_date", "\"1899-12-31\""),
    ("agreed_payment_date", "\"2200-01-01\""),
    ("agreed_payment_date", "\"2023-02-29\""),
    ("agreed_payment_date", "20221107"),
];

/// What is no row at all.
const JUNK: &str = "\n[1]\n{}\nnot json\n{\"sales_order_id\": 1\n\n  \n7\n";

const STAFF: &str = r#"
{"staff_id":1,"first_name":"Zoë","last_name":"O\"Neil, jr.","department_id":1,"email_address":"NULL","last_updated":"2022-11-03 14:20:52"}
{"staff_id":2,"first_name":"","last_name":"M\u00fcller\n\ud83d\ude00","department_id":2,"email_address":"007","last_updated":"2022-11-03 14:20:52"}
{"staff_id":3,"first_name":"Ann","last_name":"No department","department_id":null,"email_address":"'","last_updated":"2022-11-03 14:20:52"}
{"staff_id":4,"first_name":"Ben","last_name":"No such department","department_id":77,"email_address":"x","last_updated":"2022-11-03 14:20:52"}
{"staff_id":5,"first_name":"Cy","last_name":"First","department_id":1.0,"email_address":"x","last_updated":"2022-11-03 14:20:52"}
{"staff_id":5,"first_name":"Cy","last_name":"Second of the same time","department_id":1,"email_address":"x","last_updated":"2022-11-03 14:20:52"}
{"staff_id":6,"first_name":"Refused","last_name":"\ud800","department_id":1,"email_address":"x","last_updated":"2022-11-03 14:20:52"}
{"staff_id":7,"first_name":7,"last_name":"Refused","department_id":1,"email_address":"x","last_updated":"2022-11-03 14:20:52"}
{"staff_id":8,"first_name":"Refused","last_name":"x","department_id":true,"email_address":"x","last_updated":"2022-11-03 14:20:52"}
{"staff_id":9,"staff_id":9,"first_name":"Refused","last_name":"x","department_id":1,"email_address":"x","last_updated":"2022-11-03 14:20:52"}
"#;

const STAFF_CHANGED: &str = r#"
{"staff_id":2,"first_name":"Older, though it came later","last_name":"x","department_id":1,"email_address":"x","last_updated":"2022-11-02 14:20:52"}
{"staff_id":3,"first_name":"Ann","last_name":"With department","department_id":2,"email_address":"x","last_updated":"2022-11-05 14:20:52"}
"#;

const DEPARTMENT: &str = r#"
{"department_id":1,"department_name":"Sales","location":"Leeds","last_updated":"2022-11-03T14:20:52Z"}
{"department_id":2,"department_name":null,"location":"York","last_updated":"2022-11-03T14:20:52Z"}
"#;

const DEPARTMENT_CHANGED: &str = r#"
{"department_id":1,"department_name":"Selling","location":"Leeds","last_updated":"2022-11-04T14:20:52Z"}
"#;

const DEPARTMENT_OLDER: &str = r#"
{"department_id":1,"department_name":"Older","location":"Leeds","last_updated":"2022-11-01T14:20:52Z"}
"#;

const ADDRESS: &str = r#"
{"address_id":1,"address_line_1":"1 Way","address_line_2":null,"city":"Bath","postal_code":"00141","country":"Oz","phone":"1","last_updated":"2022-11-03 14:20:52"}
{"address_id":2,"address_line_1":"2 Way","address_line_2":"Flat 1","district":"Avon","city":"Bath","postal_code":"2","country":"Oz","phone":"2","last_updated":"2022-11-03 14:20:52"}
{"address_id":3,"address_line_1":"3 Way","address_line_2":5,"district":"Avon","city":"Refused","postal_code":"2","country":"Oz","phone":"2","last_updated":"2022-11-03 14:20:52"}
"#;

const COUNTERPARTY: &str = r#"
{"counterparty_id":1,"counterparty_legal_name":"One","legal_address_id":1,"last_updated":"2022-11-03 14:20:52"}
{"counterparty_id":2,"counterparty_legal_name":"Two","legal_address_id":2,"last_updated":"2022-11-03 14:20:52"}
{"counterparty_id":3,"counterparty_legal_name":"Three","legal_address_id":3,"last_updated":"2022-11-03 14:20:52"}
"#;

const CURRENCY: &str = r#"
{"currency_id":1,"currency_code":"GBP","last_updated":"2022-11-03 14:20:52"}
{"currency_id":2,"currency_code":"gbp","last_updated":"2022-11-03 14:20:52"}
{"currency_id":3,"currency_code":"XXQ","last_updated":"2022-11-03 14:20:52"}
{"currency_id":4,"currency_code":"EUR","last_updated":"2022-11-03 14:20:52"}
"#;

const DESIGN: &str = r#"
{"design_id":1,"design_name":"Wooden","file_location":"C:\\\\x","file_name":"a.json","last_updated":"2022-11-03 14:20:52"}
{"design_id":1,"design_name":"Steel","file_location":"/usr","file_name":"b.json","last_updated":"2022-11-04 14:20:52"}
{"design_id":1,"design_name":"Older line","file_location":"/usr","file_name":"b.json","last_updated":"2022-11-03 15:20:52"}
"#;

/// A later packet decides, though its row is older.
const DESIGN_LATER: &str = r#"
{"design_id":1,"design_name":"Of the later packet","file_location":"/usr","file_name":"c.json","last_updated":"2022-11-01 14:20:52"}
"#;

const PAYMENT: &str = r#"
{"payment_id":1,"created_at":"2021-06-01T00:00:00","last_updated":"2021-06-01T00:00:00","transaction_id":1,"counterparty_id":1,"payment_amount":"10","currency_id":1,"payment_type_id":1,"paid":true,"payment_date":"2021-06-01"}
{"payment_id":2,"created_at":"2021-06-01T00:00:00","last_updated":"2021-06-01T00:00:00","transaction_id":9,"counterparty_id":1,"payment_amount":1.5,"currency_id":1,"payment_type_id":1,"paid":false,"payment_date":"2021-06-01"}
{"payment_id":3,"created_at":"2021-06-01T00:00:00","last_updated":"2021-06-01T00:00:00","transaction_id":9,"counterparty_id":1,"payment_amount":1.5,"currency_id":1,"payment_type_id":1,"paid":"false","payment_date":"2021-06-01"}
"#;

const PURCHASE: &str = r#"
{"purchase_order_id":1,"created_at":"2022-11-03 14:20:52.187","last_updated":"2022-11-03 14:20:52.187","staff_id":1,"counterparty_id":2,"item_code":"ZDOI5EA","item_quantity":371,"item_unit_price":361.39,"currency_id":4,"agreed_delivery_date":"2022-11-09","agreed_payment_date":"2022-11-07","agreed_delivery_location_id":2}
"#;

const TRANSACTION: &str = r#"
{"transaction_id":1,"transaction_type":"SALE","sales_order_id":1,"purchase_order_id":null,"last_updated":"2022-11-03 14:20:52"}
{"transaction_id":2,"transaction_type":"SALE","last_updated":"2022-11-03 14:20:52"}
{"transaction_id":3,"transaction_type":"SALE","sales_order_id":"1","last_updated":"2022-11-03 14:20:52"}
"#;

const PAYMENT_TYPE: &str = r#"
{"payment_type_id":1,"payment_type_name":"SALES_RECEIPT","last_updated":"2022-11-03 14:20:52"}
"#;

/// Every object by its key.
pub(crate) fn all() -> Vec<(&'static str, String)> {
    let later = ["\"2022-11-05 10:00:00\"", "\"2022-11-01 10:00:00\""];
    let changed = later
        .map(|time| sales_order(1, "last_updated", time))
        .concat();
    [
        ("2024/sales_order_1_20241120T101112.jsonl", sales_orders()),
        ("2024/sales_order_2_20241121T101112.jsonl", changed.clone()),
        // The same packet a second time.
        ("again/sales_order_2_20241121T101113.jsonl", changed),
        ("2024/staff_1_20241120T101112.jsonl", STAFF.to_owned()),
        (
            "2024/staff_packet_2_20241120T101112.jsonl",
            STAFF_CHANGED.to_owned(),
        ),
        (
            "2024/department_1_20241120T101112.jsonl",
            DEPARTMENT.to_owned(),
        ),
        (
            "2024/department_2_20241120T101112.jsonl",
            DEPARTMENT_CHANGED.to_owned(),
        ),
        (
            "2024/department_3_20241120T101112.jsonl",
            DEPARTMENT_OLDER.to_owned(),
        ),
        ("2024/address_1_20241120T101112.jsonl", ADDRESS.to_owned()),
        (
            "2024/counterparty_1_20241120T101112.jsonl",
            COUNTERPARTY.to_owned(),
        ),
        ("2024/currency_1_20241120T101112.jsonl", CURRENCY.to_owned()),
        ("2024/design_1_20241120T101112.jsonl", DESIGN.to_owned()),
        (
            "2024/design_2_20241120T101112.jsonl",
            DESIGN_LATER.to_owned(),
        ),
        ("2024/payment_1_20241120T101112.jsonl", PAYMENT.to_owned()),
        (
            "2024/purchase_order_1_20241120T101112.jsonl",
            PURCHASE.to_owned(),
        ),
        (
            "2024/transaction_1_20241120T101112.jsonl",
            TRANSACTION.to_owned(),
        ),
        (
            "2024/payment_type_1_20241120T101112.jsonl",
            PAYMENT_TYPE.to_owned(),
        ),
    ]
    .into()
}

fn sales_orders() -> String {
    let mut packet = sales_order(1, "units_sold", "1") + &sales_order(2, "units_sold", "-0.0");
    for ((column, value), id) in TAKEN.iter().chain(REFUSED).zip(3..) {
        packet.push_str(&sales_order(id, column, value));
    }
    packet.push_str(JUNK);
    packet
}

/// A line of an order, one of whose columns has this value, in JSON.
fn sales_order(id: u32, changed: &str, value: &str) -> String {
    let mut line = format!("{{\"sales_order_id\": {id}");
    for (column, usual) in [
        ("created_at", "\"2022-11-03 14:20:52.186\""),
        ("last_updated", "\"2022-11-03T14:20:52.186000\""),
        ("design_id", "1"),
        ("staff_id", "1"),
        ("counterparty_id", "1"),
        ("units_sold", "42972"),
        ("unit_price", "3.94"),
        ("currency_id", "1"),
        ("agreed_delivery_date", "\"2022-11-08\""),
        ("agreed_payment_date", "\"2022-11-07\""),
        ("agreed_delivery_location_id", "1"),
    ] {
        let value = if column == changed { value } else { usual };
        write!(line, ", \"{column}\": {value}").unwrap();
    }
    if changed == "note" {
        write!(line, ", \"note\": {value}").unwrap();
    }
    line + "}\n"
}
