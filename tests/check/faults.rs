//! Functions with one fault each: exactly what it harms is found.

use std::{fs, path::PathBuf, process::Command};

use super::{COSTLY, check, check_server, folder, found, probe_of, with};

/// What harms a batch with a record that cannot be read.
const BAD: [&str; 5] = [
    "empty-data",
    "not-json",
    "not-utf8",
    "deep-nesting",
    "wrong-fields",
];
/// The same, but Firehose itself sends no such record.
const NEVER_SENT: [&str; 2] = ["missing-data", "bad-base64"];
const UNREADABLE: [&str; 5] = [
    "bad-base64",
    "not-json",
    "not-utf8",
    "deep-nesting",
    "wrong-fields",
];

#[test]
fn faults_in_python_are_found() {
    let cases: &[(&str, &[&str], &[&str])] = &[
        ("other-order", &[], &[]),
        ("not-base64", &["one"], &[]),
        ("loses-one", &["several"], &[]),
        ("doubles-one", &["several"], &[]),
        ("leaks", &["own-records"], &[]),
        ("dies-on-empty-batch", &[], &["empty-batch"]),
        ("no-line-end", &[], &["line-end"]),
        ("keys-not-texts", &["partition-keys"], &[]),
        ("keys-empty", &["partition-keys"], &[]),
        ("keys-missing", &["partition-keys"], &[]),
        ("keys-not-safe", &["hostile-text"], &[]),
        ("forgets-kafka", &["msk"], &[]),
        ("one-bad-fails-all", &BAD, &NEVER_SENT),
        ("wrong-word", &BAD, &NEVER_SENT),
        ("drops-bad", &[], &UNREADABLE),
        ("naive-deduplication", &["retry"], &["wrong-fields"]),
    ];
    for (fault, failed, warned) in cases {
        check(
            &format!("python3 function.py {fault}"),
            &COSTLY,
            failed,
            warned,
        );
    }
}

#[test]
fn what_cannot_be_told_does_not_pass() {
    let apart = "in the lake nothing tells them apart, and whether a record has its own data \
                 cannot be told";
    let alike = |what| {
        format!(
            "10 records with different events are delivered as {what}: record 1, record 2, \
             record 3 and 7 more; {apart}"
        )
    };
    let unseen = "whether a record has its own data cannot be told, as what `event_uuid` has does \
                  not come back: record 1, record 2, record 3 and 7 more; if another field tells \
                  events apart, name it with --vary";
    let changed = "cannot be told: no text field of an event is delivered as it came";
    let refused = "cannot be told: no event is delivered with such a text in a field that is kept";
    let cases = [
        ("says-one-thing", &*alike("the same line"), changed),
        ("keeps-kind-only", &*alike("3 lines"), changed),
        ("hides-ids", unseen, ""),
        ("renames-fields", "", changed),
        ("takes-ascii-only", "", refused),
    ];
    let named = |name: &'static str, said: &str| Vec::from_iter((!said.is_empty()).then_some(name));
    for (fault, several, unicode) in cases {
        let command = format!("python3 function.py {fault}");
        let report = check(&command, &COSTLY, &[], &named("several", several));
        assert_eq!(with(&report, "skip"), named("unicode", unicode), "{fault}");
        assert_eq!(found(&report, "several"), several, "{fault}");
        assert_eq!(found(&report, "unicode"), unicode, "{fault}");
    }
}

#[test]
fn events_without_the_field_that_varies_cannot_be_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let sample = folder.path().join("events.jsonl");
    fs::write(&sample, "{\"event_name\":\"a\",\"created_at\":1}\n").unwrap();
    let more = ["--only", "several", "--sample", sample.to_str().unwrap()];
    let report = check("python3 function.py", &more, &[], &["several"]);
    let told = found(&report, "several");
    let why = "as the event has no field `event_uuid`: record 1, record 2, record 3 and 7 more";
    assert!(told.contains(why), "{told}");
}

/// Texts that are odd stand where any text may.
#[test]
fn ids_and_times_keep_their_form_where_a_probe_is_about_text() {
    let folder = tempfile::tempdir().unwrap();
    let sample = folder.path().join("events.jsonl");
    let event = r#"{"event_uuid":"","event_name":"shop.order.created","created_at":1,
        "customer":"6d2fe6a7-9a04-4c0f-8a6e-0d1a1b5a0f11","occurredAt":"2026-11-27T10:00:00+01:00"}"#;
    fs::write(&sample, event.replace('\n', "")).unwrap();
    let more = [&["--sample", sample.to_str().unwrap()][..], &COSTLY].concat();
    let command = "python3 function.py bad-time-fails-all";
    let report = check(command, &more, &["wrong-fields"], &[]);
    let told = found(&report, "wrong-fields");
    assert!(
        told.contains("`occurredAt` null, `occurredAt` 7, "),
        "{told}"
    );
}

#[test]
fn a_function_that_was_written_for_one_source_is_told_how_to_say_so() {
    let report = check(
        "python3 function.py forgets-kafka",
        &["--only", "msk"],
        &["msk"],
        &[],
    );
    let told = found(&report, "msk");
    assert!(
        told.ends_with("say which they have with --source"),
        "{told}"
    );
}

#[test]
fn faults_in_javascript_are_found() {
    let cases: &[(&str, &[&str], &[&str])] = &[
        ("reads-latin-1", &["unicode"], &[]),
        ("throws-on-missing-data", &["msk"], &["missing-data"]),
        ("answers-by-id", &["record-ids"], &[]),
        ("forgets-ids-spelling", &["record-ids"], &[]),
        ("swaps-data", &["several"], &[]),
    ];
    for (fault, failed, warned) in cases {
        check(
            &format!("node function.mjs {fault}"),
            &COSTLY,
            failed,
            warned,
        );
    }
    let report = check(
        "node function.mjs dies-on-many",
        &["--only", "thousands"],
        &["thousands"],
        &[],
    );
    assert_eq!(
        found(&report, "thousands"),
        "the batch fails: the process ended before it answered (exit status: 7)"
    );
}

#[test]
fn faults_in_go_are_found() {
    let Some((_place, function)) = in_go() else {
        return;
    };
    let command = |fault: &str| format!("{} {fault}", function.display());
    check(&command("none"), &[], &[], &[]);
    check(&command("drops-known-ids"), &COSTLY, &["retry"], &[]);
    check(&command("wants-numbers"), &COSTLY, &[], &["aws-sample"]);
    let report = check(
        &command("exits-on-bad-base64"),
        &COSTLY,
        &[],
        &["bad-base64"],
    );
    let died = found(&report, "bad-base64");
    assert!(
        died.contains("data `%%%`, data `YQ` (the process ended before it answered"),
        "{died}"
    );
    assert!(died.contains("\ncannot decode: illegal base64"), "{died}");
    for fault in ["cuts-answers", "drops-overflow"] {
        check(
            &command(fault),
            &["--only", "too-large"],
            &["too-large"],
            &[],
        );
    }
}

/// The function in Go, built; none where there is no Go.
fn in_go() -> Option<(tempfile::TempDir, PathBuf)> {
    let place = tempfile::tempdir().unwrap();
    let program = place.path().join("function");
    let mut build = Command::new("go");
    build.args(["build", "-o"]).arg(&program).arg("function.go");
    let Ok(status) = build.current_dir(folder()).status() else {
        say_skipped("go");
        return None;
    };
    assert!(status.success());
    Some((place, program))
}

#[expect(clippy::print_stderr, reason = "a test that passes unseen says so")]
fn say_skipped(what: &str) {
    eprintln!("SKIPPED: {what} is not there");
}

#[test]
fn an_answer_that_is_too_large_is_found() {
    let only = ["--only", "too-large"];
    let report = check("python3 function.py none", &only, &[], &[]);
    let room = found(&report, "too-large");
    assert!(room.contains("overflow; the answer has 9"), "{room}");
    let report = check("python3 function.py too-large", &only, &["too-large"], &[]);
    let large = found(&report, "too-large");
    assert!(
        large.ends_with("bytes, but Lambda takes at most 6291556"),
        "{large}"
    );
}

#[test]
fn state_that_is_shared_by_invocations_at_once_is_found() {
    check_server("none", &[]);
    check_server("shares-state", &["concurrency"]);
}

#[test]
fn a_failure_is_told_with_or_without_a_header() {
    let report = check_server("fails", &["one"]);
    assert_eq!(
        found(&report, "one"),
        "the batch fails: Error: it is a bad day. If the function wants other events, give it some \
         with --sample"
    );
    assert_eq!(with(&report, "warn"), ["empty-batch"]);
    let report = check_server("fails-by-header", &["several"]);
    assert_eq!(
        found(&report, "several"),
        "the batch fails: Error: it is a bad day"
    );
}

#[test]
fn each_finding_is_told_with_what_firehose_does_about_it() {
    for (fault, probe, firehose) in [
        ("loses-one", "several", "Lambda.MissingRecordId"),
        ("doubles-one", "several", "Lambda.DuplicatedRecordId"),
        ("not-base64", "one", "tries the batch 4 times"),
        ("leaks", "own-records", "passes over them"),
        ("naive-deduplication", "retry", "it is gone"),
    ] {
        let command = format!("python3 function.py {fault}");
        let report = check(&command, &["--only", probe], &[probe], &[]);
        let findings = &probe_of(&report, probe)["findings"];
        let said = findings[0]["firehose"].as_str().expect("a text");
        assert!(said.contains(firehose), "{fault}: {said}");
        assert_eq!(said.contains("4 times"), fault == "not-base64", "{said}");
    }
}

#[test]
fn an_emulator_that_takes_one_invocation_at_a_time_is_no_fault_of_the_function() {
    let report = check_server("ends-when-asked-twice", &[]);
    assert_eq!(with(&report, "skip"), ["partition-keys", "concurrency"]);
    let told = found(&report, "concurrency");
    assert!(
        told.contains("an emulator that takes one invocation at a time shows nothing"),
        "{told}"
    );
}

#[test]
fn an_address_that_stops_answering_is_told_once() {
    let report = check_server("ends-soon", &["several"]);
    let told = found(&report, "several");
    assert!(
        told.contains("; since then nothing answers at http://"),
        "{told}"
    );
    let (skipped, reported) = (with(&report, "skip"), report["probes"].as_array());
    assert_eq!(skipped.len() + 2, reported.expect("probes").len());
    let why = skipped.iter().map(|name| found(&report, name));
    assert_eq!(
        why.filter(|why| *why == "nothing answers any more").count(),
        26
    );
}

#[test]
fn an_answer_that_makes_no_sense_is_shown() {
    let report = check_server("says-no-json", &["one"]);
    let told = "the batch fails: the answer cannot be read: it is not JSON: Task timed out after 3.00 seconds";
    assert_eq!(found(&report, "one"), told);
}
