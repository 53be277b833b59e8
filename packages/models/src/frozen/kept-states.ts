import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { InternalError } from "@rag-ft/core";

/** What something is kept for: a training comes back to each text for certain. */
export type Purpose = "training" | "evaluation";

export interface KeptStatesOptions {
  /** Bytes of memory; evaluations fill half of it at most. */
  memoryBytes: number;
  /** Folder for what a training finds no memory for, to be removed by who gives it; undefined: that is computed anew each time. */
  folder?: string | undefined;
  /** Names what the states depend on besides the text. States of other names in the folder are removed. */
  identity: () => Promise<string>;
  warn: (message: string) => void;
}

/** Share of the memory that is filled for evaluations: a training's own texts come later. */
const EVALUATION_SHARE = 0.5;
const DIGEST_BYTES = 32;

/**
 * Arrays of single precision by a key, in memory and beyond that in files: one a key, which begins with a SHA-256 of key and content. Files need not be
 * synced: after a crash one that is not whole is noticed, and made anew.
 */
export class KeptStates {
  private readonly memory = new Map<string, Float32Array>();
  private readonly onDisk = new Set<string>();
  private bytes = 0;
  private opened: Promise<string> | undefined;
  private isFull = false;

  constructor(private readonly options: KeptStatesOptions) {}

  /** What is kept under a key, of `length` elements, or else what `make` gives, which is kept where there is room. Not to be changed. */
  async of(key: string, length: number, purpose: Purpose, make: () => Promise<Float32Array>): Promise<Float32Array> {
    const held = this.memory.get(key);
    if (held) return held;
    const usesDisk = this.options.folder !== undefined && (purpose === "training" || this.onDisk.has(key));
    // Before it is known whether a run that goes on has left a file: memory is filled first, from files too.
    const read = usesDisk ? await this.read(key, length) : undefined;
    const states = read ?? (await make());
    if (states.length !== length) throw new InternalError(`frozen layers gave ${states.length} numbers, not ${length}`);
    if (this.hasRoom(states, purpose)) {
      this.memory.set(key, states);
      this.bytes += states.byteLength;
    } else if (read === undefined && usesDisk) await this.write(key, states);
    return states;
  }

  private hasRoom({ byteLength }: Float32Array, purpose: Purpose): boolean {
    const { memoryBytes } = this.options;
    return this.bytes + byteLength <= (purpose === "training" ? memoryBytes : memoryBytes * EVALUATION_SHARE);
  }

  /** The folder of this identity; lists what a run before has left there. */
  private open(folder: string): Promise<string> {
    this.opened ??= (async () => {
      const own = (await this.options.identity()).slice(0, 32);
      for (const name of await readdir(folder).catch(() => []))
        if (name !== own) await rm(join(folder, name), { recursive: true, force: true });
      const path = join(folder, own);
      for (const part of await readdir(path).catch(() => []))
        for (const name of await readdir(join(path, part))) {
          if (/^[0-9a-f]+$/.test(name)) this.onDisk.add(name);
          else await rm(join(path, part, name), { force: true }); // half-written
        }
      return path;
    })();
    return this.opened;
  }

  private async path(key: string): Promise<string> {
    return join(await this.open(this.options.folder as string), key.slice(0, 2), key);
  }

  private async read(key: string, length: number): Promise<Float32Array | undefined> {
    const path = await this.path(key);
    if (!this.onDisk.has(key)) return undefined;
    const bytes = await readFile(path).catch(() => Buffer.alloc(0));
    const content = bytes.subarray(DIGEST_BYTES);
    if (content.length === 4 * length && digest(key, content).equals(bytes.subarray(0, DIGEST_BYTES))) {
      return new Float32Array(content.buffer.slice(content.byteOffset, content.byteOffset + content.length));
    }
    this.options.warn(`${path} is damaged or gone: what the frozen layers compute of this text is computed anew`);
    this.onDisk.delete(key);
    return undefined;
  }

  private async write(key: string, states: Float32Array): Promise<void> {
    if (this.isFull) return;
    const path = await this.path(key);
    const content = Buffer.from(states.buffer, states.byteOffset, states.byteLength);
    const temporary = `${path}.part`;
    try {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(temporary, [digest(key, content), content]);
      await rename(temporary, path);
      this.onDisk.add(key);
    } catch (error) {
      await rm(temporary, { force: true });
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      this.isFull = true;
      this.options.warn(
        `${this.options.folder}: the disk is full: what the frozen layers compute of further texts is computed anew each time`,
      );
    }
  }
}

function digest(key: string, content: Uint8Array): Buffer {
  return createHash("sha256").update(key).update(content).digest();
}
