// Rounds of separate processes: each side has its own, so that each has its own memory and none disturbs another.
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { bf16Kernel } from "../packages/onnx/dist/index.js";
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

export const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

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

/** Results that are computed once: kept in a folder of result/bench/<bench>, by all that decides them. */
export function keptResults(bench, work) {
  const name = createHash("sha256").update(JSON.stringify(work)).digest("hex").slice(0, 12);
  const folder = join(root, "result/bench", bench, name);
  mkdirSync(folder, { recursive: true });
  const once = (what, compute) => {
    const file = join(folder, `${what}.json`);
    const keep = (result) => {
      writeFileSync(`${file}.part`, JSON.stringify(result));
      renameSync(`${file}.part`, file);
      return result;
    };
    if (!existsSync(file)) {
      const computed = compute();
      if (computed instanceof Promise) return computed.then(keep);
      keep(computed);
    }
    const result = JSON.parse(readFileSync(file, "utf8"));
    const { recall1, recall4, mrr } = result;
    if (mrr === undefined) return result;
    console.log(`${what}: recall@1 ${recall1.toFixed(4)}, recall@4 ${recall4.toFixed(4)}, MRR ${mrr.toFixed(4)}`);
    return result;
  };
  return { folder, once };
}

/** Hash of the built packages: what was measured of ours counts only as long as they are the same. */
export function codeHash() {
  const hash = createHash("sha256");
  for (const name of readdirSync(join(root, "packages")).sort()) {
    const dist = join(root, "packages", name, "dist");
    if (!existsSync(dist)) continue;
    const files = readdirSync(dist, { recursive: true }).filter((file) => file.endsWith(".js"));
    for (const file of files.sort()) hash.update(`${name}/${file}`).update(readFileSync(join(dist, file)));
  }
  return hash.digest("hex").slice(0, 12);
}

const isOurs = (side) => /^ours(-|$)/.test(side);

/**
 * What was measured of each side, under `key` (all that makes two measurements comparable). With --keep FILE, also what earlier calls
 * measured under the same key (of ours, with the same code): a long comparison can be made in parts.
 */
export class Measurements {
  sides = new Map();

  constructor(key) {
    this.key = JSON.stringify({ ...key, processor, threads });
    if (flags.keep === undefined) return;
    this.code = codeHash();
    mkdirSync(dirname(flags.keep), { recursive: true });
    if (!existsSync(flags.keep)) return;
    for (const line of readFileSync(flags.keep, "utf8").trim().split("\n")) {
      const { key: other, code, side, result } = JSON.parse(line);
      if (other === this.key && (!isOurs(side) || code === this.code)) this.add(side, result);
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
    if (flags.keep !== undefined)
      appendFileSync(flags.keep, `${JSON.stringify({ key: this.key, code: this.code, side, result })}\n`);
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

  /** Rates of a side, one a sample. `unit` is a field of the results: a number, or one a sample. */
  rates(side, unit) {
    return this.of(side).flatMap((result) =>
      result.seconds.map((s, i) => (Array.isArray(result[unit]) ? result[unit][i] : result[unit]) / s),
    );
  }

  /** Sides that were measured. */
  names() {
    return [...this.sides.keys()].filter((side) => side !== "sgemm" && this.of(side).length > 0);
  }

  peers() {
    return this.names().filter((side) => !isOurs(side));
  }

  /** By side: a field of its first result, or the median rate of a unit. */
  first(field) {
    return Object.fromEntries(this.names().map((side) => [side, this.of(side)[0][field]]));
  }

  medians(unit) {
    return Object.fromEntries(this.names().map((side) => [side, rounded(median(this.rates(side, unit)))]));
  }

  /** Of each kind of configurations ({ side, kind }) the fastest, of those that are wanted; `work` gives what measures one, once. */
  fastest(configurations, work) {
    const tried = configurations.filter(({ side }) => wanted(side));
    for (const one of tried) if (this.of(one.side).length === 0) this.run(one.side, work(one));
    const best = new Map();
    for (const one of tried) {
      if (this.of(one.side).length === 0) continue;
      const known = best.get(one.kind);
      if (!known || median(this.seconds(one.side)) < median(this.seconds(known.side))) best.set(one.kind, one);
    }
    return [...best.values()];
  }

  peak() {
    return this.run("sgemm", () =>
      runJson(process.execPath, [join(root, "bench/workers/sgemm.mjs"), String(ourThreads)]),
    );
  }
}

/** Ours in each precision that can be had here; asked, and said, once. */
export function ourPrecisions() {
  precisions ??= findPrecisions();
  return precisions;
}

let precisions;

function findPrecisions() {
  const sides = [{ side: "ours", precision: "fp32" }];
  try {
    const kernel = bf16Kernel();
    if (kernel !== undefined) return [...sides, { side: "ours-bf16", precision: "bf16" }];
    console.log("ours-bf16: this processor has neither AVX512_BF16 nor AMX");
  } catch (error) {
    console.log(`ours-bf16: ${error.message}`);
  }
  return sides;
}

/** Does --only (or --ours-only) leave this side in? */
export function wanted(side) {
  if (side === "sgemm") return true;
  if (flags["ours-only"]) return isOurs(side);
  return flags.only === undefined || flags.only.split(",").some((name) => side === name || side.startsWith(`${name}-`));
}

/**
 * Prints a table, then the closing line of JSON. `units` name fields of the results that count what a sample did (pairs, tokens); the first
 * is the one compared, with that of a peer's `counterpart` of ours. Results of ours have `flops`, too. `more` is added to the JSON.
 */
export function report(name, measurements, { units, formula, counterpart = () => "ours", more = {} }) {
  const main = `${units[0]}_per_s`;
  const figures = (side) => {
    const results = measurements.of(side);
    const seconds = measurements.seconds(side);
    const rates = units.map((unit) => {
      const all = measurements.rates(side, unit);
      return {
        [`${unit}_per_s`]: rounded(median(all)),
        [`${unit}_per_s_range`]: [Math.min(...all), Math.max(...all)].map((rate) => rounded(rate)),
      };
    });
    return {
      ...Object.assign({}, ...rates),
      seconds: rounded(median(seconds)),
      samples: seconds.length,
      peak_rss_mb: Math.max(...results.map((result) => result.peak_rss_mb)),
    };
  };
  const sides = Object.fromEntries(measurements.names().map((side) => [side, figures(side)]));
  const peers = Object.fromEntries(measurements.peers().map((side) => [side, sides[side]]));
  const { ours } = sides;
  const variants = Object.fromEntries(Object.entries(sides).filter(([side]) => side.startsWith("ours-")));
  const ratio = (side, to) => (sides[side] && sides[to] ? rounded(sides[side][main] / sides[to][main], 3) : undefined);
  const ratios = Object.fromEntries(Object.keys(peers).map((side) => [side, ratio(counterpart(side), side)]));
  const best = Object.keys(peers)
    .filter((side) => counterpart(side) === "ours")
    .sort((a, b) => peers[b][main] - peers[a][main])[0];
  const skipped = Object.fromEntries(
    [...measurements.sides].flatMap(([side, results]) =>
      results.filter((r) => r.skipped).map((r) => [side, r.skipped]),
    ),
  );
  const peaks = (measurements.sides.get("sgemm") ?? []).map((result) => result.gflops);
  const peak = peaks.length > 0 ? Math.max(...peaks) : undefined;
  const gflops = ours && median(measurements.rates("ours", "flops")) / 1e9;

  for (const [side, f] of Object.entries(sides)) {
    const [least, most] = f[`${main}_range`];
    const others = units.slice(1).map((unit) => `, ${f[`${unit}_per_s`]} ${unit}/s`);
    const note =
      ratios[side] !== undefined
        ? `, ${counterpart(side)} is ${ratios[side]} times`
        : side in variants && ours
          ? `, ${ratio(side, "ours")} times ours`
          : "";
    console.log(
      `${side.padEnd(38)} ${f[main]} ${units[0]}/s (${least} to ${most}, ${f.samples} samples)${others.join("")}, ${f.peak_rss_mb} MB${note}`,
    );
  }
  if (gflops && peak)
    console.log(`ours: ${gflops.toFixed(0)} GFLOP/s of those needed; measured peak ${peak} (${formula})`);
  console.log(
    JSON.stringify({
      bench: name,
      ours: { ...ours, ...(Object.keys(variants).length > 0 ? { variants } : {}) },
      peers,
      ...(Object.keys(skipped).length > 0 ? { skipped } : {}),
      best_peer: best,
      ratio: ratios[best],
      ratios,
      ...(ours && Object.keys(variants).length > 0
        ? {
            ratio_to_ours: Object.fromEntries(Object.keys(variants).map((side) => [side, ratio(side, "ours")])),
            variants_to_peers: Object.fromEntries(
              Object.keys(variants).map((side) => [
                side,
                Object.fromEntries(Object.keys(peers).map((peer) => [peer, ratio(side, peer)])),
              ]),
            ),
          }
        : {}),
      share_of_peak: gflops && peak && rounded(gflops / peak, 3),
      gflops: gflops && rounded(gflops),
      sgemm_gflops: peak,
      sgemm_range: peak && [Math.min(...peaks), peak],
      flop_formula: formula,
      peak_rss_mb: Object.fromEntries(Object.entries(sides).map(([side, f]) => [side, f.peak_rss_mb])),
      processor,
      cores,
      threads,
      versions: Object.assign(
        { ...node },
        ...measurements.names().flatMap((side) => measurements.of(side).map((r) => r.versions ?? {})),
      ),
      ...more,
    }),
  );
}
