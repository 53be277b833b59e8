import { spawn, spawnSync } from "node:child_process";
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDocument, createRandom, hashText, writeJsonl } from "@rag-ft/core";
import { startOpenAiServer } from "@rag-ft/test-utils";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { argvOf, type Flags } from "./testing/argv-of.js";
import { DECODER, ENCODER } from "./testing/flow-flags.js";
import { hashFolder, readFolder } from "./testing/hash-folder.js";

// The built binary in processes of its own, which are really killed.

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const MAIN = join(ROOT, "packages/cli/dist/main.js");
const KILL = fileURLToPath(new URL("testing/kill-at.mjs", import.meta.url));
/** Every moment and many random ones, an hour: RAG_FT_SLOW_TESTS=1. */
const SLOW = Boolean(process.env.RAG_FT_SLOW_TESTS);
const TIMEOUT = { timeout: SLOW ? 3_600_000 : 120_000 };

let folder: string;
const at = (...names: string[]): string => join(folder, ...names);

beforeAll(async () => {
  // Nothing to do, within a moment, when the build is up to date.
  const build = spawnSync(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-b", "packages/cli"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  expect(build.status, build.stdout + build.stderr).toBe(0);
  folder = await mkdtemp(join(tmpdir(), "rag-ft-interruptions-"));
  const topics = ["timeout", "retries", "proxy", "cookies", "streaming", "headers"];
  const documents = topics.map((topic) =>
    createDocument(`The option called ${topic} controls ${topic} of a request.`, { source: `${topic}.md` }),
  );
  const rows = documents.map((document, i) => ({
    gold_docs: [document],
    hard_neg_docs: [documents[(i + 1) % documents.length]],
    chat_history: [],
  }));
  await writeJsonl(at("documents.jsonl"), documents);
  const questions = (i: number): string[] => [`What is feature number ${i}?`, `Explain feature ${i} to me?`];
  await writeJsonl(
    at("q.jsonl"),
    rows.map((row, i) => ({ ...row, questions: questions(i) })),
  );
  await writeJsonl(
    at("qa.jsonl"),
    rows.map((row, i) => ({ ...row, question: questions(i)[0], gold_answer: `It controls ${topics[i]}.` })),
  );
}, 180_000);
afterAll(() => rm(folder, { recursive: true }));

/** Hard negatives, dropout, accumulation and logs that do not fall together with evaluations, so that each has to be taken up in the middle. */
const retriever = (output: string): string[] =>
  argvOf("train-retriever", {
    model_path: ENCODER,
    full_dataset_file_path: at("documents.jsonl"),
    train_file: at("q.jsonl"),
    eval_file: at("q.jsonl"),
    test_file: at("q.jsonl"),
    output_dir: at(output),
    per_device_train_batch_size: 3,
    gradient_accumulation_steps: 2,
    hard_neg_ratio: 0.7,
    dropout: 0.1,
    max_steps: 5,
    eval_steps: 2,
    logging_steps: 3,
    learning_rate: 3e-3,
    metric_for_best_model: "eval_retr/mrr",
    interpolate: 0.5,
  });

const generator = (output: string, more: Flags = {}): string[] =>
  argvOf("train-generator", {
    model_name_or_path: DECODER,
    embedding_model: ENCODER,
    embedding_max_num_to_retrieve: 1,
    full_dataset_file_path: at("documents.jsonl"),
    train_file: at("qa.jsonl"),
    eval_file: at("qa.jsonl"),
    test_file: at("qa.jsonl"),
    output_dir: at(output),
    per_device_train_batch_size: 2,
    max_steps: 4,
    eval_steps: 2,
    logging_steps: 3,
    learning_rate: 1e-3,
    ...more,
  });

interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

interface RunOptions {
  /** The folder whose changes count for `killAt`. */
  output?: string;
  /** Number or name of the change of the disk at which the process is killed. */
  killAt?: string;
  /** File for the names of all changes. */
  log?: string;
  env?: Record<string, string>;
  /** Called once the process runs; may kill it. */
  onStart?: (kill: (signal: NodeJS.Signals) => void) => Promise<void>;
  /** Called with each piece of stderr; may send a signal. */
  onStderr?: (text: string, send: (signal: NodeJS.Signals) => void) => void;
  /** Milliseconds after which it is killed. */
  killAfter?: number;
}

function run(argv: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { output, killAt, log, onStderr, onStart, killAfter } = options;
  const watched = output === undefined ? [] : ["--import", KILL];
  const child = spawn(process.execPath, [...watched, MAIN, ...argv], {
    env: {
      ...process.env,
      HF_HUB_OFFLINE: "1",
      ...(output === undefined ? {} : { KILL_UNDER: at(output) }),
      ...(killAt === undefined ? {} : { KILL_AT: killAt }),
      ...(log === undefined ? {} : { KILL_LOG: log }),
      ...options.env,
    },
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (text) => {
    stdout += text;
  });
  child.stderr.on("data", (text) => {
    stderr += text;
    onStderr?.(stderr, (signal) => child.kill(signal));
  });
  const started = onStart?.((signal) => child.kill(signal));
  const timer = killAfter === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), killAfter);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      Promise.resolve(started).then(() => resolve({ code, signal, stdout, stderr }), reject);
    });
  });
}

async function succeeds(argv: readonly string[], options?: RunOptions): Promise<void> {
  const { code, stderr } = await run(argv, options);
  expect(code, stderr).toBe(0);
}

async function isKilled(argv: readonly string[], output: string, killAt: string): Promise<void> {
  const { code, signal, stderr } = await run(argv, { output, killAt });
  expect({ code, signal }, `${killAt}: ${stderr}`).toEqual({ code: null, signal: "SIGKILL" });
}

/** All files of a finished run by their hash; logs without timings and memory, and without the record, which tells the time. */
async function resultOf(output: string): Promise<Record<string, unknown>> {
  const files = await readFolder(at(output));
  const entries = [...files].map(([path, bytes]) => {
    if (!/^(train|eval)\.jsonl$/.test(path)) return [path, hashText(bytes.toString("latin1"))];
    const lines = bytes.toString().trim().split("\n");
    return [
      path,
      lines.map((line) => {
        const { examples_per_s: _, tokens_per_s: __, peak_rss_mb: ___, ...rest } = JSON.parse(line);
        return rest;
      }),
    ];
  });
  return Object.fromEntries(entries.filter(([path]) => !String(path).startsWith("manifest.")));
}

let whole: Promise<Record<string, unknown>> | undefined;
/** The result of train-retriever left in peace. */
function uninterrupted(): Promise<Record<string, unknown>> {
  whole ??= succeeds(retriever("whole")).then(() => resultOf("whole"));
  return whole;
}

describe("killed with SIGKILL and started again, a run ends with the same bits", () => {
  it("train-retriever, through every stage of a run", TIMEOUT, async () => {
    const expected = await uninterrupted();
    // A checkpoint beat the base: all stages of a run are there.
    expect(Object.keys(expected).join()).toMatch(/checkpoint-[1-5]\/model\.safetensors/);

    // One after the other, each process begins where the one before was killed.
    for (const moment of [
      "appendFile eval.jsonl", // half a line about the base; there is no checkpoint yet
      "write .*checkpoint-2.*/\\.second_moments", // in the middle of a checkpoint
      "appendFile train.jsonl", // half a line of the log, in the middle of an epoch
      "rename .*checkpoint-4\\S*tmp checkpoint-4$", // whole, but not yet in its place
      "rename checkpoint-\\d \\.checkpoint", // a new one is there, an old one too
      "link .*model\\.safetensors", // training is done, the model only half in its place
      "rename .*choice\\.json", // weights between base and tuned were weighed, which is not yet written
      "rm checkpoint-\\d/\\.trainer_state", // all is done but for cleaning up
    ]) {
      await isKilled(retriever("killed"), "killed", moment);
    }
    await succeeds(retriever("killed"));
    expect(await resultOf("killed")).toEqual(expected);
  });

  it.each([
    ["train-retriever", retriever],
    ["train-generator", generator],
  ])("%s, between the end of its training and its last record, without training again", TIMEOUT, async (name, argv) => {
    const output = `unrecorded ${name}`;
    // Speed and memory of each step: another training would not have the same.
    const logs = (): Promise<string[]> =>
      Promise.all(["train.jsonl", "eval.jsonl"].map((log) => readFile(at(output, log), "utf8")));
    await isKilled(argv(output), output, "rename .*unrecorded-result\\.json");
    const trained = await logs();
    for (const moment of [
      "rm checkpoint-\\d/\\.trainer_state", // the result is kept, the state is not yet away
      "write .*manifest", // nothing to go on from but the result
      "rename .*manifest", // once more, right before the record is there
      "rm unrecorded-result\\.json", // the record is there
    ]) {
      await isKilled(argv(output), output, moment);
      expect(await logs(), moment).toEqual(trained);
    }
    await succeeds(argv(output));
    expect(await logs()).toEqual(trained);
    const names = [...(await readFolder(at(output))).keys()];
    expect(names.filter((file) => /unrecorded|trainer_state|\.tmp/.test(file))).toEqual([]);
    expect(names).toContain(`manifest.${name}.json`);
  });

  it.each([
    ["all weights", {}],
    ["adapters", { lora_r: 2 }],
    ["adapters on a base in 16 bits", { lora_r: 2, base_dtype: "bf16" }],
  ])("train-generator, %s", TIMEOUT, async (name, flags) => {
    const killed = `killed ${name}`;
    await succeeds(generator(name, flags));
    await isKilled(generator(killed, flags), killed, "appendFile train.jsonl");
    await succeeds(generator(killed, flags));
    expect(await resultOf(killed)).toEqual(await resultOf(name));
  });
});

describe("--do_train false", () => {
  it.each([
    ["train-retriever", retriever],
    ["train-generator", generator],
  ])(
    "of %s leaves a trained folder as it is, to the bit, and writes its figures beside it",
    TIMEOUT,
    async (name, argv) => {
      const output = `measured ${name}`;
      await succeeds(argv(output));
      const before = await hashFolder(at(output));
      const { code, stderr, stdout } = await run([...argv(output), "--do_train", "false"]);
      expect(code, stderr).toBe(0);
      expect(await hashFolder(at(output))).toEqual(before);
      expect(stderr).toContain("holds a training, which stays as it is");
      expect(stdout).toMatch(/^eval +base/m);
      const beside = [...(await readFolder(at(`${output}-evaluation`))).keys()];
      expect(beside).toEqual(["eval.jsonl", `manifest.${name}.json`, "test.json"]);
    },
  );
});

describe("gen-answers", () => {
  const answer = (output: string): string[] =>
    argvOf("gen-answers", {
      dataset_w_q: at("q.jsonl"),
      save_dir: at(output),
      save_name: "a_w_qa",
      prompt_model: "gpt-4.1-mini",
      max_concurrency: 2,
    });

  it(
    "killed while it asks and while it writes, asks nothing twice that was answered, and ends with the same bytes",
    TIMEOUT,
    async () => {
      const times = new Map<string, number>();
      let hold: Promise<void> | undefined;
      const server = await startOpenAiServer({
        async reply({ messages }) {
          const content = messages.at(-1)?.content ?? "";
          if (times.size >= 5) await hold;
          times.set(content, (times.get(content) ?? 0) + 1);
          return `About ${hashText(content).slice(0, 8)}.`;
        },
      });
      const env = { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: "sk-interrupted-123456" };
      const data = async (output: string): Promise<string[]> =>
        Promise.all(["a_w_qa.jsonl", "a_w_a.jsonl"].map((name) => readFile(at(output, name), "utf8")));
      try {
        await succeeds(answer("left alone"), { env });
        const asked = times.size;
        times.clear();
        // The sixth answer never comes: the process is killed once the first five are stored.
        hold = new Promise(() => {});
        const store = at("killed answers", "completions.jsonl");
        const stored = async (): Promise<number> =>
          (await readFile(store, "utf8").catch(() => "")).split("\n").length - 1;
        const killed = await run(answer("killed answers"), {
          env,
          async onStart(kill) {
            while ((await stored()) < 5) await new Promise((resolve) => setTimeout(resolve, 10));
            kill("SIGKILL");
          },
        });
        expect(killed.signal, killed.stderr).toBe("SIGKILL");
        await appendFile(store, '{"key":"half a li');
        hold = undefined;
        const inWrite = await run(answer("killed answers"), {
          env,
          output: "killed answers",
          killAt: "write .*a_w_qa",
        });
        expect(inWrite.signal, inWrite.stderr).toBe("SIGKILL");
        await succeeds(answer("killed answers"), { env });
        expect(await data("killed answers")).toEqual(await data("left alone"));
        expect([...times.values()]).toEqual(Array.from({ length: asked }, () => 1));
        expect((await readFolder(at("killed answers"))).size).toBe((await readFolder(at("left alone"))).size);
      } finally {
        await server.close();
      }
    },
  );
});

describe("stopped with Ctrl-C", () => {
  it("rag-ft run ends with 130 and says how to go on; the next run does", TIMEOUT, async () => {
    const config = at("run.yaml");
    const [stage, ...flags] = retriever("piped");
    const settings = flags.flatMap((flag, i) => (i % 2 === 0 ? [`${flag.slice(2)}: ${flags[i + 1]}`] : []));
    await writeFile(
      config,
      `name: stopped\nwork_dir: ${at("work")}\nstages:\n  - stage: ${stage}\n    with: { ${settings.join(", ")} }\n`,
    );
    let sent = false;
    const stopped = await run(["run", config], {
      onStderr(text, send) {
        if (!sent && text.includes("step 2:")) send("SIGINT");
        sent ||= text.includes("step 2:");
      },
    });
    expect(stopped.code, stopped.stderr).toBe(130);
    expect(stopped.stderr).toContain("stopping at the next safe point");
    expect(stopped.stderr).toMatch(
      /error: Stopped on request after step [234] of 5, kept in .*checkpoint-[234]\. The same command goes on from there\./,
    );
    const second = await run(["run", config]);
    expect(second.code, second.stderr).toBe(0);
    expect(second.stderr).toMatch(/checkpoint-[234]: going on after step [234] of 5/);
    expect(await resultOf("piped")).toEqual(await uninterrupted());
    expect((await run(["run", config])).stdout).toMatch(/train-retriever +done already/);
  });
});

describe.skipIf(!SLOW)("at every moment (RAG_FT_SLOW_TESTS)", () => {
  it.each([
    ["train-retriever", retriever],
    ["train-generator", generator],
    ["train-generator with adapters", (output: string) => generator(output, { lora_r: 2 })],
  ])("%s, killed before each change of the disk and in each write", TIMEOUT, async (name, argv) => {
    const whole = `${name} whole`;
    const log = at(`${name}.log`);
    await succeeds(argv(whole), { output: whole, log });
    const expected = await resultOf(whole);
    const changes = (await readFile(log, "utf8")).trim().split("\n");
    console.log(`${name}: ${changes.length} moments`);
    for (const [i, change] of changes.entries()) {
      const output = `${name} ${i}`;
      await isKilled(argv(output), output, String(i + 1));
      await succeeds(argv(output));
      expect(await resultOf(output), `killed at ${change}`).toEqual(expected);
      await rm(at(output), { recursive: true });
      console.log(`${name}: ${i + 1} of ${changes.length} passed, ${change}`);
    }
  });

  it("train-retriever, killed again and again after random times", TIMEOUT, async () => {
    const expected = await uninterrupted();
    const random = createRandom(1);
    for (let round = 0; round < 10; round++) {
      const output = `impatient ${round}`;
      let kills = 0;
      for (;;) {
        const { code, signal, stderr } = await run(retriever(output), {
          killAfter: 400 + random.integer(2500) + 100 * kills,
        });
        if (code === 0) break;
        expect(signal, stderr).toBe("SIGKILL");
        kills++;
      }
      console.log(`round ${round}: ${kills} kills`);
      expect(await resultOf(output)).toEqual(expected);
    }
  });
});
