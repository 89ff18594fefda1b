//! What has to be known of a command line before it is read: where its settings are, in which colours
//! and for whom to answer, even that it makes no sense.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, ColorChoice, ValueEnum};

use super::{
    presets::Presets,
    terminal::{Format, Manner},
};

/// How every command can be told to speak.
#[derive(Debug, Args)]
pub(super) struct MannerOptions {
    /// A file of settings [default: nozzle.toml, where there is one]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Whether there are colours; `auto` is on a terminal that has them, unless `NO_COLOR` is set
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,

    /// Say nothing but what was asked for and errors: no progress, no remark, no summary
    #[arg(long, global = true)]
    quiet: bool,
}

/// Seen at a glance, so wrong only where an option's value is an option's name.
pub(super) struct Glance {
    pub(super) config: Option<PathBuf>,
    color: Option<String>,
    is_quiet: bool,
    pub(super) format: Format,
}

impl Glance {
    pub(super) fn at(arguments: &[OsString]) -> Self {
        let words: Vec<_> = arguments
            .iter()
            .map(|word| word.to_string_lossy())
            .collect();
        let end = words.iter().position(|word| word == "--");
        let words = words.split_at(end.unwrap_or(words.len())).0;
        let value = |option: &str| {
            let with_value = format!("{option}=");
            let at = |position: usize| {
                let word = words.get(position)?;
                match word.strip_prefix(&with_value) {
                    Some(value) => Some(value),
                    None if word == option => words.get(position + 1).map(AsRef::as_ref),
                    None => None,
                }
            };
            (0..words.len())
                .filter_map(at)
                .next_back()
                .map(str::to_owned)
        };
        let is_json = words.iter().any(|word| word == "--json")
            || value("--summary").is_some_and(|how| how == "json");
        Self {
            config: value("--config").map(PathBuf::from),
            color: value("--color"),
            is_quiet: words.iter().any(|word| word == "--quiet"),
            format: Format::of_flag(is_json),
        }
    }

    /// What is set counts where the command line says nothing.
    pub(super) fn complete(&mut self, presets: &Presets) {
        let set = |option| presets.value(option).map(str::to_owned);
        self.color = self.color.take().or_else(|| set("color"));
        let is_set = |option| set(option).is_some_and(|flag| flag == "true");
        self.is_quiet |= is_set("quiet");
        if is_set("json") {
            self.format = Format::Json;
        }
    }

    pub(super) fn manner(&self) -> Manner {
        match self.format {
            _ if self.is_quiet => Manner::Quiet,
            Format::Human => Manner::Plain,
            Format::Json => Manner::Json,
        }
    }

    /// For what clap says; for all else from now on.
    pub(super) fn choose_colors(&self) -> ColorChoice {
        let color = self.color.as_deref();
        let choice = color.and_then(|color| ColorChoice::from_str(color, false).ok());
        let choice = choice.unwrap_or(ColorChoice::Auto);
        match choice {
            ColorChoice::Auto => anstream::ColorChoice::Auto,
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
        }
        .write_global();
        choice
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, config: Option<&str>, color: Option<&str>, format: Format) {
        let words: Vec<_> = line.split(' ').map(OsString::from).collect();
        let glance = Glance::at(&words);
        let seen = (glance.config, glance.color.as_deref(), glance.format);
        assert_eq!(seen, (config.map(PathBuf::from), color, format), "{line}");
    }

    #[test]
    fn what_matters_first_is_seen_wherever_it_stands() {
        let (human, json) = (Format::Human, Format::Json);
        check("nozzle run in", None, None, human);
        check(
            "nozzle --config a run --color never",
            Some("a"),
            Some("never"),
            human,
        );
        check("nozzle run --json --config=b", Some("b"), None, json);
        check(
            "nozzle run --color=auto --color always",
            None,
            Some("always"),
            human,
        );
        check("nozzle run --summary json", None, None, json);
        check("nozzle run --summary=human --json", None, None, json);
        check("nozzle run -- --json --config a", None, None, human);
        check("nozzle run --config", None, None, human);
    }
}
