import { readFile } from "node:fs/promises";
import { DataError, describeIssues, requireFile } from "@rag-ft/core";
import { defaultDomain } from "./default-domain.js";
import { type DomainConfig, domainConfigSchema } from "./domain-config.js";
import { parseYamlFile } from "./parse-yaml-file.js";

/** Reads a domain config (YAML); the built-in zero-shot one without a path. */
export async function readDomainConfig(path?: string): Promise<DomainConfig> {
  if (!path) return domainConfigSchema.parse(defaultDomain);
  await requireFile(path, "a domain config, YAML");
  const parsed = domainConfigSchema.safeParse(parseYamlFile(await readFile(path, "utf8"), path));
  if (!parsed.success)
    throw new DataError(
      `${path}: not a domain config (name, passage_filter, question_prompt, answer_prompt, answerability_prompt): ${describeIssues(parsed.error)}. configs/domains/default.yaml is an example.`,
      { cause: parsed.error },
    );
  return parsed.data;
}
