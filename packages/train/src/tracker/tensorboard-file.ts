import { appendFile, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { encodeEvent, SESSION_START, type TensorBoardEvent } from "./event.js";
import { encodeRecord } from "./record.js";

const NAME = /^events\.out\.tfevents\./;

/**
 * One event file of a run, as TensorBoard reads it: records in the order of time, the first of which names the format. There is
 * no maintained writer of it for Node without all of TensorFlow.
 */
export class TensorBoardFile {
  private path: string | undefined;

  constructor(private readonly folder: string) {}

  /**
   * Begins the file. A run from the start takes away an earlier run's; one that goes on leaves them, and its first event tells
   * TensorBoard to forget what they say of steps after `after`.
   */
  async start(after: number): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    if (after === 0) {
      for (const name of await readdir(this.folder)) if (NAME.test(name)) await rm(join(this.folder, name));
    }
    const seconds = Date.now() / 1000;
    // TensorBoard reads the files of a folder in the order of their names.
    this.path = join(this.folder, `events.out.tfevents.${seconds.toFixed(3)}.rag-ft`);
    await this.append({ fileVersion: "brain.Event:2" });
    if (after > 0) await this.append({ step: after + 1, sessionLog: { status: SESSION_START } });
  }

  /** Adds the figures of one step, by tag; those that are not finite are left out. */
  async write(step: number, figures: ReadonlyMap<string, number>): Promise<void> {
    const value = [...figures]
      .filter(([tag, simpleValue]) => tag !== "train/step" && Number.isFinite(simpleValue))
      .map(([tag, simpleValue]) => ({ tag, simpleValue }));
    await this.append({ step, summary: { value } });
  }

  private async append(event: Omit<TensorBoardEvent, "wallTime">): Promise<void> {
    if (this.path === undefined) throw new Error("the event file has not been begun");
    await appendFile(this.path, encodeRecord(encodeEvent({ wallTime: Date.now() / 1000, ...event })));
  }
}
