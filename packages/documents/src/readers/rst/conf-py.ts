// What a Sphinx project's conf.py says of all pages: `|release|`, `|version|`, and definitions in rst_prolog and rst_epilog. It is read as
// text, not run: what it computes is not known.

export interface ProjectTexts {
  /** Name → text. */
  values: Map<string, string>;
  /** Definitions in reStructuredText. */
  definitions: string;
}

const STRING = /^(\w+)\s*=\s*[rRuUfF]{0,2}(?:"""([\s\S]*?)"""|'''([\s\S]*?)'''|"([^"\n]*)"|'([^'\n]*)')/gm;

/** Reads the settings of a conf.py that are written out as strings. */
export function readConfPy(text: string): ProjectTexts {
  const settings = new Map<string, string>();
  for (const [, name = "", ...quoted] of text.matchAll(STRING)) {
    settings.set(name, quoted.find((value) => value !== undefined) ?? "");
  }
  const values = new Map<string, string>();
  for (const name of ["release", "version", "project"]) {
    const value = settings.get(name);
    if (value) values.set(name, value);
  }
  const definitions = ["rst_prolog", "rst_epilog"]
    .map((name) => settings.get(name) ?? "")
    .filter((part) => part.includes(".. |"))
    .join("\n\n");
  return { values, definitions };
}
