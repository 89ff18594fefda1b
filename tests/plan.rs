//! `nozzle plan`, as a person runs it, held against what the function and the store do.
#![cfg(feature = "tool")]
#![expect(clippy::expect_used, reason = "a test may panic")]

mod support;

use std::{
    env, fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/events.jsonl");
const NOZZLE: &str = env!("CARGO_BIN_EXE_nozzle");

fn plan(arguments: &[&str]) -> Output {
    let mut command = Command::new(NOZZLE);
    command.arg("plan").args(arguments);
    command.output().expect("the tool runs")
}

#[track_caller]
fn printed(arguments: &[&str]) -> String {
    let output = plan(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert_eq!(stderr, "");
    String::from_utf8(output.stdout).expect("text")
}

#[track_caller]
fn planned(arguments: &[&str]) -> Value {
    let text = printed(&[arguments, &["--json"]].concat());
    serde_json::from_str(&text).expect("one JSON object")
}

#[track_caller]
fn check_refused(arguments: &[&str], code: i32, expected: &str) {
    let output = plan(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert!(stderr.contains(expected), "{stderr}");
    assert_eq!(output.stdout, b"");
}

#[track_caller]
fn check_near(actual: &Value, expected: f64, tolerance: f64) {
    let number = actual.as_f64().expect("a number");
    assert!(
        (number - expected).abs() <= tolerance,
        "{actual}, not {expected}"
    );
}

const LOAD: [&str; 4] = ["--events-per-second", "1000", "--bytes", "3072"];

/// 2,592 million events of 3 KiB in 30 days, by the facts alone: 12,359.62 GB in steps of 5 KB at
/// 0.029 $; 2,592 million writes at 0.625 $ a million; 3 KiB and 99 bytes delivered are 7,654.8 GB
/// at 0.020 $; a year of them, by 5, are 18,626.6 GB at 0.023 $.
#[test]
fn the_cost_is_what_comes_out_by_hand() {
    let plan = planned(&LOAD);
    let plan = &plan["plans"][0];
    check_near(&plan["load"]["line_bytes"], 3_171.0, 0.0);
    let cost = &plan["cost"];
    check_near(&cost["firehose_ingest"], 358.43, 0.005);
    check_near(&cost["claims"], 1_620.0, 0.005);
    check_near(&cost["dynamic_partitioning_bytes"], 153.10, 0.005);
    check_near(&cost["s3_storage"], 428.41, 0.005);
    check_near(&cost["format_conversion"], 0.0, 0.0);
    let parts = cost.as_object().expect("parts").values();
    let total: f64 = parts.filter_map(Value::as_f64).sum();
    check_near(&plan["cost_total"], total, 1e-6);
    check_near(&plan["cost_per_million_events"], total / 2_592.0, 1e-6);
}

#[test]
fn scales_stand_beside_the_load_with_what_has_to_change() {
    let arguments = [&LOAD[..], &["--scale", "1000", "--scale", "0.001"]].concat();
    let text = printed(&arguments);
    let columns: Vec<_> = text.lines().next().expect("a line").split("  ").collect();
    let columns: Vec<_> = columns
        .iter()
        .map(|column| column.trim())
        .filter(|column| !column.is_empty())
        .collect();
    assert_eq!(columns, ["x 0.001", "as given", "x 1,000"]);
    for scale in ["x 0.001", "as given", "x 1,000"] {
        let title = format!("What must be done first ({scale})");
        assert!(text.lines().any(|line| line == title), "{title} in\n{text}");
    }
    let plans = planned(&arguments);
    let events = [1.0, 1e3, 1e6];
    for (plan, events) in plans["plans"].as_array().expect("plans").iter().zip(events) {
        check_near(&plan["load"]["events_per_second"], events, 1e-9);
        let mut advice = plan["advice"].as_array().expect("advice").iter();
        let must = advice.any(|advice| advice["weight"] == "must");
        assert_eq!(must, events > 1.0, "{plan}");
    }
    let lists = planned(&[&LOAD[..], &["--scale", "0.001,1,1000"]].concat());
    assert_eq!(plans, lists);
}

/// What it comes to and what cannot wait fit two screens of 24 rows; nothing else is told unasked.
#[test]
fn the_total_and_what_must_be_done_come_first() {
    let text = printed(&[&LOAD[..], &["--scale", "0.001", "--scale", "1000"]].concat());
    let rows: Vec<_> = text.lines().collect();
    assert!(rows.len() <= 48, "{text}");
    let together = rows.iter().find(|row| row.starts_with("  together "));
    assert!(together.is_some_and(|row| row.ends_with(" $")), "{text}");
    let musts = text.split("What must be done first").skip(1);
    let [less, given, more]: [&str; 3] = musts.collect::<Vec<_>>().try_into().expect("three");
    assert!(
        less.contains("  -  nothing") && given.contains("  -  ask AWS"),
        "{text}"
    );
    assert!(more.contains("  -  warm the claim table up"), "{text}");
    assert!(text.contains("lines for a .tfvars file") && !text.contains("Taken for granted"));
}

/// Names with dots are types, all of the subtype `unknown`: to leave that out changes nothing.
#[test]
fn what_the_settings_file_says_of_events_holds_and_is_among_the_lines() {
    let folder = tempfile::tempdir().expect("a folder");
    let events = (0..90).map(|number| {
        let name = number % 9;
        format!("{{\"id\":\"{number}\",\"type\":\"shop.order.{name}\",\"at\":1764200000}}\n")
    });
    let sample = folder.path().join("events.jsonl");
    std::fs::write(&sample, events.collect::<String>()).expect("written");
    let settings = "event_fields = [\"id\", \"type\", \"at\"]\ncompression = \"none\"\n";
    std::fs::write(folder.path().join("nozzle.toml"), settings).expect("written");
    let mut nozzle = Command::new(NOZZLE);
    nozzle.current_dir(folder.path()).args(["plan", "--all"]);
    nozzle.args(["--events-per-second", "58", "--sample", "events.jsonl"]);
    let output = nozzle.output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for expected in [
        "  event_fields = [\"id\", \"type\", \"at\"]\n",
        "leave event_type out of partition_keys",
        "  prices: us-east-1, list of ",
        "  -  nothing, by the quotas of us-east-1 (--region)\n",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert!(!text.contains("leave event_subtype"), "{text}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        said.matches("no event_name has a colon").count(),
        1,
        "{said}"
    );
}

/// Of more than three scales the others are counted, so that they fit as well.
#[test]
fn many_scales_stay_short() {
    let scales = ["--scale", "0.001,0.1,10,100,1000"];
    let text = printed(&[&LOAD[..], &scales].concat());
    assert!(text.lines().count() <= 48, "{text}");
    assert!(
        text.contains("What must be done first (as given)\n  -  ask AWS"),
        "{text}"
    );
    let plans = planned(&[&LOAD[..], &scales].concat());
    let advice = plans["plans"][5]["advice"]
        .as_array()
        .expect("advice")
        .iter();
    let musts = advice.filter(|advice| advice["weight"] == "must").count();
    let most = format!("  -  x 1,000: {musts} things\n");
    for line in ["  -  x 0.001: nothing\n", &most] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

#[test]
fn all_of_it_fits_a_terminal_of_80_columns_with_three_scales() {
    let more = [
        "--scale",
        "0.001,1000",
        "--source",
        "kinesis",
        "--format",
        "parquet",
        "--event-log",
        "--counters",
        "300",
        "--buffer-megabytes",
        "128",
        "--buffer-seconds",
        "900",
        "--all",
    ];
    let text = printed(&[&LOAD[..], &more].concat());
    let (_, table) = text.split_once("\nLoad\n").expect("figures");
    let (table, _) = table.split_once("\nFor terraform").expect("lines");
    let too_long = table.lines().find(|line| line.chars().count() > 80);
    assert_eq!(too_long, None);
    let others = text.lines().find(|line| line.chars().count() > 100);
    assert_eq!(others, None);
    assert!(!text.contains('\u{1b}'), "colours where nobody sees them");
    for section in [
        "Cost of a month",
        "What had better be done (as given)",
        "Load",
        "Function",
        "Claim table",
        "Claims by the write or the unit",
        "Lake",
        "Taken for granted",
        "Not counted",
    ] {
        assert!(
            text.lines().any(|line| line == section),
            "{section} in\n{text}"
        );
    }
    assert!(text.contains("check before quoting"), "{text}");
    assert!(
        text.lines()
            .any(|line| line == "  transform_buffer_seconds = 30"),
        "{text}"
    );
}

fn settings() -> [&'static str; 2] {
    ["--event-years", "2020-2030"]
}

/// 278 events a second are 450.36 $ of writes; 398 units are 186.26 $, 834 for the peak 390.31 $.
#[test]
fn claims_are_priced_both_ways() {
    let load = ["--events-per-second", "278", "--bytes", "420"];
    let ways = |more: &[&str]| planned(&[&load[..], more].concat())["plans"][0].clone();
    let plan = ways(&[]);
    let billing = &plan["claim_billing"];
    check_near(&billing["on_demand"], 450.36, 0.005);
    check_near(&billing["provisioned"], 186.26, 0.005);
    check_near(&billing["provisioned_at_peak"], 390.31, 0.005);
    assert_eq!(billing["cheaper"], "provisioned");
    check_near(&plan["cost"]["claims"], 450.36, 0.005);
    let units = ways(&["--claim-capacity", "auto"]);
    check_near(&units["cost"]["claims"], 186.26, 0.005);
    let bursts = ways(&["--peak-factor", "20"]);
    assert_eq!(
        bursts["claim_billing"]["cheaper"],
        "provisioned-for-slow-peaks"
    );
    assert_eq!(
        ways(&["--scale", "0.01"])["claim_billing"]["cheaper"],
        "on-demand"
    );
}

/// The sample's numbers are those of a run over the same file.
#[test]
fn a_sample_is_measured_as_the_function_judges_it() {
    let lake = tempfile::tempdir().expect("a folder");
    let run = Command::new(NOZZLE)
        .args(["run", SAMPLE, "--summary", "json", "--lake"])
        .arg(lake.path())
        .args(settings())
        .output()
        .expect("the tool runs");
    let run: Value = serde_json::from_slice(&run.stdout).expect("a summary");
    let count = |value: &Value| value.as_f64().expect("a count");
    let refused: f64 = run["refused"]
        .as_object()
        .expect("reasons")
        .values()
        .map(count)
        .sum();

    let load = ["--events-per-second", "1000", "--sample", SAMPLE];
    let plan = planned(&[&load[..], &settings()].concat());
    let sample = &plan["sample"];
    check_near(&sample["records"], count(&run["records"]), 0.0);
    check_near(&sample["duplicates"], count(&run["duplicates"]), 0.0);
    check_near(&sample["refused"], refused, 0.0);
    check_near(
        &sample["partitions_with_time"],
        count(&run["partitions"]),
        0.0,
    );
    let load = &plan["plans"][0]["load"];
    check_near(
        &load["duplicate_share"],
        count(&run["duplicates"]) / count(&run["records"]),
        1e-12,
    );
    check_near(
        &load["record_bytes"],
        count(&run["bytes_in"]) / count(&run["records"]),
        2.0,
    );
    // Duplicates are in the one mean and not in the other.
    check_near(
        &load["line_bytes"],
        count(&run["bytes_out"]) / count(&run["delivered"]),
        5.0,
    );
}

#[test]
fn a_sample_may_be_packed_or_a_folder_or_standard_input() {
    let folder = tempfile::tempdir().expect("a folder");
    let packed = folder.path().join("events.jsonl.gz");
    let bytes = fs::read(SAMPLE).expect("the sample");
    let file = fs::File::create(&packed).expect("a file");
    let mut writer = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    std::io::Write::write_all(&mut writer, &bytes).expect("it is written");
    writer.finish().expect("it is written");

    let of = |sample: &str| planned(&["--events-per-second", "5", "--sample", sample]);
    let plain = of(SAMPLE);
    assert_eq!(of(packed.to_str().expect("a path")), plain);
    assert_eq!(of(folder.path().to_str().expect("a path")), plain);
    let piped = Command::new(NOZZLE)
        .args([
            "plan",
            "--events-per-second",
            "5",
            "--sample",
            "-",
            "--json",
        ])
        .stdin(fs::File::open(SAMPLE).expect("the sample"))
        .output()
        .expect("the tool runs");
    assert_eq!(
        serde_json::from_slice::<Value>(&piped.stdout).expect("JSON"),
        plain
    );
}

/// Small and large events, not two of them alike.
fn mixed_events(file: &Path) {
    let event = |number: usize| {
        let page = if number.is_multiple_of(10) {
            "x".repeat(900)
        } else {
            String::new()
        };
        format!(
            r#"{{"event_uuid":"{number}","event_name":"a/b:{number}","created_at":0,"p":"{page}"}}"#
        )
    };
    let events: Vec<_> = (0..30_000).map(event).collect();
    fs::write(file, events.join("\n")).expect("a file");
}

/// A run in batches of the size that is advised has no overflow, nor have the smallest events alone.
#[test]
fn the_batch_that_is_advised_for_a_sample_overflows_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mixed = folder.path().join("mixed.jsonl");
    mixed_events(&mixed);
    let small = folder.path().join("small.jsonl");
    let text = fs::read_to_string(&mixed).expect("events");
    let lines: Vec<_> = text.lines().filter(|line| line.len() < 200).collect();
    fs::write(&small, lines.join("\n")).expect("a file");

    let path = mixed.to_str().expect("a path");
    let keys = ["--partition-keys", "event_type,year,month,day"];
    let plan = planned(
        &[
            &["--events-per-second", "1000", "--sample", path],
            &keys[..],
        ]
        .concat(),
    );
    let megabytes = plan["plans"][0]["function"]["batch_megabytes"]
        .as_f64()
        .expect("a size");
    let overflow = |file: &Path, megabytes: f64| {
        let lake = tempfile::tempdir().expect("a folder");
        let run = Command::new(NOZZLE)
            .arg("run")
            .arg(file)
            .args([
                "--summary",
                "json",
                "--batch-mb",
                &megabytes.to_string(),
                "--lake",
            ])
            .arg(lake.path())
            .args(keys)
            .output()
            .expect("the tool runs");
        let run: Value = serde_json::from_slice(&run.stdout).expect("a summary");
        run["overflow"].as_u64().expect("a count")
    };
    assert_eq!(overflow(&mixed, megabytes), 0, "{megabytes}");
    assert_eq!(overflow(&small, megabytes), 0, "{megabytes}");
    assert!(overflow(&small, megabytes + 0.3) > 0, "{megabytes}");
}

#[test]
fn a_price_list_can_be_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("prices.json");
    let path = file.to_str().expect("a path");
    let ours = printed(&["--show-prices"]);
    fs::write(&file, &ours).expect("a file");
    let with_file = [&LOAD[..], &["--prices", path]].concat();
    assert_eq!(planned(&with_file), planned(&LOAD));

    let dearer = ours
        .replace("0.029", "0.058")
        .replace("us-east-1", "eu-central-1");
    fs::write(&file, dearer).expect("a file");
    let plan = planned(&with_file);
    check_near(&plan["plans"][0]["cost"]["firehose_ingest"], 716.86, 0.005);
    assert_eq!(plan["prices"]["region"], "eu-central-1");
    // And with the region its quota.
    check_near(
        &plan["plans"][0]["intake"]["quota"]["bytes"],
        1_048_576.0,
        0.0,
    );

    fs::write(&file, ours.replace("s3_per_thousand_puts", "s3_puts")).expect("a file");
    check_refused(&with_file, 2, "is no price list: unknown field `s3_puts`");
    fs::remove_file(&file).expect("the file is there");
    check_refused(
        &with_file,
        2,
        &format!("--prices `{path}` cannot be read: No such file"),
    );
}

#[test]
fn nonsense_is_refused() {
    let load = ["--events-per-second", "10", "--bytes", "420"];
    for (more, expected) in [
        (["--scale", "0"], "invalid value '0' for '--scale <FACTOR>'"),
        (["--scale", "-1"], "invalid value '-1'"),
        (
            ["--duplicate-share", "1.1"],
            "it must be a number from 0 to 1",
        ),
        (
            ["--refused-share", "-0.1"],
            "it must be a number from 0 to 1",
        ),
        (
            ["--refused-share", "NaN"],
            "it must be a number from 0 to 1",
        ),
        (["--peak-factor", "0.5"], "it must be a number from 1 to"),
        (["--partitions-per-hour", "0"], "invalid value '0'"),
        (
            ["--transform-buffer-megabytes", "1"],
            "but not 1: Firehose does not store",
        ),
        (
            ["--transform-buffer-megabytes", "3.1"],
            "it must be from 0.2 to 3",
        ),
        (["--transform-buffer-seconds", "60"], "but not 60"),
        (
            ["--buffer-seconds", "59"],
            "it must be a whole number from 60 to 900",
        ),
        (["--all", "--json"], "cannot be used with '--json'"),
        (["--region", "nirvana"], "such as eu-central-1"),
        (["--region", "eu-central-"], "such as eu-central-1"),
        (["--region", "Eu-central-1"], "such as eu-central-1"),
        (["--sample", SAMPLE], "cannot be used with"),
    ] {
        check_refused(&[&load[..], &more].concat(), 2, expected);
    }
    check_refused(&["--bytes", "420"], 2, "--events-per-second <NUMBER>");
    check_refused(
        &["--events-per-second", "1000"],
        2,
        "<--bytes <NUMBER>|--sample <FILE>>",
    );
    check_refused(
        &["--events-per-second", "inf", "--bytes", "420"],
        2,
        "invalid value 'inf'",
    );
    check_refused(
        &["--events-per-second", "1", "--bytes", "-5"],
        2,
        "invalid value '-5'",
    );
    check_refused(
        &["--events-per-second", "1", "--bytes", "20"],
        2,
        "nozzle: --bytes: 20 are too few; an event with this name has at least 64",
    );
    check_refused(
        &[
            &load[..],
            &["--duplicate-share", "0.6", "--refused-share", "0.5"],
        ]
        .concat(),
        2,
        "--duplicate-share 0.6 and --refused-share 0.5 are more than 1 together",
    );
    check_refused(
        &["--events-per-second", "1", "--sample", "no-such-file"],
        2,
        "--sample `no-such-file`: there is no file or folder `no-such-file`",
    );
}

/// In a folder with what they name.
#[test]
fn every_example_of_the_help_works() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(SAMPLE, folder.path().join("events.jsonl")).expect("a sample");
    fs::create_dir(folder.path().join("logs")).expect("a folder");
    fs::copy(SAMPLE, folder.path().join("logs/one.jsonl")).expect("a sample");
    let help = printed(&["--help"]).replace("\\\n", " ");
    let examples: Vec<_> = help
        .lines()
        .filter(|line| line.starts_with("  nozzle plan "))
        .collect();
    assert_eq!(examples.len(), 7, "{help}");
    let bin = Path::new(NOZZLE).parent().expect("a folder");
    for example in examples {
        let output = Command::new("sh")
            .args(["-c", &format!("PATH={}:$PATH; {example}", bin.display())])
            .current_dir(folder.path())
            .output()
            .expect("a shell");
        assert!(output.status.success(), "{example}: {output:?}");
        assert_eq!(output.stderr, b"", "{example}");
    }
    assert!(folder.path().join("prices.json").exists());
}

/// The real store, and what it asks the table for: each statement is billed as a write.
#[cfg(feature = "dynamodb")]
mod write_units {
    use nozzle::dedup::{Claim, ClaimStore, Owner, Terms};
    use tokio::time::{Duration, Instant};

    use super::{
        check_near, planned,
        support::{
            client::store_behind,
            proxy::{Fault, Proxy},
        },
    };

    #[tokio::test(start_paused = true)]
    async fn the_store_asks_as_often_as_is_planned() {
        let (new, duplicates) = (940, 60);
        let proxy = Proxy::in_memory();
        let store = store_behind(&proxy);
        let ids: Vec<_> = (0..new).map(|number| format!("[\"{number}\"]")).collect();
        let terms = Terms {
            now_seconds: 1_800_000_000,
            ttl_seconds: 1_800_086_400,
            deadline: Instant::now() + Duration::from_mins(1),
        };
        let owned_by = |record: &str, count: usize| -> Vec<Claim<'_>> {
            let owner = Owner::of(record, None, record.as_bytes());
            let ids = ids.iter().take(count);
            ids.map(|id| Claim {
                identity: id,
                led_by: None,
                owner,
            })
            .collect()
        };
        store.claim(&owned_by("first", new), terms).await;
        let mut statements: usize = proxy.requests().iter().sum();
        proxy.play(|_| Fault::Pass);
        store.claim(&owned_by("copy", duplicates), terms).await;
        statements += proxy.requests().iter().sum::<usize>();

        let load = [
            "--events-per-second",
            "1000",
            "--bytes",
            "420",
            "--duplicate-share",
            "0.06",
        ];
        let plan = planned(&load);
        let units = &plan["plans"][0]["claims"]["write_units_per_second"];
        check_near(
            units,
            f64::from(u32::try_from(statements).expect("few")),
            1e-6,
        );
    }
}
