/** `gatehouse tail`: transitions as they happen. */
import { type Command, Option } from "commander";
import { setTimeout as delay } from "node:timers/promises";
import { EVENTS } from "../../machines/events/catalogue.js";
import { readConfig } from "../config.js";
import { PolicyUnknownError } from "../control/catalogue-errors.js";
import { findPolicy } from "../control/stored-policies.js";
import type { OpenDeployment } from "../deployment/open-deployment.js";
import { type Followed, TransitionFollower } from "../sessions/follow-transitions.js";
import { positionAt } from "../sessions/journal-time.js";
import { ASKED_CAUSES, ASKED_STATES } from "../sessions/session-filter.js";
import { type StreamPosition, readPosition } from "../sessions/stream-position.js";
import type { Transition, TransitionFilter } from "../sessions/transition.js";
import { UsageError } from "./failure.js";
import { interrupted } from "./interrupt.js";
import { type Moment, atMoment, moment } from "./moment.js";
import { shortId, wholeNumber } from "./options.js";
import { whenThere } from "./outage.js";
import { openToRead } from "./redis-access.js";
import { count, note, paintOut, print, printJson } from "./terminal.js";

const LOOK_MS = 250;

const EXAMPLE = `
Example:
  $ gatehouse tail
  $ gatehouse tail --state signedOut --since 1h
  $ gatehouse tail --cause osVersion --policy "Contoso iOS Level 2" --json

One line a transition: when (UTC), whose, by which event, from where to where, and why. It begins now; --since begins
earlier, and --after goes on where an earlier one ended: Ctrl-C says how, and with --json each line has its id. If Redis
goes away, it waits, and then goes on with what came meanwhile. Nothing is lost or told twice, as long as the journal
still has it; what it no longer has is told as a gap.`;

interface TailOptions extends Omit<TransitionFilter, "since" | "all"> {
  readonly all?: true;
  readonly after?: string;
  readonly since?: Moment;
  readonly limit?: number;
  readonly follow: boolean;
  readonly json?: true;
}

export function tailCommand(program: Command): void {
  program
    .command("tail")
    .summary("follow transitions as they happen")
    .description("Prints transitions as workers commit them, until Ctrl-C.")
    .addOption(new Option("--state <state>", "into this state, or this part of one").choices(ASKED_STATES))
    .addOption(new Option("--from <state>", "out of this state").choices(ASKED_STATES))
    .addOption(new Option("--event <type>", "by events of this type").choices([...EVENTS.keys()]))
    .addOption(new Option("--cause <cause>", "for this cause, or this reason of a sign-out").choices(ASKED_CAUSES))
    .option("--user <user>")
    .option("--device <device>")
    .option("--policy <policy>", "under this policy: its id, the beginning of it, or the whole name")
    .option("--all", "records that change no state, too")
    .addOption(new Option("--after <id>", "go on after this one").conflicts("since"))
    .option("--since <time>", "begin then, or so long ago: 2026-03-02T12:00:00Z, 90m, 24h, 7d", moment)
    .option("--limit <n>", "end after so many", wholeNumber(1))
    .option("--no-follow", "end with what there is now")
    .option("--json", "print one JSON object a line on stdout, and nothing else there")
    .addHelpText("after", EXAMPLE)
    .action(async (options: TailOptions) => {
      const config = readConfig();
      const deployment = await openToRead(config);
      try {
        await tail(deployment, config.tenant, options);
      } finally {
        await deployment.close();
      }
    });
}

async function tail(deployment: OpenDeployment, tenant: string, options: TailOptions): Promise<void> {
  const { after, policy, all, since, limit = Number.POSITIVE_INFINITY, follow, json, ...filter } = options;
  const sinceMs = since === undefined ? undefined : atMoment(since, await nowOf(deployment));
  const follower = await TransitionFollower.begin(
    deployment,
    tenant,
    {
      ...filter,
      policy: policy === undefined ? undefined : await policyId(deployment, tenant, policy),
      all,
      since: sinceMs,
    },
    await beginning(deployment, after, sinceMs),
  );
  const told = json ? tellAsJson : tellAsLines();
  const stopping = new AbortController();
  void interrupted().then(() => stopping.abort());
  if (follow) note("Following …  Ctrl-C ends it.");
  let left = limit;
  let { id } = follower;
  while (left > 0 && !stopping.signal.aborted) {
    const there = await whenThere(() => follower.news(), stopping.signal, note);
    if (there === undefined) break;
    const { news, more } = there;
    const shown = news.slice(0, left);
    for (const one of shown) told(one);
    left -= shown.length;
    id = shown.length < news.length ? (shown.at(-1)?.id ?? id) : follower.id;
    if (more) continue;
    if (!follow) break;
    await delay(LOOK_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
  }
  note(`Go on with: --after ${id}`);
}

async function nowOf({ store }: OpenDeployment): Promise<number> {
  const partitions = Array.from({ length: store.deployment.partitionCount }, (_, partition) => partition);
  return Math.max(...(await store.survey(partitions)).map(({ now }) => now));
}

/**
 * @param since epoch ms
 * @returns `undefined`: from now on
 * @throws UsageError
 */
async function beginning(
  { store }: OpenDeployment,
  after: string | undefined,
  since: number | undefined,
): Promise<StreamPosition | undefined> {
  if (after === undefined) return since === undefined ? undefined : positionAt(store, since);
  const position = readPosition(after, store.deployment.partitionCount);
  if (position !== undefined) return position;
  throw new UsageError("--after is no id that `gatehouse tail` gave for this deployment", {
    fix: "Give the id of a line that --json printed, or what an earlier one ended with, whole. --since begins at a time.",
  });
}

/**
 * In the newest version that has it: what is followed may be older than the version in force.
 * @throws PolicyUnknownError
 */
async function policyId({ catalogues }: OpenDeployment, tenant: string, named: string): Promise<string> {
  const newest = await catalogues.current(tenant);
  let failure = new PolicyUnknownError("no policy was ever published", {
    fix: "See `gatehouse policy publish --help`.",
  });
  for (let version = newest; version > 0; version--) {
    const { policies } = await catalogues.catalogue(tenant, version);
    try {
      const where = `version ${version} of the policies`;
      return findPolicy(
        policies.map((policy) => ({ policy })),
        named,
        where,
      ).policy.id;
    } catch (error) {
      if (!(error instanceof PolicyUnknownError)) throw error;
      if (version === newest) failure = error;
    }
  }
  throw failure;
}

type Tell = (told: Followed & { readonly id: string }) => void;

const tellAsJson: Tell = ({ id, ...followed }) => {
  const { kind } = followed;
  printJson({ id, kind, ...(followed.kind === "transition" ? followed.transition : followed) });
};

function tellAsLines(): Tell {
  let day = "";
  return (followed) => {
    if (followed.kind === "gap") {
      return note(`(${count(followed.missed)} records of partition ${followed.partition} are no longer kept)`);
    }
    if (followed.kind === "wentBack") {
      const { partition, from, to } = followed;
      return note(
        `(the journal of partition ${partition} went back from record ${from} to ${to}, as after a restore: what came instead may be missing here)`,
      );
    }
    const { transition } = followed;
    const [date = "", time = ""] = new Date(transition.at).toISOString().slice(0, 23).split("T");
    if (date !== day) print(paintOut("dim", `${date} UTC`));
    day = date;
    print(`${time}  ${line(transition)}`);
  };
}

function line({ session, event, outcome, reason, from, to, cause, signOutReason, why }: Transition): string {
  const moved = from === to ? `in ${to ?? "no state"}` : `${from ?? "new"} → ${paintOut("bold", to ?? "none")}`;
  const codes = [signOutReason, cause].filter((code) => code !== undefined).join(", ");
  return [
    shortId(session),
    paintOut("dim", event),
    outcome === "applied" ? moved : `${paintOut("yellow", outcome)} ${moved}`,
    [...(codes === "" ? [] : [`(${codes})`]), reason ?? why].join(" "),
  ].join("  ");
}
