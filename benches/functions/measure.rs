//! One function's process, and what its work takes: the kernel's own numbers, all threads counted.

use std::{error::Error, fs, io, time::Duration};

use hyper::body::Bytes;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use tokio::{
    process::Command,
    time::{Instant, timeout},
};

use crate::runtime_api::Function;

/// A function that has not started by then will not.
const PATIENCE: Duration = Duration::from_mins(1);

/// What something took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Taken {
    /// On the processor, in the kernel too.
    pub(crate) processor: Duration,
    pub(crate) wall: Duration,
}

impl Taken {
    pub(crate) fn divided_by(self, count: usize) -> Self {
        let count = u32::try_from(count).unwrap();
        Self {
            processor: self.processor / count,
            wall: self.wall / count,
        }
    }
}

/// The machine's cores: one for the function that is measured, one for all else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cores {
    function: usize,
    others: usize,
}

impl Cores {
    /// Takes this program to the core where it is not in the way.
    pub(crate) fn divide() -> io::Result<Self> {
        let allowed = sched_getaffinity(None)?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        let others = cores.next().unwrap_or_default();
        let function = cores.next_back().unwrap_or(others);
        go_to(others)?;
        Ok(Self { function, others })
    }
}

/// A function in a process of its own.
pub(crate) struct Measured {
    function: Function,
    /// From its start until it asked for the first invocation.
    pub(crate) polling: Duration,
}

impl Measured {
    pub(crate) async fn start(command: Command, cores: Cores) -> io::Result<Self> {
        let started = Instant::now();
        go_to(cores.function)?;
        let function = Function::run(command).await;
        go_to(cores.others)?;
        let ready = timeout(PATIENCE, function.ready()).await;
        ready.map_err(|_| io::Error::other("a function did not ask for an invocation"))?;
        Ok(Self {
            function,
            polling: started.elapsed(),
        })
    }

    pub(crate) async fn answer(&self, body: &Bytes) -> Bytes {
        let answer = self.function.invoke(body.clone()).await.answer();
        self.function.ready().await;
        answer
    }

    /// One invocation; the processor's share until the function asks for the next.
    pub(crate) async fn invoke(&self, body: &Bytes) -> Result<Taken, Box<dyn Error>> {
        let (before, started) = (self.processor()?, Instant::now());
        self.function.invoke(body.clone()).await.answer();
        let wall = started.elapsed();
        self.function.ready().await;
        Ok(Taken {
            processor: self.processor()?.saturating_sub(before),
            wall,
        })
    }

    /// An invocation's share of as many as take so long, at least one.
    pub(crate) async fn invoke_for(
        &self,
        time: Duration,
        body: &Bytes,
    ) -> Result<Taken, Box<dyn Error>> {
        let (mut sum, mut invocations) = (Taken::default(), 0);
        while invocations == 0 || sum.wall < time {
            let one = self.invoke(body).await?;
            sum.processor += one.processor;
            sum.wall += one.wall;
            invocations += 1;
        }
        Ok(sum.divided_by(invocations))
    }

    /// The most memory that the process has had.
    pub(crate) fn peak_bytes(&self) -> Result<u64, Box<dyn Error>> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.function.process_id))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = peak.and_then(|peak| peak.split_whitespace().next());
        Ok(kilobytes.ok_or("no VmHWM")?.parse::<u64>()? * 1024)
    }

    fn processor(&self) -> Result<Duration, Box<dyn Error>> {
        let mut nanoseconds = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.function.process_id))? {
            let times = fs::read_to_string(thread?.path().join("schedstat"))?;
            let on_processor = times.split_whitespace().next().ok_or("no schedstat")?;
            nanoseconds += on_processor.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }
}

/// What this thread starts from here on, it starts on this core.
fn go_to(core: usize) -> io::Result<()> {
    let mut cores = CpuSet::new();
    cores.set(core);
    Ok(sched_setaffinity(None, &cores)?)
}
