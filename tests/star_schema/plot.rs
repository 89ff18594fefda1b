//! Packets of a shop, drawn from a seed: new and changed members, late ones, odd ones, rows that are
//! refused, and packets without any.

use std::fmt::Write;

use fastrand::Rng;
use serde_json::{Value, json};

use super::world::World;

/// A packet, and its object.
pub(crate) struct Drawn {
    pub(crate) table: &'static str,
    pub(crate) id: u64,
    key: String,
    text: Vec<u8>,
}

/// All packets of a shop.
pub(crate) struct Plot(pub(crate) Vec<Drawn>);

const TABLES: [&str; 6] = [
    "department",
    "staff",
    "address",
    "counterparty",
    "currency",
    "sales_order",
];

impl Plot {
    /// Some shops have so many packets that checkpoints are written.
    pub(crate) fn of(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let mut drawn = Vec::new();
        for table in TABLES {
            let many = seed.is_multiple_of(8) && table == "department";
            let packets = if many { 36 } else { random.u64(1..5) };
            drawn.extend((1..=packets).map(|id| Drawn::of(table, id, &mut random)));
        }
        Self(drawn)
    }

    pub(crate) fn put_into(&self, world: &World) {
        for packet in &self.0 {
            world.put_packet(&packet.key, &packet.text);
        }
    }

    pub(crate) fn names(&self) -> Vec<(&'static str, u64)> {
        self.0
            .iter()
            .map(|packet| (packet.table, packet.id))
            .collect()
    }
}

impl Drawn {
    fn of(table: &'static str, id: u64, random: &mut Rng) -> Self {
        let mut lines = String::new();
        for line in 0..random.u64(0..6) {
            let row = if random.u8(..12) == 0 {
                "no row".to_owned()
            } else {
                row(table, id, line, random).to_string()
            };
            writeln!(lines, "{row}").unwrap();
        }
        let infix = if random.bool() { "packet_" } else { "" };
        let day = random.u8(17..21);
        Self {
            table,
            id,
            key: format!("2024/11/{day}/{table}_{infix}{id}_202411{day}T101112.jsonl"),
            text: lines.into_bytes(),
        }
    }
}

fn row(table: &str, id: u64, line: u64, random: &mut Rng) -> Value {
    let time = format!(
        "2024-11-{:02} 10:{line:02}:{:02}.5",
        1 + id % 28,
        random.u8(..60)
    );
    let mut key = || random.u8(1..5);
    let mut row = json!({"created_at": "2023-12-31T23:59:59", "last_updated": time});
    let own = match table {
        "department" => json!({
            "department_id": key(), "department_name": format!("Team {id}"), "location": "Leeds",
            "manager": "Ä, \"B\"",
        }),
        "staff" => json!({
            "staff_id": key(), "first_name": "Ann", "last_name": format!("{id}-{line}"),
            "department_id": key(), "email_address": "a@b.c",
        }),
        "address" => json!({
            "address_id": key(), "address_line_1": format!("{id} Road"), "address_line_2": null,
            "district": null, "city": "NULL", "postal_code": "01234", "country": "UK", "phone": "1",
        }),
        "counterparty" => json!({
            "counterparty_id": key(), "counterparty_legal_name": format!("{id} Ltd"),
            "legal_address_id": key(), "commercial_contact": "C", "delivery_contact": "D",
        }),
        "currency" => json!({"currency_id": key(), "currency_code": "EUR"}),
        _ => json!({
            "sales_order_id": key(), "design_id": key(), "staff_id": key(), "counterparty_id": key(),
            "units_sold": 100, "unit_price": "2.50", "currency_id": key(),
            "agreed_delivery_date": "2024-11-30", "agreed_payment_date": "2025-01-02",
            "agreed_delivery_location_id": key(),
        }),
    };
    let fields = own.as_object().unwrap().clone();
    row.as_object_mut().unwrap().extend(fields);
    row
}
