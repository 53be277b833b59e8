import { totalmem } from "node:os";
import { CheckFailedError, formatSeconds, formatTable, type StageContext, type StageResult } from "@rag-ft/core";
import { z } from "zod";
import { DECODERS, ENCODERS, type ProposedModel, trainingBytes } from "../models.js";
import { trainingSeconds } from "../training-time.js";
import { examine } from "./checks.js";

/** It takes none. */
export const doctorSettings = z.object({});

/** A training of some hundred questions: questions with a passage each, three epochs; prompts of three passages, two. */
const ENCODER_TOKENS = 600 * 3 * 200;
const DECODER_TOKENS = 600 * 2 * 1200;

function timesOf(
  models: readonly ProposedModel[],
  kind: string,
  tokens: number,
  rate: number,
): Record<string, string>[] {
  return models.map((model) => {
    const fits = trainingBytes(model) * 1.5 < totalmem();
    const seconds = trainingSeconds(model.working_millions * 1e6, tokens, rate);
    return {
      model: model.name,
      kind,
      millions: String(model.millions),
      for: model.for,
      "600 questions": fits ? `about ${formatSeconds(seconds)}` : "more memory than there is (try --use_lora)",
    };
  });
}

/** Says what this machine has and lacks, and what it could train in what time. */
export async function runDoctor(_: Record<string, never>, { env }: StageContext): Promise<StageResult> {
  const { findings, rate } = await examine(env);
  const table = formatTable(
    findings.map(({ what, state, found, advice }) => ({
      "": state,
      what,
      found: advice ? `${found}: ${advice}` : found,
    })),
    ["", "what", "found"],
  );
  const rows =
    rate === undefined
      ? []
      : [...timesOf(ENCODERS, "encoder", ENCODER_TOKENS, rate), ...timesOf(DECODERS, "decoder", DECODER_TOKENS, rate)];
  const times =
    rows.length > 0
      ? `\n\nTraining here, estimated from that rate:\n${formatTable(rows, ["model", "kind", "millions", "for", "600 questions"])}`
      : "";
  const lacks = findings.filter(({ state }) => state === "lacks");
  if (lacks.length > 0)
    throw new CheckFailedError(
      `${table}\n\n${lacks.length} of what rag-ft needs is missing: ${lacks.map(({ what }) => what).join(", ")}`,
    );
  return { outputs: [], summary: `${table}${times}` };
}
