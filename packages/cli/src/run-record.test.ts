import { execFileSync } from "node:child_process";
import { commandLine } from "@rag-ft/core";
import { type AnyStage, parseSettings, type SettingValues } from "@rag-ft/pipeline";
import { describe, expect, it } from "vitest";
import { parseStageArguments } from "./argv.js";
import { stageRegistry } from "./registry.js";

function parsed(stage: AnyStage, given: SettingValues): SettingValues {
  const { values, problems } = parseSettings(stage, given) as { values: SettingValues; problems?: unknown };
  expect(problems).toBeUndefined();
  return values;
}

/** Lists whose items are of a set, or of a range, that their defaults do not show. */
const LISTS: Readonly<Record<string, string[]>> = {
  filters: ["standalone", "duplicates"],
  to: ["q8", "gguf-f16"],
  interpolate: ["0.25", "0.5"],
  learning_curve: ["0.25", "0.5"],
  dropout: ["0", "0.1"],
  positives: ["one", "all"],
  allowed_origins: ["https://a.test", "https://b.test:8443"],
};

/** Texts that end in a certain way. */
const TEXTS: Readonly<Record<string, string>> = { "convert to": `it's "here".parquet` };

/** A value for every flag of a stage that takes text; lists and texts with what a shell or a parser could trip over. */
function textsFor(stage: AnyStage): SettingValues {
  const given: SettingValues = {};
  for (const { name, kind, choices, required, defaultValue } of stage.flags) {
    if (required && choices) given[name] = choices[0];
    if (choices || kind === "boolean" || (kind === "number" && !required)) continue;
    const items = kind === "list" ? LISTS[name] : undefined;
    if (items) given[name] = items;
    else if (kind === "number") given[name] = "1";
    else if (Array.isArray(defaultValue) && typeof defaultValue[0] === "number") given[name] = ["2", "7"];
    // Names of a fixed set, all of them unless told otherwise.
    else if (Array.isArray(defaultValue) && defaultValue.length > 1) given[name] = defaultValue.slice(0, 2);
    else if (kind === "list" && (required || Array.isArray(defaultValue))) given[name] = ["a b", "it's/*.md"];
    else if (required) given[name] = TEXTS[`${stage.name} ${name}`] ?? `${name} of "x"`;
    else if (/^(sep|system|user|assistant|query|passage)_/.test(name)) given[name] = "<|im_end|>\\n";
  }
  return given;
}

describe("the command line of a run record", () => {
  it.each(Object.keys(stageRegistry))("gives %s the same settings again", async (name) => {
    const stage = await (stageRegistry[name] as (typeof stageRegistry)[string]).load();
    const values = parsed(stage, textsFor(stage));
    const line = commandLine({ command: name, settings: values });
    const [, command, ...argv] = execFileSync("sh", ["-c", `printf '%s\\0' ${line}`], { encoding: "utf8" })
      .split("\0")
      .slice(0, -1);
    expect(command).toBe(name);
    expect(parsed(stage, parseStageArguments(argv, stage.flags).values)).toEqual(values);
  });
});
