//! The contract on AWS's stores, and what AWS itself says to each statement and condition.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
        KeyType, Projection, ProjectionType, ScalarAttributeType,
    },
};
use nozzle::functions::event_processor::{
    archive::{Objects, PutOn, s3::Bucket},
    enrichment::{AssignmentFields, AssignmentKeys, Lookup, Pair, dynamodb::DynamoDbLookup},
    settings::{Assignments, Experiments, Resources},
    table::{
        Item, Key,
        dynamodb::{DynamoDbTable, read_entry},
    },
};
use tokio::time::Instant;

use super::{
    contract,
    support::{
        client::settings,
        emulators::{Emulator, ministack},
    },
    world::World,
};

#[tokio::test]
async fn the_contract_holds_on_ministack() {
    let Some(emulator) = ministack() else { return };
    emulator.create_table().await;
    let shared = settings(emulator.address);
    create_table(&emulator, "counters", ["partition_key", "sort_key"], None).await;
    let table = DynamoDbTable::new(&shared, "counters".to_owned());
    table.warm_up().await.unwrap();
    Box::pin(contract::table_holds(&table, "ministack")).await;
    all_items_are_read(&Client::new(&shared)).await;
    let buckets = aws_sdk_s3::Client::new(&shared);
    let archive = buckets.create_bucket().bucket("archive").send();
    archive.await.unwrap();
    let archive = Bucket::new(&shared, "archive".to_owned());
    contract::archive_holds(&archive, "ministack").await;
    what_is_missing_is_named(&emulator).await;
    for (table, keys, index) in [
        ("by-key", ["user_id", "experiment_id"], None),
        ("by-id", ["assignment_id", "kind"], Some("by-user")),
    ] {
        create_table(&emulator, table, keys, index).await;
        assignments_are_found(&emulator, table, index).await;
    }
}

async fn all_items_are_read(client: &Client) {
    let scan = client.scan().table_name("counters").into_paginator();
    let items: Result<Vec<_>, _> = scan.items().send().collect().await;
    let items = items.unwrap();
    let items = items.iter().filter_map(read_entry).collect();
    let same = World::new(0);
    contract::table_holds(&same, "ministack").await;
    let but_versions = |items: BTreeMap<Key, Item>| {
        let items = items.into_iter().map(|(key, mut item)| {
            item.remove("version");
            (key, item)
        });
        items.collect::<Vec<_>>()
    };
    assert_eq!(but_versions(items), but_versions(same.items()));
}

async fn what_is_missing_is_named(emulator: &Emulator) {
    let shared = settings(emulator.address);
    let table = DynamoDbTable::new(&shared, "elsewhere".to_owned());
    let why = table.warm_up().await.unwrap_err().to_string();
    assert!(why.contains("no table \"elsewhere\" in us-east-1"), "{why}");
    assert!(why.contains("DYNAMODB_TABLE"), "{why}");
    let bucket = Bucket::new(&shared, "elsewhere".to_owned());
    let object = contract::object(1);
    let put = bucket.put("key", &object, &PutOn::Absent, contract::PATIENCE);
    let why = put.await.unwrap_err().to_string();
    assert!(why.contains("no bucket \"elsewhere\""), "{why}");
    assert!(why.contains("S3_BUCKET"), "{why}");
}

pub(crate) async fn create_table(
    emulator: &Emulator,
    name: &str,
    keys: [&str; 2],
    index: Option<&str>,
) {
    let schema = |keys: [&str; 2]| {
        let parts = keys.into_iter().zip([KeyType::Hash, KeyType::Range]);
        let parts = parts.map(|(name, kind)| {
            let part = KeySchemaElement::builder().attribute_name(name);
            part.key_type(kind).build().unwrap()
        });
        Some(parts.collect::<Vec<_>>())
    };
    let attribute = |name: &str| {
        let attribute = AttributeDefinition::builder().attribute_name(name);
        let attribute = attribute.attribute_type(ScalarAttributeType::S);
        attribute.build().unwrap()
    };
    let mut names: Vec<_> = keys.into();
    let client = Client::new(&settings(emulator.address));
    let mut request = client.create_table().set_key_schema(schema(keys));
    if let Some(index) = index {
        let index_keys = ["user_id", "experiment_id"];
        names.extend(index_keys);
        let all = Projection::builder().projection_type(ProjectionType::All);
        let index = GlobalSecondaryIndex::builder()
            .index_name(index)
            .set_key_schema(schema(index_keys))
            .projection(all.build());
        request = request.global_secondary_indexes(index.build().unwrap());
    }
    request
        .table_name(name)
        .set_attribute_definitions(Some(names.into_iter().map(attribute).collect()))
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .unwrap();
}

/// More than one request takes.
async fn assignments_are_found(emulator: &Emulator, table: &str, index: Option<&str>) {
    let client = Client::new(&settings(emulator.address));
    let text = |text: String| AttributeValue::S(text);
    for number in 0..120 {
        client
            .put_item()
            .table_name(table)
            .item("user_id", text(format!("user-{number}")))
            .item("experiment_id", text("checkout".to_owned()))
            .item("assignment_id", text(format!("a-{number}")))
            .item("kind", text("k".to_owned()))
            .item("variant", text("B".to_owned()))
            .item("timestamp", AttributeValue::N("1734645600.5".to_owned()))
            .send()
            .await
            .unwrap();
    }
    let keys = index.map(|index| AssignmentKeys::Index(index.to_owned()));
    let resources = Resources {
        assignments: Some(Assignments {
            table: table.to_owned(),
            keys: keys.unwrap_or_default(),
            fields: AssignmentFields::default(),
        }),
        experiments: Some(Experiments {
            table: "nowhere".to_owned(),
            key: "key".to_owned(),
        }),
        ..Resources::read(|_| None).unwrap()
    };
    let lookup = DynamoDbLookup::new(&settings(emulator.address), &resources);
    let pair = |number: usize| Pair {
        user: format!("user-{number}"),
        experiment: "checkout".to_owned(),
    };
    let wanted: Vec<_> = (0..130).map(pair).collect();
    let deadline = Instant::now() + contract::PATIENCE;
    let asked = lookup.assignments(&wanted, deadline).await;
    assert!(asked.failure.is_none(), "{:?}", asked.failure);
    for (number, answer) in asked.answers.into_iter().enumerate() {
        let found = answer.unwrap();
        assert_eq!(found.is_some(), number < 120);
        let Some(found) = found else { continue };
        assert_eq!(found.id, Some(format!("a-{number}")));
        let time = found.time.unwrap().nanoseconds();
        assert_eq!(time, 1_734_645_600_500_000_000);
    }
    let wanted = ["checkout".to_owned()];
    let asked = lookup.experiments(&wanted, deadline).await;
    let why = asked.failure.unwrap().to_string();
    assert!(why.contains("EXPERIMENTS_TABLE"), "{why}");
}
