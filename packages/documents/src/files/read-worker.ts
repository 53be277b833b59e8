// A thread that reads files and renders their pages, one file at a time.
import { parentPort } from "node:worker_threads";
import type { SourceFile } from "../readers/reader.js";
import { type ReadFileOptions, readFilePages } from "./read-file.js";
import { type FromReader, PAGES_AHEAD, sendError, type ToReader } from "./reading-messages.js";

const port = parentPort;
let ahead = 0;
let goOn: () => void = () => {};

const send = (message: FromReader): void => port?.postMessage(message);

async function read(file: SourceFile, explain: boolean): Promise<void> {
  ahead = 0;
  const options: ReadFileOptions = {
    warn: (warning) => send({ warning }),
    included: (included) => send({ included }),
    turn: async () => {},
    explain,
  };
  try {
    for await (const { leftOut, file: _, ...page } of readFilePages(file, options)) {
      send({ page, leftOut: leftOut.state() });
      ahead++;
      if (ahead >= PAGES_AHEAD) {
        await new Promise<void>((resolve) => {
          goOn = resolve;
        });
      }
    }
    send({ done: true });
  } catch (error) {
    send({ done: true, error: sendError(error) });
  }
}

port?.on("message", (message: ToReader) => {
  if ("read" in message) {
    void read(message.read, message.explain);
    return;
  }
  ahead -= message.taken;
  goOn();
});

send({ ready: true });
