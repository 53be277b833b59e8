import { CancelledError } from "@rag-ft/core";
import type { TokenBatch, TrainableEncoder } from "@rag-ft/models";
import { expect, it } from "vitest";
import { stoppableEncoder } from "./stoppable-encoder.js";

it("stops before the next chunk, forward or backward, once asked to", async () => {
  const done: string[] = [];
  const model = {
    forward: async () => {
      done.push("forward");
      return Float32Array.of(1);
    },
    backward: async () => {
      done.push("backward");
    },
  } as unknown as TrainableEncoder;
  const controller = new AbortController();
  const stoppable = stoppableEncoder(model, controller.signal);
  const chunk = {} as TokenBatch;
  expect(await stoppable.forward(chunk)).toEqual(Float32Array.of(1));
  await stoppable.backward(chunk, new Float32Array());
  controller.abort();
  await expect(stoppable.forward(chunk)).rejects.toThrow(CancelledError);
  await expect(stoppable.backward(chunk, new Float32Array())).rejects.toThrow(CancelledError);
  expect(done).toEqual(["forward", "backward"]);
});
