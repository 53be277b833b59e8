import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InternalError } from "@rag-ft/core";

/** A node of a compiled graph: ONNX Runtime may have fused or added nodes. */
export interface PlacedNode {
  /** Empty where the log does not say. */
  operator: string;
  /** As ONNX Runtime names it, such as `WebGpuExecutionProvider`. */
  provider: string;
}

/** Opens models with ONNX Runtime's log at its most talkative. Arguments: onnxruntime-node, device, models. */
const OPENER = `
const [runtime, device, ...models] = process.argv.slice(1);
const { InferenceSession } = require(runtime);
const options = { executionProviders: [device], graphOptimizationLevel: "all", logSeverityLevel: 0, logVerbosityLevel: 1 };
(async () => {
  for (const model of models) {
    process.stderr.write("\\nMODEL " + model + "\\n");
    await InferenceSession.create(model, options);
  }
  process.exit(0);
})().catch((error) => {
  process.stderr.write(String(error));
  process.exit(1);
});
`;

/** What the log of compiling one model says of its nodes; where all run by one provider, it does not name them. */
export function parsePlacement(log: string): PlacedNode[] {
  const nodes: PlacedNode[] = [];
  let provider = "";
  for (const line of log.split("\n")) {
    const [, all, named, count] = /(All nodes|Node\(s\)) placed on \[(\w+)\]\. Number of nodes: (\d+)/.exec(line) ?? [];
    if (named !== undefined) provider = named;
    if (named !== undefined && all === "All nodes")
      nodes.push(...new Array<PlacedNode>(Number(count)).fill({ operator: "", provider: named }));
    const node = /VerifyEachNodeIsAssignedToAnEp\S*\]\s+(\w+) \(/.exec(line);
    if (node && provider !== "") nodes.push({ operator: node[1] as string, provider });
  }
  return nodes;
}

/**
 * Where ONNX Runtime runs each node of models (serialised), compiled for a device as sessions are. It tells its log alone, on the process's
 * standard error, so another process compiles them.
 */
export async function nodePlacement(models: readonly Uint8Array[], device: string): Promise<PlacedNode[][]> {
  const folder = await mkdtemp(join(tmpdir(), "rag-ft-placement-"));
  try {
    const paths = models.map((_, i) => join(folder, `${i}.onnx`));
    for (const [i, path] of paths.entries()) await writeFile(path, models[i] as Uint8Array);
    const runtime = createRequire(import.meta.url).resolve("onnxruntime-node");
    const log = await open(join(folder, "log"), "w+");
    const opener = spawn(process.execPath, ["-e", OPENER, "--", runtime, device, ...paths], {
      stdio: ["ignore", "ignore", log.fd], // of a full pipe, ONNX Runtime would lose all that follows
    });
    const [code] = (await once(opener, "close")) as [number | null];
    const text = await readFile(join(folder, "log"), "utf8");
    await log.close();
    if (code !== 0) throw new InternalError(`ONNX Runtime did not open the models: ${text.slice(-1000)}`);
    const logs = text.split(/^MODEL .*$/m).slice(1);
    const placed = logs.map(parsePlacement);
    if (placed.length !== models.length || placed.every((nodes) => nodes.length === 0)) {
      throw new InternalError("ONNX Runtime's log does not say where nodes run: has its form changed?");
    }
    return placed;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
