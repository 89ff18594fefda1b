//! What every table of the event log does: the one in a folder, and DynamoDB as far as ministack is
//! that; and what the tool finds there.
#![cfg(feature = "aws")]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::{collections::HashMap, process::Output, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
        KeyType, Projection, ProjectionType, ScalarAttributeType,
    },
};
use nozzle::functions::event_log::{
    item::Item,
    table::{
        Fate, LogTable, Placing,
        dynamodb::{DynamoDbLog, to_json},
        embedded::EmbeddedLog,
    },
};
use serde_json::{Value, json};
use support::{
    client::settings,
    emulators::{Emulator, ministack},
    place::{Place, stderr},
};
use tokio::time::Instant;

const TABLE: &str = "events-log";

fn item(id: &str, timestamp: &str, data: &str) -> Item {
    let mut item = Item::new(id.to_owned());
    item.push_text("timestamp", timestamp);
    item.push_text("searchKey", "key");
    item.push_written("data", data.as_bytes(), data.len());
    item
}

const JSON: &str = r#"{"M":{"n":{"N":"1.50"},"zero":{"N":"-0"},"l":{"L":[{"NULL":true}]}}}"#;
const SAME: &str = r#"{"M":{"l":{"L":[{"NULL":true}]},"zero":{"N":"0"},"n":{"N":"15e-1"}}}"#;
const OTHER: &str = r#"{"M":{"n":{"N":"1.51"}}}"#;

/// A table, and how an item of it is read.
struct Subject<T, R> {
    table: T,
    read: R,
}

impl<T: LogTable, R: AsyncFn(&T, &str) -> Option<Value>> Subject<T, R> {
    async fn write(&self, items: &[Item], placing: Placing) -> Vec<Option<Fate>> {
        let deadline = Instant::now() + Duration::from_secs(10);
        let written = self.table.write(items, placing, deadline).await;
        assert!(
            written.asked.failure.is_none(),
            "{:?}",
            written.asked.failure
        );
        assert!(written.spent.requests > 0);
        written.asked.answers
    }

    async fn number(&self, id: &str) -> Option<f64> {
        let item = (self.read)(&self.table, id).await?;
        item.pointer("/data/M/n/N")?.as_str()?.parse().ok()
    }

    async fn holds(&self) {
        self.puts_again_change_nothing().await;
        self.inserts_leave_what_stands().await;
        self.one_that_is_refused_harms_no_other().await;
        assert_eq!(self.number("nobody").await, None);
    }

    async fn puts_again_change_nothing(&self) {
        let items: Vec<_> = (0..60)
            .map(|number| item(&format!("put {number}"), "2024-01-01", JSON))
            .collect();
        for _ in 0..2 {
            let fates = self.write(&items, Placing::Put).await;
            assert_eq!(fates, vec![Some(Fate::Stored); 60]);
            assert_eq!(self.number("put 59").await, Some(1.5));
        }
    }

    async fn inserts_leave_what_stands(&self) {
        let insert = async |id: &str, data: &str| {
            let items = [item(id, "2024-01-02", data)];
            self.write(&items, Placing::Insert).await
        };
        assert_eq!(insert("1", JSON).await, [Some(Fate::Stored)]);
        assert_eq!(insert("1", JSON).await, [Some(Fate::Same)]);
        assert_eq!(insert("1", SAME).await, [Some(Fate::Same)]);
        assert_eq!(insert("1", OTHER).await, [Some(Fate::Other)]);
        assert_eq!(self.number("1").await, Some(1.5));
        assert_eq!(insert("put 0", SAME).await, [Some(Fate::Same)]);
        let several = [
            item("1", "2024-01-02", OTHER),
            item("2", "2024-01-02", OTHER),
            item("put 1", "2024-01-02", SAME),
        ];
        let fates = self.write(&several, Placing::Insert).await;
        let expected = [Fate::Other, Fate::Stored, Fate::Same].map(Some);
        assert_eq!(fates, expected);
    }

    async fn one_that_is_refused_harms_no_other(&self) {
        // DynamoDB takes no such key; ministack only knows that of a put.
        let long_key = item(&"x".repeat(2049), "2024-01-03", JSON);
        let good = |id: &str| item(id, "2024-01-03", JSON);
        let put = [good("good 1"), long_key, good("good 2")];
        let fates = self.write(&put, Placing::Put).await;
        let expected = [Fate::Stored, Fate::Refused, Fate::Stored].map(Some);
        assert_eq!(fates, expected);

        let mut too_large = good("large");
        let text = "x".repeat(400 * 1024);
        too_large.push_text("raw", &text);
        let insert = [good("good 3"), too_large, good("good 4")];
        assert_eq!(self.write(&insert, Placing::Insert).await, expected);
        assert_eq!(self.number("large").await, None);
        for id in ["good 1", "good 2", "good 3", "good 4"] {
            assert_eq!(self.number(id).await, Some(1.5), "{id}");
        }
    }
}

#[tokio::test]
async fn the_contract_holds_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let table = EmbeddedLog::open(folder.path()).unwrap();
    let read = async |table: &EmbeddedLog, id: &str| {
        table.commit(b"").unwrap();
        table.get(id).unwrap()
    };
    Subject { table, read }.holds().await;
}

#[tokio::test]
async fn the_contract_holds_on_ministack_and_the_tool_finds_what_is_there() {
    let Some(emulator) = ministack() else { return };
    emulator.create_table().await;
    let client = Client::new(&settings(emulator.address));
    create_log(&client).await;
    let read = async |_: &DynamoDbLog, id: &str| {
        let key = AttributeValue::S(id.to_owned());
        let request = client.get_item().table_name(TABLE).key("eventId", key);
        request.send().await.unwrap().item.map(|item| whole(&item))
    };
    let table = DynamoDbLog::new(&settings(emulator.address), TABLE.to_owned());
    let subject = Subject { table, read };
    subject.holds().await;
    a_missing_table_is_named(&emulator).await;

    let items = [
        item("t3", "2031-01-03T00:00:00.000Z", OTHER),
        item("t1", "2031-01-01T00:00:00.000Z", JSON),
        item("t2", "2031-01-02T00:00:00.000Z", JSON),
    ];
    subject.write(&items, Placing::Put).await;
    the_tool_finds(&emulator);
}

fn whole(item: &HashMap<String, AttributeValue>) -> Value {
    let attributes = item
        .iter()
        .map(|(name, value)| (name.clone(), to_json(value)));
    Value::Object(attributes.collect())
}

async fn create_log(client: &Client) {
    let key = |name: &str, kind| {
        let key = KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(kind);
        key.build().unwrap()
    };
    let text = |name: &str| {
        let text = AttributeDefinition::builder().attribute_name(name);
        let text = text.attribute_type(ScalarAttributeType::S);
        text.build().unwrap()
    };
    let all = Projection::builder().projection_type(ProjectionType::All);
    let index = GlobalSecondaryIndex::builder()
        .index_name("search")
        .key_schema(key("searchKey", KeyType::Hash))
        .key_schema(key("timestamp", KeyType::Range))
        .projection(all.build());
    client
        .create_table()
        .table_name(TABLE)
        .key_schema(key("eventId", KeyType::Hash))
        .attribute_definitions(text("eventId"))
        .attribute_definitions(text("searchKey"))
        .attribute_definitions(text("timestamp"))
        .global_secondary_indexes(index.build().unwrap())
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .unwrap();
}

async fn a_missing_table_is_named(emulator: &Emulator) {
    let elsewhere = DynamoDbLog::new(&settings(emulator.address), "elsewhere".to_owned());
    let deadline = Instant::now() + Duration::from_secs(10);
    for placing in [Placing::Put, Placing::Insert] {
        let items = [item("1", "2024-01-01", JSON)];
        let written = elsewhere.write(&items, placing, deadline).await;
        assert_eq!(written.asked.answers, [None], "{placing:?}");
        let why = written.asked.failure.unwrap().to_string();
        assert!(why.contains("no table \"elsewhere\" in us-east-1"), "{why}");
        assert!(why.contains("TABLE_NAME"), "{why}");
    }
}

fn the_tool_finds(emulator: &Emulator) {
    let place = Place::new();
    let ask = |subcommand: &str, arguments: &[&str]| -> Output {
        let mut command = place.nozzle(subcommand, arguments);
        command
            .env("AWS_ENDPOINT_URL", format!("http://{}", emulator.address))
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test");
        command.output().unwrap()
    };
    let look = |arguments: &[&str]| ask("log", arguments);
    let ids = |arguments: &[&str]| -> Vec<Value> {
        let output = look(&[arguments, &["--table", TABLE]].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        let lines = output.stdout.split(|byte| *byte == b'\n');
        let lines = lines.filter(|line| !line.is_empty());
        let id = |line| serde_json::from_slice::<Value>(line).unwrap()["eventId"].take();
        lines.map(id).collect()
    };
    assert_eq!(ids(&["get", "t1"]), ["t1"]);
    let year = ["search", "key", "--since", "2031-01-01"];
    assert_eq!(ids(&year), ["t1", "t2", "t3"]);
    let until = [&year[..], &["--until", "2031-01-03"]].concat();
    assert_eq!(ids(&until), ["t1", "t2"]);
    assert_eq!(ids(&["tail", "-n", "2"]), ["t2", "t3"]);

    let get = look(&["get", "t3", "--table", TABLE]);
    let item: Value = serde_json::from_slice(&get.stdout).unwrap();
    assert_eq!(item["data"], json!({ "n": 1.51 }));
    let missing = look(&["get", "t3", "--table", "elsewhere"]);
    assert_eq!(missing.status.code(), Some(2));
    let said = stderr(&missing);
    let expected = "the table elsewhere cannot be read: ResourceNotFoundException";
    assert!(said.contains(expected), "{said}");
    let index = look(&["search", "key", "--index", "other", "--table", TABLE]);
    assert_eq!(index.status.code(), Some(2), "{}", stderr(&index));

    let found = |arguments: &[&str]| -> Vec<String> {
        let output = ask(
            "find",
            &[arguments, &["--log-table", TABLE, "--json"]].concat(),
        );
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let mut places: Vec<_> = lines
            .map(|found: Value| found["at"].as_str().unwrap().to_owned())
            .collect();
        places.sort();
        assert_eq!(output.status.success(), !places.is_empty());
        places
    };
    assert_eq!(found(&["t1"]), ["table events-log t1"]);
    // What the contract has left is of no time that can be read.
    let of_2031 = ["--where", "n=1.51", "--since", "2031-01-01"];
    let expected = ["table events-log 2", "table events-log t3"];
    assert_eq!(found(&of_2031), expected);
    assert_eq!(found(&["t1", "--day", "2031-01-02"]), [""; 0]);
    assert_eq!(found(&["nobody"]), [""; 0]);
}
