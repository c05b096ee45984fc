/** The events that every way of processing is given: a generated working day, as producers send it. */
import { DEFAULT_TENANT, type Material } from "./material.js";
import { demoPolicies } from "../../src/demo/policies.js";
import { readCatalogue } from "../../src/control/catalogue-document.js";
import { workingDay } from "../../src/demo/working-day.js";

/** About fifty events a device; deterministic, so that each run is given the same. */
export function material(devices: number): Material {
  const { morning, noon } = demoPolicies();
  const events: object[] = [];
  const policies = { morning: readCatalogue(morning), noon: readCatalogue(noon) };
  for (const item of workingDay({ seed: 1, devices, policies })) {
    if (item.kind === "event") events.push(item.event);
  }
  return { tenant: DEFAULT_TENANT, catalogue: morning, events };
}
