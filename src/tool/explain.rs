//! `nozzle explain`: what becomes of one event, and why.

use std::{
    fs::File,
    io::{BufRead, BufReader, ErrorKind, Write, stdin, stdout},
    path::PathBuf,
};

use anyhow::{Context, anyhow, ensure};
use clap::Args;
use flate2::read::MultiGzDecoder;
use serde::Serialize;
use serde_json::{Map, Value};

use super::settings::{SettingsOptions, default_prefix};
use crate::{
    dedup::Owner,
    event::{Event, Refusal},
    firehose::Settings,
    local::prefix::{Prefix, Values},
    partition::PartitionKeys,
    transform::{datetime, transform, write_identity},
};

/// Explain one event: verdict, reason, added fields, keys, path, identity, owner
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  nozzle explain event.json
  nozzle explain events.jsonl --line 17
  echo '{\"event_uuid\":\"1\",\"event_name\":\"a:b\",\"created_at\":1712511721}' | nozzle explain --json
  nozzle explain event.json --record-id 4954698668 --arrival 1712511721022")]
pub(super) struct Explain {
    /// A file with the event; without one, standard input
    file: Option<PathBuf>,
    /// Explain this line of the file, counted from 1, instead of the whole
    #[arg(long, value_name = "NUMBER")]
    line: Option<usize>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// The record's id, which its owner is made of
    #[arg(long, value_name = "ID")]
    record_id: Option<String>,
    /// When the record arrived, in epoch milliseconds
    #[arg(long, value_name = "MILLISECONDS", allow_negative_numbers = true)]
    arrival: Option<i64>,
    /// Where delivered events go; by default a folder a partition key, under events/
    #[arg(long, value_name = "EXPRESSION")]
    prefix: Option<String>,
    #[command(flatten, next_help_heading = "The function's settings")]
    settings: SettingsOptions,
}

/// What there is to say of an event.
#[derive(Debug, Serialize)]
struct Explanation {
    verdict: &'static str,
    reason: Option<&'static str>,
    advice: Option<&'static str>,
    #[serde(flatten)]
    accepted: Option<Accepted>,
    bytes: usize,
    bytes_hash: String,
    /// Known where the record's id is.
    owner: Option<String>,
}

/// What only an event has that is accepted.
#[derive(Debug, Serialize)]
struct Accepted {
    added: Map<String, Value>,
    partition_keys: Map<String, Value>,
    #[serde(skip)]
    keys_in_order: String,
    path: String,
    identity: String,
}

impl Explain {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let settings = self.settings.read()?;
        let prefix = self.prefix(&settings.rules.partition_keys)?;
        let bytes = self.read()?;
        let explanation = self.explain(&bytes, &settings, &prefix)?;
        let text = if self.json {
            serde_json::to_string(&explanation)? + "\n"
        } else {
            explanation.to_text()
        };
        match stdout().lock().write_all(text.as_bytes()) {
            // Whoever stopped reading has read enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            written => written.context("the explanation cannot be written"),
        }
    }

    fn prefix(&self, keys: &PartitionKeys) -> anyhow::Result<Prefix> {
        let text = self.prefix.clone().unwrap_or_else(|| default_prefix(keys));
        Prefix::parse(&text).map_err(|error| anyhow!("--prefix: {error}"))
    }

    /// The record's bytes: the line end behind them is not part of the record.
    fn read(&self) -> anyhow::Result<Vec<u8>> {
        let mut input = self.open()?;
        let mut bytes = Vec::new();
        match self.line {
            Some(number) => read_line(input, number, &mut bytes),
            None => input.read_to_end(&mut bytes).map(drop).map_err(Into::into),
        }
        .with_context(|| self.name())?;
        for end in [b'\n', b'\r'] {
            bytes.pop_if(|last| *last == end);
        }
        Ok(bytes)
    }

    fn open(&self) -> anyhow::Result<Box<dyn BufRead>> {
        let Some(path) = &self.file else {
            return Ok(Box::new(stdin().lock()));
        };
        let file = File::open(path).with_context(|| format!("{} cannot be read", self.name()))?;
        Ok(match path.extension() {
            Some(extension) if extension == "gz" => {
                Box::new(BufReader::new(MultiGzDecoder::new(file)))
            }
            _ => Box::new(BufReader::new(file)),
        })
    }

    fn name(&self) -> String {
        let name = |path: &PathBuf| format!("`{}`", path.display());
        self.file.as_ref().map_or("standard input".to_owned(), name)
    }

    fn explain(
        &self,
        bytes: &[u8],
        settings: &Settings,
        prefix: &Prefix,
    ) -> anyhow::Result<Explanation> {
        let owner = Owner::of(
            self.record_id.as_deref().unwrap_or_default(),
            self.arrival,
            bytes,
        );
        let judged = transform(bytes, &settings.rules);
        let reason = judged.as_ref().err().copied();
        Ok(Explanation {
            verdict: if reason.is_none() {
                "delivered"
            } else {
                "refused"
            },
            reason: reason.map(Refusal::as_str),
            advice: reason.map(Refusal::advice),
            accepted: judged
                .ok()
                .map(|event| self.accept(&event, settings, prefix))
                .transpose()?,
            bytes: bytes.len(),
            bytes_hash: format!("{:032x}", owner.bytes_hash),
            owner: self.record_id.as_ref().map(|_| owner.to_string()),
        })
    }

    fn accept(
        &self,
        event: &Event<'_>,
        settings: &Settings,
        prefix: &Prefix,
    ) -> anyhow::Result<Accepted> {
        let mut keys = Vec::new();
        settings.rules.partition_keys.write_json(event, &mut keys);
        let mut identity = String::new();
        write_identity(event, settings.identity, &mut identity);
        let partition_keys: Map<String, Value> = serde_json::from_slice(&keys)?;
        let in_order = settings.rules.partition_keys.iter().filter_map(|key| {
            let value = partition_keys.get(key.as_str())?.as_str()?;
            Some(format!("{}={value}", key.as_str()))
        });
        let keys_in_order = in_order.collect::<Vec<_>>().join(" ");
        let added = [
            ("event_type", event.name.event_type.to_string()),
            ("event_subtype", event.name.event_subtype.to_string()),
            (
                "created_datetime",
                String::from_utf8(datetime(&event.calendar).into())?,
            ),
        ];
        Ok(Accepted {
            added: added
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.into()))
                .collect(),
            path: self.path(&partition_keys, prefix)?,
            partition_keys,
            keys_in_order,
            identity,
        })
    }

    fn path(&self, keys: &Map<String, Value>, prefix: &Prefix) -> anyhow::Result<String> {
        let values = prefix
            .keys
            .iter()
            .map(|name| match keys.get(name).and_then(Value::as_str) {
                Some(value) => Ok(value),
                None => Err(anyhow!(
                    "--prefix names `{name}`, which --partition-keys does not"
                )),
            });
        let values = values.collect::<anyhow::Result<Vec<_>>>()?;
        let arrival_milliseconds = self.arrival.unwrap_or_default();
        let values = Values {
            keys: &values,
            arrival_milliseconds,
            random: 0,
            error_output_type: "",
        };
        Ok(prefix.evaluate(values)?)
    }
}

impl Explanation {
    fn to_text(&self) -> String {
        let mut rows = vec![("verdict", self.verdict.to_owned())];
        let mut row =
            |name, value: Option<&str>| rows.extend(value.map(|value| (name, value.to_owned())));
        row("reason", self.reason);
        row("what to do", self.advice);
        if let Some(accepted) = &self.accepted {
            for name in ["event_type", "event_subtype", "created_datetime"] {
                row(name, accepted.added.get(name).and_then(Value::as_str));
            }
            row("partition keys", Some(&accepted.keys_in_order));
            row("path", Some(&accepted.path));
            row("identity", Some(&accepted.identity));
        }
        row("bytes", Some(&self.bytes.to_string()));
        row("bytes' hash", Some(&self.bytes_hash));
        row(
            "owner",
            Some(
                self.owner
                    .as_deref()
                    .unwrap_or("known with --record-id and --arrival"),
            ),
        );
        let lines = rows
            .iter()
            .map(|(name, value)| format!("{name:16}  {value}"));
        lines.collect::<Vec<_>>().join("\n") + "\n"
    }
}

/// Reads one line, counted from 1.
fn read_line(mut input: impl BufRead, number: usize, line: &mut Vec<u8>) -> anyhow::Result<()> {
    ensure!(number > 0, "--line is 0; lines are counted from 1");
    for current in 0..number {
        let length = if current + 1 < number {
            input.skip_until(b'\n')?
        } else {
            input.read_until(b'\n', line)?
        };
        ensure!(length > 0, "--line is {number}; there are {current} lines");
    }
    Ok(())
}
