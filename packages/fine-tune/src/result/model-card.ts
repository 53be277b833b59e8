import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { pathKind, readTextIfThere, type StageContext, writeFileAtomic } from "@rag-ft/core";
import { figuresAmong, intervalName, isShown } from "@rag-ft/metrics";
import { describeFrozen, type FrozenPart } from "@rag-ft/models";
import { parse, stringify } from "yaml";
import type { FineTuneSettings } from "../fine-tune-settings.js";
import { type Choice, candidateName, type Place } from "./choice.js";

/** What a stage says of its models, for a card beside their weights. */
export interface CardFacts {
  /** Of the hub's front matter. */
  library_name: "sentence-transformers" | "transformers";
  pipeline_tag: "sentence-similarity" | "text-generation" | "text-ranking";
  tags: readonly string[];
  /** What the model is and does, in a sentence or two. */
  about: string;
  /** What it was trained and measured on: what, and how much. */
  data: readonly (readonly [what: string, amount: string])[];
  /** Settings of the stage that belong to the recipe, besides those that all stages have. */
  recipe: Readonly<Record<string, unknown>>;
  /** How to use it, in Markdown, with `CARD_FOLDER` as its folder: the same training leaves the same card, wherever it ran. */
  use: string;
}

/** Stands for the model's folder, or its name on the hub. */
export const CARD_FOLDER = "path/to/this/model";

export interface CardOf {
  settings: FineTuneSettings;
  /** The base as the user named it, and its folder. */
  modelName: string;
  baseFolder: string;
  facts: CardFacts;
  choice: Choice | undefined;
  kept: Place;
  /** What was held fixed. */
  frozen?: FrozenPart | undefined;
}

/** Only a card that has this line is written anew: what a user has written or changed stays. */
const MARK =
  "<!-- Written by rag-ft. Remove this line to keep your changes: a card without it is never written anew. -->";

const RECIPE = [
  "learning_rate",
  "per_device_train_batch_size",
  "gradient_accumulation_steps",
  "num_train_epochs",
  "max_steps",
  "lr_scheduler_type",
  "warmup_ratio",
  "weight_decay",
  "seed",
  "lora_r",
  "lora_alpha",
  "keep_base_unless",
] as const;

/** Settings that say nothing at these values. */
const isSaid = ([name, value]: [string, unknown]): boolean =>
  value !== undefined && !(name === "max_steps" && value === -1) && !(name.startsWith("lora_") && value === 0);

function frontMatter(text: string): Record<string, unknown> {
  const yaml = /^---\r?\n([\s\S]*?)\r?\n---/.exec(text)?.[1];
  try {
    const value: unknown = yaml === undefined ? {} : parse(yaml);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    // A card that cannot be read says nothing of the licence; training does not depend on it.
    return {};
  }
}

/** What the base's own card says of its licence; undefined when there is none. */
async function licenceOf(baseFolder: string): Promise<Record<string, unknown>> {
  const known = frontMatter((await readTextIfThere(join(baseFolder, "README.md"))) ?? "");
  return Object.fromEntries(
    ["license", "license_name", "license_link"].flatMap((key) => (known[key] === undefined ? [] : [[key, known[key]]])),
  );
}

/** The base's name on the hub; undefined of a folder, which says nothing of where it is from. */
async function hubName(modelName: string): Promise<string | undefined> {
  return (await pathKind(modelName)) === "folder" ? undefined : modelName.replace(/@.*$/, "");
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`)
    .join("\n");

type Figures = Readonly<Record<string, unknown>>;

function shown(figures: Figures, name: string): string {
  const value = figures[name];
  if (typeof value !== "number") return "";
  const interval = figures[intervalName(name)];
  return Array.isArray(interval)
    ? `${value.toFixed(3)} (${interval.map((end) => Number(end).toFixed(3)).join(" to ")})`
    : value.toFixed(3);
}

/** Base and result on the test questions, from test.json; undefined when there is none. */
async function testTable(folder: string): Promise<string | undefined> {
  const text = await readTextIfThere(join(folder, "test.json"));
  if (text === undefined) return undefined;
  const test = JSON.parse(text) as {
    base: Figures;
    best: Figures;
    change?: Record<string, { difference: number; ci95?: number[] }>;
    questions?: number;
  };
  const { base, best, change = {}, questions } = test;
  const named = figuresAmong(Object.keys(best)).filter((figure) => isShown(figure, "own"));
  const others = named.length > 0 ? [] : Object.keys(best).filter((name) => name === "loss");
  const rows = [
    ...named.map(({ name, title }) => [name, title] as const),
    ...others.map((name) => [name, name] as const),
  ];
  if (rows.length === 0) return undefined;
  const cells = rows.map(([name, title]) => {
    const { difference, ci95 } = change[name] ?? {};
    const ends = ci95 ? ` (${ci95.map((end) => end.toFixed(3)).join(" to ")})` : "";
    return [
      title,
      shown(base, name),
      shown(best, name),
      difference === undefined ? "" : `${difference.toFixed(3)}${ends}`,
    ];
  });
  return `On ${questions ?? "the"} test questions, which chose nothing; in brackets 95 % intervals:\n\n${table(["figure", "base", "this model", "change"], cells)}`;
}

async function cardText(about: CardOf): Promise<string> {
  const { settings, modelName, baseFolder, facts, choice, kept } = about;
  const hub = await hubName(modelName);
  const baseName = basename(resolve(hub ?? modelName));
  const head = {
    ...(hub === undefined ? {} : { base_model: hub }),
    library_name: facts.library_name,
    pipeline_tag: facts.pipeline_tag,
    tags: [...facts.tags, "rag-ft"],
    ...(await licenceOf(baseFolder)),
  };
  const given: Record<string, unknown> = { ...settings };
  const common = RECIPE.map((key): [string, unknown] => [key, given[key]]);
  const frozen: [string, unknown][] = about.frozen ? [["freeze_layers", about.frozen.layers]] : [];
  const recipe = [...common, ...frozen, ...Object.entries(facts.recipe)].filter(isSaid);
  const figures = await testTable(settings.output_dir);
  return [
    `---\n${stringify(head)}---`,
    MARK,
    `# ${baseName}, fine-tuned`,
    `${facts.about} Fine-tuned from ${hub === undefined ? `\`${baseName}\`` : `[${hub}](https://huggingface.co/${hub})`} with rag-ft.`,
    "## Data",
    table(["what", "how much"], facts.data),
    "## Recipe",
    table(
      ["setting", "value"],
      recipe.map(([key, value]) => [`\`${key}\``, `\`${typeof value === "string" ? value : JSON.stringify(value)}\``]),
    ),
    ...(about.frozen ? [`Held fixed in training, as in the base: ${describeFrozen(about.frozen)}.`] : []),
    "## Figures",
    ...(choice
      ? [`Kept: ${kept.step === 0 ? "the base's weights" : candidateName(kept)}. ${choice.verdict}`]
      : ["The last step is kept: nothing was evaluated."]),
    ...(figures === undefined ? [] : [figures]),
    "## Use",
    facts.use,
    "",
  ]
    .join("\n\n")
    .replace(/\n+$/, "\n");
}

/**
 * Writes README.md beside a model, with the front matter that the Hugging Face Hub reads: base, data, recipe, figures with intervals, how to use it.
 * A README.md that is not of rag-ft, or no longer, stays as it is, and a line says so.
 */
export async function writeModelCard(about: CardOf, { reporter }: Pick<StageContext, "reporter">): Promise<void> {
  const path = join(about.settings.output_dir, "README.md");
  if ((await pathKind(path)) !== undefined && !(await readFile(path, "utf8")).includes(MARK)) {
    reporter.info(`${path} is not of rag-ft and stays as it is: no model card is written`);
    return;
  }
  await writeFileAtomic(path, await cardText(about));
}
