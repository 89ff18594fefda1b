//! Lambda for one function: serves the runtime API on a free port, starts the function against it,
//! hands it invocations and takes its answers.

use std::{
    collections::HashMap,
    convert::Infallible,
    future::pending,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, body::Bytes, body::Incoming, server::conn::http1, service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    net::TcpListener,
    process::{Child, ChildStderr, ChildStdout, Command},
    sync::{Mutex as AsyncMutex, Notify, mpsc, oneshot},
};

const FUNCTION_ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:firehose-transform";

/// What an invocation came to.
#[derive(Debug)]
pub(crate) enum Outcome {
    Answer(Bytes),
    /// The function's error answer.
    Failure(Value),
    /// The process ended before it answered.
    Died,
}

impl Outcome {
    #[track_caller]
    pub(crate) fn answer(self) -> Bytes {
        match self {
            Outcome::Answer(answer) => answer,
            other => panic!("no answer but {other:?}"),
        }
    }

    /// The error's type and message.
    #[track_caller]
    pub(crate) fn failure(self) -> (String, String) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match self {
            Outcome::Failure(failure) => {
                (text(&failure["errorType"]), text(&failure["errorMessage"]))
            }
            other => panic!("no failure but {other:?}"),
        }
    }
}

struct Invocation {
    id: String,
    deadline: SystemTime,
    body: Bytes,
}

/// What the server and the test share.
struct Shared {
    invocations: AsyncMutex<mpsc::UnboundedReceiver<Invocation>>,
    waiting: Mutex<HashMap<String, oneshot::Sender<Outcome>>>,
    start_failure: Mutex<Option<Value>>,
    /// The function asked for its next invocation.
    ready: Notify,
}

/// The function's process and the Lambda around it.
pub(crate) struct Function {
    shared: Arc<Shared>,
    sender: mpsc::UnboundedSender<Invocation>,
    invocations: AtomicUsize,
    child: AsyncMutex<Child>,
    pub(crate) process_id: u32,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
}

impl Function {
    #[cfg(feature = "lambda")]
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        Self::of(env!("CARGO_BIN_EXE_firehose-transform"), settings).await
    }

    /// Starts a function's program with nothing in its environment but what Lambda sets and
    /// `settings`.
    #[cfg(feature = "lambda")]
    pub(crate) async fn of(program: &str, settings: &[(&str, &str)]) -> Self {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(LAMBDA_SETTINGS.iter().copied())
            .envs(settings.iter().copied())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        Self::run(command).await
    }

    /// Starts any function.
    pub(crate) async fn run(mut command: Command) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            invocations: AsyncMutex::new(receiver),
            waiting: Mutex::default(),
            start_failure: Mutex::default(),
            ready: Notify::new(),
        });
        let address = serve(Arc::clone(&shared)).await;
        let mut child = command
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .kill_on_drop(true)
            .spawn()
            .expect("the function starts");
        let process_id = child.id().expect("it was started just now");
        Self {
            shared,
            sender,
            invocations: AtomicUsize::new(0),
            process_id,
            stdout: child.stdout.take(),
            stderr: child.stderr.take(),
            child: AsyncMutex::new(child),
        }
    }

    /// Waits until the function asks for an invocation.
    pub(crate) async fn ready(&self) {
        self.shared.ready.notified().await;
    }

    pub(crate) async fn invoke(&self, body: impl Into<Bytes>) -> Outcome {
        self.invoke_within(body, Duration::from_mins(1)).await
    }

    /// Invokes the function, with so much time until its deadline.
    pub(crate) async fn invoke_within(&self, body: impl Into<Bytes>, time: Duration) -> Outcome {
        let (sender, receiver) = oneshot::channel();
        let number = self.invocations.fetch_add(1, Ordering::Relaxed);
        let id = format!("invocation-{number:016x}");
        self.shared
            .waiting
            .lock()
            .unwrap()
            .insert(id.clone(), sender);
        let invocation = Invocation {
            id,
            deadline: now() + time,
            body: body.into(),
        };
        self.sender
            .send(invocation)
            .expect("the server lives as long as the function");
        let mut child = self.child.lock().await;
        tokio::select! {
            biased;
            outcome = receiver => outcome.unwrap_or(Outcome::Died),
            _ = child.wait() => Outcome::Died,
        }
    }

    /// Stops the process; what it wrote, all of which Lambda logs.
    pub(crate) async fn stop(mut self) -> Vec<String> {
        let _ = self.child.get_mut().kill().await;
        self.output().await
    }

    /// Waits for the process to end by itself: whether with success, what it told Lambda, and what
    /// it wrote.
    pub(crate) async fn end(mut self) -> (bool, Option<Value>, Vec<String>) {
        let status = self
            .child
            .get_mut()
            .wait()
            .await
            .expect("the process can be waited for");
        let start_failure = self.shared.start_failure.lock().unwrap().take();
        (status.success(), start_failure, self.output().await)
    }

    async fn output(&mut self) -> Vec<String> {
        let mut text = String::new();
        read(self.stdout.take(), &mut text).await;
        read(self.stderr.take(), &mut text).await;
        text.lines().map(ToOwned::to_owned).collect()
    }
}

/// What a process still had to say.
async fn read(output: Option<impl AsyncRead + Unpin>, text: &mut String) {
    if let Some(mut output) = output {
        let read = output.read_to_string(text).await;
        read.expect("the output is UTF-8");
    }
}

#[cfg(feature = "lambda")]
const LAMBDA_SETTINGS: &[(&str, &str)] = &[
    ("AWS_LAMBDA_FUNCTION_NAME", "firehose-transform"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
    ("AWS_REGION", "us-east-1"),
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "test"),
    ("EVENT_CACHE_TABLE_NAME", "claims"),
];

#[expect(
    clippy::disallowed_methods,
    reason = "an invocation's deadline is a time of day"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

async fn serve(shared: Arc<Shared>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let shared = Arc::clone(&shared);
            let service = service_fn(move |request| respond(Arc::clone(&shared), request));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

async fn respond(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request
        .uri()
        .path()
        .trim_start_matches("/2018-06-01/runtime/")
        .to_owned();
    let body = request
        .into_body()
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    Ok(match path.split('/').collect::<Vec<_>>().as_slice() {
        ["invocation", "next"] => next(&shared).await,
        ["invocation", id, "response"] => settle(&shared, id, Outcome::Answer(body)),
        ["invocation", id, "error"] => settle(&shared, id, Outcome::Failure(json(&body))),
        ["init", "error"] => {
            *shared.start_failure.lock().unwrap() = Some(json(&body));
            Response::new(Full::default())
        }
        _ => panic!("the function asks for {path}"),
    })
}

fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).expect("an error is JSON")
}

async fn next(shared: &Shared) -> Response<Full<Bytes>> {
    shared.ready.notify_one();
    let invocation = shared.invocations.lock().await.recv().await;
    let Some(invocation) = invocation else {
        return pending().await; // nobody invokes it any more
    };
    let deadline = invocation
        .deadline
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Response::builder()
        .header("lambda-runtime-aws-request-id", invocation.id)
        .header(
            "lambda-runtime-deadline-ms",
            deadline.as_millis().to_string(),
        )
        .header("lambda-runtime-invoked-function-arn", FUNCTION_ARN)
        .header(
            "lambda-runtime-trace-id",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0",
        )
        .header("content-type", "application/json")
        .body(Full::new(invocation.body))
        .expect("the headers are plain")
}

fn settle(shared: &Shared, id: &str, outcome: Outcome) -> Response<Full<Bytes>> {
    let waiting = shared.waiting.lock().unwrap().remove(id);
    waiting
        .expect("an invocation is answered once")
        .send(outcome)
        .ok();
    Response::builder()
        .status(202)
        .body(Full::default())
        .expect("a plain status")
}
