//! No input takes longer than its size explains: four times as much of it takes about four times as
//! long, and no byte many times as long as a byte of ordinary events. Counted in processor time of
//! the thread, so that other work does not matter, and as the least of some rounds.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::{
    fmt::Write,
    hint::black_box,
    sync::LazyLock,
    time::{Duration, UNIX_EPOCH},
};

use nozzle::functions::{
    Function, Moment,
    firehose_transform::{FirehoseTransform, Settings},
};
use support::{
    effort::{BYTES, Effort, least_seconds, many, numbered, size},
    requests::{Sent, event, request},
    takes_all::TakesAll,
};
use tokio::time::Instant;

/// Times what a byte of ordinary events takes.
const COST_MAX: f64 = 10.0;
const ROUNDS: usize = 5;

/// The least processor time that a request takes, answered or not.
fn seconds(request: &[u8]) -> f64 {
    let settings = Settings::read(|_| None).unwrap();
    let function = FirehoseTransform::new(settings, TakesAll);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    least_seconds(ROUNDS, || {
        let answer = runtime.block_on(async {
            let moment = Moment {
                now: UNIX_EPOCH + Duration::from_secs(1_789_014_301),
                deadline: Instant::now() + Duration::from_mins(5),
            };
            function.answer(request, moment).await
        });
        let _ = black_box(answer);
    })
}

#[track_caller]
fn check(name: &str, make: fn(usize) -> Vec<u8>) {
    EFFORT.check(name, make);
}

fn of_records(texts: impl Iterator<Item = String>) -> Vec<u8> {
    let records: Vec<_> = texts
        .zip(0..)
        .map(|(text, number)| Sent::new(&format!("{number:056}"), number, &text))
        .collect();
    request(&records)
}

static EFFORT: LazyLock<Effort> = LazyLock::new(|| {
    let request = ordinary();
    Effort {
        seconds,
        ordinary: seconds(&request) / size(&request),
        cost_max: COST_MAX,
    }
});

fn ordinary() -> Vec<u8> {
    of_records((0..8 * BYTES / 500).map(|number| {
        let note = "x".repeat(200);
        event(&number.to_string()).replacen('{', &format!(r#"{{"note":"{note}","#), 1)
    }))
}

/// One record, an event with this inside.
fn with(inside: &str) -> Vec<u8> {
    of_records(std::iter::once(event("1").replacen(
        '{',
        &format!("{{{inside},"),
        1,
    )))
}

/// A request whose records are one event, with this beside them.
fn beside(inside: &str) -> Vec<u8> {
    let request = String::from_utf8(of_records(std::iter::once(event("1")))).unwrap();
    request
        .replacen('{', &format!("{{{inside},"), 1)
        .into_bytes()
}

/// As members of an object, without the last comma.
fn members(bytes: usize, write: impl Fn(&mut String, usize)) -> String {
    let mut text = numbered(bytes, write);
    text.pop();
    text
}

#[test]
fn an_event_of_many_members_takes_its_size() {
    check("members", |bytes| {
        with(&members(bytes, |text, number| {
            write!(text, r#""k{number}":1,"#).unwrap();
        }))
    });
    check("doubled keys", |bytes| {
        with(many(bytes, r#""k":1,"#).trim_end_matches(','))
    });
    check("doubled own keys", |bytes| {
        with(many(bytes, r#""event_uuid":1,"#).trim_end_matches(','))
    });
    check("replaced keys", |bytes| {
        with(many(bytes, r#""event_type":1,"#).trim_end_matches(','))
    });
    check("escaped keys", |bytes| {
        with(many(bytes, r#""event\u005ftype":1,"#).trim_end_matches(','))
    });
    check("empty keys", |bytes| {
        with(many(bytes, r#""":0,"#).trim_end_matches(','))
    });
}

#[test]
fn nesting_and_lists_take_their_size() {
    check("deep again and again", |bytes| {
        let deep = format!("{}{},", "[".repeat(127), "]".repeat(127));
        with(&format!(r#""a":[{}0]"#, many(bytes, &deep)))
    });
    check("deep objects", |bytes| {
        let deep = format!("{}1{},", r#"{"a":"#.repeat(126), "}".repeat(126));
        with(&format!(r#""a":[{}0]"#, many(bytes, &deep)))
    });
    check("never closed", |bytes| {
        with(&format!(r#""a":{}"#, many(bytes, "[")))
    });
    check("empty lists", |bytes| {
        with(&format!(r#""a":[{}0]"#, many(bytes, "[],")))
    });
    check("numbers", |bytes| {
        with(&format!(r#""a":[{}0]"#, many(bytes, "1,")))
    });
}

#[test]
fn strings_and_numbers_take_their_size() {
    check("escapes", |bytes| {
        with(&format!(r#""a":"{}""#, many(bytes, r"\n")))
    });
    check("surrogates", |bytes| {
        with(&format!(r#""a":"{}""#, many(bytes, r"\ud800")))
    });
    check("escapes in a key", |bytes| {
        with(&format!(r#""{}":1"#, many(bytes, r"\u0041")))
    });
    check("quotes", |bytes| {
        with(&format!(r#""a":"{}""#, many(bytes, r#"\""#)))
    });
    check("no end", |bytes| {
        with(&format!(r#""a":"{}"#, many(bytes, "x")))
    });
    check("backslashes", |bytes| {
        with(&format!(r#""a":"{}"#, many(bytes, r"\\")))
    });
    check("digits", |bytes| {
        with(&format!(r#""a":{}"#, many(bytes, "7")))
    });
    check("letters of four bytes", |bytes| {
        with(&format!(r#""a":"{}""#, many(bytes, "🦀")))
    });
    check("line breaks", |bytes| {
        with(&format!(r#""a":[{}1]"#, many(bytes, "\r\n")))
    });
    check("white space", |bytes| {
        with(&format!(r#""a":[{}1]"#, many(bytes, " ")))
    });
    check("broken UTF-8", |bytes| {
        let bytes = [event("1").as_bytes(), &b"\xf0\x9f".repeat(bytes / 2)].concat();
        let sent = Sent {
            id: "1".to_owned(),
            arrival_milliseconds: 1,
            bytes,
        };
        request(&[sent])
    });
}

#[test]
fn fields_that_are_read_take_their_size() {
    check("uuid", |bytes| {
        of_records(std::iter::once(event(&many(bytes, r"\u0041"))))
    });
    check("blank uuid", |bytes| {
        of_records(std::iter::once(event(&many(bytes, r"\u3000"))))
    });
    check("colons", |bytes| of_name(&many(bytes, ":")));
    check("spaces", |bytes| of_name(&many(bytes, " ")));
    check("digits of time", |bytes| of_time(&many(bytes, "9")));
    check("a fraction of time", |bytes| {
        of_time(&format!("0.{}", many(bytes, "0")))
    });
    check("an exponent of time", |bytes| {
        of_time(&format!("1e{}", many(bytes, "9")))
    });
    check("a time of text", |bytes| {
        of_time(&format!("\"{}\"", many(bytes, "1")))
    });
}

fn of_name(name: &str) -> Vec<u8> {
    of_records(std::iter::once(event("1").replace("account:created", name)))
}

fn of_time(time: &str) -> Vec<u8> {
    of_records(std::iter::once(
        event("1").replace("1712511721.022075", time),
    ))
}

#[test]
fn records_take_their_number() {
    check("one event again and again", |bytes| {
        of_records((0..bytes / 250).map(|_| event("1")))
    });
    check("other bytes of one event", |bytes| {
        of_records(
            (0..bytes / 260)
                .map(|number| event("1").replacen('{', &format!(r#"{{"n":{number},"#), 1)),
        )
    });
    check("names of nothing but percent signs", |bytes| {
        of_records(
            (0..bytes / 350).map(|number| {
                event(&number.to_string()).replace("account:created", &many(120, "%:"))
            }),
        )
    });
    check("empty records", |bytes| {
        of_records((0..bytes / 140).map(|_| String::new()))
    });
    check("tiny records", |bytes| {
        of_records((0..bytes / 140).map(|_| "{}".to_owned()))
    });
    check("ids that differ in their last bytes", |bytes| {
        let same = "x".repeat(100);
        let ids = (0..bytes / 300).map(|number| event(&format!("{same}{number:08x}")));
        of_records(ids)
    });
}

#[test]
fn an_envelope_takes_its_size() {
    check("a field that nobody reads", |bytes| {
        beside(&format!(r#""a":"{}""#, many(bytes, r"\n")))
    });
    check("fields that nobody reads", |bytes| {
        beside(&members(bytes, |text, number| {
            write!(text, r#""k{number}":[],"#).unwrap();
        }))
    });
    check("records again and again", |bytes| {
        beside(many(bytes, r#""records":[{"recordId":"1"}],"#).trim_end_matches(','))
    });
    check("ids of one record", |bytes| {
        let ids = many(bytes, r#""recordId":"1","#);
        format!(r#"{{"records":[{{{ids}"data":""}}]}}"#).into_bytes()
    });
    check("a long id", |bytes| {
        format!(
            r#"{{"records":[{{"recordId":"{}","data":"e30="}}]}}"#,
            many(bytes, r"\n")
        )
        .into_bytes()
    });
    check("base64 that is escaped", |bytes| {
        format!(
            r#"{{"records":[{{"recordId":"1","data":"{}"}}]}}"#,
            many(bytes, r"\u0041")
        )
        .into_bytes()
    });
    check("base64 that breaks at its end", |bytes| {
        format!(
            r#"{{"records":[{{"recordId":"1","data":"{}!"}}]}}"#,
            many(bytes, "AAAA")
        )
        .into_bytes()
    });
    check("white space", |bytes| {
        beside(&format!("\"a\":{}1", many(bytes, "\n")))
    });
}
