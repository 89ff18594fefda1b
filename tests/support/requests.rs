//! Requests as Firehose writes them, and what our answers say.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// One record of a request.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) id: String,
    pub(crate) arrival_milliseconds: i64,
    pub(crate) bytes: Vec<u8>,
}

impl Sent {
    pub(crate) fn new(id: &str, arrival_milliseconds: i64, text: &str) -> Self {
        Self {
            id: id.to_owned(),
            arrival_milliseconds,
            bytes: text.as_bytes().to_vec(),
        }
    }
}

/// An event that is accepted, told apart by its uuid.
pub(crate) fn event(uuid: &str) -> String {
    format!(
        r#"{{"event_uuid":"{uuid}","event_name":"account:created","created_at":1712511721.022075}}"#
    )
}

pub(crate) fn request(records: &[Sent]) -> Vec<u8> {
    let records: Vec<_> = records
        .iter()
        .map(|record| {
            json!({
                "recordId": record.id,
                "approximateArrivalTimestamp": record.arrival_milliseconds,
                "data": STANDARD.encode(&record.bytes),
            })
        })
        .collect();
    let request = json!({
        "invocationId": "22bd7cb5-e3c1-4c36-8a0d-0a1f5e2a4f6a",
        "deliveryStreamArn": "arn:aws:firehose:eu-central-1:123456789012:deliverystream/events",
        "region": "eu-central-1",
        "records": records,
    });
    request.to_string().into_bytes()
}

/// Ids and results of a response, in its order.
pub(crate) fn results(response: &[u8]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or("not a text").to_owned();
    let response: Value = serde_json::from_slice(response).unwrap_or_default();
    let records = response["records"].as_array().cloned().unwrap_or_default();
    records
        .iter()
        .map(|record| (text(&record["recordId"]), text(&record["result"])))
        .collect()
}
