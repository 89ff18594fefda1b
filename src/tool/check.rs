//! `nozzle check`: whether a function, in any language, is a correct Firehose transform. It is
//! probed as Firehose would use it, and what it answers is judged by the rules of [`local::answer`].
//!
//! [`local::answer`]: crate::local::firehose::answer

mod environment;
mod finding;
mod judge;
mod junit;
mod probe;
mod prober;
mod probes;
mod report;
mod request;
mod runtime_api;
mod sample;
mod subject;

use std::{
    collections::HashSet,
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use tokio::runtime::Builder;

use super::{
    clock::now,
    exit::FAILED,
    interrupt::{INTERRUPTED, stop_on_signal, stopped},
    numbers::whole,
    terminal::{Format, tell},
};
use crate::local::firehose::invoke_url::InvokeUrl;
use environment::Output;
use finding::{BATCH_RETRIED, Grade};
use junit::JunitFile;
use probe::Probe;
use prober::Prober;
use probes::{ALL, is_basis, named};
use report::{CheckReport, Probed};
use request::{BatchForm, StreamSource};
use sample::EventSample;
use subject::Subject;

/// What a function has written before it answered may come a little later.
const OUTPUT_LAG: Duration = Duration::from_millis(50);

/// Firehose waits no longer.
const TIMEOUT_SECONDS_MAX: u64 = 300;

const EXAMPLES: &str = "\
Examples:
  nozzle check --command 'python3 -m awslambdaric app.handler'
  nozzle check --command 'python3 app.py' --source kinesis --json
  nozzle check \\
      --url http://127.0.0.1:9000/2015-03-31/functions/transform/invocations
  nozzle check --command ./bootstrap --sample events.jsonl \\
      --vary id --partition-keys type,day
  nozzle check --command ./bootstrap --only retry --only too-large
  nozzle check --command ./bootstrap --junit check.xml
  nozzle check --list

What starts a Python handler is a package: pip install awslambdaric

--url is Lambda's Invoke API over http, as AWS's runtime interface emulator (the port 8080 of its \
container images) and `cargo lambda watch` offer it; requests are not signed, so AWS itself does \
not take them. That emulator takes one invocation at a time, and ends when it gets more: the \
probe `concurrency`, which is the last, is skipped then. --command is given to `sh -c`; nozzle is Lambda's runtime API for it, starts as many processes as there are \
invocations at once, starts another for one that has died, and ends them all with what they have \
started.

The function gets made-up events. What it does with events elsewhere, such as claims in a table, \
it does with them too: give it a table to try things on.

The exit code is 0 when no probe fails, also with warnings; 1 when one fails.";

/// Probe a function in any language: is it a correct Firehose transform?
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Check {
    #[command(flatten)]
    subject: SubjectOptions,

    /// Events that the function accepts, one a line, gzip or not: the first 100 are used
    /// [default: events of Nozzle's form]
    #[arg(long, value_name = "FILE")]
    sample: Option<PathBuf>,

    /// The field of an event that makes it another one where its value is another
    #[arg(long, value_name = "FIELD", default_value = "event_uuid")]
    vary: String,

    /// The source of the function's streams [default: it must be fit for all three]
    #[arg(long, value_name = "WHICH")]
    source: Option<StreamSource>,

    /// The partition keys that the stream's prefix names, separated by commas
    /// [default: those of the first record]
    #[arg(long, value_name = "KEYS", value_delimiter = ',')]
    partition_keys: Option<Vec<String>>,

    /// How many seconds a start or an invocation may take: 1 to 300, which is what Firehose waits
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = whole(1..=TIMEOUT_SECONDS_MAX))]
    timeout: u64,

    /// Put this probe only; may be given more than once
    #[arg(long, value_name = "PROBE", value_parser = named)]
    only: Vec<&'static Probe>,

    /// Leave this probe out; may be given more than once
    #[arg(long, value_name = "PROBE", value_parser = named)]
    skip: Vec<&'static Probe>,

    /// Write all that the command writes to standard error as it comes; else its last lines are shown
    /// where a probe fails
    #[arg(long)]
    show_output: bool,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    /// Write a test for each probe into this file too, in the XML that CI systems show
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// Where the function is.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct SubjectOptions {
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

impl Check {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let format = Format::of_flag(self.json);
        if self.subject.list {
            report::list(format)?;
            return Ok(ExitCode::SUCCESS);
        }
        if !ALL.iter().any(|probe| self.wants(probe)) {
            tell("no probe is left: --skip leaves out all that are asked for");
            return Ok(FAILED.into());
        }
        let stop = stop_on_signal()?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            tokio::select! {
                biased;
                () = stopped(&stop) => Ok(INTERRUPTED.into()),
                checked = self.check(format) => checked,
            }
        })
    }

    async fn check(&self, format: Format) -> Result<ExitCode> {
        let subject = self.subject()?;
        let name = subject.to_string();
        let sample = match &self.sample {
            Some(file) => EventSample::read(file, &self.vary)?,
            None => EventSample::ours(now(), &self.vary),
        };
        let junit = self.junit.as_deref().map(JunitFile::create).transpose()?;
        subject.reach().await?;
        let shape = self.source.map_or(BatchForm::DirectPut, StreamSource::form);
        let mut prober = Prober::new(subject, sample, shape, self.partition_keys.clone(), now);
        let mut report = CheckReport::begin(name, format);
        self.put_all(&mut prober, &mut report).await?;
        if let Some(file) = junit {
            file.write(&report)?;
        }
        let has_failed = report.end()?;
        Ok(ExitCode::from(u8::from(has_failed)))
    }

    fn subject(&self) -> Result<Subject> {
        let timeout = Duration::from_secs(self.timeout);
        match (&self.subject.url, &self.subject.command) {
            (Some(url), _) => {
                let url: InvokeUrl = url.parse().context("--url")?;
                Ok(Subject::behind(url, timeout))
            }
            (None, Some(command)) => {
                let output = if self.show_output {
                    Output::Shown
                } else {
                    Output::Kept
                };
                Ok(Subject::started_by(command.clone(), timeout, output))
            }
            (None, None) => bail!("where is the function? Say so with --url or --command"),
        }
    }

    /// What a probe rests on is put too, and told where it fails.
    async fn put_all(&self, prober: &mut Prober, report: &mut CheckReport) -> Result<()> {
        let mut broken: Vec<&Probe> = Vec::new();
        let mut is_gone = false;
        for probe in ALL {
            let is_wanted = self.wants(probe);
            if !is_wanted && !is_basis(probe) {
                continue;
            }
            let hindrance = is_gone.then(|| "nothing answers any more".to_owned());
            let hindrance = hindrance.or_else(|| self.hindrance(probe, &broken));
            let result = if let Some(why) = hindrance {
                Probed::skipped(probe, why)
            } else {
                report.announce(probe)?;
                self.put(probe, prober, &mut is_gone).await
            };
            let grade = result.findings.grade();
            if matches!(grade, Grade::Fail | Grade::Skip) {
                broken.push(probe);
            }
            if is_wanted || grade == Grade::Fail {
                report.add(result)?;
            }
        }
        Ok(())
    }

    async fn put(&self, probe: &'static Probe, prober: &mut Prober, is_gone: &mut bool) -> Probed {
        prober.subject.take_output();
        let began = Instant::now();
        let mut findings = (probe.put)(prober).await;
        let took = began.elapsed();
        let mut output = Vec::new();
        if findings.grade() == Grade::Fail {
            output = self.output(prober).await;
            if let Some(why) = prober.subject.gone().await {
                *is_gone = true;
                findings.fail(BATCH_RETRIED, format!("since then {why}"));
            }
        }
        Probed {
            probe,
            findings,
            output,
            took,
        }
    }

    /// What the function has written, where that is not shown anyway: a line that comes again, as
    /// those of a traceback do, once.
    async fn output(&self, prober: &Prober) -> Vec<String> {
        if self.show_output {
            return Vec::new();
        }
        tokio::time::sleep(OUTPUT_LAG).await;
        let mut seen = HashSet::new();
        let mut lines = prober.subject.take_output();
        lines.retain(|line| seen.insert(line.clone()));
        lines
    }

    fn wants(&self, probe: &Probe) -> bool {
        (self.only.is_empty() || probe.is_in(&self.only)) && !probe.is_in(&self.skip)
    }

    /// Why there is nothing to be learned from a probe.
    fn hindrance(&self, probe: &Probe, broken: &[&Probe]) -> Option<String> {
        if let Some(basis) = probe.rests_on.filter(|basis| basis.is_in(broken)) {
            return Some(format!("it rests on `{}`", basis.name));
        }
        let (given, wanted) = (self.source?, probe.source?);
        let name = given.to_possible_value()?;
        (given != wanted).then(|| format!("--source is {}", name.get_name()))
    }
}
