//! What every store of objects and of parameters does, whichever it is. Each run brings a prefix of
//! its own.

use std::{io::Write, time::Duration};

use nozzle::functions::star_schema::store::{
    ObjectStore, Origin, Parameter, ParameterStore, Put, Standing,
    spool::{PART_BYTES, Spool},
};
use tokio::time::Instant;

fn soon() -> Instant {
    Instant::now() + Duration::from_mins(1)
}

pub(crate) fn spool(bytes: &[u8]) -> Spool {
    let mut spool = Spool::default();
    spool.write_all(bytes).unwrap();
    spool
}

fn origin(source_etag: &str, folded: Option<usize>) -> Origin {
    Origin {
        source_etag: source_etag.to_owned(),
        folded,
    }
}

async fn put<O: ObjectStore>(store: &O, key: &str, bytes: &[u8], origin: Origin) -> Put {
    let mut spool = spool(bytes);
    let put = store.put(key, &mut spool, &origin, soon());
    put.await.unwrap()
}

pub(crate) async fn read<O: ObjectStore>(store: &O, key: &str) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut sink = |piece: &[u8]| bytes.extend_from_slice(piece);
    let etag = store.read(key, &mut sink, soon()).await.unwrap();
    etag.map(|etag| (etag, bytes))
}

pub(crate) async fn objects_hold<O: ObjectStore>(store: &O) {
    objects_are_put_once(store).await;
    keys_are_listed_in_order(store).await;
    two_at_once_put_one(store).await;
    large_objects_go_in_parts(store).await;
}

async fn objects_are_put_once<O: ObjectStore>(store: &O) {
    let key = "once/a_00000001.jsonl";
    assert_eq!(store.look(key, soon()).await.unwrap(), None);
    assert_eq!(read(store, key).await, None);
    let one = || origin("e1", Some(7));
    assert_eq!(put(store, key, b"one", one()).await, Put::Written);
    assert_eq!(put(store, key, b"one", one()).await, Put::Refused);
    let other = origin("e2", None);
    assert_eq!(put(store, key, b"another", other).await, Put::Refused);
    // MD5 of `one`.
    let etag = "f97c5d29941bfb1b2fdab0874906ab82".to_owned();
    let there = Standing {
        etag: etag.clone(),
        origin: Some(origin("e1", Some(7))),
    };
    assert_eq!(store.look(key, soon()).await.unwrap(), Some(there));
    assert_eq!(read(store, key).await, Some((etag, b"one".to_vec())));
    let empty = "once/empty.json";
    let written = put(store, empty, b"", origin("e", None)).await;
    assert_eq!(written, Put::Written);
    let (_, bytes) = read(store, empty).await.unwrap();
    assert_eq!(bytes, b"");
}

async fn keys_are_listed_in_order<O: ObjectStore>(store: &O) {
    let keys = [
        "a/b/2.json",
        "a/b-1.json",
        "a/b/1.json",
        "a/b/c/1.json",
        "ab/1.json",
    ];
    for key in keys {
        let key = format!("listed/{key}");
        let written = put(store, &key, b"x", origin("e", None)).await;
        assert_eq!(written, Put::Written);
    }
    for (prefix, after, expected) in [
        (
            "",
            "",
            &[
                "a/b-1.json",
                "a/b/1.json",
                "a/b/2.json",
                "a/b/c/1.json",
                "ab/1.json",
            ][..],
        ),
        (
            "a",
            "",
            &[
                "a/b-1.json",
                "a/b/1.json",
                "a/b/2.json",
                "a/b/c/1.json",
                "ab/1.json",
            ],
        ),
        ("a/b/", "", &["a/b/1.json", "a/b/2.json", "a/b/c/1.json"]),
        ("a/b/", "a/b/1.json", &["a/b/2.json", "a/b/c/1.json"]),
        (
            "a/b/",
            "a/b/1",
            &["a/b/1.json", "a/b/2.json", "a/b/c/1.json"],
        ),
        ("a/b/2", "", &["a/b/2.json"]),
        ("c", "", &[]),
    ] {
        let (prefix, begin) = (format!("listed/{prefix}"), "listed/");
        let after = if after.is_empty() {
            String::new()
        } else {
            format!("{begin}{after}")
        };
        let listed = store.list(&prefix, &after, soon()).await.unwrap();
        let listed: Vec<_> = listed.iter().map(|key| &key[begin.len()..]).collect();
        assert_eq!(listed, expected, "{prefix} {after}");
    }
}

async fn two_at_once_put_one<O: ObjectStore>(store: &O) {
    for number in 0..10 {
        let key = format!("together/{number}.json");
        let put = |source: &'static str| put(store, &key, source.as_bytes(), origin(source, None));
        let both = tokio::join!(put("one"), put("other"));
        let winner = match both {
            (Put::Written, Put::Refused) => "one",
            (Put::Refused, Put::Written) => "other",
            both => panic!("{both:?}"),
        };
        let standing = store.look(&key, soon()).await.unwrap().unwrap();
        assert_eq!(standing.origin, Some(origin(winner, None)));
        assert_eq!(read(store, &key).await.unwrap().1, winner.as_bytes());
    }
}

async fn large_objects_go_in_parts<O: ObjectStore>(store: &O) {
    let large: Vec<u8> = (0..249).cycle().take(2 * PART_BYTES + 9).collect();
    let key = "large/a.parquet";
    for expected in [Put::Written, Put::Refused] {
        assert_eq!(put(store, key, &large, origin("e9", None)).await, expected);
    }
    let (etag, bytes) = read(store, key).await.unwrap();
    assert!(bytes == large);
    assert!(etag.ends_with("-3"), "{etag}");
    let standing = store.look(key, soon()).await.unwrap().unwrap();
    assert_eq!(
        (standing.etag, standing.origin),
        (etag, Some(origin("e9", None)))
    );
}

pub(crate) async fn parameters_hold<P: ParameterStore>(store: &P) {
    assert_eq!(store.get("staff", soon()).await.unwrap(), None);
    for (value, version) in [("1", 1), ("2", 2), ("2", 3)] {
        assert_eq!(store.put("staff", value, soon()).await.unwrap(), version);
        let value = value.to_owned();
        let expected = Some(Parameter { value, version });
        assert_eq!(store.get("staff", soon()).await.unwrap(), expected);
    }
    assert_eq!(store.put("address", "7", soon()).await.unwrap(), 1);
}
