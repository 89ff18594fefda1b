//! What the SDK is told of requests: to send a body that is already written.

use std::error::Error;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::{
    config::Config, error::BuildError,
    operation::batch_execute_statement::BatchExecuteStatementInput, types::BatchStatementRequest,
};
use aws_smithy_runtime_api::client::{
    interceptors::{
        Intercept,
        context::{BeforeSerializationInterceptorContextMut, Input},
        dyn_dispatch_hint,
    },
    orchestrator::HttpRequest,
    runtime_components::RuntimeComponents,
    ser_de::{SerializeRequest, SharedRequestSerializer},
};
use aws_smithy_types::{body::SdkBody, config_bag::ConfigBag};

pub(super) fn settings(shared: &SdkConfig) -> Config {
    Config::from(shared)
        .to_builder()
        .behavior_version(BehaviorVersion::latest())
        .interceptor(Written)
        .build()
}

/// A body for [`Written`], in the only place that the SDK has for it.
pub(super) fn written(body: String) -> Result<Vec<BatchStatementRequest>, BuildError> {
    let statement = BatchStatementRequest::builder().statement(body).build()?;
    Ok(vec![statement])
}

/// Sends the text of the first statement as the whole body. The SDK's own way, a statement's parts
/// copied one by one and escaped again, is a quarter of claiming's processor time.
#[derive(Debug, Clone, Copy)]
struct Written;

#[dyn_dispatch_hint]
impl Intercept for Written {
    fn name(&self) -> &'static str {
        "Written"
    }

    fn modify_before_serialization(
        &self,
        _: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        settings: &mut ConfigBag,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let serializer = SharedRequestSerializer::new(Self);
        settings.interceptor_state().store_put(serializer);
        Ok(())
    }
}

impl SerializeRequest for Written {
    fn serialize_input(
        &self,
        input: Input,
        _: &mut ConfigBag,
    ) -> Result<HttpRequest, Box<dyn Error + Send + Sync>> {
        let input: Option<BatchExecuteStatementInput> = input.downcast().ok();
        let statements = input.and_then(|input| input.statements).unwrap_or_default();
        let body = statements.into_iter().next().ok_or("no body")?.statement;
        let length = body.len().to_string();
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method("POST")?;
        request.set_uri("/")?;
        let headers = request.headers_mut();
        headers.insert("content-type", "application/x-amz-json-1.0");
        headers.insert("content-length", length);
        headers.insert("x-amz-target", "DynamoDB_20120810.BatchExecuteStatement");
        Ok(request)
    }
}
