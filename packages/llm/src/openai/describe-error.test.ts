import { UserError } from "@rag-ft/core";
import { APIError } from "openai";
import { describe, expect, it } from "vitest";
import { describeError } from "./describe-error.js";

const asked = { name: "gpt-test", where: "the server", key: "sk-secret-abcdef123456" };

describe("describeError", () => {
  it.each([
    [
      404,
      "model_not_found",
      /does not know the model "gpt-test".*retired \(as gpt-3\.5-turbo is\).*name a current model/,
    ],
    [400, "model_deprecated", /does not know the model/],
    [401, "invalid_api_key", /refused the key.*OPENAI_API_KEY/],
    [429, "insufficient_quota", /quota is used up/],
    [400, "unsupported_parameter", /takes no such request/],
  ])("a %i with %s ends the run, with what to do", (status, code, text) => {
    const message = `no ${asked.key}`;
    const error = APIError.generate(status, { error: { message, code } }, undefined, new Headers());
    const described = describeError(error, asked, false);
    expect(described).toBeInstanceOf(UserError);
    expect(described.message).toMatch(text);
    expect(described.message).not.toContain("abcdef");
  });

  it.each([
    [429, "rate_limit_exceeded", "rate_limit", true],
    [503, "overloaded", "server_error", true],
    [400, "content_filter", "content_filter", false],
    [400, "context_length_exceeded", "rejected", false],
  ])("a %i with %s is of kind %s", (status, code, kind, again) => {
    const error = APIError.generate(status, { error: { message: "m", code } }, undefined, new Headers());
    const described = describeError(error, asked, false);
    expect(described).toMatchObject({ kind });
    expect("retry" in described && described.retry !== undefined).toBe(again);
  });
});
