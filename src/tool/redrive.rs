//! `nozzle redrive`: error objects through again, each record at most once more, none that was
//! delivered.
//!
//! One way through the source ([`pass`]) judges each record by the function's own rules
//! ([`selection`]), decides by its claim and its age ([`decision`]) and sends what may be sent
//! ([`sending`]). A [`journal`] lets a redrive go on that was killed; [`history`] tells colleagues.

mod address;
mod claims;
mod decision;
mod export;
mod history;
mod journal;
mod lake;
mod lines;
pub(super) mod objects;
mod options;
mod pass;
mod report;
mod selection;
mod sending;
#[cfg(feature = "aws")]
pub(super) mod stream;
mod tally;
pub(super) mod target;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use anyhow::{Context, Result, bail, ensure};
use chrono::{DateTime, Utc};
use tokio::runtime::{Builder, Runtime};
use xxhash_rust::xxh3::xxh3_64;

use super::{
    aws::{Aws, Table},
    interrupt::{INTERRUPTED, stop_on_signal, tell},
    now,
    places::{Places, claims_folder, no_file},
    progress::Progress as Bar,
    run::SummaryFormat,
};
use crate::{
    config::environment,
    dedup::{ReleaseStore, embedded::EmbeddedStore},
    local::{
        clock::epoch_milliseconds,
        firehose::{in_process, window::Site},
        random::Random,
    },
};
use address::{Source, Target as Address};
use claims::{Claims, View};
use export::Export;
use history::{Counts, History, Recorder, Run, State};
use journal::{Done, Header, Journal};
use lake::LakeTarget;
use objects::{Folder, Objects, REDRIVEN};
pub(super) use options::Options;
use pass::{Pass, Progress};
use report::{Mode, Report};
use sending::{Pace, Sending};
use tally::{Outcome, Tally};
use target::Target;

/// Redrives, or shows what would become of it.
pub(super) fn run(options: &Options) -> Result<ExitCode> {
    let stop = stop_on_signal()?;
    let runtime = Rc::new(Builder::new_current_thread().enable_all().build()?);
    let session = Session::open(options, runtime, stop)?;
    match &options.to {
        Address::Lake(lake) => session.to_lake(lake),
        Address::Stream(name) => session.to_stream(|aws, stop| aws.stream(name, stop)),
        Address::Kinesis(name) => session.to_stream(|aws, stop| aws.kinesis(name, stop)),
    }
}

/// Says what is wrong with the options, before any of it is touched.
pub(super) fn understand(options: &Options) -> Result<()> {
    let settings = options.settings()?;
    options.filter()?;
    options.layout.read(&settings.rules.partition_keys)?;
    options.check_claims()
}

/// What every redrive needs.
struct Session<'a> {
    options: &'a Options,
    objects: Box<dyn Objects>,
    /// Where records of redrives lie, if that is a folder.
    redriven: Option<PathBuf>,
    /// Absolute, as the journal knows it.
    source: String,
    aws: Option<Aws>,
    runtime: Rc<Runtime>,
    stop: Arc<AtomicBool>,
}

impl<'a> Session<'a> {
    fn open(options: &'a Options, runtime: Rc<Runtime>, stop: Arc<AtomicBool>) -> Result<Self> {
        let is_here = matches!(
            (&options.source, &options.to),
            (Source::Folder(_), Address::Lake(_))
        );
        options.check_claims()?;
        let aws = if is_here {
            None
        } else {
            Some(Aws::connect(Rc::clone(&runtime))?)
        };
        let mut redriven = None;
        let (objects, source): (Box<dyn Objects>, String) = match (&options.source, &aws) {
            (Source::Folder(path), _) => {
                let folder = Folder::find(path)?;
                options.check_export(&folder)?;
                redriven = Some(folder.redriven());
                let source = folder.path().display().to_string();
                (Box::new(folder), source)
            }
            (Source::Bucket { bucket, prefix }, Some(aws)) => {
                (aws.bucket(bucket, prefix)?, options.source.to_string())
            }
            (Source::Bucket { .. }, None) => bail!("a bucket is not on this machine"),
        };
        Ok(Self {
            options,
            objects,
            redriven,
            source,
            aws,
            runtime,
            stop,
        })
    }

    fn to_stream(
        &self,
        open: impl FnOnce(&Aws, Arc<AtomicBool>) -> Box<dyn Target>,
    ) -> Result<ExitCode> {
        let Some(aws) = &self.aws else {
            bail!("a stream is not on this machine");
        };
        let view = match &self.options.table {
            Some(table) => View::Store(aws.table(table)),
            None => View::Unnamed,
        };
        if matches!(view, View::<Table>::Unnamed) && self.options.permissions().undelivered {
            tell(
                "without --table no claim is given back: what is claimed will be dropped as a duplicate",
            );
        }
        let target = self
            .options
            .execute
            .then(|| open(aws, Arc::clone(&self.stop)));
        self.redrive(view, target)
    }

    fn to_lake(&self, lake: &Path) -> Result<ExitCode> {
        let claims = self.options.claims.as_deref();
        let settings = self.options.settings()?;
        let layout = self.options.layout.read(&settings.rules.partition_keys)?;
        let named = format!("lake:{}", lake.display());
        if !self.options.execute {
            no_file(lake).with_context(|| format!("{named} cannot be used"))?;
            if !lake.exists() {
                tell(&format!(
                    "there is no lake `{}` yet: --execute would make it",
                    lake.display()
                ));
            }
            let claims = claims_folder(lake, claims);
            let is_there = claims.join("store").exists();
            let store = is_there.then(|| EmbeddedStore::open(&claims)).transpose()?;
            let view = store.as_ref().map_or(View::Empty, View::Store);
            return self.redrive(view, None);
        }
        let places = Places::prepare(&named, lake, claims)?;
        let store = EmbeddedStore::open(&places.claims)?;
        let function = in_process::transform(settings.clone(), &store, now);
        let site = Site {
            store: &store,
            claims: &places.claims,
            lake: &places.lake,
            layout,
            rules: &settings.rules,
            clock: now,
        };
        let window_bytes_max = self.options.flush_mb * 1024 * 1024;
        let target = LakeTarget::open(site, &function, window_bytes_max)?;
        self.redrive(View::Store(&store), Some(Box::new(target)))
    }

    fn redrive<S: ReleaseStore>(
        &self,
        view: View<S>,
        target: Option<Box<dyn Target + '_>>,
    ) -> Result<ExitCode> {
        let settings = self.options.settings()?;
        let filter = self.options.filter()?;
        let permissions = self.options.permissions();
        let list = self.objects.list()?;
        let bytes = list.iter().map(|object| object.bytes).sum();
        let begun = match target {
            Some(target) => self.begin(target)?,
            None => Begun {
                history: History::read(&*self.objects, "")?,
                progress: Progress::default(),
                sending: None,
            },
        };
        let mut pass = Pass {
            settings: &settings,
            filter: &filter,
            permissions: &permissions,
            lifetime_seconds: settings.claim_lifetime_seconds,
            claims: Claims {
                view,
                runtime: Rc::clone(&self.runtime),
            },
            history: begun.history,
            export: self
                .options
                .export
                .as_deref()
                .map(Export::create)
                .transpose()?,
            sending: begun.sending,
            stop: Arc::clone(&self.stop),
            progress: begun.progress,
            tally: Tally::default(),
        };
        let read_bytes = Arc::new(AtomicU64::new(0));
        let bar = Bar::show(Arc::clone(&read_bytes), Some(bytes));
        let ran = pass.run(&*self.objects, &list, &read_bytes);
        drop(bar);
        self.end(pass, ran)
    }

    /// Takes up the journal, tells colleagues, and is ready to send.
    fn begin<'t>(&'t self, target: Box<dyn Target + 't>) -> Result<Begun<'t>> {
        let now_milliseconds = epoch_milliseconds(now());
        let header = Header {
            source: self.source.clone(),
            target: absolute(&self.options.to),
            run: run_name(now_milliseconds),
        };
        let path = self.journal_path(&header)?;
        let (journal, done) = Journal::open(&path, header)?;
        let Header {
            source,
            target: to,
            run,
        } = journal.header.clone();
        let history = History::read(&*self.objects, &run)?;
        let progress = Progress::after(&done);
        let Done { sent, .. } = done;
        if !sent.is_empty() {
            tell(&format!(
                "going on with an interrupted redrive that has sent {}",
                sent.len()
            ));
        }
        let run = Run {
            name: run,
            by: who(),
            source,
            target: to,
            state: State::Running,
            started_milliseconds: now_milliseconds,
            updated_milliseconds: now_milliseconds,
            counts: Counts::default(),
        };
        let recorder = Recorder::begin(&*self.objects, run, sent, now_milliseconds)?;
        let pace = Pace::new(self.options.rate, Arc::clone(&self.stop));
        Ok(Begun {
            history,
            progress,
            sending: Some(Sending::new(target, journal, recorder, pace)),
        })
    }

    /// Beside a folder, for it may be anybody's; of a bucket, with the person.
    fn journal_path(&self, header: &Header) -> Result<PathBuf> {
        if let Some(path) = &self.options.journal {
            return Ok(path.clone());
        }
        let hash = xxh3_64(format!("{}\n{}", header.source, header.target).as_bytes());
        let name = format!("redrive-{hash:016x}.journal");
        if let Some(redriven) = &self.redriven {
            return Ok(redriven.join(name));
        }
        let state = environment("XDG_STATE_HOME")
            .filter(|state| Path::new(state).is_absolute())
            .map(PathBuf::from);
        let home = || Some(PathBuf::from(environment("HOME")?).join(".local/state"));
        let state = state.or_else(home);
        let state = state.context(
            "there is no home folder to keep the journal in; name a file with --journal",
        )?;
        Ok(state.join("nozzle").join(name))
    }

    fn end<S: ReleaseStore>(&self, mut pass: Pass<'_, S>, ran: Result<()>) -> Result<ExitCode> {
        let is_stopped = self.stop.load(Ordering::Relaxed);
        let is_complete = ran.is_ok() && !is_stopped;
        if let Some(export) = pass.export.take() {
            export.finish()?;
        }
        let mode = match pass.sending {
            Some(_) => Mode::Executed,
            None => Mode::DryRun,
        };
        let ended = pass.sending.take().map(|mut sending| {
            sending.give_up_unsettled(&mut pass.tally);
            sending.end()
        });
        let report = Report {
            tally: &pass.tally,
            runs: &pass.history.runs,
            mode,
            is_complete,
        };
        match self.options.summary {
            SummaryFormat::Human => report.print_human()?,
            SummaryFormat::Json => report.print_json()?,
        }
        if let Some((journal, recorder)) = ended {
            conclude(journal, recorder, &pass.tally, is_complete)?;
        }
        ran?;
        Ok(exit_code(&pass.tally, mode, is_stopped))
    }
}

/// Ready for a way through.
struct Begun<'a> {
    history: History,
    progress: Progress,
    sending: Option<Sending<'a>>,
}

/// A journal is kept as long as the same command can do more with it.
fn conclude(
    journal: Journal,
    recorder: Recorder<'_>,
    tally: &Tally,
    is_complete: bool,
) -> Result<()> {
    let is_open = |outcome| matches!(outcome, Outcome::Failed | Outcome::BeyondLimit);
    let is_through = is_complete && tally.of(is_open) == 0 && tally.unreadable.is_empty();
    let state = if is_through {
        State::Complete
    } else {
        State::Interrupted
    };
    recorder.end(state, tally.counts(), epoch_milliseconds(now()))?;
    if is_through {
        return journal.conclude();
    }
    let path = journal.path().display();
    tell(&format!(
        "how far it is stands in {path}; the same command goes on from there"
    ));
    Ok(())
}

fn exit_code(tally: &Tally, mode: Mode, is_stopped: bool) -> ExitCode {
    let is_left = match mode {
        Mode::DryRun => !tally.unreadable.is_empty() || tally.lines_lost() > 0,
        Mode::Executed => tally.is_left(),
    };
    if is_stopped {
        INTERRUPTED.into()
    } else if is_left {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// The same from wherever the command is given.
fn absolute(target: &Address) -> String {
    match target {
        Address::Lake(lake) => {
            let lake = fs::canonicalize(lake).unwrap_or_else(|_| lake.clone());
            Address::Lake(lake).to_string()
        }
        stream => stream.to_string(),
    }
}

/// Sorts by time, and no two are the same.
fn run_name(now_milliseconds: i64) -> String {
    let time: DateTime<Utc> = DateTime::from_timestamp_millis(now_milliseconds).unwrap_or_default();
    let number = Random::default().number() >> 32;
    format!("{}-{number:08x}", time.format("%Y-%m-%dT%H-%M-%SZ"))
}

fn who() -> String {
    let user = environment("USER").unwrap_or_else(|| "somebody".to_owned());
    let host = environment("HOSTNAME").or_else(|| fs::read_to_string("/etc/hostname").ok());
    let host = host.map(|host| host.trim().to_owned());
    format!("{user}@{}", host.as_deref().unwrap_or("somewhere"))
}

impl Options {
    /// A stream's claims are in a table, a lake's in a folder.
    fn check_claims(&self) -> Result<()> {
        let is_lake = matches!(self.to, Address::Lake(_));
        ensure!(
            self.table.is_none() || !is_lake,
            "--table is for streams; a lake on this machine has its claims in a folder: --claims"
        );
        ensure!(
            self.claims.is_none() || is_lake,
            "--claims is for a lake on this machine; a stream's claims are in a table: --table"
        );
        Ok(())
    }

    /// What is exported there must not be read as part of the source.
    fn check_export(&self, source: &Folder) -> Result<()> {
        let Some(export) = &self.export else {
            return Ok(());
        };
        let inside = std::path::absolute(export)?
            .ancestors()
            .find_map(|folder| fs::canonicalize(folder).ok())
            .is_some_and(|folder| folder.starts_with(source.path()));
        ensure!(
            !inside,
            "--export {} lies in the source and would be read as part of it; name a folder beside it",
            export.display()
        );
        ensure!(
            !export.iter().any(|part| part == REDRIVEN),
            "--export {} lies in {REDRIVEN}, where nothing is read from",
            export.display()
        );
        Ok(())
    }
}
