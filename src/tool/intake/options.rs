//! What every command that takes events in through a stream of this machine can be told.

use std::path::PathBuf;

use clap::Args;

use crate::{
    json::pointer::Pointer,
    local::kinesis::passage::PartitionKey,
    tool::{numbers::whole, terminal::FormatOptions},
};

#[derive(Debug, Args)]
pub(in crate::tool) struct IntakeOptions {
    /// Files of JSON Lines, gzip or not, or folders of them (hidden files are left out); `-` or
    /// none is standard input
    pub(in crate::tool) input: Vec<PathBuf>,

    /// What records are spread over shards by: a JSON pointer to text or a number in the event
    /// [default: a hash of the line]
    #[arg(long, value_name = "POINTER")]
    partition_key: Option<Pointer>,

    /// How many shards the stream has: 1 to 1000
    #[arg(long, value_name = "NUMBER", default_value = "1", value_parser = whole(1_u32..=1000))]
    pub(in crate::tool) shards: u32,

    /// Go on though an interrupted run of another command or another input is given up by that, or
    /// the input is JSON over several lines or in an array
    #[arg(long)]
    pub(super) anyway: bool,

    #[command(flatten)]
    pub(in crate::tool) summary: FormatOptions,
}

impl IntakeOptions {
    pub(in crate::tool) fn partition_key(&self) -> PartitionKey {
        self.partition_key
            .clone()
            .map_or(PartitionKey::Line, PartitionKey::At)
    }
}
