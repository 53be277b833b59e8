import type { Stage } from "@rag-ft/core";
import { doctorSettings, runDoctor } from "./doctor/run-doctor.js";
import { runInit } from "./init/run-init.js";
import { type InitSettings, initSettings } from "./init/settings.js";

export { type InitSettings, initSettings } from "./init/settings.js";

/** `rag-ft init`: a first configuration. */
export const init: Stage<InitSettings> = {
  name: "init",
  summary: "write a configuration for documentation of your own; asks on a terminal, or takes flags",
  settings: initSettings,
  positionals: ["out"],
  inputs: [],
  run: runInit,
};

/** `rag-ft doctor`: what this machine has and lacks. */
export const doctor: Stage<Record<string, never>> = {
  name: "doctor",
  summary: "say what this machine has and lacks, and what it can train in what time",
  settings: doctorSettings as Stage<Record<string, never>>["settings"],
  inputs: [],
  run: runDoctor,
};
