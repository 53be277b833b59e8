// Settings of train-retriever among a bench's flags: `--settings configs/retriever.yaml --freeze_layers 6`. They are taken out of process.argv, so that
// tools.mjs, which knows the bench's own flags alone, is to be loaded afterwards.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { trainRetrieverSettings } from "../packages/train-retriever/dist/index.js";

const { parse } = createRequire(new URL("../packages/fine-tune/package.json", import.meta.url))("yaml");

/** Flags of benches that are settings too. */
const OF_BENCH = new Set(["seed", "threads"]);
/** The bench names the files, the model and the folder. */
const NOT_GIVEN = new Set([
  "model_path",
  "output_dir",
  "train_file",
  "eval_file",
  "test_file",
  "full_dataset_file_path",
]);

function takeFlags() {
  const given = {};
  const left = [];
  const args = process.argv.slice(2);
  for (let i = 0; i < args.length; i++) {
    const [, name, value] = /^--([a-z_]+)(?:=(.*))?$/.exec(args[i]) ?? [];
    const isSetting =
      name === "settings" || (Object.hasOwn(trainRetrieverSettings.shape, name ?? "") && !OF_BENCH.has(name));
    if (!isSetting) left.push(args[i]);
    else if (NOT_GIVEN.has(name)) {
      console.error(`--${name}: the bench sets it. Leave it out.`);
      process.exit(2);
    } else if (value !== undefined) given[name] = value;
    else given[name] = args[i + 1] === undefined || args[i + 1].startsWith("--") ? "true" : args[++i];
  }
  process.argv.splice(2, process.argv.length - 2, ...left);
  return given;
}

const { settings, ...flags } = takeFlags();
const file = settings ?? fileURLToPath(new URL("../configs/retriever.yaml", import.meta.url));

/** By their names: those of the file (`--settings`, default configs/retriever.yaml), and flags, which override them. */
export const recipe = { ...parse(readFileSync(file, "utf8")), ...flags };
