import cliProgress from "cli-progress";

/** Where a stage reports to. Nothing below the CLI touches the console. */
export interface Reporter {
  /** A plain line for the user. */
  info(message: string): void;
  /** A line that deserves attention. */
  warn(message: string): void;
  /** Starts a progress bar (terminal) or plain progress lines (log); `from` was done already, so it took none of the time. */
  start(label: string, total: number, from?: number): Progress;
}

export interface Progress {
  /** `done` counts from the start; `note` is a short text such as `loss 1.23`. */
  update(done: number, note?: string): void;
  stop(): void;
}

/** Seconds as `1:05` or `2:03:00`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const pad = (n: number): string => String(n).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const rest = `${hours > 0 ? pad(Math.floor((whole % 3600) / 60)) : Math.floor(whole / 60)}:${pad(whole % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

function rateAndTimeLeft(done: number, total: number, from: number, startedAt: number): string {
  const elapsed = (Date.now() - startedAt) / 1000;
  if (done <= from || elapsed === 0) return "";
  const rate = (done - from) / elapsed;
  const shown = rate >= 10 ? rate.toFixed(0) : rate >= 1 ? rate.toFixed(1) : rate.toFixed(2);
  return `${shown}/s, ${formatSeconds((total - done) / rate)} left`;
}

/** Seconds between two plain progress lines when the output is not a terminal. */
const LOG_INTERVAL_S = 15;

/** Reports on a stream: a bar with rate and time left on a terminal, plain lines in a log. */
export function createConsoleReporter(stream: NodeJS.WriteStream = process.stderr): Reporter {
  const line = (message: string): void => {
    stream.write(`${message}\n`);
  };
  return {
    info: line,
    warn: (message) => line(`warning: ${message}`),
    start(label, total, from = 0) {
      const startedAt = Date.now();
      if (!stream.isTTY) {
        let lastLine = Date.now();
        let finished = false;
        return {
          update(done, note) {
            const now = Date.now();
            if (finished || (done < total && now - lastLine < LOG_INTERVAL_S * 1000)) return;
            if (done >= total) finished = true;
            lastLine = now;
            const details = [rateAndTimeLeft(done, total, from, startedAt), note].filter(Boolean).join(", ");
            line(`${label}: ${done}/${total}${details ? ` (${details})` : ""}`);
          },
          stop() {},
        };
      }
      const bar = new cliProgress.SingleBar({
        stream,
        clearOnComplete: false,
        hideCursor: true,
        format: "{label} {bar} {value}/{total} {rate} {note}",
        barsize: 24,
      });
      bar.start(total, from, { label, rate: "", note: "" });
      return {
        update(done, note) {
          bar.update(done, { rate: rateAndTimeLeft(done, total, from, startedAt), note: note ?? "" });
        },
        stop() {
          bar.stop();
        },
      };
    },
  };
}

/** Swallows everything; for tests and for work whose progress nobody watches. */
export const silentReporter: Reporter = {
  info() {},
  warn() {},
  start: () => ({ update() {}, stop() {} }),
};
