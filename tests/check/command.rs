//! The command line: what it is told, what it says, and what it leaves behind.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use super::{COSTLY, check, found, nozzle, probe_of, said, with};

#[test]
fn what_rests_on_a_failed_probe_is_skipped_and_the_failed_one_told() {
    let command = "python3 function.py loses-one";
    let report = check(command, &["--only", "retry"], &["several"], &[]);
    assert_eq!(with(&report, "skip"), ["retry"]);
    assert_eq!(found(&report, "retry"), "it rests on `delivered`");
}

#[test]
fn a_function_that_takes_no_event_of_the_sample_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let sample = folder.path().join("events.jsonl");
    fs::write(&sample, "{\"other\":1}\n\nnot json\n").unwrap();
    let sample = sample.to_str().unwrap();
    let report = check(
        "python3 function.py",
        &["--sample", sample],
        &["delivered"],
        &[],
    );
    let told = found(&report, "delivered");
    assert!(
        told.starts_with("none of the sample's events: 0 are Dropped"),
        "{told}"
    );
    fs::write(
        folder.path().join("events.jsonl"),
        "{\"other\":1}\n{\"event_name\":\"a\",\"created_at\":1}\n",
    )
    .unwrap();
    let more = ["--sample", sample, "--only", "delivered", "--only", "retry"];
    let report = check("python3 function.py", &more, &[], &["delivered"]);
    assert_eq!(
        found(&report, "delivered"),
        "not delivered: 1 of 2 events of the sample, number 1 the first"
    );
}

#[test]
fn one_source_can_be_enough() {
    let more = [&["--source", "kinesis"][..], &COSTLY].concat();
    let report = check("python3 function.py forgets-kafka", &more, &[], &[]);
    assert_eq!(with(&report, "skip"), ["direct-put", "msk"]);
    let more = [&["--source", "msk"][..], &COSTLY].concat();
    check(
        "python3 function.py forgets-kafka",
        &more,
        &["delivered"],
        &[],
    );
}

#[test]
fn partition_keys_are_those_that_the_prefix_names() {
    let only = ["--only", "partition-keys", "--partition-keys"];
    let keys = |keys| [&only[..], &[keys]].concat();
    check("python3 function.py", &keys("type,day"), &[], &[]);
    let report = check(
        "python3 function.py",
        &keys("type"),
        &["partition-keys"],
        &[],
    );
    assert_eq!(
        found(&report, "partition-keys"),
        "`day` is one too many: record 1, record 2, record 3 and 7 more"
    );
    let others = keys("type,nope");
    let report = check("python3 function.py", &others, &["partition-keys"], &[]);
    assert_eq!(
        found(&report, "partition-keys"),
        "`nope` is missing, `day` is one too many: record 1, record 2, record 3 and 7 more"
    );
    for (fault, expected) in [
        ("keys-not-texts", "`day` is not a text: record 1, "),
        ("keys-empty", "`day` is empty: record 1, "),
        ("keys-missing", "`day` is missing: record 3, "),
    ] {
        let command = format!("python3 function.py {fault}");
        let report = check(&command, &keys("type,day"), &["partition-keys"], &[]);
        let told = found(&report, "partition-keys");
        assert!(told.starts_with(expected), "{told}");
    }
    check("node function.mjs", &keys("type"), &["partition-keys"], &[]);
}

#[test]
fn an_invocation_may_not_take_longer_than_is_said() {
    // Long enough for Python to start where much else is going on.
    let more = ["--timeout", "5", "--only", "empty-batch"];
    let report = check(
        "python3 function.py hangs-on-empty-batch",
        &more,
        &[],
        &["empty-batch"],
    );
    assert_eq!(
        found(&report, "empty-batch"),
        "the batch fails: no answer within 5 seconds"
    );
}

#[test]
fn a_function_may_not_start_longer_than_is_said() {
    let never = "the function cannot start: it did not ask for an invocation within 1 seconds";
    check_refused(&["--command", "exec sleep 100", "--timeout", "1"], 2, never);
}

#[test]
fn what_a_function_writes_is_shown_where_it_fails_or_where_all_of_it_is_asked_for() {
    let command = "echo starting; exec python3 function.py";
    let chatty = format!("{command} naive-deduplication");
    let only = ["--only", "retry"];
    let report = check(&chatty, &only, &["retry"], &[]);
    let output = &probe_of(&report, "retry")["output"];
    assert_eq!(*output, json!(["dropped one", "and more"]));
    let arguments = [&["--command", &*chatty][..], &only].concat();
    let text = String::from_utf8(nozzle(&arguments).output().unwrap().stdout).unwrap();
    assert!(text.contains("  output    dropped one\n"), "{text}");
    assert!(!text.contains("  output    starting"), "{text}");
    let shown = [&arguments[..], &["--show-output"]].concat();
    let output = nozzle(&shown).output().unwrap();
    assert!(said(&output).starts_with("starting\n"), "{}", said(&output));
    assert!(said(&output).contains("dropped one\r"), "{}", said(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("dropped one"), "{text}");
}

#[track_caller]
fn check_refused(arguments: &[&str], code: i32, expected: &str) {
    let output = nozzle(arguments).output().unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    assert!(said.contains(expected), "{arguments:?}: {said}");
    assert_eq!(output.stdout, b"", "{arguments:?}");
}

#[test]
fn what_cannot_be_probed_is_said_in_a_sentence() {
    let refused = "nozzle: nothing answers at http://127.0.0.1:1/f: Connection refused";
    check_refused(&["--url", "http://127.0.0.1:1/f"], 2, refused);
    check_refused(
        &["--url", "https://aws/f"],
        2,
        "nozzle: --url: `https://aws/f` is not an http address",
    );
    let died = "the process ended before it asked for an invocation (exit status: 3)\noh dear\n";
    check_refused(&["--command", "echo oh dear >&2; exit 3"], 2, died);
    check_refused(
        &["--command", "echo No module named awslambdaric >&2; exit 1"],
        2,
        "The Python that runs it has no runtime for Lambda: pip install awslambdaric",
    );
    check_refused(
        &["--command", "true", "--junit", "no-such-folder/check.xml"],
        2,
        "--junit `no-such-folder/check.xml` cannot be written: No such file",
    );
    check_refused(
        &["--command", "true", "--sample", "none"],
        2,
        "--sample none cannot be read",
    );
    check_refused(&[], 2, "--url <INVOKE_URL>|--command <COMMAND>|--list");
    check_refused(
        &["--url", "http://a/b", "--command", "true"],
        2,
        "cannot be used with",
    );
    check_refused(
        &["--command", "true", "--only", "all"],
        2,
        "invalid value 'all'",
    );
    let none = "nozzle: no probe is left: --skip leaves out all that are asked for";
    let only = ["--command", "true", "--only", "one", "--only", "msk"];
    let skip = ["--skip", "msk", "--skip", "one"];
    check_refused(&[&only[..], &skip].concat(), 2, none);
    check_refused(
        &["--command", "true", "--timeout", "301"],
        2,
        "it must be a whole number from 1 to 300",
    );
}

/// A command that notes a process which it starts and leaves behind.
fn leaving_behind(note: &Path, fault: &str) -> String {
    let note = note.display();
    format!("sleep 1000 & echo $! > {note}; exec python3 function.py {fault}")
}

#[track_caller]
fn check_gone(note: &Path) {
    let process = fs::read_to_string(note).unwrap();
    let mut ps = Command::new("ps");
    let ps = ps.args(["-o", "stat=", "-p", process.trim()]).output();
    let state = String::from_utf8(ps.unwrap().stdout).unwrap();
    assert!(state.is_empty() || state.starts_with('Z'), "{state}");
}

#[test]
fn what_a_command_has_started_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let note = folder.path().join("process");
    check(&leaving_behind(&note, "none"), &["--only", "one"], &[], &[]);
    check_gone(&note);
}

#[test]
fn an_interrupted_check_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let note = folder.path().join("process");
    let command = leaving_behind(&note, "hangs-on-empty-batch");
    let mut checking = nozzle(&["--command", &command]);
    let mut checking = checking.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let output = checking.stdout.as_mut().unwrap();
    BufReader::new(output).read_line(&mut line).unwrap();
    assert!(line.starts_with("pass    one "), "{line}");
    let mut kill = Command::new("kill");
    let killed = kill.args(["-INT", &checking.id().to_string()]).status();
    assert!(killed.unwrap().success());
    assert_eq!(checking.wait().unwrap().code(), Some(130));
    check_gone(&note);
}

#[test]
fn people_read_what_was_found_why_it_matters_and_what_firehose_does() {
    let arguments = [
        "--command",
        "python3 function.py naive-deduplication",
        "--only",
        "retry",
    ];
    let output = nozzle(&arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(
        lines[0],
        "FAIL    retry             the same batch again, as a new invocation, delivers what it delivered"
    );
    for row in [
        "                          found     Ok at first, then Dropped: record 1, record 2, record 3 and 17",
        "                          Firehose  takes the record for dealt with: it is gone, and nothing tells",
        "0 passed, 0 warnings, 1 failed, 0 skipped: python3 function.py naive-deduplication",
        "failed:  retry",
    ] {
        assert!(lines.contains(&row), "{row} in\n{text}");
    }
    assert!(
        lines.iter().all(|line| line.chars().count() <= 100),
        "{text}"
    );
}

/// Read by Python's XML reader, as CI systems read it.
#[test]
fn a_ci_system_reads_each_probe_as_a_test() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("check.xml");
    let command = "true '\u{1b} <b>'; exec python3 function.py naive-deduplication";
    let probes = ["one", "line-end", "retry", "msk"].map(|name| ["--only", name]);
    let output = nozzle(&["--command", command, "--source", "kinesis", "--junit"])
        .arg(&file)
        .args(probes.concat())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let read = "import sys, xml.etree.ElementTree as tree\n\
                for suite in tree.parse(sys.argv[1]).getroot():\n \
                print(*(suite.get(name) for name in ['tests', 'failures', 'errors', 'skipped']))\n \
                for test in suite: print(test.get('name') if float(test.get('time')) < 600 else '', *(one.tag + ' ' + one.get('message') for one in test))";
    let read = Command::new("python3")
        .args(["-c", read])
        .arg(&file)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&read.stdout).into_owned();
    let expected = [
        "4 1 0 1",
        "one",
        "line-end",
        "msk skipped --source is kinesis",
        "retry failure Ok at first, then Dropped: record 1, record 2, record 3 and 17 more",
    ];
    let mut told: Vec<_> = told.lines().collect();
    told.sort_unstable();
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(told, expected, "{}", said(&read));
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("true '⟨U+001B⟩ &lt;b&gt;'; exec"), "{text}");
    assert!(
        text.contains("\nFirehose takes the record for dealt with"),
        "{text}"
    );
}

#[test]
fn one_warning_is_counted_as_one() {
    let arguments = [
        "--command",
        "python3 function.py no-line-end",
        "--only",
        "line-end",
    ];
    let output = nozzle(&arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let counts = "0 passed, 1 warning, 0 failed, 0 skipped: ";
    assert!(text.contains(counts), "{text}");
}

#[test]
fn people_read_in_one_line_why_a_probe_is_skipped() {
    let command = "python3 function.py not-base64";
    let mut checking = nozzle(&["--command", command, "--only", "retry"]);
    let text = String::from_utf8(checking.output().unwrap().stdout).unwrap();
    let skipped = "skip    retry             it rests on `delivered`";
    assert!(text.lines().any(|line| line == skipped), "{text}");
}

#[test]
fn every_probe_is_listed_with_what_it_expects_and_why() {
    let output = nozzle(&["--list", "--json"]).output().unwrap();
    let probes: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(probes.len(), 28);
    let people = nozzle(&["--list"]).output().unwrap();
    let people = String::from_utf8(people.stdout).unwrap();
    for probe in &probes {
        let name = probe["name"].as_str().unwrap();
        assert!(people.lines().any(|line| line == name), "{name}");
        for part in ["expects", "why", "firehose"] {
            assert_ne!(probe[part], json!(""), "{name} {part}");
        }
    }
}
