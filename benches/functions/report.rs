//! The figures as tables, on the screen and in `benches/RESULTS.md`.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{
    figures::{Bound, Cell, Figures, Start, middle},
    peers::{Claims, PROFILE, Peer},
    requests::{Batch, Size},
};

const MEGABYTE: f64 = 1024.0 * 1024.0;
const HEADINGS: &str = "| | Nozzle | Rust, naive | Node | Python, boto3 | Python, Powertools |\n\
                        |---|---:|---:|---:|---:|---:|\n";

pub(crate) fn write(figures: &Figures) -> Result<(), Box<dyn Error>> {
    print(figures);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/RESULTS.md");
    let notes = include_str!("notes.md");
    Ok(fs::write(file, format!("{}\n{notes}", text(figures)))?)
}

#[expect(clippy::print_stdout, reason = "a benchmark's result")]
pub(crate) fn print(figures: &Figures) {
    println!("{}", text(figures));
}

fn text(figures: &Figures) -> String {
    let parts = [
        head(),
        ratios(figures),
        processes(figures),
        targets(figures),
        absolutes(figures),
        latencies(&figures.bounds),
    ];
    parts.join("\n")
}

/// A table with a line for each kind of batch that was measured, and what `of` says of each
/// function.
fn by_batch(of: impl Fn(Cell) -> Option<String>) -> String {
    let mut table = HEADINGS.to_owned();
    for claims in Claims::ALL {
        for size in Size::ALL {
            for records in size.records() {
                let cell = |peer| Cell {
                    peer,
                    claims,
                    size,
                    records,
                };
                let said: Option<Vec<_>> =
                    Peer::ALL.map(|peer| of(cell(peer))).into_iter().collect();
                if let Some(said) = said {
                    let name = format!("{claims}: {records} events of {} bytes", size.bytes());
                    table += &line(&name, &said);
                }
            }
        }
    }
    table
}

fn line(name: &str, values: &[String]) -> String {
    format!("| {name} | {} |\n", values.join(" | "))
}

fn ratios(figures: &Figures) -> String {
    let table = by_batch(|cell| {
        let nozzle = Cell {
            peer: Peer::Nozzle,
            ..cell
        };
        let ratio = figures.processor(cell)? / figures.processor(nozzle)?;
        Some(format!("{ratio:.1}"))
    });
    format!(
        "## Processor time an event, Nozzle = 1\n\n{table}\n\
         With claims, most of the ratio is one decision: Nozzle asks DynamoDB for 25 claims in a\n\
         request, where the others, as people write them, ask for one.\n"
    )
}

fn absolutes(figures: &Figures) -> String {
    let processor = by_batch(|cell| Some(format!("{:.2}", figures.processor(cell)?)));
    let rate = by_batch(|cell| Some(format!("{:.1}", figures.events_a_second(cell)? / 1e3)));
    format!(
        "## Processor time an event, µs\n\n{processor}\n## Thousand events a second on one core\n\n{rate}"
    )
}

/// What a process costs that has nothing to do with events.
fn processes(figures: &Figures) -> String {
    let mut table = HEADINGS.to_owned();
    for claims in Claims::ALL {
        let mut time = |name: &str, of: fn(&Start) -> Duration| {
            let middle = |peer| milliseconds(middle(&figures.starts[&(peer, claims)], of));
            table += &line(&format!("{claims}: {name}"), &Peer::ALL.map(middle));
        };
        time("start to polling, ms", |start| start.polling);
        time("start to first answer, ms", |start| start.answered);
        time("first invocation, ms", |start| start.first.wall);
        time("tenth invocation, ms", |start| start.tenth.wall);
        let peak = Peer::ALL.map(|peer| megabytes(figures.peak_bytes[&(peer, claims)]));
        table += &line(&format!("{claims}: peak memory, MB"), &peak);
    }
    let zip = Peer::ALL.map(|peer| format!("{:.0}", figures.zip_bytes[&peer] as f64 / 1e3));
    table += &line("deployed zip, kB", &zip);
    format!(
        "## A process\n\nInvocations of 1,000 events of 420 bytes; peak memory after three of 6,000.\n\n{table}"
    )
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e3)
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / MEGABYTE)
}

/// What Nozzle is to reach: at most this, and what was measured.
struct Target {
    name: String,
    most: f64,
    measured: f64,
}

fn targets(figures: &Figures) -> String {
    let targets = [costs(figures), first_moments(figures), peaks(figures)];
    let mut table = String::from("| | at most | measured | |\n|---|---:|---:|---|\n");
    for Target {
        name,
        most,
        measured,
    } in targets.into_iter().flatten()
    {
        let verdict = if measured <= most {
            "reached"
        } else {
            "**missed**"
        };
        table += &line(
            &name,
            &[
                most.to_string(),
                format!("{measured:.2}"),
                verdict.to_owned(),
            ],
        );
    }
    format!("## What Nozzle is to reach\n\n{table}")
}

fn costs(figures: &Figures) -> Vec<Target> {
    let [short, middle, long] = Size::B420.records().map(|records| {
        let cell = Cell {
            peer: Peer::Nozzle,
            claims: Claims::None,
            size: Size::B420,
            records,
        };
        figures.processor(cell).unwrap_or(f64::NAN)
    });
    let target = |name: &str, most, measured| Target {
        name: name.to_owned(),
        most,
        measured,
    };
    vec![
        target(
            "µs an event of 420 bytes without claims, 6,000 at once",
            1.0,
            long,
        ),
        target(
            "... 1,000 at once, as a multiple of that",
            1.2,
            middle / long,
        ),
        target("... 100 at once, as a multiple of that", 1.2, short / long),
    ]
}

fn first_moments(figures: &Figures) -> Vec<Target> {
    let of = |claims| {
        let starts = &figures.starts[&(Peer::Nozzle, claims)];
        let time = |part: fn(&Start) -> Duration| middle(starts, part).as_secs_f64();
        let polling = Target {
            name: format!("ms from start to polling, {claims}"),
            most: 30.0,
            measured: time(|start| start.polling) * 1e3,
        };
        let first = Target {
            name: format!("first invocation by the tenth, {claims}"),
            most: 2.0,
            measured: time(|start| start.first.wall) / time(|start| start.tenth.wall),
        };
        [polling, first]
    };
    Claims::ALL.into_iter().flat_map(of).collect()
}

fn peaks(figures: &Figures) -> Vec<Target> {
    let of = |(batch, peak): &(Batch, u64)| Target {
        name: format!(
            "MB at the peak with claims, requests of {} bytes, {} events each",
            batch.body.len(),
            batch.records
        ),
        most: 64.0,
        measured: *peak as f64 / MEGABYTE,
    };
    figures.full_requests.iter().map(of).collect()
}

fn latencies(bounds: &[Bound]) -> String {
    let mut table = String::from(
        "| requests at once | first batch ms | ... processor ms | next batch ms | ... processor ms |\n\
         |---:|---:|---:|---:|---:|\n",
    );
    for Bound {
        requests_at_once,
        first,
        next,
    } in bounds
    {
        let times = [first, next].map(|batch| {
            let wall = middle(batch, |taken| taken.wall);
            let processor = middle(batch, |taken| taken.processor);
            [milliseconds(wall), milliseconds(processor)]
        });
        table += &line(&requests_at_once.to_string(), times.as_flattened());
    }
    format!(
        "## Nozzle's claims over TLS with 8 ms latency\n\n\
         6,000 events of 420 bytes; the first batch opens the connections.\n\n{table}"
    )
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
        "nproc --all",
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
