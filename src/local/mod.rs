//! What of AWS fits on one machine, so that functions' real code runs with nothing installed:
//! input is cut as a service cuts it, the same JSON goes to the function, and its answer is taken
//! as the service takes it.

pub mod firehose;
pub mod input;
pub mod journal;
pub mod kinesis;
pub mod random;

/// Where the functions run, by AWS's names.
pub const REGION: &str = "us-east-1";
pub const FUNCTION_ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:nozzle";
