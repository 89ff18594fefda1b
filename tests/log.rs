//! `nozzle log` as a person runs it: the built binary, its files, its words and its exit codes.
#![cfg(feature = "tool")]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Output, Stdio},
    thread,
};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use support::{
    folder::files,
    place::{Place, stderr},
};

impl Place {
    fn log(&self, arguments: &[&str]) -> Output {
        self.nozzle("log", arguments).output().unwrap()
    }

    /// Runs to the end, and gives the summary.
    #[track_caller]
    fn summary(&self, arguments: &[&str]) -> Value {
        let output = self.log(&[arguments, &["--summary", "json"]].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    #[track_caller]
    fn items(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.log(arguments);
        assert!(output.status.success(), "{}", stderr(&output));
        let lines = output.stdout.split(|byte| *byte == b'\n');
        lines
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect()
    }

    fn all(&self) -> Vec<Value> {
        self.items(&["tail", "-n", "1000000"])
    }

    #[track_caller]
    fn check_refused(&self, arguments: &[&str], code: i32, expected: &str) {
        let output = self.log(arguments);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
        assert_eq!(output.stdout, b"", "{arguments:?}");
    }
}

fn event(number: usize) -> String {
    let sensor = ["temperature", "humidity", "pressure"][number % 3];
    format!(r#"{{"id":"e{number}","sensor":"{sensor}","value":22.50}}"#)
}

fn events(numbers: std::ops::Range<usize>) -> String {
    numbers.map(|number| event(number) + "\n").collect()
}

fn ids(items: &[Value]) -> Vec<&str> {
    items
        .iter()
        .map(|item| item["eventId"].as_str().unwrap())
        .collect()
}

/// The events of a log, each with the number that its data has.
fn numbers(items: &[Value]) -> BTreeSet<usize> {
    let number = |item: &Value| item["data"]["id"].as_str().unwrap()[1..].parse().unwrap();
    items.iter().map(number).collect()
}

#[test]
fn events_are_sent_and_one_is_looked_up() {
    let place = Place::new();
    let input = place.write("in.jsonl", events(0..10));
    let summary = place.summary(&[&input, "--event-id", "/id", "--search-key", "/sensor"]);
    assert_eq!(
        (&summary["records"], &summary["stored"]),
        (&json!(10), &json!(10))
    );
    assert_eq!(summary["complete"], true);
    assert_eq!(summary["write_units"], 10.0);

    let output = place.log(&["get", "e4"]);
    let line = String::from_utf8(output.stdout).unwrap();
    assert!(
        line.starts_with(r#"{"eventId":"e4","timestamp":"2"#),
        "{line}"
    );
    let data = r#""searchKey":"humidity","data":{"id":"e4","sensor":"humidity","value":22.50}}"#;
    assert!(line.trim_end().ends_with(data), "{line}");

    assert_eq!(
        ids(&place.items(&["search", "humidity"])),
        ["e1", "e4", "e7"]
    );
    assert_eq!(ids(&place.items(&["tail", "-n", "2"])), ["e8", "e9"]);
    let has_none = "no event in `log` has this search key";
    for (arguments, expected) in [
        (&["nobody"][..], format!("{has_none}\n")),
        (
            &["humidity", "--until", "2020-01-01"],
            format!("{has_none} then\n"),
        ),
        (
            &["humidity", "--since", "2100-01-01"],
            format!("{has_none} then\n"),
        ),
    ] {
        place.check_refused(&[&["search"], arguments].concat(), 1, &expected);
    }
    let since = ["search", "humidity", "--since", "2020-01-01T00:00:00Z"];
    assert_eq!(place.items(&since).len(), 3);
}

#[test]
fn a_search_key_is_found_in_every_bucket_and_buckets_stay() {
    let place = Place::new();
    let input = place.write("in.jsonl", events(0..300));
    let search = ["--search-key", "/sensor", "--search-buckets"];
    let arguments = [&[input.as_str(), "--event-id", "/id"], &search[..], &["7"]].concat();
    place.summary(&arguments);
    let found = place.items(&["search", "pressure"]);
    assert_eq!(
        numbers(&found),
        (0..300).filter(|number| number % 3 == 2).collect()
    );
    assert!(found.is_sorted_by_key(|item| item["timestamp"].as_str().unwrap().to_owned()));
    let other = [&[input.as_str()], &search[..], &["8"]].concat();
    place.check_refused(&other, 2, "give --search-buckets 7, or another --log");
}

#[test]
fn a_finished_input_given_again_is_new_records_unless_events_have_ids() {
    let place = Place::new();
    let input = place.write("in.jsonl", events(0..50));
    for stored in [50, 50] {
        assert_eq!(place.summary(&[&input, "--shards", "4"])["stored"], stored);
    }
    let all = place.all();
    assert_eq!(ids(&all).into_iter().collect::<BTreeSet<_>>().len(), 100);
    let shards: BTreeSet<_> = ids(&all).into_iter().map(|id| &id[..20]).collect();
    assert_eq!(shards.len(), 4);

    for (stored, duplicates) in [(50, 0), (0, 50)] {
        let summary = place.summary(&[&input, "--log", "own", "--event-id", "/id"]);
        assert_eq!(
            (&summary["stored"], &summary["duplicates"]),
            (&json!(stored), &json!(duplicates))
        );
    }
}

#[test]
fn records_of_one_partition_key_are_in_one_shard() {
    let place = Place::new();
    let input = place.write("in.jsonl", events(0..60));
    place.summary(&[&input, "--shards", "50", "--partition-key", "/sensor"]);
    let all = place.all();
    let shards: BTreeSet<_> = ids(&all).into_iter().map(|id| &id[..20]).collect();
    assert!(shards.len() <= 3, "{shards:?}");
    let keys: BTreeSet<_> = all
        .iter()
        .map(|item| item["partitionKey"].as_str().unwrap())
        .collect();
    assert_eq!(
        keys,
        BTreeSet::from(["humidity", "pressure", "temperature"])
    );
}

#[test]
fn what_is_no_item_is_kept_beside_the_table_with_its_reason() {
    let place = Place::new();
    let large = format!(r#"{{"id":"large","text":"{}"}}"#, "x".repeat(450_000));
    let lines = format!(
        "{}\nno json\n{large}\n{}\n",
        event(1),
        event(1).replace("22.50", "1")
    );
    let input = place.write("in.jsonl", &lines);
    let asked = [
        "--event-id",
        "/id",
        "--on-unreadable",
        "dead-letter",
        "--dead-letters",
        "set/aside",
    ];
    let summary = place.summary(&[&[input.as_str()], &asked[..]].concat());
    for (name, expected) in [
        ("stored", 2),
        ("dead_letters", 2),
        ("unreadable", 1),
        ("conflicts", 1),
        ("overflow", 1),
    ] {
        assert_eq!(summary[name], expected, "{name}");
    }
    let letters = files(&place.path("log/set/aside"));
    let reasons: BTreeSet<_> = letters
        .iter()
        .map(|file| {
            serde_json::from_slice::<Value>(&fs::read(file).unwrap()).unwrap()["reason"].to_string()
        })
        .collect();
    assert_eq!(
        reasons,
        BTreeSet::from(["\"conflict\"", "\"not_json\""].map(str::to_owned))
    );
    let item = &place.items(&["get", "large"])[0];
    let key = item["dataRef"]["key"].as_str().unwrap();
    assert_eq!(
        fs::read_to_string(place.path("log").join(key)).unwrap(),
        large
    );
}

#[test]
fn a_line_that_no_stream_takes_is_named() {
    let place = Place::new();
    let long = "x".repeat(3 * 1024 * 1024);
    let input = place.write("in.jsonl", format!("{}\n{long}\n{}\n", event(1), event(2)));
    let output = place.log(&[&input, "--summary", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&summary["stored"], &summary["not_taken"]),
        (&json!(2), &json!(1))
    );
    let example = summary["not_taken_example"].as_str().unwrap();
    assert!(
        example.starts_with("in.jsonl:2: the record has 3145728 bytes"),
        "{example}"
    );
    assert!(stderr(&output).contains("longer than a stream takes, and are left out"));
}

#[test]
fn people_read_every_count_with_the_same_digits() {
    let place = Place::new();
    let input = place.write("in.jsonl", events(0..1_200));
    let text = String::from_utf8(place.log(&[&input]).stdout).unwrap();
    for count in ["records       1,200  ", " requests, 1,200 write units\n"] {
        assert!(text.contains(count), "{count} in\n{text}");
    }
}

#[test]
fn folders_gzip_and_standard_input_are_read() {
    let place = Place::new();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(events(0..20).as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    place.write("in/a.jsonl.gz", &gzip);
    place.write("in/b/c.jsonl", events(20..30));
    assert_eq!(place.summary(&["in"])["stored"], 30);
    let mut child = on_pipe(&place, &[]);
    child.stdin.take().unwrap().write_all(&gzip).unwrap();
    assert!(child.wait_with_output().unwrap().status.success());
    assert_eq!(place.all().len(), 50);
}

fn on_pipe(place: &Place, arguments: &[&str]) -> Child {
    place
        .nozzle("log", arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// How often the log was committed.
fn commits(place: &Place) -> u64 {
    let text = fs::read_to_string(place.path("log/.nozzle/table/commits")).unwrap_or_default();
    text.trim().parse().unwrap_or(0)
}

#[track_caller]
fn wait_for_commits(place: &Place, child: &mut Child, more: u64) {
    let start = commits(place);
    while commits(place) < start + more && child.try_wait().unwrap().is_none() {
        thread::yield_now();
    }
}

/// As Ctrl-C does.
fn interrupt(child: &Child) {
    let signal = ["-INT", &child.id().to_string()];
    let status = Command::new("kill").args(signal).status().unwrap();
    assert!(status.success());
}

#[test]
fn an_interrupted_run_goes_on_where_it_was() {
    let place = Place::new();
    let mut child = on_pipe(&place, &[]);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(events(0..100).as_bytes()).unwrap();
    wait_for_commits(&place, &mut child, 1);
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    assert!(stderr(&output).contains("give the same command again"));
    interrupt_while_it_passes_over(&place);

    let input = place.write("in.jsonl", events(0..150));
    let summary = place.summary(&[&input]);
    assert_eq!(
        (&summary["records"], &summary["resumed_records"]),
        (&json!(150), &json!(100))
    );
    let all = place.all();
    assert_eq!((all.len(), numbers(&all)), (150, (0..150).collect()));
}

/// Over what was done before: the pipe has nothing of it yet.
fn interrupt_while_it_passes_over(place: &Place) {
    let mut child = on_pipe(place, &[]);
    let stdin = child.stdin.take().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("skipping the first") {
        line.clear();
        assert_ne!(said.read_line(&mut line).unwrap(), 0, "it has ended");
    }
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    drop(stdin);
}

#[test]
fn a_killed_run_loses_nothing_and_stores_nothing_twice() {
    let place = Place::new();
    let lines = events(0..12_000)
        + "no json\n"
        + &format!("{{\"id\":\"x\",\"a\":{}}}\n", "1".repeat(500_000));
    let input = place.write("in.jsonl", lines);
    let arguments = [
        input.as_str(),
        "--on-unreadable",
        "dead-letter",
        "--shards",
        "3",
    ];
    let mut uncommitted = true;
    // Two a window.
    for after in [0, 2, 0, 2] {
        let mut child = place
            .nozzle("log", &arguments)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        wait_for_commits(&place, &mut child, after);
        child.kill().unwrap();
        child.wait().unwrap();
        uncommitted &= commits(&place) < 6;
    }
    assert!(uncommitted, "no run was killed before its end");
    let summary = place.summary(&arguments);
    assert_eq!(summary["records"], 12_002);
    assert_eq!(
        (&summary["stored"], &summary["dead_letters"]),
        (&json!(12_001), &json!(1))
    );
    assert!(summary["resumed_records"].as_u64().unwrap() > 0);
    let (large, all): (Vec<_>, Vec<_>) = place
        .all()
        .into_iter()
        .partition(|item| item.get("dataRef").is_some());
    assert_eq!((all.len(), numbers(&all)), (12_000, (0..12_000).collect()));
    assert_eq!(large.len(), 1);
    assert_eq!(files(&place.path("log/dead-letters")).len(), 1);
    assert_eq!(files(&place.path("log/overflow")).len(), 1);
}

#[test]
fn dead_letters_of_a_killed_window_are_those_of_the_run_that_goes_on() {
    let place = Place::new();
    let input = place.write("in.jsonl", "no json\n".repeat(4_000));
    let good = place.write("good.jsonl", events(0..10));
    let own = |input, shards| [input, "--on-unreadable=dead-letter", "--shards", shards];
    let arguments = own(input.as_str(), "3");
    let letters = || files(&place.path("log/dead-letters")).len();
    let mut child = place.nozzle("log", &arguments).spawn().unwrap();
    while letters() < 5 {
        assert!(child.try_wait().unwrap().is_none(), "it has ended");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    for other in [own(&good, "3"), own(&input, "8")] {
        let expected = "a run that was killed has left records half done";
        place.check_refused(&other, 2, expected);
    }
    assert_eq!(place.summary(&arguments)["dead_letters"], 4_000);
    assert_eq!(letters(), 4_000);
    assert_eq!(place.summary(&[&good])["stored"], 10);
}

#[test]
fn an_interrupted_run_is_given_up_only_where_that_is_asked_for() {
    let place = Place::new();
    let own = ["--event-id", "/id"];
    let mut child = on_pipe(&place, &own);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(events(0..100).as_bytes()).unwrap();
    wait_for_commits(&place, &mut child, 1);
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    drop(stdin);
    let other = place.write("other.jsonl", events(50..150));
    let same = place.write("same.jsonl", events(0..100));
    let given_up = "another input has taken in 100 records there, and would be given up";
    place.check_refused(&[&[other.as_str()], &own[..]].concat(), 2, given_up);
    place.check_refused(&[&same], 2, given_up);
    let summary = place.summary(&[&[other.as_str(), "--anyway"], &own[..]].concat());
    assert_eq!(
        (&summary["resumed_records"], &summary["duplicates"]),
        (&json!(0), &json!(50))
    );
    assert_eq!(numbers(&place.all()), (0..150).collect());
}

#[test]
fn what_is_asked_for_in_each_event_and_in_none_of_them_is_said() {
    let place = Place::new();
    let input = place.write("in.jsonl", events(0..10));
    for (asked, missing, lacking) in [
        (["--event-id", "/x"], "id_missing", "what --event-id names"),
        (
            ["--search-key", "/y"],
            "search_key_missing",
            "what --search-key names",
        ),
    ] {
        let output = place.log(&[&[input.as_str(), "--json"], &asked[..]].concat());
        let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            (&summary["stored"], &summary[missing]),
            (&json!(10), &json!(10))
        );
        let expected = format!("no event has {lacking}; the first has id, sensor, value");
        assert!(stderr(&output).contains(&expected), "{}", stderr(&output));
    }
    let mixed = place.write("mixed.jsonl", events(20..22) + "{\"other\":1}\n");
    let output = place.log(&[&mixed, "--event-id", "/id"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("no id") && said.contains("have nothing at --event-id"),
        "{said}"
    );
    assert_eq!(output.stderr, b"");
}

#[test]
fn json_over_several_lines_is_named_before_each_of_its_lines_is_taken() {
    let place = Place::new();
    let event = json!({"event_id": "1", "more": {"a": [1, 2]}});
    let pretty = serde_json::to_string_pretty(&event).unwrap();
    let pretty = place.write("pretty.json", pretty);
    let array = place.write("array.json", format!("[\n{event},\n{event}\n]\n"));
    place.check_refused(&[&pretty], 2, "`pretty.json` is JSON over several lines");
    place.check_refused(
        &[&array],
        2,
        "`array.json` is a JSON array, but each line must be",
    );
    let summary = place.summary(&[&array, "--anyway"]);
    assert_eq!(summary["records"], 4);
}

#[test]
fn what_can_be_no_key_and_no_span_is_not_looked_up() {
    let place = Place::new();
    let input = place.write("in.jsonl", events(0..1));
    place.summary(&[&input]);
    let long = "x".repeat(70_000);
    for (arguments, expected) in [
        (
            &["get", &long][..],
            "it has 70000 bytes; a key has 1 to 2048",
        ),
        (
            &["search", &long],
            "it has 70000 bytes; a key has 1 to 2048",
        ),
        (&["search", ""], "it has 0 bytes; a key has 1 to 2048"),
        (&["search", "x", "--since", "2026"], "\"2026\" is no time"),
        (
            &[
                "search",
                "x",
                "--since",
                "2026-11-20",
                "--until",
                "2026-11-19",
            ],
            "is not before --until 2026-11-19T00:00:00.000Z",
        ),
    ] {
        place.check_refused(arguments, 2, expected);
    }
}

#[test]
fn what_arrived_at_once_is_in_the_order_of_its_ids() {
    let place = Place::new();
    let lines = ["z", "y", "x", "w", "v"].map(|id| format!("{{\"id\":\"{id}\"}}\n"));
    let input = place.write("in.jsonl", lines.concat());
    place.summary(&[&input, "--event-id", "/id"]);
    let items = place.items(&["tail", "-n", "5"]);
    let times = items.iter().map(|item| item["timestamp"].as_str().unwrap());
    let places: Vec<_> = times.zip(ids(&items)).collect();
    assert_eq!(places.len(), lines.len());
    assert!(places.is_sorted(), "{places:?}");
    // A millisecond may end among them, but not after each.
    let at_once = places.chunk_by(|one, next| one.0 == next.0);
    assert!(at_once.count() < lines.len(), "{places:?}");
    place.summary(&[&input, "--log", "records"]);
    let last = place.items(&["tail", "-n", "2", "--log", "records"]);
    let last: Vec<_> = last.iter().map(|item| &item["data"]["id"]).collect();
    assert_eq!(last, ["w", "v"]);
}

#[test]
fn an_item_says_when_it_expires() {
    let place = Place::new();
    let input = place.write("in.jsonl", events(0..3));
    place.summary(&[&input, "--event-id", "/id", "--log-ttl-hours", "1"]);
    let item = &place.items(&["get", "e1"])[0];
    assert!(item["ttl"].as_u64().unwrap() > 1_700_000_000);
}

#[test]
fn what_cannot_be_done_is_said_in_a_sentence() {
    let place = Place::new();
    let input = place.write("in.jsonl", events(0..1));
    let option = |name: &str, value: &str, expected: &str| {
        place.check_refused(&[&input, name, value], 2, expected);
    };
    option(
        "--event-id",
        "id",
        "--event-id is \"id\"; it must be `record` or a JSON pointer",
    );
    option(
        "--search-key",
        "id",
        "--search-key is \"id\"; it must be a JSON pointer",
    );
    place.check_refused(
        &[&input, "--event-id", "/id", "--on-conflict", "x"],
        2,
        "--on-conflict is \"x\"; it must be `keep-first` or `keep-both`",
    );
    option("--on-conflict", "keep-both", "--event-id <WHICH>");
    option("--search-buckets", "7", "--search-key <POINTER>");
    option(
        "--dead-letters",
        "../x",
        "must be the name of a folder within the log's",
    );
    option(
        "--dead-letters",
        ".nozzle",
        "must be the name of a folder within the log's",
    );
    place.check_refused(
        &[&input, "--shards", "0"],
        2,
        "a whole number from 1 to 1000",
    );
    place.check_refused(
        &[&input, "--partition-key", "x"],
        2,
        "a JSON pointer, such as",
    );
    place.check_refused(
        &["gone.jsonl"],
        2,
        "there is no file or folder `gone.jsonl`",
    );
    place.check_refused(&[&input, "--log", &input], 2, "is a file, not a folder");
    assert!(!place.path("log").exists());
    place.check_refused(
        &["tail"],
        2,
        "there is no event log in `log`; `nozzle log INPUT --log log` makes one",
    );
    place.summary(&[&input]);
    place.check_refused(&["get", "nobody"], 1, "no event in `log` has this id");
    place.check_refused(
        &["search", "x"],
        2,
        "give --search-key POINTER when events are put in",
    );
    place.check_refused(
        &["search", "x", "--since", "now"],
        2,
        "\"now\" is no time; write 2026-11-20",
    );
    let mut child = on_pipe(&place, &[]);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(events(0..1).as_bytes()).unwrap();
    wait_for_commits(&place, &mut child, 1);
    place.check_refused(
        &["tail"],
        2,
        "is in use by another process: wait until it has ended",
    );
    drop(stdin);
    assert!(child.wait().unwrap().success());
}
