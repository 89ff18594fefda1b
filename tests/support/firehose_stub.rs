//! A stream, of Firehose or of Kinesis, that takes what it is not told to refuse, and remembers it.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Bytes, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

type Script = Box<dyn FnMut(&[u8]) -> Option<&'static str> + Send>;

#[derive(Default)]
struct State {
    taken: Vec<Vec<u8>>,
    /// How many records each request had.
    requests: Vec<usize>,
    /// The code that a record is refused with.
    script: Option<Script>,
}

pub(crate) struct FirehoseStub {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl FirehoseStub {
    /// Serves as long as the runtime lives.
    pub(crate) async fn listen(
        script: impl FnMut(&[u8]) -> Option<&'static str> + Send + 'static,
    ) -> Self {
        Self::serve(Some(Box::new(script))).await
    }

    /// Lets nobody put anything.
    pub(crate) async fn denying() -> Self {
        Self::serve(None).await
    }

    async fn serve(script: Option<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State {
            script,
            ..State::default()
        }));
        let served = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&served);
                let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                    let state = Arc::clone(&state);
                    async move {
                        let body = request.into_body().collect().await;
                        let body = body
                            .map(http_body_util::Collected::to_bytes)
                            .unwrap_or_default();
                        Ok::<_, Infallible>(answer(&state, &body))
                    }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, state }
    }

    pub(crate) fn taken(&self) -> Vec<Vec<u8>> {
        self.state.lock().unwrap().taken.clone()
    }

    pub(crate) fn taken_count(&self) -> usize {
        self.state.lock().unwrap().taken.len()
    }

    pub(crate) fn requests(&self) -> Vec<usize> {
        self.state.lock().unwrap().requests.clone()
    }
}

fn answer(state: &Mutex<State>, body: &[u8]) -> Response<Full<Bytes>> {
    let mut state = state.lock().unwrap();
    // A client that was killed may have sent half a request.
    let Ok(request) = serde_json::from_slice::<Value>(body) else {
        return response(400, &json!({"__type": "SerializationException"}));
    };
    let State {
        taken,
        requests,
        script,
    } = &mut *state;
    let Some(script) = script else {
        return response(
            400,
            &json!({"__type": "AccessDeniedException", "message": "no"}),
        );
    };
    let records = request["Records"].as_array().unwrap();
    requests.push(records.len());
    let entries: Vec<Value> = records
        .iter()
        .map(|record| {
            let data = BASE64_STANDARD
                .decode(record["Data"].as_str().unwrap())
                .unwrap();
            if let Some(code) = script(&data) {
                return json!({"ErrorCode": code, "ErrorMessage": "told to"});
            }
            taken.push(data);
            let number = taken.len().to_string();
            json!({"RecordId": number, "SequenceNumber": number, "ShardId": "shardId-000000000000"})
        })
        .collect();
    let failed = entries
        .iter()
        .filter(|entry| entry["ErrorCode"].is_string())
        .count();
    response(
        200,
        &json!({
            "FailedPutCount": failed, "RequestResponses": entries,
            "FailedRecordCount": failed, "Records": entries,
        }),
    )
}

fn response(status: u16, body: &Value) -> Response<Full<Bytes>> {
    Response::builder()
        .status(status)
        .header("content-type", "application/x-amz-json-1.1")
        .body(Full::new(Bytes::from(body.to_string())))
        .unwrap()
}
