import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { AnswerQueue } from "./answers/answer-queue.js";

/** What Prometheus reads at `/metrics`. */
export interface ServerMetrics {
  registry: Registry;
  /** By route and status. */
  requests: Counter<"route" | "status">;
  /** From the request to the first piece of the answer, waiting included. */
  firstPiece: Histogram;
  /** From the request to the end of the answer. */
  answer: Histogram;
  search: Histogram;
}

/** Seconds: from a search in memory to a long answer on a slow machine. */
const BUCKETS = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

export function createMetrics(queue: AnswerQueue): ServerMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  };
  gauge("rag_ft_answers_waiting", "Requests that wait for their turn", () => queue.waiting);
  gauge("rag_ft_answers_running", "Answers being made", () => queue.running);
  const seconds = (name: string, help: string): Histogram => new Histogram({ name, help, buckets: BUCKETS, registers });
  return {
    registry,
    requests: new Counter({
      name: "rag_ft_requests_total",
      help: "Requests",
      labelNames: ["route", "status"],
      registers,
    }),
    firstPiece: seconds("rag_ft_first_piece_seconds", "From the request to the first piece of its answer"),
    answer: seconds("rag_ft_answer_seconds", "From the request to the end of its answer"),
    search: seconds("rag_ft_search_seconds", "Time of a search"),
  };
}
