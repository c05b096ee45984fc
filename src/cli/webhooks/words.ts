/** Endpoints and what came of attempts, in lines. */
import type { EffectFilter } from "../../webhooks/endpoint.js";
import type { Answer } from "../../webhooks/send.js";
import type { EndpointWithFigures } from "../../webhooks/webhooks.js";
import { columns, count, duration, instant, paintOut } from "../terminal.js";

export function stateText({ state, figures }: EndpointWithFigures): string {
  if (state !== "active") return paintOut("yellow", state);
  return figures.failures > 0 ? paintOut("red", "failing") : paintOut("green", "active");
}

export function filterText({ types, kinds, apps }: EffectFilter): string {
  const parts = [
    ...(kinds === undefined ? [] : [`kind ${kinds.join(" or ")}`]),
    ...(types === undefined ? [] : [types.join(", ")]),
    ...(apps === undefined ? [] : [`of ${apps.join(", ")}`]),
  ];
  return parts.length === 0 ? "every effect" : parts.join("; ");
}

export function endpointLines(endpoint: EndpointWithFigures): string[] {
  const { figures } = endpoint;
  const next = figures.nextAttempt;
  return [
    `${paintOut("bold", endpoint.id)}  ${stateText(endpoint)}${endpoint.why === undefined ? "" : `: ${endpoint.why}`}`,
    ...columns([
      ["  url", endpoint.url],
      ...(endpoint.description === "" ? [] : [["  description", endpoint.description]]),
      ["  is sent", filterText(endpoint.filter)],
      ["  waiting", `${count(figures.waiting)}${next === null ? "" : `, next attempt ${instant(next)} UTC`}`],
      ["  delivered", count(figures.delivered)],
      [
        "  spent",
        `${count(figures.spent)}${figures.forgotten > 0 ? `, and ${count(figures.forgotten)} forgotten` : ""}`,
      ],
      ...(figures.failingSince === null
        ? []
        : [["  failing", `${count(figures.failures)} attempts in a row, since ${instant(figures.failingSince)} UTC`]]),
      ["  made", `${instant(endpoint.createdAt)} UTC`],
      ["  secret of", `${instant(endpoint.secretCreatedAt)} UTC`],
      ...(endpoint.previousSecretUntil === undefined
        ? []
        : [["  secret before", `signs, too, until ${instant(endpoint.previousSecretUntil)} UTC`]]),
    ]),
  ];
}

export function answerLines(url: string, { status, durationMs, why, body }: Answer): string[] {
  const outcome = why === undefined ? paintOut("green", "taken") : paintOut("red", why);
  return [
    `${outcome}  ${url}`,
    ...columns([
      ["  status", status === undefined ? "no answer" : String(status)],
      ["  took", duration(durationMs)],
      ...(body === undefined || body === "" ? [] : [["  said", body.slice(0, 1_000).replaceAll(/[^\P{C}\n]/gu, "�")]]),
    ]),
  ];
}
