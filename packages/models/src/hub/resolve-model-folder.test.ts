import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { lstat, mkdir, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CancelledError, DataError, type Reporter, silentReporter, UserError } from "@rag-ft/core";
import { type HubServer, startHubServer } from "@rag-ft/test-utils";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadTokenizer } from "../tokenizer/load-tokenizer.js";
import { loadWeights } from "../weights/load-weights.js";
import { writeSafetensors } from "../weights/write-safetensors.js";
import { hubCacheFolder } from "./hub-cache.js";
import { type ResolveModelOptions, resolveModelFolder } from "./resolve-model-folder.js";

const root = mkdtempSync(join(tmpdir(), "hub-"));
afterAll(() => rmSync(root, { recursive: true }));

const TOKEN = "hf_testtoken123456";
const tokenizer = join(import.meta.dirname, "..", "tokenizer", "fixtures", "word-piece");
const python = join(import.meta.dirname, "..", "weights", "fixtures", "python.safetensors");

/** Weights large enough to come in several chunks. */
const values = Float32Array.from({ length: 300_000 }, (_, i) => Math.fround(Math.sin(i)));
const tensor = { shape: [300, 1000], data: values };

async function weightsFile(name: string, dtype: "F32" | "F16"): Promise<Buffer> {
  const path = join(root, `${name}.${dtype}`);
  await writeSafetensors(path, [[name, tensor]], { dtype });
  return readFile(path);
}

let server: HubServer;
let folder: string;
let made = 0;

/** Compared as bytes: element by element takes seconds. */
async function expectWeights(snapshot: string): Promise<void> {
  const read = (await loadWeights(snapshot)).get("x");
  expect(read?.shape).toEqual(tensor.shape);
  const bytes = new Uint8Array(read?.data.buffer ?? new ArrayBuffer(0));
  expect(Buffer.compare(bytes, new Uint8Array(values.buffer))).toBe(0);
}

async function startServer(): Promise<HubServer> {
  const common = {
    "config.json": '{"model_type": "bert"}',
    "tokenizer.json": await readFile(join(tokenizer, "tokenizer.json")),
    "tokenizer_config.json": await readFile(join(tokenizer, "tokenizer_config.json")),
  };
  const shards = { x: "model-00001-of-00002.safetensors", y: "model-00002-of-00002.safetensors" };
  const single = await weightsFile("x", "F32");
  return startHubServer({
    token: TOKEN,
    models: {
      "org/encoder": {
        files: {
          ...common,
          "README.md": "# not needed",
          "modules.json": "[]",
          "1_Pooling/config.json": '{"pooling_mode": "mean"}',
          "model.safetensors": single,
          "pytorch_model.bin": "a pickle",
          "onnx/model.onnx": "a graph",
          "consolidated.safetensors": "the weights again",
        },
        revisions: {
          v2: { ...common, "config.json": '{"model_type": "v2"}', "model.safetensors": await readFile(python) },
        },
      },
      "org/decoder": {
        files: {
          ...common,
          "generation_config.json": "{}",
          "model.safetensors.index.json": JSON.stringify({ metadata: {}, weight_map: shards }),
          [shards.x]: single,
          [shards.y]: await weightsFile("y", "F16"),
        },
      },
      "org/private": { access: "private", files: { ...common, "model.safetensors": single } },
      "org/gated": { access: "gated", files: { ...common, "model.safetensors": single } },
      "org/pickled": { files: { ...common, "pytorch_model.bin": "a pickle" } },
    },
  });
}

beforeEach(async () => {
  server = await startServer();
  folder = join(root, `cache-${made++}`);
});
afterEach(() => server.close());

const options = (more: Partial<ResolveModelOptions> = {}): ResolveModelOptions => ({
  reporter: silentReporter,
  files: "all",
  retryDelay: 1,
  ...more,
  env: { HF_ENDPOINT: server.url, HF_HUB_CACHE: folder, ...more.env },
});

const filesAsked = (): string[] =>
  server.requests
    .filter(({ path }) => path.includes("/resolve/"))
    .map(({ path }) => path.replace(/^.*\/resolve\/\w+\//, ""));

describe("a folder", () => {
  it("is returned as it is, absolute, without asking the hub", async () => {
    expect(await resolveModelFolder(tokenizer, options())).toBe(tokenizer);
    expect(server.requests).toEqual([]);
  });

  it.each([
    "./models/none",
    "/none/at/all",
    "../rag-ft-none",
    "~/rag-ft-none/x",
    "data/models/none",
    "C:\\models",
    "a/b/",
  ])("%s that does not exist is an error, not a hub name", async (path) => {
    await expect(resolveModelFolder(path, options())).rejects.toThrow(UserError);
    await expect(resolveModelFolder(path, options())).rejects.toThrow(/no such folder/);
    expect(server.requests).toEqual([]);
  });

  it("a file is no model", async () => {
    await expect(resolveModelFolder(python, options())).rejects.toThrow(/found a file/);
  });
});

describe("a hub name", () => {
  it("is downloaded once, only what is needed, into Python's cache layout", async () => {
    const snapshot = await resolveModelFolder("org/encoder", options());
    const commit = server.commit("org/encoder");
    expect(snapshot).toBe(join(folder, "models--org--encoder", "snapshots", commit));
    expect((await readdir(snapshot, { recursive: true })).sort()).toEqual([
      "1_Pooling",
      "1_Pooling/config.json",
      "config.json",
      "model.safetensors",
      "modules.json",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    expect(await readFile(join(folder, "models--org--encoder", "refs", "main"), "utf8")).toBe(commit);
    const sha256 = createHash("sha256")
      .update(await weightsFile("x", "F32"))
      .digest("hex");
    expect((await lstat(join(snapshot, "model.safetensors"))).isSymbolicLink()).toBe(true);
    expect(await readlink(join(snapshot, "model.safetensors"))).toBe(`../../blobs/${sha256}`);
    expect(await readlink(join(snapshot, "1_Pooling", "config.json"))).toMatch(
      /^\.\.\/\.\.\/\.\.\/blobs\/[0-9a-f]{40}$/,
    );
    await expectWeights(snapshot);
    expect((await loadTokenizer(snapshot)).modelMaxLength).toBe(512);

    const before = filesAsked().length;
    expect(await resolveModelFolder("org/encoder", options())).toBe(snapshot);
    expect(filesAsked()).toHaveLength(before);
  });

  it("gets no weights when only the tokenizer is wanted, and the rest later", async () => {
    const snapshot = await resolveModelFolder("org/encoder", options({ files: "tokenizer" }));
    expect((await readdir(snapshot)).sort()).toEqual(["config.json", "tokenizer.json", "tokenizer_config.json"]);
    await resolveModelFolder("org/encoder", options());
    expect(filesAsked().filter((path) => path === "tokenizer.json")).toHaveLength(1);
    expect((await loadWeights(snapshot)).size).toBe(1);
  });

  it("brings all parts of a sharded model, F32 and F16", async () => {
    const snapshot = await resolveModelFolder("org/decoder", options());
    await expectWeights(snapshot);
    const weights = await loadWeights(snapshot);
    expect([...weights.keys()].sort()).toEqual(["x", "y"]);
    const half = weights.get("y")?.data ?? new Float32Array();
    expect(half).toHaveLength(values.length);
    expect(half.every((value, i) => Math.abs(value - (values[i] ?? 0)) < 1e-3)).toBe(true);
  });

  it("takes a revision by name or commit, and asks for a commit's files once", async () => {
    const snapshot = await resolveModelFolder("org/encoder@v2", options());
    expect(await readFile(join(snapshot, "config.json"), "utf8")).toContain("v2");
    expect((await loadWeights(snapshot)).has("bfloat16")).toBe(true);
    const before = server.requests.length;
    expect(await resolveModelFolder(`org/encoder@${server.commit("org/encoder", "v2")}`, options())).toBe(snapshot);
    expect(server.requests).toHaveLength(before);
    await expect(resolveModelFolder("org/encoder@v9", options())).rejects.toThrow(
      /org\/encoder@v9: no such model or revision/,
    );
    await expect(resolveModelFolder("org/encoder@a/b", options())).rejects.toThrow(/branch, tag or commit after the @/);
  });

  it("shows progress up to the total", async () => {
    const seen: number[] = [];
    let total = 0;
    const reporter: Reporter = {
      ...silentReporter,
      start(_, all) {
        total = all;
        return { update: (done) => void seen.push(done), stop() {} };
      },
    };
    await resolveModelFolder("org/encoder", options({ reporter }));
    expect(total).toBe(2);
    expect(seen.at(-1)).toBe(total);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });
});

describe("a broken download", () => {
  const ranges = (): (string | undefined)[] =>
    server.requests.filter(({ path }) => path.startsWith("/lfs/")).map(({ range }) => range);

  it("goes on where it stopped", async () => {
    server.cutBodies(500_000, 2);
    const snapshot = await resolveModelFolder("org/encoder", options());
    await expectWeights(snapshot);
    const [first, second, third, ...more] = ranges();
    expect(first).toBeUndefined();
    expect(second).toMatch(/^bytes=[1-9]\d+-$/);
    expect(third).toMatch(/^bytes=[1-9]\d+-$/);
    expect(more).toEqual([]);
  });

  it("is taken up by a later run", async () => {
    const sha256 = createHash("sha256")
      .update(await weightsFile("x", "F32"))
      .digest("hex");
    const partial = join(folder, "models--org--encoder", "blobs", `${sha256}.incomplete`);
    await mkdir(join(partial, ".."), { recursive: true });
    await writeFile(partial, (await weightsFile("x", "F32")).subarray(0, 700_000));
    await resolveModelFolder("org/encoder", options());
    expect(ranges()).toEqual(["bytes=700000-"]);
    expect(await stat(partial).catch(() => "gone")).toBe("gone");
  });

  it("starts over when the server sends no ranges, or the earlier part is not of this file", async () => {
    server.ignoreRanges();
    server.cutBodies(500_000, 1);
    await expectWeights(await resolveModelFolder("org/encoder", options()));
    const [blob] = (await readdir(join(folder, "models--org--encoder", "blobs"))).filter((name) => name.length === 64);
    const path = join(folder, "models--org--encoder", "blobs", blob ?? "");
    await rm(path);
    await writeFile(`${path}.incomplete`, Buffer.alloc(1000));
    await server.close();
    server = await startServer();
    await expectWeights(await resolveModelFolder("org/encoder", options()));
    expect(ranges()).toEqual(["bytes=1000-", undefined]);
  });

  it("waits for a server that is busy", async () => {
    server.failFiles(503, 2);
    await resolveModelFolder("org/encoder", options({ files: "tokenizer" }));
    expect(filesAsked()).toHaveLength(5);
  });

  it("gives up after several attempts without a byte, and keeps what is there", async () => {
    await resolveModelFolder("org/encoder", options({ files: "tokenizer" }));
    server.cutBodies(0, 100);
    const sha256 = createHash("sha256")
      .update(await weightsFile("x", "F32"))
      .digest("hex");
    const partial = join(folder, "models--org--encoder", "blobs", `${sha256}.incomplete`);
    await writeFile(partial, (await weightsFile("x", "F32")).subarray(0, 1000));
    await rm(join(folder, "models--org--encoder", "refs"), { recursive: true });
    const attempt = resolveModelFolder("org/encoder", options());
    await expect(attempt).rejects.toThrow(UserError);
    await expect(attempt).rejects.toThrow(/stopped at (0|1000) of \d+ bytes .*What is there is kept/);
    // A run that failed does not claim to have the revision.
    expect(await readdir(join(folder, "models--org--encoder"))).not.toContain("refs");
  });

  it("is refused when the content is not what was listed", async () => {
    server.tamper("model.safetensors");
    const attempt = resolveModelFolder("org/encoder", options());
    await expect(attempt).rejects.toThrow(DataError);
    await expect(attempt).rejects.toThrow(/model\.safetensors: the content's hash is [0-9a-f]{64}, expected/);
    const blobs = await readdir(join(folder, "models--org--encoder", "blobs"));
    expect(blobs.filter((name) => name.endsWith(".incomplete"))).toEqual([]);
  });

  it("stops when asked to", async () => {
    const controller = new AbortController();
    const reporter: Reporter = {
      ...silentReporter,
      start: () => ({ update: () => controller.abort(), stop() {} }),
    };
    const attempt = resolveModelFolder("org/encoder", options({ reporter, signal: controller.signal }));
    await expect(attempt).rejects.toThrow(CancelledError);
  });
});

describe("access", () => {
  it("a private model needs the token, which goes no further than the request", async () => {
    for (const token of [undefined, "hf_wrongtoken98765"]) {
      const attempt = resolveModelFolder("org/private", options({ env: { HF_TOKEN: token } }));
      await expect(attempt).rejects.toThrow(UserError);
      await expect(attempt).rejects.toThrow(token ? /HF_TOKEN is set, but may not/ : /HF_TOKEN is not set/);
      await expect(attempt).rejects.not.toThrow(/wrongtoken/);
    }
    await resolveModelFolder("org/private", options({ env: { HF_TOKEN: TOKEN } }));
    expect(server.requests.some(({ authorized }) => authorized)).toBe(true);
  });

  it("a gated model says to accept its terms; a missing one says so", async () => {
    await expect(resolveModelFolder("org/gated", options())).rejects.toThrow(/org\/gated: .*403.*accept its terms/);
    const missing = resolveModelFolder("org/nothing", options({ env: { HF_TOKEN: TOKEN } }));
    await expect(missing).rejects.toThrow(/org\/nothing: no such model .*404.*there is none of that name/);
  });

  it("a model without safetensors is refused before anything is downloaded", async () => {
    await expect(resolveModelFolder("org/pickled", options())).rejects.toThrow(/only pytorch_model\.bin.*Convert it/);
    expect(filesAsked()).toEqual([]);
  });
});

describe("without a connection", () => {
  it("a complete copy in the cache serves, with a warning; part of one does not", async () => {
    const tokens = await resolveModelFolder("org/decoder", options({ files: "tokenizer" }));
    const env = { HF_ENDPOINT: "http://127.0.0.1:9" };
    await expect(resolveModelFolder("org/decoder", options({ env }))).rejects.toThrow(
      /The hub at http:\/\/127\.0\.0\.1:9 cannot be reached.*no complete copy of org\/decoder in the cache.*Give a model folder/,
    );
    expect(await resolveModelFolder("org/decoder", options({ env, files: "tokenizer" }))).toBe(tokens);
    await resolveModelFolder("org/decoder", options());
    const warnings: string[] = [];
    const reporter = { ...silentReporter, warn: (text: string) => void warnings.push(text) };
    expect(await resolveModelFolder("org/decoder", options({ env, reporter }))).toBe(tokens);
    expect(warnings).toHaveLength(1);
    await rm(join(tokens, "model-00002-of-00002.safetensors"));
    await expect(resolveModelFolder("org/decoder", options({ env }))).rejects.toThrow(UserError);
  });

  it("HF_HUB_OFFLINE asks nobody", async () => {
    const env = { HF_HUB_OFFLINE: "1" };
    await expect(resolveModelFolder("org/encoder", options({ env }))).rejects.toThrow(/HF_HUB_OFFLINE is set/);
    expect(server.requests).toEqual([]);
    const snapshot = await resolveModelFolder("org/encoder", options());
    const before = server.requests.length;
    expect(await resolveModelFolder("org/encoder", options({ env }))).toBe(snapshot);
    expect(server.requests).toHaveLength(before);
  });
});

describe("hubCacheFolder", () => {
  it.each([
    [{ HF_HUB_CACHE: "/a/b", HF_HOME: "/c" }, "/a/b"],
    [{ HF_HOME: "/c" }, "/c/hub"],
    [{ XDG_CACHE_HOME: "/x", HOME: "/h" }, "/x/huggingface/hub"],
    [{ HOME: "/h" }, "/h/.cache/huggingface/hub"],
    [{ HOME: "/h", HF_HOME: "~/models" }, "/h/models/hub"],
  ])("%j is %s", (env, expected) => {
    expect(hubCacheFolder(env)).toBe(expected);
  });
});
