import { readFile } from "node:fs/promises";
import { pathKind, type StageContext, type StageResult, UserError, writeFileAtomic } from "@rag-ft/core";
import { isMap, isSeq, parseDocument } from "yaml";
import { type Answers, askPerson } from "./questions.js";
import type { InitSettings } from "./settings.js";

const TEMPLATE = new URL("../../assets/your-docs.yaml", import.meta.url);

/** What the template has. */
export const USUAL: Answers = {
  name: "your-docs",
  documents: "docs",
  source_url: "",
  encoder: "intfloat/e5-small-v2",
  decoder: "HuggingFaceTB/SmolLM2-135M-Instruct",
  prompt_model: "gpt-4.1-mini",
};

/** For questions made by rules: `answerable` would ask a model, and of `round-trip` a small encoder lets too few pass. */
const FILTERS_OF_RULES = "standalone,duplicates";

/** The configuration with these answers in it; its comments stay. */
export function configuration(template: string, answers: Answers, path: string): string {
  const document = parseDocument(template.replaceAll("configs/your-docs.yaml", path));
  const { name, documents, ...rest } = answers;
  document.set("name", name);
  document.set("work_dir", `result/${name}`);
  const vars = document.get("vars");
  if (!isMap(vars)) throw new UserError("The template of configurations has no vars.");
  for (const [key, value] of Object.entries({ documentation: documents, ...rest })) vars.set(key, value);
  const stages = document.get("stages");
  if (answers.prompt_model === "extractive" && isSeq(stages)) {
    const asking = stages.items.findIndex((stage) => isMap(stage) && stage.get("stage") === "gen-questions");
    document.setIn(["stages", asking, "with", "filters"], FILTERS_OF_RULES);
  }
  return document.toString({ lineWidth: 0 });
}

/** Writes a first configuration. */
export async function runInit(settings: InitSettings, { terminal, reporter }: StageContext): Promise<StageResult> {
  const { out, force, ...given } = settings;
  if (!force && (await pathKind(out)) !== undefined) {
    throw new UserError(`${out} is there already. Name another file with --out, or write over it with --force true.`);
  }
  const named = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  ) as Partial<Answers>;
  const person = terminal !== undefined && "isTTY" in terminal.input && terminal.input.isTTY === true;
  const answers = person ? await askPerson(named, USUAL, terminal) : { ...USUAL, ...named };
  if (!/^[\w.-]+$/.test(answers.name)) {
    throw new UserError(
      `name ${JSON.stringify(answers.name)}: it names a folder. Expected letters, digits, - and _, such as my-docs.`,
    );
  }
  if (!/[*?{]|^https?:/.test(answers.documents) && (await pathKind(answers.documents)) === undefined) {
    reporter.warn(`${answers.documents}: there is no such file or folder yet`);
  }
  await writeFileAtomic(out, configuration(await readFile(TEMPLATE, "utf8"), answers, out));
  const next = [
    `what it would ask, and cost:  rag-ft run ${out} --dry_run`,
    `run it:                       rag-ft run ${out}`,
  ];
  return { outputs: [], summary: `${out} is written.\n${next.join("\n")}` };
}
