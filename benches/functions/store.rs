//! A store that answers at once, or after a delay over TLS: every claim is new to it, and every item
//! taken. It looks at no more than it must, so that what is measured is its client.

use std::{
    io,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
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
    Ok(format!("https://localhost:{}", store.listen().await?))
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
        if let Some(seen) = &self.seen {
            seen.lock().unwrap().add(&body);
        }
        let operation = target.as_ref().map_or(&b""[..], HeaderValue::as_bytes);
        let mut response = Response::new(Full::new(
            if operation.ends_with(b".BatchExecuteStatement") {
                done(&body)
            } else {
                Bytes::from_static(br#"{"UnprocessedItems":{}}"#)
            },
        ));
        let json = HeaderValue::from_static("application/x-amz-json-1.0");
        response.headers_mut().insert(CONTENT_TYPE, json);
        Ok(response)
    }
}

/// Every statement has done what it said.
fn done(body: &[u8]) -> Bytes {
    const ONE: &str = r#"{"TableName":"claims"}"#;
    const STATEMENT: &[u8] = b"\"Statement\":";
    let statements = body
        .windows(STATEMENT.len())
        .filter(|window| *window == STATEMENT)
        .count();
    let all = vec![ONE; statements].join(",");
    Bytes::from(format!(r#"{{"Responses":[{all}]}}"#))
}

impl Seen {
    fn add(&mut self, body: &[u8]) {
        let request: Value = serde_json::from_slice(body).unwrap();
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
}

/// Names and values; a number about as half its digits.
fn item_bytes(item: &Value) -> usize {
    let attributes = item.as_object().unwrap().iter();
    attributes
        .map(|(name, attribute)| name.len() + attribute_bytes(attribute))
        .sum()
}

fn attribute_bytes(attribute: &Value) -> usize {
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
