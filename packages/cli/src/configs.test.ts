import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parseSettings } from "./parse-settings.js";
import { stageRegistry } from "./registry.js";
import { readPipeline } from "./run/pipeline-config.js";

const configs = ["quickstart", "databricks"].map((name) => [
  name,
  fileURLToPath(new URL(`../../../configs/${name}.yaml`, import.meta.url)),
]);

describe("the run configurations in configs/", () => {
  it.each(configs)("%s gives every stage settings that it accepts", { timeout: 60_000 }, async (_, path) => {
    const { steps } = await readPipeline(path as string);
    expect(steps.length).toBeGreaterThan(5);
    for (const step of steps) {
      const stage = await stageRegistry[step.stage]?.load();
      expect(stage && parseSettings(stage, step.settings).problems, `${step.id}`).toBeUndefined();
    }
  });
});
