import { expect, it } from "vitest";
import { isBlank } from "./is-blank.js";

it("takes what shows nothing for blank, in every script", () => {
  for (const text of [
    "",
    " \t\n",
    "\u00a0",
    "\u3000",
    "\u200b\u200b",
    "\ufeff ",
    "\u2060",
    "\u00ad",
    "\u3164",
    "\u202e",
  ])
    expect(isBlank(text), JSON.stringify(text)).toBe(true);
});

it("takes whatever shows for text", () => {
  for (const text of ["a", "?", "\u200b好", "نعم", "0", "…", "\u{1F600}", "\ue000", "e\u0301"])
    expect(isBlank(text), JSON.stringify(text)).toBe(false);
});
