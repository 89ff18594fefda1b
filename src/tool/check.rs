//! `nozzle check`: whether a function, in any language, is a correct Firehose transform. It is
//! probed as Firehose would use it, and what it answers is judged by the rules of [`local::answer`].
//!
//! [`local::answer`]: crate::local::firehose::answer

mod environment;
mod judge;
mod probe;
mod prober;
mod probes;
mod report;
mod request;
mod runtime_api;
mod sample;
mod target;

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use tokio::{runtime::Builder, sync::Notify};

use super::{
    interrupt::{INTERRUPTED, tell},
    now,
    whole::whole,
};
use crate::local::firehose::{invocation::Invoke, invoke_url::InvokeUrl};
use probe::{Needs, Probe, Verdict};
use prober::Prober;
use report::{Format, Probed, Report};
use request::Shape;
use sample::Sample;
use target::Target;

/// Firehose waits no longer.
const TIMEOUT_SECONDS_MAX: u64 = 300;

/// As for other command lines that make no sense.
const SENSELESS: u8 = 2;

const EXAMPLES: &str = "\
Examples:
  nozzle check --command 'python3 -m awslambdaric app.handler'
  nozzle check --command 'python3 app.py' --source kinesis --json
  nozzle check --url http://127.0.0.1:9000/2015-03-31/functions/transform/invocations
  nozzle check --command ./bootstrap --sample events.jsonl --vary id --partition-keys type,day
  nozzle check --command ./bootstrap --only retry --only too-large
  nozzle check --list

--url is Lambda's Invoke API over http, as emulators and `cargo lambda watch` offer it; requests are
not signed, so AWS itself does not take them. --command is given to `sh -c`; nozzle is Lambda's
runtime API for it, starts as many processes as there are invocations at once, starts another for
one that has died, and ends them all with what they have started.

The function gets made-up events. What it does with events elsewhere, such as claims in a table, it
does with them too: give it a table to try things on.

The exit code is 0 when no probe fails, also with warnings; 1 when one fails or a value is not
allowed, 2 when the command line makes no sense, 130 after Ctrl-C.";

/// Probe a function in any language: is it a correct Firehose transform?
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Check {
    #[command(flatten)]
    target: TargetOptions,

    /// Events that the function accepts, one a line, gzip or not: the first 100 are used
    /// [default: events of Nozzle's form]
    #[arg(long, value_name = "FILE")]
    sample: Option<PathBuf>,

    /// The field of an event that makes it another one where its value is another
    #[arg(long, value_name = "FIELD", default_value = "event_uuid")]
    vary: String,

    /// The source of the function's streams [default: it must be fit for all three]
    #[arg(long, value_name = "WHICH")]
    source: Option<Source>,

    /// The partition keys that the stream's prefix names, separated by commas
    /// [default: those of the first record]
    #[arg(long, value_name = "KEYS", value_delimiter = ',')]
    partition_keys: Option<Vec<String>>,

    /// How many seconds an invocation may take: 1 to 300, which is what Firehose waits
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = whole(1..=TIMEOUT_SECONDS_MAX))]
    timeout: u64,

    /// Put this probe only; may be given more than once
    #[arg(long, value_name = "PROBE", hide_possible_values = true)]
    only: Vec<Probe>,

    /// Leave this probe out; may be given more than once
    #[arg(long, value_name = "PROBE", hide_possible_values = true)]
    skip: Vec<Probe>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Where the function is.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct TargetOptions {
    /// The address that invokes the function
    #[arg(long, value_name = "INVOKE_URL")]
    url: Option<String>,

    /// The command that starts the function with its runtime
    #[arg(long, value_name = "COMMAND")]
    command: Option<String>,

    /// List the probes: what each expects, why, and what Firehose would do
    #[arg(long)]
    list: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Source {
    DirectPut,
    Kinesis,
    Msk,
}

impl Check {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let format = if self.json {
            Format::Json
        } else {
            Format::Human
        };
        if self.target.list {
            report::list(format)?;
            return Ok(ExitCode::SUCCESS);
        }
        if !Probe::all().iter().any(|probe| self.wants(*probe)) {
            tell("no probe is left: --skip leaves out all that are asked for");
            return Ok(SENSELESS.into());
        }
        let interrupted = notice_signals()?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            tokio::select! {
                biased;
                () = interrupted.notified() => Ok(INTERRUPTED.into()),
                checked = self.check(format) => checked,
            }
        })
    }

    async fn check(&self, format: Format) -> Result<ExitCode> {
        let target = self.target()?;
        let name = target.to_string();
        let sample = match &self.sample {
            Some(file) => Sample::read(file, &self.vary)?,
            None => Sample::ours(now(), &self.vary),
        };
        target.reach().await?;
        let shape = self.source.map_or(Shape::DirectPut, Source::shape);
        let mut prober = Prober::new(target, sample, shape, self.partition_keys.clone(), now);
        let mut report = Report::begin(name, format);
        self.put_all(&mut prober, &mut report).await?;
        let has_failed = report.end()?;
        Ok(ExitCode::from(u8::from(has_failed)))
    }

    fn target(&self) -> Result<Target> {
        let timeout = Duration::from_secs(self.timeout);
        match &self.target {
            TargetOptions { url: Some(url), .. } => {
                let url: InvokeUrl = url.parse().context("--url")?;
                Ok(Target::behind(url, timeout))
            }
            TargetOptions {
                command: Some(command),
                ..
            } => Ok(Target::started_by(command.clone(), timeout)),
            _ => bail!("where is the function? Say so with --url or --command"),
        }
    }

    /// What a probe rests on is put too, and told where it fails.
    async fn put_all(&self, prober: &mut Prober<impl Invoke>, report: &mut Report) -> Result<()> {
        let mut broken: Vec<Probe> = Vec::new();
        for probe in Probe::all().iter().copied() {
            let is_wanted = self.wants(probe);
            if !is_wanted && !Self::is_basis(probe) {
                continue;
            }
            let verdict = match (probe.needs(), self.unfit(probe)) {
                (Needs::Probe(basis), _) if broken.contains(&basis) => {
                    Verdict::Skipped(format!("it rests on `{}`", basis.name()))
                }
                (_, Some(why)) => Verdict::Skipped(why),
                _ => {
                    report.announce(probe)?;
                    probes::put(probe, prober).await
                }
            };
            let has_no_basis = matches!(verdict, Verdict::Failed(_) | Verdict::Skipped(_));
            if has_no_basis {
                broken.push(probe);
            }
            if is_wanted || matches!(verdict, Verdict::Failed(_)) {
                report.add(Probed { probe, verdict })?;
            }
        }
        Ok(())
    }

    fn wants(&self, probe: Probe) -> bool {
        (self.only.is_empty() || self.only.contains(&probe)) && !self.skip.contains(&probe)
    }

    fn is_basis(probe: Probe) -> bool {
        let mut all = Probe::all().iter();
        all.any(|other| other.needs() == Needs::Probe(probe))
    }

    /// Why a probe is not for this function.
    fn unfit(&self, probe: Probe) -> Option<String> {
        let source = self.source?;
        let is_fit = match probe {
            Probe::DirectPut => source == Source::DirectPut,
            Probe::Kinesis | Probe::AwsSample => source == Source::Kinesis,
            Probe::Msk => source == Source::Msk,
            _ => true,
        };
        let name = source.to_possible_value()?;
        (!is_fit).then(|| format!("--source is {}", name.get_name()))
    }
}

impl Source {
    fn shape(self) -> Shape {
        match self {
            Self::DirectPut => Shape::DirectPut,
            Self::Kinesis => Shape::Kinesis,
            Self::Msk => Shape::Msk,
        }
    }
}

/// Processes that were started are to end with this one.
fn notice_signals() -> Result<Arc<Notify>> {
    let interrupted = Arc::new(Notify::new());
    let heard = Arc::clone(&interrupted);
    ctrlc::set_handler(move || heard.notify_one()).context("signals cannot be handled")?;
    Ok(interrupted)
}
