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

/** A value for every flag of a stage that takes text; lists and texts with what a shell or a parser could trip over. */
function textsFor(stage: AnyStage): SettingValues {
  const given: SettingValues = {};
  for (const { name, kind, choices, required, defaultValue } of stage.flags) {
    if (choices || kind === "boolean" || (kind === "number" && !required)) continue;
    if (kind === "number") given[name] = "1";
    else if (Array.isArray(defaultValue) && typeof defaultValue[0] === "number") given[name] = ["2", "7"];
    else if (name === "filters") given[name] = ["standalone", "duplicates"];
    else if (name === "to") given[name] = ["q8", "gguf-f16"];
    else if (name === "interpolate")
      given[name] = ["0.25", "0.5"]; // numbers, none unless told otherwise
    // Names of a fixed set, all of them unless told otherwise.
    else if (Array.isArray(defaultValue) && defaultValue.length > 1) given[name] = defaultValue.slice(0, 2);
    else if (kind === "list" && (required || Array.isArray(defaultValue))) given[name] = ["a b", "it's/*.md"];
    else if (required) given[name] = `${name} of "x"`;
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
