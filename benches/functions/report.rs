//! The figures as tables, on the screen and in `benches/RESULTS.md`.

use std::{
    error::Error,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{
    figures::{Bound, Cell, Figures, middle},
    peers::{Claims, PROFILE, Peer},
    requests::Size,
};

const MEGABYTE: f64 = 1024.0 * 1024.0;
const HEADINGS: &str = "| | Nozzle | Rust, naive | Node | Python, boto3 | Python, Powertools |\n\
                        |---|---:|---:|---:|---:|---:|\n";

pub(crate) fn write(figures: &Figures) -> Result<(), Box<dyn Error>> {
    print(figures)?;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/RESULTS.md");
    let notes = include_str!("notes.md");
    Ok(fs::write(file, format!("{}\n{notes}", text(figures)?))?)
}

#[expect(clippy::print_stdout, reason = "a benchmark's result")]
pub(crate) fn print(figures: &Figures) -> Result<(), Box<dyn Error>> {
    println!("{}", text(figures)?);
    Ok(())
}

fn text(figures: &Figures) -> Result<String, std::fmt::Error> {
    let parts = [
        head(),
        ratios(figures)?,
        processes(figures)?,
        targets(figures)?,
        absolutes(figures)?,
        latencies(&figures.bounds)?,
    ];
    Ok(parts.join("\n"))
}

/// Cells in the order of the tables' lines.
fn lines() -> impl Iterator<Item = (Claims, Size, usize)> {
    let of = |size: Size| [100, 1_000, size.records_max()].map(|records| (size, records));
    let sizes = move || Size::ALL.into_iter().flat_map(of);
    Claims::ALL
        .into_iter()
        .flat_map(move |claims| sizes().map(move |(size, records)| (claims, size, records)))
}

/// A table with a line for each kind of batch, and what `of` says of each function.
fn by_batch(of: impl Fn(Cell) -> String) -> Result<String, std::fmt::Error> {
    let mut table = HEADINGS.to_owned();
    for (claims, size, records) in lines() {
        let bytes = size.bytes();
        write!(table, "| {claims}: {records} events of {bytes} bytes |")?;
        for peer in Peer::ALL {
            let cell = Cell {
                peer,
                claims,
                size,
                records,
            };
            write!(table, " {} |", of(cell))?;
        }
        table.push('\n');
    }
    Ok(table)
}

fn ratios(figures: &Figures) -> Result<String, std::fmt::Error> {
    let table = by_batch(|cell| {
        let nozzle = Cell {
            peer: Peer::Nozzle,
            ..cell
        };
        let ratio = figures.processor(cell) / figures.processor(nozzle);
        format!("{ratio:.1}")
    })?;
    Ok(format!("## Processor time an event, Nozzle = 1\n\n{table}"))
}

fn absolutes(figures: &Figures) -> Result<String, std::fmt::Error> {
    let processor = by_batch(|cell| format!("{:.2}", figures.processor(cell)))?;
    let rate = by_batch(|cell| thousands(figures.events_a_second(cell)))?;
    Ok(format!(
        "## Processor time an event, µs\n\n{processor}\n## Thousand events a second on one core\n\n{rate}"
    ))
}

fn thousands(rate: f64) -> String {
    let places = if rate < 10_000.0 { 1 } else { 0 };
    format!("{:.places$}", rate / 1e3)
}

/// What a process costs that has nothing to do with events.
fn processes(figures: &Figures) -> Result<String, std::fmt::Error> {
    let mut table = HEADINGS.to_owned();
    for claims in Claims::ALL {
        let start = |peer| &figures.starts[&(peer, claims)];
        let mut line = |name: &str, of: &dyn Fn(Peer) -> String| {
            write!(table, "| {claims}: {name} |")?;
            for peer in Peer::ALL {
                write!(table, " {} |", of(peer))?;
            }
            writeln!(table)
        };
        line("start to polling, ms", &|peer| {
            milliseconds(middle(start(peer), |start| start.polling))
        })?;
        line("start to first answer, ms", &|peer| {
            milliseconds(middle(start(peer), |start| start.answered))
        })?;
        line("first invocation, processor ms", &|peer| {
            milliseconds(middle(start(peer), |start| start.first.processor))
        })?;
        line("tenth invocation, processor ms", &|peer| {
            milliseconds(middle(start(peer), |start| start.tenth.processor))
        })?;
        line("peak memory, MB", &|peer| {
            megabytes(figures.peak_bytes[&(peer, claims)])
        })?;
    }
    write!(table, "| deployed zip, kB |")?;
    for peer in Peer::ALL {
        write!(table, " {:.0} |", figures.zip_bytes[&peer] as f64 / 1e3)?;
    }
    Ok(format!(
        "## A process\n\nInvocations of 1,000 events of 420 bytes; peak memory after three of 6,000.\n\n{table}\n"
    ))
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e3)
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / MEGABYTE)
}

/// What Nozzle is meant to reach, and whether it does.
fn targets(figures: &Figures) -> Result<String, std::fmt::Error> {
    let mut table = String::from("| | at most | measured | |\n|---|---:|---:|---|\n");
    let mut line = |name: &str, most: f64, measured: f64| {
        let verdict = if measured <= most {
            "reached"
        } else {
            "**missed**"
        };
        writeln!(table, "| {name} | {most} | {measured:.2} | {verdict} |")
    };
    let cell = |records| Cell {
        peer: Peer::Nozzle,
        claims: Claims::None,
        size: Size::B420,
        records,
    };
    let cost = |records| figures.processor(cell(records));
    line(
        "µs an event, 6,000 of 420 bytes without claims",
        1.0,
        cost(6_000),
    )?;
    line(
        "... in a batch of 1,000, as a share of that",
        1.2,
        cost(1_000) / cost(6_000),
    )?;
    line("... in a batch of 100", 1.2, cost(100) / cost(6_000))?;
    for claims in Claims::ALL {
        let starts = &figures.starts[&(Peer::Nozzle, claims)];
        let part =
            |of: fn(&crate::figures::Start) -> Duration| middle(starts, of).as_secs_f64() * 1e3;
        let polling = part(|start| start.polling);
        line(
            &format!("ms from start to polling, {claims}"),
            30.0,
            polling,
        )?;
        let ratio = part(|start| start.first.wall) / part(|start| start.tenth.wall);
        line(
            &format!("first invocation by the tenth, {claims}"),
            2.0,
            ratio,
        )?;
    }
    for (batch, peak) in &figures.full_requests {
        let name = format!(
            "MB at the peak, a request of {} bytes in {} events",
            batch.body.len(),
            batch.records
        );
        line(&name, 64.0, *peak as f64 / MEGABYTE)?;
    }
    Ok(format!("## What Nozzle is to reach\n\n{table}"))
}

fn latencies(bounds: &[Bound]) -> Result<String, std::fmt::Error> {
    let mut table = String::from(
        "| requests at once | first batch ms | ... processor ms | next batch ms | ... processor ms |\n\
         |---:|---:|---:|---:|---:|\n",
    );
    for bound in bounds {
        writeln!(
            table,
            "| {} | {} | {} | {} | {} |",
            bound.requests_at_once,
            milliseconds(middle(&bound.first, |taken| taken.wall)),
            milliseconds(middle(&bound.first, |taken| taken.processor)),
            milliseconds(middle(&bound.next, |taken| taken.wall)),
            milliseconds(middle(&bound.next, |taken| taken.processor)),
        )?;
    }
    Ok(format!(
        "## Nozzle's claims over TLS with 8 ms latency\n\n6,000 events of 420 bytes; the first batch opens the connections.\n\n{table}"
    ))
}

/// The size of a zip of these files and folders.
pub(crate) fn zip_bytes(paths: &[PathBuf]) -> Result<u64, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let said = Command::new("python3")
        .arg(root.join("benches/functions/zip_bytes.py"))
        .args(paths)
        .output()?;
    if !said.status.success() {
        return Err(String::from_utf8_lossy(&said.stderr).into());
    }
    Ok(String::from_utf8(said.stdout)?.trim().parse()?)
}

/// When, where and of what.
fn head() -> String {
    let [date, processor, cores, versions] = [
        "date -u +%Y-%m-%d",
        "grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs",
        "nproc",
        "rustc --version; echo node $(node --version); \
         .cache/bench-venv/bin/python --version; \
         .cache/bench-venv/bin/pip list --format freeze | grep -E '^(boto3|awslambdaric|aws_lambda_powertools)=='; \
         grep -o '@aws-sdk.*[0-9]' benches/functions/node/package.json | tr -d '\"'",
    ]
    .map(said);
    let lock = include_str!("../../Cargo.lock");
    let locked = ["lambda_runtime", "aws_lambda_events", "aws-sdk-dynamodb"]
        .map(|name| format!("{name} {}", version(lock, name)));
    format!(
        "# What Nozzle costs, beside what people would write\n\n\
         Written by `make bench` on {date}. {processor}, {cores} cores. {}, {}. Rust with the profile `{PROFILE}`.\n",
        versions.lines().collect::<Vec<_>>().join(", "),
        locked.join(", "),
    )
}

fn said(command: &str) -> String {
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output();
    output.map_or_else(
        |_| "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

fn version<'a>(lock: &'a str, name: &str) -> &'a str {
    let package = format!("name = \"{name}\"\nversion = \"");
    let after = lock.split(&package).nth(1);
    after
        .and_then(|rest| rest.split('"').next())
        .unwrap_or("unknown")
}
