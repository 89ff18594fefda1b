//! `nozzle run` as a person runs it: the built binary, its files, its words and its exit codes.

#![cfg(feature = "tool")]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use support::{
    folder::files,
    lake,
    place::{Place, stderr},
};

impl Place {
    fn command(&self, arguments: &[&str]) -> Command {
        self.nozzle("run", arguments)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs to the end, and gives the summary.
    #[track_caller]
    fn summary(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--summary", "json"]].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        summary_of(&output)
    }

    #[track_caller]
    fn check_refused(&self, arguments: &[&str], expected: &str) {
        let output = self.run(arguments);
        let said = stderr(&output);
        assert!(!output.status.success(), "{arguments:?}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
        assert_eq!(output.stdout, b"", "{arguments:?}");
        assert!(!self.path("lake").is_dir(), "{arguments:?} left a lake");
    }

    /// Refused once it is looked into.
    #[track_caller]
    fn check_refused_later(&self, arguments: &[&str], expected: &str) {
        let output = self.run(arguments);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
        assert_eq!(output.stdout, b"", "{arguments:?}");
    }

    #[track_caller]
    fn delivered(&self) -> BTreeMap<String, usize> {
        lake::delivered(&self.path("lake"))
    }

    fn failed(&self) -> Vec<Vec<u8>> {
        lake::failed(&self.path("lake"))
    }
}

fn summary_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn event(number: usize) -> String {
    let kind = ["account:created", "order:paid", "page:viewed"][number % 3];
    let note = "x".repeat(300);
    format!(
        r#"{{"event_uuid":"e{number}","event_name":"{kind}","created_at":{},"note":"{note}"}}"#,
        1_770_000_000 + number
    )
}

fn events(numbers: std::ops::Range<usize>) -> String {
    numbers.map(|number| event(number) + "\n").collect()
}

fn each_once(numbers: std::ops::Range<usize>) -> BTreeMap<String, usize> {
    numbers.map(|number| (format!("e{number}"), 1)).collect()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
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

#[test]
fn a_second_run_of_the_same_input_delivers_nothing() {
    let place = Place::new();
    let input = place.write("in.jsonl", events(0..5_000) + "bad\n" + &events(0..10));
    let first = place.summary(&[&input]);
    assert_eq!(first["records"], 5_011);
    assert_eq!(first["delivered"], 5_000);
    assert_eq!(first["duplicates"], 10);
    assert_eq!(first["refused"], serde_json::json!({"not_json": 1}));
    assert_eq!(first["refused_examples"]["not_json"], "in.jsonl:5001");
    assert_eq!(
        first["bytes_in"],
        fs::metadata(place.path("in.jsonl")).unwrap().len()
    );
    assert_eq!(place.delivered(), each_once(0..5_000));
    assert_eq!(files(&place.path("lake/events")).len(), first["files"]);

    let second = place.summary(&[&input]);
    assert_eq!(second["delivered"], 0);
    assert_eq!(second["duplicates"], 5_010);
    assert_eq!(second["files"], 0);
    assert_eq!(place.delivered(), each_once(0..5_000));
}

#[test]
fn the_summary_is_one_object_with_everything_in_it() {
    let place = Place::new();
    let input = place.write("in.jsonl", events(0..10));
    let summary = place.summary(&[&input]);
    for name in [
        "records",
        "delivered",
        "duplicates",
        "duplicates_differing",
        "refused",
        "overflow",
        "partitions",
        "files",
        "bytes_in",
        "bytes_out",
        "seconds",
        "resumed_records",
    ] {
        assert!(!summary[name].is_null(), "{name}");
    }
    assert_eq!(summary["partitions"], 3);
    let written: u64 = files(&place.path("lake/events"))
        .iter()
        .map(|file| fs::metadata(file).unwrap().len())
        .sum();
    assert_eq!(summary["bytes_out"], written);
}

#[test]
fn a_person_is_told_in_plain_lines_where_there_is_no_terminal() {
    let place = Place::new();
    let input = place.write("in.jsonl", events(0..1_234) + "{\n[]\n");
    let output = place.run(&[&input]);
    let said = String::from_utf8(output.stdout).unwrap();
    let words: Vec<_> = said.split_whitespace().collect();
    assert_eq!(words[..2], ["records", "1,236"]);
    assert!(said.contains("not_an_object"), "{said}");
    assert!(said.contains("first at in.jsonl:1236"), "{said}");
    assert!(
        said.contains(&place.path("lake/errors").display().to_string()),
        "{said}"
    );
    assert!(!said.contains('\x1b'), "{said}");
    assert_eq!(output.stderr, b"");
}

#[test]
fn a_refusal_comes_with_the_command_that_explains_it() {
    let place = Place::new();
    let input = place.write("my in.jsonl", events(0..3) + "{\n");
    for (settings, judged, typed, reason) in [
        (&[][..], "refused      1\n", "4'", "not_json"),
        (
            &["--event-years", "2020-2030", "--event-types", "x"],
            "accepted are the years 2020-2030 and the types of --event-types",
            "1' --event-years 2020-2030 --event-types x",
            "event_type_not_listed",
        ),
    ] {
        let output = place.run(&[&[input.as_str()], settings].concat());
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains(judged), "{said}");
        let command = said.lines().find_map(|line| line.strip_prefix("why "));
        let command = command.unwrap().trim_start();
        assert_eq!(command, format!("nozzle explain 'my in.jsonl:{typed}"));
        let typed = command.replacen("nozzle", env!("CARGO_BIN_EXE_nozzle"), 1);
        let shell = Command::new("sh")
            .args(["-c", &typed])
            .current_dir(place.folder())
            .output();
        let explained = String::from_utf8(shell.unwrap().stdout).unwrap();
        assert!(
            explained.contains(&format!("reason            {reason}\n")),
            "{explained}"
        );
    }
    let mut child = place
        .command(&[])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"{\n").unwrap();
    let said = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    assert!(
        said.contains("not_json") && !said.contains("nozzle explain"),
        "{said}"
    );
}

#[test]
fn names_without_a_colon_are_remarked_once_where_another_sign_divides_them() {
    for (name, arguments, expected) in [
        ("shop.order.created", &[][..], 1),
        ("shop:order", &[], 0),
        ("login", &[], 0),
        (
            "shop.order",
            &["--partition-keys", "event_type,year,month,day"],
            0,
        ),
    ] {
        let place = Place::new();
        let event = event(0).replacen("account:created", name, 1);
        place.write("in.jsonl", event + "\n");
        let output = place.run(&[&["in.jsonl", "--lake", "lake"], arguments].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        let said = stderr(&output);
        let remarks = said.matches("no event_name has a colon").count();
        assert_eq!(remarks, expected, "{name}: {said}");
    }
}

#[test]
fn what_may_be_missed_is_said_where_nothing_is_refused() {
    let place = Place::new();
    let input = place.write("in.jsonl", events(0..3));
    for (settings, is_said) in [(&[][..], true), (&["--event-types", "a,account"], false)] {
        let output = place.run(&[&[input.as_str()], settings].concat());
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(
            said.contains("any year and type is accepted;"),
            is_said,
            "{said}"
        );
    }
}

#[test]
fn the_most_frequent_refusal_is_the_one_to_explain() {
    let place = Place::new();
    let input = place.write("in.jsonl", "{\n".to_owned() + &events(0..3));
    let long = format!("x,{}", "y".repeat(60));
    for (types, line) in [("x", 2), (&*long, 1)] {
        let output = place.run(&[&input, "--event-types", types]);
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(
            said.contains(&format!("nozzle explain in.jsonl:{line}")),
            "{said}"
        );
    }
}

#[test]
fn events_of_other_names_are_told_how_to_be_read() {
    let place = Place::new();
    let event = r#"{"id":"1","type":"a:b","ts":1712511721,"\u001b[2J":"secret"}"#;
    let input = place.write("in.jsonl", format!("{event}\n{event}\n"));
    let said = String::from_utf8(place.run(&[&input]).stderr).unwrap();
    assert_eq!(
        said,
        "nozzle: 2 of 2 records lack event_uuid; the first has id, type, ts, ⟨U+001B⟩[2J: where \
         its uuid, name and time are called otherwise, say how: --event-fields id,type,ts\n"
    );
    let summary = place.summary(&[&input, "--event-fields", "id,type,ts"]);
    assert_eq!(
        (&summary["delivered"], &summary["duplicates"]),
        (&1.into(), &1.into())
    );
}

#[test]
fn where_everything_came_before_it_is_said_what_remembers_it() {
    let place = Place::new();
    let input = place.write("in.jsonl", events(0..3));
    place.run(&[&input]);
    let said = String::from_utf8(place.run(&[&input]).stderr).unwrap();
    let claims = place.path("lake/.nozzle/claims").display().to_string();
    assert!(
        said.contains("every event that is accepted came before"),
        "{said}"
    );
    assert!(said.contains(&claims), "{said}");
    for more in ["--lake=other", "--claims=other-claims"] {
        let summary = place.summary(&[&input, more]);
        assert_eq!(summary["delivered"], 3);
    }
}

#[test]
fn files_folders_and_pipes_are_read_gzip_or_not() {
    let place = Place::new();
    place.write("in/b.jsonl.gz", gzip(&events(0..10)));
    place.write("in/deep/a.jsonl", events(10..20));
    place.write(
        "in/members",
        [gzip(&events(20..25)), gzip(&events(25..30))].concat(),
    );
    place.write("in/.hidden", "not an event");
    let more = place.write("more.jsonl", events(30..40).trim_end());
    let mut child = place
        .command(&["in", &more, "-", "--summary", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(&gzip(
        &(events(40..50) + "\r\n" + &events(50..60).replace('\n', "\r\n")),
    ))
    .unwrap();
    drop(pipe);
    let summary = summary_of(&child.wait_with_output().unwrap());
    assert_eq!(summary["records"], 60);
    assert_eq!(place.delivered(), each_once(0..60));
}

#[test]
fn the_lake_is_no_input_of_its_own() {
    let place = Place::new();
    place.write("in.jsonl", events(0..10));
    for _ in 0..2 {
        assert_eq!(place.summary(&["."])["records"], 10);
    }
}

#[test]
fn what_nozzle_keeps_for_itself_is_no_input() {
    let place = Place::new();
    place.write("in/a.jsonl", events(0..10));
    for _ in 0..2 {
        let summary = place.summary(&["in", "--claims", "in/claims"]);
        assert_eq!(summary["records"], 10);
    }
    for input in ["in/claims", "in/claims/store", "lake/.nozzle"] {
        let expected = format!("`{input}` is what nozzle keeps for itself");
        place.check_refused_later(&[input], &expected);
    }
}

#[test]
fn gzip_files_are_whole() {
    let place = Place::new();
    let input = place.write("in.jsonl", events(0..3_000));
    place.summary(&[&input, "--compression", "gzip"]);
    let files = files(&place.path("lake/events"));
    assert!(
        files
            .iter()
            .all(|file| file.extension().is_some_and(|extension| extension == "gz"))
    );
    assert_eq!(place.delivered(), each_once(0..3_000));
}

#[test]
fn what_cannot_work_is_said_before_any_work() {
    let place = Place::new();
    let input = place.write("in.jsonl", events(0..10));
    fs::create_dir(place.path("empty")).unwrap();
    place.write("file", "");
    place.check_refused(
        &["nowhere.jsonl"],
        "there is no file or folder `nowhere.jsonl`",
    );
    place.check_refused(&[&input, "nowhere"], "there is no file or folder `nowhere`");
    place.check_refused(&["empty"], "the folder `empty` holds no file");
    place.check_refused(&["-", "-"], "standard input can be given only once");
    place.check_refused(
        &[&input, "--lake", "file"],
        "--lake file cannot be used: `file` is a file, not a folder",
    );
    place.check_refused(
        &[&input, "--lake", "s3://lake/"],
        "--lake s3://lake/ cannot be used: it is a bucket's address",
    );
    place.check_refused(
        &[&input, "--lake", "file/lake"],
        "--lake file/lake cannot be used: `file` is a file, not a folder",
    );
    place.check_refused(
        &[&input, "--claims", "file", "--lake", "other"],
        "--claims file cannot be used: `file` is a file, not a folder",
    );
    for claims in ["mine", "mine/events", "mine/new/folder"] {
        let expected = format!("--claims {claims} cannot be used: it would lie among");
        place.check_refused(&[&input, "--claims", claims, "--lake", "mine"], &expected);
        assert_eq!(files(&place.path("mine")), [""; 0].map(PathBuf::from));
    }
    place.check_refused(
        &[&input, "--prefix", "!{timestamp:QQ}/"],
        "--prefix: `!{timestamp:QQ}`: the letter `Q`",
    );
    place.check_refused(
        &[&input, "--prefix", "../!{timestamp:yyyy}/"],
        "`.` or `..`",
    );
    place.check_refused(&[&input, "--prefix", "/events/"], "relative to the lake");
    place.check_refused(&[&input, "--prefix", "events/"], "--prefix names the keys");
    place.check_refused(
        &[&input, "--error-prefix", "errors/"],
        "--error-prefix: the error prefix needs",
    );
    place.check_refused(
        &[&input, "--event-years", "20"],
        "--event-years is \"20\"; it must be",
    );
    place.check_refused(
        &[&input, "--partition-keys", "month,moon"],
        "--partition-keys is \"month,moon\"; it must be",
    );
    place.check_refused(&[&input, "--batch-mb", "4"], "a number from 0.2 to 3");
    for hours in ["0", "8761", "a", "99999999999999999999"] {
        let expected = "it must be a whole number from 1 to 8760";
        place.check_refused(&[&input, "--ttl-hours", hours], expected);
    }
    place.check_refused(&[&input, "--compression", "zip"], "none, gzip");
}

#[test]
fn a_window_has_a_file_a_partition_in_whatever_order_events_come() {
    let place = Place::new();
    let lines = (0..9_000).map(|number| {
        let kind = number * 7 % 3_000;
        format!(
            r#"{{"event_uuid":"e{number}","event_name":"kind{kind}:x","created_at":1770000000}}"#
        ) + "\n"
    });
    let input = place.write("in.jsonl", lines.collect::<String>());
    let summary = place.summary(&[&input]);
    assert_eq!(
        (&summary["partitions"], &summary["files"]),
        (&json!(3_000), &json!(3_000))
    );
    assert_eq!(files(&place.path("lake/events")).len(), 3_000);
    assert_eq!(place.delivered(), each_once(0..9_000));
}

#[test]
fn hostile_names_stay_in_the_lake() {
    let place = Place::new();
    let names = [
        "../../../up:x",
        "..:..",
        "/etc/passwd:x",
        ".nozzle:claims",
        "a/b:c\\\\d",
        "%2e%2e:x",
    ];
    let lines = names.iter().enumerate().map(|(number, name)| {
        format!(r#"{{"event_uuid":"e{number}","event_name":"{name}","created_at":1770000000}}"#)
            + "\n"
    });
    let input = place.write("in/in.jsonl", lines.collect::<String>());
    place.summary(&[&input]);
    assert_eq!(place.delivered(), each_once(0..names.len()));
    let outside: Vec<_> = fs::read_dir(place.folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "in" && name != "lake")
        .collect();
    assert_eq!(outside, Vec::<String>::new());
}

#[test]
fn a_record_that_is_too_long_is_kept_whole() {
    let place = Place::new();
    let long = "y".repeat(3_000_000);
    let input = place.write(
        "in.jsonl",
        format!("{}{long}\r\n{}", events(0..5), events(5..10)),
    );
    let summary = place.summary(&[&input]);
    assert_eq!(summary["records"], 11);
    assert_eq!(summary["refused"]["record_too_large"], 1);
    assert_eq!(
        summary["refused_examples"]["record_too_large"],
        "in.jsonl:6"
    );
    assert_eq!(place.failed(), [long.into_bytes()]);
    assert_eq!(place.delivered(), each_once(0..10));
}

#[cfg(target_os = "linux")]
#[test]
fn a_bomb_needs_no_more_memory_than_another_file() {
    let place = Place::new();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let spaces = vec![b' '; 1_000_000];
    for _ in 0..200 {
        encoder.write_all(&spaces).unwrap();
    }
    let input = place.write("bomb.gz", encoder.finish().unwrap());
    let mut child = place
        .command(&[&input, "--summary", "json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut peak_kilobytes = 0;
    while child.try_wait().unwrap().is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|peak| peak.split_whitespace().next()?.parse().ok());
        peak_kilobytes = peak.unwrap_or(peak_kilobytes);
        thread::yield_now();
    }
    let summary = summary_of(&child.wait_with_output().unwrap());
    assert_eq!(summary["refused"]["record_too_large"], 1);
    assert!(
        (1..150_000).contains(&peak_kilobytes),
        "{peak_kilobytes} KB"
    );
}

#[test]
fn a_damaged_file_is_taken_as_far_as_it_goes_and_gone_on_with_once_mended() {
    let place = Place::new();
    let whole = gzip(&events(0..20_000));
    place.write("in/a.jsonl", events(20_000..20_100));
    let input = place.write("in/b.gz", &whole[..whole.len() / 2]);
    let output = place.run(&["in", "--summary", "json", "--flush-mb", "1"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("`in/b.gz` cannot be read beyond line "),
        "{}",
        stderr(&output)
    );
    let before = summary_of(&output);
    let delivered = before["delivered"].as_u64().unwrap();
    assert!((5_000..20_000).contains(&delivered), "{delivered}");
    assert_eq!(before["complete"], false);
    assert_eq!(place.delivered().len() as u64, delivered);

    place.write(&input, whole);
    let after = place.summary(&["in"]);
    assert_eq!(after["resumed_records"], delivered);
    assert_eq!(after["records"], 20_100);
    assert_eq!(after["duplicates"], 0);
    assert_eq!(place.delivered(), each_once(0..20_100));
}

#[test]
fn a_damage_within_a_long_record_leaves_no_half_of_it() {
    let place = Place::new();
    let long = gzip(&(events(0..10) + &"y".repeat(3_000_000)));
    let input = place.write("in.gz", &long[..long.len() - 20]);
    let output = place.run(&[&input]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(place.delivered(), each_once(0..10));
    assert_eq!(place.failed(), Vec::<Vec<u8>>::new());
    place.write("in.gz", long);
    let summary = place.summary(&[&input]);
    assert_eq!(
        (
            summary["records"].as_u64(),
            summary["resumed_records"].as_u64()
        ),
        (Some(11), Some(10))
    );
    assert_eq!(place.failed().len(), 1);
}

/// Runs until the lake has so many bytes in files, temporary or not, or the run has ended; then kills.
fn run_until_killed(place: &Place, arguments: &[&str], bytes: u64) {
    let mut child = place
        .command(arguments)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let written = || -> u64 {
        files(&place.path("lake"))
            .iter()
            .filter_map(|file| fs::metadata(file).ok())
            .map(|metadata| metadata.len())
            .sum()
    };
    let start = written();
    while written() < start + bytes {
        if child.try_wait().unwrap().is_some() {
            return;
        }
        thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_killed_run_loses_nothing_and_doubles_nothing() {
    let mut seeded = Seeded(7);
    for round in 0..2 {
        let place = Place::new();
        let input = place.write("in.jsonl", events(0..15_000) + "bad\n" + &events(0..5));
        let arguments = [input.as_str(), "--flush-mb", "1", "--batch-mb", "0.2"];
        killed_run(&place, &events(0..5_000));
        for _ in 0..10 {
            run_until_killed(&place, &arguments, seeded.below(4_000_000));
            assert!(
                place.delivered().values().all(|times| *times == 1),
                "round {round}"
            );
        }
        let summary = place.summary(&arguments);
        assert_eq!(summary["records"], 15_006, "round {round}");
        assert_eq!(place.delivered(), each_once(0..15_000), "round {round}");
        let kept = files(&place.path("lake/.nozzle/open"));
        assert_eq!(kept, Vec::<PathBuf>::new());
    }
}

/// Kills a run once there is a file below this folder of the lake, or it has ended.
fn kill_at_file(mut child: Child, place: &Place, folder: &str) {
    while files(&place.path(folder)).is_empty() && child.try_wait().unwrap().is_none() {
        thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// A run that is killed amid its work: its input is a pipe that stays open, so it cannot end.
fn killed_run(place: &Place, text: &str) {
    let child = run_on_pipe_with(place, &["--flush-mb", "1"], text);
    kill_at_file(child, place, "lake/events");
}

/// A run of this input that was killed when some of its files had their names, and not all 3,000.
fn killed_while_naming(input: &str) -> Place {
    let attempt = |_| {
        let place = Place::new();
        place.write("in.jsonl", input);
        let child = place
            .command(&["in.jsonl"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        kill_at_file(child, &place, "lake/events");
        (place.delivered().len() < 3_000).then_some(place)
    };
    (0..20).find_map(attempt).unwrap()
}

#[test]
fn a_run_killed_while_its_last_files_get_their_names_was_not_finished() {
    let named = |number: usize| event(number).replace("account:", &format!("t{number}:"));
    let lines: String = (0..9_000)
        .step_by(3)
        .map(|number| named(number) + "\n")
        .collect();
    let place = killed_while_naming(&format!("refused\n{lines}"));
    let summary = place.summary(&["in.jsonl"]);
    assert_eq!(
        (&summary["records"], &summary["duplicates"]),
        (&3_001.into(), &0.into())
    );
    assert_eq!(place.delivered().len(), 3_000);
    assert_eq!(place.failed(), [b"refused"]);
}

#[test]
fn an_event_whose_file_would_have_too_long_a_name_harms_no_other() {
    let place = Place::new();
    let long = event(0).replace("account:created", &"t".repeat(190));
    let input = place.write("in.jsonl", format!("{long}\n{}", events(1..10)));
    let prefix = "events/!{partitionKeyFromLambda:event_type}";
    let summary = place.summary(&[&input, "--prefix", prefix, "--partition-keys", "event_type"]);
    assert_eq!(
        (&summary["delivered"], &summary["error_objects"]),
        (&9.into(), &1.into())
    );
    assert_eq!(place.failed(), [long.as_bytes()]);
}

#[test]
fn only_what_is_blank_in_json_is_no_record() {
    let place = Place::new();
    let input = place.write("in.jsonl", format!("\n \t\r\n\u{c}\n{}", event(0)));
    let summary = place.summary(&[&input]);
    assert_eq!(
        (&summary["records"], &summary["delivered"]),
        (&2.into(), &1.into())
    );
    assert_eq!(place.failed(), [b"\x0c"]);
}

#[test]
fn a_killed_run_and_then_another_input_doubles_nothing() {
    let place = Place::new();
    let first = place.write("first.jsonl", events(0..15_000));
    let other = place.write("other.jsonl", events(5_000..20_000));
    killed_run(&place, &events(0..15_000));
    assert_eq!(place.summary(&[&other])["resumed_records"], 0);
    place.summary(&[&first]);
    assert_eq!(place.delivered(), each_once(0..20_000));
}

/// A run that has been given so much on a pipe that stays open.
fn run_on_pipe(place: &Place, text: &str) -> Child {
    run_on_pipe_with(place, &[], text)
}

fn run_on_pipe_with(place: &Place, arguments: &[&str], text: &str) -> Child {
    let mut child = place
        .command(&[&["--summary", "json", "--batch-mb", "0.2"], arguments].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A run that ends early does not hear it all.
    let _ = child.stdin.as_mut().unwrap().write_all(text.as_bytes());
    child
}

/// Ctrl-C, on a pipe that stays open.
#[track_caller]
fn interrupt(mut child: Child) -> Output {
    let id = child.id().to_string();
    let interrupted = Command::new("kill").args(["-INT", &id]).status();
    assert!(interrupted.unwrap().success());
    let pipe = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    drop(pipe);
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    output
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_says_how_to_go_on_and_does() {
    let place = Place::new();
    let whole = events(0..20_000);
    let child = run_on_pipe(&place, &whole[..6_000_000]);
    while files(&place.path("lake/.nozzle/open")).is_empty() {
        thread::yield_now();
    }
    let output = interrupt(child);
    assert!(
        stderr(&output).contains("give the same command again"),
        "{}",
        stderr(&output)
    );
    let before = summary_of(&output);
    let delivered = before["delivered"].as_u64().unwrap();
    assert!((1..20_000).contains(&delivered), "{delivered}");
    assert_eq!(place.delivered().len() as u64, delivered);

    let output = run_on_pipe(&place, &whole).wait_with_output().unwrap();
    let after = summary_of(&output);
    assert_eq!(after["resumed_records"], delivered);
    assert_eq!(after["records"], 20_000);
    assert_eq!(after["duplicates"], 0);
    assert_eq!(place.delivered(), each_once(0..20_000));
}

#[cfg(unix)]
#[test]
fn a_run_that_waits_for_what_was_read_before_says_so_and_stops_at_once() {
    let place = Place::new();
    let whole = events(0..20_000);
    let nothing = run_on_pipe(&place, "");
    until(|| place.path("lake/.nozzle/claims").is_dir());
    interrupt(nothing);
    let some = run_on_pipe(&place, &whole[..6_000_000]);
    until(|| !files(&place.path("lake/.nozzle/open")).is_empty());
    let some = interrupt(some);
    assert!(!stderr(&some).contains("skipping"), "nothing was read");
    let delivered = summary_of(&some)["delivered"].clone();
    assert_ne!(delivered, 0);
    for begun in ["", &whole[..50_000], &whole[..100_000]] {
        let mut child = run_on_pipe(&place, begun);
        let said = BufReader::new(child.stderr.take().unwrap());
        let mut said = said.lines().map(Result::unwrap);
        assert!(said.any(|line| line.contains("skipping the first ")));
        let summary = summary_of(&interrupt(child));
        assert_eq!(summary["records"], delivered, "{}", begun.len());
    }
    let output = run_on_pipe(&place, &whole).wait_with_output().unwrap();
    assert_eq!(summary_of(&output)["resumed_records"], delivered);
    assert_eq!(place.delivered(), each_once(0..20_000));
}

#[cfg(unix)]
#[test]
fn another_stream_is_told_by_its_first_line_and_nothing_of_it_waits() {
    let place = Place::new();
    let flushes = ["--flush-seconds", "1"];
    for (taken, new) in [(0, 0..40), (40, 100..115), (55, 200..201)] {
        let child = run_on_pipe_with(&place, &flushes, &events(new.clone()));
        let all = taken + new.len();
        until(|| place.delivered().len() == all);
        assert_eq!(summary_of(&interrupt(child))["records"], new.len());
    }
}

#[cfg(unix)]
#[test]
fn another_stream_after_an_interruption_starts_from_its_beginning() {
    let place = Place::new();
    let stop = |mut child: Child| {
        while files(&place.path("lake/.nozzle/open")).is_empty() {
            thread::yield_now();
        }
        Command::new("kill")
            .args(["-TERM", &child.id().to_string()])
            .status()
            .unwrap();
        let pipe = child.stdin.take();
        assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
        drop(pipe);
    };
    stop(run_on_pipe(&place, &events(0..15_000)));
    let before = place.delivered().len();

    // Other from its first bytes on: nothing of it is lost.
    let output = run_on_pipe(&place, &events(20_000..20_100))
        .wait_with_output()
        .unwrap();
    assert_eq!(summary_of(&output)["delivered"], 100);
    stop(run_on_pipe(&place, &events(30_000..45_000)));

    // Other only later: what has gone by cannot be had again.
    let other = events(30_000..30_500) + &events(0..15_000);
    let output = run_on_pipe(&place, &other).wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("standard input is not what"),
        "{}",
        stderr(&output)
    );
    let output = run_on_pipe(&place, &other).wait_with_output().unwrap();
    let summary = summary_of(&output);
    assert_eq!(
        summary["delivered"].as_u64().unwrap() + before as u64,
        15_000
    );
    assert!(place.delivered().values().all(|times| *times == 1));
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_said_and_loses_nothing() {
    let place = Place::new();
    let note = "x".repeat(100_000);
    let lines = (0..800).map(|number| {
        event(number * 3).replace("\"note\":\"", &format!("\"note\":\"{note}")) + "\n"
    });
    let input = place.write("in.jsonl", lines.collect::<String>());
    // Files may have 64 MB: written beyond, as on a full disk, they cannot grow.
    let mut limited = Command::new("sh");
    limited.current_dir(place.folder()).args([
        "-c",
        "trap '' XFSZ; ulimit -f 131072; exec \"$@\"",
        "sh",
        env!("CARGO_BIN_EXE_nozzle"),
        "run",
        &input,
    ]);
    let output = limited.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("cannot be written"),
        "{}",
        stderr(&output)
    );
    assert_eq!(place.delivered(), BTreeMap::new());
    assert_eq!(
        files(&place.path("lake/.nozzle/open")),
        Vec::<PathBuf>::new()
    );
    let summary = place.summary(&[&input]);
    assert_eq!(summary["delivered"], 800);
    assert_eq!(place.delivered().len(), 800);
    assert!(place.delivered().values().all(|times| *times == 1));
}

#[test]
fn overflow_and_differing_duplicates_are_told_apart() {
    let place = Place::new();
    let one = r#"{"event_uuid":"e1","event_name":"a:b","created_at":1770000000,"n":1}"#;
    let other = one.replace("\"n\":1", "\"n\":2");
    let input = place.write("in.jsonl", format!("{one}\n{other}\n"));
    let summary = place.summary(&[&input, "--on-differing-duplicate", "fail"]);
    assert_eq!(summary["failed_differing"], 1);
    assert_eq!(summary["duplicates_differing"], 1);
    assert_eq!(summary["duplicates"], 0);
    assert_eq!(place.failed(), [other.as_bytes()]);

    let place = Place::new();
    let input = place.write("in.jsonl", events(0..2));
    let summary = place.summary(&[&input, "--response-bytes-max", "1300"]);
    assert_eq!(
        (summary["delivered"].as_u64(), summary["overflow"].as_u64()),
        (Some(1), Some(1))
    );
}

#[test]
fn a_function_that_fails_leaves_its_batch_in_the_errors() {
    let place = Place::new();
    let input = place.write("in.jsonl", events(0..3));
    let output = place.run(&[&input, "--response-bytes-max", "10", "--summary", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let summary = summary_of(&output);
    assert_eq!(summary["failed_function"], 3);
    let file = files(&place.path("lake/errors")).pop().unwrap();
    let text = fs::read_to_string(file).unwrap();
    let object: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(object["errorCode"], "Lambda.FunctionError");
    assert_eq!(object["attemptsMade"], 4);
    assert_eq!(place.failed().len(), 3);
}

#[test]
fn claims_elsewhere_serve_several_lakes() {
    let place = Place::new();
    let input = place.write("in.jsonl", events(0..10));
    let summary = place.summary(&[&input, "--claims", "claims"]);
    assert_eq!(summary["delivered"], 10);
    let summary = place.summary(&[&input, "--claims", "claims", "--lake", "other"]);
    assert_eq!(summary["duplicates"], 10);
    assert!(!place.path("lake/.nozzle/claims").exists());
}

/// Said before any work, and gone on with when told.
#[track_caller]
fn check_misgiving(place: &Place, arguments: &[&str], expected: &str) {
    let before = files(&place.path("lake/events"));
    let output = place.run(arguments);
    assert!(!output.status.success());
    assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    assert_eq!(files(&place.path("lake/events")), before);
    place.summary(&[arguments, &["--anyway"]].concat());
}

#[test]
fn claims_that_outlive_the_lake_are_told_of() {
    let place = Place::new();
    let input = place.write("in.jsonl", events(0..10));
    place.summary(&[&input]);
    fs::remove_dir_all(place.path("lake/events")).unwrap();
    check_misgiving(&place, &[&input], "holds none");
    check_misgiving(&place, &[&input], "or give --anyway");
    fs::rename(place.path("lake/.nozzle/claims"), place.path("claims")).unwrap();
    place.summary(&[&input]);
    assert_eq!(place.delivered(), each_once(0..10));
}

#[test]
fn a_lake_that_is_laid_out_otherwise_is_told_of() {
    let place = Place::new();
    let (one, two) = (
        place.write("1", events(0..10)),
        place.write("2", events(10..20)),
    );
    place.summary(&[&one, "--partition-keys", "event_type"]);
    check_misgiving(
        &place,
        &[&two],
        "is laid out by `events/event_type=!{partitionKeyFromLambda",
    );
    // What was told once is known.
    place.summary(&[&two]);
    assert_eq!(place.delivered(), each_once(0..20));
}

#[test]
fn a_lake_that_was_moved_goes_on() {
    let place = Place::new();
    let input = place.write("in.jsonl", events(0..15_000));
    killed_run(&place, &events(0..10_000));
    fs::rename(place.path("lake"), place.path("moved")).unwrap();
    place.summary(&[&input, "--lake", "moved"]);
    fs::rename(place.path("moved"), place.path("lake")).unwrap();
    assert_eq!(place.delivered(), each_once(0..15_000));
}

#[test]
fn a_second_run_at_the_same_time_is_told_so() {
    let place = Place::new();
    let mut first = run_on_pipe(&place, &events(0..1_000));
    while !place.path("lake/.nozzle/open").is_dir() {
        thread::yield_now();
    }
    let input = place.write("in.jsonl", events(0..10));
    let output = place.run(&[&input]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("in use by another process"),
        "{}",
        stderr(&output)
    );
    drop(first.stdin.take());
    assert_eq!(
        summary_of(&first.wait_with_output().unwrap())["delivered"],
        1_000
    );
}

/// The sample has every kind of record.
#[test]
fn the_sample_is_conserved() {
    let place = Place::new();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/events.jsonl");
    let summary = place.summary(&[sample.to_str().unwrap()]);
    let count = |name: &str| summary[name].as_u64().unwrap();
    assert_eq!(
        count("delivered") + count("duplicates") + count("error_objects"),
        count("records")
    );
    let refused: u64 = summary["refused"]
        .as_object()
        .unwrap()
        .values()
        .map(|count| count.as_u64().unwrap())
        .sum();
    assert_eq!(refused, count("error_objects"));
    assert_eq!(place.failed().len() as u64, count("error_objects"));
    let delivered: usize = place.delivered().values().sum();
    assert_eq!(delivered as u64, count("delivered"));
}

/// Waits for what another process does.
fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        thread::yield_now();
    }
}

#[test]
fn a_live_pipe_shows_its_events_while_it_is_open() {
    let place = Place::new();
    let mut child = run_on_pipe_with(&place, &["--flush-seconds", "1"], &events(0..10));
    until(|| place.delivered() == each_once(0..10));
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(events(10..20).as_bytes()).unwrap();
    until(|| place.delivered() == each_once(0..20));
    assert_eq!(child.try_wait().unwrap(), None);
    drop(pipe);
    let summary = summary_of(&child.wait_with_output().unwrap());
    assert_eq!(summary["records"], 20);
}

/// A run that follows until it is told to stop.
struct Following<'a> {
    place: &'a Place,
    child: Child,
}

impl<'a> Following<'a> {
    fn start(place: &'a Place, input: &str) -> Self {
        Self::start_with(place, &[input])
    }

    fn start_with(place: &'a Place, inputs: &[&str]) -> Self {
        let arguments = ["--follow", "--flush-seconds", "1", "--json"];
        let mut command = place.command(&[&arguments, inputs].concat());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        Self { place, child }
    }

    fn until_delivered(&self, numbers: std::ops::Range<usize>) {
        until(|| self.place.delivered() == each_once(numbers.clone()));
    }

    fn stop(self) -> Value {
        summary_of(&self.end())
    }

    fn end(self) -> Output {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-INT", &id]).status().unwrap();
        let output = self.child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        output
    }
}

fn append(place: &Place, name: &str, text: &str) {
    let file = fs::File::options().append(true).open(place.path(name));
    file.unwrap().write_all(text.as_bytes()).unwrap();
}

#[cfg(unix)]
#[test]
fn a_growing_file_is_followed_and_gone_on_with() {
    let place = Place::new();
    let tenth = event(10);
    let (half, rest) = tenth.split_at(20);
    place.write("in.jsonl", events(0..10) + half);
    let following = Following::start(&place, "in.jsonl");
    following.until_delivered(0..10);
    append(&place, "in.jsonl", &format!("{rest}\n{}", events(11..15)));
    following.until_delivered(0..15);
    append(&place, "in.jsonl", &event(15)[..30]);
    let summary = following.stop();
    assert_eq!(
        (&summary["records"], &summary["complete"]),
        (&15.into(), &false.into())
    );

    append(
        &place,
        "in.jsonl",
        &format!("{}\n{}", &event(15)[30..], events(16..20)),
    );
    let following = Following::start(&place, "in.jsonl");
    following.until_delivered(0..20);
    append(&place, "in.jsonl", "bad\n");
    until(|| place.failed() == [b"bad"]);
    let summary = following.stop();
    assert_eq!(summary["resumed_records"], 15);
    assert_eq!(
        (&summary["records"], &summary["duplicates"]),
        (&21.into(), &0.into())
    );
    assert_eq!(summary["refused_examples"]["not_json"], "in.jsonl:21");

    // What it was cannot be gone on with.
    place.write("in.jsonl", events(20..22));
    let following = Following::start(&place, "in.jsonl");
    following.until_delivered(0..22);
    assert_eq!(following.stop()["resumed_records"], 0);
}

#[cfg(unix)]
#[test]
fn whatever_file_of_a_folder_grows_or_comes_is_followed() {
    let place = Place::new();
    fs::create_dir(place.path("in")).unwrap();
    let following = Following::start(&place, "in");
    until(|| place.path("lake/.nozzle/open").is_dir());
    place.write("in/b.jsonl", events(0..10));
    following.until_delivered(0..10);
    place.write("in/a.jsonl", events(10..20));
    place.write("in/c.jsonl.gz", gzip(&events(20..30)));
    following.until_delivered(0..30);
    append(&place, "in/b.jsonl", &events(30..40));
    append(&place, "in/a.jsonl", &format!("{}bad\n", events(40..50)));
    following.until_delivered(0..50);
    // Rotated: the old file under another name is no other one.
    fs::rename(place.path("in/a.jsonl"), place.path("in/a.1")).unwrap();
    place.write("in/a.jsonl", events(50..60));
    following.until_delivered(0..60);
    // Begun anew under its name.
    fs::write(place.path("in/b.jsonl"), events(60..65)).unwrap();
    following.until_delivered(0..65);
    let summary = following.stop();
    assert_eq!(
        (&summary["records"], &summary["duplicates"]),
        (&66.into(), &0.into())
    );
    assert_eq!(summary["refused_examples"]["not_json"], "in/a.jsonl:21");
}

#[cfg(unix)]
#[test]
fn a_renamed_file_is_read_to_its_end_before_what_has_its_name() {
    let place = Place::new();
    place.write("a.log", events(0..4));
    let half = &event(90)[..30];
    place.write("b.log", events(4..6) + half);
    let following = Following::start_with(&place, &["a.log", "b.log"]);
    following.until_delivered(0..6);
    append(&place, "a.log", &events(6..10));
    fs::rename(place.path("a.log"), place.path("a.log.1")).unwrap();
    append(&place, "a.log.1", &events(10..12));
    place.write("a.log", events(12..20));
    following.until_delivered(0..20);
    append(&place, "a.log.1", &events(20..22));
    following.until_delivered(0..22);
    fs::remove_file(place.path("a.log.1")).unwrap();
    let summary = following.stop();
    assert_eq!(
        (&summary["records"], &summary["duplicates"]),
        (&22.into(), &0.into())
    );
}

#[cfg(unix)]
#[test]
fn half_a_line_is_no_record_and_no_part_of_one() {
    let place = Place::new();
    let half = &event(90)[..30];
    place.write("a.log", events(0..4) + half);
    place.write("b.log", half);
    let following = Following::start_with(&place, &["a.log", "b.log"]);
    following.until_delivered(0..4);
    append(&place, "b.log", &format!("{}\n", &event(90)[30..]));
    until(|| place.delivered().len() == 5);
    // Begun anew, where the half line stood.
    fs::write(place.path("a.log"), events(4..5)).unwrap();
    until(|| place.delivered().len() == 6);
    assert_eq!(following.stop()["records"], 6);
    assert_eq!(place.failed(), [b""; 0]);
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_read_does_not_keep_others_from_it() {
    let place = Place::new();
    fs::create_dir(place.path("in")).unwrap();
    let packed = gzip(&events(10..20));
    place.write("in/a", &packed);
    place.write("in/b", &packed[..packed.len() / 2]);
    place.write("in/c", "id,name\n1,a\n2,b\n");
    place.write("in/d.jsonl", events(0..10));
    let following = Following::start(&place, "in");
    following.until_delivered(0..20);
    append(&place, "in/d.jsonl", &events(20..22));
    place.write("in/b", gzip(&events(22..30)));
    following.until_delivered(0..30);
    following.stop();
}

#[cfg(unix)]
#[test]
fn arrays_in_a_followed_folder_are_passed_over_with_a_sentence() {
    let place = Place::new();
    let array = |numbers: [usize; 2]| format!("[{}]\n", numbers.map(event).join(",\n"));
    place.write("in/a.json", array([90, 91]));
    place.write("in/b.json", format!("[{}]", event(92)));
    place.write("in/c.jsonl", events(0..10));
    let following = Following::start(&place, "in");
    following.until_delivered(0..10);
    append(&place, "in/a.json", &array([93, 94]));
    place.write("in/d.json", array([95, 96]));
    place.write("in/e.jsonl", events(10..12));
    following.until_delivered(0..12);
    let output = following.end();
    assert_eq!(summary_of(&output)["records"], 12);
    for name in ["a", "b", "d"] {
        let said = stderr(&output);
        let mut lines = said
            .lines()
            .filter(|line| line.contains(&format!("`in/{name}.json` is a JSON array")));
        let line = lines.next().unwrap_or_default();
        assert!(line.contains("; it is passed over"), "{said}");
        assert_eq!(lines.next(), None, "{said}");
    }
}

#[cfg(unix)]
#[test]
fn files_that_grow_at_once_are_read_whole_while_one_is_renamed() {
    let place = Place::new();
    let open = |name: &str| {
        let mut options = fs::File::options();
        let file = options.append(true).create(true).open(place.path(name));
        file.unwrap()
    };
    let write = |mut file: &fs::File, number: usize| {
        let line = event(number) + "\n";
        let (half, rest) = line.split_at(number % line.len());
        file.write_all(half.as_bytes()).unwrap();
        file.write_all(rest.as_bytes()).unwrap();
    };
    fs::create_dir(place.path("in")).unwrap();
    let (other, old) = (open("in/b.log"), open("in/a.log"));
    let following = Following::start(&place, "in");
    thread::scope(|scope| {
        scope.spawn(|| (0..400).for_each(|number| write(&other, number)));
        scope.spawn(|| {
            (400..500).for_each(|number| write(&old, number));
            fs::rename(place.path("in/a.log"), place.path("in/a.log.1")).unwrap();
            let new = open("in/a.log");
            for number in 500..600 {
                write(&old, number);
                write(&new, number + 100);
            }
        });
        following.until_delivered(0..700);
    });
    let summary = following.stop();
    assert_eq!(
        (&summary["records"], &summary["duplicates"]),
        (&700.into(), &0.into())
    );
    assert_eq!(place.failed(), [b""; 0]);
}

#[test]
fn what_is_no_lines_of_events_is_said_once_and_by_explain_too() {
    let place = Place::new();
    let pretty = "{\n  \"event_uuid\": \"1\",\n  \"event_name\": \"a\"\n}\n".repeat(100);
    let array = format!("[{}]", [event(0), event(1)].join(",\n"));
    for (name, text, expected) in [
        ("pretty.json", pretty.as_str(), "is JSON over several lines"),
        ("array.json", &array, "is a JSON array"),
        ("in.csv", "id,name\n1,a\n2,b\n", "is CSV"),
    ] {
        place.write(name, text);
        place.check_refused_later(
            &[name],
            &format!("nozzle: `{name}` {expected}, but each line"),
        );
        let explained = place.nozzle("explain", &[name]).output().unwrap();
        let said = format!("nozzle: `{name}`: it {expected}, but each line");
        assert!(
            stderr(&explained).starts_with(&said),
            "{}",
            stderr(&explained)
        );
        let anyway = place.summary(&[name, "--anyway"]);
        assert_eq!(anyway["delivered"], 0);
        assert_ne!(anyway["refused"], json!({}));
    }
    let utf16 = |text: &str| {
        let units = "\u{feff}".encode_utf16().chain(text.encode_utf16());
        units.flat_map(u16::to_be_bytes).collect::<Vec<_>>()
    };
    for (name, bytes, expected) in [
        ("a.parquet", b"PAR1\x15".to_vec(), "is Parquet"),
        (
            "a.zst",
            b"\x28\xb5\x2f\xfd\n".to_vec(),
            "`zstd -dc a.zst > out.jsonl`",
        ),
        (
            "a.txt",
            utf16(&event(0)),
            "`iconv -f UTF-16 -t UTF-8 a.txt > out.jsonl`",
        ),
    ] {
        place.write(name, bytes);
        place.check_refused_later(&[name], expected);
        for command in ["explain", "log", "process"] {
            let output = place.nozzle(command, &[name]).output().unwrap();
            assert_eq!(output.status.code(), Some(2), "{command}");
            assert!(stderr(&output).contains(expected), "{}", stderr(&output));
        }
    }
    place.write("in.jsonl", events(0..10) + "bad\n");
    place.summary(&["in.jsonl", "--lake", "other"]);
    for (folder, expected) in [
        ("other/events", "is part of a lake"),
        ("other/errors", "holds error objects"),
    ] {
        place.check_refused_later(&[folder], expected);
    }
}

#[test]
fn what_an_input_is_as_a_whole_is_said_beside_its_lines() {
    let place = Place::new();
    let mark = "`in.jsonl` begins with a byte order mark, which makes its first line not_utf8: \
                `tail -c +4 in.jsonl > out.jsonl` takes it off";
    let empty = "the input is empty";
    for (text, expected) in [
        ("\u{feff}".to_owned() + &events(0..2), mark),
        (String::new(), empty),
        (" \n\r\n".to_owned(), empty),
    ] {
        place.write("in.jsonl", text);
        for command in ["run", "log", "process"] {
            let output = place.nozzle(command, &["in.jsonl"]).output().unwrap();
            assert!(output.status.success());
            assert!(stderr(&output).contains(expected), "{}", stderr(&output));
        }
    }
    assert_eq!(place.delivered(), each_once(1..2));
    let output = place.run(&[&place.write("in.jsonl", events(2..3))]);
    assert_eq!(stderr(&output), "");
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_told_names_standard_output() {
    let place = Place::new();
    place.write("in.jsonl", events(0..3));
    for more in [&[][..], &["--json"]] {
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let mut run = place.command(&[&["in.jsonl"], more].concat());
        let output = run.stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let said = "standard output cannot be written: No space left on device";
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    }
}

#[test]
fn files_end_in_what_they_are_unless_they_are_to_end_otherwise() {
    for (arguments, expected) in [
        (&[][..], ".jsonl"),
        (&["--compression", "gzip"], ".jsonl.gz"),
        (&["--file-extension", ".json"], ".json"),
        (&["--file-extension", "none"], ""),
        (
            &["--file-extension", ".x.gz", "--compression", "gzip"],
            ".x.gz",
        ),
    ] {
        let place = Place::new();
        place.write("in.jsonl", events(0..10) + "bad\n");
        place.summary(&[&["in.jsonl"], arguments].concat());
        for file in files(&place.path("lake/events")) {
            let name = file.file_name().unwrap().to_str().unwrap().to_owned();
            let end = name.strip_suffix(expected).unwrap();
            assert_eq!(
                end.len(),
                "nozzle-1-2026-11-26-00-00-00-".len() + 36,
                "{name}"
            );
        }
        assert_eq!(place.failed().len(), 1);
    }
    let place = Place::new();
    place.write("in.jsonl", events(0..10));
    for (extension, expected) in [
        (".gz", "give --compression gzip"),
        ("jsonl", "it must be `none`, or a dot"),
        (".a/b", "it must be `none`, or a dot"),
    ] {
        place.check_refused(&["in.jsonl", "--file-extension", extension], expected);
    }
}
