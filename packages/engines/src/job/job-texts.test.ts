import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { requirements, runScript, skyTask } from "./job-texts.js";

const launch = {
  program: ["-m", "trl.scripts.sft", "--config", "sft.yaml"],
  withoutGpu: ["--use_cpu", "true"],
  ...{ nproc_per_node: 4, nnodes: 2, master_port: 20_001, env: { WANDB_RUN_GROUP: "it's mine" } },
};

it("run.sh is a script of bash that starts torchrun with the job's processes and hands its environment on", () => {
  const text = runScript(launch);
  const { status, stderr } = spawnSync("bash", ["-n"], { input: text, encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(text).toContain("--nproc_per_node 4 --nnodes 2");
  expect(text).toContain("MASTER_PORT:-20001");
  const line = text.split("\n").find((one) => one.startsWith("export WANDB_RUN_GROUP")) ?? "";
  const shown = spawnSync("bash", ["-c", `${line}; printf %s "$WANDB_RUN_GROUP"`], { encoding: "utf8" });
  expect(shown.stdout).toBe("it's mine");
});

it("the SkyPilot task asks for the machines and starts run.sh on each", () => {
  expect(parse(skyTask("rag-ft-train-generator", launch, "A100:4"))).toMatchObject({
    ...{ name: "rag-ft-train-generator", num_nodes: 2, resources: { accelerators: "A100:4" }, workdir: "." },
    run: expect.stringMatching(/NODE_RANK="\$SKYPILOT_NODE_RANK"[\s\S]*bash run\.sh/),
  });
});

it("requirements are pinned", () => {
  expect(requirements(["trl", "torch"])).toMatch(/^trl==\d+\.\d+\.\d+\ntorch==\d+\.\d+\.\d+\n$/);
});
