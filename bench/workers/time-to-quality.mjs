// Our side of bench/time-to-quality.mjs: train-retriever as it is, in one process. Prints JSON: when each step was done, by the clock that starts when model and
// data are read (masks, compilation and all else that is of the training counts), and what the evaluations found, if there were any.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { peakRssMb } from "../../packages/train/dist/index.js";
import { trainRetriever } from "../../packages/train-retriever/dist/index.js";
import { flags, quiet } from "../tools.mjs";

const { settings } = JSON.parse(readFileSync(flags.request, "utf8"));
let began;
const seconds = [];
const reporter = {
  ...quiet.reporter,
  info() {
    // The first line is said when all inputs are read.
    began ??= performance.now();
  },
  start: (label) => ({
    update(done) {
      if (label === "training") seconds[done - 1] = (performance.now() - began) / 1000;
    },
    stop() {},
  }),
};
await trainRetriever.run(trainRetriever.settings.parse(settings), { ...quiet, reporter });

const read = (name) => {
  const path = join(settings.output_dir, name);
  return existsSync(path) ? readFileSync(path, "utf8") : "";
};
const figuresOf = (figures) => ({
  recall1: figures["eval_retr/document_recall/recall1"],
  recall4: figures["eval_retr/document_recall/recall4"],
  mrr: figures["eval_retr/mrr"],
});
const lines = read("eval.jsonl").trim().split("\n").filter(Boolean);
const choice = JSON.parse(read("choice.json") || "{}");
console.log(
  JSON.stringify({
    seconds,
    points: lines.map((line) => JSON.parse(line)).map(({ step, ...figures }) => ({ step, ...figuresOf(figures) })),
    shares: (choice.candidates ?? [])
      .filter(({ alpha }) => alpha !== undefined)
      .map(({ step, alpha, figures }) => ({ step, alpha, ...figuresOf(figures) })),
    peak_rss_mb: peakRssMb(),
  }),
);
process.exit(0);
