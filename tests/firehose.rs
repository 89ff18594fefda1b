//! The function's contract with Firehose, on batches.
#![expect(clippy::expect_used, reason = "a test may panic")]

mod support;

use std::{
    collections::HashMap,
    io::{Read, Seek},
    sync::{Arc, Mutex},
    time::{Duration, UNIX_EPOCH},
};

use aws_lambda_events::event::firehose::{KinesisFirehoseEvent, KinesisFirehoseResponse};
use nozzle::{
    dedup::{Answers, Claim, ClaimStore, Owner, Terms},
    functions::{
        Counted, Function, Moment, Response,
        firehose_transform::{Counts, FirehoseTransform, Settings, Unavailable, event::Refusal},
    },
    json::object::Unreadable,
    telemetry::{Metric, Quantity},
};
use proptest::prelude::*;
use support::{
    memory::Memory,
    requests::{Sent, event, request, results},
    takes_all::TakesAll,
};
use tokio::time::Instant;

const NOW_SECONDS: u64 = 1_789_014_301;

fn settings(values: &[(&str, &str)]) -> Settings {
    let values: HashMap<_, _> = values.iter().copied().collect();
    Settings::read(|name| values.get(name).map(|value| (*value).to_owned()))
        .expect("the settings are allowed")
}

fn function(values: &[(&str, &str)]) -> FirehoseTransform<Memory> {
    FirehoseTransform::new(settings(values), Memory::default())
}

fn answer_at(
    function: &FirehoseTransform<Memory>,
    body: &[u8],
    now_seconds: u64,
) -> Result<Response<Counts>, Unavailable> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let now = UNIX_EPOCH + Duration::from_secs(now_seconds);
    runtime.block_on(async {
        let deadline = Instant::now() + Duration::from_mins(1);
        function.answer(body, Moment { now, deadline }).await
    })
}

#[track_caller]
fn answer(function: &FirehoseTransform<Memory>, records: &[Sent]) -> Response<Counts> {
    answer_at(function, &request(records), NOW_SECONDS).expect("the batch is answered")
}

/// What was said of each record, by its first letter: `O`k, `D`ropped, `P`rocessingFailed.
#[track_caller]
fn check(function: &FirehoseTransform<Memory>, records: &[Sent], expected: &str) -> Counts {
    let answer = answer(function, records);
    let results = results(&answer.body);
    let ids: Vec<_> = results.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(
        ids,
        records
            .iter()
            .map(|record| record.id.as_str())
            .collect::<Vec<_>>()
    );
    let letters: String = results.iter().map(|(_, result)| &result[..1]).collect();
    assert_eq!(letters, expected);
    answer.counts
}

fn differing(uuid: &str) -> String {
    event(uuid).replace('{', "{ ")
}

#[test]
fn every_record_is_answered_once_and_in_order_whatever_the_others_are() {
    let records = [
        Sent::new("9", 1, &event("a")),
        Sent::new("2", 1, "no json"),
        Sent::new("5", 1, &event("a")),
        Sent::new("1", 1, ""),
        Sent::new("7", 1, &event("b")),
    ];
    let counts = check(&function(&[]), &records, "OPDPO");
    let refused = [
        (Refusal::Unreadable(Unreadable::DataMissing), 1),
        (Refusal::Unreadable(Unreadable::NotJson), 1),
    ]
    .into();
    let expected = Counts {
        records: 5,
        delivered: 2,
        duplicates: 1,
        refused,
        ..counts.clone()
    };
    assert_eq!(counts, expected);
    assert_eq!(check(&function(&[]), &[], "").records, 0);
}

#[test]
fn the_first_of_an_identity_stands_for_all_in_its_batch() {
    let records = [
        Sent::new("1", 1, &event("a")),
        Sent::new("2", 2, &event("a")),
        Sent::new("3", 3, &differing("a")),
    ];
    let counts = check(&function(&[]), &records, "ODD");
    assert_eq!((counts.duplicates, counts.duplicates_differing), (2, 1));
    let counts = check(
        &function(&[("ON_DIFFERING_DUPLICATE", "fail")]),
        &records,
        "ODP",
    );
    assert_eq!((counts.duplicates, counts.duplicates_differing), (2, 1));
}

#[test]
fn a_retry_is_delivered_again_and_another_copy_is_a_duplicate() {
    let function = function(&[]);
    let batch = [
        Sent::new("1", 10, &event("a")),
        Sent::new("2", 10, &event("b")),
    ];
    check(&function, &batch, "OO");
    let again = check(&function, &batch, "OO");
    assert_eq!((again.reclaimed, again.reclaimed_changed_id), (2, 0));
    let other_ids = [
        Sent::new("8", 10, &event("a")),
        Sent::new("9", 10, &event("b")),
    ];
    let again = check(&function, &other_ids, "OO");
    assert_eq!((again.reclaimed, again.reclaimed_changed_id), (2, 2));
    let other_arrival = [Sent::new("1", 11, &event("a"))];
    assert_eq!(check(&function, &other_arrival, "O").reclaimed, 1);
    let copies = [
        Sent::new("8", 11, &event("a")),
        Sent::new("9", 10, &differing("b")),
    ];
    let counts = check(&function, &copies, "DD");
    assert_eq!((counts.duplicates, counts.duplicates_differing), (2, 1));
}

#[test]
fn a_claim_owned_by_any_copy_in_the_batch_is_its_own() {
    let function = function(&[]);
    check(&function, &[Sent::new("2", 20, &event("a"))], "O");
    let regrouped = [
        Sent::new("1", 10, &event("a")),
        Sent::new("2", 20, &event("a")),
        Sent::new("3", 30, &event("a")),
    ];
    let counts = check(&function, &regrouped, "ODD");
    assert_eq!((counts.reclaimed, counts.reclaimed_changed_id), (1, 0));
}

#[test]
fn copies_of_an_event_held_by_another_are_compared_with_what_was_delivered() {
    let function = function(&[("ON_DIFFERING_DUPLICATE", "fail")]);
    check(&function, &[Sent::new("0", 0, &event("a"))], "O");
    let records = [
        Sent::new("1", 1, &differing("a")),
        Sent::new("2", 2, &event("a")),
    ];
    let counts = check(&function, &records, "PD");
    assert_eq!((counts.duplicates, counts.duplicates_differing), (2, 1));
}

#[test]
fn an_expired_claim_counts_as_absent() {
    let function = function(&[("EVENT_CACHE_TTL_HOURS", "1")]);
    let record = |id: &str| request(&[Sent::new(id, id.parse().unwrap(), &event("a"))]);
    let delivered = |id, now_seconds| {
        answer_at(&function, &record(id), now_seconds)
            .unwrap()
            .counts
            .delivered
    };
    assert_eq!(delivered("1", 1_000_000), 1);
    assert_eq!(delivered("2", 1_003_599), 0);
    assert_eq!(delivered("3", 1_003_600), 1);
    assert_eq!(delivered("4", 1_007_199), 0);
}

#[test]
fn identity_may_be_the_uuid_alone() {
    let renamed = event("a").replace(":created", ":deleted");
    let records = [Sent::new("1", 1, &event("a")), Sent::new("2", 2, &renamed)];
    check(&function(&[]), &records, "OO");
    check(&function(&[("EVENT_IDENTITY", "uuid")]), &records, "OD");
}

#[test]
fn a_record_that_is_refused_or_does_not_fit_has_claimed_nothing() {
    let store = Memory::default();
    let records = [
        Sent::new("1", 1, &event("a")),
        Sent::new("2", 1, "no json"),
        Sent::new("3", 1, &event("b")),
    ];
    let limit = answer(&function(&[]), &records).body.len() - 1;
    let function = FirehoseTransform::new(
        settings(&[("RESPONSE_BYTES_MAX", &limit.to_string())]),
        store,
    );
    let counts = check(&function, &records, "OPP");
    assert_eq!((counts.delivered, counts.overflow), (1, 1));
    check(&function, &[Sent::new("4", 2, &event("b"))], "O");
    check(&function, &[Sent::new("5", 2, &event("a"))], "D");
}

#[test]
fn a_store_that_is_away_fails_the_batch_or_lets_it_pass_unclaimed() {
    let records = [
        Sent::new("1", 1, &event("a")),
        Sent::new("2", 1, &event("b")),
        Sent::new("3", 1, &event("c")),
    ];
    let away = |values, answers_max| {
        FirehoseTransform::new(settings(values), Memory::answering(answers_max))
    };
    let retry = answer_at(&away(&[], 1), &request(&records), NOW_SECONDS);
    assert!(matches!(retry, Err(Unavailable::Store(_))), "{retry:?}");
    let counts = check(
        &away(&[("ON_CLAIM_FAILURE", "deliver")], 1),
        &records,
        "OOO",
    );
    assert_eq!((counts.delivered, counts.unclaimed), (3, 2));
    let nothing_to_claim = [Sent::new("1", 1, "no json")];
    check(&away(&[], 0), &nothing_to_claim, "P");
}

#[test]
fn what_is_known_to_be_a_duplicate_stays_one_when_the_store_goes_away() {
    let store = Memory::answering(1);
    let identity = r#"["a","account:created",1712511721022075000]"#;
    store.hold(
        identity,
        Owner::of("0", Some(0), event("a").as_bytes()),
        u64::MAX,
    );
    let function = FirehoseTransform::new(settings(&[("ON_CLAIM_FAILURE", "deliver")]), store);
    let records = [
        Sent::new("1", 1, &event("a")),
        Sent::new("2", 1, &event("b")),
    ];
    assert_eq!(check(&function, &records, "DO").unclaimed, 1);
}

#[test]
fn a_response_fits_to_the_byte_and_one_less_is_overflow() {
    let lengths = (1..=50).chain([1]);
    let records: Vec<_> = lengths
        .enumerate()
        .map(|(id, length)| Sent::new(&id.to_string(), 1, &event(&"x".repeat(length))))
        .collect();
    let whole = answer(&function(&[]), &records).body.len();
    let limited = |limit: usize| {
        answer(
            &function(&[("RESPONSE_BYTES_MAX", &limit.to_string())]),
            &records,
        )
    };
    let exact = limited(whole);
    assert_eq!((exact.body.len(), exact.counts.delivered), (whole, 50));
    let less = limited(whole - 1);
    assert_eq!((less.counts.delivered, less.counts.overflow), (49, 1));
    assert!(less.body.len() < whole);
}

#[test]
fn a_smaller_record_may_fit_behind_one_that_does_not() {
    let large = format!("{}{}", " ".repeat(1_000), event("large")).replace(
        "\"event_uuid\"",
        &format!("\"x\":\"{}\",\"event_uuid\"", "y".repeat(1_000)),
    );
    let records = [
        Sent::new("1", 1, &event("a")),
        Sent::new("2", 1, &large),
        Sent::new("3", 1, &event("b")),
    ];
    check(
        &function(&[("RESPONSE_BYTES_MAX", "1500")]),
        &records,
        "OPO",
    );
}

#[test]
fn partitions_beyond_the_bound_are_overflow_and_claim_nothing() {
    let of_type = |id: &str, event_type: &str| {
        let text = event(id).replace("account", event_type);
        assert!(text.contains(event_type), "{text}");
        Sent::new(id, 1, &text)
    };
    let records = [
        of_type("1", "login"),
        of_type("2", "logout"),
        Sent::new("3", 1, "no json"),
        of_type("4", "made-up"),
        of_type("5", "logout"),
        of_type("4", "made-up"),
    ];
    let function = function(&[("BATCH_PARTITIONS_MAX", "2")]);
    let counts = check(&function, &records, "OOPPOD");
    assert_eq!(counts.overflow, 1);
    let again = [of_type("4", "made-up")];
    assert_eq!(check(&function, &again, "O").reclaimed, 0);
}

#[test]
fn ten_thousand_types_in_one_batch_fill_no_more_than_the_stream_has_room_for() {
    let number_of = |range: std::ops::Range<usize>| range.map(|number| format!("{number:05}"));
    let records: Vec<_> = number_of(0..10_000)
        .map(|number| Sent::new(&number, 1, &event(&number).replace("account", &number)))
        .collect();
    let counts = answer(&function(&[]), &records).counts;
    assert_eq!((counts.delivered, counts.overflow), (500, 9_500));
}

#[test]
fn a_batch_whose_shortest_answers_do_not_fit_is_sent_again() {
    let records = [Sent::new("1", 1, "no json"), Sent::new("2", 1, "no json")];
    let shortest = answer(&function(&[]), &records).body.len();
    let limited = |limit: usize| {
        answer_at(
            &function(&[("RESPONSE_BYTES_MAX", &limit.to_string())]),
            &request(&records),
            NOW_SECONDS,
        )
    };
    assert!(limited(shortest).is_ok());
    assert!(matches!(
        limited(shortest - 1),
        Err(Unavailable::Response(_))
    ));
}

#[test]
fn an_envelope_that_cannot_be_read_fails_the_batch_only() {
    let function = function(&[]);
    for body in ["", "{}", "{\"records\":[{}]}", "\u{feff}{\"records\":[]}"] {
        let answer = answer_at(&function, body.as_bytes(), NOW_SECONDS);
        assert!(
            matches!(answer, Err(Unavailable::Envelope(_))),
            "{body}: {answer:?}"
        );
    }
    check(&function, &[Sent::new("1", 1, &event("a"))], "O");
}

#[test]
fn each_kind_of_failure_is_counted_under_its_own_name() {
    #[track_caller]
    fn check(values: &[(&str, &str)], body: &[u8], expected: &str) {
        let function = FirehoseTransform::new(settings(values), Memory::answering(0));
        let failure = answer_at(&function, body, NOW_SECONDS).expect_err(expected);
        assert_eq!(
            failure.metrics(),
            [Metric::new(expected, Quantity::Count(1))]
        );
    }
    let body = request(&[Sent::new("1", 1, &event("a"))]);
    check(&[], b"{}", "envelope_failures");
    check(&[("RESPONSE_BYTES_MAX", "1")], &body, "response_failures");
    check(&[], &body, "claim_failures");
}

const STORE_TAKES: Duration = Duration::from_millis(250);

/// A store that is slow, and notes on what terms it is asked, and the time that leads the claim.
#[derive(Default)]
struct Slow {
    asked: Mutex<Option<(Terms, Option<i128>)>>,
}

impl ClaimStore for Slow {
    async fn claim(&self, claims: &[Claim<'_>], terms: Terms) -> Answers {
        let led_by = claims.first().and_then(|claim| claim.led_by);
        *self.asked.lock().expect("no test has panicked") = Some((terms, led_by));
        tokio::time::sleep(STORE_TAKES).await;
        TakesAll.claim(claims, terms).await
    }
}

struct SlowClaim {
    patience: Duration,
    terms: Terms,
    led_by: Option<i128>,
    counts: Counts,
}

/// Claims an event, on a clock that stands still but for the store.
fn claim_slowly(values: &[(&str, &str)], left: Duration) -> SlowClaim {
    let store = Slow::default();
    let function = FirehoseTransform::new(settings(values), &store);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let started = Instant::now();
        let moment = Moment {
            now: UNIX_EPOCH + Duration::from_secs(NOW_SECONDS),
            deadline: started + left,
        };
        let body = request(&[Sent::new("1", 1, &event("a"))]);
        let answer = function.answer(&body, moment).await;
        let counts = answer.expect("the batch is answered").counts;
        assert_eq!(counts.request_bytes, body.len());
        let asked = store.asked.lock().expect("no test has panicked");
        let (terms, led_by) = asked.expect("the store was asked");
        let patience = terms.deadline - started;
        SlowClaim {
            patience,
            terms,
            led_by,
            counts,
        }
    })
}

#[test]
fn the_store_may_try_until_a_second_is_left_and_no_longer_than_five_where_events_pass_without_it() {
    #[track_caller]
    fn check(policy: &str, seconds_left: u64, expected: u64) {
        let left = Duration::from_secs(seconds_left);
        let claim = claim_slowly(&[("ON_CLAIM_FAILURE", policy)], left);
        assert_eq!(claim.patience, Duration::from_secs(expected), "{policy}");
    }
    check("retry", 60, 59);
    check("retry", 3, 2);
    check("deliver", 60, 5);
    check("deliver", 3, 2);
}

#[test]
fn a_claim_lives_as_long_as_is_set_and_its_time_is_measured() {
    let claim = claim_slowly(&[("EVENT_CACHE_TTL_HOURS", "2")], Duration::from_mins(1));
    assert_eq!(claim.terms.now_seconds, NOW_SECONDS);
    assert_eq!(claim.terms.ttl_seconds, NOW_SECONDS + 7_200);
    assert_eq!(claim.counts.claim_duration, STORE_TAKES);
    assert_eq!(claim.counts.duration, STORE_TAKES);
}

#[test]
fn a_claim_is_led_by_the_events_time_where_that_is_part_of_its_identity() {
    let led_by =
        |identity| claim_slowly(&[("EVENT_IDENTITY", identity)], Duration::from_mins(1)).led_by;
    assert_eq!(led_by("event"), Some(1_712_511_721_022_075_000));
    assert_eq!(led_by("uuid"), None);
}

/// What is logged from warnings on while this runs.
fn warnings(run: impl FnOnce()) -> Vec<String> {
    let log = Arc::new(tempfile::tempfile().expect("a file"));
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_writer(Arc::clone(&log))
        .finish();
    tracing::subscriber::with_default(subscriber, run);
    let (mut log, mut text) = (&*log, String::new());
    log.rewind().expect("the log can be read");
    log.read_to_string(&mut text).expect("the log is text");
    text.lines().map(str::to_owned).collect()
}

#[test]
fn ten_refusals_of_a_batch_have_a_line_each_and_the_others_are_counted() {
    #[track_caller]
    fn check(refused: usize, lines_expected: usize, more_expected: Option<&str>) {
        let ids = (0..refused).map(|number| Sent::new(&number.to_string(), 1, "no json"));
        let records: Vec<_> = ids.chain([Sent::new("fine", 1, &event("a"))]).collect();
        let lines = warnings(|| drop(answer(&function(&[]), &records)));
        let (more, each): (Vec<_>, Vec<_>) =
            lines.iter().partition(|line| line.contains("refused more"));
        assert_eq!(each.len(), lines_expected, "{each:#?}");
        assert!(
            each.iter().all(|line| line.contains("not_json")),
            "{each:#?}"
        );
        let more: Vec<_> = more
            .iter()
            .filter_map(|line| line.rsplit(' ').next())
            .collect();
        assert_eq!(more, Vec::from_iter(more_expected));
    }
    check(0, 0, None);
    check(10, 10, None);
    check(11, 10, Some("more=1"));
    check(25, 10, Some("more=15"));
}

#[test]
fn the_official_types_read_our_answers_and_we_read_their_requests() {
    let records = [
        Sent::new("1", 1, &event("a")),
        Sent::new("2", 2, "no json"),
        Sent::new("3", 3, &event("a")),
    ];
    let official: KinesisFirehoseEvent = serde_json::from_slice(&request(&records)).unwrap();
    let body = serde_json::to_vec(&official).unwrap();
    let answer = answer_at(&function(&[]), &body, NOW_SECONDS).unwrap();
    let response: KinesisFirehoseResponse = serde_json::from_slice(&answer.body).unwrap();
    let results: Vec<_> = response
        .records
        .iter()
        .filter_map(|record| record.result.as_deref())
        .collect();
    assert_eq!(results, ["Ok", "ProcessingFailed", "Dropped"]);
    let delivered = String::from_utf8(response.records[0].data.0.clone()).unwrap();
    assert!(
        delivered.ends_with("\"created_datetime\":\"2024-04-07T17:42:01.022075Z\"}\n"),
        "{delivered}"
    );
    assert_eq!(
        response.records[0].metadata.partition_keys["event_subtype"],
        "created"
    );
}

/// Records that are good, bad, copies of each other, or large.
fn records() -> impl Strategy<Value = Vec<Sent>> {
    let text = prop_oneof![
        4 => "[a-e]".prop_map(|uuid| event(&uuid)),
        1 => "[a-e]".prop_map(|uuid| differing(&uuid)),
        1 => "[a-z]{200,250}".prop_map(|uuid| event(&uuid)),
        1 => "\\PC{0,40}",
        1 => Just(String::new()),
    ];
    let record = ("[0-9a-f\"\\\\/é]{1,20}", 0..3_i64, text);
    prop::collection::vec(record, 0..20).prop_map(|records| {
        let records = records.into_iter().enumerate();
        records
            .map(|(index, (id, arrival, text))| Sent::new(&format!("{index}{id}"), arrival, &text))
            .collect()
    })
}

proptest! {
    #[test]
    fn ids_come_back_once_in_order_and_the_response_is_as_long_as_counted(records in records(), fail: bool, cut in 0_usize..400) {
        let policy = ("ON_DIFFERING_DUPLICATE", if fail { "fail" } else { "drop" });
        let whole = answer(&function(&[policy]), &records);
        prop_assert_eq!(whole.counts.response_bytes, whole.body.len());
        prop_assert!(serde_json::from_slice::<KinesisFirehoseResponse>(&whole.body).is_ok());
        let limit = whole.body.len().saturating_sub(cut).max(1);
        let limited = function(&[policy, ("RESPONSE_BYTES_MAX", &limit.to_string())]);
        match answer_at(&limited, &request(&records), NOW_SECONDS) {
            Err(error) => prop_assert!(matches!(error, Unavailable::Response(_))),
            Ok(Response { body, counts }) => {
                prop_assert!(body.len() <= limit);
                let ids: Vec<_> = results(&body).into_iter().map(|(id, _)| id).collect();
                prop_assert_eq!(ids, records.iter().map(|record| record.id.clone()).collect::<Vec<_>>());
                let refused: usize = counts.refused.values().sum();
                prop_assert_eq!(counts.delivered + counts.duplicates + refused + counts.overflow, records.len());
            }
        }
    }

    #[test]
    fn the_same_request_has_the_same_answer(records in records()) {
        prop_assert_eq!(answer(&function(&[]), &records).body, answer(&function(&[]), &records).body);
    }

    #[test]
    fn a_retried_batch_loses_nothing(records in records()) {
        let function = function(&[]);
        let first = answer(&function, &records);
        let again = answer(&function, &records);
        prop_assert_eq!(first.body, again.body);
    }

    #[test]
    fn no_request_panics(body in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = answer_at(&function(&[]), &body, NOW_SECONDS);
    }
}
