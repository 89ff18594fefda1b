//! `nozzle explain`, as a person runs it.
#![cfg(feature = "tool")]
#![expect(clippy::expect_used, reason = "a test may panic")]

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

const BY_YEAR_AND_ARRIVAL: &str = "lake/!{partitionKeyFromLambda:year}/!{timestamp:yyyy-MM-dd}/";

fn explain(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_nozzle"))
        .arg("explain")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the tool starts");
    // It may end without reading.
    let _ = child
        .stdin
        .take()
        .expect("its input is piped")
        .write_all(input);
    child.wait_with_output().expect("the tool ends")
}

#[track_caller]
fn explained(arguments: &[&str], input: &str) -> Value {
    let output = explain(&[arguments, &["--json"]].concat(), input.as_bytes());
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

#[track_caller]
fn check_error(arguments: &[&str], expected: &str) {
    let output = explain(arguments, b"{}");
    assert!(!output.status.success());
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        format!("nozzle: {expected}\n")
    );
    assert_eq!(output.stdout, b"");
}

const EVENT: &str =
    r#"{"event_uuid":"9f","event_name":"a/b:created:x","created_at":1712511721.022075}"#;

#[test]
fn an_accepted_event_is_explained_from_verdict_to_owner() {
    let expected = json!({
        "wrapper": null,
        "verdict": "delivered",
        "reason": null,
        "advice": null,
        "faults": [],
        "added": { "event_type": "a/b", "event_subtype": "created", "created_datetime": "2024-04-07T17:42:01.022075Z" },
        "partition_keys": { "event_type": "a%2Fb", "event_subtype": "created", "year": "2024", "month": "04", "day": "07" },
        "path": "events/event_type=a%2Fb/event_subtype=created/year=2024/month=04/day=07/",
        "identity": r#"["9f","a/b:created:x",1712511721022075000]"#,
        "judged_by": { "event_years": "1970-9999", "event_types": null, "event_identity": "event", "event_fields": "event_uuid,event_name,created_at", "partition_keys": "event_type,event_subtype,year,month,day" },
        "bytes": EVENT.len(),
        "bytes_hash": format!("{:032x}", xxhash_rust::xxh3::xxh3_128(EVENT.as_bytes())),
        "owner": format!("77:{:016x}:{:032x}", xxhash_rust::xxh3::xxh3_64(b"id"), xxhash_rust::xxh3::xxh3_128(EVENT.as_bytes())),
    });
    let arguments = ["--record-id", "id", "--arrival", "77"];
    assert_eq!(explained(&arguments, EVENT), expected);
    assert_eq!(explained(&arguments, &format!("{EVENT}\r\n")), expected);
}

#[test]
fn a_refused_event_is_explained_with_what_to_do() {
    let refused = explained(&[], r#"{"event_uuid":"9f"}"#);
    assert_eq!(
        (&refused["verdict"], &refused["reason"]),
        (&json!("refused"), &json!("event_name_missing"))
    );
    assert!(
        refused["advice"]
            .as_str()
            .is_some_and(|advice| advice.starts_with("add the field")),
        "{refused}"
    );
    assert_eq!(refused["owner"], Value::Null);
    let empty = explained(&[], "");
    assert_eq!(empty["reason"], "data_missing");
    assert_eq!(empty["at_byte"], Value::Null);
}

#[test]
fn a_record_that_is_no_json_is_explained_with_the_byte_where_it_breaks() {
    let broken = "{\"event_uuid\":\"9f\x1b\",}";
    let refused = explained(&[], broken);
    assert_eq!(
        (&refused["reason"], &refused["at_byte"]),
        (&json!("not_json"), &json!(17))
    );
    let text = String::from_utf8(explain(&[], broken.as_bytes()).stdout).expect("text");
    let rows = concat!(
        "where             at byte 17\n",
        "                  {\"event_uuid\":\"9f⟨U+001B⟩\",}\n",
        "                                   ^\n",
    );
    assert!(text.contains(rows), "{text}");
}

#[test]
fn every_field_that_is_wrong_is_shown_with_its_value_under_the_given_names() {
    let event = r#"{"id":"","name":"a","ts":1e400}"#;
    let fields = ["--event-fields", "id,name,ts"];
    let refused = explained(&fields, event);
    assert_eq!(refused["reason"], "event_uuid_empty");
    let faults: Vec<_> = refused["faults"]
        .as_array()
        .expect("faults")
        .iter()
        .collect();
    let [first, second] = faults[..] else {
        panic!("{refused}");
    };
    assert_eq!(
        (&first["field"], &first["at_byte"]),
        (&json!("id"), &json!(6))
    );
    let expected = json!({
        "reason": "created_at_out_of_range", "field": "ts", "at_byte": 25,
        "read_as": "`1e400`, nanoseconds since 1970: beyond the year 9999",
        "advice": "ts must lie in the years 1970 to 9999; look at the unit and the sender's clock",
    });
    assert_eq!(second, &expected);
    let text = String::from_utf8(explain(&fields, event.as_bytes()).stdout).expect("text");
    let rows = concat!(
        "also wrong        created_at_out_of_range\n",
        "where             at byte 25\n",
        "                  :\"\",\"name\":\"a\",\"ts\":1e400}\n",
        "                                      ^\n",
        "as read           `1e400`, nanoseconds",
    );
    assert!(text.contains(rows), "{text}");
    let missing = explained(&fields, "{}");
    let advice = missing["advice"].as_str().expect("advice");
    assert!(
        advice.starts_with("add the field; id, name and ts are required. "),
        "{advice}"
    );
}

#[test]
fn people_read_a_row_a_thing() {
    let output = explain(
        &[
            "--partition-keys",
            "year,event_type",
            "--event-identity",
            "uuid",
        ],
        EVENT.as_bytes(),
    );
    let text = String::from_utf8(output.stdout).expect("text");
    for row in [
        "verdict           delivered",
        "partition keys    year=2024 event_type=a%2Fb",
        "path              events/year=2024/event_type=a%2Fb/",
        "identity          [\"9f\"]",
        "judged by         event years 1970-9999, any type, identity uuid, fields event_uuid,event_name,created_at, keys year,event_type",
        "                  a function with other settings may refuse it: give them, such as --event-years 2020-2030",
    ] {
        assert!(text.lines().any(|line| line == row), "{row} in\n{text}");
    }
    assert!(!text.contains("owner"), "{text}");
}

#[test]
fn whoever_gives_settings_or_is_refused_is_not_told_to_give_them() {
    for (arguments, input) in [
        (&["--event-years", "2020-2030"][..], EVENT),
        (&["--event-types", "a/b:created,c"], EVENT),
        (&[], "{}"),
    ] {
        let text = explain(arguments, input.as_bytes()).stdout;
        let text = String::from_utf8(text).expect("text");
        assert!(text.contains("\njudged by "), "{text}");
        assert!(!text.contains("may refuse it"), "{text}");
    }
    let types = &explained(&["--event-types", "a/b:created,c"], EVENT)["judged_by"]["event_types"];
    assert_eq!(types, "a/b:created,c");
}

#[track_caller]
fn check_wrapped(input: &str, kind: &Value, arrival: &Value, reason: &Value, bytes: usize) {
    let explained = explained(&[], input);
    let field = |path| explained.pointer(path).unwrap_or(&Value::Null);
    assert_eq!(
        (
            field("/wrapper/kind"),
            field("/wrapper/arrival_milliseconds"),
            field("/reason"),
            field("/bytes")
        ),
        (kind, arrival, reason, &json!(bytes)),
        "{input}"
    );
}

fn error_object(record: &[u8]) -> String {
    let raw = STANDARD.encode(record);
    format!(
        r#"{{"attemptsMade":1,"arrivalTimestamp":1495072949453,"errorCode":"Lambda.ProcessingFailedStatus","errorMessage":"m","rawData":"{raw}"}}"#
    )
}

#[test]
fn the_record_in_an_error_object_is_explained() {
    let (wrapped, repaired) = (json!("error_object"), json!("export_line"));
    let arrival = json!(1_495_072_949_453_i64);
    let (bare, none) = (Value::Null, Value::Null);
    let missing = json!("event_name_missing");
    check_wrapped(
        &error_object(EVENT.as_bytes()),
        &wrapped,
        &arrival,
        &none,
        EVENT.len(),
    );
    check_wrapped(
        &error_object(br#"{"event_uuid":"1"}"#),
        &wrapped,
        &arrival,
        &missing,
        18,
    );
    check_wrapped(
        &error_object(b"\xff"),
        &wrapped,
        &arrival,
        &json!("not_utf8"),
        1,
    );
    let export = |content: &str| {
        format!(
            r#"{{"reason":"not_json","code":"Lambda.FunctionError","arrivalTimestamp":null,"position":"a:1",{content}}}"#
        )
    };
    let event = format!(r#""event":{EVENT}"#);
    check_wrapped(&export(&event), &repaired, &none, &none, EVENT.len());
    check_wrapped(
        &export(r#""text":"{""#),
        &repaired,
        &none,
        &json!("not_json"),
        1,
    );
    let own = r#"{"rawData":"e30=","errorCode":"x","#;
    let like_one = EVENT.replacen('{', own, 1);
    check_wrapped(&like_one, &bare, &none, &none, like_one.len());
    let faulty = format!(r#"{own}"event_uuid":"1"}}"#);
    check_wrapped(&faulty, &bare, &none, &missing, faulty.len());
    let without_code = r#"{"rawData":"e30="}"#;
    let missing = json!("event_uuid_missing");
    check_wrapped(without_code, &bare, &none, &missing, without_code.len());
}

fn dead_letter(arrival: &str, data: &str) -> String {
    format!(
        r#"{{"version":1,"reason":"user_id_missing","record_id":"shardId-000000000006:4959","stream":"arn","shard":"shardId-000000000006","sequence":"4959","sub":null,"arrival":{arrival},"function":"event-processor",{data}}}"#
    )
}

#[test]
fn the_record_in_a_dead_letter_is_explained() {
    let here = |record: &[u8]| format!(r#""data":"{}""#, STANDARD.encode(record));
    let kind = json!("dead_letter");
    let letter = dead_letter("null", &here(EVENT.as_bytes()));
    // A lake would take it; its own function did not.
    let own = json!("user_id_missing");
    check_wrapped(&letter, &kind, &Value::Null, &own, EVENT.len());
    assert_eq!(
        explained(&[], &letter)["wrapper"]["function"],
        "event-processor"
    );
    let arrived = dead_letter("\"1970-01-01T00:00:01.002Z\"", &here(b"{}"));
    check_wrapped(&arrived, &kind, &json!(1002), &own, 2);
    let text = String::from_utf8(explain(&[], letter.as_bytes()).stdout).expect("text");
    let first =
        "input             a dead letter of event-processor (user_id_missing); its record:\n";
    assert!(text.starts_with(first), "{text}");
    for (data, expected) in [
        (
            r#""data_ref":"s3://bucket/key""#,
            "its record is in the dead letter at s3://bucket/key: explain that one",
        ),
        (
            r#""data":"?""#,
            "it is like a dead letter, but its `data` is not base64",
        ),
    ] {
        let output = explain(&[], dead_letter("null", data).as_bytes());
        assert!(!output.status.success());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(said, format!("nozzle: standard input: {expected}\n"));
    }
    let two = explain(&[], format!("{letter}\n{letter}\n").as_bytes());
    let said = String::from_utf8_lossy(&two.stderr);
    assert!(said.contains("it has 2 lines"), "{said}");
}

#[test]
fn a_dead_letter_is_judged_by_its_own_function_and_says_how_it_goes_on() {
    let letter = |reason: &str, record: &str| {
        let data = format!(r#""data":"{}""#, STANDARD.encode(record));
        dead_letter("null", &data).replacen("user_id_missing", reason, 1)
    };
    for (reason, record, expected) in [
        (
            "user_id_missing",
            r#"{"event_id":"e","event_type":"t"}"#,
            "these bytes are refused for it again: mend",
        ),
        (
            "panicked",
            "{}",
            "`nozzle redrive DEAD-LETTERS --to kinesis:STREAM`",
        ),
        (
            "conflict",
            r#"{"event_id":"e-7"}"#,
            "its id, `e-7` if that is its `event_id`, has other data",
        ),
        (
            "conflict",
            EVENT,
            "if that is its `event_uuid`, has other data",
        ),
        (
            "conflict",
            "{}",
            "its id, which EVENT_ID of the log points at, has other data",
        ),
    ] {
        let explained = explained(&[], &letter(reason, record));
        assert_eq!(explained["verdict"], "refused");
        assert_eq!(explained["reason"], reason);
        assert_eq!(explained["judged_by"], Value::Null);
        let advice = explained["advice"].as_str().expect("advice");
        assert!(advice.contains(expected), "{advice}");
    }
    let text = explain(&[], letter("panicked", "{}").as_bytes()).stdout;
    let text = String::from_utf8(text).expect("text");
    for row in [
        "verdict           refused\n",
        "reason            panicked\n",
        "judged by         event-processor\n",
    ] {
        assert!(text.contains(row), "{text}");
    }
}

#[test]
fn an_error_object_tells_when_its_record_arrived() {
    let object = error_object(EVENT.as_bytes());
    let output = explain(
        &["--prefix", BY_YEAR_AND_ARRIVAL, "--partition-keys", "year"],
        object.as_bytes(),
    );
    let text = String::from_utf8(output.stdout).expect("text");
    let first = "input             an error object (Lambda.ProcessingFailedStatus, arrival 1495072949453); its record:\n";
    assert!(text.starts_with(first), "{text}");
    assert!(text.contains(" lake/2024/2017-05-18/\n"), "{text}");
    let owner = |arguments: &[&str]| {
        let arguments = [&["--record-id", "id"], arguments].concat();
        explained(&arguments, &object)["owner"].to_string()
    };
    assert!(owner(&[]).starts_with("\"1495072949453:"));
    assert!(owner(&["--arrival", "77"]).starts_with("\"77:"));
}

#[test]
fn one_line_of_a_file_can_be_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("events.jsonl");
    std::fs::write(&path, format!("nothing\n{EVENT}\r\n")).expect("a file");
    let path = path.to_str().expect("a path");
    assert_eq!(explained(&[path, "--line", "1"], "")["reason"], "not_json");
    assert_eq!(explained(&[path, "--line", "2"], "")["bytes"], EVENT.len());
    let place = |line: u32| format!("{path}:{line}");
    assert_eq!(explained(&[&place(1)], "")["reason"], "not_json");
    assert_eq!(explained(&[&place(2)], "")["bytes"], EVENT.len());
    check_error(
        &[&place(3)],
        &format!("`{path}`: --line is 3; there are 2 lines"),
    );
    check_error(
        &[path, "--line", "3"],
        &format!("`{path}`: --line is 3; there are 2 lines"),
    );
    check_error(
        &[path, "--line", "0"],
        &format!("`{path}`: --line is 0; lines are counted from 1"),
    );
}

#[test]
fn gzip_is_read_whatever_it_is_called() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    let lines = format!("nothing\n{}\n", error_object(EVENT.as_bytes()));
    packed.write_all(lines.as_bytes()).expect("it is packed");
    let packed = packed.finish().expect("it is packed");
    for name in ["errors.gz", "errors"] {
        let path = folder.path().join(name);
        std::fs::write(&path, &packed).expect("a file");
        let path = path.to_str().expect("a path");
        assert_eq!(explained(&[path, "--line", "2"], "")["bytes"], EVENT.len());
    }
    let output = explain(&["--line", "2"], &packed).stdout;
    let text = String::from_utf8(output).expect("text");
    assert!(text.contains("\nverdict           delivered\n"), "{text}");
}

#[test]
fn a_line_has_to_be_named_where_there_are_many() {
    let sorry = |count: usize| {
        format!(
            "nozzle: standard input: it has {count} lines, and each line is a record: say which one with --line NUMBER\n"
        )
    };
    let object = error_object(EVENT.as_bytes());
    for (input, count) in [
        (format!("{EVENT}\n{EVENT}"), 2),
        (format!("{EVENT}\r\n\r\nnothing\r\n"), 3),
        (format!("nothing\n{object}\n"), 2),
        ("{\"id\":1}\n{\"id\":2}\n".to_owned(), 2),
    ] {
        let output = explain(&[], input.as_bytes());
        assert!(!output.status.success());
        assert_eq!(String::from_utf8_lossy(&output.stderr), sorry(count));
    }
    let output = explain(&[], &[EVENT.as_bytes(), b"\n\xff"].concat());
    assert_eq!(String::from_utf8_lossy(&output.stderr), sorry(2));

    let spread = EVENT.replace(',', ",\n");
    assert_eq!(explained(&[], &spread)["verdict"], "delivered");
    let broken = spread.trim_end_matches('}');
    assert_eq!(explained(&[], broken)["reason"], "not_json");
    for broken in [
        "{\"event_uuid\":\"1\",\n\"items\":[\n{\"x\":1}\n],}",
        "{\n  \"event_name\": \"a\",\n  {\"event_uuid\":\"1\"}\n",
        "not\nof\nJSON\n",
    ] {
        assert_eq!(explained(&[], broken)["reason"], "not_json", "{broken}");
    }
}

#[test]
fn settings_and_the_prefix_are_the_functions() {
    assert_eq!(
        explained(&["--event-years", "2025-2026"], EVENT)["reason"],
        "event_year_out_of_range"
    );
    assert_eq!(
        explained(&["--event-types", "c"], EVENT)["reason"],
        "event_type_not_listed"
    );
    let by_year = ["--prefix", BY_YEAR_AND_ARRIVAL, "--partition-keys", "year"];
    let arguments = [&by_year[..], &["--arrival", "1495072949453"]].concat();
    let path = &explained(&arguments, EVENT)["path"];
    assert_eq!(path, "lake/2024/2017-05-18/");
}

#[test]
fn what_is_wrong_is_said_in_a_sentence() {
    check_error(
        &["no-such-file"],
        "`no-such-file` cannot be read: No such file or directory (os error 2)",
    );
    let object = r#"{"rawData":"?","errorCode":"x"}"#;
    let output = explain(&[], object.as_bytes());
    let expected =
        "nozzle: standard input: it is an error object, but the record in it is not base64\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), expected);
    check_error(
        &["--event-years", "5"],
        "--event-years is \"5\"; it must be a first and a last year within 1970-9999, such as 2020-2030",
    );
    for prefix in ["x/!{partitionKeyFromLambda:hour}/", "x/"] {
        let output = explain(&["--prefix", prefix], EVENT.as_bytes());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            said.starts_with("nozzle: --prefix names the keys "),
            "{said}"
        );
        assert!(said.contains("Firehose wants both the same"), "{said}");
    }
}

#[test]
fn what_firehose_does_not_take_is_refused_as_in_a_run() {
    let event =
        |bytes: usize| EVENT.replacen('{', &format!("{{\"x\":\"{}\",", "x".repeat(bytes)), 1);
    let most = 1_000 * 1_024 - event(0).len();
    assert_eq!(explained(&[], &event(most))["verdict"], "delivered");
    let refused = explained(&[], &event(most + 1));
    assert_eq!(refused["verdict"], "refused");
    assert_eq!(refused["reason"], "record_too_large");
}

#[test]
fn no_text_of_an_event_steers_the_terminal() {
    let event = EVENT.replace("\"event_name\":\"", "\"event_name\":\"a\u{9b}31m\u{202e}:");
    assert_ne!(event, EVENT);
    let output = explain(&[], event.as_bytes());
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.contains("a⟨U+009B⟩31m⟨U+202E⟩"), "{text}");
    assert!(!text.contains(['\u{9b}', '\u{202e}']), "{text}");
}
