//! Whole functions compared: Nozzle and what people would write instead, each a process of its own
//! behind the same Lambda runtime API, fed with the same requests. Writes `benches/RESULTS.md`;
//! `cargo bench --bench functions -- quick` only shows that everything works.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a benchmark may panic, reads the clock, and its numbers are small"
)]

mod answers;
mod figures;
mod measure;
mod peers;
mod report;
mod requests;
#[path = "../../tests/support/runtime_api.rs"]
#[allow(dead_code, reason = "tests use the rest")]
mod runtime_api;
mod store;

use std::{env, error::Error, path::Path, process::Command, time::Duration};

use figures::{Bound, Cell, Figures, Start};
use measure::{Cores, Measured};
use peers::{Claims, Peer, Programs};
use requests::{Batch, Size};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// How much is measured.
struct Extent {
    sizes: &'static [Size],
    rounds: usize,
    /// Of functions that take seconds for a batch.
    slow_rounds: usize,
    sample: Duration,
    starts: usize,
}

const FULL: Extent = Extent {
    sizes: &Size::ALL,
    rounds: 15,
    slow_rounds: 2,
    sample: Duration::from_millis(100),
    starts: 9,
};
const QUICK: Extent = Extent {
    sizes: &[Size::B420],
    rounds: 1,
    slow_rounds: 1,
    sample: Duration::from_millis(10),
    starts: 1,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let is_quick = env::args().any(|argument| argument == "quick");
    let extent = if is_quick { QUICK } else { FULL };
    let bench = Bench {
        programs: Programs::build()?,
        store: store::at_once().await?,
        cores: Cores::divide()?,
        extent,
    };
    let figures = bench.run().await?;
    if is_quick {
        report::print(&figures);
        Ok(())
    } else {
        report::write(&figures)
    }
}

struct Bench {
    programs: Programs,
    store: String,
    cores: Cores,
    extent: Extent,
}

impl Bench {
    async fn run(&self) -> Outcome<Figures> {
        let mut figures = Figures::default();
        self.batches(&mut figures).await?;
        self.starts(&mut figures).await?;
        self.memory(&mut figures).await?;
        self.far_away(&mut figures).await?;
        for peer in Peer::ALL {
            let bytes = report::zip_bytes(&self.programs.deployed(peer))?;
            figures.zip_bytes.insert(peer, bytes);
        }
        Ok(figures)
    }

    async fn start(&self, peer: Peer, claims: Claims) -> Outcome<Measured> {
        let command = self.programs.command(peer, claims, &self.store);
        Ok(Measured::start(command, self.cores).await?)
    }

    fn rounds(&self, peer: Peer, claims: Claims) -> usize {
        if peer.is_slow(claims) {
            self.extent.slow_rounds
        } else {
            self.extent.rounds
        }
    }

    /// Every function in turn, round after round, so that a busy moment of the machine hits them
    /// all. The first answers are compared and not measured.
    async fn batches(&self, figures: &mut Figures) -> Outcome<()> {
        let batches: Vec<_> = self
            .extent
            .sizes
            .iter()
            .copied()
            .flat_map(batches_of)
            .collect();
        let mut running = Vec::new();
        for (peer, claims) in functions() {
            running.push((peer, claims, self.start(peer, claims).await?));
        }
        for batch in &batches {
            let ours = running[0].2.answer(&batch.body).await;
            for (peer, claims, function) in &running {
                let theirs = function.answer(&batch.body).await;
                answers::check_same(&ours, &theirs)
                    .map_err(|difference| format!("{peer} {claims}: {difference}"))?;
            }
        }
        for round in 0..self.extent.rounds {
            eprintln!("round {} of {}", round + 1, self.extent.rounds);
            for batch in &batches {
                for (peer, claims, function) in &running {
                    if round < self.rounds(*peer, *claims) {
                        let taken = function.invoke_for(self.extent.sample, &batch.body).await?;
                        let cell = Cell::of(*peer, *claims, batch);
                        figures.add(cell, taken.divided_by(batch.records));
                    }
                }
            }
        }
        Ok(())
    }

    /// A new process each time.
    async fn starts(&self, figures: &mut Figures) -> Outcome<()> {
        for start in 0..self.extent.starts {
            eprintln!("start {} of {}", start + 1, self.extent.starts);
            for (peer, claims) in functions() {
                if start < self.rounds(peer, claims) {
                    let start = self.first_moments(peer, claims).await?;
                    let starts = figures.starts.entry((peer, claims)).or_default();
                    starts.push(start);
                }
            }
        }
        Ok(())
    }

    async fn first_moments(&self, peer: Peer, claims: Claims) -> Outcome<Start> {
        let batch = Batch::of(1_000, Size::B420);
        let function = self.start(peer, claims).await?;
        let first = function.invoke(&batch.body).await?;
        let mut tenth = first;
        for _ in 1..10 {
            tenth = function.invoke(&batch.body).await?;
        }
        Ok(Start {
            polling: function.polling,
            answered: function.polling + first.wall,
            first,
            tenth,
        })
    }

    /// The peak of a process that got the largest batch three times; Nozzle's with a full request
    /// too, whose response no longer fits.
    async fn memory(&self, figures: &mut Figures) -> Outcome<()> {
        let largest = Batch::of(6_000, Size::B420);
        for (peer, claims) in functions() {
            let peak = self.peak(peer, claims, &largest).await?;
            figures.peak_bytes.insert((peer, claims), peak);
        }
        for size in Size::ALL {
            let full = Batch::full(size);
            let peak = self.peak(Peer::Nozzle, Claims::Store, &full).await?;
            figures.full_requests.push((full, peak));
        }
        Ok(())
    }

    async fn peak(&self, peer: Peer, claims: Claims, batch: &Batch) -> Outcome<u64> {
        let function = self.start(peer, claims).await?;
        for _ in 0..3 {
            function.answer(&batch.body).await;
        }
        function.peak_bytes()
    }

    /// Nozzle's requests at once, over TLS and with latency.
    async fn far_away(&self, figures: &mut Figures) -> Outcome<()> {
        let folder = tempfile::tempdir()?;
        make_certificate(folder.path())?;
        let store = store::far_away(Duration::from_millis(8), folder.path()).await?;
        let trusted = folder.path().join("certificate.pem");
        let batch = Batch::of(6_000, Size::B420);
        figures.bounds = [4, 8, 16, 32, 64, 128].map(Bound::new).into();
        for _ in 0..self.extent.starts {
            for bound in &mut figures.bounds {
                let command = self
                    .programs
                    .bounded(bound.requests_at_once, &store, &trusted);
                let function = Measured::start(command, self.cores).await?;
                bound.first.push(function.invoke(&batch.body).await?);
                bound.next.push(function.invoke(&batch.body).await?);
            }
        }
        Ok(())
    }
}

fn functions() -> impl Iterator<Item = (Peer, Claims)> {
    let with = |claims| Peer::ALL.map(|peer| (peer, claims));
    Claims::ALL.into_iter().flat_map(with)
}

fn batches_of(size: Size) -> [Batch; 3] {
    size.records().map(|records| Batch::of(records, size))
}

fn make_certificate(folder: &Path) -> Outcome<()> {
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
