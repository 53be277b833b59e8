import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type AnyStage, GROUPED_SETTINGS, groupSettings, OTHER_ENGINE } from "@rag-ft/pipeline";
import { beforeAll, expect, it } from "vitest";
import { flagReference, flagReferenceIndex } from "./flag-reference.js";
import { stageRegistry } from "./registry.js";
import { stageHelp } from "./stage-command.js";

const REFERENCE = fileURLToPath(new URL("../../../docs/reference/", import.meta.url));

const stages = new Map<string, AnyStage>();
beforeAll(async () => {
  for (const [name, { load }] of Object.entries(stageRegistry)) stages.set(name, await load());
});

const stageOf = (name: string): AnyStage => {
  const stage = stages.get(name);
  if (!stage) throw new Error(`no stage ${name}`);
  return stage;
};

it.each(Object.keys(stageRegistry))("docs/reference/%s.md has every flag (pnpm docs:flags writes it)", async (name) => {
  const page = flagReference(stageOf(name));
  for (const flag of stageOf(name).flags) expect(page).toContain(`\`--${flag.name}\``);
  await expect(page).toMatchFileSnapshot(`${REFERENCE}${name}.md`);
});

it("docs/flags.md names every stage, and docs/reference has no page of another", async () => {
  const rows = Object.entries(stageRegistry).map(([name, { summary }]) => ({ name, summary }));
  await expect(flagReferenceIndex(rows)).toMatchFileSnapshot(join(REFERENCE, "../flags.md"));
  const pages = await readdir(REFERENCE);
  expect(pages.filter((page) => !stages.has(page.replace(/\.md$/, "")))).toEqual([]);
});

it.each(["train-retriever", "train-generator", "cross-validate", "test-e2e", "gen-questions", "gen-answers"])(
  "help of %s lists each flag once, under a heading",
  (name) => {
    const { flags } = stageOf(name);
    const groups = groupSettings(flags);
    expect(groups.flatMap(({ settings }) => settings.map((flag) => flag.name)).sort()).toEqual(
      flags.map((flag) => flag.name).sort(),
    );
    expect(groups.filter(({ heading }) => heading === undefined)).toEqual([]);
  },
);

it("what means something to another engine alone stands last in the help of train-generator", () => {
  const [before, after = ""] = stageHelp(stageOf("train-generator")).split(`${OTHER_ENGINE}:`);
  const named = (help: string): string[] => [...help.matchAll(/^ +--(\w+)/gm)].map(([, flag]) => flag as string);
  expect(named(after)).toEqual(
    expect.arrayContaining(["engine", "bf16", "deepspeed", "nproc_per_node", "measured_by"]),
  );
  expect(named(before as string)).toEqual(expect.arrayContaining(["learning_rate", "seed", "settings"]));
});

it("the groups name no setting that no stage has", () => {
  const known = new Set([...stages.values()].flatMap(({ flags }) => flags.map((flag) => flag.name)));
  expect(GROUPED_SETTINGS.filter((name) => !known.has(name))).toEqual([]);
});
