//! Sends a request's body that is already written. The SDK's own way, its parts copied one by one
//! and escaped again, is a quarter of a batch's processor time.

use std::error::Error;

use aws_smithy_runtime_api::client::{
    interceptors::{Intercept, context::BeforeTransmitInterceptorContextMut, dyn_dispatch_hint},
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::{body::SdkBody, config_bag::ConfigBag};

/// A body in place of the one that the SDK makes.
#[derive(Debug)]
pub struct Written(SdkBody);

impl Written {
    #[must_use]
    pub fn new(body: Vec<u8>) -> Self {
        Self(SdkBody::from(body))
    }
}

#[dyn_dispatch_hint]
impl Intercept for Written {
    fn name(&self) -> &'static str {
        "Written"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let body = self.0.try_clone().ok_or("a body that is sent once")?;
        let length = body.content_length().unwrap_or_default();
        let request = context.request_mut();
        request
            .headers_mut()
            .insert("content-length", length.to_string());
        *request.body_mut() = body;
        Ok(())
    }
}
