//! Events that are made to do harm: to leave their folder, to pass for another, to use up memory,
//! or every partition there is.
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
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, UNIX_EPOCH},
};

use flate2::{Compression, write::GzEncoder};
use nozzle::{
    dedup::{Answers, Claim, ClaimStore, Terms},
    functions::{
        Function, Moment, Response,
        firehose_transform::{Counts, FirehoseTransform, Settings},
    },
};
use serde_json::{Value, json};
use support::{
    folder::files,
    memory::Memory,
    requests::{Sent, request, results},
    variables::lookup,
};
use tokio::time::Instant;

/// Names that want to be more than a part of a path.
const NAMES: &[&str] = &[
    "..",
    ".",
    "...",
    "....",
    "../..",
    "../../../etc/passwd",
    "/etc/passwd",
    "//",
    "a/b",
    "a/../b",
    "\\",
    "a\\..\\b",
    "%2e%2e",
    "%2e%2e%2f",
    "%",
    "%%",
    "%25",
    "%2",
    "\u{7f}",
    "\u{9b}31m",
    "a\u{85}b",
    "a\u{2028}b",
    "\u{202e}txt.exe",
    "\u{200b}",
    "\u{feff}",
    "account",
    "Account",
    "ACCOUNT",
    "\u{430}ccount",
    "acc\u{43e}unt",
    "ａccount",
    "accoun\u{742}",
    "é",
    "e\u{301}",
    "𝐚ccount",
    "event_type=x",
    "x/year=1970",
    "year=2024",
    "=",
    "&",
    "*",
    "?",
    "~",
    "~root",
    "-rf",
    "$HOME",
    "$(id)",
    "`id`",
    "'",
    "|",
    ";",
    "#",
    "<b>",
    "{}",
    "!{timestamp}",
    "!{}",
    "__HIVE_DEFAULT_PARTITION__",
    "unknown",
    "null",
    "NULL",
    "CON",
    "nul.",
    ".nozzle",
    ".hidden",
    "_SUCCESS",
    "_",
    "a b",
    "日本語",
    "🦀",
    "\u{10ffff}",
    "\u{fffd}",
];

fn events_of(names: &[&str]) -> String {
    let events = names
        .iter()
        .map(|name| json!({ "event_uuid": "u", "event_name": name, "created_at": 0 }));
    events.map(|event| event.to_string() + "\n").collect()
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nozzle"));
    command.current_dir(folder).arg("run").args(arguments);
    command.stdin(Stdio::null()).output().unwrap()
}

#[track_caller]
fn summary(folder: &Path, arguments: &[&str]) -> Value {
    let output = run(folder, &[arguments, &["--summary", "json"]].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What stands in a folder's name, decoded as Hive does.
fn decoded(value: &str) -> String {
    let mut pieces = value.split('%');
    let mut bytes = pieces.next().unwrap().as_bytes().to_vec();
    for piece in pieces {
        bytes.push(u8::from_str_radix(&piece[..2], 16).unwrap());
        bytes.extend_from_slice(&piece.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap()
}

fn names_of(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let names = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["event_name"].clone());
    names
        .map(|name| name.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn no_name_leaves_its_folder_or_shares_another_ones() {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir(place.path().join("work")).unwrap();
    let work = place.path().join("work");
    fs::write(work.join("in.jsonl"), events_of(NAMES)).unwrap();
    let summary = summary(&work, &["in.jsonl", "--lake", "lake"]);
    assert_eq!(summary["delivered"], NAMES.len(), "{summary}");
    let events = work.join("lake/events");
    let mut found = BTreeMap::new();
    for file in files(place.path()) {
        let Ok(inside) = file.strip_prefix(&events) else {
            let own = [work.join("in.jsonl"), work.join("lake/.nozzle")];
            assert!(
                own.iter().any(|own| file.starts_with(own)),
                "{}",
                file.display()
            );
            continue;
        };
        let parts: Vec<_> = inside.iter().map(|part| part.to_str().unwrap()).collect();
        let [kind, subtype, "year=1970", "month=01", "day=01", _] = parts[..] else {
            panic!("{}", inside.display());
        };
        assert_eq!(subtype, "event_subtype=unknown");
        let name = decoded(kind.strip_prefix("event_type=").unwrap());
        assert_eq!(names_of(&file), [name.as_str()], "{kind}");
        found.insert(name, kind.to_owned());
    }
    assert_eq!(found.len(), NAMES.len(), "two names share a folder");
}

/// Fails the test if it is asked.
struct NeverAsked;

impl ClaimStore for NeverAsked {
    async fn claim(&self, claims: &[Claim<'_>], _: Terms) -> Answers {
        panic!("{} claims of events that are refused", claims.len());
    }
}

fn answer<S: ClaimStore + Sync>(
    store: S,
    settings: &[(&str, &str)],
    records: &[Sent],
) -> Response<Counts> {
    let settings = Settings::read(lookup(settings));
    let function = FirehoseTransform::new(settings.unwrap(), store);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let moment = Moment {
        now: UNIX_EPOCH + Duration::from_secs(1_789_014_301),
        deadline: Instant::now() + Duration::from_mins(5),
    };
    runtime
        .unwrap()
        .block_on(function.answer(&request(records), moment))
        .unwrap()
}

#[test]
fn made_up_types_and_dates_claim_nothing_and_open_no_partition() {
    const IN_TIME: u64 = 1_770_000_000;
    let settings = [
        ("EVENT_TYPES", "account:created,login"),
        ("EVENT_YEARS", "2020-2030"),
    ];
    let events: [fn(u64) -> (String, u64); 5] = [
        |n| (format!("type{n}"), IN_TIME),
        |n| (format!("account:created{n}"), IN_TIME),
        |n| (format!("account:{n}"), IN_TIME),
        |n| ("login".to_owned(), 86_400 * n),
        |n| ("account:created".to_owned(), 4_000_000_000 + 86_400 * n),
    ];
    for event in events {
        let records: Vec<_> = (0..10_000)
            .map(|n| {
                let (name, time) = event(n);
                let event = json!({ "event_uuid": "u", "event_name": name, "created_at": time });
                Sent::new(&n.to_string(), 1, &event.to_string())
            })
            .collect();
        let answer = answer(NeverAsked, &settings, &records);
        let results = results(&answer.body);
        assert!(
            results
                .iter()
                .all(|(_, result)| result == "ProcessingFailed")
        );
        assert_eq!(results.len(), 10_000);
    }
}

/// What becomes of two events in one batch: `OO` if they are two, `OD` if they are one.
#[track_caller]
fn check_pair(identity: &str, [first, second]: [&str; 2], expected: &str) {
    let records = [Sent::new("1", 1, first), Sent::new("2", 2, second)];
    let answer = answer(Memory::default(), &[("EVENT_IDENTITY", identity)], &records);
    let letters: String = results(&answer.body)
        .iter()
        .map(|(_, result)| &result[..1])
        .collect();
    assert_eq!(letters, expected, "{first} and {second}");
}

/// An event of three values as they are spelled in JSON.
fn event([uuid, name, time]: [&str; 3]) -> String {
    format!(r#"{{"event_uuid":{uuid},"event_name":{name},"created_at":{time}}}"#)
}

#[test]
fn no_event_passes_for_another() {
    let plain = [r#""u""#, r#""a:b""#, "1712511721"];
    let second = "1712511721";
    for (first, other) in [
        // Text that looks like the border between two parts.
        (
            [r#""u\",\"a""#, r#""b""#, second],
            [r#""u""#, r#""a\",\"b""#, second],
        ),
        (
            [r#""u\",\"a\",1]""#, r#""b""#, second],
            [r#""u""#, r#""a""#, second],
        ),
        (
            [r#""u\\""#, r#"",a""#, second],
            [r#""u""#, r#""\\\",a""#, second],
        ),
        (
            [r#""u:a""#, r#""b""#, second],
            [r#""u""#, r#""a:b""#, second],
        ),
        ([r#""ua""#, r#""b""#, second], [r#""u""#, r#""ab""#, second]),
        // Text that looks alike.
        (plain, [r#""U""#, plain[1], second]),
        (plain, [r#"" u""#, plain[1], second]),
        (plain, [r#""u ""#, plain[1], second]),
        (plain, [r#""u\u200b""#, plain[1], second]),
        (plain, [r#""u\u007f""#, plain[1], second]),
        (plain, ["\"\u{ff55}\"", plain[1], second]),
        (
            ["\"\u{e9}\"", plain[1], second],
            ["\"e\u{301}\"", plain[1], second],
        ),
        (
            ["\"K\"", plain[1], second],
            ["\"\u{212a}\"", plain[1], second],
        ),
        (plain, [plain[0], r#""a: b""#, second]),
        (plain, [plain[0], r#""a:b:""#, second]),
        (
            [plain[0], r#""a""#, second],
            [plain[0], r#""a:unknown""#, second],
        ),
        // Time that is nearly the same.
        (plain, [plain[0], plain[1], "1712511721.000000001"]),
        (plain, [plain[0], plain[1], "1712511722"]),
        (plain, [plain[0], plain[1], "171251172100"]),
        (
            [plain[0], plain[1], "99999999999"],
            [plain[0], plain[1], "100000000000"],
        ),
    ] {
        check_pair("event", [&event(first), &event(other)], "OO");
    }
}

#[test]
fn no_spelling_makes_two_events_of_one() {
    for time in [
        "1712511721.0",
        "1712511721.000000000",
        "1.712511721e9",
        "17125117210e-1",
        "1712511721000",
        "1712511721000.0",
        "1712511721000000",
        "1712511721000000000",
        "1712511721.0000000001",
        r#""1712511721""#,
        r#""2024-04-07T17:42:01Z""#,
        r#""2024-04-07 17:42:01""#,
        r#""2024-04-07T17:42:01.000+00:00""#,
        r#""2024-04-07T19:42:01+02:00""#,
        r#""2024-04-08T05:41:01+11:59""#,
        r#""2024-04-07t17:42:01z""#,
        r#""2024-04-07T17:42:01-00:00""#,
    ] {
        let [plain, other] = ["1712511721", time].map(|time| event([r#""u""#, r#""a:b""#, time]));
        check_pair("event", [&plain, &other], "OD");
    }
    let plain = event([r#""u/é""#, r#""a:b""#, "1"]);
    let escaped = event([r#""\u0075\/\u00e9""#, r#""\u0061\u003ab""#, "1"]);
    check_pair("event", [&plain, &escaped], "OD");
    check_pair("uuid", [&plain, &escaped], "OD");
}

#[test]
fn by_uuid_alone_nothing_else_tells_events_apart() {
    let plain = event([r#""u""#, r#""a:b""#, "1"]);
    let renamed = event([r#""\u0075""#, r#""c\",\"d""#, "\"2024-04-07T17:42:01Z\""]);
    check_pair("uuid", [&plain, &renamed], "OD");
    for uuid in [r#""u\"]""#, r#""u\\""#, r#""[\"u\"]""#, r#""U""#, r#""u ""#] {
        check_pair("uuid", [&plain, &event([uuid, r#""a:b""#, "1"])], "OO");
    }
}

#[test]
fn huge_numbers_and_dates_are_refused_whatever_their_spelling() {
    let digits = "9".repeat(100_000);
    for (time, expected) in [
        ("1e999999999999999999999", "created_at_out_of_range"),
        ("-1e999999999999999999999", "created_at_out_of_range"),
        (&*digits, "created_at_out_of_range"),
        (&*format!("-{digits}"), "created_at_out_of_range"),
        ("\"10000-01-01T00:00:00Z\"", "created_at_unreadable"),
        ("\"+292277026596-12-04T15:30:08Z\"", "created_at_unreadable"),
        ("\"9999-12-31T23:59:59-23:59\"", "created_at_out_of_range"),
        ("\"1970-01-01T00:00:00+00:01\"", "created_at_out_of_range"),
        ("-0.000000001", "created_at_out_of_range"),
        ("\"NaN\"", "created_at_unreadable"),
        ("\"Infinity\"", "created_at_unreadable"),
    ] {
        let records = [Sent::new("1", 1, &event([r#""u""#, r#""a""#, time]))];
        let answer = answer(NeverAsked, &[], &records);
        let refused: Vec<_> = answer
            .counts
            .refused
            .keys()
            .map(|refusal| refusal.as_str())
            .collect();
        assert_eq!(refused, [expected], "{}", &time[..time.len().min(60)]);
    }
}

/// What a run of any input may need, in kilobytes.
#[cfg(target_os = "linux")]
const MEMORY_MAX: u64 = 150_000;

#[cfg(target_os = "linux")]
/// The most memory that a run of this input had, and its summary.
fn memory_of(folder: &Path, input: &str) -> (u64, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nozzle"));
    command
        .current_dir(folder)
        .args(["run", input, "--summary", "json"]);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse().ok());
        most = most.max(peak.unwrap_or(0));
        std::thread::yield_now();
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    (most, serde_json::from_slice(&output.stdout).unwrap())
}

/// One long line is asked of in `run.rs`; here it is their number that grows a thousandfold.
#[cfg(target_os = "linux")]
#[test]
fn lines_that_unpack_without_end_take_no_more_memory_than_others() {
    let place = tempfile::tempdir().unwrap();
    let blank = " \n".repeat(2_000_000);
    let broken = "[\n".repeat(40_000);
    let copies = (event([r#""u""#, r#""a""#, "1"]) + "\n").repeat(40_000);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    for lines in [blank, broken, copies] {
        encoder.write_all(lines.as_bytes()).unwrap();
    }
    let packed = encoder.finish().unwrap();
    assert!(packed.len() < 200_000, "{}", packed.len());
    fs::write(place.path().join("bomb.gz"), &packed).unwrap();
    let (memory, summary) = memory_of(place.path(), "bomb.gz");
    assert!(memory < MEMORY_MAX, "{memory} kB");
    assert_eq!(summary["records"], 80_000, "{summary}");
    assert_eq!(summary["delivered"], 1, "{summary}");
}

#[test]
fn a_bomb_in_a_bomb_is_not_unpacked_twice() {
    let place = tempfile::tempdir().unwrap();
    let pack = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let inner = pack(event([r#""u""#, r#""a""#, "1"]).as_bytes());
    fs::write(place.path().join("in.gz"), pack(&inner)).unwrap();
    let summary = summary(place.path(), &["in.gz"]);
    assert_eq!(summary["delivered"], 0, "{summary}");
}

#[test]
fn what_is_no_gzip_or_a_damaged_one_is_said() {
    let place = tempfile::tempdir().unwrap();
    let event = event([r#""u""#, r#""a""#, "1"]) + "\n";
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(event.as_bytes()).unwrap();
    let whole = encoder.finish().unwrap();
    let mut wrong_sum = whole.clone();
    wrong_sum[whole.len() - 6] ^= 1;
    let not_gzip = "it is not gzip, though its name ends in .gz";
    let damaged = "its gzip is cut off or damaged";
    for (name, bytes, says) in [
        ("plain.gz", event.as_bytes(), not_gzip),
        ("empty.gz", b"", not_gzip),
        ("half.gz", &whole[..whole.len() / 2], damaged),
        ("sum.gz", &wrong_sum, damaged),
        ("more.gz", &[&whole, event.as_bytes()].concat(), damaged),
    ] {
        fs::write(place.path().join(name), bytes).unwrap();
        let output = run(place.path(), &[name]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(&format!("`{name}` cannot be read")), "{said}");
        assert!(said.contains(says), "{name}: {said}");
    }
}
