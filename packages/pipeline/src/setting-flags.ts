import { z } from "zod";

export type FlagKind = "boolean" | "number" | "text" | "list";

/** A setting as the command line shows it. */
export interface SettingFlag {
  /** The setting's key: snake_case. */
  name: string;
  kind: FlagKind;
  description: string;
  /** Absent when the setting has none: then it is required, or optional. */
  defaultValue?: unknown;
  required: boolean;
  /** The values of an enumeration. */
  choices?: string[];
  /** Other spellings (`Stage.aliases`). */
  aliases: string[];
}

const KINDS: Readonly<Record<string, FlagKind>> = {
  array: "list",
  boolean: "boolean",
  number: "number",
  integer: "number",
};

type JsonSchema = z.core.JSONSchema.BaseSchema;

function kindOf(schema: JsonSchema): FlagKind {
  const types = [schema.type].flat().filter((type) => type !== "null");
  if (types.length === 1 && types[0] !== undefined) return KINDS[types[0]] ?? "text";
  const kinds = (schema.anyOf ?? []).map((option) => kindOf(option as JsonSchema));
  if (kinds.includes("list")) return "list";
  return kinds.length > 0 && kinds.every((kind) => kind === kinds[0]) ? (kinds[0] ?? "text") : "text";
}

/** The flags of a stage, in the order of its schema. */
export function settingFlags(
  shape: Readonly<Record<string, z.core.$ZodType>>,
  aliases: Readonly<Record<string, string>> = {},
): SettingFlag[] {
  const settings = z.object(shape);
  // What a transformation gives has no schema: what goes into it is shown then. A default is of what comes out.
  const given = z.toJSONSchema(settings, { io: "input", unrepresentable: "any" });
  const taken = z.toJSONSchema(settings, { io: "output", unrepresentable: "any" });
  return Object.keys(shape).map((name) => {
    const before = (given.properties?.[name] ?? {}) as JsonSchema;
    const after = (taken.properties?.[name] ?? {}) as JsonSchema;
    const { default: defaultValue, description = "", enum: values, const: only } = { ...before, ...after };
    const choices = values ?? (only === undefined ? undefined : [only]);
    return {
      name,
      kind: kindOf(after.type === undefined && after.anyOf === undefined ? before : after),
      description,
      ...(defaultValue === undefined ? {} : { defaultValue }),
      required: given.required?.includes(name) ?? false,
      ...(choices ? { choices: choices.map(String) } : {}),
      aliases: Object.entries(aliases)
        .filter(([, target]) => target === name)
        .map(([alias]) => alias),
    };
  });
}

/** Every accepted spelling (snake_case) of every flag, with the flag it means. */
export function flagsByName(flags: readonly SettingFlag[]): Map<string, SettingFlag> {
  const names = new Map<string, SettingFlag>();
  for (const flag of flags) {
    for (const alias of flag.aliases) names.set(alias, flag);
  }
  for (const flag of flags) names.set(flag.name, flag);
  return names;
}
