// The built command against a local OpenAI-compatible server that injects faults: time at concurrency 32, what becomes of every question,
// kill -9 at random moments, dry run against bill, the cap, the Batch API, and whether the key shows anywhere. See bench/README.md.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { createRandom, hashText, readQuestions, writeJsonl } from "../packages/core/dist/index.js";
import { costOf, countTokens, readPrices } from "../packages/llm/dist/index.js";
import { createFaultyReplies, startOpenAiServer } from "../packages/test-utils/dist/index.js";
import { missing, root } from "./tools.mjs";

const PARTS = ["speed", "faults", "kills", "bill", "cap", "batch"];
const { values: flags } = parseArgs({
  options: {
    data: { type: "string", default: process.env.RAG_FT_BENCH_DATA ?? join(root, "../shared/data/faire") },
    only: { type: "string", default: PARTS.join(",") },
    kills: { type: "string", default: "20" },
    seed: { type: "string", default: "1" },
  },
});
const { data } = flags;
if (!existsSync(join(data, "train_w_qa.jsonl")))
  missing(`${data}: LocalRQA's Faire files are expected here; name their folder with --data.`);
const parts = flags.only.split(",");
const MAIN = join(root, "packages/cli/dist/main.js");
const KEY = "sk-bench-5a1f0c9e7d3b8642";
const CONCURRENCY = 32;
const PASSING = ["429", "500", "reset", "reset-mid-body", "malformed", "no-choices"];
const random = createRandom(Number(flags.seed));
const folder = mkdtempSync(join(tmpdir(), "rag-ft-faults-"));
const at = (...names) => join(folder, ...names);
let shown = "";

// What the models say: real questions and answers of the Faire files, chosen by the hash of what is asked.
// (Some lines of that file have no question.)
const pairs = lines(join(data, "train_w_qa.jsonl")).filter((row) => row.question.trim() !== "");
const questionRows = await readQuestions(join(data, "train_w_q.jsonl"));
const moreRows = await readQuestions(join(data, "eval_w_q.jsonl"));
const answers = new Map(pairs.map((row) => [row.question, row.gold_answer]));
const pick = (list, text) => list[Number.parseInt(hashText(text).slice(0, 8), 16) % list.length];
function reply({ messages, response_format, seed }) {
  const content = messages.at(-1).content;
  if (content.endsWith("Questions:")) {
    const { questions } = pick(questionRows, `${content}${seed}`);
    return response_format
      ? JSON.stringify({ questions })
      : questions.map((q, i) => `Question ${i + 1}: ${q}`).join("\n");
  }
  if (/Correctness: \[\[correct\]\]/.test(messages[0].content))
    return `${pick(pairs, content).gold_answer.slice(0, 300)}\nCorrectness: [[${pick(["correct", "incorrect"], content)}]]`;
  const question = /Question: (.*)\nAnswer:$/.exec(content)?.[1] ?? content;
  return answers.get(question) ?? pick(pairs, content).gold_answer;
}

/** The server's own bill, by model: tokens as OpenAI documents their count. */
function createMeter() {
  const usage = {};
  return {
    usage,
    async add(body, text) {
      usage[body.model] ??= { prompt_tokens: 0, completion_tokens: 0 };
      const used = usage[body.model];
      const prompt = await countTokens(body.messages);
      const completion = (await countTokens([{ role: "assistant", content: text }])) - 7;
      used.prompt_tokens += prompt;
      used.completion_tokens += completion;
      return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
    },
  };
}

async function startServer(options = {}) {
  const meter = createMeter();
  const sound = new Set();
  const faulty = createFaultyReplies({ reply, rate: 0, seed: Number(flags.seed), ...options });
  const server = await startOpenAiServer({
    apiKey: KEY,
    async reply(body, index) {
      const result = await faulty.reply(body, index);
      const text = result.body?.choices?.[0]?.message?.content;
      if (text && !result.fault) sound.add(body);
      if (text !== undefined && !result.fault) result.body.usage = await meter.add(body, text);
      return result;
    },
    ...(options.batch ? { batch: options.batch } : {}),
  });
  /** Requests with a sound reply that was sent to its end: the times of each by its body. */
  const completed = () => {
    // What a batch asks is no request of its own.
    if (options.batch) return faulty.completed;
    const times = new Map();
    for (const { body, finishedAt } of server.requests) {
      if (!sound.has(body) || finishedAt === undefined) continue;
      const key = JSON.stringify(body);
      times.set(key, [...(times.get(key) ?? []), finishedAt]);
    }
    return times;
  };
  return { ...server, faulty, meter, completed };
}

function run(server, argv, { killAfter, env = {} } = {}) {
  const started = Date.now();
  const child = spawn(process.execPath, [MAIN, ...argv], {
    cwd: root,
    env: { ...process.env, OPENAI_BASE_URL: server.url, OPENAI_API_KEY: KEY, HF_HUB_OFFLINE: "1", ...env },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
  let killedAt;
  const timer =
    killAfter === undefined
      ? undefined
      : setTimeout(() => {
          killedAt = Date.now();
          child.kill("SIGKILL");
        }, killAfter);
  return new Promise((resolve) =>
    child.on("close", (code) => {
      clearTimeout(timer);
      shown += output;
      resolve({ code, output, killedAt, seconds: (Date.now() - started) / 1000 });
    }),
  );
}
async function succeeds(...args) {
  const ended = await run(...args);
  if (ended.code !== 0) throw new Error(`${args[1].join(" ")} ended with ${ended.code}:\n${ended.output}`);
  return ended;
}
const flagsOf = (settings) => Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);

function filesUnder(path) {
  return readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}
/** The data that a run writes, by name: all but its records and the store, whose lines come as the replies came. */
function dataOf(path) {
  const files = filesUnder(path).filter((file) => !/manifest|run-state|completions|batches|report|\.yaml$/.test(file));
  return Object.fromEntries(files.map((file) => [relative(path, file), hashText(readFileSync(file, "latin1"))]).sort());
}
const manifestOf = (path, stage) => JSON.parse(readFileSync(join(path, `manifest.${stage}.json`), "utf8"));
function lines(path) {
  return existsSync(path)
    ? readFileSync(path, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
    : [];
}
/** 600 different questions, each with its passage. */
async function writeQuestions(path, count = 600) {
  const rows = [...questionRows, ...moreRows].flatMap(({ questions, ...row }) =>
    questions.map((question) => ({ ...row, questions: [question] })),
  );
  const seen = new Set();
  const unique = rows.filter(({ questions: [question] }) => !seen.has(question) && seen.add(question)).slice(0, count);
  if (unique.length < count) throw new Error(`only ${unique.length} questions`);
  await writeJsonl(path, unique);
  return unique.map(({ questions: [question] }) => question);
}

const results = {};
const problems = [];
const check = (holds, what) => {
  if (!holds) problems.push(what);
};
const answerFlags = (name, more = {}) => [
  "gen-answers",
  ...flagsOf({
    dataset_w_q: at("train_w_q.jsonl"),
    save_dir: at(name),
    prompt_model: "gpt-4.1-mini",
    max_concurrency: CONCURRENCY,
    ...more,
  }),
];

const questions = await writeQuestions(at("train_w_q.jsonl"));

if (parts.includes("speed")) {
  const server = await startServer({ latencyMs: 2000 });
  const { seconds } = await succeeds(server, answerFlags("speed"));
  const ideal = (questions.length / CONCURRENCY) * 2;
  results.speed = { questions: questions.length, seconds, ideal_seconds: ideal, ratio: seconds / ideal };
  check(seconds < 1.5 * ideal, "slower than 1.5 times the ideal");
  await server.close();
  const faulty = await startServer({ latencyMs: 2000, rate: 0.05, kinds: PASSING });
  const again = await succeeds(faulty, answerFlags("speed-faults"));
  results.speed_with_5_percent_faults = {
    seconds: again.seconds,
    ratio: again.seconds / ideal,
    faults: faulty.faulty.faults,
  };
  check(again.seconds < 1.5 * ideal, "with 5 % faults slower than 1.5 times the ideal");
  await faulty.close();
}

if (parts.includes("faults")) {
  const server = await startServer({ latencyMs: 200, rate: 0.2 });
  const ended = await succeeds(server, answerFlags("faults", { request_timeout: 3 }));
  const answered = lines(at("faults", "train_w_qa.jsonl")).map((row) => row.question);
  const skipped = lines(at("faults", "skipped_questions.jsonl")).map((row) => row.question);
  const { requests } = manifestOf(at("faults"), "gen-answers");
  const left = Object.values(requests.left_out).reduce((sum, count) => sum + count, 0);
  const accounted = new Set([...answered, ...skipped]);
  results.faults = {
    seconds: ended.seconds,
    questions: questions.length,
    answered: answered.length,
    skipped: skipped.length,
    unaccounted: questions.filter((question) => !accounted.has(question)).length,
    injected: server.faulty.faults,
    tried_again: requests.tried_again,
    left_out: requests.left_out,
  };
  check(
    answered.length + skipped.length === questions.length && accounted.size === questions.length,
    "questions unaccounted for",
  );
  check(left === skipped.length, "counts and skipped questions differ");
  await server.close();
}

function writeConfig(name, { answers: answerModel = "gpt-4.1", extra = {}, test = false } = {}) {
  const path = at(`${name}.yaml`);
  const config = {
    name,
    work_dir: at(name),
    stages: [
      {
        stage: "gen-questions",
        with: {
          document_path: join(data, "faire.pkl"),
          prompt_model: "gpt-4.1-mini",
          num_train_data: 80,
          num_eval_test_data: 40,
          save_dir: at(name, "q"),
          ...extra,
        },
      },
      {
        stage: "gen-answers",
        with: { dataset_w_q: at(name, "q"), prompt_model: answerModel, save_dir: at(name, "a"), ...extra },
      },
      ...(test
        ? [
            {
              stage: "test-e2e",
              with: {
                qa_model_name_or_path: "openai:gpt-4o-mini",
                embedding_model_name_or_path: "data/models/tiny-encoder",
                document_path: join(data, "faire.pkl"),
                eval_data_path: at(name, "a/test_w_qa.jsonl"),
                output_dir: at(name, "t"),
                gen_gpt4eval: true,
                judge_model: "gpt-4o",
                ...extra,
              },
            },
          ]
        : []),
    ],
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

/** A reply that left the server so shortly before a kill may not have been read yet, on a machine that is busy. */
const LAST_MOMENT_MS = 100;

/** Kills a run at random moments, starts it again, and compares with a run that was left alone. */
async function killRounds(label, rounds, serverOptions, extra) {
  const whole = await startServer(serverOptions());
  const { seconds } = await succeeds(whole, ["run", writeConfig(`${label}-whole`, { extra })]);
  await whole.close();
  const expected = dataOf(at(`${label}-whole`));
  const result = {
    kills: 0,
    different: 0,
    completed: 0,
    repeated: 0,
    in_flight_at_the_kill: 0,
    completed_before_the_kill: [],
  };
  // A run that ended before its moment came does not count.
  for (let round = 0; result.kills < rounds && round < 4 * rounds; round++) {
    const name = `${label}-${round}`;
    const config = writeConfig(name, { extra });
    const server = await startServer(serverOptions());
    const first = await run(server, ["run", config], { killAfter: 250 + random.next() * (seconds * 1000 - 250) });
    const before = server.completed().size;
    const wasKilled = first.code === null;
    if (wasKilled) result.kills++;
    else if (first.code !== 0) throw new Error(first.output);
    if (wasKilled) await succeeds(server, ["run", config]);
    if (wasKilled) result.completed_before_the_kill.push(before);
    const got = dataOf(at(name));
    if (JSON.stringify(got) !== JSON.stringify(expected)) {
      result.different++;
      const names = [...new Set([...Object.keys(got), ...Object.keys(expected)])];
      console.error(`${name} differs in ${names.filter((file) => got[file] !== expected[file]).join(", ")}`);
    }
    for (const times of server.completed().values()) {
      result.completed++;
      if (times.length < 2) continue;
      if (wasKilled && times[0] > first.killedAt - LAST_MOMENT_MS) result.in_flight_at_the_kill++;
      else result.repeated++;
    }
    await server.close();
    rmSync(at(name), { recursive: true });
  }
  check(result.kills === rounds, `${label}: not every run could be killed`);
  check(result.different === 0, `${label}: data differ after a kill`);
  check(result.repeated === 0, `${label}: completed requests were repeated`);
  return result;
}

if (parts.includes("kills")) {
  const options = () => ({ latencyMs: 60, rate: 0.1, kinds: PASSING, retryAfterSeconds: 0 });
  results.kills = await killRounds("kills", Number(flags.kills), options, { max_concurrency: 8 });
}

if (parts.includes("batch")) {
  const options = () => ({ latencyMs: 0, batch: { looks: 2 } });
  results.batch = await killRounds("batch", Math.min(6, Number(flags.kills)), options, { batch: true });
  const plain = await startServer();
  await succeeds(plain, ["run", writeConfig("plain")]);
  await plain.close();
  results.batch.same_data_as_without =
    JSON.stringify(dataOf(at("plain"))) === JSON.stringify(dataOf(at("batch-whole")));
  check(results.batch.same_data_as_without, "a batch gives other data than single requests");
}

if (parts.includes("bill")) {
  const server = await startServer();
  const config = writeConfig("bill", { test: true });
  const { output } = await succeeds(server, ["run", config, "--dry_run"]);
  check(server.requests.length === 0, "a dry run sent requests");
  const planned = Object.fromEntries(
    [...output.matchAll(/^\S+ +(questions|answers|judge) +(\S+) +(\d+) +\d+ +(\d+) +(\d+) +(\d+\.\d+)$/gm)].map(
      ([, , model, requests, prompt, completion, usd]) => [
        model,
        { requests: +requests, prompt: +prompt, completion: +completion, usd: +usd },
      ],
    ),
  );
  await succeeds(server, ["run", config]);
  const prices = await readPrices();
  results.bill = {};
  let [plannedSum, billedSum, recorded] = [0, 0, 0];
  for (const [model, usage] of Object.entries(server.meter.usage)) {
    const billed = costOf(prices.of(model), usage);
    const plan = planned[model]?.usd ?? 0;
    results.bill[model] = { planned_usd: plan, billed_usd: billed, error: plan / billed - 1 };
    check(Math.abs(plan / billed - 1) < 0.15, `${model}: the dry run is off by more than 15 %`);
    plannedSum += plan;
    billedSum += billed;
  }
  for (const [path, stage] of [
    ["q", "gen-questions"],
    ["a", "gen-answers"],
    ["t", "test-e2e"],
  ])
    recorded += manifestOf(at("bill", path), stage).requests.cost.cost_usd;
  results.bill.total = {
    planned_usd: plannedSum,
    billed_usd: billedSum,
    recorded_usd: recorded,
    error: plannedSum / billedSum - 1,
  };
  check(Math.abs(recorded - billedSum) < 1e-9, "the record's cost is not what was billed");
  await server.close();
}

if (parts.includes("cap")) {
  const server = await startServer({ latencyMs: 20, rate: 0.1, kinds: PASSING, retryAfterSeconds: 0 });
  const price = (await readPrices()).of("gpt-4.1-mini");
  results.cap = [];
  for (const cap of [0.005, 0.02, 0.02, 0.05, 0.08]) {
    const { code, output } = await run(server, answerFlags("cap", { max_cost: cap }));
    const billed = costOf(price, server.meter.usage["gpt-4.1-mini"]);
    results.cap.push({ cap, code, billed_usd: billed });
    check(billed <= cap, `the cap of ${cap} was passed`);
    check(code === 2 && /--max_cost/.test(output), `a run stopped by the cap of ${cap} ended with ${code}`);
  }
  await succeeds(server, answerFlags("cap", { max_cost: 100 }));
  const repeated = [...server.completed().values()].filter((times) => times.length > 1).length;
  results.cap.push({ cap: 100, code: 0, billed_usd: costOf(price, server.meter.usage["gpt-4.1-mini"]), repeated });
  check(repeated === 0, "requests were repeated after a cap");
  await server.close();
}

// A server that refuses the key repeats it, as some do; then all that was ever written or shown is searched for it.
const strict = await startOpenAiServer({ apiKey: "another", reply });
const refused = await run(strict, answerFlags("refused"));
check(refused.code === 2, "a refused key did not end the run at once");
await strict.close();
const found = filesUnder(folder).filter((file) => readFileSync(file, "latin1").includes(KEY));
results.secrets = {
  requests_with_a_refused_key: strict.requests.length,
  files_with_the_key: found.length,
  shown: shown.includes(KEY),
};
check(found.length === 0 && !shown.includes(KEY), "the key shows");

rmSync(folder, { recursive: true });
for (const problem of problems) console.error(`NOT HELD: ${problem}`);
console.log(JSON.stringify({ bench: "faults", ...results, held: problems.length === 0 }));
process.exitCode = problems.length === 0 ? 0 : 1;
