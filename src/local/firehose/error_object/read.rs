//! Error objects read back, as leniently as they are written: Firehose's documentation and the real
//! service do not spell them the same.

use std::borrow::Cow;

use base64_simd::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

/// A record that Firehose gave up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    pub bytes: Vec<u8>,
    pub origin: Origin,
    /// Firehose's error code.
    pub code: String,
    pub arrival_milliseconds: Option<i64>,
    /// Of what a person repaired: what it was made of.
    pub original: Option<Original>,
}

/// The record that a person repaired, as a redrive knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    /// What a redrive was told to read it from.
    pub source: String,
    /// Which of the records there.
    pub mark: String,
}

/// What a record's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// As they came to the function: it failed, or said that it did.
    Arrived,
    /// What came after the function failed; they may be what it delivered.
    Later,
    /// What a person made of them; no function has seen these.
    Repaired,
}

/// Why a line is no error object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotErrorObject {
    #[error("it is empty")]
    Empty,
    #[error("it breaks off")]
    BreaksOff,
    #[error("it is no JSON object")]
    NotJson,
    #[error("it is JSON over several lines: `jq -c .` makes lines of it")]
    Pretty,
    #[error("it has no rawData")]
    NoRawData,
    #[error("its rawData is not base64")]
    NotBase64,
    #[error("it has no errorCode")]
    NoCode,
    #[error("it is an event, no error object: `nozzle run` takes it")]
    Event,
    #[error("it is a delivered event, no error object")]
    Delivered,
    #[error("it is an archived event, no error object")]
    Archived,
    #[error("it is longer than any error object")]
    TooLong,
}

/// Only what is read. Firehose also tells attempts, times and the function's name.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(borrow)]
    raw_data: Option<Cow<'a, str>>,
    #[serde(alias = "ErrorCode")]
    error_code: Option<Cow<'a, str>>,
    /// As format conversion names it.
    last_error_code: Option<Cow<'a, str>>,
    arrival_timestamp: Option<Value>,
    // What `repair` writes.
    reason: Option<&'a RawValue>,
    code: Option<Value>,
    event: Option<&'a RawValue>,
    text: Option<Value>,
    base64: Option<Value>,
    source: Option<Value>,
    mark: Option<Value>,
}

/// Reads a line, as Firehose wrote it or as a person repaired it.
pub fn read(line: &[u8]) -> Result<Failed, NotErrorObject> {
    if line.trim_ascii().is_empty() {
        return Err(NotErrorObject::Empty);
    }
    if matches!(line.trim_ascii(), b"{" | b"[") {
        return Err(NotErrorObject::Pretty);
    }
    let wire: Wire<'_> = serde_json::from_slice(line).map_err(|error| {
        if error.is_eof() {
            NotErrorObject::BreaksOff
        } else {
            NotErrorObject::NotJson
        }
    })?;
    let arrival_milliseconds = wire.arrival_timestamp.as_ref().and_then(milliseconds);
    if let Some((bytes, code)) = wire.repaired()? {
        return Ok(Failed {
            bytes,
            origin: Origin::Repaired,
            code,
            arrival_milliseconds,
            original: wire.original(),
        });
    }
    let raw_data = wire.raw_data.ok_or(NotErrorObject::NoRawData)?;
    let code = wire.error_code.or(wire.last_error_code);
    let code = code.ok_or(NotErrorObject::NoCode)?.into_owned();
    let bytes = STANDARD.decode_to_vec(raw_data.as_bytes());
    Ok(Failed {
        bytes: bytes.map_err(|_| NotErrorObject::NotBase64)?,
        origin: Origin::of(&code),
        code,
        arrival_milliseconds,
        original: None,
    })
}

/// What a line for repair may have; but for this nothing of it is read.
const OF_REPAIR: [&str; 9] = [
    "reason",
    "code",
    "arrivalTimestamp",
    "position",
    "source",
    "mark",
    "event",
    "text",
    "base64",
];

/// The fields of a line for repair that were put beside its event, where they change nothing.
#[must_use]
pub fn beside_event(line: &[u8]) -> Vec<String> {
    let members = serde_json::from_slice::<Map<String, Value>>(line);
    let names = members
        .unwrap_or_default()
        .into_iter()
        .map(|(name, _)| name);
    names
        .filter(|name| !OF_REPAIR.contains(&name.as_str()))
        .collect()
}

impl Origin {
    fn of(code: &str) -> Self {
        if code.starts_with("Lambda.") || code.starts_with("Firehose.") {
            Self::Arrived
        } else {
            Self::Later
        }
    }
}

impl Wire<'_> {
    /// The bytes and the code of what a person repaired, if it is that.
    fn repaired(&self) -> Result<Option<(Vec<u8>, String)>, NotErrorObject> {
        let (None, Some(_), Some(Value::String(code))) = (&self.raw_data, self.reason, &self.code)
        else {
            return Ok(None);
        };
        let bytes = match (self.event, &self.text, &self.base64) {
            (Some(event), _, _) => event.get().as_bytes().to_vec(),
            (None, Some(Value::String(text)), _) => text.clone().into_bytes(),
            (None, None, Some(Value::String(text))) => STANDARD
                .decode_to_vec(text.as_bytes())
                .map_err(|_| NotErrorObject::NotBase64)?,
            _ => return Ok(None),
        };
        Ok(Some((bytes, code.clone())))
    }

    fn original(&self) -> Option<Original> {
        let text = |value: &Option<Value>| Some(value.as_ref()?.as_str()?.to_owned());
        Some(Original {
            source: text(&self.source)?,
            mark: text(&self.mark)?,
        })
    }
}

/// A number, or text with one in it.
fn milliseconds(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "hello"
    const RAW: &str = "aGVsbG8=";

    #[track_caller]
    fn check(line: &str, code: &str, origin: Origin, arrival_milliseconds: Option<i64>) {
        let expected = Failed {
            bytes: b"hello".to_vec(),
            origin,
            code: code.to_owned(),
            arrival_milliseconds,
            original: None,
        };
        assert_eq!(read(line.as_bytes()), Ok(expected), "{line}");
    }

    #[track_caller]
    fn check_not(line: &str, expected: NotErrorObject) {
        assert_eq!(read(line.as_bytes()), Err(expected), "{line}");
    }

    #[test]
    fn every_spelling_of_an_error_object_is_read() {
        let captured = format!(
            r#"{{"rawData":"{RAW}","errorCode":"Lambda.ProcessingFailedStatus","errorMessage":"ProcessingFailed status set for record","attemptsMade":1,"arrivalTimestamp":1789014240448,"attemptEndingTimestamp":1789014301529,"lambdaARN":"arn:aws:lambda:x"}}"#
        );
        let arrival = Some(1_789_014_240_448);
        let code = "Lambda.ProcessingFailedStatus";
        check(&captured, code, Origin::Arrived, arrival);
        let documented = format!(
            r#"{{"attemptsMade":"4","arrivalTimestamp":"1789014240448","errorCode":"Lambda.FunctionError","errorMessage":"m","attemptEndingTimestamp":"1789014301529","rawData":"{RAW}","lambdaArn":"arn"}}"#
        );
        let code = "Lambda.FunctionError";
        check(&documented, code, Origin::Arrived, arrival);
        let converted = format!(
            r#"{{"attemptsMade":1,"arrivalTimestamp":1789014240448,"lastErrorCode":"DataFormatConversion.MalformedData","lastErrorMessage":"m","attemptEndingTimestamp":1,"rawData":"{RAW}","sequenceNumber":"1","subSequenceNumber":null,"dataCatalogTable":{{"databaseName":"d","tableName":"t"}}}}"#
        );
        let code = "DataFormatConversion.MalformedData";
        check(&converted, code, Origin::Later, arrival);
    }

    #[test]
    fn a_code_that_nobody_knows_is_a_later_failure() {
        for code in ["activePartitionExceeded", "S3.AccessDenied", "", "lambda."] {
            let line = format!(r#"{{"rawData":"{RAW}","errorCode":"{code}"}}"#);
            check(&line, code, Origin::Later, None);
        }
    }

    #[test]
    fn an_arrival_time_that_cannot_be_read_is_not_known() {
        for arrival in ["null", "\"\"", "\"soon\"", "1.5", "[]"] {
            let line = format!(
                r#"{{"rawData":"{RAW}","errorCode":"Lambda.X","arrivalTimestamp":{arrival}}}"#
            );
            check(&line, "Lambda.X", Origin::Arrived, None);
        }
    }

    #[test]
    fn what_is_no_error_object_is_told_apart() {
        use NotErrorObject::{BreaksOff, Empty, NoCode, NoRawData, NotBase64, NotJson};
        check_not("", Empty);
        check_not(" \r", Empty);
        check_not(r#"{"rawData":"aGVs"#, BreaksOff);
        check_not("hello", NotJson);
        check_not("[]", NotJson);
        check_not("{} {}", NotJson);
        check_not("{}", NoRawData);
        check_not(r#"{"rawData":null,"errorCode":"x"}"#, NoRawData);
        check_not(r#"{"rawData":"aGVsbG8","errorCode":"x"}"#, NotBase64);
        check_not(r#"{"rawData":"aGVsbG8="}"#, NoCode);
        check_not(r#"{"event_uuid":"1","event":{"a":1}}"#, NoRawData);
        assert_eq!(read(b"\xff"), Err(NotJson));
    }
}
