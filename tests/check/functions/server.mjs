// A function behind an Invoke URL, which takes invocations side by side: sound, or with one fault,
// named on the command line. Its first line says its port.
import { createServer } from "node:http";
import { setImmediate as others, setTimeout as pause } from "node:timers/promises";

const fault = process.argv[2] ?? "none";
let batch = { records: [] };
let underWay = 0;
// Milliseconds: long enough for another invocation to come on a busy machine too.
const MEANWHILE = 50;

async function invoke(text) {
  let own = JSON.parse(text);
  // As AWS's emulator does, which takes one invocation at a time.
  if (fault === "ends-when-asked-twice") {
    if (underWay > 1) process.exit(1);
    await pause(MEANWHILE);
  }
  if (fault === "ends-soon" && own.records.length > 1) process.exit(1);
  if (fault === "shares-state") {
    batch = own;
    await pause(MEANWHILE);
    own = batch;
  }
  if (fault === "fails" || (fault === "fails-by-header" && own.records.length > 1)) {
    throw new Error("it is a bad day");
  }
  return { records: own.records.map((record) => answer(record)) };
}

function answer(record) {
  const name = "kafkaRecordValue" in record ? "kafkaRecordValue" : "data";
  const data = Buffer.from(record[name] ?? "", "base64");
  const sound = { recordId: record.recordId, result: "Ok", [name]: record[name] };
  const line = Buffer.concat([data, Buffer.from("\n")]).toString("base64");
  try {
    JSON.parse(data);
    return { ...sound, [name]: line };
  } catch {
    return { ...sound, result: "ProcessingFailed", [name]: "" };
  }
}

const server = createServer(async (request, response) => {
  underWay += 1;
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  if (fault === "says-no-json") return response.end("Task timed out after 3.00 seconds");
  try {
    for (let turn = 0; turn < 20; turn++) await others();
    response.end(JSON.stringify(await invoke(Buffer.concat(chunks).toString())));
  } catch (error) {
    if (fault === "fails-by-header") response.setHeader("X-Amz-Function-Error", "Unhandled");
    response.end(JSON.stringify({ errorType: error.name, errorMessage: error.message }));
  } finally {
    underWay -= 1;
  }
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
