/** What a command's exit code says. Scripts depend on these numbers; `gatehouse --help` lists them. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  refused: 3,
  notFound: 4,
  diverged: 5,
  unavailable: 6,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_CODES_HELP = `
Exit codes:
  0  done
  1  failed; for health: not healthy; for doctor: a check failed
  2  the command line or a setting can't be used
  3  something was not taken: events that were refused or in conflict with earlier ones, an import, an erasure, a restore,
     an archive that somebody else writes to, a session that stays quarantined
  4  there is no such session, user, policy, version, key, webhook or effect
  5  a journal folded again came out otherwise; or more than --fail-if allows would
  6  Redis is missing, can't be reached, or stopped answering
130  Ctrl-C or SIGTERM came before it was done; what goes on until then (tail, stats --watch, up, …) ends with 0`;
