/**
 * Ports for servers that have to know theirs before they listen. Below those that systems give to outgoing connections: one of these
 * would take a port between its choice and its use, and again whenever a server is away for a moment.
 */
import { createServer } from "node:net";

const LOWEST = 10_000;
const HIGHEST = 32_000;

export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

/** @param beside another port that has to be free, so much above each */
export async function freePorts(count: number, beside = 0): Promise<number[]> {
  const ports: number[] = [];
  const probes: ReturnType<typeof createServer>[] = [];
  try {
    while (ports.length < count) {
      const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
      const wanted = beside === 0 ? [port] : [port, port + beside];
      const listening = await Promise.all(wanted.map(probe));
      probes.push(...listening.filter((one) => one !== undefined));
      if (listening.every((one) => one !== undefined)) ports.push(port);
    }
    return ports;
  } finally {
    await Promise.all(probes.map((one) => new Promise((resolve) => one.close(resolve))));
  }
}

async function probe(port: number): Promise<ReturnType<typeof createServer> | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(undefined));
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}
