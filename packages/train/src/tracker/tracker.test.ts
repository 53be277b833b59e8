import { rmSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentReporter } from "@rag-ft/core";
import protobuf from "protobufjs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { finish, smallRun } from "../testing/small-run.js";
import { encodeEvent, type TensorBoardEvent } from "./event.js";
import { crc32c, encodeRecord } from "./record.js";
import { openTracker, tagOf, trackersOf } from "./tracker.js";

// Written by TensorBoard's own Python package: scripts/make-tensorboard-fixture.py.
const reference = JSON.parse(await readFile(new URL("../fixtures/tensorboard.json", import.meta.url), "utf8")) as {
  events: TensorBoardEvent[];
  file: string;
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-tracker-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** What a file's records hold, without the wall time: `[step, tag, value]`, or the step from which a new session begins. */
async function eventsOf(runs: string): Promise<unknown[]> {
  const events: unknown[] = [];
  for (const name of (await readdir(runs)).sort()) {
    const bytes = await readFile(join(runs, name));
    for (let at = 0; at < bytes.length; ) {
      const length = Number(bytes.readBigUInt64LE(at));
      const reader = protobuf.Reader.create(bytes.subarray(at + 12, at + 12 + length));
      at += length + 16;
      let step = 0;
      while (reader.pos < reader.len) {
        const field = reader.uint32() >>> 3;
        if (field === 1) reader.double();
        else if (field === 2) step = Number(reader.int64());
        else if (field === 3) events.push(reader.string());
        else if (field === 7) {
          reader.bytes();
          events.push(`from ${step}`);
        } else {
          const end = reader.uint32() + reader.pos;
          while (reader.pos < end) {
            reader.uint32();
            reader.uint32();
            reader.uint32();
            const tag = reader.string();
            reader.uint32();
            events.push([step, tag, reader.float()]);
          }
        }
      }
    }
  }
  return events;
}

describe("event files", () => {
  it("equal those of TensorBoard's own writer, byte for byte", () => {
    const records = reference.events.map((event) => encodeRecord(encodeEvent(event)));
    expect(Buffer.concat(records).toString("base64")).toBe(reference.file);
  });

  it("have the checksum of RFC 3720's examples", () => {
    expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
  });
});

describe("report_to", () => {
  it("takes one name, several, all or none, and tells those it does not know", () => {
    const none = { known: [], unknown: [] };
    expect([undefined, "none", "", "None,"].map(trackersOf)).toEqual([none, none, none, none]);
    expect(trackersOf("TensorBoard, wandb")).toEqual({ known: ["tensorboard"], unknown: ["wandb"] });
    expect(trackersOf("all")).toEqual({ known: ["tensorboard"], unknown: [] });
  });

  it("figures have the tags that Hugging Face's trainer gives them", () => {
    expect(["loss", "eval_loss", "eval_retr/mrr", "evaluated"].map(tagOf)).toEqual([
      "train/loss",
      "eval/loss",
      "eval/retr/mrr",
      "train/evaluated",
    ]);
  });
});

describe("a training run that reports to tensorboard", () => {
  const settings = { report_to: "tensorboard" };

  it("sends every line of its logs, and leaves out figures that are not finite", async () => {
    await finish(await smallRun(folder, settings));
    const events = await eventsOf(join(folder, "runs"));
    expect(events[0]).toBe("brain.Event:2");
    const lines = (await readFile(join(folder, "train.jsonl"), "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(4);
    for (const { step, loss } of lines) expect(events).toContainEqual([step, "train/loss", Math.fround(loss)]);
    expect(events).toContainEqual([6, "train/recall", Math.fround(0.7)]);
    expect(JSON.stringify(events)).not.toContain("train/step");
    const tracker = openTracker({ ...settings, output_dir: join(folder, "other") }, silentReporter);
    await tracker.start(0);
    await tracker.log(1, { a: Number.NaN, b: 2 });
    expect(await eventsOf(join(folder, "other/runs"))).toEqual(["brain.Event:2", [1, "train/b", 2]]);
  });

  it("that goes on voids what was said of later steps, and one that starts anew takes the old files away", async () => {
    const stopAt8 = {
      before: (what: string, step: number, controller: AbortController) => {
        if (what === "step" && step === 8) controller.abort();
      },
    };
    await expect(smallRun(folder, settings, stopAt8)).rejects.toThrow("Stopped on request after step");
    const before = await eventsOf(join(folder, "runs"));
    await finish(await smallRun(folder, settings));
    const after = await eventsOf(join(folder, "runs"));
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after.slice(before.length, before.length + 2)).toEqual(["brain.Event:2", "from 9"]);
    expect(await readdir(join(folder, "runs"))).toHaveLength(2);
    await smallRun(folder, { ...settings, resume_from_checkpoint: "false" });
    expect(await readdir(join(folder, "runs"))).toHaveLength(1);
  });

  it("goes on without a tracker that fails, after one warning, and ends as without it", async () => {
    await writeFile(join(folder, "runs"), "in the way");
    const failed = await smallRun(folder, settings);
    expect(failed.said.filter((line) => line.startsWith("warning"))).toEqual([
      expect.stringMatching(/^warning: tensorboard: EEXIST.*Training goes on without it\.$/),
    ]);
    const plain = await smallRun(join(folder, "plain"));
    expect([...failed.weights]).toEqual([...plain.weights]);
    expect(failed.outcome.bestFigures).toEqual(plain.outcome.bestFigures);
    expect(await readdir(join(folder, "plain"))).not.toContain("runs");
  });

  it("goes on without a tracker that fails halfway", async () => {
    const removeAt5 = {
      before: (what: string, step: number) => {
        if (what === "step" && step === 5) rmSync(join(folder, "runs"), { recursive: true });
      },
    };
    const { outcome, said } = await smallRun(folder, settings, removeAt5);
    expect(outcome.bestStep).toBe(6);
    expect(said.filter((line) => line.startsWith("warning"))).toHaveLength(1);
  });
});
