//! Lambda's runtime API for one process: it asks for its next invocation, and answers it.

use std::{
    collections::HashMap,
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response, StatusCode, body::Bytes, body::Incoming, server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use crate::{
    functions::firehose_transform::budget::RESPONSE_BYTES_MAX,
    local::{
        clock::epoch_milliseconds,
        firehose::{
            answer::AnswerError,
            invocation::FunctionError,
            invoke_url::{ErrorAnswer, excerpt},
        },
        names::FUNCTION_ARN,
        random::Random,
    },
};

const PREFIX: &str = "/2018-06-01/runtime/";

/// What a process makes of an invocation.
pub(super) type ProcessAnswer = Result<Bytes, FunctionError>;

/// The API on a port of its own, as long as this lives.
pub(super) struct RuntimeApi {
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
    invocations: mpsc::UnboundedSender<PendingInvocation>,
}

struct PendingInvocation {
    id: String,
    deadline_milliseconds: i64,
    request: Bytes,
}

struct Shared {
    invocations: tokio::sync::Mutex<mpsc::UnboundedReceiver<PendingInvocation>>,
    waiting: Mutex<HashMap<String, oneshot::Sender<ProcessAnswer>>>,
    start: Mutex<Option<oneshot::Sender<Result<(), String>>>>,
    started: tokio::sync::Mutex<Option<oneshot::Receiver<Result<(), String>>>>,
    random: Mutex<Random>,
}

impl RuntimeApi {
    pub(super) async fn serve() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (invocations, receiver) = mpsc::unbounded_channel();
        let (start, started) = oneshot::channel();
        let shared = Arc::new(Shared {
            invocations: tokio::sync::Mutex::new(receiver),
            waiting: Mutex::default(),
            start: Mutex::new(Some(start)),
            started: tokio::sync::Mutex::new(Some(started)),
            random: Mutex::default(),
        });
        let server = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self {
            address,
            shared,
            server,
            invocations,
        })
    }

    /// Waits until the process asks for its first invocation; an error is why it cannot start.
    pub(super) async fn started(&self) -> Result<(), String> {
        match self.shared.started.lock().await.take() {
            Some(started) => started.await.unwrap_or(Ok(())),
            None => Ok(()),
        }
    }

    /// Waits for the process's answer, which may never come.
    pub(super) async fn invoke(
        &self,
        request: &[u8],
        now: SystemTime,
        time: Duration,
    ) -> ProcessAnswer {
        let (sender, receiver) = oneshot::channel();
        let id = lock(&self.shared.random).uuid();
        lock(&self.shared.waiting).insert(id.clone(), sender);
        let invocation = PendingInvocation {
            id,
            deadline_milliseconds: epoch_milliseconds(now + time),
            request: Bytes::copy_from_slice(request),
        };
        let gone = || FunctionError::Failed("the runtime API has ended".to_owned());
        self.invocations.send(invocation).map_err(|_| gone())?;
        receiver.await.map_err(|_| gone())?
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        // Where it cannot be had, answers come later, no more.
        let _ = stream.set_nodelay(true);
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| respond(Arc::clone(&shared), request));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn respond(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let Ok(body) = request.into_body().collect().await else {
        return Ok(status(StatusCode::BAD_REQUEST));
    };
    let body = body.to_bytes();
    let path: Vec<_> = path
        .strip_prefix(PREFIX)
        .unwrap_or_default()
        .split('/')
        .collect();
    Ok(match (method, path.as_slice()) {
        (Method::GET, ["invocation", "next"]) => shared.next().await,
        (Method::POST, ["invocation", id, "response"]) => shared.answer(id, body),
        (Method::POST, ["invocation", id, "error"]) => {
            shared.settle(id, Err(FunctionError::Failed(failure(&body))))
        }
        (Method::POST, ["init", "error"]) => {
            shared.start(Err(failure(&body)));
            status(StatusCode::ACCEPTED)
        }
        _ => status(StatusCode::NOT_FOUND),
    })
}

impl Shared {
    async fn next(&self) -> Response<Full<Bytes>> {
        self.start(Ok(()));
        let Some(invocation) = self.invocations.lock().await.recv().await else {
            return status(StatusCode::GONE);
        };
        let response = Response::builder()
            .header("lambda-runtime-aws-request-id", &invocation.id)
            .header(
                "lambda-runtime-deadline-ms",
                invocation.deadline_milliseconds,
            )
            .header("lambda-runtime-invoked-function-arn", FUNCTION_ARN)
            .header("lambda-runtime-trace-id", TRACE_ID)
            .header("content-type", "application/json");
        let response = response.body(Full::new(invocation.request));
        response.unwrap_or_else(|_| status(StatusCode::INTERNAL_SERVER_ERROR))
    }

    fn answer(&self, id: &str, body: Bytes) -> Response<Full<Bytes>> {
        if body.len() > RESPONSE_BYTES_MAX {
            let too_large = Err(AnswerError::TooLarge(body.len()).into());
            self.settle(id, too_large);
            return status(StatusCode::PAYLOAD_TOO_LARGE);
        }
        self.settle(id, Ok(body))
    }

    fn settle(&self, id: &str, answer: ProcessAnswer) -> Response<Full<Bytes>> {
        let Some(waiting) = lock(&self.waiting).remove(id) else {
            return status(StatusCode::BAD_REQUEST);
        };
        // Whoever waited too long has gone.
        let _ = waiting.send(answer);
        status(StatusCode::ACCEPTED)
    }

    fn start(&self, outcome: Result<(), String>) {
        if let Some(start) = lock(&self.start).take() {
            let _ = start.send(outcome);
        }
    }
}

const TRACE_ID: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0";

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

fn failure(body: &[u8]) -> String {
    ErrorAnswer::read(body).unwrap_or_else(|| excerpt(body))
}

/// Nothing here panics while it holds a lock.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
