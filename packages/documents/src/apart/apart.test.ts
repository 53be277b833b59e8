import { describe, expect, it } from "vitest";
import { UnreadableFileError } from "../readers/unreadable-file-error.js";
import { Apart, ApartError, type ApartTask, addressOf } from "./apart.js";

const run = { path: "a.bin", turn: async (): Promise<void> => {} };

async function all<T>(parts: AsyncIterable<T>): Promise<T[]> {
  const made: T[] = [];
  for await (const part of parts) made.push(part);
  return made;
}

const halves: ApartTask<number, number, string, number> = async (input, { post, ask }) => {
  post(input / 2);
  post(await ask(`half of ${input}`));
};

describe("Apart", () => {
  it("hands over parts and questions, one input after the other", async () => {
    const apart = new Apart(halves, { seconds: 5, megabytes: 64 });
    const answer = async (question: string): Promise<number> => question.length;
    expect(await all(apart.run(8, { ...run, answer }))).toEqual([4, 9]);
    expect(await all(apart.run(10, { ...run, answer }))).toEqual([5, 10]);
  });

  it("loads installed packages and passes their errors on", async () => {
    const task: ApartTask<string, string> = async (address, { load, post }) => {
      const { parse } = (await load(address)) as { parse(text: string): unknown };
      post(JSON.stringify(parse("a: [1]")));
      parse("a: [");
    };
    const parts = new Apart(task, { seconds: 5, megabytes: 64 }).run(addressOf("yaml"), run);
    expect((await parts.next()).value).toBe('{"a":[1]}');
    await expect(parts.next()).rejects.toBeInstanceOf(ApartError);
  });

  it("ends a loop, and memory without end, with one sentence, and reads the next", async () => {
    const task: ApartTask<string, string> = async (what, { post }) => {
      const kept: unknown[] = [];
      while (what === "loop");
      while (what === "memory") kept.push(new Array(1000).fill(what));
      post(what);
    };
    const apart = new Apart(task, { seconds: 0.3, megabytes: 16 });
    await expect(all(apart.run("loop", run))).rejects.toThrow(/^a\.bin: reading it takes more than 0\.3 seconds/);
    await expect(all(apart.run("memory", run))).rejects.toBeInstanceOf(UnreadableFileError);
    expect(await all(apart.run("text", run))).toEqual(["text"]);
  });

  it("hears that the run is asked to stop", async () => {
    const task: ApartTask<number, number> = async () => {
      for (;;);
    };
    const turn = async (): Promise<void> => {
      throw new Error("stopped");
    };
    await expect(all(new Apart(task, { seconds: 5, megabytes: 16 }).run(1, { ...run, turn }))).rejects.toThrow(
      "stopped",
    );
  });
});
