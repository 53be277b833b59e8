import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeTinyRun } from "./tiny-run.js";

const GUIDE = fileURLToPath(new URL("../../../docs/using.md", import.meta.url));

/** Whether the guide `docs/using.md` shows this file, whole and as it is. */
export async function isDocumented(example: URL): Promise<boolean> {
  return (await readFile(GUIDE, "utf8")).includes(`\`\`\`js\n${await readFile(example, "utf8")}\`\`\`\n`);
}

/** Runs `work` in a folder of its own, where the examples' `result/quickstart` is a tiny run; what it writes to standard output is given back. */
export async function whereExamplesRun(work: () => Promise<unknown>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "rag-ft-example-"));
  const before = process.cwd();
  const { log } = console;
  const { write } = process.stdout;
  let text = "";
  try {
    await writeTinyRun(join(folder, "result/quickstart"));
    process.chdir(folder);
    console.log = (...values) => {
      text += `${values.join(" ")}\n`;
    };
    process.stdout.write = (chunk) => {
      text += String(chunk);
      return true;
    };
    await work();
    return text;
  } finally {
    Object.assign(console, { log });
    process.stdout.write = write;
    process.chdir(before);
    await rm(folder, { recursive: true, force: true });
  }
}
