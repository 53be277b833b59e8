import { once } from "node:events";
import { userInfo } from "node:os";
import { dirname, join } from "node:path";
import {
  LABEL_KINDS,
  LABEL_TITLES,
  type LabelKind,
  type StageContext,
  type StageResult,
  UserError,
} from "@rag-ft/core";
import { isLoopback, listenOn } from "@rag-ft/page";
import { agreementLines } from "./agreement.js";
import { isLabelled, type LabelFile, openLabelFile } from "./labels.js";
import { createReviewServer } from "./review-server.js";
import { type ReviewedAnswer, readAnswers } from "./reviewed-answers.js";
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

/** Answers of which each reviewer has said all that is asked, by name. */
function labelledBy(
  answers: readonly ReviewedAnswer[],
  { labels }: LabelFile,
  asked: readonly LabelKind[],
): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { question_id, generated_answer } of answers) {
    for (const [name, row] of labels.by(question_id, generated_answer) ?? [])
      if (isLabelled(row, asked)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
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
  const { path, answers } = await readAnswers(settings.predictions);
  const file = settings.labels_file ?? join(dirname(path), "labels.jsonl");
  const labels = await openLabelFile(file);
  const labeller = settings.labeller ?? userName(env);
  const asked = LABEL_KINDS.filter((kind) => settings.labels.includes(LABEL_TITLES[kind]));
  const asksName = settings.labeller === undefined;
  const server = createReviewServer({ answers, labels, labeller, asksName, asked, file, host });
  const progress = (): string => {
    const each = [...labelledBy(answers, labels, asked)].map(([name, count]) => `${count} by ${name || "somebody"}`);
    return `${each.length > 0 ? each.join(", ") : "none"} of ${answers.length} answers are labelled in ${file}`;
  };
  const address = await listenOn(server, host, port);
  reporter.info(progress());
  reporter.info(`review them at ${address} - Ctrl-C ends the review`);
  if (!signal.aborted) await once(signal, "abort");
  server.closeAllConnections();
  server.close();
  const counts = labelledBy(answers, labels, asked);
  return {
    outputs: labels.labels.size > 0 ? [file] : [],
    figures: { labelled: Math.max(0, ...counts.values()), reviewers: counts.size, answers: answers.length },
    summary: [
      `${progress()}; the same command goes on with the rest.`,
      ...(counts.size > 1 ? ["Agreement of reviewers", ...agreementLines(labels.labels)] : []),
    ].join("\n"),
  };
}
