// pnpm bench serve: the built server under load, its generator a stub that says a word every few milliseconds. Streams at once: how much later than its place
// in the row makes it each one begins. Searches over a large database. Memory over many requests.
import { createServer } from "node:http";
import { join } from "node:path";
import { createDocument, createRandom, formatTable, writeJsonl } from "../packages/core/dist/index.js";
import { startServer } from "./stages.mjs";
import { flags, processor, tinyModel, wholeNumber, withFolder } from "./tools.mjs";

const PASSAGES = wholeNumber("number") ?? (flags.quick ? 5_000 : 100_000);
const STREAMS = 100;
const SEARCHES = flags.quick ? 100 : 1_000;
const REQUESTS = flags.quick ? 1_000 : 10_000;
const CONCURRENCY = 16;
const WORDS = 20;
const WORD_MS = 25;

const random = createRandom(11);
const VOCABULARY = Array.from({ length: 5_000 }, (_, i) => `word${i.toString(36)}`);
const some = (count) => Array.from({ length: count }, () => VOCABULARY[random.integer(VOCABULARY.length)]).join(" ");

const quantile = (values, share) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))];
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** OpenAI's route as the server asks it, a word at a time; `quick` answers at once. */
async function startStub() {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { stream, messages } = JSON.parse(body);
    const wait = messages.at(-1).content.startsWith("quick") ? 0 : WORD_MS;
    const choice = (delta, finish_reason = null) => ({ choices: [{ index: 0, delta, finish_reason }] });
    if (!stream) {
      response.setHeader("content-type", "application/json");
      response.end(
        JSON.stringify({
          choices: [{ index: 0, message: { role: "assistant", content: "word" }, finish_reason: "stop" }],
        }),
      );
      return;
    }
    response.setHeader("content-type", "text/event-stream");
    for (let i = 0; i < WORDS; i++) {
      if (wait) await sleep(wait);
      response.write(`data: ${JSON.stringify(choice({ content: "word " }))}\n\n`);
    }
    response.end(`data: ${JSON.stringify(choice({}, "stop"))}\n\ndata: [DONE]\n\n`);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { url: `http://127.0.0.1:${server.address().port}/v1`, close: () => server.close() };
}

const post = (address, path, body) =>
  fetch(`${address}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

/** Milliseconds to the first word, and to the end. */
async function stream(address, question) {
  const started = performance.now();
  const response = await post(address, "v1/chat/completions", {
    model: "rag-ft",
    stream: true,
    messages: [{ role: "user", content: question }],
  });
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  let first;
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body) {
    text += decoder.decode(chunk, { stream: true });
    if (first === undefined && text.includes('"content":"word')) first = performance.now() - started;
  }
  if (!text.includes("[DONE]")) throw new Error("A stream ended before its end.");
  return { first, whole: performance.now() - started };
}

/** Megabytes of the process, and of its heap after a collection: what is in use. */
const memoryOf = async ({ address, collect }) => {
  collect();
  await sleep(1000);
  const metrics = await (await fetch(`${address}metrics`)).text();
  const read = (name) => Math.round(Number(new RegExp(`^${name} (\\S+)`, "m").exec(metrics)?.[1]) / 2 ** 20);
  return { resident: read("process_resident_memory_bytes"), heap: read("nodejs_heap_size_used_bytes") };
};

async function streams(address) {
  await stream(address, "warm");
  const alone = [];
  for (let i = 0; i < 5; i++) alone.push(await stream(address, some(8)));
  const first = quantile(
    alone.map((one) => one.first),
    0.5,
  );
  const whole = quantile(
    alone.map((one) => one.whole),
    0.5,
  );
  const started = await Promise.all(Array.from({ length: STREAMS }, () => stream(address, some(8))));
  const sorted = started.map((one) => one.first).sort((a, b) => a - b);
  // The n-th to begin has waited for as many whole answers as stand before it, so many at a time.
  const expected = sorted.map((_, place) => first + Math.floor(place / CONCURRENCY) * whole);
  return {
    streams: STREAMS,
    alone_first_ms: Math.round(first),
    alone_whole_ms: Math.round(whole),
    first_p95_ms: Math.round(quantile(sorted, 0.95)),
    ratio_p95: Number((quantile(sorted, 0.95) / quantile(expected, 0.95)).toFixed(3)),
  };
}

async function searches(address) {
  const times = [];
  for (let i = 0; i < SEARCHES + 5; i++) {
    const query = some(8);
    const started = performance.now();
    const response = await post(address, "v1/search", { query, limit: 10 });
    if (response.status !== 200) throw new Error(await response.text());
    await response.json();
    if (i >= 5) times.push(performance.now() - started);
  }
  return {
    searches: SEARCHES,
    p50_ms: Number(quantile(times, 0.5).toFixed(1)),
    p95_ms: Number(quantile(times, 0.95).toFixed(1)),
  };
}

async function memory(server) {
  const { address } = server;
  const mb = {};
  let left = REQUESTS;
  let done = 0;
  const client = async () => {
    while (left-- > 0) {
      await (
        await post(address, "v1/chat/completions", {
          model: "rag-ft",
          messages: [{ role: "user", content: `quick ${some(8)}` }],
        })
      ).json();
      done++;
      const tenths = (done * 10) / REQUESTS;
      if (Number.isInteger(tenths) && [2, 6, 10].includes(tenths)) mb[done] = await memoryOf(server);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, client));
  return mb;
}

await withFolder(async (folder) => {
  const documents = join(folder, "documents.jsonl");
  await writeJsonl(
    documents,
    Array.from({ length: PASSAGES }, (_, i) => createDocument(some(12), { source: `page-${i % 5_000}.md` })),
  );
  const stub = await startStub();
  const results = { processor, passages: PASSAGES };
  const system = {
    document_path: documents,
    qa_model_name_or_path: "openai:stub",
    embedding_model_name_or_path: tinyModel("encoder"),
    index_path: join(folder, "index"),
    embedding_max_num_to_retrieve: 3,
    concurrency: CONCURRENCY,
    turns_file: join(folder, "turns.jsonl"),
    port: 0,
  };
  for (const retrieval of flags.only?.split(",") ?? ["bm25", "dense"]) {
    const argv = Object.entries({ ...system, retrieval }).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const server = await startServer(argv, { OPENAI_BASE_URL: stub.url, OPENAI_API_KEY: "none" });
    try {
      results[retrieval] = { search: await searches(server.address), streams: await streams(server.address) };
      if (retrieval === "bm25") results.mb = await memory(server);
    } finally {
      await server.close();
    }
    const { search, streams: streamed } = results[retrieval];
    console.log(
      formatTable(
        [{ retrieval, ...search, ...streamed }],
        ["retrieval", ...Object.keys(search), ...Object.keys(streamed)],
      ),
    );
  }
  stub.close();
  console.log(JSON.stringify(results));
});
