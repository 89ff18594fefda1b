// The event log as people write it in JavaScript: one PutItem an event, all at once.

import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { marshall } from "@aws-sdk/util-dynamodb";

const TableName = process.env.TABLE_NAME;
const dynamodb = new DynamoDBClient({});

export async function handler(request) {
  await Promise.all(request.Records.map((record) => dynamodb.send(new PutItemCommand({ TableName, Item: marshall(item(record)) }))));
  return { batchItemFailures: [] };
}

function item({ eventID, kinesis }) {
  const timestamp = new Date(kinesis.approximateArrivalTimestamp * 1000).toISOString();
  const made = { eventId: eventID, timestamp, partitionKey: kinesis.partitionKey };
  const data = Buffer.from(kinesis.data, "base64");
  try {
    return { ...made, data: JSON.parse(data.toString()) };
  } catch {
    return { ...made, raw: data, refused: "not_json" };
  }
}
