import { z } from "zod";

const lines = z.tuple([z.number(), z.number()]).readonly();

const cutting = z.object({
  content: z.string(),
  tokens: z.number(),
  headings: z.array(z.string()).readonly(),
  anchor: z.string().optional(),
  page: z.number().optional(),
  cell: z.number().optional(),
  lines: lines.optional(),
});

/** A page that is cut. */
export const keptPage = z.object({
  /** Of its text; empty when it has none. */
  hash: z.string(),
  page: z.object({
    title: z.string().optional(),
    source: z.string().optional(),
    metadata: z.record(z.string(), z.unknown()),
    withoutLines: z.boolean().optional(),
  }),
  cuttings: z.array(cutting).readonly(),
  leftOut: z.array(z.tuple([z.string(), z.object({ number: z.number(), characters: z.number() })])),
});

/** The files that a file took in. */
export const keptIncluded = z.array(
  z.object({ path: z.string(), base: z.string().optional(), hash: z.string().optional() }),
);

/** What became of one file, and what that came from. */
export const keptFile = z.object({
  path: z.string(),
  /** SHA-256 of its bytes. */
  hash: z.string(),
  included: keptIncluded,
  warnings: z.array(z.string()),
  pages: z.array(keptPage),
});

export type KeptFile = z.infer<typeof keptFile>;
