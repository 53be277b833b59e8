import { expect, it } from "vitest";
import { createSession } from "../session.js";
import { floatTensor, intTensor } from "../tensor.js";
import { input } from "../value.js";
import { scatterRowsAdd } from "./gather.js";

it("rows added to the same place all count, however many threads there are", async () => {
  const [rows, width, places] = [2000, 384, 3];
  const table = input("table", "float32", [places, width]);
  const sums = scatterRowsAdd(table, input("at", "int64", ["n"]), input("updates", "float32", ["n", width]));
  const session = await createSession({ outputs: { sums } }, { threads: 4 });
  const at = Array.from({ length: rows }, (_, i) => i % places);
  const feeds = {
    table: floatTensor(new Float32Array(places * width), [places, width]),
    at: intTensor(at, [rows]),
    updates: floatTensor(new Float32Array(rows * width).fill(1), [rows, width]),
  };
  const expected = Float32Array.from({ length: places * width }, (_, i) => {
    const place = Math.floor(i / width);
    return at.filter((row) => row === place).length;
  });
  for (let run = 0; run < 30; run++) expect((await session.run(feeds)).sums?.data).toEqual(expected);
  await session.close();
});
