// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${name} is the syntax of run configurations
import { describe, expect, it } from "vitest";
import { parseYaml } from "../settings-file.js";
import { parsePipeline } from "./pipeline-config.js";

const parse = (text: string, sets: string[] = []) => parsePipeline(parseYaml(text, "c.yaml"), sets);

const config = `name: try
work_dir: out
vars:
  model: tiny
  encoder: \${work_dir}/\${model}
stages:
  - stage: copy
    with:
      input_file: a
      save_dir: \${encoder}
  - stage: copy
    id: again
    with:
      input_file: \${work_dir}/b
`;

describe("parsePipeline", () => {
  it("puts variables in, gives ids and knows the lines", () => {
    const { steps, workDir } = parse(config);
    expect(workDir).toBe("out");
    expect(steps.map(({ id, settings }) => [id, settings])).toEqual([
      ["copy", { input_file: "a", save_dir: "out/tiny" }],
      ["again", { input_file: "out/b" }],
    ]);
    expect(steps[0]?.place("save_dir")).toBe("c.yaml:10");
    expect(steps[1]?.place()).toBe("c.yaml:11");
    expect(steps[1]?.place("missing")).toBe("c.yaml:14");
  });

  it("overrides settings by id before stage name, variables and the work folder", () => {
    const { steps, workDir } = parse(config, ["again.input_file=c=d", "vars.model=big", "work_dir=w", "copy.extra="]);
    expect(workDir).toBe("w");
    expect(steps[0]?.settings).toEqual({ input_file: "a", save_dir: "w/big", extra: "" });
    expect(steps[1]?.settings).toEqual({ input_file: "c=d" });
    expect(() => parse(config, ["agin.x=1"])).toThrow('--set: no stage is called "agin". Did you mean again?');
    expect(() => parse(config, ["nonsense"])).toThrow("expected <stage>.<key>=<value>");
  });

  it("names file, line and key of each problem of form", () => {
    expect(() => parse("name: x\nwork_dir: out\nstages:\n  - stage: 5\n    whit: {}\n")).toThrow(
      /c\.yaml:4: stages\.0\.stage: .*\n {2}c\.yaml:4: stages\.0: .*whit/,
    );
    expect(() => parse("- a\n")).toThrow("is not a run configuration");
    expect(() => parse("name: [\n")).toThrow(/c\.yaml:\d+:\d+: not valid YAML/);
    expect(() => parse("a: 1\na: 2\n")).toThrow("c.yaml:2:1: not valid YAML");
  });

  it("refuses unknown variables, equal ids and reports on stages that are not there", () => {
    expect(() => parse(config.replace("${encoder}", "${enc}"))).toThrow(
      "c.yaml:10: stages.0.with.save_dir: ${enc} is not defined. Defined: ${work_dir}, ${model}, ${encoder}.",
    );
    expect(() => parse(config.replace("id: again", "id: copy"))).toThrow("c.yaml:11: two stages have the id copy");
    expect(() => parse(`${config}report:\n  base: nobody\n`)).toThrow(
      "c.yaml:16: report.base: no stage has the id nobody.",
    );
  });
});
