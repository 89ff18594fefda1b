//! A claim store that answers at once, or after a delay over TLS: every claim is new to it. It
//! looks at no more than it must, so that what is measured is its client.

use std::{io, path::Path, sync::Arc, time::Duration};

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderValue},
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

#[derive(Clone)]
struct Store {
    delay: Duration,
    tls: Option<TlsAcceptor>,
}

/// Serves as long as the benchmark runs; its URL.
pub(crate) async fn at_once() -> io::Result<String> {
    let store = Store {
        delay: Duration::ZERO,
        tls: None,
    };
    Ok(format!("http://127.0.0.1:{}", store.listen().await?))
}

/// The same over TLS and with latency; the folder has `certificate.pem` and `key.pem`.
pub(crate) async fn far_away(delay: Duration, folder: &Path) -> io::Result<String> {
    let store = Store {
        delay,
        tls: Some(acceptor(folder)),
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
        let mut response = Response::new(Full::new(match target {
            Some(target) if target.as_bytes().ends_with(b".BatchExecuteStatement") => done(&body),
            _ => Bytes::from_static(b"{}"),
        }));
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
