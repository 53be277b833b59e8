import { expect, it } from "vitest";
import { whyJobFailed } from "./out-of-memory.js";

const START = "rag-ft job: start\n";

it("a full GPU and a killed process are told apart, with what to do", () => {
  const gpu = `${START}torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.\n`;
  expect(whyJobFailed(gpu)).toMatch(/GPU's memory was not enough.*gradient_checkpointing/);
  expect(whyJobFailed("rag-ft job: start\nThe training has diverged: loss is nan at step 3. Export again\n")).toBe(
    "The training has diverged: loss is nan at step 3. Export again",
  );
  expect(whyJobFailed("torch.OutOfMemoryError: CUDA out of memory.\n"), "a log without its beginning").toMatch(
    /GPU's memory/,
  );
  expect(whyJobFailed(`${START} exitcode  : -9 (pid: 12)\n`)).toMatch(/killed.*nproc_per_node/);
});

it("only the last run counts, and of another failure its error", () => {
  const log = `${START}CUDA out of memory\n${START}Traceback\n[rank0]: ValueError: no such column\ntorch.distributed.elastic.multiprocessing.errors.ChildFailedError: x\n`;
  expect(whyJobFailed(log)).toBe("ValueError: no such column");
  expect(whyJobFailed(`${START}trl is 0.9.0, expected 1.16.0: another version may train otherwise.\n`)).toMatch(
    /^trl is 0\.9\.0, expected/,
  );
  expect(whyJobFailed(`${START}1 %\n`)).toBeUndefined();
});
