/** `gatehouse registrations`: sessions that began before Gatehouse was there. */
import type { Command } from "commander";
import { asAct } from "./act.js";
import { importRegistrations } from "./registrations/import.js";
import { span, JSON_OPTION } from "./options.js";

const EXAMPLE = `
Example:
  $ gatehouse registrations import managedAppRegistrations.json`;

const IMPORT_EXAMPLE = `
Example:
  $ az rest --url 'https://graph.microsoft.com/beta/deviceAppManagement/managedAppRegistrations' > registrations.json
  $ gatehouse registrations import registrations.json

Each registration begins the session of its user, device and app, which is then enrolled: account.signedIn, posture.reported,
enrollment.completed. A person sets a PIN or gives it as after any sign-in. Sessions that are there already stay as they are, so
importing a file again is safe. The app is named by the tenant's settings (apps: iosBundleId, androidPackageId), else by its
identifier. A user, device or app whose name can't be one here gets a name made from a hash, which is said; a registration of
neither iOS nor Android is passed over, which is said too.`;

export function registrationsCommand(program: Command): void {
  const registrations = program
    .command("registrations")
    .summary("import Graph's managed app registrations as sessions")
    .description("Managed app registrations of Microsoft Graph.")
    .addHelpText("after", EXAMPLE);
  asAct(registrations.command("import"))
    .summary("begin a session for each registration of a Graph export")
    .description("Begins a session for each registration of the files: JSON as Graph gives it, or NDJSON; - is stdin.")
    .argument("<file...>", 'one registration, a list, or {"value": …}; - for stdin')
    .option("--retry-for <time>", "how long to go on when Redis stops answering", span, 30_000)
    .option(...JSON_OPTION)
    .addHelpText("after", IMPORT_EXAMPLE)
    .action(importRegistrations);
}
