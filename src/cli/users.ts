/** `gatehouse users`: what is known of users, one by one and in bulk. */
import type { Command } from "commander";
import { usersImportCommand } from "./users/import.js";
import { usersShowCommand } from "./users/show.js";

const EXAMPLE = `
Example:
  $ gatehouse users import users.ndjson
  $ gatehouse users show adele

License, groups and account are the user's, whatever the device. They arrive as events (license.granted,
membership.changed, account.disabled …) or by import, and reach every session of the user.`;

export function usersCommand(program: Command): void {
  const users = program
    .command("users")
    .summary("import users and their groups; show what is known of one")
    .description("What is known of users: license, groups and account.")
    .addHelpText("after", EXAMPLE);
  usersImportCommand(users);
  usersShowCommand(users);
}
