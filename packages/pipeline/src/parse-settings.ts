import { withHome } from "@rag-ft/core";
import type { z } from "zod";
import type { AnyStage, SettingValues } from "./any-stage.js";
import { canonicalName, closestNames } from "./names.js";
import { flagsByName } from "./setting-flags.js";

/** One thing wrong with one setting. */
export interface SettingProblem {
  /** The setting as it was given, or its own key when it is missing. */
  key: string;
  /** What was expected and what was found, without the key. */
  message: string;
}

export type ParsedSettings = { values: SettingValues; problems?: undefined } | { problems: SettingProblem[] };

/** Longest part of a wrong value that a message repeats. */
const SHOWN_CHARACTERS = 60;

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}

const TYPE_NAMES: Record<string, string> = {
  boolean: "true or false",
  number: "a number",
  int: "a whole number",
  string: "a text",
  array: "a list",
  object: "a mapping",
};

function expectedOf(issue: z.core.$ZodIssue): string | undefined {
  if (issue.code === "invalid_type") return TYPE_NAMES[issue.expected] ?? issue.expected;
  if (issue.code === "invalid_value") return `one of ${issue.values.map(String).join(", ")}`;
  if (issue.code === "too_small" && issue.origin === "number") {
    return `a number ${issue.inclusive ? "of at least" : "above"} ${issue.minimum}`;
  }
  if (issue.code === "too_big" && issue.origin === "number") {
    return `a number ${issue.inclusive ? "of at most" : "below"} ${issue.maximum}`;
  }
  if (issue.code === "invalid_union") {
    const each = issue.errors.map((issues) => issues[0]).map((first) => (first ? expectedOf(first) : undefined));
    const known = each.filter((text) => text !== undefined);
    return known.length > 0 ? [...new Set(known)].join(" or ") : undefined;
  }
  return undefined;
}

function problemOf(issue: z.core.$ZodIssue, raw: SettingValues, spelling: ReadonlyMap<string, string>): SettingProblem {
  const name = String(issue.path[0] ?? "settings");
  const key = spelling.get(name) ?? name;
  const given = raw[name];
  if (given === undefined && issue.path.length === 1) return { key, message: "is required and was not given" };
  const expected = expectedOf(issue);
  const inner = issue.path.length > 1 ? ` at ${issue.path.slice(1).join(".")}` : "";
  if (expected === undefined) return { key, message: `${issue.message}${inner}; found ${show(given)}` };
  return { key, message: `expected ${expected}${inner}, found ${show(given)}` };
}

/** `~/…` in a text or in the texts of a list; no text that is no path begins so. */
function homeIn(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(homeIn);
  return typeof value === "string" ? withHome(value) : value;
}

/**
 * Settings by any of their spellings (aliases, kebab-case) → values of the stage's schema, or every problem there is:
 * unknown names, a setting given under two names, values that the schema refuses.
 */
export function parseSettings(stage: AnyStage, given: Readonly<SettingValues>): ParsedSettings {
  const names = flagsByName(stage.flags);
  const problems: SettingProblem[] = [];
  const raw: SettingValues = {};
  const spelling = new Map<string, string>();
  for (const [key, value] of Object.entries(given)) {
    const flag = names.get(canonicalName(key));
    if (!flag) {
      const near = closestNames(canonicalName(key), [...names.keys()]);
      const hint = near.length > 0 ? `; did you mean ${near.join(" or ")}?` : "";
      problems.push({ key, message: `${stage.name} has no such setting${hint}` });
      continue;
    }
    const earlier = spelling.get(flag.name);
    if (earlier !== undefined) {
      problems.push({ key, message: `the same setting as ${earlier}; give it once` });
      continue;
    }
    spelling.set(flag.name, key);
    // An empty value in YAML (`key:`) reads as null: the same as leaving the setting out.
    if (value !== null && value !== undefined) raw[flag.name] = homeIn(value);
  }
  const parsed = stage.parse(raw);
  if (!parsed.success) problems.push(...parsed.error.issues.map((issue) => problemOf(issue, raw, spelling)));
  if (problems.length > 0 || !parsed.success) return { problems };
  return { values: parsed.data };
}
