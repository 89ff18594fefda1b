//! What the function is called with, and what it answers.

use serde::{Deserialize, Serialize};

use super::names::{ID_MAX, Packet};

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    Load(Vec<Wanted>),
    /// Everything that has an object and no receipt.
    Sweep,
}

/// A packet that is to be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub packet: Packet,
    /// Its object, where the caller knows it.
    pub key: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the request is not like {{\"packets\": [{{\"table\": \"sales_order\", \"id\": 3}}]}}, each id from 0 \
     to {ID_MAX}; without packets it is a sweep"
)]
pub struct RequestUnreadable;

#[derive(Deserialize)]
struct Body {
    packets: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    table: String,
    id: u64,
    key: Option<String>,
}

impl Request {
    pub fn read(body: &[u8]) -> Result<Self, RequestUnreadable> {
        let body: Body = serde_json::from_slice(body).map_err(|_| RequestUnreadable)?;
        if body.packets.is_empty() {
            return Ok(Self::Sweep);
        }
        let wanted = body.packets.into_iter().map(Wanted::new);
        Ok(Self::Load(wanted.collect::<Result<_, _>>()?))
    }
}

impl Wanted {
    fn new(Named { table, id, key }: Named) -> Result<Self, RequestUnreadable> {
        let packet = Packet { table, id };
        let wanted = Self { packet, key };
        (id <= ID_MAX).then_some(wanted).ok_or(RequestUnreadable)
    }
}

/// What became of the packets, in the order in which they were asked for.
#[derive(Debug, Serialize)]
pub struct Answer {
    pub packets: Vec<Outcome>,
}

impl Answer {
    pub(super) fn write(&self) -> Vec<u8> {
        serde_json::json!(self).to_string().into_bytes()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    pub table: String,
    pub id: u64,
    pub status: Status,
    /// That were loaded.
    pub rows: u64,
    pub refused: u64,
    pub files: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Loaded,
    DoneBefore,
    /// As a whole: too many of its rows were refused.
    Refused,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_packets_or_is_a_sweep() {
        #[track_caller]
        fn check(body: &str, expected: &Result<Request, RequestUnreadable>) {
            assert_eq!(&Request::read(body.as_bytes()), expected, "{body}");
        }
        let wanted = |key: Option<&str>| {
            let packet = Packet {
                table: "staff".to_owned(),
                id: 3,
            };
            let wanted = Wanted {
                packet,
                key: key.map(str::to_owned),
            };
            Ok(Request::Load(vec![wanted]))
        };
        check(
            r#"{"packets": [{"table": "staff", "id": 3}]}"#,
            &wanted(None),
        );
        check(
            r#"{"packets": [{"table": "staff", "id": 3, "key": "a", "more": 1}], "more": []}"#,
            &wanted(Some("a")),
        );
        check(r#"{"packets": []}"#, &Ok(Request::Sweep));
        for body in [
            "",
            "[]",
            "{}",
            r#"{"packets": 3}"#,
            r#"{"packets": [{"table": "staff"}]}"#,
            r#"{"packets": [{"table": "staff", "id": -1}]}"#,
            r#"{"packets": [{"table": "staff", "id": 100000000}]}"#,
        ] {
            check(body, &Err(RequestUnreadable));
        }
    }
}
