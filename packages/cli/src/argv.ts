import { UserError } from "@rag-ft/core";
import { canonicalName, closestNames, flagsByName, type SettingFlag } from "@rag-ft/pipeline";

/** A stage's command line, taken apart. */
export interface StageArguments {
  help: boolean;
  /** The YAML file of `--settings`. */
  settingsFile?: string;
  /** Values as typed, by the setting's own key. A bare boolean flag is `"true"`. */
  values: Record<string, string | string[]>;
}

/** Flags of the CLI itself, on every stage. */
const OWN_FLAGS = ["help", "settings"] as const;

const BOOLEAN_VALUE = /^(true|false|yes|no|1|0)$/i;
const FLAG = /^--?([A-Za-z][\w-]*)(?:=([\s\S]*))?$/;

/**
 * Reads the flags of a stage. Accepts `--snake_case`, `--kebab-case`, both with a single dash (the reference has `-mode all`),
 * `--flag=value`, booleans with or without a value, and a list as a repeated flag.
 *
 * A value may look like a flag (`--sep_sys "--"`, `--top -1`): only a flag that the stage knows ends the search for a value.
 * To pass even that as a value, write `--flag=--known_flag`. A flag given twice counts the last time, as in argparse. A word without
 * a flag is the value of the first of `positionals` that has none yet.
 *
 * @throws UserError naming every unknown flag (with the nearest known names), missing value and stray word at once.
 */
export function parseStageArguments(
  argv: readonly string[],
  flags: readonly SettingFlag[],
  positionals: readonly string[] = [],
): StageArguments {
  const names = flagsByName(flags);
  const isKnown = (name: string): boolean => names.has(name) || (OWN_FLAGS as readonly string[]).includes(name);
  const readFlag = (token: string): { name: string; attached: string | undefined } | undefined => {
    if (token === "-h") return { name: "help", attached: undefined };
    const match = FLAG.exec(token);
    return match ? { name: canonicalName(match[1] ?? ""), attached: match[2] } : undefined;
  };
  const result: StageArguments = { help: false, values: {} };
  const problems: string[] = [];
  let index = 0;

  const takeValue = (spelling: string, attached: string | undefined): string | undefined => {
    if (attached !== undefined) return attached;
    const next = argv[index];
    const nextFlag = next === undefined ? undefined : readFlag(next);
    if (next === undefined || (nextFlag && isKnown(nextFlag.name))) {
      const found = next === undefined ? "the end of the command" : next;
      problems.push(`${spelling} needs a value; found ${found}. An empty value is written ${spelling} "".`);
      return undefined;
    }
    index++;
    return next;
  };

  while (index < argv.length) {
    const token = argv[index] as string;
    index++;
    const read = readFlag(token);
    if (!read) {
      const name = positionals.find((setting) => !(setting in result.values));
      if (name !== undefined) result.values[name] = token;
      else
        problems.push(
          `unexpected argument ${JSON.stringify(token)}: expected a flag such as --${flags[0]?.name ?? "help"}.`,
        );
      continue;
    }
    const spelling = token.split("=", 1)[0] ?? token;
    if (read.name === "help") {
      result.help = true;
      continue;
    }
    if (read.name === "settings") {
      const value = takeValue(spelling, read.attached);
      if (value !== undefined) result.settingsFile = value;
      continue;
    }
    const flag = names.get(read.name);
    if (!flag) {
      const near = closestNames(read.name, [...names.keys(), ...OWN_FLAGS]);
      const hint = near.length > 0 ? ` Did you mean ${near.map((name) => `--${name}`).join(" or ")}?` : "";
      problems.push(`unknown flag ${spelling}.${hint}`);
      // Its value, if it has one, is passed over, so that one mistake gives one message.
      const next = argv[index];
      if (read.attached === undefined && next !== undefined && !readFlag(next)) index++;
      continue;
    }
    if (flag.kind === "boolean") {
      const next = argv[index];
      if (read.attached !== undefined) result.values[flag.name] = read.attached;
      else if (next !== undefined && BOOLEAN_VALUE.test(next)) {
        result.values[flag.name] = next;
        index++;
      } else result.values[flag.name] = "true";
      continue;
    }
    const value = takeValue(spelling, read.attached);
    if (value === undefined) continue;
    if (flag.kind === "list") {
      // Given once it stays a text, so that a stage may split it at commas.
      const earlier = result.values[flag.name];
      result.values[flag.name] = earlier === undefined ? value : [earlier, value].flat();
    } else result.values[flag.name] = value;
  }

  if (problems.length > 0 && !result.help) throw new UserError(problems.join("\n"));
  return result;
}
