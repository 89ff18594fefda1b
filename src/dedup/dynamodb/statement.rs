//! One claim as a PartiQL statement, and what DynamoDB's answer to it means.

use std::fmt::Display;

use aws_sdk_dynamodb::{
    error::BoxError,
    types::{BatchStatementError, BatchStatementErrorCodeEnum as Code, BatchStatementResponse},
};
use serde::{Serialize, Serializer};

use super::{
    super::{Claim, Claimed, Owner, Terms},
    failure::Failure,
};

/// What is asked of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// Write the claim unless there is one: the answer for nearly every event.
    Insert,
    /// Take the claim that is there if it has expired, or say whose it is.
    Take,
}

/// What a statement's answer means.
#[derive(Debug)]
pub(super) enum Reply {
    Settled(Claimed),
    /// Somebody's claim is there.
    Exists,
    /// The claim that was there is no more.
    Gone,
    Failed(Failure),
}

/// The statements' texts for one table.
#[derive(Debug, Clone)]
pub(super) struct Texts {
    insert: String,
    take: String,
}

/// The body of a request.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request<'a> {
    pub(super) statements: Vec<Statement<'a>>,
}

impl Request<'_> {
    pub(super) fn body(&self) -> Result<String, BoxError> {
        let mut body = Vec::with_capacity(self.statements.len() * STATEMENT_BYTES);
        serde_json::to_writer(&mut body, self)?;
        Ok(String::from_utf8(body)?)
    }
}

/// Room for most statements, so that a body seldom grows.
const STATEMENT_BYTES: usize = 400;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Statement<'a> {
    #[serde(rename = "Statement")]
    text: &'a str,
    parameters: Vec<Parameter<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    return_values_on_condition_check_failure: Option<&'static str>,
}

#[derive(Serialize)]
enum Parameter<'a> {
    S(&'a str),
    #[serde(rename = "S", serialize_with = "in_quotes")]
    Owner(Owner),
    #[serde(rename = "N", serialize_with = "in_quotes")]
    Seconds(u64),
}

fn in_quotes<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

impl Texts {
    pub(super) fn on(table: &str) -> Self {
        Self {
            insert: format!("INSERT INTO \"{table}\" VALUE {{'id':?,'owner':?,'ttl':?}}"),
            take: format!(
                "UPDATE \"{table}\" SET \"owner\"=? SET \"ttl\"=? WHERE \"id\"=? AND \"ttl\"<=?"
            ),
        }
    }

    pub(super) fn statement<'a>(
        &'a self,
        ask: Ask,
        claim: &Claim<'a>,
        terms: &Terms,
    ) -> Statement<'a> {
        let id = Parameter::S(claim.identity);
        let owner = Parameter::Owner(claim.owner);
        let ttl = Parameter::Seconds(terms.ttl_seconds);
        match ask {
            Ask::Insert => Statement {
                text: &self.insert,
                parameters: vec![id, owner, ttl],
                return_values_on_condition_check_failure: None,
            },
            Ask::Take => self.take([owner, ttl, id, Parameter::Seconds(terms.now_seconds)]),
        }
    }

    /// Writes nothing, because every identity is JSON and this one is not. What DynamoDB says to
    /// it tells whether the table is there and may be written to.
    pub(super) fn probe(&self) -> Statement<'_> {
        let nobody = || Parameter::S("nobody's");
        let never = || Parameter::Seconds(0);
        self.take([nobody(), never(), nobody(), never()])
    }

    fn take<'a>(&'a self, parameters: [Parameter<'a>; 4]) -> Statement<'a> {
        Statement {
            text: &self.take,
            parameters: parameters.into(),
            return_values_on_condition_check_failure: Some("ALL_OLD"),
        }
    }
}

impl Reply {
    pub(super) fn read(ask: Ask, response: &BatchStatementResponse) -> Self {
        let Some(error) = response.error() else {
            return Self::Settled(Claimed::Taken);
        };
        match (ask, error.code()) {
            (Ask::Insert, Some(Code::DuplicateItem)) => Self::Exists,
            (Ask::Take, Some(Code::ConditionalCheckFailed)) => Self::held(error),
            (_, Some(code)) => Self::Failed(Failure::coded(code.as_str(), error.message())),
            (_, None) => Self::Failed(Failure::senseless("a statement failed without a code")),
        }
    }

    pub(super) fn failure(self) -> Option<Failure> {
        match self {
            Self::Failed(failure) => Some(failure),
            _ => None,
        }
    }

    fn held(error: &BatchStatementError) -> Self {
        let Some(item) = error.item() else {
            return Self::Gone;
        };
        let owner = item.get("owner").and_then(|owner| owner.as_s().ok());
        match owner.and_then(|owner| owner.parse::<Owner>().ok()) {
            Some(owner) => Self::Settled(Claimed::Held(owner)),
            None => Self::Failed(Failure::senseless("an item whose owner cannot be read")),
        }
    }
}
