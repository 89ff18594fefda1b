//! Whole functions compared: Nozzle and what people would write instead, each a process of its own
//! behind the same Lambda runtime API, fed with the same requests. Writes `benches/RESULTS.md`;
//! `cargo bench --bench functions -- quick` only shows that everything works, `-- log` is of the event
//! log alone.
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

use std::{collections::HashMap, env, error::Error, path::Path, process::Command, time::Duration};

use figures::{Bound, Cell, Figures, Start};
use measure::{Cores, Measured};
use peers::{Peer, Programs, Task};
use requests::{Batch, Size};
use store::Seen;

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
    let is_asked = |word: &str| env::args().any(|argument| argument == word);
    let extent = if is_asked("quick") { QUICK } else { FULL };
    let tasks: &[Task] = if is_asked("log") {
        &[Task::Log]
    } else {
        &Task::ALL
    };
    let bench = Bench {
        programs: Programs::build(tasks)?,
        tasks,
        store: store::at_once().await?,
        cores: Cores::divide()?,
        extent,
    };
    let figures = bench.run().await?;
    if is_asked("quick") || is_asked("log") {
        report::print(&figures);
        Ok(())
    } else {
        report::write(&figures)
    }
}

struct Bench {
    programs: Programs,
    tasks: &'static [Task],
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
        if self.tasks.contains(&Task::Claim) {
            self.far_away(&mut figures).await?;
        }
        if self.tasks.contains(&Task::Log) {
            self.writes(&mut figures).await?;
        }
        for (peer, task) in self.functions() {
            let bytes = report::zip_bytes(&self.programs.deployed(peer, task))?;
            figures.zip_bytes.insert((peer, task), bytes);
        }
        Ok(figures)
    }

    fn functions(&self) -> impl Iterator<Item = (Peer, Task)> {
        let with = |task: &Task| task.peers().map(|peer| (peer, *task));
        self.tasks.iter().flat_map(with)
    }

    async fn start(&self, peer: Peer, task: Task) -> Outcome<Measured> {
        let command = self.programs.command(peer, task, &self.store);
        Ok(Measured::start(command, self.cores).await?)
    }

    fn rounds(&self, peer: Peer, task: Task) -> usize {
        if peer.is_slow(task) {
            self.extent.slow_rounds
        } else {
            self.extent.rounds
        }
    }

    /// Every function in turn, round after round, so that a busy moment of the machine hits them
    /// all. The first answers are compared and not measured.
    async fn batches(&self, figures: &mut Figures) -> Outcome<()> {
        let (mut functions, mut measured) = (HashMap::new(), Vec::new());
        for task in self.tasks {
            let mut running = Vec::new();
            for peer in task.peers() {
                running.push((peer, self.start(peer, *task).await?));
            }
            let sizes = self.extent.sizes.iter();
            for batch in sizes.flat_map(|size| batches_of(*task, *size)) {
                compare(*task, &running, &batch).await?;
                measured.push((*task, batch));
            }
            functions.insert(*task, running);
        }
        for round in 0..self.extent.rounds {
            eprintln!("round {} of {}", round + 1, self.extent.rounds);
            for (task, batch) in &measured {
                for (peer, function) in &functions[task] {
                    if round < self.rounds(*peer, *task) {
                        let taken = function.invoke_for(self.extent.sample, &batch.body).await?;
                        let cell = Cell::of(*peer, *task, batch);
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
            for (peer, task) in self.functions() {
                if start < self.rounds(peer, task) {
                    let start = self.first_moments(peer, task).await?;
                    let starts = figures.starts.entry((peer, task)).or_default();
                    starts.push(start);
                }
            }
        }
        Ok(())
    }

    async fn first_moments(&self, peer: Peer, task: Task) -> Outcome<Start> {
        let batch = Batch::of(task, 1_000, Size::B420);
        let function = self.start(peer, task).await?;
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
        for (peer, task) in self.functions() {
            let [_, _, most] = Size::B420.records(task);
            let largest = Batch::of(task, most, Size::B420);
            let peak = self.peak(peer, task, &largest).await?;
            figures.peak_bytes.insert((peer, task), peak);
        }
        for task in self.tasks.iter().filter(|task| **task != Task::Transform) {
            for size in Size::ALL {
                let full = Batch::full(*task, size);
                let peak = self.peak(Peer::Nozzle, *task, &full).await?;
                figures.full_requests.push((*task, full, peak));
            }
        }
        Ok(())
    }

    async fn peak(&self, peer: Peer, task: Task, batch: &Batch) -> Outcome<u64> {
        let function = self.start(peer, task).await?;
        for _ in 0..3 {
            function.answer(&batch.body).await;
        }
        function.peak_bytes()
    }

    /// What a batch of a thousand asks of the log's table.
    async fn writes(&self, figures: &mut Figures) -> Outcome<()> {
        for peer in Task::Log.peers() {
            let (store, seen) = store::counting().await?;
            let command = self.programs.command(peer, Task::Log, &store);
            let function = Measured::start(command, self.cores).await?;
            for size in Size::ALL {
                *seen.lock().unwrap() = Seen::default();
                let batch = Batch::of(Task::Log, 1_000, size);
                function.answer(&batch.body).await;
                figures.writes.insert((peer, size), *seen.lock().unwrap());
            }
        }
        Ok(())
    }

    /// Nozzle's requests at once, over TLS and with latency.
    async fn far_away(&self, figures: &mut Figures) -> Outcome<()> {
        let folder = tempfile::tempdir()?;
        make_certificate(folder.path())?;
        let store = store::far_away(Duration::from_millis(8), folder.path()).await?;
        let trusted = folder.path().join("certificate.pem");
        let batch = Batch::of(Task::Claim, 6_000, Size::B420);
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

/// The answers are compared, and not measured.
async fn compare(task: Task, running: &[(Peer, Measured)], batch: &Batch) -> Outcome<()> {
    let ours = running[0].1.answer(&batch.body).await;
    for (peer, function) in running {
        let theirs = function.answer(&batch.body).await;
        answers::check_same(task, &ours, &theirs)
            .map_err(|difference| format!("{peer} {task}: {difference}"))?;
    }
    Ok(())
}

fn batches_of(task: Task, size: Size) -> [Batch; 3] {
    size.records(task)
        .map(|records| Batch::of(task, records, size))
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
