// How often each of more keys has come than memory holds. Keys are written to files, by their hash in one of several, each small enough to be
// counted in memory; the counts are written in the order of the keys. Whoever then goes through the same keys in the same order is answered from
// these files, which are read from beginning to end.
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { InternalError } from "@rag-ft/core";
import type { Occurrences } from "../occurrences.js";

/** Of a key's SHA-256. */
const KEY_BYTES = 16;
const COUNT_BYTES = 4;
/** Of what is read or written at once; a multiple of both. */
const BUFFER = 1 << 16;
/** Keys that are counted together: some 100 MB of memory. */
const KEYS_TOGETHER = 1 << 20;
/** So many files are open at once at most. */
const MOST_BUCKETS = 512;

/** A file that is written from beginning to end. */
class Writer {
  private readonly file: number;
  private readonly buffer = Buffer.alloc(BUFFER);
  private used = 0;

  constructor(path: string) {
    this.file = openSync(path, "w");
  }

  /** Room for so many bytes. */
  take(bytes: number): Buffer {
    if (this.used + bytes > BUFFER) this.flush();
    this.used += bytes;
    return this.buffer.subarray(this.used - bytes, this.used);
  }

  private flush(): void {
    for (let from = 0; from < this.used; ) from += writeSync(this.file, this.buffer, from, this.used - from);
    this.used = 0;
  }

  close(): void {
    this.flush();
    closeSync(this.file);
  }
}

/** A file that is read from beginning to end. */
class Reader {
  private readonly file: number;
  private readonly buffer = Buffer.alloc(BUFFER);
  private start = 0;
  private end = 0;

  constructor(path: string) {
    this.file = openSync(path, "r");
  }

  /** The next so many bytes; undefined at the end. */
  take(bytes: number): Buffer | undefined {
    if (this.end - this.start < bytes) {
      this.buffer.copyWithin(0, this.start, this.end);
      this.end -= this.start;
      this.start = 0;
      for (let read = 1; read > 0 && this.end < bytes; this.end += read)
        read = readSync(this.file, this.buffer, this.end, BUFFER - this.end, null);
      if (this.end < bytes) return undefined;
    }
    this.start += bytes;
    return this.buffer.subarray(this.start - bytes, this.start);
  }

  close(): void {
    closeSync(this.file);
  }
}

export class SpilledOccurrences implements Occurrences {
  private readonly buckets: number;
  private writers: Writer[] = [];
  private readers: Reader[] = [];

  /**
   * @param folder - where the files are, which the caller removes
   * @param keys - how many there are at most
   */
  constructor(
    private readonly folder: string,
    private readonly name: string,
    keys: number,
    keysTogether = KEYS_TOGETHER,
  ) {
    this.buckets = Math.min(MOST_BUCKETS, Math.max(1, Math.ceil(keys / keysTogether)));
  }

  private path(bucket: number, kind: "keys" | "counts"): string {
    return join(this.folder, `${this.name}-${bucket}.${kind}`);
  }

  private all<T>(make: (bucket: number) => T): T[] {
    return Array.from({ length: this.buckets }, (_, bucket) => make(bucket));
  }

  /** Keys are only taken down from now on; `next` says 1 of each. */
  takeDown(): void {
    this.writers = this.all((bucket) => new Writer(this.path(bucket, "keys")));
  }

  /** Counts what was taken down. From now on the same keys, in the same order, are answered; called again, from the first one on. */
  answer(): void {
    for (const writer of this.writers) writer.close();
    if (this.writers.length > 0) for (let bucket = 0; bucket < this.buckets; bucket++) this.count(bucket);
    this.writers = [];
    this.close();
    this.readers = this.all((bucket) => new Reader(this.path(bucket, "counts")));
  }

  private count(bucket: number): void {
    const counts = new Map<string, number>();
    const keys = new Reader(this.path(bucket, "keys"));
    const out = new Writer(this.path(bucket, "counts"));
    for (let key = keys.take(KEY_BYTES); key !== undefined; key = keys.take(KEY_BYTES)) {
      const text = key.toString("latin1");
      const count = (counts.get(text) ?? 0) + 1;
      counts.set(text, count);
      out.take(COUNT_BYTES).writeUInt32LE(count);
    }
    keys.close();
    out.close();
    rmSync(this.path(bucket, "keys"));
  }

  next(key: string): number {
    const hash = createHash("sha256").update(key).digest();
    const bucket = hash.readUInt32LE(KEY_BYTES) % this.buckets;
    const writer = this.writers[bucket];
    if (writer !== undefined) {
      hash.copy(writer.take(KEY_BYTES), 0, 0, KEY_BYTES);
      return 1;
    }
    const count = this.readers[bucket]?.take(COUNT_BYTES)?.readUInt32LE();
    if (count === undefined) throw new InternalError(`${this.name}: more keys are asked for than were taken down.`);
    return count;
  }

  /** Closes files. */
  close(): void {
    for (const writer of this.writers) writer.close();
    for (const reader of this.readers) reader.close();
    this.writers = [];
    this.readers = [];
  }
}
