/** `gatehouse replay FILE`: where a file of events would lead. */
import { readConfig } from "../../config.js";
import type { Refusal } from "../../ingest/refusal.js";
import { splitEvents } from "../../ingest/split-events.js";
import { FileReplay } from "../../replay/file-replay.js";
import { look } from "../../sessions/look.js";
import { EXIT } from "../exit-code.js";
import { UsageError } from "../failure.js";
import { openInput } from "../input-file.js";
import { shortId } from "../options.js";
import { progressBar } from "../progress-bar.js";
import { openToRead } from "../redis-access.js";
import { columns, count, paintOut, print, printJson } from "../terminal.js";
import { type ReplayOptions, meant } from "./options.js";

interface BadLine extends Refusal {
  readonly place: number;
}

const MOST_SHOWN = 10;

export async function replayFile(file: string, options: ReplayOptions): Promise<void> {
  const { skipBad, json } = options;
  const config = readConfig();
  const { tenant } = meant(options, config);
  const input = await openInput(file);
  const deployment = await openToRead(config);
  const bar = progressBar(input.bytes ?? 0, "bytes");
  try {
    const version = await deployment.catalogues.current(tenant);
    await deployment.rules.prepare({}, [{ tenant, version }]);
    const replay = new FileReplay(tenant, {
      base: version,
      broadcasts: [],
      rules: (asked, session) => deployment.rules.rulesOf(tenant, asked, session),
    });
    let read = 0;
    const split = splitEvents(input.read((bytes) => bar.show((read += bytes))));
    const bad: BadLine[] = [];
    for await (const chunk of split.chunks) {
      for (const one of chunk) {
        const refusal = "refusal" in one ? one.refusal : replay.take(one.input);
        if (refusal === undefined) continue;
        const { code, path, message, fix } = refusal;
        if (!skipBad) {
          throw new UsageError(
            `${file}, ${split.kind} ${one.place}${path === "" ? "" : ` at ${path}`}: ${message} (${code})`,
            {
              fix: `${fix}\n--skip-bad goes on without such ${split.kind}s.`,
            },
          );
        }
        bad.push({ ...refusal, place: one.place });
      }
    }
    bar.stop();
    const elsewhere: { session: string; recorded: string; replayed: string }[] = [];
    let notRecorded = 0;
    for (const [session, replayed] of replay.ends()) {
      const { session: stored } = await look(deployment, session);
      if (stored === undefined || "unreadable" in stored) notRecorded++;
      else if (stored.state !== replayed) elsewhere.push({ session, recorded: stored.state, replayed });
    }
    if (json) printJson({ ...replay.totals, version, elsewhere, notRecorded, bad });
    else {
      const { events, sessions, aboutUsers } = replay.totals;
      print(`${count(events)} events, ${count(sessions)} sessions, policy version ${version}.`);
      if (bad.length > 0)
        print(paintOut("yellow", `${count(bad.length)} ${split.kind}s are no events and were left out.`));
      if (aboutUsers > 0)
        print(`${count(aboutUsers)} events about users were left out: they change the user's record.`);
      if (notRecorded > 0) print(`${count(notRecorded)} sessions are not in the deployment.`);
      if (elsewhere.length === 0) print(paintOut("green", "All others end where they stand in the deployment."));
      else {
        print(paintOut(["bold", "red"], `${count(elsewhere.length)} sessions end elsewhere than they stand:`));
        const rows = elsewhere.slice(0, MOST_SHOWN);
        for (const line of columns(
          rows.map((one) => [`  ${shortId(one.session)}`, `${one.recorded} → ${one.replayed}`]),
        ))
          print(line);
      }
    }
    if (elsewhere.length > 0) process.exitCode = EXIT.diverged;
  } finally {
    bar.stop();
    input.close();
    await deployment.close();
  }
}
