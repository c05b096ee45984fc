/** How the HTTP client is set up, with what is taken where nothing is said. */

export interface HttpClientOptions {
  /** Of the API, such as `https://gatehouse.contoso.example`. Over `http://` the key can be read on the way: on one machine only. */
  readonly url: string;
  /** `gh_…`, from `gatehouse keys create`; with the scope `emit`, `decide`, or both. */
  readonly key: string;
  /** Events that one request carries at most, 1–500; default 100. */
  readonly batchEvents?: number;
  /** How long an event waits for others to share its request, ms; default 2; 0: for those of the same tick. */
  readonly lingerMs?: number;
  /** Requests with events that are under way at once, 1–64; default 4. */
  readonly maxRequests?: number;
  /** Events that the client holds at most until they have their answer; default 10,000. */
  readonly maxQueued?: number;
  /**
   * What `emit` does when more come. `wait` (the default): they are taken over when there is room, so whoever awaits `emit` goes as
   * fast as the API. `reject`: the call rejects with ClientOverflowError, and none of its events is sent.
   */
  readonly overflow?: "wait" | "reject";
  /** How long one request with events may take, ms; default 10,000. */
  readonly requestTimeoutMs?: number;
  /** How long an event is tried before its result is `unknown`, ms; default 60,000. */
  readonly giveUpAfterMs?: number;
  /** How long a decision may take with its one retry, ms, before it is a deny; default 1,000. */
  readonly decideTimeoutMs?: number;
}

export type HttpSettings = Required<Omit<HttpClientOptions, "url" | "key">>;

/** What only requests need to know. */
export interface HttpAccess {
  readonly url: URL;
  readonly key: string;
}

const RANGES = {
  batchEvents: [1, 500],
  lingerMs: [0, 10_000],
  maxRequests: [1, 64],
  maxQueued: [1, 10_000_000],
  requestTimeoutMs: [1, 600_000],
  giveUpAfterMs: [1, 86_400_000],
  decideTimeoutMs: [2, 60_000],
} as const;

const DEFAULTS = {
  batchEvents: 100,
  lingerMs: 2,
  maxRequests: 4,
  maxQueued: 10_000,
  overflow: "wait",
  requestTimeoutMs: 10_000,
  giveUpAfterMs: 60_000,
  decideTimeoutMs: 1_000,
} as const;

/** @throws RangeError naming the option, never the key */
export function readOptions({ url, key, ...given }: HttpClientOptions): {
  readonly access: HttpAccess;
  readonly settings: HttpSettings;
} {
  const address = URL.canParse(url) ? new URL(url) : undefined;
  if (address?.protocol !== "https:" && address?.protocol !== "http:") {
    throw new RangeError("with a `key`, `url` is the API's address: https://… or http://…");
  }
  if (address.username !== "" || address.password !== "" || address.search !== "" || address.hash !== "") {
    throw new RangeError("`url` is an origin, with a path if the API has one; nothing else belongs there");
  }
  if (typeof key !== "string" || !/^gh_[A-Za-z0-9_-]{1,256}$/.test(key)) {
    throw new RangeError("`key` is an API key: gh_…");
  }
  if (!address.pathname.endsWith("/")) address.pathname += "/";
  const settings = { ...DEFAULTS, ...withoutUndefined(given) };
  for (const [name, [least, most]] of Object.entries(RANGES)) {
    const value = settings[name as keyof typeof RANGES];
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new RangeError(`\`${name}\` is a whole number, ${least}–${most}`);
    }
  }
  if (settings.overflow !== "wait" && settings.overflow !== "reject") {
    throw new RangeError("`overflow` is `wait` or `reject`");
  }
  return { access: { url: address, key }, settings };
}

const withoutUndefined = <Options extends object>(options: Options): Options =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Options;
