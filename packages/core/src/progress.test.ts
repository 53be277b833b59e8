import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createConsoleReporter, formatSeconds } from "./progress.js";

/** A stream that is no terminal, and what was written to it. */
function log(): { stream: NodeJS.WriteStream; lines: () => string[] } {
  const stream = new PassThrough();
  const chunks: string[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk.toString()));
  return {
    stream: stream as unknown as NodeJS.WriteStream,
    lines: () => chunks.join("").split("\n").slice(0, -1),
  };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("progress in a log", () => {
  it("writes plain lines now and then, with rate and time left, and one at the end", () => {
    const { stream, lines } = log();
    const progress = createConsoleReporter(stream).start("embedding", 100);
    progress.update(1);
    vi.setSystemTime(Date.now() + 20_000);
    progress.update(40, "loss 1.5");
    progress.update(41);
    vi.setSystemTime(Date.now() + 5_000);
    progress.update(100);
    progress.update(100);
    progress.stop();
    expect(lines()).toEqual([
      "embedding: 40/100 (2.0/s, 0:30 left, loss 1.5)",
      "embedding: 100/100 (4.0/s, 0:00 left)",
    ]);
    expect(lines().join("")).not.toContain("\u001b");
  });

  it("marks warnings", () => {
    const { stream, lines } = log();
    const reporter = createConsoleReporter(stream);
    reporter.info("read 3 files");
    reporter.warn("one is empty");
    expect(lines()).toEqual(["read 3 files", "warning: one is empty"]);
  });
});

it("writes times as people do", () => {
  expect([0, 65, 3599.6, 7380, -3].map(formatSeconds)).toEqual(["0:00", "1:05", "1:00:00", "2:03:00", "0:00"]);
});
