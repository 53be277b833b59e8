import { flag } from "@rag-ft/core";
import { z } from "zod";

const text = (): z.ZodOptional<z.ZodString> => z.string().min(1).optional();

/** Settings of `init`: what is not given is asked for on a terminal, and elsewhere as the configuration has it. */
export const initSettings = z.object({
  out: z.string().min(1).default("rag-ft.yaml").describe("file to write"),
  name: text().describe("name of the run, and of its folder below result"),
  documents: text().describe("the documentation: a folder, files, globs or the address of a sitemap"),
  source_url: z.string().optional().describe("where the pages are published, such as https://example.org/docs/{page}"),
  encoder: text().describe("the retriever to tune: a folder or hub id"),
  decoder: text().describe("the generator to tune: a folder or hub id"),
  prompt_model: text().describe(
    "who asks and answers the training's questions: a model behind the OpenAI API, local:<folder or hub id>, or extractive (rules, to try the flow)",
  ),
  force: flag().default(false).describe("write over a file that is there"),
});

export type InitSettings = z.infer<typeof initSettings>;
