import { listOf, number, UserError } from "@rag-ft/core";
import { z } from "zod";

const alpha = number((n) => n.gt(0, "above 0, which is the base").lt(1, "below 1, which is the tuned model"));

/** Settings that decide what a training leaves: the base, a checkpoint, or weights between the two. */
export const resultSettings = {
  keep_base_unless: z
    .enum(["better", "significant"])
    .default("better")
    .describe(
      "When the base model itself is the result: better: unless a checkpoint's figure on the eval questions is better; significant: unless the 95 % interval of the difference, question by question, leaves 0 out",
    ),
  interpolate: listOf(alpha)
    .default([])
    .describe(
      "Shares of the tuned weights between commas, such as 0.25,0.5,0.75, the rest the base's (WiSE-FT): each is evaluated after training and kept where it is better; default: none",
    ),
};

const settingsSchema = z.object(resultSettings);
export type ResultSettings = z.infer<typeof settingsSchema>;

/** @throws UserError when there are no evaluations to choose by. */
export function checkResultSettings({
  do_eval,
  interpolate,
  keep_base_unless,
}: ResultSettings & { do_eval: boolean }): void {
  if (!do_eval && (interpolate.length > 0 || keep_base_unless === "significant"))
    throw new UserError("interpolate and keep_base_unless choose by the eval questions' figures: leave do_eval true.");
}
