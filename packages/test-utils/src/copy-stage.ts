import { appendFile, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { count, escapedText, flag, number, type Stage, throwIfCancelled, writeFileAtomic } from "@rag-ft/core";
import { z } from "zod";

const settingsSchema = z.object({
  mode: z.enum(["all", "init"]).default("all").describe("what to do"),
  input_file: z.string().min(1).describe("file or folder to read"),
  save_dir: z.string().min(1).describe("folder to write to"),
  save_name: z.string().default("copy.txt"),
  repeat: count(1).default(1).describe("copies"),
  temperature: number().default(0.5),
  do_train: flag().default(false).describe("train"),
  sep_user: escapedText().default(" "),
  assistant_prefix: escapedText().default("ASSISTANT"),
  include: z.array(z.string()).default([]),
  fail: z.string().optional().describe("message to fail with"),
});

type CopySettings = z.infer<typeof settingsSchema>;

async function readAll(path: string): Promise<string> {
  if ((await stat(path)).isFile()) return readFile(path, "utf8");
  const names = (await readdir(path)).filter((name) => name.endsWith(".in")).sort();
  return (await Promise.all(names.map((name) => readFile(join(path, name), "utf8")))).join("");
}

/** A stage for tests: copies its input and notes each run in `<save_dir>/runs.log`. */
export const copyStage: Stage<CopySettings> = {
  name: "copy",
  summary: "copies",
  settings: settingsSchema,
  aliases: { source_file: "input_file" },
  inputs: ["input_file"],
  async run(settings, context) {
    throwIfCancelled(context.signal);
    if (settings.fail !== undefined) throw new Error(settings.fail);
    const output = join(settings.save_dir, settings.save_name);
    await writeFileAtomic(output, (await readAll(settings.input_file)).repeat(settings.repeat));
    await appendFile(join(settings.save_dir, "runs.log"), `${settings.save_name}\n`);
    return { outputs: [output], summary: `copied to ${output}` };
  },
};
