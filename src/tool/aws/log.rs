//! Looking events up in the event log's table.

use std::{collections::HashMap, iter::from_fn, rc::Rc};

use anyhow::Result;
use aws_config::SdkConfig;
use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::AttributeValue,
};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::words::in_words;
use crate::functions::event_log::{
    item::{EVENT_ID, SEARCH_KEY, TIMESTAMP},
    table::{dynamodb::to_json, embedded::Span},
};

/// Timestamps begin with digits, which lie between these.
const BEFORE_ALL: &str = "0";
const AFTER_ALL: &str = ":";

/// A table that a log is in.
pub(crate) struct AwsLog {
    runtime: Rc<Runtime>,
    client: Client,
    table: String,
}

type Item = HashMap<String, AttributeValue>;
type Items<'a> = Box<dyn Iterator<Item = Result<Value>> + 'a>;

impl AwsLog {
    pub(super) fn new(runtime: Rc<Runtime>, shared: &SdkConfig, table: &str) -> Self {
        Self {
            runtime,
            client: Client::new(shared),
            table: table.to_owned(),
        }
    }

    pub(crate) fn get(&self, id: &str) -> Result<Option<Value>> {
        let request = self.client.get_item().table_name(&self.table);
        let request = request
            .key(EVENT_ID, AttributeValue::S(id.to_owned()))
            .consistent_read(true);
        let answer = self.runtime.block_on(request.send());
        let answer = answer.map_err(|error| self.failed("dynamodb:GetItem on it", &error))?;
        Ok(answer.item.as_ref().map(whole))
    }

    /// The items of one key of the index, in order of their arrival, as far as the index has them.
    pub(crate) fn search(&self, index: &str, key: &str, span: &Span) -> Items<'_> {
        let until = span.until.clone();
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let request = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(index);
        let request = request
            .key_condition_expression("#key = :key AND #time BETWEEN :since AND :until")
            .expression_attribute_names("#key", SEARCH_KEY)
            .expression_attribute_names("#time", TIMESTAMP)
            .expression_attribute_values(":key", text(key))
            .expression_attribute_values(
                ":since",
                text(span.since.as_deref().unwrap_or(BEFORE_ALL)),
            )
            .expression_attribute_values(":until", text(until.as_deref().unwrap_or(AFTER_ALL)));
        let mut pages = request.into_paginator().items().send();
        let permission = format!("dynamodb:Query on its index {index}");
        let items = from_fn(move || {
            let item = self.runtime.block_on(pages.next())?;
            Some(
                item.as_ref()
                    .map(whole)
                    .map_err(|error| self.failed(&permission, error)),
            )
        });
        // `BETWEEN` takes the end too.
        let is_before = move |item: &Value| {
            let time = item.get(TIMESTAMP).and_then(|time| time.get("S")?.as_str());
            until.as_deref().is_none_or(|until| time < Some(until))
        };
        Box::new(items.filter(move |item| item.as_ref().map_or(true, &is_before)))
    }

    /// All items, in no order.
    pub(crate) fn scan(&self) -> Items<'_> {
        let request = self.client.scan().table_name(&self.table);
        let mut pages = request.into_paginator().items().send();
        Box::new(from_fn(move || {
            let item = self.runtime.block_on(pages.next())?;
            Some(
                item.as_ref()
                    .map(whole)
                    .map_err(|error| self.failed("dynamodb:Scan on it", error)),
            )
        }))
    }

    fn failed<E>(&self, permission: &str, error: &SdkError<E>) -> anyhow::Error
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let doing = format!("the table {} cannot be read", self.table);
        in_words(&doing, permission, error)
    }
}

fn whole(item: &Item) -> Value {
    let attributes = item
        .iter()
        .map(|(name, value)| (name.clone(), to_json(value)));
    Value::Object(attributes.collect())
}
