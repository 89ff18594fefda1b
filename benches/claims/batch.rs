//! The batch that every function gets: 6,000 new events of about 420 bytes.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

pub(crate) const EVENTS: usize = 6000;

/// What Firehose would send.
pub(crate) fn request() -> Vec<u8> {
    let records: Vec<_> = (0..EVENTS)
        .map(|number| {
            json!({
                "recordId": format!("495469866831355442865074579363216256757001924711567851{number:05}"),
                "approximateArrivalTimestamp": 1_800_000_000_000_i64,
                "data": STANDARD.encode(event(number)),
            })
        })
        .collect();
    let request = json!({
        "invocationId": "1c1bcd5e-63d1-4ab3-9a8a-3a1b8a5a0c11",
        "deliveryStreamArn": "arn:aws:firehose:us-east-1:123456789012:deliverystream/events",
        "region": "us-east-1",
        "records": records,
    });
    request.to_string().into_bytes()
}

/// As the function makes them of these events.
pub(crate) fn identities() -> Vec<String> {
    (0..EVENTS)
        .map(|number| {
            let (seconds, millis) = created_at(number);
            format!(
                "[\"{}\",\"account:created\",{seconds}{millis:03}000000]",
                uuid(number)
            )
        })
        .collect()
}

fn event(number: usize) -> String {
    let (uuid, (seconds, millis)) = (uuid(number), created_at(number));
    format!(
        "{{\"event_uuid\":\"{uuid}\",\"event_name\":\"account:created\",\
         \"created_at\":{seconds}.{millis:03},\
         \"user\":{{\"id\":{number},\"plan\":\"trial\",\"country\":\"DE\",\"locale\":\"de-DE\"}},\
         \"device\":{{\"os\":\"Android 14\",\"model\":\"Pixel 7a\",\"screen\":[1080,2400]}},\
         \"session\":\"5f6b0f0e-8f5e-4c1c-9b4e-{number:012x}\",\
         \"referrer\":\"https://www.example.com/campaigns/spring?source=newsletter&medium=email\",\
         \"experiments\":[\"onboarding-b\",\"pricing-a\"]}}\n"
    )
}

fn created_at(number: usize) -> (usize, usize) {
    (1_799_999_000 + number / 1000, number % 1000)
}

fn uuid(number: usize) -> String {
    format!("9f1c2a34-5b6d-4e7f-8a9b-{number:012x}")
}
