import { join } from "node:path";
import { DataError, type Stage, UserError } from "@rag-ft/core";
import { JOB_FILE, readJob } from "@rag-ft/engines";
import { z } from "zod";
import { executeStage } from "./execute-stage.js";
import { parseSettings } from "./parse-settings.js";
import type { StageRegistry } from "./stage-registry.js";

const importSettings = z.object({
  job: z.string().min(1).describe("the folder that rag-ft export wrote, with what came back in its result"),
  result: z
    .string()
    .min(1)
    .optional()
    .describe("the folder of the result, where it lies elsewhere (default: result in the job's folder)"),
});

type ImportSettings = z.infer<typeof importSettings>;

/**
 * `rag-ft import <job>`: runs the stage that exported the job once more, with the settings that the job holds, to take in what came back. The stage's model,
 * figures and run record are then where a training here would have left them.
 */
export function createImport(registry: StageRegistry): Stage<ImportSettings> {
  return {
    name: "import",
    summary:
      "Take in what another engine trained: check it, measure it and put it where the stage's own training would",
    settings: importSettings,
    positionals: ["job"],
    inputs: ["job", "result"],
    async run({ job: folder, result }, context) {
      const job = await readJob(folder);
      const path = join(folder, JOB_FILE);
      if (job === undefined)
        throw new UserError(`${path} is missing. Give the folder that rag-ft export wrote, such as result/…/engine.`);
      const entry = registry[job.stage];
      if (entry?.isHandedOver !== true)
        throw new DataError(
          `${path}: its stage is ${JSON.stringify(job.stage)}, which no other engine trains. Export it again.`,
        );
      const stage = await entry.load();
      // Where the folder lies now counts, not where it was written.
      const parsed = parseSettings(stage, { ...job.settings, engine_dir: folder });
      if (parsed.problems) {
        const problems = parsed.problems.map(({ key, message }) => `${key}: ${message}`).join("; ");
        throw new DataError(`${path}: settings of another version of rag-ft: ${problems}. Export it again.`);
      }
      if (job.working_directory !== process.cwd())
        context.reporter.info(`${path}: its paths are relative to ${job.working_directory}; this is ${process.cwd()}`);
      const engineStep = { kind: "import" as const, ...(result === undefined ? {} : { result }) };
      const { result: taken } = await executeStage(stage, parsed.values, { ...context, engineStep });
      await taken.settle?.();
      return { ...taken, record_folder: folder };
    },
  };
}
