/** `gatehouse signout`: ends a person's sessions. */
import type { Command } from "commander";
import { type EndOptions, end, withEndOptions } from "./end-sessions.js";

const EXAMPLE = `
Example:
  $ gatehouse signout adele
  $ gatehouse signout adele --device phone-17 --yes --reason "handed the phone on"

Says first which sessions are concerned, and asks; without a terminal it asks nothing and does nothing until --yes is
given. Nobody's data is removed, and the person may sign in again. Run again after an interruption it goes on, and signs
no session out twice. The reason is kept with the session's history, too.`;

export function signoutCommand(program: Command): void {
  withEndOptions(program.command("signout"))
    .summary("end a person's sessions; first a preview")
    .description("Signs USER out: on every device, or on one.")
    .addHelpText("after", EXAMPLE)
    .action(async (user: string, options: EndOptions) =>
      end(user, options, { what: "signOut", note: options.reason }, { act: "signout", verb: "end their sessions" }),
    );
}
