//! What is typed again and again, given once: `nozzle.toml` and `NOZZLE_…` variables stand in for what
//! a command line leaves out, as defaults of its options.

mod file;

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, ensure};
use clap::{
    Arg, Command,
    builder::PossibleValuesParser,
    error::{ContextKind, ContextValue},
};

use super::settings::check;
use file::{Entry, FileContents, ValueForm};

/// Looked for in the working folder.
const FILE: &str = "nozzle.toml";
/// What the variables of settings begin with.
const VARIABLES: &str = "NOZZLE_";
/// Names another file.
const FILE_VARIABLE: &str = "NOZZLE_CONFIG";
/// Variables of this project's own tests, which call the tool, begin so.
const OF_TESTS: &[&str] = &["CHAIN_", "FUNCTIONS", "SOAK_", "TERRAFORM", "TEST_"];

/// The commands that are about the same events, lake and claims.
const COMMANDS: &[&str] = &["run", "explain", "redrive", "find"];
/// Options that can be set for them, and how a file may write them beside text. What only one
/// command line means is not among them: what to read, and leave to change something.
const OF_COMMANDS: &[(&str, ValueForm)] = &[
    ("lake", ValueForm::Text),
    ("claims", ValueForm::Text),
    ("table", ValueForm::Text),
    ("to", ValueForm::Text),
    ("prefix", ValueForm::Text),
    ("error-prefix", ValueForm::Text),
    ("compression", ValueForm::Text),
    ("file-extension", ValueForm::Text),
    ("batch-mb", ValueForm::Number),
    ("flush-mb", ValueForm::Number),
    ("flush-seconds", ValueForm::Number),
    ("ttl-hours", ValueForm::Number),
    ("rate", ValueForm::Number),
    ("event-identity", ValueForm::Text),
    ("event-fields", ValueForm::List),
    ("partition-keys", ValueForm::List),
    ("event-years", ValueForm::Text),
    ("event-types", ValueForm::List),
    ("on-claim-failure", ValueForm::Text),
    ("on-differing-duplicate", ValueForm::Text),
    ("batch-partitions-max", ValueForm::Number),
    ("response-bytes-max", ValueForm::Number),
];
/// Those of them that `plan` reads too, since they are about events. Others mean another thing there:
/// `compression` is a number.
const OF_PLAN: &[&str] = &[
    "event-identity",
    "event-fields",
    "partition-keys",
    "event-years",
    "event-types",
    "response-bytes-max",
];
/// Options that can be set for every command that has them.
const OF_ALL: &[(&str, ValueForm)] = &[
    ("log", ValueForm::Text),
    ("partition-key", ValueForm::Text),
    ("shards", ValueForm::Number),
    ("star", ValueForm::Text),
    ("json", ValueForm::Flag),
    ("quiet", ValueForm::Flag),
    ("color", ValueForm::Text),
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
    form: ValueForm,
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
                let name = variable_of(option);
                Some(Preset {
                    option: option.to_owned(),
                    value: variable(&name)?,
                    form: ValueForm::Text,
                    command: None,
                    origin: Origin::Variable(name),
                })
            })
            .collect();
        let named = file.map(Path::to_owned);
        let named = named.or_else(|| variable(FILE_VARIABLE).map(PathBuf::from));
        ensure!(
            named.as_deref() != Some(Path::new("")),
            "--config and {FILE_VARIABLE} name a settings file, and one is \"\": give a name, or do not set it"
        );
        presets.extend(of_file(named.as_deref(), nozzle)?);
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
        if self.value.is_empty() {
            let why = "it must have a value: give one, or do not set it".to_owned();
            return Err(wrong(why));
        }
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
        check(&key.to_uppercase(), &self.value).map_err(wrong)?;
        self.check_form(&key)
    }

    /// What is no text may be by mistake: a folder is not called 5.
    fn check_form(&self, key: &str) -> Result<(), String> {
        let value = &self.value;
        match self.form {
            ValueForm::Text => Ok(()),
            form if form == form_of(&self.option) => Ok(()),
            ValueForm::List => Err(format!(
                "`{key}` is a list, of {value:?}; it must be one value"
            )),
            ValueForm::Number | ValueForm::Flag => Err(format!(
                "`{key}` is {value}, which is no text; did you mean `{key} = {value:?}`?"
            )),
        }
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
fn of_file(named: Option<&Path>, nozzle: &Command) -> Result<Vec<Preset>> {
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
    let wrong = |line, what| anyhow!("{}: {what}", origin(line));
    let FileContents { sections, entries } =
        file::read(&text).map_err(|mistake| wrong(mistake.line, mistake.what))?;
    for (section, line) in sections {
        check_section(&section, nozzle).map_err(|unknown| wrong(line, unknown))?;
    }
    let mut presets = Vec::new();
    for entry in entries {
        let Entry {
            key, value, form, ..
        } = entry;
        presets.push(Preset {
            option: option(&key).map_err(|unknown| wrong(entry.line, unknown))?,
            value,
            form,
            command: entry.section,
            origin: origin(entry.line),
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
    Err(unknown("setting", key, options().map(self::key)))
}

fn check_section(name: &str, nozzle: &Command) -> Result<(), String> {
    if nozzle.find_subcommand(name).is_some() {
        return Ok(());
    }
    let commands = nozzle.get_subcommands();
    let commands = commands.map(|command| command.get_name().to_owned());
    Err(unknown("command", name, commands))
}

fn unknown(what: &str, word: &str, known: impl Iterator<Item = String>) -> String {
    let known: Vec<_> = known.collect();
    let said = match similar(word, &known) {
        Some(similar) => format!("did you mean `{similar}`?"),
        None => format!("it must be one of {}", known.join(", ")),
    };
    format!("there is no {what} `{word}`; {said}")
}

/// What may have been meant.
pub(super) fn similar(word: &str, known: &[String]) -> Option<String> {
    let known = Arg::new(FILE).value_parser(PossibleValuesParser::new(known));
    let error = parse(known, word).err()?;
    error.get(ContextKind::SuggestedValue).and_then(words)
}

/// Says of each variable that looks like a setting's and is that of no command. Another version may
/// know it, so it is no error.
pub(super) fn unknown_variables(
    names: impl IntoIterator<Item = String>,
) -> impl Iterator<Item = String> {
    let known = options().map(variable_of).chain([FILE_VARIABLE.to_owned()]);
    let known: Vec<_> = known.collect();
    names.into_iter().filter_map(move |name| {
        let own = name.strip_prefix(VARIABLES)?;
        if known.contains(&name) || OF_TESTS.iter().any(|begin| own.starts_with(begin)) {
            return None;
        }
        let of_known = known.iter().filter_map(|name| name.strip_prefix(VARIABLES));
        let of_known: Vec<_> = of_known.map(str::to_owned).collect();
        let said = match similar(own, &of_known) {
            Some(similar) => format!("did you mean {VARIABLES}{similar}?"),
            None => "`nozzle settings` shows which there are".to_owned(),
        };
        Some(format!(
            "{name} is the variable of no setting, and changes nothing; {said}"
        ))
    })
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
    OF_COMMANDS.iter().chain(OF_ALL).map(|(option, _)| *option)
}

/// How a file may write it, beside text.
fn form_of(option: &str) -> ValueForm {
    let mut all = OF_COMMANDS.iter().chain(OF_ALL);
    all.find(|(other, _)| *other == option)
        .map_or(ValueForm::Text, |(_, form)| *form)
}

/// An option's name in the file.
pub(super) fn key(option: &str) -> String {
    option.replace('-', "_")
}

fn variable_of(option: &str) -> String {
    format!("{VARIABLES}{}", key(option).to_uppercase())
}

pub(super) fn can_be_set(option: &str, command: &str) -> bool {
    let has = |options: &[(&str, ValueForm)]| options.iter().any(|(other, _)| *other == option);
    has(OF_ALL)
        || (COMMANDS.contains(&command) && has(OF_COMMANDS))
        || (command == "plan" && OF_PLAN.contains(&option))
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
