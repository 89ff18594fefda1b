//! Whole functions compared: Nozzle and what people would write instead, each a process of its own
//! behind the same Lambda runtime API, fed with the same requests. Writes `benches/RESULTS.md`;
//! `cargo bench --bench functions -- quick` only shows that everything works, `-- log` and `-- process`
//! are of these functions alone.
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
use requests::{Batch, Shape};
use store::Seen;
use tempfile::TempDir;

/// As `table/mod.rs` has it, for the heading.
const PROCESSOR_REQUESTS_AT_ONCE: usize = 16;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// How much is measured.
struct Extent {
    shapes: fn(Task) -> Vec<Shape>,
    rounds: usize,
    /// Of functions that take seconds for a batch.
    slow_rounds: usize,
    sample: Duration,
    starts: usize,
}

const FULL: Extent = Extent {
    shapes: |task| Shape::all(task).into(),
    rounds: 9,
    slow_rounds: 2,
    sample: Duration::from_millis(100),
    starts: 5,
};
const QUICK: Extent = Extent {
    shapes: |task| vec![Shape::usual(task)],
    rounds: 1,
    slow_rounds: 1,
    sample: Duration::from_millis(10),
    starts: 1,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let is_asked = |word: &str| env::args().any(|argument| argument == word);
    let extent = if is_asked("quick") { QUICK } else { FULL };
    let alone = [("log", Task::Log), ("process", Task::Process)];
    let alone: Vec<_> = alone
        .into_iter()
        .filter_map(|(word, task)| is_asked(word).then_some(task))
        .collect();
    let is_whole = alone.is_empty() && !is_asked("quick");
    let tasks = if alone.is_empty() {
        Task::ALL.into()
    } else {
        alone
    };
    let bench = Bench {
        programs: Programs::build(&tasks)?,
        tasks,
        store: store::at_once().await?,
        cores: Cores::divide()?,
        extent,
    };
    let figures = bench.run().await?;
    if is_whole {
        report::write(&figures)
    } else {
        report::print(&figures);
        Ok(())
    }
}

struct Bench {
    programs: Programs,
    tasks: Vec<Task>,
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
        if self.tasks.contains(&Task::Process) {
            self.hundred_far_away(&mut figures).await?;
        }
        self.writes(&mut figures).await?;
        for (peer, task) in self.functions() {
            let bytes = report::zip_bytes(&self.programs.deployed(peer, task))?;
            figures.zip_bytes.insert((peer, task), bytes);
        }
        Ok(figures)
    }

    fn functions(&self) -> impl Iterator<Item = (Peer, Task)> {
        let with = |task: &Task| {
            let task = *task;
            task.peers().into_iter().map(move |peer| (peer, task))
        };
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
        for task in &self.tasks {
            let mut running = Vec::new();
            for peer in task.peers() {
                running.push((peer, self.start(peer, *task).await?));
            }
            let shapes = (self.extent.shapes)(*task).into_iter();
            for batch in shapes.flat_map(|shape| batches_of(*task, shape)) {
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
        let batch = Batch::of(task, 1_000, Shape::usual(task));
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
            let shape = Shape::usual(task);
            let [_, _, most] = shape.records(task);
            let largest = Batch::of(task, most, shape);
            let peak = self.peak(peer, task, &largest).await?;
            figures.peak_bytes.insert((peer, task), peak);
        }
        for task in self.tasks.iter().filter(|task| **task != Task::Transform) {
            for shape in Shape::all(*task) {
                let full = Batch::full(*task, shape);
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

    /// What a stream's batches ask of the table and the bucket. All are to count the same.
    async fn writes(&self, figures: &mut Figures) -> Outcome<()> {
        let of_streams = |(_, task): &(Peer, Task)| matches!(task, Task::Log | Task::Process);
        for (peer, task) in self.functions().filter(of_streams) {
            for batch in Shape::all(task)
                .into_iter()
                .flat_map(|shape| batches_of(task, shape))
            {
                let seen = self.seen_of(peer, task, &batch).await?;
                figures.writes.insert(Cell::of(peer, task, &batch), seen);
                let ours = figures.writes[&Cell::of(Peer::Nozzle, task, &batch)];
                let counted = [ours, seen].map(|[first, _]| first.events_counted);
                if counted[0] != counted[1] {
                    return Err(format!("{peer} {task}: {counted:?} events are counted").into());
                }
            }
        }
        Ok(())
    }

    async fn seen_of(&self, peer: Peer, task: Task, batch: &Batch) -> Outcome<[Seen; 2]> {
        let (store, seen) = store::counting().await?;
        let command = self.programs.command(peer, task, &store);
        let function = Measured::start(command, self.cores).await?;
        let mut each = [Seen::default(); 2];
        for place in &mut each {
            *seen.lock().unwrap() = Seen::default();
            function.answer(&batch.body).await;
            *place = *seen.lock().unwrap();
        }
        Ok(each)
    }

    /// Nozzle's requests at once, over TLS and with latency.
    async fn far_away(&self, figures: &mut Figures) -> Outcome<()> {
        let far_away = FarAway::open().await?;
        let batch = Batch::of(Task::Claim, 6_000, Shape::B420);
        figures.bounds = [4, 8, 16, 32, 64, 128].map(Bound::new).into();
        for _ in 0..self.extent.starts {
            for bound in &mut figures.bounds {
                let command = self
                    .programs
                    .bounded(bound.requests_at_once, &far_away.store);
                self.two_far_away(far_away.trusted_by(command), &batch, bound)
                    .await?;
            }
        }
        Ok(())
    }

    /// From end to end, as somebody would wait for it.
    async fn hundred_far_away(&self, figures: &mut Figures) -> Outcome<()> {
        let far_away = FarAway::open().await?;
        let batch = Batch::of(Task::Process, 100, Shape::usual(Task::Process));
        let mut hundred = Bound::new(PROCESSOR_REQUESTS_AT_ONCE);
        for _ in 0..self.extent.starts {
            let programs = &self.programs;
            let command = programs.command(Peer::Nozzle, Task::Process, &far_away.store);
            self.two_far_away(far_away.trusted_by(command), &batch, &mut hundred)
                .await?;
        }
        figures.hundred_far_away = vec![hundred];
        Ok(())
    }

    async fn two_far_away(
        &self,
        command: tokio::process::Command,
        batch: &Batch,
        bound: &mut Bound,
    ) -> Outcome<()> {
        let function = Measured::start(command, self.cores).await?;
        bound.first.push(function.invoke(&batch.body).await?);
        bound.next.push(function.invoke(&batch.body).await?);
        Ok(())
    }
}

/// A store over TLS, and what its clients have to trust.
struct FarAway {
    store: String,
    certificate: TempDir,
}

impl FarAway {
    async fn open() -> Outcome<Self> {
        let certificate = tempfile::tempdir()?;
        make_certificate(certificate.path())?;
        let store = store::far_away(Duration::from_millis(8), certificate.path()).await?;
        Ok(Self { store, certificate })
    }

    fn trusted_by(&self, mut command: tokio::process::Command) -> tokio::process::Command {
        let certificate = self.certificate.path().join("certificate.pem");
        command.env("SSL_CERT_FILE", certificate);
        command
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

fn batches_of(task: Task, shape: Shape) -> [Batch; 3] {
    shape
        .records(task)
        .map(|records| Batch::of(task, records, shape))
}

fn make_certificate(folder: &Path) -> Outcome<()> {
    let arguments = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
                     -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 \
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
