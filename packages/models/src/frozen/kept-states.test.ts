import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { KeptStates, type KeptStatesOptions, type Purpose } from "./kept-states.js";

vi.mock("node:fs/promises", async (load) => {
  const actual = await load<typeof import("node:fs/promises")>();
  return { ...actual, writeFile: vi.fn(actual.writeFile) };
});

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const key = (number: number): string => number.toString(16).padStart(64, "0");

/** What is kept, and which keys were made. */
function opened(options: Partial<KeptStatesOptions> = {}) {
  const made: number[] = [];
  const warnings: string[] = [];
  const kept = new KeptStates({
    memoryBytes: 0,
    identity: async () => "a".repeat(64),
    warn: (message) => warnings.push(message),
    ...options,
  });
  const of = (number: number, purpose: Purpose = "training"): Promise<Float32Array> =>
    kept.of(key(number), 4, purpose, async () => {
      made.push(number);
      return new Float32Array(4).fill(number);
    });
  return { of, made, warnings };
}

it("memory is filled up to the budget by a training, to half of it by an evaluation, and no file is written without a folder", async () => {
  const { of, made } = opened({ memoryBytes: 4 * 16 });
  for (const number of [1, 2, 3]) await of(number, "evaluation");
  for (const number of [4, 5, 6]) await of(number);
  for (const number of [1, 2, 3, 4, 5, 6]) expect(await of(number)).toEqual(new Float32Array(4).fill(number));
  // Two of the evaluation's found room, and two of the training's.
  expect(made).toEqual([1, 2, 3, 4, 5, 6, 3, 6]);
});

it("an evaluation writes nothing, and reads what a training wrote", async () => {
  const place = join(folder, "read");
  const { of, made } = opened({ folder: place });
  await of(1, "evaluation");
  expect(await readdir(folder)).toEqual([]);
  await of(1);
  await of(1, "evaluation");
  expect(made).toEqual([1, 1]);
  const next = opened({ folder: place });
  expect(await next.of(1)).toEqual(new Float32Array(4).fill(1));
  expect(next.made).toEqual([]);
  // Of another model: made anew, and the first one's are gone.
  const other = opened({ folder: place, identity: async () => "b".repeat(64) });
  await other.of(1);
  expect(other.made).toEqual([1]);
  expect(await readdir(place)).toEqual(["b".repeat(32)]);
});

it("on a full disk further texts are made anew, and one warning says so; other errors are the caller's", async () => {
  const { of, made, warnings } = opened({ folder: join(folder, "full") });
  await of(1);
  vi.mocked(writeFile).mockRejectedValueOnce(Object.assign(new Error("no space left"), { code: "ENOSPC" }));
  await of(2);
  await of(3);
  for (const number of [1, 2, 3]) expect(await of(number)).toEqual(new Float32Array(4).fill(number));
  expect(made).toEqual([1, 2, 3, 2, 3]);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(/full: the disk is full: .* computed anew each time/);
  vi.mocked(writeFile).mockRejectedValueOnce(Object.assign(new Error("not permitted"), { code: "EPERM" }));
  await expect(opened({ folder: join(folder, "refused") }).of(1)).rejects.toThrow(/not permitted/);
});
