/** JSON from outside, read strictly: what two readers could understand differently is refused, and nothing of it is repeated. */
import { isUtf8 } from "node:buffer";
import { saysKeyTwice } from "../says-key-twice.js";
import { whereNotJson } from "../where-not-json.js";
import { HttpProblem } from "./problem.js";

/** @throws HttpProblem if the bytes are not UTF-8 or no JSON, or an object in them says a key twice */
export function parseStrictJson(bytes: Uint8Array): unknown {
  if (!isUtf8(bytes)) throw notJson("not UTF-8");
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw notJson(whereNotJson(error));
  }
  if (saysKeyTwice(text, value)) {
    throw new HttpProblem("request.duplicate_key", "An object in the body says one key twice.", {
      fix: "Say every key once: readers differ in which one they believe.",
    });
  }
  return value;
}

const notJson = (what: string): HttpProblem =>
  new HttpProblem("request.not_json", `The body is ${what}.`, { fix: "Send JSON in UTF-8." });
