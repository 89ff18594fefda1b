//! What a probe is. Each stands beside the code that puts it, in [`super::probes`].

use std::pin::Pin;

use super::{finding::Findings, prober::Prober, request::StreamSource};

/// What a function is asked to show.
#[derive(Debug)]
pub(super) struct Probe {
    pub(super) name: &'static str,
    pub(super) expects: &'static str,
    pub(super) why: &'static str,
    /// What Firehose does where nothing more is known of a finding.
    pub(super) firehose: &'static str,
    /// Where this fails, there is nothing to be learned from the probe.
    pub(super) rests_on: Option<&'static Probe>,
    /// It is about this source's streams alone.
    pub(super) source: Option<StreamSource>,
    pub(super) put: PutProbe,
}

/// Puts a probe to the function.
pub(super) type PutProbe =
    for<'p> fn(&'p mut Prober) -> Pin<Box<dyn Future<Output = Findings> + 'p>>;

impl Probe {
    pub(super) fn is_in(&self, probes: &[&Probe]) -> bool {
        probes.iter().any(|probe| probe.name == self.name)
    }
}
