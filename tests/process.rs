//! `nozzle process` as a person runs it: the built binary, its files, its words and its exit codes.

#![cfg(feature = "tool")]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::{
    ffi::OsStr,
    fs,
    io::{Read, Write},
    path::Path,
    process::{Output, Stdio},
    thread,
    time::Duration,
};

use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};
use serde_json::{Value, json};
use support::{
    folder::files,
    place::{Place, stderr},
};

impl Place {
    fn process(&self, arguments: &[&str]) -> Output {
        self.nozzle("process", arguments).output().unwrap()
    }

    /// Runs to the end, and gives the summary.
    #[track_caller]
    fn summary(&self, arguments: &[&str]) -> Value {
        let output = self.process(&[arguments, &["--summary", "json"]].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    #[track_caller]
    fn check_refused(&self, arguments: &[&str], expected: &str) {
        let output = self.process(arguments);
        let said = stderr(&output);
        assert!(!output.status.success(), "{arguments:?}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }

    /// Every archived line, in order.
    fn archived(&self, folder: &str) -> Vec<Value> {
        let mut lines = Vec::new();
        for path in files(&self.path(folder).join("archive")) {
            let mut text = String::new();
            let mut decoder = MultiGzDecoder::new(fs::File::open(path).unwrap());
            decoder.read_to_string(&mut text).unwrap();
            lines.extend(text.lines().map(|line| serde_json::from_str(line).unwrap()));
        }
        lines.sort_by_key(|line: &Value| line["event_id"].as_str().map(str::to_owned));
        lines
    }

    #[track_caller]
    fn counters(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.process(&[&["counters"], arguments, &["--json"]].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        let lines = str::from_utf8(&output.stdout).unwrap().lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// Users 0 to `users`, of whom every second is in variant B, and every fifth buys.
fn events(users: usize) -> String {
    let mut lines = String::new();
    for user in 0..users {
        let variant = ["A", "B"][user % 2];
        let mut add = |event_type: &str| {
            let event = json!({
                "event_id": format!("{user:06}-{event_type}"),
                "event_type": event_type,
                "user_id": format!("user-{user}"),
                "experiment_id": "checkout",
                "timestamp": format!("2024-12-19T{:02}:30:00Z", user % 24),
                "metadata": {"variant": variant},
            });
            lines.push_str(&event.to_string());
            lines.push('\n');
        };
        add("view");
        add("view2");
        if user % 5 == 0 {
            add("purchase");
        }
    }
    lines
}

#[test]
fn a_conversion_that_no_event_has_and_assignments_without_variants_are_remarked() {
    let place = Place::new();
    place.write("in.jsonl", events(10));
    let assignment = |variant: &str| {
        json!({"user_id": "user-1", "experiment_id": "checkout", variant: "A"}).to_string()
    };
    place.write("named.jsonl", assignment("variant"));
    place.write("other.jsonl", assignment("group"));
    for (into, arguments, expected) in [
        (
            "a",
            ["--conversion", "shop.order.payed"],
            "no event that is counted has the type `shop.order.payed` of --conversion, so its rate \
             says nothing; there are purchase, view, view2\n",
        ),
        ("b", ["--conversion", "purchase"], ""),
        (
            "c",
            ["--assignments", "other.jsonl"],
            "no line of `other.jsonl` has a `variant`, so no event gets a variant from it",
        ),
        ("d", ["--assignments", "named.jsonl"], ""),
    ] {
        let output = place.process(&[&["in.jsonl", "--into", into][..], &arguments].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        let said = stderr(&output);
        assert_eq!(
            said.is_empty(),
            expected.is_empty(),
            "{arguments:?}: {said}"
        );
        let said = said.replace("\n        ", " ");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}

#[test]
fn events_are_counted_archived_and_told() {
    let place = Place::new();
    place.write("in.jsonl", events(40) + "not json\n{\"event_id\":1}\n");
    let summary = place.summary(&["in.jsonl", "--into", "out", "--conversion", "purchase"]);
    assert_eq!(summary["records"], 90);
    assert_eq!(summary["archived"], 88);
    assert_eq!(summary["dead_letters"], 2);
    assert_eq!(
        summary["refused"],
        json!({"not_json": 1, "event_id_wrong_type": 1})
    );
    assert_eq!(summary["complete"], true);
    let [a, b] = [&summary["variants"][0], &summary["variants"][1]];
    assert_eq!((&a["variant"], &b["variant"]), (&json!("A"), &json!("B")));
    assert_eq!((&a["events"], &a["users"]), (&json!(44), &json!(20)));
    assert_eq!(
        a["event_types"],
        json!({
            "view": {"events": 20, "users": 20},
            "view2": {"events": 20, "users": 20},
            "purchase": {"events": 4, "users": 4},
        })
    );
    assert_eq!(a["conversion"]["rate"], 0.2);
    let low = a["conversion"]["low"].as_f64().unwrap();
    assert!((low - 0.0807).abs() < 0.001, "{low}");
    assert_eq!(place.archived("out").len(), 88);
    assert_eq!(files(&place.path("out/dead-letters")).len(), 2);
}

#[test]
fn a_person_reads_a_table() {
    let place = Place::new();
    place.write("in.jsonl", events(40));
    let output = place.process(&["in.jsonl", "--into", "out", "--conversion", "purchase"]);
    let said = String::from_utf8(output.stdout).unwrap();
    let words: Vec<_> = said.split_whitespace().collect();
    let said = words.join(" ");
    for part in [
        "records 88 in ",
        "archived 88 dead letters 0",
        "experiment checkout A all 44 20 20.0 % (8.1 to 41.6 %) purchase 4 4 view 20 20",
    ] {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
}

#[test]
fn what_a_producer_writes_steers_no_terminal() {
    let place = Place::new();
    let event = json!({
        "event_id": "e", "user_id": "u", "timestamp": "2024-12-19T22:30:00Z",
        "event_type": "view\u{202e}", "experiment_id": "\u{202e}x",
        "metadata": {"variant": "\u{1b}]0;t\u{7}"},
    });
    place.write("in.jsonl", event.to_string());
    let process = ["in.jsonl", "--into", "out", "--windows", "hour"];
    for (subcommand, arguments) in [
        ("process", &process[..]),
        ("process", &["counters", "out"]),
        ("recount", &["out", "--windows", "hour,day"]),
    ] {
        let output = place.nozzle(subcommand, arguments).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        for shown in ["⟨U+202E⟩x", "⟨U+001B⟩]0;t⟨U+0007⟩", "view⟨U+202E⟩"] {
            assert!(said.contains(shown), "{arguments:?}: {said:?}");
        }
        assert!(!said.contains(['\u{202e}', '\u{7}', '\u{1b}']), "{said:?}");
    }
}

#[test]
fn users_are_counted_as_is_asked_for() {
    let place = Place::new();
    place.write("in.jsonl", events(400));
    for (how, users) in [("exact", 200..=200), ("sketch", 190..=210), ("off", 0..=0)] {
        let summary = place.summary(&["in.jsonl", "--into", how, "--unique-users", how]);
        let found = summary["variants"][0]["users"].as_u64().unwrap();
        assert!(users.contains(&found), "{how}: {found}");
    }
}

#[test]
fn copies_are_dropped_where_that_is_asked_for_and_new_records_else() {
    let place = Place::new();
    place.write("in.jsonl", events(10));
    for (run, kept) in [(0, 22), (1, 44)] {
        let summary = place.summary(&["in.jsonl", "--into", "kept"]);
        assert_eq!(summary["archived"], 22);
        assert_eq!(place.archived("kept").len(), kept, "run {run}");
        let summary = place.summary(&["in.jsonl", "--into", "dropped", "--drop-copies"]);
        assert_eq!(summary["duplicates"], run * 22);
        assert_eq!(place.archived("dropped").len(), 22);
    }
}

#[test]
fn what_counts_twice_is_said_before_it_does() {
    let place = Place::new();
    place.write("in.jsonl", events(10));
    place.write("more.jsonl", events(20));
    let remark = |arguments: &[&str]| stderr(&place.process(arguments)).contains("--drop-copies");
    let kept = ["in.jsonl", "--into", "kept"];
    assert!(!remark(&kept));
    assert!(remark(&kept));
    assert!(!remark(&["more.jsonl", "--into", "kept"]));
    assert!(!remark(&["in.jsonl", "--into", "other"]));
    let dropped = ["in.jsonl", "--into", "dropped", "--drop-copies"];
    assert!(!remark(&dropped) && !remark(&dropped));
}

#[test]
fn files_stand_for_the_tables() {
    let place = Place::new();
    let event = |id: &str| {
        format!(
            r#"{{"event_id":"{id}","event_type":"view","user_id":"{id}","experiment_id":"x","timestamp":60}}"#
        ) + "\n"
    };
    place.write("in.jsonl", event("u1") + &event("u2"));
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    let assignment = r#"{"user_id":"u1","experiment_id":"x","id":"a","group":"B","at":0}"#;
    gzip.write_all(assignment.as_bytes()).unwrap();
    place.write("assignments.jsonl.gz", gzip.finish().unwrap());
    place.write("experiments.jsonl", r#"{"key":"x","name":"Experiment X"}"#);
    let files = [
        "in.jsonl",
        "--into=out",
        "--assignments=assignments.jsonl.gz",
        "--experiments=experiments.jsonl",
    ];
    let summary = place.summary(&[&files[..], &["--assignment-fields=id,group,at"]].concat());
    assert_eq!(summary["uncounted"], 1);
    assert_eq!(summary["assignments_missing"], 1);
    assert_eq!(summary["variants"][0]["variant"], "B");
    let archived = place.archived("out");
    assert_eq!(archived[0]["variant"], "B");
    assert_eq!(archived[0]["time_since_assignment_seconds"], 60);
    assert_eq!(archived[1]["experiment_name"], "Experiment X");
    place.check_refused(
        &[&files[..], &["--assignment-fields=id,groop,at"]].concat(),
        "`assignments.jsonl.gz` cannot be used: no line has \"groop\", text or number",
    );
    place.write("experiments.jsonl", r#"{"id":"x"}"#);
    place.check_refused(
        &files,
        "`experiments.jsonl` cannot be used: line 1 has no text \"key\"",
    );
}

#[test]
fn counters_are_looked_at_one_by_one() {
    let place = Place::new();
    place.write("in.jsonl", events(48));
    place.summary(&["in.jsonl", "--into", "out"]);
    let days = place.counters(&["out"]);
    assert_eq!(days.len(), 6);
    assert_eq!(
        days[0],
        json!({"experiment": "checkout", "variant": "A", "event_type": "purchase",
            "span": "day", "window": "2024-12-19", "events": 5, "users": 5})
    );
    let hours = |more: &[&str]| place.counters(&[&["out", "--window", "hour"], more].concat());
    let views: Vec<_> = hours(&["--variant", "B"]);
    assert!(views.iter().all(|counter| counter["variant"] == "B"));
    let night = hours(&[
        "--since",
        "2024-12-19T22:30:00Z",
        "--until",
        "2024-12-19T23:00:00Z",
    ]);
    let windows: Vec<_> = night.iter().map(|counter| &counter["window"]).collect();
    assert!(
        windows.iter().all(|window| *window == "2024-12-19-22"),
        "{windows:?}"
    );
    assert_eq!(
        night
            .iter()
            .filter(|counter| counter["event_type"] == "view")
            .count(),
        1
    );
    assert_eq!(hours(&["--experiment", "other"]), Vec::<Value>::new());
    place.check_refused(
        &["counters", "nowhere"],
        "there are no counters in `nowhere`",
    );
    place.check_refused(&["counters"], "there are no counters in `counted`");
    place.summary(&["in.jsonl"]);
    assert_eq!(place.counters(&[]), days);
    assert!(recount(&place, &[]).1);
}

#[test]
fn what_was_killed_goes_on_and_holds_each_event_once() {
    let place = Place::new();
    let users = 15_000;
    place.write("in.jsonl", events(users));
    place.write("other.jsonl", events(1));
    let arguments = ["in.jsonl", "--into", "out", "--shards", "3"];
    for _ in 0..3 {
        let objects = files(&place.path("out/archive")).len();
        let mut child = place.nozzle("process", &arguments).spawn().unwrap();
        // It is killed among the objects of a window.
        while files(&place.path("out/archive")).len() < objects + 5 {
            assert!(
                child.try_wait().unwrap().is_none(),
                "it ended before it was killed"
            );
            thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        place.check_refused(
            &["other.jsonl", "--into", "out"],
            "a run that was killed has left records half done",
        );
        place.check_refused(
            &["in.jsonl", "--into", "out", "--shards", "2"],
            "a run that was killed has left records half done",
        );
    }
    let summary = place.summary(&arguments);
    let expected = users * 2 + users / 5;
    let archived = place.archived("out");
    assert_eq!(archived.len(), expected);
    assert!(
        archived
            .windows(2)
            .all(|pair| pair[0]["event_id"] != pair[1]["event_id"])
    );
    let variants = summary["variants"].as_array().unwrap().iter();
    let counted = variants.map(|variant| variant["events"].as_u64().unwrap());
    assert_eq!(counted.sum::<u64>(), expected as u64);
}

#[test]
fn a_window_that_was_cut_early_and_killed_comes_again_as_it_was() {
    let place = Place::new();
    let lines = events(4_000);
    place.write("in.jsonl", &lines);
    let end = lines.match_indices('\n').nth(3_999).unwrap().0 + 1;
    let mut child = place.nozzle("process", &["--into", "out"]);
    let mut child = child.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&lines.as_bytes()[..end]).unwrap();
    // Nothing more comes, so the window ends there; it is killed among its objects.
    while files(&place.path("out/archive")).len() < 5 {
        thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let summary = place.summary(&["in.jsonl", "--into", "out"]);
    assert_eq!(summary["records"], 8_800);
    assert_eq!(place.archived("out").len(), 8_800);
}

/// What is hidden is left out, as a shell's `*` leaves it out.
fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let relative = file.strip_prefix(from).unwrap();
        let is_hidden = |part: &OsStr| part.as_encoded_bytes().starts_with(b".");
        if !relative.iter().any(is_hidden) {
            let copied = to.join(relative);
            fs::create_dir_all(copied.parent().unwrap()).unwrap();
            fs::copy(&file, copied).unwrap();
        }
    }
}

#[test]
fn a_copy_of_a_folder_goes_on_and_an_archive_without_its_table_is_not_written_over() {
    let place = Place::new();
    place.write("in.jsonl", events(10));
    place.summary(&["in.jsonl", "--into", "out"]);
    copy(&place.path("out"), &place.path("copy"));
    let summary = place.summary(&["in.jsonl", "--into", "copy"]);
    assert_eq!(
        (&summary["archived"], &summary["done_before"]),
        (&json!(22), &json!(0))
    );
    assert_eq!(place.archived("copy").len(), 44);
    fs::remove_dir_all(place.path("copy/table")).unwrap();
    place.check_refused(
        &["in.jsonl", "--into", "copy"],
        "holds events, and the table beside it does not know them",
    );
    assert_eq!(place.archived("copy").len(), 44);
}

#[test]
fn a_table_that_was_half_made_is_made_anew_and_a_damaged_one_is_said_to_be() {
    let place = Place::new();
    place.write("in.jsonl", events(10));
    place.write("out/table/commits", "");
    place.write("out/table/new/0.jnl", "");
    assert_eq!(
        place.summary(&["in.jsonl", "--into", "out"])["archived"],
        22
    );
    place.write("out/table/commits", "00000000000000999999\n");
    let expected = "/out/table is damaged (of 999999 commits, the last ";
    place.check_refused(&["in.jsonl", "--into", "out"], expected);
    place.check_refused(&["counters", "out"], "out/table is damaged (");
}

#[test]
fn events_of_other_names_are_told_which_are_needed() {
    let place = Place::new();
    place.write(
        "in.jsonl",
        "{\"id\":\"secret\",\"type\":\"a\"}\n{\"event_id\":\"1\"}\n",
    );
    let said = stderr(&place.process(&["in.jsonl"]));
    assert_eq!(
        said,
        "nozzle: 2 of 2 records lack event_id or event_type, and by other names nothing is counted; \
         the first line has id, type\n"
    );
    place.write("in.jsonl", events(5) + "{\"event_id\":\"1\"}\n");
    assert_eq!(stderr(&place.process(&["in.jsonl", "--into", "more"])), "");
}

#[test]
fn wrong_values_are_named() {
    let place = Place::new();
    place.write("in.jsonl", events(1));
    place.check_refused(
        &["in.jsonl", "--windows", "minute"],
        "--windows is \"minute\"; it must be `hour`, `day` or `hour,day`",
    );
    place.check_refused(
        &["in.jsonl", "--into", "in.jsonl"],
        "is a file, not a folder",
    );
    place.check_refused(&["nothing.jsonl"], "nothing.jsonl");
    assert!(!place.path("counted").exists());
}

/// What `nozzle recount` says, and whether it succeeds.
fn recount(place: &Place, arguments: &[&str]) -> (Value, bool) {
    let arguments = [arguments, &["--json"]].concat();
    let output = place.nozzle("recount", &arguments).output().unwrap();
    let found = serde_json::from_slice(&output.stdout);
    let found = found.unwrap_or_else(|_| panic!("{}", stderr(&output)));
    (found, output.status.success())
}

#[test]
fn counters_are_compared_with_the_archive_and_set_right() {
    let place = Place::new();
    place.write("in.jsonl", events(48));
    place.summary(&[
        "in.jsonl",
        "--into",
        "out",
        "--counter-slots",
        "2",
        "--shards",
        "3",
    ]);
    let (found, agrees) = recount(&place, &["out"]);
    assert!(agrees, "{found}");
    assert_eq!(
        (&found["differs"], &found["lines_unread"]),
        (&json!(0), &json!(0))
    );
    let all = found["agree"].as_u64().unwrap();

    // Events that are archived and were not counted, as where an assignment came late.
    let line = place.archived("out").remove(0).to_string() + "\n";
    let name = "out/archive/year=2024/month=12/day=19/hour=00/ffff-0-0-0.jsonl.gz";
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(line.repeat(3).as_bytes()).unwrap();
    let object = gzip.finish().unwrap();
    place.write(name, &object);
    let (found, _) = recount(&place, &["out", "--execute"]);
    assert_eq!(
        found["under_way"], 2,
        "no ledger says that this is done: {found}"
    );

    fs::remove_file(place.path(name)).unwrap();
    let own = files(&place.path("out/archive/year=2024/month=12/day=19/hour=00"));
    let own = own.first().unwrap().display().to_string();
    let mut bytes = fs::read(&own).unwrap();
    bytes.extend(&object);
    fs::write(&own, bytes).unwrap();
    let (found, agrees) = recount(&place, &["out"]);
    assert!(!agrees);
    assert_eq!(found["differs"], 2);
    let hour = &found["counters"][0];
    assert_eq!(hour["fate"], "differs");
    let [counter, archive] = ["counter", "archive"].map(|name| hour[name].as_u64().unwrap());
    assert_eq!(archive, counter + 3);

    let (found, _) = recount(&place, &["out", "--execute", "--settle", "8760"]);
    assert_eq!(
        (&found["set_right"], agrees_after(&place, all)),
        (&json!(2), true)
    );
}

#[test]
fn counters_that_are_lost_are_missed() {
    let place = Place::new();
    place.write("in.jsonl", events(48));
    place.write("none.jsonl", "");
    let into = |input, folder| place.summary(&[input, "--into", folder, "--windows", "hour"]);
    into("in.jsonl", "out");
    into("none.jsonl", "lost");
    let all = place.counters(&["out"]).len();
    let (found, agrees) = recount(&place, &["out"]);
    assert!(agrees && found["agree"] == all, "{found}");
    // There should be days too, and an hour's ledger says that its events are counted.
    let (found, agrees) = recount(&place, &["out", "--windows", "day,hour"]);
    assert!(!agrees && found["agree"] == all, "{found}");
    assert_ne!(found["differs"], 0, "{found}");
    let (found, agrees) = recount(&place, &["out", "--windows", "day", "--execute"]);
    assert!(agrees && found["agree"] == 0, "{found}");
    assert_eq!(place.counters(&["out"])[0]["window"], "2024-12-19");
    assert!(recount(&place, &["out"]).1);

    let (found, agrees) = recount(&place, &["lost", "--archive", "out/archive"]);
    assert!(!agrees && found["agree"] == 0, "{found}");
    let lost = ["lost", "--archive", "out/archive"];
    let said = stderr(&place.nozzle("recount", &lost).output().unwrap());
    assert!(said.contains("the table has no counter at all"), "{said}");
}

#[test]
fn a_counter_is_not_set_to_what_a_damaged_archive_says() {
    #[track_caller]
    fn check(damaged: &[u8], unread: [usize; 2]) {
        let place = Place::new();
        place.write("in.jsonl", events(48));
        place.summary(&["in.jsonl", "--into", "out"]);
        let before = place.counters(&["out"]);
        let object = files(&place.path("out/archive/year=2024/month=12/day=19/hour=00")).remove(0);
        fs::write(object, damaged).unwrap();
        let (found, agrees) = recount(&place, &["out", "--execute"]);
        assert!(!agrees, "{found}");
        assert_eq!(found["set_right"], 0, "{found}");
        assert_ne!(found["unread"], 0, "{found}");
        let objects = found["objects_unread"].as_array().unwrap().len();
        assert_eq!(
            (&found["lines_unread"], objects),
            (&json!(unread[0]), unread[1])
        );
        assert_eq!(place.counters(&["out"]), before);
    }
    let packed = |text: &[u8]| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(text).unwrap();
        gzip.finish().unwrap()
    };
    check(b"", [0, 1]);
    check(b"garbage", [0, 1]);
    check(&packed(b"garbage"), [1, 0]);
    check(&packed(b"{}\n{}\n")[..20], [0, 1]);
}

fn agrees_after(place: &Place, all: u64) -> bool {
    let (found, agrees) = recount(place, &["out", "--execute"]);
    agrees && found["agree"] == all
}

#[test]
fn what_is_not_settled_or_has_no_archive_is_left_alone() {
    let place = Place::new();
    let event = r#"{"event_id":"e","event_type":"view","user_id":"u","experiment_id":"x","metadata":{"variant":"A"}}"#;
    place.write("in.jsonl", event);
    place.summary(&["in.jsonl", "--into", "out"]);
    let object = files(&place.path("out/archive")).remove(0);
    let twice = fs::read(&object).unwrap().repeat(2);
    fs::write(&object, twice).unwrap();
    let (found, agrees) = recount(&place, &["out", "--execute"]);
    assert_eq!(found["unsettled"], 2, "{found}");
    assert!(agrees);
    fs::remove_file(&object).unwrap();
    let (found, agrees) = recount(&place, &["out", "--execute"]);
    assert_eq!(found["no_archive"], 2, "{found}");
    assert!(!agrees, "nothing was compared");
    fs::create_dir(place.path("empty")).unwrap();
    let output = place.nozzle("recount", &["out", "--archive", "empty"]);
    let said = stderr(&{ output }.output().unwrap());
    assert!(said.ends_with("is --archive right?\n"), "{said}");
    let counters = place.counters(&["out"]);
    assert_eq!(counters[0]["events"], 1);
}
