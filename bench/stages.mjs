// The stages of the built command, one process each, and what each took.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { root } from "./tools.mjs";

const MAIN = join(root, "packages/cli/dist/main.js");

/** Writes what the process used when it ends: its peak resident memory in kilobytes, and its CPU time in microseconds. */
const WATCH =
  "data:text/javascript,import{writeFileSync}from'node:fs';process.on('exit',()=>writeFileSync(process.env.SCALE_USED,JSON.stringify(process.resourceUsage())))";

/**
 * A stage of the built command in a process of its own, without the hub. Says what it took: seconds, CPU seconds, peak resident megabytes. `more` is
 * added to its environment.
 *
 * @throws when it ends with another code than 0.
 */
export async function runWatched(folder, stage, settings, more = {}) {
  const used = join(folder, "used.json");
  const argv = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const started = performance.now();
  const child = spawn(process.execPath, ["--import", WATCH, MAIN, stage, ...argv], {
    env: { ...process.env, SCALE_USED: used, HF_HUB_OFFLINE: "1", ...more },
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (said += text));
  const code = await new Promise((resolve) => child.on("close", resolve));
  if (code !== 0) throw new Error(`${stage} ended with ${code}:\n${said.slice(-4000)}`);
  const seconds = (performance.now() - started) / 1000;
  const { maxRSS, userCPUTime, systemCPUTime } = JSON.parse(readFileSync(used, "utf8"));
  const mb = Math.round(maxRSS / 1024);
  const cpu = (userCPUTime + systemCPUTime) / 1e6;
  const load = loadavg()[0];
  console.error(`${stage}: ${seconds.toFixed(1)} s, ${cpu.toFixed(1)} s of CPU, ${mb} MB (load ${load.toFixed(1)})`);
  return { seconds, cpu, mb, load, said };
}
