//! How this Kinesis names itself.

pub const STREAM_ARN: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/nozzle";
