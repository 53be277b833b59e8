/** A raw HTTP answer; a string body is sent as it is, anything else as JSON. */
export interface RawReply {
  status?: number;
  body: unknown;
  headers?: Record<string, string>;
  /** `hang`: no answer, ever; `reset`: the connection is cut before the answer, or in the middle of it. */
  fault?: "hang" | "reset" | "reset-mid-body";
}
