//! A claim as a PartiQL statement, and what DynamoDB's answer to it means.

use std::{collections::HashMap, fmt::Display};

use aws_sdk_dynamodb::types::{
    AttributeValue, BatchStatementError, BatchStatementErrorCodeEnum as Code,
    BatchStatementResponse,
};
use serde::{Serialize, Serializer};

use super::super::{Claim, Claimed, Held, Owner, Released, Terms};
use crate::aws::{Failure, Reply, dynamodb::statement_failure};

/// What is asked of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// Write the claim unless there is one: the answer for nearly every event.
    Insert,
    /// Take the claim that is there if it has expired, or say whose it is.
    Take,
}

/// The statements' texts for one table.
#[derive(Debug, Clone)]
pub(super) struct Texts {
    insert: String,
    take: String,
    look_up: String,
    release: String,
}

/// The body of a request.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request<'a> {
    statements: Vec<Statement<'a>>,
    return_consumed_capacity: &'static str,
}

impl<'a> Request<'a> {
    pub(super) fn of(statements: Vec<Statement<'a>>) -> Self {
        Self {
            statements,
            return_consumed_capacity: "TOTAL",
        }
    }

    pub(super) fn body(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut body = Vec::with_capacity(self.statements.len() * STATEMENT_BYTES);
        serde_json::to_writer(&mut body, self)?;
        Ok(body)
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
    #[serde(skip_serializing_if = "Option::is_none")]
    consistent_read: Option<bool>,
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
            look_up: format!("SELECT \"owner\",\"ttl\" FROM \"{table}\" WHERE \"id\"=?"),
            release: format!("DELETE FROM \"{table}\" WHERE \"id\"=? AND \"owner\"=?"),
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
                consistent_read: None,
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
            consistent_read: None,
        }
    }

    /// Whose the claim is, as of now: what was just written is seen.
    pub(super) fn look_up<'a>(&'a self, claim: &Claim<'a>) -> Statement<'a> {
        Statement {
            text: &self.look_up,
            parameters: vec![Parameter::S(claim.identity)],
            return_values_on_condition_check_failure: None,
            consistent_read: Some(true),
        }
    }

    /// Removes the claim if it is still exactly this owner's.
    pub(super) fn release<'a>(&'a self, claim: &Claim<'a>) -> Statement<'a> {
        Statement {
            text: &self.release,
            parameters: vec![Parameter::S(claim.identity), Parameter::Owner(claim.owner)],
            return_values_on_condition_check_failure: Some("ALL_OLD"),
            consistent_read: None,
        }
    }
}

/// The claim that was looked up.
pub(super) fn read_held(response: &BatchStatementResponse) -> Result<Option<Held>, Failure> {
    if let Some(error) = response.error() {
        return Err(statement_failure(error));
    }
    match response.item() {
        None => Ok(None),
        Some(item) if item.is_empty() => Ok(None),
        Some(item) => {
            let owner = owner(item);
            let ttl = item
                .get("ttl")
                .and_then(|ttl| ttl.as_n().ok()?.parse().ok());
            owner.zip(ttl).map_or_else(
                || {
                    Err(Failure::senseless(
                        "an item whose owner or ttl cannot be read",
                    ))
                },
                |(owner, ttl_seconds)| Ok(Some(Held { owner, ttl_seconds })),
            )
        }
    }
}

/// What became of a claim that was to be removed.
pub(super) fn read_released(response: &BatchStatementResponse) -> Result<Released, Failure> {
    match response.error() {
        None => Ok(Released::Free),
        Some(error) if error.code() == Some(&Code::ConditionalCheckFailed) => {
            Ok(error.item().map_or(Released::Free, |_| Released::Others))
        }
        Some(error) => Err(statement_failure(error)),
    }
}

fn owner(item: &HashMap<String, AttributeValue>) -> Option<Owner> {
    item.get("owner")?.as_s().ok()?.parse().ok()
}

/// What a claim's statement came to.
pub(super) fn read_claimed(ask: Ask, response: &BatchStatementResponse) -> Reply<Ask, Claimed> {
    let Some(error) = response.error() else {
        return Reply::Answered(Claimed::Taken);
    };
    match (ask, error.code()) {
        (Ask::Insert, Some(Code::DuplicateItem)) => Reply::Next(Ask::Take),
        (Ask::Take, Some(Code::ConditionalCheckFailed)) => read_holder(error),
        _ => Reply::Failed(ask, statement_failure(error)),
    }
}

fn read_holder(error: &BatchStatementError) -> Reply<Ask, Claimed> {
    let Some(item) = error.item() else {
        let gone = Failure::Passing("an item came and went".to_owned());
        return Reply::Failed(Ask::Insert, gone);
    };
    match owner(item) {
        Some(owner) => Reply::Answered(Claimed::Held(owner)),
        None => Reply::Failed(
            Ask::Take,
            Failure::senseless("an item whose owner cannot be read"),
        ),
    }
}
