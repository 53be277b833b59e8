import { hashRows, instructionOf, type StageContext, type StageResult } from "@rag-ft/core";
import {
  deepspeedConfig,
  type ElsewhereTask,
  elsewhereIdentity,
  inTrainingOrder,
  type JobContent,
  type JobPlan,
  jobBase,
  launched,
  sftConfig,
  stepsOf,
  TRL_FILES,
  trainElsewhere,
} from "@rag-ft/engines";
import { adoptImported } from "@rag-ft/fine-tune";
import { type DecoderOutline, outlineDecoder } from "@rag-ft/models";
import { loraSettings, refuseSettings } from "@rag-ft/train";
import { adoptAsIs } from "./adopt-as-is.js";
import { generatorCard } from "./card.js";
import type { QuestionExample } from "./examples.js";
import { INPUTS } from "./identity.js";
import { askedAs, openExamples, readInputs } from "./inputs.js";
import { openTask } from "./open-task.js";
import type { Splits } from "./retrieve-passages.js";
import type { TrainGeneratorSettings } from "./settings.js";

/** Fine-tunes a decoder by TRL: examples are made here, what TRL makes of them is checked, measured and put in its place here. */
export function trainGeneratorElsewhere(settings: TrainGeneratorSettings, context: StageContext): Promise<StageResult> {
  return trainElsewhere(settings, context, (held) => prepare(settings, held));
}

function checkSettings(settings: TrainGeneratorSettings): void {
  const { measured_by, interpolate, keep_base_unless, early_stopping_patience } = settings;
  loraSettings(settings);
  refuseSettings("trl", {
    early_stopping_patience: early_stopping_patience !== undefined,
    freeze_layers: settings.freeze_layers > 0,
    "interpolate (with measured_by engine)": measured_by === "engine" && interpolate.length > 0,
    "keep_base_unless significant (with measured_by engine)":
      measured_by === "engine" && keep_base_unless === "significant",
  });
}

async function prepare(settings: TrainGeneratorSettings, context: StageContext): Promise<ElsewhereTask> {
  checkSettings(settings);
  const inputs = await readInputs(settings, context);
  const outline = await outlineDecoder(settings.model_name_or_path, context);
  const asked = await askedAs(settings, outline, inputs, context.reporter);
  const made = await openExamples({ settings, decoder: outline, asked, ...inputs }, context);
  const { examples, noAnswer } = made;
  return {
    plan: await jobPlan(settings, outline, asked.prompt, examples),
    evaluation: ({ eval_loss }) => (typeof eval_loss === "number" ? { eval_loss } : undefined),
    async adopt(result) {
      await outline.requireWeights(result.folder);
      if (settings.measured_by === "rag-ft") {
        const { folder, step } = result;
        const here = { ...settings, base_dtype: "fp32" as const };
        return adoptImported(here, context, (held) => openTask(here, held, { inputs, asked, made }), { folder, step });
      }
      const counts = { train: examples.train.length, noAnswer, eval: examples.eval.length, test: undefined };
      const card = generatorCard(settings, instructionOf(asked.prompt), {
        ...counts,
        passages: inputs.documents.length,
      });
      return adoptAsIs(settings, { outline, asked, card }, result, context);
    },
  };
}

/** A row of TRL's data: tokens, which of them are the answer's, and both texts for people. */
function* trlRows(examples: Iterable<QuestionExample>, { tokenizer }: DecoderOutline): Generator<object> {
  for (const { prompt, answer } of examples) {
    yield {
      input_ids: [...prompt, ...answer],
      completion_mask: [...prompt.map(() => 0), ...answer.map(() => 1)],
      prompt_text: tokenizer.decode(prompt),
      completion_text: tokenizer.decode(answer),
    };
  }
}

async function jobPlan(
  settings: TrainGeneratorSettings,
  outline: DecoderOutline,
  format: object,
  examples: Splits<QuestionExample[]>,
): Promise<JobPlan> {
  const { folder, commit } = outline;
  const { base, files: ofBase, hash } = await jobBase(settings.model_name_or_path, folder, commit);
  const deepspeed = await deepspeedConfig(settings.deepspeed);
  const steps = stepsOf(settings, examples.train.length);
  const files = new Map<string, JobContent>([
    [TRL_FILES.config, { text: sftConfig(settings, base, steps) }],
    [TRL_FILES.train, { rows: trlRows(inTrainingOrder(examples.train, settings), outline) }],
    ...(settings.do_eval ? [[TRL_FILES.eval, { rows: trlRows(examples.eval, outline) }] as const] : []),
    ...(deepspeed === undefined ? [] : [[TRL_FILES.deepspeed, { text: deepspeed }] as const]),
    ...ofBase,
  ]);
  return {
    ...{ engine: "trl", stage: "train-generator", settings, base, steps, files },
    identity: elsewhereIdentity({ ...settings, ...format }, INPUTS, deepspeed, {
      "base model": hash,
      "training questions or retrieved passages": hashRows(examples.train),
      "eval questions or retrieved passages": hashRows(examples.eval),
    }),
    ...launched(settings, "trl", {
      program: ["-m", "trl.scripts.sft", "--config", TRL_FILES.config],
      onCpu: ["--use_cpu", "true"],
      more: settings.lora_r > 0 ? ["peft"] : [],
    }),
  };
}
