//! A packet of a million orders into the star, by Nozzle and by what people would use instead, each
//! a process of its own on one core. Writes `benches/STAR.md`; `cargo bench --bench star -- quick`
//! only shows that everything works.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark may panic, and reads the clock"
)]

use std::{
    env,
    error::Error,
    fs::{self, File},
    io::{BufWriter, Read},
    path::Path,
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

use nozzle::functions::star_schema::{
    description::{Star, StarTable},
    load::Load,
};
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;

/// What a folder's store reads at a time.
const PIECE_BYTES: usize = 256 << 10;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [word, source, packet, into] if word == "load" => load(source, packet, into),
        _ => compare(&arguments),
    }
}

/// The function's work and nothing else, and what it took, as JSON.
fn load(source: &str, packet: &str, into: &str) -> Result<ExitCode, Box<dyn Error>> {
    let (processor, wall) = (processor_time(), Instant::now());
    let star = Star::built_in()?;
    let sink = |table: Option<&StarTable>| {
        let path = table.map_or(Path::new("/dev/null"), |_| Path::new(into));
        BufWriter::new(File::create(path).unwrap())
    };
    let mut load = Load::new(&star, source, 1, sink)?;
    let mut file = File::open(packet)?;
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match file.read(&mut piece)? {
            0 => break,
            read => load.feed(&piece[..read])?,
        }
    }
    let loaded = load.finish()?;
    let took = json!({
        "processor": processor_time() - processor,
        "wall": wall.elapsed().as_secs_f64(),
        "peak": peak_bytes()?,
        "rows": loaded.rows,
    });
    println!("{took}");
    Ok(ExitCode::SUCCESS)
}

fn processor_time() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap().as_secs_f64()
}

fn peak_bytes() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|peak| peak.split_whitespace().next());
    Ok(kilobytes.ok_or("no VmHWM")?.parse::<u64>()? * 1024)
}

fn compare(arguments: &[String]) -> Result<ExitCode, Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = folder.join(".cache/bench-venv/bin/python");
    let mut compare = Command::new(python);
    compare.arg(folder.join("benches/star/compare.py"));
    compare.arg(env::current_exe()?).args(arguments);
    let success = compare.status()?.success();
    Ok(if success {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
