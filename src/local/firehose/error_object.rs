//! Error objects: the JSON line that Firehose writes for a record it cannot deliver. Also how they are
//! read, and how a record is written for a person to repair.

pub mod read;
pub mod repair;

use std::fmt::Write;

use base64_simd::STANDARD;

use super::answer::Failure;
use crate::local::names::FUNCTION_ARN;

/// Everything about a failed record but its bytes.
#[derive(Debug, Clone)]
pub struct ErrorObject {
    pub code: &'static str,
    pub message: String,
    pub attempts_made: u32,
    pub arrival_milliseconds: i64,
    pub attempt_ended_milliseconds: i64,
}

/// The word that `!{firehose:error-output-type}` becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OutputType {
    ProcessingFailed,
    PartitioningFailed,
}

impl OutputType {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProcessingFailed => "processing-failed",
            Self::PartitioningFailed => "partitioning-failed",
        }
    }
}

impl Failure {
    #[must_use]
    pub fn output_type(self) -> OutputType {
        match self {
            Self::Partitioning => OutputType::PartitioningFailed,
            _ => OutputType::ProcessingFailed,
        }
    }

    /// The error object of a record, but for its bytes.
    #[must_use]
    pub fn object(self, arrival_milliseconds: i64, attempt_ended_milliseconds: i64) -> ErrorObject {
        let (code, message) = self.words();
        ErrorObject {
            code,
            message: message.to_owned(),
            attempts_made: 1,
            arrival_milliseconds,
            attempt_ended_milliseconds,
        }
    }

    /// Firehose's own, but where partition keys are refused.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::ProcessingFailed => (
                "Lambda.ProcessingFailedStatus",
                "ProcessingFailed status set for record",
            ),
            Self::RecordIdMissing => (
                "Lambda.MissingRecordId",
                "One or more record Ids were not returned. Ensure that the Lambda function returns \
                 all received record Ids.",
            ),
            Self::RecordIdDoubled => (
                "Lambda.DuplicatedRecordId",
                "Multiple records were returned with the same record Id. Ensure that the Lambda \
                 function returns a unique record Id for each record.",
            ),
            Self::DataMissing => (
                "Lambda.InvalidReturnFormat",
                "The data field cannot be null when the SourceType is DirectPut or \
                 KinesisStreamAsSource and processing result is Ok. The value field cannot be null \
                 when the SourceType is MSKAsSource and processing result is Ok.",
            ),
            Self::Partitioning => (
                "DynamicPartitioning.MetadataExtractionFailed",
                "The partition keys are not the prefix's, or name no place in the lake",
            ),
        }
    }
}

impl ErrorObject {
    /// Of a record that Firehose does not take: no function has seen it.
    #[must_use]
    pub fn too_large(bytes: u64, arrival_milliseconds: i64, ended_milliseconds: i64) -> Self {
        Self {
            code: "Firehose.RecordTooLarge",
            message: format!("The record has {bytes} bytes, but Firehose takes at most 1024000"),
            attempts_made: 0,
            arrival_milliseconds,
            attempt_ended_milliseconds: ended_milliseconds,
        }
    }

    /// Appends the object's line, around the record's bytes.
    pub fn write(&self, line: &mut String, record: &[u8]) {
        Self::begin(line);
        Self::push(line, record);
        self.end(line);
    }

    /// Appends what stands before the record's bytes.
    pub fn begin(line: &mut String) {
        line.push_str(r#"{"rawData":""#);
    }

    /// Appends some of the record's bytes; all but the last are a multiple of 3 in number.
    pub fn push(line: &mut String, piece: &[u8]) {
        STANDARD.encode_append(piece, line);
    }

    /// Appends what stands after the record's bytes.
    pub fn end(&self, line: &mut String) {
        // Writing to a `String` cannot fail, nor can a string be other than JSON.
        let message = serde_json::Value::from(self.message.as_str());
        let _ = writeln!(
            line,
            r#"","errorCode":"{}","errorMessage":{message},"attemptsMade":{},"arrivalTimestamp":{},"attemptEndingTimestamp":{},"lambdaARN":"{FUNCTION_ARN}"}}"#,
            self.code,
            self.attempts_made,
            self.arrival_milliseconds,
            self.attempt_ended_milliseconds,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_object_is_the_captured_one() {
        let (code, message) = Failure::ProcessingFailed.words();
        let object = ErrorObject {
            code,
            message: message.to_owned(),
            attempts_made: 1,
            arrival_milliseconds: 1_789_014_240_448,
            attempt_ended_milliseconds: 1_789_014_301_529,
        };
        let mut line = String::new();
        object.write(&mut line, b"FAIL this one\n");
        assert_eq!(
            line,
            "{\"rawData\":\"RkFJTCB0aGlzIG9uZQo=\",\"errorCode\":\"Lambda.ProcessingFailedStatus\",\
             \"errorMessage\":\"ProcessingFailed status set for record\",\"attemptsMade\":1,\
             \"arrivalTimestamp\":1789014240448,\"attemptEndingTimestamp\":1789014301529,\
             \"lambdaARN\":\"arn:aws:lambda:us-east-1:000000000000:function:nozzle\"}\n"
        );
    }
}
