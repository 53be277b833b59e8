import { type Reporter, silentReporter } from "@rag-ft/core";

/** A reporter and a signal that is aborted once what is reported under `label` has come to `done`. */
export function stopAfter(done: number, label = "training"): { reporter: Reporter; signal: AbortSignal } {
  const stop = new AbortController();
  const start: Reporter["start"] = (name) => ({
    update: (now) => {
      if (name === label && now === done) stop.abort();
    },
    stop: () => {},
  });
  return { reporter: { ...silentReporter, start }, signal: stop.signal };
}
