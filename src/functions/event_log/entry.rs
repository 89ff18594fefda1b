//! An event on its way into the log: its item, or why it has none. A pure function of the record
//! and the settings.

use std::{borrow::Cow, fmt::Write};

use sha2::{Digest, Sha256};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::{
    data::{self, NoMap},
    item::{
        DATA_REF, ITEM_BYTES_MAX, Item, KEY_BYTES_MAX, SEARCH_KEY, TEXT_NUMBERS, TIMESTAMP, TTL,
    },
    number::plain_bytes,
    settings::{DataAs, EventId, OnUnreadable, Search, Settings},
};
use crate::{
    json::{
        object::{Unreadable, read_text},
        pointer::Pointer,
    },
    kinesis::{
        Tag,
        contents::{Arrived, Unread},
    },
};

/// `#` and 16 hexadecimal digits more are a key still.
const SECOND_ID_BYTES_MAX: usize = 2031;
/// What an item's JSON has beside its data, about.
const FRAME_BYTES: usize = 320;
const REFUSED: &str = "refused";

/// What becomes of an event.
#[derive(Debug, PartialEq, Eq)]
pub enum Entry {
    Item(Item),
    /// Its bytes are to be an object; the item refers to them.
    TooLarge {
        item: Item,
        key: String,
    },
    /// It goes to the dead letters.
    DeadLetter(Reason),
}

impl Entry {
    /// What its item takes in memory.
    #[must_use]
    pub fn json_bytes(&self) -> usize {
        match self {
            Self::Item(item) | Self::TooLarge { item, .. } => item.json.len(),
            Self::DeadLetter(_) => 0,
        }
    }
}

/// Why an event is a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    Unread(Unread),
    ItemTooLarge,
    ItemRefused,
    Conflict,
    Panicked,
}

impl Reason {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unread(why) => why.as_str(),
            Self::ItemTooLarge => "item_too_large",
            Self::ItemRefused => "item_refused",
            Self::Conflict => "conflict",
            Self::Panicked => "panicked",
        }
    }
}

/// What is counted of an event by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traits {
    pub is_unreadable: bool,
    pub text_numbers: usize,
    /// Kept as text, because no map could say it.
    pub is_raw: bool,
    pub absent: Absent,
}

/// What an event is to have, and has not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Absent {
    /// Of its own: it has its record's.
    pub id: bool,
    pub search_key: bool,
}

/// An event, read.
#[derive(Debug, PartialEq, Eq)]
pub struct Kept {
    pub entry: Entry,
    pub traits: Traits,
}

impl Kept {
    #[must_use]
    pub fn of(event: &Arrived<'_>, stream: Tag, settings: &Settings) -> Self {
        let mut item = Item::with_room(2 * event.bytes.len() + FRAME_BYTES);
        let mut content = Content::push(event, settings, &mut item);
        let entry = match content.text {
            Err(why) if settings.on_unreadable == OnUnreadable::DeadLetter => {
                Entry::DeadLetter(Reason::Unread(why))
            }
            _ => content.enter(item, event, stream, settings),
        };
        Self {
            entry,
            traits: content.traits,
        }
    }
}

/// What an event's bytes are.
struct Content<'a> {
    /// JSON, as it is spelled.
    text: Result<&'a str, Unread>,
    traits: Traits,
}

impl<'a> Content<'a> {
    /// Reads an event and makes it attributes.
    fn push(event: &Arrived<'a>, settings: &Settings, item: &mut Item) -> Self {
        let read = match event.unread {
            Some(why) => Err(why),
            None => push_json(event.bytes, settings.data, item).map_err(Unread::Data),
        };
        match read {
            Ok((text, traits)) => Self {
                text: Ok(text),
                traits,
            },
            Err(why) => {
                item.push_binary("raw", event.bytes);
                item.push_text(REFUSED, why.as_str());
                Self {
                    text: Err(why),
                    traits: Traits {
                        is_unreadable: true,
                        ..Traits::default()
                    },
                }
            }
        }
    }

    fn enter(
        &mut self,
        mut item: Item,
        event: &Arrived<'_>,
        stream: Tag,
        settings: &Settings,
    ) -> Entry {
        let text = self.text.ok();
        let frame = Frame::of(text, event, settings);
        self.traits.absent = Absent {
            id: frame.id.is_missing,
            search_key: settings.search.is_some() && frame.search_key.is_none(),
        };
        frame.push(&mut item);
        if item.bytes <= ITEM_BYTES_MAX {
            item.trim();
            return Entry::Item(item);
        }
        let Some(bucket) = &settings.bucket else {
            return Entry::DeadLetter(Reason::ItemTooLarge);
        };
        let key = format!("overflow/{stream}/{}/{}", event.id.shard, event.id.place());
        let mut item = Item::with_room(FRAME_BYTES);
        push_reference(&mut item, bucket, &key, event.bytes);
        if let Err(why) = self.text {
            item.push_text(REFUSED, why.as_str());
        }
        Frame::of(text, event, settings).push(&mut item);
        if item.bytes > ITEM_BYTES_MAX {
            return Entry::DeadLetter(Reason::ItemTooLarge);
        }
        Entry::TooLarge { item, key }
    }
}

/// Makes JSON a map, or text where a map could not say it or is not wanted.
fn push_json<'a>(
    bytes: &'a [u8],
    data: DataAs,
    item: &mut Item,
) -> Result<(&'a str, Traits), Unreadable> {
    let text = read_text(bytes)?;
    let mapped = match data {
        DataAs::Text => data::check(text).map(|()| None)?,
        DataAs::Map => match push_map(text, item) {
            Err(NoMap::Unreadable(why)) => return Err(why),
            mapped => Some(mapped),
        },
    };
    let mut traits = Traits::default();
    if let Some(Ok(text_numbers)) = mapped {
        traits.text_numbers = text_numbers;
    } else {
        traits.is_raw = mapped.is_some();
        item.push_text("raw", text);
    }
    Ok((text, traits))
}

/// How many of its numbers became text.
fn push_map(text: &str, item: &mut Item) -> Result<usize, NoMap> {
    let mapped = item.try_push("data", |out| {
        let mapped = data::write_map(text, out)?;
        Ok((mapped.bytes, mapped))
    })?;
    if !mapped.pointers.is_empty() {
        push_list(item, TEXT_NUMBERS, &mapped.pointers);
    }
    Ok(mapped.text_numbers)
}

/// What an item has beside its data.
struct Frame<'a> {
    id: Id,
    timestamp: Option<String>,
    search_key: Option<String>,
    ttl: Option<u64>,
    partition_key: Option<Cow<'a, str>>,
}

/// An item's key, and whether the event had none of its own.
struct Id {
    text: String,
    is_missing: bool,
}

impl<'a> Frame<'a> {
    fn of(text: Option<&str>, event: &'a Arrived<'a>, settings: &Settings) -> Self {
        let id = Id::of(text, event, &settings.event_id);
        let search = settings.search.as_ref().zip(text);
        let seconds = |arrival: &crate::kinesis::Arrival| {
            u64::try_from(arrival.0.nanoseconds() / 1_000_000_000).ok()
        };
        let arrived = event.arrival.as_ref().and_then(seconds);
        Self {
            timestamp: event.arrival.map(|arrival| arrival.to_string()),
            search_key: search.and_then(|(search, text)| search_key(search, text, &id.text)),
            ttl: settings
                .ttl_seconds
                .zip(arrived)
                .map(|(ttl, arrived)| arrived + ttl),
            partition_key: event.partition_key.clone(),
            id,
        }
    }

    fn push(self, item: &mut Item) {
        item.push_id(self.id.text);
        if self.id.is_missing {
            item.push_true("idMissing");
        }
        for (name, text) in [
            (TIMESTAMP, self.timestamp.as_deref()),
            (SEARCH_KEY, self.search_key.as_deref()),
            ("partitionKey", self.partition_key.as_deref()),
        ] {
            if let Some(text) = text {
                item.push_text(name, text);
            }
        }
        if let Some(ttl) = self.ttl {
            item.push_number(TTL, ttl);
        }
    }
}

impl Id {
    fn of(text: Option<&str>, event: &Arrived<'_>, settings: &EventId) -> Self {
        let own = match settings {
            EventId::Record => None,
            EventId::At(pointer) => text.and_then(|text| key_at(pointer, text)),
        };
        match own {
            Some(id) => Self {
                text: id.into_owned(),
                is_missing: false,
            },
            None => Self {
                text: event.id.to_string(),
                is_missing: *settings != EventId::Record,
            },
        }
    }
}

/// Text or a number that can be a key; a number by its spelling.
fn key_at<'a>(pointer: &Pointer, text: &'a str) -> Option<Cow<'a, str>> {
    let key = pointer.find_text(text)?;
    (1..=KEY_BYTES_MAX).contains(&key.len()).then_some(key)
}

fn search_key(search: &Search, text: &str, id: &str) -> Option<String> {
    let mut key = key_at(&search.pointer, text)?.into_owned();
    if search.buckets > 1 {
        push_bucket(&mut key, xxh3_64(id.as_bytes()) % search.buckets);
    }
    (key.len() <= KEY_BYTES_MAX).then_some(key)
}

fn push_bucket(key: &mut String, bucket: u64) {
    // Writing to memory does not fail.
    let _ = write!(key, "#{bucket}");
}

/// All keys that a search for one has to ask for.
pub fn search_keys(key: &str, buckets: u64) -> impl Iterator<Item = String> {
    (0..buckets.max(1)).map(move |bucket| {
        let mut key = key.to_owned();
        if buckets > 1 {
            push_bucket(&mut key, bucket);
        }
        key
    })
}

fn push_list(item: &mut Item, name: &'static str, texts: &[String]) {
    let mut written = br#"{"L":["#.to_vec();
    for (index, text) in texts.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        let text = serde_json::Value::from(text.as_str());
        written.extend_from_slice(format!("{comma}{{\"S\":{text}}}").as_bytes());
    }
    written.extend_from_slice(b"]}");
    let bytes = texts.iter().map(|text| text.len() + 1).sum::<usize>() + 3;
    item.push_written(name, &written, bytes);
}

/// A map of four: where the bytes are, how many, and which.
fn push_reference(item: &mut Item, bucket: &str, key: &str, bytes: &[u8]) {
    let mut sha256 = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing to memory does not fail.
        let _ = write!(sha256, "{byte:02x}");
    }
    let length = bytes.len().to_string();
    let written = format!(
        r#"{{"M":{{"bucket":{{"S":"{bucket}"}},"key":{{"S":"{key}"}},"bytes":{{"N":"{length}"}},"sha256":{{"S":"{sha256}"}}}}}}"#
    );
    let names = "bucketkeybytessha256".len();
    let values = bucket.len() + key.len() + plain_bytes(&length) + sha256.len();
    item.push_written(DATA_REF, written.as_bytes(), names + values + 7);
}

/// The id of an event whose own is taken by other data: nothing but its bytes decides it. An id
/// that has no room for it gives way to the record's.
#[must_use]
pub fn second_id(item: &Item, event: &Arrived<'_>) -> String {
    if item.id.len() > SECOND_ID_BYTES_MAX {
        return event.id.to_string();
    }
    let hash = format!("{:032x}", xxh3_128(event.bytes));
    let (beginning, _) = hash.split_at(16);
    format!("{}#{beginning}", item.id)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        config::tests::lookup,
        instant::Instant,
        kinesis::{Arrival, RecordId, Sequence, ShardId},
    };

    const STREAM: &str = "arn:aws:kinesis:eu-central-1:123456789012:stream/events";

    fn settings(values: &[(&str, &str)]) -> Settings {
        Settings::read(lookup(values)).unwrap()
    }

    fn arrived(bytes: &[u8]) -> Arrived<'_> {
        Arrived {
            id: RecordId {
                shard: ShardId(6),
                sequence: Sequence::parse("4959").unwrap(),
                sub: None,
            },
            arrival: Some(Arrival(Instant::from_number("1545084650.987").unwrap())),
            partition_key: Some("key".into()),
            bytes,
            unread: None,
        }
    }

    fn keep(event: &Arrived<'_>, values: &[(&str, &str)]) -> Kept {
        Kept::of(event, Tag::of(STREAM), &settings(values))
    }

    #[track_caller]
    fn item(event: &Arrived<'_>, values: &[(&str, &str)]) -> Value {
        match keep(event, values).entry {
            Entry::Item(item) => {
                let json: Value = serde_json::from_slice(&item.json).unwrap();
                assert_eq!(json["eventId"]["S"], item.id);
                json
            }
            other => panic!("{other:?}"),
        }
    }

    /// The attributes of an event's item, those that every one has left out.
    #[track_caller]
    fn check(data: &[u8], values: &[(&str, &str)], expected: &Value) {
        let mut item = item(&arrived(data), values);
        let attributes = item.as_object_mut().unwrap();
        for name in ["timestamp", "partitionKey"] {
            assert!(attributes.remove(name).is_some(), "{name}");
        }
        assert_eq!(item, *expected, "{}", data.escape_ascii());
    }

    const RECORD: &str = "shardId-000000000006:4959";

    #[test]
    fn an_item_is_a_function_of_its_record() {
        let event = arrived(br#"{"sensor": "temperature", "value": 22.5}"#);
        let expected = json!({
            "eventId": {"S": RECORD},
            "timestamp": {"S": "2018-12-17T22:10:50.987Z"},
            "partitionKey": {"S": "key"},
            "data": {"M": {"sensor": {"S": "temperature"}, "value": {"N": "22.5"}}},
        });
        assert_eq!(item(&event, &[]), expected);
        assert_eq!(keep(&event, &[]), keep(&event, &[]));
        let mut of_aggregate = arrived(b"1");
        of_aggregate.id.sub = Some(3);
        of_aggregate.arrival = None;
        of_aggregate.partition_key = None;
        let expected = json!({"eventId": {"S": format!("{RECORD}.3")}, "data": {"N": "1"}});
        assert_eq!(item(&of_aggregate, &[("LOG_TTL_HOURS", "1")]), expected);
    }

    #[test]
    fn a_scalar_is_data_too() {
        for (data, attribute) in [
            ("null", json!({"NULL": true})),
            ("true", json!({"BOOL": true})),
            ("-1.50", json!({"N": "-1.50"})),
            (r#""""#, json!({"S": ""})),
            ("[]", json!({"L": []})),
            (r#" [{"":0}] "#, Value::Null),
        ] {
            let mut expected = json!({"eventId": {"S": RECORD}});
            match attribute {
                Value::Null => expected["raw"] = json!({ "S": data }),
                attribute => expected["data"] = attribute,
            }
            check(data.as_bytes(), &[], &expected);
        }
    }

    #[test]
    fn the_id_is_text_or_a_number_at_the_pointer_or_the_records() {
        #[track_caller]
        fn check(data: &str, own: Option<&str>) {
            let item = item(&arrived(data.as_bytes()), &[("EVENT_ID", "/a/0")]);
            assert_eq!(item["eventId"]["S"], own.unwrap_or(RECORD), "{data}");
            let missing = own.is_none().then(|| json!({"BOOL": true}));
            assert_eq!(item.get("idMissing"), missing.as_ref(), "{data}");
        }
        check(r#"{"a":["x"]}"#, Some("x"));
        check(r#"{"a":{"0":"\u00e4"}}"#, Some("ä"));
        check(r#"{"a":[1.50]}"#, Some("1.50"));
        check(r#"{"a":[1e999]}"#, Some("1e999"));
        let longest = "x".repeat(2048);
        check(&format!(r#"{{"a":["{longest}"]}}"#), Some(&longest));
        for none in [
            r#"{"a":[]}"#,
            r#"{"b":1}"#,
            r#"{"a":[""]}"#,
            r#"{"a":[null]}"#,
            r#"{"a":[true]}"#,
            r#"{"a":[["x"]]}"#,
            r#"{"a":["\ud800"]}"#,
            &format!(r#"{{"a":["{longest}x"]}}"#),
            "no json",
            "7",
        ] {
            check(none, None);
        }
    }

    #[test]
    fn the_search_key_is_text_or_a_number_at_its_pointer_or_absent() {
        #[track_caller]
        fn check(data: &str, buckets: &str, expected: Option<&str>) {
            let values = [("SEARCH_KEY", "/s"), ("SEARCH_BUCKETS", buckets)];
            let item = item(&arrived(data.as_bytes()), &values);
            let expected = expected.map(|key| json!({ "S": key }));
            assert_eq!(item.get("searchKey"), expected.as_ref(), "{data}");
        }
        check(r#"{"s":"a"}"#, "1", Some("a"));
        check(r#"{"s":-0.10}"#, "1", Some("-0.10"));
        check(r#"{"s":""}"#, "1", None);
        check(r#"{"s":{}}"#, "1", None);
        check("[]", "1", None);
        let bucket = xxh3_64(RECORD.as_bytes()) % 10;
        check(r#"{"s":"a"}"#, "10", Some(&format!("a#{bucket}")));
        let longest = "s".repeat(2048);
        check(&format!(r#"{{"s":"{longest}"}}"#), "1", Some(&longest));
        check(&format!(r#"{{"s":"{longest}s"}}"#), "1", None);
        check(&format!(r#"{{"s":"{longest}"}}"#), "10", None);
        let with_room = "s".repeat(2046);
        let with_bucket = format!("{with_room}#{bucket}");
        check(
            &format!(r#"{{"s":"{with_room}"}}"#),
            "10",
            Some(&with_bucket),
        );
    }

    #[test]
    fn an_event_lives_so_many_hours_from_its_arrival() {
        let expected = json!({
            "eventId": {"S": RECORD}, "data": {"M": {}}, "ttl": {"N": "1545091850"},
        });
        check(b"{}", &[("LOG_TTL_HOURS", "2")], &expected);
    }

    #[test]
    fn numbers_that_dynamodb_cannot_hold_are_text_and_pointed_to() {
        let expected = json!({
            "eventId": {"S": RECORD},
            "data": {"M": {"n/m": {"L": [{"N": "1"}, {"S": "1e126"}]}}},
            "textNumbers": {"L": [{"S": "/n~1m/1"}]},
        });
        check(br#"{"n/m":[1,1e126]}"#, &[], &expected);
        let kept = keep(&arrived(b"[1e126,1e-131,1]"), &[]);
        assert_eq!(kept.traits.text_numbers, 2);
    }

    #[test]
    fn what_no_map_can_say_is_kept_as_text_byte_for_byte() {
        for data in [
            format!("{}1{}", "[".repeat(32), "]".repeat(32)),
            format!("{}{}", "[".repeat(128), "]".repeat(128)),
            r#"{"a":1,"a":2}"#.to_owned(),
            r#"{ "": 0 }"#.to_owned(),
            r#""\ud800""#.to_owned(),
        ] {
            check(
                data.as_bytes(),
                &[],
                &json!({"eventId": {"S": RECORD}, "raw": {"S": data}}),
            );
            assert!(keep(&arrived(data.as_bytes()), &[]).traits.is_raw);
        }
        let data = r#" {"a" : 1.50, "a" : "\u00e4"} "#;
        let expected = json!({"eventId": {"S": RECORD}, "raw": {"S": data}});
        check(data.as_bytes(), &[("DATA", "text")], &expected);
        let kept = keep(&arrived(data.as_bytes()), &[("DATA", "text")]);
        assert!(!kept.traits.is_raw, "it was wanted as text");
    }

    #[test]
    fn what_is_no_json_is_kept_as_bytes_with_the_reason_or_set_aside() {
        for (data, reason) in [
            (b"".as_slice(), "data_missing"),
            (b"\xff\x00", "not_utf8"),
            (b"\xef\xbb\xbf{}", "not_utf8"),
            (b"{", "not_json"),
            (b"{} {}", "many_values"),
            (&b"[".repeat(129), "too_deep"),
        ] {
            let bytes = base64_simd::STANDARD.encode_to_string(data);
            let expected = json!({
                "eventId": {"S": RECORD}, "raw": {"B": bytes}, "refused": {"S": reason},
            });
            check(data, &[], &expected);
            check(data, &[("DATA", "text")], &expected);
            let kept = keep(&arrived(data), &[("ON_UNREADABLE", "dead-letter")]);
            assert!(kept.traits.is_unreadable);
            match kept.entry {
                Entry::DeadLetter(why) => assert_eq!(why.as_str(), reason),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn what_was_no_event_before_it_was_looked_at_is_kept_too() {
        for (unread, reason) in [
            (Unread::Data(Unreadable::NotBase64), "not_base64"),
            (Unread::AggregateBroken, "aggregate_broken"),
        ] {
            let event = Arrived {
                unread: Some(unread),
                ..arrived(b"{}")
            };
            let item = item(&event, &[]);
            assert_eq!(item["raw"], json!({"B": "e30="}));
            assert_eq!(item["refused"], json!({ "S": reason }));
            assert_eq!(item.get("data"), None);
        }
    }

    /// Names and values of an item whose data is text, but for the text.
    const AROUND: usize = "eventId".len()
        + RECORD.len()
        + "timestamp2018-12-17T22:10:50.987Z".len()
        + "partitionKeykey".len()
        + "data".len();

    #[test]
    fn an_item_may_have_400_kb_to_the_byte() {
        let text = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - AROUND));
        let largest = text(400 * 1024);
        let bucket = [("S3_BUCKET", "bucket")];
        match keep(&arrived(largest.as_bytes()), &bucket).entry {
            Entry::Item(item) => assert_eq!(item.bytes, 400 * 1024),
            other => panic!("{other:?}"),
        }
        let too_large = text(400 * 1024 + 1);
        let without_bucket = keep(&arrived(too_large.as_bytes()), &[]).entry;
        assert_eq!(without_bucket, Entry::DeadLetter(Reason::ItemTooLarge));
        let Entry::TooLarge { item, key } = keep(&arrived(too_large.as_bytes()), &bucket).entry
        else {
            panic!("it is too large");
        };
        let tag = Tag::of(STREAM);
        assert_eq!(key, format!("overflow/{tag}/shardId-000000000006/4959"));
        let bytes = too_large.len().to_string();
        let json: Value = serde_json::from_slice(&item.json).unwrap();
        let reference = &json["dataRef"]["M"];
        assert_eq!(reference["bucket"], json!({"S": "bucket"}));
        assert_eq!(reference["key"], json!({ "S": key }));
        assert_eq!(reference["bytes"], json!({ "N": bytes }));
        assert_eq!(reference["sha256"]["S"].as_str().map(str::len), Some(64));
        let others = [json.get("data"), json.get("raw"), json.get("refused")];
        assert_eq!(others, [None; 3]);
        let reference_bytes = 3 + 4 + "bucketkeybytessha256bucket".len() + key.len() + 4 + 64;
        assert_eq!(item.bytes, AROUND + "Ref".len() + reference_bytes);
    }

    #[test]
    fn what_is_too_large_keeps_its_reason_and_its_place_in_an_aggregate() {
        let bytes = vec![0xff; 500_000];
        let mut event = arrived(&bytes);
        event.id.sub = Some(7);
        let Entry::TooLarge { item, key } = keep(&event, &[("S3_BUCKET", "bucket")]).entry else {
            panic!("it is too large");
        };
        assert!(key.ends_with("/4959.7"), "{key}");
        let json: Value = serde_json::from_slice(&item.json).unwrap();
        assert_eq!(json["refused"], json!({"S": "not_utf8"}));
        let long_key = "k".repeat(500_000);
        let event = Arrived {
            partition_key: Some(long_key.into()),
            ..arrived(b"{}")
        };
        let entry = keep(&event, &[("S3_BUCKET", "bucket")]).entry;
        assert_eq!(entry, Entry::DeadLetter(Reason::ItemTooLarge));
    }

    #[test]
    fn a_second_id_is_decided_by_the_bytes_and_is_a_key_still() {
        let event = arrived(b"{}");
        let hash = format!("{:032x}", xxh3_128(b"{}"));
        let second = |id: String| second_id(&Item::new(id), &event);
        assert_eq!(second("a".to_owned()), format!("a#{}", &hash[..16]));
        let longest = "a".repeat(2031);
        assert_eq!(second(longest.clone()).len(), 2048);
        assert_eq!(second(longest + "a"), RECORD);
    }

    proptest! {
        #[test]
        fn any_bytes_have_an_entry_whose_item_is_json(
            bytes in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..200),
                r#"[\[\]{}":,\\ue0-9a-f+. -]{0,60}"#.prop_map(String::into_bytes),
            ],
            way in prop::sample::select(vec![
                ("DATA", "text"), ("EVENT_ID", "/a/0"), ("SEARCH_KEY", "/e"), ("LOG_TTL_HOURS", "1"),
            ]),
        ) {
            let Kept { entry, .. } = keep(&arrived(&bytes), &[way]);
            let Entry::Item(item) = entry else { panic!("it is small") };
            let json: Value = serde_json::from_slice(&item.json).unwrap();
            let said = ["data", "raw"].map(|name| json.get(name));
            prop_assert_eq!(said.iter().flatten().count(), 1);
            let names: Vec<_> = item.attributes().map(|(name, _)| name).collect();
            prop_assert_eq!(names.len(), json.as_object().unwrap().len());
            prop_assert!(item.says_the_same(&json));
        }
    }
}
