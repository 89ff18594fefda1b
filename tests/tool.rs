//! What holds for every command of the tool: its settings, how it speaks, and how it ends.

#![cfg(feature = "tool")]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::{fs, path::Path, process::Output};

use serde_json::Value;
use support::place::{Place, stderr};

const EVENT: &str = r#"{"event_uuid":"1","event_name":"a:b","created_at":1770000000}"#;

/// What is called with these variables says, and how it ends.
fn call(place: &Place, command: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = place.nozzle(command, arguments);
    command.envs(variables.iter().copied()).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Of `nozzle settings`: value, and where it is from.
#[track_caller]
fn check_held(
    place: &Place,
    arguments: &[&str],
    variables: &[(&str, &str)],
    expected: &[(&str, &str, &str)],
) {
    let output = call(
        place,
        "settings",
        &[arguments, &["--json"]].concat(),
        variables,
    );
    assert!(output.status.success(), "{}", stderr(&output));
    let held: Value = serde_json::from_slice(&output.stdout).unwrap();
    for (setting, value, from) in expected {
        let is_held = held["settings"].as_array().unwrap().iter().any(|held| {
            held["setting"] == *setting && held["value"] == *value && held["from"] == *from
        });
        assert!(is_held, "{setting}: {held:#}");
    }
}

#[test]
fn a_variable_wins_over_the_file_and_the_file_over_the_default() {
    let place = Place::new();
    let defaults = [
        ("lake", "lake", "default"),
        ("flush_mb", "128", "default"),
        ("flush_mb", "16", "default"),
        ("event_years", "1970-9999", "default"),
        ("color", "auto", "default"),
    ];
    check_held(&place, &[], &[], &defaults);
    place.write(
        "nozzle.toml",
        "lake = 'mine'\nevent_types = ['a:b', 'c']\n[run]\nflush_mb = 7",
    );
    let of_file = [
        ("lake", "mine", "nozzle.toml, line 1"),
        ("event_types", "a:b,c", "nozzle.toml, line 2"),
        ("flush_mb", "7", "nozzle.toml, line 4"),
        ("flush_mb", "16", "default"),
    ];
    check_held(&place, &[], &[], &of_file);
    let variables = [("NOZZLE_LAKE", "theirs"), ("NOZZLE_FLUSH_MB", "8")];
    let of_variables = [
        ("lake", "theirs", "NOZZLE_LAKE"),
        ("flush_mb", "8", "NOZZLE_FLUSH_MB"),
        ("event_types", "a:b,c", "nozzle.toml, line 2"),
    ];
    check_held(&place, &[], &variables, &of_variables);
    place.write("other.toml", "\nlake = 'other'");
    let of_other = [
        ("lake", "other", "other.toml, line 2"),
        ("flush_mb", "128", "default"),
    ];
    check_held(&place, &["--config", "other.toml"], &[], &of_other);
    check_held(&place, &[], &[("NOZZLE_CONFIG", "other.toml")], &of_other);
}

#[test]
fn what_is_set_holds_and_a_flag_wins() {
    let place = Place::new();
    place.write("in.jsonl", EVENT);
    place.write(
        "nozzle.toml",
        "lake = 'mine'\njson = true\nevent_years = '2030-2040'",
    );
    let refused = call(&place, "run", &["in.jsonl"], &[]);
    let summary: Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert_eq!(summary["refused"]["event_year_out_of_range"], 1);
    assert!(place.path("mine").is_dir());
    let flags = ["in.jsonl", "--lake", "yours", "--event-years", "2020-2030"];
    let delivered = call(&place, "run", &flags, &[("NOZZLE_LAKE", "theirs")]);
    let summary: Value = serde_json::from_slice(&delivered.stdout).unwrap();
    assert_eq!(summary["delivered"], 1);
    assert!(place.path("yours").is_dir() && !place.path("theirs").exists());

    // What a command line must have may be set, too.
    place.write("nozzle.toml", "[redrive]\nto = 'lake:yours'\njson = false");
    let redrive = call(&place, "redrive", &["mine/errors"], &[]);
    assert!(redrive.status.success(), "{}", stderr(&redrive));
}

#[track_caller]
fn check_wrong(place: &Place, file: &str, variables: &[(&str, &str)], expected: &str) {
    place.write("nozzle.toml", file);
    let output = call(place, "run", &["in.jsonl"], variables);
    let said = stderr(&output);
    assert!(said.starts_with(&format!("nozzle: {expected}")), "{said}");
    assert_eq!(output.status.code(), Some(2), "{file}");
}

#[test]
fn a_wrong_setting_is_named_with_its_place() {
    let place = Place::new();
    let check = |file: &str, variables: &[(&str, &str)], expected: &str| {
        check_wrong(&place, file, variables, expected);
    };
    check(
        "\nflush_mbs = 1",
        &[],
        "nozzle.toml, line 2: there is no setting `flush_mbs`; did you mean `flush_mb`?",
    );
    check(
        "flush-mb = 1",
        &[],
        "nozzle.toml, line 1: there is no setting `flush-mb`; did you mean `flush_mb`?",
    );
    check(
        "flush_mb = 0",
        &[],
        "nozzle.toml, line 1: `flush_mb` is \"0\"; it must be a whole number from 1 to 10000",
    );
    check(
        "compression = 'zip'",
        &[],
        "nozzle.toml, line 1: `compression` is \"zip\"; it must be one of none, gzip",
    );
    check(
        "[run]\nevent_years = '20'",
        &[],
        "nozzle.toml, line 2: `event_years` is \"20\"; it must be a first and a last year \
         within 1970-9999, such as 2020-2030",
    );
    check(
        "[explain]\nflush_mb = 1",
        &[],
        "nozzle.toml, line 2: explain has no `flush_mb` that can be set",
    );
    check(
        "execute = true",
        &[],
        "nozzle.toml, line 1: there is no setting `execute`; it must be one of lake, claims,",
    );
    check(
        "",
        &[("NOZZLE_JSON", "yes")],
        "NOZZLE_JSON: `json` is \"yes\"; it must be one of true, false",
    );
    let missing = call(&place, "run", &["--config", "nowhere.toml"], &[]);
    let expected = "nozzle: the settings file `nowhere.toml` cannot be read: ";
    assert!(
        stderr(&missing).starts_with(expected),
        "{}",
        stderr(&missing)
    );
}

#[test]
fn help_and_version_are_there_whatever_is_set() {
    let place = Place::new();
    place.write("nozzle.toml", "unknown = 1");
    for (command, arguments, begins) in [
        ("--version", &[][..], "nozzle "),
        ("--help", &[], "Puts an event stream"),
        ("help", &["run"], "Put events into a lake"),
        ("settings", &["--help"], "Show "),
    ] {
        let output = call(&place, command, arguments, &[]);
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(stdout(&output).starts_with(begins), "{}", stdout(&output));
    }
}

#[test]
fn what_is_no_text_or_empty_or_of_no_command_is_wrong() {
    let place = Place::new();
    for (file, expected) in [
        (
            "lake = 5",
            "line 1: `lake` is 5, which is no text; did you mean `lake = \"5\"`?",
        ),
        ("lake = true", "line 1: `lake` is true, which is no text"),
        (
            "lake = ['a', 'b']",
            "line 1: `lake` is a list, of \"a,b\"; it must be one value",
        ),
        (
            "flush_mb = ['7']",
            "line 1: `flush_mb` is a list, of \"7\"; it must be one value",
        ),
        (
            "event_types = 5",
            "line 1: `event_types` is 5, which is no text",
        ),
        (
            "lake = 0x10",
            "line 1: `lake` is 0x10; it must be text, a number",
        ),
        ("lake = ''", "line 1: `lake` is \"\"; it must have a value"),
        (
            "event_types = []",
            "line 1: `event_types` is \"\"; it must have a value",
        ),
        (
            "\n[runn]",
            "line 2: there is no command `runn`; did you mean `run`?",
        ),
        (
            "[runn]\nlake = 'a'",
            "line 1: there is no command `runn`; did you mean `run`?",
        ),
    ] {
        check_wrong(&place, file, &[], &format!("nozzle.toml, {expected}"));
    }
    for (name, expected) in [
        (
            "NOZZLE_LAKE",
            "NOZZLE_LAKE: `lake` is \"\"; it must have a value: give one, or do not set it\n",
        ),
        (
            "NOZZLE_TABLE",
            "NOZZLE_TABLE: `table` is \"\"; it must have a value",
        ),
        (
            "NOZZLE_CONFIG",
            "--config and NOZZLE_CONFIG name a settings file, and one is \"\"",
        ),
    ] {
        check_wrong(&place, "", &[(name, "")], expected);
    }
}

/// It may be the mistake, so it is said beside errors too, but not beside help.
#[test]
fn a_variable_of_no_setting_is_said_and_harms_nothing() {
    let place = Place::new();
    let check = |name: &str, line: &[&str], expected: &str| {
        let output = call(&place, line[0], &line[1..], &[(name, "mine")]);
        let said = stderr(&output);
        let first = said.lines().next().unwrap_or_default();
        assert_eq!(first, expected, "{name} {line:?}");
        let plain = place.nozzle(line[0], &line[1..]).output().unwrap();
        assert_eq!(output.stdout, plain.stdout, "{name} {line:?}");
        assert_eq!(output.status, plain.status, "{name} {line:?}");
    };
    let settings = ["settings"];
    let said = |name: &str, meant: &str| {
        format!("{name} is the variable of no setting, and changes nothing; {meant}")
    };
    let lake = said("NOZZLE_LAEK", "did you mean NOZZLE_LAKE?");
    check("NOZZLE_LAEK", &settings, &format!("nozzle: {lake}"));
    for (name, meant) in [
        ("NOZZLE_CONFG", "did you mean NOZZLE_CONFIG?"),
        ("NOZZLE_EVENT-YEARS", "did you mean NOZZLE_EVENT_YEARS?"),
        ("NOZZLE_EXECUTE", "`nozzle settings` shows which there are"),
        ("NOZZLE_", "`nozzle settings` shows which there are"),
    ] {
        check(name, &settings, &format!("nozzle: {}", said(name, meant)));
    }
    for other in [
        "NOZZLE",
        "nozzle_laek",
        "NOZZLE_STAR",
        "NOZZLE_TERRAFORM",
        "NOZZLE_FUNCTIONS",
        "NOZZLE_CHAIN_ENVIRONMENT",
        "NOZZLE_SOAK_SECONDS",
        "NOZZLE_TEST_FOLDER",
    ] {
        check(other, &["completions", "bash"], "");
    }
    check("NOZZLE_LAEK", &["settings", "--quiet"], "");
    check("NOZZLE_LAEK", &["run", "--help"], "");
    check(
        "NOZZLE_LAEK",
        &["redrive", "nowhere"],
        &format!("nozzle: {lake}"),
    );
    let json = format!(r#"{{"remark":"{lake}"}}"#);
    check("NOZZLE_LAEK", &["settings", "--json"], &json);
    place.write("nozzle.toml", "quiet = true");
    check("NOZZLE_LAEK", &settings, "");
}

/// So that what Terraform writes can be read.
#[test]
fn the_settings_that_terraform_writes_are_ours() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let template = fs::read_to_string(root.join("terraform/nozzle.toml.tftpl")).unwrap();
    let values = [
        ("identity", "'uuid'"),
        ("fields", "['id', 'name', 'ts']"),
        ("years", "'2020-2030'"),
        ("types", "['a:b']"),
        ("keys", "['event_type']"),
        ("prefix", "'p/!{partitionKeyFromLambda:event_type}/'"),
        ("error_prefix", "'e/!{firehose:error-output-type}/'"),
        ("to", "'stream:events'"),
        ("table", "'claims'"),
        ("lake", "'s3://lake/'"),
    ];
    let lines = template.lines().filter(|line| !line.starts_with("%{"));
    let mut file = lines.map(|line| line.to_owned() + "\n").collect::<String>();
    for (name, value) in values {
        file = file.replace(&format!("${{jsonencode({name})}}"), value);
    }
    file = file.replace("${hours}", "48");
    assert!(!file.contains("${"), "{file}");
    let place = Place::new();
    place.write("nozzle.toml", &file);
    let output = call(&place, "settings", &[], &[]);
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn errors_are_one_json_object_where_json_was_asked_for() {
    let place = Place::new();
    place.write("nozzle.toml", "");
    for (command, arguments, expected) in [
        (
            "run",
            &["nowhere", "--json"][..],
            "there is no file or folder `nowhere`",
        ),
        (
            "run",
            &["nowhere", "--summary", "json"],
            "there is no file or folder `nowhere`",
        ),
        (
            "explain",
            &["nowhere", "--json"],
            "`nowhere` cannot be read: No such file",
        ),
        (
            "run",
            &["--json", "--flush-mb", "0"],
            "invalid value '0' for '--flush-mb <MIB>'",
        ),
        (
            "rum",
            &["--json"],
            "unrecognized subcommand 'rum' tip: a similar subcommand exists: 'run'",
        ),
        (
            "run",
            &["--json", "--config", "nowhere"],
            "the settings file `nowhere` cannot be read",
        ),
    ] {
        let output = call(&place, command, arguments, &[]);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(stdout(&output), "", "{arguments:?}");
        let said: Value = serde_json::from_slice(&output.stderr).unwrap();
        assert_eq!(said["exit_code"], 2);
        let error = said["error"].as_str().unwrap();
        assert!(error.starts_with(expected), "{error}");
    }
    let help = call(&place, "run", &["--help", "--json"], &[]);
    assert!(help.status.success() && stdout(&help).contains("Usage: nozzle run"));
}

#[test]
fn exit_codes_are_those_that_help_and_the_page_list() {
    let place = Place::new();
    place.write("in.jsonl", EVENT);
    place.write("nozzle.toml", "");
    for (command, arguments, code) in [
        ("run", &["in.jsonl"][..], 0),
        (
            "run",
            &["in.jsonl", "--lake", "two", "--response-bytes-max", "10"],
            1,
        ),
        ("run", &["nowhere"], 2),
        ("run", &["in.jsonl", "--event-years", "20"], 2),
        ("run", &["--no-such-option"], 2),
        ("explain", &["in.jsonl"], 0),
        ("explain", &["nowhere"], 2),
        ("log", &["in.jsonl"], 0),
        ("log", &["get", "nothing"], 1),
        ("star", &["check", "nowhere"], 2),
        ("check", &["--list"], 0),
        ("check", &["--command", "false", "--timeout", "1"], 2),
    ] {
        let output = call(&place, command, arguments, &[]);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{command} {arguments:?}: {output:?}"
        );
    }
    let help = stdout(&call(&place, "--help", &[], &[]));
    let (_, codes) = help.split_once("Exit codes:\n").unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/tool.md")).unwrap();
    for line in codes.lines() {
        let (code, what) = line.trim().split_once(' ').unwrap();
        let row = format!("| {code} | {} |", what.trim());
        assert!(page.contains(&row), "{row}");
    }
    assert_eq!(codes.lines().count(), 4);
}

#[test]
fn colours_are_for_those_who_want_them() {
    let place = Place::new();
    let is_coloured = |arguments: &[&str], variables: &[(&str, &str)]| {
        stdout(&call(&place, "settings", arguments, variables)).contains('\x1b')
    };
    assert!(!is_coloured(&[], &[]));
    assert!(is_coloured(&["--color", "always"], &[]));
    assert!(is_coloured(&["--color=always"], &[("NO_COLOR", "1")]));
    assert!(is_coloured(&[], &[("NOZZLE_COLOR", "always")]));
    assert!(!is_coloured(
        &["--color", "never"],
        &[("CLICOLOR_FORCE", "1")]
    ));
    assert!(!is_coloured(
        &[],
        &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "0")]
    ));
    let wrong = call(&place, "settings", &["--color", "alwyas"], &[]);
    assert!(
        stderr(&wrong).contains("a similar value exists: 'always'"),
        "{}",
        stderr(&wrong)
    );
}

#[test]
fn who_wants_it_quiet_hears_errors_alone() {
    let place = Place::new();
    place.write("in.jsonl", EVENT);
    for command in ["run", "log"] {
        let output = call(&place, command, &["in.jsonl", "--quiet"], &[]);
        assert!(output.status.success());
        assert_eq!((stdout(&output), stderr(&output)), Default::default());
    }
    let refused = ["in.jsonl", "--lake", "other", "--event-years", "2030-2040"];
    assert!(call(&place, "run", &refused, &[]).status.success());
    let redrive = ["other/errors", "--to", "lake:other", "--quiet"];
    let dry = call(&place, "redrive", &redrive, &[]);
    assert!(stdout(&dry).contains("accepted"), "{dry:?}");
    let sent = call(
        &place,
        "redrive",
        &[&redrive[..], &["--execute"]].concat(),
        &[],
    );
    assert!(sent.status.success());
    assert_eq!((stdout(&sent), stderr(&sent)), Default::default());
    let error = call(&place, "run", &["nowhere", "--quiet"], &[]);
    assert_eq!(
        stderr(&error),
        "nozzle: there is no file or folder `nowhere`\n"
    );
    let json = call(&place, "run", &["in.jsonl", "--quiet", "--json"], &[]);
    assert!(stdout(&json).starts_with('{'));
}

#[test]
fn a_shell_and_man_get_what_they_read() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = stdout(&call(&place, "completions", &[shell], &[]));
        for part in ["redrive", "event-years", "created_at_unreadable"] {
            assert!(script.contains(part), "{shell}: {part}");
        }
    }
    let page = stdout(&call(&place, "man", &["log", "get"], &[]));
    let heading = format!(
        ".TH NOZZLE-LOG-GET 1  \"nozzle {}\"",
        env!("CARGO_PKG_VERSION")
    );
    for part in [
        &heading,
        "nozzle\\-log\\-get \\- Look one event up",
        "\\fBnozzle log get\\fR",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let below = stdout(&call(&place, "man", &["log"], &[]));
    assert!(below.contains("nozzle\\-log\\-get(1)"), "{below}");
    let all = call(&place, "man", &["--into", "pages"], &[]);
    assert!(all.status.success());
    for page in ["nozzle.1", "nozzle-run.1", "nozzle-log-get.1"] {
        assert!(place.path("pages").join(page).is_file(), "{page}");
    }
    let wrong = call(&place, "man", &["rum"], &[]);
    assert_eq!(stderr(&wrong), "nozzle: nozzle has no command `rum`\n");
}
