import { z } from "zod";

/** Text as notebooks hold it: whole, or as lines with their ends. */
const lines = z
  .union([z.string(), z.array(z.string())])
  .transform((text) => (typeof text === "string" ? text : text.join("")));

const output = z.looseObject({
  output_type: z.string(),
  /** Of a `stream`; version 3 has it in place of `data["text/plain"]` too. */
  text: lines.optional(),
  data: z.record(z.string(), z.unknown()).optional(),
  ename: z.string().optional(),
  evalue: z.string().optional(),
});

const cell = z.looseObject({
  cell_type: z.string(),
  source: lines.optional(),
  /** Version 3: the source of a code cell, and the level of a heading cell. */
  input: lines.optional(),
  level: z.number().int().min(1).max(6).optional(),
  outputs: z.array(output).optional(),
  metadata: z.looseObject({ tags: z.array(z.string()).optional() }).optional(),
});

const named = z.looseObject({ name: z.string().optional(), language: z.string().optional() }).optional();

/** A Jupyter notebook: version 4 (`cells`) or 3 (`worksheets`). */
export const notebookSchema = z
  .looseObject({
    metadata: z.looseObject({ kernelspec: named, language_info: named, title: z.string().optional() }).optional(),
    cells: z.array(cell).optional(),
    worksheets: z.array(z.looseObject({ cells: z.array(cell) })).optional(),
  })
  .refine(({ cells, worksheets }) => cells !== undefined || worksheets !== undefined, {
    error: "missing: a notebook has cells",
    path: ["cells"],
  });

export type Notebook = z.infer<typeof notebookSchema>;
export type Cell = z.infer<typeof cell>;
export type Output = z.infer<typeof output>;
