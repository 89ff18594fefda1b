//! What keeps a packet from being done, and the call with it: it is to come again, or a person acts.

use std::{fmt, io};

use super::{
    counts::Counts, load::LoadError, names::Packet, rows::PacketUnreadable, wire::RequestUnreadable,
};
use crate::{
    aws::{Cause, Failure},
    functions::{self, Counted},
    telemetry::{Metric, Quantity},
};

/// Why a packet is not done.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    #[error("table_unknown: no table of the star is made of it; describe one, or do not send it")]
    TableUnknown,
    #[error("packet_missing: there is no object {0}; write it, or correct the call")]
    Missing(String),
    #[error(
        "packet_unreadable: {key}: {why}; write it anew under another name and remove this one"
    )]
    Unreadable { key: String, why: Unreadable },
    #[error("packet_id_taken: {} differ; remove those that are not the packet", .0.join(" and "))]
    IdTaken(Vec<String>),
    #[error(
        "FileExistsError: {0} is there and is not of this packet; find out who put it there, and remove it"
    )]
    FileExists(String),
    #[error(
        "parameter_moved: {table}'s latest_packet_id came to version {found}, and {expected} was expected: \
         somebody else writes it"
    )]
    ParameterMoved {
        table: String,
        found: u64,
        expected: u64,
    },
    #[error(
        "parameter_unreadable: {0}'s latest_packet_id is no number; set it to the id of its last packet"
    )]
    ParameterUnreadable(String),
    /// Something that is needed is away, or refuses us.
    #[error("{0}")]
    World(Failure),
}

/// Why a packet's bytes are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error(transparent)]
    Rows(#[from] PacketUnreadable),
    #[error("it is no whole gzip")]
    Gzip,
}

impl Problem {
    /// Its name in metrics.
    fn as_str(&self) -> &'static str {
        match self {
            Self::TableUnknown => "table_unknown",
            Self::Missing(_) => "packet_missing",
            Self::Unreadable { .. } => "packet_unreadable",
            Self::IdTaken(_) => "packet_id_taken",
            Self::FileExists(_) => "file_exists",
            Self::ParameterMoved { .. } => "parameter_moved",
            Self::ParameterUnreadable(_) => "parameter_unreadable",
            Self::World(_) => "world_failures",
        }
    }

    /// Lambda's word for it.
    fn kind(&self) -> &'static str {
        match self {
            Self::TableUnknown | Self::Missing(_) | Self::Unreadable { .. } | Self::IdTaken(_) => {
                "PacketsNotLoaded"
            }
            Self::FileExists(_) => "FileExistsError",
            Self::ParameterMoved { .. } | Self::ParameterUnreadable(_) => "ParameterMoved",
            Self::World(_) => "Unavailable",
        }
    }

    /// Whether other packets may fare better.
    pub(super) fn is_its_own(&self) -> bool {
        !matches!(self, Self::World(_))
    }

    pub(super) fn of_load(key: &str, error: LoadError) -> Self {
        match error {
            LoadError::Unreadable(why) => Self::unreadable(key, why),
            LoadError::Write(error) => error.into(),
        }
    }

    pub(super) fn unreadable(key: &str, why: impl Into<Unreadable>) -> Self {
        Self::Unreadable {
            key: key.to_owned(),
            why: why.into(),
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self::World(failure)
    }
}

/// Of a temporary file.
impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        let why = format!(
            "what a packet becomes cannot be kept in a temporary file, in TMPDIR or /tmp: {error}"
        );
        Self::World(Failure::Lasting(Cause::Refused, why))
    }
}

/// What is not done, and why.
#[derive(Debug)]
pub struct NotDone {
    /// None where it is a table's parameter.
    pub packet: Option<Packet>,
    pub problem: Problem,
}

impl fmt::Display for NotDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.packet {
            Some(packet) => write!(f, "{packet}: {}", self.problem),
            None => write!(f, "{}", self.problem),
        }
    }
}

/// Why a call fails.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    #[error(transparent)]
    Request(#[from] RequestUnreadable),
    /// What else the call came to stands in the counts.
    #[error("{}", Listed(.0))]
    Packets(Vec<NotDone>, Box<Counts>),
    /// Before there was any packet.
    #[error("{0}")]
    World(Problem),
}

struct Listed<'a>(&'a [NotDone]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, not_done) in self.0.iter().enumerate() {
            let between = if index == 0 { "" } else { "\n" };
            write!(f, "{between}{not_done}")?;
        }
        Ok(())
    }
}

impl Counted for Unavailable {
    fn metrics(&self) -> Vec<Metric> {
        let one = |name: &str| Metric::new(name, Quantity::Count(1));
        match self {
            Self::Request(_) => vec![one("request_failures")],
            Self::World(problem) => vec![one(problem.as_str())],
            Self::Packets(not_done, counts) => {
                let mut metrics = counts.metrics();
                let mut names: Vec<_> = not_done.iter().map(|one| one.problem.as_str()).collect();
                names.sort_unstable();
                for same in names.chunk_by(|one, other| one == other) {
                    let name = same.first().copied().unwrap_or_default();
                    metrics.push(Metric::new(name, Quantity::Count(same.len())));
                }
                metrics
            }
        }
    }
}

impl functions::Failure for Unavailable {
    fn kind(&self) -> &'static str {
        match self {
            Self::Request(_) => "RequestUnreadable",
            Self::World(problem) => problem.kind(),
            Self::Packets(not_done, _) => {
                let first = not_done.first();
                first.map_or("PacketsNotLoaded", |first| first.problem.kind())
            }
        }
    }
}
