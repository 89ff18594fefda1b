//! What becomes of a batch, situation by situation.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use nozzle::{
    functions::{
        Counted, Failure,
        event_processor::{Counts, EventProcessor, sketch::user_hash, window::Span},
    },
    kinesis::Tag,
    telemetry::Quantity,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    request::{
        ARN, archived, ask, ask_within, counters, event, hours, lines, not_done, refused, request,
        request_from, sequence, settings, users,
    },
    world::{Trouble, World},
};

/// Asks once, with the settings that are not the usual ones; all has to be done.
async fn done(world: &World, values: &[(&str, &str)], body: &[u8]) -> Counts {
    let function = EventProcessor::new(settings(values), world);
    let answered = ask(&function, body).await.unwrap();
    assert_eq!(not_done(&answered), None);
    answered.counts
}

fn with(id: &str, fields: &Value) -> Value {
    let mut event = event(id);
    for (name, value) in fields.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

// Parsing and validation

#[tokio::test(start_paused = true)]
async fn one_event_is_counted_and_archived() {
    let world = World::new(0);
    let counts = done(&world, &[], &request(&[event("1")])).await;
    assert_eq!(hours(&world), ["checkout B view: 1"]);
    assert_eq!(counters(&world, Span::Day), ["checkout B view: 1"]);
    assert_eq!(users(&world), ["checkout B view: 1"]);
    assert_eq!(lines(&world).len(), 1);
    assert_eq!((counts.events, counts.archived, counts.counted), (1, 1, 2));
}

#[tokio::test(start_paused = true)]
async fn three_events_of_two_users_are_three_and_two() {
    let world = World::new(0);
    let variant =
        |id: &str, user: &str| with(id, &json!({"user_id": user, "metadata": {"variant": "B"}}));
    let events = [variant("1", "a"), variant("2", "b"), variant("3", "a")];
    done(&world, &[], &request(&events)).await;
    assert_eq!(hours(&world), ["checkout B view: 3"]);
    assert_eq!(users(&world), ["checkout B view: 2"]);
}

#[tokio::test(start_paused = true)]
async fn a_bad_record_is_a_dead_letter_and_stops_nobody() {
    for (data, reason) in [
        (&b"{"[..], "not_json"),
        (b"", "data_missing"),
        (b"\xff", "not_utf8"),
        (b"{}", "event_id_missing"),
        (b"[]", "not_an_object"),
        (
            br#"{"event_id":"1","event_type":{},"user_id":"u"}"#,
            "event_type_wrong_type",
        ),
        (br#"{"event_id":"1","event_type":"t"}"#, "user_id_missing"),
    ] {
        let world = World::new(0);
        let data = [
            event("1").to_string().into_bytes(),
            data.to_vec(),
            event("2").to_string().into_bytes(),
        ];
        let counts = done(&world, &[], &request_from(0, &data)).await;
        assert_eq!(hours(&world), ["checkout B view: 2"]);
        assert_eq!(refused(&world), [reason]);
        assert_eq!((counts.dead_letters, counts.archived), (1, 2));
        assert_eq!(counts.refused.values().sum::<usize>(), 1);
        let metric = format!("refused_{reason}");
        assert!(counts.metrics().iter().any(|found| found.name == metric));
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_holds_the_original_and_nothing_else_of_it() {
    let world = World::new(0);
    let secret = br#"{"event_id":"secret-id","user_id":"secret-user"}"#;
    done(&world, &[], &request_from(0, &[secret.to_vec()])).await;
    let letters = world.letters();
    let letter: Value = serde_json::from_slice(letters.values().next().unwrap()).unwrap();
    assert_eq!(
        BASE64_STANDARD
            .decode(letter["data"].as_str().unwrap())
            .unwrap(),
        secret
    );
    assert_eq!(letter["function"], "event-processor");
    assert_eq!(letter["arrival"], "2024-12-19T22:59:59.500Z");
    assert_eq!(
        letter["record_id"],
        format!("shardId-000000000006:{}", sequence(0))
    );
    assert!(!letters.keys().any(|name| name.contains("secret")));
}

#[tokio::test(start_paused = true)]
async fn an_event_is_archived_as_it_came_with_what_is_known() {
    let world = World::new(0);
    let text = r#"{"event_id":"1","event_type":"view","user_id":"user-1","experiment_id":"checkout","timestamp":"2024-12-19T23:30:00Z","properties":{"text":"Hello 👋 é ñ 中文","n":1.50,"deep":{"a":[1,{"b":null}]}},"extra":[1]}"#;
    done(&world, &[], &request_from(0, &[text.as_bytes().to_vec()])).await;
    let [line] = &*lines(&world) else {
        panic!("one line")
    };
    assert_eq!(line["properties"]["text"], "Hello 👋 é ñ 中文");
    assert_eq!(line["extra"], json!([1]));
    assert_eq!(
        line["record_id"],
        format!("shardId-000000000006:{}", sequence(0))
    );
    assert_eq!(line["event_datetime"], "2024-12-19T23:30:00.000000Z");
    assert_eq!(line["assignment_id"], "a-1");
    assert_eq!(line["variant"], "B");
    assert_eq!(line["time_since_assignment_seconds"], 5400);
    assert_eq!(line["experiment_key"], "checkout");
    assert_eq!(line["experiment_name"], "Checkout \"2\"");
    assert_eq!(line["experiment_status"], "running");
}

// Duplicates

#[tokio::test(start_paused = true)]
async fn a_copy_is_dropped_where_claims_are_made_and_counted_where_none_are() {
    for (claims, count) in [(true, 2), (false, 3)] {
        let world = World::new(0).claiming(claims);
        let events = [event("1"), event("2"), event("1")];
        let counts = done(&world, &[], &request(&events)).await;
        assert_eq!(hours(&world), [format!("checkout B view: {count}")]);
        assert_eq!(lines(&world).len(), count);
        assert_eq!(counts.duplicates, 3 - count);
        assert_eq!(counts.write_units >= 1000.0, claims, "a thousand a call");
        let copy = [event("1").to_string().into_bytes()];
        done(&world, &[], &request_from(3, &copy)).await;
        assert_eq!(lines(&world).len(), if claims { 2 } else { 4 });
    }
}

// Enrichment

#[tokio::test(start_paused = true)]
async fn what_is_not_known_is_archived_and_not_counted() {
    let world = World::new(0);
    let events = [
        with("1", &json!({"user_id": "user-9"})),
        with("2", &json!({"experiment_id": null})),
        with(
            "3",
            &json!({"experiment_id": "other", "metadata": {"variant": "X"}}),
        ),
    ];
    let counts = done(&world, &[], &request(&events)).await;
    assert_eq!(hours(&world), ["other X view: 1"]);
    assert_eq!((counts.uncounted, counts.archived), (2, 3));
    assert_eq!(
        (counts.assignments_missing, counts.experiments_missing),
        (2, 1)
    );
    assert_eq!(counts.enriched, 1);
    let line = |id: &str| {
        lines(&world)
            .into_iter()
            .find(|line| line["event_id"] == id)
            .unwrap()
    };
    assert_eq!(line("1").get("variant"), None);
    assert_eq!(line("1")["experiment_name"], "Checkout \"2\"");
    assert_eq!(line("3")["variant"], "X");
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_away_brings_the_batch_again() {
    let world = World::new(0).refusing(Trouble::Lookups);
    let function = EventProcessor::new(settings(&[]), &world);
    let answered = ask(&function, &request(&[event("1")])).await.unwrap();
    assert_eq!(not_done(&answered), Some(sequence(0)));
    let metrics = answered.counts.metrics();
    assert!(
        metrics
            .iter()
            .any(|metric| metric.name == "enrichment_failures")
    );
    assert!(world.items().is_empty() && world.objects().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_looked_up_is_kept_where_that_is_wanted() {
    let world = World::new(0).refusing(Trouble::Lookups);
    let events = [event("1"), with("2", &json!({"experiment_id": null}))];
    let counts = done(
        &world,
        &[("ON_ENRICHMENT_FAILURE", "keep")],
        &request(&events),
    )
    .await;
    assert_eq!(counts.uncounted, 2);
    let metrics = counts.metrics();
    let failures = metrics
        .iter()
        .filter(|metric| metric.name.ends_with("_failures"));
    let failures: Vec<_> = failures.map(|metric| metric.name.as_str()).collect();
    assert_eq!(failures, ["enrichment_failures"]);
    assert!(hours(&world).is_empty());
    let errors = lines(&world)
        .into_iter()
        .map(|line| line["enrichment_error"] == true);
    assert_eq!(errors.collect::<Vec<_>>(), [true, false]);
}

#[tokio::test(start_paused = true)]
async fn a_warm_function_asks_once_for_what_it_remembers() {
    let world = World::new(0);
    let function = EventProcessor::new(settings(&[]), &world);
    for number in 0..3 {
        let event = event(&number.to_string()).to_string().into_bytes();
        ask(&function, &request_from(number, &[event]))
            .await
            .unwrap();
    }
    assert_eq!(world.looked_up_times(), 2);
    tokio::time::advance(Duration::from_mins(1)).await;
    let event = event("3").to_string().into_bytes();
    ask(&function, &request_from(3, &[event])).await.unwrap();
    assert_eq!(
        world.looked_up_times(),
        3,
        "the experiment alone is asked for again"
    );
}

// Counting

#[tokio::test(start_paused = true)]
async fn a_retry_counts_nothing_twice() {
    let world = World::new(0);
    let body = request(&[event("1"), event("2")]);
    let first = done(&world, &[], &body).await;
    let again = done(&world, &[], &body).await;
    assert_eq!(hours(&world), ["checkout B view: 2"]);
    assert_eq!((first.done_before, again.done_before), (0, 2));
    assert_eq!((again.counted, again.archived), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_counter_that_is_ahead_counts_what_is_left() {
    let world = World::new(0).refusing(Trouble::Ends);
    let function = EventProcessor::new(settings(&[]), &world);
    let events: Vec<_> = (0..4).map(|number| event(&number.to_string())).collect();
    let answered = ask(&function, &request(&events[..2])).await.unwrap();
    assert_eq!(not_done(&answered), Some(sequence(0)));
    world.mend();
    let counts = done(&world, &[], &request(&events)).await;
    assert_eq!(hours(&world), ["checkout B view: 4"]);
    assert_eq!((counts.already_counted, counts.counted), (4, 4));
    assert_eq!(lines(&world).len(), 4);
}

#[tokio::test(start_paused = true)]
async fn each_variant_has_its_own_events_and_users() {
    let world = World::new(0);
    let of = |id: &str, user: &str, variant: &str| {
        let fields = json!({"user_id": user, "metadata": {"variant": variant}});
        with(id, &fields)
    };
    let events = [
        of("1", "a", "A"),
        of("2", "a", "A"),
        of("3", "b", "B"),
        of("4", "a", "B"),
    ];
    done(&world, &[], &request(&events)).await;
    assert_eq!(hours(&world), ["checkout A view: 2", "checkout B view: 2"]);
    assert_eq!(users(&world), ["checkout A view: 1", "checkout B view: 2"]);
}

#[tokio::test(start_paused = true)]
async fn windows_users_slots_and_lifetimes_are_as_they_are_set() {
    let world = World::new(0);
    let values = [
        ("WINDOWS", "day"),
        ("UNIQUE_USERS", "exact"),
        ("COUNTER_SLOTS", "4"),
        ("COUNTER_TTL_DAYS", "2"),
    ];
    done(&world, &values, &request(&[event("1")])).await;
    let items: Vec<_> = world
        .items()
        .into_iter()
        .filter(|(key, _)| key.sort != "ledger")
        .collect();
    let sorts: Vec<_> = items.iter().map(|(key, _)| key.sort.as_str()).collect();
    let hash = user_hash("user-1");
    assert_eq!(
        sorts,
        ["event_type#view#slot#2", &format!("user#view#{hash:016x}")]
    );
    for (key, item) in items {
        assert_eq!(key.partition, "exp_checkout#variant#B#day#2024-12-19");
        assert_eq!(item["ttl"].number(), Some(1_734_652_800 + 2 * 86_400));
    }
    let world = World::new(0);
    done(&world, &[("UNIQUE_USERS", "off")], &request(&[event("1")])).await;
    assert!(users(&world).is_empty());
}

// The archive

#[tokio::test(start_paused = true)]
async fn events_are_archived_by_hour_under_names_that_their_segment_decides() {
    let world = World::new(0);
    let events = [
        event("1"),
        with("2", &json!({"timestamp": "2024-12-20T00:10:00Z"})),
        event("3"),
    ];
    done(&world, &[("ARCHIVE_PREFIX", "a/")], &request(&events)).await;
    let tag = Tag::of(ARN);
    let name = |hour: &str| {
        format!(
            "a/year=2024/month=12/{hour}/{tag}-6-{}-0.jsonl.gz",
            sequence(0)
        )
    };
    let names: Vec<_> = archived(&world)
        .into_iter()
        .map(|(name, lines)| (name, lines.len()))
        .collect();
    assert_eq!(
        names,
        [(name("day=19/hour=23"), 2), (name("day=20/hour=00"), 1)]
    );
    let objects = world.objects();
    let object = objects.values().next().unwrap();
    assert_eq!((&object.first, &object.last), (&sequence(0), &sequence(2)));
    assert_eq!(object.plan, 1);
}

#[tokio::test(start_paused = true)]
async fn files_have_a_thousand_events() {
    let world = World::new(0);
    let events: Vec<_> = (0..2500).map(|number| event(&number.to_string())).collect();
    let counts = done(&world, &[], &request(&events)).await;
    let sizes: Vec<_> = archived(&world)
        .into_values()
        .map(|lines| lines.len())
        .collect();
    assert_eq!(sizes, [1000, 1000, 500]);
    assert_eq!((counts.archived, counts.archive_objects), (2500, 3));
}

#[tokio::test(start_paused = true)]
async fn files_have_five_mebibytes_before_compression() {
    let world = World::new(0);
    let text = "x".repeat(900_000);
    let large = |number: usize| with(&number.to_string(), &json!({ "text": text }));
    let events: Vec<_> = (0..12).map(large).collect();
    done(&world, &[], &request(&events)).await;
    let lines: Vec<_> = archived(&world)
        .into_values()
        .map(|lines| lines.len())
        .collect();
    assert_eq!(lines, [5, 5, 2]);
}

#[tokio::test(start_paused = true)]
async fn an_archive_that_fails_twice_is_asked_again_and_one_that_is_away_brings_the_batch_again() {
    let world = World::new(0).failing_first(2);
    done(&world, &[], &request(&[event("1")])).await;
    assert_eq!(lines(&world).len(), 1);
    let world = World::new(0).refusing(Trouble::Archive);
    let function = EventProcessor::new(settings(&[]), &world);
    let answered = ask(&function, &request(&[event("1")])).await.unwrap();
    assert_eq!(not_done(&answered), Some(sequence(0)));
    assert!(hours(&world).is_empty() && users(&world).is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_attempt_reached_further_is_emptied_and_done_by_the_next_segment() {
    let world = World::new(0).refusing(Trouble::Ends);
    let function = EventProcessor::new(settings(&[("ARCHIVE_FILE_EVENTS", "1")]), &world);
    let events: Vec<_> = (0..4).map(|number| event(&number.to_string())).collect();
    ask(&function, &request(&events)).await.unwrap();
    assert_eq!(archived(&world).len(), 4);
    world.mend();
    let answered = ask(&function, &request(&events)).await.unwrap();
    assert_eq!(not_done(&answered), None);
    let sizes: Vec<_> = archived(&world)
        .into_values()
        .map(|lines| lines.len())
        .collect();
    assert_eq!(
        sizes,
        [1, 1, 0, 0, 1, 1],
        "two segments, of which the first had four objects"
    );
    assert_eq!(hours(&world), ["checkout B view: 4"]);
}

#[tokio::test(start_paused = true)]
async fn a_plan_of_records_that_are_gone_for_good_is_no_segments_of_now() {
    let world = World::new(0).refusing(Trouble::Ends);
    let function = EventProcessor::new(settings(&[]), &world);
    ask(&function, &request(&[event("1")])).await.unwrap();
    world.mend();
    let answered = ask(&function, &request_from(7, &[b"{}".to_vec()])).await;
    assert_eq!(not_done(&answered.unwrap()), None);
    assert_eq!(archived(&world).len(), 1, "nothing is put in its name");
}

// The batch and the function

#[tokio::test(start_paused = true)]
async fn what_is_away_is_named_and_nothing_behind_it_is_done() {
    for (trouble, metric, does_count) in [
        (Trouble::Archive, "archive_failures", false),
        (Trouble::Letters, "dead_letter_failures", false),
        (Trouble::Ends, "ledger_failures", true),
    ] {
        let world = World::new(0).refusing(trouble);
        let function = EventProcessor::new(settings(&[]), &world);
        let started = Instant::now();
        let body = request(&[event("1"), json!({})]);
        let answered = ask(&function, &body).await.unwrap();
        assert_eq!(
            started.elapsed(),
            Duration::from_secs(59),
            "a second is left"
        );
        assert_eq!(not_done(&answered), Some(sequence(0)));
        let metrics = answered.counts.metrics();
        assert!(metrics.iter().any(|found| found.name == metric), "{metric}");
        assert_eq!(!hours(&world).is_empty(), does_count, "{metric}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_steps_come_in_the_order_that_they_rest_on() {
    let world = World::new(0).claiming(true);
    done(&world, &[], &request(&[event("1"), json!({})])).await;
    let expected = [
        "ledger",
        "claims",
        "enrichment",
        "ledger",
        "archive",
        "dead letters",
        "users",
        "counters",
        "ledger",
    ];
    assert_eq!(world.steps(), expected);
}

#[tokio::test(start_paused = true)]
async fn the_metrics_say_what_became_of_a_batch() {
    let world = World::new(0).claiming(true);
    let events = [
        event("1"),
        event("1"),
        with("2", &json!({"user_id": "user-9"})),
        json!({}),
    ];
    let metrics = done(&world, &[], &request(&events)).await.metrics();
    let metric = |name: &str| metrics.iter().find(|metric| metric.name == name);
    for (name, count) in [
        ("records", 4),
        ("events", 4),
        ("refused", 1),
        ("refused_event_id_missing", 1),
        ("duplicates", 1),
        ("done_before", 0),
        ("already_counted", 0),
        ("counted", 2),
        ("uncounted", 1),
        ("users_written", 2),
        ("archived", 2),
        ("archive_objects", 1),
        ("dead_letters", 1),
        ("enriched", 2),
        ("assignments_missing", 1),
        ("experiments_missing", 0),
    ] {
        let found = metric(name).map(|metric| metric.quantity);
        assert_eq!(found, Some(Quantity::Count(count)), "{name}");
    }
    for name in ["claim", "enrich", "archive", "count", "total"] {
        assert!(metric(&format!("{name}_milliseconds")).is_some(), "{name}");
    }
    assert!(metric("archive_bytes").is_some() && metric("write_units").is_some());
}

#[tokio::test(start_paused = true)]
async fn what_a_person_has_to_mend_is_an_error_that_says_what() {
    let world = World::new(0).refusing(Trouble::Denied);
    let function = EventProcessor::new(settings(&[]), &world);
    let error = ask(&function, &request(&[event("1")])).await.unwrap_err();
    assert_eq!(error.kind(), "LedgerUnavailable");
    assert_eq!(error.to_string(), "the ledger cannot be used: denied");
    assert_eq!(error.metrics()[0].name, "ledger_failures");
    world.mend();
    done(&world, &[], &request(&[event("1")])).await;
}

#[tokio::test(start_paused = true)]
async fn no_records_are_done_at_once_and_no_envelope_is_an_error() {
    let world = World::new(0);
    let counts = done(&world, &[], br#"{"Records":[]}"#).await;
    assert_eq!((counts.records, world.items().len()), (0, 0));
    let function = EventProcessor::new(settings(&[]), &world);
    for body in [&b"null"[..], b"", b"{}", br#"{"Records":null}"#] {
        let error = ask(&function, body).await.unwrap_err();
        assert_eq!(error.kind(), "EnvelopeUnreadable");
        assert_eq!(error.metrics()[0].name, "envelope_failures");
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_thousand_and_one_bad_all_others_are_done() {
    for (good, bad) in [(10, 0), (8, 2), (100, 0), (1000, 1)] {
        let world = World::new(0);
        let good_ones = (0..good).map(|number| event(&number.to_string()));
        let bad_ones = (0..bad).map(|_| json!({"event_id": 1}));
        let events: Vec<_> = bad_ones.chain(good_ones).collect();
        let counts = done(&world, &[], &request(&events)).await;
        assert_eq!(hours(&world), [format!("checkout B view: {good}")]);
        assert_eq!((counts.archived, counts.dead_letters), (good, bad));
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_that_is_left_is_kept_to() {
    let world = World::new(0).refusing(Trouble::Archive);
    let function = EventProcessor::new(settings(&[]), &world);
    for seconds in [3, 1, 0] {
        let started = Instant::now();
        let time = Duration::from_secs(seconds);
        let answered = ask_within(&function, &request(&[event("1")]), time)
            .await
            .unwrap();
        assert_eq!(not_done(&answered), Some(sequence(0)));
        assert!(started.elapsed() <= time);
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_a_record_holds_it_is_archived_or_a_dead_letter() {
    let valid = event("1").to_string().into_bytes();
    let mut random = fastrand::Rng::with_seed(7);
    let mut data = Vec::new();
    for place in 0..valid.len() {
        data.push(valid[..place].to_vec());
        for _ in 0..4 {
            let mut changed = valid.clone();
            changed[place] = random.u8(..);
            data.push(changed);
        }
    }
    let world = World::new(0);
    let counts = done(&world, &[], &request_from(0, &data)).await;
    assert_eq!(counts.archived + counts.dead_letters, data.len());
    assert_eq!(lines(&world).len(), counts.archived);
    assert!(counts.archived > 10 && counts.dead_letters > 100);
    assert!(
        !counts
            .refused
            .keys()
            .any(|reason| reason.to_string() == "panicked")
    );
}
