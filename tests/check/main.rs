//! `nozzle check` as a person runs it: it passes sound functions, and finds the planted fault of
//! each bad one, in three languages, behind a command and behind an address.
#![cfg(all(feature = "tool", feature = "lambda"))]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod command;
mod faults;
mod sound;
#[path = "../support/mod.rs"]
mod support;

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;

/// What is costly, and has its own tests.
pub(crate) const COSTLY: [&str; 8] = [
    "--skip",
    "concurrency",
    "--skip",
    "thousands",
    "--skip",
    "large-record",
    "--skip",
    "too-large",
];

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check/functions")
}

pub(crate) fn nozzle(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nozzle"));
    command
        .arg("check")
        .args(arguments)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(folder())
        .stdin(Stdio::null());
    command
}

pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
pub(crate) fn report_of(output: &Output) -> Value {
    let report = serde_json::from_slice(&output.stdout);
    report.unwrap_or_else(|_| panic!("no report but {}", said(output)))
}

/// The probes with this verdict, in their order.
pub(crate) fn with(report: &Value, verdict: &str) -> Vec<String> {
    let probes = report["probes"].as_array().expect("probes").iter();
    let these = probes.filter(|probe| probe["verdict"] == verdict);
    these
        .map(|probe| probe["name"].as_str().expect("a name").to_owned())
        .collect()
}

pub(crate) fn probe_of<'a>(report: &'a Value, name: &str) -> &'a Value {
    let mut probes = report["probes"].as_array().expect("probes").iter();
    probes.find(|probe| probe["name"] == name).expect(name)
}

pub(crate) fn found<'a>(report: &'a Value, name: &str) -> &'a str {
    let found = &probe_of(report, name)["found"];
    found.as_str().expect("a text")
}

/// Exactly these probes fail, and these warn.
#[track_caller]
pub(crate) fn check(command: &str, more: &[&str], failed: &[&str], warned: &[&str]) -> Value {
    let arguments = [&["--json", "--command", command], more].concat();
    let output = nozzle(&arguments).output().unwrap();
    let report = report_of(&output);
    assert_eq!(with(&report, "fail"), failed, "{command}: {report:#}");
    assert_eq!(with(&report, "warn"), warned, "{command}: {report:#}");
    assert_eq!(output.status.code(), Some(i32::from(!failed.is_empty())));
    report
}

/// The Invoke API in JavaScript, which takes invocations side by side.
pub(crate) struct Server {
    process: Child,
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn start(fault: &str) -> Self {
        let mut process = Command::new("node")
            .args(["server.mjs", fault])
            .current_dir(folder())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node is there");
        let mut port = String::new();
        let output = process.stdout.as_mut().unwrap();
        BufReader::new(output).read_line(&mut port).unwrap();
        let url = format!(
            "http://127.0.0.1:{}/2015-03-31/functions/f/invocations",
            port.trim()
        );
        Self { process, url }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[track_caller]
pub(crate) fn check_server(fault: &str, failed: &[&str]) -> Value {
    let server = Server::start(fault);
    let output = nozzle(&["--json", "--url", &server.url]).output().unwrap();
    let report = report_of(&output);
    assert_eq!(with(&report, "fail"), failed, "{fault}: {report:#}");
    report
}
