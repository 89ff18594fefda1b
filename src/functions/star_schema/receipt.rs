//! Receipts: that a packet is loaded, and what it came to. One that is there is the commit.

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{
    failure::Problem,
    names::{self, Packet},
    store::{ObjectStore, read_whole},
};
use crate::aws::Failure;

/// What is known of a packet that is loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub table: String,
    pub id: u64,
    pub source: Source,
    /// The description's hash.
    pub description: String,
    pub files: Vec<String>,
    pub rows: u64,
    pub refused: u64,
    /// The packet's newest time, as its files' names have it.
    pub newest: Option<String>,
    pub columns_unknown: Vec<String>,
}

/// The object that the packet was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    pub key: String,
    pub etag: String,
}

/// None where the packet is not loaded yet.
pub async fn read<O: ObjectStore>(
    objects: &O,
    packet: &Packet,
    deadline: Instant,
) -> Result<Option<Receipt>, Problem> {
    let key = packet.receipt_key();
    let Some(text) = read_whole(objects, &key, deadline).await? else {
        return Ok(None);
    };
    let receipt = serde_json::from_slice(&text);
    receipt.map(Some).map_err(|_| Problem::FileExists(key))
}

/// Which packets of a table after this one are loaded, in order.
pub async fn ids_after<O: ObjectStore>(
    objects: &O,
    table: &str,
    after: Option<u64>,
    deadline: Instant,
) -> Result<Vec<u64>, Failure> {
    let after = after.map(|id| {
        let table = table.to_owned();
        Packet { table, id }.receipt_key()
    });
    let prefix = names::receipts_prefix(table);
    let after = after.unwrap_or_default();
    let keys = objects.list(&prefix, &after, deadline).await?;
    Ok(keys.iter().filter_map(|key| names::id_of(key)).collect())
}
