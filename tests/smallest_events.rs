//! At the buffer that Terraform gives the function, the smallest events there can be still fit into
//! one answer: the worst case, because what is added to each is the same for all.
#![expect(clippy::expect_used, reason = "a test may panic")]

mod support;

use std::{
    fs,
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use nozzle::functions::{
    Function, Moment, Response,
    firehose_transform::{Counts, FirehoseTransform, Settings, budget::RESPONSE_BYTES_MAX},
};
use support::{
    memory::Memory,
    requests::{Sent, request},
};
use tokio::time::Instant;

/// As long as Firehose's own.
const RECORD_ID_BYTES: usize = 56;
/// No byte of it can be spared.
const SMALLEST: &str = r#"{"event_uuid":"u","event_name":"n","created_at":0}"#;
/// The characters of a name that take three bytes in a partition key.
const NAMES: &str = "!#$%&'()*+,/;<=>?@[]^`{|}";
const MEGABYTE: f64 = 1_048_576.0;

/// Events of the smallest size, no two of them alike.
fn smallest_events() -> impl Iterator<Item = String> {
    let uuids = ('!'..='~').filter(|uuid| !matches!(uuid, '"' | '\\'));
    uuids.flat_map(|uuid| {
        NAMES.chars().flat_map(move |name| {
            (0..10).map(move |time| {
                format!(r#"{{"event_uuid":"{uuid}","event_name":"{name}","created_at":{time}}}"#)
            })
        })
    })
}

/// Each with the longest of answers: all of the partition keys.
fn answer(count: usize, record_id_bytes: usize) -> Response<Counts> {
    let records: Vec<_> = smallest_events()
        .zip(0..)
        .take(count)
        .map(|(event, n)| {
            Sent::new(
                &format!("{n:0record_id_bytes$}"),
                1_789_014_240_448 + n,
                &event,
            )
        })
        .collect();
    assert_eq!(
        records.len(),
        count,
        "there are not so many smallest events"
    );
    let all_keys = "event_type,event_subtype,year,month,day,hour";
    let settings = Settings::read(|name| (name == "PARTITION_KEYS").then(|| all_keys.to_owned()));
    let function = FirehoseTransform::new(settings.expect("settings"), Memory::default());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let answer = runtime.block_on(async {
        let moment = Moment {
            now: UNIX_EPOCH + Duration::from_secs(1_789_014_301),
            deadline: Instant::now() + Duration::from_mins(1),
        };
        function.answer(&request(&records), moment).await
    });
    let answer = answer.expect("the batch is answered");
    assert!(answer.body.len() <= RESPONSE_BYTES_MAX);
    answer
}

/// How many smallest events a buffer of so many megabytes can hold.
fn events_in(megabytes: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "some thousands"
    )]
    let bytes = (megabytes * MEGABYTE) as usize;
    bytes.div_ceil(SMALLEST.len())
}

/// The default, or what an environment sets instead: the largest of them.
fn megabytes_of_terraform() -> f64 {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("terraform");
    let variables = fs::read_to_string(folder.join("variables.tf")).expect("the variables");
    let (_, variable) = variables
        .split_once("variable \"transform_buffer_megabytes\"")
        .expect("the variable");
    let environments = fs::read_dir(folder.join("environments")).expect("the environments");
    let set = environments
        .map(|entry| fs::read_to_string(entry.expect("an entry").path()).expect("an environment"))
        .filter_map(|text| value_of(&text, "transform_buffer_megabytes"));
    let default = value_of(variable, "default").expect("a default");
    set.fold(default, f64::max)
}

fn value_of(text: &str, name: &str) -> Option<f64> {
    let lines = text.lines().filter_map(|line| line.split_once('='));
    let mut values = lines.filter(|(left, _)| left.trim() == name);
    let (_, value) = values.next()?;
    Some(value.trim().parse().expect("a number"))
}

#[test]
fn the_smallest_event_is_valid_and_its_like_are_as_small() {
    assert!(smallest_events().all(|event| event.len() == SMALLEST.len()));
    assert_eq!(answer(1_000, RECORD_ID_BYTES).counts.delivered, 1_000);
}

#[test]
fn the_buffer_of_terraform_never_overflows_the_answer() {
    let count = events_in(megabytes_of_terraform());
    // Kinesis's ids are longer than direct put's; twice as long would do too.
    for record_id_bytes in [RECORD_ID_BYTES, 64, 2 * RECORD_ID_BYTES] {
        let answer = answer(count, record_id_bytes);
        assert_eq!(answer.counts.delivered, count, "{record_id_bytes}");
    }
}

#[test]
fn the_answer_overflows_from_three_quarters_of_a_megabyte_on() {
    let fits = |count| answer(count, RECORD_ID_BYTES).counts.overflow == 0;
    let (mut fitting, mut overflowing) = (events_in(0.5), events_in(1.0));
    assert!(fits(fitting) && !fits(overflowing));
    while overflowing - fitting > 1 {
        let middle = usize::midpoint(fitting, overflowing);
        if fits(middle) {
            fitting = middle;
        } else {
            overflowing = middle;
        }
    }
    // 414 bytes an answer, so 0.72 MB of them fit.
    assert_eq!(fitting, 15_196);
    assert!((events_in(0.72)..events_in(0.73)).contains(&fitting));
}
