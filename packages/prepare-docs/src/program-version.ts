// Some hundred small files are looked at before anything else can be done: that takes a third of the time when nothing waits for threads.
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { hashText } from "@rag-ft/core";
import { z } from "zod";

const manifest = z.object({
  name: z.string(),
  version: z.string().default(""),
  dependencies: z.record(z.string(), z.string()).default({}),
});

/** What the models need for other things than tokens. */
const APART = new Set(["@huggingface/hub", "@huggingface/transformers", "@rag-ft/onnx", "@rag-ft/train"]);

/** Code as it runs: `dist` of a built package, else its sources. */
const BUILT = !import.meta.url.endsWith(".ts");

/** The folder of a package that the one in `folder` imports: in `node_modules` there or above. */
function folderOf(name: string, folder: string): string | undefined {
  for (let above = folder; ; above = dirname(above)) {
    const path = join(above, "node_modules", name);
    if (existsSync(path)) return realpathSync.native(path);
    if (dirname(above) === above) return undefined;
  }
}

/** Hash of the code of a package of this repository. */
function codeOf(folder: string): string {
  const root = join(folder, BUILT ? "dist" : "src");
  const names = (readdirSync(root, { recursive: true }) as string[]).filter((name) =>
    /(?<!\.d|\.test)\.[jt]s$/.test(name),
  );
  const texts = names.sort().map((name) => readFileSync(join(root, name), "utf8"));
  return hashText(JSON.stringify(texts));
}

/**
 * Names the program that makes passages: the versions of all packages that it imports, theirs too, and the code of those that have none
 * because they are of this repository. With another one the same file may give other passages.
 */
export function programVersion(): string {
  const own = dirname(dirname(fileURLToPath(import.meta.url)));
  const folders = new Set([own]);
  const parts: string[] = [`${process.versions.unicode} ${process.versions.icu}`];
  // A package that is found is added, and comes later in this loop.
  for (const folder of folders) {
    const { name, version, dependencies } = manifest.parse(
      JSON.parse(readFileSync(join(folder, "package.json"), "utf8")),
    );
    const isOurs = !folder.includes(`${sep}node_modules${sep}`);
    parts.push(`${name} ${version} ${isOurs ? codeOf(folder) : ""}`);
    for (const one of Object.keys(dependencies)) {
      const found = APART.has(one) ? undefined : folderOf(one, folder);
      if (found !== undefined) folders.add(found);
    }
  }
  return hashText(parts.sort().join("\n"));
}
