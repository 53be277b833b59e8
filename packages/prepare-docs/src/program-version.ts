import { readdir, readFile, realpath } from "node:fs/promises";
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
async function folderOf(name: string, folder: string): Promise<string | undefined> {
  for (let above = folder; ; above = dirname(above)) {
    const found = await realpath(join(above, "node_modules", name)).catch(() => undefined);
    if (found !== undefined || dirname(above) === above) return found;
  }
}

/** Hash of the code of a package of this repository. */
async function codeOf(folder: string): Promise<string> {
  const root = join(folder, BUILT ? "dist" : "src");
  const names = (await readdir(root, { recursive: true })).filter((name) => /(?<!\.d|\.test)\.[jt]s$/.test(name));
  const texts = await Promise.all(names.sort().map((name) => readFile(join(root, name), "utf8")));
  return hashText(JSON.stringify(texts));
}

/**
 * Names the program that makes passages: the versions of all packages that it imports, theirs too, and the code of those that have none
 * because they are of this repository. With another one the same file may give other passages.
 */
export async function programVersion(): Promise<string> {
  const own = dirname(dirname(fileURLToPath(import.meta.url)));
  const folders = new Set([own]);
  const parts: string[] = [`${process.versions.unicode} ${process.versions.icu}`];
  // A package that is found is added, and comes later in this loop.
  for (const folder of folders) {
    const { name, version, dependencies } = manifest.parse(
      JSON.parse(await readFile(join(folder, "package.json"), "utf8")),
    );
    const isOurs = !folder.includes(`${sep}node_modules${sep}`);
    parts.push(`${name} ${version} ${isOurs ? await codeOf(folder) : ""}`);
    const found = await Promise.all(
      Object.keys(dependencies)
        .filter((one) => !APART.has(one))
        .map((one) => folderOf(one, folder)),
    );
    for (const one of found) if (one !== undefined) folders.add(one);
  }
  return hashText(parts.sort().join("\n"));
}
