/** `gatehouse wipe`: has a person's work data removed. */
import { type Command, Option } from "commander";
import { type EndOptions, end, withEndOptions } from "./end-sessions.js";

const EXAMPLE = `
Example:
  $ gatehouse wipe adele
  $ gatehouse wipe adele --device phone-17 --yes --reason "lost in a taxi"
  $ gatehouse wipe adele --cancel --yes

Says first which sessions are concerned and what will happen, and asks; without a terminal it asks nothing and does nothing
until --yes is given. Access ends at once; the app is told to remove the account's data at its next contact. With --scope
user a session is told so at every contact until --cancel. Run again after an interruption it goes on, and asks no session
twice. A device that signs in for the first time later is not concerned: disable the account for that.`;

interface WipeOptions extends EndOptions {
  readonly scope: "app" | "user";
  readonly cancel?: true;
}

export function wipeCommand(program: Command): void {
  withEndOptions(program.command("wipe"))
    .summary("sign a person out and have their work data removed; first a preview")
    .description("Requests a wipe of USER's sessions, or calls one off.")
    .addOption(
      new Option("--scope <scope>", "app: once; user: at every contact until cancelled")
        .choices(["app", "user"])
        .default("app"),
    )
    .option("--cancel", "call off what is still to be done; sessions stay signed out")
    .addHelpText("after", EXAMPLE)
    .action(async (user: string, { scope, cancel, ...options }: WipeOptions) =>
      cancel
        ? end(user, options, { what: "cancelWipe" }, { act: "wipe.cancel", verb: "call the wipe off" })
        : end(user, options, { what: "wipe", scope }, { act: "wipe.request", verb: "wipe their data" }),
    );
}
