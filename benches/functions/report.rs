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
    measure::Taken,
    peers::{PROFILE, Peer, Task},
    requests::{Batch, Shape},
    store::Seen,
};

const WINDOWS: usize = 2;
/// The plan, and the end.
const LEDGER_WRITES: usize = 2;
// On demand, in us-east-1: see `src/tool/plan/prices.json`.
const DOLLARS_A_MILLION_WRITES: f64 = 0.625;
const DOLLARS_A_MILLION_PUTS: f64 = 5.0;
const MEGABYTE: f64 = 1024.0 * 1024.0;

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
        writes(figures),
        counters(figures),
        targets(figures),
        absolutes(figures),
        latencies(
            "Nozzle's claims",
            "6,000 events of 420 bytes",
            &figures.bounds,
        ),
        latencies(
            "Nozzle's event processor",
            "100 events over 300 counters",
            &figures.hundred_far_away,
        ),
    ];
    parts.join("\n")
}

/// Tables of Firehose's function, and of the log's, each with a column for everybody who is compared.
fn tables(figures: &Figures, lines: impl Fn(Task) -> String) -> String {
    let table = |tasks: &[Task]| {
        let measured: Vec<_> = tasks.iter().filter(|task| figures.has(**task)).collect();
        let names = each_of(measured.first()?.peers(), |peer| peer.to_string());
        let lines: String = measured.into_iter().map(|task| lines(*task)).collect();
        let headings = line("", &names).replace("|  |", "| |");
        Some(format!(
            "{headings}|---|{}\n{lines}",
            "---:|".repeat(names.len())
        ))
    };
    let tables = [
        table(&Task::OF_FIREHOSE),
        table(&[Task::Log]),
        table(&[Task::Process]),
    ];
    tables.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// A line for each kind of batch that was measured, and what `of` says of each function.
fn by_batch(figures: &Figures, of: impl Fn(Cell) -> Option<String>) -> String {
    tables(figures, |task| {
        let batches = Shape::all(task).into_iter().flat_map(|shape| {
            let records = shape.records(task);
            records.map(|records| (shape, records))
        });
        let lines = batches.filter_map(|(shape, records)| {
            let said = task.peers().into_iter();
            let said = said.map(|peer| of(cell(peer, task, shape, records)));
            let said: Vec<_> = said.collect::<Option<_>>()?;
            let name = format!("{task}: {records} events {shape}");
            Some(line(&name, &said))
        });
        lines.collect()
    })
}

fn each_of(peers: Vec<Peer>, say: impl Fn(Peer) -> String) -> Vec<String> {
    peers.into_iter().map(say).collect()
}

fn line(name: &str, values: &[String]) -> String {
    format!("| {name} | {} |\n", values.join(" | "))
}

fn ratios(figures: &Figures) -> String {
    let table = by_batch(figures, |cell| {
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
         request, where the others, as people write them, ask for one. So it is with the log, but for\n\
         `batch_writer`.\n"
    )
}

fn absolutes(figures: &Figures) -> String {
    let processor = by_batch(figures, |cell| {
        Some(format!("{:.2}", figures.processor(cell)?))
    });
    let rate = by_batch(figures, |cell| {
        Some(format!("{:.1}", figures.events_a_second(cell)? / 1e3))
    });
    format!(
        "## Processor time an event, µs\n\n{processor}\n## Thousand events a second on one core\n\n{rate}"
    )
}

/// What a process costs that has nothing to do with events.
fn processes(figures: &Figures) -> String {
    let table = tables(figures, |task| {
        let time = |name: &str, of: fn(&Start) -> Duration| {
            let middle = |peer| milliseconds(middle(&figures.starts[&(peer, task)], of));
            line(&format!("{task}: {name}"), &each_of(task.peers(), middle))
        };
        let peak = each_of(task.peers(), |peer| {
            megabytes(figures.peak_bytes[&(peer, task)])
        });
        let zip = each_of(task.peers(), |peer| {
            format!("{:.0}", figures.zip_bytes[&(peer, task)] as f64 / 1e3)
        });
        [
            time("start to polling, ms", |start| start.polling),
            time("start to first answer, ms", |start| start.answered),
            time("first invocation, ms", |start| start.first.wall),
            time("tenth invocation, ms", |start| start.tenth.wall),
            line(&format!("{task}: peak memory, MB"), &peak),
            line(&format!("{task}: deployed zip, kB"), &zip),
        ]
        .concat()
    });
    format!(
        "## A process\n\nInvocations of 1,000 events of 420 bytes, or over 300 counters; peak memory after three of 6,000, or as many as fit.\n\n{table}"
    )
}

/// What a batch of the log costs at DynamoDB.
fn writes(figures: &Figures) -> String {
    if !figures.has(Task::Log) {
        return String::new();
    }
    let mut table = String::from(
        "| 1,000 events | bytes | requests | items | write units |\n|---|---:|---:|---:|---:|\n",
    );
    for shape in Shape::all(Task::Log) {
        for peer in Task::Log.peers() {
            let [seen, _] = figures.writes[&cell(peer, Task::Log, shape, 1_000)];
            let numbers = [shape.bytes(), seen.requests, seen.items, seen.write_units];
            table += &line(&peer.to_string(), &numbers.map(|number| number.to_string()));
        }
    }
    format!("## What the event log asks of its table\n\n{table}")
}

/// What a batch of the event processor asks of the table and the bucket.
fn counters(figures: &Figures) -> String {
    if !figures.has(Task::Process) {
        return String::new();
    }
    let mut table = String::from(
        "| batch | | requests | objects | write units | $ a million events |\n|---|---|---:|---:|---:|---:|\n",
    );
    for shape in Shape::all(Task::Process) {
        for records in shape.records(Task::Process) {
            let batch = format!("{records} events {shape}");
            for peer in Task::Process.peers() {
                let [first, next] = figures.writes[&cell(peer, Task::Process, shape, records)];
                if peer == Peer::Nozzle {
                    table += &spent(&batch, "Nozzle, all users new", records, first);
                }
                table += &spent(&batch, &peer.to_string(), records, next);
            }
        }
    }
    format!(
        "## What the event processor asks of its table and bucket\n\n\
         Two windows. Nozzle's unique users are among its figures; the others count none.\n\n{table}"
    )
}

fn spent(batch: &str, name: &str, records: usize, seen: Seen) -> String {
    let numbers = [seen.requests, seen.objects, seen.write_units].map(|number| number.to_string());
    let dollars = seen.write_units as f64 * DOLLARS_A_MILLION_WRITES
        + seen.objects as f64 * DOLLARS_A_MILLION_PUTS;
    let dollars = format!("{:.3}", dollars / records as f64);
    let values = [&[name.to_owned()], &numbers[..], &[dollars]].concat();
    line(batch, &values)
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e3)
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / MEGABYTE)
}

/// What Nozzle is to reach: at most this, and what was measured.
#[derive(Clone)]
struct Target {
    name: String,
    most: f64,
    measured: f64,
}

fn targets(figures: &Figures) -> String {
    let measured = Task::ALL.into_iter().filter(|task| figures.has(*task));
    let targets = measured.flat_map(|task| {
        let costs = match task {
            Task::Transform => costs(figures),
            Task::Claim => Vec::new(),
            Task::Log => log_costs(figures),
            Task::Process => processor_costs(figures),
        };
        [costs, first_moments(figures, task), peaks(figures, task)].concat()
    });
    let mut table = String::from("| | at most | measured | |\n|---|---:|---:|---|\n");
    for Target {
        name,
        most,
        measured,
    } in targets
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

fn target(name: &str, most: f64, measured: f64) -> Target {
    Target {
        name: name.to_owned(),
        most,
        measured,
    }
}

/// Processor time of batches of the usual shape, by their length; where none was measured it is no
/// number.
fn by_length(figures: &Figures, task: Task, peer: Peer) -> [f64; 3] {
    let shape = Shape::usual(task);
    shape.records(task).map(|records| {
        let measured = figures.processor(cell(peer, task, shape, records));
        measured.unwrap_or(f64::NAN)
    })
}

fn cell(peer: Peer, task: Task, shape: Shape, records: usize) -> Cell {
    Cell {
        peer,
        task,
        shape,
        records,
    }
}

fn costs(figures: &Figures) -> Vec<Target> {
    let [short, middle, long] = by_length(figures, Task::Transform, Peer::Nozzle);
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

fn log_costs(figures: &Figures) -> Vec<Target> {
    let [ours, naive, boto3] = [Peer::Nozzle, Peer::NaiveRust, Peer::Boto3]
        .map(|peer| by_length(figures, Task::Log, peer)[1]);
    let [seen, _] = figures.writes[&cell(Peer::Nozzle, Task::Log, Shape::B420, 1_000)];
    vec![
        target(
            "µs an event of 420 bytes into the log, 1,000 at once",
            6.0,
            ours,
        ),
        target("... as a share of naive Rust's", 0.05, ours / naive),
        target("... as a share of boto3's `put_item`", 0.01, ours / boto3),
        target("requests for 1,000 events", 40.0, seen.requests as f64),
    ]
}

fn processor_costs(figures: &Figures) -> Vec<Target> {
    let shape = Shape::usual(Task::Process);
    let [_, thousand, long] = by_length(figures, Task::Process, Peer::Nozzle);
    let seen = |peer| figures.writes[&cell(peer, Task::Process, shape, 6_000)][1];
    let (ours, theirs) = (seen(Peer::Nozzle), seen(Peer::Boto3));
    let needed = shape.counters() * WINDOWS + LEDGER_WRITES;
    let costs = [
        ("µs an event, 6,000 at once over 300 counters", 5.0, long),
        ("... as a multiple of 1,000 at once", 1.2, long / thousand),
        (
            "requests as a share of Python's",
            0.05,
            ours.requests as f64 / theirs.requests as f64,
        ),
        (
            "write units as a multiple of counters × windows + ledger",
            1.05,
            ours.write_units as f64 / needed as f64,
        ),
    ];
    let hundreds = figures.hundred_far_away.iter().flat_map(|hundred| {
        let wall = |batch: &[Taken]| middle(batch, |taken| taken.wall).as_secs_f64() * 1e3;
        [
            (
                "ms for a first 100 events, 8 ms a request",
                150.0,
                wall(&hundred.first),
            ),
            ("ms for the next 100", 150.0, wall(&hundred.next)),
        ]
    });
    let all = costs.into_iter().chain(hundreds);
    all.map(|(name, most, measured)| target(name, most, measured))
        .collect()
}

fn first_moments(figures: &Figures, task: Task) -> Vec<Target> {
    let starts = &figures.starts[&(Peer::Nozzle, task)];
    let time = |part: fn(&Start) -> Duration| middle(starts, part).as_secs_f64();
    let by_the_tenth = |part: fn(&Taken) -> Duration| {
        middle(starts, |start| part(&start.first)).as_secs_f64()
            / middle(starts, |start| part(&start.tenth)).as_secs_f64()
    };
    vec![
        target(
            &format!("ms from start to polling, {task}"),
            30.0,
            time(|start| start.polling) * 1e3,
        ),
        target(
            &format!("first invocation by the tenth, {task}"),
            2.0,
            by_the_tenth(|taken| taken.wall),
        ),
        target(
            "... in processor time",
            2.0,
            by_the_tenth(|taken| taken.processor),
        ),
    ]
}

fn peaks(figures: &Figures, task: Task) -> Vec<Target> {
    let of_task = figures.full_requests.iter().filter(|(of, ..)| *of == task);
    let target = |(task, batch, peak): &(Task, Batch, u64)| {
        let (bytes, records) = (batch.body.len(), batch.records);
        target(
            &format!("MB at the peak, {task}, requests of {bytes} bytes, {records} events each"),
            64.0,
            *peak as f64 / MEGABYTE,
        )
    };
    of_task.map(target).collect()
}

fn latencies(of: &str, batch: &str, bounds: &[Bound]) -> String {
    if bounds.is_empty() {
        return String::new();
    }
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
        "## {of} over TLS with 8 ms latency\n\n\
         {batch}; the first batch opens the connections.\n\n{table}"
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
