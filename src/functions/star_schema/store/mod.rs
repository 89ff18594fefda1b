//! Where packets lie and a star is kept: objects that are written once, and parameters with
//! versions. In AWS, and in a folder that behaves the same.

#[cfg(feature = "tool")]
pub mod folder;
#[cfg(feature = "s3")]
pub mod s3;
pub mod spool;
#[cfg(feature = "ssm")]
pub mod ssm;

use std::future::Future;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::aws::Failure;
use spool::Spool;

/// Keeps objects. None is ever replaced. Failures are in words for the person who has to act.
pub trait ObjectStore: Sync {
    /// The keys that begin with `prefix` and stand after `after`, in order.
    fn list(
        &self,
        prefix: &str,
        after: &str,
        deadline: Instant,
    ) -> impl Future<Output = Result<Vec<String>, Failure>> + Send;

    /// What is there; none where nothing is.
    fn look(
        &self,
        key: &str,
        deadline: Instant,
    ) -> impl Future<Output = Result<Option<Standing>, Failure>> + Send;

    /// Gives an object's bytes to the sink as they arrive, and its `ETag` back; none where there is
    /// no object.
    fn read(
        &self,
        key: &str,
        sink: Sink<'_>,
        deadline: Instant,
    ) -> impl Future<Output = Result<Option<String>, Failure>> + Send;

    /// Puts an object where there is none.
    fn put(
        &self,
        key: &str,
        spool: &mut Spool,
        origin: &Origin,
        deadline: Instant,
    ) -> impl Future<Output = Result<Put, Failure>> + Send;
}

/// All of an object at once; none where there is no object.
pub async fn read_whole<O: ObjectStore>(
    objects: &O,
    key: &str,
    deadline: Instant,
) -> Result<Option<Vec<u8>>, Failure> {
    let mut bytes = Vec::new();
    let mut sink = |piece: &[u8]| bytes.extend_from_slice(piece);
    let found = objects.read(key, &mut sink, deadline).await?;
    Ok(found.map(|_| bytes))
}

/// Takes an object's bytes.
pub type Sink<'a> = &'a mut (dyn FnMut(&[u8]) + Send);

/// An object that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Without its quotes.
    pub etag: String,
    /// None where somebody else has put it there.
    pub origin: Option<Origin>,
}

/// What an object of ours was made of, kept beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The packet's `ETag`.
    #[serde(rename = "source-etag")]
    pub source_etag: String,
    /// How many packets were folded into it before this one, where any were.
    #[serde(rename = "packets-folded", skip_serializing_if = "Option::is_none")]
    pub folded: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    Written,
    /// Something is there.
    Refused,
}

/// Keeps for each table how far its packets are loaded.
pub trait ParameterStore: Sync {
    /// None where there is none yet.
    fn get(
        &self,
        table: &str,
        deadline: Instant,
    ) -> impl Future<Output = Result<Option<Parameter>, Failure>> + Send;

    /// Asks once: who asks again has to look first. The version that it came to.
    fn put(
        &self,
        table: &str,
        value: &str,
        deadline: Instant,
    ) -> impl Future<Output = Result<u64, Failure>> + Send;
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    pub value: String,
    pub version: u64,
}
