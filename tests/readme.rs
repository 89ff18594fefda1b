//! The README's commands run as they stand there.

#![cfg(feature = "tool")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    env, fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Output},
};

/// In a folder that has what the README's reader has, with `nozzle` on the path.
#[expect(clippy::disallowed_methods, reason = "a command is found by PATH")]
fn run(folder: &Path, line: &str) -> Output {
    let tool = Path::new(env!("CARGO_BIN_EXE_nozzle")).parent().unwrap();
    let path = format!("{}:{}", tool.display(), env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.current_dir(folder).env("PATH", path);
    shell.args(["-c", line]).output().unwrap()
}

#[test]
fn every_command_of_the_tool_runs_as_it_stands_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for name in ["fixtures", "tests"] {
        symlink(root.join(name), folder.path().join(name)).unwrap();
    }
    let shown = readme.lines().filter_map(|line| line.strip_prefix("    "));
    let shown = shown.filter(|line| line.starts_with("nozzle ") || line.contains("| nozzle "));
    let shown: Vec<_> = shown.map(|line| line.split(" #").next().unwrap()).collect();
    assert!(shown.len() >= 6, "{shown:?}");
    for line in shown {
        let output = run(folder.path(), line);
        let finds_a_fault = line.starts_with("nozzle check");
        let code = i32::from(finds_a_fault);
        assert_eq!(output.status.code(), Some(code), "{line}: {output:?}");
        assert!(!output.stdout.is_empty(), "{line}");
    }
    assert!(folder.path().join("mine.html").is_file());
}

#[test]
fn a_day_comes_again_and_a_persons_events_go_as_the_page_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    symlink(root.join("fixtures"), folder.path().join("fixtures")).unwrap();
    let run = |line: &str| {
        let output = run(folder.path(), line);
        assert!(output.status.success(), "{line}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let lines = || run("find lake/events -type f | sort | xargs cat | sort");
    run("nozzle run fixtures/events.jsonl --lake lake");
    let all = lines();
    let theirs = |lines: &str| lines.matches("u-0352").count();
    assert_ne!(theirs(&all), 0, "the page's person has no events");

    let page = fs::read_to_string(root.join("docs/keeping.md")).unwrap();
    let (day, person) = page.split_once("## A person's events").unwrap();
    let shown = |part: &str| {
        let shown = part.lines().filter_map(|line| line.strip_prefix("    "));
        shown.map(run).collect::<Vec<_>>()
    };
    let days = &shown(day)[0];
    assert!(days.contains("year=2026/month=02/day=25\n"), "{days}");
    assert_eq!(lines(), all, "the day is as it was");
    shown(person);
    let left = lines();
    assert_eq!(theirs(&left), 0);
    assert_eq!(left.lines().count(), all.lines().count() - theirs(&all));
}

/// It stops where a link leads to no page, or the front page shows a command that the README does not.
#[test]
fn the_site_has_a_page_for_all_there_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("pages");
    let mut written = Command::new("python3");
    written.arg(root.join("build/site/pages.py"));
    written.arg(env!("CARGO_BIN_EXE_nozzle")).arg(&pages);
    let written = written.output().unwrap();
    assert!(written.status.success(), "{written:?}");
    for (page, expected) in [
        ("commands/star.md", "## nozzle star check"),
        ("terraform.md", "| `region` | AWS region"),
        ("index.md", "| with claims |"),
        ("index.md", "where Nozzle loses](benchmark.md)"),
    ] {
        let text = fs::read_to_string(pages.join(page)).unwrap();
        assert!(text.contains(expected), "{page}: {text}");
    }
}
