import { z } from "zod";

// Flags arrive as strings, YAML values typed; these schemas take both.

/** `true`, `false`, `1`, `0`, `yes`, `no` in any case; a bare flag is `true`. */
export const flag = (): z.ZodType<boolean> =>
  z.preprocess((value) => {
    if (typeof value !== "string") return value;
    if (/^(true|1|yes|)$/i.test(value)) return true;
    if (/^(false|0|no)$/i.test(value)) return false;
    return value;
  }, z.boolean());

/** A finite number. */
export const number = (check: (schema: z.ZodNumber) => z.ZodNumber = (schema) => schema): z.ZodType<number> =>
  z.preprocess(
    (value) => (typeof value === "string" && value.trim() !== "" ? Number(value) : value),
    check(z.number()),
  );

/** A whole number of at least `minimum`. */
export const count = (minimum = 0): z.ZodType<number> => number((schema) => schema.int().min(minimum));

/** The items of a text between its commas, without the space around them; of a list, those of each of its texts. */
export function betweenCommas(value: unknown): unknown[] {
  return [value]
    .flat()
    .flatMap((item) => (typeof item === "string" ? item.split(",").map((part) => part.trim()) : [item]));
}

/** At least `least` items: a list, or a text with commas between them; empty ones are left out. */
export const listOf = <T>(item: z.ZodType<T>, least = 0): z.ZodType<T[]> =>
  z.preprocess((value) => betweenCommas(value).filter((one) => one !== ""), z.array(item).min(least));

/** Where the stage's models run. */
export const device = (): z.ZodType<string> =>
  z
    .string()
    .min(1)
    .default("cpu")
    .describe("What local models run on: an execution provider of ONNX Runtime, such as cpu, webgpu or cuda");

/** How the stage's models multiply. */
export const precision = (): z.ZodType<"fp32" | "bf16"> =>
  z
    .enum(["fp32", "bf16"])
    .default("fp32")
    .describe(
      "How local models multiply matrices: fp32, or bf16 (factors rounded to 8 bits, summed in fp32), about one and a half times as fast where the processor has AVX512_BF16 or AMX and @rag-ft/bf16 is compiled",
    );

/** Undoes the escapes that shells pass through (`\n`, `\t`), for separators and prefixes. */
export const escapedText = (): z.ZodType<string> =>
  z.preprocess(
    (value) => (typeof value === "string" ? value.replaceAll("\\n", "\n").replaceAll("\\t", "\t") : value),
    z.string(),
  );
