import { dirname } from "node:path";
import { ownsFolder, requireWritable, type Stage } from "@rag-ft/core";
import { reportPath, runReport } from "./run-report.js";
import { type ReportSettings, reportSettings } from "./settings.js";

export { type ReportSettings, reportSettings } from "./settings.js";

const stage: Stage<ReportSettings> = {
  name: "report",
  summary: "write one HTML file about a run: figures, curves, predictions, provenance",
  settings: reportSettings,
  inputs: ["run_dir"],
  check: (settings) => requireWritable(dirname(reportPath(settings)), "output_file"),
  run: runReport,
};

/** `rag-ft report`: one HTML file about a run. */
export const report: Stage<ReportSettings> = ownsFolder(stage, (settings) => dirname(reportPath(settings)));
