//! What a person or Terraform sets: options and variables.

use std::iter;

use nozzle::{
    config::{SettingsError, read_log_settings},
    functions::firehose_transform::{Settings, settings::read_table_name, transform::Rules},
};

use super::pieces;

/// Each piece is a variable's value.
pub fn settings(bytes: &[u8]) {
    let values: Vec<_> = pieces(bytes).map(String::from_utf8_lossy).collect();
    let lookup = |name: &str| {
        let position = NAMES.iter().position(|other| *other == name)?;
        let value = values.get(position)?;
        (!value.is_empty()).then(|| value.clone().into_owned())
    };
    let _ = read_log_settings(lookup);
    if let Err(error) = read_table_name(lookup) {
        check_sentence(&error);
    }
    match Settings::read(lookup) {
        Ok(settings) => check_spelling(settings.rules),
        Err(error) => check_sentence(&error),
    }
}

/// What is written of a setting is read as the same.
fn check_spelling(rules: Rules) {
    let keys = rules.partition_keys;
    assert_eq!(keys.to_string().parse(), Ok(keys));
    let years = rules.event_years;
    assert_eq!(years.to_string().parse(), Ok(years));
}

const NAMES: [&str; 12] = [
    "EVENT_CACHE_TTL_HOURS",
    "EVENT_IDENTITY",
    "PARTITION_KEYS",
    "EVENT_YEARS",
    "EVENT_TYPES",
    "ON_CLAIM_FAILURE",
    "ON_DIFFERING_DUPLICATE",
    "RESPONSE_BYTES_MAX",
    "EVENT_CACHE_TABLE_NAME",
    "AWS_LAMBDA_LOG_FORMAT",
    "AWS_LAMBDA_LOG_LEVEL",
    "BATCH_PARTITIONS_MAX",
];

/// It names the variable, and is one line, whatever the value holds.
fn check_sentence(error: &SettingsError) {
    let (SettingsError::Missing { name, .. } | SettingsError::Wrong { name, .. }) = error;
    let sentence = error.to_string();
    assert!(sentence.starts_with(name), "{sentence}");
    assert!(sentence.contains("it must be "), "{sentence}");
    assert!(!sentence.contains(char::is_control), "{sentence:?}");
}

/// Each piece is an argument.
pub fn arguments(bytes: &[u8]) {
    let given: Vec<_> = pieces(bytes).map(String::from_utf8_lossy).collect();
    let arguments = given.iter().map(|argument| argument.clone().into_owned());
    let Err(refusal) = nozzle::tool::understand(iter::once("nozzle".to_owned()).chain(arguments))
    else {
        return;
    };
    assert!(!refusal.trim().is_empty(), "{given:?}");
}
