//! How this Firehose names itself, where a real one has names.

pub const STREAM_ARN: &str = "arn:aws:firehose:us-east-1:000000000000:deliverystream/nozzle";
pub const STREAM_NAME: &str = "nozzle";
