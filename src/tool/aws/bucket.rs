//! Objects in S3: listed, read as they come, and beside them the records of what was redriven.

use std::{
    io::{self, Read},
    rc::Rc,
};

use anyhow::{Context, Result, ensure};
use aws_config::SdkConfig;
use aws_sdk_s3::{Client, primitives::ByteStream};
use tokio::runtime::Runtime;

use super::words::in_words;
use crate::{
    config::environment,
    tool::objects::{Object, Objects, REDRIVEN},
};

/// Error objects in S3. Its names are `s3://BUCKET/KEY`.
pub(super) struct Bucket {
    runtime: Rc<Runtime>,
    client: Client,
    name: String,
    prefix: String,
}

impl Bucket {
    pub(super) fn new(
        runtime: Rc<Runtime>,
        shared: &SdkConfig,
        name: &str,
        prefix: &str,
    ) -> Result<Self> {
        ensure!(
            prefix.split('/').all(|part| part != REDRIVEN),
            "s3://{name}/{prefix} holds records of redrives, not error objects"
        );
        // An emulator's address has no room for the bucket's name before it.
        let is_elsewhere =
            shared.endpoint_url().is_some() || environment("AWS_ENDPOINT_URL_S3").is_some();
        let settings = aws_sdk_s3::config::Builder::from(shared)
            .force_path_style(is_elsewhere)
            .build();
        Ok(Self {
            runtime,
            client: Client::from_conf(settings),
            name: name.to_owned(),
            prefix: prefix.to_owned(),
        })
    }

    fn list_keys(
        &self,
        prefix: &str,
        mut visit: impl FnMut(&str, u64) -> Result<()>,
    ) -> Result<()> {
        let request = self.client.list_objects_v2();
        let request = request.bucket(&self.name).prefix(prefix);
        let mut pages = request.into_paginator().send();
        while let Some(page) = self.runtime.block_on(pages.next()) {
            let page = page.map_err(|error| {
                let doing = format!("s3://{}/{prefix} cannot be listed", self.name);
                in_words(&doing, "s3:ListBucket on the bucket", &error)
            })?;
            for object in page.contents() {
                let bytes = object.size().and_then(|size| size.try_into().ok());
                visit(object.key().unwrap_or_default(), bytes.unwrap_or(0))?;
            }
        }
        Ok(())
    }

    fn full_name(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }

    fn key<'n>(&self, name: &'n str) -> Result<&'n str> {
        let key = name
            .strip_prefix("s3://")
            .and_then(|name| name.strip_prefix(&self.name));
        key.and_then(|key| key.strip_prefix('/'))
            .with_context(|| format!("{name} is not in the bucket {}", self.name))
    }

    /// The folders that the prefix lies in, the nearest first; each ends in `/` or is empty.
    fn folders_above(&self) -> impl Iterator<Item = &str> {
        let prefix = self.prefix.as_str();
        let inside = prefix.strip_suffix('/').unwrap_or(prefix);
        let slashes = inside.rmatch_indices('/');
        let folders = slashes.filter_map(|(at, _)| inside.get(..=at));
        folders.chain([""])
    }
}

impl Objects for Bucket {
    fn each(&self, visit: &mut dyn FnMut(Object) -> Result<()>) -> Result<()> {
        let mut is_empty = true;
        self.list_keys(&self.prefix, |key, bytes| {
            let is_folder = key.ends_with('/');
            if is_folder || is_redriven(key) {
                return Ok(());
            }
            is_empty = false;
            let name = self.full_name(key);
            visit(Object { name, bytes })
        })?;
        ensure!(
            !is_empty,
            "there is no object under s3://{}/{}",
            self.name,
            self.prefix
        );
        Ok(())
    }

    fn open(&self, name: &str) -> Result<Box<dyn Read + '_>> {
        let mut body = Body {
            bucket: self,
            key: self.key(name)?.to_owned(),
            etag: None,
            stream: None,
            chunk: Vec::new(),
            taken: 0,
            position: 0,
            failures: 0,
        };
        body.connect()?;
        Ok(Box::new(body))
    }

    fn list_redriven(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for folder in self.folders_above() {
            let prefix = format!("{folder}{REDRIVEN}/");
            self.list_keys(&prefix, |key, _| {
                names.push(self.full_name(key));
                Ok(())
            })?;
        }
        self.list_keys(&self.prefix, |key, _| {
            if is_redriven(key) {
                names.push(self.full_name(key));
            }
            Ok(())
        })?;
        Ok(names)
    }

    fn write_redriven(&self, name: &str, bytes: Vec<u8>) -> Result<()> {
        let folder = self.folders_above().next().unwrap_or_default();
        let key = format!("{folder}{REDRIVEN}/{name}");
        let request = self.client.put_object().bucket(&self.name).key(&key);
        let request = request.body(ByteStream::from(bytes));
        self.runtime.block_on(request.send()).map_err(|error| {
            let doing = format!("{} cannot be written", self.full_name(&key));
            in_words(
                &doing,
                &format!("s3:PutObject on {folder}{REDRIVEN}/*"),
                &error,
            )
        })?;
        Ok(())
    }
}

fn is_redriven(key: &str) -> bool {
    key.split('/').any(|part| part == REDRIVEN)
}

/// An object's bytes as they come. When the connection breaks they are asked for from there on.
struct Body<'a> {
    bucket: &'a Bucket,
    key: String,
    etag: Option<String>,
    stream: Option<ByteStream>,
    chunk: Vec<u8>,
    /// Of the chunk.
    taken: usize,
    /// Of the object: where the next chunk begins.
    position: u64,
    failures: u32,
}

const FAILURES_MAX: u32 = 3;

impl Body<'_> {
    fn connect(&mut self) -> Result<()> {
        let request = self.bucket.client.get_object();
        let mut request = request.bucket(&self.bucket.name).key(&self.key);
        if self.position > 0 {
            request = request
                .range(format!("bytes={}-", self.position))
                .set_if_match(self.etag.clone());
        }
        let answer = self.bucket.runtime.block_on(request.send());
        let answer = answer.map_err(|error| {
            let doing = format!("{} cannot be read", self.bucket.full_name(&self.key));
            in_words(&doing, "s3:GetObject on it", &error)
        })?;
        self.etag = answer.e_tag;
        self.stream = Some(answer.body);
        Ok(())
    }

    /// Whether there is more.
    fn next_chunk(&mut self) -> Result<bool> {
        loop {
            if self.stream.is_none() {
                self.connect()?;
            }
            let Some(stream) = &mut self.stream else {
                return Ok(false);
            };
            match self.bucket.runtime.block_on(stream.next()) {
                None => return Ok(false),
                Some(Ok(chunk)) => {
                    self.position += chunk.len() as u64;
                    self.chunk = chunk.into();
                    self.taken = 0;
                    return Ok(true);
                }
                Some(Err(error)) => {
                    self.failures += 1;
                    self.stream = None;
                    if self.failures > FAILURES_MAX {
                        return Err(error.into());
                    }
                }
            }
        }
    }
}

impl Read for Body<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.chunk.len() {
            if !self.next_chunk().map_err(io::Error::other)? {
                return Ok(0);
            }
        }
        let rest = self.chunk.get(self.taken..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(rest) {
            *to = *from;
        }
        self.taken += length;
        Ok(length)
    }
}
