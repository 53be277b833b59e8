// Antora's names of files: `[module:]family$path`. Files of a module lie in modules/MODULE/FAMILY. Names with a component or a version are of
// another project, whose files are not at hand.
import { dirname, join, relative, sep } from "node:path";
import { parse } from "yaml";
import type { ReadContext } from "../reader.js";

const RESOURCE = /^(?:([^@:$]+):)?(page|partial|example|attachment|image)\$(.+)$/;

/** Folders `modules` above a file, and the module that it is of. */
function moduleOf(path: string): { modules: string; name: string } | undefined {
  const parts = path.split(sep);
  const at = parts.lastIndexOf("modules");
  const name = parts[at + 1];
  return at < 0 || name === undefined ? undefined : { modules: parts.slice(0, at + 1).join(sep), name };
}

/** The path of a resource as an include names it, relative to `from`; undefined when the name is none of Antora's. */
export function antoraPath(target: string, from: string): string | undefined {
  const match = RESOURCE.exec(target);
  const own = moduleOf(from);
  if (match === null || own === undefined) return undefined;
  const [, module = own.name, family = "", rest = ""] = match;
  return relative(dirname(from), join(own.modules, module, `${family}s`, rest));
}

/** Attributes that antora.yml sets for all pages of its component; a page may set them otherwise. */
export async function antoraAttributes(path: string, context: ReadContext): Promise<Record<string, string>> {
  const own = moduleOf(path);
  if (own === undefined) return {};
  const file = await context.include(relative(dirname(path), join(own.modules, "..", "antora.yml")));
  if (file === undefined) return {};
  let values: unknown;
  try {
    values = (parse(file.text, { logLevel: "error" }) as { asciidoc?: { attributes?: unknown } } | null)?.asciidoc
      ?.attributes;
  } catch {
    context.warn(`the antora.yml of its component is not YAML that can be read; its attributes are not known.`);
  }
  if (typeof values !== "object" || values === null) return {};
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]): [string, string][] =>
      typeof value === "string" || typeof value === "number" ? [[name, `${value}@`]] : [],
    ),
  );
}
