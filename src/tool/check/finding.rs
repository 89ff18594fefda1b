//! What a probe finds, and what Firehose does about it: that is said of each finding, for two of one
//! probe may fare differently.

use anstyle::Style;
use serde::Serialize;

use crate::tool::terminal::{DIM, GREEN, RED, YELLOW};

pub(super) const BATCH_RETRIED: &str = "tries the batch 4 times, then puts all of its records under \
                                        the error prefix (Lambda.FunctionError)";
pub(super) const MISSED: &str = "puts the record under the error prefix at once, without another try \
                                 (Lambda.MissingRecordId)";
pub(super) const DOUBLED: &str = "puts the record under the error prefix at once, without another try \
                                  (Lambda.DuplicatedRecordId)";
pub(super) const WITHOUT_DATA: &str = "puts the record under the error prefix at once, without another \
                                       try (Lambda.InvalidReturnFormat)";
pub(super) const FAILED: &str = "puts the record under the error prefix, as it is told to \
                                 (Lambda.ProcessingFailedStatus)";
pub(super) const DROPPED: &str = "takes the record for dealt with: it is gone, and nothing tells";
pub(super) const ANOTHERS_DATA: &str =
    "delivers it: that data is in the lake twice, and the record's own is gone";
pub(super) const UNPARTITIONED: &str =
    "puts the record under the error prefix at once, as partitioning-failed";

/// What a finding, or a probe with all of its findings, comes to: the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Grade {
    Pass,
    /// Nothing was shown.
    Skip,
    /// Nothing is lost, but it costs.
    Warn,
    Fail,
}

impl Grade {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
            Self::Skip => "skip",
        }
    }

    pub(super) fn style(self) -> Style {
        match self {
            Self::Pass => GREEN,
            Self::Warn => YELLOW,
            Self::Fail => RED,
            Self::Skip => DIM,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    grade: Grade,
    sentence: String,
    /// Where it is not what the probe says.
    firehose: Option<&'static str>,
}

#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn skipped(sentence: impl Into<String>) -> Self {
        let mut findings = Self::default();
        findings.add(Grade::Skip, sentence, None);
        findings
    }

    /// With what Firehose does about it, if that is not what the probe says.
    pub(super) fn add(
        &mut self,
        grade: Grade,
        sentence: impl Into<String>,
        firehose: Option<&'static str>,
    ) {
        let finding = Finding {
            grade,
            sentence: sentence.into(),
            firehose,
        };
        if !self.0.contains(&finding) {
            self.0.push(finding);
        }
    }

    pub(super) fn fail(&mut self, firehose: &'static str, sentence: impl Into<String>) {
        self.add(Grade::Fail, sentence, Some(firehose));
    }

    pub(super) fn warn(&mut self, sentence: impl Into<String>) {
        self.add(Grade::Warn, sentence, None);
    }

    pub(super) fn note(&mut self, sentence: impl Into<String>) {
        self.add(Grade::Pass, sentence, None);
    }

    pub(super) fn join(&mut self, other: Self) {
        for finding in other.0 {
            self.add(finding.grade, finding.sentence, finding.firehose);
        }
    }

    /// What is a failure elsewhere is only to be known here, for Firehose sends no such thing.
    pub(super) fn softened(mut self) -> Self {
        for finding in &mut self.0 {
            finding.grade = finding.grade.min(Grade::Warn);
            finding.firehose = None;
        }
        self
    }

    pub(super) fn grade(&self) -> Grade {
        let grades = self.0.iter().map(|finding| finding.grade);
        grades.max().unwrap_or(Grade::Pass)
    }

    /// The sentences that decide, in one.
    pub(super) fn said(&self) -> String {
        let sentences = self.decisive().map(|finding| finding.sentence.as_str());
        sentences.collect::<Vec<_>>().join("; ")
    }

    /// The same by what Firehose does, which is `usual` where nothing else is known.
    pub(super) fn by_consequence(&self, usual: &'static str) -> Vec<(&'static str, String)> {
        let mut groups: Vec<(&str, String)> = Vec::new();
        for finding in self.decisive() {
            let firehose = finding.firehose.unwrap_or(usual);
            match groups.iter_mut().find(|(known, _)| *known == firehose) {
                Some((_, said)) => said.extend(["; ", &finding.sentence]),
                None => groups.push((firehose, finding.sentence.clone())),
            }
        }
        groups
    }

    fn decisive(&self) -> impl Iterator<Item = &Finding> {
        let grade = self.grade();
        self.0.iter().filter(move |finding| finding.grade == grade)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_finding_has_its_own_consequence() {
        let mut findings = Findings::default();
        findings.note("answered");
        assert_eq!(
            (findings.grade(), &*findings.said()),
            (Grade::Pass, "answered")
        );
        findings.warn("slow");
        findings.fail(MISSED, "a");
        findings.add(Grade::Fail, "b", None);
        findings.fail(MISSED, "c");
        findings.fail(MISSED, "a");
        assert_eq!(
            (findings.grade(), &*findings.said()),
            (Grade::Fail, "a; b; c")
        );
        let groups = [(MISSED, "a; c".to_owned()), ("usual", "b".to_owned())];
        assert_eq!(findings.by_consequence("usual"), groups);
        let findings = findings.softened();
        assert_eq!(
            (findings.grade(), &*findings.said()),
            (Grade::Warn, "slow; a; b; c")
        );
    }
}
