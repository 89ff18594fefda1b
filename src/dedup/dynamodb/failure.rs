//! What went wrong at DynamoDB: whether to ask again, and what a person should do about it.

use std::{error::Error, iter};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::batch_execute_statement::BatchExecuteStatementError,
};

use super::super::StoreError;

/// Why a statement or a request was not answered.
#[derive(Debug)]
pub(super) enum Failure {
    /// Worth asking again.
    Passing(String),
    /// Asking again would not help.
    Lasting(Cause, String),
}

/// What a person has to change before the store can answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    NoTable,
    NoPermission,
    NoCredentials,
    WrongKey,
    Senseless,
    Refused,
}

impl Failure {
    /// A failure that DynamoDB names itself, for one statement or for a whole request. Its message
    /// is passed on where it is about the table or the role; another may quote an identity.
    pub(super) fn coded(code: &str, message: Option<&str>) -> Self {
        match (cause(code), message) {
            (
                Some(cause @ (Cause::NoTable | Cause::NoPermission | Cause::NoCredentials)),
                Some(message),
            ) => Self::Lasting(cause, format!("{code}: {message}")),
            (Some(cause), _) => Self::Lasting(cause, code.to_owned()),
            (None, _) => Self::Passing(code.to_owned()),
        }
    }

    pub(super) fn senseless(what: &str) -> Self {
        Self::Lasting(Cause::Senseless, what.to_owned())
    }

    pub(super) fn miscounted(answers: usize, statements: usize) -> Self {
        Self::senseless(&format!("{answers} answers to {statements} statements"))
    }

    /// For the person who has to act, about "table … in …".
    pub(super) fn in_words(self, asker: Asker, table: &str) -> StoreError {
        match self {
            Self::Passing(said) => StoreError::Away(format!("{table} ({said})")),
            Self::Lasting(cause, said) => {
                StoreError::Refused(format!("{} ({said})", cause.words(asker, table)))
            }
        }
    }
}

/// Who has to be allowed what, and where the table's name comes from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asker {
    Function,
    /// A person who gives claims back.
    Operator,
}

impl Asker {
    fn named_by(self) -> &'static str {
        match self {
            Self::Function => "EVENT_CACHE_TABLE_NAME",
            Self::Operator => "--table",
        }
    }

    fn permissions(self, table: &str) -> String {
        match self {
            Self::Function => format!(
                "the function may not write to {table}; allow its role dynamodb:PartiQLInsert and \
                 dynamodb:PartiQLUpdate there"
            ),
            Self::Operator => format!(
                "you may not read or give back claims in {table}; you need dynamodb:PartiQLSelect \
                 and dynamodb:PartiQLDelete there"
            ),
        }
    }

    fn credentials(self, table: &str) -> String {
        let give = match self {
            Self::Function => "give the function a role",
            Self::Operator => "log in, name a profile in AWS_PROFILE",
        };
        format!(
            "no credentials that are accepted for {table}; {give}, or set AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY"
        )
    }
}

/// `None` for what may pass.
fn cause(code: &str) -> Option<Cause> {
    match code {
        "ProvisionedThroughputExceeded"
        | "ProvisionedThroughputExceededException"
        | "ThrottlingError"
        | "ThrottlingException"
        | "RequestLimitExceeded"
        | "InternalServerError"
        | "InternalFailure"
        | "ServiceUnavailable"
        | "ServiceUnavailableException"
        | "TransactionConflict" => None,
        "ResourceNotFound" | "ResourceNotFoundException" => Some(Cause::NoTable),
        "AccessDenied" | "AccessDeniedException" => Some(Cause::NoPermission),
        "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "IncompleteSignatureException"
        | "MissingAuthenticationTokenException"
        | "ExpiredTokenException" => Some(Cause::NoCredentials),
        "ValidationError" | "ValidationException" => Some(Cause::WrongKey),
        "DuplicateItem" | "ConditionalCheckFailed" => Some(Cause::Senseless),
        _ => Some(Cause::Refused),
    }
}

type RequestError = SdkError<BatchExecuteStatementError>;

/// A request that failed as a whole.
impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        match &error {
            SdkError::TimeoutError(_) | SdkError::ResponseError(_) => Self::Passing(chain(&error)),
            SdkError::DispatchFailure(failure) if failure.is_io() || failure.is_timeout() => {
                Self::Passing(chain(&error))
            }
            // Hyper's "connection closed before message completed" comes as this.
            SdkError::DispatchFailure(failure) if failure.as_other().is_some() => {
                Self::Passing(chain(&error))
            }
            SdkError::ServiceError(answer) => answered(answer.raw().status().as_u16(), &error),
            _ => unsent(&error),
        }
    }
}

fn answered(status: u16, error: &RequestError) -> Failure {
    match (status, error.code()) {
        (408 | 429 | 500.., code) => Failure::Passing(format!(
            "HTTP {status}{}",
            code.map(|code| format!(" {code}")).unwrap_or_default()
        )),
        (_, Some(code)) => Failure::coded(code, error.message()),
        (200, None) => Failure::senseless(&chain(error)),
        (_, None) => Failure::senseless(&format!("HTTP {status} without a code")),
    }
}

fn unsent(error: &RequestError) -> Failure {
    let credentials = sources(error).find_map(|source| source.downcast_ref::<CredentialsError>());
    match credentials {
        Some(CredentialsError::ProviderTimedOut(_)) => Failure::Passing(chain(error)),
        Some(_) => Failure::Lasting(Cause::NoCredentials, chain(error)),
        None => Failure::Lasting(Cause::Refused, chain(error)),
    }
}

fn sources<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&error| error.source())
}

/// The error and what is behind it, on one line.
fn chain(error: &RequestError) -> String {
    let all: Vec<String> = sources(error).map(ToString::to_string).collect();
    all.join(": ")
}

impl Cause {
    fn words(self, asker: Asker, table: &str) -> String {
        let named_by = asker.named_by();
        match self {
            Self::NoTable => format!("there is no {table}; create it there or correct {named_by}"),
            Self::NoPermission => asker.permissions(table),
            Self::NoCredentials => asker.credentials(table),
            Self::WrongKey => format!(
                "{table} cannot hold claims; its key has to be \"id\", a string, and nothing else"
            ),
            Self::Senseless => format!(
                "what answers for {table} makes no sense; check that {named_by} is a table of \
                 claims only, and that AWS_ENDPOINT_URL_DYNAMODB, if set, leads to DynamoDB"
            ),
            Self::Refused => format!("requests to {table} are refused"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_types::retry::ErrorKind;

    use super::*;

    fn cause_of(failure: &Failure) -> Option<Cause> {
        match failure {
            Failure::Passing(_) => None,
            Failure::Lasting(cause, _) => Some(*cause),
        }
    }

    #[test]
    fn a_broken_way_to_the_store_passes_and_a_request_that_cannot_be_sent_does_not() {
        #[track_caller]
        fn check(error: RequestError, expected: Option<Cause>) {
            let text = chain(&error);
            assert_eq!(cause_of(&error.into()), expected, "{text}");
        }
        let dispatch = |error| RequestError::dispatch_failure(error);
        check(RequestError::timeout_error("late"), None);
        check(dispatch(ConnectorError::io("reset".into())), None);
        check(dispatch(ConnectorError::timeout("late".into())), None);
        let transient = Some(ErrorKind::TransientError);
        let closed = ConnectorError::other("closed".into(), transient);
        check(dispatch(closed), None);
        let unknown = dispatch(ConnectorError::other("?".into(), None));
        check(unknown, Some(Cause::Refused));
        let wrong = dispatch(ConnectorError::user("no such scheme".into()));
        check(wrong, Some(Cause::Refused));
        let unsent = |error| RequestError::construction_failure(error);
        let late = CredentialsError::provider_timed_out(Duration::from_secs(1));
        check(unsent(late), None);
        let missing = CredentialsError::not_loaded_no_source();
        check(unsent(missing), Some(Cause::NoCredentials));
        let unwritten = RequestError::construction_failure("no body");
        check(unwritten, Some(Cause::Refused));
    }

    #[test]
    fn a_code_tells_what_has_to_be_changed() {
        for (code, expected) in [
            ("ThrottlingError", None),
            ("ResourceNotFound", Some(Cause::NoTable)),
            ("AccessDenied", Some(Cause::NoPermission)),
            ("InvalidSignatureException", Some(Cause::NoCredentials)),
            ("ValidationError", Some(Cause::WrongKey)),
            ("DuplicateItem", Some(Cause::Senseless)),
            ("ConditionalCheckFailed", Some(Cause::Senseless)),
            ("NotYetKnown", Some(Cause::Refused)),
        ] {
            assert_eq!(cause_of(&Failure::coded(code, None)), expected, "{code}");
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
