//! What is the same of every DynamoDB table: its name, and what its answers to statements mean.

use aws_sdk_dynamodb::{
    Client,
    types::{BatchStatementError, BatchStatementResponse, ConsumedCapacity},
};

use super::failure::Failure;

/// A table as a person looks for it.
#[must_use]
pub fn table_in_words(client: &Client, table: &str) -> String {
    let region = client.config().region();
    let region = region.map_or("no region", |region| region.as_ref());
    format!("table \"{table}\" in {region}")
}

/// One response a statement.
pub fn of_each(
    responses: Option<Vec<BatchStatementResponse>>,
    statements: usize,
) -> Result<Vec<BatchStatementResponse>, Failure> {
    match responses {
        None => Err(Failure::senseless("an answer without responses")),
        Some(responses) if responses.len() != statements => {
            Err(Failure::miscounted(responses.len(), statements))
        }
        Some(responses) => Ok(responses),
    }
}

/// A statement that failed by itself.
#[must_use]
pub fn statement_failure(error: &BatchStatementError) -> Failure {
    match error.code() {
        Some(code) => Failure::coded(code.as_str(), error.message()),
        None => Failure::senseless("a statement failed without a code"),
    }
}

#[must_use]
pub fn units(consumed: &[ConsumedCapacity]) -> f64 {
    let units = consumed.iter().filter_map(ConsumedCapacity::capacity_units);
    units.sum()
}
