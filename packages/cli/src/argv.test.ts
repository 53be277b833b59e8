import { settingFlags } from "@rag-ft/pipeline";
import { copyStage } from "@rag-ft/test-utils";
import { describe, expect, it } from "vitest";
import { parseStageArguments } from "./argv.js";

const flags = settingFlags(copyStage.settings.shape, copyStage.aliases);
const parse = (...argv: string[]) => parseStageArguments(argv, flags);

describe("parseStageArguments", () => {
  it.each([
    ["--save_dir", "x"],
    ["--save-dir", "x"],
    ["-save_dir", "x"],
    ["-save-dir", "x"],
    ["--save_dir=x"],
    ["-save-dir=x"],
  ])("reads every spelling of a flag: %s", (...argv) => {
    expect(parse(...argv).values).toEqual({ save_dir: "x" });
  });

  it("reads an alias as the setting it stands for", () => {
    expect(parse("--source-file", "a").values).toEqual({ input_file: "a" });
  });

  it("reads booleans bare or with a value in any case", () => {
    expect(parse("--do_train").values).toEqual({ do_train: "true" });
    expect(parse("--do_train", "True").values).toEqual({ do_train: "True" });
    expect(parse("--do_train=false").values).toEqual({ do_train: "false" });
    expect(parse("--do_train", "--mode", "all").values).toEqual({ do_train: "true", mode: "all" });
  });

  it("takes values that look like flags, are empty or hold an equals sign", () => {
    expect(parse("--temperature", "-1.5").values).toEqual({ temperature: "-1.5" });
    expect(parse("--assistant_prefix", "[/INST]", "--sep_user", " ").values).toEqual({
      assistant_prefix: "[/INST]",
      sep_user: " ",
    });
    expect(parse("--sep_user", "--", "--assistant_prefix", "--answer").values).toEqual({
      sep_user: "--",
      assistant_prefix: "--answer",
    });
    expect(parse("--sep_user", "", "--assistant_prefix=").values).toEqual({ sep_user: "", assistant_prefix: "" });
    expect(parse("--sep_user=a=b\nc").values).toEqual({ sep_user: "a=b\nc" });
    expect(parse("--sep_user=--mode").values).toEqual({ sep_user: "--mode" });
  });

  it("collects a repeated list and lets the last of other repeated flags count", () => {
    expect(parse("--include", "a", "--include", "b", "--mode", "init", "--mode", "all").values).toEqual({
      include: ["a", "b"],
      mode: "all",
    });
  });

  it("leaves a list given once as a text, for the stage to split", () => {
    expect(parse("--include", "a,b").values).toEqual({ include: "a,b" });
  });

  it("gives words without a flag to the positional settings that have no value yet", () => {
    const read = (...argv: string[]) => parseStageArguments(argv, flags, ["input_file", "save_dir"]).values;
    expect(read("a", "b")).toEqual({ input_file: "a", save_dir: "b" });
    expect(read("a", "--mode", "all", "b")).toEqual({ input_file: "a", mode: "all", save_dir: "b" });
    expect(read("--input_file", "a", "b")).toEqual({ input_file: "a", save_dir: "b" });
    expect(() => read("a", "b", "c")).toThrow('unexpected argument "c"');
  });

  it("names all problems at once, unknown flags with the nearest known ones", () => {
    expect(() => parse("--sav_dir", "x", "stray", "--mode", "--repeat", "2", "--save_name")).toThrow(
      [
        "unknown flag --sav_dir. Did you mean --save_dir?",
        'unexpected argument "stray": expected a flag such as --mode.',
        '--mode needs a value; found --repeat. An empty value is written --mode "".',
        '--save_name needs a value; found the end of the command. An empty value is written --save_name "".',
      ].join("\n"),
    );
  });

  it("finds help anywhere, even beside mistakes, and the settings file", () => {
    expect(parse("--nonsense", "--help").help).toBe(true);
    expect(parse("-h").help).toBe(true);
    expect(parse("--settings", "a.yaml").settingsFile).toBe("a.yaml");
  });
});
