/** `gatehouse decide`: the answer to the one question, from the terminal. */
import type { Command } from "commander";
import type { Decision } from "../../machines/decision.js";
import { readConfig } from "../config.js";
import { decideAccess } from "../decide/decide.js";
import { sessionIdParts } from "../../machines/session/session.js";
import { reportFailure } from "./failure.js";
import { JSON_OPTION, sessionIdOf } from "./options.js";
import { openToRead } from "./redis-access.js";
import { duration, instant, paintOut, print, printJson } from "./terminal.js";

const EXAMPLE = `
Example:
  $ gatehouse decide phone-17 adele

Needs no worker: what was accepted and is not processed yet counts already. Any doubt is a deny.`;

interface Options {
  readonly app?: string;
  readonly language?: string;
  readonly json?: true;
}

export function decideCommand(program: Command): void {
  program
    .command("decide")
    .summary("may this user open corporate data there now?")
    .description("Says whether USER, on DEVICE, may open corporate data in the app now, and if not, why not.")
    .argument("<device>")
    .argument("<user>")
    .option("--app <app>", "the protected app, where a deployment protects several")
    .option("--language <tag>", "of the message for the person, such as de or pt-BR")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (device: string, user: string, { app, language, json }: Options) => {
      const config = readConfig();
      const asked = sessionIdParts(
        sessionIdOf([device, user, app].filter((part) => part !== undefined).join("/"), config.tenant),
      );
      const deployment = await openToRead(config);
      try {
        let doubt: unknown;
        const decision = await decideAccess(deployment, { ...asked, language }, (error) => (doubt = error));
        if (json) printJson(decision);
        else for (const line of decisionLines(decision)) print(line);
        if (doubt !== undefined) process.exitCode = reportFailure(doubt, false);
      } finally {
        await deployment.close();
      }
    });
}

const COLOURS = { allow: "green", challenge: "yellow", deny: "red" } as const;

export function decisionLines({ decision, reasons, message, revision, asOf, validUntil }: Decision): string[] {
  const until =
    validUntil === null ? "" : `, until ${instant(validUntil)} at the latest (${duration(validUntil - asOf)})`;
  return [
    `${paintOut(["bold", COLOURS[decision]], decision)}  ${reasons.join(", ")}`,
    `  “${message.text}”`,
    paintOut("dim", `  as of ${instant(asOf)}${until}; revision ${revision}`),
  ];
}
