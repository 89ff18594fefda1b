//! The star-schema loader: packets of tables into the Parquet files of a star, each once.
//!
//! ```text
//! packets, dimensions first ──> receipt? ──> object ──> rows ──> facts ──> joins ──> dimensions ──> years ──> receipt ──> parameter
//!                                │done before   │missing  └ refused rows
//!                                └─ parameter   └ told at the end
//! ```
//!
//! What becomes of a packet is a function of it and of what came before, and nothing is written
//! where something is: a retry, a crash, packets twice or out of order end in the same star.

mod attempt;
#[cfg(feature = "star-schema")]
pub mod aws;
pub mod calendar;
mod call;
mod came;
pub mod columns;
mod counts;
pub mod decimal;
pub mod description;
pub mod dimension;
mod failure;
pub mod fields;
mod listing;
pub mod load;
mod loader;
pub mod names;
mod parameter;
mod reading;
pub mod receipt;
pub mod reference;
pub mod refusal;
pub mod rows;
pub mod settings;
mod source;
mod state;
pub mod store;
pub mod table_file;
pub mod timestamp;
pub mod wire;
mod writing;

use std::time::Duration;

use tokio::time::Instant;

use call::Call;
pub use counts::Counts;
pub use failure::{NotDone, Problem, Unavailable, Unreadable};
pub use loader::StarSchema;
pub use settings::Settings;
use store::{ObjectStore, ParameterStore};
use wire::Request;

use super::{Function, Moment, Response};

/// What is left of a call when it has to stop trying: time to write the answer.
const ANSWER_MARGIN: Duration = Duration::from_secs(1);

impl<O: ObjectStore, P: ParameterStore> Function for StarSchema<O, P> {
    type Counts = Counts;
    type Failure = Unavailable;

    /// A bad row is a value, and so is a packet that is refused as a whole. An error means that a
    /// packet cannot be found or read, that something stands in its way, or that the world is away.
    async fn answer(&self, body: &[u8], moment: Moment) -> Result<Response<Counts>, Unavailable> {
        let started = Instant::now();
        let request = Request::read(body)?;
        let deadline = moment.deadline.checked_sub(ANSWER_MARGIN);
        let mut call = Call::new(self, moment.now, deadline.unwrap_or(moment.deadline));
        let wanted = match request {
            Request::Load(wanted) => wanted,
            Request::Sweep => call.sweep().await.map_err(Unavailable::World)?,
        };
        call.load(&wanted).await;
        let (answer, counts) = call.end(started.elapsed())?;
        Ok(Response {
            body: answer.write(),
            counts,
        })
    }
}
