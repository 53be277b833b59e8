/** What programs print when memory was not enough. */
const OF_THE_GPU = /CUDA out of memory|OutOfMemoryError|CUBLAS_STATUS_ALLOC_FAILED|HIP out of memory/;
const OF_THE_MACHINE =
  /DefaultCPUAllocator: can't allocate memory|MemoryError|exitcode *: -9|Signal 9 \(SIGKILL\)|oom-kill/i;

/** A last line that says more than a stack does. */
const ERROR_LINE = /^(?:\[rank\d+\]: ?)?((?:[A-Za-z_.]*(?:Error|Exception)|[A-Za-z ]*error): .{1,300})/;

/** Why a job ended, by what its last run printed, and what to do; undefined when that tells nothing. */
export function whyJobFailed(log: string): string | undefined {
  // Of a log whose beginning was cut off, as by a rotation, all is of the last run.
  const last = log.slice(Math.max(0, log.lastIndexOf("rag-ft job: start")));
  if (OF_THE_GPU.test(last))
    return (
      "the GPU's memory was not enough: give a smaller per_device_train_batch_size with more gradient_accumulation_steps, gradient_checkpointing true, " +
      "deepspeed zero3, more GPUs (nproc_per_node) or lora_r, and export again"
    );
  if (OF_THE_MACHINE.test(last))
    return "a process was killed, as when the machine's memory is full: give fewer processes (nproc_per_node), smaller batches or lora_r, and export again";
  const lines = last.split("\n").reverse();
  for (const line of lines) {
    const found = ERROR_LINE.exec(line)?.[1];
    if (found !== undefined && !/ChildFailedError/.test(found)) return found;
  }
  return lines
    .find((line) =>
      / is not installed| is missing: |, expected |is of another job|^The training has diverged/.test(line),
    )
    ?.trim();
}
