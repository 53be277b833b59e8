import { Readable, Writable } from "node:stream";
import type { Reporter } from "@rag-ft/core";
import type { Io } from "../io.js";

export interface MemoryIo extends Io {
  readonly stdout: string;
  readonly stderr: string;
  /** Progress and headers. */
  readonly log: string;
  readonly exits: readonly number[];
  /** As Ctrl-C. */
  interrupt(): void;
}

/** An `Io` that keeps all that is written; `lines` is what is typed. */
export function createMemoryIo(env: Record<string, string> = {}, lines: readonly string[] = []): MemoryIo {
  const written = { out: "", err: "", log: "" };
  const exits: number[] = [];
  const listeners = new Set<() => void>();
  const reporter: Reporter = {
    info: (message) => {
      written.log += `${message}\n`;
    },
    warn: (message) => {
      written.log += `warning: ${message}\n`;
    },
    start: () => ({ update() {}, stop() {} }),
  };
  return {
    out: (text) => {
      written.out += text;
    },
    err: (text) => {
      written.err += text;
    },
    reporter: async () => reporter,
    env,
    terminal: {
      input: Readable.from(lines.map((line) => `${line}\n`)),
      output: new Writable({
        write(chunk, _encoding, done) {
          written.out += String(chunk);
          done();
        },
      }),
    },
    onInterrupt(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    exit: (code) => {
      exits.push(code);
    },
    interrupt() {
      for (const listener of listeners) listener();
    },
    get stdout() {
      return written.out;
    },
    get stderr() {
      return written.err;
    },
    get log() {
      return written.log;
    },
    get exits() {
      return exits;
    },
  };
}
