import { homedir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withHome } from "./home.js";

test("~ is the home at a path's start alone", () => {
  expect(withHome("~")).toBe(homedir());
  expect(withHome("~/a b/~")).toBe(join(homedir(), "a b/~"));
  for (const path of ["a/~/b", "~user/x", "./~", ""]) expect(withHome(path)).toBe(path);
});
