//! What can go wrong between a function and its store: stands between them, or in for the store,
//! and delays, refuses, throttles, resets, swallows or garbles what it is told to.

use std::{
    future::pending,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Bytes};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::sleep};

#[cfg(feature = "kinesis")]
use super::log_items::LogItems;
use super::table::Table;

/// What becomes of one request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    Pass,
    Delay(Duration),
    /// Answered with this HTTP status and DynamoDB's code, without asking the store.
    Refuse(u16, &'static str),
    /// Each statement with this probability answered with this code, each put not processed; the
    /// store gets the others.
    RefuseStatements(f64, &'static str),
    /// The connection breaks before the store gets the request.
    Reset,
    /// The connection breaks when the store has answered.
    LoseAnswer,
    /// Nobody ever answers.
    BlackHole,
    /// The store gets it; nobody ever answers.
    SwallowAnswer,
    /// Answered with this HTTP status and code, and a message that quotes the request.
    Echo(u16, &'static str),
    /// Each statement answered with this code, a message that quotes the request, and an item.
    EchoStatements(&'static str),
    /// HTTP 200, and this.
    Garbage(&'static str),
}

/// Whose answers are passed on.
pub(crate) enum Upstream {
    Memory(Mutex<Table>),
    #[cfg(feature = "kinesis")]
    Log(Mutex<LogItems>),
    Http(SocketAddr),
}

type Script = Box<dyn FnMut(usize) -> Fault + Send>;
type Hook = Box<dyn Fn(usize) + Send + Sync>;

pub(crate) struct Proxy {
    upstream: Upstream,
    /// From the number of a request to its fault.
    script: Mutex<Script>,
    /// Called with the number of a request that the store has answered, before that is passed on.
    after_write: Mutex<Option<Hook>>,
    /// How many statements or puts each request had.
    requests: Mutex<Vec<usize>>,
    random: Mutex<fastrand::Rng>,
    client: Client<HttpConnector, Full<Bytes>>,
}

type Answer = io::Result<(u16, Bytes)>;

impl Proxy {
    pub(crate) fn new(upstream: Upstream) -> Arc<Self> {
        Arc::new(Self {
            upstream,
            script: Mutex::new(Box::new(|_| Fault::Pass)),
            after_write: Mutex::new(None),
            requests: Mutex::default(),
            random: Mutex::new(fastrand::Rng::with_seed(4)),
            client: Client::builder(TokioExecutor::new()).build_http(),
        })
    }

    pub(crate) fn in_memory() -> Arc<Self> {
        Self::new(Upstream::Memory(Mutex::default()))
    }

    #[cfg(feature = "kinesis")]
    pub(crate) fn of_log() -> Arc<Self> {
        Self::new(Upstream::Log(Mutex::default()))
    }

    /// From now on, and counting requests from zero again.
    pub(crate) fn play(&self, script: impl FnMut(usize) -> Fault + Send + 'static) {
        self.requests.lock().unwrap().clear();
        *self.script.lock().unwrap() = Box::new(script);
    }

    pub(crate) fn after_write(&self, hook: impl Fn(usize) + Send + Sync + 'static) {
        *self.after_write.lock().unwrap() = Some(Box::new(hook));
    }

    /// How many statements each request since [`Proxy::play`] had.
    pub(crate) fn requests(&self) -> Vec<usize> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn table(&self) -> std::sync::MutexGuard<'_, Table> {
        let Upstream::Memory(table) = &self.upstream else {
            panic!("the table is elsewhere");
        };
        table.lock().unwrap()
    }

    #[cfg(feature = "kinesis")]
    pub(crate) fn log(&self) -> std::sync::MutexGuard<'_, LogItems> {
        match &self.upstream {
            Upstream::Log(items) => items.lock().unwrap(),
            _ => panic!("the log is elsewhere"),
        }
    }

    /// One request's way through; an error means a broken connection.
    pub(crate) async fn answer(&self, target: &str, body: Bytes) -> Answer {
        let number = self.note(&body);
        let fault = (self.script.lock().unwrap())(number);
        match fault {
            Fault::Pass | Fault::LoseAnswer | Fault::SwallowAnswer => {}
            Fault::Delay(time) => sleep(time).await,
            Fault::Refuse(status, code) => return Ok(refusal(status, code, "told to")),
            Fault::RefuseStatements(share, code) => {
                return self.answer_some(number, target, &body, share, code).await;
            }
            Fault::Echo(status, code) => return Ok(refusal(status, code, &quoted(&body))),
            Fault::EchoStatements(code) => return Ok(echo(code, &body)),
            Fault::Reset => return Err(broken()),
            Fault::BlackHole => pending().await,
            Fault::Garbage(text) => return Ok((200, Bytes::from(text))),
        }
        let answer = self.ask_store(number, target, body).await;
        match fault {
            Fault::LoseAnswer => Err(broken()),
            Fault::SwallowAnswer => pending().await,
            _ => answer,
        }
    }

    fn note(&self, body: &[u8]) -> usize {
        let mut body: Value = serde_json::from_slice(body).unwrap_or_default();
        let asked = [&mut body["Statements"].take(), puts(&mut body)]
            .map(|asked| asked.as_array().map_or(0, Vec::len));
        let mut requests = self.requests.lock().unwrap();
        requests.push(asked.iter().sum());
        requests.len() - 1
    }

    /// Asks the store for those statements that are not refused here.
    async fn answer_some(
        &self,
        number: usize,
        target: &str,
        body: &[u8],
        share: f64,
        code: &str,
    ) -> Answer {
        let mut request: Value = serde_json::from_slice(body).unwrap();
        if puts(&mut request).is_array() {
            return self.put_some(number, target, request, share).await;
        }
        if !request["Statements"].is_array() {
            return self.ask_store(number, target, body.to_owned().into()).await;
        }
        let statements = request["Statements"].as_array_mut().unwrap();
        let refused: Vec<bool> = statements
            .iter()
            .map(|_| self.random.lock().unwrap().f64() < share)
            .collect();
        let mut each = refused.iter();
        statements.retain(|_| !each.next().unwrap());
        let mut passed = Vec::new();
        if !statements.is_empty() {
            let (status, body) = self
                .ask_store(number, target, request.to_string().into())
                .await?;
            assert_eq!(status, 200);
            let mut answer: Value = serde_json::from_slice(&body).unwrap();
            passed = answer["Responses"].as_array_mut().unwrap().split_off(0);
        }
        let mut passed = passed.into_iter();
        let responses: Vec<_> = refused
            .iter()
            .map(|refused| match refused {
                true => json!({ "Error": { "Code": code, "Message": "told to" } }),
                false => passed.next().unwrap(),
            })
            .collect();
        Ok((200, json!({ "Responses": responses }).to_string().into()))
    }

    /// Puts those items that are not left unprocessed here.
    async fn put_some(
        &self,
        number: usize,
        target: &str,
        mut request: Value,
        share: f64,
    ) -> Answer {
        let mut unprocessed = request["RequestItems"].clone();
        let mut random = self.random.lock().unwrap().fork();
        let mut passed = Vec::new();
        let left = unprocessed
            .as_object_mut()
            .unwrap()
            .values_mut()
            .next()
            .unwrap();
        left.as_array_mut().unwrap().retain(|put| {
            let is_left = random.f64() < share;
            if !is_left {
                passed.push(put.clone());
            }
            is_left
        });
        let mut answer = json!({});
        if !passed.is_empty() {
            *puts(&mut request) = passed.into();
            let asked = self.ask_store(number, target, request.to_string().into());
            let (status, body) = asked.await?;
            if status != 200 {
                return Ok((status, body));
            }
            answer = serde_json::from_slice(&body).unwrap();
        }
        answer["UnprocessedItems"] = unprocessed;
        Ok((200, answer.to_string().into()))
    }

    async fn ask_store(&self, number: usize, target: &str, body: Bytes) -> Answer {
        let answer = match &self.upstream {
            Upstream::Memory(table) => {
                let request = serde_json::from_slice(&body).unwrap();
                let answer = table.lock().unwrap().execute(&request);
                (200, answer.to_string().into())
            }
            #[cfg(feature = "kinesis")]
            Upstream::Log(items) => {
                let request = serde_json::from_slice(&body).unwrap();
                let (status, answer) = items.lock().unwrap().answer(target, &request);
                (status, answer.to_string().into())
            }
            Upstream::Http(address) => self.forward(*address, target, body).await?,
        };
        if let Some(hook) = &*self.after_write.lock().unwrap() {
            hook(number);
        }
        Ok(answer)
    }

    async fn forward(&self, address: SocketAddr, target: &str, body: Bytes) -> Answer {
        let request = Request::post(format!("http://{address}/"))
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", target)
            .header("authorization", AUTHORIZATION)
            .body(Full::new(body))
            .unwrap();
        let answer = self
            .client
            .request(request)
            .await
            .map_err(io::Error::other)?;
        let status = answer.status().as_u16();
        let body = answer
            .into_body()
            .collect()
            .await
            .map_err(io::Error::other)?;
        Ok((status, body.to_bytes()))
    }

    /// Serves on a free port, as long as the runtime lives.
    pub(crate) async fn listen(self: &Arc<Self>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let proxy = Arc::clone(self);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let proxy = Arc::clone(&proxy);
                let service = hyper::service::service_fn(move |request| {
                    let proxy = Arc::clone(&proxy);
                    async move { proxy.serve(request).await }
                });
                let connection = hyper::server::conn::http1::Builder::new();
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
            }
        });
        address
    }

    async fn serve(
        &self,
        request: Request<hyper::body::Incoming>,
    ) -> io::Result<Response<Full<Bytes>>> {
        let target = request.headers().get("x-amz-target").cloned();
        let target = target.map_or(String::new(), |target| target.to_str().unwrap().to_owned());
        let body = request
            .into_body()
            .collect()
            .await
            .map_err(io::Error::other)?;
        let (status, body) = self.answer(&target, body.to_bytes()).await?;
        Ok(Response::builder()
            .status(status)
            .header("content-type", "application/x-amz-json-1.0")
            .body(Full::new(body))
            .unwrap())
    }
}

/// The emulators look at the key's name only.
const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/\
                             aws4_request, SignedHeaders=host, Signature=0";

/// What a request puts, of whatever table: no array if nothing.
fn puts(request: &mut Value) -> &mut Value {
    let tables = &mut request["RequestItems"];
    if !tables.is_object() {
        return tables;
    }
    let tables = tables.as_object_mut().unwrap();
    tables.values_mut().next().unwrap()
}

fn refusal(status: u16, code: &str, message: &str) -> (u16, Bytes) {
    let body = json!({
        "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"),
        "message": message,
    });
    (status, body.to_string().into())
}

fn echo(code: &str, body: &[u8]) -> (u16, Bytes) {
    let request: Value = serde_json::from_slice(body).unwrap();
    let statements = request["Statements"].as_array().unwrap();
    let responses: Vec<_> = statements
        .iter()
        .map(|statement| {
            let quoted = json!({ "S": statement.to_string() });
            json!({ "Error": {
                "Code": code,
                "Message": statement.to_string(),
                "Item": { "id": quoted, "owner": quoted },
            }})
        })
        .collect();
    (200, json!({ "Responses": responses }).to_string().into())
}

fn quoted(body: &[u8]) -> String {
    String::from_utf8_lossy(body).into_owned()
}

fn broken() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}
