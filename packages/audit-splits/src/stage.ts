import { join } from "node:path";
import {
  CheckFailedError,
  fileNamed,
  formatTable,
  type Reporter,
  readQa,
  readQuestions,
  SPLITS,
  type Stage,
  UserError,
  writeJsonl,
} from "@rag-ft/core";
import { auditRows, LEAKS, type Leak, type SplitRows } from "./audit.js";
import { type AuditSplitsSettings, auditSplitsSettings } from "./settings.js";

/** The splits of a folder: its files of questions, or those with answers where a split has no other. */
async function readSplits(folder: string, reporter: Reporter): Promise<SplitRows[]> {
  const splits: SplitRows[] = [];
  for (const split of SPLITS) {
    const answered = await fileNamed(join(folder, `${split}_w_qa`));
    const asked = await fileNamed(join(folder, `${split}_w_q`));
    if (asked !== undefined) {
      const rows = await readQuestions(asked);
      splits.push({
        split,
        rows: rows.flatMap(({ questions, gold_docs }) => questions.map((question) => ({ question, gold_docs }))),
      });
    } else if (answered !== undefined) splits.push({ split, rows: await readQa(answered, reporter) });
  }
  if (splits.length < 2)
    throw new UserError(
      `${folder}: ${splits.length} of the splits train, eval and test found (*_w_q.jsonl or *_w_qa.jsonl), and a leak takes two. ` +
        "Name the folder that gen-questions or gen-answers wrote.",
    );
  return splits;
}

function tableOf(splits: readonly SplitRows[], leaks: readonly Leak[]): string {
  const pairs = splits.flatMap((a, i) => splits.slice(i + 1).map((b) => [a.split, b.split] as const));
  const rows = LEAKS.map((kind) => ({
    leak: kind,
    ...Object.fromEntries(
      pairs.map(([a, b]) => [
        `${a}-${b}`,
        leaks.filter((leak) => leak.kind === kind && leak.splits[0] === a && leak.splits[1] === b).length,
      ]),
    ),
  }));
  return formatTable(rows, ["leak", ...pairs.map(([a, b]) => `${a}-${b}`)]);
}

function examplesOf(leaks: readonly Leak[], count: number): string[] {
  return LEAKS.flatMap((kind) =>
    leaks
      .filter((leak) => leak.kind === kind)
      .slice(0, count)
      .map(({ splits, shown }) => `${kind}: ${splits[0]}: ${shown[0]} | ${splits[1]}: ${shown[1]}`),
  );
}

/** Looks for what a split gives away of another one. Ends with `CheckFailedError` (exit code 4) when it finds any. */
export const auditSplits: Stage<AuditSplitsSettings> = {
  name: "audit-splits",
  summary: "Look for leaks between the splits: same passages and questions, near-duplicates, overlapping chunks",
  settings: auditSplitsSettings,
  aliases: { dataset_w_q: "dataset", save_dir: "dataset" },
  inputs: ["dataset"],
  async run(settings, { reporter, signal }) {
    const splits = await readSplits(settings.dataset, reporter);
    const leaks = await auditRows(splits, {
      passageOverlap: settings.passage_overlap,
      questionOverlap: settings.question_overlap,
      chunkWords: settings.chunk_words,
      signal,
    });
    if (settings.out !== undefined) await writeJsonl(settings.out, leaks);
    const sizes = splits.map(({ split, rows }) => `${split} ${rows.length}`).join(", ");
    const summary = [
      `Questions: ${sizes}. Pairs between splits:`,
      tableOf(splits, leaks),
      ...examplesOf(leaks, settings.examples),
    ].join("\n");
    const bad = leaks.filter(({ kind }) => settings.fail_on.includes(kind)).length;
    if (bad > 0) {
      reporter.info(summary);
      throw new CheckFailedError(
        `${settings.dataset}: ${bad} leaks between the splits, listed above. Remove the rows from one of the splits` +
          `${settings.out === undefined ? " (--out writes all of them to a file)" : ` (all are in ${settings.out})`}, or leave kinds that are meant to be out of --fail_on.`,
      );
    }
    return {
      outputs: settings.out === undefined ? [] : [settings.out],
      figures: Object.fromEntries(LEAKS.map((kind) => [kind, leaks.filter((leak) => leak.kind === kind).length])),
      summary,
    };
  },
};
