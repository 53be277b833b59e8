import { fileURLToPath } from "node:url";
import { silentReporter } from "@rag-ft/core";
import { expect, it } from "vitest";
import { checkRetrieval } from "./hybrid-weight.js";
import { openPassageEncoder } from "./open-passage-encoder.js";

const model = fileURLToPath(new URL("../../../data/models/tiny-encoder", import.meta.url));
const context = { env: {}, reporter: silentReporter };

it("cuts vectors to the entries asked for, of length 1 again, under a fingerprint of their own", async () => {
  const whole = await openPassageEncoder(model, context);
  const cut = await openPassageEncoder(model, { ...context, truncateDim: 16 });
  expect(cut.dimensions).toBe(16);
  expect(cut.fingerprint).not.toBe(whole.fingerprint);
  const [long, short] = [await whole.embed(["red cars"], "query"), await cut.embed(["red cars"], "query")];
  const first = [...long.slice(0, 16)];
  const length = Math.hypot(...first);
  expect(length).toBeLessThan(0.99);
  expect(short).toHaveLength(16);
  short.forEach((value, i) => {
    expect(value).toBeCloseTo((first[i] ?? Number.NaN) / length, 5);
  });
  await whole.close();
  await cut.close();
});

it("is refused where it can have no effect", async () => {
  await expect(openPassageEncoder(model, { ...context, truncateDim: 4096 })).rejects.toThrow(
    /truncate_dim is 4096, but the model's vectors have 192 entries/,
  );
  await expect(openPassageEncoder("text-embedding-3-small", { ...context, truncateDim: 16 })).rejects.toThrow(
    /truncate_dim is for encoders that run here/,
  );
  expect(() => checkRetrieval({ retrieval: "bm25", truncate_dim: 16 })).toThrow(
    /truncate_dim is for searches by vectors/,
  );
});
