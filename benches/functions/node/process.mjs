// The event processor as people write it in JavaScript: an ADD a window and event, all at once, an object an hour.

import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { DynamoDBClient, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";

const TableName = process.env.DYNAMODB_TABLE;
const Bucket = process.env.S3_BUCKET;
const dynamodb = new DynamoDBClient({});
const s3 = new S3Client({});
const pack = promisify(gzip);

export async function handler(request) {
  const hours = new Map();
  await Promise.all(request.Records.map((record) => take(record, hours)));
  await Promise.all([...hours].map(([hour, events]) => archive(hour, events)));
  return { batchItemFailures: [] };
}

async function take({ kinesis: { data, sequenceNumber } }, hours) {
  const bytes = Buffer.from(data, "base64");
  let event, time;
  try {
    event = JSON.parse(bytes.toString());
    for (const field of ["event_id", "event_type", "user_id"]) check(event[field]);
    time = new Date(event.timestamp).toISOString();
  } catch {
    return s3.send(new PutObjectCommand({ Bucket, Key: `dead-letters/${sequenceNumber}`, Body: bytes }));
  }
  const [year, month, day, hour] = time.split(/[-T:]/);
  const folder = `year=${year}/month=${month}/day=${day}/hour=${hour}`;
  if (!hours.has(folder)) hours.set(folder, []);
  hours.get(folder).push({ sequenceNumber, event });
  const windows = [`hour#${year}-${month}-${day}-${hour}`, `day#${year}-${month}-${day}`];
  await Promise.all(windows.map((window) => count(event, window)));
}

function check(text) {
  if (typeof text !== "string" || !text.trim() || Buffer.byteLength(text) > 256) throw new Error("not a text of 1 to 256 bytes");
}

async function count({ experiment_id, event_type, metadata }, window) {
  if (!experiment_id || !metadata?.variant) return;
  await dynamodb.send(
    new UpdateItemCommand({
      TableName,
      Key: { partition_key: { S: `exp_${experiment_id}#variant#${metadata.variant}#${window}` }, sort_key: { S: `event_type#${event_type}` } },
      UpdateExpression: "ADD event_count :one",
      ExpressionAttributeValues: { ":one": { N: "1" } },
    }),
  );
}

async function archive(hour, events) {
  const Body = await pack(events.map(({ event }) => JSON.stringify(event)).join("\n"));
  const Key = `${hour}/${events[0].sequenceNumber}.jsonl.gz`;
  await s3.send(new PutObjectCommand({ Bucket, Key, Body, ContentType: "application/x-ndjson" }));
}
