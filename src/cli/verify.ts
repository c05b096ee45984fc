/** `gatehouse verify`: whether the journal holds, and whether it leads to what is stored. */
import type { Command } from "commander";
import { readConfig } from "../config.js";
import { readerOf } from "../replay/journal-source.js";
import type { Fault, PartitionVerdict } from "../replay/verify-partition.js";
import { checkHeads, checkSigning, readSignedHeads, signHeads, writeSignedHeads } from "../replay/signed-heads.js";
import { ARCHIVE_OPTION } from "./archive-to-read.js";
import { EXIT } from "./exit-code.js";
import { UsageError } from "./failure.js";
import { type JournalRun, foldAgain, journalOf, openJournal } from "./journal-run.js";
import { JSON_OPTION, several, shortId, wholeNumber } from "./options.js";
import { columns, count, counted, note, paintOut, print, printJson, wrapLine } from "./terminal.js";

const EXAMPLE = `
Example:
  $ gatehouse verify
  $ gatehouse verify --sign auditor.pem --heads heads-2026-03-02.json
  $ gatehouse verify --heads heads-2026-03-02.json --signer auditor.pub.pem

Checks that each record follows from the one before it (a chain of hashes), that none is missing, that each names the
session's record before it, that every record comes out again when it is folded again, and that each stored session is
where its records lead. With an archive it begins where that does, and works without Redis. Nothing is written; workers may go on. If anything is wrong, the exit code is 5.

--sign writes down where every journal stands, signed with an Ed25519 key (openssl genpkey -algorithm ed25519);
whoever has the public key can check later that nothing up to there was changed.`;

interface VerifyOptions {
  readonly partition?: readonly number[];
  readonly sign?: string;
  readonly heads?: string;
  readonly signer?: string;
  readonly archive?: string;
  readonly json?: true;
}

export function verifyCommand(program: Command): void {
  program
    .command("verify")
    .summary("check the journal, and that it leads to what is stored")
    .description("Folds every journal again and checks its chain and every stored session.")
    .option("--partition <n...>", "these partitions alone", several(wholeNumber(0)))
    .option("--sign <key>", "sign where the journals stand, with this private key (PEM), into --heads")
    .option("--heads <file>", "signed heads: written with --sign, else checked against")
    .option("--signer <key>", "public key (PEM) that must have signed the heads")
    .option(...ARCHIVE_OPTION)
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(verify);
}

async function verify({ partition, sign, heads, signer, archive, json }: VerifyOptions): Promise<void> {
  if (heads === undefined && (sign !== undefined || signer !== undefined)) {
    throw new UsageError(`--${sign === undefined ? "signer" : "sign"} is given, and no signed heads`, {
      fix: "Name the file with --heads FILE.",
    });
  }
  if (sign !== undefined && heads !== undefined) await checkSigning(sign, heads);
  const signed = heads === undefined || sign !== undefined ? undefined : await readSignedHeads(heads, signer);
  const config = readConfig();
  const opened = await openJournal(config, archive);
  try {
    const journal = await journalOf(opened, partition);
    const run = await foldAgain<PartitionVerdict>(opened, journal, "verify");
    const verdicts = run.results;
    const faults = verdicts.flatMap(({ faults: some }) => some);
    const faultCount = verdicts.reduce((sum, verdict) => sum + verdict.faultCount, 0);
    const changed =
      signed === undefined ? [] : await checkHeads(readerOf(opened.source), opened.partitionCount, signed);
    const isIntact = faultCount === 0 && changed.length === 0;
    if (sign !== undefined && heads !== undefined && isIntact) {
      await writeSignedHeads(heads, await signHeads(sign, config.prefix, verdicts));
    }
    if (json) {
      printJson({
        intact: isIntact,
        ...totals(verdicts),
        faultCount,
        faults,
        changedSinceSigned: changed,
        ...rate(run),
      });
    } else {
      for (const line of page(verdicts, faults, faultCount, run)) print(line);
      for (const { partition: where, seq, why } of changed) {
        print(paintOut("red", `Partition ${where}: record ${seq} is not the one that was signed (${why}).`));
      }
      if (signed !== undefined && changed.length === 0) {
        print(
          faultCount === 0
            ? `Everything up to the heads signed ${signed.at} is as it was.`
            : `The last records as they were signed ${signed.at} are there; what is wrong stands above.`,
        );
      }
      if (sign !== undefined) note(isIntact ? `Signed: ${heads}` : "Nothing was signed, because not all is well.");
    }
    if (!isIntact) process.exitCode = EXIT.diverged;
  } finally {
    await opened.close();
  }
}

const rate = ({ seconds, recordsPerSecond }: JournalRun) => ({ seconds, recordsPerSecond });

function totals(verdicts: readonly PartitionVerdict[]) {
  const sum = (of: (verdict: PartitionVerdict) => number) => verdicts.reduce((all, verdict) => all + of(verdict), 0);
  return {
    partitions: verdicts.length,
    records: sum(({ records }) => records),
    tombstones: sum(({ tombstones }) => tombstones),
    sessionsCompared: sum(({ compared }) => compared),
    notReplayed: {
      historyMissing: sum(({ notReplayed }) => notReplayed.historyMissing),
      unreadable: sum(({ notReplayed }) => notReplayed.unreadable),
      setAside: sum(({ notReplayed }) => notReplayed.setAside),
    },
  };
}

/** The first ones say what is wrong; --json has more. */
const MOST_SHOWN = 8;

const WORDS: Readonly<Record<Fault["what"], string>> = {
  missing: "is not in the journal",
  altered: "is not what was written",
  surplus: "stands behind the one that the partition names as its last",
  head: "is not the one that the partition names as its last",
  diverged: "comes out otherwise when it is folded again",
  snapshot: "leads to another session than is stored",
  snapshotMissing: "leads to a session that is not stored",
  snapshotUnreadable: "belongs to a stored session that can't be read",
};

function page(
  verdicts: readonly PartitionVerdict[],
  faults: readonly Fault[],
  faultCount: number,
  run: JournalRun,
): string[] {
  const { partitions, records, tombstones, sessionsCompared, notReplayed } = totals(verdicts);
  const facts = columns([
    ["  records", `${count(records)} in ${count(partitions)} partitions, ${count(run.recordsPerSecond)}/s`],
    ...(tombstones === 0 ? [] : [["  erased", `${count(tombstones)} of them`]]),
    ["  sessions", `${count(sessionsCompared)} are where their records lead`],
    ...(notReplayed.historyMissing === 0
      ? []
      : [
          [
            "  not compared",
            `${count(notReplayed.historyMissing)} sessions, whose first records are not kept any more`,
          ],
        ]),
    ...(notReplayed.setAside === 0
      ? []
      : [
          [
            "  not folded",
            `${count(notReplayed.setAside)} sessions, whose quarantine was decided on; their chain holds`,
          ],
        ]),
    ...(notReplayed.unreadable === 0
      ? []
      : [
          [
            "  unreadable",
            `${counted(notReplayed.unreadable, "session")}, whose snapshot could not be read; their chain holds`,
          ],
        ]),
  ]);
  if (faultCount === 0)
    return [records === 0 ? "The journal is empty." : paintOut("green", "The journal holds."), ...facts];
  const first = faults.slice(0, MOST_SHOWN);
  return [
    paintOut(["bold", "red"], `${count(faultCount)} ${faultCount === 1 ? "fault" : "faults"}.`),
    ...facts,
    "",
    ...first.flatMap(({ partition, seq, what, session, detail }) => [
      ...wrapLine(
        `Partition ${partition}, record ${seq}${session === undefined ? "" : ` of ${shortId(session)}`} ${WORDS[what]}.`,
        2,
      ),
      ...(detail === undefined
        ? []
        : [`  recorded  ${describe(detail.recorded)}`, `  replayed  ${describe(detail.replayed)}`]),
    ]),
    ...(faultCount > first.length
      ? [`… and ${count(faultCount - first.length)} more; --json names more of them.`]
      : []),
    "",
    ...wrapLine(
      "Keep the data as they are. `gatehouse history` tells a session's records; a backup can be restored elsewhere and compared.",
    ),
  ];
}

type Accounts = NonNullable<Fault["detail"]>["recorded"];

/** One account of an event, in a line. */
export function describe(account: Accounts): string {
  if (account === null) return "nothing";
  const { event, outcome, from, to, effects } = account;
  const moved = from === undefined ? "no session" : from === to ? `in ${from}` : `${from} → ${to ?? "none"}`;
  return `${event}  ${outcome === "applied" ? moved : outcome}${effects.length === 0 ? "" : `  ${effects.join(", ")}`}`;
}
