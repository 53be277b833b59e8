import { createMcpHandler } from "@modelcontextprotocol/server";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { routePath } from "hono/route";
import { secureHeaders } from "hono/secure-headers";
import { chatPage } from "./chat/chat-page.js";
import { type GuardOptions, guard } from "./guard/guard.js";
import { passageTools } from "./mcp/passage-tools.js";
import { type ChatCompletionParts, chatCompletions } from "./openai/chat-completions.js";
import { embeddings } from "./openai/embeddings.js";
import { models } from "./openai/models.js";
import { rerank } from "./openai/rerank.js";
import { Refusal, refusalBody, refusalOf } from "./refusal.js";
import { passage, search } from "./search.js";
import { vote } from "./turns/vote.js";

export interface AppOptions extends ChatCompletionParts {
  guard: GuardOptions;
  maxBodyBytes: number;
  version: string;
}

/** Methods of routes that exist, to say 405 where only the method is wrong. */
function otherMethods(app: Hono): Set<string> {
  return new Set(app.routes.filter(({ method }) => method !== "ALL").map(({ path }) => path));
}

/** All routes of the server. */
export function createApp({ guard: guarding, maxBodyBytes, version, ...parts }: AppOptions): Hono {
  const app = new Hono();
  const refuse = (context: Context, refusal: Refusal): Response => {
    for (const [name, value] of Object.entries(refusal.headers)) context.header(name, value);
    return context.json(refusalBody(refusal), refusal.status);
  };
  app.use(async (context, next) => {
    await next();
    parts.metrics.requests.inc({ route: routePath(context, -1), status: String(context.res.status) });
  });
  app.use(
    secureHeaders({
      contentSecurityPolicy: { frameAncestors: ["'none'"] },
      crossOriginResourcePolicy: "same-origin",
      referrerPolicy: "no-referrer",
      xFrameOptions: "DENY",
    }),
  );
  app.use(async (context, next) => {
    await next();
    context.header("cache-control", "no-store");
  });
  app.use(guard(guarding));
  app.use(
    bodyLimit({
      maxSize: maxBodyBytes,
      onError: () => {
        throw new Refusal(413, "too_large", `A body is at most ${maxBodyBytes} bytes here (--max_body_kb).`, {
          connection: "close",
        });
      },
    }),
  );
  app.get("/", chatPage({ ...parts, asksKey: guarding.key !== undefined }));
  app.get("/healthz", (context) =>
    context.json({ status: "ok", passages: parts.system().documents.length, ...parts.names }),
  );
  app.get("/metrics", async (context) =>
    context.body(await parts.metrics.registry.metrics(), 200, { "content-type": parts.metrics.registry.contentType }),
  );
  const served = models(parts.names);
  app.get("/v1/models", served.list);
  app.get("/v1/models/:id{.+}", served.one);
  app.post("/v1/chat/completions", chatCompletions(parts));
  app.post("/v1/embeddings", embeddings(parts));
  app.post("/v1/rerank", rerank(parts));
  app.post("/v1/search", search(parts));
  app.get("/v1/passages/:id", passage(parts));
  app.post("/v1/votes", vote(parts));
  const mcp = createMcpHandler(() => passageTools({ search: parts.system, version }));
  app.all("/mcp", (context) => mcp.fetch(context.req.raw));
  const known = otherMethods(app);
  app.notFound((context) =>
    refuse(
      context,
      known.has(context.req.path)
        ? new Refusal(405, "wrong_method", `${context.req.path} is not for ${context.req.method}.`)
        : new Refusal(404, "not_found", "There is nothing here."),
    ),
  );
  app.onError((error, context) => {
    const refusal = refusalOf(error);
    if ([500, 502, 507].includes(refusal.status))
      parts.reporter.warn(
        `${context.req.path}: ${String(error.stack ?? error)}${error.cause instanceof Error ? ` (${error.cause.message})` : ""}`,
      );
    return refuse(context, refusal);
  });
  return app;
}
