/** The stores' contracts on a cluster: no script crosses slots, and what is true of one server is true of six. */
import { afterAll, beforeAll } from "vitest";
import { type RedisConnection, connectStore } from "../../src/redis/connection.js";
import { openRedisPartitionStore } from "../../src/store/redis/redis-partition-store.js";
import { RedisUserStore } from "../../src/users/redis-user-store.js";
import { describePartitionStore } from "../redis/partition-store.contract.js";
import { describeUserStore } from "../redis/user-store.contract.js";
import { forManyStores } from "../support/many-stores.js";
import { type RedisCluster, startCluster } from "../support/redis-cluster.js";

let cluster: RedisCluster;
let redis: RedisConnection;
let confirmed: RedisConnection;
let prefixes = 0;
const freshPrefix = (): string => `test-${(prefixes += 1)}`;

beforeAll(async () => {
  cluster = await startCluster();
  const target = { cluster: cluster.addresses };
  redis = await connectStore(target);
  confirmed = forManyStores(await connectStore(target, { durability: "D2" }));
});
afterAll(async () => {
  redis?.disconnect();
  confirmed?.disconnect();
  await cluster?.stop();
});

describePartitionStore("cluster, answers confirmed by a replica", async (deployment) =>
  openRedisPartitionStore(confirmed, { prefix: freshPrefix(), deployment }),
);
describeUserStore("cluster", async (deployment) => new RedisUserStore(redis, { prefix: freshPrefix(), deployment }));
