//! The functions that are compared, and how each is built, started and deployed.

use std::{
    collections::HashMap,
    env,
    error::Error,
    fmt,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::Value;
use tokio::process::Command;

/// The one that Nozzle is deployed with.
pub(crate) const PROFILE: &str = "function";
const TABLE: &str = "claims";
const LOG_TABLE: &str = "EventLogs";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Peer {
    Nozzle,
    NaiveRust,
    Node,
    Boto3,
    Powertools,
    BatchWriter,
}

/// What a function does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Task {
    /// Transforms for Firehose, and claims nothing.
    Transform,
    /// ... and claims each event in a store.
    Claim,
    /// Puts each event of a stream into a table.
    Log,
    /// Counts and archives each event of a stream.
    Process,
}

impl Peer {
    /// Whether a batch takes seconds.
    pub(crate) fn is_slow(self, task: Task) -> bool {
        match task {
            Task::Transform => false,
            Task::Claim => matches!(self, Self::Boto3 | Self::Powertools),
            Task::Log | Task::Process => !matches!(self, Self::Nozzle | Self::NaiveRust),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nozzle => "Nozzle",
            Self::NaiveRust => "Rust, naive",
            Self::Node => "Node",
            Self::Boto3 => "Python, boto3",
            Self::Powertools => "Python, Powertools",
            Self::BatchWriter => "Python, batch_writer",
        })
    }
}

impl Task {
    pub(crate) const ALL: [Self; 4] = [Self::Transform, Self::Claim, Self::Log, Self::Process];
    pub(crate) const OF_FIREHOSE: [Self; 2] = [Self::Transform, Self::Claim];

    /// Nozzle first: the others' answers are compared with its own.
    pub(crate) fn peers(self) -> Vec<Peer> {
        let last = match self {
            Self::Transform | Self::Claim => Some(Peer::Powertools),
            Self::Log => Some(Peer::BatchWriter),
            Self::Process => None,
        };
        let all = [Peer::Nozzle, Peer::NaiveRust, Peer::Node, Peer::Boto3];
        all.into_iter().chain(last).collect()
    }

    /// Nozzle's program, and the feature that has it.
    fn program(self) -> &'static str {
        match self {
            Self::Transform | Self::Claim => "firehose-transform",
            Self::Log => "event-log",
            Self::Process => "event-processor",
        }
    }

    /// The functions in Rust that are compared.
    fn compared(self) -> &'static [&'static str] {
        match self {
            Self::Transform | Self::Claim => &["--bench", "naive", "--bench", "nozzle-stores"],
            Self::Log => &["--bench", "naive-log"],
            Self::Process => &["--bench", "naive-process"],
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Transform => "without claims",
            Self::Claim => "with claims",
            Self::Log => "event log",
            Self::Process => "event processor",
        })
    }
}

/// The programs, built.
pub(crate) struct Programs {
    rust: HashMap<String, PathBuf>,
    root: PathBuf,
}

impl Programs {
    /// Builds what is written in Rust, as it is deployed. What the others need was fetched before.
    pub(crate) fn build(tasks: &[Task]) -> Result<Self, Box<dyn Error>> {
        let mut rust = HashMap::new();
        for task in tasks {
            if rust.contains_key(task.program()) {
                continue;
            }
            rust.extend(executables(task.program(), task.compared())?);
            // By itself, because benchmarks bring further features of tokio's; and last, because
            // Cargo builds it beside any benchmark, into the same place.
            rust.extend(executables(task.program(), &["--bin", task.program()])?);
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).to_owned();
        Ok(Self { rust, root })
    }

    pub(crate) fn command(&self, peer: Peer, task: Task, store: &str) -> Command {
        let mut command = match (peer, task) {
            (Peer::Nozzle, Task::Transform) => self.nozzle("unclaimed"),
            (Peer::Nozzle, _) => Command::new(&self.rust[task.program()]),
            (Peer::NaiveRust, Task::Log) => Command::new(&self.rust["naive-log"]),
            (Peer::NaiveRust, Task::Process) => Command::new(&self.rust["naive-process"]),
            (Peer::NaiveRust, _) => Command::new(&self.rust["naive"]),
            (Peer::Node, Task::Log) => self.node("log"),
            (Peer::Node, Task::Process) => self.node("process"),
            (Peer::Node, _) => self.node("handler"),
            (Peer::Boto3, Task::Log) => self.python("log.put_items"),
            (Peer::Boto3, Task::Process) => self.python("process.handler"),
            (Peer::Boto3, _) => self.python("with_boto3.handler"),
            (Peer::Powertools, _) => self.python("with_powertools.handler"),
            (Peer::BatchWriter, _) => self.python("log.batch_writer"),
        };
        set_environment(&mut command, store);
        if task == Task::Process || (task == Task::Transform && peer != Peer::Nozzle) {
            command.env_remove("EVENT_CACHE_TABLE_NAME");
        }
        command
    }

    /// Nozzle with so many requests at once.
    pub(crate) fn bounded(&self, requests_at_once: usize, store: &str) -> Command {
        let mut command = self.nozzle(&requests_at_once.to_string());
        set_environment(&mut command, store);
        command
    }

    /// Nozzle's function over another store: see `rust/nozzle.rs`.
    fn nozzle(&self, store: &str) -> Command {
        let mut command = Command::new(&self.rust["nozzle-stores"]);
        command.arg(store);
        command
    }

    fn node(&self, handler: &str) -> Command {
        let mut command = Command::new("node");
        command
            .arg("--no-warnings")
            .arg(self.root.join(".cache/bench-node/runtime.mjs"))
            .arg(handler);
        command
    }

    fn python(&self, handler: &str) -> Command {
        let mut command = Command::new(self.root.join(".cache/bench-venv/bin/python"));
        command
            .args(["-m", "awslambdaric", handler])
            .current_dir(self.root.join("benches/functions/python"));
        command
    }

    /// What a deployment of each consists of, beyond what Lambda's runtimes have.
    pub(crate) fn deployed(&self, peer: Peer, task: Task) -> Vec<PathBuf> {
        let source = |path| self.root.join("benches/functions").join(path);
        let package = |name| {
            let packages = ".cache/bench-venv/lib/python3.11/site-packages";
            self.root.join(packages).join(name)
        };
        match (peer, task) {
            (Peer::Nozzle, _) => vec![self.rust[task.program()].clone()],
            (Peer::NaiveRust, Task::Log) => vec![self.rust["naive-log"].clone()],
            (Peer::NaiveRust, Task::Process) => vec![self.rust["naive-process"].clone()],
            (Peer::NaiveRust, _) => vec![self.rust["naive"].clone()],
            (Peer::Node, Task::Log) => vec![source("node/log.mjs")],
            (Peer::Node, Task::Process) => vec![source("node/process.mjs")],
            (Peer::Node, _) => vec![source("node/handler.mjs")],
            (Peer::Boto3 | Peer::BatchWriter, Task::Log) => vec![source("python/log.py")],
            (Peer::Boto3, Task::Process) => vec![
                source("python/process.py"),
                package("pydantic"),
                package("pydantic_core"),
                package("annotated_types"),
                package("typing_inspection"),
                package("typing_extensions.py"),
            ],
            (Peer::Boto3 | Peer::BatchWriter, _) => {
                vec![source("python/with_boto3.py"), source("python/event.py")]
            }
            (Peer::Powertools, _) => vec![
                source("python/with_powertools.py"),
                source("python/event.py"),
                package("aws_lambda_powertools"),
                package("jmespath"),
                package("typing_extensions.py"),
            ],
        }
    }
}

/// Has Cargo build these targets; their paths by name.
fn executables(
    feature: &str,
    targets: &[&str],
) -> Result<HashMap<String, PathBuf>, Box<dyn Error>> {
    let arguments = "build --locked --no-default-features --message-format json-render-diagnostics";
    let built = std::process::Command::new(env!("CARGO"))
        .args(arguments.split_whitespace())
        .args(["--features", feature, "--profile", PROFILE])
        .args(targets)
        .stderr(Stdio::inherit())
        .output()?;
    if !built.status.success() {
        return Err("the functions in Rust could not be built".into());
    }
    let messages = String::from_utf8(built.stdout)?;
    Ok(messages.lines().filter_map(executable).collect())
}

/// Name and path, of a line in which Cargo says what it has built.
fn executable(line: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(line).ok()?;
    let name = message["target"]["name"].as_str()?;
    Some((name.to_owned(), message["executable"].as_str()?.into()))
}

/// What Lambda sets, and where the store is.
fn set_environment(command: &mut Command, store: &str) {
    let path = env::var("PATH").unwrap_or_default();
    let settings = [
        ("PATH", path.as_str()),
        ("LANG", "en_US.UTF-8"),
        ("TZ", ":UTC"),
        ("AWS_LAMBDA_FUNCTION_NAME", "measured"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "bench"),
        ("AWS_SECRET_ACCESS_KEY", "bench"),
        ("AWS_ENDPOINT_URL_DYNAMODB", store),
        ("AWS_ENDPOINT_URL_S3", store),
        ("S3_BUCKET", "event-archive"),
        ("DYNAMODB_TABLE", "event-aggregations"),
        ("EVENT_CACHE_TABLE_NAME", TABLE),
        ("TABLE_NAME", LOG_TABLE),
    ];
    command.env_clear().envs(settings).stdout(Stdio::null());
}
