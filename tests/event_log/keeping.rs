//! What becomes of a batch's events: items, once; what cannot be one is set aside; the first that
//! is not kept is reported.

use nozzle::{
    aws::{Cause, Failure},
    functions::event_log::table::Spent,
};
use serde_json::{Value, json};

use crate::{
    support::{
        log_items::UNWANTED,
        proxy::Fault::{self, BlackHole, Garbage, Pass, Refuse, Reset},
    },
    world::{SHARD, World, first_not_done, request},
};

const BY_ID: (&str, &str) = ("EVENT_ID", "/id");
const BUCKET: (&str, &str) = ("S3_BUCKET", "bucket");
const KEEP_BOTH: (&str, &str) = ("ON_CONFLICT", "keep-both");

fn texts(count: usize, bytes: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!(r#"{{"n":{number},"text":"{}"}}"#, "x".repeat(bytes)))
        .collect()
}

fn large(id: &str) -> String {
    format!(r#"{{"id":"{id}","text":"{}"}}"#, "x".repeat(410_000))
}

fn throttled() -> Failure {
    Failure::Passing("told to".to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_request_has_25_items_and_each_is_there_once() {
    let world = World::new(&[]);
    let data = texts(60, 10);
    let data: Vec<_> = data.iter().map(String::as_str).collect();
    for _ in 0..2 {
        world.proxy.play(|_| Pass);
        let counts = world.keep(&data).await;
        assert_eq!(world.proxy.requests(), [25, 25, 10]);
        assert_eq!((counts.records, counts.events, counts.stored), (60, 60, 60));
        let spent = Spent {
            requests: 3,
            write_units: 60.0,
        };
        assert_eq!(counts.spent, spent);
    }
    let items = world.kept().items;
    assert_eq!(items.len(), 60);
    let first = &items[&format!("{SHARD}:1")];
    assert_eq!(first["data"]["M"]["n"], json!({"N": "0"}));
}

#[tokio::test(start_paused = true)]
async fn a_kilobyte_costs_a_write_unit() {
    let world = World::new(&[]);
    let data = texts(3, 2_500);
    let counts = world
        .keep(&data.iter().map(String::as_str).collect::<Vec<_>>())
        .await;
    let spent = Spent {
        requests: 1,
        write_units: 9.0,
    };
    assert_eq!(counts.spent, spent);
}

#[tokio::test(start_paused = true)]
async fn a_copy_is_a_duplicate_by_the_value_of_its_data_in_a_batch_and_after_it() {
    let world = World::new(&[BY_ID, BUCKET]);
    let copies = [r#"{"id":1,"n":1.50}"#, r#"{ "n" : 15e-1, "id" : 1 }"#];
    let counts = world.keep(&copies).await;
    assert_eq!((counts.stored, counts.duplicates), (1, 1));
    assert_eq!(
        counts.spent.requests, 1,
        "what is in the batch is not asked for"
    );
    let counts = world.keep(&copies).await;
    assert_eq!((counts.stored, counts.duplicates), (0, 2));
    let counts = world.keep(&copies[1..]).await;
    assert_eq!((counts.duplicates, counts.conflicts), (1, 0));
    assert_eq!(world.ids(), ["1"]);
    assert_eq!(world.reasons(), []);
}

#[tokio::test(start_paused = true)]
async fn of_conflicting_copies_the_first_stays_and_the_others_are_set_aside() {
    let world = World::new(&[BY_ID, BUCKET]);
    let copies = [
        r#"{"id":"a","n":1}"#,
        r#"{"id":"a","n":2}"#,
        r#"{"id":"a","n":1}"#,
    ];
    for _ in 0..2 {
        let counts = world.keep(&copies).await;
        assert_eq!((counts.conflicts, counts.dead_letters), (1, 1));
        let items = world.kept().items;
        assert_eq!(items.len(), 1);
        assert_eq!(items["a"]["data"]["M"]["n"], json!({"N": "1"}));
        let expected = [("2".to_owned(), "conflict".to_owned())];
        assert_eq!(world.reasons(), expected);
    }
    let letter = world.kept().objects.into_values().next().unwrap();
    let letter: Value = serde_json::from_slice(&letter).unwrap();
    let data = base64_simd::STANDARD.decode_to_vec(letter["data"].as_str().unwrap());
    assert_eq!(data.unwrap(), copies[1].as_bytes());
}

#[tokio::test(start_paused = true)]
async fn both_copies_may_be_kept_each_under_an_id_of_its_own() {
    let world = World::new(&[BY_ID, KEEP_BOTH]);
    let copies = [
        r#"{"id":"a","n":1}"#,
        r#"{"id":"a","n":2}"#,
        r#"{"id":"a","n":2}"#,
    ];
    for stored in [2, 0] {
        let counts = world.keep(&copies).await;
        assert_eq!((counts.conflicts, counts.stored), (2, stored));
        assert_eq!(counts.duplicates, 3 - stored);
        let hash = format!("{:032x}", xxhash_rust::xxh3::xxh3_128(copies[1].as_bytes()));
        assert_eq!(world.ids(), ["a".to_owned(), format!("a#{}", &hash[..16])]);
    }
    let second = world.kept().items.into_values().nth(1).unwrap();
    assert_eq!(second["data"]["M"]["n"], json!({"N": "2"}));
}

#[tokio::test(start_paused = true)]
async fn an_event_without_an_id_takes_its_records_and_is_there_once() {
    let world = World::new(&[BY_ID]);
    for (stored, duplicates) in [(3, 0), (0, 3)] {
        let counts = world.keep(&["{}", "no json", r#"{"id":[]}"#]).await;
        assert_eq!((counts.stored, counts.duplicates), (stored, duplicates));
    }
    for item in world.kept().items.values() {
        assert_eq!(item["idMissing"], json!({"BOOL": true}));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_is_an_object_and_the_same_by_its_sum() {
    let world = World::new(&[BY_ID, BUCKET]);
    let counts = world.keep(&[&large("a"), &large("a"), "{}"]).await;
    assert_eq!(
        (counts.overflow, counts.stored, counts.duplicates),
        (2, 2, 1)
    );
    let kept = world.kept();
    let key = kept.items["a"]["dataRef"]["M"]["key"]["S"]
        .as_str()
        .unwrap();
    assert_eq!(kept.objects[key], large("a").as_bytes());
    let counts = world.keep(&[&large("a")]).await;
    assert_eq!((counts.duplicates, counts.conflicts), (1, 0));
    let counts = world
        .keep(&[&large("a").replace("xx", "xy"), r#"{"id":"a"}"#])
        .await;
    assert_eq!(counts.conflicts, 2);
}

#[tokio::test(start_paused = true)]
async fn a_poisoned_record_among_good_ones_stops_nobody() {
    for values in [&[BUCKET][..], &[BUCKET, BY_ID], &[BUCKET, BY_ID, KEEP_BOTH]] {
        let world = World::new(values);
        let mut data: Vec<_> = (0..60).map(|n| format!(r#"{{"id":{n}}}"#)).collect();
        for poisoned in [3, 30, 31] {
            data[poisoned] = format!(r#"{{"id":{poisoned},"a":"{UNWANTED}"}}"#);
        }
        let data: Vec<_> = data.iter().map(String::as_str).collect();
        let counts = world.keep(&data).await;
        assert_eq!((counts.stored, counts.dead_letters), (57, 3), "{values:?}");
        assert_eq!(world.ids().len(), 57);
        let expected =
            ["32", "31", "4"].map(|number| (number.to_owned(), "item_refused".to_owned()));
        let mut reasons = world.reasons();
        reasons.sort_by(|one, other| other.cmp(one));
        assert_eq!(reasons.len(), expected.len());
        assert!(
            expected.iter().all(|one| reasons.contains(one)),
            "{reasons:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_copy_does_not_stand_for_the_others() {
    let world = World::new(&[BUCKET, BY_ID]);
    let refused = format!(r#"{{"id":"a","b":"{UNWANTED}"}}"#);
    let counts = world.keep(&[&refused, r#"{"id":"a"}"#, &refused]).await;
    assert_eq!(
        (counts.stored, counts.conflicts, counts.dead_letters),
        (1, 1, 2)
    );
    assert_eq!(world.ids(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_needs_a_place_and_what_is_missing_is_said() {
    let dead_letter = ("ON_UNREADABLE", "dead-letter");
    let world = World::new(&[dead_letter]);
    let error = world
        .answer(&request(&["{}", "no json"]))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "an event cannot be accepted (not_json), and neither S3_BUCKET nor DLQ_URL says where to keep it; set one of them"
    );
    assert_eq!(world.ids().len(), 1, "its neighbour is stored");

    let world = World::with_queue(&[dead_letter]);
    let counts = world.keep(&["no json"]).await;
    assert_eq!((counts.unreadable, counts.dead_letters), (1, 1));
    let [message] = world.depot.messages().try_into().unwrap();
    assert!(message.contains(r#""reason":"not_json""#), "{message}");

    let world = World::with_queue(&[dead_letter, BUCKET]);
    world.keep(&[&"no json".repeat(200_000)]).await;
    let [message] = world.depot.messages().try_into().unwrap();
    assert!(
        message.contains(r#""data_ref":"s3://bucket/dead-letters/"#),
        "{message}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_first_record_that_is_not_kept_is_reported_and_all_others_are_kept() {
    let world = World::new(&[BUCKET, ("ON_UNREADABLE", "dead-letter")]);
    let body = request(&["{}", "no json", &large("x"), "{}", &large("y")]);
    for (away, first, items) in [
        ("overflow", Some("3"), 2),
        ("5.json", None, 4),
        ("dead-letters", Some("2"), 4),
    ] {
        world.depot.fail(away, throttled());
        let response = world.answer(&body).await.unwrap();
        assert_eq!(first_not_done(&response.body).as_deref(), first, "{away}");
        assert_eq!(world.ids().len(), items, "{away}");
    }
    world.depot.recover();
    let response = world.answer(&body).await.unwrap();
    assert_eq!(
        (response.counts.failures, response.counts.dead_letters),
        (0, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn what_failed_for_now_keeps_its_place_before_its_copies() {
    let world = World::new(&[BUCKET, BY_ID]);
    world.depot.fail("overflow", throttled());
    let body = request(&[
        r#"{"id":"b"}"#,
        &large("a"),
        r#"{"id":"a"}"#,
        r#"{"id":"c"}"#,
    ]);
    let response = world.answer(&body).await.unwrap();
    assert_eq!(first_not_done(&response.body).as_deref(), Some("2"));
    assert_eq!(response.counts.failures, 2);
    assert_eq!(world.ids(), ["b", "c"]);
    world.depot.recover();
    let response = world.answer(&body).await.unwrap();
    assert_eq!(response.counts.conflicts, 1);
    assert!(world.kept().items["a"].get("dataRef").is_some());
}

#[tokio::test(start_paused = true)]
async fn what_a_person_has_to_mend_at_the_bucket_is_an_error_and_stops_no_item() {
    let world = World::new(&[BUCKET]);
    let denied = Failure::Lasting(Cause::NoPermission, "the function may not".to_owned());
    world.depot.fail("overflow", denied);
    let error = world
        .answer(&request(&[&large("x"), "{}"]))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "the function may not");
    assert_eq!(world.ids(), [format!("{SHARD}:2")]);
}

#[tokio::test(start_paused = true)]
async fn throttled_items_are_asked_for_again_alone() {
    for values in [&[][..], &[BY_ID]] {
        let world = World::new(values);
        world.proxy.play(|number| match number {
            0..6 => Fault::RefuseStatements(0.5, "ThrottlingError"),
            _ => Pass,
        });
        let data = texts(100, 10);
        world
            .keep(&data.iter().map(String::as_str).collect::<Vec<_>>())
            .await;
        assert_eq!(world.ids().len(), 100);
        let asked: usize = world.proxy.requests().iter().sum();
        assert!((130..200).contains(&asked), "{asked} items were asked for");
    }
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_away_is_waited_for_until_a_second_before_the_deadline() {
    for fault in [
        BlackHole,
        Reset,
        Refuse(500, "InternalServerError"),
        Refuse(400, "ThrottlingException"),
        Fault::RefuseStatements(1.0, "ThrottlingError"),
    ] {
        let world = World::new(&[]);
        world.proxy.play(move |_| fault);
        let started = tokio::time::Instant::now();
        let response = world.answer(&request(&texts(30, 10))).await.unwrap();
        assert_eq!(first_not_done(&response.body).as_deref(), Some("1"));
        assert_eq!(response.counts.failures, 30);
        let seconds = started.elapsed().as_secs_f64();
        assert!((58.0..=59.1).contains(&seconds), "{fault:?}: {seconds} s");
        world.proxy.play(|_| Pass);
        let response = world.answer(&request(&texts(30, 10))).await.unwrap();
        assert_eq!(first_not_done(&response.body), None);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_person_has_to_mend_at_the_table_is_said_with_what_to_do() {
    for (fault, says) in [
        (
            Refuse(400, "ResourceNotFoundException"),
            "there is no table \"EventLogs\" in us-east-1; create it there or correct TABLE_NAME",
        ),
        (
            Refuse(400, "AccessDeniedException"),
            "allow its role dynamodb:BatchWriteItem, dynamodb:PartiQLInsert and dynamodb:BatchGetItem there",
        ),
        (
            Refuse(400, "ValidationException"),
            "its key has to be \"eventId\", a string, and nothing else",
        ),
        (
            Refuse(400, "ExpiredTokenException"),
            "give the function a role",
        ),
        (Garbage("<html>"), "makes no sense"),
    ] {
        for values in [&[][..], &[BY_ID]] {
            let world = World::new(values);
            world.proxy.play(move |_| fault);
            let error = world.answer(&request(&texts(60, 10))).await.unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_real_librarys_aggregates_are_taken_apart() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/aggregates.json");
    let situations: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let mut seen = 0;
    for situation in situations.as_array().unwrap() {
        let Some(events) = situation["content"].as_array() else {
            continue;
        };
        let world = World::new(&[]);
        let record = bytes(&situation["record"]);
        let response = world
            .answer(&request(&["1".as_bytes(), &record]))
            .await
            .unwrap();
        assert_eq!(response.counts.events, events.len() + 1, "{situation}");
        let items = world.kept().items;
        for (sub, event) in events.iter().enumerate() {
            let item = &items[&format!("{SHARD}:2.{sub}")];
            assert_eq!(item["partitionKey"]["S"], event[0], "{situation}");
            let data = bytes(&event[1]);
            if let Ok(json) = serde_json::from_slice::<Value>(&data) {
                let is_kept = item.get("data").or(item.get("raw")).is_some();
                assert!(is_kept, "{json}");
            } else {
                let raw = base64_simd::STANDARD.encode_to_string(&data);
                assert_eq!(item["raw"], json!({ "B": raw }), "{situation}");
            }
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} events");
}

fn bytes(hexadecimal: &Value) -> Vec<u8> {
    let digits = hexadecimal.as_str().unwrap().as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
