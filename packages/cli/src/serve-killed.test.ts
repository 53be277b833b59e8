import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createDocument, writeJsonl } from "@rag-ft/core";
import { type OpenAiServer, startOpenAiServer } from "@rag-ft/test-utils";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ENCODER } from "./testing/flow-flags.js";

// The built binary in processes of its own, which are really killed while they write.

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const MAIN = join(ROOT, "packages/cli/dist/main.js");
const KILL = fileURLToPath(new URL("testing/kill-at.mjs", import.meta.url));

let folder: string;
let model: OpenAiServer;
beforeAll(async () => {
  const build = spawnSync(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-b", "packages/cli"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  expect(build.status, build.stdout + build.stderr).toBe(0);
  folder = await mkdtemp(join(tmpdir(), "rag-ft-killed-"));
  const documents = ["timeout", "proxy", "cookies", "streaming"].map((topic) =>
    createDocument(`The option called ${topic} controls ${topic} of a request.`, { source: `${topic}.md` }),
  );
  await writeJsonl(join(folder, "documents.jsonl"), documents);
  model = await startOpenAiServer({ reply: () => "It controls it." });
}, 180_000);
afterAll(async () => {
  await model.close();
  await rm(folder, { recursive: true });
});

interface Served {
  child: ChildProcess;
  /** Ends in a slash. */
  address: string;
  ended: Promise<NodeJS.Signals | null>;
}

function start(args: readonly string[], killAt: string | undefined): ChildProcess {
  const watched = killAt === undefined ? [] : ["--import", KILL];
  return spawn(process.execPath, [...watched, MAIN, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      OPENAI_BASE_URL: model.url,
      HF_HUB_OFFLINE: "1",
      ...(killAt === undefined ? {} : { KILL_UNDER: folder, KILL_AT: killAt }),
    },
  });
}

const endOf = (child: ChildProcess): Promise<NodeJS.Signals | null> =>
  new Promise((resolve) => {
    child.once("exit", (_, signal) => resolve(signal));
  });

async function serve(name: string, killAt?: string): Promise<Served> {
  const settings = {
    document_path: join(folder, "documents.jsonl"),
    qa_model_name_or_path: "openai:a-model",
    embedding_model_name_or_path: ENCODER,
    turns_file: join(folder, name),
    index_path: join(folder, "index"),
    port: "0",
  };
  const child = start(["serve", ...Object.entries(settings).flatMap(([key, value]) => [`--${key}`, value])], killAt);
  const ended = endOf(child);
  let log = "";
  const address = await new Promise<string>((found, failed) => {
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on("line", (line) => {
      log += `${line}\n`;
      const match = /chat: (\S+)/.exec(line);
      if (match?.[1]) found(match[1]);
    });
    void ended.then((signal) => failed(new Error(`serve ended (${signal}):\n${log}`)));
  });
  return { child, address, ended };
}

async function post(address: string, path: string, body: object): Promise<Record<string, unknown>> {
  const response = await fetch(`${address}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as Record<string, unknown>;
}

/** Asks and votes; resolves when the server has said that the vote is kept. */
async function vote({ address }: Served): Promise<unknown> {
  const messages = [{ role: "user", content: "What does proxy control?" }];
  const { id } = await post(address, "v1/chat/completions", { model: "rag-ft", messages });
  await post(address, "v1/votes", { id, vote: "up" });
  return id;
}

it("killed in the middle of a line of the log, serve has lost no vote that it said was kept, and goes on", async () => {
  const kept: unknown[] = [];
  const first = await serve("turns.jsonl");
  kept.push(await vote(first), await vote(first));
  first.child.kill("SIGKILL");
  expect(await first.ended).toBe("SIGKILL");
  const second = await serve("turns.jsonl", "^write turns\\.jsonl$");
  await expect(vote(second)).rejects.toThrow();
  expect(await second.ended).toBe("SIGKILL");
  // Half a line is there.
  const text = await readFile(join(folder, "turns.jsonl"), "utf8");
  expect(text.endsWith("\n")).toBe(false);
  const third = await serve("turns.jsonl");
  kept.push(await vote(third));
  third.child.kill("SIGKILL");
  await third.ended;
  const lines = (await readFile(join(folder, "turns.jsonl"), "utf8")).trimEnd().split("\n");
  const rows = lines.map((line) => JSON.parse(line) as { kind: string; id: string });
  expect(rows.filter(({ kind }) => kind === "turn").map(({ id }) => id)).toEqual(kept);
  expect(rows.filter(({ kind }) => kind === "vote").map(({ id }) => id)).toEqual(kept);
});

it("killed while it writes the index, it embeds and finds the same when it is started again", async () => {
  const whole = await serve("a.jsonl");
  const search = { query: "What does proxy control?", limit: 3 };
  const found = await post(whole.address, "v1/search", search);
  whole.child.kill("SIGKILL");
  await whole.ended;
  for (const moment of ["^(write|writeFile) index", "^rename index"]) {
    await rm(join(folder, "index"), { recursive: true, force: true });
    await expect(serve("a.jsonl", moment)).rejects.toThrow("SIGKILL");
    const again = await serve("a.jsonl");
    expect(await post(again.address, "v1/search", search)).toEqual(found);
    again.child.kill("SIGKILL");
    await again.ended;
  }
});
