/** The user store in memory keeps the port's contract. */
import { MemoryUserStore } from "../../../src/users/memory-user-store.js";
import { describeUserStore } from "../../redis/user-store.contract.js";

describeUserStore("memory", async (deployment) => new MemoryUserStore({ deployment }));
