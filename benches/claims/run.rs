//! The processes of the benchmark: the store, and the functions that are compared.

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use crate::TABLE;

/// What one batch took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) processor_microseconds: f64,
    pub(crate) wall_microseconds: f64,
}

/// A child that is obeyed line by line, and killed when this is dropped.
struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Process {
    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "a process ended");
        line.trim().to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) struct Store {
    address: String,
    url: String,
    _process: Process,
}

impl Store {
    pub(crate) fn at_once() -> Self {
        Self::start(&["stub", "0"], "http")
    }

    /// Over TLS, answering after so many milliseconds; the folder has its certificate.
    pub(crate) fn far_away(milliseconds: u32, folder: &Path) -> Self {
        let folder = folder.to_str().unwrap();
        Self::start(&["stub", &milliseconds.to_string(), folder], "https")
    }

    fn start(arguments: &[&str], scheme: &str) -> Self {
        let mut process = Process::start(this_program(arguments));
        let address = process.line();
        let port = address.rsplit(':').next().unwrap();
        Self {
            url: format!("{scheme}://localhost:{port}"),
            address,
            _process: process,
        }
    }

    /// How many requests there were since this was asked last.
    pub(crate) fn requests(&self) -> usize {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let request = "GET /requests HTTP/1.1\r\nhost: stub\r\nconnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.lines().last().unwrap().parse().unwrap()
    }
}

/// One of the functions that are compared.
pub(crate) struct Peer(Process);

impl Peer {
    /// One that is part of this program: `nozzle` or `put-item`.
    pub(crate) fn rust(name: &str, requests_at_once: usize, store: &Store) -> Self {
        let requests_at_once = requests_at_once.to_string();
        Self::start(this_program(&[name, &requests_at_once]), store)
    }

    /// Nozzle, over TLS with the certificate in this folder.
    pub(crate) fn trusting(folder: &Path, requests_at_once: usize, store: &Store) -> Self {
        let mut command = this_program(&["nozzle", &requests_at_once.to_string()]);
        command.env("SSL_CERT_FILE", folder.join("certificate.pem"));
        Self::start(command, store)
    }

    /// `None` where `benches/claims/fetch` was not run.
    pub(crate) fn python(script: &str, request: &Path, store: &Store) -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = root.join(".cache/bench-venv/bin/python");
        if !python.exists() {
            return None;
        }
        let mut command = Command::new(python);
        command.arg(root.join("benches/claims").join(script));
        command.arg(request);
        Some(Self::start(command, store))
    }

    fn start(mut command: Command, store: &Store) -> Self {
        command
            .env("AWS_ENDPOINT_URL_DYNAMODB", &store.url)
            .env("AWS_ACCESS_KEY_ID", "bench")
            .env("AWS_SECRET_ACCESS_KEY", "bench")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("EVENT_CACHE_TABLE_NAME", TABLE);
        Self(Process::start(command))
    }

    pub(crate) fn run(&mut self, what: &str) -> Sample {
        writeln!(self.0.input, "{what}").unwrap();
        let line = self.0.line();
        let (processor, wall) = line.split_once(' ').unwrap();
        Sample {
            processor_microseconds: processor.parse().unwrap(),
            wall_microseconds: wall.parse().unwrap(),
        }
    }
}

fn this_program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(arguments);
    command
}
