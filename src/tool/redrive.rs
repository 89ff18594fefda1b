//! `nozzle redrive`: error objects and dead letters through again, each record at most once more, none
//! that was delivered.
//!
//! One way through the source ([`pass`]) judges each record by the function's own rules
//! ([`selection`]), decides by its claim and its age ([`decision`]) and sends what may be sent
//! ([`sending`]). A [`journal`] lets a redrive go on that was killed; a [`recorder`] tells colleagues.

mod claims;
mod decision;
mod destination;
mod export;
mod found;
mod journal;
mod lake;
mod options;
mod originals;
mod pass;
mod recorder;
mod report;
mod selection;
mod sending;
mod tally;

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
use tokio::runtime::{Builder, Runtime};
use xxhash_rust::xxh3::xxh3_64;

use super::{
    aws::{Aws, AwsClaims},
    clock::now,
    interrupt::{INTERRUPTED, stop_on_signal},
    objects::{ErrorSource, Folder, Objects, REDRIVEN, remove_empty},
    places::{Places, claims_folder, no_file},
    progress::ProgressDisplay,
    redriven::{History, Run, RunCounts, State},
    sink::Sink,
    terminal::{Format, is_quiet, tell},
    times::utc,
};
use crate::{
    config::environment,
    database::Mirror,
    dedup::{ReleaseStore, embedded::EmbeddedStore},
    local::{
        clock::epoch_milliseconds,
        firehose::{in_process::transform_in_process, window::Site},
        random::Random,
    },
};
use claims::{ClaimAccess, View};
use destination::Destination;
use export::{Export, Exported};
use journal::{Done, Header, RedriveJournal, Scope};
use lake::LakeTarget;
pub(super) use options::RedriveOptions;
use originals::{SourceTelling, open_objects, tell_of_unmarked};
use pass::{Letters, Pass, PassState};
use recorder::Recorder;
use report::{GivenCommand, RedriveReport};
use selection::Filter;
use sending::{Sending, Throttle};
use tally::{Mode, RecordOutcome, RedriveTally};

/// Redrives, or shows what would become of it.
pub(super) fn run(options: &RedriveOptions) -> Result<ExitCode> {
    let stop = stop_on_signal()?;
    let runtime = Rc::new(Builder::new_current_thread().enable_all().build()?);
    let session = Session::open(options, runtime, stop)?;
    match options.to()? {
        Destination::Lake(lake) => session.to_lake(lake),
        Destination::Stream(name) => session.to_stream(|aws, stop| aws.stream(name, stop)),
        Destination::Kinesis(name) => session.to_stream(|aws, stop| aws.kinesis(name, stop)),
    }
}

/// Says what is wrong with the options, before any of it is touched.
pub(super) fn understand(options: &RedriveOptions) -> Result<()> {
    let settings = options.settings()?;
    options.layout.read(&settings.rules.partition_keys)?;
    options.check_claims()
}

/// What every redrive needs.
struct Session<'a> {
    options: &'a RedriveOptions,
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
    fn open(
        options: &'a RedriveOptions,
        runtime: Rc<Runtime>,
        stop: Arc<AtomicBool>,
    ) -> Result<Self> {
        let is_here = matches!(
            (&options.source, options.to()?),
            (ErrorSource::Folder(_), Destination::Lake(_))
        );
        options.check_claims()?;
        let aws = if is_here {
            None
        } else {
            Some(Aws::connect(Rc::clone(&runtime))?)
        };
        let mut redriven = None;
        let mut source = options.source.to_string();
        if let ErrorSource::Folder(path) = &options.source {
            let folder = Folder::find(path)?;
            options.check_export(&folder)?;
            redriven = Some(folder.redriven());
            source = folder.path().display().to_string();
        }
        let objects = open_objects(&options.source, aws.as_ref())?;
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
        open: impl FnOnce(&Aws, Arc<AtomicBool>) -> Box<dyn Sink>,
    ) -> Result<ExitCode> {
        let Some(aws) = &self.aws else {
            bail!("a stream is not on this machine");
        };
        let view = match &self.options.table {
            Some(table) => View::Store(aws.table(table)),
            None => View::Unnamed,
        };
        if matches!(view, View::<AwsClaims>::Unnamed) && self.options.permissions.assume_undelivered
        {
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
            let claims = claims_folder(lake, claims);
            let mirror = Mirror::find("claim store", &claims)?;
            let store = mirror
                .as_ref()
                .map(|mirror| EmbeddedStore::open(mirror.path()));
            let store = store.transpose()?;
            let view = store.as_ref().map_or(View::Empty, View::Store);
            let code = self.redrive(view, None)?;
            if !lake.exists() {
                tell(&format!(
                    "there is no lake `{}` yet: --execute would make it",
                    lake.display()
                ));
            }
            return Ok(code);
        }
        let places = Places::prepare(&named, lake, claims)?;
        let store = EmbeddedStore::open(&places.claims)?;
        let function = transform_in_process(settings.clone(), &store, now);
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
        target: Option<Box<dyn Sink + '_>>,
    ) -> Result<ExitCode> {
        let settings = self.options.settings()?;
        let list = self.objects.list()?;
        let bytes = list.iter().map(|object| object.bytes).sum();
        let begun = match target {
            Some(target) => self.begin(target)?,
            None => Begun {
                history: History::read(&*self.objects, "")?,
                progress: PassState::default(),
                sending: None,
            },
        };
        let mut pass = Pass {
            settings: &settings,
            filter: &self.options.filter,
            permissions: &self.options.permissions,
            letters: match self.options.to()? {
                Destination::Kinesis(_) => Letters::Here,
                Destination::Stream(_) | Destination::Lake(_) => Letters::Elsewhere,
            },
            lifetime_seconds: settings.claim_lifetime_seconds,
            claims: ClaimAccess {
                view,
                runtime: Rc::clone(&self.runtime),
            },
            history: begun.history,
            export: self
                .options
                .export
                .as_deref()
                .map(|folder| Export::create(folder, &self.source))
                .transpose()?,
            sending: begun.sending,
            stop: Arc::clone(&self.stop),
            progress: begun.progress,
            tally: RedriveTally::default(),
        };
        let read_bytes = Arc::new(AtomicU64::new(0));
        let bar = ProgressDisplay::show(Arc::clone(&read_bytes), Some(bytes));
        let ran = pass.run(&*self.objects, &list, &read_bytes);
        drop(bar);
        self.end(pass, ran)
    }

    /// Takes up the journal, tells colleagues, and is ready to send.
    fn begin<'t>(&'t self, target: Box<dyn Sink + 't>) -> Result<Begun<'t>> {
        let now_milliseconds = epoch_milliseconds(now());
        let header = Header {
            source: self.source.clone(),
            target: absolute(self.options.to()?),
            run: run_name(now_milliseconds),
            scope: self.scope(),
        };
        let path = self.journal_path(&header)?;
        let (journal, done) = RedriveJournal::open(&path, header)?;
        let Header {
            source,
            target: to,
            run,
            ..
        } = journal.header.clone();
        let history = History::read(&*self.objects, &run)?;
        let progress = PassState::after(&done);
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
            counts: RunCounts::default(),
        };
        let recorder = Recorder::begin(&*self.objects, run, sent, now_milliseconds)?;
        let throttle = Throttle::new(self.options.rate, Arc::clone(&self.stop));
        Ok(Begun {
            history,
            progress,
            sending: Some(Sending::new(target, journal, recorder, throttle)),
        })
    }

    fn scope(&self) -> Scope {
        let filter = &self.options.filter;
        Scope {
            filter: (*filter != Filter::default()).then(|| format!("{filter:?}")),
            all: self.options.permissions.all,
        }
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
        let exported = pass.export.take().map(Export::finish).transpose()?;
        let mode = match pass.sending {
            Some(_) => Mode::Executed,
            None => Mode::DryRun,
        };
        let ran = match (mode, ran) {
            // What would have become of it is not known.
            (Mode::DryRun, Err(error)) => return Err(error),
            (_, ran) => ran,
        };
        let ended = pass.sending.take().map(|mut sending| {
            sending.give_up_unsettled(&mut pass.tally);
            sending.end()
        });
        self.report(&pass, mode, is_complete, exported)?;
        tell_of_unmarked(pass.tally.unmarked);
        if let Some((journal, recorder)) = ended {
            let telling = SourceTelling {
                run: recorder.run_name(),
                aws: self.aws.as_ref(),
                runtime: &self.runtime,
            };
            telling.tell_all(&pass.tally.originals);
            conclude(journal, recorder, &pass.tally, is_complete)?;
            if let Some(redriven) = self.redriven.as_deref().filter(|folder| folder.exists()) {
                remove_empty(redriven)?;
            }
        }
        ran?;
        Ok(exit_code(&pass.tally, mode, is_stopped))
    }

    fn report<S>(
        &self,
        pass: &Pass<'_, S>,
        mode: Mode,
        is_complete: bool,
        exported: Option<Exported>,
    ) -> Result<()> {
        let runs = pass.history.runs.iter();
        let runs = runs.filter(|run| run.is_about(&self.source));
        let report = RedriveReport {
            tally: &pass.tally,
            runs: runs.collect(),
            mode,
            is_complete,
            exported,
            command: GivenCommand {
                source: self.options.source.to_string(),
                target: self.options.to()?.to_string(),
                table: self.options.table.as_deref(),
            },
            event_fields: &pass.settings.rules.event_fields,
        };
        match self.options.summary.format() {
            // Of a dry run it is what was asked for.
            Format::Human if mode == Mode::Executed && is_quiet() => Ok(()),
            Format::Human => report.print_human(self.options.places),
            Format::Json => report.print_json(),
        }
    }
}

/// Ready for a way through.
struct Begun<'a> {
    history: History,
    progress: PassState,
    sending: Option<Sending<'a>>,
}

/// A journal is kept as long as the same command can do more with it.
fn conclude(
    journal: RedriveJournal,
    recorder: Recorder<'_>,
    tally: &RedriveTally,
    is_complete: bool,
) -> Result<()> {
    let is_open = |outcome| matches!(outcome, RecordOutcome::Failed | RecordOutcome::BeyondLimit);
    let is_through = is_complete
        && journal.is_covered()
        && tally.of(is_open) == 0
        && tally.unreadable.is_empty();
    let state = if is_through {
        State::Complete
    } else {
        State::Interrupted
    };
    let recorder = recorder.end(state, tally.counts(), epoch_milliseconds(now()))?;
    if is_through {
        recorder.forget_unused()?;
        return journal.conclude();
    }
    let path = journal.path().display();
    let who = if journal.is_covered() {
        "the same command goes on from there"
    } else {
        "it is of a redrive of more records than this, whose command goes on from there"
    };
    tell(&format!("how far it is stands in {path}; {who}"));
    Ok(())
}

fn exit_code(tally: &RedriveTally, mode: Mode, is_stopped: bool) -> ExitCode {
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
fn absolute(target: &Destination) -> String {
    match target {
        Destination::Lake(lake) => {
            let lake = fs::canonicalize(lake).unwrap_or_else(|_| lake.clone());
            Destination::Lake(lake).to_string()
        }
        stream => stream.to_string(),
    }
}

/// Sorts by time, and no two are the same.
fn run_name(now_milliseconds: i64) -> String {
    let time = utc(now_milliseconds);
    let number = Random::default().number() >> 32;
    format!("{}-{number:08x}", time.format("%Y-%m-%dT%H-%M-%SZ"))
}

fn who() -> String {
    let user = environment("USER").unwrap_or_else(|| "somebody".to_owned());
    let host = environment("HOSTNAME").or_else(|| fs::read_to_string("/etc/hostname").ok());
    let host = host.map(|host| host.trim().to_owned());
    format!("{user}@{}", host.as_deref().unwrap_or("somewhere"))
}

impl RedriveOptions {
    /// A stream's claims are in a table, a lake's in a folder.
    fn check_claims(&self) -> Result<()> {
        let is_lake = matches!(self.to()?, Destination::Lake(_));
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
