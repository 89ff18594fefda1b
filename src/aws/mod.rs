//! What every part that speaks to AWS shares: which failures pass and which last, asking until a
//! deadline, and what the SDK is told. Knows no function.

mod asking;
#[cfg(feature = "dynamodb")]
pub mod dynamodb;
mod failure;
#[cfg(feature = "s3")]
pub mod objects;
#[cfg(feature = "aws-sdk")]
mod sdk;
#[cfg(feature = "aws-sdk")]
mod written;

pub use asking::{Asked, Inquiry, Manner, Reply, ask_one, ask_until};
pub use failure::{Asker, Cause, Failure, Place, Service};
#[cfg(feature = "aws-sdk")]
pub use sdk::{answered, configure, present, without_retries};
#[cfg(feature = "aws-sdk")]
pub use written::Written;
