import type { z } from "zod";

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

/** What is needed of zod's internal definition, which zod documents for tools such as this. */
interface Definition {
  type: string;
  innerType?: z.core.$ZodType;
  in?: z.core.$ZodType;
  out?: z.core.$ZodType;
  options?: readonly z.core.$ZodType[];
  entries?: Record<string, string | number>;
  values?: readonly unknown[];
  defaultValue?: unknown;
}

function definitionOf(schema: z.core.$ZodType): Definition {
  return schema._zod.def as unknown as Definition;
}

/** The schemas a value passes through, outermost first: defaults, optionals and coercions before what they wrap. */
function layersOf(schema: z.core.$ZodType): z.core.$ZodType[] {
  const definition = definitionOf(schema);
  if (definition.innerType) return [schema, ...layersOf(definition.innerType)];
  if (definition.in && definition.out) {
    // A pipe either coerces first (the type is what comes out) or transforms last (the type is what goes in).
    const next = definitionOf(definition.in).type === "transform" ? definition.out : definition.in;
    return [schema, ...layersOf(next)];
  }
  return [schema];
}

function kindOf(schema: z.core.$ZodType): FlagKind {
  const definition = definitionOf(schema);
  if (definition.type === "array") return "list";
  if (definition.type === "boolean") return "boolean";
  if (definition.type === "number" || definition.type === "int") return "number";
  if (definition.type === "union") {
    const kinds = (definition.options ?? []).map((option) => kindOf(layersOf(option).at(-1) ?? option));
    if (kinds.includes("list")) return "list";
    if (kinds.length > 0 && kinds.every((kind) => kind === kinds[0])) return kinds[0] ?? "text";
  }
  return "text";
}

function choicesOf(schema: z.core.$ZodType): string[] | undefined {
  const definition = definitionOf(schema);
  if (definition.type === "enum") return Object.values(definition.entries ?? {}).map(String);
  if (definition.type === "literal") return (definition.values ?? []).map(String);
  return undefined;
}

function descriptionOf(layers: readonly z.core.$ZodType[]): string {
  for (const layer of layers) {
    const description = (layer as z.ZodType).description;
    if (description !== undefined) return description;
  }
  return "";
}

/** The flags of a stage, in the order of its schema. */
export function settingFlags(
  shape: Readonly<Record<string, z.core.$ZodType>>,
  aliases: Readonly<Record<string, string>> = {},
): SettingFlag[] {
  return Object.entries(shape).map(([name, schema]) => {
    const layers = layersOf(schema);
    const innermost = layers.at(-1) ?? schema;
    const withDefault = layers.find((layer) => ["default", "prefault"].includes(definitionOf(layer).type));
    const optional = layers.some((layer) => ["optional", "default", "prefault"].includes(definitionOf(layer).type));
    const choices = choicesOf(innermost);
    return {
      name,
      kind: kindOf(innermost),
      description: descriptionOf(layers),
      ...(withDefault ? { defaultValue: definitionOf(withDefault).defaultValue } : {}),
      required: !optional,
      ...(choices ? { choices } : {}),
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
