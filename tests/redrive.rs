//! `nozzle redrive` as a person gives it: error objects in a folder, into a lake of this machine.

#![cfg(feature = "tool")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::SystemTime,
};

use nozzle::{
    dedup::{Claim, ClaimStore, NEVER, Owner, Terms, embedded::EmbeddedStore},
    local::journal::Journal,
};
use serde_json::{Value, json};
use support::{
    error_objects::{
        Kind, Night, captured, count_events, delivered, event, gzip, identity, nanoseconds,
    },
    folder::{contents, files},
    place::{Place, stderr},
};
use tokio::time::Instant;

/// 2026-02-03T00:00:00Z
const NIGHT: i64 = 1_770_076_800_000;

impl Place {
    fn with_errors() -> Self {
        let place = Self::new();
        fs::create_dir(place.path("errors")).unwrap();
        place
    }

    /// With a night's error objects, and its claims in the lake.
    fn after(night: &Night) -> Self {
        let place = Self::with_errors();
        night.write(&place.path("errors"));
        place.claim(&night.claims());
        place
    }

    fn claim(&self, claims: &[(usize, Owner)]) {
        let folder = self.path("lake/.nozzle/claims");
        fs::create_dir_all(&folder).unwrap();
        let store = EmbeddedStore::open(&folder).unwrap();
        let identities: Vec<_> = claims.iter().map(|(number, _)| identity(*number)).collect();
        let claims: Vec<_> = claims
            .iter()
            .zip(&identities)
            .map(|((number, owner), identity)| Claim {
                identity,
                led_by: Some(nanoseconds(*number)),
                owner: *owner,
            })
            .collect();
        let terms = Terms {
            now_seconds: 0,
            ttl_seconds: NEVER,
            deadline: Instant::now(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(store.claim(&claims, terms));
        let journal = Journal::new(&store, &folder, &self.path("lake"));
        journal.commit::<()>(&[], 0, None).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.nozzle("redrive", arguments)
    }

    fn redrive(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What a person is shown.
    fn shown(&self, arguments: &[&str]) -> String {
        String::from_utf8(self.redrive(arguments).stdout).unwrap()
    }

    /// From `errors` to `lake`; its summary and exit code.
    #[track_caller]
    fn summary(&self, arguments: &[&str]) -> (Value, i32) {
        let all = [&["errors"], TO_LAKE, arguments].concat();
        let output = self.redrive(&all);
        let summary = serde_json::from_slice(&output.stdout);
        let summary = summary.unwrap_or_else(|_| panic!("{}", stderr(&output)));
        (summary, output.status.code().unwrap())
    }

    #[track_caller]
    fn check_refused(&self, arguments: &[&str], code: i32, expected: &str) {
        let output = self.redrive(arguments);
        let said = stderr(&output);
        assert!(said.contains(expected), "{arguments:?}: {said}");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    }

    /// How often each event is in the lake.
    fn delivered(&self) -> BTreeMap<String, usize> {
        let texts = files(&self.path("lake/events"));
        let texts: Vec<_> = texts.iter().map(|file| fs::read(file).unwrap()).collect();
        let lines = texts
            .iter()
            .flat_map(|text| text.split(|byte| *byte == b'\n'));
        count_events(lines.filter(|line| !line.is_empty()))
    }
}

const TO_LAKE: &[&str] = &["--to", "lake:lake", "--json"];

fn each_once(events: &BTreeSet<String>) -> BTreeMap<String, usize> {
    events.iter().map(|event| (event.clone(), 1)).collect()
}

#[track_caller]
fn check(summary: &Value, expected: &Value) {
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&summary[name], value, "{name} of {summary}");
    }
}

#[test]
fn a_dry_run_tells_what_would_be_and_changes_nothing() {
    let night = Night {
        events: 1_200,
        begins: NIGHT,
    };
    let place = Place::with_errors();
    night.write(&place.path("errors"));
    let before = contents(place.folder());
    let (summary, code) = place.summary(&[]);
    assert_eq!(code, 0);
    check(
        &summary,
        &json!({"dry_run": true, "records": 1_200, "sent": 1_000, "refused": 200, "held_back": 0,
                "unknown": 0, "released": 0, "not_error_objects": 0}),
    );
    assert_eq!(summary["codes"]["Lambda.FunctionError"]["records"], 600);
    assert_eq!(
        summary["codes"]["DataFormatConversion.MalformedData"]["records"],
        100
    );
    assert_eq!(summary["reasons"]["accepted"]["records"], 1_000);
    let refused = &summary["reasons"]["not_json"];
    assert_eq!(refused["records"], 200);
    assert_eq!(refused["first"], NIGHT);
    assert_eq!(refused["last"], NIGHT + 11);
    let example = "errors/processing-failed/day=00/stream-1-000:4";
    assert_eq!(refused["example"], example);
    assert_eq!(contents(place.folder()), before);

    let shown = place.shown(&["errors", "--to", "lake:lake"]);
    let rows = [
        "reason                             records  arrived (UTC)     would be",
        "accepted: FunctionError                600  2026-02-03 00:00  sent",
        "accepted: ProcessingFailedStatus       200  2026-02-03 00:00  sent",
        "accepted: MalformedData                100  2026-02-03 00:00  sent",
        "accepted: activePartitionExceeded      100  2026-02-03 00:00  sent",
        "not_json                               200  2026-02-03 00:00  refused again",
        "still open: 1,200 of 1,200 records are neither delivered nor sent",
        "refusals are by the fields event_uuid,event_name,created_at",
    ];
    for row in rows {
        assert!(shown.lines().any(|line| line == row), "{row}: {shown}");
    }
    assert!(
        shown.contains("nothing was changed; --execute sends 1,000 ("),
        "{shown}"
    );
    assert!(shown.lines().all(|line| line.len() <= 80), "{shown}");
    assert!(!shown.contains("errors/"), "{shown}");
    let shown = place.shown(&["errors", "--to", "lake:lake", "--places"]);
    let first = |cause: &str| shown.lines().skip_while(|line| *line != cause).nth(1);
    let place_of_it = first("not_json").map(str::trim_start);
    assert_eq!(place_of_it, Some(example), "{shown}");
    assert!(first("accepted: Lambda.FunctionError").is_some(), "{shown}");
}

/// Of each file and folder when it was changed last.
fn changes(folder: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let mut changes = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        changes.insert(
            path.clone(),
            fs::metadata(&path).unwrap().modified().unwrap(),
        );
        if path.is_dir() {
            changes.extend(self::changes(&path));
        }
    }
    changes
}

#[test]
fn a_dry_run_writes_nothing_where_there_are_claims_and_an_earlier_redrive() {
    let night = Night {
        events: 600,
        begins: NIGHT,
    };
    let place = Place::after(&night);
    place.summary(&["--execute", "--limit", "100"]);
    let before = (contents(place.folder()), changes(place.folder()));
    // Whoever could write the claims would want them alone.
    let reader = File::open(place.path("lake/.nozzle/claims/commits")).unwrap();
    reader.try_lock_shared().unwrap();
    let (summary, _) = place.summary(&[]);
    drop(reader);
    let expected = json!({"sent": 300, "held_back": 200, "refused": 100, "open": 400});
    check(&summary, &expected);
    let after = (contents(place.folder()), changes(place.folder()));
    assert!(before == after);
}

#[test]
fn without_a_target_it_says_why_a_dry_run_needs_one() {
    let place = Place::with_errors();
    for arguments in [&["errors"][..], &["errors", "--execute"]] {
        place.check_refused(
            arguments,
            2,
            "a dry run has to know it too. Give --to lake:DIR",
        );
    }
}

#[test]
fn nobody_looks_at_claims_while_they_are_written() {
    let place = Place::with_errors();
    place.claim(&[(0, Owner::of("id", Some(NIGHT), b""))]);
    let store = EmbeddedStore::open(&place.path("lake/.nozzle/claims")).unwrap();
    place.check_refused(
        &["errors", "--to", "lake:lake"],
        2,
        "in use by another process",
    );
    drop(store);
    assert!(
        place
            .redrive(&["errors", "--to", "lake:lake"])
            .status
            .success()
    );
}

#[test]
fn whoever_sends_nothing_or_gives_events_is_told_so() {
    let place = Place::with_errors();
    place.write("errors/object", captured("Lambda.X", NIGHT, b"x"));
    let shown = place.shown(&["errors", "--to", "lake:lake", "--execute"]);
    assert!(shown.ends_with("\nnothing was sent\n"), "{shown}");
    assert!(!place.path("redriven").exists());
    let shown = place.shown(&["errors", "--to", "lake:lake"]);
    assert!(
        shown.ends_with("and --execute would send nothing\n"),
        "{shown}"
    );
    place.write("in.jsonl", event(0) + "\n" + &event(1) + "\n");
    let shown = place.shown(&["in.jsonl", "--to", "lake:lake"]);
    assert!(shown.ends_with("\n  nozzle run in.jsonl\n"), "{shown}");
    let shown = place.shown(&["in.jsonl", "--to", "lake:my lake"]);
    assert!(
        shown.ends_with("\n  nozzle run in.jsonl --lake 'my lake'\n"),
        "{shown}"
    );
    place.write("mine/events/one", delivered(0) + "\n");
    let shown = place.shown(&["mine/events", "--to", "lake:mine"]);
    assert!(shown.starts_with("These are delivered events"), "{shown}");
    assert!(!shown.contains("nozzle run"), "{shown}");
}

#[test]
fn one_event_is_redriven_alone() {
    let place = Place::with_errors();
    let objects = (0..4).map(|number| captured("Lambda.X", NIGHT, event(number).as_bytes()));
    let cut = captured("Lambda.X", NIGHT, br#"{"event_uuid":"e2","cut"#);
    place.write("errors/object", objects.collect::<String>() + &cut);
    let (summary, _) = place.summary(&["--uuid", "e2"]);
    check(&summary, &json!({"sent": 1, "refused": 1, "excluded": 3}));
    let (summary, code) = place.summary(&["--uuid", "e3", "--execute"]);
    check(&summary, &json!({"sent": 1, "excluded": 4}));
    assert_eq!(code, 0);
    assert_eq!(place.delivered(), BTreeMap::from([("e3".to_owned(), 1)]));
}

#[test]
fn a_night_is_redriven_once_and_nothing_that_was_delivered_is_doubled() {
    let night = Night {
        events: 2_400,
        begins: NIGHT,
    };
    let place = Place::after(&night);
    let (dry, _) = place.summary(&[]);
    let (summary, code) = place.summary(&["--execute"]);
    assert_eq!(code, 1, "refused records are left");
    let expected = json!({
        "records": 2_400,
        "sent": 1_600,
        "held_back": night.of_kind(Kind::CopyDelivered),
        "refused": night.of_kind(Kind::Refused),
        "released": night.of_kind(Kind::Died) + night.of_kind(Kind::FailedLater),
        "unknown": 0, "failed": 0, "copies": 0, "excluded": 0, "complete": true,
    });
    check(&summary, &expected);
    for name in ["sent", "held_back", "refused", "released"] {
        assert_eq!(dry[name], summary[name], "{name}");
    }
    assert_eq!(place.delivered(), each_once(&night.undelivered()));
    assert_eq!(files(&place.path("lake/errors")), Vec::<PathBuf>::new());

    let (again, _) = place.summary(&["--execute"]);
    check(
        &again,
        &json!({"sent": 0, "held_back": 2_000, "redriven_before": 1_600}),
    );
    assert_eq!(place.delivered(), each_once(&night.undelivered()));
}

/// Numbers that are the same in each round of a test.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % bound
    }
}

/// Redrives until so many bytes more lie in the lake and in the journal, or it has ended; then kills.
fn redrive_until_killed(place: &Place, bytes: u64) {
    let arguments = [&["errors"], TO_LAKE, &["--execute", "--flush-mb", "1"]].concat();
    let mut child = place
        .command(&arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let written = || -> u64 {
        ["lake", "redriven"]
            .iter()
            .flat_map(|folder| files(&place.path(folder)))
            .filter_map(|file| fs::metadata(file).ok())
            .map(|metadata| metadata.len())
            .sum()
    };
    let start = written();
    while written() < start + bytes && child.try_wait().unwrap().is_none() {
        thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_killed_redrive_loses_nothing_and_doubles_nothing() {
    let night = Night {
        events: 9_000,
        begins: NIGHT,
    };
    let mut seeded = Seeded(11);
    let place = Place::after(&night);
    for _ in 0..8 {
        redrive_until_killed(&place, seeded.below(3_000_000));
        assert!(place.delivered().values().all(|times| *times == 1));
    }
    let (summary, code) = place.summary(&["--execute", "--flush-mb", "1"]);
    assert_eq!(code, 1, "refused records are left");
    check(
        &summary,
        &json!({"records": 9_000, "refused": 1_500, "unknown": 0, "failed": 0}),
    );
    assert_eq!(place.delivered(), each_once(&night.undelivered()));
    let left = files(&place.path("redriven"));
    let is_journal = |file: &&PathBuf| file.extension().is_some_and(|name| name == "journal");
    assert_eq!(left.iter().find(is_journal), None);
}

#[test]
fn a_run_takes_what_was_redriven_for_duplicates() {
    let place = Place::with_errors();
    place.write(
        "errors/object",
        captured("Lambda.FunctionError", NIGHT, event(0).as_bytes()),
    );
    let (summary, code) = place.summary(&["--execute"]);
    assert_eq!((summary["sent"].as_u64(), code), (Some(1), 0));
    place.write("in.jsonl", event(0) + "\n" + &event(1) + "\n");
    let run = Command::new(env!("CARGO_BIN_EXE_nozzle"))
        .current_dir(place.folder())
        .args(["run", "in.jsonl", "--summary", "json"])
        .output()
        .unwrap();
    let summary: Value = serde_json::from_slice(&run.stdout).unwrap();
    check(&summary, &json!({"delivered": 1, "duplicates": 1}));
}

#[test]
fn lines_that_are_no_error_objects_are_named_and_the_others_sent() {
    let place = Place::with_errors();
    let object = |number| captured("Lambda.FunctionError", NIGHT, event(number).as_bytes());
    let cut = object(1).replace("\"}\n", "");
    place.write(
        "errors/a",
        format!("{}hello\n\n{{}}\n{}", object(0), object(2)),
    );
    place.write("errors/b", cut);
    let whole = gzip(
        &[object(3), object(4), event(0).repeat(500)]
            .concat()
            .into_bytes(),
    );
    place.write("errors/c.gz", &whole[..whole.len() - 20]);
    place.write("errors/.hidden", "hello\n");
    symlink("nowhere", place.path("errors/d")).unwrap();
    let (_, code) = place.summary(&[]);
    assert_eq!(code, 1);
    let (summary, code) = place.summary(&["--execute", "--export", "left"]);
    assert_eq!(code, 1);
    check(&summary, &json!({"sent": 4, "not_error_objects": 4}));
    let lines = &summary["not_error_object_lines"];
    assert_eq!(lines["it is no JSON object"], json!(["errors/a:2"]));
    assert_eq!(lines["it is empty"], json!(["errors/a:3"]));
    assert_eq!(lines["it has no rawData"], json!(["errors/a:4"]));
    assert_eq!(lines["it breaks off"], json!(["errors/b:1"]));
    for (index, expected) in [
        "errors/c.gz cannot be read beyond line 2",
        "errors/d cannot be read: `errors/d` cannot be opened",
    ]
    .iter()
    .enumerate()
    {
        let unreadable = summary["unreadable"][index].as_str().unwrap();
        assert!(unreadable.starts_with(expected), "{unreadable}");
    }
    let named = fs::read_to_string(place.path("left/not-error-objects.txt")).unwrap();
    assert_eq!(named.lines().count(), 4, "{named}");
    assert_eq!(place.delivered().len(), 4);
}

#[test]
fn what_was_repaired_goes_back_in_with_the_same_command() {
    let place = Place::with_errors();
    let broken = event(0).replace("\"created_at\"", "\"created\"");
    let text = event(1).replace("\"note\"", "note");
    let object = |record: &str| captured("Lambda.ProcessingFailedStatus", NIGHT, record.as_bytes());
    place.write(
        "errors/object",
        object(&broken) + &object(&text) + &object(&event(2)),
    );
    let (summary, code) = place.summary(&["--execute", "--export", "repair"]);
    check(&summary, &json!({"sent": 1, "refused": 2}));
    assert_eq!(code, 1);
    let exported = fs::read_to_string(place.path("repair/to-repair.jsonl")).unwrap();
    let [first, second] = exported.lines().collect::<Vec<_>>()[..] else {
        panic!("{exported}");
    };
    assert!(first.contains(&format!("\"event\":{broken}")), "{first}");
    assert!(first.contains("created_at_missing"), "{first}");
    assert!(
        first.contains("\"position\":\"errors/object:1\""),
        "{first}"
    );
    assert!(
        second.contains("\"reason\":\"not_json\"") && second.contains("\"text\":"),
        "{second}"
    );

    let to_lake = [&["repair"], TO_LAKE, &["--execute"]].concat();
    let unrepaired: Value = serde_json::from_slice(&place.redrive(&to_lake).stdout).unwrap();
    check(&unrepaired, &json!({"sent": 0, "refused": 2}));
    let repaired = exported
        .replace("\"created\"", "\"created_at\"")
        .replace(",note:", ",\\\"note\\\":");
    place.write("repair/to-repair.jsonl", repaired);
    let output = place.redrive(&to_lake);
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    check(&summary, &json!({"sent": 2, "refused": 0}));
    assert!(output.status.success(), "{}", stderr(&output));
    let delivered = ["e0", "e1", "e2"].map(|uuid| (uuid.to_owned(), 1));
    assert_eq!(place.delivered(), BTreeMap::from(delivered));

    let (summary, code) = place.summary(&["--execute", "--all"]);
    let expected =
        json!({"sent": 0, "held_back": 1, "mended": 2, "refused": 0, "open": 0, "left": false});
    check(&summary, &expected);
    assert_eq!(code, 0, "what was mended is not left");
    let shown = place.shown(&["errors", "--to", "lake:lake"]);
    assert!(shown.contains("still open: 0 of 3 records"), "{shown}");
    fs::remove_dir_all(place.path("redriven")).unwrap();
    let (summary, code) = place.summary(&[]);
    check(&summary, &json!({"mended": 0, "refused": 2, "open": 2}));
    assert_eq!(code, 0);
}

#[test]
fn an_export_names_its_file_and_the_next_command() {
    let place = Place::with_errors();
    place.write("errors/object", captured("Lambda.X", NIGHT, b"x"));
    let shown = place.shown(&["errors", "--to", "lake:lake", "--export", "to mend"]);
    let expected = "to be mended in to mend/to-repair.jsonl: 1; then, with the same settings:\n  \
                    nozzle redrive 'to mend/to-repair.jsonl' --to lake:lake --execute\n";
    assert!(shown.ends_with(expected), "{shown}");
    assert!(
        shown.contains("dry run: nothing was sent, and --execute"),
        "{shown}"
    );
    let shown = place.shown(&[
        "errors",
        "--to",
        "lake:lake",
        "--reason",
        "accepted",
        "--export",
        "none",
    ]);
    assert!(!shown.contains("to be mended"), "{shown}");
    let whole =
        "still open: 0 of 0 records are neither delivered nor sent; the options leave out 1 more\n";
    assert!(shown.contains(whole), "{shown}");
}

#[test]
fn what_is_mended_is_sent_though_its_original_is_gone() {
    let place = Place::with_errors();
    place.write("errors/object", captured("Lambda.X", NIGHT, b"x"));
    place.summary(&["--export", "repair"]);
    let exported = fs::read_to_string(place.path("repair/to-repair.jsonl")).unwrap();
    let mended = exported.replace(r#""text":"x""#, &format!(r#""event":{}"#, event(0)));
    place.write("repair/to-repair.jsonl", mended);
    fs::remove_dir_all(place.path("errors")).unwrap();
    let output = place.redrive(&[&["repair"], TO_LAKE, &["--execute"]].concat());
    assert!(output.status.success());
    let said = stderr(&output);
    assert!(
        said.contains("what was mended is sent, but goes on being shown as open in"),
        "{said}"
    );
    assert_eq!(place.delivered(), BTreeMap::from([("e0".to_owned(), 1)]));
}

#[test]
fn what_is_mended_without_its_mark_is_sent_and_its_original_said_to_stay_open() {
    for (mark, is_said) in [("mark", false), ("marked", true)] {
        let place = Place::with_errors();
        place.write("errors/object", captured("Lambda.X", NIGHT, b"x"));
        place.summary(&["--export", "repair"]);
        let exported = fs::read_to_string(place.path("repair/to-repair.jsonl")).unwrap();
        let mended = exported
            .replace(r#""text":"x""#, &format!(r#""event":{}"#, event(0)))
            .replace(r#""mark""#, &format!(r#""{mark}""#));
        place.write("repair/to-repair.jsonl", mended);
        let output = place.redrive(&[&["repair"], TO_LAKE, &["--execute"]].concat());
        let said = stderr(&output);
        let expected = "without their `source` and `mark`: 1; what they were made of goes on";
        assert_eq!(said.contains(expected), is_said, "{said}");
        let (summary, _) = place.summary(&[]);
        check(&summary, &json!({"open": u64::from(is_said)}));
        assert_eq!(place.delivered(), BTreeMap::from([("e0".to_owned(), 1)]));
    }
}

#[test]
fn what_was_repaired_into_an_event_that_was_delivered_is_held_back() {
    let place = Place::with_errors();
    place.write(
        "errors/object",
        captured("Lambda.FunctionError", NIGHT, event(0).as_bytes()),
    );
    place.summary(&["--execute"]);
    let line = json!({"reason": "not_json", "code": "Lambda.ProcessingFailedStatus", "arrivalTimestamp": NIGHT,
                      "position": "x:1", "event": serde_json::from_str::<Value>(&event(0)).unwrap()});
    place.write("errors/object", format!("{line}\n"));
    let (summary, code) = place.summary(&["--execute"]);
    check(&summary, &json!({"sent": 0, "held_back": 1}));
    assert_eq!(code, 0);
}

#[test]
fn filters_select_by_reason_code_and_arrival() {
    let night = Night {
        events: 1_200,
        begins: NIGHT,
    };
    let place = Place::with_errors();
    night.write(&place.path("errors"));
    for (arguments, sent, refused, excluded) in [
        (&["--reason", "not_json"][..], 0, 200, 1_000),
        (&["--reason", "not_json", "--all"], 200, 0, 1_000),
        (&["--reason", "accepted,not_json"], 1_000, 200, 0),
        (&["--code", "activePartitionExceeded"], 100, 0, 1_100),
        (&["--since", "2026-02-03T00:00:00.006Z"], 500, 100, 600),
        (&["--until", "2026-02-03T00:00:00.006Z"], 500, 100, 600),
        (&["--until", "2026-02-03"], 0, 0, 1_200),
        (
            &["--since", "2026-02-03", "--until", "2026-02-04"],
            1_000,
            200,
            0,
        ),
    ] {
        let (summary, _) = place.summary(arguments);
        let expected = json!({"sent": sent, "refused": refused, "excluded": excluded});
        check(&summary, &expected);
    }
}

#[test]
fn a_limited_redrive_goes_on_behind_its_limit() {
    let night = Night {
        events: 600,
        begins: NIGHT,
    };
    let place = Place::after(&night);
    for (sent, sent_before, beyond) in [(150, 0, 250), (150, 150, 100), (100, 300, 0)] {
        let (summary, code) = place.summary(&["--execute", "--limit", "150"]);
        let expected = json!({"sent": sent, "sent_before": sent_before, "beyond_limit": beyond});
        check(&summary, &expected);
        assert_eq!(code, 1);
        // A narrower one in between ends nothing.
        place.summary(&["--execute", "--uuid", "nothere"]);
    }
    assert_eq!(place.delivered(), each_once(&night.undelivered()));
}

#[test]
fn what_was_refused_again_before_an_interruption_is_left_after_it() {
    let place = Place::with_errors();
    let objects = [
        captured("Lambda.X", NIGHT, b"no event"),
        captured("Lambda.FunctionError", NIGHT, event(0).as_bytes()),
    ];
    place.write("errors/object", objects.concat());
    let (summary, _) = place.summary(&["--execute", "--all", "--limit", "1"]);
    check(
        &summary,
        &json!({"sent": 1, "refused_again": 1, "beyond_limit": 1, "open": 2}),
    );
    let (summary, code) = place.summary(&["--execute", "--all"]);
    let expected =
        json!({"sent": 1, "sent_before": 1, "refused_again": 1, "open": 1, "left": true});
    check(&summary, &expected);
    assert_eq!(code, 1);
    assert_eq!(place.delivered(), BTreeMap::from([("e0".to_owned(), 1)]));
}

#[test]
fn what_would_be_refused_again_is_sent_only_when_asked_and_not_a_fourth_time() {
    let place = Place::new();
    let object = captured("Lambda.ProcessingFailedStatus", NIGHT, b"no event");
    place.write("lake/errors/object", object.repeat(2));
    let redrive = |arguments: &[&str]| {
        let output = place.redrive(&[&["lake/errors"], TO_LAKE, arguments].concat());
        let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
        (summary, output.status.code())
    };
    for round in 0..3 {
        let (summary, code) = redrive(&["--execute", "--all"]);
        let expected = json!({
            "sent": 1, "refused_again": 1, "open": 1, "left": true, "too_often": 0,
            "copies": u64::from(round == 0), "sent_earlier": if round == 0 { 0 } else { round + 1 },
        });
        check(&summary, &expected);
        assert_eq!(code, Some(1));
        let (summary, code) = redrive(&[]);
        check(
            &summary,
            &json!({"records": round + 3, "sent_earlier": round + 2, "refused": 1, "open": 1}),
        );
        assert_eq!(code, Some(0));
    }
    let (summary, code) = redrive(&["--execute", "--all"]);
    check(&summary, &json!({"sent": 0, "too_often": 1, "open": 1}));
    assert_eq!(code, Some(1));
    let (summary, _) = redrive(&["--execute", "--all", "--again"]);
    check(&summary, &json!({"sent": 4, "copies": 1}));
    let errors = contents(&place.path("lake/errors"));
    let lines = errors
        .values()
        .map(|text| text.split(|byte| *byte == b'\n').count() - 1);
    assert_eq!(lines.sum::<usize>(), 9);
}

#[test]
fn what_a_lake_refuses_again_is_said_and_stands_in_its_new_error_object_alone() {
    let place = Place::new();
    let object = captured("Lambda.X", NIGHT, br#"{"event_uuid":"g9",}"#);
    place.write("lake/errors/object", object);
    let command = ["lake/errors", "--to", "lake:lake", "--all", "--execute"];
    let shown = place.shown(&command);
    for expected in [
        "sent, refused ",
        "still open: 1 of 1 records are not delivered, 1 of them sent and refused again",
    ] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    let shown = place.shown(&["lake/errors", "--to", "lake:lake"]);
    assert!(shown.contains("still open: 1 of 2 records"), "{shown}");
}

#[test]
fn one_that_failed_later_goes_out_as_it_was_delivered_and_comes_in_as_it_was() {
    let place = Place::with_errors();
    let arrived = Owner::of("id", Some(NIGHT), event(0).as_bytes());
    place.claim(&[(0, arrived)]);
    let line = delivered(0);
    place.write(
        "errors/object",
        captured("activePartitionExceeded", NIGHT, line.as_bytes()),
    );
    let (summary, code) = place.summary(&["--execute"]);
    check(&summary, &json!({"sent": 1, "released": 1}));
    assert_eq!(code, 0);
    let texts = contents(&place.path("lake/events"));
    let text = String::from_utf8(texts.values().next().unwrap().clone()).unwrap();
    assert_eq!(text.matches("event_subtype").count(), 1, "{text}");
    assert_eq!(place.delivered(), BTreeMap::from([("e0".to_owned(), 1)]));
}

#[test]
fn what_a_lake_forgets_is_unknown_once_it_is_older() {
    let place = Place::with_errors();
    place.write(
        "errors/object",
        captured("Lambda.FunctionError", NIGHT, event(0).as_bytes()),
    );
    let (summary, code) = place.summary(&["--execute", "--ttl-hours", "1"]);
    check(&summary, &json!({"sent": 0, "unknown": 1}));
    assert_eq!(code, 1);
    let (summary, code) = place.summary(&["--execute", "--ttl-hours", "1", "--assume-undelivered"]);
    check(&summary, &json!({"sent": 1, "unknown": 0}));
    assert_eq!(code, 0);
}

#[test]
fn only_earlier_redrives_of_this_source_are_shown_under_their_heading() {
    let place = Place::new();
    for (folder, number) in [("mine/errors", 0), ("other/errors", 1)] {
        let object = captured("Lambda.FunctionError", NIGHT, event(number).as_bytes());
        place.write(&format!("{folder}/object"), object);
    }
    let command = |source| [source, "--to", "lake:lake", "--execute"];
    place.redrive(&command("other"));
    let shown = place.shown(&["mine/errors", "--to", "lake:lake"]);
    assert!(!shown.contains("sent 1 to lake:"), "{shown}");
    let shown = place.shown(&["other/errors", "--to", "lake:lake"]);
    let (_, runs) = shown.split_once("\nearlier redrives\n").unwrap();
    assert!(runs.contains("sent 1 to lake:"), "{shown}");
}

#[test]
fn what_an_earlier_redrive_has_sent_is_not_said_to_be_of_another_record() {
    let place = Place::with_errors();
    let object = captured("Lambda.FunctionError", NIGHT, event(0).as_bytes());
    place.write("errors/object", object);
    place.summary(&["--execute"]);
    let shown = place.shown(&["errors", "--to", "lake:lake"]);
    assert!(shown.contains("by a redrive, the last begun 20"), "{shown}");
    assert!(!shown.contains("held back"), "{shown}");
    let (summary, _) = place.summary(&[]);
    check(
        &summary,
        &json!({"held_back": 1, "sent_earlier": 1, "open": 0}),
    );
}

const LETTER: &str = r#"{"version":1,"reason":"user_id_missing","record_id":"shardId-000000000006:4959","stream":"arn","shard":"shardId-000000000006","sequence":"4959","sub":null,"arrival":null,"function":"event-processor","data":"e30="}"#;

#[test]
fn a_command_that_makes_no_sense_says_what_does() {
    let place = Place::with_errors();
    place.write("errors/object", captured("Lambda.X", NIGHT, b"x"));
    place.write("letters/one.json", LETTER);
    for (arguments, code, expected) in [
        (&["errors"][..], 2, "--to"),
        (
            &["letters", "--to", "lake:lake"],
            2,
            "is a dead letter: it goes back to its stream, --to kinesis:NAME\n",
        ),
        (
            &["errors", "--to", "lake"],
            2,
            "stream:NAME, kinesis:NAME or lake:DIR",
        ),
        (
            &["nowhere", "--to", "lake:lake"],
            2,
            "there is no file or folder `nowhere`",
        ),
        (
            &["errors", "--to", "lake:lake", "--reason", "odd"],
            2,
            "event_uuid_missing",
        ),
        (
            &["errors", "--to", "lake:lake", "--since", "odd"],
            2,
            "2026-11-20",
        ),
        (
            &["errors", "--to", "lake:errors/object"],
            2,
            "is a file, not a folder",
        ),
        (
            &[
                "errors",
                "--to",
                "lake:mine",
                "--execute",
                "--journal",
                "/dev/null",
            ],
            2,
            "`/dev/null` cannot be used: it is no file",
        ),
        (
            &["errors", "--to", "lake:lake", "--table", "t"],
            2,
            "--claims",
        ),
        (
            &["errors", "--to", "lake:lake", "--export", "errors/x"],
            2,
            "beside it",
        ),
        (&["errors", "--to", "lake:lake", "--rate", "0"], 2, "--rate"),
    ] {
        place.check_refused(arguments, code, expected);
    }
    assert!(!place.path("lake").exists());
}

#[cfg(not(feature = "aws"))]
#[test]
fn a_tool_without_aws_says_how_to_build_one() {
    let place = Place::with_errors();
    for arguments in [
        ["s3://lake/errors", "--to", "lake:lake"],
        ["errors", "--to", "stream:events"],
        ["errors", "--to", "kinesis:events"],
    ] {
        place.check_refused(&arguments, 2, "--features aws");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_redrive_ends_after_its_batch_and_goes_on() {
    let night = Night {
        events: 900,
        begins: NIGHT,
    };
    let place = Place::after(&night);
    let arguments = [&["errors"], TO_LAKE, &["--execute", "--rate", "50"]].concat();
    let child = place
        .command(&arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while files(&place.path("lake/.nozzle/open")).is_empty() {
        thread::yield_now();
    }
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(killed.unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("the same command goes on from there"),
        "{}",
        stderr(&output)
    );
    let interrupted: Value = serde_json::from_slice(&output.stdout).unwrap();
    let sent = interrupted["sent"].as_u64().unwrap();
    assert!((1..600).contains(&sent), "{sent}");
    let (summary, _) = place.summary(&["--execute"]);
    check(&summary, &json!({"sent": 600 - sent, "sent_before": sent}));
    assert_eq!(place.delivered(), each_once(&night.undelivered()));
}
