import { distance as editDistance } from "fastest-levenshtein";
import { describe, expect, it } from "vitest";
import { closestNames } from "./names.js";

describe("editDistance", () => {
  it("counts insertions, deletions and replacements", () => {
    expect(editDistance("kitten", "sitting")).toBe(3);
    expect(editDistance("", "abc")).toBe(3);
    expect(editDistance("same", "same")).toBe(0);
  });
});

describe("closestNames", () => {
  const known = ["per_device_train_batch_size", "learning_rate", "save_dir", "save_name"];
  it("finds typing errors and parts of names, nearest first", () => {
    expect(closestNames("save_dri", known)).toEqual(["save_dir"]);
    expect(closestNames("batch_size", known)).toEqual(["per_device_train_batch_size"]);
    expect(closestNames("zzzzzz", known)).toEqual([]);
  });
});
