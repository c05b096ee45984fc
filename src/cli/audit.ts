/** `gatehouse audit`: what administrators did. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { ASKED_ACTS } from "../audit/acts.js";
import { type AuditFilter, AuditLog, type AuditPage, type AuditedAct } from "../audit/audit-log.js";
import { readConfig } from "../config.js";
import { JSON_OPTION, wholeNumber } from "./options.js";
import { openToRead } from "./redis-access.js";
import { columns, count, instant, note, paintOut, print, printJson } from "./terminal.js";

const EXAMPLE = `
Example:
  $ gatehouse audit
  $ gatehouse audit --act policy --since 7d
  $ gatehouse audit --act wipe --user adele --json

Newest first. ACT is one act (keys.create) or all about a thing (keys). People whom an act is about are not named:
--user and --device find acts about somebody whose name you know. About 25,000 acts of a tenant are kept.`;

interface AuditOptions {
  readonly act?: string;
  readonly by?: string;
  readonly since?: number;
  readonly user?: string;
  readonly device?: string;
  readonly limit: number;
  readonly from?: string;
  readonly json?: true;
}

export function auditCommand(program: Command): void {
  program
    .command("audit")
    .summary("list what administrators did, and why")
    .description("Lists what was done by command and over the API: who, when, what, why, how much, and how it ended.")
    .addOption(new Option("--act <act>", "of this kind").choices(ASKED_ACTS))
    .option("--by <name>", "by this person, or by the API key with this name or id")
    .option("--since <time>", "since a date, a date and time, or so long ago: 90m, 24h, 7d", sinceWhen)
    .option("--user <user>", "about this user")
    .option("--device <device>", "about this device")
    .option("--limit <n>", "acts at most", wholeNumber(1, 10_000), 50)
    .option("--from <id>", "go on behind this one, as an earlier page ended", entryId)
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async ({ limit, from = null, json, ...filter }: Omit<AuditOptions, "from"> & { from?: string | null }) => {
      const { prefix, tenant, ...config } = readConfig();
      const deployment = await openToRead({ prefix, tenant, ...config });
      try {
        const page = await readPages(new AuditLog(deployment.redis, prefix, tenant), filter, limit, from);
        if (json) return printJson(page);
        for (const act of page.acts) for (const line of actLines(act)) print(line);
        if (page.acts.length === 0) note("Nothing of the kind was recorded.");
        if (page.next !== null) note(`… and more: --from ${page.next} goes on.`);
      } finally {
        await deployment.close();
      }
    });
}

/** As many acts as are asked for, however far back they are. */
async function readPages(log: AuditLog, filter: AuditFilter, limit: number, from: string | null): Promise<AuditPage> {
  const acts: AuditedAct[] = [];
  let next = from;
  do {
    const page = await log.read(filter, limit - acts.length, next);
    acts.push(...page.acts);
    next = page.next;
  } while (next !== null && acts.length < limit);
  return { acts, next };
}

function actLines({
  at,
  act,
  by,
  via,
  key,
  reason,
  user,
  device,
  about,
  outcome,
  code,
  touched,
}: AuditedAct): string[] {
  const ended = {
    done: paintOut("green", "done"),
    failed: paintOut("red", `failed: ${code ?? ""}`),
    begun: paintOut("yellow", "begun, and no end is known"),
  }[outcome];
  const figures = Object.entries(touched ?? {}).filter(([, n]) => n > 0);
  const said = Object.entries(about).map(
    ([name, value]) => `${name} ${Array.isArray(value) ? value.join(",") : value}`,
  );
  return [
    `${instant(at)}  ${paintOut("bold", act)}  ${ended}`,
    ...columns([
      ["  by", key === undefined ? `${by} (${via})` : `${by} (API key ${key})`],
      ...(reason === undefined ? [] : [["  why", reason]]),
      ...(said.length === 0 ? [] : [["  what", said.join("; ")]]),
      ...(user === undefined ? [] : [["  user", user]]),
      ...(device === undefined ? [] : [["  device", device]]),
      ...(figures.length === 0 ? [] : [["  touched", figures.map(([name, n]) => `${count(n)} ${name}`).join(", ")]]),
    ]),
  ];
}

const AGO_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

function sinceWhen(text: string): number {
  const [, n = "", unit = ""] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  const ago = AGO_MS[unit];
  const at = ago === undefined ? Date.parse(text) : Date.now() - Number(n) * ago;
  if (!Number.isFinite(at))
    throw new InvalidArgumentError("Give a date such as 2026-03-02, or a time such as 24h or 7d.");
  return at;
}

function entryId(text: string): string {
  if (!/^\d{1,16}-\d{1,16}$/.test(text)) throw new InvalidArgumentError("Give what an earlier page ended with.");
  return text;
}
