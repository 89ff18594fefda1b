// The function as people write it in JavaScript: one conditional PutItem an event, all at once.

import { ConditionalCheckFailedException, DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";

const TABLE = process.env.EVENT_CACHE_TABLE_NAME;
const dynamodb = TABLE && new DynamoDBClient({});
const CONTROL_CHARACTER = /[\x00-\x1f]/;
const NUMBER = /^-?\d+(\.\d+)?$/;

export async function handler(request) {
  const seen = new Set();
  return { records: await Promise.all(request.records.map((record) => transform(record, seen))) };
}

async function transform({ recordId, data }, seen) {
  let event, partitionKeys;
  try {
    event = JSON.parse(Buffer.from(data, "base64").toString());
    partitionKeys = enrich(event);
  } catch {
    return { recordId, result: "ProcessingFailed" };
  }
  if (!(await isNew(identity(event), seen))) return { recordId, result: "Dropped" };
  const line = Buffer.from(JSON.stringify(event) + "\n").toString("base64");
  return { recordId, result: "Ok", data: line, metadata: { partitionKeys } };
}

function identity({ event_uuid, event_name, created_at }) {
  return `${event_uuid}#${event_name}#${created_at}`;
}

/** Adds to a good event and returns its partition keys; throws what a bad one deserves. */
function enrich(event) {
  checkText(event.event_uuid);
  checkText(event.event_name);
  const [first, second = ""] = event.event_name.split(":");
  event.event_type = first.trim();
  event.event_subtype = second.trim() || "unknown";
  if (!event.event_type) throw new Error("no event type");
  const time = instant(event.created_at).toISOString();
  event.created_datetime = time.replace("Z", "000Z");
  return {
    event_type: safe(event.event_type),
    event_subtype: safe(event.event_subtype),
    year: time.slice(0, 4),
    month: time.slice(5, 7),
    day: time.slice(8, 10),
  };
}

function checkText(value) {
  const isText = value.trim() && Buffer.byteLength(value) <= 256 && !CONTROL_CHARACTER.test(value);
  if (!isText) throw new Error("not a text of 1 to 256 bytes");
}

function instant(value) {
  if (typeof value === "string" && !NUMBER.test(value)) return new Date(value);
  const number = Number(value);
  if (!(number >= 0) || value === null) throw new Error("not a time");
  if (number < 1e11) return new Date(Math.round(number * 1e3));
  if (number < 1e14) return new Date(number);
  return new Date(number / (number < 1e17 ? 1e3 : 1e6));
}

/** For a path: what is not plain is percent-encoded, and so is a value of only dots. */
function safe(value) {
  const percent = (character) => "%" + character.charCodeAt(0).toString(16).toUpperCase();
  let encoded = encodeURIComponent(value).replace(/[!'()*]/g, percent);
  if (/^\.+$/.test(encoded)) encoded = encoded.replace(/\./g, percent);
  if (encoded.length > 192) throw new Error("too long for a path");
  return encoded;
}

async function isNew(id, seen) {
  if (seen.has(id)) return false;
  seen.add(id);
  return !TABLE || claim(id);
}

async function claim(id) {
  const now = Math.floor(Date.now() / 1000);
  try {
    await dynamodb.send(
      new PutItemCommand({
        TableName: TABLE,
        Item: { id: { S: id }, ttl: { N: String(now + 86400) } },
        ConditionExpression: "attribute_not_exists(id) OR #ttl <= :now",
        ExpressionAttributeNames: { "#ttl": "ttl" },
        ExpressionAttributeValues: { ":now": { N: String(now) } },
      }),
    );
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
