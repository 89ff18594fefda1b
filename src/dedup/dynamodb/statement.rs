//! One claim as a PartiQL statement, and what DynamoDB's answer to it means.

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{
        AttributeValue, BatchStatementError, BatchStatementErrorCodeEnum as Code,
        BatchStatementRequest, BatchStatementResponse, ReturnValuesOnConditionCheckFailure::AllOld,
    },
};

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

/// The statements of one table, written once.
#[derive(Debug, Clone)]
pub(super) struct Statements {
    insert: String,
    take: String,
}

impl Statements {
    pub(super) fn on(table: &str) -> Self {
        Self {
            insert: format!("INSERT INTO \"{table}\" VALUE {{'id':?,'owner':?,'ttl':?}}"),
            take: format!(
                "UPDATE \"{table}\" SET \"owner\"=? SET \"ttl\"=? WHERE \"id\"=? AND \"ttl\"<=?"
            ),
        }
    }

    pub(super) fn request(
        &self,
        ask: Ask,
        claim: &Claim<'_>,
        terms: &Terms,
    ) -> Result<BatchStatementRequest, BuildError> {
        let id = AttributeValue::S(claim.identity.to_owned());
        let owner = AttributeValue::S(claim.owner.to_string());
        let ttl = seconds(terms.ttl_seconds);
        match ask {
            Ask::Insert => BatchStatementRequest::builder()
                .statement(&self.insert)
                .set_parameters(Some(vec![id, owner, ttl]))
                .build(),
            Ask::Take => self.take(vec![owner, ttl, id, seconds(terms.now_seconds)]),
        }
    }

    /// Writes nothing, because every identity is JSON and this one is not. What DynamoDB says to
    /// it tells whether the table is there and may be written to.
    pub(super) fn probe(&self) -> Result<BatchStatementRequest, BuildError> {
        let nobody = || AttributeValue::S("nobody's".to_owned());
        self.take(vec![nobody(), seconds(0), nobody(), seconds(0)])
    }

    fn take(&self, parameters: Vec<AttributeValue>) -> Result<BatchStatementRequest, BuildError> {
        BatchStatementRequest::builder()
            .statement(&self.take)
            .set_parameters(Some(parameters))
            .return_values_on_condition_check_failure(AllOld)
            .build()
    }
}

fn seconds(seconds: u64) -> AttributeValue {
    AttributeValue::N(seconds.to_string())
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
