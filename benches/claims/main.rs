//! What claiming costs: Nozzle against the ways it is usually done, over a store that answers at
//! once, and over TLS with latency. Writes `benches/RESULTS-claims.md`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a benchmark may panic, and its numbers are small"
)]

mod batch;
mod peer;
mod report;
mod run;
mod stub;

use std::{env, error::Error, fs, path::Path, process::Command, time::Duration};

use report::{Bound, Row};
use run::{Peer, Store};

const TABLE: &str = "claims";
/// As in `src/dedup/dynamodb`.
const REQUESTS_AT_ONCE: usize = 64;
const ROUNDS: usize = 15;
/// Python takes minutes for what Rust does in a second.
const ROUNDS_OF_PYTHON: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match &words[..] {
        ["stub", delay] => serve(delay, None),
        ["stub", delay, folder] => serve(delay, Some(Path::new(folder))),
        ["nozzle", at_once] => runtime()?.block_on(peer::nozzle(at_once.parse()?)),
        ["put-item", at_once] => runtime()?.block_on(peer::put_item(at_once.parse()?)),
        _ => compare(),
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

fn serve(delay: &str, tls: Option<&Path>) -> Result<(), Box<dyn Error>> {
    let delay = Duration::from_millis(delay.parse()?);
    Ok(runtime()?.block_on(stub::run(delay, tls))?)
}

fn compare() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let rows = side_by_side(folder.path())?;
    let bounds = far_away(folder.path())?;
    report::write(&rows, &bounds)
}

/// Every function in turn, round after round, so that a busy moment of the machine hits them all.
fn side_by_side(folder: &Path) -> Result<Vec<Row>, Box<dyn Error>> {
    let store = Store::at_once();
    let request = folder.join("request.json");
    fs::write(&request, batch::request())?;
    let python = |script| Peer::python(script, &request, &store);
    let mut peers = [
        Some(Peer::rust("nozzle", REQUESTS_AT_ONCE, &store)),
        Some(Peer::rust("put-item", REQUESTS_AT_ONCE, &store)),
        python("with_boto3.py"),
        python("with_powertools.py"),
    ];
    let works = [
        (0, "claim", "(a) Nozzle, claiming alone", ROUNDS),
        (
            1,
            "claim",
            "(b) one `PutItem` an event, claiming alone",
            ROUNDS,
        ),
        (0, "answer", "(a) Nozzle", ROUNDS),
        (1, "answer", "(b) Rust, one `PutItem` an event", ROUNDS),
        (2, "answer", "(c) Python with boto3", ROUNDS_OF_PYTHON),
        (3, "answer", "(d) Python with Powertools", ROUNDS_OF_PYTHON),
    ];
    let mut rows = works.map(|(_, _, name, _)| Row::new(name));
    for round in 0..=ROUNDS {
        for ((peer, work, _, rounds), row) in works.iter().zip(&mut rows) {
            if let Some(peer) = &mut peers[*peer]
                && round <= *rounds
            {
                store.requests();
                let sample = peer.run(work);
                row.add(round, sample, store.requests());
            }
        }
    }
    Ok(rows.into())
}

const BOUNDS: [usize; 6] = [4, 8, 16, 32, 64, 128];

fn far_away(folder: &Path) -> Result<Vec<Bound>, Box<dyn Error>> {
    make_certificate(folder)?;
    let store = Store::far_away(8, folder);
    let mut bounds = BOUNDS.map(|requests_at_once| Bound {
        requests_at_once,
        first: Vec::new(),
        next: Vec::new(),
    });
    for _ in 0..ROUNDS {
        for bound in &mut bounds {
            let mut peer = Peer::trusting(folder, bound.requests_at_once, &store);
            bound.first.push(peer.run("claim"));
            bound.next.push(peer.run("claim"));
        }
    }
    Ok(bounds.into())
}

fn make_certificate(folder: &Path) -> Result<(), Box<dyn Error>> {
    let arguments = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
                     -subj /CN=localhost -addext subjectAltName=DNS:localhost \
                     -addext basicConstraints=critical,CA:FALSE -out certificate.pem -keyout key.pem";
    let made = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .output()?;
    if !made.status.success() {
        return Err(String::from_utf8_lossy(&made.stderr).into());
    }
    Ok(())
}
