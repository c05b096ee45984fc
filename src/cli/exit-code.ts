/** What a command's exit code says. Scripts depend on these numbers; `gatehouse --help` lists them. */
export const EXIT = { ok: 0, failure: 1, usage: 2, refused: 3, notFound: 4, unavailable: 5, interrupted: 130 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_CODES_HELP = `
Exit codes:
  0  done
  1  failed; for health: not healthy
  2  the command line or a setting can't be used
  3  some events were not taken: refused, or in conflict with an earlier one
  4  there is no such session
  5  Redis is missing, can't be reached, or stopped answering`;
