/** For tests that open the stores of many deployments over one connection, where a process has one. */
import { type RedisConnection, primariesOf } from "../../src/redis/connection.js";

/** Each store listens to its connection for as long as that lasts: more than ten of them are no leak here. */
export function forManyStores<Connection extends RedisConnection>(connection: Connection): Connection {
  for (const emitter of [connection, ...primariesOf(connection)]) emitter.setMaxListeners(0);
  return connection;
}
