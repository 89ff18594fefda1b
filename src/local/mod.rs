//! A Firehose for one machine.
pub mod batch;
pub mod input;
pub mod prefix;
pub mod random;
pub mod timestamp;

/// How this Firehose names itself, where a real one has names.
pub const REGION: &str = "us-east-1";
pub const STREAM_ARN: &str = "arn:aws:firehose:us-east-1:000000000000:deliverystream/nozzle";
pub const STREAM_NAME: &str = "nozzle";
pub const FUNCTION_ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:nozzle";
