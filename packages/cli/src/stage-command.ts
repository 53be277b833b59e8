import { type StageContext, UserError } from "@rag-ft/core";
import {
  type AnyStage,
  executeStage,
  groupSettings,
  parseSettings,
  readSettingsFile,
  renderPlan,
  type SettingFlag,
  settingsBelow,
} from "@rag-ft/pipeline";
import { Command, Option } from "commander";
import { parseStageArguments } from "./argv.js";
import type { Interrupt } from "./interrupt.js";
import type { Io } from "./io.js";

const PLACEHOLDERS = { boolean: "[true|false]", number: "<number>", text: "<text>", list: "<text>" } as const;

function toOption(flag: SettingFlag): Option {
  const notes = [
    ...(flag.choices ? [`one of ${flag.choices.join(", ")}`] : []),
    ...(flag.kind === "list" ? ["may be repeated"] : []),
    ...(flag.aliases.length > 0 ? [`also ${flag.aliases.map((alias) => `--${alias}`).join(", ")}`] : []),
    ...(flag.required ? ["required"] : []),
    ...(flag.defaultValue === undefined ? [] : [`default: ${JSON.stringify(flag.defaultValue)}`]),
  ];
  const description = [flag.description, ...(notes.length > 0 ? [`(${notes.join("; ")})`] : [])].join(" ");
  return new Option(`--${flag.name} ${PLACEHOLDERS[flag.kind]}`, description);
}

/** How a stage is called: `rag-ft compare <run_a> <run_b> [flags]`. */
export function stageUsage({ name, positionals, flags }: AnyStage): string {
  const words = positionals.map((word) =>
    flags.some((flag) => flag.name === word && flag.required) ? `<${word}>` : `[${word}]`,
  );
  return ["rag-ft", name, ...words, "[flags]"].join(" ");
}

/** The text of `rag-ft <stage> --help`. */
export function stageHelp(stage: AnyStage): string {
  const command = new Command(stage.name)
    .description(stage.summary)
    .helpOption("-h, --help", "show this help")
    .configureHelp({ commandUsage: () => stageUsage(stage), styleTitle: (title) => title });
  command.addOption(new Option("--settings <file>", "YAML mapping of setting to value; flags override it"));
  for (const { heading, settings } of groupSettings(stage.flags)) {
    for (const flag of settings) command.addOption(heading ? toOption(flag).helpGroup(`${heading}:`) : toOption(flag));
  }
  return `${command.helpInformation()}\nEvery flag may also be written --kebab-case, with one dash, or --flag=value.\n`;
}

/** Runs `rag-ft <stage> …`, or of a training by another engine only `engineStep`. */
export async function runStageCommand(
  stage: AnyStage,
  argv: readonly string[],
  io: Io,
  interrupt: Interrupt,
  engineStep?: StageContext["engineStep"],
): Promise<void> {
  const { help, settingsFile, values } = parseStageArguments(argv, stage.flags, stage.positionals);
  if (help) {
    io.out(stageHelp(stage));
    return;
  }
  const fromFile = settingsFile === undefined ? {} : await readSettingsFile(settingsFile);
  const kept = settingsBelow(stage, fromFile, values);
  const parsed = parseSettings(stage, { ...kept, ...values });
  if (parsed.problems) {
    const lines = parsed.problems.map(({ key, message }) => {
      const origin = key in kept ? `${settingsFile}: ${key}` : `--${key}`;
      return `  ${origin}: ${message}`;
    });
    throw new UserError(`${stage.name}:\n${lines.join("\n")}\nAll flags: rag-ft ${stage.name} --help`);
  }
  const context = {
    ...{ reporter: await io.reporter(), signal: interrupt.signal, env: io.env, terminal: io.terminal },
    ...(engineStep ? { engineStep } : {}),
  };
  if (engineStep?.kind === "export" && parsed.values.engine === "local")
    throw new UserError(
      `export ${stage.name}: engine is local, which needs no folder. Give --engine ${stage.flags.find(({ name }) => name === "engine")?.choices?.at(-1) ?? "trl"}.`,
    );
  if (parsed.values.dry_run === true && stage.plan) {
    const { requests } = await stage.plan(parsed.values, { ...context, planned: new Map() });
    io.out(`${renderPlan([{ id: stage.name, requests }])}\n`);
    return;
  }
  const { result } = await executeStage(stage, parsed.values, context);
  await result.settle?.();
  if (result.summary) io.out(`${result.summary.trimEnd()}\n`);
}
