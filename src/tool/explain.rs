//! `nozzle explain`: what becomes of one event, and why.

mod excerpt;
mod faults;
mod found;
mod letter;
mod members;
mod record;

use std::borrow::Cow;

use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value};

use excerpt::Excerpt;
use faults::{RecordFault, faults};
use record::AskedRecord;

use super::{
    claim_key::ClaimKey,
    layout::read_prefix,
    plain::Plain,
    settings::SettingsOptions,
    table::Table,
    terminal::print_json,
    wrapped::{Contained, Wrapper},
};
use crate::{
    dedup::Owner,
    functions::firehose_transform::{
        Settings,
        event::Event,
        transform::{Identity, transform},
    },
    local::firehose::prefix::{Prefix, Values},
};

/// Explain one event: verdict, reason, added fields, keys, path, identity, owner
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  nozzle explain event.json
  nozzle explain events.jsonl:17                      a place as run names it
  nozzle explain s3://my-lake/errors/…:1 --event-years 2020-2030
  echo '{\"event_uuid\":\"1\",\"event_name\":\"a:b\",\"created_at\":1712511721}' |
      nozzle explain --json
  nozzle explain lake/errors/…:1                      an error object's record
  nozzle explain event.json --record-id 4954698668 --arrival 1712511721022")]
pub(super) struct Explain {
    /// The event, its error object or its dead letter: `FILE`, `FILE:LINE`,
    /// `s3://BUCKET/KEY` or `s3://BUCKET/KEY:LINE`, gzip or not; `-` or none is standard input
    #[arg(value_name = "PLACE")]
    place: Option<String>,
    /// Explain this line of it, counted from 1, instead of the whole
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
    /// That of the first fault, as are the two below.
    reason: Option<Cow<'static, str>>,
    advice: Option<Cow<'static, str>>,
    #[serde(flatten)]
    excerpt: Option<Excerpt>,
    faults: Vec<RecordFault>,
    #[serde(flatten)]
    accepted: Option<Accepted>,
    /// None where a dead letter's own function has judged.
    judged_by: Option<JudgedBy>,
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
    event_fields: String,
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
        let asked = AskedRecord::of(self.place.as_deref(), self.line)?;
        let record = asked.read(&settings.rules.event_fields)?;
        let explanation = self.explain(record, &settings, &prefix)?;
        if self.json {
            print_json(&explanation)
        } else {
            explanation.table().print()
        }
    }

    fn explain(
        &self,
        Contained { bytes, wrapper }: Contained,
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
        let explanation = Explanation {
            wrapper,
            verdict: "refused",
            reason: None,
            advice: None,
            excerpt: None,
            faults: Vec::new(),
            accepted: None,
            judged_by: None,
            bytes: bytes.len(),
            bytes_hash: format!("{:032x}", owner.bytes_hash),
            owner: self.record_id.as_ref().map(|_| owner.to_string()),
        };
        let wrapper = explanation.wrapper.as_ref();
        let of_letter = wrapper.and_then(|wrapper| {
            let advice = letter::advice(wrapper, &bytes, &settings.rules.event_fields)?;
            Some((wrapper.code.clone(), advice))
        });
        match of_letter {
            Some((reason, advice)) => Ok(Explanation {
                reason: Some(reason.into()),
                advice: Some(advice.into()),
                ..explanation
            }),
            None => self.judge(explanation, &bytes, settings, prefix, arrival),
        }
    }

    /// By the rules of a lake.
    fn judge(
        &self,
        explanation: Explanation,
        bytes: &[u8],
        settings: &Settings,
        prefix: &Prefix,
        arrival: Option<i64>,
    ) -> anyhow::Result<Explanation> {
        let faults = faults(bytes, &settings.rules);
        let first = faults.first();
        let accepted = match first {
            Some(_) => None,
            None => transform(bytes, &settings.rules).ok(),
        };
        Ok(Explanation {
            verdict: match first {
                None => "delivered",
                Some(_) => "refused",
            },
            reason: first.map(|fault| fault.reason.into()),
            advice: first.map(|fault| fault.advice.clone()),
            excerpt: first.and_then(|fault| fault.excerpt.clone()),
            faults,
            accepted: accepted
                .map(|event| accept(&event, settings, prefix, arrival))
                .transpose()?,
            judged_by: Some(self.judged_by(settings)),
            ..explanation
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
            event_fields: settings.rules.event_fields.to_string(),
            partition_keys: settings.rules.partition_keys.to_string(),
            accept_all: self.settings.accept_every_year_and_type(),
        }
    }
}

const MAY_DIFFER: &str =
    "a function with other settings may refuse it: give them, such as --event-years 2020-2030";

impl JudgedBy {
    fn to_text(&self) -> String {
        let types = match &self.event_types {
            Some(types) => format!("types {types}"),
            None => "any type".to_owned(),
        };
        format!(
            "event years {}, {types}, identity {}, fields {}, keys {}",
            self.event_years, self.event_identity, self.event_fields, self.partition_keys
        )
    }
}

impl Explanation {
    fn table(&self) -> Table {
        let mut table = Table::of_values(16);
        let wrapper = self.wrapper.as_ref().map(Wrapper::to_text);
        add(&mut table, "input", wrapper.as_deref());
        add(&mut table, "verdict", Some(self.verdict));
        for (index, fault) in self.faults.iter().enumerate() {
            let label = if index == 0 { "reason" } else { "also wrong" };
            fault.add_to(&mut table, label);
        }
        if let Some(accepted) = &self.accepted {
            accepted.add_to(&mut table);
        }
        if let Some(settings) = &self.judged_by {
            add(&mut table, "judged by", Some(&settings.to_text()));
            let may_differ = self.accepted.is_some() && settings.accept_all;
            add(&mut table, "", may_differ.then_some(MAY_DIFFER));
        } else {
            add(&mut table, "reason", self.reason.as_deref());
            add(&mut table, "what to do", self.advice.as_deref());
            let function = letter::judge(self.wrapper.as_ref());
            add(&mut table, "judged by", function);
        }
        add(&mut table, "bytes", Some(&self.bytes.to_string()));
        add(&mut table, "bytes' hash", Some(&self.bytes_hash));
        add(&mut table, "owner", self.owner.as_deref());
        table
    }
}

fn add(table: &mut Table, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        table.row([name.into(), Plain(value).to_string().into()]);
    }
}

impl RecordFault {
    fn add_to(&self, table: &mut Table, label: &str) {
        add(table, label, Some(self.reason));
        if let Some(excerpt) = &self.excerpt {
            add(table, "where", Some(&excerpt.place()));
            table.row(["".into(), excerpt.to_lines().into()]);
        }
        add(table, "as read", self.read_as.as_deref());
        add(table, "what to do", Some(&self.advice));
    }
}

impl Accepted {
    fn add_to(&self, table: &mut Table) {
        for name in [
            "event_name",
            "event_type",
            "event_subtype",
            "created_datetime",
        ] {
            add(table, name, self.added.get(name).and_then(Value::as_str));
        }
        add(table, "partition keys", Some(&self.keys_in_order));
        add(table, "path", Some(&self.path));
        add(table, "identity", Some(&self.identity));
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
        identity: ClaimKey::of(event, settings.identity).identity,
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
