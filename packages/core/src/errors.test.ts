import { describe, expect, it } from "vitest";
import { CancelledError, DataError, InternalError, redactSecrets, throwIfCancelled, UserError } from "./errors.js";
import { withoutSecrets } from "./run-record.js";

describe("redactSecrets", () => {
  it.each(["sk-proj-Abc123def456", "hf_AbCdEfGhIjKl", "Authorization: Bearer abcdef.ghijkl-123"])(
    "leaves nothing of %s",
    (secret) => {
      const redacted = redactSecrets(`401 for key ${secret}, try again`);
      expect(redacted).not.toContain(secret.split(/[-_ ]/).at(-1));
      expect(redacted).toContain("…");
      expect(redacted).toMatch(/^401 for key .*, try again$/);
    },
  );

  it("leaves a URL without its password", () => {
    expect(redactSecrets('found "postgresql://me:s3/c@ret@db:5432/docs"')).toBe(
      'found "postgresql://me:…@db:5432/docs"',
    );
    expect(redactSecrets("at postgresql://db/docs?user=me&password=s3cret&ssl=1.")).toBe(
      "at postgresql://db/docs?user=me&password=…&ssl=1.",
    );
  });

  it("leaves other text alone", () => {
    const text =
      "key-value store, task-oriented, hf_ prefix, bearer of news, http://host:8000/v1, mail me@host, https://a/@b/c:1";
    expect(redactSecrets(text)).toBe(text);
  });
});

it("keeps secrets out of the run record", () => {
  const settings = { openai_api_key: "x", HF_TOKEN: "x", password: "x", max_tokens: 5, sep_user: " " };
  expect(withoutSecrets(settings)).toEqual({ max_tokens: 5, sep_user: " " });
});

it("gives each kind of failure its exit code, name and cause", () => {
  const cause = new Error("below");
  const errors = [new UserError("m", { cause }), new DataError("m"), new InternalError("m"), new CancelledError("m")];
  expect(errors.map((error) => error.exitCode)).toEqual([2, 3, 70, 130]);
  expect(errors.map((error) => error.name)).toEqual(["UserError", "DataError", "InternalError", "CancelledError"]);
  expect(errors[0]?.cause).toBe(cause);
});

it("stops only when asked to", () => {
  const controller = new AbortController();
  throwIfCancelled(controller.signal);
  controller.abort();
  expect(() => throwIfCancelled(controller.signal)).toThrow(CancelledError);
});
