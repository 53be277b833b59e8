import { join } from "node:path";
import { type StageContext, type StageResult, throwIfCancelled, writeFileAtomic } from "@rag-ft/core";
import { readRun } from "./read/read-run.js";
import { renderReport } from "./render-report.js";
import type { ReportSettings } from "./settings.js";

/** Reads what a run's stages have left in its folders and writes the page. */
export async function runReport(settings: ReportSettings, { signal }: StageContext): Promise<StageResult> {
  const run = await readRun(settings);
  throwIfCancelled(signal);
  const path = settings.output_file ?? join(settings.run_dir[0] ?? ".", "report.html");
  await writeFileAtomic(path, await renderReport(run));
  return { outputs: [path], summary: `report: ${path}` };
}
