//! The claim store in DynamoDB, and everything that can go wrong on the way there.
#![cfg(feature = "dynamodb")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod support;

use std::{
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use nozzle::{
    dedup::{
        Answers, Claim, ClaimStore, Claimed, Held as HeldClaim, Owner, ReleaseStore, Released,
        StoreError, Terms, dynamodb::DynamoDbStore,
    },
    functions::{
        Function, Moment,
        firehose_transform::{FirehoseTransform, Settings, Unavailable},
    },
};
use support::{
    client::{store_at, store_behind},
    contract,
    proxy::{Fault, Proxy},
    requests::{Sent, event, request, results},
};
use tokio::time::Instant;

use Claimed::{Held, Taken, Unanswered};
use Fault::*;

const NOW: u64 = 1_800_000_000;
const DAY: u64 = 86_400;
const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn the_table_in_memory_holds_the_contract() {
    let store = store_behind(&Proxy::in_memory());
    contract::holds(&store, "memory").await;
    contract::holds_for_ever(&store, "memory").await;
    contract::gives_back(&store, "memory").await;
}

#[tokio::test]
async fn the_contract_holds_over_sockets() {
    let proxy = Proxy::in_memory();
    contract::holds(&store_at(proxy.listen().await), "sockets").await;
}

#[tokio::test(start_paused = true)]
async fn new_events_cost_a_request_per_25_and_known_ones_twice_that() {
    let proxy = Proxy::in_memory();
    let store = store_behind(&proxy);
    for (events, requests) in [(0, 0), (1, 1), (25, 1), (26, 2), (6000, 240)] {
        let batch = Batch::of(&format!("new {events}"), events);
        for (now, answer, rounds) in [
            (NOW, Taken, 1),
            (NOW, Held(A), 2),
            (NOW + DAY, Taken, 2),
            (NOW + DAY, Held(A), 2),
        ] {
            proxy.play(|_| Pass);
            let started = Instant::now();
            let answers = batch.ask(&store, A, now, SECOND * 59).await;
            assert_eq!(started.elapsed(), Duration::ZERO, "{events}");
            let units = f64::from(u32::try_from(events * rounds).unwrap());
            assert!((answers.write_units - units).abs() < 0.1, "{events}");
            let claimed = answers.claimed;
            assert!(claimed.iter().all(|one| *one == answer), "{events}");
            assert_eq!(proxy.requests().len(), requests * rounds, "{events}");
            let statements: usize = proxy.requests().iter().sum();
            assert_eq!(statements, events * rounds, "{events}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_requests_are_under_way_at_once_than_are_allowed() {
    let proxy = Proxy::in_memory();
    proxy.play(|_| Delay(SECOND / 2));
    for (at_once, expected) in [(1, SECOND * 4), (2, SECOND * 2), (8, SECOND / 2)] {
        let store = store_behind(&proxy).with_requests_at_once(at_once);
        let started = Instant::now();
        let batch = Batch::of(&format!("{at_once} at once"), 200);
        batch.settles(&store, A, NOW).await;
        assert_eq!(started.elapsed(), expected, "{at_once}");
    }
}

/// 3 known events in each of 8 requests: one more request asks for all 24 of them.
#[tokio::test(start_paused = true)]
async fn the_known_events_of_many_requests_share_one() {
    let proxy = Proxy::in_memory();
    let store = store_behind(&proxy);
    let batch = Batch::of("mixed", 200);
    let known = batch.every(8, 1);
    known.settles(&store, B, NOW).await;
    proxy.play(|_| Pass);
    let claimed = batch.settles(&store, A, NOW).await;
    for (index, claimed) in claimed.into_iter().enumerate() {
        let expected = if index % 8 == 1 { Held(B) } else { Taken };
        assert_eq!(claimed, expected, "{index}");
    }
    assert_eq!(proxy.requests(), [25; 9]);
}

/// Every kind of fault, at a fifth of the requests or statements: all is claimed in the end.
#[tokio::test(start_paused = true)]
async fn a_fifth_of_faults_of_each_kind_costs_time_and_nothing_else() {
    for fault in [
        Refuse(500, "InternalServerError"),
        Refuse(503, "ServiceUnavailable"),
        Refuse(400, "ThrottlingException"),
        Refuse(400, "RequestLimitExceeded"),
        Refuse(400, "ProvisionedThroughputExceededException"),
        RefuseStatements(1.0, "InternalServerError"),
        Reset,
        LoseAnswer,
        BlackHole,
        SwallowAnswer,
        Delay(SECOND * 3),
    ] {
        a_fifth(&format!("{fault:?}"), move |random| match random.u8(..5) {
            0 => fault,
            _ => Pass,
        })
        .await;
    }
    for code in THROTTLES {
        a_fifth(code, move |_| RefuseStatements(0.2, code)).await;
    }
}

/// 1,000 events and a copy of each come at once to a table of 100 units a second. A batch's first call
/// is cut off too early; what it claimed is its own when Firehose sends it again.
#[tokio::test(start_paused = true)]
async fn a_burst_above_what_is_provisioned_costs_time_and_nothing_else() {
    let proxy = Proxy::in_memory();
    proxy.table().provision(100);
    let settings = Settings::read(|_| None).unwrap();
    let function = FirehoseTransform::new(settings, store_behind(&proxy));
    let firsts = burst("first", 1_799_999_999_000);
    let copies = burst("copy", 1_799_999_999_500);
    let started = Instant::now();
    let (firsts, copies) = tokio::join!(
        sent_until_answered(&function, &firsts),
        sent_until_answered(&function, &copies),
    );
    for (number, (first, copy)) in firsts.iter().zip(&copies).enumerate() {
        let mut said = [first.as_str(), copy.as_str()];
        said.sort_unstable();
        assert_eq!(said, ["Dropped", "Ok"], "{number}");
    }
    assert_eq!(proxy.table().len(), 1000);
    // A write a claim and two a copy, at 100 a second, and again for what was cut off.
    let took = started.elapsed();
    assert!(took > SECOND * 29 && took < SECOND * 120, "{took:?}");
}

fn burst(copy: &str, arrival_milliseconds: i64) -> Vec<Sent> {
    let sent = |number| {
        let id = format!("{copy}-{number}");
        Sent::new(&id, arrival_milliseconds, &event(&format!("{number}")))
    };
    (0..1000).map(sent).collect()
}

/// What became of each record; a batch that failed comes again as it was.
async fn sent_until_answered(
    function: &FirehoseTransform<DynamoDbStore>,
    records: &[Sent],
) -> Vec<String> {
    let mut said = Vec::new();
    for batch in records.chunks(250) {
        let body = request(batch);
        let cut_off = function.answer(&body, within(SECOND * 2)).await;
        let Err(Unavailable::Store(StoreError::Away(_))) = cut_off else {
            panic!("{cut_off:?}");
        };
        let answer = function.answer(&body, within(SECOND * 240)).await.unwrap();
        said.extend(results(&answer.body).into_iter().map(|(_, result)| result));
    }
    said
}

fn within(time: Duration) -> Moment {
    Moment {
        now: UNIX_EPOCH + Duration::from_secs(NOW),
        deadline: Instant::now() + time,
    }
}

const THROTTLES: [&str; 5] = [
    "ProvisionedThroughputExceeded",
    "ThrottlingError",
    "RequestLimitExceeded",
    "InternalServerError",
    "TransactionConflict",
];

async fn a_fifth(
    what: &str,
    script: impl Fn(&mut fastrand::Rng) -> Fault + Clone + Send + 'static,
) {
    let proxy = Proxy::in_memory();
    let store = store_behind(&proxy);
    let batch = Batch::of("fifth", 500);
    for (owner, now, answer) in [
        (A, NOW, Taken),
        (B, NOW, Held(A)),
        (C, NOW + DAY, Taken),
        (C, NOW + DAY, Held(C)),
    ] {
        let script = script.clone();
        let mut random = fastrand::Rng::with_seed(now ^ owner.record_id_hash);
        proxy.play(move |_| script(&mut random));
        let started = Instant::now();
        let claimed = batch.settles(&store, owner, now).await;
        assert!(
            started.elapsed() < SECOND * 20,
            "{what}: {:?}",
            started.elapsed()
        );
        for claimed in claimed {
            // Its own claim, found after a lost answer, may as well have been made just now.
            let own = answer == Held(owner) && claimed == Taken;
            assert!(claimed == answer || own, "{what}: {claimed:?}");
        }
        assert_eq!(proxy.table().len(), 500, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_what_failed_is_asked_again() {
    let proxy = Proxy::in_memory();
    let store = store_behind(&proxy);
    let first_only = |number| if number == 0 { Reset } else { Pass };
    proxy.play(first_only);
    Batch::of("one request", 100).settles(&store, A, NOW).await;
    assert_eq!(proxy.requests(), [25; 5]);

    proxy.play(|number| match number {
        0..4 => RefuseStatements(0.2, "ThrottlingError"),
        _ => Pass,
    });
    Batch::of("statements", 100).settles(&store, A, NOW).await;
    let requests = proxy.requests();
    let (first, again) = requests.split_at(4);
    assert_eq!(first, [25; 4]);
    assert!(again.len() <= 2, "{again:?}");
    assert!(again.iter().sum::<usize>() < 50, "{again:?}");
}

/// The store gets the claim and the answer is lost: the claim names its owner.
#[tokio::test(start_paused = true)]
async fn a_claim_whose_answer_was_lost_is_settled_by_its_owner() {
    for fault in [LoseAnswer, SwallowAnswer] {
        let proxy = Proxy::in_memory();
        let store = store_behind(&proxy);
        let batch = Batch::of("lost", 60);
        let others = batch.every(3, 0);
        others.settles(&store, B, NOW).await;
        proxy.play(move |number| if number < 3 { fault } else { Pass });
        let claimed = batch.settles(&store, A, NOW).await;
        for (index, claimed) in claimed.into_iter().enumerate() {
            let expected = if index % 3 == 0 { Held(B) } else { Taken };
            assert_eq!(claimed, expected, "{index}");
        }
    }
}

/// The item that was in the way is deleted before it can be looked at.
#[tokio::test(start_paused = true)]
async fn an_item_that_vanishes_between_the_two_requests_is_inserted_again() {
    let proxy = Proxy::in_memory();
    let store = store_behind(&proxy);
    let batch = Batch::of("vanishes", 1);
    batch.settles(&store, B, NOW).await;
    let (table, id) = (Arc::clone(&proxy), batch.identities[0].clone());
    proxy.play(move |number| {
        if number == 1 {
            table.table().remove(&id);
        }
        Pass
    });
    assert_eq!(batch.settles(&store, A, NOW).await, [Taken]);
    assert_eq!(proxy.requests(), [1; 3]);
}

/// The store is away: the answer is there at the deadline, with what is known until then.
#[tokio::test(start_paused = true)]
async fn an_outage_ends_at_the_deadline() {
    for (fault, says) in [
        (BlackHole, "no answer within"),
        (Reset, "connection reset"),
        (
            Refuse(500, "InternalServerError"),
            "HTTP 500 InternalServerError",
        ),
        (Refuse(400, "ThrottlingException"), "(ThrottlingException)"),
        (
            RefuseStatements(1.0, "ThrottlingError"),
            "(ThrottlingError)",
        ),
        (SwallowAnswer, "no answer within"),
        (Delay(SECOND * 100), "no answer within"),
    ] {
        for seconds in [0, 1, 20] {
            let proxy = Proxy::in_memory();
            proxy.play(move |_| fault);
            let store = store_behind(&proxy);
            let started = Instant::now();
            let answers = Batch::of("outage", 60)
                .ask(&store, A, NOW, SECOND * seconds)
                .await;
            let late = started.elapsed().saturating_sub(SECOND * seconds);
            assert!(late < Duration::from_millis(5), "{fault:?}: {late:?} late");
            assert!(
                answers.claimed.iter().all(|one| *one == Unanswered),
                "{fault:?}"
            );
            let Some(StoreError::Away(why)) = &answers.failure else {
                panic!("{fault:?}: {:?}", answers.failure);
            };
            assert!(why.contains("table \"claims\" in us-east-1"), "{why}");
            assert!(seconds < 5 || why.contains(says), "{fault:?}: {why}");
        }
    }
}

/// An outage that begins in the middle: what was answered before it is known.
#[tokio::test(start_paused = true)]
async fn what_is_known_at_the_deadline_is_said() {
    let proxy = Proxy::in_memory();
    let store = store_behind(&proxy);
    let batch = Batch::of("partly", 50);
    proxy.play(|number| match number {
        0 => Pass,
        1 => BlackHole,
        _ => Reset,
    });
    let answers = batch.ask(&store, A, NOW, SECOND * 3).await;
    assert!(matches!(answers.failure, Some(StoreError::Away(_))));
    let taken = answers.claimed.iter().filter(|one| **one == Taken).count();
    assert_eq!(taken, 25);
    assert_eq!(proxy.table().len(), 25);
}

#[tokio::test(start_paused = true)]
async fn a_black_hole_costs_a_second_and_not_the_deadline() {
    let proxy = Proxy::in_memory();
    proxy.play(|number| if number == 7 { BlackHole } else { Pass });
    let started = Instant::now();
    let batch = Batch::of("hole", 1000);
    batch.settles(&store_behind(&proxy), A, NOW).await;
    assert!(started.elapsed() < SECOND * 2, "{:?}", started.elapsed());
}

/// Slower than the first patience, for every request: waited for in the end.
#[tokio::test(start_paused = true)]
async fn a_slow_store_is_waited_for() {
    let proxy = Proxy::in_memory();
    proxy.play(|_| Delay(SECOND * 3));
    let batch = Batch::of("slow", 500);
    batch.settles(&store_behind(&proxy), A, NOW).await;
}

#[tokio::test(start_paused = true)]
async fn what_will_not_pass_is_said_at_once_and_tells_what_to_do() {
    for (fault, says) in LASTING {
        let proxy = Proxy::in_memory();
        proxy.play(move |_| fault);
        let store = store_behind(&proxy);
        let started = Instant::now();
        let answers = Batch::of("lasting", 100)
            .ask(&store, A, NOW, SECOND * 50)
            .await;
        assert_eq!(started.elapsed(), Duration::ZERO, "{fault:?}");
        assert!(
            answers.claimed.iter().all(|one| *one == Unanswered),
            "{fault:?}"
        );
        for error in [answers.failure, store.warm_up().await.err()] {
            let Some(StoreError::Refused(why)) = &error else {
                panic!("{fault:?}: {error:?}");
            };
            assert!(
                why.contains("table \"claims\" in us-east-1"),
                "{fault:?}: {why}"
            );
            assert!(why.contains(says), "{fault:?}: {why}");
        }
    }
}

const LASTING: [(Fault, &str); 19] = [
    (
        Refuse(400, "ResourceNotFoundException"),
        "EVENT_CACHE_TABLE_NAME",
    ),
    (
        RefuseStatements(1.0, "ResourceNotFound"),
        "EVENT_CACHE_TABLE_NAME",
    ),
    (
        Refuse(400, "AccessDeniedException"),
        "dynamodb:PartiQLInsert",
    ),
    (
        RefuseStatements(1.0, "AccessDenied"),
        "dynamodb:PartiQLUpdate",
    ),
    (Refuse(400, "UnrecognizedClientException"), "no credentials"),
    (Refuse(400, "ExpiredTokenException"), "no credentials"),
    (
        Refuse(400, "ValidationException"),
        "its key has to be \"id\"",
    ),
    (
        RefuseStatements(1.0, "ValidationError"),
        "its key has to be \"id\"",
    ),
    (RefuseStatements(1.0, "Surprise"), "refused (Surprise"),
    (
        Refuse(400, "SurpriseException"),
        "refused (SurpriseException",
    ),
    (Refuse(404, "NotFound"), "refused (NotFound"),
    (Garbage(""), "makes no sense"),
    (Garbage("<html>"), "makes no sense"),
    (Garbage("{}"), "makes no sense"),
    (Garbage("{\"Responses\":null}"), "makes no sense"),
    (Garbage("{\"Responses\":[]}"), "makes no sense"),
    (Garbage("{\"Responses\":[{},{}]}"), "makes no sense"),
    (Garbage("{\"Responses\":7}"), "makes no sense"),
    (
        Garbage("{\"Responses\":[{\"Error\":{}}]}"),
        "makes no sense",
    ),
];

#[tokio::test(start_paused = true)]
async fn answers_that_fit_the_count_and_make_no_sense_are_said_at_once() {
    for (garbage, says) in [
        (
            r#"{"Responses":[{"Error":{"Code":"ConditionalCheckFailed"}}]}"#,
            "ConditionalCheckFailed",
        ),
        (
            r#"{"Responses":[{"Error":{"Message":"?"}}]}"#,
            "without a code",
        ),
        (
            r#"{"Responses":[{"Error":{"Code":"NotYetKnown"}}]}"#,
            "NotYetKnown",
        ),
    ] {
        let proxy = Proxy::in_memory();
        proxy.play(move |_| Garbage(garbage));
        refuses(&store_behind(&proxy), says).await;
    }
}

/// A table that somebody else writes to: nobody can tell whose these claims are.
#[tokio::test(start_paused = true)]
async fn items_that_are_no_claims_are_said_at_once() {
    for item in [
        r#"{"id":{"S":"1"}}"#,
        r#"{"id":{"S":"1"},"owner":{"S":"me"}}"#,
        r#"{"id":{"S":"1"},"owner":{"N":"7"}}"#,
        r#"{"id":{"S":"1"},"owner":{"S":""}}"#,
    ] {
        let taken = format!(
            r#"{{"Responses":[{{"Error":{{"Code":"ConditionalCheckFailed","Item":{item}}}}}]}}"#
        );
        let taken: &'static str = taken.leak();
        let proxy = Proxy::in_memory();
        proxy.play(move |number| match number {
            0 => Garbage(r#"{"Responses":[{"Error":{"Code":"DuplicateItem"}}]}"#),
            _ => Garbage(taken),
        });
        refuses(&store_behind(&proxy), "owner").await;
    }
}

async fn refuses(store: &DynamoDbStore, says: &str) {
    let answers = Batch::of("refused", 1)
        .ask(store, A, NOW, SECOND * 50)
        .await;
    assert_eq!(answers.claimed, [Unanswered]);
    let Some(StoreError::Refused(why)) = &answers.failure else {
        panic!("{:?}", answers.failure);
    };
    assert!(why.contains(says), "{why}");
}

/// One denied statement does not hide what its neighbours were told.
#[tokio::test(start_paused = true)]
async fn what_is_known_beside_a_denied_statement_is_said() {
    let proxy = Proxy::in_memory();
    proxy.play(|_| RefuseStatements(0.2, "AccessDenied"));
    let batch = Batch::of("beside", 25);
    let answers = batch.ask(&store_behind(&proxy), A, NOW, SECOND).await;
    assert!(matches!(answers.failure, Some(StoreError::Refused(_))));
    let taken = answers.claimed.iter().filter(|one| **one == Taken).count();
    assert_eq!(taken, proxy.table().len());
    assert!(taken > 10, "{taken}");
}

#[tokio::test(start_paused = true)]
async fn warming_up_opens_a_connection_and_writes_nothing() {
    let proxy = Proxy::in_memory();
    store_behind(&proxy).warm_up().await.unwrap();
    assert_eq!(proxy.requests(), [1]);
    assert_eq!(proxy.table().len(), 0);

    proxy.play(|_| BlackHole);
    let error = store_behind(&proxy).warm_up().await.unwrap_err();
    assert!(matches!(error, StoreError::Away(_)), "{error}");
}

/// Real sockets: a connection that breaks under a request is opened again.
#[tokio::test]
async fn faults_on_real_connections_pass() {
    let proxy = Proxy::in_memory();
    let store = store_at(proxy.listen().await);
    for fault in [Reset, LoseAnswer, Refuse(500, "InternalServerError")] {
        let mut random = fastrand::Rng::with_seed(1);
        proxy.play(move |_| match random.u8(..5) {
            0 => fault,
            _ => Pass,
        });
        let batch = Batch::of(&format!("{fault:?}"), 1000);
        let claimed = batch.settles(&store, A, NOW).await;
        assert!(claimed.iter().all(|one| *one == Taken), "{fault:?}");
    }
}

#[tokio::test]
async fn nobody_at_the_address_is_an_outage() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let answers = Batch::of("nobody", 30)
        .ask(&store_at(address), A, NOW, Duration::from_millis(200))
        .await;
    let Some(StoreError::Away(why)) = &answers.failure else {
        panic!("{:?}", answers.failure);
    };
    assert!(why.contains("refused"), "{why}");
}

/// Whatever fails is asked again, until all of the claims are known and given back.
#[tokio::test(start_paused = true)]
async fn what_a_redrive_asks_is_answered_in_the_end() {
    for fault in [
        Refuse(500, "InternalServerError"),
        RefuseStatements(0.2, "ThrottlingError"),
        Reset,
        LoseAnswer,
        BlackHole,
    ] {
        let proxy = Proxy::in_memory();
        let store = store_behind(&proxy);
        let batch = Batch::of("given back", 500);
        batch.settles(&store, A, NOW).await;
        proxy.play(move |number| if number % 5 == 0 { fault } else { Pass });
        let deadline = Instant::now() + SECOND * 300;
        let claims = batch.claims(A);
        let held = store.look_up(&claims, deadline).await.unwrap();
        let ttl_seconds = NOW + DAY;
        let claim = HeldClaim {
            owner: A,
            ttl_seconds,
        };
        assert_eq!(held, vec![Some(claim); 500], "{fault:?}");
        let released = store.release(&claims, deadline).await.unwrap();
        assert_eq!(released, vec![Released::Free; 500], "{fault:?}");
        assert_eq!(proxy.table().len(), 0, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_redrive_asks_only_what_failed_again() {
    let proxy = Proxy::in_memory();
    let store = store_behind(&proxy);
    proxy.play(|number| if number == 0 { Reset } else { Pass });
    let batch = Batch::of("again", 60);
    let held = batch.look_up(&store, SECOND * 9).await;
    assert_eq!(held.unwrap(), [None; 60]);
    assert_eq!(proxy.requests(), [25, 25, 10, 25]);
}

/// The pause after a failure is random, between half of what it may be and all of it, and grows
/// from 25 milliseconds to a second.
#[tokio::test(start_paused = true)]
async fn a_redrive_asks_at_growing_distances_until_the_deadline() {
    let proxy = Proxy::in_memory();
    let store = store_behind(&proxy);
    let batch = Batch::of("away", 1);
    for seconds in [0, 1, 60] {
        proxy.play(|_| Refuse(500, "InternalServerError"));
        let started = Instant::now();
        let answer = batch.look_up(&store, SECOND * seconds).await;
        let Err(StoreError::Away(why)) = answer else {
            panic!("it is away");
        };
        assert!(why.contains("HTTP 500"), "{why}");
        let elapsed = started.elapsed();
        assert!(elapsed <= SECOND * seconds, "{elapsed:?}");
        assert!(elapsed + SECOND >= SECOND * seconds, "{elapsed:?}");
        let most = match seconds {
            0 => 1..=1,
            1 => 6..=7,
            _ => 64..=126,
        };
        let requests = proxy.requests().len();
        assert!(most.contains(&requests), "{requests} in {seconds} s");
    }
    for _ in 0..50 {
        proxy.play(|number| if number == 0 { Reset } else { Pass });
        let started = Instant::now();
        batch.look_up(&store, SECOND).await.unwrap();
        let pause = started.elapsed();
        let allowed = Duration::from_millis(12)..=Duration::from_millis(26);
        assert!(allowed.contains(&pause), "{pause:?}");
    }
}

/// Of several failures the one that lasts is said, and it is not waited for what passes.
#[tokio::test(start_paused = true)]
async fn a_redrive_is_told_at_once_what_will_not_pass() {
    for (fault, says) in [
        (Refuse(400, "ResourceNotFoundException"), "--table"),
        (
            RefuseStatements(1.0, "AccessDenied"),
            "dynamodb:PartiQLSelect",
        ),
        (Refuse(400, "ExpiredTokenException"), "AWS_PROFILE"),
        (Garbage(r#"{"Responses":[]}"#), "0 answers to"),
    ] {
        let proxy = Proxy::in_memory();
        let store = store_behind(&proxy);
        proxy.play(move |number| match number {
            1 => fault,
            _ => Refuse(500, "InternalServerError"),
        });
        let started = Instant::now();
        let batch = Batch::of("lasting", 75);
        let answer = batch.look_up(&store, SECOND * 50).await;
        let Err(StoreError::Refused(why)) = answer else {
            panic!("{fault:?}: {answer:?}");
        };
        assert_eq!(started.elapsed(), Duration::ZERO, "{fault:?}");
        assert!(why.contains(says), "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_item_is_none() {
    let proxy = Proxy::in_memory();
    proxy.play(|_| Garbage(r#"{"Responses":[{"Item":{}}]}"#));
    let (store, batch) = (store_behind(&proxy), Batch::of("empty", 1));
    assert_eq!(batch.look_up(&store, SECOND).await.unwrap(), [None]);
}

#[tokio::test(start_paused = true)]
async fn an_item_that_is_no_claim_is_not_looked_up() {
    for item in [
        r#"{"owner":{"S":"1:2:3"}}"#,
        r#"{"ttl":{"N":"1"}}"#,
        r#"{"owner":{"S":"me"},"ttl":{"N":"1"}}"#,
        r#"{"owner":{"S":"1:2:3"},"ttl":{"S":"1"}}"#,
        r#"{"owner":{"S":"1:2:3"},"ttl":{"N":"1.5"}}"#,
    ] {
        let answer: &'static str = format!(r#"{{"Responses":[{{"Item":{item}}}]}}"#).leak();
        let proxy = Proxy::in_memory();
        proxy.play(move |_| Garbage(answer));
        let batch = Batch::of("no claim", 1);
        let store = store_behind(&proxy);
        let answer = batch.look_up(&store, SECOND).await;
        let Err(StoreError::Refused(why)) = answer else {
            panic!("{item}");
        };
        assert!(why.contains("owner or ttl"), "{why}");
    }
}

const A: Owner = owner(1);
const B: Owner = owner(2);
const C: Owner = owner(3);

const fn owner(hash: u64) -> Owner {
    Owner {
        arrival_milliseconds: Some(1_799_999_999_000),
        record_id_hash: hash,
        bytes_hash: 7,
    }
}

struct Batch {
    identities: Vec<String>,
}

impl Batch {
    fn of(name: &str, events: usize) -> Self {
        let identities = (0..events).map(|n| format!("[\"{name}\",{n}]")).collect();
        Self { identities }
    }

    fn every(&self, step: usize, first: usize) -> Self {
        let identities = self.identities.iter().skip(first).step_by(step).cloned();
        Self {
            identities: identities.collect(),
        }
    }

    fn claims(&self, owner: Owner) -> Vec<Claim<'_>> {
        let claim = |identity| Claim {
            identity,
            led_by: None,
            owner,
        };
        self.identities
            .iter()
            .map(String::as_str)
            .map(claim)
            .collect()
    }

    async fn ask(
        &self,
        store: &DynamoDbStore,
        owner: Owner,
        now_seconds: u64,
        time: Duration,
    ) -> Answers {
        let claims = self.claims(owner);
        let terms = Terms {
            now_seconds,
            ttl_seconds: now_seconds + DAY,
            deadline: Instant::now() + time,
        };
        let answers = store.claim(&claims, terms).await;
        assert_eq!(answers.claimed.len(), claims.len());
        assert_eq!(
            answers.failure.is_some(),
            answers.claimed.contains(&Unanswered)
        );
        answers
    }

    async fn look_up(
        &self,
        store: &DynamoDbStore,
        time: Duration,
    ) -> Result<Vec<Option<HeldClaim>>, StoreError> {
        let deadline = Instant::now() + time;
        store.look_up(&self.claims(A), deadline).await
    }

    async fn settles(&self, store: &DynamoDbStore, owner: Owner, now: u64) -> Vec<Claimed> {
        let answers = self.ask(store, owner, now, SECOND * 59).await;
        assert!(answers.failure.is_none(), "{:?}", answers.failure);
        answers.claimed
    }
}
