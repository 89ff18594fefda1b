//! What went wrong at a service: whether to ask again, and what a person should do about it.

use std::{error::Error, fmt, iter};

/// Why a request, or a part of it, was not answered.
#[derive(Debug, Clone)]
pub enum Failure {
    /// Worth asking again.
    Passing(String),
    /// Asking again would not help.
    Lasting(Cause, String),
}

/// What a person has to change before there can be an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    Missing,
    NoPermission,
    NoCredentials,
    /// What was asked is not what is asked of such a thing: a table with another key.
    Unfit,
    Senseless,
    Refused,
}

impl Failure {
    /// A failure that a service names itself, for a part of a request or the whole. Its message is
    /// passed on where it is about the resource or the role; another may quote an event.
    #[must_use]
    pub fn coded(code: &str, message: Option<&str>) -> Self {
        match (cause(code), message) {
            (
                Some(cause @ (Cause::Missing | Cause::NoPermission | Cause::NoCredentials)),
                Some(message),
            ) => Self::Lasting(cause, format!("{code}: {message}")),
            (Some(cause), _) => Self::Lasting(cause, code.to_owned()),
            (None, _) => Self::Passing(code.to_owned()),
        }
    }

    #[must_use]
    pub fn senseless(what: &str) -> Self {
        Self::Lasting(Cause::Senseless, what.to_owned())
    }

    /// A request that could not be written.
    pub fn unsent(error: &(dyn Error + 'static)) -> Self {
        Self::Lasting(Cause::Refused, chain(error))
    }

    #[must_use]
    pub fn miscounted(answers: usize, questions: usize) -> Self {
        Self::senseless(&format!("{answers} answers to {questions} statements"))
    }

    /// What has to be changed, where asking again would not help.
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        match self {
            Self::Passing(_) => None,
            Self::Lasting(cause, _) => Some(*cause),
        }
    }

    #[must_use]
    pub fn is_lasting(&self) -> bool {
        self.cause().is_some()
    }
}

/// What was said of it.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Passing(said) | Self::Lasting(_, said)) = self;
        f.write_str(said)
    }
}

/// `None` for what may pass.
fn cause(code: &str) -> Option<Cause> {
    match code {
        "ProvisionedThroughputExceeded"
        | "ProvisionedThroughputExceededException"
        | "ThrottlingError"
        | "ThrottlingException"
        | "Throttling"
        | "KMSThrottlingException"
        | "LimitExceededException"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "SlowDown"
        | "RequestTimeout"
        | "InternalServerError"
        | "InternalFailure"
        | "InternalError"
        | "ServiceUnavailable"
        | "ServiceUnavailableException"
        | "ConditionalRequestConflict"
        | "OperationAborted"
        | "TransactionConflict"
        | "TooManyUpdates" => None,
        "ResourceNotFound"
        | "ResourceNotFoundException"
        | "NoSuchBucket"
        | "QueueDoesNotExist"
        | "AWS.SimpleQueueService.NonExistentQueue" => Some(Cause::Missing),
        "AccessDenied" | "AccessDeniedException" => Some(Cause::NoPermission),
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "IncompleteSignatureException"
        | "MissingAuthenticationTokenException"
        | "ExpiredToken"
        | "ExpiredTokenException" => Some(Cause::NoCredentials),
        "ValidationError" | "ValidationException" => Some(Cause::Unfit),
        "DuplicateItem" | "ConditionalCheckFailed" => Some(Cause::Senseless),
        _ => Some(Cause::Refused),
    }
}

pub(super) fn sources<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&error| error.source())
}

/// The error and what is behind it, on one line.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let all: Vec<String> = sources(error).map(ToString::to_string).collect();
    all.join(": ")
}

/// A thing at a service, and who uses it: enough to tell a person what to change.
#[derive(Debug, Clone)]
pub struct Place {
    /// As in `table "events" in eu-west-1`.
    pub name: String,
    pub asker: Asker,
    /// The variable or option that names it.
    pub named_by: &'static str,
    pub permissions: &'static str,
    /// Why it may not fit, as in "cannot hold claims; its key has to be …".
    pub shape: &'static str,
    /// What it has to be used for, as in "is a table of claims only".
    pub purpose: &'static str,
    pub service: Service,
}

#[derive(Debug, Clone, Copy)]
pub enum Asker {
    Function,
    /// A person with the tool.
    Operator,
}

#[derive(Debug, Clone, Copy)]
pub enum Service {
    DynamoDb,
    S3,
    Sqs,
    Ssm,
}

impl Service {
    fn name_and_variable(self) -> (&'static str, &'static str) {
        match self {
            Self::DynamoDb => ("DynamoDB", "AWS_ENDPOINT_URL_DYNAMODB"),
            Self::S3 => ("S3", "AWS_ENDPOINT_URL_S3"),
            Self::Sqs => ("SQS", "AWS_ENDPOINT_URL_SQS"),
            Self::Ssm => ("Systems Manager", "AWS_ENDPOINT_URL_SSM"),
        }
    }
}

impl Place {
    /// The failure as the person who has to act is told it.
    #[must_use]
    pub fn in_words(&self, failure: Failure) -> Failure {
        match failure {
            Failure::Passing(said) => {
                Failure::Passing(format!("{} did not answer in time ({said})", self.name))
            }
            Failure::Lasting(cause, said) => {
                Failure::Lasting(cause, format!("{} ({said})", self.advice(cause)))
            }
        }
    }

    /// What to do before asking again can help.
    #[must_use]
    pub fn advice(&self, cause: Cause) -> String {
        let Self {
            name,
            named_by,
            permissions,
            shape,
            purpose,
            ..
        } = self;
        let (service, endpoint) = self.service.name_and_variable();
        match (cause, self.asker) {
            (Cause::Missing, _) => {
                format!("there is no {name}; create it there or correct {named_by}")
            }
            (Cause::NoPermission, Asker::Function) => {
                format!("the function may not use {name}; allow its role {permissions} there")
            }
            (Cause::NoPermission, Asker::Operator) => {
                format!("you may not use {name}; you need {permissions} there")
            }
            (Cause::NoCredentials, asker) => {
                let give = match asker {
                    Asker::Function => "give the function a role",
                    Asker::Operator => "log in, name a profile in AWS_PROFILE",
                };
                format!(
                    "no credentials that are accepted for {name}; {give}, or set \
                     AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
                )
            }
            (Cause::Unfit, _) => format!("{name} {shape}"),
            (Cause::Senseless, _) => format!(
                "what answers for {name} makes no sense; check that {named_by} {purpose}, and that \
                 {endpoint}, if set, leads to {service}"
            ),
            (Cause::Refused, _) => format!("requests to {name} are refused"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_tells_what_has_to_be_changed() {
        for (code, expected) in [
            ("ThrottlingError", None),
            ("ResourceNotFound", Some(Cause::Missing)),
            ("AccessDenied", Some(Cause::NoPermission)),
            ("InvalidSignatureException", Some(Cause::NoCredentials)),
            ("ValidationError", Some(Cause::Unfit)),
            ("DuplicateItem", Some(Cause::Senseless)),
            ("ConditionalCheckFailed", Some(Cause::Senseless)),
            ("NotYetKnown", Some(Cause::Refused)),
        ] {
            assert_eq!(Failure::coded(code, None).cause(), expected, "{code}");
        }
    }

    #[test]
    fn a_message_is_passed_on_where_it_cannot_quote_an_event() {
        for (code, is_said) in [
            ("ResourceNotFoundException", true),
            ("AccessDenied", true),
            ("ExpiredTokenException", true),
            ("ValidationError", false),
            ("Surprise", false),
            ("ThrottlingError", false),
        ] {
            let (Failure::Passing(said) | Failure::Lasting(_, said)) =
                Failure::coded(code, Some("its message"));
            assert_eq!(said.contains("its message"), is_said, "{said}");
            assert!(said.contains(code), "{said}");
        }
    }
}
