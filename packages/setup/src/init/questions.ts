import type { Terminal } from "@rag-ft/core";
import { DECODERS, ENCODERS, type ProposedModel } from "../models.js";
import type { InitSettings } from "./settings.js";

/** What the configuration's variables are. */
export type Answers = Required<
  Pick<InitSettings, "name" | "documents" | "source_url" | "encoder" | "decoder" | "prompt_model">
>;

const OTHER = "another";

const choices = (models: readonly ProposedModel[]) => [
  ...models.map(({ name, millions, for: use }) => ({ value: name, name: `${name} (${millions} M): ${use}` })),
  { value: OTHER, name: "another: a folder or hub id" },
];

/** Asks a person for what was not given; `usual` is proposed. */
export async function askPerson(
  given: Partial<Answers>,
  usual: Answers,
  { input, output }: Terminal,
): Promise<Answers> {
  const { input: line, select } = await import("@inquirer/prompts");
  const context = { input: input as NodeJS.ReadableStream, output: output as NodeJS.WritableStream };
  const word = (message: string, key: keyof Answers): Promise<string> =>
    given[key] === undefined ? line({ message, default: usual[key] }, context) : Promise.resolve(given[key]);
  const model = async (
    message: string,
    key: "encoder" | "decoder",
    models: readonly ProposedModel[],
  ): Promise<string> => {
    if (given[key] !== undefined) return given[key];
    const chosen = await select({ message, choices: choices(models), default: usual[key] }, context);
    return chosen === OTHER ? line({ message: "Folder or hub id", required: true }, context) : chosen;
  };
  return {
    documents: await word(
      "Where is the documentation (a folder, files, globs, or the address of a sitemap)?",
      "documents",
    ),
    source_url: await word("Where are its pages published ({page} stands for a page; empty: no links)?", "source_url"),
    name: await word("A name for the run?", "name"),
    encoder: await model("Which encoder finds passages?", "encoder", ENCODERS),
    decoder: await model("Which decoder answers?", "decoder", DECODERS),
    prompt_model: await word(
      "Who asks and answers the training's questions (a model behind the OpenAI API, or local:<folder or hub id>)?",
      "prompt_model",
    ),
  };
}
