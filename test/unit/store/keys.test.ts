/** Key names: one slot a partition, nothing shared between prefixes. */
import { expect, test } from "vitest";
import { deploymentKey, partitionKeys } from "../../../src/store/keys.js";

/** Redis Cluster's slot of a key: CRC-16/XMODEM of the hash tag if there is one, modulo 16,384. */
function slotOf(key: string): number {
  const tag = /\{([^}]+)\}/.exec(key)?.[1] ?? key;
  let crc = 0;
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return crc % 16_384;
}

test("the slot is computed as Redis does", () => {
  expect([slotOf("123456789"), slotOf("{user1000}.following")]).toEqual([12_739, slotOf("{user1000}.followers")]);
});

test("all keys of a partition are in one slot, so that a script may touch them all", () => {
  for (const partition of [0, 1, 63, 4_095]) {
    const keys = Object.values(partitionKeys("gh", partition)).flat();
    expect(new Set(keys).size).toBe(11);
    expect(new Set(keys.map(slotOf)).size, `slots of partition ${partition}`).toBe(1);
  }
});

test("64 partitions spread over the slots of a cluster of three", () => {
  const nodes = Array.from({ length: 64 }, (_, partition) =>
    Math.floor((slotOf(partitionKeys("gh", partition).inbox) * 3) / 16_384),
  );
  for (const node of [0, 1, 2]) expect(nodes.filter((owner) => owner === node).length).toBeGreaterThan(10);
});

test("names are what an operator types", () => {
  expect(partitionKeys("gh", 12)).toMatchObject({
    inbox: "gh:{p12}:inbox",
    seen: ["gh:{p12}:seen:0", "gh:{p12}:seen:1"],
  });
  expect(deploymentKey("staging")).toBe("staging:deployment");
});

test.each(["", "a{b}", "with space", "x".repeat(65)])("the prefix %j is refused", (prefix) => {
  expect(() => deploymentKey(prefix)).toThrow(/key prefix .* use 1–64 characters/);
});
