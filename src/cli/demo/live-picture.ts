/** The demonstration while it plays: how far the day is, and how many sessions are in each state. On stderr. */
import { MultiBar, type SingleBar } from "cli-progress";
import { STATE_NAMES, type StateName } from "../../../machines/session/context.js";
import { DAY_END_MS, DAY_START_MS } from "../../demo/day.js";
import { count, note, paintErr } from "../terminal.js";

const LINE_EVERY_MS = 2_000;

export interface Picture {
  /** Time of the last event that was sent, epoch ms. */
  readonly at: number;
  readonly sent: number;
  readonly processed: number;
  readonly seconds: number;
  readonly states: Readonly<Record<StateName, number>>;
}

export interface LivePicture {
  readonly show: (picture: Picture) => void;
  readonly say: (text: string) => void;
  readonly stop: () => void;
}

export function livePicture(): LivePicture {
  return process.stderr.isTTY ? drawn() : told();
}

const timeOfDay = (ms: number): string => new Date(ms).toISOString().slice(11, 16);

/** Events a second so far. */
const rate = ({ processed, seconds }: Picture): string => count(Math.round(processed / Math.max(seconds, 0.001)));

const COLOURS: Readonly<Record<StateName, Parameters<typeof paintErr>[0]>> = {
  unenrolled: "gray",
  pinSetup: "cyan",
  locked: "blue",
  active: "green",
  noncompliant: "red",
  remediating: "yellow",
  signedOut: "magenta",
};

function drawn(): LivePicture {
  const bars = new MultiBar({
    stream: process.stderr,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
    emptyOnZero: true,
    format: "",
  });
  const day = bars.create(
    DAY_END_MS - DAY_START_MS,
    0,
    { time: timeOfDay(DAY_START_MS), processed: 0, rate: 0 },
    {
      format: `  {time} UTC     {bar}  {processed} events processed, {rate}/s`,
    },
  );
  const states = new Map<StateName, SingleBar>(
    STATE_NAMES.map((state) => [
      state,
      bars.create(
        1,
        0,
        { n: "0" },
        {
          format: `  ${state.padEnd(13)} ${paintErr(COLOURS[state], "{bar}")}  {n}`,
          barIncompleteChar: " ",
        },
      ),
    ]),
  );
  return {
    show: (picture) => {
      day.update(Math.min(picture.at, DAY_END_MS) - DAY_START_MS, {
        time: timeOfDay(picture.at),
        processed: count(picture.processed),
        rate: rate(picture),
      });
      const all = Object.values(picture.states).reduce((sum, n) => sum + n, 0);
      for (const [state, bar] of states) {
        bar.setTotal(Math.max(1, all));
        bar.update(picture.states[state], { n: count(picture.states[state]) });
      }
    },
    say: (text) => bars.log(`${text}\n`),
    stop: () => bars.stop(),
  };
}

/** A line now and then, for logs. */
function told(): LivePicture {
  let lastAt = 0;
  return {
    show: (picture) => {
      if (performance.now() - lastAt < LINE_EVERY_MS) return;
      lastAt = performance.now();
      const states = STATE_NAMES.map((state) => `${state} ${count(picture.states[state])}`).join(", ");
      note(
        `${timeOfDay(picture.at)}  ${count(picture.sent)} sent, ${count(picture.processed)} processed, ${rate(picture)}/s; ${states}`,
      );
    },
    say: note,
    stop: () => undefined,
  };
}
