/**
 * Where webhooks may go. Endpoints are named by people outside, and the workers stand inside a network: nothing may be sent to an
 * address that is not public, unless the operator allows it. What is checked is the very address that is connected to: a name
 * that answers differently the next time gains nothing.
 */
import { lookup as systemLookup, type LookupAddress } from "node:dns";
import type { LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";
import { type Address, type AddressRange, isWithin, parseRange } from "./address-range.js";
import { WebhookTargetError } from "./webhook-errors.js";

const PUBLIC_PORTS: readonly number[] = [443, 8443];

const GLOBAL_IPV6 = ipaddr.parseCIDR("2000::/3") as [ipaddr.IPv6, number];

/** Public by its number, and yet inside: a cloud's services for its own machines. */
const CLOUD_INTERNAL: readonly string[] = ["168.63.129.16"];

/** Every address that a name has. */
export type Resolve = (name: string) => Promise<readonly LookupAddress[]>;

export interface TargetRules {
  /** Addresses that are not public and yet allowed, over http too and on any port, as `10.1.0.0/16`. */
  readonly allowPrivate: readonly string[];
  /** By default the system's resolver. */
  readonly resolve?: Resolve;
}

/** What `gatehouse up` allows: receivers on the developer's own machine. */
export const LOOPBACK = ["127.0.0.0/8", "::1/128"] as const;

export class Targets {
  readonly #allowed: readonly AddressRange[];
  readonly #resolve: Resolve;

  constructor({ allowPrivate, resolve = resolveBySystem }: TargetRules) {
    this.#allowed = allowPrivate.map(parseRange);
    this.#resolve = resolve;
  }

  /**
   * What can be told without asking anybody: a name is resolved only when something is sent to it.
   * @throws WebhookTargetError
   */
  parse(text: string): URL {
    if (!URL.canParse(text)) throw refused(`${JSON.stringify(text)} is no URL`);
    const url = new URL(text);
    if (url.protocol !== "https:" && url.protocol !== "http:") throw refused(`${url.protocol} is not https:`);
    if (url.username !== "" || url.password !== "") throw refused("the URL carries a user name or a password");
    if (url.hash !== "") throw refused("the URL has a fragment, which no receiver ever sees");
    const host = hostOf(url);
    if (ipaddr.isValid(host)) {
      this.#check(url, host);
    } else if (this.#allowed.length === 0) {
      // Otherwise the name may have an allowed address: that is known when it is connected to.
      if (url.protocol !== "https:") throw refused("http: is not https:");
      if (!PUBLIC_PORTS.includes(portOf(url))) throw refused(`port ${portOf(url)} is not 443 or 8443`);
      if (host === "localhost" || host.endsWith(".localhost")) throw refused(`${host} is this machine itself`);
    }
    return url;
  }

  /**
   * For a connection's `lookup`: resolves the name once, and hands over what was checked. A literal address is no name and is
   * checked by `parse`.
   */
  lookupFor(url: URL): LookupFunction {
    return (name, options, answer) => {
      const find = async (): Promise<readonly LookupAddress[]> => {
        const found = await this.#resolve(name);
        if (found.length === 0) throw refused(`${name} has no address`);
        // One that is not allowed spoils them all: which is tried first is not for the name's owner to choose.
        for (const { address } of found) this.#check(url, address);
        return found;
      };
      find().then(
        (found) => {
          const [first] = found as [LookupAddress];
          if (options.all === true) answer(null, [...found]);
          else answer(null, first.address, first.family);
        },
        (error: NodeJS.ErrnoException) => answer(error, "", 0),
      );
    };
  }

  /** @throws WebhookTargetError */
  #check(url: URL, text: string): void {
    const address = plainAddress(text);
    if (this.#allowed.some((range) => isWithin(address, range))) return;
    if (!isPublic(address)) {
      throw refused(
        ipaddr.isValid(hostOf(url))
          ? `${address.toString()} is not public`
          : // Which one it is, is nothing that a tenant should learn of the network inside.
            `${url.hostname} has an address that is not public`,
      );
    }
    if (url.protocol !== "https:") throw refused("http: is not https:");
    if (!PUBLIC_PORTS.includes(portOf(url))) throw refused(`port ${portOf(url)} is not 443 or 8443`);
  }
}

/** The host without the brackets of an IPv6 address. Decimal, octal and hexadecimal forms are dotted ones by now. */
const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, "");

const portOf = ({ port, protocol }: URL): number => (port === "" ? (protocol === "https:" ? 443 : 80) : Number(port));

/** An IPv4 address that is written as IPv6 is the IPv4 address. */
function plainAddress(text: string): Address {
  const address = ipaddr.parse(text);
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

function isPublic(address: Address): boolean {
  if (address.range() !== "unicast" || CLOUD_INTERNAL.includes(address.toString())) return false;
  return address instanceof ipaddr.IPv4 || address.match(GLOBAL_IPV6);
}

function refused(why: string): WebhookTargetError {
  return new WebhookTargetError(`webhooks are not sent there: ${why}`, {
    fix: "Give an https URL on port 443 or 8443 whose name has public addresses alone. GATEHOUSE_WEBHOOK_ALLOW_PRIVATE allows others.",
  });
}

const resolveBySystem: Resolve = (name) =>
  new Promise((resolve, reject) => {
    systemLookup(name, { all: true, verbatim: true }, (error, addresses) =>
      error === null ? resolve(addresses) : reject(error),
    );
  });
