//! A stream as a target: a batch is put, and what was not taken of it is put again, alone, after a
//! pause.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Error, Result, anyhow};

use crate::tool::{
    interrupt::sleep_until,
    sink::{Receipt, SendLimits, Sink},
};

/// One request to a stream: of each record, in order, why it was not taken; nothing if it was.
pub(super) type Put = Box<dyn Fn(&[&[u8]]) -> Result<Vec<Option<String>>, PutFailure>>;

/// Why no record of a request was taken.
#[derive(Debug)]
pub(super) enum PutFailure {
    /// Worth trying again.
    Passing(String),
    /// Trying again would not help.
    Lasting(Error),
}

/// Ten tries in which nothing is taken, over half a minute, and it is given up.
const TRIES_MAX: u32 = 10;
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(6);

pub(super) struct Stream {
    put: Put,
    limits: SendLimits,
    pause: Duration,
    stop: Arc<AtomicBool>,
}

impl Stream {
    pub(super) fn new(put: Put, limits: SendLimits, stop: Arc<AtomicBool>) -> Self {
        Self {
            put,
            limits,
            pause: PAUSE,
            stop,
        }
    }

    /// Waits longer each time, and not at all for one who wants to stop: what was not taken by then
    /// is sent by the redrive that goes on.
    fn may_try_again(&self, tries: u32) -> bool {
        let pause = PAUSE_MAX.min(self.pause * 2_u32.saturating_pow(tries - 1));
        sleep_until(Instant::now() + pause, &self.stop);
        tries < TRIES_MAX && !self.stop.load(Ordering::Relaxed)
    }
}

impl Sink for Stream {
    fn limits(&self) -> SendLimits {
        self.limits
    }

    fn send(&mut self, records: &[&[u8]]) -> Receipt {
        let mut open = Untaken::all(records);
        let mut tries = 0;
        while !open.records.is_empty() {
            let before = open.records.len();
            match (self.put)(&open.bytes(records)) {
                Ok(answers) if answers.len() == before => open.keep_refused(answers),
                Ok(answers) => {
                    let error = anyhow!("{} answers to {before} records", answers.len());
                    return open.broken(error);
                }
                Err(PutFailure::Lasting(error)) => return open.broken(error),
                Err(PutFailure::Passing(why)) => open.blame_all(&why),
            }
            tries = if open.records.len() < before {
                1
            } else {
                tries + 1
            };
            if !open.records.is_empty() && !self.may_try_again(tries) {
                return open.given_up(records.len(), self.stop.load(Ordering::Relaxed));
            }
        }
        Receipt::default()
    }

    fn is_settled(&self) -> bool {
        true
    }

    fn settle(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Records of a batch that are not taken yet, and why.
struct Untaken {
    records: Vec<(usize, String)>,
}

impl Untaken {
    fn all(records: &[&[u8]]) -> Self {
        let records = (0..records.len()).map(|index| (index, String::new()));
        Self {
            records: records.collect(),
        }
    }

    fn bytes<'r>(&self, records: &[&'r [u8]]) -> Vec<&'r [u8]> {
        let bytes = self
            .records
            .iter()
            .filter_map(|(index, _)| records.get(*index));
        bytes.copied().collect()
    }

    fn keep_refused(&mut self, answers: Vec<Option<String>>) {
        let open = std::mem::take(&mut self.records).into_iter().zip(answers);
        self.records = open
            .filter_map(|((index, _), answer)| Some((index, answer?)))
            .collect();
    }

    fn blame_all(&mut self, why: &str) {
        for (_, reason) in &mut self.records {
            why.clone_into(reason);
        }
    }

    /// If none of a batch was taken, the next will fare no better.
    fn given_up(self, records: usize, is_stopped: bool) -> Receipt {
        let why = self.records.first().map(|(_, why)| why.clone());
        let is_away = self.records.len() == records && !is_stopped;
        Receipt {
            broken: is_away.then(|| {
                let why = why.unwrap_or_default();
                anyhow!("the stream takes nothing ({why}); give the same command again later")
            }),
            failed: self.records,
            refused: Vec::new(),
        }
    }

    fn broken(self, error: Error) -> Receipt {
        Receipt {
            failed: self.records,
            refused: Vec::new(),
            broken: Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use super::*;

    type Answer = Result<Vec<Option<String>>, PutFailure>;

    /// What was asked, what failed, and whether it is broken, of a stream that answers as told, then
    /// takes everything.
    fn send(answers: Vec<Answer>) -> (Vec<String>, Vec<usize>, bool) {
        let answers = RefCell::new(answers.into_iter());
        let asked = Rc::new(RefCell::new(Vec::new()));
        let seen = Rc::clone(&asked);
        let put = move |records: &[&[u8]]| {
            let text = String::from_utf8(records.concat()).unwrap();
            seen.borrow_mut().push(text);
            let told = answers.borrow_mut().next();
            told.unwrap_or_else(|| Ok(vec![None; records.len()]))
        };
        let limits = SendLimits {
            records_max: 500,
            bytes_max: 1000,
        };
        let mut stream = Stream::new(Box::new(put), limits, Arc::default());
        stream.pause = Duration::ZERO;
        let receipt = stream.send(&[b"a", b"b", b"c"]);
        let failed = receipt.failed.into_iter().map(|(index, _)| index);
        (asked.take(), failed.collect(), receipt.broken.is_some())
    }

    #[expect(clippy::unnecessary_wraps, reason = "it is an answer")]
    fn refused(refused: &[bool]) -> Answer {
        let answer = |refused: &bool| refused.then(|| "throttled".to_owned());
        Ok(refused.iter().map(answer).collect())
    }

    fn away() -> Answer {
        Err(PutFailure::Passing("away".to_owned()))
    }

    #[test]
    fn only_what_was_not_taken_is_put_again() {
        let answers = vec![refused(&[true, false, true]), refused(&[false, true])];
        let (asked, failed, broken) = send(answers);
        assert_eq!(asked, ["abc", "ac", "c"]);
        assert_eq!((failed, broken), (vec![], false));
    }

    #[test]
    fn a_request_that_failed_is_put_again() {
        let (asked, failed, broken) = send(vec![away(), away()]);
        assert_eq!(asked, ["abc", "abc", "abc"]);
        assert_eq!((failed, broken), (vec![], false));
    }

    #[test]
    fn a_record_that_is_never_taken_has_failed_and_the_rest_goes_on() {
        let mut answers = vec![refused(&[false, true, false])];
        answers.extend((0..TRIES_MAX).map(|_| refused(&[true])));
        let (asked, failed, broken) = send(answers);
        assert_eq!(asked.len(), TRIES_MAX as usize);
        assert_eq!((failed, broken), (vec![1], false));
    }

    #[test]
    fn a_stream_that_takes_nothing_ends_it() {
        let answers = (0..TRIES_MAX).map(|_| away()).collect();
        let (asked, failed, broken) = send(answers);
        assert_eq!(asked.len(), TRIES_MAX as usize);
        assert_eq!((failed, broken), (vec![0, 1, 2], true));
    }

    #[test]
    fn what_was_taken_before_it_broke_has_not_failed() {
        let lasting = Err(PutFailure::Lasting(anyhow!("denied")));
        let (_, failed, broken) = send(vec![refused(&[false, true, false]), lasting]);
        assert_eq!((failed, broken), (vec![1], true));
        let (_, failed, broken) = send(vec![refused(&[true, false])]);
        assert_eq!((failed, broken), (vec![0, 1, 2], true));
    }
}
