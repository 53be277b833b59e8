import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type StageContext, silentReporter } from "@rag-ft/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { parse } from "yaml";
import { cudaFinding } from "./doctor/checks.js";
import { doctor, init } from "./index.js";
import { configuration, USUAL } from "./init/run-init.js";
import { trainingSeconds } from "./training-time.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-setup-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const context = (warnings: string[] = []): StageContext => ({
  reporter: { ...silentReporter, warn: (message) => warnings.push(message) },
  signal: new AbortController().signal,
  env: { HF_HUB_OFFLINE: "1" },
});

it("writes the configuration that is in configs/, where nothing else is said", async () => {
  const shipped = await readFile(new URL("../../../configs/your-docs.yaml", import.meta.url), "utf8");
  expect(await readFile(new URL("../assets/your-docs.yaml", import.meta.url), "utf8")).toBe(shipped);
  expect(configuration(shipped, USUAL, "configs/your-docs.yaml")).toBe(shipped);
});

it("puts what is given into it, and keeps its comments", async () => {
  const out = join(folder, "my.yaml");
  const warnings: string[] = [];
  const settings = init.settings.parse({
    out,
    name: "my",
    documents: "nowhere",
    prompt_model: "local:a/b",
    source_url: "https://x.test/{page}",
  });
  const { summary } = await init.run(settings, context(warnings));
  const text = await readFile(out, "utf8");
  expect(text).toContain(`rag-ft run ${out}`);
  expect(text).toContain("# Finds passages");
  expect(parse(text)).toMatchObject({
    name: "my",
    work_dir: "result/my",
    vars: { documentation: "nowhere", prompt_model: "local:a/b", encoder: "intfloat/e5-small-v2" },
  });
  expect(warnings[0]).toContain("nowhere");
  expect(summary).toContain("--dry_run");
});

it("asks rules for no more than they can", async () => {
  const shipped = await readFile(new URL("../assets/your-docs.yaml", import.meta.url), "utf8");
  const { stages } = parse(configuration(shipped, { ...USUAL, prompt_model: "extractive" }, "my.yaml"));
  const asking = stages.find(({ stage }: { stage: string }) => stage === "gen-questions");
  expect(asking.with).toMatchObject({ filters: "standalone,duplicates", num_train_data: 600 });
  const { stages: usual } = parse(configuration(shipped, USUAL, "my.yaml"));
  expect(usual.find(({ stage }: { stage: string }) => stage === "gen-questions").with.filters).toBe("all");
});

it("writes over nothing, and takes no name that is no folder's", async () => {
  const out = join(folder, "my.yaml");
  await writeFile(out, "mine");
  await expect(init.run(init.settings.parse({ out }), context())).rejects.toThrow(/there already/);
  expect(await readFile(out, "utf8")).toBe("mine");
  const bad = init.settings.parse({ out, force: true, name: "../up" });
  await expect(init.run(bad, context())).rejects.toThrow(/names a folder/);
});

it("says what the machine has, and what it can train", async () => {
  const { summary } = await doctor.run({}, context());
  expect(summary).toMatch(/good +engine +ONNX Runtime computes: \d+ GFLOP/);
  expect(summary).toMatch(/note +hub +HF_HUB_OFFLINE is set/);
  expect(summary).toMatch(/note +asking model +neither OPENAI_API_KEY/);
  expect(summary).toMatch(
    /good +bf16 +(--precision bf16 multiplies|this processor has|precision: bf16 cannot be used here)/,
  );
  expect(summary).toMatch(/good +vector stores +lancedb.*; pgvector/);
  expect(summary).toMatch(/e5-small-v2 +encoder +33 .* about \d/);
});

it("names several servers, and no secret of theirs", async () => {
  const [first, second] = ["http://me:hidden-word@127.0.0.1:1/v1", "http://127.0.0.1:2/v1"];
  const { summary } = await doctor.run(
    {},
    { ...context(), env: { HF_HUB_OFFLINE: "1", OPENAI_BASE_URL: `${first},${second}` } },
  );
  expect(summary).toMatch(
    /good +asking model +OPENAI_BASE_URL is 2 servers: http:\/\/me:…@127.0.0.1:1\/v1, http:\/\/127.0.0.1:2\/v1, without a key/,
  );
  expect(summary).not.toMatch(/hidden-word/);
});

it("says in one line what CUDA lacks, and where it belongs", () => {
  const folder = "/runtime";
  const own = { file: "libonnxruntime_providers_cuda.so", from: "onnxruntime-gpu" };
  const cublas = { file: "libcublas.so.13", from: "nvidia-cublas" };
  expect(cudaFinding({ folder, missing: [own, cublas], hasDriver: true }, "1.30.0")).toEqual({
    what: "CUDA",
    state: "note",
    found: "--device cuda lacks libonnxruntime_providers_cuda.so (onnxruntime-gpu), libcublas.so.13 (nvidia-cublas)",
    advice:
      "pip's wheels of these names have them; put those of onnxruntime-gpu 1.30.0 into /runtime, the others into a folder of LD_LIBRARY_PATH",
  });
  expect(cudaFinding({ folder, missing: [cublas], hasDriver: true }, "1.30.0").advice).toMatch(/; put the others into/);
  expect(cudaFinding({ folder, missing: [own], hasDriver: false }, "1.30.0")).toMatchObject({ state: "good" });
  expect(cudaFinding({ folder, missing: [], hasDriver: true }, "1.30.0").found).toMatch(/^all libraries/);
});

it("reckons with six operations a parameter and token", () => {
  expect(trainingSeconds(1e6, 1e3, 6e9 / 0.45)).toBeCloseTo(1);
});
