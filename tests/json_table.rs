//! The hard cases of JSON, each with its decided verdict, and what other readers make of it.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
    thread,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use nozzle::functions::firehose_transform::{
    event::Refusal,
    transform::{Rules, transform, write_delivered},
};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/json");
const JACKSON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/.cache/jackson");

/// A line of the table.
struct Case {
    verdict: String,
    python: String,
    jackson: String,
    /// As it stands in the table, without `@`.
    spelled: Vec<u8>,
    record: Vec<u8>,
}

fn cases() -> Vec<Case> {
    let table = fs::read_to_string(Path::new(FOLDER).join("cases.txt")).expect("the table");
    let lines = table
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(Case::read).collect()
}

impl Case {
    fn read(line: &str) -> Self {
        let columns: Vec<_> = line.splitn(4, '\t').collect();
        let whole = columns[3].strip_prefix('@');
        let spelled = bytes(whole.unwrap_or(columns[3]));
        let record = if whole.is_some() {
            spelled.clone()
        } else {
            let event = br#"{"event_uuid":"u","event_name":"a:b","created_at":1,"x":"#;
            [event, spelled.as_slice(), b"}"].concat()
        };
        Self {
            verdict: columns[0].to_owned(),
            python: columns[1].to_owned(),
            jackson: columns[2].to_owned(),
            spelled,
            record,
        }
    }

    /// What a reader of the lake sees; of a refused record, its original.
    fn delivered(&self) -> Vec<u8> {
        match transform(&self.record, &Rules::default()) {
            Ok(event) => {
                let mut line = Vec::new();
                write_delivered(&event, &mut line);
                line
            }
            Err(_) => self.record.clone(),
        }
    }

    /// What a reader said, as the table has it.
    fn shorten(&self, said: &str) -> String {
        if said.as_bytes() == self.spelled {
            "=".to_owned()
        } else if said.len() > 40 {
            format!("{}… {}", &said[..8], said.len())
        } else {
            said.to_owned()
        }
    }
}

/// `<hh>` is a byte, `<n*text>` a text n times.
fn bytes(text: &str) -> Vec<u8> {
    let Some((before, rest)) = text.split_once('<') else {
        return text.as_bytes().to_vec();
    };
    let (escape, after) = rest.split_once('>').expect("an escape ends");
    let escaped = match escape.split_once('*') {
        Some((count, text)) => text.repeat(count.parse().expect("a number")).into_bytes(),
        None => vec![u8::from_str_radix(escape, 16).expect("two digits")],
    };
    [before.as_bytes(), &escaped, &bytes(after)].concat()
}

/// What a program makes of each case: base64 in, a line out.
fn read_by(command: &mut Command, cases: &[Case]) -> Vec<String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the reader starts");
    let records: Vec<_> = cases.iter().map(Case::delivered).collect();
    let mut input = child.stdin.take().expect("it is piped");
    let writer = thread::spawn(move || {
        for record in records {
            writeln!(input, "{}", STANDARD.encode(record)).expect("the reader reads");
        }
    });
    let output = child.wait_with_output().expect("the reader ends");
    writer.join().expect("all is written");
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).expect("it writes ASCII");
    let said: Vec<_> = said.lines().map(str::to_owned).collect();
    assert_eq!(said.len(), cases.len());
    said
}

#[track_caller]
fn check_reader(command: &mut Command, expected: fn(&Case) -> &str) {
    let cases = cases();
    for (case, said) in cases.iter().zip(read_by(command, &cases)) {
        let record = case.record.escape_ascii().to_string();
        let record = &record[..record.len().min(200)];
        assert_eq!(case.shorten(&said), expected(case), "{record}");
    }
}

#[test]
fn every_case_has_its_decided_verdict() {
    let cases = cases();
    assert!(cases.len() > 150, "{} cases", cases.len());
    for case in cases {
        let verdict = transform(&case.record, &Rules::default());
        let verdict = verdict.map_or_else(Refusal::as_str, |_| "accepted");
        assert_eq!(verdict, case.verdict, "{}", case.record.escape_ascii());
    }
}

#[test]
fn python_reads_each_case_as_the_table_says() {
    let script = format!("{FOLDER}/read.py");
    check_reader(Command::new("python3").arg(script), |case| &case.python);
}

#[test]
fn jackson_reads_each_case_as_the_table_says() {
    if !Path::new(JACKSON).exists() {
        eprintln!("SKIPPED: {JACKSON} is not there; tests/tools/fetch gets it");
        return;
    }
    let mut java = Command::new("java");
    java.args([
        "-cp",
        &format!("{JACKSON}/*"),
        &format!("{FOLDER}/Read.java"),
    ]);
    check_reader(&mut java, |case| &case.jackson);
}

/// What is delivered can be read: by Jackson always, by Python but for a number of 5,000 digits.
#[test]
fn what_is_accepted_is_read_by_both() {
    let accepted = cases()
        .into_iter()
        .filter(|case| case.verdict == "accepted");
    let unread: Vec<_> = accepted
        .filter(|case| [&case.python, &case.jackson].contains(&&"error".to_owned()))
        .map(|case| (case.python, case.jackson, case.spelled.len()))
        .collect();
    assert_eq!(unread, [("error".to_owned(), "=".to_owned(), 5_000)]);
}
