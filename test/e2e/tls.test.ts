/** S15: a Redis that is reached over TLS only, whose certificate the company's own authority signed. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { generate } from "selfsigned";
import { findOrInstallServer } from "../../src/redis/server-binary.js";
import { temporaryDirectory } from "../support/cli.js";
import { freePort } from "../support/free-ports.js";
import { runCli } from "../support/run-cli.js";

let home: Awaited<ReturnType<typeof temporaryDirectory>>;
let url: string;
let authority: string;
let stop: () => Promise<void>;

beforeEach(async () => {
  home = await temporaryDirectory();
  const { cert, private: key } = await generate([{ name: "commonName", value: "localhost" }], {
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "subjectAltName", altNames: [{ type: 2, value: "localhost" }] },
    ],
  });
  authority = join(home.path, "authority.pem");
  const keyFile = join(home.path, "redis.key");
  await writeFile(authority, cert);
  await writeFile(keyFile, key, { mode: 0o600 });
  const port = await freePort();
  const settings = `
port 0
bind 127.0.0.1
tls-port ${port}
tls-cert-file ${authority}
tls-key-file ${keyFile}
tls-ca-cert-file ${authority}
tls-auth-clients no
requirepass a-password
appendonly yes
appendfsync always
dir ${home.path}
`;
  const server = spawn(await findOrInstallServer(() => undefined), ["-"], { stdio: ["pipe", "pipe", "ignore"] });
  const ended = once(server, "exit");
  server.stdin.end(settings);
  let said = "";
  for await (const piece of server.stdout.setEncoding("utf8").iterator({ destroyOnReturn: false })) {
    said += String(piece);
    if (said.includes("Ready to accept connections")) break;
  }
  server.stdout.resume();
  expect(said).toContain("Ready to accept connections");
  url = `rediss://:a-password@localhost:${port}`;
  stop = async () => {
    server.kill("SIGKILL");
    await ended;
  };
});
afterEach(async () => {
  await stop?.();
  await home.remove();
});

test("S15: with the authority's certificate everything is as without TLS", async () => {
  const environment = { REDIS_URL: url, NODE_EXTRA_CA_CERTS: authority };
  const listed = await runCli(["policy", "list", "--json"], { directory: home.path, environment });
  expect(listed).toMatchObject({ code: 0 });
  const examined = await runCli(["doctor", "--json"], { directory: home.path, environment });
  expect(JSON.parse(examined.stdout)).toMatchObject({
    checks: expect.arrayContaining([expect.objectContaining({ name: "settings", level: "ok" })]) as unknown,
  });
});

test("S15: a certificate that nobody vouches for is refused, and so is no TLS", async () => {
  const run = async (address: string) =>
    runCli(["sessions"], { directory: home.path, environment: { REDIS_URL: address } });
  const unknown = await run(url);
  expect(unknown.code).not.toBe(0);
  expect(unknown.stderr).toContain("NODE_EXTRA_CA_CERTS");
  expect(unknown.stderr).not.toContain("a-password");
  const plain = await run(url.replace("rediss:", "redis:"));
  expect(plain.code).not.toBe(0);
  expect(plain.stderr).toContain("cannot connect to Redis");
});
