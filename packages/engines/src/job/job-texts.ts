import { stringify } from "yaml";
import { PINNED, type PinnedPackage } from "../versions.js";

/** How the engine's processes are started. */
export interface Launch {
  /** Of torchrun: a module or a script, with its arguments. */
  program: readonly string[];
  /** Further arguments where the machine has no GPU. */
  withoutGpu: readonly string[];
  nproc_per_node: number;
  nnodes: number;
  master_port: number;
  /** For trackers: further environment variables. */
  env: Readonly<Record<string, string>>;
}

/** A word of a shell's command. */
const quoted = (word: string): string => (/^[\w./:=@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** `run.sh`: checks the folder, trains with torchrun, writes down what came of it. A run that was killed goes on from its last checkpoint. */
export function runScript({ program, withoutGpu, nproc_per_node, nnodes, master_port, env }: Launch): string {
  const exports = Object.entries(env).map(([name, value]) => `export ${name}=${quoted(value)}`);
  return `#!/usr/bin/env bash
# Written by rag-ft. Trains with ${nproc_per_node} processes on each of ${nnodes} machines; on several, start it on each with NODE_RANK and MASTER_ADDR set.
set -euo pipefail
cd "$(dirname "\${BASH_SOURCE[0]}")"
PYTHON="\${PYTHON:-python3}"
NODE_RANK="\${NODE_RANK:-0}"
MASTER_ADDR="\${MASTER_ADDR:-127.0.0.1}"
MASTER_PORT="\${MASTER_PORT:-${master_port}}"
exec > >(tee -a run.log) 2>&1
echo "rag-ft job: start"
${exports.length > 0 ? `${exports.join("\n")}\n` : ""}[ "$NODE_RANK" != 0 ] || "$PYTHON" job.py check
EXTRA=()
if ! "$PYTHON" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
  echo "rag-ft job: no GPU here, so the processes run on the CPU and meet over gloo"
  export CUDA_VISIBLE_DEVICES=""
  EXTRA+=(${withoutGpu.map(quoted).join(" ")})
fi
LAST="$(ls -d result/checkpoint-* 2>/dev/null | sort -V | tail -n 1 || true)"
if [ -n "$LAST" ]; then
  echo "rag-ft job: goes on from $LAST"
  EXTRA+=(--resume_from_checkpoint "$LAST")
fi
"$PYTHON" -m torch.distributed.run --nproc_per_node ${nproc_per_node} --nnodes ${nnodes} --node_rank "$NODE_RANK" \\
  --master_addr "$MASTER_ADDR" --master_port "$MASTER_PORT" ${program.map(quoted).join(" ")} "\${EXTRA[@]}"
[ "$NODE_RANK" != 0 ] || "$PYTHON" job.py finish
`;
}

/** `requirements.txt`: what the job was made for and tried with. */
export function requirements(names: readonly PinnedPackage[]): string {
  return names.map((name) => `${name}==${PINNED[name]}\n`).join("");
}

/** `sky.yaml`: the same job as a task of SkyPilot, on a cloud or Kubernetes. */
export function skyTask(name: string, { nnodes }: Pick<Launch, "nnodes">, accelerators: string): string {
  return stringify({
    name,
    num_nodes: nnodes,
    resources: { accelerators },
    workdir: ".",
    setup: "pip install -r requirements.txt\n",
    run: `${[
      'export NODE_RANK="$SKYPILOT_NODE_RANK"',
      'export MASTER_ADDR="$(echo "$SKYPILOT_NODE_IPS" | head -n 1)"',
      "bash run.sh",
    ].join("\n")}\n`,
  });
}

/** `README.md`: what to do with the folder. */
export function jobReadme(engine: string, stage: string, folder: string, packages: readonly string[]): string {
  return `# A training for ${engine}, written by rag-ft ${stage}

1. Copy this folder to the machine that trains; on several machines, to the same path of each.
2. \`pip install -r requirements.txt\` (${packages.join(", ")}).
3. \`bash run.sh\`. On several machines: on each with \`NODE_RANK\` (0, 1, …) and \`MASTER_ADDR\` (the first one's address). With SkyPilot: \`sky launch sky.yaml\`.
   It checks versions and hashes first. What it prints is in \`run.log\`; a run that was killed goes on from its last checkpoint.
4. Bring \`result\` (and \`run.log\`) back into this folder, where rag-ft is: checkpoints in it may stay away.
5. \`rag-ft import ${folder}\`, and the run goes on.

\`job.json\` holds the hashes of all files here; \`result/result.json\` is written last and holds those of the result.
`;
}
