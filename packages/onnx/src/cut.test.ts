import { expect, it } from "vitest";
import { cutGraph } from "./cut.js";
import { matmul, mul, tanh, transpose } from "./ops/index.js";
import { createSession } from "./session.js";
import { floatTensor } from "./tensor.js";
import { input } from "./value.js";

it("computes in two parts what the whole computes, and keeps neither inputs nor what is only rearranged", async () => {
  const x = input("x", "float32", ["rows", 2]);
  const w = input("w", "float32", [2, 2]);
  const hidden = tanh(matmul(x, w));
  const first = matmul(hidden, w);
  const second = mul(matmul(transpose(hidden, [1, 0]), first), w);
  const { kept, second: rest } = cutGraph({ first }, { second });
  expect(Object.values(kept)).toEqual([hidden, first]);

  const given = {
    x: floatTensor(Float32Array.of(1, 2, -3, 4, 5, -6), [3, 2]),
    w: floatTensor(Float32Array.of(0.5, -1, 2, 1), [2, 2]),
  };
  const run = async (outputs: Parameters<typeof createSession>[0]["outputs"], inputs: typeof given) => {
    const session = await createSession({ outputs });
    const results = await session.run(inputs);
    await session.close();
    return results;
  };
  const whole = await run({ second }, given);
  const parts = await run({ first, ...kept }, given);
  const again = await run(rest, { ...given, ...parts });
  expect(again.second?.data).toEqual(whole.second?.data);
});
