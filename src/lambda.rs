//! Lambda's invocations, bytes in and bytes out. The runtime's own way would copy each request
//! into values it owns and search each response for characters to escape; a batch has megabytes of
//! both, so a layer takes the body as it came and sends the answer as it was written.

use std::{
    hint::black_box, panic::AssertUnwindSafe, process::ExitCode, sync::Arc, time::SystemTime,
};

use futures_util::FutureExt;
use http::request::Builder;
use lambda_runtime::{
    Context, Diagnostic, Error, LambdaEvent, LambdaInvocation, Runtime, service_fn,
    tower::layer::layer_fn,
};
use lambda_runtime_api_client::{Client, body::Body, build_request};
use serde::de::IgnoredAny;
use tokio::time::Instant;
use tracing::Instrument;

use crate::{
    config::{SettingsError, environment, read_function_name, read_log_settings},
    functions::{Counted, Failure, Function, Moment, Response},
    telemetry::{self, MetricsLog},
};

type Request = http::Request<Body>;

const API: &str = "/2018-06-01/runtime";
const ERROR_TYPE: &str = "lambda-runtime-function-error-type";
/// Lambda's id of one attempt, which goes back with its answer where it came.
const INVOCATION_ID: &str = "lambda-runtime-invocation-id";
/// More than any block of a batch; glibc learns nothing from 32 MB on.
const LARGEST_BLOCK: usize = 31 << 20;
/// The memory of a batch of 1 MB.
const USUAL_BATCH: usize = 8 << 20;

/// Makes a function and answers invocations until the process is stopped. Where its settings are
/// wrong, Lambda is told why.
pub async fn run<F: Function + Send + Sync + 'static>(
    program: &str,
    make: impl AsyncFnOnce() -> Result<F, SettingsError>,
) -> ExitCode {
    let log = read_log_settings(environment);
    telemetry::init(&log, program);
    let metrics = MetricsLog::new(read_function_name(environment, program), &log);
    let ended = match make().await {
        Ok(function) => serve(function, metrics).await,
        Err(error) => Err(refuse_to_start(error.into()).await),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the function stops");
            ExitCode::FAILURE
        }
    }
}

async fn serve<F>(function: F, metrics: MetricsLog) -> Result<(), Error>
where
    F: Function + Send + Sync + 'static,
{
    prepare_memory();
    let server = Arc::new(Server {
        function,
        metrics,
        client: Client::builder().build()?,
    });
    let unused = service_fn(async |_: LambdaEvent<IgnoredAny>| Ok::<_, Diagnostic>(()));
    let bytes = layer_fn(move |_| {
        let server = Arc::clone(&server);
        service_fn(move |invocation| Arc::clone(&server).serve(invocation))
    });
    Runtime::new(unused).layer(bytes).run().await
}

/// Tells Lambda why the function cannot start; gives the reason back.
async fn refuse_to_start(reason: Error) -> Error {
    if let Err(error) = post_start_failure(&reason).await {
        tracing::error!(%error, "Lambda could not be told why the function stops");
    }
    reason
}

async fn post_start_failure(reason: &Error) -> Result<(), Error> {
    let request = build_request()
        .method("POST")
        .uri(format!("{API}/init/error"))
        .header(ERROR_TYPE, "Runtime.Settings");
    send(
        &Client::builder().build()?,
        request.body(failure_body("Settings", reason.to_string())?)?,
    )
    .await
}

/// glibc would give a batch's large blocks back to the kernel, and the next batch would fault each
/// page in anew: up to 2,400 faults, a third of its time. Once a block has come and gone, blocks of
/// its size stay; this one is never written to, so it takes no memory itself. What a usual batch
/// needs is faulted in before the first one waits for it.
fn prepare_memory() {
    drop(black_box(Vec::<u8>::with_capacity(LARGEST_BLOCK)));
    drop(black_box(vec![1_u8; USUAL_BATCH]));
}

struct Server<F> {
    function: F,
    metrics: MetricsLog,
    client: Client,
}

impl<F: Function> Server<F> {
    async fn serve(self: Arc<Self>, invocation: LambdaInvocation) -> Result<(), Error> {
        let request_id = invocation.context.request_id.as_str();
        let span = tracing::info_span!("invocation", requestId = request_id);
        let request = self.answer(&invocation).instrument(span).await?;
        send(&self.client, request).await
    }

    async fn answer(&self, invocation: &LambdaInvocation) -> Result<Request, Error> {
        let moment = moment(&invocation.context);
        let answer = self.function.answer(&invocation.body, moment);
        let told = |counted: &dyn Counted| {
            let request_id = &invocation.context.request_id;
            self.metrics
                .write(&counted.metrics(), moment.now, request_id);
        };
        match AssertUnwindSafe(answer).catch_unwind().await {
            Ok(Ok(Response { body, counts })) => {
                told(&counts);
                Ok(answer_to(invocation, "response").body(Body::from(body))?)
            }
            Ok(Err(failure)) => {
                tracing::error!(error = %failure, "the batch is not answered, so that it comes again");
                told(&failure);
                failure_of(invocation, failure.kind(), failure.to_string())
            }
            Err(_) => failure_of(
                invocation,
                "Panic",
                "a fault in the function; its log says where".to_owned(),
            ),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "an invocation happens now")]
fn moment(context: &Context) -> Moment {
    let now = SystemTime::now();
    let time_left = context.deadline().duration_since(now).unwrap_or_default();
    Moment {
        now,
        deadline: Instant::now() + time_left,
    }
}

fn failure_of(
    invocation: &LambdaInvocation,
    error_type: &str,
    message: String,
) -> Result<Request, Error> {
    let request = answer_to(invocation, "error").header(ERROR_TYPE, error_type);
    Ok(request.body(failure_body(error_type, message)?)?)
}

fn failure_body(error_type: &str, error_message: String) -> Result<Body, Error> {
    let diagnostic = Diagnostic {
        error_type: error_type.to_owned(),
        error_message,
    };
    Ok(Body::from(serde_json::to_vec(&diagnostic)?))
}

fn answer_to(invocation: &LambdaInvocation, kind: &str) -> Builder {
    let uri = format!("{API}/invocation/{}/{kind}", invocation.context.request_id);
    let request = build_request().method("POST").uri(uri);
    match invocation.parts.headers.get(INVOCATION_ID) {
        Some(id) => request.header(INVOCATION_ID, id),
        None => request,
    }
}

/// An answer that Lambda does not take is its failure, not the process's.
async fn send(client: &Client, request: Request) -> Result<(), Error> {
    let status = client.call(request).await?.status();
    if !status.is_success() {
        tracing::error!(%status, "Lambda did not take the answer");
    }
    Ok(())
}
