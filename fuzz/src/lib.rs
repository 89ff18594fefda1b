//! What the fuzzer calls. The promises themselves are in `targets`, which a test of the package
//! above replays its corpus through.

pub mod targets;
