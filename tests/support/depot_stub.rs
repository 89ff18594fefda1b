//! A bucket and a queue behind one address, which keep what they are sent, or answer as they are
//! told to.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Bytes>,
    messages: Vec<String>,
    /// Status and code of every answer, which then quotes its request.
    refusal: Option<(u16, &'static str)>,
}

pub(crate) struct DepotStub {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl DepotStub {
    /// Serves as long as the runtime lives.
    pub(crate) async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::<Mutex<State>>::default();
        let served = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&served);
                let service = service_fn(move |request| serve(Arc::clone(&state), request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, state }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn queue_url(&self) -> String {
        format!("{}/123456789012/letters", self.endpoint())
    }

    /// By bucket and key.
    pub(crate) fn objects(&self) -> BTreeMap<String, Bytes> {
        self.state.lock().unwrap().objects.clone()
    }

    pub(crate) fn messages(&self) -> Vec<String> {
        self.state.lock().unwrap().messages.clone()
    }

    pub(crate) fn refuse(&self, status: u16, code: &'static str) {
        self.state.lock().unwrap().refusal = Some((status, code));
    }
}

async fn serve(
    state: Arc<Mutex<State>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let is_message = request.headers().contains_key("x-amz-target");
    let body = request.into_body().collect().await;
    let body = body
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let mut state = state.lock().unwrap();
    if let Some((status, code)) = state.refusal {
        return Ok(refusal(status, code, &body));
    }
    if !is_message {
        state.objects.insert(path, body);
        return Ok(Response::new(Full::default()));
    }
    let message: Value = serde_json::from_slice(&body).unwrap();
    let text = message["MessageBody"].as_str().unwrap();
    state.messages.push(text.to_owned());
    let answer = json!({ "MessageId": "1", "MD5OfMessageBody": "" });
    Ok(Response::new(Full::from(answer.to_string())))
}

/// As each of the two writes an error.
fn refusal(status: u16, code: &str, body: &[u8]) -> Response<Full<Bytes>> {
    let quoted = String::from_utf8_lossy(body);
    let body = if body.starts_with(b"{\"QueueUrl\"") {
        json!({ "__type": code, "message": quoted }).to_string()
    } else {
        format!("<Error><Code>{code}</Code><Message>{quoted}</Message></Error>")
    };
    let answer = Response::builder().status(status);
    answer.body(Full::from(body)).unwrap()
}
