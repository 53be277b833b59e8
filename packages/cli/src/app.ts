import type { StageEntry, StageRegistry } from "@rag-ft/pipeline";
import { Command } from "commander";
import { type Interrupt, listenForInterrupt } from "./interrupt.js";
import type { Io } from "./io.js";
import { ownVersion } from "./own-version.js";
import { stageRegistry } from "./registry.js";

interface RunOptions {
  only?: string;
  from?: string;
  force?: boolean;
  dryRun?: boolean;
  set: string[];
}

function createProgram(io: Io, registry: StageRegistry, interrupt: Interrupt): Command {
  const program = new Command("rag-ft")
    .description(
      "Adapts a small retrieval-augmented answering system to your documents: the retriever, the generator, and their test.",
    )
    .version(ownVersion(), "-V, --version", "show the version")
    .helpOption("-h, --help", "show this help; rag-ft <stage> --help lists the stage's flags")
    .exitOverride()
    // What went wrong is written in one place, by `describeFailure`.
    .configureOutput({ writeOut: io.out, writeErr: () => {}, outputError: () => {} });
  for (const [name, { summary }] of Object.entries(registry)) {
    // Listed here for help; `main` takes a stage's command line before commander sees it.
    program.command(name).description(summary).usage("[flags]");
  }
  program
    .command("run")
    .description("run the stages of a YAML file in order, skipping what is done already")
    .argument("<config>", "the YAML file, such as configs/quickstart.yaml")
    .option("--only <stages>", "run only these (ids, separated by commas)")
    .option("--from <stage>", "run this one and those after it")
    .option("--force", "run even what is done already")
    .option("--dry_run, --dry-run", "only say how many requests to models it would take, and what they cost")
    .option(
      "--set <stage.key=value>",
      "override a setting; may be repeated (also vars.<name>=… and work_dir=…)",
      (value: string, all: string[]) => [...all, value],
      [] as string[],
    )
    .action(async (config: string, options: RunOptions) => {
      const { runPipeline } = await import("@rag-ft/pipeline");
      await runPipeline(
        config,
        {
          only: options.only?.split(",").map((id) => id.trim()),
          from: options.from,
          force: options.force ?? false,
          dryRun: options.dryRun ?? false,
          set: options.set,
        },
        { registry, out: io.out, reporter: await io.reporter(), signal: interrupt.signal, env: io.env },
      );
    });
  program
    .command("quickstart")
    .description(
      "run the whole flow once, offline, on the documentation of installed packages, with two tiny models that come with rag-ft",
    )
    .option("--work_dir, --work-dir <folder>", "where everything goes", "result/quickstart")
    .action(async ({ workDir }: { workDir: string }) => {
      const [{ runPipeline }, { quickstart }] = await Promise.all([
        import("@rag-ft/pipeline"),
        import("./quickstart.js"),
      ]);
      const { config, set } = quickstart(workDir);
      const options = { force: false, dryRun: false, set };
      const context = { registry, out: io.out, reporter: await io.reporter(), signal: interrupt.signal, env: io.env };
      await runPipeline(config, options, context);
    });
  return program;
}

/**
 * The whole command line. Returns the exit code: 0, 2 (the user's mistake), 3 (malformed data), 70 (our bug),
 * 130 (stopped).
 */
export async function main(argv: readonly string[], io: Io, registry: StageRegistry = stageRegistry): Promise<number> {
  const interrupt = listenForInterrupt(io);
  try {
    const [first, second] = argv;
    const asksHelp = first === "help" && second !== undefined;
    const named = (name: string | undefined): StageEntry | undefined =>
      Object.entries(registry).find(([known]) => known === name)?.[1];
    const entry = named(asksHelp ? second : first);
    // A model has a path, so that a bare name of a stage that trains is that stage.
    const trains = first === "export" ? named(second) : undefined;
    if (trains?.isHandedOver) {
      const { runStageCommand } = await import("./stage-command.js");
      await runStageCommand(await trains.load(), argv.slice(2), io, interrupt, { kind: "export" });
    } else if (entry) {
      const stage = await entry.load();
      const { runStageCommand } = await import("./stage-command.js");
      await runStageCommand(stage, asksHelp ? ["--help"] : argv.slice(1), io, interrupt);
    } else if (argv.length === 0) {
      io.out(createProgram(io, registry, interrupt).helpInformation());
    } else {
      await createProgram(io, registry, interrupt).parseAsync(argv, { from: "user" });
    }
    return 0;
  } catch (error) {
    const { describeFailure } = await import("./exit.js");
    const { code, text } = describeFailure(error, interrupt.signal.aborted);
    io.err(text);
    return code;
  } finally {
    interrupt.dispose();
  }
}
