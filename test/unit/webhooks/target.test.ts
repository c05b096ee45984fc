/** S11: where webhooks may go, and that what was checked is what is connected to. */
import type { LookupAddress } from "node:dns";
import { describe, expect, test } from "vitest";
import { type Resolve, LOOPBACK, Targets } from "../../../src/webhooks/target.js";

const strict = new Targets({ allowPrivate: [] });
const inside = new Targets({ allowPrivate: ["10.1.0.0/16", ...LOOPBACK] });

const addresses = (...all: readonly string[]): LookupAddress[] =>
  all.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));

/** What a connection to the URL would be given. */
async function lookUp(targets: Targets, text: string): Promise<string[]> {
  const url = new URL(text);
  return new Promise((resolve, reject) => {
    targets.lookupFor(url)(url.hostname, { all: true }, (error, found) => {
      if (error !== null) reject(error);
      else resolve((found as LookupAddress[]).map(({ address }) => address));
    });
  });
}

describe("S11: an address that is not public is refused, however it is written", () => {
  test.each([
    ["the metadata service of clouds", "https://169.254.169.254/latest/meta-data"],
    ["a private IPv4 address in IPv6", "https://[::ffff:10.0.0.1]/"],
    ["an IPv4-compatible IPv6 address", "https://[::10.0.0.1]/"],
    ["NAT64 of a private address", "https://[64:ff9b::10.0.0.1]/"],
    ["6to4 of a private address", "https://[2002:a00:1::]/"],
    ["a decimal number", "https://2130706433/"],
    ["a hexadecimal, shortened address", "https://0x7f.1/"],
    ["an octal address", "https://017700000001/"],
    ["a shortened address", "https://127.1/"],
    ["digits in circles", "https://①②⑦.0.0.1/"],
    ["loopback", "https://[::1]/"],
    ["any address", "https://0.0.0.0/"],
    ["carrier-grade NAT", "https://100.64.0.1/"],
    ["private addresses", "https://192.168.1.1/"],
    ["unique local addresses", "https://[fd00:ec2::254]/"],
    ["link-local addresses", "https://[fe80::1]/"],
    ["multicast", "https://224.0.0.1/"],
    ["addresses for documentation", "https://203.0.113.9/"],
    ["a cloud's own service at a public number", "https://168.63.129.16/"],
    ["what no provider has yet", "https://[4000::1]/"],
  ])("%s", (_, url) => {
    expect(() => strict.parse(url)).toThrow(/not public/);
  });

  test("the machine's own name", () => {
    expect(() => strict.parse("https://localhost/")).toThrow(/this machine/);
  });
});

test.each([
  ["port 22", "https://example.com:22/", /port 22/],
  ["port 80", "https://example.com:80/", /port 80/],
  ["http", "http://example.com/", /not https/],
  ["another scheme", "file:///etc/passwd", /not https/],
  ["a password in the URL", "https://user:secret@example.com/", /password/],
  ["no URL", "example.com", /no URL/],
])("S11: %s is refused", (_, url, words) => {
  expect(() => strict.parse(url)).toThrow(words);
});

test("a public name on 443 or 8443 is taken", () => {
  expect(strict.parse("https://example.com/hooks").href).toBe("https://example.com/hooks");
  expect(strict.parse("https://example.com:8443/").port).toBe("8443");
  expect(strict.parse("https://8.8.8.8/").hostname).toBe("8.8.8.8");
});

describe("S11: a name is judged by its addresses when it is connected to", () => {
  test("one that leads inside is refused", async () => {
    const targets = new Targets({ allowPrivate: [], resolve: async () => addresses("10.0.0.8") });
    await expect(lookUp(targets, "https://example.com/")).rejects.toThrow(
      /example.com has an address that is not public/,
    );
  });

  test("one private address among public ones spoils them all", async () => {
    const targets = new Targets({ allowPrivate: [], resolve: async () => addresses("93.184.216.34", "127.0.0.1") });
    await expect(lookUp(targets, "https://example.com/")).rejects.toThrow(/not public/);
  });

  test("a name that answers otherwise the second time is asked once, and refused when it is asked again", async () => {
    let asked = 0;
    const rebinding: Resolve = async () => addresses(asked++ === 0 ? "93.184.216.34" : "169.254.169.254");
    const targets = new Targets({ allowPrivate: [], resolve: rebinding });
    expect(await lookUp(targets, "https://rebind.example/")).toEqual(["93.184.216.34"]);
    expect(asked).toBe(1);
    await expect(lookUp(targets, "https://rebind.example/")).rejects.toThrow(/not public/);
  });
});

describe("S11: what the operator allows", () => {
  test("may be reached over http, on any port", () => {
    expect(inside.parse("http://10.1.2.3:9000/hook").port).toBe("9000");
    expect(inside.parse("http://[::1]:9000/hook").port).toBe("9000");
  });

  test("is no more than that", async () => {
    expect(() => inside.parse("http://10.2.0.1/")).toThrow(/not public/);
    expect(() => inside.parse("http://8.8.8.8/")).toThrow(/not https/);
    expect(() => inside.parse("https://8.8.8.8:22/")).toThrow(/port 22/);
  });

  test("is judged by address for a name, too", async () => {
    const named = (address: string) =>
      new Targets({ allowPrivate: ["10.1.0.0/16"], resolve: async () => addresses(address) });
    expect(await lookUp(named("10.1.0.5"), "http://hooks.internal:9000/")).toEqual(["10.1.0.5"]);
    await expect(lookUp(named("10.2.0.5"), "http://hooks.internal:9000/")).rejects.toThrow(/not public/);
    await expect(lookUp(named("93.184.216.34"), "http://example.com/")).rejects.toThrow(/not https/);
    await expect(lookUp(named("93.184.216.34"), "https://example.com:22/")).rejects.toThrow(/port 22/);
  });
});
