import { resolve } from "node:path";
import { type Reporter, UserError } from "@rag-ft/core";
import { type Checkpoint, findCheckpoints } from "./find-checkpoints.js";
import { differences, type RunIdentity } from "./run-identity.js";
import { readTrainerState, type TrainerState } from "./trainer-state.js";

/** Where a run begins. */
export interface Start {
  /** Undefined: at the base model. */
  from?: { folder: string; state: TrainerState };
  /** This run's checkpoints up to there. */
  own: Checkpoint[];
  /** The others of the output folder: of runs that this one takes the place of, or later ones of the same run. */
  superseded: (Checkpoint & { sameRun: boolean })[];
}

/** The start of a run beside which there is no checkpoint. */
export const NOTHING_BEFORE: Start = { own: [], superseded: [] };

interface ResumeSettings {
  output_dir: string;
  resume_from_checkpoint?: string | undefined;
}

const wants = {
  /** `true` and `latest`: the output folder's own, which must be there. */
  latest: (setting: string | undefined): boolean => /^(true|latest)$/i.test(setting ?? ""),
  none: (setting: string | undefined): boolean => /^false$/i.test(setting ?? ""),
};

/** Whether settings want nothing of an earlier run to be gone on from. */
export function startsAnew({
  resume_from_checkpoint: wanted,
}: Pick<ResumeSettings, "resume_from_checkpoint">): boolean {
  return wants.none(wanted);
}

const ANEW = "Leave resume_from_checkpoint out, or give false, to start anew";

/** The checkpoint that settings name by its folder. */
async function namedCheckpoint(folder: string): Promise<{ folder: string; state: TrainerState }> {
  const state = await readTrainerState(folder);
  if (state) return { folder, state };
  throw new UserError(
    `resume_from_checkpoint: ${folder}: not a checkpoint to go on from: it has no trainer_state. ` +
      `Expected a folder such as …/checkpoint-20 of an unfinished run, true, or false. ${ANEW}.`,
  );
}

/**
 * Fails when settings ask for a checkpoint that is not there; called before a stage does anything costly.
 *
 * @throws UserError, DataError when the checkpoint is malformed.
 */
export async function requireCheckpoint({ output_dir, resume_from_checkpoint: wanted }: ResumeSettings): Promise<void> {
  if (wanted === undefined || wants.none(wanted)) return;
  if (!wants.latest(wanted)) await namedCheckpoint(wanted);
  else if ((await findCheckpoints(output_dir)).length === 0) {
    throw new UserError(
      `resume_from_checkpoint: ${output_dir} holds no checkpoint of an unfinished run, so there is nothing to go on from. ${ANEW}.`,
    );
  }
}

function requireSame(state: TrainerState, identity: RunIdentity, folder: string): void {
  const changed = differences(state.identity, identity);
  if (changed.length === 0) return;
  throw new UserError(
    `resume_from_checkpoint: ${folder} is of another run: ${changed.join(", ")}. Give the same settings and inputs. ${ANEW}.`,
  );
}

/**
 * Decides where a run begins: at the newest checkpoint of the output folder that was made with the same settings and inputs, at the one
 * that `resume_from_checkpoint` names, or at the base. An unfinished run of other settings is reported with what differs.
 *
 * @throws UserError when a checkpoint was asked for that is not there or of another run; DataError when it is malformed.
 */
export async function chooseStart(settings: ResumeSettings, identity: RunIdentity, reporter: Reporter): Promise<Start> {
  await requireCheckpoint(settings);
  const { output_dir: output, resume_from_checkpoint: wanted } = settings;
  const found = (await findCheckpoints(output)).map((checkpoint) => ({
    ...checkpoint,
    sameRun: checkpoint.state !== undefined && differences(checkpoint.state.identity, identity).length === 0,
  }));
  if (wants.none(wanted)) return { own: [], superseded: found };

  const upTo = (from: { folder: string; state: TrainerState }): Start => {
    const isOwn = ({ sameRun, step }: (typeof found)[number]): boolean => sameRun && step <= from.state.step;
    return { from, own: found.filter(isOwn), superseded: found.filter((checkpoint) => !isOwn(checkpoint)) };
  };
  if (wanted !== undefined && !wants.latest(wanted)) {
    const from = await namedCheckpoint(resolve(wanted));
    requireSame(from.state, identity, wanted);
    return upTo(from);
  }
  const broken = found.find(({ problem }) => problem);
  if (broken?.problem) throw broken.problem;
  for (const { folder, state, sameRun } of found.toReversed()) if (state && sameRun) return upTo({ folder, state });
  const newest = found.at(-1);
  if (newest?.state) {
    if (wanted !== undefined) requireSame(newest.state, identity, newest.folder);
    reporter.warn(
      `${newest.folder} is of an unfinished run that differs: ${differences(newest.state.identity, identity).join(", ")}. ` +
        "Training starts anew; that checkpoint is removed when the first one of this run is written.",
    );
  }
  return { own: [], superseded: found };
}
