//! A function behind an address: Lambda's Invoke API over HTTP, as emulators offer it, and so the
//! same JSON as in this process.

use std::{fmt, io, str::FromStr, time::Duration};

use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Request, StatusCode, Uri,
    body::Bytes,
    client::conn::http1::handshake,
    header::{CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, de::IgnoredAny};
use tokio::{net::TcpStream, time::timeout};

use super::invocation::{FunctionError, Invocation, Invoke, Told};

/// Set on the answer of a function that failed.
const FUNCTION_ERROR: &str = "x-amz-function-error";
/// How much of an answer that makes no sense is shown.
const EXCERPT_CHARACTERS: usize = 200;

/// Where a function is invoked.
#[derive(Debug, Clone)]
pub struct InvokeUrl {
    uri: Uri,
    /// Host and port.
    authority: String,
}

/// The function behind an address. Each invocation has a connection of its own, so that it can be
/// used from any thread.
#[derive(Debug, Clone)]
pub struct Invoked {
    pub url: InvokeUrl,
    /// How long an invocation may take.
    pub timeout: Duration,
}

/// Why no function can be behind an address.
#[derive(Debug, thiserror::Error)]
pub enum UrlError {
    #[error("`{0}` is not an address; it must be like {EXAMPLE}")]
    NotAUrl(String),
    #[error("`{0}` is not an http address; emulators speak http, and that alone is spoken here")]
    NotHttp(String),
    #[error("`{0}` names no function; it must be like {EXAMPLE}")]
    NoPath(String),
}

const EXAMPLE: &str = "http://127.0.0.1:9000/2015-03-31/functions/NAME/invocations";

impl FromStr for InvokeUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let uri: Uri = text
            .parse()
            .map_err(|_| UrlError::NotAUrl(text.to_owned()))?;
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
            return Err(UrlError::NotAUrl(text.to_owned()));
        };
        if scheme != "http" {
            return Err(UrlError::NotHttp(text.to_owned()));
        }
        if matches!(uri.path(), "" | "/") {
            return Err(UrlError::NoPath(text.to_owned()));
        }
        let authority = format!("{host}:{}", uri.port_u16().unwrap_or(80));
        Ok(Self { uri, authority })
    }
}

impl fmt::Display for InvokeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uri.fmt(f)
    }
}

impl Invoked {
    /// Whether anybody is there at all.
    pub async fn reach(&self) -> io::Result<()> {
        TcpStream::connect(&self.url.authority).await.map(drop)
    }

    async fn post(&self, request: &[u8]) -> Result<Answered, Unanswered> {
        let stream = TcpStream::connect(&self.url.authority).await?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
        let asked = async {
            let response = sender.send_request(self.request(request)?).await?;
            let (parts, body) = response.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok(Answered {
                status: parts.status,
                headers: parts.headers,
                body,
            })
        };
        tokio::pin!(asked, connection);
        tokio::select! {
            biased;
            answered = &mut asked => answered,
            // An answer without a length ends with its connection.
            _ = &mut connection => asked.await,
        }
    }

    fn request(&self, body: &[u8]) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
        let path = self.url.uri.path_and_query();
        Request::post(path.map_or("/", |path| path.as_str()))
            .header(HOST, &self.url.authority)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::copy_from_slice(body)))
    }
}

impl Invoke for Invoked {
    async fn invoke(&self, request: &[u8]) -> Result<Invocation, FunctionError> {
        match timeout(self.timeout, self.post(request)).await {
            Ok(Ok(answered)) => answered.read(),
            Ok(Err(Unanswered(reason))) => Err(FunctionError::Failed(format!(
                "{} did not answer: {reason}",
                self.url
            ))),
            Err(_) => Err(FunctionError::TimedOut(self.timeout.as_secs_f64())),
        }
    }
}

/// An HTTP answer.
struct Answered {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// Why there is no HTTP answer.
struct Unanswered(String);

impl<E: std::error::Error> From<E> for Unanswered {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl Answered {
    fn read(self) -> Result<Invocation, FunctionError> {
        if !self.status.is_success() {
            return Err(FunctionError::Failed(format!(
                "HTTP {}: {}",
                self.status,
                excerpt(&self.body)
            )));
        }
        let says_failed = self.headers.contains_key(FUNCTION_ERROR);
        match ErrorAnswer::read(&self.body) {
            Some(failure) => Err(FunctionError::Failed(failure)),
            None if says_failed => Err(FunctionError::Failed(excerpt(&self.body))),
            None => Ok(Invocation {
                answer: self.body.to_vec(),
                told: Told::default(),
            }),
        }
    }
}

/// What Lambda answers in place of a function that failed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorAnswer {
    error_message: Option<String>,
    error_type: Option<String>,
    records: Option<IgnoredAny>,
}

impl ErrorAnswer {
    /// Its sentence, if that is what the body is. Some emulators tell a failure by nothing else.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<String> {
        let failure: Self = serde_json::from_slice(body).ok()?;
        match (failure.error_type, failure.error_message) {
            _ if failure.records.is_some() => None,
            (Some(kind), Some(message)) => Some(format!("{kind}: {message}")),
            (None, Some(only)) | (Some(only), None) => Some(only),
            (None, None) => None,
        }
    }
}

/// The beginning of an answer that is shown to a person.
#[must_use]
pub fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut shown: String = text.chars().take(EXCERPT_CHARACTERS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_refused(url: &str, expected: &str) {
        let error = url.parse::<InvokeUrl>().expect_err(url).to_string();
        assert!(error.starts_with(expected), "{url}: {error}");
    }

    #[test]
    fn an_address_names_host_and_function() {
        check_refused("", "`` is not an address");
        check_refused("127.0.0.1:9000/x", "`127.0.0.1:9000/x` is not an address");
        check_refused(
            "https://host/2015-03-31",
            "`https://host/2015-03-31` is not an http",
        );
        check_refused("http://host:9000", "`http://host:9000` names no function");
        let url: InvokeUrl = EXAMPLE.parse().expect("an address");
        assert_eq!(url.authority, "127.0.0.1:9000");
        assert_eq!(url.to_string(), EXAMPLE);
        let url: InvokeUrl = "http://[::1]/f?x=1".parse().expect("an address");
        assert_eq!(url.authority, "[::1]:80");
    }

    fn answered(status: u16, has_failed: &str, body: &'static str) -> Result<String, String> {
        let mut headers = HeaderMap::new();
        if !has_failed.is_empty() {
            headers.insert(FUNCTION_ERROR, has_failed.parse().expect("a header"));
        }
        let answered = Answered {
            status: StatusCode::from_u16(status).expect("a status"),
            headers,
            body: Bytes::from_static(body.as_bytes()),
        };
        let read = answered.read();
        read.map(|invocation| String::from_utf8_lossy(&invocation.answer).into_owned())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_failure_is_told_by_a_header_a_status_or_its_form() {
        let failure = r#"{"errorType":"KeyError","errorMessage":"'data'","stackTrace":[]}"#;
        let told = Err("KeyError: 'data'".to_owned());
        assert_eq!(answered(200, "Unhandled", failure), told);
        assert_eq!(answered(200, "", failure), told);
        assert_eq!(answered(200, "Unhandled", "oh"), Err("oh".to_owned()));
        assert_eq!(
            answered(404, "", "no such function"),
            Err("HTTP 404 Not Found: no such function".to_owned())
        );
        let answer = r#"{"records":[]}"#;
        assert_eq!(answered(200, "", answer), Ok(answer.to_owned()));
        assert_eq!(answered(200, "", "null"), Ok("null".to_owned()));
        let chatty = r#"{"records":[],"errorMessage":"none"}"#;
        assert_eq!(answered(200, "", chatty), Ok(chatty.to_owned()));
    }
}
