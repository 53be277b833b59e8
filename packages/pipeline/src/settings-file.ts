import { readFile } from "node:fs/promises";
import { requireFile, UserError, withHome } from "@rag-ft/core";
import { LineCounter, parseDocument } from "yaml";
import type { AnyStage, SettingValues } from "./any-stage.js";
import { canonicalName } from "./names.js";
import { flagsByName } from "./setting-flags.js";

/** A YAML file with the line of everything in it, so that messages can point there. */
export interface YamlFile {
  path: string;
  value: unknown;
  /** `file:line` of the value at a path of keys, or of the nearest one around it. */
  place(keys: readonly (string | number)[]): string;
}

/** @throws UserError with file, line and column when the text is no YAML. */
export function parseYaml(text: string, path: string): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw new UserError(`${path}:${line}:${col}: not valid YAML: ${error.message}`);
  }
  return {
    path,
    value: document.toJS() as unknown,
    place(keys) {
      for (let length = keys.length; length > 0; length--) {
        const node = document.getIn(keys.slice(0, length), true) as { range?: [number, number, number] } | undefined;
        if (node?.range) return `${path}:${lines.linePos(node.range[0]).line}`;
      }
      return path;
    },
  };
}

export async function readYaml(given: string, what: string): Promise<YamlFile> {
  const path = withHome(given);
  await requireFile(path, what);
  return parseYaml(await readFile(path, "utf8"), path);
}

/** What a file of settings says where `over` says nothing, by whatever spelling. */
export function settingsBelow(stage: AnyStage, file: SettingValues, over: Readonly<SettingValues>): SettingValues {
  const names = flagsByName(stage.flags);
  const nameOf = (key: string): string => names.get(canonicalName(key))?.name ?? key;
  const given = new Set(Object.keys(over).map(nameOf));
  return Object.fromEntries(Object.entries(file).filter(([key]) => !given.has(nameOf(key))));
}

/** Reads the file of `--settings`: a YAML mapping of setting to value. */
export async function readSettingsFile(path: string): Promise<SettingValues> {
  const { value } = await readYaml(path, "settings of a stage, YAML");
  if (value === null || value === undefined) return {};
  if (typeof value !== "object" || Array.isArray(value)) {
    throw new UserError(`${path}: expected a mapping of setting to value, such as "chunk_size: 400".`);
  }
  return { ...value };
}
