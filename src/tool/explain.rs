//! `nozzle explain`: what becomes of one event, and why.

mod broken;
mod record;

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value};

use broken::Broken;
use record::{AskedRecord, Wrapper, read};

use super::{
    layout::read_prefix, plain::Plain, settings::SettingsOptions, table::Table,
    terminal::print_json,
};
use crate::{
    dedup::Owner,
    functions::firehose_transform::{
        Settings,
        event::{Event, Refusal},
        transform::{Identity, transform, write_identity},
    },
    json::object::Unreadable,
    local::firehose::{
        batch::RECORD_BYTES_MAX,
        prefix::{Prefix, Values},
        summary::RECORD_TOO_LARGE,
    },
};

/// Explain one event: verdict, reason, added fields, keys, path, identity, owner
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  nozzle explain event.json
  nozzle explain events.jsonl --line 17
  echo '{\"event_uuid\":\"1\",\"event_name\":\"a:b\",\"created_at\":1712511721}' |
      nozzle explain --json
  nozzle explain lake/errors/… --line 1               an error object's record
  nozzle explain event.json --record-id 4954698668 --arrival 1712511721022")]
pub(super) struct Explain {
    /// A file with the event, its error object or its dead letter, gzip or not; `-` or none is
    /// standard input
    file: Option<PathBuf>,
    /// Explain this line of the file, counted from 1, instead of the whole
    #[arg(long, value_name = "NUMBER")]
    line: Option<usize>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// The record's id in Firehose: shows the owner, which its claim in the table would have
    #[arg(long, value_name = "ID")]
    record_id: Option<String>,
    /// When the record arrived, in epoch milliseconds [default: what its error object says]
    #[arg(long, value_name = "MILLISECONDS", allow_negative_numbers = true)]
    arrival: Option<i64>,
    /// Where delivered events go; it names every partition key [default: a folder a key, under events/]
    #[arg(long, value_name = "EXPRESSION")]
    prefix: Option<String>,
    #[command(flatten, next_help_heading = "The function's settings")]
    settings: SettingsOptions,
}

/// What there is to say of an event.
#[derive(Debug, Serialize)]
struct Explanation {
    /// What the record lay in, where it was not bare.
    wrapper: Option<Wrapper>,
    verdict: &'static str,
    reason: Option<&'static str>,
    advice: Option<&'static str>,
    #[serde(flatten)]
    broken: Option<Broken>,
    #[serde(flatten)]
    accepted: Option<Accepted>,
    judged_by: JudgedBy,
    bytes: usize,
    bytes_hash: String,
    /// Known where the record's id is.
    owner: Option<String>,
}

/// The settings that decide.
#[derive(Debug, Serialize)]
struct JudgedBy {
    event_years: String,
    /// Without any, all types are accepted.
    event_types: Option<String>,
    event_identity: &'static str,
    partition_keys: String,
    #[serde(skip)]
    accept_all: bool,
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
        let keys = &settings.rules.partition_keys;
        let prefix = read_prefix(self.prefix.as_deref(), keys)?;
        let fields = &settings.rules.event_fields;
        let record = read(self.file.as_deref(), self.line, fields)?;
        let explanation = self.explain(record, &settings, &prefix)?;
        if self.json {
            print_json(&explanation)
        } else {
            explanation.table().print()
        }
    }

    fn explain(
        &self,
        AskedRecord { bytes, wrapper }: AskedRecord,
        settings: &Settings,
        prefix: &Prefix,
    ) -> anyhow::Result<Explanation> {
        let told = wrapper
            .as_ref()
            .and_then(|wrapper| wrapper.arrival_milliseconds);
        let arrival = self.arrival.or(told);
        let owner = Owner::of(
            self.record_id.as_deref().unwrap_or_default(),
            arrival,
            &bytes,
        );
        let judged = if bytes.len() > RECORD_BYTES_MAX {
            Err((RECORD_TOO_LARGE, TOO_LARGE_ADVICE))
        } else {
            let refused = |refusal: Refusal| (refusal.as_str(), refusal.advice());
            transform(&bytes, &settings.rules).map_err(refused)
        };
        let refused = judged.as_ref().err().copied();
        Ok(Explanation {
            wrapper,
            verdict: if refused.is_none() {
                "delivered"
            } else {
                "refused"
            },
            reason: refused.map(|(reason, _)| reason),
            advice: refused.map(|(_, advice)| advice),
            broken: refused
                .filter(|(reason, _)| *reason == Unreadable::NotJson.as_str())
                .and_then(|_| Broken::find(&bytes)),
            accepted: judged
                .ok()
                .map(|event| accept(&event, settings, prefix, arrival))
                .transpose()?,
            judged_by: self.judged_by(settings),
            bytes: bytes.len(),
            bytes_hash: format!("{:032x}", owner.bytes_hash),
            owner: self.record_id.as_ref().map(|_| owner.to_string()),
        })
    }

    fn judged_by(&self, settings: &Settings) -> JudgedBy {
        JudgedBy {
            event_years: settings.rules.event_years.to_string(),
            event_types: self.settings.event_types().map(str::to_owned),
            event_identity: match settings.identity {
                Identity::Event => "event",
                Identity::Uuid => "uuid",
            },
            partition_keys: settings.rules.partition_keys.to_string(),
            accept_all: self.settings.accept_every_year_and_type(),
        }
    }
}

const TOO_LARGE_ADVICE: &str =
    "Firehose takes no record of more than 1,000 KiB; send less, or what is large by way of S3";
const MAY_DIFFER: &str =
    "a function with other settings may refuse it: give them, such as --event-years 2020-2030";

impl JudgedBy {
    fn to_text(&self) -> String {
        let types = match &self.event_types {
            Some(types) => format!("types {types}"),
            None => "any type".to_owned(),
        };
        format!(
            "event years {}, {types}, identity {}, keys {}",
            self.event_years, self.event_identity, self.partition_keys
        )
    }
}

impl Explanation {
    fn table(&self) -> Table {
        let mut table = Table::of_values(16);
        let mut row = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                table.row([name.into(), Plain(value).to_string().into()]);
            }
        };
        let wrapper = self.wrapper.as_ref().map(Wrapper::to_text);
        row("input", wrapper.as_deref());
        row("verdict", Some(self.verdict));
        row("reason", self.reason);
        let broken = self.broken.as_ref().map(Broken::to_text);
        row("where", broken.as_deref());
        row("what to do", self.advice);
        if let Some(accepted) = &self.accepted {
            for name in [
                "event_name",
                "event_type",
                "event_subtype",
                "created_datetime",
            ] {
                row(name, accepted.added.get(name).and_then(Value::as_str));
            }
            row("partition keys", Some(&accepted.keys_in_order));
            row("path", Some(&accepted.path));
            row("identity", Some(&accepted.identity));
        }
        row("judged by", Some(&self.judged_by.to_text()));
        let may_differ = self.accepted.is_some() && self.judged_by.accept_all;
        row("", may_differ.then_some(MAY_DIFFER));
        row("bytes", Some(&self.bytes.to_string()));
        row("bytes' hash", Some(&self.bytes_hash));
        row("owner", self.owner.as_deref());
        table
    }
}

fn accept(
    event: &Event<'_>,
    settings: &Settings,
    prefix: &Prefix,
    arrival: Option<i64>,
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
    let whole_name = event.adds_name.then(|| event.name.text.to_string());
    let added = [
        ("event_type", event.name.event_type.to_string()),
        ("event_subtype", event.name.event_subtype.to_string()),
        (
            "created_datetime",
            String::from_utf8(event.calendar.datetime().into())?,
        ),
    ];
    Ok(Accepted {
        added: whole_name
            .map(|name| ("event_name", name))
            .into_iter()
            .chain(added)
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect(),
        path: path(&partition_keys, prefix, arrival)?,
        partition_keys,
        keys_in_order,
        identity,
    })
}

fn path(
    keys: &Map<String, Value>,
    prefix: &Prefix,
    arrival: Option<i64>,
) -> anyhow::Result<String> {
    let value = |name: &String| keys.get(name).and_then(Value::as_str);
    let values: Vec<_> = prefix.keys.iter().filter_map(value).collect();
    let arrival_milliseconds = arrival.unwrap_or_default();
    let values = Values {
        keys: &values,
        arrival_milliseconds,
        random: 0,
        error_output_type: "",
    };
    Ok(prefix.evaluate(values)?)
}
