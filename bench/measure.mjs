// Rounds of separate processes: each side has its own, so that each has its own memory and none disturbs another.
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { cores, flags, processor, python, root, runJson, wholeNumber } from "./tools.mjs";

const require = createRequire(new URL("../packages/onnx/package.json", import.meta.url));
const node = { node: process.version, "onnxruntime-node": require("onnxruntime-node/package.json").version };

export const threads = wholeNumber("threads") ?? cores;
/** ONNX Runtime's own choice (one thread a core, pinned) unless told. */
export const ourThreads = wholeNumber("threads") ?? 0;

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export const rounded = (value, digits = 4) => Number(value.toPrecision(digits));

/** Runs a script of bench/workers on a request. */
export function worker(folder, script, request) {
  const file = join(folder, "request.json");
  writeFileSync(file, JSON.stringify({ threads: ourThreads, ...request }));
  return runJson(process.execPath, [join(root, "bench/workers", script), "--request", file]);
}

/** Runs a script of bench/python on a request. */
export function peer(folder, script, request) {
  const file = join(folder, "request.json");
  writeFileSync(file, JSON.stringify({ threads, ...request }));
  return python(script, file);
}

/**
 * What was measured of each side, under `key` (all that makes two measurements comparable). With --keep FILE, also what earlier calls
 * measured under the same key: a long comparison can be made in parts.
 */
export class Measurements {
  sides = new Map();

  constructor(key) {
    this.key = JSON.stringify({ ...key, processor, threads });
    if (flags.keep === undefined) return;
    mkdirSync(dirname(flags.keep), { recursive: true });
    if (!existsSync(flags.keep)) return;
    for (const line of readFileSync(flags.keep, "utf8").trim().split("\n")) {
      const { key: other, side, result } = JSON.parse(line);
      if (other === this.key) this.add(side, result);
    }
  }

  add(side, result) {
    this.sides.set(side, [...(this.sides.get(side) ?? []), result]);
  }

  /** Runs a side once more, unless --only leaves it out. `result`: { seconds: [...], peak_rss_mb, versions, ... } or { skipped }. */
  run(side, work) {
    if (!wanted(side)) return undefined;
    const began = performance.now();
    const result = work();
    this.add(side, result);
    if (flags.keep !== undefined) appendFileSync(flags.keep, `${JSON.stringify({ key: this.key, side, result })}\n`);
    const all = ((performance.now() - began) / 1000).toFixed(0);
    console.log(
      result.skipped
        ? `${side}: ${result.skipped}`
        : `${side}: ${result.gflops ? `${result.gflops} GFLOP/s` : `${result.seconds.map((s) => s.toFixed(2)).join(", ")} s, ${result.peak_rss_mb} MB`} (${all} s in all)`,
    );
    return result;
  }

  /** Measured results of a side. */
  of(side) {
    return (this.sides.get(side) ?? []).filter((result) => !result.skipped);
  }

  /** All seconds of a side. */
  seconds(side) {
    return this.of(side).flatMap((result) => result.seconds);
  }

  peak() {
    return this.run("sgemm", () =>
      runJson(process.execPath, [join(root, "bench/workers/sgemm.mjs"), String(ourThreads)]),
    );
  }
}

/** Does --only (or --ours-only) leave this side in? */
export function wanted(side) {
  if (side === "sgemm") return true;
  if (flags["ours-only"]) return side === "ours" || side.startsWith("ours-");
  return flags.only === undefined || flags.only.split(",").some((name) => side === name || side.startsWith(`${name}-`));
}

/**
 * The closing line. `units` name what a run of `seconds` does: { pairs: 256, tokens: 60000 } gives pairs_per_s and tokens_per_s, the first
 * being the one compared; `unitsOf(result)` when sides differ. `flops` are those of a run of ours.
 */
export function report(name, measurements, { unitsOf, flops, formula, more = {} }) {
  const figures = (side) => {
    const results = measurements.of(side);
    const rates = {};
    for (const unit of Object.keys(unitsOf(results[0]))) {
      const all = results.flatMap((result) => result.seconds.map((s) => unitsOf(result)[unit] / s));
      rates[`${unit}_per_s`] = rounded(median(all));
      rates[`${unit}_per_s_range`] = [rounded(Math.min(...all)), rounded(Math.max(...all))];
    }
    const seconds = measurements.seconds(side);
    return {
      ...rates,
      seconds: rounded(median(seconds)),
      samples: seconds.length,
      peak_rss_mb: Math.max(...results.map((result) => result.peak_rss_mb)),
      ...(results[0].note ? { note: results[0].note } : {}),
    };
  };
  const main = `${Object.keys(unitsOf({}))[0]}_per_s`;
  const names = [...measurements.sides.keys()].filter((side) => side !== "sgemm" && measurements.of(side).length > 0);
  const ours = names.includes("ours") ? figures("ours") : undefined;
  const variants = Object.fromEntries(names.filter((s) => s.startsWith("ours-")).map((side) => [side, figures(side)]));
  const peers = Object.fromEntries(names.filter((s) => !/^ours(-|$)/.test(s)).map((side) => [side, figures(side)]));
  const ratios = {};
  for (const [side, { [main]: rate }] of Object.entries(peers)) if (ours) ratios[side] = rounded(ours[main] / rate, 3);
  const best = Object.keys(peers).sort((a, b) => peers[b][main] - peers[a][main])[0];
  const skipped = Object.fromEntries(
    [...measurements.sides].flatMap(([side, results]) =>
      results.filter((r) => r.skipped).map((r) => [side, r.skipped]),
    ),
  );
  const peaks = (measurements.sides.get("sgemm") ?? []).map((result) => result.gflops);
  const peak = peaks.length > 0 ? Math.max(...peaks) : undefined;
  const versions = Object.assign(
    { ...node },
    ...names.flatMap((side) => measurements.of(side).map((r) => r.versions ?? {})),
  );

  const rows = [...(ours ? [["ours", ours]] : []), ...Object.entries(variants), ...Object.entries(peers)];
  for (const [side, f] of rows) {
    const range = f[`${main}_range`];
    console.log(
      `${side.padEnd(28)} ${String(f[main]).padStart(8)} ${main} (${range[0]} to ${range[1]}, ${f.samples} samples)` +
        `${f.tokens_per_s && main !== "tokens_per_s" ? `, ${f.tokens_per_s} tokens/s` : ""}, ${f.peak_rss_mb} MB` +
        `${ratios[side] ? `, ours is ${ratios[side]} times` : ""}`,
    );
  }
  const gflops = ours ? flops / ours.seconds / 1e9 : undefined;
  if (gflops) console.log(`ours: ${gflops.toFixed(0)} GFLOP/s needed, of a measured peak of ${peak} (${formula})`);
  console.log(
    JSON.stringify({
      bench: name,
      ours: { ...ours, ...(Object.keys(variants).length > 0 ? { variants } : {}) },
      peers,
      ...(Object.keys(skipped).length > 0 ? { skipped } : {}),
      best_peer: best,
      ratio: ratios[best],
      ratios,
      share_of_peak: gflops && rounded(gflops / peak, 3),
      gflops: gflops && rounded(gflops),
      sgemm_gflops: peak,
      sgemm_range: peak && [Math.min(...peaks), peak],
      flop_formula: formula,
      peak_rss_mb: Object.fromEntries(rows.map(([side, f]) => [side, f.peak_rss_mb])),
      processor,
      cores,
      threads,
      versions,
      ...more,
    }),
  );
}
