/** Writes the documents that follow from the code. `--check` writes nothing and fails if one of them is out of date. */
import { readFileSync, writeFileSync } from "node:fs";
import { asyncApiDocument } from "../src/asyncapi/document.js";
import { eventsPage } from "./docs/events-page.js";
import { graphPropertiesPage } from "./docs/graph-properties-page.js";
import { sessionChartPicture } from "./docs/session-chart.js";

const documents = {
  "session-chart.svg": sessionChartPicture(),
  "events.md": eventsPage,
  "graph-properties.md": graphPropertiesPage,
  "asyncapi.json": `${JSON.stringify(asyncApiDocument(), null, 2)}\n`,
};

for (const [name, content] of Object.entries(documents)) {
  const file = new URL(`../docs/${name}`, import.meta.url);
  if (!process.argv.includes("--check")) {
    writeFileSync(file, content);
  } else if (readFileSync(file, "utf8") !== content) {
    process.stderr.write(`docs/${name} is out of date: run \`npm run docs\`.\n`);
    process.exitCode = 1;
  }
}
