//! The contract on folders, and on what is there of S3 and Systems Manager on one machine.

use nozzle::functions::star_schema::store::folder::{FolderParameters, FolderStore};

use super::contract;

#[tokio::test]
async fn the_contract_holds_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let store = FolderStore::new(folder.path().join("objects"));
    contract::objects_hold(&store).await;
    let parameters = FolderParameters::new(folder.path().join("parameters"));
    contract::parameters_hold(&parameters).await;
}

#[tokio::test]
async fn a_file_that_somebody_else_has_put_there_is_nobodys() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.json"), "theirs").unwrap();
    let store = FolderStore::new(folder.path().to_owned());
    let soon = tokio::time::Instant::now();
    let there = nozzle::functions::star_schema::store::ObjectStore::look(&store, "a.json", soon);
    assert_eq!(there.await.unwrap().unwrap().origin, None);
}

#[tokio::test]
async fn a_key_does_not_lead_out_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let store = FolderStore::new(folder.path().join("objects"));
    std::fs::write(folder.path().join("secret"), "s").unwrap();
    let soon = tokio::time::Instant::now();
    for key in ["../secret", "/etc/hostname", "a/../../secret"] {
        let there = nozzle::functions::star_schema::store::ObjectStore::look(&store, key, soon);
        let why = there.await.unwrap_err().to_string();
        assert!(why.contains("leads out of it"), "{why}");
    }
}

#[cfg(feature = "star-schema")]
mod emulated {
    use std::time::Duration;

    use nozzle::functions::star_schema::store::{
        ObjectStore, Origin, ParameterStore, s3::S3Store, ssm::SsmParameters,
    };
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
        time::Instant,
    };

    use super::{
        super::support::{client::settings, emulators::ministack},
        contract,
    };

    #[tokio::test]
    async fn the_contract_holds_on_ministack() {
        let Some(emulator) = ministack() else { return };
        emulator.create_table().await;
        let shared = settings(emulator.address);
        let client = aws_sdk_s3::Client::new(&shared);
        client.create_bucket().bucket("star").send().await.unwrap();
        let store = S3Store::new(&shared, "star".to_owned(), "PROCESSED_BUCKET");
        contract::objects_hold(&store).await;
        let parameters = SsmParameters::new(&shared, "/nozzle/star/".to_owned());
        contract::parameters_hold(&parameters).await;
        let soon = Instant::now() + Duration::from_secs(10);
        let elsewhere = S3Store::new(&shared, "elsewhere".to_owned(), "PROCESSED_BUCKET");
        let origin = Origin {
            source_etag: "e".to_owned(),
            folded: None,
        };
        let mut spool = contract::spool(b"x");
        let put = elsewhere.put("a.json", &mut spool, &origin, soon);
        let why = put.await.unwrap_err().to_string();
        assert!(why.contains("no bucket \"elsewhere\""), "{why}");
        assert!(why.contains("PROCESSED_BUCKET"), "{why}");
        assert_eq!(parameters.get("nothing", soon).await.unwrap(), None);
        what_is_said_beside_an_object_is_seen_by_others(&client).await;
    }

    async fn what_is_said_beside_an_object_is_seen_by_others(client: &aws_sdk_s3::Client) {
        for (key, content_type) in [
            ("once/a_00000001.jsonl", "application/x-ndjson"),
            ("large/a.parquet", "application/vnd.apache.parquet"),
            ("once/empty.json", "application/json"),
        ] {
            let found = client.head_object().bucket("star").key(key).send().await;
            let found = found.unwrap();
            assert_eq!(found.content_type(), Some(content_type), "{key}");
            assert!(
                found.metadata().unwrap().contains_key("source-etag"),
                "{key}"
            );
        }
    }

    /// Answers one request, and ends before the whole of it is there; the request's head.
    async fn answer_once(listener: &TcpListener, head: &str, body: &[u8]) -> String {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            asked.push(socket.read_u8().await.unwrap());
        }
        let head = format!("HTTP/1.1 {head}\r\nETag: \"e\"\r\nConnection: close\r\n\r\n");
        socket.write_all(head.as_bytes()).await.unwrap();
        socket.write_all(body).await.unwrap();
        socket.shutdown().await.unwrap();
        String::from_utf8(asked).unwrap().to_lowercase()
    }

    #[tokio::test]
    async fn an_object_that_breaks_off_is_read_on_from_there() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shared = settings(listener.local_addr().unwrap());
        let store = S3Store::new(&shared, "packets".to_owned(), "INGESTION_BUCKET");
        let (read, ()) = tokio::join!(contract::read(&store, "a.jsonl"), async {
            let whole = "200 OK\r\nContent-Length: 10";
            let first = answer_once(&listener, whole, b"0123").await;
            assert!(!first.contains("range:"), "{first}");
            let rest = "206 Partial Content\r\nContent-Length: 6\r\nContent-Range: bytes 4-9/10";
            let second = answer_once(&listener, rest, b"456789").await;
            assert!(second.contains("range: bytes=4-\r\n"), "{second}");
            assert!(second.contains("if-match: \"e\"\r\n"), "{second}");
        });
        assert_eq!(read, Some(("e".to_owned(), b"0123456789".to_vec())));
    }
}
