//! Lambda around a command: environments, each one process that answers one invocation at a time.
//! One that dies or takes too long is gone, and the next invocation starts another.

use std::{
    collections::VecDeque,
    io::{self, Write},
    mem,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    time::timeout,
};

use super::runtime_api::{RuntimeApi, lock};
use crate::{
    config::environment,
    local::{
        firehose::invocation::{FunctionError, Invocation, Told},
        names::REGION,
    },
    tool::clock::now,
};

/// So many lines of a process's output are shown when it dies, or a probe fails.
const TAIL_LINES: usize = 12;
const TAIL_LINE_CHARACTERS: usize = 300;

/// What Python says then.
const NO_PYTHON_RUNTIME: &str = "No module named awslambdaric";

/// What Lambda sets, where it is not set already.
const LAMBDA_SETTINGS: &[(&str, &str)] = &[
    ("AWS_LAMBDA_FUNCTION_NAME", "nozzle-check"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
    ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/nozzle-check"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "nozzle-check"),
    ("AWS_REGION", REGION),
    ("AWS_DEFAULT_REGION", REGION),
    ("LAMBDA_TASK_ROOT", "."),
    ("TZ", ":UTC"),
];

/// What becomes of a function's own output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    /// Its end is shown with a failure.
    Kept,
    /// All of it is written to standard error as it comes.
    Shown,
}

/// A command as a function: as many processes as there are invocations at once.
pub(super) struct Environments {
    pub(super) command: String,
    timeout: Duration,
    output: Output,
    /// The one that answered last is the next to be asked.
    idle: Mutex<Vec<Environment>>,
    /// What those have written that are no more.
    left: Mutex<Vec<String>>,
}

impl Environments {
    pub(super) fn new(command: String, timeout: Duration, output: Output) -> Self {
        Self {
            command,
            timeout,
            output,
            idle: Mutex::default(),
            left: Mutex::default(),
        }
    }

    /// Starts the command, and waits until it asks for an invocation.
    pub(super) async fn warm_up(&self) -> Result<(), FunctionError> {
        let environment = self.start().await?;
        lock(&self.idle).push(environment);
        Ok(())
    }

    /// The end of what was written since this was asked last.
    pub(super) fn take_output(&self) -> Vec<String> {
        let mut said = mem::take(&mut *lock(&self.left));
        for environment in &*lock(&self.idle) {
            said.extend(lock(&environment.tail).drain(..));
        }
        said
    }

    pub(super) async fn invoke(&self, request: &[u8]) -> Result<Invocation, FunctionError> {
        let mut environment = self.take().await?;
        let answer = environment.invoke(request, self.timeout).await;
        if environment.is_alive() {
            lock(&self.idle).push(environment);
        } else {
            lock(&self.left).extend(lock(&environment.tail).drain(..));
        }
        answer
    }

    async fn start(&self) -> Result<Environment, FunctionError> {
        Environment::start(&self.command, self.timeout, self.output).await
    }

    async fn take(&self) -> Result<Environment, FunctionError> {
        let idle = lock(&self.idle).pop();
        if let Some(mut environment) = idle
            && environment.is_alive()
        {
            return Ok(environment);
        }
        self.start().await
    }
}

/// A process and the API it talks to. Ends with all it has started.
struct Environment {
    api: RuntimeApi,
    process: Child,
    group: Option<Pid>,
    tail: Arc<Mutex<VecDeque<String>>>,
    readers: Vec<tokio::task::JoinHandle<()>>,
    has_failed: bool,
}

impl Environment {
    async fn start(command: &str, time: Duration, output: Output) -> Result<Self, FunctionError> {
        let started = Self::spawn(command, output).await;
        let mut environment = started
            .map_err(|error| FunctionError::Failed(format!("`{command}` cannot start: {error}")))?;
        let ready = tokio::select! {
            biased;
            started = environment.api.started() => Ok(started),
            status = environment.process.wait() => Err(status),
            () = tokio::time::sleep(time) => Ok(Err(format!(
                "it did not ask for an invocation within {} seconds: --timeout holds for its start \
                 too",
                time.as_secs()
            ))),
        };
        match ready {
            Ok(Ok(())) => Ok(environment),
            Ok(Err(reason)) => Err(FunctionError::Failed(format!(
                "the function cannot start: {reason}{}",
                environment.last_words().await
            ))),
            Err(status) => {
                let when = if status.as_ref().is_ok_and(ExitStatus::success) {
                    "before it asked for an invocation: a handler is to be started with its \
                     runtime, such as `python3 -m awslambdaric app.handler` after `pip install \
                     awslambdaric`"
                } else {
                    "before it asked for an invocation"
                };
                Err(environment.died(when, status).await)
            }
        }
    }

    async fn spawn(command: &str, output: Output) -> io::Result<Self> {
        let api = RuntimeApi::serve().await?;
        let unset = LAMBDA_SETTINGS
            .iter()
            .filter(|(name, _)| environment(name).is_none());
        let mut process = Command::new("sh")
            .args(["-c", command])
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .envs(unset.copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let tail = Arc::default();
        let mut readers = Vec::new();
        if let Some(stdout) = process.stdout.take() {
            readers.push(tokio::spawn(keep_tail(stdout, output, Arc::clone(&tail))));
        }
        if let Some(stderr) = process.stderr.take() {
            readers.push(tokio::spawn(keep_tail(stderr, output, Arc::clone(&tail))));
        }
        let group = process.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        Ok(Self {
            api,
            process,
            group,
            tail,
            readers,
            has_failed: false,
        })
    }

    async fn invoke(
        &mut self,
        request: &[u8],
        time: Duration,
    ) -> Result<Invocation, FunctionError> {
        let answer = tokio::select! {
            biased;
            answer = timeout(time, self.api.invoke(request, now(), time)) => answer,
            status = self.process.wait() => {
                self.has_failed = true;
                return Err(self.died("before it answered", status).await);
            }
        };
        let Ok(answer) = answer else {
            self.has_failed = true;
            return Err(FunctionError::TimedOut(time.as_secs_f64()));
        };
        Ok(Invocation {
            answer: answer?.to_vec(),
            told: Told::default(),
        })
    }

    fn is_alive(&mut self) -> bool {
        !self.has_failed && matches!(self.process.try_wait(), Ok(None))
    }

    async fn died(&mut self, when: &str, status: io::Result<ExitStatus>) -> FunctionError {
        let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        let said = self.last_words().await;
        let advice = if said.contains(NO_PYTHON_RUNTIME) {
            "\nThe Python that runs it has no runtime for Lambda: pip install awslambdaric"
        } else {
            ""
        };
        FunctionError::Failed(format!("the process ended {when} ({how}){said}{advice}"))
    }

    /// The end of what it wrote.
    async fn last_words(&mut self) -> String {
        self.kill();
        for reader in self.readers.drain(..) {
            // A process that left its group may keep the pipe open.
            let _ = timeout(Duration::from_secs(1), reader).await;
        }
        let lines = mem::take(&mut *lock(&self.tail));
        lines
            .iter()
            .fold(String::new(), |said, line| format!("{said}\n{line}"))
    }

    fn kill(&mut self) {
        // Once only: later the number may be another's.
        if let Some(group) = self.group.take() {
            // It may have ended by itself.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn keep_tail(
    stream: impl AsyncRead + Unpin,
    output: Output,
    tail: Arc<Mutex<VecDeque<String>>>,
) {
    let mut lines = BufReader::new(stream).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        let line = String::from_utf8_lossy(&line);
        if output == Output::Shown {
            // Where nobody listens there is nobody to tell.
            let _ = writeln!(io::stderr(), "{line}");
        }
        // Python's runtime parts the lines of a traceback so.
        let lines = line.split('\r').map(str::trim_end);
        for line in lines.filter(|line| !line.is_empty()) {
            let mut tail = lock(&tail);
            if tail.len() == TAIL_LINES {
                tail.pop_front();
            }
            tail.push_back(line.chars().take(TAIL_LINE_CHARACTERS).collect());
        }
    }
}
