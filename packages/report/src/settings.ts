import { betweenCommas } from "@rag-ft/core";
import { z } from "zod";

const folders = z.preprocess(
  // In a list, a folder's name may have a comma.
  (value) => (typeof value === "string" ? betweenCommas(value).filter((folder) => folder !== "") : value),
  z.array(z.string().min(1)).min(1),
);

/** Settings of `report`. */
export const reportSettings = z.object({
  run_dir: folders.describe(
    "folders that the run wrote to, separated by commas; every manifest.<stage>.json below them is taken in",
  ),
  output_file: z.string().min(1).optional().describe("the page; report.html in the first folder when left out"),
  title: z.string().min(1).optional().describe("heading; the first folder's name when left out"),
  base: z
    .string()
    .min(1)
    .optional()
    .describe("the system to compare with: label or output_dir of a test; the one called base, or the first"),
  tuned: z
    .string()
    .min(1)
    .optional()
    .describe("the system that counts: label or output_dir of a test; the last when left out"),
});

export type ReportSettings = z.infer<typeof reportSettings>;
