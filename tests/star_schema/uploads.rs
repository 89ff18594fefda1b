//! A file that goes to S3 in parts, whatever befalls its upload: nothing is lost, nothing is left
//! and nothing is replaced.

use std::{
    collections::BTreeMap,
    fmt::Write,
    io,
    iter::repeat_with,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_smithy_http_client::Builder;
use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use fastrand::Rng;
use nozzle::functions::{
    Failure,
    star_schema::{
        Settings, StarSchema, Unavailable,
        description::Star,
        store::{ParameterStore, s3::S3Store, spool::PART_BYTES, ssm::SsmParameters},
    },
};
use serde_json::Value;
use tokio::time::Instant;

use super::{
    support::{
        client::settings,
        emulators::{Emulator, ministack},
    },
    world::{ask, request},
};

const FILE: &str = "dim_design/dim_design_00000001_processed_20241115T100000000000.parquet";
const RECEIPT: &str = "packets/design/00000001.json";
const PATIENCE: Duration = Duration::from_secs(10);

/// A request of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    SecondPart,
    Complete,
    Abort,
}

impl Step {
    fn of(request: &HttpRequest) -> Option<Self> {
        let has = |text| request.uri().contains(text);
        match request.method() {
            "PUT" if has("partNumber=2") => Some(Self::SecondPart),
            "POST" if has("uploadId=") => Some(Self::Complete),
            "DELETE" if has("uploadId=") => Some(Self::Abort),
            _ => None,
        }
    }
}

/// What befalls a request.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// This status and code, and S3 gets nothing.
    Refused(u16, &'static str),
    /// S3 does it, and nobody hears of it.
    AnswerLost,
    /// It asks for no condition.
    Unconditional,
}

/// Each befalls one request, in this order.
type Faults = Arc<Mutex<Vec<(Step, Fault)>>>;

#[derive(Debug)]
struct Struck {
    connector: SharedHttpConnector,
    faults: Faults,
}

impl Struck {
    fn fault(&self, request: &HttpRequest) -> Option<Fault> {
        let step = Step::of(request)?;
        let mut faults = self.faults.lock().unwrap();
        let at = faults.iter().position(|(struck, _)| *struck == step)?;
        Some(faults.remove(at).1)
    }
}

impl HttpConnector for Struck {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let fault = self.fault(&request);
        match fault {
            Some(Fault::Refused(status, code)) => {
                let body = format!("<Error><Code>{code}</Code></Error>");
                let status = status.try_into().unwrap();
                return HttpConnectorFuture::ready(Ok(HttpResponse::new(status, body.into())));
            }
            Some(Fault::Unconditional) => drop(request.headers_mut().remove("if-none-match")),
            Some(Fault::AnswerLost) | None => {}
        }
        let asked = self.connector.call(request);
        HttpConnectorFuture::new(async move {
            let answer = asked.await;
            if let Some(Fault::AnswerLost) = fault {
                let broken = io::Error::from(io::ErrorKind::ConnectionReset);
                return Err(ConnectorError::io(broken.into()));
            }
            answer
        })
    }
}

fn struck(settings: &SdkConfig, faults: &Faults) -> SdkConfig {
    let (client, faults) = (Builder::new().build_http(), Arc::clone(faults));
    let client = http_client_fn(move |settings, components| {
        SharedHttpConnector::new(Struck {
            connector: client.http_connector(settings, components),
            faults: Arc::clone(&faults),
        })
    });
    let settings = settings.clone().into_builder();
    settings.http_client(client).build()
}

/// A function with a bucket for its star; its packet's file takes two parts.
struct Place {
    client: Client,
    bucket: &'static str,
    function: StarSchema<S3Store, SsmParameters>,
    faults: Faults,
}

impl Place {
    async fn new(emulator: &Emulator, bucket: &'static str) -> Self {
        let settings = settings(emulator.address);
        let client = Client::new(&settings);
        for bucket in ["packets", bucket] {
            // The first is there for every place but one.
            let _ = client.create_bucket().bucket(bucket).send().await;
        }
        let faults = Faults::default();
        let store = |bucket: &str| {
            let struck = struck(&settings, &faults);
            S3Store::new(&struck, bucket.to_owned(), "PROCESSED_BUCKET")
        };
        let function = StarSchema {
            settings: Settings::read(|_| None).unwrap(),
            star: Star::built_in().unwrap(),
            packets: store("packets"),
            processed: store(bucket),
            parameters: SsmParameters::new(&settings, format!("/{bucket}/")),
        };
        Self {
            client,
            bucket,
            function,
            faults,
        }
    }

    fn strike(&self, faults: &[(Step, Fault)]) {
        *self.faults.lock().unwrap() = faults.to_vec();
    }

    async fn load(&self) -> Result<Value, Unavailable> {
        ask(&self.function, &request(&[("design", 1)])).await
    }

    /// Everything that is in the star's bucket, by its key.
    async fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        let listed = self.client.list_objects_v2().bucket(self.bucket);
        let listed = listed.send().await.unwrap();
        let mut objects = BTreeMap::new();
        for object in listed.contents() {
            let key = object.key().unwrap();
            let got = self.client.get_object().bucket(self.bucket).key(key);
            let body = got.send().await.unwrap().body.collect().await.unwrap();
            objects.insert(key.to_owned(), body.to_vec());
        }
        objects
    }

    /// How many uploads have neither ended nor been given up.
    async fn left(&self) -> usize {
        let listed = self.client.list_multipart_uploads().bucket(self.bucket);
        listed.send().await.unwrap().uploads().len()
    }

    async fn parameter(&self) -> String {
        let found = self
            .function
            .parameters
            .get("design", Instant::now() + PATIENCE);
        found.await.unwrap().unwrap().value
    }

    async fn put_foreign(&self) {
        let put = self.client.put_object().bucket(self.bucket).key(FILE);
        let put = put.body(SdkBody::from("theirs").into());
        put.send().await.unwrap();
    }

    async fn remove(&self, key: &str) {
        let removed = self.client.delete_object().bucket(self.bucket).key(key);
        removed.send().await.unwrap();
    }
}

/// Names that Snappy and dictionaries make no shorter.
fn designs() -> String {
    let mut random = Rng::with_seed(7);
    let mut text = String::new();
    for id in 0..9000 {
        let name: String = repeat_with(|| random.alphanumeric()).take(1000).collect();
        let rest = r#""file_location":"l","file_name":"f","last_updated":"2024-11-15 10:00:00""#;
        writeln!(
            text,
            r#"{{"design_id":{id},"design_name":"{name}",{rest}}}"#
        )
        .unwrap();
    }
    text
}

/// The star that an undisturbed call makes.
async fn calm(emulator: &Emulator) -> BTreeMap<String, Vec<u8>> {
    let place = Place::new(emulator, "calm").await;
    let put = place.client.put_object().bucket("packets");
    let put = put
        .key("design_1_x.jsonl")
        .body(designs().into_bytes().into());
    put.send().await.unwrap();
    place.load().await.unwrap();
    let objects = place.objects().await;
    assert!(objects.keys().eq([FILE, RECEIPT]), "{:?}", objects.keys());
    let parts = objects[FILE].len().div_ceil(PART_BYTES);
    assert_eq!(parts, 2, "{}", objects[FILE].len());
    objects
}

#[tokio::test]
async fn an_upload_that_is_struck_loses_nothing_and_leaves_nothing() {
    use Fault::{AnswerLost, Refused};
    use Step::{Abort, Complete, SecondPart};

    let Some(emulator) = ministack() else { return };
    emulator.create_table().await;
    let expected = calm(&emulator).await;
    let denied = Refused(403, "AccessDenied");
    let gone = Refused(404, "NoSuchUpload");
    for (bucket, faults, told, left) in [
        (
            "part-again",
            &[(SecondPart, Refused(503, "SlowDown"))][..],
            None,
            0,
        ),
        ("part-lost", &[(SecondPart, AnswerLost)], None, 0),
        (
            "part-denied",
            &[(SecondPart, denied)],
            Some("s3:PutObject"),
            0,
        ),
        // What is given up is given up by a request.
        (
            "all-denied",
            &[(SecondPart, denied), (Abort, denied)],
            Some("s3:PutObject"),
            1,
        ),
        ("end-lost", &[(Complete, AnswerLost)], None, 0),
        (
            "end-lost-and-gone",
            &[(Complete, AnswerLost), (Complete, gone)],
            None,
            0,
        ),
        (
            "end-in-conflict",
            &[
                (Complete, Refused(409, "ConditionalRequestConflict")),
                (Complete, gone),
            ],
            None,
            0,
        ),
        ("end-denied", &[(Complete, denied)], Some("s3:PutObject"), 0),
    ] {
        let place = Place::new(&emulator, bucket).await;
        place.strike(faults);
        let loaded = place.load().await;
        assert_eq!(place.left().await, left, "{bucket}");
        assert!(place.faults.lock().unwrap().is_empty(), "{bucket}");
        if let Some(told) = told {
            let error = loaded.unwrap_err().to_string();
            assert!(error.contains(told), "{bucket}: {error}");
            assert_eq!(place.objects().await, BTreeMap::new(), "{bucket}");
            place.load().await.unwrap();
        } else {
            loaded.unwrap();
        }
        assert!(place.objects().await == expected, "{bucket}");
        assert_eq!(place.parameter().await, "1", "{bucket}");
    }
}

#[tokio::test]
async fn an_upload_replaces_nothing() {
    let Some(emulator) = ministack() else { return };
    emulator.create_table().await;
    let expected = calm(&emulator).await;

    let ours = Place::new(&emulator, "ours").await;
    ours.load().await.unwrap();
    ours.remove(RECEIPT).await;
    ours.load().await.unwrap();
    assert!(ours.objects().await == expected);
    assert_eq!(ours.left().await, 0);

    let theirs = Place::new(&emulator, "theirs").await;
    theirs.put_foreign().await;
    let error = theirs.load().await.unwrap_err();
    assert_eq!(error.kind(), "FileExistsError");
    assert!(error.to_string().contains(FILE), "{error}");
    let foreign = BTreeMap::from([(FILE.to_owned(), b"theirs".to_vec())]);
    assert_eq!(theirs.objects().await, foreign);
    assert_eq!(theirs.left().await, 0);

    // It is the condition that keeps it.
    theirs.strike(&[(Step::Complete, Fault::Unconditional)]);
    theirs.load().await.unwrap();
    assert!(theirs.objects().await == expected);
}
