//! Dead letters in an SQS queue. A message stays there until its record is sent; one that is only
//! looked at comes back when it was hidden for long enough.

use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, HashSet, VecDeque},
    io::{self, Read},
    rc::Rc,
};

use anyhow::{Context, Result, anyhow};
use aws_config::SdkConfig;
use aws_sdk_sqs::{Client, types::Message};
use tokio::runtime::Runtime;

use super::{bucket::Bucket, words::in_words};
use crate::{
    kinesis::dead_letter::{Data, DeadLetter},
    tool::objects::{ErrorSource, Object, Objects},
};

const MESSAGES_AT_ONCE: i32 = 10;
const WAIT_SECONDS: i32 = 1;
/// So long nobody else is given a message.
const HIDDEN_SECONDS: i32 = 900;

pub(super) struct Queue {
    runtime: Rc<Runtime>,
    client: Client,
    /// For the buckets that its letters refer to.
    shared: SdkConfig,
    url: String,
    /// What a message is deleted by, by where it stood.
    receipts: RefCell<HashMap<String, String>>,
    taken: Cell<u64>,
}

impl Queue {
    pub(super) fn new(runtime: Rc<Runtime>, shared: SdkConfig, url: &str) -> Self {
        Self {
            runtime,
            client: Client::new(&shared),
            shared,
            url: url.to_owned(),
            receipts: RefCell::default(),
            taken: Cell::default(),
        }
    }

    fn name(&self) -> String {
        format!("sqs:{}", self.url)
    }

    fn receive(&self) -> Result<Vec<Message>> {
        let request = self.client.receive_message().queue_url(&self.url);
        let request = request
            .max_number_of_messages(MESSAGES_AT_ONCE)
            .wait_time_seconds(WAIT_SECONDS)
            .visibility_timeout(HIDDEN_SECONDS);
        let answer = self.runtime.block_on(request.send()).map_err(|error| {
            let doing = format!("{} cannot be read", self.name());
            in_words(&doing, "sqs:ReceiveMessage on it", &error)
        })?;
        Ok(answer.messages.unwrap_or_default())
    }

    /// A message as a line: the dead letter that it is or refers to.
    fn line(&self, message: &Message) -> Result<Vec<u8>> {
        let body = message.body.as_deref().unwrap_or_default();
        let mut line = match DeadLetter::read(body.as_bytes()).map(|letter| letter.data) {
            Ok(Data::At(place)) => self.fetch(&place)?,
            _ => body.as_bytes().to_vec(),
        };
        for byte in &mut line {
            // No JSON has one but as white space.
            if matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
        line.push(b'\n');
        let number = self.taken.get() + 1;
        self.taken.set(number);
        if let Some(receipt) = &message.receipt_handle {
            let position = format!("{}:{number}", self.name());
            self.receipts.borrow_mut().insert(position, receipt.clone());
        }
        Ok(line)
    }

    fn fetch(&self, place: &str) -> Result<Vec<u8>> {
        let source = place.parse().map_err(|error: String| anyhow!(error))?;
        let ErrorSource::Bucket { bucket, prefix } = source else {
            return Err(anyhow!("`{place}` is no object in S3"));
        };
        let mut bytes = Vec::new();
        let runtime = Rc::clone(&self.runtime);
        let bucket = Bucket::new(runtime, &self.shared, &bucket, &prefix)?;
        bucket.open(place)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl Objects for Queue {
    fn each(&self, visit: &mut dyn FnMut(Object) -> Result<()>) -> Result<()> {
        visit(Object {
            name: self.name(),
            bytes: 0,
        })
    }

    fn open(&self, _: &str) -> Result<Box<dyn Read + '_>> {
        Ok(Box::new(Messages {
            queue: self,
            seen: HashSet::new(),
            bytes: VecDeque::new(),
        }))
    }

    /// Who has redriven from a queue stands nowhere: what was sent is not there any more.
    fn list_redriven(&self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn write_redriven(&self, _: &str, _: Vec<u8>) -> Result<()> {
        Ok(())
    }

    fn discard(&self, position: &str) -> Result<()> {
        let Some(receipt) = self.receipts.borrow_mut().remove(position) else {
            return Ok(());
        };
        let request = self.client.delete_message().queue_url(&self.url);
        let deleted = self
            .runtime
            .block_on(request.receipt_handle(receipt).send());
        deleted.map(drop).map_err(|error| {
            let doing = format!("{position} is sent and cannot be deleted");
            in_words(&doing, "sqs:DeleteMessage on it", &error)
        })
    }
}

/// The messages of a queue, as lines, until there are none or one comes again.
struct Messages<'a> {
    queue: &'a Queue,
    seen: HashSet<String>,
    bytes: VecDeque<u8>,
}

impl Messages<'_> {
    fn fill(&mut self) -> Result<()> {
        for message in self.queue.receive()? {
            let id = message
                .message_id
                .clone()
                .context("a message without an id")?;
            if !self.seen.insert(id) {
                continue;
            }
            self.bytes.extend(self.queue.line(&message)?);
        }
        Ok(())
    }
}

impl Read for Messages<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.bytes.is_empty() {
            self.fill().map_err(io::Error::other)?;
        }
        self.bytes.read(buffer)
    }
}
