import { once } from "node:events";
import { userInfo } from "node:os";
import { dirname, join } from "node:path";
import { pathKind, predictionSchema, readJsonl, type StageContext, type StageResult, UserError } from "@rag-ft/core";
import { isLoopback, listenOn } from "@rag-ft/page";
import { openLabelFile } from "./labels.js";
import { reviewData } from "./review-data.js";
import { createReviewServer } from "./review-server.js";
import type { ReviewSettings } from "./settings.js";

function userName(env: StageContext["env"]): string {
  if (env.USER) return env.USER;
  try {
    return userInfo().username;
  } catch {
    // A user id without an entry, as in some containers.
    return "unknown";
  }
}

async function predictionsPath(given: string): Promise<string> {
  return (await pathKind(given)) === "folder" ? join(given, "test-predictions.jsonl") : given;
}

/** Serves the review page until the stage is stopped (Ctrl-C), which is how a review ends. */
export async function runReview(settings: ReviewSettings, context: StageContext): Promise<StageResult> {
  const { host, port, allow_remote } = settings;
  const { reporter, signal, env } = context;
  if (!isLoopback(host) && !allow_remote) {
    throw new UserError(
      `--host ${host} can be reached from other machines, and the page has no password: whoever reaches it may read all passages and answers and give labels. ` +
        "Leave --host out and use a tunnel (ssh -L), or add --allow_remote true if that is what you want.",
    );
  }
  const path = await predictionsPath(settings.predictions);
  const predictions = await readJsonl(path, predictionSchema, {
    what: "predictions of test-e2e (test-predictions.jsonl)",
  });
  const file = settings.labels_file ?? join(dirname(path), "labels.jsonl");
  const labels = await openLabelFile(file);
  const labeller = settings.labeller ?? userName(env);
  const server = createReviewServer({ predictions, labels, labeller, file, host });
  const count = (): number =>
    reviewData(predictions, labels, { labeller, file }).items.filter(({ label }) => label).length;
  const address = await listenOn(server, host, port);
  reporter.info(`${count()} of ${predictions.length} answers are labelled in ${file}`);
  reporter.info(`review them at ${address} - Ctrl-C ends the review`);
  if (!signal.aborted) await once(signal, "abort");
  server.closeAllConnections();
  server.close();
  const labelled = count();
  return {
    outputs: labels.labels.size > 0 ? [file] : [],
    figures: { labelled, answers: predictions.length },
    summary: `${labelled} of ${predictions.length} answers are labelled in ${file}; the same command goes on with the rest.`,
  };
}
