/** `gatehouse completion`: what a shell needs to complete the command, live names of the deployment among it. */
import type { Command } from "commander";
import { setTimeout as delay } from "node:timers/promises";
import { type Config, readConfig } from "../config.js";
import { openDeployment } from "../deployment/open-deployment.js";
import { connectStore } from "../redis/connection.js";
import { deploymentKey } from "../store/keys.js";
import { liveNames } from "./completion/live-names.js";
import { COMPLETION_SCRIPTS, FILES_MARK } from "./completion/scripts.js";
import { type Candidate, type LiveNames, type Suggestion, suggest } from "./completion/suggest.js";
import { EXIT } from "./exit-code.js";
import { findRedis } from "./redis-access.js";
import { print } from "./terminal.js";

/** For what Redis is asked: who presses a key does not wait longer. What was found by then is offered. */
const PATIENCE_MS = 500;
/** For the answer under way. */
const GRACE_MS = 100;

const HOW: Readonly<Record<keyof typeof COMPLETION_SCRIPTS, string>> = {
  bash: `
Example:
  $ echo 'source <(gatehouse completion bash)' >> ~/.bashrc
  $ source <(gatehouse completion bash)

Then \`gatehouse history <Tab>\` offers the sessions that there are.`,
  zsh: `
Example:
  $ echo 'source <(gatehouse completion zsh)' >> ~/.zshrc

Behind compinit, which it needs: \`autoload -Uz compinit && compinit\`.`,
  fish: `
Example:
  $ gatehouse completion fish > ~/.config/fish/completions/gatehouse.fish`,
};

export function completionCommand(program: Command): void {
  const completion = program
    .command("completion")
    .summary("print what a shell needs to complete gatehouse")
    .description(
      "Prints a script for a shell, which then completes commands, options, choices, and what exists in the deployment that REDIS_URL\n" +
        "(else `gatehouse up`) names: sessions, users, devices, policies and endpoints.",
    )
    .addHelpText(
      "after",
      `
Example:
  $ source <(gatehouse completion bash)

Without Redis everything but live names is completed. \`gatehouse\` must be on the PATH, or an alias: alias gatehouse='npx gatehouse'.`,
    );
  for (const [shell, script] of Object.entries(COMPLETION_SCRIPTS)) {
    completion
      .command(shell)
      .summary(`for ${shell}`)
      .description(`Prints the script for ${shell}.`)
      .addHelpText("after", HOW[shell as keyof typeof COMPLETION_SCRIPTS])
      .action(() => void process.stdout.write(script));
  }
  completion
    .command("words", { hidden: true })
    .description("Prints what may come next, a word a line; asked by the scripts.")
    .argument("[words...]", "behind `--`: what was typed after the program's name, the last word as far as it goes")
    .addHelpText("after", "\nExample:\n  $ gatehouse completion words -- history pho")
    .action(async (words: readonly string[]) => {
      const told = await suggest(program, words, quietly).catch((): Suggestion => ({ kind: "words", candidates: [] }));
      // In one write: what is told halfway would be offered as the whole.
      const lines = told.kind === "files" ? [FILES_MARK] : told.candidates.map(line);
      if (lines.length > 0) print(lines.join("\n"));
      // A Redis that does not answer would keep the process for as long as it takes to give up.
      process.stdout.write("", () => process.exit(EXIT.ok));
    });
}

const line = ({ value, description }: Candidate): string =>
  description === "" ? value : `${value}\t${description.replaceAll(/\s+/g, " ")}`;

/** Whatever is wrong, nothing is offered: a message would end up in the middle of what is typed. */
const quietly: LiveNames = async (...asked) => {
  const over = new AbortController();
  const late = (async () => {
    await delay(PATIENCE_MS);
    over.abort();
    await delay(GRACE_MS);
    return [];
  })();
  return Promise.race([look(readConfig(), over.signal, ...asked).catch(() => []), late]);
};

async function look(config: Config, until: AbortSignal, ...[kind, beginning]: Parameters<LiveNames>) {
  const { prefix, tenant } = config;
  const target = await findRedis(config);
  const redis = await connectStore(target);
  try {
    // Looking creates none.
    if ((await redis.exists(deploymentKey(prefix))) === 0) return [];
    const deployment = await openDeployment({ redis: target, prefix });
    try {
      return await liveNames(deployment, tenant, kind, beginning, until);
    } finally {
      await deployment.close();
    }
  } finally {
    redis.disconnect();
  }
}
