//! `nozzle find` as a person gives it, in what `nozzle run`, `redrive` and `log` have made.

#![cfg(feature = "tool")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use nozzle::dedup::embedded::EmbeddedStore;
use serde_json::{Value, json};
use support::{
    error_objects::{captured, event, gzip, identity},
    folder::{contents, files},
    place::{Place, stderr},
};

/// 2026-02-03T00:00:00Z
const NIGHT: i64 = 1_770_076_800_000;

impl Place {
    /// With a lake of `nozzle run`, which has two error objects.
    fn with_lake() -> Self {
        let place = Self::new();
        let mut input: String = (0..50).map(|number| event(number) + "\n").collect();
        input.push_str("{\"event_uuid\":\"e7\",\"event_name\":\"cut\n");
        input.push_str(
            "{\"event_uuid\":\"odd\",\"event_name\":\"a\",\"user\":{\"id\":7},\"open\":true}\n",
        );
        place.write("in.jsonl", input);
        place.did("run", &["in.jsonl"]);
        place
    }

    #[track_caller]
    fn did(&self, command: &str, arguments: &[&str]) {
        let output = self.nozzle(command, arguments).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
    }

    fn find(&self, arguments: &[&str]) -> Output {
        self.nozzle("find", arguments).output().unwrap()
    }

    /// What is found, in the order of its places, and the exit code.
    #[track_caller]
    fn found(&self, arguments: &[&str]) -> (Vec<Value>, i32) {
        let output = self.find(&[arguments, &["--json"]].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let mut found: Vec<Value> = lines.collect();
        found.sort_by_key(|found| found["at"].as_str().unwrap().to_owned());
        (found, output.status.code().unwrap())
    }

    /// As what it is found, in the order of their places.
    #[track_caller]
    fn check(&self, arguments: &[&str], expected: &[&str]) {
        let (found, code) = self.found(arguments);
        let kinds: Vec<_> = found
            .iter()
            .map(|found| found["found"].as_str().unwrap())
            .collect();
        assert_eq!(kinds, expected, "{arguments:?}: {found:#?}");
        assert_eq!(code, i32::from(expected.is_empty()), "{arguments:?}");
    }
}

#[test]
fn an_event_is_found_in_the_lake_among_error_objects_and_by_its_claim() {
    let place = Place::with_lake();
    let (found, code) = place.found(&["e7"]);
    assert_eq!(code, 0);
    let [claim, failed, delivered] = &found[..] else {
        panic!("{found:#?}");
    };
    assert_eq!(
        (&claim["found"], &claim["at"], &claim["identity"]),
        (
            &json!("claim"),
            &json!("lake/.nozzle/claims"),
            &json!(identity(7))
        )
    );
    assert!(claim["arrival_milliseconds"].is_i64(), "{claim}");
    let expected = json!({
        "found": "error_object", "at": failed["at"], "refused": "not_json",
        "code": "Lambda.ProcessingFailedStatus", "redriven": "no",
        "arrival_milliseconds": failed["arrival_milliseconds"],
    });
    assert_eq!(failed, &expected);
    let expected = json!({
        "found": "event", "at": delivered["at"], "identity": identity(7),
        "created_datetime": "2026-02-02T02:40:07.000000Z",
    });
    assert_eq!(delivered, &expected);
    let at = delivered["at"].as_str().unwrap();
    let (file, line) = at.rsplit_once(':').unwrap();
    let lines = fs::read_to_string(place.path(file)).unwrap();
    let line = lines
        .lines()
        .nth(line.parse::<usize>().unwrap() - 1)
        .unwrap();
    assert!(line.starts_with(event(7).trim_end_matches('}')), "{line}");

    let shown = String::from_utf8(place.find(&["e7"]).stdout).unwrap();
    let mut lines: Vec<_> = shown.lines().collect();
    lines.sort_unstable();
    assert!(
        lines[0].starts_with("claim         lake/.nozzle/claims  of event e7, arrived 20"),
        "{shown}"
    );
    assert!(
        lines[1].starts_with("error object  lake/errors/processing-failed/"),
        "{shown}"
    );
    assert!(lines[1].ends_with(", not sent again"), "{shown}");
    assert!(
        lines[2].ends_with("  of 2026-02-02T02:40:07.000000Z"),
        "{shown}"
    );
}

#[test]
fn what_is_nowhere_is_a_failure() {
    let place = Place::with_lake();
    place.check(&["nowhere"], &[]);
    assert_eq!(
        stderr(&place.find(&["nowhere"])).lines().last(),
        Some(
            "nozzle: nothing was found: looked at lake (objects: 4); not looked at: \
             lake/.nozzle/claims, for a claim is known by its event's uuid, name and time; \
             an event log, which --log or --log-table names"
        )
    );
    place.check(&["e5", "--day", "2026-02-01"], &[]);
    for (arguments, code, expected) in [
        (&[][..], 2, "<UUID|--where <FIELD=VALUE>>"),
        (&["e7", "--where", "a=b"], 2, "cannot be used with"),
        (&["--where", "a"], 2, "FIELD=VALUE"),
        (
            &["e7", "--day", "2026-02-01", "--since", "2026-02-01"],
            2,
            "cannot be used with",
        ),
        (
            &["e7", "--lake", "gone"],
            2,
            "there is no file or folder `gone`",
        ),
        (
            &["e7", "--log", "gone"],
            2,
            "there is no event log in `gone`",
        ),
        (&["e7", "--event-identity", "odd"], 2, "--event-identity"),
        (
            &["e7", "--claims", "gone"],
            2,
            "there is no folder `gone`: --claims is what",
        ),
        (
            &["e7", "--claims", "lake/events"],
            2,
            "there are no claims in `lake/events`: --claims is what",
        ),
    ] {
        let output = place.find(arguments);
        let said = stderr(&output);
        assert!(said.contains(expected), "{arguments:?}: {said}");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    }
}

#[test]
fn who_looks_for_a_uuid_where_none_is_is_told_what_there_is() {
    let place = Place::new();
    place.write(
        "in.jsonl",
        "{\"id\":\"1\",\"type\":\"a\",\"ts\":1770000000}\n",
    );
    let fields = ["--event-fields", "id,type,ts"];
    place.did("run", &[&["in.jsonl"], &fields[..]].concat());
    let said = stderr(&place.find(&["1"]));
    let none = "none of the events that were read has event_uuid; one has id, type, ts";
    assert!(said.contains(none), "{said}");
    assert!(said.contains("--event-fields id,type,ts\n"), "{said}");
    assert!(place.find(&[&["1"], &fields[..]].concat()).status.success());
    let said = stderr(&place.find(&[&["2"], &fields[..]].concat()));
    assert!(
        said.contains("nozzle: nothing was found: looked at lake"),
        "{said}"
    );
    assert!(!said.contains("none of the events"), "{said}");
}

#[test]
fn whoever_names_a_field_or_no_lake_wrongly_is_told_how() {
    let place = Place::with_lake();
    for field in ["user.id=7", "user/id=7"] {
        assert_eq!(
            stderr(&place.find(&["--where", field])).lines().last(),
            Some("nozzle: did you mean --where /user/id=7?")
        );
    }
    let said = stderr(&Place::new().find(&["e7"]));
    assert!(
        said.contains("name the lake with --lake: there is no file or folder `lake`"),
        "{said}"
    );
}

#[test]
fn any_field_can_be_looked_for_and_a_day() {
    let place = Place::with_lake();
    place.check(&["--where", "/user/id=7"], &["error_object"]);
    place.check(&["--where", "/user/id=70e-1"], &["error_object"]);
    place.check(&["--where", "open=true"], &["error_object"]);
    let (all, _) = place.found(&["--where", "event_type=order"]);
    let events = all.iter().filter(|found| found["found"] == "event").count();
    assert_eq!((events, all.len()), (17, 34), "events and their claims");
    for (days, expected) in [
        (&["--day", "2026-02-02"][..], 1),
        (
            &[
                "--since",
                "2026-02-02T02:40:05Z",
                "--until",
                "2026-02-02T02:40:06Z",
            ],
            1,
        ),
        (
            &["--since", "2026-02-02T02:40:06Z", "--until", "2026-02-03"],
            0,
        ),
        (&["--day", "2026-02-03"], 0),
    ] {
        let (found, _) = place.found(&[&["e5"], days].concat());
        let events = found
            .iter()
            .filter(|found| found["found"] == "event")
            .count();
        assert_eq!(events, expected, "{days:?}: {found:#?}");
    }
}

#[test]
fn a_file_of_another_day_is_not_even_opened() {
    let place = Place::new();
    place.write("lake/events/year=2026/month=02/day=02/a", event(5) + "\n");
    place.write(
        "lake/events/year=2026/month=02/day=03/b.gz",
        &gzip(b"x\n")[..15],
    );
    place.check(&["e5", "--day", "2026-02-02"], &["event"]);
    let (found, code) = place.found(&["e5"]);
    assert_eq!((found.len(), code), (1, 0));
    let said = stderr(&place.find(&["e5"]));
    assert!(said.contains("b.gz cannot be read to its end"), "{said}");
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_said_and_nothing_else_is_missed() {
    let place = Place::new();
    place.write("lake/events/a.jsonl", event(5) + "\n");
    let long = format!("{}\n{}\n", "x".repeat(20_000_000), event(6));
    place.write("lake/events/long.jsonl", long);
    place.write("lake/events/cut.gz", &gzip(b"x\n")[..15]);
    place.write("lake/events/plain.gz", "x\n");
    let letter = json!({
        "version": 1, "reason": "panicked", "shard": "shardId-000000000006", "sequence": "4959",
        "data_ref": "s3://letters/one.json",
    });
    place.write("lake/letter.json", letter.to_string());
    let pipe = place.path("lake/events/pipe");
    assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
    for (uuid, found, code) in [("e5", 1, 0), ("e6", 1, 0), ("e7", 0, 2)] {
        assert_eq!(place.found(&[uuid]).0.len(), found, "{uuid}");
        let output = place.find(&[uuid]);
        let said = stderr(&output);
        for expected in [
            "nozzle: lake/events/long.jsonl:1 is longer than 9 MiB",
            "nozzle: lake/events/cut.gz cannot be read to its end: its gzip is cut off",
            "nozzle: lake/events/plain.gz cannot be read to its end: it is not gzip",
            "nozzle: lake/letter.json:1 is passed over: its record is in the dead letter at s3://",
            "nozzle: lake/events/pipe cannot be read to its end: `lake/events/pipe` is a pipe",
        ] {
            assert!(said.contains(expected), "{expected}: {said}");
        }
        assert_eq!(output.status.code(), Some(code), "{uuid}: {said}");
        let nothing = "nothing was found, but not everything could be read";
        assert_eq!(said.contains(nothing), code == 2, "{uuid}: {said}");
    }
    let output = place.find(&["e5", "--lake", "/dev/zero"]);
    assert!(
        stderr(&output).contains("`/dev/zero` is a device"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn it_is_known_whether_an_error_object_was_sent_again() {
    let place = Place::new();
    let lost = captured("Lambda.FunctionError", NIGHT, event(1).as_bytes());
    let broken = event(2).replace("\"created_at\"", "\"created\"");
    let broken = captured("Lambda.ProcessingFailedStatus", NIGHT, broken.as_bytes());
    place.write("lake/errors/object", lost + &broken);
    let redriven = |uuid: &str| {
        let (found, _) = place.found(&[uuid]);
        found
            .iter()
            .find(|found| found["found"] == "error_object")
            .unwrap()["redriven"]
            .clone()
    };
    assert_eq!((redriven("e1"), redriven("e2")), (json!("no"), json!("no")));
    let export = [
        "lake/errors",
        "--to",
        "lake:lake",
        "--execute",
        "--export",
        "repair",
    ];
    assert_eq!(
        place.nozzle("redrive", &export).status().unwrap().code(),
        Some(1)
    );
    assert_eq!(
        (redriven("e1"), redriven("e2")),
        (json!("as_it_was"), json!("no"))
    );
    let exported = fs::read_to_string(place.path("repair/to-repair.jsonl")).unwrap();
    let mended = exported.replace("\"created\"", "\"created_at\"");
    place.write("repair/to-repair.jsonl", mended);
    place.did("redrive", &["repair", "--to", "lake:lake", "--execute"]);
    assert_eq!(redriven("e2"), "mended");
    place.check(
        &["e2", "--lake", "lake", "--lake", "repair"],
        &["claim", "error_object", "event", "export_line"],
    );
}

#[test]
fn dead_letters_and_event_logs_are_looked_at_too() {
    let place = Place::with_lake();
    let letter = json!({
        "version": 1, "reason": "panicked", "record_id": "shardId-000000000006:4959",
        "stream": "arn", "shard": "shardId-000000000006", "sequence": "4959", "sub": null,
        "arrival": "2026-02-03T00:00:00Z", "function": "event-log",
        "data": base64_simd::STANDARD.encode_to_string(event(9)),
    });
    place.write("letters/one.json", letter.to_string());
    let both = ["e9", "--lake", "lake", "--lake", "letters"];
    place.check(&both, &["claim", "event", "dead_letter"]);
    let (found, _) = place.found(&both);
    assert_eq!(
        (&found[2]["code"], &found[2]["redriven"]),
        (&json!("panicked"), &json!("no"))
    );

    place.did(
        "log",
        &["in.jsonl", "--event-id", "/event_uuid", "--log", "by-id"],
    );
    place.did("log", &["in.jsonl", "--log", "by-record"]);
    place.did("log", &["in.jsonl", "--log", "as-text", "--data", "text"]);
    for log in ["by-id", "by-record", "as-text"] {
        let only = ["e9", "--log", log, "--lake", "letters"];
        place.check(&only, &["log", "dead_letter"]);
    }
}

#[test]
fn nothing_is_written_and_nobody_else_may_be_at_work() {
    let place = Place::with_lake();
    let before = contents(place.folder());
    place.check(&["e9"], &["claim", "event"]);
    assert!(contents(place.folder()) == before);
    let store = EmbeddedStore::open(&place.path("lake/.nozzle/claims")).unwrap();
    for (uuid, code) in [("e9", 0), ("nowhere", 2)] {
        let output = place.find(&[uuid]);
        let said = stderr(&output);
        assert!(said.contains("in use by another process"), "{said}");
        assert_eq!(output.status.code(), Some(code), "{uuid}: {said}");
    }
    drop(store);
}

#[test]
fn events_of_other_names_and_identities_are_found() {
    let place = Place::new();
    place.write(
        "in.jsonl",
        "{\"id\":\"9\",\"name\":\"a:b\",\"ts\":1770000000}\n",
    );
    let settings = ["--event-fields", "id,name,ts", "--event-identity", "uuid"];
    place.did("run", &[&["in.jsonl"], &settings[..]].concat());
    place.check(&[&["9"], &settings[..]].concat(), &["claim", "event"]);
    fs::remove_dir_all(place.path("lake/events")).unwrap();
    place.check(&[&["9"], &settings[..]].concat(), &["claim"]);
    place.check(&["9", "--event-fields", "id,name,ts"], &[]);
}

#[test]
fn an_archived_event_is_found_by_its_id_and_not_judged_by_a_lakes_rules() {
    let place = Place::new();
    let event = r#"{"event_id":"e1","event_type":"view","user_id":"u","timestamp":1770000000}"#;
    place.write("in.jsonl", event.to_owned() + "\n");
    place.did("process", &["in.jsonl", "--into", "counted"]);
    for sought in [&["e1"][..], &["--where", "event_id=e1"]] {
        let (found, code) = place.found(&[sought, &["--lake", "counted"]].concat());
        let kind = json!({
            "found": "archived", "at": found[0]["at"],
            "created_datetime": "2026-02-02T02:40:00.000000Z",
        });
        assert_eq!((found, code), (vec![kind], 0), "{sought:?}");
    }
    place.check(&["e1", "--lake", "counted", "--day", "2026-02-03"], &[]);
}

#[test]
fn a_claim_that_is_not_there_is_said() {
    let place = Place::with_lake();
    fs::rename(place.path("lake/events"), place.path("events")).unwrap();
    place.check(
        &["e9", "--lake", "events", "--claims", "lake/.nozzle/claims"],
        &["event", "claim"],
    );
    place.write("other.jsonl", event(99) + "\n");
    let output = place.find(&[
        "e99",
        "--lake",
        "other.jsonl",
        "--claims",
        "lake/.nozzle/claims",
    ]);
    let said = stderr(&output);
    assert_eq!(
        said,
        "nozzle: lake/.nozzle/claims has no claim on 1 of 1 events\n"
    );
    assert!(output.status.success());
}

#[test]
fn an_error_object_of_a_delivered_event_is_not_left_to_look_lost() {
    let place = Place::with_lake();
    for (number, is_copy) in [(5, true), (70, false)] {
        let object = captured("Lambda.FunctionError", NIGHT, event(number).as_bytes());
        place.write("lake/errors/copy", object);
        let output = place.find(&[&format!("e{number}")]);
        let told = "not sent again, and whose event is delivered all the same: 1\n";
        assert_eq!(
            stderr(&output).contains(told),
            is_copy,
            "{}",
            stderr(&output)
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_that_takes_nothing_is_named() {
    let place = Place::with_lake();
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = place.nozzle("find", &["e9"]).stdout(full).output().unwrap();
    let said = stderr(&output);
    assert!(
        said.contains("nozzle: standard output cannot be written: No space left"),
        "{said}"
    );
    assert!(!said.contains(".jsonl"), "{said}");
    assert_eq!(output.status.code(), Some(2));
}

/// Of all that lies there.
fn set_writable(folder: &Path, is_writable: bool) {
    let mode = if is_writable { "u+w" } else { "a-w" };
    let status = Command::new("chmod")
        .args(["-R", mode])
        .arg(folder)
        .status();
    assert!(status.unwrap().success());
}

#[test]
fn whoever_may_only_read_looks_at_everything_and_writes_nothing() {
    let place = Place::with_lake();
    place.write("shown.jsonl", r#"{"event_id":"e1","event_type":"view","user_id":"u","experiment_id":"x","timestamp":1770000000,"metadata":{"variant":"A"}}"#);
    place.did("process", &["shown.jsonl", "--into", "counted"]);
    let by_id = [
        "in.jsonl",
        "--event-id",
        "/event_uuid",
        "--search-key",
        "/event_uuid",
    ];
    place.did("log", &[&by_id[..], &["--log", "log"]].concat());
    let mode = |file: &PathBuf| fs::metadata(file).unwrap().permissions().mode();
    let readable = mode(&place.path("lake/.nozzle/claims/commits")) & 0o444;
    for file in ["lake", "counted", "log"]
        .iter()
        .flat_map(|folder| files(&place.path(folder)))
    {
        assert_eq!(mode(&file) & 0o444, readable, "{}", file.display());
    }
    let before = contents(place.folder());
    set_writable(place.folder(), false);
    for (command, arguments) in [
        ("find", &["e9", "--log", "log"][..]),
        ("redrive", &["lake/errors", "--to", "lake:lake"]),
        ("recount", &["counted"]),
        ("process", &["counters", "counted"]),
        ("log", &["get", "e9", "--log", "log"]),
        ("log", &["tail", "--log", "log"]),
        ("log", &["search", "e9", "--log", "log"]),
    ] {
        place.did(command, arguments);
    }
    set_writable(place.folder(), true);
    assert!(contents(place.folder()) == before);
}
