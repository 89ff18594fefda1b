//! Objects in an S3 bucket: read again from where an answer broke off, put where there is none, in
//! parts where they are large.

use std::{io, time::Duration};

use aws_config::SdkConfig;
use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        abort_multipart_upload::AbortMultipartUploadError,
        get_object::{GetObjectError, GetObjectOutput},
        head_object::HeadObjectOutput,
    },
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart},
};
use tokio::time::{Instant, sleep, timeout};

use super::{
    ObjectStore, Origin, Put, Sink, Standing,
    spool::{Spool, read_part},
};
use crate::aws::{
    Asker, Cause, Failure, Place, Service, answered, ask_one, objects, present, without_retries,
};

/// How long a request may take, and an object's next piece.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long 8 MB may take.
const UPLOAD_PATIENCE: Duration = Duration::from_secs(20);
/// Before an object that broke off is asked for again.
const PAUSE: Duration = Duration::from_millis(100);

const SOURCE_ETAG: &str = "source-etag";
const PACKETS_FOLDED: &str = "packets-folded";

#[derive(Debug, Clone)]
pub struct S3Store {
    client: Client,
    bucket: String,
    named_by: &'static str,
}

impl S3Store {
    /// `named_by` is the variable that says which bucket it is.
    #[must_use]
    pub fn new(shared: &SdkConfig, bucket: String, named_by: &'static str) -> Self {
        Self {
            client: Client::new(&without_retries(shared)),
            bucket,
            named_by,
        }
    }

    fn in_words(&self, failure: Failure) -> Failure {
        let place = Place {
            name: format!("bucket \"{}\"", self.bucket),
            asker: Asker::Function,
            named_by: self.named_by,
            permissions: "s3:ListBucket, s3:GetObject and, for the star, s3:PutObject",
            shape: "takes no such object",
            purpose: "is a bucket's name",
            service: Service::S3,
        };
        place.in_words(failure)
    }

    async fn list_all(
        &self,
        prefix: &str,
        after: &str,
        deadline: Instant,
    ) -> Result<Vec<String>, Failure> {
        let mut keys = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let request = self.client.list_objects_v2().bucket(&self.bucket);
            let request = request
                .prefix(prefix)
                .set_start_after((!after.is_empty()).then(|| after.to_owned()))
                .set_continuation_token(next.take());
            let ask = |patience| answered(Box::pin(request.clone().send()), patience);
            let page = ask_one(PATIENCE, deadline, ask).await?;
            let listed = page.contents.unwrap_or_default().into_iter();
            keys.extend(listed.filter_map(|object| object.key));
            next = page.next_continuation_token;
            if next.is_none() {
                return Ok(keys);
            }
        }
    }

    /// From `offset` on, of the same object.
    async fn get(
        &self,
        key: &str,
        offset: u64,
        etag: Option<&str>,
        deadline: Instant,
    ) -> Result<Option<GetObjectOutput>, Failure> {
        let request = self.client.get_object().bucket(&self.bucket).key(key);
        let request = request
            .set_range((offset > 0).then(|| format!("bytes={offset}-")))
            .set_if_match(etag.map(str::to_owned));
        let ask = |patience| {
            let sent = request.clone().send();
            let found = async { present(sent.await, GetObjectError::is_no_such_key) };
            answered(Box::pin(found), patience)
        };
        ask_one(PATIENCE, deadline, ask).await
    }

    async fn read_all(
        &self,
        key: &str,
        sink: Sink<'_>,
        deadline: Instant,
    ) -> Result<Option<String>, Failure> {
        let (mut offset, mut etag) = (0, None);
        loop {
            let got = self.get(key, offset, etag.as_deref(), deadline).await?;
            let Some(found) = got else { return Ok(None) };
            etag = etag.or(found.e_tag);
            match pump(found.body, sink, &mut offset).await {
                Ok(()) => return Ok(etag.as_deref().map(unquoted)),
                Err(broken) if Instant::now() + PAUSE > deadline => return Err(broken),
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    async fn put_whole(
        &self,
        key: &str,
        body: Vec<u8>,
        origin: &Origin,
        deadline: Instant,
    ) -> Result<Put, Failure> {
        let ask = |patience| {
            let request = self.client.put_object().bucket(&self.bucket).key(key);
            let request = request
                .if_none_match("*")
                .content_type(content_type(key))
                .set_metadata(Some(metadata(origin).collect()))
                .body(ByteStream::from(body.clone()));
            answered(Box::pin(async { put(request.send().await) }), patience)
        };
        ask_one(UPLOAD_PATIENCE, deadline, ask).await
    }

    async fn put_parts(
        &self,
        key: &str,
        spool: &mut Spool,
        origin: &Origin,
        deadline: Instant,
    ) -> Result<Put, Failure> {
        loop {
            let upload = self.begin(key, origin, deadline).await?;
            let put = self.upload(key, &upload, spool, deadline).await;
            if !matches!(put, Ok(Some(Put::Written))) {
                self.abort(key, &upload).await;
            }
            if let Some(put) = put? {
                return Ok(put);
            }
        }
    }

    /// The id of an upload in parts.
    async fn begin(
        &self,
        key: &str,
        origin: &Origin,
        deadline: Instant,
    ) -> Result<String, Failure> {
        let request = self.client.create_multipart_upload().bucket(&self.bucket);
        let request = request
            .key(key)
            .content_type(content_type(key))
            .set_metadata(Some(metadata(origin).collect()));
        let ask = |patience| answered(Box::pin(request.clone().send()), patience);
        let created = ask_one(PATIENCE, deadline, ask).await?;
        let id = created.upload_id;
        id.ok_or_else(|| Failure::senseless("an upload without an id"))
    }

    /// None where it has to begin again.
    async fn upload(
        &self,
        key: &str,
        upload: &str,
        spool: &mut Spool,
        deadline: Instant,
    ) -> Result<Option<Put>, Failure> {
        let reader = spool.reader().map_err(|error| unread(&error))?;
        let mut parts = Vec::new();
        for number in 1.. {
            let part = read_part(reader).map_err(|error| unread(&error))?;
            if part.is_empty() {
                break;
            }
            let ask = |patience| {
                let request = self.client.upload_part().bucket(&self.bucket).key(key);
                let request = request.upload_id(upload).part_number(number);
                let request = request.body(ByteStream::from(part.clone()));
                answered(Box::pin(request.send()), patience)
            };
            let uploaded = ask_one(UPLOAD_PATIENCE, deadline, ask).await?;
            let part = CompletedPart::builder().part_number(number);
            parts.push(part.set_e_tag(uploaded.e_tag).build());
        }
        self.complete(key, upload, parts, deadline).await
    }

    async fn complete(
        &self,
        key: &str,
        upload: &str,
        parts: Vec<CompletedPart>,
        deadline: Instant,
    ) -> Result<Option<Put>, Failure> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts));
        let request = self.client.complete_multipart_upload();
        let request = request
            .bucket(&self.bucket)
            .key(key)
            .upload_id(upload)
            .if_none_match("*")
            .multipart_upload(parts.build());
        let ask = |patience| {
            let sent = request.clone().send();
            answered(Box::pin(async { completed(sent.await) }), patience)
        };
        ask_one(UPLOAD_PATIENCE, deadline, ask).await
    }

    /// What is left of it costs until the bucket's rule for such uploads removes it.
    async fn abort(&self, key: &str, upload: &str) {
        let request = self.client.abort_multipart_upload().bucket(&self.bucket);
        let request = request.key(key).upload_id(upload);
        let sent = request.send();
        let is_gone = AbortMultipartUploadError::is_no_such_upload;
        let aborted = async { present(sent.await, is_gone) };
        if let Err(failure) = answered(Box::pin(aborted), PATIENCE).await {
            tracing::warn!(key, %failure, "an upload that is not needed is left");
        }
    }
}

impl ObjectStore for S3Store {
    async fn list(
        &self,
        prefix: &str,
        after: &str,
        deadline: Instant,
    ) -> Result<Vec<String>, Failure> {
        let listed = self.list_all(prefix, after, deadline).await;
        listed.map_err(|failure| self.in_words(failure))
    }

    async fn look(&self, key: &str, deadline: Instant) -> Result<Option<Standing>, Failure> {
        let ask = |patience| {
            let sent = objects::head(&self.client, &self.bucket, key);
            answered(Box::pin(sent), patience)
        };
        let found = ask_one(PATIENCE, deadline, ask).await;
        let standing = found.and_then(|found| found.as_ref().map(standing).transpose());
        standing.map_err(|failure| self.in_words(failure))
    }

    async fn read(
        &self,
        key: &str,
        sink: Sink<'_>,
        deadline: Instant,
    ) -> Result<Option<String>, Failure> {
        let read = self.read_all(key, sink, deadline).await;
        read.map_err(|failure| self.in_words(failure))
    }

    async fn put(
        &self,
        key: &str,
        spool: &mut Spool,
        origin: &Origin,
        deadline: Instant,
    ) -> Result<Put, Failure> {
        let put = if spool.is_small() {
            let body = spool.reader().and_then(read_part);
            let body = body.map_err(|error| unread(&error))?;
            self.put_whole(key, body, origin, deadline).await
        } else {
            self.put_parts(key, spool, origin, deadline).await
        };
        put.map_err(|failure| self.in_words(failure))
    }
}

/// Gives what arrives to the sink; `offset` is how far it came.
async fn pump(mut body: ByteStream, sink: Sink<'_>, offset: &mut u64) -> Result<(), Failure> {
    loop {
        match timeout(PATIENCE, body.next()).await {
            Ok(None) => return Ok(()),
            Ok(Some(Ok(piece))) => {
                sink(&piece);
                *offset += piece.len() as u64;
            }
            Ok(Some(Err(error))) => return Err(Failure::Passing(error.to_string())),
            Err(_) => return Err(Failure::Passing(format!("nothing came for {PATIENCE:?}"))),
        }
    }
}

/// Whether it was put; that something is there is an answer.
fn put<T, E: ProvideErrorMetadata, R>(
    sent: Result<T, SdkError<E, R>>,
) -> Result<Put, SdkError<E, R>> {
    match sent {
        Ok(_) => Ok(Put::Written),
        Err(error) if error.code() == Some("PreconditionFailed") => Ok(Put::Refused),
        Err(error) => Err(error),
    }
}

/// The same for an upload. None where it is gone, as after an answer that was lost, or met another
/// write: S3 then wants it from its beginning.
fn completed<T, E: ProvideErrorMetadata, R>(
    sent: Result<T, SdkError<E, R>>,
) -> Result<Option<Put>, SdkError<E, R>> {
    let code = sent.as_ref().err().and_then(ProvideErrorMetadata::code);
    if let Some("NoSuchUpload" | "ConditionalRequestConflict") = code {
        return Ok(None);
    }
    put(sent).map(Some)
}

fn standing(found: &HeadObjectOutput) -> Result<Standing, Failure> {
    let said = |name: &str| found.metadata.as_ref()?.get(name);
    let origin = said(SOURCE_ETAG).map(|source_etag| Origin {
        source_etag: source_etag.clone(),
        folded: said(PACKETS_FOLDED).and_then(|folded| folded.parse().ok()),
    });
    let etag = found.e_tag.as_deref().map(unquoted);
    Ok(Standing {
        etag: etag.ok_or_else(|| Failure::senseless("an object without an etag"))?,
        origin,
    })
}

fn metadata(origin: &Origin) -> impl Iterator<Item = (String, String)> {
    let folded = origin
        .folded
        .map(|folded| (PACKETS_FOLDED, folded.to_string()));
    let said = [(SOURCE_ETAG, origin.source_etag.clone())]
        .into_iter()
        .chain(folded);
    said.map(|(name, value)| (name.to_owned(), value))
}

fn content_type(key: &str) -> &'static str {
    match key.rsplit_once('.') {
        Some((_, "parquet")) => "application/vnd.apache.parquet",
        Some((_, "jsonl")) => "application/x-ndjson",
        _ => "application/json",
    }
}

fn unquoted(etag: &str) -> String {
    etag.trim_matches('"').to_owned()
}

fn unread(error: &io::Error) -> Failure {
    let why = format!("a temporary file cannot be read: {error}");
    Failure::Lasting(Cause::Refused, why)
}
