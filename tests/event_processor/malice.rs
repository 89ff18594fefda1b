//! What an event says stays in its own line and its own counter: it moves no object, is counted as
//! nobody else, and names no attribute.

use std::collections::BTreeSet;

use nozzle::functions::event_processor::{EventProcessor, key::Named};
use serde_json::{Value, json};

use super::{
    request::{ask, event, not_done, request, request_from, settings},
    support::hostile::HOSTILE,
    world::World,
};

/// Made to be taken for a part of a key.
const KEYS: [&str; 4] = ["x#variant#B", "x%23variant", "view#slot#1", "ledger"];

async fn done(world: &World, body: &[u8]) {
    let function = EventProcessor::new(settings(&[]), world);
    let answered = ask(&function, body).await.unwrap();
    assert_eq!(not_done(&answered), None);
}

fn named(text: &str) -> Value {
    let mut event = event(text);
    for field in ["event_type", "user_id", "experiment_id"] {
        event[field] = text.into();
    }
    event["metadata"] = json!({ "variant": text });
    event
}

#[tokio::test(start_paused = true)]
async fn no_text_moves_an_object() {
    for hostile in HOSTILE {
        let world = World::new(0);
        let data = [named(hostile).to_string(), hostile.to_owned()];
        let body = request_from(0, &data.map(String::into_bytes));
        let body = String::from_utf8(body).unwrap();
        let key = json!(hostile).to_string();
        done(&world, body.replace(r#""k""#, &key).as_bytes()).await;
        let letters = world.letters().into_keys();
        let keys: Vec<_> = world.objects().into_keys().chain(letters).collect();
        assert_eq!(keys.len(), 2, "{hostile}: {keys:?}");
        for key in keys {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.=".contains(&byte);
            assert!(key.bytes().all(is_plain), "{hostile}: {key}");
            assert!(!key.contains(".."), "{hostile}: {key}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_is_counted_as_what_it_says_and_as_nobody_else() {
    let world = World::new(0);
    let texts: Vec<_> = HOSTILE.into_iter().chain(KEYS).collect();
    let events: Vec<_> = texts.iter().map(|text| named(text)).collect();
    done(&world, &request(&events)).await;
    let refused = world.letters().len();
    let counted: BTreeSet<_> = world
        .items()
        .into_iter()
        .filter_map(|(key, item)| match Named::read(&key)? {
            Named::Counter(subject) => Some((subject, item)),
            _ => None,
        })
        .map(|(subject, item)| {
            assert_eq!(item["event_count"].number(), Some(1), "{subject:?}");
            assert_eq!(subject.experiment, subject.variant);
            assert_eq!(subject.experiment, subject.event_type);
            subject.experiment
        })
        .collect();
    assert_eq!(counted.len() + refused, texts.len(), "{counted:?}");
    assert!(counted.iter().all(|text| texts.contains(&text.as_str())));
    assert!(KEYS.iter().all(|text| counted.contains(*text)));
}

#[tokio::test(start_paused = true)]
async fn no_field_of_an_event_is_an_attribute_of_an_item() {
    let plain = event("1");
    let mut forged = plain.clone();
    for attribute in [
        "event_count",
        "h00000",
        "ttl",
        "version",
        "sketch",
        "users",
        "plan_keys",
        "partition_key",
        "sort_key",
    ] {
        forged[attribute] = json!(1_000_000);
    }
    let (of_plain, of_forged) = (World::new(0), World::new(0));
    done(&of_plain, &request(&[plain])).await;
    done(&of_forged, &request(&[forged])).await;
    assert_eq!(of_plain.items(), of_forged.items());
}
