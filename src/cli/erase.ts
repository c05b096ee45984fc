/** `gatehouse erase`: removes all that is stored about a person. */
import type { Command } from "commander";
import type { RedisConnection } from "../redis/connection.js";
import { canonicalId } from "../../machines/users/canonical-id.js";
import { ArchiveNotReachedError } from "../archive/archive-errors.js";
import { JournalArchive } from "../archive/journal-archive.js";
import { type Config, ConfigError, readConfig } from "../config.js";
import {
  type EraseTarget,
  type Erased,
  type ErasurePreview,
  erasePerson,
  isNothing,
  previewErasure,
} from "../erase/erase-person.js";
import type { ErasureScope } from "../erase/scope.js";
import { WipePendingError } from "../erase/erase-errors.js";
import { isUserSubject } from "../ingest/cloud-event.js";
import { type SecretKey, checkSecretKey, readSecretKey } from "../secrets/secret-key.js";
import type { PartitionStore } from "../store/partition-store.js";
import { type ActOptions, asAct, machineUser, record } from "./act.js";
import { confirmed } from "./confirm.js";
import { UsageError, UserNotFoundError } from "./failure.js";
import { JSON_OPTION, shortId } from "./options.js";
import { openRunning } from "./redis-access.js";
import { columns, count, note, paintOut, print, printJson } from "./terminal.js";

const EXAMPLE = `
Example:
  $ gatehouse erase adele
  $ gatehouse erase adele --device phone-17 --yes
  $ gatehouse erase adele --archive /var/lib/gatehouse/archive

Says first how much there is, and asks; without a terminal it asks nothing and erases nothing until --yes is given. Of
the journal's records tombstones stay, so that its chain still verifies. It can't be undone. Have apps and directory stop
reporting the person before; what they report afterwards is new.`;

interface EraseOptions extends ActOptions {
  readonly device?: string;
  readonly yes?: true;
  readonly evenIfWipePending?: boolean;
  /** `false`: --no-archive. */
  readonly archive?: string | false;
  readonly json?: true;
}

export function eraseCommand(program: Command): void {
  asAct(program.command("erase"))
    .summary("remove all that is stored about a person; first a preview")
    .description("Removes all that is stored about USER: record, sessions, events, effects, and what the journal says.")
    .argument("<user>")
    .option("--device <device>", "the person's sessions on one device alone; what is known of the user stays")
    .option("--yes", "do not ask")
    .option("--archive <dir>", "erase in this archive, too; default: GATEHOUSE_ARCHIVE_DIR")
    .option("--no-archive", "although archived files will still hold them")
    .option("--even-if-wipe-pending", "although a device may not have been wiped yet")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(
      async (user: string, { device, yes, evenIfWipePending = false, archive, json, ...options }: EraseOptions) => {
        const config = readConfig();
        const scope = scopeOf(config.tenant, user, device);
        const deployment = await openRunning(config);
        try {
          const directory = await archiveToErase(deployment.store, config, archive);
          const target = { ...deployment, prefix: config.prefix, archive: directory };
          const preview = await previewErasure(target, scope);
          if (isNothing(preview.found)) await reportNothing(target, scope);
          if (yes !== true) {
            if (json) return printJson({ ...namesOf(scope), applied: false, ...preview });
            for (const line of previewLines(scope, preview)) print(line);
            if (preview.pendingWipes.length > 0 && !evenIfWipePending)
              throw new WipePendingError(preview.pendingWipes.length);
            if (!process.stdin.isTTY) return note("Nothing was erased: --yes erases it.");
            if (!(await confirmed("erase it", scope.user))) return note("Nothing was erased.");
          }
          const secretKey = await ownSecretKey(config, deployment.redis);
          const { by = machineUser() } = options;
          const about = { what: device === undefined ? "person" : "device", evenIfWipePending };
          const where = { ...config, redis: deployment.redis };
          const erased = await record(where, options, { act: "erase", about, person: scope }, async ({ touch }) => {
            const gone = await erasePerson(target, scope, { by, secretKey, despiteWipe: evenIfWipePending });
            touch({ ...gone });
            return gone;
          });
          if (json) return printJson({ ...namesOf(scope), applied: true, erased });
          print(paintOut("bold", "Erased"));
          for (const line of countLines(erased)) print(line);
          note("Backups, and Redis's append-only file until it is rewritten, still hold it: see docs/erasing.md.");
        } finally {
          await deployment.close();
        }
      },
    );
}

/** @throws UsageError */
function scopeOf(tenant: string, user: string, device: string | undefined): ErasureScope {
  if (!isUserSubject(user)) {
    throw new UsageError(`${JSON.stringify(user)} names no user`, {
      fix: "A user's name is 1–128 letters, digits, `.`, `_` and `-`.",
    });
  }
  if (device !== undefined && !/^[A-Za-z0-9_-]{1,64}$/.test(device)) {
    throw new UsageError(`${JSON.stringify(device)} names no device`, {
      fix: "A device's name is 1–64 letters, digits, `_` and `-`.",
    });
  }
  return { tenant, user: canonicalId(user), ...(device !== undefined && { device: canonicalId(device) }) };
}

const namesOf = ({ user, device }: ErasureScope) => ({ user, ...(device !== undefined && { device }) });

/** @throws ArchiveNotReachedError if the deployment archives, and nobody says where to, or that it is to be left out */
async function archiveToErase(
  store: PartitionStore,
  config: Config,
  named: EraseOptions["archive"],
): Promise<string | undefined> {
  if (named === false) return undefined;
  if (named !== undefined) return named;
  const { archiveDirectory } = config;
  if (archiveDirectory !== undefined && (await JournalArchive.isThere(archiveDirectory))) return archiveDirectory;
  const surveys = await store.survey(Array.from({ length: store.deployment.partitionCount }, (_, n) => n));
  if (surveys.every((survey) => survey.archive === null)) return undefined;
  throw new ArchiveNotReachedError(
    "this deployment archives its journals, and where to is not known, or nothing is there",
    {
      fix: [
        "Give --archive DIR, or set GATEHOUSE_ARCHIVE_DIR, where the archive's directory can be written.",
        "Or give --no-archive, and erase there by another run: archived files hold the person until then.",
      ].join("\n"),
    },
  );
}

/** An earlier run may have been cut short at its very end, when nothing was left to find. */
async function reportNothing({ store }: EraseTarget, { user, device }: ErasureScope): Promise<never> {
  for (let partition = 0; partition < store.deployment.partitionCount; partition++) await store.purge(partition);
  throw new UserNotFoundError(`nothing is stored about ${user}${device === undefined ? "" : ` on ${device}`}`, {
    fix: "If they were erased before, that is as it should be. Else look for the name that the directory gives.",
  });
}

/** For the log's keyed hash. Where the deployment's secret was never set, erasing goes without. */
async function ownSecretKey(config: Config, redis: RedisConnection): Promise<SecretKey | undefined> {
  const key = await readSecretKey(config).catch((error: unknown) => {
    if (error instanceof ConfigError) return undefined;
    throw error;
  });
  if (key !== undefined) await checkSecretKey(redis, config.prefix, key);
  return key;
}

function previewLines({ user, device }: ErasureScope, { found, pendingWipes }: ErasurePreview): string[] {
  return [
    `About ${paintOut("bold", user)}${device === undefined ? "" : ` on ${device}`} there is stored`,
    ...countLines(found),
    ...(pendingWipes.length === 0
      ? []
      : ["", paintOut("yellow", "A wipe is pending on"), ...pendingWipes.map(indented)]),
  ];
}

const indented = (id: ErasurePreview["pendingWipes"][number]): string => `  ${shortId(id)}`;

function countLines(erased: Erased): string[] {
  const rows: readonly [number, string][] = [
    [erased.userRecords, "user's record: license, groups, account"],
    [erased.indexed, "sessions in the user's index"],
    [erased.sessions, "sessions"],
    [erased.records, "journal records, of which tombstones stay"],
    [erased.events, "accepted events that are still held"],
    [erased.effects, "effects not handed over yet"],
    [erased.archived, "archived records, of which tombstones stay, and snapshots in checkpoints"],
    [erased.deliveries, "deliveries to webhooks and remediators"],
  ];
  return columns(rows.filter(([n]) => n > 0).map(([n, what]) => [`  ${count(n)}`, what]));
}
