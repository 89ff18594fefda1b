//! `nozzle settings`: what holds, and where it is from.

use anyhow::Result;
use clap::{Arg, Args, Command};
use serde::Serialize;

use super::{
    presets::{Presets, can_be_set, key, options, options_of},
    table::{Cell, Column, Table},
    terminal::{BOLD, DIM, Format, print_json},
};

/// Show which settings hold, and where each is from
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  nozzle settings
  nozzle settings --config team.toml --json
  NOZZLE_LAKE=/data/lake nozzle settings

A setting is an option's name with `_` in place of `-`: in nozzle.toml in the working folder, or the \
file that --config or NOZZLE_CONFIG names, as `lake = \"/data/lake\"`; under `[run]` it is for that \
command alone. As a variable it is NOZZLE_LAKE. What stands on a command line wins, then a variable, \
then the file.")]
pub(super) struct ShowSettings {
    /// One JSON object, in place of a table
    #[arg(long)]
    json: bool,
}

/// A setting, for the commands that have it so.
#[derive(Debug, Serialize)]
struct Held {
    setting: String,
    value: Option<String>,
    from: String,
    /// None: all.
    commands: Vec<String>,
    #[serde(skip)]
    is_default: bool,
}

impl ShowSettings {
    /// `nozzle` is the whole command, with nothing set.
    pub(super) fn run(&self, presets: &Presets, nozzle: &Command) -> Result<()> {
        let held: Vec<_> = options()
            .flat_map(|option| held(option, presets, nozzle))
            .collect();
        match Format::of_flag(self.json) {
            Format::Json => print_json(&serde_json::json!({ "settings": held })),
            Format::Human => table(&held).print(),
        }
    }
}

fn table(held: &[Held]) -> Table {
    let mut table = Table::new([
        Column::left("setting"),
        Column::left("from"),
        Column::value(""),
    ]);
    for one in held {
        let differs = held.iter().filter(|other| other.setting == one.setting);
        let from = if differs.count() > 1 {
            format!("{} ({})", one.from, one.commands.join(", "))
        } else {
            one.from.clone()
        };
        let style = if one.is_default { DIM } else { BOLD };
        table.row([
            one.setting.as_str().into(),
            Cell::styled(style, from),
            one.value.as_deref().unwrap_or("not set").into(),
        ]);
    }
    table
}

/// One for each way in which the commands have it.
fn held(option: &'static str, presets: &Presets, nozzle: &Command) -> Vec<Held> {
    let mut all: Vec<Held> = Vec::new();
    for (command, argument) in options_of(nozzle) {
        if argument.get_long() != Some(option) || !can_be_set(option, command) {
            continue;
        }
        let preset = presets.find(command, option);
        let value = preset.map(|preset| preset.value.clone());
        let value = value.or_else(|| default_of(argument));
        let from = preset.map_or_else(|| "default".to_owned(), |preset| preset.origin.to_string());
        let same = all
            .iter_mut()
            .find(|held| held.value == value && held.from == from);
        let command = (!command.is_empty()).then(|| command.to_owned());
        match same {
            Some(same) => same.commands.extend(command),
            None => all.push(Held {
                setting: key(option),
                value,
                from,
                commands: Vec::from_iter(command),
                is_default: preset.is_none(),
            }),
        }
    }
    for held in &mut all {
        held.commands.dedup();
    }
    all
}

/// What clap fills in, or else what the help says.
fn default_of(option: &Arg) -> Option<String> {
    let given = option.get_default_values();
    if !given.is_empty() {
        let given = given.iter().map(|value| value.to_string_lossy());
        return Some(given.collect::<Vec<_>>().join(","));
    }
    let help = option.get_help()?.to_string();
    let (_, default) = help.split_once("[default: ")?;
    Some(default.split_once(']')?.0.trim_matches('`').to_owned())
}
