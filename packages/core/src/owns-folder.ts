import { cleanTemporaries } from "./clean-temporaries.js";
import { withFolderLock } from "./folder-lock.js";
import type { Stage } from "./stage.js";

/** A stage that has its output folder to itself while it runs, and finds it without what a killed run left half-written. */
export function ownsFolder<Settings>(
  stage: Stage<Settings>,
  folderOf: (settings: Settings) => string | Promise<string>,
): Stage<Settings> {
  return {
    ...stage,
    async run(settings, context) {
      const folder = await folderOf(settings);
      return withFolderLock(
        folder,
        async (signal) => {
          await cleanTemporaries(folder);
          return stage.run(settings, { ...context, signal });
        },
        context,
      );
    },
  };
}
