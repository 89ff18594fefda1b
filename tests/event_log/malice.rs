//! What an event says stays in its own item's data: it moves no object, takes no other event's
//! place, and names no attribute.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    support::hostile::HOSTILE,
    world::{SHARD, World, first_not_done, record},
};

const BY_ID: (&str, &str) = ("EVENT_ID", "/id");
const BUCKET: (&str, &str) = ("S3_BUCKET", "bucket");

#[tokio::test(start_paused = true)]
async fn an_id_is_a_key_and_nothing_else_whatever_it_says() {
    let world = World::new(&[BY_ID, BUCKET]);
    let events = HOSTILE.map(|id| json!({"id": id}).to_string());
    let counts = world.keep(&events.each_ref().map(String::as_str)).await;
    assert_eq!(counts.stored, HOSTILE.len());
    let ids: BTreeSet<_> = world.ids().into_iter().collect();
    assert_eq!(ids, HOSTILE.map(ToOwned::to_owned).into_iter().collect());
}

/// Whoever knows how ids are made can only meet a conflict, which is told and kept.
#[tokio::test(start_paused = true)]
async fn an_id_that_is_another_events_takes_nobodys_place() {
    let world = World::new(&[BY_ID, BUCKET]);
    let forged = json!({"id": format!("{SHARD}:2")}).to_string();
    let counts = world.keep(&[&forged, r#"{"no":"id"}"#]).await;
    assert_eq!((counts.stored, counts.conflicts), (1, 1));
    assert_eq!(world.reasons(), [("2".to_owned(), "conflict".to_owned())]);

    let world = World::new(&[BY_ID, BUCKET, ("ON_CONFLICT", "keep-both")]);
    let copies = [r#"{"id":"a","n":1}"#, r#"{"id":"a","n":2}"#];
    let hash = format!("{:032x}", xxhash_rust::xxh3::xxh3_128(copies[1].as_bytes()));
    let forged = json!({"id": format!("a#{}", &hash[..16])}).to_string();
    let counts = world.keep(&[&forged, copies[0], copies[1]]).await;
    assert_eq!((counts.stored, counts.dead_letters), (2, 1));
    assert_eq!(world.reasons(), [("3".to_owned(), "conflict".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn no_field_of_an_event_is_an_attribute_of_its_item() {
    let settings = [BY_ID, ("SEARCH_KEY", "/s"), ("LOG_TTL_HOURS", "1")];
    let world = World::new(&settings);
    let plain = json!({"id": "plain", "s": "s"});
    let mut forged = json!({"id": "forged", "s": "s"});
    for attribute in [
        "eventId",
        "timestamp",
        "searchKey",
        "partitionKey",
        "ttl",
        "idMissing",
        "textNumbers",
        "raw",
        "refused",
        "dataRef",
        "M",
        "S",
        ":v",
    ] {
        forged[attribute] = json!(1);
    }
    world.keep(&[&plain.to_string(), &forged.to_string()]).await;
    let items = world.kept().items;
    let names = |id: &str| items[id].as_object().unwrap().keys().collect::<Vec<_>>();
    assert_eq!(names("forged"), names("plain"));
    assert_eq!(items["forged"]["ttl"], items["plain"]["ttl"]);
    assert_eq!(
        items["forged"]["data"]["M"].as_object().unwrap().len(),
        2 + 13
    );
}

#[tokio::test(start_paused = true)]
async fn a_search_key_is_found_by_nobody_elses_words() {
    let spread = [BY_ID, ("SEARCH_KEY", "/s"), ("SEARCH_BUCKETS", "10")];
    let world = World::new(&spread);
    let events: Vec<_> = (0..200)
        .map(|id| json!({"id": id, "s": if id % 2 == 0 { "u" } else { "u#3" }}).to_string())
        .collect();
    let events: Vec<_> = events.iter().map(String::as_str).collect();
    world.keep(&events).await;
    let keys_of = |value: &str| -> BTreeSet<String> {
        let items = world.kept().items.into_values();
        items
            .filter(|item| item["data"]["M"]["s"]["S"] == value)
            .map(|item| item["searchKey"]["S"].as_str().unwrap().to_owned())
            .collect()
    };
    let (short, long) = (keys_of("u"), keys_of("u#3"));
    assert!(short.len() > 5 && long.len() > 5, "{short:?} {long:?}");
    assert!(short.is_disjoint(&long), "{short:?} {long:?}");
}

/// An object's key is made of where the record stood in the stream.
#[tokio::test(start_paused = true)]
async fn no_text_moves_an_object() {
    for hostile in HOSTILE {
        let world = World::new(&[BY_ID, BUCKET, ("ON_UNREADABLE", "dead-letter")]);
        let large = json!({"id": hostile, "text": "x".repeat(410_000)}).to_string();
        let records: Vec<Value> = (1..)
            .zip([hostile.as_bytes(), large.as_bytes()])
            .map(|(number, data)| {
                let mut record = record(number, data);
                record["kinesis"]["partitionKey"] = hostile.into();
                record
            })
            .collect();
        let body = json!({ "Records": records }).to_string();
        let response = world.answer(body.as_bytes()).await.unwrap();
        assert_eq!(first_not_done(&response.body), None, "{hostile}");
        let keys: Vec<_> = world.kept().objects.into_keys().collect();
        let ends = ["1.json", "2"];
        assert_eq!(keys.len(), ends.len(), "{hostile}: {keys:?}");
        for (key, end) in keys.iter().zip(ends) {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.=".contains(&byte);
            assert!(key.bytes().all(is_plain), "{hostile}: {key}");
            assert!(
                !key.contains("..") && key.ends_with(end),
                "{hostile}: {key}"
            );
        }
    }
}

/// The stream's own words are Lambda's, and a caller may not be Lambda.
#[tokio::test(start_paused = true)]
async fn no_request_moves_an_object_out_of_its_prefix() {
    for (field, value) in [
        ("eventID", "../../x:1"),
        ("eventID", "shardId-000000000006:../../1"),
        ("eventSourceARN", "arn:aws:kinesis:eu:1:stream/../../x"),
    ] {
        let world = World::new(&[BUCKET, ("ON_UNREADABLE", "dead-letter")]);
        let mut record = record(1, b"no json");
        record[field] = value.into();
        let body = json!({ "Records": [record] }).to_string();
        let _answer = world.answer(body.as_bytes()).await;
        for key in world.kept().objects.into_keys() {
            assert!(key.starts_with("dead-letters/"), "{field}: {key}");
            assert!(!key.contains(".."), "{field}: {key}");
        }
    }
}
