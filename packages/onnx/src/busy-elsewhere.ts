import { type CpuInfo, cpus } from "node:os";

/** CPU time in milliseconds: of the whole machine, of it at work, and of this process. */
export interface CpuTimes {
  all: number;
  busy: number;
  own: number;
}

export function cpuTimes(
  cores: readonly Pick<CpuInfo, "times">[] = cpus(),
  { user, system }: NodeJS.CpuUsage = process.cpuUsage(),
): CpuTimes {
  let all = 0;
  let idle = 0;
  for (const { times } of cores) {
    all += times.user + times.nice + times.sys + times.irq + times.idle;
    idle += times.idle;
  }
  return { all, busy: all - idle, own: (user + system) / 1000 };
}

/** Cores that other processes kept busy between two moments. */
export function busyElsewhere(from: CpuTimes, to: CpuTimes, cores: number): number {
  const elapsed = (to.all - from.all) / cores;
  if (!(elapsed > 0)) return 0;
  return Math.max(0, (to.busy - from.busy - (to.own - from.own)) / elapsed);
}
