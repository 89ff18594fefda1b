//! A store that answers at once, or after a delay over TLS: every claim is new to it, every item and
//! object taken, and every counter there. It looks at no more than it must, so that what is measured
//! is its client.

use std::{
    io,
    path::Path,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, ETAG, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use nozzle::functions::event_processor::sketch::{Sketch, user_hash};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

#[derive(Clone)]
struct Store {
    delay: Duration,
    tls: Option<TlsAcceptor>,
    seen: Option<Arc<Mutex<Seen>>>,
}

/// What was written, which is looked at only where it is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) requests: usize,
    pub(crate) items: usize,
    pub(crate) write_units: usize,
    pub(crate) objects: usize,
    /// By each counter for itself.
    pub(crate) events_counted: usize,
}

/// Serves as long as the benchmark runs; its URL.
pub(crate) async fn at_once() -> io::Result<String> {
    let store = Store {
        delay: Duration::ZERO,
        tls: None,
        seen: None,
    };
    Ok(format!("http://127.0.0.1:{}", store.listen().await?))
}

/// The same, and it counts.
pub(crate) async fn counting() -> io::Result<(String, Arc<Mutex<Seen>>)> {
    let seen = Arc::<Mutex<Seen>>::default();
    let store = Store {
        delay: Duration::ZERO,
        tls: None,
        seen: Some(Arc::clone(&seen)),
    };
    let address = format!("http://127.0.0.1:{}", store.listen().await?);
    Ok((address, seen))
}

/// The same over TLS and with latency; the folder has `certificate.pem` and `key.pem`.
pub(crate) async fn far_away(delay: Duration, folder: &Path) -> io::Result<String> {
    let store = Store {
        delay,
        tls: Some(acceptor(folder)),
        seen: None,
    };
    Ok(format!("https://127.0.0.1:{}", store.listen().await?))
}

fn acceptor(folder: &Path) -> TlsAcceptor {
    let chain = CertificateDer::pem_file_iter(folder.join("certificate.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain.map(Result::unwrap).collect(), key);
    TlsAcceptor::from(Arc::new(config.unwrap()))
}

impl Store {
    /// The port.
    async fn listen(self) -> io::Result<u16> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(self.clone().accept(stream));
            }
        });
        Ok(port)
    }

    async fn accept(self, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        match &self.tls {
            None => self.serve(stream).await,
            Some(tls) => {
                if let Ok(stream) = tls.accept(stream).await {
                    self.serve(stream).await;
                }
            }
        }
    }

    async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let service = service_fn(|request| self.answer(request));
        // A client that goes away is no news.
        let _ = http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await;
    }

    async fn answer(&self, request: Request<Incoming>) -> hyper::Result<Response<Full<Bytes>>> {
        let target = request.headers().get("x-amz-target").cloned();
        let body = request.into_body().collect().await?.to_bytes();
        if !self.delay.is_zero() {
            sleep(self.delay).await;
        }
        let Some(target) = target else {
            return Ok(self.take_object());
        };
        if let Some(seen) = &self.seen {
            seen.lock().unwrap().add(&body);
        }
        let is_statements = target.as_bytes().ends_with(b".BatchExecuteStatement");
        let mut response = Response::new(Full::new(if is_statements {
            done(&body)
        } else {
            Bytes::from_static(br#"{"UnprocessedItems":{}}"#)
        }));
        let json = HeaderValue::from_static("application/x-amz-json-1.0");
        response.headers_mut().insert(CONTENT_TYPE, json);
        Ok(response)
    }

    /// It is not looked at.
    fn take_object(&self) -> Response<Full<Bytes>> {
        if let Some(seen) = &self.seen {
            let mut seen = seen.lock().unwrap();
            seen.requests += 1;
            seen.objects += 1;
        }
        let mut response = Response::new(Full::default());
        let etag = HeaderValue::from_static("\"e\"");
        response.headers_mut().insert(ETAG, etag);
        response
    }
}

/// Every statement has done what it said.
fn done(body: &[u8]) -> Bytes {
    const ONE: &str = r#"{"TableName":"claims"}"#;
    if count(body, b"\"SELECT") > 0 {
        return found(body);
    }
    let statements = count(body, b"\"Statement\":");
    let all = vec![ONE; statements].join(",");
    Bytes::from(format!(r#"{{"Responses":[{all}]}}"#))
}

fn count(body: &[u8], word: &[u8]) -> usize {
    let windows = body.windows(word.len());
    windows.filter(|window| *window == word).count()
}

/// Of the users that are asked for a thousand others are there; all else is not.
fn found(body: &[u8]) -> Bytes {
    static USERS: LazyLock<String> = LazyLock::new(|| {
        let users = (0..1_000).map(|user| user_hash(&format!("other-{user}")));
        STANDARD.encode(users.collect::<Sketch>().to_bytes())
    });
    let request: Value = serde_json::from_slice(body).unwrap();
    let statements = request["Statements"].as_array().unwrap().iter();
    let found = statements.map(|statement| {
        let sort_key = statement["Parameters"][1]["S"].as_str().unwrap();
        if sort_key.starts_with("users#") {
            json!({ "Item": { "sketch": { "B": *USERS }, "version": { "N": "7" } } })
        } else {
            json!({})
        }
    });
    let answer = json!({ "Responses": found.collect::<Vec<_>>() });
    answer.to_string().into()
}

impl Seen {
    fn add(&mut self, body: &[u8]) {
        let request: Value = serde_json::from_slice(body).unwrap();
        if let Some(statements) = request["Statements"].as_array() {
            self.requests += 1;
            for statement in statements {
                self.add_statement(statement);
            }
            return;
        }
        if request["UpdateExpression"].is_string() {
            self.requests += 1;
            self.items += 1;
            self.write_units += 1;
            self.events_counted += 1;
            return;
        }
        let batch = request["RequestItems"].as_object();
        let puts = batch.and_then(|tables| tables.values().next()?.as_array());
        let items: Vec<_> = match puts {
            Some(puts) => puts.iter().map(|put| &put["PutRequest"]["Item"]).collect(),
            None => request.get("Item").into_iter().collect(),
        };
        if items.is_empty() {
            return;
        }
        self.requests += 1;
        self.items += items.len();
        let units = items.iter().map(|item| item_bytes(item).div_ceil(1024));
        self.write_units += units.sum::<usize>();
    }

    /// About as long as the item is what it is written with.
    fn add_statement(&mut self, statement: &Value) {
        let text = statement["Statement"].as_str().unwrap();
        if text.starts_with("SELECT") {
            return;
        }
        let parameters = statement["Parameters"].as_array().unwrap();
        let bytes: usize = parameters.iter().map(attribute_bytes).sum();
        self.items += 1;
        self.write_units += bytes.div_ceil(1024);
        if text.contains("event_count") {
            let number = parameters.iter().find_map(|value| value["N"].as_str());
            self.events_counted += number.unwrap().parse::<usize>().unwrap();
        }
    }
}

/// Names and values; a number about as half its digits.
fn item_bytes(item: &Value) -> usize {
    let attributes = item.as_object().unwrap().iter();
    attributes
        .map(|(name, attribute)| name.len() + attribute_bytes(attribute))
        .sum()
}

fn attribute_bytes(attribute: &Value) -> usize {
    // An element of a set is its text alone.
    if let Value::String(text) = attribute {
        return text.len();
    }
    let (kind, value) = attribute.as_object().unwrap().iter().next().unwrap();
    match (kind.as_str(), value) {
        ("M", members) => 3 + members.as_object().unwrap().len() + item_bytes(members),
        (_, Value::Array(elements)) => {
            3 + elements
                .iter()
                .map(|one| 1 + attribute_bytes(one))
                .sum::<usize>()
        }
        ("N", Value::String(digits)) => digits.len().div_ceil(2) + 1,
        ("B", Value::String(base64)) => base64.len() / 4 * 3,
        (_, Value::String(text)) => text.len(),
        _ => 1,
    }
}
