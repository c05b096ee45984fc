/** `gatehouse publish`: makes policies the tenant's next catalogue version. */
import type { Command } from "commander";
import { readFile } from "node:fs/promises";
import { readConfig } from "../config.js";
import { publish } from "../control/publish.js";
import { UsageError } from "./failure.js";
import { JSON_OPTION } from "./options.js";
import { openRunning } from "./redis-access.js";
import { print, printJson } from "./terminal.js";

const EXAMPLE = `
Example:
  $ gatehouse publish samples/policies/contoso-ios-level2.json samples/policies/contoso-android-level2.json

The files are iosManagedAppProtection and androidManagedAppProtection documents as Microsoft Graph gives them, one for
each platform. Together they become the whole catalogue: what is not named is no longer in force.`;

export function publishCommand(program: Command): void {
  program
    .command("publish")
    .summary("put policies into force")
    .description(
      "Publishes the policies in FILE… as the tenant's next catalogue version. Every session is then judged by it.",
    )
    .argument("<file...>", "app protection policies as Microsoft Graph exports them")
    .option("--settings <file>", "the tenant's settings, a JSON object; without it the defaults hold")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (files: string[], options: { readonly settings?: string; readonly json?: true }) => {
      const config = readConfig();
      const policies = await Promise.all(files.map(readDocument));
      const settings = options.settings === undefined ? {} : await readDocument(options.settings);
      const deployment = await openRunning(config);
      try {
        const version = await publish(deployment, config.tenant, { policies, settings });
        if (options.json) printJson({ tenant: config.tenant, version, policies: policies.length });
        else
          print(
            `Catalogue version ${version} of ${config.tenant} is in force: ${files.length} ${files.length === 1 ? "policy" : "policies"}.`,
          );
      } finally {
        await deployment.close();
      }
    });
}

/** @throws UsageError naming the file */
async function readDocument(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as unknown;
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`, {
      cause: error,
      fix: "Name a file of JSON that you may read.",
    });
  }
}
