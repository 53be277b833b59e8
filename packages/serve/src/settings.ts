import { systemSettings } from "@rag-ft/answer";
import { count, listOf } from "@rag-ft/core";
import { z } from "zod";

/** Settings of `serve`. */
export const serveSettings = z.object({
  ...systemSettings,
  host: z
    .string()
    .min(1)
    .default("127.0.0.1")
    .describe(
      "address to listen on; one that other machines reach asks for a key in the environment variable RAG_FT_API_KEY",
    ),
  port: count(0)
    .refine((port) => port < 65536, "a port is at most 65535")
    .default(8640)
    .describe("port to listen on; 0: any that is free"),
  allowed_origins: listOf(
    z.string().refine((origin) => URL.canParse(origin) && new URL(origin).origin === origin, {
      error: "expected scheme, host and port alone, such as https://intranet.example.org: no path, no slash at the end",
    }),
  )
    .default([])
    .describe("pages of other sites that may ask, such as https://intranet.example.org"),
  concurrency: count(1)
    .optional()
    .describe("answers made at once; 16 when left out, 1 for a generator that transformers.js runs"),
  max_queue: count(0).default(256).describe("requests that may wait; further ones are told to come back (429)"),
  max_request_seconds: count(1).default(300).describe("longest time of a request, waiting included"),
  max_body_kb: count(1).default(1024).describe("largest body of a request"),
  turns_file: z
    .string()
    .min(1)
    .optional()
    .describe("where turns go that a user voted on or wants kept; turns.jsonl in the run's folder when left out"),
});

export type ServeSettings = z.infer<typeof serveSettings>;
