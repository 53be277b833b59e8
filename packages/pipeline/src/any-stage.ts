import { dirname } from "node:path";
import {
  type PlanContext,
  requireWritable,
  type Stage,
  type StageContext,
  type StagePlan,
  type StageResult,
} from "@rag-ft/core";
import type { z } from "zod";
import { type SettingFlag, settingFlags } from "./setting-flags.js";

/** Settings after the schema: defaults filled in, types right. */
export type SettingValues = Record<string, unknown>;

/** A stage whose settings' type is no longer known: what the CLI handles, whichever stage it is. */
export interface AnyStage {
  name: string;
  summary: string;
  flags: readonly SettingFlag[];
  positionals: readonly string[];
  inputs: readonly string[];
  /** A share of the work, of which the stage leaves a record of its own. */
  isShare(values: SettingValues): boolean;
  parse(raw: SettingValues): z.ZodSafeParseResult<SettingValues>;
  /** Fails where the stage is known to: its folders of output cannot be written, or what its own check finds. */
  check(values: SettingValues): Promise<void>;
  /** `values` must come from `parse`. */
  run(values: SettingValues, context: StageContext): Promise<StageResult>;
  /** What a stage that asks no model would write, where that is known beforehand. */
  assume?:
    | ((values: SettingValues, context: StageContext) => Promise<ReadonlyMap<string, readonly unknown[]>>)
    | undefined;
  /** Undefined for a stage that asks no model. */
  plan?: ((values: SettingValues, context: PlanContext) => Promise<StagePlan>) | undefined;
}

/** A list setting whose schema does not split texts itself takes a single text as a list of one. */
function wrapSingleItems(raw: SettingValues, flags: readonly SettingFlag[], shape: z.ZodRawShape): SettingValues {
  const single = flags.filter(({ name, kind }) => {
    const schema = shape[name] as z.ZodType | undefined;
    return kind === "list" && typeof raw[name] === "string" && schema && !schema.safeParse(raw[name]).success;
  });
  return { ...raw, ...Object.fromEntries(single.map(({ name }) => [name, [raw[name]]])) };
}

/** Settings that name a folder or a file that a stage writes; a file stands for its folder. */
function outputPaths(values: SettingValues): [setting: string, folder: string][] {
  return ["save_dir", "output_dir", "output_file", "out"].flatMap((setting): [string, string][] => {
    const path = values[setting];
    if (typeof path !== "string" || path === "") return [];
    return [[setting, setting.endsWith("_dir") ? path : dirname(path)]];
  });
}

/** Closes over a stage's type of settings. */
export function toAnyStage<Settings>(stage: Stage<Settings>): AnyStage {
  const flags = settingFlags(stage.settings.shape, stage.aliases);
  const plan = stage.plan?.bind(stage);
  const assume = stage.assume?.bind(stage);
  return {
    name: stage.name,
    summary: stage.summary,
    flags,
    positionals: stage.positionals ?? [],
    inputs: stage.inputs,
    isShare: (values) => stage.isShare?.(values as Settings) ?? false,
    parse: (raw) =>
      stage.settings.safeParse(wrapSingleItems(raw, flags, stage.settings.shape), {
        reportInput: true,
      }) as z.ZodSafeParseResult<SettingValues>,
    async check(values) {
      for (const [setting, path] of outputPaths(values)) await requireWritable(path, setting);
      await stage.check?.(values as Settings);
    },
    run: (values, context) => stage.run(values as Settings, context),
    assume: assume && ((values, context) => assume(values as Settings, context)),
    plan: plan && ((values, context) => plan(values as Settings, context)),
  };
}
