import type { Reporter, Terminal } from "@rag-ft/core";

/** What the CLI has of the world; tests put their own in its place. */
export interface Io {
  /** Results, help and tables. */
  out(text: string): void;
  /** Error messages. */
  err(text: string): void;
  /** Progress; made only when a stage runs, since it needs more than help does. */
  reporter(): Promise<Reporter>;
  env: Readonly<Record<string, string | undefined>>;
  /** For a stage that talks. */
  terminal: Terminal;
  /** Calls back at each SIGINT or SIGTERM; returns what stops that. */
  onInterrupt(listener: () => void): () => void;
  /** Ends the process now. */
  exit(code: number): void;
}

/** The process's own console, environment and signals. */
export function createProcessIo(): Io {
  // A reader that has seen enough (`rag-ft --help | head -1`) is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  return {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    reporter: async () => (await import("@rag-ft/core")).createConsoleReporter(process.stderr),
    env: process.env,
    terminal: { input: process.stdin, output: process.stdout },
    onInterrupt(listener) {
      process.on("SIGINT", listener);
      process.on("SIGTERM", listener);
      return () => {
        process.off("SIGINT", listener);
        process.off("SIGTERM", listener);
      };
    },
    exit: (code) => process.exit(code),
  };
}
