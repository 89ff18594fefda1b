//! What is added to an event when it is archived, by name.

/// What may be added to an event, and replaces what came in under its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Added {
    RecordId,
    EventDatetime,
    AssignmentId,
    Variant,
    TimeSinceAssignment,
    ExperimentKey,
    ExperimentName,
    ExperimentStatus,
    EnrichmentError,
}

impl Added {
    pub(super) const ALL: [Self; 9] = [
        Self::RecordId,
        Self::EventDatetime,
        Self::AssignmentId,
        Self::Variant,
        Self::TimeSinceAssignment,
        Self::ExperimentKey,
        Self::ExperimentName,
        Self::ExperimentStatus,
        Self::EnrichmentError,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::RecordId => "record_id",
            Self::EventDatetime => "event_datetime",
            Self::AssignmentId => "assignment_id",
            Self::Variant => "variant",
            Self::TimeSinceAssignment => "time_since_assignment_seconds",
            Self::ExperimentKey => "experiment_key",
            Self::ExperimentName => "experiment_name",
            Self::ExperimentStatus => "experiment_status",
            Self::EnrichmentError => "enrichment_error",
        }
    }
}
