import type { Stage } from "@rag-ft/core";
import { runReport } from "./run-report.js";
import { type ReportSettings, reportSettings } from "./settings.js";

export { type ReportSettings, reportSettings } from "./settings.js";

/** `rag-ft report`: one HTML file about a run. */
export const report: Stage<ReportSettings> = {
  name: "report",
  summary: "write one HTML file about a run: figures, curves, predictions, provenance",
  settings: reportSettings,
  inputs: ["run_dir"],
  run: runReport,
};
