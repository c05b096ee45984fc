/** A page of a terminal that is drawn again and again, on a screen of its own: what was there before is there again afterwards. */

const ENTER = "\u001B[?1049h\u001B[?25l";
const LEAVE = "\u001B[?25h\u001B[?1049l";
const HOME = "\u001B[H";
const CLEAR_REST_OF_LINE = "\u001B[K";
const CLEAR_BELOW = "\u001B[J";

export interface Screen {
  readonly draw: (lines: readonly string[]) => void;
  readonly leave: () => void;
}

export function openScreen(terminal: NodeJS.WriteStream): Screen {
  terminal.write(ENTER);
  const leave = (): void => {
    terminal.write(LEAVE);
  };
  // Also where the command ends halfway, as it does at a second Ctrl-C.
  process.once("exit", leave);
  return {
    draw: (lines) => {
      // One that is too low shows the first lines: a line more would push them out. One that does not say how high it is has 0.
      const shown = terminal.rows > 1 ? lines.slice(0, terminal.rows - 1) : lines;
      terminal.write(`${HOME}${shown.map((line) => `${line}${CLEAR_REST_OF_LINE}\n`).join("")}${CLEAR_BELOW}`);
    },
    leave: () => {
      process.off("exit", leave);
      leave();
    },
  };
}
