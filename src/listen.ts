/** Opens a server's port, or says which settings stand in the way. */
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { GatehouseError } from "./errors.js";

/** The address is taken, or not ours. */
export class ListenError extends GatehouseError {
  readonly code = "server.listen_failed";
  readonly retryable = false;
}

export interface Address {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

/**
 * @param what is served there, and the variables that say where
 * @returns `http://127.0.0.1:8710`
 * @throws ListenError
 */
export async function listen(
  server: Server,
  { host, port }: Address,
  what: { readonly name: string; readonly hostSetting: string; readonly portSetting: string },
): Promise<string> {
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (cause) {
    throw new ListenError(`${what.name} can't listen on ${host}:${port}: ${(cause as Error).message}`, {
      cause,
      fix: `Set ${what.portSetting} to a free port (0: any), and ${what.hostSetting} to an address of this machine.`,
    });
  }
  const address = server.address() as AddressInfo;
  const name = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return `http://${name}:${address.port}`;
}
