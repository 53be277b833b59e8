import { join } from "node:path";
import { type StageContext, type StageResult, throwIfCancelled, writeFileAtomic } from "@rag-ft/core";
import { readRun } from "./read/read-run.js";
import { renderReport } from "./render-report.js";
import type { ReportSettings } from "./settings.js";

/** The file that is written. */
export function reportPath({ output_file, run_dir }: ReportSettings): string {
  return output_file ?? join(run_dir[0] ?? ".", "report.html");
}

/** Reads what a run's stages have left in its folders and writes the page. */
export async function runReport(settings: ReportSettings, { signal }: StageContext): Promise<StageResult> {
  const run = await readRun(settings);
  throwIfCancelled(signal);
  const path = reportPath(settings);
  await writeFileAtomic(path, await renderReport(run));
  return { outputs: [path], summary: `report: ${path}` };
}
