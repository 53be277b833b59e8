import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hashFile, type RunRecord, type Stage, silentReporter } from "@rag-ft/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { z } from "zod";
import { toAnyStage } from "./any-stage.js";
import { executeStage } from "./execute-stage.js";
import { recordedEnvironment } from "./machine.js";

const ENCODER = fileURLToPath(new URL("../../../data/models/tiny-encoder", import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-record-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const writing: Stage<{ model_path: string; data: string; output_dir: string; api_key?: string; seed: number }> = {
  name: "writing",
  summary: "writes a file",
  settings: z.object({
    model_path: z.string(),
    data: z.string(),
    output_dir: z.string(),
    api_key: z.string().optional(),
    seed: z.number().default(3),
  }),
  inputs: ["model_path", "data"],
  async run({ output_dir, model_path }) {
    await mkdir(join(output_dir, "deep"), { recursive: true });
    await writeFile(join(output_dir, "out.txt"), "made");
    await writeFile(join(output_dir, "deep/more.txt"), "made, too");
    return {
      outputs: [join(output_dir, "out.txt"), join(output_dir, "deep")],
      found_settings: { base_model: model_path },
      record: { requests: { requests_sent: 7, cost: { cost_usd: 0.5 } } },
    };
  },
};

it("a run record holds what it takes to repeat the run, and no secret", async () => {
  const data = join(folder, "data.txt");
  const model = join(folder, "model");
  const output_dir = join(folder, "out");
  await writeFile(data, "data");
  await cp(ENCODER, model, { recursive: true });
  const values = { model_path: model, data, output_dir, api_key: "sk-verysecretkey", seed: 3 };
  const env = { OPENAI_BASE_URL: "http://someone:pass@localhost:1/v1?key=sk-verysecretkey", HF_TOKEN: "hf_verysecret" };
  await executeStage(toAnyStage(writing), values, {
    reporter: silentReporter,
    signal: new AbortController().signal,
    env,
  });
  const text = await readFile(join(output_dir, "manifest.writing.json"), "utf8");
  expect(text).not.toMatch(/verysecret|pass@/);
  const record = JSON.parse(text) as RunRecord;
  expect(record).toMatchObject({
    command: "writing",
    command_line: `rag-ft writing \\\n  --model_path=${model} \\\n  --data=${data} \\\n  --output_dir=${output_dir} \\\n  --seed=3 \\\n  --base_model=${model}`,
    working_directory: process.cwd(),
    seed: 3,
    inputs: { [data]: await hashFile(data) },
    output_hashes: { [join(output_dir, "out.txt")]: await hashFile(join(output_dir, "out.txt")) },
    environment: { OPENAI_BASE_URL: "http://localhost:1/v1" },
    machine: { cores: expect.any(Number) },
    requests: { requests_sent: 7, cost: { cost_usd: 0.5 } },
    settings: { base_model: model },
    models: {
      base_model: { name: model },
      model_path: {
        name: model,
        weights: { "model.safetensors": await hashFile(join(model, "model.safetensors")) },
      },
    },
  });
  expect(Object.keys(record.output_hashes ?? {})).toContain(`${join(output_dir, "deep")} (1 files)`);
});

it("a share of the work leaves no run record, and none of its inputs is read", async () => {
  const output_dir = join(folder, "out");
  const missing = join(folder, "missing");
  const values = { model_path: missing, data: missing, output_dir, seed: 3 };
  const context = { reporter: silentReporter, signal: new AbortController().signal, env: {} };
  const { inputs } = await executeStage(toAnyStage({ ...writing, isShare: () => true }), values, context);
  expect(inputs).toEqual([]);
  expect((await readdir(output_dir)).sort()).toEqual(["deep", "out.txt"]);
});

it("an address in the environment is kept without what follows it", () => {
  expect(recordedEnvironment({ HF_ENDPOINT: "https://u:p@hub.test/x?y=1", OPENAI_API_KEY: "sk-abcdefgh" })).toEqual({
    HF_ENDPOINT: "https://hub.test/x",
  });
});
