import { expect, test, vi } from "vitest";
import { createSession, floatTensor, input, mul } from "./index.js";

vi.mock("./busy-elsewhere.js", () => ({ cpuTimes: () => ({ all: 0, busy: 0, own: 0 }), busyElsewhere: () => 1 }));

test("on a busy machine, threads that do not spin compute the same", async () => {
  const x = input("x", "float32", [2]);
  for (const threads of [-1, 0, 1]) {
    const session = await createSession({ outputs: { y: mul(x, x) } }, { threads });
    const { y } = await session.run({ x: floatTensor(Float32Array.of(2, 3), [2]) });
    expect(y?.data).toEqual(Float32Array.of(4, 9));
    await session.close();
  }
});
