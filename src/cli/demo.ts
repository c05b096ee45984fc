/** `gatehouse demo`: a working day of a fleet, played through the real queue. */
import type { Command } from "commander";
import { writeFile } from "node:fs/promises";
import { decide } from "../../machines/decision.js";
import { readConfig } from "../config.js";
import { helpDesk, incidents } from "../demo/incidents.js";
import { pickStories, tellStory } from "../demo/stories.js";
import { readHistory } from "../sessions/history.js";
import { look } from "../sessions/look.js";
import { readFinalStates, statesNdjson } from "./demo/final-states.js";
import { livePicture } from "./demo/live-picture.js";
import { type PlayOptions, play, untilDelivered } from "./demo/play.js";
import { type Stage, openStage } from "./demo/stage.js";
import { mistakes, summarise, summaryLines } from "./demo/summary.js";
import { EXIT } from "./exit-code.js";
import { onInterrupt } from "./interrupt.js";
import { JSON_OPTION, shortId, wholeNumber } from "./options.js";
import { readable } from "./session.js";
import { count, instant, note, paintErr, paintOut, print, printJson, wrapLine } from "./terminal.js";

const EXAMPLE = `
Example:
  $ gatehouse demo
  $ gatehouse demo --devices 200 --seed 7 --json

Needs nothing that runs already: it starts a Redis of its own in .gatehouse/demo, afresh each time, and leaves the
day's data there for the other commands to look at. With REDIS_URL set it plays there, under keys of its own.
The same seed and number of devices give the same final states, to the byte.`;

interface DemoOptions extends PlayOptions {
  readonly states?: string;
  readonly json?: true;
}

export function demoCommand(program: Command): void {
  program
    .command("demo")
    .summary("play a working day of 2,000 devices, and look at what became of it")
    .description(
      "Plays a generated working day of a fleet through a real queue and a real worker, then says what happened.",
    )
    .option("--seed <n>", "another seed, another day", wholeNumber(0), 1)
    .option("--devices <n>", "how many devices take part", wholeNumber(1, 100_000), 2_000)
    .option("--states <file>", "write every session's final state to this file, as NDJSON")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(demo);
}

async function demo(options: DemoOptions): Promise<void> {
  const config = readConfig();
  let say = note;
  const stage = await openStage(config, { onWorkerChange: (sentence) => say(sentence) });
  const picture = livePicture();
  say = picture.say;
  const release = onInterrupt(async () => {
    picture.stop();
    await stage.close();
  });
  note(`A working day of ${count(options.devices)} devices (seed ${options.seed}). Worker ${stage.worker.pid} is up.`);
  try {
    const played = await Promise.race([play(stage.deployment, options, picture), stage.failed]);
    picture.stop();
    await Promise.race([untilDelivered(stage.deployment.store, note), stage.failed]);

    const final = await readFinalStates(stage.deployment);
    const summary = summarise(played, final);
    if (options.states !== undefined) await writeFile(options.states, statesNdjson(final.sessions));
    if (options.json) {
      printJson(summary);
    } else {
      for (const line of summaryLines(summary)) print(line);
      for (const line of await storyLines(stage, options)) print(line);
    }
    const wrong = mistakes(summary, final);
    for (const mistake of wrong) note(`${paintErr(["bold", "red"], "does not add up")}  ${mistake}`);
    if (wrong.length > 0) process.exitCode = EXIT.failure;
  } finally {
    picture.stop();
    release();
    await stage.close();
  }
}

async function storyLines(
  { deployment, environment, directory }: Stage,
  { seed, devices }: PlayOptions,
): Promise<string[]> {
  const lines: string[] = [];
  const picks = pickStories(seed, devices);
  for (const { session: id, title } of picks) {
    const found = readable(id, await look(deployment, id));
    const { records } = await readHistory(deployment.store, found.partition, found.lastRecord);
    lines.push("", paintOut("bold", title), paintOut("dim", `  ${shortId(id)}`));
    const story = tellStory(records, found.session, decide(found.session, found.rules, found.now));
    // What a line goes on with stands beneath its text, not beneath its time.
    for (const line of story) lines.push(...wrapLine(`  ${line}`, line.startsWith(" ") ? 1 : "00:00:00  ".length));
  }
  lines.push(...(await callLines(deployment, environment, seed, devices)));
  const [pick] = picks;
  const id = pick === undefined ? "DEVICE/USER" : shortId(pick.session);
  return [
    ...lines,
    "",
    paintOut("bold", "Look further"),
    ...["sessions --state noncompliant", `session ${id}`, `history ${id}`, `decide ${id.replace("/", " ")}`].map(
      (command) => `  ${environment}npx gatehouse ${command}`,
    ),
    paintOut("dim", `  What the worker told the apps is in ${directory}/effects.ndjson.`),
  ];
}

async function callLines(
  deployment: Stage["deployment"],
  environment: string,
  seed: number,
  devices: number,
): Promise<string[]> {
  const calls = await helpDesk(incidents(seed, devices), async (id) => {
    const { partition, lastRecord } = readable(id, await look(deployment, id));
    return (await readHistory(deployment.store, partition, lastRecord)).records;
  });
  if (calls.length === 0) return [];
  return [
    "",
    paintOut("bold", "Calls to the help desk, each answered by one command"),
    ...calls.flatMap(({ session, complaint, at }) => [
      `  ${instant(at).slice(11, 16)}  “${complaint}”`,
      paintOut("dim", `         ${environment}npx gatehouse why ${shortId(session)} --at ${minute(at)}`),
    ]),
  ];
}

const minute = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
