import { CancelledError, isWithin, pathKind } from "@rag-ft/core";
import { parseSettings } from "../parse-settings.js";
import { outputFolders } from "./output-folders.js";
import type { Pipeline } from "./pipeline-config.js";
import type { RunPipelineContext } from "./run-pipeline-context.js";
import type { PreparedStep } from "./run-step.js";

/** Stages whose figures make a report worth writing. */
const TESTS = /^test-/;

/**
 * Writes the HTML report of a run that has tested something; returns where. A report that cannot be written is a warning: what
 * the stages have done stands, and `rag-ft report` makes the page from it at any time.
 */
export async function writeHtmlReport(
  { workDir, htmlReport, report, name }: Pipeline,
  steps: readonly PreparedStep[],
  { registry, reporter, signal, env }: RunPipelineContext,
): Promise<string | undefined> {
  const entry = registry.report;
  if (htmlReport === undefined || !entry || !steps.some(({ stage }) => TESTS.test(stage.name))) return undefined;
  const elsewhere = steps.flatMap(outputFolders).filter((folder) => !isWithin(folder, workDir));
  const folders: string[] = [];
  for (const folder of new Set([workDir, ...elsewhere]))
    if ((await pathKind(folder)) === "folder") folders.push(folder);
  const folderOf = (id: string | undefined): string | undefined => {
    const step = steps.find((candidate) => candidate.id === id);
    return step && outputFolders(step)[0];
  };
  const [base, tuned] = [folderOf(report?.base), folderOf(report?.tuned)];
  try {
    const stage = await entry.load();
    const parsed = parseSettings(stage, {
      run_dir: folders,
      output_file: htmlReport,
      title: name,
      ...(base !== undefined ? { base } : {}),
      ...(tuned !== undefined ? { tuned } : {}),
    });
    if (parsed.problems) throw new Error(parsed.problems.map(({ key, message }) => `${key}: ${message}`).join("; "));
    await stage.run(parsed.values, { reporter, signal, env });
    return htmlReport;
  } catch (error) {
    if (error instanceof CancelledError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    reporter.warn(`no HTML report: ${reason} Once that is mended: rag-ft report --run_dir ${folders.join(",")}`);
    return undefined;
  }
}
