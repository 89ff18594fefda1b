//! The benchmark's table, on the screen and in `benches/RESULTS-claims.md`.

use std::{error::Error, fmt::Write, fs, path::Path, process::Command};

use crate::{batch::EVENTS, run::Sample};

/// One function and what its batches took.
pub(crate) struct Row {
    name: &'static str,
    samples: Vec<Sample>,
    requests: usize,
}

impl Row {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            samples: Vec::new(),
            requests: 0,
        }
    }

    /// The first round only warms up.
    pub(crate) fn add(&mut self, round: usize, sample: Sample, requests: usize) {
        self.requests = requests;
        if round > 0 {
            self.samples.push(sample);
        }
    }

    fn sample(&self) -> Option<Sample> {
        (!self.samples.is_empty()).then(|| median(&self.samples))
    }
}

/// A batch's time by how many requests are under way at once.
pub(crate) struct Bound {
    pub(crate) requests_at_once: usize,
    /// With connections to open.
    pub(crate) first: Vec<Sample>,
    pub(crate) next: Vec<Sample>,
}

pub(crate) fn median(samples: &[Sample]) -> Sample {
    let middle = |value: fn(&Sample) -> f64| {
        let mut values: Vec<f64> = samples.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    Sample {
        processor_microseconds: middle(|sample| sample.processor_microseconds),
        wall_microseconds: middle(|sample| sample.wall_microseconds),
    }
}

pub(crate) fn write(rows: &[Row], bounds: &[Bound]) -> Result<(), Box<dyn Error>> {
    let tables = format!("{}\n{}", functions(rows)?, latencies(bounds)?);
    print(&tables);
    let text = format!("{}\n{tables}\n{}", head(), include_str!("notes.md"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(fs::write(root.join("benches/RESULTS-claims.md"), text)?)
}

#[expect(clippy::print_stdout, reason = "a benchmark's result")]
fn print(tables: &str) {
    println!("{tables}");
}

fn functions(rows: &[Row]) -> Result<String, std::fmt::Error> {
    let mut table = String::from(
        "| 6,000 new events, the store answers at once | processor µs/event | wall µs/event | requests/batch | processor, (a) = 1 |\n\
         |---|---:|---:|---:|---:|\n",
    );
    for row in rows {
        let Some(sample) = row.sample() else {
            writeln!(
                table,
                "| {} | not there: run benches/claims/fetch | | | |",
                row.name
            )?;
            continue;
        };
        let like = rows
            .iter()
            .find(|other| other.name.contains("alone") == row.name.contains("alone"));
        let unit = like.and_then(Row::sample).unwrap_or(sample);
        writeln!(
            table,
            "| {} | {:.2} | {:.2} | {} | {:.1} |",
            row.name,
            sample.processor_microseconds / EVENTS as f64,
            sample.wall_microseconds / EVENTS as f64,
            row.requests,
            sample.processor_microseconds / unit.processor_microseconds,
        )?;
    }
    Ok(table)
}

fn latencies(bounds: &[Bound]) -> Result<String, std::fmt::Error> {
    let mut table = String::from(
        "| 6,000 claims over TLS, 8 ms latency: requests at once | first batch ms | ... processor ms | next batch ms | ... processor ms |\n\
         |---:|---:|---:|---:|---:|\n",
    );
    for bound in bounds {
        let (first, next) = (median(&bound.first), median(&bound.next));
        writeln!(
            table,
            "| {} | {:.0} | {:.0} | {:.0} | {:.0} |",
            bound.requests_at_once,
            first.wall_microseconds / 1e3,
            first.processor_microseconds / 1e3,
            next.wall_microseconds / 1e3,
            next.processor_microseconds / 1e3,
        )?;
    }
    Ok(table)
}

fn head() -> String {
    let said = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        text.unwrap_or_else(|_| "unknown".to_owned())
    };
    let processor = said(
        "sh",
        &["-c", "grep -m1 'model name' /proc/cpuinfo | cut -d: -f2"],
    );
    let cores = said("nproc", &[]);
    let date = said("date", &["-u", "+%Y-%m-%d"]);
    let rust = said("rustc", &["--version"]);
    let lock = include_str!("../../Cargo.lock");
    let sdk = lock
        .split("name = \"aws-sdk-dynamodb\"\nversion = \"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let root = env!("CARGO_MANIFEST_DIR");
    let python = said(
        &format!("{root}/.cache/bench-venv/bin/python"),
        &["--version"],
    );
    let packages = said(
        &format!("{root}/.cache/bench-venv/bin/pip"),
        &["list", "--format=freeze"],
    );
    let packages: Vec<_> = packages
        .lines()
        .filter(|line| line.starts_with("boto3=") || line.starts_with("aws_lambda_powertools="))
        .collect();
    format!(
        "# What claiming costs\n\n\
         Written by `make bench` on {date}: {processor}, {cores} cores; {rust}, aws-sdk-dynamodb {}; {python}, {}.\n",
        sdk.unwrap_or("unknown"),
        packages.join(", "),
    )
}
