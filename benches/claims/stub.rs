//! A store that answers at once, or after a delay, over TCP or TLS: every claim is new to it. It
//! looks at no more than it must, so that what is measured is its client.

use std::{
    io,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    header::CONTENT_TYPE,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
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

struct Stub {
    delay: Duration,
    requests: AtomicUsize,
}

/// Prints its address, then serves until it is killed; over TLS with a folder that has
/// `certificate.pem` and `key.pem`.
pub(crate) async fn run(delay: Duration, tls: Option<&Path>) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    announce(listener.local_addr()?);
    let tls = tls.map(acceptor);
    let stub = Arc::new(Stub {
        delay,
        requests: AtomicUsize::new(0),
    });
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(Arc::clone(&stub).accept(stream, tls.clone()));
    }
}

#[expect(clippy::print_stdout, reason = "whoever started it reads the address")]
fn announce(address: SocketAddr) {
    println!("{address}");
}

fn acceptor(folder: &Path) -> TlsAcceptor {
    let chain = CertificateDer::pem_file_iter(folder.join("certificate.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain.map(Result::unwrap).collect(), key);
    TlsAcceptor::from(Arc::new(config.unwrap()))
}

impl Stub {
    async fn accept(self: Arc<Self>, stream: TcpStream, tls: Option<TlsAcceptor>) {
        match tls {
            None => self.serve(stream).await,
            Some(tls) => {
                if let Ok(stream) = tls.accept(stream).await {
                    self.serve(stream).await;
                }
            }
        }
    }

    async fn serve(self: Arc<Self>, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let service = service_fn(|request| self.answer(request));
        // A client that goes away is no news.
        let _ = http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await;
    }

    async fn answer(&self, request: Request<Incoming>) -> hyper::Result<Response<Full<Bytes>>> {
        if request.uri().path() == "/requests" {
            let count = self.requests.swap(0, Ordering::Relaxed);
            return Ok(Response::new(Full::new(count.to_string().into())));
        }
        let target = request.headers().get("x-amz-target").cloned();
        let body = request.into_body().collect().await?.to_bytes();
        self.requests.fetch_add(1, Ordering::Relaxed);
        if !self.delay.is_zero() {
            sleep(self.delay).await;
        }
        let mut response = Response::new(Full::new(match target {
            Some(target) if target.as_bytes().ends_with(b".BatchExecuteStatement") => done(&body),
            _ => Bytes::from_static(b"{}"),
        }));
        let json = hyper::header::HeaderValue::from_static("application/x-amz-json-1.0");
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
