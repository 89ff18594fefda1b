//! Do the functions do the same? Only then may what they take be compared.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::peers::Task;

/// Says where two responses to one request differ in more than how JSON is written.
pub(crate) fn check_same(task: Task, ours: &[u8], theirs: &[u8]) -> Result<(), String> {
    if matches!(task, Task::Log | Task::Process) {
        return check_done(ours).and(check_done(theirs));
    }
    let (ours, theirs) = (records(ours)?, records(theirs)?);
    if ours.len() != theirs.len() {
        return Err(format!("{} records and {}", ours.len(), theirs.len()));
    }
    let differing = ours.iter().zip(&theirs).find(|(one, other)| one != other);
    differing.map_or(Ok(()), |(one, other)| Err(format!("{one:#?}\n{other:#?}")))
}

/// What was written is counted apart.
fn check_done(answer: &[u8]) -> Result<(), String> {
    let answer: Value = serde_json::from_slice(answer).map_err(|error| error.to_string())?;
    match answer["batchItemFailures"].as_array() {
        Some(failures) if failures.is_empty() => Ok(()),
        _ => Err(answer.to_string()),
    }
}

#[derive(Debug, PartialEq)]
struct Record {
    id: Value,
    result: Value,
    /// What is delivered: the event, and its partition keys.
    delivered: Option<(Value, Value)>,
}

fn records(response: &[u8]) -> Result<Vec<Record>, String> {
    let response: Value = serde_json::from_slice(response).map_err(|error| error.to_string())?;
    let records = response["records"].as_array().ok_or("no records")?;
    records.iter().map(record).collect()
}

fn record(record: &Value) -> Result<Record, String> {
    let delivered = if record["result"] == "Ok" {
        let line = STANDARD.decode(record["data"].as_str().unwrap_or_default());
        let line = line.map_err(|error| error.to_string())?;
        if !line.ends_with(b"\n") {
            return Err("an event without a line's end".to_owned());
        }
        let event = serde_json::from_slice(&line).map_err(|error| error.to_string())?;
        Some((event, record["metadata"]["partitionKeys"].clone()))
    } else {
        None
    };
    Ok(Record {
        id: record["recordId"].clone(),
        result: record["result"].clone(),
        delivered,
    })
}
