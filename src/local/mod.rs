//! What of AWS fits on one machine, so that functions' real code runs with nothing installed:
//! input is cut as a service cuts it, the same JSON goes to the function, and its answer is taken
//! as the service takes it.

pub mod firehose;
pub mod kinesis;

pub mod clock;
pub mod field_names;
pub mod files;
pub mod in_process;
pub mod input;
pub mod journal;
pub mod names;
pub mod open_file;
pub mod random;
pub mod shell;
