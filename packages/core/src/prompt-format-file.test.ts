import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DataError } from "./errors.js";
import { PROMPT_FORMAT_FILE, readPromptFormat, writePromptFormat } from "./prompt-format-file.js";
import { defaultPromptFormat } from "./rag-prompt.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-prompt-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("a prompt format comes back as it was written, line breaks and all", async () => {
  const format = { ...defaultPromptFormat, user_prefix: "<|im_start|>user\n", sep_sys: "<|im_end|>" };
  await writePromptFormat(folder, format);
  expect(await readPromptFormat(folder)).toEqual(format);
  const template = { prompt: "chat_template", system_text: "S", enable_thinking: true } as const;
  await writePromptFormat(folder, template);
  expect(await readPromptFormat(folder)).toEqual(template);
});

test("no file and no folder are no format; a broken file is an error that names it", async () => {
  expect(await readPromptFormat(folder)).toBeUndefined();
  expect(await readPromptFormat(join(folder, "absent"))).toBeUndefined();
  await writeFile(join(folder, PROMPT_FORMAT_FILE), '{"sep_sys": 1}');
  await expect(readPromptFormat(folder)).rejects.toThrow(DataError);
  await expect(readPromptFormat(folder)).rejects.toThrow(/rag_ft_prompt\.json.*system_text/);
  await writeFile(join(folder, PROMPT_FORMAT_FILE), '{"prompt": "jinja", "system_text": "", "enable_thinking": false}');
  await expect(readPromptFormat(folder)).rejects.toThrow(/rag_ft_prompt\.json.*chat_template/);
});
