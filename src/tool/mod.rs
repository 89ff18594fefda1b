//! What a person gives commands to: one file a command. Errors are sentences here.

#[cfg(feature = "aws")]
mod aws;
#[cfg(not(feature = "aws"))]
#[path = "no_aws.rs"]
mod aws;
mod check;
mod claim_key;
mod clock;
mod counter_table;
mod counts;
mod criterion;
mod examples;
mod exit;
mod explain;
mod find;
mod glance;
mod held;
mod input_remarks;
mod intake;
mod interrupt;
mod item;
mod layout;
mod letter_fate;
mod line_breaks;
mod log;
mod manual;
mod numbers;
mod objects;
mod other_names;
mod page;
mod places;
mod plain;
mod plan;
mod presets;
mod process;
mod progress;
mod recount;
mod redrive;
mod redriven;
mod run;
mod settings;
mod sink;
mod star;
mod table;
mod terminal;
mod times;
mod undivided;
mod wrapped;

use std::{ffi::OsString, process::ExitCode};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::{environment, environment_names};
use exit::Failure;
use glance::{Glance, MannerOptions};
use presets::{Presets, unknown_variables};

/// Puts an event stream into a lake: what Amazon Data Firehose and its function do, on one machine
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = exit::codes())]
struct Arguments {
    #[command(subcommand)]
    command: Command,

    #[command(flatten, next_help_heading = "For every command")]
    manner: MannerOptions,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunOptions),
    Log(Box<log::LogOptions>),
    Process(Box<process::ProcessOptions>),
    Recount(recount::RecountOptions),
    Star(Box<star::StarOptions>),
    Explain(explain::Explain),
    Find(Box<find::FindOptions>),
    Plan(Box<plan::PlanOptions>),
    Check(check::Check),
    Redrive(Box<redrive::RedriveOptions>),
    Settings(held::ShowSettings),
    Completions(manual::Completions),
    Man(manual::Manual),
}

/// Does what the arguments say, and says what went wrong.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let mut glance = Glance::at(&arguments);
    let done = answer(arguments, &mut glance);
    done.unwrap_or_else(|failure| failure.tell(glance.format))
}

fn answer(arguments: Vec<OsString>, glance: &mut Glance) -> Result<ExitCode, Failure> {
    glance.choose_colors();
    let presets = Presets::read(glance.config.as_deref(), &Arguments::command(), environment);
    let presets = presets.map_err(|wrong| help(&arguments).unwrap_or(wrong.into()))?;
    glance.complete(&presets);
    let nozzle = presets.apply(examples::keep_whole(Arguments::command()));
    let nozzle = nozzle.color(glance.choose_colors());
    terminal::speak(glance.manner());
    let matches = nozzle.try_get_matches_from(arguments);
    let is_help = |error: &clap::Error| !error.use_stderr();
    if !matches.as_ref().is_err_and(is_help) {
        unknown_variables(environment_names()).for_each(|unknown| terminal::tell(&unknown));
    }
    let Arguments { command, .. } = Arguments::from_arg_matches(&matches?)?;
    Ok(command.run(&presets)?)
}

/// What is said of the program whatever is set, where that is asked for.
fn help(arguments: &[OsString]) -> Option<Failure> {
    let read = Arguments::try_parse_from(arguments);
    let said = read.err().filter(|said| !said.use_stderr());
    said.map(Failure::from)
}

impl Command {
    /// What the exit code tells is for each to say.
    fn run(self, presets: &Presets) -> anyhow::Result<ExitCode> {
        let done = |()| ExitCode::SUCCESS;
        match self {
            Self::Run(options) => run::run(&options),
            Self::Log(options) => log::run(&options),
            Self::Process(options) => process::run(&options),
            Self::Recount(options) => recount::run(&options),
            Self::Star(options) => star::run(&options),
            Self::Explain(explain) => explain.run().map(done),
            Self::Find(options) => find::run(&options),
            Self::Plan(plan) => plan.run().map(done),
            Self::Check(check) => check.run(),
            Self::Redrive(options) => redrive::run(&options),
            Self::Settings(show) => show.run(presets, &Arguments::command()).map(done),
            Self::Completions(completions) => completions.run(Arguments::command()).map(done),
            Self::Man(manual) => manual.run(Arguments::command()).map(done),
        }
    }
}

/// Says what is wrong with a command line, and does nothing of what it asks for.
pub fn understand(
    arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<(), String> {
    let arguments = Arguments::try_parse_from(arguments).map_err(|error| error.to_string())?;
    let understood = match &arguments.command {
        Command::Run(options) => run::understand(options),
        Command::Log(options) => log::understand(options),
        Command::Process(options) => process::understand(options),
        Command::Star(options) => star::understand(options),
        Command::Redrive(options) => redrive::understand(options),
        Command::Find(options) => find::understand(options),
        Command::Explain(_)
        | Command::Plan(_)
        | Command::Check(_)
        | Command::Recount(_)
        | Command::Settings(_)
        | Command::Completions(_)
        | Command::Man(_) => Ok(()),
    };
    understood.map_err(|error| format!("{error:#}"))
}
