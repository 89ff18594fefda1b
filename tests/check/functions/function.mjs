// A transform in JavaScript: sound, or with one fault, named on the command line.
const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation`;
const fault = process.argv[2] ?? "none";
const limit = 6_291_556;
const strict = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function read(data) {
  if (typeof data !== "string" || !strict.test(data)) throw new Error("not base64");
  if (fault === "reads-latin-1") return atob(data);
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(data, "base64"));
}

function encode(text) {
  return Buffer.from(text, "utf8").toString("base64");
}

function answer(record) {
  const name = record.kafkaRecordValue === undefined ? "data" : "kafkaRecordValue";
  const failed = { recordId: record.recordId, result: "ProcessingFailed", [name]: "" };
  if (fault === "throws-on-missing-data") record.data.length;
  try {
    const event = JSON.parse(read(record[name]));
    if (typeof event !== "object" || event === null || Array.isArray(event)) return failed;
    const line = JSON.stringify({ ...event, seen_by: "check" }) + "\n";
    return { ...failed, result: "Ok", [name]: encode(line) };
  } catch (error) {
    return failed;
  }
}

function handler(batch) {
  if (fault === "answers-by-id") {
    const answers = {};
    for (const record of batch.records) answers[record.recordId] = answer(record);
    return { records: Object.values(answers) };
  }
  if (fault === "forgets-ids-spelling") {
    return { records: batch.records.map(answer).map((a) => ({ ...a, recordId: a.recordId.trim() })) };
  }
  const answers = batch.records.map(answer);
  if (fault === "dies-on-many" && answers.length > 1000) process.exit(7);
  if (fault === "swaps-data" && answers.length > 1) {
    [answers[0].data, answers[1].data] = [answers[1].data, answers[0].data];
  }
  let left = limit - 200 * answers.length;
  for (const one of answers) {
    left -= one.data?.length ?? 0;
    if (left < 0) Object.assign(one, { result: "ProcessingFailed", data: "" });
  }
  return { records: answers };
}

for (;;) {
  const invocation = await fetch(`${api}/next`);
  const id = invocation.headers.get("lambda-runtime-aws-request-id");
  const batch = await invocation.json();
  try {
    await fetch(`${api}/${id}/response`, { method: "POST", body: JSON.stringify(handler(batch)) });
  } catch (error) {
    const failure = { errorType: error.name, errorMessage: error.message };
    await fetch(`${api}/${id}/error`, { method: "POST", body: JSON.stringify(failure) });
  }
}
