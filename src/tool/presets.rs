//! What is typed again and again, given once: `nozzle.toml` and `NOZZLE_…` variables stand in for what
//! a command line leaves out, as defaults of its options.

mod file;

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow};
use clap::{
    Arg, Command,
    builder::PossibleValuesParser,
    error::{ContextKind, ContextValue},
};

use super::settings::check;

/// Looked for in the working folder.
const FILE: &str = "nozzle.toml";
/// Names another file.
const FILE_VARIABLE: &str = "NOZZLE_CONFIG";

/// The commands that are about the same events, lake and claims.
const COMMANDS: &[&str] = &["run", "explain", "redrive", "find"];
/// Options that can be set for them. What only one command line means is not among them: what to
/// read, and leave to change something.
const OF_COMMANDS: &[&str] = &[
    "lake",
    "claims",
    "table",
    "to",
    "prefix",
    "error-prefix",
    "compression",
    "file-extension",
    "batch-mb",
    "flush-mb",
    "flush-seconds",
    "ttl-hours",
    "rate",
    "event-identity",
    "event-fields",
    "partition-keys",
    "event-years",
    "event-types",
    "on-claim-failure",
    "on-differing-duplicate",
    "batch-partitions-max",
    "response-bytes-max",
];
/// Options that can be set for every command that has them.
const OF_ALL: &[&str] = &[
    "log",
    "partition-key",
    "shards",
    "star",
    "json",
    "quiet",
    "color",
];

/// Everything that is set, what wins first.
#[derive(Debug, Default)]
pub(super) struct Presets(Vec<Preset>);

/// An option's value, unless a command line gives another.
#[derive(Debug)]
pub(super) struct Preset {
    /// As on a command line, without its dashes.
    option: String,
    pub(super) value: String,
    /// The command that it is for, where it is for one alone.
    command: Option<String>,
    pub(super) origin: Origin,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    Variable(String),
    File { name: PathBuf, line: usize },
}

impl Presets {
    /// Reads the variables, and the file that is named here or there, or lies in the working folder.
    /// Each value must be one that `nozzle`, the whole command, would take.
    pub(super) fn read(
        file: Option<&Path>,
        nozzle: &Command,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let mut presets: Vec<_> = options()
            .filter_map(|option| {
                let name = format!("NOZZLE_{}", key(option).to_uppercase());
                Some(Preset {
                    option: option.to_owned(),
                    value: variable(&name)?,
                    command: None,
                    origin: Origin::Variable(name),
                })
            })
            .collect();
        let named = file.map(Path::to_owned);
        let named = named.or_else(|| variable(FILE_VARIABLE).map(PathBuf::from));
        presets.extend(of_file(named.as_deref())?);
        for preset in &presets {
            preset
                .check(nozzle)
                .map_err(|wrong| anyhow!("{}: {wrong}", preset.origin))?;
        }
        Ok(Self(presets))
    }

    /// The command, with what is set as its options' defaults.
    pub(super) fn apply(&self, nozzle: Command) -> Command {
        nozzle
            .mut_args(|option| self.preset("", option))
            .mut_subcommands(|command| {
                let name = command.get_name().to_owned();
                self.apply_below(command, &name)
            })
    }

    /// What is set for every command.
    pub(super) fn value(&self, option: &str) -> Option<&str> {
        self.find("", option).map(|preset| preset.value.as_str())
    }

    fn apply_below(&self, command: Command, name: &str) -> Command {
        command
            .mut_args(|option| self.preset(name, option))
            .mut_subcommands(|below| self.apply_below(below, name))
    }

    fn preset(&self, command: &str, option: Arg) -> Arg {
        let preset = option.get_long().and_then(|name| self.find(command, name));
        match preset {
            Some(preset) => option.required(false).default_value(preset.value.clone()),
            None => option,
        }
    }

    pub(super) fn find(&self, command: &str, option: &str) -> Option<&Preset> {
        let holds = |preset: &&Preset| preset.option == option && preset.holds_for(command);
        self.0.iter().find(holds)
    }
}

impl Preset {
    fn holds_for(&self, command: &str) -> bool {
        can_be_set(&self.option, command)
            && self.command.as_ref().is_none_or(|only| only == command)
    }

    /// Every option that it would be the default of has to take it.
    fn check(&self, nozzle: &Command) -> Result<(), String> {
        let key = key(&self.option);
        let wrong = |why| format!("`{key}` is {:?}; {why}", self.value);
        let mut is_option = false;
        for (command, option) in options_of(nozzle) {
            if option.get_long() == Some(&self.option) && self.holds_for(command) {
                check_value(option, &self.value).map_err(wrong)?;
                is_option = true;
            }
        }
        if !is_option {
            let command = self.command.as_deref().unwrap_or("nozzle");
            return Err(format!("{command} has no `{key}` that can be set"));
        }
        check(&key.to_uppercase(), &self.value).map_err(wrong)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => f.write_str(name),
            Self::File { name, line } => write!(f, "{}, line {line}", name.display()),
        }
    }
}

/// A section's before those that hold for all.
fn of_file(named: Option<&Path>) -> Result<Vec<Preset>> {
    let path = named.unwrap_or(Path::new(FILE));
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => {
            return Ok(Vec::new());
        }
        Err(error) => {
            let name = path.display();
            return Err(error).context(format!("the settings file `{name}` cannot be read"));
        }
    };
    let origin = |line| Origin::File {
        name: path.to_owned(),
        line,
    };
    let entries = file::read(&text)
        .map_err(|mistake| anyhow!("{}: {}", origin(mistake.line), mistake.what))?;
    let mut presets = Vec::new();
    for entry in entries {
        let origin = origin(entry.line);
        presets.push(Preset {
            option: option(&entry.key).map_err(|unknown| anyhow!("{origin}: {unknown}"))?,
            value: entry.value,
            command: entry.section,
            origin,
        });
    }
    presets.sort_by_key(|preset| preset.command.is_none());
    Ok(presets)
}

/// As a key in the file says it.
fn option(key: &str) -> Result<String, String> {
    if !key.contains('-')
        && let Some(option) = options().find(|option| self::key(option) == key)
    {
        return Ok(option.to_owned());
    }
    let keys = options().map(self::key);
    let known = Arg::new("key").value_parser(PossibleValuesParser::new(keys));
    let error = parse(known, key).err();
    let said = error.as_ref().and_then(|error| {
        let [similar, all] = [ContextKind::SuggestedValue, ContextKind::ValidValue]
            .map(|kind| error.get(kind).and_then(words));
        similar
            .map(|similar| format!("did you mean `{similar}`?"))
            .or_else(|| all.map(|all| format!("it must be one of {all}")))
    });
    let said = said.unwrap_or_default();
    Err(format!("there is no setting `{key}`; {said}"))
}

fn words(value: &ContextValue) -> Option<String> {
    match value {
        ContextValue::String(word) => Some(word.clone()),
        ContextValue::Strings(words) => Some(words.join(", ")),
        _ => None,
    }
}

fn check_value(option: &Arg, value: &str) -> Result<(), String> {
    let probe = Arg::new("value").value_parser(option.get_value_parser().clone());
    let Err(error) = parse(probe, value) else {
        return Ok(());
    };
    let words = error.get(ContextKind::ValidValue).and_then(words);
    let said = std::error::Error::source(&error).map(ToString::to_string);
    let words = words.map(|words| format!("it must be one of {words}"));
    Err(words.or(said).unwrap_or_else(|| error.to_string()))
}

/// As clap reads a value of this option.
fn parse(option: Arg, value: &str) -> Result<(), clap::Error> {
    let probe = Command::new(FILE).no_binary_name(true);
    let probe = probe.arg(option.long("value").allow_hyphen_values(true));
    let value = format!("--value={value}");
    probe.try_get_matches_from([value]).map(drop)
}

pub(super) fn options() -> impl Iterator<Item = &'static str> + Clone {
    OF_COMMANDS.iter().chain(OF_ALL).copied()
}

/// An option's name in the file.
pub(super) fn key(option: &str) -> String {
    option.replace('-', "_")
}

pub(super) fn can_be_set(option: &str, command: &str) -> bool {
    OF_ALL.contains(&option) || (COMMANDS.contains(&command) && OF_COMMANDS.contains(&option))
}

/// Every option, each with the command that stands behind `nozzle`; those for all have none.
pub(super) fn options_of(nozzle: &Command) -> Vec<(&str, &Arg)> {
    let mut found: Vec<_> = nozzle.get_arguments().map(|option| ("", option)).collect();
    for command in nozzle.get_subcommands() {
        let name = command.get_name();
        let mut left = vec![command];
        while let Some(command) = left.pop() {
            found.extend(command.get_arguments().map(|option| (name, option)));
            left.extend(command.get_subcommands());
        }
    }
    found
}
