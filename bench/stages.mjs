// The stages of the built command, one process each, and what each took.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
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

/** Collects on a signal, so that what is in use can be told from what has not been collected yet. */
const COLLECTING = ["--expose-gc", "--import", "data:text/javascript,process.on('SIGUSR2',()=>{gc();gc()})"];

/** `rag-ft serve` of the built command; resolves with its address when it listens. `more` is added to its environment. */
export async function startServer(argv, more = {}) {
  const child = spawn(process.execPath, [...COLLECTING, MAIN, "serve", ...argv], {
    cwd: root,
    env: { ...process.env, ...more },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = new Promise((done) => child.once("exit", done));
  let log = "";
  const address = await new Promise((found, failed) => {
    createInterface(child.stderr).on("line", (line) => {
      log += `${line}\n`;
      const match = /chat: (\S+)/.exec(line);
      if (match) found(match[1]);
    });
    child.once("exit", (code) => failed(new Error(`serve ended with ${code}:\n${log}`)));
  });
  return {
    address,
    collect: () => child.kill("SIGUSR2"),
    close() {
      child.kill("SIGINT");
      return ended;
    },
  };
}
